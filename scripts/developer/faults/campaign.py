# The fault campaign: nothing may be skewed in silence, whatever fails
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional

from scripts.developer.faults.kinds import KINDS
from scripts.developer.faults.outcome import Outcome
from scripts.developer.faults.run import run_seed
from scripts.developer.parallel import Task, run_tasks
from scripts.output_file import output_file
from virtual_printer import hosts
from virtual_printer.build import BuildError, library

# Seeds of campaigns do not overlap
SEEDS_PER_CAMPAIGN = 100000
RUNS_PER_TASK = 10
COUNTED = (
    "silent_skews",
    "false_alarms",
    "needless_shutdowns",
    "steps_in_travel_direction",
    "hangs",
    "tracebacks",
    "others",
)


def _natural(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError("'%s' is no number of runs" % (text,))
    return int(text)


def parse_arguments(arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """Options of scripts/faults.sh; ends with one line and exit code 2 if they are bad."""
    parser = argparse.ArgumentParser(prog="scripts/faults.sh")
    parser.add_argument("--host", help="host to run (default: the first that is set up)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the campaign")
    parser.add_argument("--count", type=_natural, default=200, help="number of runs")
    parser.add_argument(
        "--json", metavar="FILE", type=output_file, help="write the figures to FILE"
    )
    parser.add_argument(
        "--only", type=int, metavar="SEED", help="replay one run and print its whole story"
    )
    return parser.parse_args(arguments)


def run_seeds(seeds: List[int], host: str, say: Any) -> List[Outcome]:
    """Do some runs; say at once what fails."""
    outcomes = []
    for seed in seeds:
        outcome = run_seed(seed, host)
        outcome.story.clear()
        outcomes.append(outcome)
        if outcome.what():
            say("FAILED %s: %s" % (outcome.kind, outcome.what()))
            say("replay: scripts/faults.sh --host %s --only %d" % (host, seed))
    failed = sum(bool(outcome.what()) for outcome in outcomes)
    say("%d runs, %d failed" % (len(outcomes), failed))
    return outcomes


def run_campaign(count: int, seed: int, host: str) -> List[Outcome]:
    """Do all runs, in packets."""
    seeds = range(seed * SEEDS_PER_CAMPAIGN, seed * SEEDS_PER_CAMPAIGN + count)
    tasks = {}
    for first in range(0, count, RUNS_PER_TASK):
        packet = list(seeds[first : first + RUNS_PER_TASK])
        name = "%d of %d" % (first + len(packet), count)
        tasks[name] = Task(run_seeds, (packet, host))
    return [outcome for found in run_tasks(tasks).values() for outcome in found]


def _effects(outcomes: List[Outcome]) -> Dict[str, int]:
    """How many runs of a kind ended in what."""
    effects = []
    for outcome in outcomes:
        if outcome.ended == "ready":
            effects.append("error" if outcome.has_failed else "no error")
        else:
            effects.append(outcome.ended)
        if outcome.was_out_of_sync:
            effects.append("out of sync")
    return dict(Counter(effects))


def report(outcomes: List[Outcome]) -> Dict[str, Any]:
    """The figures of a campaign; by_kind counts the runs whose fault has struck."""
    return {
        "runs": len(outcomes),
        "by_kind": {k: sum(o.kind == k and o.has_struck for o in outcomes) for k in KINDS},
        "silent_skews": sum(len(o.silent_skews) for o in outcomes),
        "false_alarms": sum(len(o.false_alarms) for o in outcomes),
        "needless_shutdowns": sum(len(o.needless_shutdowns) for o in outcomes),
        "steps_in_travel_direction": sum(o.steps_in_travel_direction for o in outcomes),
        "hangs": sum(len(o.hangs) for o in outcomes),
        "tracebacks": sum(len(o.tracebacks) for o in outcomes),
        "others": sum(len(o.others) for o in outcomes),
        "effects": {k: _effects([o for o in outcomes if o.kind == k]) for k in KINDS},
        "failures": [
            {"seed": o.seed, "kind": o.kind, "what": o.what()} for o in outcomes if o.what()
        ],
    }


def summary(figures: Dict[str, Any]) -> str:
    """The figures as text."""
    lines = [
        "%-28s%5d   %s"
        % (
            kind,
            count,
            ", ".join("%s %d" % item for item in sorted(figures["effects"][kind].items())),
        )
        for kind, count in figures["by_kind"].items()
    ]
    lines.append("")
    for key in ("runs", *COUNTED):
        lines.append("%-28s%5d" % (key.replace("_", " "), figures[key]))
    return "\n".join(lines)


def replay(seed: int, host: str) -> int:
    """Do one run and print all of it; returns the exit code."""
    outcome = run_seed(seed, host, print)
    print("\n%s, fault struck: %s, ended: %s" % (outcome.kind, outcome.has_struck, outcome.ended))
    print(outcome.what() or "nothing wrong")
    return 1 if outcome.what() else 0


def main() -> int:
    """Run the campaign; returns the exit code."""
    arguments = parse_arguments()
    started_s = time.monotonic()
    try:
        library()
        host = hosts.find(arguments.host)
    except (hosts.HostError, BuildError) as e:
        print("faults: %s" % (e,), file=sys.stderr)
        return 1
    if arguments.only is not None:
        return replay(arguments.only, host.name)
    figures = report(run_campaign(arguments.count, arguments.seed, host.name))
    took_s = time.monotonic() - started_s
    print("%s %s, seed %d (%.0f s)\n" % (host.name, host.version, arguments.seed, took_s))
    print(summary(figures))
    if arguments.json:
        figures["host"] = {"name": host.name, "version": host.version}
        figures["seed"] = arguments.seed
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n")
    return 1 if any(figures[key] for key in COUNTED) else 0


if __name__ == "__main__":
    sys.exit(main())
