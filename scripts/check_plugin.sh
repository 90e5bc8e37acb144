#!/bin/bash
# Runs plugins of others on the virtual printer, with and without multi_mcu_resync: sets up, then runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/check_plugin.sh PATH... [--host NAME] [--quick] [--json FILE] [--config FILE]
#            [--only TEXT] [--keep FOLDER] [--jobs N]
#
# PATH is a checkout of a plugin. It is copied into a copy of the host; PATH itself stays as it is.
# Exits with 0 unless a row fails with our section that passes without it, or no row passes.

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
"$root/scripts/setup.sh" || exit
PYTHONPATH=$root exec "$root/.env/tools/bin/python" "$root/scripts/developer/plugins/command.py" "$@"
