# The line that each homing move writes to the log
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from functools import lru_cache
from typing import Sequence, Tuple

from ..model.rail_result import RailResult

PREFIX = "multi_mcu_resync: "


def _word(name: str) -> str:
    """A name without blanks and without what separates fields, to be part of a form."""
    return re.sub(r"[\s=,;]", "_", name).replace("%", "%%")


@lru_cache(maxsize=None)
def _form(rail: str, endstop: str, *steppers: Tuple[str, str]) -> str:
    """The fields of a rail, for all figures in turn; steppers are names and those of the MCUs."""
    fields = "rail=%s endstop=%s" % (_word(rail), _word(endstop))
    fields += " triggered=%d direction=%+d speed=%.6f target=%.6f corrected=%d"
    for stepper, mcu in steppers:
        fields += " %s=%s,%%+d,%%+.6f,%%+d,%%+.6f" % (_word(stepper), _word(mcu))
    return fields


def _rail_fields(result: RailResult) -> str:
    part, plan = result.part, result.plan
    mcus = part.rail.mcu_names
    form = _form(part.rail.name, part.endstop, *[(c.name, mcus[c.name]) for c in plan.corrections])
    figures = [part.triggered, plan.direction, part.speed_mm_s, plan.target_mm, result.corrected]
    for c in plan.corrections:
        figures += (c.overshoot_steps, c.overshoot_mm, c.correction_steps, c.residual_mm)
    # Rounding leaves next to nothing its sign; to round all figures before would take longer
    fields = (form % tuple(figures)).replace(" target=-0.000000 ", " target=0.000000 ")
    return fields.replace(",-0.000000", ",+0.000000")


def log_line(results: Sequence[RailResult], error: str) -> str:
    """The line of one homing move; error is empty or says why it failed."""
    line = " ; ".join(_rail_fields(r) for r in results)
    if error:
        line += " error=%s" % (" ".join(error.splitlines()),)
    return PREFIX + line.lstrip()
