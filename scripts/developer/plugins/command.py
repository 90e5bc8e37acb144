# The command check_plugin.sh: runs the rows of plugins, and shows what became of each
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
from typing import Dict, List, NoReturn, Optional, Tuple

from printer_config.section import ConfigError
from scripts.developer.parallel import Task, run_tasks
from scripts.developer.plugins import table
from scripts.developer.plugins.checkout import recognise, version
from scripts.developer.plugins.install import check_needs, install
from scripts.developer.plugins.outcome import run_row
from scripts.developer.plugins.plugin import Plugin, PluginError
from scripts.developer.plugins.printers import KINDS
from scripts.output_file import output_file
from virtual_printer import hosts
from virtual_printer.build import BuildError, library


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(1, f"check_plugin: {message}\n")


def _arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = _Parser(prog="scripts/check_plugin.sh")
    parser.add_argument("paths", type=Path, nargs="*", metavar="PATH", help="checkout of a plugin")
    parser.add_argument("--host", metavar="NAME", help="default: the first that is set up")
    parser.add_argument("--json", metavar="FILE", type=output_file, help="write the table to FILE")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="part of printer.cfg for a plugin whose rows are not known",
    )
    parser.add_argument("--quick", action="store_true", help="leave out rows that take minutes")
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="run rows with TEXT in their names"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the files of all runs there"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument(
        "--markdown",
        nargs="+",
        metavar="FILE",
        type=Path,
        help="run nothing: print the tables written by --json as one for the documentation",
    )
    options = parser.parse_args(arguments)
    if not options.paths and not options.markdown:
        parser.error("give the path of a plugin's checkout")
    if options.jobs < 1:
        parser.error(f"--jobs has to be 1 at least: {options.jobs}")
    return options


def _check(
    plugin: Plugin, path: Path, host: hosts.Host, options: argparse.Namespace
) -> List[table.TableRow]:
    """Run the rows of a plugin on all printers; return its part of the table."""
    commit, date = version(path)
    chosen = [
        i
        for i, row in enumerate(plugin.rows)
        if options.only in row.name and not (options.quick and row.is_long)
    ]
    if not chosen:
        raise PluginError(f"no row of {plugin.name} has '{options.only}' in its name")
    ready = install(plugin, path, host)
    tasks = {
        f"{plugin.name}, {kind.name}, {plugin.rows[i].name}": Task(
            run_row, (plugin, i, kind, ready, path, options.keep)
        )
        for i in chosen
        for kind in KINDS
    }
    outcomes = iter(run_tasks(tasks, options.jobs).values())
    found = []
    for i in chosen:
        failures = table.judge({kind: next(outcomes) for kind in KINDS})
        names = (plugin.name, commit, date, host.name, host.version, plugin.rows[i].name)
        found.append(table.TableRow(*names, *failures))
    return found


def _run(options: argparse.Namespace) -> int:
    started_s = time.monotonic()
    plugins = {path: recognise(path, options.config) for path in options.paths}
    host = hosts.find(options.host)
    for plugin in plugins.values():
        check_needs(plugin, host)
    library()
    rows: List[table.TableRow] = []
    for path, plugin in plugins.items():
        rows += _check(plugin, path, host, options)
        if options.json:
            figures = [row.figures() for row in rows]
            Path(options.json).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    print(f"{host.name} {host.version} ({time.monotonic() - started_s:.0f} s)\n")
    print(table.text(rows))
    has_passed = any(row.is_proven for row in rows)
    return 0 if has_passed and not any(row.is_ours for row in rows) else 1


def _print_markdown(paths: List[Path]) -> None:
    """Print one table; a row of a later file takes the place of the same of an earlier one."""
    rows: Dict[Tuple[str, ...], table.TableRow] = {}
    for path in paths:
        for figures in json.loads(path.read_text(encoding="utf-8")):
            row = table.TableRow(**figures)
            rows[(row.plugin, row.host, row.version, row.row)] = row
    print(table.markdown(list(rows.values())))


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return its exit code: 0 if no row fails with our section only."""
    options = _arguments(arguments)
    try:
        if options.markdown:
            _print_markdown(options.markdown)
            return 0
        return _run(options)
    except (PluginError, hosts.HostError, BuildError, ConfigError, OSError, ValueError) as error:
        print(f"check_plugin: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
