# The command speed.sh: measures how fast the virtual printer is, or its memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import json
import math
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

from scripts.developer.parallel import Task, run_tasks
from scripts.developer.speed import memory, ratios
from scripts.output_file import output_file
from virtual_printer import hosts
from virtual_printer.build import BuildError, library
from virtual_printer.session import SessionError


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"'{text}' is no time in seconds")
    return seconds


def _arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/speed.sh")
    parser.add_argument("--host", metavar="NAME", help="default: the first that is set up")
    parser.add_argument("--seed", type=int, default=1, help="seed of the runs")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write figures to FILE")
    parser.add_argument(
        "--memory",
        type=_seconds,
        nargs="?",
        const=memory.WHOLE_S,
        metavar="SECONDS",
        help="look at the memory over so many virtual seconds (default: %g)" % (memory.WHOLE_S,),
    )
    return parser.parse_args(arguments)


def _measure(options: argparse.Namespace, host: str) -> Dict[str, Any]:
    # One printer at a time: beside another one it is slower
    if options.memory:
        task = Task(memory.measure, (host, options.seed, options.memory))
        return memory.report(run_tasks({"memory": task})["memory"])
    return ratios.report(run_tasks({"speed": Task(ratios.measure, (host, options.seed))})["speed"])


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return its exit code."""
    options = _arguments(arguments)
    started_s = time.monotonic()
    try:
        library()
        host = hosts.find(options.host)
        figures = _measure(options, host.name)
    except (hosts.HostError, BuildError, SessionError) as error:
        print(f"speed: {error}", file=sys.stderr)
        return 1
    elapsed_s = time.monotonic() - started_s
    print(f"{host.name} {host.version}, seed {options.seed} ({elapsed_s:.0f} s)\n")
    print((memory if options.memory else ratios).table(figures))
    if options.json:
        figures["host"] = {"name": host.name, "version": host.version}
        figures["seed"] = options.seed
        Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
