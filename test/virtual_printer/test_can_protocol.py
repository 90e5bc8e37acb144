# Klipper's protocol on the CAN bus: uuids, node ids, the byte stream in frames, restarts, conflicts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

import pytest

from helpers import can_wire, wire
from helpers.can_wire import ADMIN, ADMIN_RESPONSE, Bus, NodeHost

UUIDS = (0x112233445566, 0x0A0B0C0D0E0F, 0xFFEEDDCCBBAA)
QUERY = bytes([can_wire.QUERY_UNASSIGNED])


@contextmanager
def started(folder: Path, count: int = 3, **more: object) -> Iterator[Bus]:
    """Run a simulation with some nodes; yield a socket on its bus."""
    uuids = [*UUIDS, *range(1, 20)][:count]
    text = can_wire.describe(folder, uuids, **more)  # type: ignore[arg-type]
    with wire.Simulation(text, folder) as simulation:
        yield Bus(simulation)


def attach(bus: Bus, name: str, node: int, uuid: int) -> NodeHost:
    """Assign a node id and return the host of this node."""
    bus.assign(node, uuid)
    host = bus.simulation.hosts[name] = NodeHost(bus, node)
    bus.simulation.run(0.002)
    return host


def uuids_told(bus: Bus) -> List[int]:
    """Query unassigned nodes; return their uuids in the order of the answers."""
    watcher = Bus(bus.simulation)
    watcher.filter((ADMIN_RESPONSE, 0x7FF))
    assert bus.write(ADMIN, QUERY) == 0
    bus.simulation.run(0.01)
    answers = [frame.data for frame in watcher.read()]
    assert all(len(data) == 8 and data[0] == 0x20 and data[7] == 0x01 for data in answers)
    return [int.from_bytes(data[1:7], "big") for data in answers]


def test_unassigned_nodes_tell_their_uuids_once_each(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        # One identifier for all, so the data decides who goes first
        assert uuids_told(bus) == sorted(UUIDS)
        bus.assign(4, UUIDS[0])
        assert uuids_told(bus) == sorted(UUIDS[1:])


def test_each_node_has_two_identifiers_of_its_own(tmp_path: Path) -> None:
    with started(tmp_path) as bus:
        everything = Bus(bus.simulation)
        hosts = [attach(bus, f"n{i}", 4 + i, uuid) for i, uuid in enumerate(UUIDS)]
        everything.read()
        for index, host in enumerate(hosts):
            answer = host.ask("canbus_id", "get_canbus_id")
            node = 4 + index
            assert answer == {
                "canbus_uuid": UUIDS[index].to_bytes(6, "big"),
                "canbus_nodeid": node,
            }
            assert {frame.id for frame in everything.read()} == {
                0x100 + 2 * node,
                0x100 + 2 * node + 1,
            }


def test_node_hears_nothing_before_it_is_assigned_nor_under_its_old_id(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        early = NodeHost(bus, 4)
        early.send("get_clock")
        bus.simulation.run(0.01)
        assert bus.counters()["n0.frames"] == "0"
        first = attach(bus, "n0", 4, UUIDS[0])
        assert first.ask("clock", "get_clock")["clock"] > 0
        second = attach(bus, "n0", 9, UUIDS[0])
        second.sequence = first.sequence
        assert second.ask("clock", "get_clock")["clock"] > 0
        sent = bus.counters()["n0.frames"]
        first.send("get_clock")
        bus.simulation.run(0.01)
        assert bus.counters()["n0.frames"] == sent


def test_stream_goes_in_frames_of_eight_and_answers_share_them(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        watcher = Bus(bus.simulation)
        watcher.filter((host.transmit_id + 1, 0x7FF))
        host.send("identify", 0, 40)
        bus.simulation.run(0.02)
        frames = watcher.read()
        # The answer and the acknowledgement behind it, as one stream
        assert [len(frame.data) for frame in frames[:-1]] == [8] * (len(frames) - 1)
        host.send("get_clock")
        bus.simulation.run(0.02)
        more = watcher.read()
        assert [len(frame.data) for frame in more[:-1]] == [8] * (len(more) - 1)
        frames += more
        (identify,) = host.all("identify_response")
        assert len(identify.values["data"]) == 40
        assert len(host.all("ack")) == 2
        assert sum(len(frame.data) for frame in frames) == len(host.raw)


def test_answer_takes_the_time_of_its_frames(tmp_path: Path) -> None:
    times_us = {}
    for rate in (250_000, 1_000_000):
        with started(tmp_path, 1, bus=f"bit_rate={rate}") as bus:
            host = attach(bus, "n0", 4, UUIDS[0])
            sent_ns = bus.simulation.now_ns
            host.send("get_clock")
            bus.simulation.run(0.02)
            (clock,) = host.all("clock")
            times_us[rate] = (clock.time_ns - sent_ns) / 1000
    # A command of 6 bytes, an answer of 7 to 10 in two frames, 10 to 40 us in the firmware
    assert 200 < times_us[1_000_000] < 400
    assert times_us[250_000] / times_us[1_000_000] == pytest.approx(4.0, rel=0.15)


def test_restart_forgets_the_node_id(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        assert uuids_told(bus) == []
        host.send("reset")
        # It takes a moment to start, and hears nothing meanwhile
        bus.simulation.run(0.05)
        assert uuids_told(bus) == []
        bus.simulation.run(0.1)
        assert uuids_told(bus) == list(UUIDS[:1])
        again = attach(bus, "n0", 7, UUIDS[0])
        assert again.ask("config", "get_config")["is_config"] == 0


def test_node_whose_id_another_gets_shuts_down(tmp_path: Path) -> None:
    with started(tmp_path, 2) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        other = attach(bus, "n1", 4, UUIDS[1])
        assert other.ask("canbus_id", "get_canbus_id")["canbus_nodeid"] == 4
        counters = bus.simulation.counters("n0")
        assert counters["shutdown"] == "Another_CAN_node_assigned_this_ID"
        assert bus.simulation.counters("n1")["shutdown"] == "-"
        assert not host.all("shutdown")


def test_frame_under_a_nodes_own_identifier_is_a_conflict(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        attach(bus, "n0", 4, UUIDS[0])
        assert bus.write(0x100 + 2 * 4 + 1, b"?") == 0
        bus.simulation.run(0.01)
        assert bus.simulation.counters("n0")["shutdown"] == "Another_CAN_node_assigned_this_ID"


def test_status_tells_what_the_controller_counted(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        assert host.ask("canbus_status", "get_canbus_status") == {
            "rx_error": 0,
            "tx_error": 0,
            "tx_retries": 0,
            "canbus_bus_state": 0,
        }
        assert bus.simulation.ask("can_bus can0 error_rate=0.3") == []
        for _ in range(30):
            host.send("get_clock")
            bus.simulation.run(0.02)
        assert bus.simulation.ask("can_bus can0 error_rate=0") == []
        status = host.ask("canbus_status", "get_canbus_status")
        counters = bus.counters()
        assert status["tx_error"] == status["tx_retries"] == int(counters["n0.errors"]) > 3
        assert status["rx_error"] == int(counters["host.errors"]) > 3
        assert host.ask("clock", "get_clock")["clock"] > 0


def test_commands_of_a_node_are_unknown_to_an_mcu_without_a_bus(tmp_path: Path) -> None:
    lines = can_wire.dictionary_of(is_on_can=True).messages()
    text = wire.describe(tmp_path, [f"message main {line}" for line in lines])
    for name in ("get_canbus_id", "get_canbus_status"):
        with wire.Simulation(text, tmp_path) as simulation:
            firmware = can_wire.dictionary_of(is_on_can=True)
            host = wire.Host(simulation, wire.device_path("main"), firmware)
            simulation.hosts["main"] = host
            host.send(name)
            simulation.run(0.02)
            assert host.shutdown_reason() == "Invalid command"


def test_node_answers_a_block_that_a_shutdown_has_abandoned(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        before = len(host.received)
        host.send_payload(host.encode("emergency_stop") + host.encode("get_clock"))
        bus.simulation.run(0.02)
        assert [message.name for message in host.received[before:]] == ["shutdown", "ack"]


def test_faults_of_a_link_work_on_a_bus_too(tmp_path: Path) -> None:
    with started(tmp_path, 1) as bus:
        host = attach(bus, "n0", 4, UUIDS[0])
        simulation = bus.simulation

        def answer_us() -> float:
            sent_ns, before = simulation.now_ns, len(host.all("clock"))
            host.send("get_clock")
            simulation.run(0.05)
            clocks = host.all("clock")[before:]
            return (clocks[0].time_ns - sent_ns) / 1000 if clocks else 0.0

        assert 0 < answer_us() < 400
        now_s = simulation.now_ns / wire.SECOND_NS
        assert simulation.ask(f"link n0 delay_us=3000 from_s={now_s} for_s=0.01") == []
        assert 6000 < answer_us() < 6400
        assert simulation.ask("link n0 drop=1 direction=to_host") == []
        assert answer_us() == 0.0
        assert simulation.ask("mcu n0 disconnect") == []
        assert answer_us() == 0.0
        assert simulation.ask("mcu n0 reconnect") == []
        simulation.run(0.2)
        assert uuids_told(bus) == list(UUIDS[:1])


@pytest.mark.parametrize("rate", [250_000, 1_000_000])
def test_bus_sustains_sixteen_nodes_that_all_talk_at_once(tmp_path: Path, rate: int) -> None:
    with started(tmp_path, 16, bus=f"bit_rate={rate}") as bus:
        uuids = uuids_told(bus)
        assert len(set(uuids)) == 16
        hosts = []
        for index, uuid in enumerate([*UUIDS, *range(1, 14)]):
            hosts.append(attach(bus, f"n{index}", 4 + index, uuid))
        simulation = bus.simulation
        # 20 rounds in which every node is asked for its clock at the same instant
        start_ns, rounds = simulation.now_ns, 20
        pause_s = 0.01 * 1_000_000 / rate
        for _ in range(rounds):
            for host in hosts:
                host.send("get_clock")
            simulation.run(pause_s)
        busy_before_ns = int(bus.counters()["busy_ns"])
        for host in hosts:
            answers = host.all("clock")
            assert len(answers) == rounds
            assert [message.name for message in host.received].count("ack") == rounds
        counters = bus.counters()
        assert counters["errors"] == "0"
        assert int(counters["frames"]) == sum(
            int(counters[f"{name}.frames"])
            for name in ("host", *(f"n{index}" for index in range(16)))
        )
        share = busy_before_ns / (simulation.now_ns - start_ns)
        assert 0.4 < share < 0.9
