# Random printers for the fault campaign, each with its G-code
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from dataclasses import dataclass, replace
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from scripts.developer.faults.random_scripts import Command, Scripter
from virtual_printer.samples import SamplePrinter, config_text, numbered
from virtual_printer.unusual_samples import DUAL, SwitchPrinter

GEARS_NEAR_1 = ("77:73", "80:77")
GEARS = ("80:16", "75:16", "77:16", "73:16")
MOTOR_STEP_MM = 40.0 / 200 / 16
XY_SPEED_MM_S = 50.0
# Of MCUs, the fastest last
CLOCKS_HZ = (16000000, 64000000, 72000000, 180000000, 520000000)
TRIGGER_HEIGHT_MM = 1.0
XY_ENDSTOP_MM = 300.0
PROBE_PIN = "PB6"
STOW = """
[gcode_macro STOW]
variable_left: 0
gcode:
    {% if left %}
    SET_GCODE_VARIABLE MACRO=STOW VARIABLE=left VALUE={left - 1}
    {% endif %}
    { action_raise_error("stow failed") if left == 1 else "" }
"""


HANDLERS = "\n[fault_handlers]\n"
DrawScript = Callable[[Scripter], List[Command]]
SIGNS: Dict[str, Mapping[str, Mapping[str, int]]] = {
    "cartesian": {"x": {"x": 1}, "y": {"y": 1}, "z": {"z": -1}},
    "corexy": {"x": {"x": 1, "y": 1}, "y": {"x": 1, "y": -1}, "z": {"z": -1}},
    "two carriages": {"x": {"x": -1}, DUAL: {DUAL: 1}, "y": {"y": 1}, "z": {"z": -1}},
}


@dataclass(frozen=True)
class Rail:
    """Steppers of one axis that sit on several MCUs."""

    axis: str
    steppers: Tuple[str, ...]
    mcus: Tuple[str, ...]
    step_mm: float  # the largest of them
    has_own_endstops: bool = False


@dataclass(frozen=True)
class RandomPrinter:
    """A sample printer with all that a run has to know of it.

    homing_signs has, by the axis that is homed, the direction in which the steppers of the
    shared rails turn.
    """

    sample: Union[SamplePrinter, SwitchPrinter]
    rails: Tuple[Rail, ...]
    probe_mcu: str
    printer_cfg: str
    machine_cfg: str
    latency_us: Optional[str]
    script: Tuple[Command, ...]
    homing_signs: Mapping[str, Mapping[str, int]]

    @property
    def mcus(self) -> List[str]:
        """All MCUs that have to do with shared rails, each once."""
        names = [mcu for rail in self.rails for mcu in rail.mcus]
        return list(dict.fromkeys([*names, self.probe_mcu]))

    @property
    def shuts_down(self) -> bool:
        """Whether its owner wants a shutdown where an error is too large."""
        return (self.sample.resync or {}).get("on_ferror") == "shutdown"

    @property
    def can_level(self) -> bool:
        """Whether it has a command that levels."""
        return isinstance(self.sample, SamplePrinter)

    def levels(self, rail: Rail) -> bool:
        """Whether that command levels a rail."""
        return self.can_level and rail.axis == "z"

    def speed_mm_s(self, axis: str) -> float:
        """Homing or probing speed."""
        assert isinstance(self.sample, SamplePrinter)
        return self.sample.probe_speed_mm_s if axis == "z" else XY_SPEED_MM_S

    def endstop(self, axis: str) -> Tuple[str, str]:
        """MCU and pin of the endstop that a move of this axis ends at."""
        assert isinstance(self.sample, SamplePrinter)
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
        directions = self.homing_signs.get(axis, {})
        return {
            name: directions[rail.axis]
            for rail in self.rails
            for name in rail.steppers
            if rail.axis in directions
        }


def draw_printer(
    rng: random.Random,
    is_tight: bool = False,
    options: Mapping[str, object] = {},
    draw_script: DrawScript = Scripter.usual,
    sections: str = "",
) -> RandomPrinter:
    """A printer and its G-code; its limits may be so tight that a slow link exceeds them.

    options are those of [multi_mcu_resync] that are not left to chance, sections the text of
    further sections of its printer.cfg.
    """
    sample = _draw_sample(rng)
    rails = _shared_rails(sample)
    probe_mcu = rng.choice(["toolhead", "toolhead", "mcu", *sample.z_mcus])
    fastest_mm_s = XY_SPEED_MM_S if len(rails) > 1 else sample.probe_speed_mm_s
    drawn = _draw_options(rng, fastest_mm_s if is_tight else None)
    sample = sample.with_resync(**{**drawn, **options})
    text = "[fault_watch]\n\n" + sample.printer_cfg() + STOW + sections + HANDLERS
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
        sample.machine_cfg()
        + "\n"
        + config_text(_slow_clocks(sample) if is_tight else _draw_links(rng, sample)),
        latency_us,
        tuple(draw_script(_scripter(rng, sample, rails))),
        SIGNS[sample.kinematics],
    )


def draw_printer_with_two_carriages(
    rng: random.Random, options: Mapping[str, object] = {}
) -> RandomPrinter:
    """A printer with two carriages on X, mostly with unlike steppers, and its G-code."""
    mcus = {"x": ("mcu", "x1"), DUAL: rng.choice([("mcu", "d1"), ("x1", "d1")])}
    if rng.random() < 0.5:
        mcus["z"] = ("mcu", "z1")
    resync = {**_draw_options(rng, None), **options}
    sample = SwitchPrinter("cartesian", mcus, resync=resync)
    text = "[fault_watch]\n\n" + sample.printer_cfg() + HANDLERS
    if rng.random() < 0.7:
        for name in ("stepper_x1", DUAL + "1"):
            header = "[%s]\n" % (name,)
            assert header in text
            text = text.replace(header, header + "gear_ratio: %s\n" % (rng.choice(GEARS_NEAR_1),))
    rails = [
        Rail(axis, (first, numbered(first, 1)), mcus[axis], MOTOR_STEP_MM)
        for axis, first in (("x", "stepper_x"), (DUAL, DUAL), ("z", "stepper_z"))
        if axis in mcus
    ]
    scripter = Scripter(rng, 0, ["x"], [name for rail in rails for name in rail.steppers])
    return RandomPrinter(
        sample,
        tuple(rails),
        "mcu",
        text,
        sample.machine_cfg(),
        rng.choice([None, "50:200:1000:500"]),
        tuple(scripter.changing_carriages()),
        SIGNS["two carriages"],
    )


def _scripter(rng: random.Random, sample: SamplePrinter, rails: Sequence[Rail]) -> Scripter:
    shared = [rail.axis for rail in rails]
    is_coupled = sample.kinematics == "corexy" and ("x" in shared or "y" in shared)
    homing = [axis for axis in "xy" if axis in shared or is_coupled]
    steppers = [name for rail in rails for name in rail.steppers]
    return Scripter(rng, len(sample.z_mcus), homing, steppers)


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
        retries=rng.choice([0, 5]),
    )
    if rng.random() < 0.35:
        sample = replace(sample, x_mcus=rng.choice([("mcu", "x1"), ("x0", "x1")]))
    if rng.random() < 0.2:
        # A gantry that is squared by two endstops is moved by Y alone
        is_squared = sample.kinematics == "cartesian" and rng.random() < 0.6
        sample = replace(sample, y_mcus=("mcu", "x1"), y_own_endstops=is_squared)
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
        has_own_endstops = axis == "y" and sample.y_own_endstops
        rails.append(Rail(axis, names, mcus, step_mm, has_own_endstops))
    return tuple(rails)


def _mcu_names(sample: SamplePrinter) -> List[str]:
    names = ["mcu", *sample.x_mcus, *sample.y_mcus, *sample.z_mcus, "toolhead"]
    return list(dict.fromkeys(names))


def _slow_clocks(sample: SamplePrinter) -> Dict[str, Dict[str, object]]:
    """For links that are slow for seconds.

    The host takes no sample of a clock from such a link, and is 2^32 ticks wrong once more than
    half of these have passed: the printer then shuts down, with and without the extra.
    """
    return {
        "mcu" if name == "mcu" else "mcu %s" % (name,): {
            "frequency": CLOCKS_HZ[i % (len(CLOCKS_HZ) - 1)]
        }
        for i, name in enumerate(_mcu_names(sample))
    }


def _draw_links(rng: random.Random, sample: SamplePrinter) -> Dict[str, Dict[str, object]]:
    """What the seed would draw more tamely: slow links, wild clocks."""
    sections: Dict[str, Dict[str, object]] = {}
    for name in _mcu_names(sample):
        options: Dict[str, object] = {}
        if rng.random() < 0.5:
            options["delay_to_mcu_us"] = round(rng.uniform(50.0, 2500.0))
            options["delay_to_host_us"] = round(rng.uniform(50.0, 2500.0))
            options["jitter_us"] = round(rng.uniform(0.0, 500.0))
        if rng.random() < 0.5:
            options["frequency"] = rng.choice(CLOCKS_HZ)
            options["drift_ppm"] = round(rng.uniform(-100.0, 100.0), 1)
        if options:
            sections["mcu" if name == "mcu" else "mcu %s" % (name,)] = options
    return sections
