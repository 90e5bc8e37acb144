# What the end-to-end tests do to a printer, and how they look at it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from typing import Dict, List, NamedTuple

import pytest

LEVEL_HEIGHT_MM = 10.0
Z_OFFSET_MM = 1.0
# The host writes its statistics each second
STATISTICS_S = 1.01

MM = r"[+-]\d+\.\d{6}"
STEPPER = re.compile(r"(\S+)=([^,\s]+),([+-]\d+),(%s),([+-]\d+),(%s)" % (MM, MM))
RAIL = re.compile(
    r"rail=(\S+) endstop=(\S+) triggered=([01]) direction=([+-][01])"
    r" speed=(\d+\.\d{6}) target=(-?\d+\.\d{6}) corrected=([01])((?: %s)+)"
    % (re.sub(r"\((?!\?)", "(?:", STEPPER.pattern),)
)


def host_has(host, module, text=""):
    """Whether a host has such a module among its extras, and such a text in it."""
    path = host.klippy / "extras" / (module + ".py")
    return path.exists() and text in path.read_text(encoding="utf-8")


def skip_without(host, module, text=""):
    """Skip on a host that has no such module among its extras, or no such text in it."""
    if not host_has(host, module, text):
        pytest.skip("%s has no %s %s" % (host.name, module, text))


class LoggedStepper(NamedTuple):
    mcu: str
    overshoot_steps: int
    overshoot_mm: float
    correction_steps: int
    residual_mm: float


class LoggedRail(NamedTuple):
    rail: str
    endstop: str
    triggered: bool
    direction: int
    speed_mm_s: float
    target_mm: float
    corrected: bool
    steppers: Dict[str, LoggedStepper]


class LoggedMove(NamedTuple):
    rails: List[LoggedRail]
    error: str


def logged_rail(text):
    """A rail's part of a log line; every character of it is accounted for."""
    rail, endstop, triggered, direction, speed, target, corrected, steppers = RAIL.fullmatch(
        text
    ).groups()
    by_name = {
        name: LoggedStepper(mcu, int(steps), float(mm), int(correction), float(residual))
        for name, mcu, steps, mm, correction, residual in STEPPER.findall(steppers)
    }
    flags = triggered == "1", int(direction), float(speed), float(target), corrected == "1"
    return LoggedRail(rail, endstop, *flags, by_name)


def logged_move(line):
    """What the log line of a homing move says."""
    fields, _, error = line.partition("multi_mcu_resync: ")[2].partition("error=")
    rails = [logged_rail(part) for part in fields.strip().split(" ; ") if part]
    return LoggedMove(rails, error)


def log_of_moves(printer):
    """The log, with the lines of all homing moves: they wait for the host's statistics."""
    printer.sleep(STATISTICS_S)
    return printer.log()


def logged_moves(printer):
    """All homing moves in the log."""
    lines = re.findall(r"^multi_mcu_resync: (?:rail|error)=.*", log_of_moves(printer), re.MULTILINE)
    return [logged_move(line) for line in lines]


def probe_at_random(printer, count, seed=1):
    """Probe at random places, from the same commanded height each time."""
    rng = random.Random(seed)
    for _ in range(count):
        x_mm, y_mm = rng.uniform(20, 280), rng.uniform(10, 250)
        printer.gcode("G90\nG1 Z%.3f F600" % (LEVEL_HEIGHT_MM,))
        printer.gcode("G1 X%.3f Y%.3f F9000\nPROBE" % (x_mm, y_mm))


def level_truth(printer, rail="stepper_z"):
    """The true positions of a rail's steppers at one commanded height."""
    printer.gcode("G90\nG1 Z%.3f F600\nM400" % (LEVEL_HEIGHT_MM,))
    truth = printer.stepper_truth()
    return {name: t for name, t in truth.items() if name.startswith(rail)}


def start_homed(start, sample, **start_options):
    """A printer that has homed and compared its counts, and its level_truth()."""
    printer = start(sample, **start_options)
    printer.gcode("G28")
    before = level_truth(printer)
    printer.sleep(0.5)
    return printer, before


def in_sync(printer, axis="z"):
    """What the extra claims of an axis."""
    return printer.status("multi_mcu_resync")["in_sync"][axis]


def assert_healthy(printer, before):
    """Neither shut down nor out of step, and nothing gives a wrong reason to think so."""
    assert printer.state() == "ready"
    assert in_sync(printer) is True
    assert skew_gained_mm(before, level_truth(printer)) == pytest.approx(0, abs=1e-9)
    assert "Traceback" not in printer.log()


def skew_gained_mm(before, after):
    """Largest difference between two steppers in how far they have moved."""
    # What subtracting leaves in the last place is no way
    moved_mm = [round(after[n].position_mm - before[n].position_mm, 9) for n in before]
    return max(moved_mm) - min(moved_mm)


def told_positions(printer, kind):
    """What GET_POSITION shows of each stepper ("mcu" or "stepper"), as text."""
    line = re.search(r"\b%s: (.*)" % (kind,), "\n".join(printer.gcode("GET_POSITION"))).group(1)
    found = re.findall(r"((?:stepper|dual_carriage)[ \w]*):(-?[\d.]+)", line)
    # [stepper a] of generic_cartesian is called stepper_a by the virtual printer
    return {name.replace(" ", "_"): position for name, position in found}


def host_counts(printer):
    """The mcu position of each stepper as the host believes it."""
    return {name: int(p) for name, p in told_positions(printer, "mcu").items()}


def pulses(printer, name):
    """Pulses (up, down) of a stepper since they were last reset."""
    reply = printer.control("pulses %s" % (name,)).split()
    return int(reply[-2]), int(reply[-1])


def probed_height_mm(lines):
    """The toolhead's height at the trigger, from what PROBE said."""
    text = "\n".join(lines)
    height_mm = float(re.search(r"\bz=(-?[\d.]+)", text).group(1))
    # Since v0.13 (2025) PROBE reports the bed's height instead
    return height_mm + Z_OFFSET_MM if "bed will contact" in text else height_mm


def commanded_mm(printer):
    """Where the host believes each stepper stands (mm)."""
    return {name: float(p) for name, p in told_positions(printer, "stepper").items()}


def mapping_skew_mm(printer, names):
    """By how much each stepper's true position differs from the first one's.

    Measured against what the host believes of it, so that whole steps and the
    coordinate of the moment play no part.
    """
    believed_mm = commanded_mm(printer)
    truth = printer.stepper_truth()
    errors_mm = [truth[n].position_mm - believed_mm[n] for n in names]
    return [error_mm - errors_mm[0] for error_mm in errors_mm]
