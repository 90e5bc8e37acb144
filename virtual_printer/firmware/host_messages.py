# Which messages a host's own sources write, and in which form
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import glob
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Sequence, Set

# Where one string literal ends and the next one, which may be formatted, goes on with it
_JOINT = re.compile(r"""(["'])\s*\n?\s*f?\1""")
# A message, or what may be the name of one, to the end of its arguments
_MESSAGE = re.compile(r"""["'](\w+)((?: \w+=[^ "'\\]+)*)""")

# Folders of what sections of printer.cfg name
_EXTRAS = frozenset(("extras", "plugins"))


def argument_names(form: str) -> FrozenSet[str]:
    """The names of a message's arguments."""
    return frozenset(word.split("=")[0] for word in form.split()[1:])


def _module(path: Path) -> str:
    return path.parent.name if path.stem == "__init__" else path.stem


class HostMessages:
    """The messages that the sources of a host write, with their arguments or by name."""

    def __init__(self, klippy: Path) -> None:
        self._written: Dict[str, Set[FrozenSet[str]]] = defaultdict(set)
        self._set_up: Dict[str, Set[str]] = defaultdict(set)
        # A host may be links to somebody else's files
        paths = glob.glob(str(klippy / "**" / "*.py"), recursive=True)
        for path in sorted(paths):
            text = Path(path).read_text(encoding="utf-8", errors="replace")
            text = _JOINT.sub("", text)
            is_extra = bool(_EXTRAS.intersection(Path(path).relative_to(klippy).parts))
            for name, arguments in _MESSAGE.findall(text):
                self._written[name].add(argument_names(name + arguments))
                if is_extra and name.startswith("config_") and arguments:
                    self._set_up[_module(Path(path))].add(name)

    def set_up_by(self, module: str) -> List[str]:
        """Return the messages by which an extra of the host sets up what it needs of an MCU."""
        return sorted(self._set_up.get(module, ()))

    def choose(self, forms: Sequence[str]) -> Optional[str]:
        """The form of one message that the host speaks, None if it never does.

        It is the first one where the host does not say which, but the last one
        if it names no arguments at all: newer hosts do.  What has no arguments
        takes no room and is always there.
        """
        if forms[0].split()[1:] == []:
            return forms[0]
        written = self._written.get(forms[0].split()[0])
        if not written:
            return None
        otherwise = forms[-1] if written == {frozenset()} else forms[0]
        return next((form for form in forms if argument_names(form) in written), otherwise)


@lru_cache(maxsize=None)
def read(klippy: Path) -> HostMessages:
    """The messages of the host whose folder holds klippy.py."""
    return HostMessages(klippy)


def chosen(forms: Sequence[str], host: Optional[HostMessages]) -> List[str]:
    """One form of each message that the host speaks, in the order in which they are given.

    Of all messages if it is not known which host that will be.
    """
    by_name: Dict[str, List[str]] = {}
    for form in forms:
        by_name.setdefault(form.split()[0], []).append(form)
    found = (host.choose(those) if host else those[0] for those in by_name.values())
    return [form for form in found if form is not None]
