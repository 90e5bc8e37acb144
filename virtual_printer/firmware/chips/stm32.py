# The chips of the STM32 family, and those that are much like them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.chips.chip import TEMPERATURE, Bus, Chip, buses, ports

_CONSTANTS = {"ADC_MAX": 4095, "PWM_MAX": 1 << 15}

# Data in, data out, clock; the pins that every series has first
_COMMON_SPI = "spi2=PB14,PB15,PB13 spi1=PA6,PA7,PA5 spi1a=PB4,PB5,PB3"
_F0_SPI = f"{_COMMON_SPI} spi2a=PC2,PC3,PB10"
_F1_SPI = f"{_COMMON_SPI} spi3=PB4,PB5,PB3"
_F2_SPI = f"{_COMMON_SPI} spi2a=PC2,PC3,PB10 spi3=PB4,PB5,PB3"
_F4_SPI = f"{_F2_SPI} spi3a=PC11,PC12,PC10 spi2b=PI2,PI3,PI1"
_F4_SPI_4 = f"{_F4_SPI} spi4=PE13,PE14,PE12"
_G0_SPI = f"{_F0_SPI} _spi2=PB2,PB11,PB10 _spi2=PB6,PB7,PB8"
_G0B_SPI = f"{_G0_SPI} spi3=PB4,PB5,PB3 _spi3=PC11,PC12,PC10"
_G4_SPI = (
    f"{_COMMON_SPI} _spi2=PA10,PA11,PF1 spi3=PB4,PB5,PB3 spi3a=PC11,PC12,PC10 spi4=PE13,PE14,PE12"
)
_H7_SPI = (
    f"{_COMMON_SPI} spi2a=PC2,PC3,PB10 spi3a=PC11,PC12,PC10 spi4=PE13,PE14,PE12"
    " spi5=PF8,PF9,PF7 spi5a=PH7,PF11,PH6 spi6=PG12,PG14,PG13 spi2b=PI2,PI3,PI1"
)

# Clock, data
_F1_I2C = "i2c1=PB6,PB7 i2c1a=PB8,PB9 i2c2=PB10,PB11"
_F4_I2C = f"{_F1_I2C} i2c3=PA8,PC9"
_F4X5_I2C = f"{_F4_I2C} i2c2a=PH4,PH5 i2c3a=PH7,PH8 _i2c2=PF1,PF0"
_F0_I2C = "i2c1=PB6,PB7 i2c1a=PF1,PF0 _i2c1=PB8,PB9 _i2c1=PB8,PB7"
_F7_I2C = "_i2c1=PB6,PB7"
_L4_I2C = "_i2c1=PB6,PB7 _i2c1=PB8,PB9 _i2c1=PA9,PA10 _i2c2=PB10,PB11 _i2c2=PB13,PB14 _i2c3=PA7,PB4"
_G0_I2C = "_i2c1=PB6,PB7 _i2c1=PB8,PB9 _i2c1=PA9,PA10 _i2c2=PB10,PB11 _i2c2=PB13,PB14 _i2c2=PA7,PA6"
_G0B_I2C = f"{_G0_I2C} _i2c3=PB3,PB4 _i2c3=PC0,PC1 _i2c3=PA7,PA6"
_G4_I2C = (
    "_i2c1=PA13,PA14 _i2c1=PA15,PA14 _i2c1=PB8,PB7 _i2c1=PB8,PB9 _i2c2=PA9,PA8 _i2c2=PC4,PF0"
    " _i2c3=PC8,PC9 _i2c3=PC8,PC11"
)
_H7_I2C = "_i2c1=PB6,PB7 _i2c1=PB8,PB9 _i2c2=PB10,PB11 _i2c3=PA8,PC9"

# This one is the eighth or the seventh, as there is an SPI4 or not
_SPI6 = "PG12,PG14,PG13"


def _chip(name: str, mhz: int, letters: str, spi: str, i2c: str, *more: Bus) -> Chip:
    all_buses = (
        *buses("spi_bus", spi, has_long_names=spi is not _H7_SPI),
        # Only the first of those with short names came before there were long ones
        *buses("i2c_bus", i2c, has_long_names=i2c is _F0_I2C),
        *more,
    )
    # The smaller chips of a series lack some of its ports
    present = tuple(
        bus for bus in all_buses if all(pin[1] in letters for pin in bus.pins.split(","))
    )
    runs = (*ports(letters, 16), TEMPERATURE)
    return Chip(name, mhz * 1_000_000, runs, present, _CONSTANTS)


F103 = _chip("stm32f103xe", 72, "ABCDEFG", _F1_SPI, _F1_I2C)
F407 = _chip("stm32f407xx", 168, "ABCDEFGHI", _F4_SPI, _F4X5_I2C)

CHIPS = (
    F103,
    F407,
    _chip("stm32f031x6", 48, "ABCDF", _F0_SPI, _F0_I2C),
    _chip("stm32f042x6", 48, "ABCDF", _F0_SPI, _F0_I2C),
    _chip("stm32f070xb", 48, "ABCDF", _F0_SPI, _F0_I2C),
    _chip("stm32f072xb", 48, "ABCDEF", _F0_SPI, _F0_I2C),
    _chip("stm32f207xx", 120, "ABCDEFGHI", _F2_SPI, _F4X5_I2C),
    _chip("stm32f401xc", 84, "ABCDEH", _F4_SPI_4, _F4_I2C),
    _chip("stm32f405xx", 168, "ABCDEFGHI", _F4_SPI, _F4X5_I2C),
    _chip(
        *("stm32f429xx", 168, "ABCDEFGHI", _F4_SPI_4, _F4X5_I2C),
        Bus("spi_bus", f"spi6_{_SPI6.replace(',', '_')}", 8, _SPI6),
    ),
    _chip("stm32f446xx", 180, "ABCDEFGH", _F4_SPI_4, _F4_I2C),
    _chip("stm32f765xx", 216, "ABCDEFGHI", _F2_SPI, _F7_I2C),
    _chip("stm32g070xx", 64, "ABCDF", _G0_SPI, _G0_I2C),
    _chip("stm32g071xx", 64, "ABCDF", _G0_SPI, _G0_I2C),
    _chip("stm32g0b0xx", 64, "ABCDEF", _G0B_SPI, _G0B_I2C),
    _chip("stm32g0b1xx", 64, "ABCDEF", _G0B_SPI, _G0B_I2C),
    _chip("stm32g431xx", 170, "ABCDEFG", _G4_SPI, _G4_I2C),
    _chip("stm32g474xx", 170, "ABCDEFG", _G4_SPI, _G4_I2C),
    _chip("stm32h723xx", 520, "ABCDEFGH", _H7_SPI, _H7_I2C),
    _chip("stm32h743xx", 400, "ABCDEFGHI", _H7_SPI, _H7_I2C),
    _chip("stm32h750xx", 480, "ABCDEFGHI", _H7_SPI, _H7_I2C),
    _chip("stm32l412xx", 80, "ABCDH", _F0_SPI, _L4_I2C),
    Chip(
        "hc32f460",
        200_000_000,
        (*ports("ABCDE", 16), ("PH2", 114, 1)),
        constants={"ADC_MAX": 4095, "PWM_MAX": (1 << 16) - 1},
    ),
)
