# Links of the simulation as serial devices of a managed program
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import List

import pytest

from helpers import managed, wire

# Asks for the clock; the answer takes 3 ms there and 2 ms back
LINK = {"main": "to_mcu_us=3000 to_host_us=2000"}
DEVICE = wire.device_path("main")
PROGRAM = """
    import array, fcntl, termios
    device = os.open({device!r}, os.O_RDWR | os.O_NOCTTY | {flags})
    def ask():
        os.write(device, {block!r})
    def unread():
        count = array.array("i", [0])
        fcntl.ioctl(device, termios.TIOCINQ, count)
        return count[0]
"""


def prelude(flags: str = "0") -> str:
    number = wire.dictionary.build(wire.CHIP).commands["get_uptime"]
    block = wire.frame(wire.encode_integer(number), 0)
    return PROGRAM.format(device=DEVICE, block=block, flags=flags)


def description(folder: Path) -> Path:
    path = folder / "machine.txt"
    path.write_text(wire.describe(folder, links=LINK))
    return path


def numbers(
    folder: Path, program: str, flags: str = "0", latency_us: str = managed.EXACT
) -> List[float]:
    return managed.seconds(
        folder, prelude(flags) + program, description=description(folder), latency_us=latency_us
    )


@pytest.mark.parametrize(
    "wait",
    [
        "os.read(device, 1)",
        "select.select([device], [], [])",
        "poller.poll()",
        "epoll.poll()",
    ],
)
def test_answer_arrives_when_the_link_delivers_it(tmp_path: Path, wait: str) -> None:
    program = f"""
    poller, epoll = select.poll(), select.epoll()
    poller.register(device, select.POLLIN)
    epoll.register(device, select.EPOLLIN)
    ask()
    print(unread(), slept(lambda: {wait}), unread())
    """
    before, slept_s, after = numbers(tmp_path, program)
    assert before == 0 < after
    assert slept_s == pytest.approx(0.005, abs=0.0005)


def test_host_latency_delays_the_reader_not_the_bytes(tmp_path: Path) -> None:
    program = """
    ask()
    late = slept(lambda: select.select([device], [], [], 1))
    os.read(device, 4096)
    ask()
    threading.Event().wait(0.004)
    print(late, unread(), slept(lambda: select.select([device], [], [], 1)))
    """
    late_s, unread, slept_s = numbers(tmp_path, program, latency_us="3000:3000:0:0")
    assert late_s == pytest.approx(0.008, abs=0.0005)
    # The other wait has ended 7 ms after the question
    assert unread > 0
    assert slept_s < managed.TICKS_S


def test_device_without_data_behaves_as_a_terminal(tmp_path: Path) -> None:
    program = """
    settings = termios.tcgetattr(device)
    settings[3] &= ~termios.ICANON
    settings[6][termios.VMIN], settings[6][termios.VTIME] = 0, 5
    termios.tcsetattr(device, termios.TCSADRAIN, settings)
    fcntl.flock(device, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print(slept(os.read, device, 10), int(os.isatty(device)), len(os.read(device, 10)))
    ask()
    time.sleep(1)
    termios.tcflush(device, termios.TCIFLUSH)
    print(unread())
    """
    slept_s, is_terminal, read, unread = numbers(tmp_path, program)
    assert slept_s == pytest.approx(0.5, abs=managed.TICKS_S)
    assert (is_terminal, read, unread) == (1, 0, 0)


def test_non_blocking_device_without_data_refuses(tmp_path: Path) -> None:
    program = """
    try:
        os.read(device, 10)
    except BlockingIOError:
        print(int(select.select([], [device], [], 0)[1] == [device]))
    """
    assert numbers(tmp_path, program, flags="os.O_NONBLOCK") == [1]


def test_unplugged_device_hangs_up_and_cannot_be_opened(tmp_path: Path) -> None:
    program = (
        prelude()
        + """
    poller = select.poll()
    poller.register(device, select.POLLIN)
    events = poller.poll()
    print(round(time.monotonic(), 3), events[0][1] & select.POLLHUP, len(os.read(device, 10)))
    os.close(device)
    try:
        os.open(%r, os.O_RDWR)
    except FileNotFoundError:
        print("not there")
    """
        % (DEVICE,)
    )
    with managed.Driven(tmp_path, program, description=description(tmp_path)) as driven:
        assert driven.ask("mcu main disconnect at_s=2.5") == "ok"
        assert driven.ask("wait") == ""
        code, printed = driven.end()
    assert code == 0
    assert printed.splitlines() == ["1002.5 16 0", "not there"]
