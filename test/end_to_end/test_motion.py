# The corrective motion and the mappings it keeps, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import shutil

import pytest
from end_to_end.driving import mapping_skew_mm, probe_at_random

from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

UNLIKE_GEARS = SamplePrinter(
    z_gear_ratios=("80:16", "75:16", "77:16", "73:16"),
    z_dir_inverted=(False, True, False, True),
)

pytestmark = pytest.mark.area("mapping kept")
Z_NAMES = UNLIKE_GEARS.z_names
# What GET_POSITION shows of a position
RESOLUTION_MM = 2e-6


def home_again_and_again(printer):
    # From another height each time: from the same one, all have the same phase
    rng = random.Random(1)
    for _ in range(10):
        printer.gcode("G28 Z\nG1 Z%.4f F600\nM400" % (rng.uniform(5, 15),))


def probe_again_and_again(printer):
    probe_at_random(printer, 20)
    printer.gcode("G1 Z10 F600\nM400")


def skew_gained_mm(before_mm, after_mm):
    gained_mm = [after - before for before, after in zip(before_mm, after_mm)]
    return max(gained_mm) - min(gained_mm)


@pytest.mark.parametrize("use", [home_again_and_again, probe_again_and_again])
def test_unlike_steppers_keep_their_mapping(start, use):
    printer = start(UNLIKE_GEARS)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before_mm = mapping_skew_mm(printer, Z_NAMES)
    use(printer)
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, Z_NAMES)) < RESOLUTION_MM


def test_no_mapping_is_given_up_while_homing(start):
    printer = start(UNLIKE_GEARS)
    printer.gcode("G28")
    home_again_and_again(printer)
    assert "was not restored" not in printer.log()


def test_unlike_steppers_creep_on_the_host_alone(start):
    printer = start(UNLIKE_GEARS.on_one_mcu().without_section())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before_mm = mapping_skew_mm(printer, Z_NAMES)
    home_again_and_again(printer)
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, Z_NAMES)) > 0.005


def test_rail_on_one_mcu_keeps_its_mapping_when_asked_to(start):
    printer = start(UNLIKE_GEARS.on_one_mcu().with_resync(include_single_mcu=True))
    assert printer.status("multi_mcu_resync", "axes")["axes"] == ["z"]
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before_mm = mapping_skew_mm(printer, Z_NAMES)
    home_again_and_again(printer)
    probe_again_and_again(printer)
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, Z_NAMES)) < RESOLUTION_MM


def test_g28_of_other_axes_keeps_the_mapping(start):
    printer = start(UNLIKE_GEARS)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before_mm = mapping_skew_mm(printer, Z_NAMES)
    for _ in range(5):
        printer.gcode("G28 X Y\nM400")
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, Z_NAMES)) < RESOLUTION_MM


def test_idle_shared_rail_keeps_its_mapping_while_another_probes(start):
    sample = SamplePrinter(kinematics="cartesian", y_mcus=("mcu", "y1"))
    unlike = ("[stepper_y1]\n", "[stepper_y1]\ngear_ratio: 40:37\n")
    printer = start(sample, replace=[unlike])
    names = ["stepper_y", "stepper_y1"]
    printer.gcode("G28\nM400")
    before_mm = mapping_skew_mm(printer, names)
    for i in range(10):
        printer.gcode("G90\nG1 Y%.4f Z10 F6000\nPROBE\nM400" % (30.0037 + i * 13.0171,))
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, names)) < RESOLUTION_MM


@pytest.fixture
def bench(start):
    """A printer on which BENCH_CORRECT moves the Z steppers by any steps."""
    printer = start(
        SamplePrinter(),
        sections="[resync_bench]\n[idle_timeout]\ntimeout: 100000\n",
        replace=[("max_z_velocity: 30", "max_z_velocity: 100"), ("max_z_accel: 350", "")],
    )
    printer.gcode("SET_KINEMATIC_POSITION X=150 Y=150 Z=50\nG1 Z51 F600\nM400")
    return printer


def pulses_of(printer):
    truth = printer.stepper_truth()
    return [truth[name].pulses for name in Z_NAMES]


def correct(printer, steps):
    printer.gcode("BENCH_CORRECT STEPS=%s" % (",".join(map(str, steps)),))


@pytest.mark.area("corrections")
def test_correction_makes_exactly_its_steps(bench):
    rng = random.Random(1)
    counts = [*range(1, 41), *(rng.randint(41, 5000) for _ in range(56)), 4999, 5000, 0, 5000]
    for i in range(0, len(counts), len(Z_NAMES)):
        for sign in (1, -1):
            steps = [sign * count for count in counts[i : i + len(Z_NAMES)]]
            before = pulses_of(bench)
            correct(bench, steps)
            bench.sleep(0.6)
            assert [b - a for a, b in zip(before, pulses_of(bench))] == steps


@pytest.mark.area("corrections")
def test_steppers_of_a_correction_move_exactly_in_step(bench):
    steps = [1000, -500, 250, 40]
    before = pulses_of(bench)
    correct(bench, steps)
    seen = set()
    for _ in range(100):
        bench.sleep(0.003)
        parts = [(b - a) / s for a, b, s in zip(before, pulses_of(bench), steps)]
        seen.add(round(parts[0], 1))
        # Clocks of unlike MCUs agree to some 100 us here, that is some steps
        # of the quickest; the others are within half a step of it
        for part, step in zip(parts, steps):
            assert abs(part - parts[0]) <= 0.5 / abs(step) + 0.02
    assert len(seen) > 8


@pytest.mark.area("corrections")
def test_correction_starts_late_enough_for_a_link_that_is_slow_at_that_moment(start):
    printer = start(SamplePrinter())
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before = printer.stepper_truth()

    def slow_down_after_the_trigger():
        if ":%d:1" % (PIN_NUMBERS["PB6"],) in printer.control("endstops"):
            # Once all have been stopped
            late = "link z1 delay_us=60000 direction=to_mcu from_s=%.6f for_s=0.02"
            printer.control(late % (printer.now_s() + 0.005,))
        else:
            printer.call_at(printer.now_s() + 0.0005, slow_down_after_the_trigger)

    printer.call_at(printer.now_s() + 0.3, slow_down_after_the_trigger)
    printer.gcode("PROBE\nG1 Z10 F600\nM400")
    assert printer.stepper_truth() == before


@pytest.mark.area("start-up")
def test_missing_compiler_is_a_config_error_that_names_it(host, tmp_path):
    if host.name != "klipper_v0_12":
        pytest.skip("only an unpacked host can be changed for one test")
    # Nothing was built for these headers, and there is no compiler in virtual time
    shutil.copytree(str(host.klippy.resolve()), str(tmp_path / "klippy"), symlinks=True)
    for name in ("multi_mcu_resync.py", "resync"):
        link = tmp_path / "klippy" / "extras" / name
        link.unlink()
        link.symlink_to((host.klippy / "extras" / name).resolve())
    with open(str(tmp_path / "klippy" / "chelper" / "trapq.h"), "a") as f:
        f.write("\n")
    sample = SamplePrinter()
    with Session(
        host, sample.printer_cfg(), sample.machine_cfg(), work_dir=tmp_path, ready=False
    ) as printer:
        assert printer.state() == "error"
        first_line = printer.state_message().splitlines()[0]
    assert first_line.startswith("multi_mcu_resync: cannot build the C helper: no compiler 'gcc'")


@pytest.mark.parametrize("microsteps", [64, 128])
def test_idle_shared_rail_with_unlike_microsteps_does_not_disturb_a_probe(start, microsteps):
    sample = SamplePrinter(kinematics="cartesian", x_mcus=("mcu", "x1"))
    finer = ("[stepper_x1]\n", "[stepper_x1]\ngear_ratio: %d:16\n" % (microsteps,))
    printer = start(sample, replace=[finer])
    names = ["stepper_x", "stepper_x1"]
    printer.gcode("G28\nM400")
    before_mm = mapping_skew_mm(printer, names)
    for i in range(12):
        printer.gcode("G90\nG1 X%.4f Z10 F6000\nPROBE\nM400" % (30.0037 + i * 13.0171,))
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, names)) < RESOLUTION_MM
    assert "was not restored" not in printer.log()


def test_homing_override_that_homes_axis_by_axis_keeps_the_mapping(start):
    override = """
[homing_override]
set_position_z: 0
gcode:
    G28 X
    SET_KINEMATIC_POSITION Y=200
    G28 Y
    G1 X150 Y150 F6000
    G28 Z
"""
    # The two exclude each other
    hop = "[safe_z_home]\nhome_xy_position: 150, 150\nspeed: 200\nz_hop: 10\n"
    printer = start(UNLIKE_GEARS, sections=override, replace=[(hop, "")])
    printer.gcode("G28\nG1 Z10 F600\nM400")
    before_mm = mapping_skew_mm(printer, Z_NAMES)
    rng = random.Random(1)
    for _ in range(5):
        printer.gcode("G1 Z%.4f F600\nG28\nG1 Z10 F600\nM400" % (rng.uniform(5, 15),))
    assert skew_gained_mm(before_mm, mapping_skew_mm(printer, Z_NAMES)) < RESOLUTION_MM
