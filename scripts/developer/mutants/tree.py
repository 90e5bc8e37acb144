# Copies of the project, to be thrown away, in which the extra can be changed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from scripts.developer.mutants.changes import ROOT, Mutant
from virtual_printer import host_setup, hosts

LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "*.so")
# pytest's exit codes
PASSED, TESTS_FAILED, INTERRUPTED = 0, 1, 2
C_HELPER = """
import sys
from resync.host import chelper
chelper.build(sys.argv[1])
"""


class TreeError(Exception):
    """Tests could not be run in a copy; the text is what they said."""


class Tree:
    """One copy of the project, with hosts that load the extra from it."""

    def __init__(self, path: Path, scratch: Path) -> None:
        self.path = path
        # Short, as sockets want it, and out of the way of other runs of pytest
        self._scratch = scratch
        shutil.copytree(ROOT, path, ignore=LEFT_OUT)
        environments = path / ".env"
        environments.mkdir()
        for name in ("tools", host_setup.IMPORTS):
            (environments / name).symlink_to(hosts.ENVIRONMENTS / name)
        self._hosts = [host.name for host in hosts.available()]
        for name in self._hosts:
            # The links to the extra in it are relative, so they lead into this copy
            shutil.copytree(
                hosts.ENVIRONMENTS / name,
                environments / name,
                symlinks=True,
                copy_function=os.link,
            )
        self.build_helper()

    def build_helper(self) -> bool:
        """Build the C helper for all hosts, as there is no compiler in virtual time."""
        for name in self._hosts:
            environment = self.path / ".env" / name
            done = subprocess.run(
                [
                    str(environment / "bin" / "python"),
                    "-c",
                    C_HELPER,
                    str(environment / "klippy" / "chelper"),
                ],
                cwd="/",
                env={**os.environ, "PYTHONPATH": str(self.path / "klippy" / "extras")},
                capture_output=True,
            )
            if done.returncode:
                return False
        return True

    def write(self, path: str, source: str) -> None:
        """Give a file of the copy this text."""
        (self.path / path).write_text(source, encoding="utf-8")

    def read(self, path: str) -> str:
        """The text of a file of the copy."""
        return (self.path / path).read_text(encoding="utf-8")

    def run_tests(
        self, plan: Dict[str, Any], targets: Sequence[str], options: Sequence[str], limit_s: float
    ) -> "subprocess.CompletedProcess[str]":
        """Run pytest on these files or folders by a plan for plugin.py.

        A copy that takes longer than limit_s counts as failed.
        """
        plan_file = self.path / "mutant_plan.json"
        plan_file.write_text(json.dumps(plan))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "scripts.developer.mutants.plugin"]
        command += ["-p", "no:cacheprovider", "--basetemp", str(self._scratch)]
        environment = {
            **os.environ,
            "MUTANT_PLAN": str(plan_file),
            # Two versions of a file within a second would be taken for the same
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(self.path),
        }
        with subprocess.Popen(
            [*command, *options, *targets],
            cwd=str(self.path),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            try:
                output, _ = process.communicate(timeout=limit_s)
            except subprocess.TimeoutExpired:
                process.kill()
                return subprocess.CompletedProcess(command, TESTS_FAILED, "out of time")
        return subprocess.CompletedProcess(command, process.returncode, output)

    def killer_of(self, mutant: Mutant, tests: Dict[str, float]) -> Optional[str]:
        """What kills a mutant, of these tests with their limits (s); None if nothing does."""
        source = self.read(mutant.path)
        self.write(mutant.path, mutant.applied_to(source))
        try:
            if mutant.path.endswith(".c") and not self.build_helper():
                return "the compiler"
            return self._failing(tests)
        finally:
            # Not from the project, which may have changed meanwhile
            self.write(mutant.path, source)

    def _failing(self, tests: Dict[str, float]) -> Optional[str]:
        files: List[str] = list(dict.fromkeys(test.partition("::")[0] for test in tests))
        plan = {"hosts": {}, "record": None, "tests": tests}
        done = self.run_tests(plan, files, ["-x", "-rfE", "--tb=no"], sum(tests.values()) + 60)
        if done.returncode == PASSED:
            return None
        if done.returncode not in (TESTS_FAILED, INTERRUPTED):
            raise TreeError(done.stdout)
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        return failed[0].split()[1] if failed else "out of time"
