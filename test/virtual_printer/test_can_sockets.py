# Raw CAN sockets of a managed program, and python-can on them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import List

import pytest

from helpers import can_wire, managed
from virtual_printer import hosts

HOSTS = hosts.available()
UUIDS = (0x112233445566, 0x0A0B0C0D0E0F)
# 3 ms to the bus, 2 ms back
BUS = "bit_rate=500000 to_bus_us=3000 to_host_us=2000"
FD_BUS = f"{BUS} data_rate=2000000"
PRELUDE = """
import errno, struct
def opened(name="can0"):
    can = socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    can.bind((name,))
    return can
def packed(identifier, data):
    return struct.pack("=IB3x8s", identifier, len(data), data)
def unpacked(frame):
    identifier, size, data = struct.unpack("=IB3x8s", frame)
    return f"{identifier:x}", data[:size].hex()
QUERY = packed(0x3f0, b"\\0")
"""


def description(folder: Path, bus: str = BUS) -> Path:
    path = folder / "machine.txt"
    path.write_text(can_wire.describe(folder, UUIDS, bus=bus))
    return path


def lines(folder: Path, program: str, bus: str = BUS, **settings: object) -> List[str]:
    """Return the lines that a program prints."""
    command = managed.python(PRELUDE)
    command[-1] += managed.textwrap.dedent(program)
    if "python" in settings:
        command[0] = str(settings.pop("python"))
    done = managed.run(folder, command, description=description(folder, bus), **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "wait",
    [
        "can.recv(16)",
        "select.select([can], [], [])",
        "poller.poll()",
        "epoll.poll()",
        "os.read(can.fileno(), 16)",
        "can.recvfrom(16)",
        "can.recvmsg(16)",
        "os.readv(can.fileno(), [bytearray(8), bytearray(8)])",
    ],
)
def test_answer_arrives_when_the_bus_delivers_it(tmp_path: Path, wait: str) -> None:
    program = f"""
    can = opened()
    poller, epoll = select.poll(), select.epoll()
    poller.register(can, select.POLLIN)
    epoll.register(can, select.EPOLLIN)
    can.send(QUERY)
    print(slept(lambda: {wait}))
    """
    (slept_s,) = lines(tmp_path, program)
    query = can_wire.classic_bits(0x3F0, b"\0")
    # It answers after a pause of three bits, and is there before the next one
    bits = query + can_wire.classic_bits(0x3F1, b"\x20" + UUIDS[1].to_bytes(6, "big") + b"\1") - 3
    assert float(slept_s) == pytest.approx(0.005 + bits / 500_000, abs=managed.TICKS_S)


@pytest.mark.parametrize(
    "send",
    [
        "can.send(QUERY)",
        "can.sendmsg([QUERY[:5], QUERY[5:]])",
        "os.write(can.fileno(), QUERY)",
        "os.writev(can.fileno(), [QUERY])",
        "can.sendto(QUERY, ('can0',))",
    ],
)
def test_nodes_answer_whatever_call_the_query_was_sent_with(tmp_path: Path, send: str) -> None:
    program = f"""
    can = opened()
    assert {send} == 16
    for _ in range(2):
        print(*unpacked(can.recv(16)))
    """
    assert lines(tmp_path, program) == [f"3f1 20{uuid:012x}01" for uuid in sorted(UUIDS)]


def test_host_latency_delays_the_reader_not_the_frames(tmp_path: Path) -> None:
    program = """
    can = opened()
    can.send(QUERY)
    print(slept(lambda: select.select([can], [], [])))
    print(slept(can.recv, 16))
    """
    late_s, slept_s = (float(x) for x in lines(tmp_path, program, latency_us="4000:4000:0:0"))
    assert 0.009 < late_s < 0.0096
    assert slept_s < managed.TICKS_S


def test_message_tells_its_time_interface_and_origin(tmp_path: Path) -> None:
    program = """
    can, other = opened(), opened()
    for one in (can, other):
        one.setsockopt(socket.SOL_SOCKET, 35, 1)
    other.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_RECV_OWN_MSGS, 1)
    other.send(packed(0x700, b"abc"))
    other.recvmsg(16)
    start = time.time()
    other.send(packed(0x701, b"abc"))
    for one in (can, other):
        frame, ((level, kind, stamp),), flags, address = one.recvmsg(16, socket.CMSG_SPACE(16))
        print(level == socket.SOL_SOCKET, kind, flags & ~socket.MSG_DONTROUTE, *address)
        if unpacked(frame)[0] == "700":
            frame, ((level, kind, stamp),), flags, address = one.recvmsg(16, 64)
        seconds, nanoseconds = struct.unpack("@ll", stamp)
        print(f"{seconds + nanoseconds * 1e-9 - start:.6f}", *unpacked(frame))
    """
    bits = can_wire.classic_bits(0x701, b"abc") - 3
    stamp = [f"{0.005 + bits / 500_000:.4f}", "701", "616263"]
    first, second, third, fourth = (line.split() for line in lines(tmp_path, program))
    assert first == ["True", "35", "0", "can0"]
    # MSG_CONFIRM marks what a socket has sent itself
    assert third == ["True", "35", str(0x800), "can0"]
    for found in (second, fourth):
        assert [f"{float(found[0]):.4f}", *found[1:]] == stamp


def test_socket_behaves_as_the_kernels_when_it_is_used_wrongly(tmp_path: Path) -> None:
    program = """
    def error(function, *arguments):
        try:
            function(*arguments)
        except OSError as caught:
            return errno.errorcode[caught.errno]
    can = socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
    print(error(can.send, QUERY), error(can.bind, ("can1",)))
    can.bind(("can0",))
    print(error(can.send, QUERY[:15]), error(can.send, bytes(72)), error(can.send, bytes(80)))
    print(error(can.send, packed(1, b"")[:4] + b"\\x09" + bytes(11)))
    print(error(can.setsockopt, socket.SOL_CAN_RAW, 77, 1))
    print(error(can.setsockopt, socket.SOL_CAN_RAW, socket.CAN_RAW_FILTER, bytes(9)))
    can.setblocking(False)
    print(error(can.recv, 16))
    # What the interface's queue has room for
    print(*(error(can.send, QUERY) for _ in range(129)))
    """
    *most, last = lines(tmp_path, program)
    assert most == [
        "ENXIO ENODEV",
        "EINVAL EINVAL EINVAL",
        "EINVAL",
        "ENOPROTOOPT",
        "EINVAL",
        "EAGAIN",
    ]
    assert last.split() == ["None"] * 128 + ["ENOBUFS"]


def test_interfaces_have_names_and_numbers(tmp_path: Path) -> None:
    program = """
    import fcntl
    can = opened()
    number = fcntl.ioctl(can, 0x8933, struct.pack("16si20x", b"can0", 0))
    name = fcntl.ioctl(can, 0x8910, number[:0] + bytes(16) + number[16:])
    print(name[:16].rstrip(b"\\0").decode())
    for request, wrong in ((0x8933, b"can7"), (0x8910, b"x"), (0x5401, b"x")):
        try:
            fcntl.ioctl(can, request, struct.pack("16si20x", wrong, 5))
        except OSError as caught:
            print(errno.errorcode[caught.errno])
    """
    assert lines(tmp_path, program) == ["can0", "ENODEV", "ENODEV", "ENOTTY"]


def test_socket_lives_until_its_last_descriptor_is_closed(tmp_path: Path) -> None:
    program = """
    can, rest = opened(), []
    copy = can.dup()
    can.close()
    copy.send(QUERY)
    print(*unpacked(copy.recv(16)))
    copy.close()
    # More in a row than there can be at once
    for _ in range(600):
        opened().close()
    print("done")
    """
    assert lines(tmp_path, program) == ["3f1 200a0b0c0d0e0f01", "done"]


def test_waiting_for_what_never_comes_is_a_deadlock(tmp_path: Path) -> None:
    machine = tmp_path / "machine.txt"
    machine.write_text(can_wire.describe(tmp_path))
    command = managed.python(f"{PRELUDE}\nopened().recv(16)")
    done = managed.run(tmp_path, command, description=machine)
    # EXIT_DEADLOCK of virtual_time.h
    assert done.returncode == 71, done.stderr


def test_without_a_bus_the_kernel_is_asked(tmp_path: Path) -> None:
    program = """
    try:
        opened("none").close()
        print("opened")
    except OSError:
        print("refused")
    """
    command = managed.python(PRELUDE)
    command[-1] += managed.textwrap.dedent(program)
    assert managed.run(tmp_path, command).stdout == "refused\n"


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_python_can_of_a_host_speaks_to_the_bus(host: hosts.Host, tmp_path: Path) -> None:
    program = """
    import can
    def bus_of(**more):
        return can.interface.Bus(channel="can0", interface="socketcan", **more)
    bus = bus_of(can_filters=[{"can_id": 0x3f1, "can_mask": 0x7ff, "extended": False}])
    assert isinstance(bus, can.BusABC)
    other = bus_of(fd=True)
    bus.send(can.Message(arbitration_id=0x3f0, data=[0], is_extended_id=False))
    for _ in range(2):
        message = bus.recv(1.0)
        print(f"{message.arbitration_id:x}", bytes(message.data).hex(), message.is_rx)
    print(bus.recv(0.25), round(slept(bus.recv, 0.25), 4))
    message = other.recv(1.0)
    print(f"{message.arbitration_id:x}", message.is_rx, message.channel)
    long = bytes(range(64))
    other.send(can.Message(arbitration_id=0x1abcdef, data=long, is_fd=True, bitrate_switch=True))
    third = bus_of(fd=True)
    message = third.recv(1.0)
    print(f"{message.arbitration_id:x}", message.is_extended_id, message.is_fd, len(message.data))
    assert message.data == long
    for one in (bus, other, third):
        one.shutdown()
    """
    found = lines(tmp_path, program, bus=FD_BUS, python=host.python)
    assert found == [
        *(f"3f1 20{uuid:012x}01 True" for uuid in sorted(UUIDS)),
        "None 0.25",
        "3f0 False can0",
        "1abcdef True True 64",
    ]


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_python_can_names_an_interface_that_is_not_there(host: hosts.Host, tmp_path: Path) -> None:
    program = """
    import can
    try:
        can.interface.Bus(channel="can7", interface="socketcan")
    except OSError as caught:
        print(caught.strerror)
    """
    assert lines(tmp_path, program, python=host.python) == ["No such device"]
