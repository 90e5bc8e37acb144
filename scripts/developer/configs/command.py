# The command check_configs.sh: runs every printer.cfg of a folder, and shows what became of each
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Dict, List, Optional

from scripts.developer.configs.check import Outcome, check
from scripts.developer.parallel import Task, run_tasks
from scripts.output_file import output_file
from virtual_printer import hosts
from virtual_printer.build import BuildError, library


def _jobs(text: str) -> int:
    jobs = int(text)
    if jobs < 1:
        raise ValueError
    return jobs


def _arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/check_configs.sh")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="folder of *.cfg files")
    parser.add_argument("--host", metavar="NAME", help="default: the first that is set up")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write the table to FILE")
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many to run at a time",
    )
    options = parser.parse_args(arguments)
    if not any(options.folder.glob("*.cfg")):
        parser.error(f"no *.cfg in '{options.folder}'")
    return options


def table(outcomes: Dict[str, Outcome]) -> str:
    """Return the outcomes as text, a row for each config, and their sums."""
    width = max(len(name) for name in outcomes)
    rows = [f"{'config'.ljust(width)}  ready  homed  reason"]
    for name, outcome in outcomes.items():
        answers = "  ".join("yes  " if is_so else "no   " for is_so in outcome[:2])
        notes = [outcome.reason] if outcome.reason else []
        if outcome.not_simulated:
            notes.append(f"not simulated: {', '.join(outcome.not_simulated)}")
        rows.append(f"{name.ljust(width)}  {answers}  {'; '.join(notes)}".rstrip())
    printers = [outcome for outcome in outcomes.values() if not outcome.is_fragment]
    ready = sum(outcome.ready for outcome in printers)
    homed = sum(outcome.homed for outcome in printers)
    rows.append(
        f"\n{len(printers)} printers: {ready} ready, {homed} homed;"
        f" {len(outcomes) - len(printers)} fragments"
    )
    return "\n".join(rows)


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return its exit code: 0 if every printer is ready and has homed."""
    options = _arguments(arguments)
    started_s = time.monotonic()
    try:
        library()
        host = hosts.find(options.host)
    except (hosts.HostError, BuildError) as error:
        print(f"check_configs: {error}", file=sys.stderr)
        return 1
    paths = sorted(options.folder.glob("*.cfg"))
    tasks = {path.name: Task(check, (path, host.name)) for path in paths}
    outcomes = run_tasks(tasks, options.jobs)
    print(f"{host.name} {host.version} ({time.monotonic() - started_s:.0f} s)\n")
    print(table(outcomes))
    if options.json:
        figures = {name: outcome.figures() for name, outcome in outcomes.items()}
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0 if all(outcome.homed or outcome.is_fragment for outcome in outcomes.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
