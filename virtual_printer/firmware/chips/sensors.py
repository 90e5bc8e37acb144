# Sensors that are micro-controllers themselves, with firmware of their makers and no pins to use
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.chips.chip import Chip

# As its firmware 2.1 says, and that before 2.0
BEACON = Chip("beacon", 32_000_000, (), constants={"ADC_MAX": 4095})
OLD_BEACON = Chip("beacon_v1", 32_000_000, (), constants={"ADC_MAX": 4095})
