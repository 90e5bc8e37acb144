# The virtual printer as a package: built, installed, and used by somebody who has only that
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Dict, List, Set

import pytest

from helpers.shared import made_once
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter

ROOT = hosts.ROOT
EXAMPLE = ROOT / "docs" / "example_extra"
PAGE = ROOT / "docs" / "Test_Your_Extra.md"
# What one package needs of the project
PARTS = ("virtual_printer", "printer_config", "docs/Virtual_Printer.md", "pyproject.toml")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the wheel and the source package."""
    return made_once(tmp_path_factory, "package", build_packages) / "p"


def build_packages(folder: Path) -> None:
    # What builds leave behind is not to be in the project
    for part in PARTS:
        source, place = ROOT / part, folder / "clone" / part
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(str(source), str(place), ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(str(source), str(place))
    backend = "from setuptools import build_meta as b; b.build_wheel('../p'); b.build_sdist('../p')"
    (folder / "p").mkdir()
    subprocess.run(
        [sys.executable, "-c", backend],
        cwd=str(folder / "clone"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )


def files_of(names: List[str]) -> Set[str]:
    return {name for name in names if not re.search(r"dist-info|egg-info|/$", name)}


def own_files() -> Set[str]:
    paths = [path for part in PARTS[:2] for path in (ROOT / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(ROOT)) for path in paths if path.parent.name != "__pycache__"}


def test_wheel_has_the_virtual_printer_whole_and_nothing_else(packages: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert files_of(archive.namelist()) == own_files()


def test_source_package_has_the_virtual_printer_whole(packages: Path) -> None:
    (sdist,) = packages.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {m.name.partition("/")[2] for m in archive.getmembers() if m.isfile()}
    assert own_files() <= names


@pytest.fixture(scope="module")
def clean(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Dict[str, str]:
    """Return the variables of an environment with the wheel and pytest, and the tests' hosts."""
    (wheel,) = packages.glob("*.whl")

    def install(folder: Path) -> None:
        python = folder / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q"]
        pip.append("--disable-pip-version-check")
        subprocess.run([*pip, str(wheel), "pytest==8.4.2"], check=True)

    folder = made_once(tmp_path_factory, "clean", install)
    return {
        "PATH": f"{folder}/bin:{os.environ['PATH']}",
        "HOME": str(folder),
        "VIRTUAL_PRINTER_HOSTS": str(hosts.ENVIRONMENTS),
    }


def run(
    environment: Dict[str, str], folder: Path, *command: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=str(folder), env=environment, capture_output=True, text=True, timeout=300
    )


def test_somebody_runs_his_printer(clean: Dict[str, str], tmp_path: Path) -> None:
    sample = SamplePrinter().on_one_mcu().without_section()
    (tmp_path / "printer.cfg").write_text(sample.printer_cfg())
    command = ("virtual-printer", "printer.cfg", "G28")
    done = run(clean, tmp_path, *command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "toolhead: truly at X " in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["printer.cfg"]
    assert run(clean, tmp_path, *command, "--host", "marlin").stderr == (
        "virtual_printer: no host 'marlin': it is kalico, klipper_v0_12 or the path of a checkout,"
        " with a /\n"
    )


def test_somebody_tests_his_extra(clean: Dict[str, str], tmp_path: Path) -> None:
    shutil.copytree(str(EXAMPLE), str(tmp_path / "example"))
    example = tmp_path / "example"
    on_one_host = ("pytest", "-q", "--tb=line", "--virtual-printer-host", "kalico")
    done = run(clean, example, "pytest", "-q")
    assert done.returncode == 0, done.stdout
    count = len(re.findall("^def test_", (example / "test/test_speed_limit.py").read_text(), re.M))
    assert f"{count * len(hosts.REGISTRY_HOSTS)} passed" in done.stdout
    # And fail with a mistake in it, or without it
    extra = example / "speed_limit.py"
    extra.write_text(extra.read_text().replace("min(speed", "max(speed"))
    assert f"1 failed, {count - 1} passed" in run(clean, example, *on_one_host).stdout
    extra.unlink()
    problem = f"no extra there: {extra} is neither a .py file nor"
    assert problem in run(clean, example, *on_one_host).stdout


def test_page_shows_what_the_example_has() -> None:
    blocks = re.findall(r"^```\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    files = [path.read_text() for path in EXAMPLE.rglob("*") if path.suffix in (".py", ".ini")]
    shown = [block for block in blocks if not block.startswith("pip ")]
    assert len(shown) == 2
    for block in shown:
        assert any(block in text for text in files), block
