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
from typing import Dict, FrozenSet, Iterator, List, Optional, Sequence, Set

# Where one string literal ends and the next one, which may be formatted, goes on with it
_JOINT = re.compile(r"""(["'])\s*\n?\s*f?\1""")
# A message, or what may be the name of one, to the end of its arguments
_MESSAGE = re.compile(r"""["'](\w+)((?: \w+=[^ "'\\]+)*)""")

# What cannot do without a command; what only tries has a way out
_NEED = re.compile(
    r"""(?<!try_)(?:lookup_command|lookup_query_command|add_config_cmd)\(\s*f?["'](\w+)"""
)
_IMPORT = re.compile(r"^[ \t]*((?:from [\w.]+ )?import [^#\n]+)", re.MULTILINE)
# How a fork calls itself, which its firmware has to do as well
_APP = re.compile(r"""^APP_NAME = ["'](\w+)["']""", re.MULTILINE)
_KLIPPER = "Klipper"

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
        self._needed: Dict[str, Set[str]] = defaultdict(set)
        self._imported: Dict[str, Set[str]] = defaultdict(set)
        self.app = _KLIPPER
        # A host may be links to somebody else's files
        paths = glob.glob(str(klippy / "**" / "*.py"), recursive=True)
        for path in sorted(paths):
            text = Path(path).read_text(encoding="utf-8", errors="replace")
            text = _JOINT.sub("", text)
            for name, arguments in _MESSAGE.findall(text):
                self._written[name].add(argument_names(name + arguments))
            if _EXTRAS.intersection(Path(path).relative_to(klippy).parts):
                self._note_extra(Path(path), text)
            for app in _APP.findall(text):
                self.app = app

    def _note_extra(self, path: Path, text: str) -> None:
        """Note what an extra needs, and which others it needs them of."""
        module = _module(path)
        self._needed[module].update(_NEED.findall(text))
        self._needed[module].update(
            name
            for name, arguments in _MESSAGE.findall(text)
            if name.startswith("config_") and arguments
        )
        for names in _IMPORT.findall(text):
            self._imported[module].update(re.findall(r"\w+", names))
        # A section names the whole package
        if path.parent.name not in _EXTRAS:
            self._imported[path.parent.name].add(module)

    def needed_by(self, module: str) -> List[str]:
        """Return the commands without which an extra of the host cannot do."""
        return sorted(self._needed.get(module, ()))

    def users_of(self, command: str) -> Iterator[FrozenSet[str]]:
        """Yield the extras that need a command, then those that import them, and so on."""
        found = frozenset(module for module, names in self._needed.items() if command in names)
        seen: FrozenSet[str] = frozenset()
        while found - seen:
            yield found - seen
            seen |= found
            found = frozenset(one for one, names in self._imported.items() if names & found)

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
