#!/bin/bash
# Checks whether multi_mcu_resync works with a Klipper: runs the end-to-end tests on it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
#
# Usage: scripts/check_host.sh [--quick] PATH
#
# PATH is a checkout (~/klipper), or the folder that an installed package's klippy/ is in. The tests
# run on a copy of it on the virtual printer; PATH itself stays as it is. --quick runs one test of
# each area. Exits with 0 only if all that was run has passed.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    echo "check_host: $*" >&2
    exit 1
}

selection=()
if [ "${1:-}" = --quick ]; then
    selection=(--one-per-area)
    shift
fi
if [ $# != 1 ] || [ "${1#-}" != "$1" ]; then
    fail "usage: scripts/check_host.sh [--quick] PATH_TO_KLIPPER"
fi
KLIPPY_DIR=$(realpath -m -- "$1")
export KLIPPY_DIR

mkdir -p "$root/.env"
exec 8>"$root/.env/check_host.lock"
flock -n 8 || fail "another check is running"

"$root/scripts/setup.sh"
cd "$root"
echo "check_host: version $(cat .env/checkout/version) of $KLIPPY_DIR"
# What fails leaves the logs of its printer in a folder; the next check begins afresh. That runs are
# repeatable is a matter of the virtual printer.
PYTHONPATH=$root exec .env/tools/bin/python -m pytest -p scripts.developer.host_table \
    test/end_to_end --ignore=test/end_to_end/test_determinism.py -q -n auto --dist worksteal \
    --tb=no -o addopts="--import-mode=importlib --strict-markers -rN" \
    -o tmp_path_retention_policy=failed --basetemp="$root/.env/checkout/logs" "${selection[@]}"
