# What the report says about made lines, the seed's figures and a real host's log
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from end_to_end.driving import log_of_moves

from helpers.resync_logs import CONFIG, MOVE, stats, stats_mcu
from scripts.owner.report import command
from scripts.owner.report.log import Log
from scripts.owner.report.move_sections import homing_moves
from scripts.owner.report.predict import predictions
from scripts.owner.report.steppers import homing_steppers
from scripts.owner.report.verdict import findings
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

# A seed's printer while it probed at 20 mm/s: two Stats lines, broken up as a forum shows them
SEED = """Stats 22023.6: gcodein=0
%s
%s
%s
probe at 330.000,330.000 is z=-1.517500
Stats 22024.6: gcodein=0
%s
%s
%s
PROBE_ACCURACY at X:175.000 Y:175.000 Z:4.270 (samples=10 retract=5.000 speed=20.0 lift_speed=20.0)
Probe samples exceed tolerance. Retrying...
""" % (
    stats_mcu("mcu", 0.0, 50001503, write=1128, read=5493, seq=163),
    stats_mcu("Z", 0.001, 47999140, 47996930, write=31917, read=40399, seq=2179),
    stats_mcu("Z3", 0.002, 47999196, 47997478, write=31775, read=40149, seq=2178),
    stats_mcu("mcu", 0.0, 50001492, write=1140, read=5525, seq=165),
    stats_mcu("Z", 0.001, 47999116, 47996901, write=32848, read=41413, seq=2239),
    stats_mcu("Z3", 0.002, 47999231, 47997403, write=32706, read=41149, seq=2238),
)


@pytest.fixture
def report(tmp_path, monkeypatch, capsys):
    """report(text, *options) returns what the report on a log of a text prints."""

    def run(text, *options):
        path = tmp_path / "klippy.log"
        path.write_text(text)
        monkeypatch.setattr("sys.argv", ["resync_report", str(path), *map(str, options)])
        assert command.main() == 0
        return capsys.readouterr().out

    return run


def row(text, section, name):
    """The cells of a table's row in a section."""
    lines = text.split("\n%s\n" % (section,), 1)[1].split("\n\n\n")[0].splitlines()
    return next(line.split() for line in lines if line.startswith(name + " "))


def test_seeds_links_are_reported(report):
    text = report(SEED)
    assert row(text, "Link health", "Z") == "Z 1.000 1 0.000 0 0 0 931 1014 15.5".split()
    assert row(text, "Link health", "Z3")[1:3] == ["2.000", "2"]


def test_seeds_round_trips_predict_the_overshoot_that_its_author_reckoned(read):
    # "15 mm/s * .001 (.002) s": .015 to .03 mm
    text_at_15 = SEED.replace("speed=20.0 lift", "speed=15.0 lift")
    log = read(text_at_15)
    predicted_mm = {p.mcu: p.overshoot_mm for p in predictions(log)}
    assert predicted_mm == pytest.approx({"Z": 0.015, "Z3": 0.030})


def test_seeds_clock_offset_is_what_klippy_steers_away_in_four_seconds(read):
    offset_us = read(SEED).links["Z"].clock.offset_us
    ideal = 47999140 * 50e6 / 50001503
    assert offset_us.low == pytest.approx((47996901 / (47999116 * 50e6 / 50001492) - 1) * 4e6)
    assert offset_us.high == pytest.approx((47996930 / ideal - 1) * 4e6)
    assert -66.0 < offset_us.low < offset_us.high < -63.0


def test_speed_is_probe_accuracys_where_the_log_has_no_configuration(report):
    text = report(SEED)
    assert "speed is PROBE_ACCURACY's" in text
    # 64.6 us at 20 mm/s
    assert row(text, "Clock sync", "Z")[5:7] == ["20.0", "0.001292"]


def test_complaint_about_samples_is_a_fault_with_its_place(read):
    fault = read(SEED).faults.kinds["samples differ too much"]
    assert (fault.count, fault.cases[0].place) == (1, "klippy.log:11")
    assert fault.cases[0].stats_time_s == 22024.6


def test_stats_of_v0_11_and_of_an_unknown_layout_are_read(read):
    old = stats_mcu("mcu", buffer="stalled", write=10)
    new = stats_mcu("zboard", write=20).replace("bytes_read", "new_field=a/b bytes_read")
    log = read(stats(1.0, old, new) + "\n" + stats(2.0, old, new) + "\n")
    assert list(log.links) == ["mcu", "zboard"]
    assert log.links["zboard"].srtt_s.mean == 0.001
    assert log.damage.texts() == []


def test_garbled_stats_are_counted_and_the_rest_is_used(read):
    broken = stats_mcu("zboard").replace("bytes_read=2000", "bytes_read=")
    log = read(stats(1.0, stats_mcu("mcu"), broken) + "\nStats x: mcu\n" + MOVE[:90] + "\n")
    assert list(log.links) == ["mcu"]
    assert log.damage.texts() == ["3 lines garbled"]


def test_counters_that_wrap_go_on_and_counters_that_start_afresh_are_left_out(read):
    top = 2**32
    writes = [(1.0, top - 500), (2.0, 500), (3.0, 1500), (4.0, 10), (5.0, 1010)]
    lines = [stats(t, stats_mcu("mcu", write=w, seq=100 + t, read=2000)) for t, w in writes]
    total = read("\n".join(lines) + "\n").links["mcu"].total
    assert (total.written_bytes, total.seconds) == (3000.0, 3.0)


def test_retransmitted_and_invalid_bytes_are_those_since_the_first_stats(read):
    lines = [
        stats(t, stats_mcu("mcu", write=1000 * t, retransmit=9 + 20 * t, invalid=7))
        for t in (1, 2, 3)
    ]
    link = read("\n".join(lines) + "\n").links["mcu"]
    assert (link.retransmitted_bytes, link.invalid_bytes) == (40, 0)
    # They are on the bus too
    assert link.total.written_bytes == 2040


def test_more_stats_than_a_batch_give_the_same_figures_as_one_by_one(read):
    count = 700
    lines = [
        stats(t, stats_mcu("mcu", srtt=t % 7 / 1000.0, write=t * t, read=3 * t, seq=t))
        for t in range(count)
    ]
    link = read("\n".join(lines) + "\n").links["mcu"]
    assert link.total[:] == (count - 1, (count - 1) ** 2, 3 * (count - 1), count - 1)
    assert link.srtt_s.mean == pytest.approx(sum(t % 7 for t in range(count)) / count / 1000.0)
    assert link.srtt_s.high == 0.006


def test_busiest_moment_is_one_of_all_mcus_of_a_bus_together(read):
    def line(t, mcu, z, toolhead):
        return stats(
            t,
            stats_mcu("mcu", write=mcu),
            stats_mcu("zboard", write=z),
            stats_mcu("toolhead", write=toolhead),
        )

    # zboard and toolhead are on CAN; each is busiest alone, but together they are at t=3
    lines = [line(1, 0, 0, 0), line(2, 9000, 3000, 0), line(3, 9000, 5500, 2500)]
    lines.append(line(4, 9000, 5500, 5400))
    busiest = read(CONFIG + "\n".join(lines) + "\n").busiest
    assert list(busiest) == ["can0"]
    traffic = busiest["can0"].traffic
    assert {name: t.written_bytes for name, t in traffic.items()} == {
        "zboard": 2500,
        "toolhead": 2500,
    }


def test_can_figures_are_shown_only_where_there_is_or_could_be_a_bus(report):
    lines = [stats(t, stats_mcu("mcu"), stats_mcu("zboard", write=900 * t)) for t in (1, 2)]
    text = "\n".join(lines) + "\n"
    assert "can0" in report(CONFIG + text)
    assert "all on one bus" in report(text)
    usb = re.sub("canbus_uuid = .*", "serial = /dev/ttyACM1", CONFIG)
    assert "CAN" not in report(usb + text)


def test_configuration_tells_speed_pins_and_step_distance(read):
    steppers = {s.name: s for s in homing_steppers(read(CONFIG).config)}
    assert steppers["stepper_x"][1:] == ("mcu", "mcu", 50.0, 0.0125)
    # The faster of homing_speed and the probe's speed
    assert steppers["stepper_z"][1:] == ("mcu", "toolhead", 10.0, 0.0025)
    assert steppers["stepper_z1"][1:] == ("zboard", "toolhead", 10.0, 0.00125)


def test_cartographer_is_on_the_mcu_that_it_names(read):
    probe = "[probe]\npin = ^!toolhead:PB6\nspeed = 10\n"
    assert probe in CONFIG
    text = CONFIG.replace(probe, "[cartographer]\nmcu = toolhead\n")
    steppers = {s.name: s for s in homing_steppers(read(text).config)}
    assert steppers["stepper_z"].endstop_mcu == "toolhead"


def test_prediction_goes_from_the_endstops_mcu_over_the_host_to_the_steppers(report):
    parts = [stats_mcu("mcu", 0.001), stats_mcu("zboard", 0.002), stats_mcu("toolhead", 0.004)]
    text = report(CONFIG + stats(1.0, *parts) + "\n")
    section = "Overshoot: predicted and measured"
    # (4 ms + 2 ms) / 2 at 10 mm/s; the X endstop is on the stepper's own MCU
    predicted = row(text, section, "stepper_z1")
    assert predicted[1:7] == ["zboard", "toolhead", "10.0", "3.00", "0.0300+-0.0050", "24.0"]
    assert row(text, section, "stepper_x")[4:6] == ["0.00", "0.0000+-0.0000"]


def test_first_seconds_after_a_start_do_not_count_as_clock_offset(read):
    def line(t, adj):
        parts = [stats_mcu("mcu", freq=180000000), stats_mcu("zboard", freq=64000000, adj=adj)]
        return stats(t, *parts)

    lines = [line(t, 64000000 + (6400 if t < 25 else 64)) for t in range(10, 60)]
    clock = read(CONFIG + "\n".join(lines) + "\n").links["zboard"].clock
    # 1 ppm over 4 s, of the 20 s from 30 s after the first Stats
    assert (clock.offset_us.count, clock.offset_us.furthest) == (20, pytest.approx(4.0))
    assert sum(point.number for point in clock.offset_course.points()) == 50


def moves_log(count):
    lines = [CONFIG.rstrip()]
    for i in range(count):
        lines.append(stats(100.0 + i, stats_mcu("mcu"), stats_mcu("zboard")))
        steps = 4 + i % 3
        lines.append(MOVE.replace("+5,+0.012500,+5", "%+d,%+.6f,%+d" % (steps, steps / 400, steps)))
    return "\n".join(lines) + "\n"


def test_measured_overshoot_stands_beside_the_predicted(report):
    text = report(moves_log(30))
    z1 = row(text, "Overshoot: predicted and measured", "stepper_z1")
    assert z1[3] == "5.0"
    assert z1[7:] == ["0.0125", "0.0020", "0.0150", "5.0", "2.50"]
    rails = row(text, "Homing moves", "stepper_z")
    assert rails == "stepper_z probe 30 30 30 5 0.005000 0.007500".split()
    assert row(text, "Homing moves", "stepper_z1") == (
        "stepper_z1 5.00 +4 +6 0.000000 0.000000".split()
    )
    bars = [line.split() for line in text.splitlines() if line.endswith("#")]
    assert [bar[:2] for bar in bars] == [["+3", "30"], ["+4", "10"], ["+5", "10"], ["+6", "10"]]


def test_overshoot_over_time_follows_a_drift(read):
    lines = []
    for i in range(2000):
        steps = i // 200
        lines.append(MOVE.replace("+5,+0.012500,+5", "%+d,%+.6f,%+d" % (steps, steps / 400, steps)))
    log = read("\n".join(lines) + "\n")
    table = homing_moves(log).tables[-1]
    drift_mm = [float(cells[2]) for cells in table.rows]
    assert 8 <= len(drift_mm) <= 10
    assert drift_mm == sorted(drift_mm)
    assert (drift_mm[0], drift_mm[-1]) == pytest.approx((0.0, 9 / 400), abs=0.001)


def test_move_of_several_rails_and_an_error_are_read(read):
    both = MOVE + " ; " + MOVE[18:].replace("stepper_z", "stepper_y").replace("probe", "y")
    log = read(both + " error=stepper_y: halted 5.2 mm off; ferror = 1\n")
    assert sorted(log.moves.steppers) == ["stepper_y", "stepper_y1", "stepper_z", "stepper_z1"]
    assert (log.moves.count, log.moves.failed) == (1, 1)
    texts = [case.text for case in log.faults.kinds["multi_mcu_resync"].cases]
    assert texts == ["stepper_y: halted 5.2 mm off; ferror = 1"]


def test_move_that_did_not_trigger_does_not_count_as_overshoot(read):
    lost = MOVE.replace("triggered=1", "triggered=0").replace("+5,", "+900,")
    log = read(MOVE + "\n" + lost + "\n")
    stepper = log.moves.steppers["stepper_z1"]
    assert (stepper.overshoot_steps.count, stepper.overshoot_steps.high) == (1, 5)
    rail = log.moves.rails["stepper_z to probe"]
    assert (rail.moves, rail.triggered) == (2, 1)


def test_error_is_one_fault_though_klippy_logs_it_again(read):
    text = "multi_mcu_resync: error=no count of 'stepper_z'\n"
    again = "multi_mcu_resync: no count of 'stepper_z'\n"
    log = read(text + again + MOVE + "\n" + text)
    assert log.faults.kinds["multi_mcu_resync"].count == 2


def test_faults_are_counted_by_kind(read):
    log = read(
        stats(7.5, stats_mcu("mcu"))
        + """
Timeout with MCU 'zboard' (eventtime=98.765432)
Transition to shutdown state: Lost communication with MCU 'zboard'
MCU 'mcu' shutdown: Command request
MCU 'zboard' shutdown:
Communication timeout during homing z
Got error -1 in can write: (105)No buffer space available
Got error -1 in can write: (105)No buffer space available
Endstop z still triggered after retract
Probe triggered prior to movement
Unable to obtain 'trsync_state' response
"""
    )
    counts = {kind: fault.count for kind, fault in log.faults.kinds.items()}
    assert counts == {
        "lost communication": 1,
        "shutdown": 1,
        "shutdown on request": 1,
        "timeout while homing": 1,
        "CAN bus error": 2,
        "endstop at fault": 2,
        "no answer from an MCU": 1,
    }


def test_time_that_starts_afresh_after_a_reboot_goes_on(read):
    lines = [stats(t, stats_mcu("mcu", write=100)) for t in (1000.0, 1100.0, 5.0, 25.0)]
    log = read("\n".join(lines) + "\n")
    assert log.elapsed_s == pytest.approx(120.0)


@pytest.mark.parametrize("host", [host.name for host in hosts.available()])
def test_real_log_is_reported_and_agrees_with_the_printer(host, report, tmp_path):
    sample = SamplePrinter().with_resync()
    work_dir = tmp_path / "session"
    with Session(
        hosts.find(host), sample.printer_cfg(), sample.machine_cfg(), work_dir=work_dir
    ) as printer:
        printer.gcode("G28\nPROBE_ACCURACY SAMPLES=5\nM400")
        status = printer.status("multi_mcu_resync")
        content = log_of_moves(printer)
    path = tmp_path / "real.log"
    path.write_text(content)
    log = Log([str(path)])
    assert log.damage.texts() == []
    assert set(log.links) == {"mcu", "z0", "z1", "z2", "z3", "toolhead"}
    assert log.faults.kinds == {}
    # A virtual host is held up for 2 ms now and then, which may be worth a look
    assert [one.what for one in findings(log) if one.is_wrong] == []
    assert log.moves.count == status["homing_moves"]
    for name, history in log.moves.steppers.items():
        last = history.overshoot_course.points()[-1]
        assert last.mean == pytest.approx(status["overshoot_mm"][name], abs=1e-6)
    assert {s.mcu for s in log.moves.in_order()} == {"z0", "z1", "z2", "z3"}
    text = report(content)
    cells = row(text, "Overshoot: predicted and measured", "stepper_z1")
    speed_mm_s = log.moves.steppers["stepper_z1"].speed_mm_s.mean
    assert cells[1:4] == ["z1", "toolhead", "%.1f" % (speed_mm_s,)]
    # Latency of the virtual links is a few hundred us each way, and a spike of the host at most
    assert 0.1 < float(cells[-1]) < 5.0
