# Step 1: the configuration
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator

from resync.model.following_error import rail_limits

from printer_config import mcus, motion
from printer_config.section import ConfigError
from scripts.owner.limits import figures, given

from ..context import Context
from ..errors import TrialError
from ..printer import RESYNC
from ..rows import LOOK, PASSED, STOP, Row

NAME = "configuration"
# What docs/Guide.md advises
MOST_HOMING_MM_S, MOST_PROBING_MM_S = 10.0, 5.0
_LATENCY_S = 0.002


def run(trial: Context) -> Iterator[Row]:
    """Read printer.cfg and what the extra has made of it."""
    status = trial.printer.status("print_stats", "idle_timeout", RESYNC)
    if status.get("print_stats", {}).get("state") in ("printing", "paused"):
        yield Row(NAME, STOP, "a print is under way", "let it end first", "printing")
    # What is not there has no fields
    if not status.get(RESYNC):
        yield Row(
            NAME,
            STOP,
            "the extra is not loaded",
            "install it, add [%s] with 'correct: False' to printer.cfg, and RESTART" % (RESYNC,),
            "not_loaded",
        )
        return
    try:
        yield from _axes(trial)
        yield from _limits(trial)
        yield from _speeds(trial)
    except (ConfigError, TrialError) as e:
        yield Row(NAME, STOP, str(e), "correct printer.cfg and RESTART", "configuration")
        return
    yield from _boards(trial)
    if "z" in trial.machine.axes and not trial.machine.levelling_command:
        yield Row(
            NAME,
            LOOK,
            "printer.cfg has neither [quad_gantry_level] nor [z_tilt]",
            "homing does not make an axis level: see that something does",
            "no_levelling",
        )


def _axes(trial: Context) -> Iterator[Row]:
    machine = trial.machine
    if not machine.boards:
        yield Row(NAME, STOP, "the extra resyncs no axis", "see option 'axes'", "no_axis")
    for name in machine.other_axes:
        what = "axis %s is not one of x, y and z" % (name,)
        yield Row(NAME, LOOK, what, "go through the Guide's steps with it by hand", "other_axis")
    for axis in machine.shared:
        places = ", ".join("%s on %s" % place for place in axis.stepper_mcus.items())
        resynced = [name.replace(" ", "_") for name in machine.boards]
        missing = [name for name in axis.stepper_mcus if name not in resynced]
        if missing:
            what = "axis %s (%s) is not resynced" % (axis.name, places)
            advice = "its steppers home to endstops of their own, or option 'axes' leaves it out"
            yield Row(NAME, LOOK, what, advice, "not_resynced")
        else:
            yield Row(NAME, PASSED, "axis %s: %s" % (axis.name, places))


def _limits(trial: Context) -> Iterator[Row]:
    config = trial.machine.config
    present = given.read(config)
    timeout_s = motion.trsync_timeout_s(config)
    for axis in trial.machine.shared:
        recommended = figures.recommend(axis.max_speed_mm_s, timeout_s, axis.coarsest_step_mm)
        limits = rail_limits(None, None, axis.max_speed_mm_s, timeout_s, axis.coarsest_step_mm)
        if present.ferror_mm is None and present.min_ferror_mm is None:
            text = "axis %s: limits are the defaults, %.6g mm at full speed"
            yield Row(NAME, PASSED, text % (axis.name, limits.ferror_mm))
            continue
        for line in given.verdicts(present, axis, timeout_s, _LATENCY_S, recommended):
            what = "axis %s: %s" % (axis.name, line.partition(": ")[2])
            if line.endswith(" kept"):
                yield Row(NAME, PASSED, what)
            else:
                yield Row(NAME, LOOK, what, "see scripts/resync_limits.py", "limits")


def _speeds(trial: Context) -> Iterator[Row]:
    most_mm_s = {"homing": MOST_HOMING_MM_S, "probing": MOST_PROBING_MM_S}
    for axis in trial.machine.shared:
        if "z" not in axis.name:
            continue
        for kind, most in most_mm_s.items():
            speed = axis.speeds_mm_s.get(kind, 0.0)
            if speed > most:
                yield Row(
                    NAME,
                    LOOK,
                    "axis %s is %s at %g mm/s" % (axis.name, kind, speed),
                    "%g mm/s or less overshoots less" % (most,),
                    "fast",
                )


def _boards(trial: Context) -> Iterator[Row]:
    found = trial.printer.mcus()
    versions = {name: str(mcu.get("mcu_version", "")) for name, mcu in found.items()}
    if len(set(versions.values())) > 1:
        yield Row(
            NAME,
            LOOK,
            "firmware differs: %s" % (", ".join("%s %s" % one for one in versions.items()),),
            "build and flash all boards from the same Klipper",
            "firmware",
        )
    else:
        yield Row(NAME, PASSED, "%d boards, all with the same firmware" % (len(versions),))
    config = trial.machine.config
    is_can = {
        bool(mcus.can_interface(mcus.section(config, board)))
        for board in trial.machine.boards.values()
    }
    if len(is_can) > 1:
        yield Row(
            NAME,
            LOOK,
            "some boards of the shared axes are on CAN, others are not",
            "connect the boards of one axis in the same way: their latencies are then alike",
            "mixed_links",
        )
