# What scripts/test.sh --quick runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import subprocess
import sys
from collections import Counter
from pathlib import Path

from virtual_printer import hosts

ROOT = Path(__file__).resolve().parents[1]


def test_quick_run_has_one_test_of_each_file_with_a_host_and_only_the_first_host():
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "--quick"]
    done = subprocess.run(
        [*command, "test/resync/test_plan.py", "test/end_to_end"],
        cwd=str(ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    tests = [line for line in done.stdout.splitlines() if "::" in line]
    files = Counter(line.partition("::")[0] for line in tests)
    with_host = {name: count for name, count in files.items() if "end_to_end" in name}
    assert len(with_host) > 15
    assert set(with_host.values()) == {1}
    assert files["test/resync/test_plan.py"] > 10
    others = [host.name for host in hosts.available()[1:]]
    assert not any("[%s" % (name,) in line for name in others for line in tests)
