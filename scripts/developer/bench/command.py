# The command bench.sh: measures, and shows the figures
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import sys
import time
from pathlib import Path

from scripts.developer.arguments import parse_arguments
from scripts.developer.bench import can_buses, rivals
from scripts.developer.parallel import run_tasks
from virtual_printer import hosts
from virtual_printer.build import BuildError, library
from virtual_printer.session import SessionError


def main() -> int:
    """Run the benchmark; returns the exit code."""
    arguments = parse_arguments("bench")
    part = can_buses if arguments.can else rivals
    started_s = time.monotonic()
    try:
        library()
        host = hosts.find(arguments.host)
        results = {}
        for group in part.task_groups(host.name, arguments.seed):
            results.update(run_tasks(group))
    except (hosts.HostError, BuildError, SessionError) as e:
        print("bench: %s" % (e,), file=sys.stderr)
        return 1
    title = "%s %s, seed %d" % (host.name, host.version, arguments.seed)
    figures = part.report(results)
    print("%s (%.0f s)\n" % (title, time.monotonic() - started_s))
    print(part.table(figures))
    part.plot(results, arguments.plot, title)
    print("\n%s: %s" % (part.PLOT_TITLE, arguments.plot))
    if arguments.json:
        figures["host"] = {"name": host.name, "version": host.version}
        figures["seed"] = arguments.seed
        Path(arguments.json).write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
