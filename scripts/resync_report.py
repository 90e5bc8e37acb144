#!/usr/bin/env python3
# What a klippy.log shows of links, clocks, overshoot and corrections
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/resync_report.py klippy.log [more.log ...] [-o FILE]
#        scripts/resync_report.py --compare before.log after.log [more.log ...] [-o FILE]
import os.path
import sys

# It runs as it is on a printer, where nobody has set a path
sys.path.insert(1, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))

from scripts.owner.report.command import main

if __name__ == "__main__":
    sys.exit(main())
