# The simulation in real time: a host that knows nothing of it talks to pseudo-terminals
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Dict, List

import pytest

from helpers import linkage_printers
from scripts.developer.moonraker import Moonraker
from virtual_printer import hosts
from virtual_printer.sockets import ApiSocket
from virtual_printer.unusual_samples import SwitchPrinter

# Generous, as other tests take the CPUs at the same time
TIMEOUT_REAL_S = 60.0
LOOK_AGAIN_REAL_S = 0.05
SHOWN_AGAIN_REAL_S = 0.1
BROWSER = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=3000")
PRINTER = SwitchPrinter("cartesian", {"y": ("y",)})


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Start serving, with a page at any port."""
    return subprocess.Popen(
        [sys.executable, "-m", "virtual_printer", "--real-time", "--page", "0", *arguments],
        cwd=str(hosts.ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def serve(folder: Path) -> "subprocess.Popen[str]":
    """Start serving a printer whose devices are in a folder."""
    config = folder / "printer.cfg"
    config.write_text(PRINTER.printer_cfg().replace("/tmp/virtual_printer", f"{folder}/dev"))
    (folder / "machine.cfg").write_text(PRINTER.machine_cfg())
    served = start("--machine", f"{folder}/machine.cfg", str(config))
    assert served.stdout is not None
    lines = [served.stdout.readline() for _ in range(4)]
    devices = [f"mcu: {folder}/dev/mcu\n", f"y: {folder}/dev/y\n"]
    assert lines[:2] == devices and lines[3] == "serving until interrupted\n"
    (folder / "page").write_text(lines[2].strip()[len("page: ") :])
    return served


def page_of(folder: Path) -> str:
    """Return where the page is that shows the truth."""
    return (folder / "page").read_text()


def shown(folder: Path) -> Dict[str, Any]:
    """Return the truth that the page has."""
    with urllib.request.urlopen(page_of(folder) + "truth.json") as answer:
        return dict(json.load(answer))


def end(process: "subprocess.Popen[str]") -> str:
    """Interrupt a process and return the rest of what it says."""
    process.send_signal(signal.SIGINT)
    return process.communicate(timeout=TIMEOUT_REAL_S)[0]


def ask(api: ApiSocket, method: str, params: Dict[str, Any]) -> Dict[str, Any]:
    """Return Klippy's answer to a request."""
    number = api.send(method, params)
    deadline_s = time.monotonic() + TIMEOUT_REAL_S
    while time.monotonic() < deadline_s:
        for message in api.receive():
            if message.get("id") == number:
                return message
        time.sleep(LOOK_AGAIN_REAL_S)
    raise TimeoutError(f"no answer to {method} {params}")


def connect(folder: Path) -> ApiSocket:
    """Return a connection to a Klippy that is ready."""
    api = ApiSocket()
    deadline_s = time.monotonic() + TIMEOUT_REAL_S
    state = "not there"
    while time.monotonic() < deadline_s:
        time.sleep(LOOK_AGAIN_REAL_S)
        if not api.is_open and not api.connect(folder / "klippy.api"):
            continue
        state = ask(api, "info", {})["result"]["state"]
        if state == "ready":
            return api
        assert state == "startup", ask(api, "info", {})
    raise TimeoutError(f"Klippy is {state}")


class RealTime:
    """What a client in real time knows of a printer: where it is, and that time passes."""

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir

    def sleep(self, duration_s: float) -> None:
        time.sleep(duration_s)


def home_x(folder: Path) -> List[str]:
    """Start everything in a new folder and home X; return what the server says at its end."""
    folder.mkdir()
    served = serve(folder)
    host = next(one for one in hosts.available() if one.name in hosts.REGISTRY_HOSTS)
    files = [folder / name for name in ("printer.cfg", "klippy.api", "klippy.log", "klippy.tty")]
    klippy = subprocess.Popen(
        host.command(*files),
        cwd=str(folder),
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        connect(folder)
        before = shown(folder)
        with Moonraker(RealTime(folder), folder / "moonraker") as client:
            done = client.post("/printer/gcode/script", script="G28 X\nM400")
            assert done == (200, {"result": "ok"})
            time.sleep(2 * SHOWN_AGAIN_REAL_S)
            assert_page_follows(folder, before)
    finally:
        klippy.kill()
        klippy.wait()
        said = end(served)
    assert served.returncode == 0, said
    assert not list((folder / "dev").iterdir())
    return said.splitlines()


def assert_page_follows(folder: Path, before: Dict[str, Any]) -> None:
    """The page has moved with the carriage, and a browser draws what it has."""
    after = shown(folder)
    assert after["toolhead"][0] != before["toolhead"][0]
    assert after["toolhead"][0] == pytest.approx(after["steppers"]["stepper_x"], abs=0.01)
    assert after["toolhead"][1:] == before["toolhead"][1:]
    done = subprocess.run(
        [*BROWSER, f"--user-data-dir={folder}/profile", "--dump-dom", page_of(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=TIMEOUT_REAL_S,
    )
    assert f"<td>{after['toolhead'][0]:.3f}</td>" in done.stdout
    assert f"<td>{after['steppers']['stepper_z']:.4f}</td>" in done.stdout
    assert done.stdout.count('class="head"') == 2


def test_moonraker_homes_x_in_real_time_and_may_take_one_retry(tmp_path: Path) -> None:
    """Real time depends on the machine's load, so the first failure of all this is forgiven."""
    try:
        said = home_x(tmp_path / "first")
    except (AssertionError, TimeoutError) as error:
        print(f"first attempt failed: {error}")
        said = home_x(tmp_path / "second")
    truth = {line.split(":")[0]: line for line in said}
    found = re.search(r"truly at (-?[\d.]+) mm", truth["stepper_x"])
    assert found is not None
    # Kalico retracts once more at the end of homing
    assert min(abs(float(found.group(1)) - at_mm) for at_mm in (-5.0, 0.0)) < 0.05
    assert "stepper_y: 0 pulses" in truth["stepper_y"]


def test_device_that_is_there_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mcu").write_text("precious")
    config = tmp_path / "printer.cfg"
    config.write_text(PRINTER.printer_cfg().replace("/tmp/virtual_printer", str(tmp_path)))
    done = subprocess.run(
        [sys.executable, "-m", "virtual_printer", "--real-time", str(config)],
        cwd=str(hosts.ROOT),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == f"virtual_printer: {tmp_path}/mcu: cannot be made (File exists)\n"
    assert (tmp_path / "mcu").read_text() == "precious"


def test_delta_is_served_with_a_page(tmp_path: Path) -> None:
    config = tmp_path / "printer.cfg"
    config.write_text(
        linkage_printers.printer_cfg(linkage_printers.DELTA).replace(
            "/tmp/virtual_printer", str(tmp_path)
        )
    )
    served = start(str(config))
    assert served.stdout is not None
    lines = [served.stdout.readline() for _ in range(3)]
    (tmp_path / "page").write_text(lines[1].strip()[len("page: ") :])
    time.sleep(2 * SHOWN_AGAIN_REAL_S)
    truth = shown(tmp_path)
    assert len(truth["area"]) == 5 and len(truth["toolhead"]) == 3
    assert sorted(truth["steppers"]) == ["stepper_a", "stepper_b", "stepper_c"]
    end(served)
    assert served.returncode == 0


def test_page_at_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    config = tmp_path / "printer.cfg"
    config.write_text(PRINTER.printer_cfg().replace("/tmp/virtual_printer", str(tmp_path)))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for number in (port, 99999):
            command = [sys.executable, "-m", "virtual_printer", "--real-time"]
            done = subprocess.run(
                [*command, "--page", str(number), str(config)],
                cwd=str(hosts.ROOT),
                capture_output=True,
                text=True,
            )
            (line,) = done.stderr.splitlines()
            assert line.startswith(f"virtual_printer: --page: port {number} cannot be used (")


@pytest.mark.parametrize("extra", [["G28"], ["--host", "kalico"], ["--log", "a.log"]])
def test_serving_takes_no_arguments_for_a_host(tmp_path: Path, extra: List[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "virtual_printer", "--real-time", f"{tmp_path}/p.cfg", *extra],
        cwd=str(hosts.ROOT),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "--real-time runs no host" in done.stderr
