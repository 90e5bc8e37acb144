# Random printers, and random G-code that homes and probes with them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from dataclasses import dataclass, replace
from typing import Dict, List, Mapping, Optional, Tuple

from virtual_printer.samples import SamplePrinter, config_text, numbered

GEARS = ("80:16", "75:16", "77:16", "73:16")
MOTOR_STEP_MM = 40.0 / 200 / 16
XY_SPEED_MM_S = 50.0
TRIGGER_HEIGHT_MM = 1.0
XY_ENDSTOP_MM = 300.0
PROBE_PIN = "PB6"
COMMANDS = ("home z", "home all", "probe", "accuracy", "level", "mesh", "mesh", "xy")
STOW = """
[gcode_macro STOW]
variable_left: 0
gcode:
    {% if left %}
    SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE={left - 1}
    {% endif %}
    { action_raise_error("stow failed") if left == 1 else "" }
"""


@dataclass(frozen=True)
class Rail:
    """Steppers of one axis that sit on several MCUs."""

    axis: str
    steppers: Tuple[str, ...]
    mcus: Tuple[str, ...]
    step_mm: float  # the largest of them


@dataclass(frozen=True)
class Command:
    """G-code, and the axes of its homing moves in which a shared rail moves."""

    gcode: str
    moves: Tuple[str, ...] = ()


@dataclass(frozen=True)
class RandomPrinter:
    """A sample printer with all that a run has to know of it."""

    sample: SamplePrinter
    rails: Tuple[Rail, ...]
    probe_mcu: str
    printer_cfg: str
    machine_cfg: str
    latency_us: Optional[str]
    script: Tuple[Command, ...]

    def speed_mm_s(self, axis: str) -> float:
        """Homing or probing speed."""
        return self.sample.probe_speed_mm_s if axis == "z" else XY_SPEED_MM_S

    def endstop(self, axis: str) -> Tuple[str, str]:
        """MCU and pin of the endstop that a move of this axis ends at."""
        if axis == "z":
            return self.probe_mcu, PROBE_PIN
        if axis == "x":
            return self.sample.x_mcus[0], "PC15"
        return self.sample.y_mcus[0], "PD15"

    def rail(self, axis: str) -> Rail:
        """A shared rail that moves when this axis is homed."""
        found = {rail.axis: rail for rail in self.rails}
        return found.get(axis) or found["y" if axis == "x" else "x"]

    def travel_signs(self, axis: str) -> Dict[str, int]:
        """Direction in which the steppers of shared rails turn when this axis is homed."""
        directions = {axis: -1 if axis == "z" else 1}
        if self.sample.kinematics == "corexy" and axis != "z":
            directions = {"x": {"x": 1, "y": 1}, "y": {"x": 1, "y": -1}}[axis]
        return {
            name: directions[rail.axis]
            for rail in self.rails
            for name in rail.steppers
            if rail.axis in directions
        }


def draw_printer(
    rng: random.Random, is_tight: bool = False, options: Mapping[str, object] = {}
) -> RandomPrinter:
    """A printer and its G-code; its limits may be so tight that a slow link exceeds them.

    options are those of [multi_mcu_resync] that are not left to chance.
    """
    sample = _draw_sample(rng)
    rails = _shared_rails(sample)
    probe_mcu = rng.choice(["toolhead", "toolhead", "mcu", *sample.z_mcus])
    fastest_mm_s = XY_SPEED_MM_S if len(rails) > 1 else sample.probe_speed_mm_s
    drawn = _draw_options(rng, fastest_mm_s if is_tight else None)
    sample = sample.with_resync(**{**drawn, **options})
    text = "[fault_watch]\n\n" + sample.printer_cfg() + STOW
    speed = sample.probe_speed_mm_s
    for old, new in (
        ("toolhead:%s" % (PROBE_PIN,), "%s:%s" % (probe_mcu, PROBE_PIN)),
        ("second_homing_speed: 3", "second_homing_speed: %g" % (speed,)),
        ("homing_retract_dist: 5", "homing_retract_dist: 5\nsecond_homing_speed: 50"),
        ("[probe]\n", "[probe]\ndeactivate_gcode:\n    STOW\n"),
    ):
        assert old in text, old
        text = text.replace(old, new)
    latency_us = rng.choice([None, "50:200:1000:500", "200:900:4000:100"])
    if is_tight:
        latency_us = None
    return RandomPrinter(
        sample,
        rails,
        probe_mcu,
        text,
        sample.machine_cfg() + "\n" + config_text({} if is_tight else _draw_links(rng, sample)),
        latency_us,
        tuple(_draw_script(rng, sample, [rail.axis for rail in rails])),
    )


def _draw_options(rng: random.Random, tight_mm_s: Optional[float]) -> Dict[str, object]:
    """Options of [multi_mcu_resync]; limits are tight for homing at a speed, if one is given."""
    options: Dict[str, object] = {
        "target": rng.choice(["trigger", "trigger", "least_travel"]),
        "check_interval": rng.choice([0, 0, 0.7, 3]),
    }
    if tight_mm_s is not None:
        limit_mm = round(tight_mm_s * 0.005 + 0.005, 4)
        options[rng.choice(["max_correction", "max_correction", "ferror"])] = limit_mm
        options["on_ferror"] = rng.choice(["error", "error", "shutdown"])
    else:
        options["on_ferror"] = rng.choice(["error", "shutdown", "warn"])
    return options


def _draw_sample(rng: random.Random) -> SamplePrinter:
    count = rng.choice([2, 3, 4, 4])
    boards = ["mcu", "z0", "z1", "z2", "z3"][: rng.randint(2, 5)]
    z_mcus = [rng.choice(boards) for _ in range(count)]
    if len(set(z_mcus)) == 1:
        z_mcus[0] = next(name for name in boards if name != z_mcus[1])
    gears = rng.choice([GEARS, GEARS, ("80:16",), ("77:16",)])
    sample = SamplePrinter(
        z_mcus=tuple(z_mcus),
        z_gear_ratios=gears,
        z_dir_inverted=tuple(rng.random() < 0.5 for _ in range(count)),
        kinematics=rng.choice(["corexy", "cartesian"]),
        probe_speed_mm_s=round(rng.uniform(3.0, 15.0), 2),
        heights_mm=tuple(round(rng.uniform(19.6, 20.4), 3) for _ in range(4)),
    )
    if rng.random() < 0.35:
        sample = replace(sample, x_mcus=rng.choice([("mcu", "x1"), ("x0", "x1")]))
    if rng.random() < 0.15:
        sample = replace(sample, y_mcus=("mcu", "x1"))
    return sample


def _shared_rails(sample: SamplePrinter) -> Tuple[Rail, ...]:
    rails: List[Rail] = []
    for axis, mcus in (("x", sample.x_mcus), ("y", sample.y_mcus), ("z", sample.z_mcus)):
        if len(set(mcus)) == 1:
            continue
        names = tuple(numbered("stepper_%s" % (axis,), i) for i in range(len(mcus)))
        step_mm = MOTOR_STEP_MM
        if axis == "z":
            used = [sample.z_gear_ratios[i % len(sample.z_gear_ratios)] for i in range(len(mcus))]
            step_mm /= min(int(gear.split(":")[0]) / 16.0 for gear in used)
        rails.append(Rail(axis, names, mcus, step_mm))
    return tuple(rails)


def _draw_links(rng: random.Random, sample: SamplePrinter) -> Dict[str, Dict[str, object]]:
    """What the seed would draw more tamely: slow links, wild clocks."""
    names = ["mcu", *sample.x_mcus, *sample.y_mcus, *sample.z_mcus, "toolhead"]
    sections: Dict[str, Dict[str, object]] = {}
    for name in dict.fromkeys(names):
        options: Dict[str, object] = {}
        if rng.random() < 0.5:
            options["delay_to_mcu_us"] = round(rng.uniform(50.0, 2500.0))
            options["delay_to_host_us"] = round(rng.uniform(50.0, 2500.0))
            options["jitter_us"] = round(rng.uniform(0.0, 500.0))
        if rng.random() < 0.5:
            options["frequency"] = rng.choice([16000000, 64000000, 72000000, 180000000, 520000000])
            options["drift_ppm"] = round(rng.uniform(-100.0, 100.0), 1)
        if options:
            sections["mcu" if name == "mcu" else "mcu %s" % (name,)] = options
    return sections


def _draw_script(rng: random.Random, sample: SamplePrinter, shared: List[str]) -> List[Command]:
    is_coupled = sample.kinematics == "corexy" and ("x" in shared or "y" in shared)
    moving = [axis for axis in "xy" if axis in shared or is_coupled]
    both = tuple(axis for axis in moving for _ in range(2))
    script = [Command("G28", (*both, "z", "z"))]
    level = "QUAD_GANTRY_LEVEL" if len(sample.z_mcus) == 4 else "Z_TILT_ADJUST"
    points = len(sample.z_mcus)
    if rng.random() < 0.6:
        script.append(Command(level, ("z",) * points))
    for _ in range(rng.randint(2, 4)):
        kind = rng.choice(COMMANDS)
        if kind == "home z":
            script.append(Command("G28 Z", ("z", "z")))
        elif kind == "home all":
            script.append(Command("G28", (*both, "z", "z")))
        elif kind == "level":
            script.append(Command(level, ("z",) * points))
        elif kind == "accuracy":
            count = rng.randint(2, 5)
            gcode = "%s\nPROBE_ACCURACY SAMPLES=%d" % (_draw_move(rng), count)
            script.append(Command(gcode, ("z",) * count))
        elif kind == "xy" and moving:
            axis = rng.choice(moving)
            script.append(Command("G28 %s" % (axis.upper(),), (axis,) * 2))
        else:
            count = 1 if kind == "probe" else rng.randint(2, 5)
            lines = ["%s\nPROBE" % (_draw_move(rng),) for _ in range(count)]
            script.append(Command("\n".join(lines), ("z",) * count))
    script.append(Command(_draw_move(rng)))
    return script


def _draw_move(rng: random.Random) -> str:
    return "G90\nG1 Z%.3f F600\nG1 X%.3f Y%.3f F9000" % (
        rng.uniform(3.0, 9.0),
        rng.uniform(20, 280),
        rng.uniform(10, 250),
    )
