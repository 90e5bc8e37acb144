# The chips of the AVR, SAM and SAMD families
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Tuple

from virtual_printer.firmware.chips.chip import TEMPERATURE, Bus, Chip, PinRun, buses, ports

_PWM = {"PWM_MAX": 255}


def _avr(
    name: str, runs: Tuple[PinRun, ...], spi: str, twi: str, mhz: int = 16, adc: int = 1023
) -> Chip:
    found = (Bus("spi_bus", "spi", 0, spi), Bus("i2c_bus", "twi", 0, twi))
    return Chip(name, mhz * 1_000_000, runs, found, {"ADC_MAX": adc, **_PWM})


# Their two pins that only measure are called PE2 and PE3
_SMALL = (*ports("BCD", 8), ("PE2", 66, 2))
_SMALL_BUSES = ("PB4,PB3,PB5", "PC5,PC4")
_MIDDLE_BUSES = ("PB6,PB5,PB7", "PC0,PC1")
_LARGE_BUSES = ("PB3,PB2,PB1", "PD0,PD1")

# What has fewer ports comes first: pins that it has too are most likely its own
AVR = (
    _avr("atmega1284p", ports("ABCD", 8), *_MIDDLE_BUSES),
    _avr("atmega2560", ports("ABCDEFGHJKL", 8), *_LARGE_BUSES),
    _avr("atmega644p", ports("ABCD", 8), *_MIDDLE_BUSES),
    _avr("atmega1280", ports("ABCDEFGHJKL", 8), *_LARGE_BUSES),
    _avr("at90usb1286", ports("ABCDEF", 8), *_LARGE_BUSES),
    _avr("at90usb646", ports("ABCDEF", 8), *_LARGE_BUSES),
    _avr("atmega32u4", ports("BCDEF", 8), *_LARGE_BUSES),
    _avr("atmega168", _SMALL, *_SMALL_BUSES),
    _avr("atmega328", _SMALL, *_SMALL_BUSES),
    _avr("atmega328p", ports("BCDE", 8), *_SMALL_BUSES),
    _avr("lgt8f328p", ports("BCDEF", 8), *_SMALL_BUSES, mhz=32, adc=4095),
)


def _sam(name: str, mhz: int, letters: str, spi: str, i2c: str) -> Chip:
    found = (*buses("spi_bus", spi), *buses("i2c_bus", i2c))
    constants = {"ADC_MAX": 4095, **_PWM}
    return Chip(name, mhz * 1_000_000, (*ports(letters, 32), TEMPERATURE), found, constants)


_SAM3_SPI = "spi0=PA25,PA26,PA27 usart0=PA10,PA11,PA17 usart1=PA12,PA13,PA16 usart2=PB21,PB20,PB24"
_SAM4S_SPI = "spi=PA12,PA13,PA14 usart0=PA5,PA6,PA2 usart1=PA21,PA22,PA23"
_SAM4E_SPI = "spi=PA12,PA13,PA14 usart0=PB0,PB1,PB13 usart1=PA21,PA22,PA23"
_SAME70_SPI = (
    "spi0=PD20,PD21,PD22 spi1 usart0=PB0,PB1,PB13 usart1=PA21,PB4,PA23 usart2=PD15,PD16,PD17"
)
_SAM3_I2C = "twi0=PA18,PA17 twi1=PB13,PB12"
_SAM4_I2C = "twi0=PA4,PA3 twi1=PB5,PB4"

SAM = (
    _sam("sam3x8e", 84, "ABCD", _SAM3_SPI, _SAM3_I2C),
    _sam("sam4e8e", 120, "ABCDE", _SAM4E_SPI, _SAM4_I2C),
    _sam("sam3x8c", 84, "AB", _SAM3_SPI, _SAM3_I2C),
    _sam("sam4s8c", 120, "ABC", _SAM4S_SPI, _SAM4_I2C),
    _sam("same70q20b", 300, "ABCDE", _SAME70_SPI, "twihs0=PA4,PA3 twihs1=PB5,PB4 twihs2=PD28,PD27"),
)


def _samd(name: str, mhz: int, letters: str, sercom_count: int) -> Chip:
    """Its buses are what samd_sercom sections make of its communication peripherals."""
    found = tuple(Bus("bus", f"sercom{i}", i) for i in range(sercom_count))
    constants = {"ADC_MAX": 4095, **_PWM}
    return Chip(name, mhz * 1_000_000, (*ports(letters, 32), TEMPERATURE), found, constants)


SAMD = (
    _samd("samd51p20a", 120, "ABCD", 8),
    _samd("same54p20a", 120, "ABCD", 8),
    _samd("samd51g19a", 120, "ABCD", 8),
    _samd("samd51j19a", 120, "ABCD", 8),
    _samd("samd51n19a", 120, "ABCD", 8),
    _samd("same51j19a", 120, "ABCD", 8),
    _samd("same51n19a", 120, "ABCD", 8),
    _samd("samd21g18a", 48, "AB", 8),
    _samd("samd21e18a", 48, "AB", 8),
    _samd("samd21j18a", 48, "AB", 8),
    _samd("samd21e15a", 48, "AB", 8),
    _samd("samc21g18a", 48, "AB", 8),
)
