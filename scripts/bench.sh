#!/bin/bash
# Measures what the resync costs and what it keeps: sets up what is missing, then runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/bench.sh [--can] [--host NAME] [--seed N] [--json FILE] [--plot FILE]

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" || exit
PYTHONPATH=$root exec "$root/.env/tools/bin/python" "$root/scripts/developer/bench/command.py" "$@"
