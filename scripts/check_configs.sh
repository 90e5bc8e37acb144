#!/bin/bash
# Runs a folder of printer.cfg files on the virtual printer: sets up what is missing, then runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/check_configs.sh FOLDER [--host NAME] [--json FILE] [--jobs N]

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" || exit
PYTHONPATH=$root exec "$root/.env/tools/bin/python" "$root/scripts/developer/configs/command.py" "$@"
