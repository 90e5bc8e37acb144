# Prints a sliced file from the virtual SD card of a virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Callable, Dict

from virtual_printer.session import GCodeError, Session

_FOLDER = "gcodes"
_FILE = "printed.gcode"
_SECTION = f"[virtual_sdcard]\npath: {_FOLDER}\n"
_SAVE_CONFIG = "#*# <---------------------- SAVE_CONFIG"
# How long (virtual s) to look away while it prints
_LOOK_AGAIN_S = 5.0


def with_card(printer_cfg: str) -> str:
    """Return a printer.cfg whose SD card is the folder that the file is in.

    It is the last section that counts, where there are two of a name; behind what SAVE_CONFIG has
    saved there must be none.
    """
    written, mark, saved = printer_cfg.partition(_SAVE_CONFIG)
    return f"{written}\n{_SECTION}\n{mark}{saved}"


def card_files(gcode: str) -> Dict[str, str]:
    """Return the files of the card, by their paths in the session's folder."""
    return {f"{_FOLDER}/{_FILE}": gcode}


def print_file(printer: Session, show: Callable[[str], None]) -> None:
    """Print the file to its end; raises GCodeError if it is not printed to that."""
    printer.gcode(f"SDCARD_PRINT_FILE FILENAME={_FILE}")
    while True:
        stats = printer.status("print_stats")
        if stats["state"] != "printing":
            break
        share = printer.status("virtual_sdcard", "progress")["progress"]
        show(f"printed {100.0 * share:.0f} % in {stats['total_duration']:.0f} s of virtual time")
        printer.sleep(_LOOK_AGAIN_S)
    if stats["state"] != "complete":
        raise GCodeError(f"the print is {stats['state']}: {stats['message']}".rstrip(": "))
    printer.gcode("M400")


def read(path: Path) -> str:
    """Return the text of a sliced file."""
    return path.read_text(encoding="utf-8", errors="replace")
