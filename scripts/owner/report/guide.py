# What the Guide says to do, by the headings of its entries
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import re
from functools import lru_cache
from typing import Dict, List, Tuple

_PATH = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "Guide.md")
_ENTRY = re.compile(r"^#### (.*)\n+((?:(?!#).*\n?)*)", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


class Guide:
    """The entries of a Guide, given as its text."""

    def __init__(self, text: str) -> None:
        self.advice: Dict[str, str] = {}
        self._patterns: List[Tuple[re.Pattern[str], str]] = []
        for heading, body in _ENTRY.findall(text):
            plain = heading.strip("`")
            self.advice[plain] = " ".join(_LINK.sub(r"\1", body.replace("`", "")).split())
            if heading.startswith("`"):
                parts = [re.escape(part) for part in plain.split("...")]
                self._patterns.append((re.compile(".*".join(parts)), plain))
        # Of two headings that fit, the one that says more
        self._patterns.sort(key=lambda pattern: -len(pattern[1].replace("...", "")))

    def heading_of(self, error: str) -> str:
        """The heading of the entry on an error of the extra; empty if there is none."""
        return next((heading for p, heading in self._patterns if p.match(error)), "")


@lru_cache(maxsize=None)
def guide() -> Guide:
    """The Guide that comes with this report; one without entries if it is not there."""
    try:
        with open(_PATH, encoding="utf-8") as document:
            return Guide(document.read())
    except OSError:
        return Guide("")
