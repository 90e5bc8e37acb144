# Blocks on the wire: acknowledgements, sequence numbers, checksums, delays and faults
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator

import pytest

from helpers import wire
from helpers.wire import MILLISECOND_NS, SECOND_NS


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def names(host: wire.Host) -> list:
    return [message.name for message in host.received]


def test_response_comes_before_the_acknowledgement_of_its_block(host: wire.Host) -> None:
    host.ask("clock", "get_clock")
    assert names(host) == ["clock", "ack"]
    assert [message.sequence for message in host.received] == [1, 1]


def test_every_block_is_acknowledged_with_the_next_sequence(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    for _ in range(20):
        host.send("debug_nop")
    simulation.run(0.01)
    expected = [(number + 1) % 16 for number in range(20)]
    assert [message.sequence for message in host.all("ack")] == expected


def test_processing_takes_some_time(host: wire.Host) -> None:
    host.ask("clock", "get_clock")
    delay_ns = host.received[0].time_ns - 200_000
    assert 10_000 <= delay_ns <= 40_000


def test_wrong_sequence_is_answered_with_the_expected_one(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("debug_nop")
    host.write(wire.frame(host.encode("get_clock"), 5))
    simulation.run(0.01)
    assert names(host) == ["ack", "ack"]
    assert [message.sequence for message in host.received] == [1, 1]


def test_block_sent_again_runs_its_commands_once(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    block = wire.frame(host.encode("get_clock"), 0)
    host.write(block + block)
    simulation.run(0.01)
    assert names(host) == ["clock", "ack", "ack"]


def test_spoilt_block_is_refused_once_and_can_be_sent_again(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    block = bytearray(wire.frame(host.encode("get_clock"), 0))
    block[2] ^= 1
    host.write(bytes(block))
    simulation.run(0.01)
    assert names(host) == ["ack"] and host.received[0].sequence == 0
    host.write(wire.frame(host.encode("get_clock"), 0))
    simulation.run(0.01)
    assert names(host) == ["ack", "clock", "ack"]
    assert simulation.counters("main")["crc_errors"] == "1"


def test_noise_is_skipped_up_to_the_next_sync_byte(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.write(b"\x00\xff\x01no block at all\x7e\x7e\x7e")
    host.send("get_clock")
    simulation.run(0.01)
    assert names(host) == ["ack", "clock", "ack"]


def test_block_may_arrive_in_pieces(simulation: wire.Simulation, host: wire.Host) -> None:
    for byte in wire.frame(host.encode("get_clock"), 0):
        host.write(bytes([byte]))
        simulation.run(0.001)
    simulation.run(0.01)
    assert names(host) == ["clock", "ack"]


def test_several_commands_in_a_block_run_in_order(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send_payload(host.encode("get_uptime") + host.encode("get_clock"))
    simulation.run(0.01)
    assert names(host) == ["uptime", "clock", "ack"]


def test_identify_yields_the_dictionary(host: wire.Host) -> None:
    data = b""
    while True:
        part = host.ask("identify_response", "identify", len(data), 40)
        assert part["offset"] == len(data)
        if not part["data"]:
            break
        data += part["data"]
    assert data == host.firmware.compressed


@pytest.mark.parametrize(
    "value", [0, 1, 95, 96, 4095, 12287, 12288, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFE0]
)
def test_integers_survive_the_way_there_and_back(host: wire.Host, value: int) -> None:
    # An offset behind the dictionary is only sent back
    value |= 1 << 16
    assert host.ask("identify_response", "identify", value, 40)["offset"] == value


def test_delays_differ_by_direction(tmp_path: Path) -> None:
    links = {"main": "to_mcu_us=3000 to_host_us=500"}
    with wire.Simulation(wire.describe(tmp_path, links=links), tmp_path) as simulation:
        host = simulation.hosts["main"]
        clock = host.ask("clock", "get_clock")["clock"]
        assert 3010 <= clock / 100 <= 3040
        assert 3510 <= host.received[0].time_ns / 1000 <= 3541


def test_jitter_varies_the_delay_but_never_the_order(tmp_path: Path) -> None:
    links = {"main": "to_mcu_us=100 to_host_us=100 jitter_us=2000"}
    with wire.Simulation(wire.describe(tmp_path, links=links), tmp_path) as simulation:
        host = simulation.hosts["main"]
        for _ in range(100):
            host.send("get_clock")
            simulation.run(0.0005)
        simulation.run(0.1)
        clocks = [message.values["clock"] for message in host.all("clock")]
        assert len(clocks) == 100 and clocks == sorted(clocks)
        # Sent every 50,000 ticks; with jitter some bunch up and some lie apart
        gaps = [later - earlier for earlier, later in zip(clocks, clocks[1:])]
        assert min(gaps) < 30_000 and max(gaps) > 100_000


def test_baud_rate_makes_bytes_take_time(tmp_path: Path) -> None:
    links = {"main": "to_mcu_us=0 to_host_us=0 baud=10000"}
    with wire.Simulation(wire.describe(tmp_path, links=links), tmp_path) as simulation:
        host = simulation.hosts["main"]
        clock = host.ask("clock", "get_clock", wait_s=0.1)["clock"]
        # A block of six bytes at 1 ms each
        assert 6.0 <= clock / 100_000 <= 6.05
        assert 17 * MILLISECOND_NS <= host.received[-1].time_ns <= 23 * MILLISECOND_NS


def test_delay_window_holds_up_what_is_sent_in_it(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    window = "link main delay_us=20000 from_s=1 for_s=0.01 direction=to_mcu"
    assert simulation.control(window) == "ok"
    for sent_s in (0.99, 1.0, 1.009, 1.0101, 1.05):
        simulation.run_until(round(sent_s * SECOND_NS))
        host.send("get_clock")
    simulation.run(0.1)
    arrivals = [message.values["clock"] / 1e8 for message in host.all("clock")]
    expected = [0.99, 1.02, 1.029, 1.029, 1.05]
    assert arrivals == pytest.approx(expected, abs=0.0003)


@pytest.mark.parametrize(("direction", "clocks"), [("to_mcu", 1), ("to_host", 2)])
def test_dropped_messages_do_not_arrive(
    simulation: wire.Simulation, host: wire.Host, direction: str, clocks: int
) -> None:
    assert simulation.control(f"link main drop=2 direction={direction}") == "ok"
    for _ in range(3):
        # All with the same number: a lost block leaves the expected one as it was
        host.write(wire.frame(host.encode("get_clock"), host.sequence))
        host.sequence += direction == "to_host"
        simulation.run(0.01)
    assert len(host.all("clock")) == clocks
    assert host.received[-1].sequence == (1 if direction == "to_mcu" else 3)


def test_late_message_holds_up_those_behind_it(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    assert simulation.control("link main late_us=20000 direction=to_mcu") == "ok"
    for sent_s in (1.0, 1.01, 1.03):
        simulation.run_until(round(sent_s * SECOND_NS))
        host.send("get_clock")
    simulation.run(0.1)
    arrivals = [message.values["clock"] / 1e8 for message in host.all("clock")]
    assert arrivals == pytest.approx([1.02, 1.02, 1.03], abs=0.0003)


def test_repeated_answer_arrives_twice(simulation: wire.Simulation, host: wire.Host) -> None:
    assert simulation.control("link main repeat=1 direction=to_host") == "ok"
    # The acknowledgement comes in the same block
    clocks = [host.clock(), host.clock()]
    simulation.run(0.01)
    first, again, second = (message.values["clock"] for message in host.all("clock"))
    assert (first, again) == (clocks[0], clocks[0])
    assert second > first


def test_repeated_command_is_run_once_and_refused_once(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    assert simulation.control("link main repeat=1 direction=to_mcu") == "ok"
    host.send("get_clock")
    simulation.run(0.01)
    assert len(host.all("clock")) == 1
    assert int(simulation.counters("main")["naks"]) == 1


def test_corrupted_message_is_refused(simulation: wire.Simulation, host: wire.Host) -> None:
    assert simulation.control("link main corrupt=1 direction=to_mcu") == "ok"
    block = wire.frame(host.encode("get_clock"), 0)
    for _ in range(3):
        host.write(block)
        simulation.run(0.01)
    assert len(host.all("clock")) == 1
    assert int(simulation.counters("main")["naks"]) >= 1


def test_what_arrives_at_a_closed_device_is_lost(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("get_clock")
    host.close()
    simulation.run(0.01)
    host.open()
    simulation.run(0.01)
    assert not host.received


def test_disconnected_device_hangs_up_at_its_time(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    assert simulation.control("mcu main disconnect at_s=0.5") == "ok"
    reached_ns = simulation.library.simulation_advance(simulation.pointer, SECOND_NS)
    assert reached_ns == SECOND_NS // 2
    assert simulation.library.link_is_hung_up(simulation.pointer, host.link)
    host.send("get_clock")
    simulation.run_until(2 * SECOND_NS)
    assert not host.received


def test_reconnected_device_has_just_started(simulation: wire.Simulation, host: wire.Host) -> None:
    simulation.control("mcu main disconnect at_s=0.5")
    simulation.control("mcu main reconnect at_s=1")
    simulation.run(2.0)
    assert not simulation.library.link_is_hung_up(simulation.pointer, host.link)
    assert names(host)[0] == "starting"
    host.sequence = 0
    assert host.clock() < 100_000_000


def test_stats_come_every_five_seconds(simulation: wire.Simulation, host: wire.Host) -> None:
    simulation.run(21.0)
    times = [message.time_ns for message in host.all("stats")]
    assert len(times) == 4
    assert all(later - earlier == 5 * SECOND_NS for earlier, later in zip(times, times[1:]))
    assert host.all("stats")[0].values["count"] > 0


def test_several_requests_cannot_be_misread(simulation: wire.Simulation) -> None:
    for request, reason in [
        ("", "error missing request"),
        ("nonsense", "error unknown request 'nonsense'"),
        ("link", "error missing mcu"),
        ("link other drop=1", "error unknown mcu 'other'"),
        ("link main drop=x", "error drop is not a whole number: 'x'"),
        ("link main repeat=-1", "error repeat must be from 0 to 2147483647: '-1'"),
        ("link main late_us=x", "error late_us is not a number: 'x'"),
        ("link main direction=up", "error unknown direction 'up'"),
        ("mcu main explode", "error unknown action 'explode'"),
        ("mcu main shutdown", "error missing key 'reason'"),
        ("mcu main shutdown reason=Why", "error unknown reason 'Why'"),
        ("endstop main 7 force=1", "error no endstop on pin 7"),
        ("steppers now", "error unexpected 'now'"),
        ("pulses stepper_q", "error unknown stepper 'stepper_q'"),
    ]:
        assert simulation.control(request) == reason
