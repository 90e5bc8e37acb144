# Choose where the steppers go back to, by what has stopped them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import logging
from typing import Callable, List, Set, Tuple

from ..host.settings import AUTO
from ..model.klippy import Endstop, HomingMove
from ..model.plan import LEAST_TRAVEL, TRIGGER
from ..model.rail_result import RailReadings


class Targets:
    """Chooses what the steppers of each homing move go back to.

    With all steppers on one MCU the toolhead ends below the trigger.  A switch has
    no use for that.  A sensor may have: it reports how far the toolhead has gone
    on, or looks for the instant of a tap in what it measures before and after the
    trigger, and has to find the toolhead where its host would have left it.
    option is one of plan.TARGETS, or AUTO; triggers_by_pin(endstop) says whether
    it is a switch.
    """

    def __init__(self, option: str, triggers_by_pin: Callable[[Endstop], bool]) -> None:
        self._option = option
        self._triggers_by_pin = triggers_by_pin
        # What the log has already
        self._logged: Set[Tuple[str, str]] = set()
        # Nearly every homing move has the endstops of the one before
        self._last: Tuple[str, List[Endstop], str] = ("", [], "")

    def aim(self, homing_move: HomingMove, parts: List[RailReadings]) -> List[RailReadings]:
        """The readings of a homing move, with the target of each rail."""
        return [part._replace(target=self._target(homing_move, part)) for part in parts]

    def _target(self, homing_move: HomingMove, part: RailReadings) -> str:
        if not part.triggered:
            # Nobody knows where the trigger was
            return LEAST_TRAVEL
        names = part.endstop.split("+")
        endstops = [endstop for endstop, name in homing_move.endstops if name in names]
        if self._last[0] == part.endstop and self._last[1] == endstops:
            return self._last[2]
        target, why = self._option, "as option 'target' says"
        if target == AUTO:
            target, why = self._chosen(endstops)
        self._last = part.endstop, endstops, target
        if (part.endstop, target) not in self._logged:
            self._logged.add((part.endstop, target))
            logging.info("multi_mcu_resync: endstop '%s': target %s, %s", part.endstop, target, why)
        return target

    def _chosen(self, endstops: List[Endstop]) -> Tuple[str, str]:
        if all(map(self._triggers_by_pin, endstops)):
            return TRIGGER, "since a pin of an MCU triggers it"
        return LEAST_TRAVEL, "since a sensor triggers it"
