# Sample printers for the demo, the benchmark and the tests
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import hashlib
from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from printer_config import probes

Section = Dict[str, object]

# Gantry corners of a 300 mm Voron 2.4 (mm), in the order of stepper_z..z3
QUAD_CORNERS = ((-60.0, -10.0), (-60.0, 370.0), (360.0, 370.0), (360.0, -10.0))
Z_TILT_CORNERS = {
    2: ((-50.0, 150.0), (350.0, 150.0)),
    3: ((-50.0, 18.0), (150.0, 348.0), (350.0, 18.0)),
}


@dataclass(frozen=True)
class SamplePrinter:
    """A CoreXY printer whose gantry hangs on two, three or four Z steppers.

    z_mcus names each Z stepper's MCU; z_gear_ratios and z_dir_inverted may
    differ from stepper to stepper.  heights_mm are the true heights of the
    gantry's corners at the start.  resync holds the options of
    [multi_mcu_resync], None leaves the section out.  probe names the section
    of the probe: "probe", "bltouch", "cartographer" (which is an MCU of its own) or another with
    the options that the first two share.
    can_mcus sit on a CAN bus; can_bus holds the options of its section in the
    machine file.  frequencies_hz are the clocks of MCUs, those left out are
    drawn from the seed.  retries are those of the levelling command.
    more_options are added to sections of printer.cfg, which need not be there.
    """

    z_mcus: Tuple[str, ...] = ("z0", "z1", "z2", "z3")
    z_gear_ratios: Tuple[str, ...] = ("80:16",)
    z_dir_inverted: Tuple[bool, ...] = (False,)
    x_mcus: Tuple[str, ...] = ("mcu",)
    y_mcus: Tuple[str, ...] = ("mcu",)
    y_own_endstops: bool = False
    heights_mm: Tuple[float, ...] = (20.0, 20.4, 19.7, 20.2)
    resync: Optional[Section] = field(default_factory=dict)
    probe: str = "probe"
    probe_speed_mm_s: float = 10.0
    kinematics: str = "corexy"
    can_mcus: Tuple[str, ...] = ()
    can_bus: Section = field(default_factory=dict)
    frequencies_hz: Mapping[str, int] = field(default_factory=dict)
    retries: int = 5
    more_options: Mapping[str, Section] = field(default_factory=dict)

    def with_resync(self, **options: object) -> "SamplePrinter":
        """The same printer with these options of [multi_mcu_resync]."""
        return replace(self, resync=options)

    def without_section(self) -> "SamplePrinter":
        """The same printer without [multi_mcu_resync]."""
        return replace(self, resync=None)

    def on_one_mcu(self) -> "SamplePrinter":
        """The same printer with all Z steppers on one MCU."""
        return replace(self, z_mcus=(self.z_mcus[0],) * len(self.z_mcus))

    def with_can_bus(self, **options: object) -> "SamplePrinter":
        """The same printer with these options of its bus in the machine file."""
        return replace(self, can_bus=options)

    @property
    def z_names(self) -> List[str]:
        """Names of the Z steppers."""
        return [numbered("stepper_z", i) for i in range(len(self.z_mcus))]

    def printer_cfg(self) -> str:
        """The text of its printer.cfg."""
        return config_text(self.sections())

    def machine_cfg(self) -> str:
        """The physical truth that goes with it, for the virtual printer."""
        gantry: Section = {"start_x": 120.0, "start_y": 130.0}
        for name, height_mm in zip(self.z_names, self.heights_mm):
            gantry["height_%s" % (name,)] = height_mm
        bed: Section = {"tilt_x": 0.0004, "tilt_y": -0.0003, "bow_mm": 0.05}
        sections: Dict[str, Section] = {
            "gantry": gantry,
            "bed": bed,
        }
        if not self._is_sensor:
            sections["probe"] = {"section": self.probe}
        if self.can_mcus:
            sections["can_bus can0"] = self.can_bus
        for name in self._mcu_names():
            mcu: Section = {}
            if name in self.can_mcus:
                mcu["chip"] = "virtual"
            if name in self.frequencies_hz:
                mcu["frequency"] = self.frequencies_hz[name]
            if mcu:
                sections[_mcu_header(name)] = mcu
        return config_text(sections)

    def _mcu_names(self) -> List[str]:
        names = ["mcu", *self.x_mcus, *self.y_mcus, *self.z_mcus, "toolhead"]
        if self.probe == probes.CARTOGRAPHER:
            names.append(probes.CARTOGRAPHER)
        return list(dict.fromkeys(names))

    def sections(self) -> Dict[str, Section]:
        """Its printer.cfg, as options by section."""
        sections: Dict[str, Section] = {
            "printer": {
                "kinematics": self.kinematics,
                "max_velocity": 300,
                "max_accel": 3000,
                "max_z_velocity": 30,
                "max_z_accel": 350,
            }
        }
        for name in self._mcu_names():
            sections[_mcu_header(name)] = self._mcu_options(name)
        if self.resync is not None:
            sections["multi_mcu_resync"] = self.resync
        for axis, mcus in (("x", self.x_mcus), ("y", self.y_mcus)):
            sections.update(self._carriage_steppers(axis, mcus))
        sections.update(self._z_steppers())
        sections[self.probe] = self._probe_options()
        sections["safe_z_home"] = {
            "home_xy_position": "150, 150",
            "speed": 200,
            "z_hop": 10,
        }
        sections.update(self._levelling())
        sections["force_move"] = {"enable_force_move": True}
        for header, options in self.more_options.items():
            sections.setdefault(header, {}).update(options)
        return sections

    @property
    def _is_sensor(self) -> bool:
        """Whether the probe is triggered by what it measures."""
        return self.probe.partition(" ")[0] in probes.PINLESS_KINDS

    def _probe_options(self) -> Section:
        if self.probe == probes.CARTOGRAPHER:
            return {"mcu": probes.CARTOGRAPHER, "x_offset": 0, "y_offset": 25}
        is_bltouch = self.probe == "bltouch"
        options: Section = {}
        if not self._is_sensor:
            options["sensor_pin" if is_bltouch else "pin"] = "toolhead:PB6"
        options.update(
            {
                "x_offset": 0,
                "y_offset": 25,
                "z_offset": 1.0,
                "speed": self.probe_speed_mm_s,
            }
        )
        if is_bltouch:
            options["control_pin"] = "toolhead:PB7"
        if self.probe in ("probe", "bltouch"):
            options["sample_retract_dist"] = 2.0
        return options

    def _mcu_options(self, name: str) -> Section:
        if name in self.can_mcus:
            # What a hash of a chip's own number may look like
            return {"canbus_uuid": hashlib.sha256(name.encode()).hexdigest()[:12]}
        return {
            "serial": "/tmp/virtual_printer/%s" % (name,),
            "restart_method": "command",
        }

    def _carriage_steppers(self, axis: str, mcus: Sequence[str]) -> Dict[str, Section]:
        sections: Dict[str, Section] = {}
        for i, mcu in enumerate(mcus):
            name = numbered("stepper_%s" % (axis,), i)
            sections[name] = motor_options(mcu, "CD"["xy".index(axis)], i)
            sections[name].update({"microsteps": 16, "rotation_distance": 40})
            if axis == "y" and i and self.y_own_endstops:
                sections[name]["endstop_pin"] = "%s:PD15" % (mcu,)
            if i == 0:
                sections[name].update(
                    {
                        "endstop_pin": "%s:P%s15" % (mcu, "CD"["xy".index(axis)]),
                        "position_min": 0,
                        "position_endstop": 300,
                        "position_max": 300,
                        "homing_speed": 50,
                        "homing_retract_dist": 5,
                    }
                )
        return sections

    def _z_steppers(self) -> Dict[str, Section]:
        sections: Dict[str, Section] = {}
        for i, (name, mcu) in enumerate(zip(self.z_names, self.z_mcus)):
            inverted = self.z_dir_inverted[i % len(self.z_dir_inverted)]
            sections[name] = motor_options(mcu, "E", i, inverted)
            sections[name].update(
                {
                    "microsteps": 16,
                    "rotation_distance": 40,
                    "gear_ratio": self.z_gear_ratios[i % len(self.z_gear_ratios)],
                }
            )
        sections["stepper_z"].update(
            {
                "endstop_pin": "probe:z_virtual_endstop",
                "position_min": -10,
                "position_max": 250,
                "homing_speed": self.probe_speed_mm_s,
                "second_homing_speed": 3,
            }
        )
        return sections

    def _levelling(self) -> Dict[str, Section]:
        common: Section = {
            "speed": 200,
            "horizontal_move_z": 10,
            "retries": self.retries,
            "retry_tolerance": 0.0075,
        }
        if len(self.z_mcus) == 4:
            common.update(
                {
                    "gantry_corners": _points([QUAD_CORNERS[0], QUAD_CORNERS[2]]),
                    "points": _points([(50, 25), (50, 225), (250, 225), (250, 25)]),
                    "max_adjust": 10,
                }
            )
            return {"quad_gantry_level": common}
        corners = Z_TILT_CORNERS[len(self.z_mcus)]
        reachable = [(min(max(x, 30.0), 270.0), min(max(y, 10.0), 240.0)) for x, y in corners]
        common.update({"z_positions": _points(corners), "points": _points(reachable)})
        return {"z_tilt": common}


# The machine of the thread "Barriers to Multi_Mcu Homing on Multi_Mcu Shared Axis?" in Klipper's
# forum: a Voron 2.4 with a CAN board for each motor of X, Y and Z and one on the toolhead, which
# has the probe; the main MCU is a process on the host.  The clocks are those of its log.  A host
# that has ignored late clock samples for 5.4 s mistakes one of 400 MHz by 2^32 ticks.
CAN_PRINTER = SamplePrinter(
    z_mcus=("z", "z1", "z2", "z3"),
    x_mcus=("huvud_x",),
    y_mcus=("huvud_y",),
    can_mcus=("z", "z1", "z2", "z3", "huvud_x", "huvud_y", "toolhead"),
    can_bus={"bit_rate": 1000000},
    frequencies_hz={
        "mcu": 50_000_000,
        "toolhead": 12_000_000,
        "huvud_x": 72_000_000,
        "huvud_y": 72_000_000,
        "z": 48_000_000,
        "z1": 64_000_000,
        "z2": 48_000_000,
        "z3": 48_000_000,
    },
)


def numbered(name: str, index: int) -> str:
    """Name of a rail's stepper: the first one has no number."""
    return name if index == 0 else "%s%d" % (name, index)


def motor_options(mcu: str, port: str, index: int, dir_inverted: bool = False) -> Section:
    """Pins of a stepper, from a port with room for five."""
    pins = ["%s:P%s%d" % (mcu, port, 3 * (index % 5) + i) for i in range(3)]
    return {
        "step_pin": pins[0],
        "dir_pin": ("!" if dir_inverted else "") + pins[1],
        "enable_pin": "!" + pins[2],
    }


def _mcu_header(name: str) -> str:
    return "mcu" if name == "mcu" else "mcu %s" % (name,)


def _points(points: Sequence[Tuple[float, float]]) -> str:
    return "\n" + "\n".join("    %g, %g" % p for p in points)


def config_text(sections: Dict[str, Section]) -> str:
    """Sections as the text of a configuration file."""
    lines: List[str] = []
    for header, options in sections.items():
        lines.append("[%s]" % (header,))
        lines.extend("%s: %s" % item for item in options.items())
        lines.append("")
    return "\n".join(lines)
