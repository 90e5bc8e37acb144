# The line that each homing move writes to the log
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from functools import lru_cache
from typing import Sequence

from ..model.rail_result import RailResult

PREFIX = "multi_mcu_resync: "


@lru_cache(maxsize=None)
def _word(name: str) -> str:
    """A name without blanks and without what separates fields."""
    return re.sub(r"[\s=,;]", "_", name)


def _rail_fields(result: RailResult) -> str:
    part, plan = result.part, result.plan
    mcus = part.rail.mcu_names
    rail = "rail=%s endstop=%s triggered=%d direction=%+d speed=%.6f target=%.6f corrected=%d" % (
        _word(part.rail.name),
        _word(part.endstop),
        part.triggered,
        plan.direction,
        part.speed_mm_s,
        plan.target_mm,
        result.corrected,
    )
    steppers = [
        " %s=%s,%+d,%+.6f,%+d,%+.6f"
        % (
            _word(c.name),
            _word(mcus[c.name]),
            c.overshoot_steps,
            c.overshoot_mm,
            c.correction_steps,
            c.residual_mm,
        )
        for c in plan.corrections
    ]
    return rail + "".join(steppers)


def log_line(results: Sequence[RailResult], error: str) -> str:
    """The line of one homing move; error is empty or says why it failed."""
    line = " ; ".join(_rail_fields(r) for r in results)
    if error:
        line += " error=%s" % (" ".join(error.splitlines()),)
    return PREFIX + line.lstrip()
