# Which tests judge a mutant: those that reach its line, the most apt and the quickest first
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

from scripts.developer.mutants.changes import ROOT, Mutant, module_paths
from scripts.developer.mutants.reached import noting
from scripts.developer.mutants.tree import Tree
from virtual_printer import hosts

TARGETS = ("test/resync", "test/end_to_end", "test/klippy")
# What records depend on besides the tests themselves
FOLDERS = (
    *("klippy", "printer_config", "virtual_printer"),
    *("test/end_to_end", "test/helpers", "test/klippy"),
)
SUFFIXES = (".py", ".c", ".h", ".cfg", ".test")
# They judge the virtual printer and other programs, or take a minute
LEFT_OUT_FILES = (
    "test_can.py",
    "test_determinism.py",
    "test_first_hour_rehearsal.py",
    "test_moonraker.py",
    "test_sample_configs.py",
)
C_HELPER_TESTS = ("test/resync/test_chelper.py",)
RECORDING_LIMIT_S = 3600.0
# Where the hosts differ so much that one does not stand for the others
TESTS_OF_ALL_HOSTS = (
    "test_motion.py",
    "test_fan_out.py",
    "test_one_signal.py",
    "test_options.py",
    "test_kinematics.py",
)
# Test files to try first; what is not here is judged by the quickest tests first
APT: Dict[str, List[str]] = {
    "checks": ["test_count_check", "test_lost_steps"],
    "answers": ["test_late_answers"],
    "commands": ["test_commands", "test_safety"],
    "console": ["test_commands"],
    "span": ["test_homing_moves", "test_safety", "test_rules", "test_handlers", "test_lost_steps"],
    "endstop_watch": ["test_homing_moves", "test_handlers"],
    "failure": ["test_handlers"],
    "fan_out": ["test_fan_out"],
    "force_move_watch": ["test_safety", "test_homing_moves"],
    "guard": ["test_safety", "test_homing_moves"],
    "history": ["test_status", "test_commands"],
    "host": ["test_homing_moves", "test_memory"],
    "homing": ["test_homing_moves", "test_handlers", "test_late_answers", "test_safety"],
    "homing_moves": ["test_homing_moves"],
    "losses": ["test_homing_moves", "test_safety"],
    "level": ["test_homing_moves"],
    "mapping": ["test_motion", "test_kinematics"],
    "motor_watch": ["test_safety"],
    "correction_move": ["test_motion"],
    "multi_mcu_resync": ["test_options", "test_safety", "test_handlers"],
    "one_signal": ["test_one_signal"],
    "comparison": ["test_lost_steps", "test_late_answers"],
    "questions": ["test_count_check", "test_late_answers"],
    "keep_mapping": ["test_motion"],
    "restore": ["test_motion", "test_kinematics"],
    "resyncer": ["test_safety", "test_homing_moves", "test_options", "test_own_probes"],
    "signal_pin": ["test_fan_out"],
    "signals": ["test_fan_out", "test_one_signal"],
    "settings": ["test_options"],
    "status": ["test_status"],
    "step_history": ["test_count_check", "test_lost_steps"],
    "sync_state": ["test_safety"],
    "ways": ["test_options", "test_safety", "test_homing_moves"],
}
# How much CPU time (s) the tests of one mutant may take by what was recorded of them
BUDGET_CPU_S = 180.0


class RecordedTest(NamedTuple):
    """CPU time (s) that a test takes, and which "<file>:<line>" of the extra it reaches."""

    cpu_s: float
    reached: Set[str]

    def limit_s(self) -> float:
        """When it is given up: a busy machine is no mutant."""
        return 30.0 + 15.0 * self.cpu_s


Records = Dict[str, RecordedTest]


def _fingerprint(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(b"%s\0%s\0" % (str(path.relative_to(ROOT)).encode(), path.read_bytes()))
    return digest.hexdigest()[:16]


def _judged_fingerprint() -> str:
    """Of what all records depend on: the extra, and what tests drive it with."""
    files = [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.suffix in SUFFIXES]
    names = ["%s %s" % (host.name, host.version) for host in hosts.available()]
    parts = [*names, _fingerprint(p for p in files if not p.name.startswith("test_"))]
    return ", ".join(parts)


def _test_files() -> Dict[str, str]:
    """Fingerprints of the files with tests, below the project's folder."""
    found = [path for target in TARGETS for path in (ROOT / target).rglob("test_*.py")]
    names = {str(path.relative_to(ROOT)): _fingerprint([path]) for path in found}
    return {name: text for name, text in names.items() if Path(name).name not in LEFT_OUT_FILES}


def record_tests(trees: List[Tree]) -> Records:
    """Which test reaches what; what has been recorded before is looked up."""
    kept_file = hosts.ENVIRONMENTS / "mutant_tests.json"
    kept = json.loads(kept_file.read_text()) if kept_file.exists() else {}
    if kept.get("judged") != _judged_fingerprint():
        kept = {"judged": _judged_fingerprint(), "files": {}}
    files = _test_files()
    old = {name: known for name, known in kept["files"].items() if files.get(name) == known[0]}
    new = [name for name in files if name not in old]
    if new:
        print("recording what is reached by the tests in %d files" % (len(new),), flush=True)
        entries = _recorded(trees[0], len(trees), new)
        for name in new:
            of_file = [e for e in entries if e["test"].partition("::")[0] == name]
            old[name] = [files[name], of_file]
        kept["files"] = old
        kept_file.write_text(json.dumps(kept))
    return {
        entry["test"]: RecordedTest(entry["cpu_s"], set(entry["reached"]))
        for _, of_file in old.values()
        for entry in of_file
    }


def _recorded(tree: Tree, workers: int, files: List[str]) -> List[Dict[str, Any]]:
    folder = tree.path / "mutant_record"
    folder.mkdir()
    sources = {path: tree.read(path) for path in module_paths()}
    for path, source in sources.items():
        tree.write(path, noting(source, Path(path).name))
    others = [host.name for host in hosts.available() if host.name != hosts.REGISTRY_HOSTS[0]]
    of_others = dict.fromkeys(others, TESTS_OF_ALL_HOSTS)
    plan = {"hosts": of_others, "record": str(folder), "tests": None}
    options = ["-n", str(workers), "--tb=short"]
    done = tree.run_tests(plan, files, options, RECORDING_LIMIT_S)
    for path, source in sources.items():
        tree.write(path, source)
    if done.returncode:
        # Those that have failed are in no record, and judge nothing
        print("tests fail without any mutant:\n%s" % (done.stdout[-4000:],), file=sys.stderr)
    return [json.loads(path.read_text()) for path in sorted(folder.iterdir())]


class TestChoice:
    """Chooses the tests of mutants from what was recorded."""

    __test__ = False

    def __init__(self, records: Records) -> None:
        self._records = records
        self._modules = {p: ast.parse((ROOT / p).read_text()) for p in module_paths()}

    def tests_of(self, mutant: Mutant, named: List[str]) -> Dict[str, float]:
        """Limits (s) of the tests that judge a mutant, those that are named first."""
        places = self.places_of(mutant)
        # The C helper's are compiled with it, and reach nothing else
        own_tests = C_HELPER_TESTS if mutant.path.endswith(".c") else ("no such file",)
        apt = APT.get(Path(mutant.path).stem, [])

        def order(test: str) -> Tuple[bool, bool, int, float]:
            file_name = Path(test.partition("::")[0]).stem
            is_named = any(word in test for word in named)
            is_pure = test.startswith("test/resync/")
            rank = apt.index(file_name) if file_name in apt else len(apt)
            return not is_named, not is_pure, rank, self._records[test].cpu_s

        judging = sorted(
            (t for t, r in self._records.items() if places & r.reached or t.startswith(own_tests)),
            key=order,
        )
        chosen: Dict[str, float] = {}
        cpu_s = 0.0
        for test in judging:
            cpu_s += self._records[test].cpu_s
            if chosen and cpu_s > BUDGET_CPU_S:
                break
            chosen[test] = self._records[test].limit_s()
        return chosen

    def places_of(self, mutant: Mutant) -> Set[str]:
        """Lines of which a test has to reach one to notice the mutant."""
        if mutant.path not in self._modules:
            # The C helper carries every correction
            return self._lines("klippy/extras/resync/homing/correction_move.py", ast.parse(""))
        tree = self._modules[mutant.path]
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        around = [f for f in functions if f.lineno <= mutant.line <= (f.end_lineno or 0)]
        if around:
            function = max(around, key=lambda f: f.lineno)
            statements = [s for s in ast.walk(function) if isinstance(s, ast.stmt)]
            inside = [s for s in statements if s is not function]
            at = [s.lineno for s in inside if s.lineno <= mutant.line <= (s.end_lineno or 0)]
            line = max(at) if at else min(s.lineno for s in inside)
            return {"%s:%d" % (Path(mutant.path).name, line)}
        return self._users(mutant, tree)

    def _users(self, mutant: Mutant, tree: ast.Module) -> Set[str]:
        """Lines that use what is defined outside of functions."""
        defined = [s for s in tree.body if s.lineno <= mutant.line <= (s.end_lineno or 0)]
        names = {
            n.id
            for s in defined
            if not isinstance(s, ast.ClassDef)
            for n in ast.walk(s)
            if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
        }
        used = set()
        for path, module in self._modules.items():
            for node in ast.walk(module):
                if isinstance(node, ast.stmt) and any(
                    (isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load))
                    or (isinstance(n, ast.Attribute) and n.attr in names)
                    for n in ast.walk(node)
                ):
                    used.add("%s:%d" % (Path(path).name, node.lineno))
        return used or self._lines(mutant.path, tree)

    def _lines(self, path: str, tree: ast.Module) -> Set[str]:
        """Every line of a module."""
        prefix = Path(path).name + ":"
        reached = set().union(*(r.reached for r in self._records.values()))
        return {place for place in reached if place.startswith(prefix)}
