# The parts of first_hour.sh --rehearse: printers, an owner who knows the truth, a witness
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
