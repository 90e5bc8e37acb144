# What the report says is wrong, on logs of which it is known
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from pathlib import Path

import pytest
from resync.report import console

from helpers import printer_logs
from helpers.printer_logs import BAD, FERROR, OUT, PrinterLog
from helpers.resync_logs import CONFIG, MOVE, stats, stats_mcu
from scripts.owner.report import fault_verdicts, link_verdicts, move_verdicts, outliers
from scripts.owner.report.clock import SETTLING_S
from scripts.owner.report.content import sections
from scripts.owner.report.guide import Guide, guide
from scripts.owner.report.link import SLOW_S
from scripts.owner.report.outliers import Stops
from scripts.owner.report.text import render
from scripts.owner.report.verdict import findings, summary

ROOT = Path(__file__).resolve().parents[2]
FAR = "Some moves overshot far more than the others"
ERROR = "multi_mcu_resync: error=" + FERROR % (2.0,)


def found(log):
    """Figures by the Guide's heading."""
    return {one.what: one.figures for one in findings(log)}


@pytest.mark.parametrize("seed", range(50))
def test_good_log_has_nothing_wrong_and_says_so_in_one_line(seed, read):
    log = read(printer_logs.good(seed).text())
    assert found(log) == {}
    verdict = render(sections(log)).split("\n\n")[0].splitlines()
    assert verdict[0] == "Verdict"
    assert verdict[2].startswith("nothing is wrong (")
    assert len(verdict) == 3


@pytest.mark.parametrize("seed", range(50))
def test_bad_log_is_found_and_nothing_else_in_it(seed, read):
    kind = list(BAD)[seed % len(BAD)]
    make, expected = BAD[kind]
    assert set(found(read(make(seed).text()))) == expected, kind


def eleven_among(usual, moves=51):
    lines = []
    for i in range(moves):
        steps = 11 if i == 40 else usual[i % len(usual)]
        changed = "%+d,%+.6f,%+d" % (steps, steps / 400, steps)
        lines.append(MOVE.replace("+5,+0.012500,+5", changed))
    return "\n".join(lines) + "\n"


def test_one_move_of_eleven_steps_among_fifty_of_four_to_five_is_said(read):
    (far,) = findings(read(eleven_among([4, 5])))
    assert (far.what, far.is_wrong) == (FAR, False)
    assert far.figures[0].startswith(
        "stepper_z1 on zboard to probe at 5 mm/s: 1 of 51 moves: 11 steps in klippy.log:41;"
    )
    assert "the limit is 9 steps (0.0225 mm)" in far.figures[0]


def test_same_move_is_usual_where_overshoots_vary_as_much(read):
    assert found(read(eleven_among([2, 5, 8, 3, 6]))) == {}


def test_few_moves_show_no_outlier_since_they_do_not_show_what_is_usual(read):
    assert found(read(eleven_among([4, 5], moves=9))) == {}


def test_outliers_are_judged_speed_by_speed(read):
    fast = MOVE.replace("speed=5.0", "speed=50.0").replace(
        "stepper_z1=zboard,+5,+0.012500", "stepper_z1=zboard,+50,+0.125000"
    )
    assert found(read("\n".join([MOVE] * 60 + [fast] * 2) + "\n")) == {}


def test_fine_steps_do_not_make_an_outlier():
    stops = Stops(5.0)
    for steps in [40] * 50 + [44]:
        stops.add(steps, steps * 0.0001, "klippy.log:1")
    # Four steps are 0.08 ms here
    assert stops.outliers().number == 0
    stops.add(91, 0.0091, "klippy.log:52")
    assert (stops.outliers().limit_steps, stops.outliers().furthest) == (
        pytest.approx(90.0),
        [(91, "klippy.log:52")],
    )


def test_outliers_that_come_often_are_wrong(read):
    log = read(printer_logs.BAD["many late moves"][0](7).text())
    assert [(one.what, one.is_wrong) for one in findings(log)] == [(FAR, True)]
    assert "4 of 51 moves" in findings(log)[0].figures[0]


def test_two_failed_moves_with_one_text_are_two(read):
    log = read((ERROR + "\n") * 2)
    assert log.faults.kinds["multi_mcu_resync"].count == log.moves.failed == 2
    (figure,) = found(log)[
        "stepper '...' on MCU '...' has a following error of ... mm, more than ... mm at ... mm/s"
    ]
    assert figure.startswith("2 times, first: klippy.log:1: stepper 'stepper_z1'")


@pytest.mark.parametrize("macros", range(4))
def test_error_that_goes_through_macros_is_still_one(macros, read):
    log = PrinterLog(1)
    log.start()
    for _ in range(3):
        log.fail(FERROR % (2.0,), macros)
        log.run(2)
    assert read(log.text()).faults.kinds["multi_mcu_resync"].count == 3


@pytest.mark.parametrize("line", ["No trigger on z after full movement", "Too many retries"])
def test_klippers_error_is_one_for_all_macros_and_another_when_it_comes_again(line, read):
    text = ""
    for time_s in (1.0, 2.0, 3.0):
        text += stats(time_s, stats_mcu("mcu")) + "\n" + (line + "\n") * 3
    (fault,) = read(text).faults.kinds.values()
    assert fault.count == 3


def test_shutdown_is_one_however_many_commands_are_refused_by_it(read):
    start = "Start printer at Fri Nov 20 09:00:00 2026 (1.0 2.0)\n"
    text = ""
    for time_s in (1.0, 2.0):
        text += start + stats(time_s, stats_mcu("mcu")) + "\n"
        text += "MCU 'z1' shutdown: Timer too close\n" * 3
        text += "Lost communication with MCU 'z1'\n" * 3
    counts = {kind: fault.count for kind, fault in read(text).faults.kinds.items()}
    assert counts == {"shutdown of an MCU": 2, "lost communication": 2}


@pytest.mark.parametrize(
    "after, is_left",
    [
        ([], True),
        ([MOVE], False),
        ([MOVE.replace("stepper_z", "stepper_y")], True),
        ([MOVE.replace("corrected=1", "corrected=0")], True),
        ([console.put_back_line(1)], False),
        ([console.put_back_line(2)], False),
        (["The steppers are taken to be in sync where they stand"], False),
        (["Start printer at Fri Nov 20 09:00:00 2026 (1.0 2.0)"], False),
    ],
    ids=["nothing", "homing", "other_axis", "only_measured", "one", "two", "accepted", "start"],
)
def test_axis_is_left_out_of_step_until_something_puts_it_back(after, is_left, read):
    failed = MOVE.replace("corrected=1", "corrected=0") + " error=halted 2 mm off"
    figures = found(read("\n".join([failed, *after]) + "\n")).get(OUT, [])
    assert [figure.partition(",")[0] for figure in figures] == ["stepper_z"] * is_left


def test_refused_move_shows_an_axis_out_of_step(read):
    log = read(CONFIG + "Axis z is not in sync: motors off. Home it, or run RESYNC\n")
    assert set(found(log)) == {"Axis ... is not in sync: .... Home it, or run RESYNC", OUT}


@pytest.mark.parametrize(
    "line", ["Config error", "MCU error during connect", "mcu 'z1': Unable to connect"]
)
def test_start_that_failed_is_wrong_until_another_one_succeeds(line, read):
    start = "Start printer at Fri Nov 20 09:00:00 2026 (1.0 2.0)\n"
    good = stats(5.0, stats_mcu("mcu")) + "\n"
    assert set(found(read(start + line + "\n"))) == {"The printer did not start"}
    assert found(read(start + line + "\n" + good)) == {}
    assert found(read(good + start + line + "\n" + start + good)) == {}


def test_log_without_anything_to_judge_is_not_called_good(read):
    log = read(CONFIG)
    assert summary(log, findings(log)).startswith("there is nothing to judge")


def test_what_is_wrong_comes_before_what_is_worth_a_look(read):
    log = read(eleven_among([4, 5]) + "Transition to shutdown state: Timer too close\n")
    assert [one.is_wrong for one in findings(log)] == [True, False]
    text = render(sections(log))
    assert text.index("WRONG: The printer was shut down") < text.index("WORTH A LOOK: Some moves")
    assert text.index("WORTH A LOOK") < text.index("Homing moves")


def test_every_finding_has_an_entry_in_the_guide_and_every_entry_a_finding():
    part = (
        (ROOT / "docs" / "Guide.md")
        .read_text(encoding="utf-8")
        .split("## What the report finds")[1]
    )
    entries = Guide(part).advice
    assert all(len(advice.split()) > 8 for advice in entries.values())
    texts = {fault_verdicts.OTHER_ERROR, fault_verdicts.OUT_OF_STEP}
    texts.update(fault_verdicts.ENTRIES.values())
    texts.update((move_verdicts.FAR, move_verdicts.LATE))
    texts.update((link_verdicts.SLOW, link_verdicts.REPEATED))
    texts.update((link_verdicts.DAMAGED, link_verdicts.CLOCK))
    assert set(entries) == texts


def test_limits_in_the_document_are_the_codes():
    document = (ROOT / "docs" / "Report.md").read_text(encoding="utf-8")
    text = " ".join(document.split())
    for form, *limits in (
        ("a round trip of %g ms in the mean", 1000 * link_verdicts.MEAN_SLOW_S),
        ("or of %g ms in %d Stats lines", 1000 * SLOW_S, link_verdicts.LEAST_LINES),
        ("%g %% of the bytes", 100 * link_verdicts.LEAST_SHARE),
        ("an offset of %g us (rms)", link_verdicts.MOST_OFFSET_RMS_US),
        ("a rate that goes through %g ppm", link_verdicts.MOST_WANDER_PPM),
        ("%g ms after the first of its rail", 1000 * move_verdicts.LATE_S),
        ("in the mean of %d moves", move_verdicts.LEAST_MOVES),
        ("more than %d of them", move_verdicts.MOST_OUTLIERS),
        ("and %g %% |", 100 * move_verdicts.MOST_SHARE),
        ("more than %d steps, %g ms", outliers.LEAST_STEPS, 1000 * outliers.LEAST_S),
        ("%d times the spread", outliers.SPREADS),
        ("at least %d moves", outliers.LEAST_MOVES),
        ("later than %g s after a start", SETTLING_S),
    ):
        assert form % tuple(limits) in text


def test_guide_knows_each_error_by_its_own_words():
    assert guide().heading_of(FERROR % (1.5,)).startswith("stepper '...' on MCU '...' has")
    refused = "Axis z is not in sync: lost. By how much is not known: home it"
    assert guide().heading_of(refused).endswith("By how much is not known: home it")
    assert guide().heading_of("something that nobody has written") == ""


def test_advice_is_plain_text():
    text = "#### One\n\nSee `this` in\n[a document](Other.md).\n\nAnd that.\n\n## Next\nmore\n"
    assert Guide(text).advice == {"One": "See this in a document. And that."}
