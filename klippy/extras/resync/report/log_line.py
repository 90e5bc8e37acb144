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
def _fields(form: str, *names: str) -> str:
    """The form with names in it, without blanks and without what separates fields."""
    return form % tuple(re.sub(r"[\s=,;]", "_", name) for name in names)


def _rail_fields(result: RailResult) -> str:
    part, plan = result.part, result.plan
    mcus = part.rail.mcu_names
    rail = "%s triggered=%d direction=%+d speed=%.6f target=%.6f corrected=%d" % (
        _fields("rail=%s endstop=%s", part.rail.name, part.endstop),
        part.triggered,
        plan.direction,
        part.speed_mm_s,
        plan.target_mm,
        result.corrected,
    )
    steppers = [
        " %s,%+d,%+.6f,%+d,%+.6f"
        % (
            _fields("%s=%s", c.name, mcus[c.name]),
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
