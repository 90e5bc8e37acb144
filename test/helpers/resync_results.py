# Results of homing moves for the tests of what the user reads
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from types import SimpleNamespace

from resync.model.plan import StepperReading, plan_rail
from resync.model.rail import Rail
from resync.model.rail_result import RailReadings, RailResult

STEP_DIST_MM = 0.0025


def stepper(name, mcu):
    """What Rail asks of a stepper."""
    return SimpleNamespace(
        get_name=lambda: name,
        get_mcu=lambda: SimpleNamespace(get_name=lambda: mcu),
        get_step_dist=lambda: STEP_DIST_MM,
    )


RAIL = Rail("stepper_z", ("z",), [stepper("stepper_z", "mcu"), stepper("stepper_z1", "zboard")])
TRIGGER_STEPS = 401


def result(*overshoot_steps, endstop="probe", rail=RAIL, speed_mm_s=5.0, corrected=True):
    """A rail that came down and whose steppers went on for so many steps."""
    readings = [
        StepperReading(s.get_name(), STEP_DIST_MM, 0.0, 900, TRIGGER_STEPS, TRIGGER_STEPS - over)
        for s, over in zip(rail.steppers, overshoot_steps)
    ]
    part = RailReadings(rail, endstop, speed_mm_s > 0.0, readings, speed_mm_s)
    return RailResult(part, plan_rail(readings), corrected)
