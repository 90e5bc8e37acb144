# first_hour.sh --rehearse: the trial on a virtual printer, with its answers from the truth
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import List, NoReturn, Optional

from scripts.developer.first_hour import printers
from scripts.developer.first_hour.rehearsal import Result, rehearse
from scripts.output_file import output_file
from scripts.owner.first_hour import bundle, command
from virtual_printer import hosts
from virtual_printer.build import BuildError
from virtual_printer.session import SessionError


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, "first_hour: %s\n" % (message,))


def _arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = _Parser(prog="scripts/first_hour.sh", allow_abbrev=False)
    parser.add_argument("--rehearse", action="store_true", help="on a virtual printer")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="draws the printer")
    parser.add_argument("--bad", choices=printers.kinds(), default="", help="what is wrong with it")
    parser.add_argument("--host", metavar="NAME", help="default: the first that is set up")
    parser.add_argument("--probes", type=int, default=command.PROBES, metavar="N")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write the figures there")
    parser.add_argument("--bundle", metavar="DIR", type=Path, help="keep page and bundle there")
    options = parser.parse_args(arguments)
    if options.probes < 1:
        parser.error("--probes has to be 1 at least: %d" % (options.probes,))
    return options


def _report(options: argparse.Namespace, host: hosts.Host, result: Result) -> "dict[str, object]":
    printer = printers.draw(options.seed, options.bad)
    stop = result.stop()
    return {
        "host": {"name": host.name, "version": host.version},
        "seed": options.seed,
        "bad": options.bad,
        "expected": printer.expected._asdict() if printer.expected else None,
        "stopped": stop.to_json() if stop else None,
        "minutes": round(result.minutes, 2),
        "faults": result.faults(printer),
        "error": result.error,
        "done": result.done,
        "rows": [row.to_json() for row in result.rows],
        "figures": result.figures,
    }


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return 0 if the printer was judged as it had to be."""
    options = _arguments(arguments)
    try:
        host = hosts.find(options.host)
        printer = printers.draw(options.seed, options.bad)
        with tempfile.TemporaryDirectory(prefix="first_hour_") as name:
            folder = Path(name)
            result = rehearse(printer, host, options.seed, folder, print, options.probes)
            if options.bundle:
                options.bundle.mkdir(parents=True, exist_ok=True)
                for kept in (bundle.NAME, bundle.PAGE):
                    source = folder / "bundle" / kept
                    if source.exists():
                        (options.bundle / kept).write_bytes(source.read_bytes())
    except (hosts.HostError, BuildError, SessionError, OSError) as e:
        print("first_hour: %s" % (e,), file=sys.stderr)
        return 3
    report = _report(options, host, result)
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print("\n%s, seed %d: %.1f minutes" % (options.bad or "good", options.seed, result.minutes))
    for fault in result.faults(printer):
        print("NOT AS EXPECTED: %s" % (fault,))
    return 1 if result.faults(printer) else 0


if __name__ == "__main__":
    sys.exit(main())
