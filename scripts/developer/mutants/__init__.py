# Small mistakes in the extra, one at a time, and whether the tests notice
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
