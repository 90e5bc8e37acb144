# Runs one printer.cfg on the virtual printer: does it become ready, and home all axes?
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import signal
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

from printer_config.config_file import ConfigFile
from printer_config.pins import MAIN_MCU
from printer_config.section import ConfigError
from virtual_printer import process
from virtual_printer.included import gathered_files
from virtual_printer.model import MachineError
from virtual_printer.session import GCodeError, Session, SessionError

# What one config may take of real time, so that a hang is one row of the table
TIME_LIMIT_REAL_S = 120
HOMING_TIMEOUT_S = 900.0
FRAGMENT = "no [mcu] section: a fragment to be included"


class Outcome(NamedTuple):
    """What became of a config; `reason` is empty when it has homed all axes."""

    ready: bool
    homed: bool
    reason: str
    not_simulated: List[str]

    @property
    def is_fragment(self) -> bool:
        """Whether it describes no printer."""
        return self.reason == FRAGMENT

    def figures(self) -> Dict[str, Any]:
        """Return what is written into the file."""
        return self._asdict()


class _Overdue(Exception):
    """A config has taken too long."""


def _stop(number: int, frame: object) -> None:
    raise _Overdue


def check(path: Path, host_name: str, say: Any) -> Outcome:
    """Run a config on the named host; nothing that it does raises an error here."""
    previous = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(TIME_LIMIT_REAL_S)
    try:
        outcome = _check(path, host_name)
    except _Overdue:
        outcome = Outcome(False, False, f"not done within {TIME_LIMIT_REAL_S} real seconds", [])
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    say(outcome.reason or "homed")
    return outcome


def _check(path: Path, host_name: str) -> Outcome:
    try:
        config = ConfigFile(path)
        if MAIN_MCU not in config.sections:
            return Outcome(False, False, FRAGMENT, [])
        files = gathered_files(config, str(process.CONFIG))
        text = files.pop(str(process.CONFIG))
        with Session(host_name, text, files=files, ignore_unsupported=True) as printer:
            outcome = _home(printer)
            return outcome._replace(not_simulated=printer.not_simulated())
    except (ConfigError, MachineError, SessionError) as error:
        return Outcome(False, False, _one_line(error), [])


def _home(printer: Session) -> Outcome:
    try:
        printer.gcode("G28", HOMING_TIMEOUT_S)
    except (GCodeError, SessionError) as error:
        return Outcome(True, False, f"G28: {_one_line(error)}", [])
    homed = str(printer.status("toolhead", "homed_axes")["homed_axes"])
    missing = [axis for axis in "xyz" if axis not in homed]
    if missing:
        return Outcome(True, False, f"G28 has not homed {', '.join(missing)}", [])
    return Outcome(True, True, "", [])


def _one_line(error: Exception) -> str:
    """Return what an error says as one line, without Klippy's advice to restart."""
    said = str(error).split("Once the underlying issue")[0]
    return " ".join(said.split()) or type(error).__name__
