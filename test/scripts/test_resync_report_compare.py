# Logs that are compared: alike, unlike in known ways, and too short to say
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import zipfile
from pathlib import Path

import pytest
from end_to_end.driving import log_of_moves

from helpers.printer_logs import PrinterLog
from helpers.resync_logs import CONFIG, MOVE, stats, stats_mcu
from scripts.owner.report import command, compare, compare_sections
from scripts.owner.report.compare import LATE, LATENCY, ROUND_TRIP, SPREAD, Comparison
from scripts.owner.report.document import number
from scripts.owner.report.log import Log
from scripts.owner.report.series import MOST_VALUES, Sample
from scripts.owner.report.text import render
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

REPORT = (Path(__file__).resolve().parents[2] / "docs" / "Report.md").read_text(encoding="utf-8")
# What the second log of a printer has that the first one has not, and what has to be found
CHANGES = {
    "late board": ("late_s", "z1", 0.002, ("stepper_z1", "latency")),
    "slow link": ("slow_s", "z0", 0.004, ("z0", "srtt")),
    "lost blocks": ("lost_share", "z1", 0.1, ("z1", "repeated")),
    "noise": ("noise_share", "toolhead", 0.2, ("toolhead", "damaged")),
}


@pytest.fixture
def compared(tmp_path):
    """compared(text, text) compares logs of these texts."""

    def compare_texts(*texts):
        logs = []
        for i, text in enumerate(texts):
            path = tmp_path / ("%d.log" % (i,))
            path.write_text(text)
            logs.append(Log([str(path)]))
        return Comparison(logs)

    return compare_texts


def printer_text(seed, run, change=None, moves=50):
    """The log of the seed's printer in a certain run."""
    log = PrinterLog(seed)
    log.rng = random.Random(100 * seed + run)
    if change:
        attribute, name, value, _ = change
        getattr(log, attribute)[name] = value
    log.start()
    log.run(200)
    log.probe(moves)
    return log.text()


def found(comparison):
    return [(subject.name, kind.name) for subject, _, kind, _ in comparison.found()]


@pytest.mark.parametrize("seed", range(10))
def test_logs_of_one_printer_differ_by_no_more_than_chance(seed, compared):
    moves = (50, 50, 20)[seed % 3]
    comparison = compared(printer_text(seed, 1), printer_text(seed, 2, moves=moves))
    assert found(comparison) == []
    assert comparison.tests >= 2
    text = render(compare_sections.sections(comparison))
    assert "\nno difference is more than chance (%d looked at)\n" % (comparison.tests,) in text


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("seed", range(2))
def test_what_has_changed_is_found_and_nothing_else(seed, change, compared):
    comparison = compared(printer_text(seed, 1), printer_text(seed, 2, change))
    assert found(comparison) == [change[-1]]
    # And the other way round it has become less
    comparison = compared(printer_text(seed, 2, change), printer_text(seed, 1))
    ((subject, _, _, difference),) = comparison.found()
    assert (subject.name, difference.change < 0) == (change[-1][0], True)


def moves_text(*steps, speed="5.0", moves=20):
    """A log whose moves have these overshoots of stepper_z1 in turn."""
    lines = [CONFIG]
    for i in range(moves):
        over = steps[i % len(steps)]
        new = "+%d,+%.6f" % (over, over / 400)
        move = MOVE.replace("speed=5.0", "speed=%s" % (speed,)).replace("+5,+0.012500", new)
        lines += [move, stats(10.0 + i, stats_mcu("mcu"), stats_mcu("zboard"))]
    return "\n".join(lines) + "\n"


def z1(comparison, kind, log=1):
    subject = next(one for one in comparison.steppers if one.name == "stepper_z1")
    return comparison.difference(subject, log, kind)


def test_step_more_in_every_move_may_be_where_the_trigger_was(compared):
    comparison = compared(moves_text(2), moves_text(3), moves_text(3, 4))
    difference = z1(comparison, LATENCY, 1)
    assert difference.change == pytest.approx(0.0005)
    assert (difference.is_unlikely, difference.is_found) == (True, False)
    assert (z1(comparison, LATENCY, 2).is_unlikely, z1(comparison, LATENCY, 2).is_found) == (
        True,
        True,
    )
    rows = compare_sections.sections(comparison)[1].tables[0].rows
    assert [row[5] for row in rows if row[0] == "stepper_z1"] == ["-", "too small", "yes"]


def test_uneven_stops_are_found_though_their_mean_is_the_same(compared):
    comparison = compared(moves_text(10), moves_text(4, 16))
    assert found(comparison) == [("stepper_z1", "spread")]
    assert z1(comparison, LATENCY).change == pytest.approx(0.0, abs=1e-8)
    assert z1(comparison, SPREAD).after == pytest.approx(0.003)


def test_late_moves_are_found(compared):
    comparison = compared(moves_text(4, 5, moves=150), moves_text(*[4, 5] * 7, 30, moves=150))
    assert ("stepper_z1", "late moves") in found(comparison)
    assert z1(comparison, LATE).after == pytest.approx(1 / 15)


def test_every_log_is_compared_with_the_first(compared):
    comparison = compared(moves_text(2, 3), moves_text(3, 2), moves_text(9, 8))
    assert not z1(comparison, LATENCY, 1).is_found
    assert z1(comparison, LATENCY, 2).is_found
    text = render(compare_sections.sections(comparison))
    assert "\nC: stepper_z1 on zboard stops later than in A: 4.25 ms, not 1.25" in text


def test_at_unlike_speeds_latencies_are_compared(compared):
    comparison = compared(moves_text(4), moves_text(8, speed="10.0"), moves_text(20, speed="10.0"))
    assert z1(comparison, LATENCY, 1).change == pytest.approx(0.0, abs=1e-8)
    assert z1(comparison, LATENCY, 2).change == pytest.approx(0.003)
    assert [part.speed_mm_s for part in comparison.steppers[1].parts] == [5.0, 10.0, 10.0]


def test_stepper_of_one_log_alone_is_shown_and_not_compared(compared):
    comparison = compared(moves_text(4), moves_text(4).replace("stepper_z1=", "stepper_z2="))
    alone = [one.name for one in comparison.steppers if None in one.parts]
    assert alone == ["stepper_z1", "stepper_z2"]
    assert z1(comparison, LATENCY) is None
    assert render(compare_sections.sections(comparison)).count("\nstepper_z2 ") == 2


def test_few_moves_say_nothing(compared):
    comparison = compared(moves_text(2, moves=20), moves_text(90, moves=7))
    difference = z1(comparison, LATENCY)
    assert (difference.chance, difference.is_found) == (None, False)
    assert found(comparison) == []
    comparison = compared(MOVE + "\n", MOVE + "\n")
    headline = compare_sections.headline(comparison)
    assert headline.startswith("there is too little to compare")


def test_difference_that_is_to_be_seen_is_mostly_found(compared):
    hits = {0.4: 0, 1.0: 0}
    for seed in range(8):
        first = printer_text(seed, 1, moves=20)
        seen_from = z1(compared(first, printer_text(seed, 2, moves=20)), LATENCY).seen_from
        for share in hits:
            change = ("late_s", "z1", share * seen_from, None)
            comparison = compared(first, printer_text(seed, 3, change, moves=20))
            hits[share] += z1(comparison, LATENCY).is_found
    assert hits[1.0] >= 6
    assert hits[0.4] <= 2


def test_link_is_named_for_each_log(compared):
    usb = CONFIG.replace("canbus_uuid = 0e0d81e4210c", "serial = /dev/serial/by-id/usb-Klipper_z")
    lines = [stats(t, stats_mcu("mcu"), stats_mcu("zboard", 0.001 * (t % 2))) for t in range(40)]
    slow = [stats(t, stats_mcu("mcu"), stats_mcu("zboard", 0.005)) for t in range(40)]
    comparison = compared("\n".join([usb, *lines, ""]), "\n".join([CONFIG, *slow, ""]))
    ((subject, _, kind, difference),) = comparison.found()
    assert (subject.name, kind) == ("zboard", ROUND_TRIP)
    assert difference.change == pytest.approx(0.0045)
    rows = compare_sections.sections(comparison)[-1].tables[0].rows
    assert [row[:3] for row in rows[2:]] == [["zboard", "A", "USB"], ["zboard", "B", "can0"]]


def test_each_log_is_judged_by_itself_too(compared):
    late = moves_text(90) + "Transition to shutdown state: Timer too close\n"
    text = render(compare_sections.sections(compared(moves_text(2), late)))
    _, before, after = text.split("\nB: ")
    assert "    by itself: nothing is wrong (20 homing moves," in before
    assert "\n    wrong: The printer was shut down\n" in after
    assert "\n    wrong: A stepper stops late in every move\n" in after


def test_same_logs_give_the_same_report(compared):
    texts = printer_text(4, 1), printer_text(4, 2, CHANGES["late board"])
    once, again = (render(compare_sections.sections(compared(*texts))) for _ in range(2))
    assert once == again


# The command


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["resync_report", *map(str, arguments)])
    code = command.main()
    done = capsys.readouterr()
    return code, done.out, done.err


def test_logs_may_be_files_folders_and_zip_files(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "before"
    folder.mkdir()
    (folder / "klippy.log").write_text(moves_text(2, moves=10))
    (folder / "klippy.log.2026-11-19").write_text(moves_text(2, moves=10))
    (folder / "moonraker.log").write_text("nothing of Klipper's\n")
    # As a bundle is: a log beside what was made of it
    after = tmp_path / "after" / "first_hour.zip"
    after.parent.mkdir()
    with zipfile.ZipFile(after, "w") as packed:
        packed.writestr("transcript.txt", moves_text(90))
        packed.writestr("klippy.log", moves_text(8))
    page = tmp_path / "page.html"
    arguments = ("--compare", folder, after.parent)
    code, out, err = run(monkeypatch, capsys, *arguments)
    assert (code, err) == (0, "")
    assert "A: %s/klippy.log.2026-11-19, %s/klippy.log, 20 homing moves" % (folder, folder) in out
    assert "B: klippy.log in %s, 20 homing moves" % (after,) in out
    assert "could not be read" not in out
    assert "stepper_z1 on zboard stops later than in A: 4.00 ms, not 1.00" in out
    code, out, _ = run(monkeypatch, capsys, *arguments, "-o", page)
    assert (code, out) == (
        0,
        "Written: %s: 1 difference is more than chance (1 looked at)\n" % (page,),
    )
    assert "stops later than in A" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "options, reason",
    [
        ((), "--compare needs two logs or more"),
        (("b.log", "-o", "page.png"), "--compare writes a .html page, no picture"),
    ],
    ids=["one_log", "picture"],
)
def test_comparison_that_cannot_be_ends_before_anything_is_read(
    options, reason, monkeypatch, capsys
):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, "--compare", "a.log", *options)
    assert ended.value.code == 2
    assert reason in capsys.readouterr().err


def test_log_that_cannot_be_read_is_one_line(tmp_path, monkeypatch, capsys):
    good, empty = tmp_path / "good.log", tmp_path / "empty"
    good.write_text(MOVE + "\n")
    empty.mkdir()
    code, out, err = run(monkeypatch, capsys, "--compare", good, empty)
    assert (code, out) == (1, "")
    assert err == "resync_report: no log in the folder '%s': name a klippy.log\n" % (empty,)


def test_document_has_the_limits_of_the_code():
    text = " ".join(REPORT.split())
    for form, limit in (
        ("%g ms of latency", 1000 * compare.LEAST_LATENCY_S),
        ("%g %% of late moves", 100 * compare.LEAST_SHARE_OF_MOVES),
        ("%g ms of round trip", 1000 * compare.LEAST_ROUND_TRIP_S),
        ("%g %% of the Stats lines", 100 * compare.LEAST_SHARE_OF_LINES),
        ("in %g %% of all comparisons", 100 * compare.chance.ALPHA),
        ("at least %d moves", compare.chance.LEAST_BLOCKS),
    ):
        assert form % (limit,) in text


# What it is made of


def test_sample_keeps_the_order_of_a_long_row_in_little_memory():
    sample = Sample()
    for value in range(10 * MOST_VALUES):
        sample.add(float(value))
    values = list(sample.values)
    assert MOST_VALUES // 2 <= len(values) <= MOST_VALUES
    assert values == [float(16 * i) for i in range(len(values))]


@pytest.mark.parametrize(
    "value, form, text",
    [(-0.00001, "%.4f", "0.0000"), (-0.001, "%+.2f", "+0.00"), (-1.5, "%+.1f", "-1.5")],
)
def test_number_that_is_next_to_nothing_has_no_minus(value, form, text):
    assert number(value, form) == text


DELAYS_US = {"mcu": 200, "z0": 240, "z1": 260, "z2": 230, "z3": 280, "toolhead": 250}


def real_log(host, folder, seed, **later_us):
    """The log of a sample printer that has probed; of its links the seed only draws the noise."""
    sample = SamplePrinter().with_resync()
    delays = [
        "[mcu%s]\ndelay_to_mcu_us: %d\ndelay_to_host_us: %d\n"
        % ("" if name == "mcu" else " " + name, delay_us + later_us.get(name, 0), delay_us)
        for name, delay_us in DELAYS_US.items()
    ]
    machine_cfg = "\n".join([sample.machine_cfg(), *delays])
    with Session(
        hosts.find(host), sample.printer_cfg(), machine_cfg, seed=seed, work_dir=folder
    ) as printer:
        printer.gcode("G28\nPROBE_ACCURACY SAMPLES=12\nM400")
        (folder / "real.log").write_text(log_of_moves(printer))
    return Log([str(folder / "real.log")])


def test_real_logs_differ_where_a_link_was_slower_and_nowhere_else(tmp_path):
    host = hosts.available()[0].name
    first, alike, unlike = (
        real_log(host, tmp_path / str(i), i + 1, **later_us)
        for i, later_us in enumerate([{}, {}, {"z2": 4000}])
    )
    assert found(Comparison([first, alike])) == []
    assert {name for name, _ in found(Comparison([first, unlike]))} == {"stepper_z2", "z2"}
