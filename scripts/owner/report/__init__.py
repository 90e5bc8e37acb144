# The parts of resync_report.py: files -> lines -> log -> text, plots, page
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
