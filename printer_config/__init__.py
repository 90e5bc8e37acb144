# Reads printer.cfg: what its owner's tools and the virtual printer need to know of a printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
