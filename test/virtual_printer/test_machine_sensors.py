# Sensors on buses, read from printer.cfg and a machine file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Optional

import pytest

from printer_config.section import ConfigError
from virtual_printer import description, machine
from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.model import I2cPlace, I2cWires, Machine, Pin, SpiPlace, software_bus
from virtual_printer.samples import SamplePrinter

PRINTER = SamplePrinter(resync=None).on_one_mcu().printer_cfg()


def pin(mcu: str, name: str) -> Pin:
    return Pin(mcu, name, False, PIN_NUMBERS[name])


WIRES_PINS = (pin("mcu", "PA3"), pin("mcu", "PA4"))


def load(folder: Path, sections: str, truth: str = "", seed: int = 1) -> Machine:
    printer_cfg, machine_file = folder / "printer.cfg", folder / "machine.cfg"
    printer_cfg.write_text(f"{PRINTER}\n{sections}")
    machine_file.write_text(truth)
    return machine.load(printer_cfg, machine_file, seed)


def refused(folder: Path, sections: str, truth: str = "") -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, sections, truth)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


# Acceleration sensors


@pytest.mark.parametrize(
    ("section", "place"),
    [
        (
            "[adxl345]\ncs_pin: toolhead:PB1",
            SpiPlace("toolhead", pin("toolhead", "PB1"), 0),
        ),
        ("[adxl345]\ncs_pin: toolhead:None\nspi_bus: 1", SpiPlace("toolhead", None, 1)),
        ("[lis2dw]\ni2c_mcu: toolhead", I2cPlace("toolhead", 0, 0x19)),
        ("[mpu9250 bed]\ni2c_bus: 2\ni2c_address: 105", I2cPlace("mcu", 2, 105)),
        (
            "[icm20948]\ni2c_software_scl_pin: PA3\ni2c_software_sda_pin: PA4",
            I2cPlace("mcu", software_bus(*WIRES_PINS), 0x68, I2cWires(*WIRES_PINS)),
        ),
    ],
)
def test_chip_is_where_printer_cfg_has_it(tmp_path: Path, section: str, place: object) -> None:
    (sensor,) = load(tmp_path, section).accelerometers
    assert sensor.place == place


@pytest.mark.parametrize(
    ("printer", "truth", "mounting"),
    [
        (None, None, ("x", "y", "z")),
        ("-z, y, x", None, ("z", "y", "-x")),
        ("x, x, z", None, ("y", "none", "z")),
        ("x, y, z", "y, x, -z", ("y", "x", "-z")),
    ],
)
def test_chip_is_mounted_as_its_axes_map_says(
    tmp_path: Path, printer: Optional[str], truth: Optional[str], mounting: object
) -> None:
    of_printer, of_truth = (
        f"[adxl345]\naxes_map: {one}\n" if one else "[adxl345]\n" for one in (printer, truth)
    )
    (sensor,) = load(tmp_path, of_printer + "cs_pin: PB1\n", of_truth).accelerometers
    assert sensor.mounting == mounting


def test_what_is_left_open_is_drawn_from_the_seed(tmp_path: Path) -> None:
    section = "[adxl345]\ncs_pin: PB1\n"
    first, again, other = (load(tmp_path, section, seed=seed) for seed in (1, 1, 2))
    assert first.resonances == again.resonances != other.resonances
    assert first.accelerometers == again.accelerometers != other.accelerometers
    assert [one.axis for one in first.resonances] == ["x", "y", "z"]


def test_machine_file_has_the_last_word(tmp_path: Path) -> None:
    truth = (
        "[resonance y]\nfrequency_hz: 61.5\ndamping: 0.03\n"
        "[adxl345]\nrate_error_percent: -2.5\nnoise_mg: 3\n"
    )
    found = load(tmp_path, "[adxl345]\ncs_pin: PB1\n", truth)
    assert (found.resonances[1].frequency_hz, found.resonances[1].damping) == (61.5, 0.03)
    assert found.accelerometers[0].rate_factor == 0.975
    assert found.accelerometers[0].noise_mg == 3.0


@pytest.mark.parametrize(
    ("section", "truth", "problem"),
    [
        ("cs_pin: PB1\naxes_map: x, y", "", "option 'axes_map' in section [adxl345]"),
        ("cs_pin: PB1\naxes_map: x, y, --z", "", "is not three axes: 'x, y, --z'"),
        ("cs_pin: nobody:None", "", "names an MCU that is not there: 'nobody'"),
        ("i2c_mcu: nobody", "", "option 'i2c_mcu' in section [adxl345]"),
        ("i2c_bus: i2c9", "", "is no bus of virtual MCUs: 'i2c9'"),
        ("cs_pin: PB1", "[resonance x]\nfrequency_hz: 0", "must be at least 1"),
        ("cs_pin: PB1", "[resonance x]\nfrequency_hz: 501", "must be at most 500"),
        ("cs_pin: PB1", "[resonance x]\ndamping: -0.1", "must be at least 0"),
        ("cs_pin: PB1", "[resonance x]\ndamping: 1", "must be below 1"),
        ("cs_pin: PB1", "[resonance a]\ndamping: 0.1", "section [resonance a] is not known"),
        ("cs_pin: PB1", "[adxl345]\nrate: 100", "option 'rate' in section [adxl345] is not known"),
        ("cs_pin: PB1", "[adxl345]\nrate_error_percent: 11", "must be from -10 to 10"),
        ("cs_pin: PB1", "[adxl345]\nnoise_mg: -1", "must be at least 0"),
        ("cs_pin: PB1", "[lis2dw]\nnoise_mg: 1", "section [lis2dw] is not known"),
    ],
)
def test_mistake_is_named_in_one_line(
    tmp_path: Path, section: str, truth: str, problem: str
) -> None:
    assert problem in refused(tmp_path, f"[adxl345]\n{section}\n", truth)


# Load cells

HX711 = "sensor_type: hx711\ndout_pin: PB1\nsclk_pin: PB2\n"


def test_load_cell_is_as_printer_cfg_has_it(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        f"[load_cell a]\n{HX711}sensor_orientation: inverted\ncounts_per_gram: 70\n"
        "[load_cell b]\nsensor_type: ads1220\ncs_pin: PB3\ndata_ready_pin: PB4\n"
        "reference_tare_counts: 123\n[load_cell c]\nsensor_type: unknown\n",
        "[load_cell b]\ncounts_per_gram: 80\nnoise_g: 2\n",
    )
    first, second = found.load_cells
    assert (first.kind, first.rate_hz, first.counts_per_gram) == ("hx71x", 80, -70.0)
    assert first.clock_pin == pin("mcu", "PB2")
    assert (second.kind, second.rate_hz, second.counts_per_gram) == ("ads1220", None, 80.0)
    assert second.place == SpiPlace("mcu", pin("mcu", "PB3"), 0)
    assert (second.zero_counts, second.noise_g) == (123.0, 2.0)


def test_probe_that_is_a_load_cell_has_no_pin(tmp_path: Path) -> None:
    printer = SamplePrinter(resync=None, probe="load_cell_probe").printer_cfg()
    printer_cfg = tmp_path / "printer.cfg"
    printer_cfg.write_text(f"{printer}\n[load_cell_probe]\n{HX711}")
    found = machine.load(printer_cfg)
    assert len(found.endstops) == 2
    assert len(found.load_cells) == 1


@pytest.mark.parametrize(
    ("section", "truth", "problem"),
    [
        ("sensor_type: hx711\ndout_pin: PB1\n", "", "option 'sclk_pin' in section [load_cell a]"),
        (HX711, "[load_cell a]\ncounts_per_gram: 0", "must be above 0"),
        (HX711, "[load_cell a]\nnoise_g: -1", "must be at least 0"),
        (HX711, "[nozzle]\nstiffness_g_per_mm: 0", "must be above 0"),
        (HX711, "[nozzle]\nstiffness: 5", "option 'stiffness' in section [nozzle] is not known"),
    ],
)
def test_mistake_in_a_load_cell_is_named_in_one_line(
    tmp_path: Path, section: str, truth: str, problem: str
) -> None:
    assert problem in refused(tmp_path, f"[load_cell a]\n{section}", truth)


# Coils

COIL = "[probe_eddy_current a]\nsensor_type: ldc1612\n"


def test_coil_is_as_printer_cfg_has_it(tmp_path: Path) -> None:
    options = "i2c_mcu: toolhead\nintb_pin: toolhead:PB1\ny_offset: 21\nfrequency: 40000000\n"
    truth = "[probe_eddy_current a]\ncoil_height_mm: 2.5\ncoil_hz: 3100000\nnoise_hz: 5\n"
    (coil,) = load(tmp_path, COIL + options, truth).coils
    assert coil.place == I2cPlace("toolhead", 0, 0x2A)
    assert coil.interrupt_pin == pin("toolhead", "PB1")
    assert (coil.offset_x_mm, coil.offset_y_mm, coil.height_mm) == (0.0, 21.0, 2.5)
    assert (coil.coil_hz, coil.noise_hz, coil.clock_hz) == (3100000.0, 5.0, 40000000)


@pytest.mark.parametrize(
    ("kind", "clock_hz"),
    [("btt_eddy", 12e6), ("cartographer", 24e6), ("mellow_fly", 40e6)],
)
def test_coil_of_eddy_ng_has_the_reference_of_its_board(
    tmp_path: Path, kind: str, clock_hz: float
) -> None:
    (coil,) = load(tmp_path, f"[probe_eddy_ng a]\nsensor_type: {kind}\n", "").coils
    assert coil.clock_hz == clock_hz


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        ("coil_height_mm: -1", "must be at least 0"),
        ("coil_hz: 5", "must be at least 100000"),
        ("noise_hz: -1", "must be at least 0"),
        ("height: 1", "option 'height' in section [probe_eddy_current a] is not known"),
    ],
)
def test_mistake_in_a_coil_is_named_in_one_line(tmp_path: Path, truth: str, problem: str) -> None:
    assert problem in refused(tmp_path, COIL, f"[probe_eddy_current a]\n{truth}\n")


# Angle sensors


def test_angle_sensor_is_at_the_shaft_of_its_motor(tmp_path: Path) -> None:
    options = "sensor_type: a1333\ncs_pin: PB1\n"
    found = load(
        tmp_path,
        f"[angle a]\n{options}stepper: stepper_x\n[angle b]\n{options}"
        f"[angle c]\n{options.replace('a1333', 'tle5012b')}"
        f"[angle d]\n{options.replace('a1333', 'unknown')}",
    )
    at_x, at_none, with_clock = found.angle_sensors
    assert (at_x.kind, at_x.stepper, at_x.turn_mm) == ("a1333", "stepper_x", 40.0)
    assert at_x.place == SpiPlace("mcu", pin("mcu", "PB1"), 0)
    assert at_none.stepper is None
    assert with_clock.kind == "tle5012b"
    assert 0.99 <= with_clock.clock_factor <= 1.01 and with_clock.clock_factor != 1.0


# A Cartographer

CARTOGRAPHER = "[mcu carto]\nserial: /tmp/carto\n[cartographer]\nmcu: carto\nx_offset: 1\n"


def test_cartographer_is_an_mcu_with_a_coil(tmp_path: Path) -> None:
    truth = "[cartographer]\ncoil_height_mm: 2.5\ncoil_hz: 2950000\nnoise_hz: 5\nstart_c: 40\n"
    found = load(tmp_path, CARTOGRAPHER + "y_offset: 21\n", truth)
    (probe,) = found.cartographers
    assert (probe.mcu, probe.thermistor_pin.mcu) == ("carto", "carto")
    assert (probe.offset_x_mm, probe.offset_y_mm, probe.height_mm) == (1.0, 21.0, 2.5)
    assert (probe.coil_hz, probe.noise_hz) == (2950000.0, 5.0)
    chips = {mcu.name: mcu.chip.name for mcu in found.mcus}
    assert chips["carto"] == "stm32f042x6"
    (body,) = (one for one in found.heat.bodies if one.name == probe.body)
    assert body.start_c == 40.0


def test_only_the_cartographer_speaks_its_commands(tmp_path: Path) -> None:
    found = load(tmp_path, CARTOGRAPHER + "y_offset: 21\n")
    text = description.write(found, tmp_path).read_text()
    speaking = {line.split()[1] for line in text.splitlines() if "cartographer_home" in line}
    assert speaking == {"carto"}


def test_cartographer_homes_z_without_a_pin(tmp_path: Path) -> None:
    printer_cfg = tmp_path / "printer.cfg"
    printer_cfg.write_text(SamplePrinter(resync=None, probe="cartographer").printer_cfg())
    found = machine.load(printer_cfg)
    # Those of X and Y
    assert len(found.endstops) == 2
    assert [one.mcu for one in found.cartographers] == ["cartographer"]


@pytest.mark.parametrize(
    ("section", "truth", "problem"),
    [
        ("", "", "option 'y_offset' in section [cartographer] must be specified"),
        ("y_offset: 1\n", "coil_height_mm: -1", "must be at least 0"),
        ("y_offset: 1\n", "coil_hz: 5", "must be at least 100000"),
        ("y_offset: 1\n", "height: 1", "option 'height' in section [cartographer] is not known"),
    ],
)
def test_mistake_in_a_cartographer_is_named_in_one_line(
    tmp_path: Path, section: str, truth: str, problem: str
) -> None:
    assert problem in refused(tmp_path, CARTOGRAPHER + section, f"[cartographer]\n{truth}\n")


def test_cartographer_on_an_mcu_that_is_not_there_is_named(tmp_path: Path) -> None:
    sections = "[cartographer]\nmcu: nobody\nx_offset: 0\ny_offset: 0\n"
    assert "names an MCU that is not there: 'nobody'" in refused(tmp_path, sections)
