#!/bin/bash
# Measures how fast the virtual printer is, or its memory: sets up what is missing, then runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/speed.sh [--memory [SECONDS]] [--host NAME] [--seed N] [--json FILE]

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" || exit
PYTHONPATH=$root exec "$root/.env/tools/bin/python" "$root/scripts/developer/speed/command.py" "$@"
