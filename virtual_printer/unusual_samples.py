# Sample printers with switches on all axes: every kinematics with rails
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import dataclass, field
from typing import Dict, Iterable, List, Mapping, Optional, Tuple

from virtual_printer.samples import Section, config_text, motor_options, numbered

DUAL = "dual_carriage"
_PORTS = {"x": "C", "y": "D", "z": "E", DUAL: "F"}
_RANGES: Dict[str, Section] = {
    "x": {"position_min": -5, "position_endstop": -5, "position_max": 300},
    "y": {"position_min": 0, "position_endstop": 300, "position_max": 300},
    "z": {"position_min": -2, "position_endstop": 0.5, "position_max": 200},
    DUAL: {"position_min": 0, "position_endstop": 310, "position_max": 310},
}


@dataclass(frozen=True)
class SwitchPrinter:
    """A printer with one rail for each axis.

    mcus names the MCU of each stepper of a rail: "x", "y", "z" and, for
    two toolheads, "dual_carriage".  own_switches are the rails whose
    further steppers have a switch of their own, on their own MCU.  resync
    holds the options of [multi_mcu_resync], None leaves the section out.
    """

    kinematics: str
    mcus: Mapping[str, Tuple[str, ...]] = field(default_factory=dict)
    own_switches: Tuple[str, ...] = ()
    resync: Optional[Section] = None

    def printer_cfg(self) -> str:
        """The text of its printer.cfg."""
        rails = {axis: self.mcus.get(axis, ("mcu",)) for axis in "xyz"}
        if DUAL in self.mcus:
            rails[DUAL] = self.mcus[DUAL]
        sections = _common(self.kinematics, rails.values(), self.resync)
        for rail, mcus in rails.items():
            first = rail if rail == DUAL else "stepper_%s" % (rail,)
            for i, mcu in enumerate(mcus):
                options = _motor(mcu, _PORTS[rail], i)
                if i == 0 or rail in self.own_switches:
                    options["endstop_pin"] = "%s:P%s%d" % (mcu, _PORTS[rail], 15 - i)
                if i == 0:
                    options.update(_rail(rail))
                sections[numbered(first, i)] = options
        if DUAL in rails:
            sections[DUAL]["axis"] = "x"
        return config_text(sections)

    def machine_cfg(self) -> str:
        """The physical truth that goes with it: a flat bed, so that heights are easy to tell."""
        heights = ["stepper_z%s" % (i or "",) for i in range(len(self.mcus.get("z", "1")))]
        return _machine_cfg(["z"] if self.kinematics == "corexz" else heights)


@dataclass(frozen=True)
class GenericPrinter:
    """A printer of Klipper's generic_cartesian kinematics.

    carriages maps each carriage to its axis; extras each extra carriage to
    its primary one, duals likewise.  steppers maps each stepper to its MCU
    and the carriages that it moves, as in ("mcu", "x+y").  lifts are the
    names by which the simulation knows what lifts the gantry.
    """

    steppers: Mapping[str, Tuple[str, str]]
    carriages: Mapping[str, str] = field(default_factory=lambda: {"x": "x", "y": "y", "z": "z"})
    extras: Mapping[str, str] = field(default_factory=dict)
    duals: Mapping[str, str] = field(default_factory=dict)
    lifts: Tuple[str, ...] = ("stepper_z",)
    endstop_mcu: str = "mcu"
    resync: Optional[Section] = None

    def printer_cfg(self) -> str:
        """The text of its printer.cfg."""
        mcus = [tuple(mcu for mcu, _ in self.steppers.values()), (self.endstop_mcu,)]
        sections = _common("generic_cartesian", mcus, self.resync)
        pins = ("%s:PK%d" % (self.endstop_mcu, i) for i in range(16))
        for name, axis in self.carriages.items():
            options = {"axis": axis, "endstop_pin": next(pins), **_rail(axis)}
            sections["carriage %s" % (name,)] = options
        for name, primary in self.extras.items():
            options = {"primary_carriage": primary, "endstop_pin": next(pins)}
            sections["extra_carriage %s" % (name,)] = options
        for name, primary in self.duals.items():
            options = {"primary_carriage": primary, "endstop_pin": next(pins), **_rail(DUAL)}
            sections["%s %s" % (DUAL, name)] = options
        for i, (name, (mcu, carriages)) in enumerate(self.steppers.items()):
            options = _motor(mcu, "CDEF"[i // 5], i % 5)
            sections["stepper %s" % (name,)] = {"carriages": carriages, **options}
        return config_text(sections)

    def machine_cfg(self) -> str:
        """The physical truth that goes with it."""
        return _machine_cfg(self.lifts)


def _common(
    kinematics: str, mcus: Iterable[Tuple[str, ...]], resync: Optional[Section]
) -> Dict[str, Section]:
    sections: Dict[str, Section] = {
        "printer": {
            "kinematics": kinematics,
            "max_velocity": 300,
            "max_accel": 3000,
            "max_z_velocity": 30,
            "max_z_accel": 350,
        },
        "force_move": {"enable_force_move": True},
    }
    names: List[str] = ["mcu", *(name for some in mcus for name in some)]
    for name in dict.fromkeys(names):
        sections["mcu" if name == "mcu" else "mcu %s" % (name,)] = {
            "serial": "/tmp/virtual_printer/%s" % (name,),
            "restart_method": "command",
        }
    if resync is not None:
        sections["multi_mcu_resync"] = resync
    return sections


def _motor(mcu: str, port: str, index: int) -> Section:
    return {**motor_options(mcu, port, index), "microsteps": 16, "rotation_distance": 40}


def _rail(rail: str) -> Section:
    speed_mm_s = 10 if rail == "z" else 50
    return {**_RANGES[rail], "homing_speed": speed_mm_s, "homing_retract_dist": 5}


def _machine_cfg(lifts: Iterable[str]) -> str:
    gantry: Section = {"start_x": 120.0, "start_y": 130.0}
    gantry.update({"height_%s" % (name,): 20.0 for name in lifts})
    return config_text({"gantry": gantry, "bed": {"tilt_x": 0, "tilt_y": 0, "bow_mm": 0}})
