# The status object: what changes it, and that what was handed out stays as it is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import copy
import json

import pytest
from resync.count_check.comparison import Comparison
from resync.model.following_error import Limits
from resync.model.limit_settings import LimitSettings
from resync.report.history import History
from resync.report.status import Status
from resync.state.sync_state import SyncState

from helpers.resync_results import RAIL, result


class Printer:
    """A status object and what it is fed from."""

    def __init__(self):
        self.history = History()
        self.limits = LimitSettings({RAIL.name: Limits(0.5, 0.01, 10.0)}, 1.0, "error")
        self.state = SyncState([RAIL.name])
        self.status = Status(True, self.history, self.limits, [RAIL], self.state)

    def check(self, error_mm):
        self.status.note_checks([Comparison("stepper_z", "mcu", 5, 5, error_mm, 0.02)])


CHANGES = {
    "homing move": lambda printer: printer.history.note_homing_move([result(4, 4)], ""),
    "failed move": lambda printer: printer.history.note_homing_move([], "too far"),
    "reset": lambda printer: printer.history.reset_statistics(),
    "limits": lambda printer: printer.limits.change_rails([RAIL], 0.4, None),
    "on_ferror": lambda printer: setattr(printer.limits, "on_ferror", "warn"),
    "max_correction": lambda printer: setattr(printer.limits, "max_correction_mm", 2.0),
    "state": lambda printer: printer.state.lose(RAIL.name, "FORCE_MOVE"),
    "check": lambda printer: printer.check(0.0025),
}


def started():
    printer = Printer()
    printer.history.note_homing_move([result(3, 5)], "")
    printer.check(0.0)
    return printer


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_change_gives_other_fields_and_leaves_those_handed_out_alone(change):
    printer = started()
    handed_out = printer.status.get_status()
    before = copy.deepcopy(handed_out)
    change(printer)
    assert printer.status.get_status() != before
    assert handed_out == before


def test_same_object_is_handed_out_until_something_changes():
    printer = started()
    handed_out = printer.status.get_status()
    assert printer.status.get_status() is handed_out
    # Another check with the same outcome is no news
    printer.check(0.0)
    assert printer.status.get_status() is handed_out


def test_fields_are_plain_json_before_and_after_a_move():
    for printer in (Printer(), started()):
        fields = printer.status.get_status()
        assert json.loads(json.dumps(fields, allow_nan=False)) == fields


def test_target_is_that_of_the_last_move():
    printer = Printer()
    assert printer.status.get_status()["target"] == {}
    for target in ("trigger", "least_travel"):
        found = result(3, 5)
        printer.history.note_homing_move(
            [found._replace(part=found.part._replace(target=target))], ""
        )
        assert printer.status.get_status()["target"] == {"z": target}


def test_fields_without_a_rail_are_empty():
    fields = Status(
        True, History(), LimitSettings({}, 1.0, "error"), [], SyncState([])
    ).get_status()
    assert (fields["axes"], fields["in_sync"], fields["overshoot_count"]) == ([], {}, {})


def test_last_move_is_told_in_steps_millimetres_and_milliseconds():
    fields = started().status.get_status()
    assert fields["mcu"] == {"stepper_z": "mcu", "stepper_z1": "zboard"}
    assert fields["overshoot_steps"] == {"stepper_z": 3, "stepper_z1": 5}
    assert fields["overshoot_mm"] == pytest.approx({"stepper_z": 0.0075, "stepper_z1": 0.0125})
    assert fields["latency_ms"] == pytest.approx({"stepper_z": 1.5, "stepper_z1": 2.5})
    # Half the maximum speed
    assert fields["overshoot_limit_mm"] == {"stepper_z": 0.25, "stepper_z1": 0.25}


def test_statistics_leave_out_moves_that_nothing_had_to_stop_in():
    printer = started()
    printer.history.note_homing_move([result(0, 0, speed_mm_s=0.0)], "")
    fields = printer.status.get_status()
    assert fields["homing_moves"] == 2
    assert fields["overshoot_count"] == {"stepper_z": 1, "stepper_z1": 1}
    assert fields["latency_ms"] == {"stepper_z": 0.0, "stepper_z1": 0.0}
    assert fields["latency_mean_ms"]["stepper_z1"] == pytest.approx(2.5)


def test_a_run_has_its_own_moves_only():
    history = started().history
    with history.run() as moves:
        history.note_homing_move([result(7, 8)], "")
    history.note_homing_move([result(9, 9)], "")
    assert [[c.overshoot_steps for c in r.plan.corrections] for m in moves for r in m] == [[7, 8]]


@pytest.mark.parametrize(
    "results, triggered, corrected",
    [
        ([], False, False),
        ([result(3, 5)], True, True),
        ([result(3, 5), result(3, 5, speed_mm_s=0.0)], False, True),
        ([result(3, 5, corrected=False), result(3, 5)], True, False),
        ([result(3, 5, speed_mm_s=0.0, corrected=False)], False, False),
    ],
)
def test_move_is_triggered_and_corrected_if_all_its_rails_are(results, triggered, corrected):
    printer = Printer()
    printer.history.note_homing_move(results, "")
    fields = printer.status.get_status()
    assert (fields["triggered"], fields["corrected"]) == (triggered, corrected)
