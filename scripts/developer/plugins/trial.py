# What a row of a plugin does to a printer, and what it looks at
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Any, Dict, List, NamedTuple

from virtual_printer.session import Session

# Where to look how far the Z steppers have moved; the phase of the steps is the same then
_LOOK_AT_MM = 10.0
_UM_PER_MM = 1000.0
# With what it ends in
_TRACEBACK = re.compile(r"^Traceback .*\n(?:[ \t].*\n)*(.*)", re.MULTILINE)


class Failed(Exception):
    """What had to hold does not; the message is one line."""


class Result(NamedTuple):
    """Something measured, and by how much it may differ from run to run."""

    value: float
    within: float


class Trial:
    """One row on one printer.

    `is_four` says whether the Z steppers sit on four MCUs, `has_section` whether there is a
    section [multi_mcu_resync].
    """

    def __init__(self, printer: Session, is_four: bool, has_section: bool) -> None:
        self.printer = printer
        self.host = printer.host
        self.is_four = is_four
        self.has_section = has_section
        self.results: Dict[str, Result] = {}
        self._level_mm = self._z_steppers_mm()

    def gcode(self, script: str, timeout_s: float = 1800.0) -> List[str]:
        """Run G-code to its end and return the lines that Klippy said meanwhile."""
        return self.printer.gcode(script, timeout_s)

    def status(self, name: str) -> Dict[str, Any]:
        """Return the status of a printer object."""
        return self.printer.status(name)

    def expect(self, is_so: bool, line: str) -> None:
        """Let the row fail with a line that says what was seen, unless something is so."""
        if not is_so:
            raise Failed(line)

    def result(self, name: str, value: float, within: float = 0.005) -> None:
        """Note what is compared with the same row on one MCU without our section."""
        self.results[name] = Result(float(value), within)

    def save_config(self) -> None:
        """Have Klippy write what it has calibrated into printer.cfg, and restart."""
        self.printer.restart("SAVE_CONFIG")

    def levelled(self) -> None:
        """Take how the Z steppers stand to each other now as what it has to be."""
        self._look()
        self._level_mm = self._z_steppers_mm()

    def skew_um(self) -> float:
        """Return how far the Z steppers have truly moved against each other."""
        self._look()
        # What subtracting leaves in the last place is no way
        moved_mm = [
            round(position_mm - self._level_mm[name], 9)
            for name, position_mm in self._z_steppers_mm().items()
        ]
        return (max(moved_mm) - min(moved_mm)) * _UM_PER_MM

    def gantry_mm(self) -> Dict[str, float]:
        """Return how far each Z stepper is from the first one."""
        self._look()
        found_mm = self._z_steppers_mm()
        return {name: mm - found_mm["stepper_z"] for name, mm in found_mm.items()}

    def check_end(self) -> None:
        """Check what has to hold at the end of every row."""
        state = self.printer.state()
        self.expect(state == "ready", f"{state}: {self.printer.state_message()}")
        for error in _TRACEBACK.findall(self.printer.log()):
            # Nobody reads the terminal that a long run fills
            is_terminal = error.startswith("BlockingIOError")
            self.expect(is_terminal, f"traceback in klippy.log: {error}")
        skew_um = self.skew_um()
        self.expect(skew_um == 0.0, f"the Z steppers are skewed by {skew_um:.1f} um")
        if self.has_section:
            in_sync = self.status("multi_mcu_resync")["in_sync"]
            # A rail on one MCU is not in it
            self.expect(in_sync.get("z", not self.is_four), f"Z is not in sync: {in_sync}")

    def _look(self) -> None:
        if "z" in self.status("toolhead")["homed_axes"]:
            self.gcode(f"G90\nG1 Z{_LOOK_AT_MM:g} F600\nM400")

    def _z_steppers_mm(self) -> Dict[str, float]:
        truth = self.printer.stepper_truth()
        return {
            name: one.position_mm for name, one in truth.items() if name.startswith("stepper_z")
        }
