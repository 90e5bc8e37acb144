# Chips of other makers, and programs that take a chip's place
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.chips.chip import TEMPERATURE, Bus, Chip, buses

_LPC_BUSES = (
    *buses("spi_bus", "ssp0=P0.17,P0.18,P0.15 ssp1=P0.8,P0.9,P0.7"),
    *buses("i2c_bus", "i2c1=P0.1,P0.0 i2c1a=P0.20,P0.19 i2c0=P0.28,P0.27 i2c2=P0.11,P0.10"),
)
_LPC_PINS = tuple((f"P{port}.0", 32 * port, 32) for port in range(5))
_LPC_CONSTANTS = {"ADC_MAX": 4095, "PWM_MAX": 255}

_RP_SPI = (
    "spi0a=gpio0,gpio3,gpio2 spi0b=gpio4,gpio7,gpio6 spi0c=gpio16,gpio19,gpio18"
    " spi0d=gpio20,gpio23,gpio22 _spi0=gpio4,gpio3,gpio2 spi1a=gpio8,gpio11,gpio10"
    " spi1b=gpio12,gpio15,gpio14 spi1c=gpio24,gpio27,gpio26 _spi1=gpio12,gpio11,gpio10"
)
# Clock and data take turns on all pins: one bus has every other pair
_RP_I2C = " ".join(
    f"i2c{bus}{letter}=gpio{first + 1},gpio{first}"
    for bus in (0, 1)
    for letter, first in zip("abcdefgh", range(2 * bus, 30, 4))
)
_RP_BUSES = (*buses("spi_bus", _RP_SPI, has_long_names=True), *buses("i2c_bus", _RP_I2C))
_RP_CONSTANTS = {"ADC_MAX": 4095, "PWM_MAX": 1 << 15}

# A program on the host's own computer: pins of the kernel's drivers, more than a wire has room for
_LINUX_LINES = 288
_LINUX_PINS = (
    ("gpio0", 0, _LINUX_LINES),
    *((f"gpiochip{i}/gpio0", _LINUX_LINES * i, _LINUX_LINES) for i in range(9)),
    ("analog0", 1 << 12, 8),
    *((f"pwmchip{i}/pwm0", (1 << 16) + 16 * i, 16) for i in range(8)),
)
_LINUX_BUSES = (
    *(
        Bus("spi_bus", f"spidev{bus}.{select}", 256 * bus + select)
        for bus in range(8)
        for select in range(16)
    ),
    *(Bus("i2c_bus", f"i2c.{i}", i) for i in range(15)),
)

_LINUX_CONSTANTS = {"ADC_MAX": 4095, "PWM_MAX": 1 << 15, "PCA9685_MAX": 4096}

LPC1768 = Chip("lpc1768", 100_000_000, _LPC_PINS, _LPC_BUSES, _LPC_CONSTANTS)
RP2040 = Chip("rp2040", 12_000_000, (("gpio0", 0, 30), TEMPERATURE), _RP_BUSES, _RP_CONSTANTS)
LINUX = Chip("linux", 50_000_000, _LINUX_PINS, _LINUX_BUSES, _LINUX_CONSTANTS)

CHIPS = (
    LPC1768,
    Chip("lpc1769", 120_000_000, _LPC_PINS, _LPC_BUSES, _LPC_CONSTANTS),
    RP2040,
    Chip("rp2350", 150_000_000, (("gpio0", 0, 48), TEMPERATURE), _RP_BUSES, _RP_CONSTANTS),
    LINUX,
    Chip(
        "pru",
        200_000_000,
        (*((f"gpio{i}_0", 32 * i, 32) for i in range(4)), ("AIN0", 128, 8)),
        constants={"ADC_MAX": 4095},
    ),
    Chip(
        "ar100",
        300_000_000,
        tuple(
            (f"P{letter}0", 32 * i, count)
            for i, (letter, count) in enumerate(zip("LBCDEFGH", (13, 10, 17, 25, 18, 7, 14, 12)))
        ),
    ),
    # It has no names for its pins
    Chip("simulator", 20_000_000, (("0", 0, 256),)),
)
