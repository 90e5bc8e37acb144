# What a developer measures and judges the extra with; each is started by a script of its name
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
