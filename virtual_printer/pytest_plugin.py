# Plug-in of pytest for authors of extras: real hosts on virtual printers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Fixtures for the tests of an extra; docs/Test_Your_Extra.md shows how to use them.

In pytest's configuration virtual_printer_hosts lists hosts, by name or as paths of checkouts, and
virtual_printer_extras the files and folders to have among the extras of each.
"""

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Iterator, List, Mapping, Optional

import pytest

from printer_config.config_file import ConfigFile
from virtual_printer import host_setup, process
from virtual_printer.hosts import REGISTRY_HOSTS, Host
from virtual_printer.included import gathered_files
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

_HOSTS = "virtual_printer_hosts"
_EXTRAS = "virtual_printer_extras"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the settings, and an option that takes the place of one of them."""
    parser.addini(_HOSTS, "hosts: names, or paths of checkouts", "linelist", [REGISTRY_HOSTS[0]])
    parser.addini(_EXTRAS, "files and folders for the extras of each host", "paths", [])
    parser.getgroup("virtual_printer").addoption(
        "--virtual-printer-host",
        action="append",
        default=[],
        metavar="NAME",
        help=f"run on this host instead of those of {_HOSTS}; may be given several times",
    )


def _host_names(config: pytest.Config) -> List[str]:
    given: List[str] = config.getoption("--virtual-printer-host")
    if given:
        return given
    # Paths are from where the configuration is, so that tests may be started anywhere
    root = config.inipath.parent if config.inipath else Path()
    names: List[str] = config.getini(_HOSTS)
    return [_path_from(root, name) if name[:1] in "~." or "/" in name else name for name in names]


def _path_from(root: Path, name: str) -> str:
    return str(root / Path(name).expanduser())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test that asks for a printer once on each host."""
    if "klippy_host" in metafunc.fixturenames:
        names = _host_names(metafunc.config)
        ids = [re.sub(r".*/", "", name.rstrip("/")) for name in names]
        metafunc.parametrize("klippy_host", names, ids=ids, indirect=True, scope="session")


@pytest.fixture(scope="session")
def klippy_host(request: pytest.FixtureRequest) -> Host:
    """Return the host that the test runs on, set up when the first one does."""
    return host_setup.obtain(request.param, request.config.getini(_EXTRAS))


@pytest.fixture(scope="session")
def hosts(pytestconfig: pytest.Config) -> List[Host]:
    """Return all hosts, for a test that compares them."""
    extras = pytestconfig.getini(_EXTRAS)
    return [host_setup.obtain(name, extras) for name in _host_names(pytestconfig)]


class Printers:
    """Starts printers, which end with their test."""

    def __init__(self, host: Host, folder: Path, stack: ExitStack) -> None:
        self.host = host
        self._folder = folder
        self._stack = stack
        self._started = 0

    def __call__(
        self,
        sections: str = "",
        config: Optional[Path] = None,
        machine_cfg: str = "",
        files: Optional[Mapping[str, str]] = None,
        seed: int = 1,
        ready: bool = True,
    ) -> Session:
        """Start Klippy on a printer.cfg and what is added to it, and wait until it is ready.

        Without a config it is a CoreXY printer with four Z motors and a probe. `sections` is the
        text of more sections, `files` are further files by their names; of two options the later
        one counts, as in Klipper.
        """
        if config is None:
            texts = {str(process.CONFIG): SamplePrinter(resync=None).on_one_mcu().printer_cfg()}
        else:
            texts = gathered_files(ConfigFile(config), str(process.CONFIG))
        texts.update(files or {})
        self._started += 1
        return self._stack.enter_context(
            Session(
                self.host,
                f"{texts.pop(str(process.CONFIG))}\n{sections}",
                machine_cfg,
                seed=seed,
                work_dir=self._folder / f"printer{self._started}",
                files=texts,
                ready=ready,
            )
        )


@pytest.fixture
def printer(klippy_host: Host, tmp_path: Path) -> Iterator[Printers]:
    """Return a function that starts printers; their files stay in the test's tmp_path."""
    with ExitStack() as stack:
        yield Printers(klippy_host, tmp_path, stack)
