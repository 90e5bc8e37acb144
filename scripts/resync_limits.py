#!/usr/bin/env python3
# Shows which step rates, overshoot and following-error limits an axis comes to
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/resync_limits.py printer.cfg [OPTIONS] (numbers in place of a file: see --help)
import os.path
import sys

# It runs as it is on a printer, where nobody has set a path
sys.path.insert(1, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
sys.path.insert(2, os.path.join(sys.path[1], "klippy", "extras"))

from scripts.owner.limits.command import main

if __name__ == "__main__":
    sys.exit(main())
