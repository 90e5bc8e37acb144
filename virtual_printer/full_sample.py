# A sample printer that has everything: heaters, fans, drivers, a display and LEDs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import replace
from typing import Dict, Mapping

from virtual_printer.samples import SamplePrinter, Section, motor_options

SIX_MCUS = SamplePrinter()
# X and Y with two motors each, every one on a board of its own
MANY_MCUS = SamplePrinter(x_mcus=("x0", "x1"), y_mcus=("y0", "y1"))
# Boards that the devices of the printer with many MCUs are on, instead of these
_BOARDS = {"bed": "mcu", "feeder": "mcu", "fans": "mcu", "panel": "mcu", "lights": "mcu"}
_EXTRUDER_BOARD = "extruder"
_FAN_COUNT, _DRIVER_COUNT = 5, 8
_LED_COUNT = 16


def six_mcus() -> SamplePrinter:
    """Return the sample printer with everything: main board, toolhead and one for each Z motor."""
    return _equipped(SIX_MCUS, {"toolhead": "toolhead", **_BOARDS})


def sixteen_mcus() -> SamplePrinter:
    """Return a printer with a board for each motor of its axes, and for each kind of device."""
    boards = {"toolhead": _EXTRUDER_BOARD, **{name: name for name in _BOARDS}}
    added = {_mcu_header(name): _mcu_options(name) for name in boards.values()}
    return _equipped(replace(MANY_MCUS, more_options=added), boards)


def _equipped(sample: SamplePrinter, boards: Mapping[str, str]) -> SamplePrinter:
    more = dict(sample.more_options)
    more.update(_heaters(boards))
    more.update(_fans(boards))
    more["manual_stepper feeder"] = _motor(boards["feeder"], "H", 0)
    more.update(_drivers(sample, boards))
    more.update(_panel(boards))
    return replace(sample, more_options=more)


def _mcu_header(name: str) -> str:
    return f"mcu {name}"


def _mcu_options(name: str) -> Section:
    return {"serial": f"/tmp/virtual_printer/{name}", "restart_method": "command"}


def _motor(mcu: str, port: str, index: int) -> Section:
    return {**motor_options(mcu, port, index), "microsteps": 16, "rotation_distance": 7.7}


def _heater(mcu: str, number: int) -> Section:
    return {
        "heater_pin": f"{mcu}:PB{number}",
        "sensor_pin": f"{mcu}:PC{number}",
        "sensor_type": "EPCOS 100K B57560G104F",
        "min_temp": 0,
        "max_temp": 280,
        "control": "pid",
    }


def _heaters(boards: Mapping[str, str]) -> Dict[str, Section]:
    extruder: Section = {
        **_motor(boards["toolhead"], "A", 0),
        "nozzle_diameter": 0.4,
        "filament_diameter": 1.75,
        "max_extrude_only_distance": 100,
        **_heater(boards["toolhead"], 0),
        "pid_kp": 22,
        "pid_ki": 1.1,
        "pid_kd": 110,
    }
    bed = {**_heater(boards["bed"], 8), "pid_kp": 60, "pid_ki": 2, "pid_kd": 500}
    return {"extruder": extruder, "heater_bed": bed}


def _fans(boards: Mapping[str, str]) -> Dict[str, Section]:
    """Return five fans, each with hardware PWM and a tachometer."""
    headers = ("fan", "heater_fan hotend", "controller_fan board", "fan_generic a", "fan_generic b")
    assert len(headers) == _FAN_COUNT
    fans: Dict[str, Section] = {}
    for i, header in enumerate(headers):
        mcu = boards["toolhead" if i < 2 else "fans"]
        fans[header] = {
            "pin": f"{mcu}:PF{i}",
            "hardware_pwm": True,
            "cycle_time": 0.00005,
            "tachometer_pin": f"^{mcu}:PF{i + 8}",
        }
    return fans


def _drivers(sample: SamplePrinter, boards: Mapping[str, str]) -> Dict[str, Section]:
    """Return eight TMC2209, each with a wire of its own; further motors have simple drivers."""
    motors = {"stepper_x": sample.x_mcus[0], "stepper_y": sample.y_mcus[0]}
    motors.update(zip(sample.z_names, sample.z_mcus))
    motors.update({"extruder": boards["toolhead"], "manual_stepper feeder": boards["feeder"]})
    assert len(motors) == _DRIVER_COUNT
    return {
        f"tmc2209 {name}": {
            "uart_pin": f"^{mcu}:PG{i}",
            "run_current": 0.8,
            "sense_resistor": 0.110,
        }
        for i, (name, mcu) in enumerate(motors.items())
    }


def _panel(boards: Mapping[str, str]) -> Dict[str, Section]:
    mcu = boards["panel"]
    display: Section = {
        "lcd_type": "st7920",
        **{f"{name}_pin": f"{mcu}:PA{i}" for i, name in enumerate(("cs", "sclk", "sid"), 1)},
        "encoder_pins": f"^{mcu}:PA10, ^{mcu}:PA11",
        "click_pin": f"^!{mcu}:PA12",
    }
    lights = {"pin": f"{boards['lights']}:PA7", "chain_count": _LED_COUNT}
    # The display's menu lists its files
    return {"virtual_sdcard": {"path": "."}, "display": display, "neopixel lights": lights}
