# What the extra says of the shared axes, and where their steppers truly are
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict

from scripts.developer.faults.aim import Aim
from scripts.developer.faults.judge import Claim
from scripts.developer.faults.random_printers import Rail, RandomPrinter
from virtual_printer.session import Session

SECTION = "multi_mcu_resync"
AXIS_LINE = re.compile(r"axis (\w+): (in sync|not in sync|not known)")
SAID = {"in sync": True, "not in sync": False, "not known": None}
# Said only of axes that are in sync
LEVEL_LINE = re.compile(r"axis ([\w+]+) may not be \w+")


class Witness:
    """Reads claims and truth of a printer; aim knows what levelling has changed on purpose."""

    def __init__(self, session: Session, printer: RandomPrinter, aim: Aim) -> None:
        self._session, self._printer, self._aim = session, printer, aim

    def offsets_mm(self) -> Dict[str, float]:
        """True minus commanded position of each stepper, apart from levelling."""
        found = re.search(r"stepper: (.*)", "\n".join(self._session.gcode("GET_POSITION")))
        assert found is not None
        commanded_mm = dict(item.split(":") for item in found.group(1).split())
        truth = self._session.stepper_truth()
        levelled_mm = self._aim.levelled_mm
        return {
            name: truth[name].position_mm - float(position) - levelled_mm.get(name, 0.0)
            for name, position in commanded_mm.items()
        }

    def claims(self) -> Dict[str, Claim]:
        """What the extra claims about each shared axis."""
        status = self._session.status(SECTION)
        fields = [status[name] for name in ("in_sync", "level_needed", "level_needed_reason")]
        return {
            rail.axis: Claim(*(field[rail.axis] for field in fields))
            for rail in self._printer.rails
        }

    def reason(self, rail: Rail) -> str:
        """Why a rail is not in sync, by the status."""
        return str(self._session.status(SECTION)["out_of_sync_reason"][rail.axis])

    def said(self) -> Dict[str, Claim]:
        """What QUERY_RESYNC says of each axis, without the reasons."""
        self._aim.is_mute = True
        try:
            text = "\n".join(self._session.gcode("QUERY_RESYNC"))
        finally:
            self._aim.is_mute = False
        needy = [axis for axes in LEVEL_LINE.findall(text) for axis in axes.split("+")]
        return {axis: Claim(SAID[words], axis in needy) for axis, words in AXIS_LINE.findall(text)}

    def homed(self) -> str:
        """The axes that the host takes for homed."""
        return str(self._session.status("toolhead", "homed_axes")["homed_axes"])

    def motors_off(self, rail: Rail) -> bool:
        """Whether a motor of the rail is off."""
        enabled = self._session.status("stepper_enable")["steppers"]
        return not all(enabled[name] for name in rail.steppers)
