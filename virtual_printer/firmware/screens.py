# Displays to which bytes are clocked out on pins
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from virtual_printer.firmware.peripheral import Peripheral

PERIPHERAL = Peripheral(
    commands=(
        "config_hd44780 oid=%c rs_pin=%u e_pin=%u d4_pin=%u d5_pin=%u d6_pin=%u d7_pin=%u"
        " delay_ticks=%u",
        "hd44780_send_cmds oid=%c cmds=%*s",
        "hd44780_send_data oid=%c data=%*s",
        "config_st7920 oid=%c cs_pin=%u sclk_pin=%u sid_pin=%u sync_delay_ticks=%u"
        " cmd_delay_ticks=%u",
        "st7920_send_cmds oid=%c cmds=%*s",
        "st7920_send_data oid=%c data=%*s",
    ),
)
