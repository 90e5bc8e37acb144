# Printers whose toolhead hangs from rods or ropes, or whose bed turns, as printer.cfg has them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Dict, Mapping

from virtual_printer.samples import Section, config_text, motor_options

# The largest distance (mm) between Klippy's place and the truth that steps and switches explain
TOLERANCE_MM = 0.08


def _common(kinematics: str, **options: object) -> Dict[str, Section]:
    return {
        "mcu": {"serial": "/dev/virtual", "restart_method": "command"},
        "printer": {
            "kinematics": kinematics,
            "max_velocity": 300,
            "max_accel": 3000,
            **options,
        },
        "force_move": {"enable_force_move": True},
    }


def _steppers(sections: Mapping[str, Section]) -> Dict[str, Section]:
    """Return sections of steppers with all that a motor has."""
    found = {}
    for index, (name, options) in enumerate(sections.items()):
        found[name] = {
            **motor_options("mcu", "C", index),
            "microsteps": 16,
            **({} if "gear_ratio" in options else {"rotation_distance": 40}),
            **options,
        }
    return found


def _probe() -> Dict[str, Section]:
    options: Section = {"pin": "PA0", "x_offset": 5, "y_offset": -12, "z_offset": 1.5, "speed": 5}
    return {"probe": {**options, "sample_retract_dist": 2}}


DELTA: Dict[str, Section] = {
    **_common("delta", delta_radius=170, max_z_velocity=100),
    **_steppers(
        {
            "stepper_a": {
                "endstop_pin": "PB0",
                "homing_speed": 50,
                "position_endstop": 290,
                "arm_length": 330,
            },
            "stepper_b": {"endstop_pin": "PB1"},
            "stepper_c": {"endstop_pin": "PB2"},
        }
    ),
    **_probe(),
    "delta_calibrate": {"radius": 60, "horizontal_move_z": 10},
}
DELTESIAN: Dict[str, Section] = {
    **_common("deltesian"),
    **_steppers(
        {
            "stepper_left": {
                "endstop_pin": "PB0",
                "homing_speed": 50,
                "position_endstop": 260,
                "arm_length": 210,
                "arm_x_length": 155,
            },
            "stepper_right": {"endstop_pin": "PB1"},
            "stepper_y": {"endstop_pin": "PB2", "position_endstop": 0, "position_max": 190},
        }
    ),
    **_probe(),
}
POLAR: Dict[str, Section] = {
    **_common("polar"),
    **_steppers(
        {
            "stepper_bed": {"gear_ratio": "80:16"},
            "stepper_arm": {
                "endstop_pin": "PB0",
                "position_endstop": 280,
                "position_max": 280,
                "homing_speed": 50,
            },
            "stepper_z": {
                "rotation_distance": 8,
                "endstop_pin": "PB1",
                "position_endstop": 0.5,
                "position_max": 200,
                "homing_speed": 10,
            },
        }
    ),
}
ROTARY_DELTA: Dict[str, Section] = {
    **_common("rotary_delta", shoulder_radius=34, shoulder_height=410),
    **_steppers(
        {
            "stepper_a": {
                "gear_ratio": "107:16, 60:16",
                "endstop_pin": "PB0",
                "homing_speed": 50,
                "position_endstop": 250,
                "upper_arm_length": 170,
                "lower_arm_length": 320,
            },
            "stepper_b": {"gear_ratio": "107:16, 60:16", "endstop_pin": "PB1"},
            "stepper_c": {"gear_ratio": "107:16, 60:16", "endstop_pin": "PB2"},
        }
    ),
    **_probe(),
}
WINCH: Dict[str, Section] = {
    **_common("winch"),
    **_steppers(
        {
            "stepper_a": {"anchor_x": 0, "anchor_y": -1900, "anchor_z": -100},
            "stepper_b": {"anchor_x": 1900, "anchor_y": 1000, "anchor_z": -100},
            "stepper_c": {"anchor_x": -1900, "anchor_y": 1000, "anchor_z": -100},
            "stepper_d": {"anchor_x": 0, "anchor_y": 0, "anchor_z": 2800},
        }
    ),
}
NONE: Dict[str, Section] = {
    **_common("none"),
    **_steppers({"manual_stepper belt": {"endstop_pin": "PB0", "velocity": 20, "accel": 500}}),
    "manual_stepper lift": {**motor_options("mcu", "D", 0), "microsteps": 16},
}
NONE["manual_stepper lift"]["rotation_distance"] = 8

PRINTERS: Dict[str, Dict[str, Section]] = {
    "delta": DELTA,
    "deltesian": DELTESIAN,
    "polar": POLAR,
    "rotary_delta": ROTARY_DELTA,
    "winch": WINCH,
}


def printer_cfg(sections: Mapping[str, Section]) -> str:
    """The text of a printer.cfg."""
    return config_text(dict(sections))


def machine_cfg(**gantry: object) -> str:
    """The physical truth, with a flat bed and what the machine file says of the gantry."""
    return config_text({"bed": {"tilt_x": 0, "tilt_y": 0, "bow_mm": 0}, "gantry": dict(gantry)})
