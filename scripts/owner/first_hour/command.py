# The command line of first_hour.sh
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import getpass
import sys
from pathlib import Path
from typing import List, NoReturn, Optional

from scripts.owner.first_hour import bundle, trial
from scripts.owner.first_hour.console import Console, Question
from scripts.owner.first_hour.errors import Paused, TrialError
from scripts.owner.first_hour.moonraker import Moonraker, find_places, parse_place
from scripts.owner.first_hour.page import summary
from scripts.owner.first_hour.printer import Printer
from scripts.owner.first_hour.progress import Progress
from scripts.owner.first_hour.rows import STOP, worst

STATE = "first_hour.state"
PROBES = 50
_AGAIN = "take it up again with the same command"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, "first_hour: %s\n" % (message,))


def parse_arguments(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """The options; ends with one line and exit code 2 if they are bad."""
    parser = _Parser(
        prog="scripts/first_hour.sh",
        description="Goes through the first steps on a printer together with you, in order of risk:"
        " says what will move, asks where an eye or a hand is needed, and changes no configuration."
        " 'stop' at any question ends it, and the same command takes it up again.",
        allow_abbrev=False,
    )
    parser.add_argument("--moonraker", metavar="URL", help="where Moonraker is (default: here)")
    parser.add_argument(
        "--bundle",
        metavar="DIR",
        type=Path,
        default=Path.home() / "first_hour",
        help="folder for page, bundle and state (default: ~/first_hour)",
    )
    parser.add_argument("--anew", action="store_true", help="forget what was found before")
    return parser.parse_args(arguments)


def _read(question: Question) -> str:
    return input("> ")


def _key() -> str:
    return getpass.getpass("Moonraker asks for its API key (not shown, not kept): ")


def connect(url: Optional[str]) -> Moonraker:
    """The Moonraker at an URL, or the one on this computer; raises TrialError."""
    places = [parse_place(url)] if url else find_places(Path.home())
    failure = TrialError("")
    for place in places:
        found = Moonraker(place, _key)
        try:
            found.get("/server/info")
            return found
        except TrialError as e:
            failure = e
    raise failure


def conduct(
    printer: Printer, console: Console, folder: Path, anew: bool, probe_count: int = PROBES
) -> int:
    """Run the trial, write page and bundle, and return the exit code; raises TrialError."""
    progress = Progress(folder / STATE)
    if not anew:
        note = progress.load()
        if note:
            console.say(note)
    try:
        trial.run(printer, console, progress, probe_count)
    except TrialError:
        progress.save()
        if progress.rows:
            bundle.write(folder, printer, progress, console.transcript, False)
        raise
    is_complete = len(progress.done) == len(trial.STEPS)
    path = bundle.write(folder, printer, progress, console.transcript, is_complete)
    console.say("", summary(progress.rows, is_complete))
    console.say("Page: %s" % (folder / bundle.PAGE,), "Bundle to send in: %s" % (path,))
    return 1 if worst(progress.rows) == STOP else 0


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return its exit code: 1 if the trial stops, 3 if it cannot go on now."""
    options = parse_arguments(arguments)
    folder: Path = options.bundle
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        print("first_hour: cannot write to '%s': %s" % (folder, e.strerror or e), file=sys.stderr)
        return 2
    try:
        printer = Printer(connect(options.moonraker))
        return conduct(printer, Console(_read, print), folder, options.anew)
    except Paused as e:
        print("first_hour: %s; %s" % (e, _AGAIN), file=sys.stderr)
    except TrialError as e:
        print("first_hour: %s (%s)" % (e, _AGAIN), file=sys.stderr)
    except KeyboardInterrupt:
        print("first_hour: stopped by the owner; %s" % (_AGAIN,), file=sys.stderr)
    return 3


if __name__ == "__main__":
    sys.exit(main())
