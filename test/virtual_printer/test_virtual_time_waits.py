# Every kind of wait takes exactly its virtual time, and hardly any real time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import time
from pathlib import Path

import pytest

from helpers import managed


def test_sleep_of_1000_s_returns_in_real_milliseconds(tmp_path: Path) -> None:
    managed.output(tmp_path, "")
    before_s = time.monotonic()
    (slept_s,) = managed.seconds(tmp_path, "print(slept(time.sleep, 1000))")
    assert slept_s == pytest.approx(1000, abs=managed.TICKS_S)
    assert time.monotonic() - before_s < 5


@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep(2.5)",
        "locked.acquire(timeout=2.5)",
        "threading.Event().wait(2.5)",
        "semaphore.acquire(timeout=2.5)",
        "start(time.sleep, 2.5).join()",
        "busy.join(2.5)",
        "select.select([pipe[0]], [], [], 2.5)",
        "select.select([], [], [], 2.5)",
        "poller.poll(2500)",
        "select.poll().poll(2500)",
        "epoll.poll(2.5)",
        "pair[0].recv(1)",
        "listener.accept()",
    ],
)
def test_wait_times_out_exactly_at_its_deadline(tmp_path: Path, wait: str) -> None:
    program = f"""
        locked, semaphore = threading.Lock(), threading.Semaphore(0)
        locked.acquire()
        busy = threading.Thread(target=time.sleep, args=(4,))
        busy.start()
        pipe, pair = os.pipe(), socket.socketpair()
        pair[0].settimeout(2.5)
        poller, epoll = select.poll(), select.epoll()
        poller.register(pipe[0], select.POLLIN)
        epoll.register(pipe[0], select.EPOLLIN)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("\\0" + str(os.getpid()))
        listener.listen()
        listener.settimeout(2.5)
        def wait():
            try:
                {wait}
            except socket.timeout:
                pass
        print(slept(wait))
    """
    (slept_s,) = managed.seconds(tmp_path, program)
    assert slept_s == pytest.approx(2.5, abs=managed.TICKS_S)


@pytest.mark.parametrize(
    ("wake", "wait"),
    [
        ("lock.release()", "lock.acquire()"),
        ("event.set()", "event.wait(9)"),
        ("items.put(1)", "items.get()"),
        ("os.write(pipe[1], b'x')", "os.read(pipe[0], 1)"),
        ("os.write(pipe[1], b'x')", "select.select([pipe[0]], [], [], 9)"),
        ("os.write(pipe[1], b'x')", "poller.poll()"),
        ("os.write(pipe[1], b'x')", "epoll.poll()"),
        ("os.close(pipe[1])", "poller.poll(9000)"),
        ("os.read(full[0], 65536)", "os.write(full[1], b'x')"),
        ("os.read(full[0], 65536)", "select.select([], [full[1]], [], 9)"),
        ("pair[1].send(b'x')", "pair[0].recv(1)"),
        ("pair[1].close()", "pair[0].recv(1)"),
        ("connect(address)", "listener.accept()"),
        ("connect(address)", "select.select([listener], [], [], 9)"),
    ],
)
def test_thread_is_woken_at_the_instant_of_the_other_ones_action(
    tmp_path: Path, wake: str, wait: str
) -> None:
    program = f"""
        lock, event, items = threading.Lock(), threading.Event(), queue.Queue()
        lock.acquire()
        pipe, full, pair = os.pipe(), os.pipe(), socket.socketpair()
        os.write(full[1], bytes(65536))
        poller, epoll = select.poll(), select.epoll()
        poller.register(pipe[0], select.POLLIN)
        epoll.register(pipe[0], select.EPOLLIN)
        address = "\\0" + str(os.getpid())
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(address)
        listener.listen()
        clients = []
        def connect(address):
            clients.append(socket.socket(socket.AF_UNIX))
            clients[0].connect(address)
        after(1.5, lambda: {wake})
        print(slept(lambda: {wait}))
    """
    (slept_s,) = managed.seconds(tmp_path, program)
    assert slept_s == pytest.approx(1.5, abs=10 * managed.TICKS_S)


def test_large_transfer_between_two_threads_is_complete(tmp_path: Path) -> None:
    program = """
        first, second = socket.socketpair()
        start(lambda: (first.sendall(bytes(3000000)), first.close()))
        count = 0
        while True:
            data = second.recv(65536)
            if not data:
                break
            count += len(data)
        print(count)
    """
    assert managed.seconds(tmp_path, program) == [3000000]


def test_loops_that_watch_something_end(tmp_path: Path) -> None:
    program = """
        seen, lock = [], threading.Lock()
        lock.acquire()
        after(0.01, seen.append, 1)
        after(0.02, lock.release)
        def watch_flag():
            while not seen:
                time.sleep(0)
        def watch_clock():
            end = time.time() + 0.01
            while time.time() < end:
                pass
        def watch_lock():
            while not lock.acquire(False):
                pass
        print(slept(watch_flag), slept(watch_clock), slept(watch_lock))
    """
    flag_s, clock_s, lock_s = managed.seconds(tmp_path, program)
    assert flag_s == pytest.approx(0.01, abs=0.001)
    assert clock_s == pytest.approx(0.01, abs=0.001)
    assert lock_s < 0.02


def test_clocks_agree_and_start_alike_each_time(tmp_path: Path) -> None:
    program = """
        names = "REALTIME MONOTONIC MONOTONIC_RAW BOOTTIME PROCESS_CPUTIME_ID".split()
        clocks = [getattr(time, "CLOCK_" + name) for name in names]
        before = [time.clock_gettime(clock) for clock in clocks]
        time.sleep(100)
        print(*before, *(time.clock_gettime(clock) for clock in clocks), time.time())
    """
    first = managed.seconds(tmp_path, program)
    assert first == managed.seconds(tmp_path, program)
    passed_s = [after - before for before, after in zip(first[:5], first[5:10])]
    assert passed_s[:4] == pytest.approx([100] * 4, abs=managed.TICKS_S)
    # Sleeping is no computing
    assert 0 < passed_s[4] < managed.TICKS_S


def test_host_latency_delays_wake_ups_by_deadlines_only(tmp_path: Path) -> None:
    program = """
        event = threading.Event()
        def set_event():
            time.sleep(1)
            global set_at
            set_at = time.monotonic()
            event.set()
        print(slept(time.sleep, 1))
        start(set_event)
        event.wait()
        print(time.monotonic() - set_at)
    """
    slept_s, woken_s = managed.seconds(tmp_path, program, latency_us="300:700:2000:0")
    assert 1.0003 <= slept_s <= 1.0007 + managed.TICKS_S
    assert woken_s < managed.TICKS_S


def test_spike_of_latency_comes_as_often_as_asked(tmp_path: Path) -> None:
    program = "print(sum(slept(time.sleep, 0.001) > 0.004 for _ in range(2000)))"
    (spikes,) = managed.seconds(tmp_path, program, latency_us="100:500:4000:20", seed=3)
    assert 60 <= spikes <= 140
