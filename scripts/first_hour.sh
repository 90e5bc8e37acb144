#!/bin/bash
# The first hour on a printer, guided; or a rehearsal of it on a virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/first_hour.sh [--moonraker URL] [--bundle DIR] [--anew]
#        scripts/first_hour.sh --rehearse [--seed N] [--bad KIND] [--host NAME] [--json FILE]

set -u

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PYTHONPATH=$root:$root/klippy/extras
for argument in "$@"; do
    if [ "$argument" = --rehearse ]; then
        "$root/scripts/setup.sh" || exit
        exec "$root/.env/tools/bin/python" "$root/scripts/developer/first_hour/command.py" "$@"
    fi
done
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' 2>/dev/null; then
    echo "first_hour: Python 3.8 or newer is needed: sudo apt install python3" >&2
    exit 2
fi
exec python3 "$root/scripts/owner/first_hour/command.py" "$@"
