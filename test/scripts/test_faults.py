# A small slice of the fault campaign, and that it finds what it is to find
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import random
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from scripts.developer.faults import campaign, random_printers, run
from scripts.developer.faults.aim import Aim
from scripts.developer.faults.judge import Claim
from scripts.developer.faults.kinds import COMMAND, KINDS, NEVER, draw_kind
from scripts.developer.faults.outcome import KIND_NAMES, kind_of, tracebacks
from scripts.developer.faults.random_scripts import ACCEPT, Command, accept_axis
from scripts.developer.faults.witness import Witness
from virtual_printer import hosts

UNHARMED = KIND_NAMES.index("none")
M112_BETWEEN = KIND_NAMES.index("m112_between")
FIRST_SEEDS = range(campaign.SEEDS_PER_CAMPAIGN, campaign.SEEDS_PER_CAMPAIGN + len(KINDS))
# What earlier campaigns did not have is run once more
NEW_KINDS = (
    "block_lost",
    "block_repeated",
    "block_late",
    "two_links",
    "fault_during_levelling",
    "restart_in_mid_move",
    "nested_homing",
    "abandoned_homing",
    "lone_motions",
    "check_while_printing",
)


@pytest.fixture(params=[host.name for host in hosts.available()])
def host_name(request):
    return request.param


@pytest.mark.parametrize("seed", FIRST_SEEDS, ids=kind_of)
def test_no_fault_goes_unnoticed(seed):
    outcome = run.run_seed(seed, hosts.find().name)
    assert (outcome.has_struck, outcome.what()) == (True, "")


def test_campaign_begins_with_one_run_of_each_kind():
    assert sorted(map(kind_of, FIRST_SEEDS)) == sorted(KINDS)


def test_campaign_counts_its_runs(monkeypatch, tmp_path, capsys):
    figures = tmp_path / "faults.json"
    monkeypatch.setattr("sys.argv", ["faults", "--count", "2", "--json", str(figures)])
    code = campaign.main()
    report = json.loads(figures.read_text())
    assert (code, report["failures"], report["runs"]) == (0, [], 2)
    kinds = list(map(kind_of, FIRST_SEEDS[:2]))
    assert report["by_kind"] == {kind: int(kind in kinds) for kind in KINDS}
    for key in campaign.COUNTED:
        assert report[key] == 0
    assert "silent skews" in capsys.readouterr().out


@pytest.mark.parametrize("kind", NEW_KINDS)
def test_no_fault_of_an_older_host_goes_unnoticed(kind):
    outcome = run.run_seed(KIND_NAMES.index(kind), "klipper_v0_12")
    assert (outcome.kind, outcome.has_struck, outcome.what()) == (kind, True, "")


def test_each_kind_comes_equally_often():
    kinds = Counter(map(kind_of, range(100000, 102000)))
    assert set(kinds) == set(KINDS)
    assert min(kinds.values()) >= 60


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_finds_something_to_strike(name):
    phases = Counter()
    for seed in range(100):
        rng = random.Random(seed)
        kind = draw_kind(name, rng)
        printer = run.draw_random_printer(name, kind, rng)
        aim = Aim(SimpleNamespace(listen=lambda listener: None), printer, kind, rng, print)
        phases[aim.phase] += 1
        if kind.is_by_command:
            assert any(command.strikes for command in printer.script)
        elif aim.phase != NEVER:
            assert aim.command < len(printer.script) - 1
            assert not kind.while_levelling or printer.script[aim.command].levels
    assert set(phases) >= set(KINDS[name].phases) - {COMMAND, "begin"}


def test_run_is_the_same_each_time(host_name):
    stories = [run.run_seed(UNHARMED, host_name).story for _ in range(2)]
    assert len(stories[0]) > 10
    assert stories[0] == stories[1]


def test_homing_move_that_begins_after_a_shutdown_ends_at_once(host_name, monkeypatch):
    kind = KINDS["m112_between"]._replace(phases=(NEVER,))
    monkeypatch.setattr(run, "draw_kind", lambda name, rng: kind)
    undisturbed = run.run_seed(M112_BETWEEN, host_name).story
    begin_s = float(next(line for line in undisturbed if '"begin"' in line).split()[0])
    before_command = Aim.before_command

    def strike_before_the_move(aim, number):
        before_command(aim, number)
        # The host would wait for ever for the trigger of a move that begins then
        aim._session.call_at(begin_s - 0.0005, aim.strike)

    monkeypatch.setattr(Aim, "before_command", strike_before_the_move)
    outcome = run.run_seed(M112_BETWEEN, host_name)
    assert (outcome.ended, outcome.hangs) == ("shutdown", [])


def test_owner_who_lets_one_motor_go_may_move_the_axis_whatever_else_he_does():
    # SET_STEPPER_ENABLE, then FORCE_MOVE, which gives another reason to level
    outcome = run.run_seed(7100000100637, "kalico")
    assert "SET_STEPPER_ENABLE" in "\n".join(outcome.story)
    assert outcome.silent_skews == []


def test_board_of_an_endstop_that_was_lost_comes_back_though_it_has_no_shared_stepper():
    outcome = run.run_seed(11000000101446, "kalico")
    assert any("FAULT: mcu mcu disconnect" in line for line in outcome.story)
    assert (outcome.ended, outcome.hangs) == ("shutdown", [])


def test_clock_that_the_host_has_wrong_after_a_slow_link_is_no_failure():
    outcome = run.run_seed(13000000101906, "kalico")
    assert any("FAULT: link z1 delay_us" in line for line in outcome.story)
    assert (outcome.ended, outcome.what()) == ("shutdown", "")


def claim_always(monkeypatch, claim):
    def claims(witness):
        return {rail.axis: claim for rail in witness._printer.rails}

    monkeypatch.setattr(Witness, "claims", claims)


def test_skew_under_the_claim_of_being_in_sync_is_found(host_name, monkeypatch):
    draw = run.draw_random_printer

    def draw_uncorrected(name, kind, rng):
        printer = draw(name, kind, rng)
        section = "[multi_mcu_resync]\n"
        text = printer.printer_cfg.replace(section, section + "correct: False\n")
        # These need corrections
        script = [c for c in printer.script if c.gcode not in ("RESYNC_CHECK", ACCEPT)]
        return replace(printer, printer_cfg=text, script=tuple(script))

    monkeypatch.setattr(run, "draw_random_printer", draw_uncorrected)
    claim_always(monkeypatch, Claim(True))
    outcome = run.run_seed(UNHARMED, host_name)
    assert outcome.silent_skews
    assert "claimed in sync and level with a skew" in outcome.what()


def test_alarm_on_a_printer_that_is_in_step_is_found(host_name, monkeypatch):
    claim_always(monkeypatch, Claim(False))
    outcome = run.run_seed(UNHARMED, host_name)
    assert any("said not to be in sync" in text for text in outcome.false_alarms)


def test_shutdown_that_stock_klipper_would_not_have_is_found(monkeypatch):
    needless = KINDS["m112_between"]._replace(shuts_down=False)
    monkeypatch.setattr(run, "draw_kind", lambda name, rng: needless)
    assert run.run_seed(M112_BETWEEN, "kalico").needless_shutdowns


def test_claims_of_status_and_console_are_compared(host_name, monkeypatch):
    monkeypatch.setattr(Witness, "said", lambda witness: {})
    outcome = run.run_seed(UNHARMED, host_name)
    assert any("QUERY_RESYNC and status differ" in text for text in outcome.others)


def test_steps_in_the_direction_of_travel_are_found(host_name, monkeypatch):
    signs = random_printers.RandomPrinter.travel_signs

    def reversed_signs(printer, axis):
        return {name: -sign for name, sign in signs(printer, axis).items()}

    # All corrections count as wrong then
    monkeypatch.setattr(random_printers.RandomPrinter, "travel_signs", reversed_signs)
    assert run.run_seed(UNHARMED, host_name).steps_in_travel_direction > 0


def test_tracebacks_of_others_than_the_failing_macro_are_found():
    log = (
        "Error evaluating 'gcode_macro STOW:gcode': stow failed\n"
        "Traceback (most recent call last):\n  File a\nCommandError: stow failed\n"
        "something else\n"
        "Traceback (most recent call last):\n  File b\nKeyError: 'x'\nmore\n"
    )
    assert tracebacks(log) == ["KeyError: 'x'"]


def test_random_printers_have_shared_axes_of_every_kind():
    printers = [random_printers.draw_printer(random.Random(seed)) for seed in range(100)]
    assert {printer.sample.kinematics for printer in printers} == {"corexy", "cartesian"}
    assert {len(printer.sample.z_mcus) for printer in printers} == {2, 3, 4}
    assert {rail.axis for printer in printers for rail in printer.rails} == {"x", "y", "z"}
    assert all(printer.can_level and printer.rails[-1].axis == "z" for printer in printers)
    for printer in printers:
        assert len(set(printer.rail("z").mcus)) > 1


def test_random_printers_square_a_gantry_and_level_without_retries():
    printers = [random_printers.draw_printer(random.Random(seed)) for seed in range(100)]
    assert {printer.sample.retries for printer in printers} == {0, 5}
    assert any("retries: 0\n" in printer.printer_cfg for printer in printers)
    squared = [p for p in printers if any(rail.has_own_endstops for rail in p.rails)]
    assert len(squared) >= 3
    for printer in squared:
        own = [rail.axis for rail in printer.rails if rail.has_own_endstops]
        assert (own, printer.sample.kinematics) == (["y"], "cartesian")
        assert "endstop_pin: x1:PD15" in printer.printer_cfg


def test_command_knows_what_it_is_for():
    assert Command("Z_TILT_ADJUST").levels and Command("QUAD_GANTRY_LEVEL").levels
    assert Command("RESYNC CLEAR=1").accepts("y") and not Command("RESYNC").accepts("y")
    assert accept_axis("y").accepts("y") and not accept_axis("y").accepts("z")
    assert Command("RESYNC_CHECK").checks and not Command("G28").levels


@pytest.mark.parametrize("option", ["--count=0", "--count=-1", "--count=x", "--json=/"])
def test_bad_options_are_refused(option, capsys):
    with pytest.raises(SystemExit) as ended:
        campaign.parse_arguments([option])
    assert ended.value.code == 2
    assert option.split("=")[0] in capsys.readouterr().err
