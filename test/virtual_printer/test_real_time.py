# The simulation in real time: a host that knows nothing of it talks to pseudo-terminals
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import pytest

from virtual_printer import hosts
from virtual_printer.sockets import ApiSocket
from virtual_printer.unusual_samples import SwitchPrinter

# Generous, as other tests take the CPUs at the same time
TIMEOUT_REAL_S = 60.0
LOOK_AGAIN_REAL_S = 0.05
PRINTER = SwitchPrinter("cartesian", {"y": ("y",)})


def serve(folder: Path) -> "subprocess.Popen[str]":
    """Start serving a printer whose devices are in a folder."""
    config = folder / "printer.cfg"
    config.write_text(PRINTER.printer_cfg().replace("/tmp/virtual_printer", f"{folder}/dev"))
    (folder / "machine.cfg").write_text(PRINTER.machine_cfg())
    served = subprocess.Popen(
        [
            *(sys.executable, "-m", "virtual_printer", "--real-time"),
            *("--machine", f"{folder}/machine.cfg", str(config)),
        ],
        cwd=str(hosts.ROOT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert served.stdout is not None
    lines = [served.stdout.readline() for _ in range(3)]
    devices = [f"mcu: {folder}/dev/mcu\n", f"y: {folder}/dev/y\n"]
    assert lines == [*devices, "serving until interrupted\n"]
    return served


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
        api = connect(folder)
        answer = ask(api, "gcode/script", {"script": "G28 X\nM400"})
        assert "error" not in answer, answer
    finally:
        klippy.kill()
        klippy.wait()
        said = end(served)
    assert served.returncode == 0, said
    assert not list((folder / "dev").iterdir())
    return said.splitlines()


def test_host_in_real_time_homes_x_and_may_take_one_retry(tmp_path: Path) -> None:
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
