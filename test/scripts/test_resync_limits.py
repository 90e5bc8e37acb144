# The limits tool: the figures of both articles that the project rests on, and what it says to users
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.model.following_error import LimitsError, rail_limits

from printer_config.config_file import ConfigFile
from printer_config.motion import step_distance_mm
from printer_config.section import Section
from scripts.owner.limits import command, figures
from scripts.owner.limits.axes import shared_axes
from virtual_printer.samples import SamplePrinter
from virtual_printer.unusual_samples import GenericPrinter, SwitchPrinter

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "resync_limits.py"
INCH_MM = 25.4


def driven_step_mm(rotation_mm, microsteps):
    """Step distance of a 200-step motor."""
    section = Section("stepper_x", "printer.cfg")
    options = {"rotation_distance": rotation_mm, "microsteps": microsteps}
    section.options.update({name: (str(value), "") for name, value in options.items()})
    return step_distance_mm(section)


def report(capsys, *arguments):
    """The tool's output as a row of figures by label, and the text."""
    assert command.main([str(argument) for argument in arguments]) == 0
    text = capsys.readouterr().out
    found = re.findall(r"^(\w.*?)  +(\S.*)$", text, re.MULTILINE)
    return {label: figures.split() for label, figures in found}, text


# "LinuxCNC Stepper Following Error Calculations", from its top to its end


@pytest.mark.parametrize("period_us, fastest", [(20, 50000), (25, 40000)])
def test_linuxcnc_minimum_period_limits_the_step_rate(period_us, fastest):
    half, whole = figures.highest_rates(period_us * 1e-6)
    assert whole == pytest.approx(fastest)
    assert half == pytest.approx(fastest / 2)


def test_linuxcnc_sherline_mill_needs_156_us_a_step_and_a_50_us_base_period_does():
    step_mm = 0.4 * INCH_MM / 6400
    rate = figures.step_rate(0.4 * INCH_MM, step_mm)
    assert rate == pytest.approx(6400)
    assert int(1e6 / rate) == 156
    assert min(figures.highest_rates(50e-6)) > rate


def test_linuxcnc_next_regular_rate_below_50_khz_is_25_khz():
    rates = figures.regular_rates(50000, 1 / 20e-6)
    assert rates == pytest.approx((50000, 25000))
    # "Any speed requiring pulses between 25 kHz and 50 kHz" has no regular ones
    assert figures.regular_rates(30000, 1 / 20e-6) == pytest.approx((50000, 25000))
    assert rates.granularity == pytest.approx(25000)


def test_linuxcnc_a_millisecond_at_10_m_s2_is_5_um_the_default_ferror():
    error_mm = figures.acceleration_error_mm(10000, 0.001)
    assert error_mm == pytest.approx(0.005)
    assert error_mm == pytest.approx(0.0050)


def test_linuxcnc_m2_has_88_9_steps_a_mm_and_needs_22_um():
    step_mm = driven_step_mm(36, 16)
    assert round(1 / step_mm, 1) == 88.9
    assert round(step_mm, 3) == 0.011
    limits = figures.recommend(100, 0.025, 1 / 88.9)
    assert round(limits.min_ferror_mm, 3) == 0.022
    # PNCConf's default, and what two orders of magnitude more make of it
    with pytest.raises(LimitsError, match="at least 0.0225"):
        rail_limits(None, 0.0005, 100, 0.025, step_mm)
    assert rail_limits(None, 0.0005 * 100, 100, 0.025, step_mm).min_ferror_mm == 0.05


def test_linuxcnc_finer_microsteps_are_9_um_and_the_picked_limits_fit():
    step_mm = driven_step_mm(36, 20)
    assert step_mm == pytest.approx(36 / 4000)
    assert step_mm == pytest.approx(0.009)
    assert round(1 / step_mm, 1) == 111.1
    picked = rail_limits(0.050, 0.020, 100, 0.025, step_mm)
    assert picked[:2] == (0.050, 0.020)
    least = figures.recommend(100, 0.025, step_mm).min_ferror_mm
    assert least == pytest.approx(0.018)
    assert least < picked.min_ferror_mm
    assert picked.ferror_mm > figures.acceleration_error_mm(10000, 0.001)


def test_linuxcnc_figures_come_from_the_command_too(capsys):
    rows, text = report(
        capsys,
        *("--step-distance", 36 / 3200, "--homing-speed", 15, "--max-speed", 562.5),
        *("--accel", 10000, "--latency", 0.001, "--base-period", 20e-6),
    )
    assert "a*t^2/2 at the acceleration junction (1 ms): 0.005 mm" in text
    assert "20 us allows 25000 steps/s, or 50000 with a whole pulse in one interrupt" in text
    assert rows["step rate, steps/s"][-1] == "50000"
    assert rows["granularity, base period 20 us, steps/s"][-1] == "25000"
    assert text.endswith("min_ferror: 0.022500\n")


# The thread "Barriers to Multi_Mcu Homing on Multi_Mcu Shared Axis?"


@pytest.mark.parametrize(
    "speed_mm_s, delay_s, far_mm",
    [(15, 0.001, 0.015), (15, 0.002, 0.03), (10, 0.04, 0.4)],
)
def test_klipper_thread_speed_times_latency(speed_mm_s, delay_s, far_mm):
    assert figures.overshoot_mm(speed_mm_s, delay_s) == pytest.approx(far_mm)


def test_klipper_thread_bluetooth_is_20_layers_and_5_ms_more_than_two():
    assert figures.overshoot_mm(10, 0.04) / 0.02 == pytest.approx(20)
    assert figures.overshoot_mm(10, 0.005) / 0.02 > 2


def test_klipper_thread_five_steps_are_62_5_um_and_five_probes_of_them_0_3125_mm():
    step_mm = driven_step_mm(40, 16)
    assert step_mm == pytest.approx(0.0125)
    assert 5 * step_mm == pytest.approx(0.0625)
    assert 5 * 5 * step_mm == pytest.approx(0.3125)


def test_klipper_thread_12_steps_between_two_halts_are_2_ms_at_15_mm_s():
    halts = {"stepper_z": -2000, "stepper_z1": -2002, "stepper_z2": -2012, "stepper_z3": -2010}
    steps = {name: max(halts.values()) - halt for name, halt in halts.items()}
    assert list(steps.values()) == [0, 2, 12, 10]
    # Its heights are multiples of 0.0025 mm
    far_mm = figures.overshoot_mm(15, 0.002)
    assert far_mm / 0.0025 == pytest.approx(max(steps.values()))


def test_klipper_thread_figures_come_from_the_command_too(capsys):
    rows, _ = report(
        capsys,
        *("--step-distance", 0.0025, "--homing-speed", 15, "--max-speed", 30),
        *("--accel", 350, "--latency", 0.002),
    )
    assert rows["expected overshoot (2 ms), mm"] == ["0.03", "0.06"]
    assert rows["expected overshoot (2 ms), steps"] == ["12", "24"]
    assert rows["worst overshoot (25 ms), mm"] == ["0.375", "0.75"]


# The arithmetic itself


@given(st.floats(1.0, 1e6), st.floats(1e3, 4e8))
def test_a_wanted_rate_lies_between_two_neighbouring_regular_ones(wanted, clock_hz):
    if wanted > clock_hz:
        with pytest.raises(ValueError, match="more than one in a tick"):
            figures.regular_rates(wanted, clock_hz)
        return
    rates = figures.regular_rates(wanted, clock_hz)
    assert rates.below < wanted <= rates.above * (1 + 1e-9)
    assert clock_hz / rates.below - clock_hz / rates.above == pytest.approx(1, rel=1e-3)


@given(st.floats(0.1, 2000), st.floats(0.001, 0.3), st.floats(1e-5, 0.1))
def test_recommended_limits_are_the_extras_own_and_survive_being_written_down(speed, timeout, step):
    own = rail_limits(None, None, speed, timeout, step)
    limits = figures.recommend(speed, timeout, step)
    assert 0 <= limits.ferror_mm - own.ferror_mm < 2e-6
    assert 0 <= limits.min_ferror_mm - own.min_ferror_mm < 2e-6
    written = ["%.6f" % (limit,) for limit in limits[:2]]
    assert rail_limits(*map(float, written), speed, timeout, step) == limits


# Which axes a printer.cfg has


def axes_of(sample, tmp_path, *changes):
    path = tmp_path / "printer.cfg"
    text = sample.printer_cfg()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)
    return {axis.name: axis for axis in shared_axes(ConfigFile(path))}


def test_shared_axis_is_read_from_printer_cfg(tmp_path):
    sample = SamplePrinter(z_gear_ratios=("80:16", "64:16"), probe_speed_mm_s=7.5)
    axes = axes_of(sample, tmp_path, ("second_homing_speed", "second_retract_speed"))
    assert list(axes) == ["z"]
    z = axes["z"]
    assert z.stepper_mcus == dict(zip(sample.z_names, sample.z_mcus))
    assert (z.finest_step_mm, z.coarsest_step_mm) == pytest.approx((0.0025, 0.003125))
    assert z.speeds_mm_s == {"homing": 7.5, "probing": 7.5, "maximum": 30.0}
    assert z.accel_mm_s2 == 350.0


def test_speeds_left_out_are_klippers_defaults_and_none_is_above_the_maximum(tmp_path):
    sample = SamplePrinter(x_mcus=("mcu", "x1"))
    changes = [("max_z_velocity: 30\n", ""), ("max_z_accel: 350\n", "")]
    changes += [("\nspeed: 10.0", ""), ("\nhoming_speed: 10.0", "")]
    axes = axes_of(sample, tmp_path, *changes, ("max_velocity: 300", "max_velocity: 40"))
    assert axes["z"].speeds_mm_s == {"homing": 5.0, "probing": 5.0, "maximum": 40.0}
    assert axes["z"].accel_mm_s2 == 3000.0
    assert axes["x"].speeds_mm_s == {"homing": 40.0, "maximum": 40.0}


@pytest.mark.parametrize("kinematics", ["cartesian", "corexy", "corexz", "hybrid_corexy"])
def test_each_rail_with_several_mcus_is_one_axis(kinematics, tmp_path):
    mcus = {"x": ("mcu",), "y": ("mcu", "y1"), "z": ("z", "z1")}
    axes = axes_of(SwitchPrinter(kinematics, mcus), tmp_path)
    assert {name: list(axis.stepper_mcus.values()) for name, axis in axes.items()} == {
        "y": ["mcu", "y1"],
        "z": ["z", "z1"],
    }
    assert axes["y"].speeds_mm_s == {"homing": 50.0, "maximum": 300.0}
    assert axes["z"].speeds_mm_s == {"homing": 10.0, "maximum": 30.0}


def test_steppers_of_a_hybrid_rail_that_turn_the_other_way_are_one_axis(tmp_path):
    axes = axes_of(SwitchPrinter("hybrid_corexy", {"x": ("mcu", "x1", "x2")}), tmp_path)
    assert axes["x"].stepper_mcus == {"stepper_x1": "x1", "stepper_x2": "x2"}


def test_steppers_with_switches_of_their_own_are_one_axis(tmp_path):
    printer = SwitchPrinter("cartesian", {"y": ("mcu", "y1")}, own_switches=("y",))
    assert list(axes_of(printer, tmp_path)) == ["y"]


def test_carriages_of_generic_cartesian_are_found_by_what_a_stepper_moves(tmp_path):
    steppers = {"a": ("mcu", "x+y"), "a1": ("m1", "x+y"), "b": ("mcu", "x-y")}
    steppers.update({"zl": ("z0", "z"), "zr": ("z1", "z")})
    axes = axes_of(GenericPrinter(steppers), tmp_path)
    assert {name: list(axis.stepper_mcus.values()) for name, axis in axes.items()} == {
        "x+y": ["mcu", "m1"],
        "z": ["z0", "z1"],
    }
    assert axes["z"].max_speed_mm_s == 30.0


# The command


def test_report_of_a_printer_ends_with_a_section_that_the_extra_takes(tmp_path, capsys):
    path = tmp_path / "printer.cfg"
    path.write_text(SamplePrinter(z_gear_ratios=("77:16",)).printer_cfg())
    rows, text = report(capsys, path, "--latency", 0.001, "--clock", 1e6)
    assert "Axis z: stepper_z on z0, stepper_z1 on z1, stepper_z2 on z2, stepper_z3 on z3" in text
    assert rows["speed, mm/s"] == ["10", "10", "30"]
    assert rows["limit, mm"] == rows["worst overshoot (25 ms), mm"] == ["0.25", "0.25", "0.75"]
    assert rows["expected overshoot (1 ms), mm"] == ["0.01", "0.01", "0.03"]
    # 3850 steps/s are 259.7 ticks of 1 us each
    assert float(rows["granularity, clock 1 MHz, steps/s"][0]) == pytest.approx(1e6 / 259 / 260)
    section = ConfigFile(tmp_path / "paste.cfg", text[text.index("[multi_mcu_resync]") :])
    options = section.required_section("multi_mcu_resync")
    step_mm = 40 / (3200 * 77 / 16)
    limits = rail_limits(
        options.get_float("ferror"), options.get_float("min_ferror"), 30, 0.025, step_mm
    )
    assert limits.min_ferror_mm == pytest.approx(2 * step_mm, abs=2e-6)


# Homing and probing at 10 mm/s, at most 30; steps of 2.5 um
@pytest.mark.parametrize(
    "options, verdict",
    [
        ({}, "ferror and min_ferror are missing, so these are used"),
        ({"ferror": 0.75, "min_ferror": 0.005}, "ferror 0.750000 and min_ferror 0.005000 are need"),
        # Without min_ferror it is as wide at any speed
        ({"ferror": 0.75}, "ferror 0.750000 is kept"),
        ({"min_ferror": 0.005}, "min_ferror 0.005000 is needless, the defaults are the same"),
        ({"ferror": 0.3, "min_ferror": 0.01}, "ferror 0.300000 and min_ferror 0.010000 are kept"),
        (
            {"ferror": 0.03, "min_ferror": 0.005},
            "not kept while homing at 10 mm/s, 0.02 mm are expected and 0.01 allowed: raise",
        ),
        ({"ferror": 0.8}, "ferror 0.800000 never trips in a homing move, no overshoot is more"),
        ({"ferror": 0.001}, "refused at start, 'ferror' must be at least 0.005000, two steps"),
        ({"min_ferror": 0.001}, "refused at start, 'min_ferror' must be at least 0.005000"),
        ({"ferror": 0.1, "min_ferror": 0.2}, "refused at start, 'ferror' must be at least 0.2"),
    ],
)
def test_limits_that_printer_cfg_has_are_judged(tmp_path, capsys, options, verdict):
    path = tmp_path / "printer.cfg"
    path.write_text(SamplePrinter().with_resync(**options).printer_cfg())
    _, text = report(capsys, path)
    assert re.findall(r"^printer.cfg: (.*)$", text, re.MULTILINE)[0].startswith(verdict)


def test_section_that_printer_cfg_lacks_is_said_so(tmp_path, capsys):
    path = tmp_path / "printer.cfg"
    path.write_text(SamplePrinter().without_section().printer_cfg())
    assert "\nprinter.cfg: section [multi_mcu_resync] is missing\n" in report(capsys, path)[1]


def test_axes_with_unlike_limits_get_no_common_one(tmp_path, capsys):
    path = tmp_path / "printer.cfg"
    path.write_text(SamplePrinter(x_mcus=("mcu", "x1")).printer_cfg())
    _, text = report(capsys, path)
    assert "Recommended: ferror 7.500000, min_ferror 0.025000" in text
    assert "Recommended: ferror 0.750000, min_ferror 0.005000" in text
    assert not re.search(r"^(min_)?ferror:", text, re.MULTILINE)


def test_kalicos_timeout_is_read_and_an_option_wins(tmp_path, capsys):
    path = tmp_path / "printer.cfg"
    section = "\n[danger_options]\nmulti_mcu_trsync_timeout: 0.05\n"
    path.write_text(SamplePrinter().printer_cfg() + section)
    assert "worst overshoot (50 ms), mm" in report(capsys, path)[0]
    assert "worst overshoot (10 ms), mm" in report(capsys, path, "--timeout", 0.01)[0]


def test_step_rate_beyond_the_generator_is_called_too_fast(capsys):
    numbers = ["--step-distance", 0.001, "--homing-speed", 10, "--max-speed", 100, "--accel", 1]
    rows, _ = report(capsys, *numbers)
    assert rows["granularity, base period 20 us, steps/s"][1:] == ["too", "fast"]


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-S", "-E", str(SCRIPT), *map(str, arguments)],
        cwd="/",
        capture_output=True,
        text=True,
    )


def test_it_runs_with_the_standard_library_alone_from_anywhere(tmp_path):
    path = tmp_path / "printer.cfg"
    path.write_text(SamplePrinter().printer_cfg())
    done = run(path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "[multi_mcu_resync]\nferror: 0.750000\nmin_ferror: 0.005000\n" in done.stdout
    assert SCRIPT.stat().st_mode & 0o111


def test_missing_file_is_one_line(tmp_path):
    done = run(tmp_path / "none.cfg")
    problem = "none.cfg: cannot be read (No such file or directory)"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"resync_limits: {tmp_path}/{problem}\n"


@pytest.mark.parametrize(
    "old, new, problem",
    [
        ("[printer]", "[prnter]", "section [printer] is missing"),
        ("[stepper_y]", "[stepper_v]", "section [stepper_y] is missing"),
        ("microsteps: 16", "microsteps: x", "'microsteps' in section [stepper_z] is not a whole"),
        ("max_velocity: 300", "max_velocity: inf", "'max_velocity' in section [printer] is not a"),
        ("max_accel: 3000", "max_accel: -1", "'max_accel' in section [printer] must be above 0"),
        ("rotation_distance: 40", "rotation_distance: 1e-9", "the finest step distance of axis z"),
        ("max_z_accel: 350", "max_z_accel: 1e-90", "the acceleration of axis z is 1e-90, not"),
        ("step_pin: z", "step_pin: mcu:z", "no axis has steppers on several MCUs"),
        ("kinematics: corexy", "kinematics: delta", "is not supported: 'delta'"),
        ("[printer]", "printer", "contains no section headers"),
        (
            "[multi_mcu_resync]",
            "[multi_mcu_resync]\nferror: 0",
            "'ferror' in section [multi_mcu_re",
        ),
        ("[printer]", "[printer]\n\0", "printer.cfg"),
    ],
)
def test_bad_printer_cfg_is_one_line(old, new, problem, tmp_path, capsys):
    path = tmp_path / "printer.cfg"
    text = SamplePrinter().printer_cfg()
    assert old in text
    path.write_text(text.replace(old, new))
    assert command.main([str(path)]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(r"resync_limits: .*printer\.cfg.*\n", output.err)
    assert problem in output.err


NUMBERS = ["--step-distance=0.01", "--homing-speed=5", "--max-speed=50"]


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ([], "give a printer.cfg, or all of --step-distance, --homing-speed, --max-speed"),
        (NUMBERS, "give a printer.cfg, or all of"),
        (["printer.cfg", "--accel=5"], "--accel is read from printer.cfg"),
        ([*NUMBERS, "--accel=x"], "argument --accel: 'x' is not a number"),
        ([*NUMBERS, "--accel=inf"], "argument --accel: 'inf' is not between"),
        ([*NUMBERS, "--accel=nan"], "argument --accel: 'nan' is not between"),
        ([*NUMBERS, "--accel=-5"], "argument --accel: '-5' is not between"),
        ([*NUMBERS, "--accel=0"], "argument --accel: '0' is not between"),
        ([*NUMBERS, "--accel=9", "--latency=1e99"], "argument --latency: '1e99' is not between"),
        ([*NUMBERS[:2], "--max-speed=4", "--accel=9"], "--homing-speed is more than --max-speed"),
        (["--speed=5"], "unrecognized arguments: --speed=5"),
    ],
)
def test_bad_option_is_one_line(arguments, problem, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert re.fullmatch(r"resync_limits: .*\n", output.err)
    assert problem in output.err
