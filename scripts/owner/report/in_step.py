# Which axes a log leaves out of step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict

from .faults import Case
from .lines import HomingMove

# Of a move that does not say which axes it moved
_ANY = "an axis"
_MOST_AXES = 256
_OF_A_STEPPER = re.compile(
    r"(?P<counted>\S+) on \S+: counted |no answer from the MCU of '(?P<asked>[^']+)'"
)
_OF_AN_AXIS = re.compile(r"Axis (\S+) is not in sync: ")


class InStep:
    """Follows the axes from error to homing move.

    An axis is known by the name of its rail, such as stepper_z; where a line only has its letters,
    by the first of them.
    """

    def __init__(self) -> None:
        # Why an axis is out of step, by the axis
        self.lost: Dict[str, Case] = {}

    def move(self, move: HomingMove, case: Case) -> None:
        """A homing move has ended; case has its error, if there was one."""
        if move.error:
            names = [rail.rail for rail in move.rails if not rail.corrected]
            for name in names or [_ANY] * (not move.rails):
                self._lose(name, case)
        for rail in move.rails:
            if rail.corrected:
                self.lost.pop(rail.rail, None)
                # Which one it was is not known: the next to be corrected
                self.lost.pop(_ANY, None)

    def error(self, case: Case) -> None:
        """The extra has reported something else than a homing move."""
        stepper, axis = _OF_A_STEPPER.match(case.text), _OF_AN_AXIS.match(case.text)
        if stepper:
            name = stepper.group("counted") or stepper.group("asked")
            self._lose(name.rstrip("0123456789"), case)
        elif axis and not self.lost:
            self._lose("stepper_%s" % (axis.group(1)[0],), case)

    def all_in_step(self) -> None:
        """RESYNC has put all axes back, or a start has begun: then nothing is known of any."""
        self.lost.clear()

    def _lose(self, name: str, case: Case) -> None:
        if len(self.lost) < _MOST_AXES:
            self.lost.setdefault(name, case)
