# Change the extra in small ways, one at a time, and see whether the tests notice
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import hashlib
import json
import os
import queue
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

from scripts.developer.mutants.changes import ROOT, Mutant, module_paths, mutants_of
from scripts.developer.mutants.named import NamedError, named_mutants, tests_named_for
from scripts.developer.mutants.tests import TestChoice, record_tests
from scripts.developer.mutants.tree import Tree, TreeError
from scripts.output_file import output_file
from virtual_printer import hosts

SURVIVORS = Path(__file__).with_name("survivors.txt")
# In the reason of a mutant that another host would notice than those of the suite
OF_OTHER_HOSTS = "check_host.sh"


class Judged(NamedTuple):
    """A mutant, and what has killed it, or None."""

    mutant: Mutant
    killer: Optional[str]
    tests: int


def parse_arguments(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """Options of scripts/mutants.sh; ends with one line and exit code 2 if they are bad."""
    parser = argparse.ArgumentParser(prog="scripts/mutants.sh")
    parser.add_argument(
        "--count", type=int, default=180, help="number of mutants, beside the named ones (180)"
    )
    parser.add_argument("--seed", type=int, default=1, help="seed of their choice")
    parser.add_argument(
        "--json", metavar="FILE", type=output_file, help="write the figures to FILE"
    )
    parser.add_argument(
        "--only", metavar="TEXT", help="of all mutants, those whose line in --list has this text"
    )
    parser.add_argument("--list", action="store_true", help="print them, and judge none")
    return parser.parse_args(arguments)


def all_mutants() -> Dict[str, List[Mutant]]:
    """Every mutant of each module of the extra."""
    return {p: mutants_of(p, (ROOT / p).read_text(encoding="utf-8")) for p in module_paths()}


def choose(mutants: Dict[str, List[Mutant]], count: int, seed: int) -> List[Mutant]:
    """So many mutants by chance, one of each module among them if there is room."""

    def lot(mutant: Mutant) -> bytes:
        # A change of the extra draws no other mutants of what it leaves as it is
        return hashlib.sha256(("%d %s" % (seed, mutant.describe())).encode()).digest()

    firsts = [min(found, key=lot) for found in mutants.values() if found][:count]
    others = [m for found in mutants.values() for m in found if m not in firsts]
    return firsts + sorted(others, key=lot)[: count - len(firsts)]


def read_survivors(path: Path = SURVIVORS) -> Dict[str, str]:
    """Why mutants are known to survive, by their description."""
    reasons: Dict[str, str] = {}
    change = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith(" "):
            change = line
        reasons[change] = " ".join([reasons.get(change, ""), line.strip()]).strip()
    return {change: reason[len(change) :].strip() for change, reason in reasons.items()}


@contextmanager
def make_trees(count: int) -> Iterator[List[Tree]]:
    """So many copies of the project, which are gone after the block."""
    with ExitStack() as stack:

        def folder(parent: Optional[Path] = None) -> Path:
            made = tempfile.TemporaryDirectory(prefix="mutants-", dir=parent)
            return Path(stack.enter_context(made))

        # On the file system of the hosts, whose files are linked
        trees, scratch = folder(hosts.ENVIRONMENTS), folder()
        yield [Tree(trees / str(i), scratch / str(i)) for i in range(count)]


def judge(mutants: List[Mutant], trees: List[Tree]) -> List[Judged]:
    """Judge all mutants, in several copies of the project at once."""
    choice = TestChoice(record_tests(trees))
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    for mutant in mutants:
        waiting.put(mutant)
    judged: List[Judged] = []
    errors: List[BaseException] = []

    def work(tree: Tree) -> None:
        while not errors:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                judged.append(judge_one(mutant, tree, choice))
            except Exception as e:
                errors.append(e)
                return
            show(judged[-1], len(judged), len(mutants))

    threads = [threading.Thread(target=work, args=(tree,)) for tree in trees]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException as e:
        # Interrupted: the mutants under way are the last ones
        errors.append(e)
        raise
    if errors:
        raise errors[0]
    return judged


def judge_one(mutant: Mutant, tree: Tree, choice: TestChoice) -> Judged:
    """Judge a mutant in a copy of the project; one that no test reaches survives."""
    tests = choice.tests_of(mutant, tests_named_for(mutant))
    return Judged(mutant, tree.killer_of(mutant, tests) if tests else None, len(tests))


def show(judged: Judged, number: int, count: int) -> None:
    """Print what has become of a mutant."""
    what = judged.mutant.name or judged.mutant.describe()
    fate = "killed  "
    if judged.killer is None:
        fate = "SURVIVED"
        what = "%s (%d tests)" % (what, judged.tests)
    else:
        what = "%s [%s]" % (what, judged.killer)
    print("%3d/%d %s %s" % (number, count, fate, what), flush=True)


def report_of(judged: List[Judged], reasons: Dict[str, str], seed: int) -> Dict[str, Any]:
    """The figures, plain enough for JSON."""
    survivors = [j.mutant for j in judged if j.killer is None]
    equivalent = [m for m in survivors if is_equivalent(reasons.get(m.describe(), ""))]
    killed = len(judged) - len(survivors)
    return {
        "seed": seed,
        "mutants": len(judged),
        "killed": killed,
        "survived": len(survivors),
        "killed_percent": round(100.0 * killed / len(judged), 1),
        "equivalent": len(equivalent),
        "killed_percent_of_others": round(
            100.0 * killed / max(1, len(judged) - len(equivalent)), 1
        ),
        "survivors": [
            {
                "file": m.path,
                "line": m.line,
                "was": m.was,
                "is": m.now,
                "name": m.name,
                "reason": reasons.get(m.describe(), ""),
            }
            for m in sorted(survivors)
        ],
        "by_file": dict(Counter(j.mutant.path for j in judged)),
        "stale_reasons": [],
    }


def is_equivalent(reason: str) -> bool:
    """Whether a reason says that no host would show the mutant."""
    return bool(reason) and OF_OTHER_HOSTS not in reason


def stale_reasons(reasons: Dict[str, str], known: List[Mutant], judged: List[Judged]) -> List[str]:
    """Reasons for mutants that are not there any more, or do not survive.

    Those that other hosts would show are killed where KLIPPY_DIR names one.
    """
    descriptions = {m.describe() for m in known}
    killed = {j.mutant.describe() for j in judged if j.killer is not None}
    return [
        change
        for change, reason in reasons.items()
        if change not in descriptions or (change in killed and is_equivalent(reason))
    ]


def main() -> int:
    arguments = parse_arguments()
    try:
        return run(arguments)
    except (NamedError, TreeError) as e:
        print("mutants: %s" % (e,), file=sys.stderr)
        return 1


def run(arguments: argparse.Namespace) -> int:
    """Do what the options say; returns the exit code."""
    named = named_mutants()
    mutants = all_mutants()
    known = named + [m for found in mutants.values() for m in found]
    chosen = named + choose(mutants, arguments.count, arguments.seed)
    if arguments.only is not None:
        chosen = [m for m in known if arguments.only in "%s: %s" % (m.name, m.describe())]
    if arguments.list:
        for mutant in chosen:
            print("%s: %s" % (mutant.name, mutant.describe()))
        return 0
    if not chosen:
        print("mutants: no such mutant, --list prints them", file=sys.stderr)
        return 1
    started = time.monotonic()
    reasons = read_survivors()
    with make_trees(min(len(chosen), os.cpu_count() or 1)) as trees:
        judged = judge(chosen, trees)
    report = report_of(judged, reasons, arguments.seed)
    report["stale_reasons"] = stale_reasons(reasons, known, judged)
    report["seconds"] = round(time.monotonic() - started)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return conclude(report)


def conclude(report: Dict[str, Any]) -> int:
    """Print the figures; exit code 1 if a survivor has no reason, or a reason no survivor."""
    print("%(killed)d killed, %(survived)d survived: %(killed_percent).1f %% killed" % report)
    print(
        "%(equivalent)d of them change nothing that anybody could notice:"
        " %(killed_percent_of_others).1f %% of the others killed" % report
    )
    for survivor in report["survivors"]:
        reason = survivor["reason"] or "NO REASON GIVEN"
        print("survived: %(file)s:%(line)d: %(was)s -> %(is)s" % survivor)
        print("    %s" % (reason,))
    for change in report["stale_reasons"]:
        print("no such survivor any more, see %s: %s" % (SURVIVORS.relative_to(ROOT), change))
    unexplained = [s for s in report["survivors"] if not s["reason"]]
    return 1 if unexplained or report["stale_reasons"] else 0


if __name__ == "__main__":
    sys.exit(main())
