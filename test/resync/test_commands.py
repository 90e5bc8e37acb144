# What the commands compute
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from resync.report.commands import drift_mm

from helpers.resync_results import RAIL, stepper

OTHER = RAIL._replace(steppers=[stepper("stepper_x", "mcu"), stepper("stepper_x1", "xboard")])


def test_drift_is_against_the_first_stepper_of_the_rail():
    before_mm = {"stepper_z": 1.0, "stepper_z1": 2.0, "stepper_x": 3.0, "stepper_x1": 4.0}
    after_mm = {"stepper_z": 1.5, "stepper_z1": 2.75, "stepper_x": 3.125, "stepper_x1": 4.0}
    assert drift_mm([RAIL, OTHER], before_mm, after_mm) == pytest.approx(
        {"stepper_z": 0.0, "stepper_z1": 0.25, "stepper_x": 0.0, "stepper_x1": -0.125}
    )
