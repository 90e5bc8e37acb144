# What the displays of a virtual printer show, as text and as pictures
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import List, Sequence

# Characters of the controllers that are not those of ASCII
_SPECIAL = {0x1A: "\u2192", 0x7E: "\u2192", 0x7F: "\u2190", 0xDF: "\u00b0"}
# Any other, such as those that the host has drawn
_DRAWN = "\u25aa"


def text(rows: Sequence[str]) -> List[str]:
    """Rows of text from the codes of their characters, in hex digits."""
    return ["".join(map(_character, bytes.fromhex(row))) for row in rows]


def _character(code: int) -> str:
    return chr(code) if 0x20 <= code < 0x7E else _SPECIAL.get(code, _DRAWN)


def picture(rows: Sequence[str]) -> str:
    """A picture in the format PBM (plain) from its rows of dots, in hex digits."""
    width = 4 * len(rows[0])
    dots = [" ".join(f"{int(row, 16):0{width}b}") for row in rows]
    return "\n".join(["P1", f"{width} {len(rows)}", *dots, ""])
