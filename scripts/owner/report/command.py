# The command line of resync_report.py
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import gc
import os
import sys
from typing import List, Optional

from scripts.output_file import output_file

from .content import sections
from .document import Section
from .files import LogError
from .log import Log
from .text import render

_INSTALL = "run: python3 -m pip install matplotlib"


def _picture_or_page(path: str) -> str:
    if not path.endswith((".png", ".html")):
        raise argparse.ArgumentTypeError("'%s' ends neither in .png nor in .html" % (path,))
    return output_file(path)


def parse_arguments(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """The options; ends with one line and exit code 2 if they are bad."""
    parser = argparse.ArgumentParser(
        prog="scripts/resync_report.py",
        description="Report link health, clock sync, CAN bus load, overshoot and faults"
        " from a klippy.log of any Klipper since v0.11 or Kalico.",
    )
    parser.add_argument(
        "logs", metavar="klippy.log", nargs="+", help="log; rotated ones, .gz and .zip too"
    )
    parser.add_argument(
        "-o", metavar="FILE", type=_picture_or_page, help="draw into a .png or write a .html page"
    )
    return parser.parse_args(arguments)


def _read(paths: List[str]) -> Log:
    # Nothing in it makes cycles, and looking for them takes a twentieth of the time
    gc.disable()
    try:
        return Log(paths)
    finally:
        gc.enable()


def _write(log: Log, parts: List[Section], path: str) -> None:
    # Only for this: the text needs no library
    try:
        from . import page, plots
    except ImportError as e:
        raise LogError("plots need matplotlib 3.5 or newer (%s); %s" % (e, _INSTALL)) from None

    if path.endswith(".png"):
        names = [name for part in parts for name in part.plots]
        if not names:
            raise LogError("the log has nothing to draw")
        plots.write_png(log, names, path)
    else:
        page.write(log, parts, path)


def main() -> int:
    """Make the report; returns the exit code."""
    arguments = parse_arguments()
    try:
        log = _read(arguments.logs)
        parts = sections(log)
        print(render(parts))
        if arguments.o:
            _write(log, parts, arguments.o)
            print("Written: %s" % (arguments.o,))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nothing is to be said at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (LogError, OSError) as e:
        print("resync_report: %s" % (e,), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
