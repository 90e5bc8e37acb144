# What the printed configuration says of MCUs, pins, speeds and step distances
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

START = b"===== Config file ====="
END = b"======================="
# Klipper's own default of homing_speed and of a probe's speed
DEFAULT_SPEED_MM_S = 5.0

_MOST_SECTIONS = 2000
_LONGEST_VALUE = 200
_PROBES = ("probe", "bltouch", "smart_effector", "load_cell_probe")
_PIN_OPTIONS = ("pin", "sensor_pin", "diag_pin", "diag0_pin", "diag1_pin", "dout_pin")
_WANTED = {
    *_PIN_OPTIONS,
    "canbus_uuid",
    "canbus_interface",
    "carriages",
    "endstop_pin",
    "full_steps_per_rotation",
    "gear_ratio",
    "homing_speed",
    "i2c_mcu",
    "microsteps",
    "rotation_distance",
    "speed",
    "step_pin",
}


class StepperConfig(NamedTuple):
    """A stepper of a rail; what the configuration leaves open is None."""

    name: str
    mcu: str
    endstop_mcu: Optional[str]
    speed_mm_s: float
    step_distance_mm: Optional[float]


def _chip(pin: str) -> str:
    """The MCU (or virtual chip) of a pin such as ^!zboard:PB6; without one it is "mcu"."""
    chip, colon, _ = pin.strip().lstrip("^~!").partition(":")
    return chip.strip() if colon else "mcu"


def _number(text: Optional[str], default: Optional[float]) -> Optional[float]:
    """A positive number, or the default if there is none."""
    found = re.fullmatch(r"\d{1,9}(?:\.\d{0,9})?|\.\d{1,9}", text or "")
    return float(text) if found and text and float(text) > 0 else default


class PrintedConfig:
    """Reads the lines between START and END; a later printout replaces an earlier one."""

    def __init__(self) -> None:
        self._sections: Dict[str, Dict[str, str]] = {}
        self._reading: Dict[str, Dict[str, str]] = {}
        self._section: Dict[str, str] = {}

    def start(self) -> None:
        """A printout begins."""
        self._reading = {}
        self._section = {}

    def add_line(self, line: bytes) -> None:
        """Take in one line of a printout."""
        text = line.decode("utf-8", "replace")
        if text.startswith("[") and text.rstrip().endswith("]"):
            self._section = {}
            if len(self._reading) < _MOST_SECTIONS:
                self._reading[text.strip()[1:-1].strip()] = self._section
            return
        found = re.match(r"(\w+)\s*[=:]\s*(.*)", text)
        if found and found.group(1) in _WANTED:
            self._section[found.group(1)] = found.group(2).strip()[:_LONGEST_VALUE]

    def end(self) -> None:
        """A printout is complete."""
        self._sections, self._reading = self._reading, {}

    @property
    def is_known(self) -> bool:
        """Whether the log has a printed configuration."""
        return bool(self._sections)

    def can_bus(self, mcu: str) -> Optional[str]:
        """The CAN interface of an MCU, or None."""
        options = self._sections.get("mcu" if mcu == "mcu" else "mcu %s" % (mcu,), {})
        if "canbus_uuid" not in options:
            return None
        return options.get("canbus_interface", "can0")

    def has_can(self) -> bool:
        """Whether any MCU is on a CAN bus."""
        return any("canbus_uuid" in options for options in self._sections.values())

    def steppers(self) -> List[StepperConfig]:
        """All steppers of rails that home, in the order of the configuration."""
        return list(self._steppers())

    def _steppers(self) -> Iterator[StepperConfig]:
        for name, options in self._sections.items():
            rail = self._rail_of(name, options)
            if "step_pin" not in options or rail is None:
                continue
            endstop_mcu, probe = self._endstop(rail)
            speeds = [_number(self._sections[rail].get("homing_speed"), DEFAULT_SPEED_MM_S)]
            if probe is not None:
                speeds.append(_number(probe.get("speed"), DEFAULT_SPEED_MM_S))
            yield StepperConfig(
                # As the extra's log line has it: generic_cartesian's names have blanks
                name.replace(" ", "_"),
                _chip(options["step_pin"]),
                endstop_mcu,
                max(s for s in speeds if s is not None),
                self._step_distance_mm(options),
            )

    def _rail_of(self, stepper: str, options: Dict[str, str]) -> Optional[str]:
        carriage = re.match(r"\s*(\w+)", options.get("carriages", ""))
        rails = [stepper, stepper.rstrip("0123456789")]
        if carriage:
            rails.insert(0, "carriage %s" % (carriage.group(1),))
        # A second stepper without an endstop of its own homes to the first one's
        for rail in rails:
            if "endstop_pin" in self._sections.get(rail, {}):
                return rail
        return None

    def _endstop(self, rail: str) -> Tuple[Optional[str], Optional[Dict[str, str]]]:
        """The MCU of a rail's endstop; and the probe's options if it is one."""
        chip = _chip(self._sections[rail]["endstop_pin"])
        if self._is_mcu(chip):
            return chip, None
        kind, _, rest = chip.partition("_")
        # tmc2209_stepper_x:virtual_endstop belongs to [tmc2209 stepper_x]
        for name in (chip, "%s %s" % (kind, rest)):
            if name not in _PROBES and name in self._sections:
                return self._sensor_mcu(self._sections[name]), None
        for name, options in self._sections.items():
            if name in _PROBES or name.startswith("probe_eddy_current"):
                return self._sensor_mcu(options), options
        return None, {} if chip == "probe" else None

    def _is_mcu(self, chip: str) -> bool:
        return chip == "mcu" or "mcu %s" % (chip,) in self._sections

    def _sensor_mcu(self, options: Dict[str, str]) -> Optional[str]:
        if "i2c_mcu" in options:
            return options["i2c_mcu"]
        for option in _PIN_OPTIONS:
            if option in options and self._is_mcu(_chip(options[option])):
                return _chip(options[option])
        return None

    @staticmethod
    def _step_distance_mm(options: Dict[str, str]) -> Optional[float]:
        rotation_mm = _number(options.get("rotation_distance"), None)
        microsteps = _number(options.get("microsteps"), None)
        full_steps = _number(options.get("full_steps_per_rotation"), 200.0)
        gears = re.findall(r"([^\s:,]+)\s*:\s*([^\s:,]+)", options.get("gear_ratio", ""))
        if not rotation_mm or not microsteps or not full_steps:
            return None
        for pair in gears:
            driven, driving = (_number(teeth, None) for teeth in pair)
            if driven is None or driving is None:
                return None
            rotation_mm *= driving / driven
        return rotation_mm / (full_steps * microsteps)
