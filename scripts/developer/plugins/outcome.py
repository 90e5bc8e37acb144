# Runs one row of a plugin on one printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import contextlib
import re
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, NamedTuple, Optional

from printer_config.section import ConfigError
from scripts.developer.plugins.plugin import Plugin
from scripts.developer.plugins.printers import Kind
from scripts.developer.plugins.trial import Failed, Result, Trial
from virtual_printer.hosts import Host
from virtual_printer.model import MachineError
from virtual_printer.session import Session, SessionError

# What one row may take of real time, so that a hang is one row of the table
TIME_LIMIT_REAL_S = 900
_LINE_MAX = 240


class Outcome(NamedTuple):
    """How a row came out; `failure` is empty when all has held."""

    failure: str
    results: Dict[str, Result]


class _Overdue(Exception):
    """A row has taken too long."""


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise _Overdue

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TIME_LIMIT_REAL_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def run_row(
    plugin: Plugin,
    index: int,
    kind: Kind,
    host: Host,
    checkout: Path,
    keep: Optional[Path],
    say: Any,
) -> Outcome:
    """Run a row on a host that has the plugin; nothing that happens there raises an error here.

    `keep` is a folder for the files of the run.
    """
    row = plugin.rows[index]
    work_dir = Path(tempfile.mkdtemp(prefix="virtual_printer_"))
    failure, results = "", {}
    try:
        with _time_limit(), _session(plugin, kind, host, checkout, work_dir) as printer:
            trial = Trial(printer, kind.is_four, kind.has_section)
            results = trial.results
            if plugin.prepare:
                plugin.prepare(trial)
            row.run(trial)
            trial.check_end()
    except _Overdue:
        failure = f"not done within {TIME_LIMIT_REAL_S} real seconds"
    except (Failed, SessionError, MachineError, ConfigError) as error:
        failure = one_line(error)
    finally:
        if keep is not None:
            place = keep / re.sub(r"\W+", "_", f"{host.name} {plugin.name} {row.name} {kind.name}")
            shutil.rmtree(str(place), ignore_errors=True)
            shutil.copytree(str(work_dir), str(place), ignore=_only_files)
        shutil.rmtree(str(work_dir), ignore_errors=True)
    say(failure or "passed")
    return Outcome(failure, results)


def _only_files(folder: str, names: Any) -> Any:
    """Sockets and terminals cannot be copied."""
    paths = {name: Path(folder) / name for name in names}
    return [name for name, path in paths.items() if not (path.is_file() or path.is_dir())]


def _session(plugin: Plugin, kind: Kind, host: Host, checkout: Path, work_dir: Path) -> Session:
    printer = kind.printer(plugin.printer_cfg, plugin.machine_cfg, plugin.without)
    files = dict(plugin.files)
    files.update(
        (name, (checkout / path).read_text(encoding="utf-8"))
        for path, name in plugin.config_files.items()
    )
    return Session(
        host,
        printer.printer_cfg(),
        printer.machine_cfg(),
        work_dir=work_dir,
        files=files,
        real_timeout_s=TIME_LIMIT_REAL_S,
    )


def one_line(error: Exception) -> str:
    """Return what an error says as one line, without Klippy's advice to restart."""
    said = str(error).split("Once the underlying issue")[0]
    text = " ".join(said.split()) or type(error).__name__
    return text if len(text) <= _LINE_MAX else text[:_LINE_MAX] + "..."
