# Where chips are on buses: one answer for all that look for it, and it is Klippy's own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Optional, Set, Tuple

import pytest

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer.accelerometers import Accelerometers
from virtual_printer.boards import Boards
from virtual_printer.bus_places import section_at, spi_place
from virtual_printer.coils import Coils
from virtual_printer.devices import Devices
from virtual_printer.heat.model import I2cWiring
from virtual_printer.heat.reader import HeatReader
from virtual_printer.model import SOFTWARE_BUSES, I2cPlace
from virtual_printer.output_chips import output_chips

MACHINE = ConfigFile(Path("machine.cfg"), text="")
# One chip of each kind that is read by a module of its own, and its usual address
SECTIONS = {
    "display": ("lcd_type: ssd1306", 0x3C),
    "mpu9250": ("", 0x68),
    "temperature_sensor a": ("sensor_type: LM75", 0x48),
    "probe_eddy_current a": ("sensor_type: ldc1612", 0x2A),
    "pca9533 a": ("", 0x62),
}


def uniform(what: str, low: float, high: float, digits: int = 3) -> float:
    del what, high, digits
    return low


def boards(sections: str, chip: str) -> Boards:
    printer = ConfigFile(Path("printer.cfg"), text=f"[mcu]\nserial: /dev/a\n{sections}")
    return Boards(printer, ConfigFile(Path("m.cfg"), text=f"[mcu]\nchip: {chip}\n"))


def places(options: str, chip: str) -> Set[Tuple[str, int]]:
    """Return the buses on which the chips of all sections are found, at their own addresses."""
    text = "".join(f"[{name}]\n{own}\n{options}\n" for name, (own, _) in SECTIONS.items())
    found = boards(text, chip)
    printer = found.printer
    (display,) = Devices(printer, MACHINE, found).displays()
    (sensor,) = HeatReader(printer, MACHINE, found).all().sensors
    assert display.i2c and isinstance(sensor.wiring, I2cWiring)
    all_places = [
        display.i2c,
        *(one.place for one in Accelerometers(printer, MACHINE, found, uniform).all()),
        sensor.wiring.place,
        *(one.place for one in Coils(printer, MACHINE, found, uniform).all()),
        *(one.place for one in output_chips(printer, found)),
    ]
    for place, (_, address) in zip(all_places, SECTIONS.values()):
        assert isinstance(place, I2cPlace) and place.address == address
    if options:
        names = [
            section_at(f"mcu:i2c:{all_places[0].bus}:{address}", found)
            for _, address in SECTIONS.values()
        ]
        # Addresses that are not given may be any: the first section is as good
        assert set(names) == {"display"}
    return {(place.mcu, place.bus) for place in all_places}


@pytest.mark.parametrize(
    ("chip", "name", "bus"),
    [
        ("linux", None, 0),
        ("linux", "i2c.2", 2),
        ("atmega2560", None, 0),
        ("atmega2560", "twi", 0),
        ("stm32f407", None, 0),
        ("stm32f407", "i2c2", 2),
        ("lpc1768", "i2c0", 2),
        ("rp2040", "i2c1c", 10),
        # Whose buses have one name for all kinds
        ("samd51p20a", None, 0),
        ("samd51p20a", "sercom3", 3),
        # Whose firmware has no names for its buses
        ("ar100", None, 0),
        ("ar100", "2", 2),
        ("hc32f460", "0", 0),
    ],
)
def test_all_chips_are_on_the_bus_that_klippy_takes(
    chip: str, name: Optional[str], bus: int
) -> None:
    options = f"i2c_bus: {name}\n" if name else ""
    assert places(options, chip) == {("mcu", bus)}


def test_software_bus_is_both_of_its_wires() -> None:
    wires = "i2c_software_scl_pin: PA3\ni2c_software_sda_pin: PB4\n"
    ((_, bus),) = places(wires, "stm32f407")
    ((_, other),) = places(wires.replace("PB4", "PB5"), "stm32f407")
    ((_, hardware),) = places("i2c_bus: i2c2", "stm32f407")
    assert len({bus, other, hardware}) == 3 and bus >= SOFTWARE_BUSES > hardware


@pytest.mark.parametrize(
    ("chip", "name"), [("linux", "twi"), ("linux", "2"), ("ar100", "i2c1"), ("atmega2560", "i2c1")]
)
def test_bus_that_the_chip_lacks_is_one_line(chip: str, name: str) -> None:
    with pytest.raises(ConfigError, match=r"'i2c_bus' in section .* is no bus of \w+ MCUs"):
        places(f"i2c_bus: {name}\n", chip)


def test_spi_bus_without_a_name_is_a_number_too() -> None:
    found = boards("[adxl345]\ncs_pin: None\nspi_bus: 1\n", "ar100")
    assert spi_place(found.printer.section("adxl345"), found).bus == 1


def test_place_on_a_bus_is_that_of_a_section() -> None:
    found = boards(
        "[adxl345 a]\ncs_pin: PA4\n[sensor b]\ni2c_bus: i2c2\n[sensor c]\ni2c_address: 64\n"
        "[sensor d]\ni2c_software_scl_pin: PC1\ni2c_software_sda_pin: PC2\ni2c_address: 64\n"
        "[sensor e]\ni2c_mcu: nobody\n",
        "stm32f103",
    )
    software = SOFTWARE_BUSES + (33 << 8) + 34
    places = ("mcu:spi:4", "mcu:i2c:2:118", "mcu:i2c:0:64", f"mcu:i2c:{software}:64", "mcu:spi:5")
    names = [section_at(place, found) for place in places]
    assert names == ["adxl345 a", "sensor b", "sensor c", "sensor d", None]


def test_chip_alone_on_its_bus_is_that_of_a_section() -> None:
    wires = "spi_software_sclk_pin: PA1\nspi_software_mosi_pin: PA2\n"
    found = boards(
        f"[adxl345 a]\ncs_pin: None\nspi_bus: spi1\n[adxl345 b]\ncs_pin: None\n{wires}"
        f"[adxl345 c]\ncs_pin: PA4\n{wires}",
        "stm32f103",
    )
    places = ("mcu:spi_bus:1", f"mcu:spi_bus:{SOFTWARE_BUSES + (1 << 8) + 2}", "mcu:spi_bus:0")
    names = [section_at(place, found) for place in places]
    assert names == ["adxl345 a", "adxl345 b", None]
