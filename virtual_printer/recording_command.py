# What can be done with recordings: virtual-recording compare|replay|plot FILE...
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Optional, Sequence

from printer_config.section import ConfigError
from virtual_printer import recording, recording_plot
from virtual_printer.build import BuildError
from virtual_printer.hosts import HostError
from virtual_printer.model import MachineError
from virtual_printer.progress import Progress
from virtual_printer.recording import Difference, Record, RecordingError
from virtual_printer.rehearsal import Rehearsal
from virtual_printer.session import SessionError

_ERRORS = (BuildError, ConfigError, HostError, MachineError, RecordingError, SessionError, OSError)


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="virtual-recording")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    compare = commands.add_parser("compare", help="show where two recordings differ first")
    compare.add_argument("first", type=Path, metavar="FILE")
    compare.add_argument("second", type=Path, metavar="FILE")
    replay = commands.add_parser("replay", help="do the run again, and compare")
    replay.add_argument("first", type=Path, metavar="FILE")
    plot = commands.add_parser("plot", help="plot positions and temperatures (takes matplotlib)")
    plot.add_argument("first", type=Path, metavar="FILE")
    plot.add_argument("picture", type=Path, metavar="PICTURE")
    return parser.parse_args(arguments)


def _compare(first: Path, second: Path) -> int:
    difference = recording.first_difference(first, second)
    if difference is None:
        print("the same run")
        return 0
    _print_difference(difference)
    return 1


def _print_difference(difference: Difference) -> None:
    record = difference.first or difference.second
    assert record is not None
    print(f"differ from record {difference.number} on, {record.time_s} s, {record.name}")
    for name, one in (("first", difference.first), ("second", difference.second)):
        print(f"{name + ':':8}{_described(one)}")


def _described(record: Optional[Record]) -> str:
    return record.describe() if record else "is at its end"


def _replay(path: Path) -> int:
    """Do the run of a recording again and compare; return the exit code."""
    before = recording.header(path)
    if before["run"] is None:
        raise RecordingError(f"{path}: is of a run that only its own program can repeat")
    # What is cut is found before it is done again
    for _ in recording.records(path):
        pass
    try:
        run = Rehearsal(**before["run"])
    except TypeError:
        raise RecordingError(f"{path}: is of another version of the virtual printer") from None
    with tempfile.TemporaryDirectory(prefix="virtual_printer_") as folder:
        again = Path(folder) / "again.csv"
        try:
            run.run(lambda text: None, Progress().show, record=again)
        except SessionError:
            # It may have ended so the first time too
            if not again.exists():
                raise
        host = recording.header(again)["host"]
        if host != before["host"]:
            print(f"recorded on {before['host']}, replayed on {host}")
        return _compare(path, again)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; return its exit code."""
    options = _arguments(arguments)
    try:
        if options.command == "compare":
            return _compare(options.first, options.second)
        if options.command == "replay":
            return _replay(options.first)
        recording_plot.write(options.first, options.picture)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except _ERRORS as error:
        print(f"virtual_recording: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
