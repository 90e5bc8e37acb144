# Heaters and temperature sensors of the virtual printer, as real hosts see them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest
from end_to_end.driving import host_has

from virtual_printer.samples import config_text, motor_options
from virtual_printer.session import GCodeError

pytestmark = pytest.mark.area("heat")
PID = {"control": "pid", "pid_kp": 49.0, "pid_ki": 4.5, "pid_kd": 135.0}
LIMITS = {"min_temp": 0, "max_temp": 300}
# What they are to be like, so that tests do not depend on what is usual
HOTEND = {"power_w": 40.0, "capacity_j_per_k": 18.0, "loss_w_per_k": 0.1}
BED = {"power_w": 300.0, "capacity_j_per_k": 1000.0, "loss_w_per_k": 1.5}
ROOM_C = 22.0


def stepper(port, index, **options):
    return {
        **motor_options("mcu", port, index),
        "microsteps": 16,
        "rotation_distance": 32,
        **options,
    }


class HeatedPrinter:
    """A printer on one MCU with a hotend, a bed and further sections."""

    def __init__(self, sections=None, machine=None, control=PID):
        self._sections = sections or {}
        self._machine = machine or {}
        self._control = control

    def printer_cfg(self):
        rail = {"position_endstop": 0, "position_max": 200}
        sections = {
            "mcu": {"serial": "/dev/virtual"},
            "printer": {"kinematics": "cartesian", "max_velocity": 300, "max_accel": 3000},
            "stepper_x": stepper("A", 0, endstop_pin="^PB0", **rail),
            "stepper_y": stepper("A", 1, endstop_pin="^PB1", **rail),
            "stepper_z": stepper("A", 2, endstop_pin="^PB2", **rail),
            "extruder": {
                **stepper("A", 3, nozzle_diameter=0.4, filament_diameter=1.75),
                "heater_pin": "PC0",
                "sensor_pin": "PD0",
                "sensor_type": "ATC Semitec 104GT-2",
                **LIMITS,
                **self._control,
            },
            "heater_bed": {
                "heater_pin": "!PC1",
                "sensor_pin": "PD1",
                "sensor_type": "Generic 3950",
                **LIMITS,
                "control": "watermark",
            },
            "fan": {"pin": "PC2"},
            **self._sections,
        }
        return config_text(sections)

    def machine_cfg(self):
        truth = {"virtual_printer": {"ambient_c": ROOM_C}, "extruder": HOTEND, "heater_bed": BED}
        for name, options in self._machine.items():
            truth[name] = {**truth.get(name, {}), **options}
        return config_text(truth)


def assert_holds(printer, name, target_c, tolerance_k):
    """The true temperature stays near the target, and the host sees that."""
    for _ in range(10):
        printer.sleep(3.0)
        assert printer.temperatures()[name] == pytest.approx(target_c, abs=tolerance_k)
        shown_c = printer.status(name)["temperature"]
        assert shown_c == pytest.approx(printer.temperatures()[name + ".sensor"], abs=0.7)


def test_hotend_and_bed_reach_their_targets_and_hold_them(start):
    printer = start(HeatedPrinter())
    assert printer.temperatures()["extruder"] == pytest.approx(ROOM_C, abs=0.01)
    printer.gcode("M140 S60\nM109 S210\nM190 S60")
    # The bed's heater is simply switched on and off
    assert_holds(printer, "heater_bed", 60.0, 6.0)
    assert_holds(printer, "extruder", 210.0, 1.0)


def test_power_that_holds_a_temperature_is_what_the_body_loses(start):
    printer = start(HeatedPrinter())
    printer.gcode("M109 S210\nG4 P60000")
    power = [printer.status("extruder", "power")["power"]]
    for _ in range(40):
        printer.sleep(0.7)
        power.append(printer.status("extruder", "power")["power"])
    expected = HOTEND["loss_w_per_k"] * (210.0 - ROOM_C) / HOTEND["power_w"]
    assert sum(power) / len(power) == pytest.approx(expected, rel=0.05)


def test_part_fan_takes_heat_away_from_the_hotend(start):
    printer = start(HeatedPrinter(machine={"extruder": {"fan_loss_w_per_k": 0.2}}))
    printer.gcode("M104 S210\nG4 P60000\nM104 S0\nM106 S255")
    before_c = printer.temperatures()["extruder"]
    printer.sleep(30.0)
    # In half the time of what it takes without the fan
    assert printer.temperatures()["extruder"] - ROOM_C < 0.7 * (before_c - ROOM_C)


def test_pid_calibrate_finds_values_that_hold_a_temperature(start):
    printer = start(HeatedPrinter())
    said = "\n".join(printer.gcode("PID_CALIBRATE HEATER=extruder TARGET=200"))
    found = {name: float(text) for name, text in re.findall(r"(pid_K.)=([\d.]+)", said)}
    assert 5.0 < found["pid_Kp"] < 150.0 and found["pid_Ki"] > 0.5 and found["pid_Kd"] > 10.0
    printer.restart("SAVE_CONFIG")
    printer.gcode("M109 S200\nG4 P20000")
    assert_holds(printer, "extruder", 200.0, 1.0)


def test_mpc_calibrate_finds_the_physics_of_the_machine_file(start, host):
    if not (host.klippy / "extras" / "control_mpc.py").exists():
        pytest.skip("the host knows no model of a heater")
    control = {"control": "mpc", "heater_power": HOTEND["power_w"], "cooling_fan": "fan"}
    machine = {"extruder": {"fan_loss_w_per_k": 0.03}}
    printer = start(HeatedPrinter(machine=machine, control=control))
    said = "\n".join(printer.gcode("MPC_CALIBRATE HEATER=extruder TARGET=200"))
    found = re.search(r"fan_ambient_transfer=([\d.]+), ([\d.]+), ([\d.]+)", said)
    # The fan stands still, at half its speed, and at full speed
    losses_w_per_k = [float(text) for text in found.groups()]
    assert losses_w_per_k == pytest.approx([0.1, 0.115, 0.13], rel=0.02)
    # It takes the lag of the sensor for some more capacity
    capacity_j_per_k = float(re.search(r"block_heat_capacity=([\d.]+)", said).group(1))
    assert HOTEND["capacity_j_per_k"] < capacity_j_per_k < 1.5 * HOTEND["capacity_j_per_k"]


def test_heater_without_power_is_found_out(start):
    printer = start(HeatedPrinter(machine={"extruder": {"power_w": 2.0}}))
    try:
        printer.gcode("M109 S210")
    except GCodeError:
        # Some hosts end the command without a word
        pass
    assert printer.state() == "shutdown"
    assert "not heating at expected rate" in printer.state_message()


@pytest.mark.parametrize("stop", ["TURN_OFF_HEATERS", "M112"])
def test_hotend_cools_down_when_heaters_are_stopped(start, stop):
    printer = start(HeatedPrinter())
    printer.gcode("M104 S210\nM140 S60\nG4 P60000")
    hot_c = printer.temperatures()
    assert hot_c["extruder"] > 120.0 and hot_c["heater_bed"] > 30.0
    if stop == "M112":
        printer.emergency_stop()
    else:
        printer.gcode(stop)
    printer.sleep(800.0)
    assert printer.temperatures()["extruder"] < ROOM_C + 3.0
    assert printer.temperatures()["heater_bed"] < hot_c["heater_bed"]


@pytest.mark.parametrize("state", ["open", "short"])
def test_broken_thermistor_shuts_down(start, state):
    printer = start(HeatedPrinter())
    printer.gcode("M104 S100\nG4 P10000")
    printer.control(f"temperature_sensor extruder state={state}")
    printer.sleep(3.0)
    assert printer.state() == "shutdown"
    assert "ADC out of range" in printer.state_message()
    printer.control("temperature_sensor extruder state=works")
    printer.restart("FIRMWARE_RESTART")
    printer.sleep(2.0)
    assert printer.status("extruder")["temperature"] > ROOM_C + 10.0


# Each sensor with a section that defines it, and the pull-up or voltage that goes with it
SENSORS = {
    "ATC Semitec 104GT-2": {},
    "ATC Semitec 104NT-4-R025H42G": {"pullup_resistor": 2200},
    "EPCOS 100K B57560G104F": {},
    "Generic 3950": {"inline_resistor": 30},
    "SliceEngineering 450": {},
    "TDK NTCG104LH104JT1": {},
    "Honeywell 100K 135-104LAG-J01": {},
    "NTC 100K MGB18-104F39050L32": {},
    "AD595": {},
    "AD597": {"adc_voltage": 3.3},
    "AD8494": {"adc_voltage": 3.3},
    "AD8495": {"adc_voltage": 3.3, "voltage_offset": -0.1},
    "AD8496": {"adc_voltage": 3.3},
    "AD8497": {"adc_voltage": 3.3},
    "PT100 INA826": {},
    "PT1000": {"pullup_resistor": 2200},
    "by_beta": {},
    "by_points": {},
    "by_voltage": {"adc_voltage": 3.3},
    "by_resistance": {"pullup_resistor": 1000},
    "MAX6675": {"spi_bus": 0},
    "MAX31855": {"spi_software_sclk_pin": "PE0", "spi_software_mosi_pin": "PE1"},
    "MAX31856": {"spi_bus": 0, "tc_type": "K"},
    "MAX31865": {"spi_bus": 0, "rtd_nominal_r": 1000, "rtd_reference_r": 4300},
}
SENSORS["MAX31855"]["spi_software_miso_pin"] = "PE2"
DEFINITIONS = {
    "thermistor by_beta": {"temperature1": 25, "resistance1": 10000, "beta": 3435},
    "thermistor by_points": {
        "temperature1": 25,
        "resistance1": 104000,
        "temperature2": 150,
        "resistance2": 1800,
        "temperature3": 250,
        "resistance3": 240,
    },
    "adc_temperature by_voltage": {
        "temperature1": 0,
        "voltage1": 0.1,
        "temperature2": 100,
        "voltage2": 1.2,
        "temperature3": 300,
        "voltage3": 3.0,
    },
    "adc_temperature by_resistance": {
        "temperature1": 0,
        "resistance1": 1000,
        "temperature2": 100,
        "resistance2": 1400,
        "temperature3": 300,
        "resistance3": 2100,
    },
}


@pytest.mark.parametrize("true_c", [24.0, 150.0, 230.0])
def test_host_reads_the_true_temperature_from_every_sensor(start, true_c):
    sections, machine = dict(DEFINITIONS), {}
    for index, (kind, options) in enumerate(SENSORS.items()):
        name = f"temperature_sensor s{index}"
        pin = f"P{'FGHIJ'[index // 8]}{index % 8}"
        sections[name] = {"sensor_type": kind, "sensor_pin": pin, **options}
        machine[name] = {"start_c": true_c, "ambient_c": true_c}
    printer = start(HeatedPrinter(sections, machine))
    printer.sleep(2.0)
    for index, kind in enumerate(SENSORS):
        shown_c = printer.status(f"temperature_sensor s{index}")["temperature"]
        # At the ends of their ranges, a step of the converter is that much for the worst of them
        tolerance_k = 2.0 if kind in ("TDK NTCG104LH104JT1", "by_beta") else 1.0
        assert shown_c == pytest.approx(true_c, abs=tolerance_k), kind


def test_sensor_is_right_where_the_board_measures_its_supply(start):
    sections = {
        "adc_scaled scaled": {"vref_pin": "PE8", "vssa_pin": "PE9"},
        "temperature_sensor a": {"sensor_type": "Generic 3950", "sensor_pin": "scaled:PE10"},
    }
    machine = {"temperature_sensor a": {"start_c": 120.0, "ambient_c": 120.0}}
    printer = start(HeatedPrinter(sections, machine))
    printer.sleep(3.0)
    shown_c = printer.status("temperature_sensor a")["temperature"]
    assert shown_c == pytest.approx(120.0, abs=0.5)


def test_sensor_that_is_off_shows_so_much_more(start):
    machine = {"extruder": {"sensor_offset_c": 7.0}}
    printer = start(HeatedPrinter(machine=machine))
    printer.sleep(2.0)
    assert printer.status("extruder")["temperature"] == pytest.approx(ROOM_C + 7.0, abs=0.5)


def test_temperature_fan_cools_what_it_blows_at(start):
    fan = {
        "pin": "PC5",
        "sensor_type": "Generic 3950",
        "sensor_pin": "PD5",
        "target_temp": 45,
        "control": "watermark",
        "min_temp": 0,
        "max_temp": 100,
    }
    truth = {"start_c": 60.0, "own_heat_w": 8.0, "loss_w_per_k": 0.2, "fan_loss_w_per_k": 0.6}
    machine = {"temperature_fan box": {"capacity_j_per_k": 20.0, **truth}}
    printer = start(HeatedPrinter({"temperature_fan box": fan}, machine))
    printer.sleep(150.0)
    assert printer.temperatures()["temperature_fan_box"] == pytest.approx(45.0, abs=3.5)
    printer.gcode("SET_TEMPERATURE_FAN_TARGET TEMPERATURE_FAN=box TARGET=90")
    printer.sleep(500.0)
    # Without the fan, 8 W at 0.2 W/K
    assert printer.temperatures()["temperature_fan_box"] == pytest.approx(ROOM_C + 40.0, abs=0.5)


REPLICAPE = """
[mcu host]
serial: /tmp/klipper_host_mcu
[replicape]
revision: B3
host_mcu: host
enable_pin: !PE0
stepper_x_microstep_mode: 16
stepper_x_current: 0.96
"""
REPLICAPE_PINS = (
    # Before all that names its pins
    ("[stepper_x]", f"{REPLICAPE}[stepper_x]"),
    ("heater_pin: PC0", "heater_pin: replicape:power_e"),
    ("pin: PC2", "pin: replicape:power_fan0"),
    ("enable_pin: !mcu:PA2", "enable_pin: replicape:stepper_x_enable"),
)


def test_heater_and_fan_hang_on_the_outputs_of_another_chip(start):
    machine = {"extruder": {"fan_loss_w_per_k": 0.2}}
    printer = start(HeatedPrinter(machine=machine), replace=REPLICAPE_PINS)
    assert set(printer.outputs("replicape").values()) == {0.0}
    printer.gcode("M109 S210\nM106 S128\nG28 X")
    assert_holds(printer, "extruder", 210.0, 5.0)
    outputs = printer.outputs("replicape")
    assert outputs["power_fan0"] == pytest.approx(128 / 255, abs=1e-3)
    assert printer.duty("replicape:power_fan0") == outputs["power_fan0"]
    # A quarter of what the chip can have its driver take
    assert outputs["stepper_x_enable"] == pytest.approx(0.25, abs=1e-3)
    # The drivers are set by registers of their own
    assert set(printer.outputs("replicape_registers").values()) == {0.0, 1.0}
    hot_c = printer.temperatures()["extruder"]
    printer.emergency_stop()
    printer.sleep(60.0)
    assert set(printer.outputs("replicape").values()) == {0.0}
    assert printer.temperatures()["extruder"] < hot_c - 20.0
    assert printer.not_simulated() == []


# Chips on I2C that every host reads, and how closely they show the temperature
I2C_SENSORS = {
    "BME280": ({}, 0.02),
    "HTU21D": ({}, 0.1),
    "SI7021": ({"i2c_bus": 1, "htu21d_hold_master": True}, 0.1),
    "LM75": ({"i2c_address": 79}, 0.3),
    "AHT10": ({"i2c_bus": 1}, 0.02),
}


def i2c_of_its_own(host, number):
    """Options for a chip whose address another one has too."""
    if host_has(host, "bus", "i2c_software_scl_pin"):
        return {"i2c_software_scl_pin": "PE3", "i2c_software_sda_pin": "PE%d" % (4 + number,)}
    # Klipper until 2023 (v0.12) has no such pins
    return {"i2c_bus": 2 + number}


@pytest.mark.parametrize("true_c", [-12.3, 24.6, 41.7])
def test_host_reads_the_true_temperature_over_i2c(start, host, true_c):
    sections, machine = {}, {}
    # Klipper until 2023 (v0.12) has no AHT10
    kinds = [k for k in I2C_SENSORS if k != "AHT10" or host_has(host, "aht10")]
    for kind in kinds:
        name = "temperature_sensor %s" % (kind,)
        options = i2c_of_its_own(host, 0) if kind == "HTU21D" else I2C_SENSORS[kind][0]
        sections[name] = {"sensor_type": kind, "min_temp": -40, **options}
        machine[name] = {"start_c": true_c, "ambient_c": true_c}
    printer = start(HeatedPrinter(sections, machine))
    printer.sleep(4.0)
    for kind in kinds:
        tolerance_k = I2C_SENSORS[kind][1]
        shown_c = printer.status("temperature_sensor %s" % (kind,))["temperature"]
        if kind == "LM75" and true_c < 0.0:
            # Hosts take it for a number without a sign
            shown_c -= 256.0
        assert shown_c == pytest.approx(true_c, abs=tolerance_k), kind
    air = printer.status("bme280 BME280")
    assert air["pressure"] == pytest.approx(1013.25, abs=0.1)
    assert air["humidity"] == pytest.approx(45.0, abs=0.1)


# Chips that hosts know as sensor_type BME280, and how closely they show the temperature
BOSCH_CHIPS = {"BMP280": 0.02, "BME680": 0.02, "BMP180": 0.1, "BMP388": 0.02}


@pytest.mark.parametrize("true_c", [-12.3, 41.7])
def test_host_tells_the_chips_of_one_sensor_type_apart(start, host, true_c):
    known = (host.klippy / "extras" / "bme280.py").read_text()
    found = [chip for chip in BOSCH_CHIPS if chip in known]
    assert {"BMP280", "BME680"} <= set(found)
    sections, machine = {}, {}
    for i, chip in enumerate(found):
        name = "temperature_sensor %s" % (chip,)
        bus = i2c_of_its_own(host, i)
        sections[name] = {"sensor_type": "BME280", "min_temp": -40, **bus}
        machine[name] = {"sensor_chip": chip, "start_c": true_c, "ambient_c": true_c}
    printer = start(HeatedPrinter(sections, machine))
    printer.sleep(6.0)
    for chip in found:
        shown_c = printer.status("temperature_sensor %s" % (chip,))["temperature"]
        assert shown_c == pytest.approx(true_c, abs=BOSCH_CHIPS[chip]), chip
        air = printer.status("bme280 %s" % (chip,))
        assert air["pressure"] == pytest.approx(1013.25, abs=0.5), chip
        assert air.get("humidity", 45.0) == pytest.approx(45.0, abs=0.2), chip
        # Clean air
        assert air.get("gas", 50000.0) == pytest.approx(50000.0, rel=0.01), chip
    assert printer.not_simulated() == []


@pytest.mark.parametrize(
    ("chip", "bus"), [("linux", {"i2c_bus": "i2c.2"}), ("hc32f460", {"i2c_bus": 1})]
)
def test_chip_is_on_the_bus_that_the_host_finds(start, chip, bus):
    sensor = {"sensor_type": "LM75", "i2c_mcu": "other", **bus}
    sections = {"mcu other": {"serial": "/dev/other"}, "temperature_sensor a": sensor}
    machine = {"mcu other": {"chip": chip}, "temperature_sensor a": {"ambient_c": 30.5}}
    printer = start(HeatedPrinter(sections, machine))
    printer.sleep(3.0)
    assert printer.status("temperature_sensor a")["temperature"] == pytest.approx(30.5, abs=0.3)
    assert printer.not_simulated() == []


def test_ds18b20_is_read(start):
    sensor = {"sensor_type": "DS18B20", "serial_no": "28-0000001", "sensor_mcu": "mcu"}
    machine = {"temperature_sensor room": {"start_c": 31.0, "ambient_c": 31.0}}
    printer = start(HeatedPrinter({"temperature_sensor room": sensor}, machine))
    printer.sleep(8.0)
    # Older hosts show no temperature of it in its status
    shown_c = printer.status("temperature_sensor room")["temperature"]
    assert shown_c == pytest.approx(31.0, abs=0.1)
