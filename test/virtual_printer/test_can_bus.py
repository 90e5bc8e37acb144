# The CAN bus: time, arbitration, errors, bus-off, foreign load, and the host's sockets on it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import errno
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

import pytest

from helpers import can_wire, wire
from helpers.can_wire import ADMIN, ADMIN_RESPONSE, EXTENDED, REMOTE, Bus, classic_bits

UUIDS = (0x112233445566, 0x0A0B0C0D0E0F, 0xFFEEDDCCBBAA)
QUERY = bytes([can_wire.QUERY_UNASSIGNED])


@contextmanager
def started(folder: Path, *arguments: object, **more: object) -> Iterator[Bus]:
    """Run a simulation; yield a socket on its bus."""
    text = can_wire.describe(folder, *arguments, **more)  # type: ignore[arg-type]
    with wire.Simulation(text, folder) as simulation:
        yield Bus(simulation)


def answer_of(uuid: int) -> bytes:
    return b"\x20" + uuid.to_bytes(6, "big") + b"\x01"


@pytest.mark.parametrize("rate", [250_000, 500_000, 1_000_000])
def test_frame_takes_its_bits_at_the_bit_rate(tmp_path: Path, rate: int) -> None:
    with started(tmp_path, bus=f"bit_rate={rate}") as bus:
        other = Bus(bus.simulation)
        assert bus.write(0x123, b"hello") == 0
        bus.simulation.run(0.01)
        (frame,) = other.read()
        bits = classic_bits(0x123, b"hello")
        # It is there before the bits that part it from the next one
        assert frame == ((bits - 3) * 1_000_000_000 // rate, 0x123, b"hello")
        assert int(bus.counters()["busy_ns"]) == bits * 1_000_000_000 // rate
        assert int(bus.counters()["frames"]) == 1


def test_frames_of_one_sender_follow_each_other_in_order_without_a_gap(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        other = Bus(bus.simulation)
        # The host's queue does not look at identifiers
        identifiers = [0x300, 0x100, 0x7FF, 0x001]
        for identifier in identifiers:
            assert bus.write(identifier, b"ab") == 0
        bus.simulation.run(0.01)
        frames = other.read()
        assert [frame.id for frame in frames] == identifiers
        bits = 0
        for frame in frames:
            bits += classic_bits(frame.id, b"ab")
            assert frame.time_ns == (bits - 3) * 1000


def test_lowest_identifier_wins_and_nobody_interrupts_a_frame(tmp_path: Path) -> None:
    """The nodes' answers to a query tie with a lower and a higher identifier of the host's."""
    for identifier, first in ((ADMIN_RESPONSE - 1, "host"), (ADMIN_RESPONSE + 1, "node")):
        with started(tmp_path, UUIDS[:1]) as bus:
            other = Bus(bus.simulation)
            assert bus.write(ADMIN, QUERY) == 0
            # Waits in the host's queue until the query is over, as the node's answer does
            assert bus.write(identifier, b"x") == 0
            bus.simulation.run(0.01)
            order = [identifier, ADMIN_RESPONSE]
            if first == "node":
                order.reverse()
            assert [frame.id for frame in other.read()] == [ADMIN, *order]


def test_load_of_high_priority_delays_a_frame_by_one_frame_only_when_the_bus_is_taken(
    tmp_path: Path,
) -> None:
    """A frame that is on the wire is finished first, then the lowest identifier goes."""
    latencies_us: List[float] = []
    with started(tmp_path, bus="bit_rate=1000000 load=0.5 load_id=2000") as bus:
        other = Bus(bus.simulation)
        other.filter((0x100, 0x7FF))
        for _ in range(300):
            sent_ns = bus.simulation.now_ns
            assert bus.write(0x100, b"now") == 0
            bus.simulation.run(0.00137)
            (frame,) = other.read()
            latencies_us.append((frame.time_ns - sent_ns) / 1000)
    own_us = classic_bits(0x100, b"now") - 3
    assert min(latencies_us) == own_us
    # At most one foreign frame of at most 135 bits goes before
    assert own_us + 60 < max(latencies_us) < own_us + 135
    delayed = sum(latency_us > own_us for latency_us in latencies_us)
    assert 0.35 < delayed / len(latencies_us) < 0.65


def test_standard_frame_wins_against_an_extended_one_that_starts_alike(tmp_path: Path) -> None:
    rivals = ((0x07F, True), (EXTENDED | 0x080 << 18, False), (0x081, False))
    with started(tmp_path, bus="bit_rate=1000000 load=0.9 load_id=128") as bus:
        simulation = bus.simulation
        for identifier, wins in rivals:
            watcher, waits_us = Bus(simulation), []
            watcher.filter((identifier, 0xFFFFFFFF))
            for _ in range(40):
                sent_ns = simulation.now_ns
                assert bus.write(identifier, b"12345678") == 0
                simulation.run(0.01)
                (frame,) = watcher.read()
                waits_us.append((frame.time_ns - sent_ns) // 1000)
            # A winner waits for no more than the frame that is on the wire
            own_us = classic_bits(identifier, b"12345678") - 3
            assert (max(waits_us) < own_us + 135) is wins, identifier


def test_load_takes_its_share_of_the_bus(tmp_path: Path) -> None:
    for share in (0.1, 0.5, 0.9):
        with started(tmp_path, bus=f"bit_rate=500000 load={share} load_id=5") as bus:
            bus.simulation.run(2.0)
            counters = bus.counters()
            assert int(counters["busy_ns"]) / 2e9 == pytest.approx(share, rel=0.03)
            assert counters["load.frames"] == counters["frames"]
            assert bus.simulation.ask("can_bus can0 load=0") == []
            bus.simulation.run(0.1)
            before = bus.counters()["frames"]
            bus.simulation.run(1.0)
            assert bus.counters()["frames"] == before


def test_spoilt_frames_are_sent_again_and_none_is_lost(tmp_path: Path) -> None:
    with started(tmp_path, bus="bit_rate=1000000 error_rate=0.05") as bus:
        other = Bus(bus.simulation)
        received = []
        for number in range(2000):
            assert bus.write(0x234, number.to_bytes(8, "big")) == 0
            bus.simulation.run(0.0005)
            received += other.read()
        assert [int.from_bytes(frame.data, "big") for frame in received] == list(range(2000))
        counters = bus.counters()
        errors = int(counters["errors"])
        # 2000 frames at 5 % : 105 errors are to be expected, with a deviation of 10
        assert 65 < errors < 145
        assert int(counters["host.retransmissions"]) == int(counters["host.errors"]) == errors
        assert int(counters["host.frames"]) == int(counters["frames"]) == 2000
        assert counters["host.state"] == "active"


def test_an_error_costs_the_rest_of_the_frame_and_the_error_frame(tmp_path: Path) -> None:
    """Bits of the spoilt attempts: 1 to all of the frame, 6 to 12 of flags, 8 and 3 behind them."""
    spoilt = []
    with started(tmp_path) as bus:
        whole = classic_bits(0x234, b"12345678")
        for _ in range(300):
            assert bus.simulation.ask("can_bus can0 error_rate=1") == []
            before = bus.counters()
            assert bus.write(0x234, b"12345678") == 0
            bus.simulation.run_until(bus.simulation.now_ns + 1)
            assert bus.simulation.ask("can_bus can0 error_rate=0") == []
            bus.simulation.run(0.001)
            after = bus.counters()
            assert int(after["errors"]) - int(before["errors"]) == 1
            spoilt.append(int(after["bits"]) - int(before["bits"]) - whole)
            # Eight times as many good ones make up for it
            for _ in range(8):
                bus.write(0x234)
            bus.simulation.run(0.001)
            assert bus.counters()["host.tec"] == "0"
    assert 1 + 6 + 8 + 3 <= min(spoilt) < 40
    assert whole - 20 < max(spoilt) <= whole - 3 + 12 + 8 + 3


def test_sender_counts_eight_up_and_one_down_and_goes_off_above_255(tmp_path: Path) -> None:
    with started(tmp_path, UUIDS[:1]) as bus:
        simulation = bus.simulation
        other = Bus(simulation)
        assert bus.write(0x234, b"1") == 0
        simulation.run(0.001)
        assert len(other.read()) == 1
        assert simulation.ask("can_bus can0 error_rate=1") == []
        assert bus.write(0x234, b"2") == 0
        states = []
        while len(states) < 40 and (not states or states[-1][1] != "off"):
            simulation.run_until(simulation.now_ns + 1000)
            counters = bus.counters()
            state = (int(counters["host.tec"]), counters["host.state"])
            if state not in states:
                states.append(state)
        assert [tec for tec, _ in states] == [8 * count for count in range(33)]
        assert dict(states)[88] == "active" and dict(states)[96] == "warning"
        assert dict(states)[120] == "warning" and dict(states)[128] == "passive"
        assert dict(states)[248] == "passive" and dict(states)[256] == "off"
        # The other one only listened
        assert bus.counters()["n0.state"] == "active" and bus.counters()["n0.tec"] == "0"
        assert simulation.ask("can_bus can0 error_rate=0") == []
        simulation.run(1.0)
        assert other.read() == []


def test_node_that_goes_off_is_silent_until_it_is_restarted(tmp_path: Path) -> None:
    with started(tmp_path, UUIDS) as bus:
        simulation = bus.simulation
        other = Bus(simulation)
        other.filter((ADMIN_RESPONSE, 0x7FF))
        assert simulation.ask("mcu n1 bus_off at_s=0.5") == []
        for time_s, answering in ((0.4, {0, 1, 2}), (0.6, {0, 2})):
            simulation.run_until(round(time_s * wire.SECOND_NS))
            assert bus.write(ADMIN, QUERY) == 0
            simulation.run(0.01)
            answers = {frame.data for frame in other.read()}
            assert answers == {answer_of(UUIDS[i]) for i in answering}
        assert bus.counters()["n1.state"] == "off"
        assert simulation.ask("mcu n1 reboot") == []
        simulation.run(0.2)
        assert bus.write(ADMIN, QUERY) == 0
        simulation.run(0.01)
        assert len(other.read()) == 3


def test_adapter_delays_both_ways_and_keeps_the_order(tmp_path: Path) -> None:
    delays = "bit_rate=1000000 to_bus_us=200 to_host_us=300 jitter_us=100"
    with started(tmp_path, bus=delays) as bus:
        other = Bus(bus.simulation)
        for number in range(100):
            assert bus.write(0x111, bytes([number])) == 0
            bus.simulation.run_until(bus.simulation.now_ns + 60_000)
        bus.simulation.run(0.01)
        frames = other.read()
        assert [frame.data[0] for frame in frames] == list(range(100))
        wire_us = classic_bits(0x111, b"\x00") - 3
        assert 500 + wire_us <= frames[0].time_ns / 1000 <= 700 + wire_us


def test_socket_gets_what_others_send_and_its_own_if_it_wants(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        other, mute = Bus(bus.simulation), Bus(bus.simulation)
        mute.set(can_wire.LOOPBACK, 0)

        def seen() -> List[List[int]]:
            for sender, identifier in ((bus, 1), (other, 2), (mute, 3)):
                assert sender.write(identifier) == 0
            bus.simulation.run(0.01)
            return [[frame.id for frame in one.read()] for one in (bus, other, mute)]

        # What a socket without loopback sends no other one sees
        assert seen() == [[2], [1], [1, 2]]
        bus.set(can_wire.OWN_MESSAGES, 1)
        assert seen() == [[1, 2], [1], [1, 2]]


def test_filters_let_through_what_matches_any_of_them(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        sent = [0x100, 0x101, 0x200, EXTENDED | 0x100, REMOTE | 0x101]
        for filters, passed in [
            ([(0x101, 0x7FF)], [0x101, REMOTE | 0x101]),
            ([(0x100, EXTENDED | 0x7FF), (0x200, 0x7FF)], [0x100, 0x200]),
            ([(0x100, 0x700)], [0x100, 0x101, EXTENDED | 0x100, REMOTE | 0x101]),
            ([(0x20000000 | 0x100, 0x700)], [0x200]),
            ([], []),
        ]:
            other = Bus(bus.simulation)
            other.filter(*filters)
            for identifier in sent:
                assert bus.write(identifier) == 0
            bus.simulation.run(0.01)
            assert [frame.id for frame in other.read()] == passed


def test_bad_writes_are_refused(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        assert bus.write(1, b"123456789") == errno.EINVAL
        assert bus.write(1, b"1", is_fd=True) == errno.EINVAL
        loose = bus.library.can_socket_open(bus.simulation.pointer)
        bus.socket = loose
        assert bus.write(1) == errno.ENXIO
        bus.simulation.run(0.01)
        assert bus.counters()["frames"] == "0"


def test_full_queue_of_the_host_is_an_error(tmp_path: Path) -> None:
    with started(tmp_path, bus="bit_rate=250000") as bus:
        results = [bus.write(0x100, b"12345678") for _ in range(130)]
        assert results == [0] * 128 + [errno.ENOBUFS] * 2
        bus.simulation.run(0.01)
        assert bus.write(0x100) == 0


def test_classic_socket_sees_no_fd_frame(tmp_path: Path) -> None:
    with started(tmp_path, bus="bit_rate=500000 data_rate=2000000") as bus:
        classic, fd = Bus(bus.simulation), Bus(bus.simulation)
        fd.set(can_wire.FD, 1)
        assert bus.write(1, b"fd", is_fd=True) == errno.EINVAL
        bus.set(can_wire.FD, 1)
        assert bus.write(1, b"fd", is_fd=True) == 0
        assert bus.write(2, b"classic") == 0
        bus.simulation.run(0.01)
        assert [frame.id for frame in classic.read()] == [2]
        assert [frame.id for frame in fd.read()] == [1, 2]


def test_same_seed_gives_the_same_bus_and_another_seed_another(tmp_path: Path) -> None:
    def run(seed: int) -> List[can_wire.Frame]:
        keys = "bit_rate=1000000 load=0.4 load_id=9 error_rate=0.1"
        with started(tmp_path, bus=keys, seed=seed) as bus:
            bus.simulation.run(0.02)
            return bus.read()

    assert run(1) == run(1) != run(2)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("can_bus can0 bit_rate=1000000 to_bus_us=0 to_host_us=0", "can_bus 'can0' is there twice"),
        ("can_bus can1 to_bus_us=0 to_host_us=0", "missing key 'bit_rate'"),
        ("can_bus can1 bit_rate=2e6 to_bus_us=0 to_host_us=0", "bit_rate must be from"),
        ("can_bus can1 bit_rate=1e6 to_bus_us=0 to_host_us=0 load=1", "load must be from 0 to"),
        ("can_bus can1 bit_rate=1e6 to_bus_us=0 to_host_us=0 load_id=2048", "load_id must be"),
        ("can_node n9 bus=can0 uuid=112233445566", "unknown mcu 'n9'"),
        ("can_node n0 bus=can7 uuid=112233445566", "unknown can_bus 'can7'"),
        ("can_node n0 bus=can0 uuid=11223344556", "uuid is not 12 hex digits: '11223344556'"),
        ("can_node n0 bus=can0 uuid=-12233445566", "uuid is not 12 hex digits"),
        ("can_node n0 bus=can0 uuid=112233445566", "mcu 'n0' is on a bus already"),
    ],
)
def test_mistake_is_named_with_its_line(tmp_path: Path, line: str, reason: str) -> None:
    text = can_wire.describe(tmp_path, UUIDS[:1], lines=[line])
    with pytest.raises(wire.LoadError) as caught, wire.Simulation(text, tmp_path):
        pass
    assert str(caught.value).startswith(f"line {len(text.splitlines())}: {reason}")


def test_mcu_with_a_device_is_not_on_a_bus_too(tmp_path: Path) -> None:
    lines = ["can_bus can0 bit_rate=1e6 to_bus_us=0 to_host_us=0"]
    lines += ["can_node main bus=can0 uuid=112233445566"]
    text = wire.describe(tmp_path, lines=lines)
    reason = "mcu 'main' has a device and is on a can_bus"
    with pytest.raises(wire.LoadError, match=reason), wire.Simulation(text, tmp_path):
        pass


def test_mcu_needs_a_device_or_a_bus_and_the_messages_of_its_kind(tmp_path: Path) -> None:
    text = can_wire.describe(tmp_path, UUIDS[:1])
    for part, reason in [
        ("can_node", "mcu 'n0' has no device and is on no can_bus"),
        (" canbus_id ", "mcu 'n0' has no message of response canbus_id"),
    ]:
        lines = ["" if part in line else line for line in text.splitlines()]
        with pytest.raises(wire.LoadError, match=reason), wire.Simulation(
            "\n".join(lines), tmp_path
        ):
            pass


@pytest.mark.parametrize(
    ("request_line", "reason"),
    [
        ("can_bus can7 load=0", "unknown can_bus 'can7'"),
        ("can_bus can0 load=2", "load must be from 0 to 0.99: '2'"),
        ("can_bus can0 bit_rate=5", "unexpected 'bit_rate=5'"),
        ("mcu main bus_off", "mcu 'main' is on no can_bus"),
    ],
)
def test_bad_request_is_refused_and_changes_nothing(
    tmp_path: Path, request_line: str, reason: str
) -> None:
    text = wire.describe(tmp_path) + can_wire.describe(tmp_path)
    with wire.Simulation(text, tmp_path) as simulation:
        assert simulation.control(request_line) == f"error {reason}"
