# Finding the hosts that are set up, and starting them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import subprocess
from pathlib import Path

import pytest

from virtual_printer import hosts

HOSTS = hosts.available()


@pytest.fixture
def no_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KLIPPY_DIR", raising=False)


def make_environment(folder: Path, name: str, code: str = "import util\n") -> Path:
    klippy = folder / name / "klippy"
    klippy.mkdir(parents=True)
    (klippy / "klippy.py").write_text(code)
    (folder / name / "version").write_text("1.2.3\n")
    (folder / name / "stamp").write_text("done\n")
    return folder / name


def test_both_registry_hosts_are_set_up() -> None:
    names = [host.name for host in HOSTS]
    assert set(hosts.REGISTRY_HOSTS) <= set(names)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_host_starts_and_names_its_options(host: hosts.Host, tmp_path: Path) -> None:
    command = [str(host.python), *host.entry, "--help"]
    done = subprocess.run(command, cwd=str(tmp_path), stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0
    assert "--api-server" in done.stdout


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_hosts_extras_lead_to_the_projects_files(host: hosts.Host) -> None:
    extras = hosts.ROOT / "klippy" / "extras"
    plugged = host.klippy / "extras"
    assert (plugged / "multi_mcu_resync.py").resolve() == extras / "multi_mcu_resync.py"
    assert (plugged / "resync").resolve() == extras / "resync"


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_hosts_c_helper_is_built_already(host: hosts.Host) -> None:
    helper = host.klippy / "chelper" / "c_helper.so"
    newest = max(path.stat().st_mtime for path in helper.parent.glob("*.[ch]"))
    assert helper.stat().st_mtime > newest


def test_half_finished_environment_is_no_host(tmp_path: Path, no_checkout: None) -> None:
    (make_environment(tmp_path, "kalico") / "stamp").unlink()
    assert hosts.available(tmp_path) == []


def test_unknown_host_is_one_line_with_the_known_ones(tmp_path: Path, no_checkout: None) -> None:
    make_environment(tmp_path, "kalico")
    with pytest.raises(hosts.HostError) as caught:
        hosts.find("marlin", tmp_path)
    assert str(caught.value) == (
        "host 'marlin' is not set up (set up: kalico): run scripts/setup.sh"
    )


def test_host_without_a_name_is_the_first(tmp_path: Path, no_checkout: None) -> None:
    make_environment(tmp_path, "klipper_v0_12")
    make_environment(tmp_path, "kalico")
    assert hosts.find(None, tmp_path).name == "kalico"


def test_checkout_comes_first_when_klippy_dir_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_environment(tmp_path, "kalico")
    environment = make_environment(tmp_path, "checkout")
    (environment / "origin").write_text(f"{tmp_path}/klipper/klippy\n")
    monkeypatch.setenv("KLIPPY_DIR", str(tmp_path / "klipper"))
    assert hosts.find(None, tmp_path).name == "checkout"
    assert [host.name for host in hosts.available(tmp_path)] == ["checkout", "kalico"]
    monkeypatch.setenv("KLIPPY_DIR", str(tmp_path / "another"))
    assert [host.name for host in hosts.available(tmp_path)] == ["kalico"]
    with pytest.raises(hosts.HostError, match="host 'checkout' is not set up"):
        hosts.find(None, tmp_path)


def test_checkout_whose_klippy_is_a_link_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = make_environment(tmp_path, "checkout")
    (environment / "origin").write_text(f"{tmp_path}/site-packages/klippy\n")
    (tmp_path / "klipper").mkdir()
    (tmp_path / "klipper" / "klippy").symlink_to(tmp_path / "site-packages" / "klippy")
    monkeypatch.setenv("KLIPPY_DIR", str(tmp_path / "klipper"))
    assert hosts.find(None, tmp_path).name == "checkout"


@pytest.mark.parametrize(
    "code, entry",
    [("import util\n", None), ("from . import util\n", ("-m", "klippy.klippy"))],
    ids=["top-level", "package"],
)
def test_way_to_start_follows_from_the_hosts_imports(
    tmp_path: Path, code: str, entry: object, no_checkout: None
) -> None:
    klippy = make_environment(tmp_path, "kalico", code) / "klippy"
    assert hosts.find("kalico", tmp_path).entry == (entry or (str(klippy / "klippy.py"),))
    (klippy / "__main__.py").write_text("")
    assert hosts.find("kalico", tmp_path).entry == ("-m", "klippy")


def test_command_names_every_file_once(tmp_path: Path, no_checkout: None) -> None:
    make_environment(tmp_path, "kalico")
    host = hosts.find("kalico", tmp_path)
    command = host.command(Path("a.cfg"), Path("api"), Path("a.log"), Path("tty"))
    assert command[0] == str(tmp_path / "kalico" / "bin" / "python")
    assert command[-7:] == ["-l", "a.log", "-a", "api", "-I", "tty", "a.cfg"]
