# The line that each homing move writes to the log
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from functools import lru_cache
from typing import Sequence

from .history import RailResult

PREFIX = "multi_mcu_resync: "


@lru_cache(maxsize=None)
def _word(name: str) -> str:
    """A name without blanks and without what separates fields."""
    return re.sub(r"[\s=,;]", "_", name)


def _rail_fields(result: RailResult) -> str:
    part, plan = result.part, result.plan
    mcus = part.rail.mcu_names()
    fields = [
        "rail=%s" % (_word(part.rail.name),),
        "endstop=%s" % (_word(part.endstop),),
        "triggered=%d" % (part.triggered,),
        "direction=%+d" % (plan.direction,),
        "speed=%.6f" % (part.speed_mm_s,),
        "target=%.6f" % (plan.target_mm,),
        "corrected=%d" % (result.corrected,),
    ]
    for c in plan.corrections:
        fields.append(
            "%s=%s,%+d,%+.6f,%+d,%+.6f"
            % (
                _word(c.name),
                _word(mcus[c.name]),
                c.overshoot_steps,
                c.overshoot_mm,
                c.correction_steps,
                c.residual_mm,
            )
        )
    return " ".join(fields)


def log_line(results: Sequence[RailResult], error: str) -> str:
    """The line of one homing move; error is empty or tells why it failed."""
    line = " ; ".join(_rail_fields(r) for r in results)
    if error:
        line += " error=%s" % (" ".join(error.splitlines()),)
    return PREFIX + line.lstrip()
