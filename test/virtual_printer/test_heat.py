# Reading what gets warm from printer.cfg and a machine file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import replace
from typing import Dict, List

import pytest

from printer_config.config import Config
from printer_config.section import ConfigError
from virtual_printer.boards import Boards
from virtual_printer.firmware import chips, dictionary
from virtual_printer.heat import lines, mcu_thermometers, thermistors, thermocouples
from virtual_printer.heat.model import AnalogWiring, Heat, I2cWiring
from virtual_printer.heat.reader import HeatReader

PRINTER = """
[extruder]
heater_pin: PC0
sensor_type: EPCOS 100K B57560G104F
sensor_pin: PD0
[heater_bed]
heater_pin: multi_pin:beds
sensor_type: Generic 3950
sensor_pin: PD1
[multi_pin beds]
pins: PC1, !other:PC2
[heater_generic chamber left]
heater_pin: PC3
sensor_type: temperature_combined
[temperature_sensor host]
sensor_type: temperature_host
[temperature_sensor inside]
sensor_type: temperature_mcu
[temperature_sensor same]
sensor_type: Generic 3950
sensor_pin: PD1
[load_cell]
sensor_type: hx711
[fan]
pin: PC4
"""
MCUS = ("mcu", "other")
BOARDS = "".join(
    f"[{section}]\nserial: /tmp/virtual_printer/{section[-3:]}\n"
    for section in ("mcu", "mcu other")
)


def config(text: str, source: str) -> Config:
    found = Config(source)
    found.add(text.splitlines(), source)
    return found


def read(truth: str = "", printer: str = PRINTER) -> Heat:
    machine = config(truth, "machine.cfg")
    owner = config(BOARDS + printer, "printer.cfg")
    reader = HeatReader(owner, machine, Boards(owner, machine))
    heat = reader.all()
    for section in machine.sections.values():
        section.check_all_used()
    return heat


def totals(heat: Heat) -> Dict[str, float]:
    """Return the capacity of each body with its parts (J/K)."""
    found: Dict[str, float] = {}
    for body in heat.bodies:
        name = body.name.split(".")[0]
        found[name] = found.get(name, 0.0) + body.capacity_j_per_k
    return found


def test_every_section_with_a_sensor_is_a_body() -> None:
    assert list(totals(read())) == [
        *("extruder", "heater_bed", "heater_generic_chamber_left", "temperature_sensor_host"),
        *("temperature_sensor_inside", "temperature_sensor_same"),
    ]


def test_parts_have_their_share_of_the_capacity() -> None:
    heat = read("[extruder]\ncapacity_j_per_k: 30")
    assert totals(heat)["extruder"] == pytest.approx(30.0)
    heat = read("[extruder]\nelement_lag_s: 0\nsensor_lag_s: 0")
    assert "extruder" in [body.name for body in heat.bodies]
    assert not [body.name for body in heat.bodies if body.name.startswith("extruder.")]
    assert next(heater.body for heater in heat.heaters) == "extruder"


def test_heater_of_several_pins_has_its_power_between_them() -> None:
    beds = [heater for heater in read().heaters if heater.body == "heater_bed.element"]
    assert [(one.pin.mcu, one.pin.name, one.pin.invert) for one in beds] == [
        ("mcu", "PC1", False),
        ("other", "PC2", True),
    ]
    assert [one.power_w for one in beds] == [150.0, 150.0]


def test_sensors_that_no_mcu_reads_and_those_that_share_a_pin_are_left_to_others() -> None:
    assert [sensor.name for sensor in read().sensors] == [
        *("extruder", "heater_bed", "temperature_sensor_inside"),
    ]


def test_print_fan_blows_at_the_hotend() -> None:
    (cooler,) = read("[extruder]\nfan_loss_w_per_k: 0.07").coolers
    assert (cooler.body, cooler.pin.name, cooler.loss_w_per_k) == ("extruder", "PC4", 0.07)


def test_bodies_are_coupled_as_the_machine_file_says() -> None:
    truth = "[heater_bed]\ncoupling_w_per_k:\n  heater_generic chamber left: 0.5\n  extruder: 0.01"
    found = [one for one in read(truth).couplings if "." not in one.other]
    assert [(one.other, one.conductance_w_per_k) for one in found] == [
        ("heater_generic_chamber_left", 0.5),
        ("extruder", 0.01),
    ]


def test_room_is_the_ambient_of_all_that_has_no_own() -> None:
    truth = "[virtual_printer]\nambient_c: 18\n[heater_bed]\nambient_c: 30\n[extruder]\nstart_c: 90"
    found = {body.name: (body.ambient_c, body.start_c) for body in read(truth).bodies}
    assert found["extruder"] == (18.0, 90.0)
    assert found["heater_bed.sensor"] == (30.0, 30.0)


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        ("[extruder]\npower_w: 0", "option 'power_w' in section [extruder] must be above 0"),
        ("[extruder]\ncapacity_j_per_k: -3", "'capacity_j_per_k' in section [extruder] must be"),
        ("[heater_bed]\nloss_w_per_k: -1", "'loss_w_per_k' in section [heater_bed] must be at"),
        ("[extruder]\npower: 4", "option 'power' in section [extruder] is not known"),
        ("[temperature_sensor host]\npower_w: 4", "'power_w' in section [temperature_sensor host]"),
        ("[extruder]\ncoupling_w_per_k: bed: 1", "names no other section: 'bed: 1'"),
        ("[extruder]\ncoupling_w_per_k: extruder: 1", "names no other section: 'extruder: 1'"),
        ("[extruder]\ncoupling_w_per_k: heater_bed: -1", "is not a number: 'heater_bed: -1'"),
    ],
)
def test_machine_file_that_cannot_be_is_refused_in_one_line(truth: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(truth)
    assert problem in str(refused.value) and "\n" not in str(refused.value)


def test_chip_that_is_none_of_its_family_is_refused() -> None:
    printer = "[temperature_sensor a]\nsensor_type: BME280\n"
    (sensor,) = read("[temperature_sensor a]\nsensor_chip: bmp388\n", printer).sensors
    assert isinstance(sensor.wiring, I2cWiring) and sensor.wiring.chip == "bmp388"
    with pytest.raises(ConfigError, match="'sensor_chip' in section .* is none of .*'LM75'"):
        read("[temperature_sensor a]\nsensor_chip: lm75\n", printer)


CUSTOM = "[extruder]\nheater_pin: PC0\nsensor_pin: PD0\nsensor_type: own\n"


@pytest.mark.parametrize(
    ("definition", "problem"),
    [
        ("[thermistor own]\ntemperature1: 25\nbeta: 3950", "'resistance1' in section [thermistor"),
        (
            "[thermistor own]\ntemperature1: 25\nresistance1: 100\ntemperature2: 26\n"
            "resistance2: 100\ntemperature3: 27\nresistance3: 50",
            "must be three different points with the others",
        ),
        (
            "[adc_temperature own]\ntemperature1: 25\nvoltage1: 1",
            "must be at least two different ones with the others",
        ),
    ],
)
def test_sensor_that_cannot_be_is_refused_in_one_line(definition: str, problem: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(printer=CUSTOM + definition)
    assert problem in str(refused.value) and "\n" not in str(refused.value)


def test_table_goes_on_straight_beyond_its_ends() -> None:
    table = "[adc_temperature own]\ntemperature1: 0\nvoltage1: 1\ntemperature2: 100\nvoltage2: 2"
    (sensor,) = read(printer=CUSTOM + table).sensors
    assert isinstance(sensor.wiring, AnalogWiring)
    curve = sensor.wiring.curve
    shown = {at_c: curve.ratios[at_c - int(curve.lowest_c)] * 5.0 for at_c in (-20, 50, 150, 700)}
    assert shown == pytest.approx({-20: 0.8, 50: 1.5, 150: 2.5, 700: 5.0})


# Facts


@pytest.mark.parametrize(
    ("temperature_c", "type_k_mv", "type_j_mv"),
    # NIST Monograph 175
    [
        (-40.0, -1.527, -1.961),
        (0.0, 0.0, 0.0),
        (25.0, 1.000, 1.277),
        (100.0, 4.096, 5.269),
        (300.0, 12.209, 16.327),
        (800.0, 33.275, 45.494),
    ],
)
def test_thermocouples_have_the_voltage_of_their_tables(
    temperature_c: float, type_k_mv: float, type_j_mv: float
) -> None:
    assert thermocouples.type_k_mv(temperature_c) == pytest.approx(type_k_mv, abs=6e-4)
    assert thermocouples.type_j_mv(temperature_c) == pytest.approx(type_j_mv, abs=6e-4)


def test_platinum_has_the_resistance_of_its_table() -> None:
    # IEC 60751
    for temperature_c, ohm in ((-50.0, 80.31), (0.0, 100.0), (100.0, 138.51), (400.0, 247.09)):
        assert thermistors.platinum_ohm(100.0, temperature_c) == pytest.approx(ohm, abs=0.006)


def test_thermistor_goes_through_the_points_that_define_it() -> None:
    points = [(25.0, 100000.0), (150.0, 1641.9), (250.0, 226.15)]
    thermistor = thermistors.by_points(points)
    for temperature_c, ohm in points:
        assert thermistor.resistance_ohm(temperature_c) == pytest.approx(ohm)
    resistances = [thermistor.resistance_ohm(float(at_c)) for at_c in range(-60, 800)]
    assert resistances == sorted(resistances, reverse=True)


def test_points_that_no_thermistor_has_are_met_by_beta() -> None:
    points = [(25.0, 100000.0), (150.0, 900.0), (250.0, 226.15)]
    thermistor = thermistors.by_points(points)
    assert thermistor.c == 0.0
    for temperature_c, ohm in (points[0], points[2]):
        assert thermistor.resistance_ohm(temperature_c) == pytest.approx(ohm)


def chip_lines(chip: str) -> List[str]:
    firmware = dictionary.build(replace(chips.VIRTUAL, name=chip))
    return lines.write(read(), dict.fromkeys(MCUS, firmware), lambda pin: 7)


def test_sensor_inside_of_a_chip_is_written_with_the_words_that_calibrate_it() -> None:
    found = chip_lines("stm32f446xx")
    words = [line for line in found if line.startswith("memory_word")]
    assert words == [
        f"memory_word mcu address={0x1FFF7A2C} value=959",
        f"memory_word mcu address={0x1FFF7A2E} value=1207",
    ]
    assert len([line for line in found if line.endswith("pin=254") or " pin=254 " in line]) == 1


@pytest.mark.parametrize(
    ("chip", "at_c", "volt"),
    # Voltages of the data sheets, of a supply of 3.3 V
    [
        ("rp2040", 27.0, 0.706),
        ("rp2350", 47.0, 0.67158),
        ("sam3x8e", 27.0, 0.8),
        ("sam4s8c", 37.0, 1.487),
        ("same70q20b", 25.0, 0.72),
        ("samd21g18", 25.0, 0.667),
        ("samd51p20", 85.0, 0.808),
        ("stm32f103xe", 25.0, 1.43),
        ("stm32f072xb", 110.0, 1.0645),
        ("stm32f207xx", 25.0, 0.76),
        ("stm32f407xx", 30.0, 0.7725),
        ("stm32g0b1xx", 130.0, 1.01),
        ("stm32g431xx", 30.0, 0.76),
        ("stm32h723xx", 130.0, 0.82),
        ("stm32h743xx", 110.0, 0.78),
    ],
)
def test_sensor_inside_of_a_chip_has_the_voltage_of_its_data_sheet(
    chip: str, at_c: float, volt: float
) -> None:
    thermometer = mcu_thermometers.find(chip)
    assert thermometer is not None
    curve = thermometer.curve()
    share = (at_c - curve.lowest_c) / curve.step_c
    ratio = curve.ratios[0] + share * (curve.ratios[1] - curve.ratios[0])
    # The words of the chip are rounded
    assert ratio * 3.3 == pytest.approx(volt, abs=0.0005)


def test_words_of_a_samd_are_packed_as_its_data_sheet_says() -> None:
    thermometer = mcu_thermometers.find("samd21g18")
    assert thermometer is not None
    (_, temperatures), (_, samples) = thermometer.words
    assert (temperatures & 0xFF, temperatures >> 12 & 0xFF) == (25, 85)
    # Tenths of both and what the reference is off are zero
    assert temperatures & ~(0xFF | 0xFF << 12) == 0 and samples & 0xFF == 0
    ratios = [(samples >> shift & 0xFFF) / 4095 / 3.3 for shift in (8, 20)]
    assert ratios == pytest.approx([thermometer.low_ratio, thermometer.high_ratio])


@pytest.mark.parametrize("chip", ["atmega2560", "linux", "virtual"])
def test_chip_without_a_known_sensor_has_none(chip: str) -> None:
    assert mcu_thermometers.find(chip) is None
    assert not [line for line in chip_lines(chip) if "memory_word" in line or "=254" in line]


def test_printer_without_heaters_has_no_heat() -> None:
    assert read(printer="[fan]\npin: PC4\n") == Heat()


def test_lines_name_pins_by_their_numbers() -> None:
    found = chip_lines("rp2040")
    assert "heater extruder.element mcu=mcu pin=7 invert=0 power=40.0" in found
    assert "cooler extruder mcu=mcu pin=7 invert=0 loss=0.03" in found
