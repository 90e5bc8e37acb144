# CAN interfaces of the kernel: the simulated MCUs serve there in real time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import signal
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Set

import pytest

from helpers import can_wire, managed
from virtual_printer import hosts, simulation_library
from virtual_printer.samples import CAN_PRINTER

QUERY = struct.pack("=IB3x8s", can_wire.ADMIN, 1, b"\0")


def uuids() -> Set[str]:
    lines = CAN_PRINTER.printer_cfg().splitlines()
    return {line.split()[1] for line in lines if line.startswith("canbus_uuid")}


def write_config(folder: Path, interface: str, data_rate: int = 0) -> None:
    text = CAN_PRINTER.printer_cfg().replace("/tmp/virtual_printer", f"{folder}/dev")
    text = text.replace("canbus_uuid", f"canbus_interface: {interface}\ncanbus_uuid")
    (folder / "printer.cfg").write_text(text)
    (folder / "machine.cfg").write_text(f"[can_bus {interface}]\ndata_rate: {data_rate}\n")


@pytest.mark.parametrize("data_rate", [0, 2_000_000])
def test_nodes_answer_on_the_interface_that_carries_the_name(
    tmp_path: Path, data_rate: int
) -> None:
    """The interface is that of an empty bus in virtual time, so no kernel needs to have one."""
    simulation_library.load()
    write_config(tmp_path, "can0", data_rate)
    outer = tmp_path / "machine.txt"
    outer.write_text(can_wire.describe(tmp_path, bus=f"bit_rate=1000000 data_rate={data_rate}"))
    program = f"""
    from pathlib import Path
    from virtual_printer import machine, real_time
    folder = Path({str(tmp_path)!r})
    printer = machine.load(folder / "printer.cfg", folder / "machine.cfg", 1)
    def serve():
        with real_time.Server(printer, folder) as server:
            server.serve()
    threading.Thread(target=serve, daemon=True).start()
    time.sleep(1.0)
    can = socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    can.bind(("can0",))
    if {data_rate}:
        # Of no concern to the nodes
        can.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
        can.send(bytes(72))
    can.send({QUERY!r})
    can.settimeout(1.0)
    print(*sorted(can.recv(72)[9:15].hex() for _ in range(7)))
    sys.stdout.flush()
    os._exit(0)
    """
    found = managed.output(tmp_path, program, packages=hosts.ROOT, description=outer)
    assert set(found.split()) == uuids()


def test_interface_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    write_config(tmp_path, "nocan7")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "virtual_printer", "--real-time"),
            *("--machine", f"{tmp_path}/machine.cfg", f"{tmp_path}/printer.cfg"),
        ],
        cwd=str(hosts.ROOT),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("virtual_printer: no CAN interface 'nocan7' (")
    assert done.stderr.count("\n") == 1
    assert not list((tmp_path / "dev").iterdir())


@pytest.mark.skipif(
    not Path("/sys/class/net/vcan0").exists(), reason="this machine has no interface vcan0"
)
def test_nodes_answer_on_the_kernels_interface_in_real_time(tmp_path: Path) -> None:
    write_config(tmp_path, "vcan0")
    served = subprocess.Popen(
        [
            *(sys.executable, "-m", "virtual_printer", "--real-time"),
            *("--machine", f"{tmp_path}/machine.cfg", f"{tmp_path}/printer.cfg"),
        ],
        cwd=str(hosts.ROOT),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert served.stdout is not None
    while served.stdout.readline() != "serving until interrupted\n":
        assert served.poll() is None
    with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as can:
        can.bind(("vcan0",))
        can.settimeout(10.0)
        can.send(QUERY)
        assert {can.recv(16)[9:15].hex() for _ in range(7)} == uuids()
    served.send_signal(signal.SIGINT)
    served.communicate()
    assert served.returncode == 0
