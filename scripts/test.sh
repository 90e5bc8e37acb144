#!/bin/bash
# Sets up what is missing, lints, checks format and type hints, and runs the tests:
# scripts/test.sh [--quick | --changed] [pytest arguments]
#
# --quick runs those of the extra that need no host, and one of each area on one host. --changed runs
# those of the files that are changed and not committed, or else of those of the last commit.
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
scripts/setup.sh --browser || exit 1
.env/tools/bin/python -m ruff check || exit 1
.env/tools/bin/python -m ruff format --check || exit 1
find klippy virtual_printer test -name '*.[ch]' -exec .env/tools/bin/clang-format -n --Werror {} + || exit 1
.env/tools/bin/python -m mypy || exit 1
# What a developer measures with runs under the Pythons that setup.sh takes
MYPYPATH=klippy/extras .env/tools/bin/python -m mypy --python-version 3.9 scripts/developer || exit 1
# The tools of a printer's owner run under any Python that the extra does
MYPYPATH=klippy/extras .env/tools/bin/python -m mypy --exclude ^scripts/developer/ scripts || exit 1
if [ "${1:-}" = --quick ]; then
    set -- "$@" test/resync test/docs test/end_to_end test/test_{folders,rooms,tools}.py
fi
# A managed host and its driver take turns, so each test needs one CPU only, and some wait for what
# runs in real time: one more than there are CPUs keeps all of these busy. 20 s of CPU time are
# enough for each test, but up to half as much again is counted while the machine is busy.
exec .env/tools/bin/python -m pytest -n "$(($(nproc) + 1))" --dist worksteal --cpu-limit 30 "$@"
