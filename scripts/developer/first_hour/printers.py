# Printers to rehearse the first hour on: good ones, and one of each bad kind, by their seed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from dataclasses import dataclass, field, replace
from typing import Callable, Dict, List, Mapping, NamedTuple, Optional, Tuple

from scripts.owner.first_hour.steps import distance, link_check, motors, trigger
from virtual_printer.samples import SamplePrinter, Section, config_text, motor_options

_GEARS = ("80:16", "64:16", "60:12")
_MORE_GEARS = ("80:16", "64:16")
# One way (us); half of what a homing move bears
_SLOW_US = (5000.0, 9000.0)
_OTHER_PIN = "toolhead:PB9"
_LEAVES_AT = ("mid_air", "probe", "level_command", "late_link")
_CUT_AT = ("moved", "press", "distance", "level_command")


class Expected(NamedTuple):
    """The step at which a printer has to be stopped, and the reasons that are right."""

    step: str
    reasons: Tuple[str, ...]


@dataclass(frozen=True)
class Rehearsal:
    """A printer as it is, and printer.cfg as its owner wrote it, both as sections by name.

    machine has more of the truth for the machine file. stuck is the pin that a hand does not
    change, with what it reads; loose is the board whose messages get lost, drifting the one whose
    clock does not keep its rate. At the question leaves_at the owner goes away for so long that
    Klipper switches the motors off, at the question cut_at the power goes.
    """

    sample: SamplePrinter
    printer: Mapping[str, Section]
    truth: Mapping[str, Section]
    expected: Optional[Expected] = None
    machine: Mapping[str, Section] = field(default_factory=dict)
    stuck: Optional[Tuple[str, bool]] = None
    loose: str = ""
    drifting: str = ""
    leaves_at: str = ""
    cut_at: str = ""

    @property
    def printer_cfg(self) -> str:
        """What Klipper reads."""
        return config_text(dict(self.printer))

    @property
    def true_cfg(self) -> str:
        """The printer.cfg that would be right."""
        return config_text(dict(self.truth))

    @property
    def machine_cfg(self) -> str:
        """The rest of the truth."""
        return self.sample.machine_cfg() + "\n" + config_text(dict(self.machine))


def _good(rng: random.Random, may_use_main: bool = True) -> Rehearsal:
    """Boards of one kind, each with a motor on the same pins, as one buys them."""
    count = rng.choice((2, 3, 4))
    mcus = tuple("z%d" % (i,) for i in range(count))
    if may_use_main and rng.random() < 0.3:
        mcus = ("mcu", *mcus[1:])
    is_unlike = rng.random() < 0.25
    gears = tuple(rng.choice(_MORE_GEARS) for _ in mcus) if is_unlike else (rng.choice(_GEARS),)
    sample = SamplePrinter(
        z_mcus=mcus,
        z_gear_ratios=gears,
        z_dir_inverted=tuple(rng.random() < 0.5 for _ in mcus),
        heights_mm=tuple(round(rng.uniform(19.5, 20.5), 2) for _ in mcus),
        probe="bltouch" if rng.random() < 0.2 else "probe",
        probe_speed_mm_s=rng.choice((3.0, 4.0, 5.0)),
        can_mcus=tuple(m for m in (*mcus, "toolhead") if m != "mcu") if rng.random() < 0.2 else (),
        kinematics=rng.choice(("corexy", "cartesian")),
    )
    if sample.kinematics == "cartesian" and rng.random() < 0.4:
        sample = replace(sample, y_mcus=("mcu", "y1"))
    sections = sample.sections()
    for name, mcu in zip(sample.z_names, mcus):
        is_inverted = str(sections[name]["dir_pin"]).startswith("!")
        sections[name].update(motor_options(mcu, "E", 4 if mcu == "mcu" else 0, is_inverted))
    noise: Section = {"noise_um": round(rng.uniform(0.0, 2.0), 2)}
    away = rng.choice(_LEAVES_AT) if rng.random() < 0.3 else ""
    cut = rng.choice(_CUT_AT) if rng.random() < 0.3 else ""
    return Rehearsal(
        sample, sections, sections, machine={"probe": noise}, leaves_at=away, cut_at=cut
    )


# Bad kinds: each takes a good printer, and changes its truth or its printer.cfg


def _changed(printer: Rehearsal, **changes: Section) -> Dict[str, Section]:
    """printer.cfg with other values of some options; an underscore stands for the blank."""
    sections = {name: dict(options) for name, options in printer.printer.items()}
    for name, options in changes.items():
        sections[name].update(options)
    return sections


_MOTOR_PINS = ("step_pin", "dir_pin", "enable_pin")


def _two(printer: Rehearsal, rng: random.Random) -> Tuple[str, str]:
    """Two Z steppers."""
    first, second = rng.sample(printer.sample.z_names, 2)
    return first, second


def _swapped(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    first, second = _two(printer, rng)
    pins = {
        name: {option: printer.truth[name][option] for option in _MOTOR_PINS}
        for name in (first, second)
    }
    # The plugs were exchanged: what printer.cfg says is the cabling that was meant
    truth = _changed(printer, **{first: pins[second], second: pins[first]})
    return replace(printer, truth=truth, expected=Expected(motors.NAME, ("swapped",)))


def _reversed(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    name = rng.choice(printer.sample.z_names)
    pin = str(printer.printer[name]["dir_pin"])
    wrong: Section = {"dir_pin": pin[1:] if pin.startswith("!") else "!" + pin}
    expected = Expected(motors.NAME, ("reversed",))
    return replace(printer, printer=_changed(printer, **{name: wrong}), expected=expected)


def _boards_exchanged(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    places = dict(zip(printer.sample.z_names, printer.sample.z_mcus))
    first, second = ("mcu %s" % (places[name],) for name in _two(printer, rng))
    lines = {name: printer.printer[name] for name in (first, second)}
    sections = dict(_changed(printer))
    sections[first], sections[second] = dict(lines[second]), dict(lines[first])
    return replace(printer, printer=sections, expected=Expected(motors.NAME, ("boards_exchanged",)))


def _any_board(printer: Rehearsal, rng: random.Random) -> str:
    return rng.choice(printer.sample.z_mcus)


def _slow_link(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    delay_us = round(rng.uniform(*_SLOW_US))
    truth: Section = {"delay_to_mcu_us": delay_us, "delay_to_host_us": delay_us}
    return replace(
        printer,
        machine={**printer.machine, "mcu %s" % (_any_board(printer, rng),): truth},
        expected=Expected(link_check.NAME, ("slow_link",)),
    )


def _loose_cable(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    expected = Expected(link_check.NAME, ("loose_cable",))
    return replace(printer, loose=_any_board(printer, rng), expected=expected)


def _drifting_clock(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    expected = Expected(link_check.NAME, ("drifting_clock",))
    return replace(printer, drifting=_any_board(printer, rng), expected=expected)


def _stuck_pin(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    reads = rng.random() < 0.5
    # From outside, a pin that never triggers is stuck or a wrong one
    expected = Expected(trigger.NAME, ("stuck_pin",) if reads else ("wrong_pin",))
    return replace(printer, stuck=("probe", reads), expected=expected)


def _ratio(gears: str) -> float:
    teeth, by = gears.split(":")
    return float(teeth) / float(by)


def _unlike_gears(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    name = rng.choice(printer.sample.z_names)
    right = _ratio(str(printer.printer[name]["gear_ratio"]))
    others = [gear for gear in _MORE_GEARS if _ratio(gear) != right]
    wrong: Section = {"gear_ratio": rng.choice(others)}
    return replace(
        printer,
        printer=_changed(printer, **{name: wrong}),
        expected=Expected(distance.NAME, ("gears",)),
    )


def _probe_pin(printer: Rehearsal, rng: random.Random) -> Rehearsal:
    name = printer.sample.probe
    option = "sensor_pin" if name == "bltouch" else "pin"
    wrong: Section = {option: _OTHER_PIN}
    expected = Expected(trigger.NAME, ("wrong_pin",))
    return replace(printer, printer=_changed(printer, **{name: wrong}), expected=expected)


KINDS: Dict[str, Callable[[Rehearsal, random.Random], Rehearsal]] = {
    "swapped_motors": _swapped,
    "reversed": _reversed,
    "boards_exchanged": _boards_exchanged,
    "slow_link": _slow_link,
    "loose_cable": _loose_cable,
    "drifting_clock": _drifting_clock,
    "stuck_pin": _stuck_pin,
    "unlike_gears": _unlike_gears,
    "probe_pin": _probe_pin,
}


def draw(seed: int, bad: str = "") -> Rehearsal:
    """The printer of a seed, made bad in one of the KINDS."""
    rng = random.Random("%d %s" % (seed, bad))
    # Of a main board that is exchanged for another, more than motors would be wrong
    printer = _good(rng, may_use_main=not bad)
    return KINDS[bad](printer, rng) if bad else printer


def kinds() -> List[str]:
    """All bad kinds."""
    return list(KINDS)
