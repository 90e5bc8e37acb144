# Limits changed at run time, on their own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import pytest
from resync.model.following_error import Limits, LimitsError
from resync.model.limit_settings import LimitSettings
from resync.model.rail import Rail

from helpers.resync_results import RAIL

OTHER = Rail("stepper_x", ("x",), RAIL.steppers)
BEFORE = {"stepper_z": Limits(0.5, 0.01, 10.0), "stepper_x": Limits(2.0, 1.0, 300.0)}


def settings():
    return LimitSettings(dict(BEFORE), 1.0, "error")


def test_settings_are_those_given():
    limits = LimitSettings({}, 0.25, "warn")
    assert (limits.max_correction_mm, limits.on_ferror, limits.rails) == (0.25, "warn", {})


def test_what_is_not_given_stays():
    limits = settings()
    limits.change_rails([RAIL], 0.4, None)
    limits.change_rails([OTHER], None, 0.9)
    assert limits.rails == {
        "stepper_z": Limits(0.4, 0.01, 10.0),
        "stepper_x": Limits(2.0, 0.9, 300.0),
    }


@pytest.mark.parametrize(
    "ferror, min_ferror, message",
    [
        (None, 0.004, "axis z: 'min_ferror' must be at least 0.005000"),
        (0.8, None, "axis x: 'ferror' must be at least 1.000000"),
    ],
)
def test_refusal_names_the_axis_and_changes_none(ferror, min_ferror, message):
    limits = settings()
    with pytest.raises(LimitsError, match=message):
        limits.change_rails([RAIL, OTHER], ferror, min_ferror)
    assert limits.rails == BEFORE
