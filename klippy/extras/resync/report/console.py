# What the commands say: lines of text for the console
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Mapping, Optional

from ..model.limit_settings import LimitSettings
from ..model.rail import Rail
from ..model.rail_result import RailResult
from ..model.running_statistics import StopStatistics
from ..state.sync_state import RailState
from .figures import mm, ms
from .history import Moves

# KlipperScreen takes a line with "unknown" in it for an error
STATE_WORDS = {True: "in sync", False: "not in sync", None: "not known"}


def axis_lines(
    rails: List[Rail], states: List[RailState], levelling: Mapping[str, str]
) -> List[str]:
    """Whether each axis is in step, why not, and whether it has to be levelled.

    levelling has the command that levels a rail, by the rail's name.
    """
    lines = []
    for rail, state in zip(rails, states):
        for axis in rail.axes:
            text = "axis %s: %s" % (axis, STATE_WORDS[state.in_sync])
            lines.append("%s, %s" % (text, state.reason) if state.reason else text)
        if state.in_sync and state.level_reason:
            lines.append(level_line(rail, state, levelling.get(rail.name)))
    return lines


def level_line(rail: Rail, state: RailState, command: Optional[str]) -> str:
    """Why an axis that is in step may not be level, and what to do then.

    command is the one that levels it, None if there is none.
    """
    axes = "+".join(rail.axes)
    accept = "RESYNC CLEAR=1 AXIS=%s" % (rail.axes[0],)
    if command is None:
        text = "axis %s may not be square: %s. See that it is square, and run %s"
        return text % (axes, state.level_reason, accept)
    text = "axis %s may not be level: %s. Run %s, or %s if it is level"
    return text % (axes, state.level_reason, command, accept)


def put_back_line(axes: int) -> str:
    """How many axes RESYNC has put back in step."""
    if axes == 0:
        return "No axis was out of step"
    return "%d %s been put back in step" % (axes, "axis has" if axes == 1 else "axes have")


def _counted(number: int, thing: str) -> str:
    """A number of things, "1 step" or "2 steps"."""
    return "%d %s%s" % (number, thing, "" if abs(number) == 1 else "s")


def _result_lines(result: RailResult) -> List[str]:
    part = result.part
    trigger = "triggered" if part.triggered else "did not trigger"
    outcome = "corrected" if result.corrected else "not corrected"
    lines = ["%s: %s %s, %s" % (part.rail.name, part.endstop, trigger, outcome)]
    if result.has_stops():
        lines[0] += ", speed %.1f mm/s" % (part.speed_mm_s,)
    for c in result.plan.corrections:
        lines.append(
            "  %s: overshoot %s (%s mm, %s ms), correction %s (%s mm), residual %s mm"
            % (
                c.name,
                _counted(c.overshoot_steps, "step"),
                mm(c.overshoot_mm),
                ms(result.latency_ms(c)),
                _counted(c.correction_steps, "step"),
                mm(c.correction_mm),
                mm(c.residual_mm),
            )
        )
    return lines


def move_lines(moves: Moves) -> List[str]:
    """What the last homing move did."""
    if not moves.number:
        return ["No homing move yet"]
    lines = ["Last of %s:" % (_counted(moves.number, "homing move"),)]
    for result in moves.last:
        lines += _result_lines(result)
    if moves.error:
        lines.append("Error: %s" % (moves.error,))
    return lines


def statistics_lines(rails: List[Rail], statistics: Dict[str, StopStatistics]) -> Dict[str, str]:
    """A line for each stepper that has statistics, by its name."""
    lines = {}
    for rail in rails:
        for name, mcu in rail.mcu_names.items():
            if name in statistics:
                overshoot_mm, latency_ms = statistics[name]
                lines[name] = (
                    "%s on %s (%s): overshoot maximum %s, average %s, standard deviation %s mm;"
                    " latency maximum %s, average %s, standard deviation %s ms"
                    % (
                        name,
                        mcu,
                        _counted(overshoot_mm.number, "move"),
                        mm(overshoot_mm.maximum),
                        mm(overshoot_mm.mean),
                        mm(overshoot_mm.standard_deviation()),
                        ms(latency_ms.maximum),
                        ms(latency_ms.mean),
                        ms(latency_ms.standard_deviation()),
                    )
                )
    return lines


def limit_lines(rails: List[Rail], limits: LimitSettings) -> List[str]:
    """The limits in force."""
    lines = []
    for rail in rails:
        ferror_mm, min_ferror_mm, max_speed_mm_s = limits.rails[rail.name]
        lines.append(
            "axis %s: ferror %.6f mm at %.1f mm/s, min_ferror %.6f mm"
            % ("+".join(rail.axes), ferror_mm, max_speed_mm_s, min_ferror_mm)
        )
    lines.append("max_correction %.6f mm" % (limits.max_correction_mm,))
    lines.append("on_ferror %s" % (limits.on_ferror,))
    return lines
