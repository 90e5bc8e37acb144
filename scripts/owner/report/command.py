# The command line of resync_report.py
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import gc
import os
import sys
from types import ModuleType
from typing import List, Optional, Tuple

from scripts.output_file import output_file

from . import compare_sections, page
from .compare import Comparison
from .content import sections
from .document import Section
from .files import LogError
from .log import Log
from .text import render


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
    parser.add_argument(
        "--compare",
        action="store_true",
        help="compare two or more logs, zip files or folders with logs, board by board",
    )
    parsed = parser.parse_args(arguments)
    if parsed.compare and len(parsed.logs) < 2:
        parser.error("--compare needs two logs or more, the one from before first")
    if parsed.compare and parsed.o and not parsed.o.endswith(".html"):
        parser.error("--compare writes a .html page, no picture: '%s'" % (parsed.o,))
    return parsed


def _read(paths: List[str]) -> Log:
    # Nothing in it makes cycles, and looking for them takes a twentieth of the time
    gc.disable()
    try:
        return Log(paths)
    finally:
        gc.enable()


def _plots() -> Tuple[Optional[ModuleType], str]:
    """The module that draws; if it cannot be had, why not and what to run."""
    # Only for this: the text needs no library
    try:
        import matplotlib
    except ImportError:
        return None, "plots need matplotlib; run: sudo apt install python3-matplotlib"
    try:
        from . import plots
    except ImportError as e:
        what = (
            "plots need matplotlib 3.5 or newer (%s: %s); run: python3 -m pip install -U matplotlib"
        )
        return None, what % (matplotlib.__file__, e)
    return plots, ""


def _write(log: Log, parts: List[Section], path: str) -> None:
    plots, missing = _plots()
    if path.endswith(".html"):
        page.write(log, parts, path, plots, missing)
        return
    if plots is None:
        raise LogError(missing)
    names = [name for part in parts for name in part.plots]
    if not names:
        raise LogError("the log has nothing to draw")
    plots.write_png(log, names, path)


def _report(paths: List[str], output: Optional[str]) -> List[Section]:
    log = _read(paths)
    parts = sections(log)
    if output:
        _write(log, parts, output)
    return parts


def _compare(paths: List[str], output: Optional[str]) -> List[Section]:
    comparison = Comparison([_read([path]) for path in paths])
    parts = compare_sections.sections(comparison)
    if output:
        page.write(comparison.logs[0], parts, output, None)
    return parts


def main() -> int:
    """Make the report; returns the exit code."""
    arguments = parse_arguments()
    make = _compare if arguments.compare else _report
    try:
        parts = make(arguments.logs, arguments.o)
        if arguments.o:
            # The verdict alone; all the rest is in the file
            print("Written: %s: %s" % (arguments.o, parts[0].lines[0]))
        else:
            print(render(parts))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough; nothing is to be said at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (LogError, OSError) as e:
        print("resync_report: %s" % (e,), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0
