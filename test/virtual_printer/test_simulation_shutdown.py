# Shutdowns: each reason where the firmware would raise it, and what still works then
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
LEAD_TICKS = 40 * TICKS_PER_MS
STEPPER, ENDSTOP, TRSYNC, OUT = 0, 1, 2, 3
CONFIG = [
    ("config_stepper", STEPPER, 1, 2, 0, 200),
    ("config_endstop", ENDSTOP, 7, 1),
    ("config_trsync", TRSYNC),
    ("config_digital_out", OUT, 9, 0, 0, 0),
]
Command = Tuple[object, ...]


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        simulation.hosts["main"].configure(CONFIG)
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


# A negative clock counts back from now, a positive one from 20 ms later on
REASONS: List[Tuple[str, List[Command]]] = [
    (
        "Timer too close",
        [("reset_step_clock", STEPPER, -TICKS_PER_MS), ("queue_step", STEPPER, 1, 1, 0)],
    ),
    ("Timer too close", [("queue_digital_out", OUT, -TICKS_PER_MS, 1)]),
    ("Timer too close", [("endstop_home", ENDSTOP, -1, 10, 4, 1000, 1, TRSYNC, 1)]),
    ("Timer too close", [("trsync_start", TRSYNC, -1, 1000, 4)]),
    (
        "Timer too close",
        [("trsync_start", TRSYNC, 0, 0, 4), ("trsync_set_timeout", TRSYNC, -1)],
    ),
    (
        "Stepper too far in past",
        [
            ("reset_step_clock", STEPPER, TICKS_PER_MS),
            ("queue_step", STEPPER, TICKS_PER_MS, 10, 0),
            ("queue_step", STEPPER, -2 * TICKS_PER_MS, 1, 0),
        ],
    ),
    (
        "Stepper too far in past",
        [
            ("reset_step_clock", STEPPER, TICKS_PER_MS),
            ("queue_step", STEPPER, 100, 1000, 0),
            ("queue_step", STEPPER, 100, 1000, 0),
        ],
    ),
    (
        "Can't reset time when stepper active",
        [
            ("reset_step_clock", STEPPER, TICKS_PER_MS),
            ("queue_step", STEPPER, TICKS_PER_MS, 1000, 0),
            ("reset_step_clock", STEPPER, TICKS_PER_MS),
        ],
    ),
    ("Invalid count parameter", [("queue_step", STEPPER, 1000, 0, 0)]),
    (
        "Move queue overflow",
        [
            ("reset_step_clock", STEPPER, TICKS_PER_MS),
            *[("queue_step", STEPPER, TICKS_PER_MS, 1000, 0)] * 52,
        ],
    ),
    (
        "Rescheduled timer in the past",
        [
            ("trsync_start", TRSYNC, 0, 0, 4),
            ("endstop_home", ENDSTOP, TICKS_PER_MS, 10, 4, 0, 0, TRSYNC, 1),
        ],
    ),
    ("Command request", [("emergency_stop",)]),
    ("Shutdown cleared when not shutdown", [("clear_shutdown",)]),
    ("config_reset only available when shutdown", [("config_reset",)]),
    ("oids already allocated", [("allocate_oids", 5)]),
    ("Can't assign oid", [("config_trsync", 10)]),
    ("Invalid oid type", [("stepper_get_position", TRSYNC)]),
    ("Invalid oid type", [("trsync_trigger", 200, 1)]),
    ("Already finalized", [("finalize_config", 1)]),
    (
        "Can't add signal that is already active",
        [("stepper_stop_on_trigger", STEPPER, TRSYNC)] * 2,
    ),
]


def send(host: wire.Host, commands: List[Command]) -> None:
    """Send commands; clocks count from 20 ms from now on, or back from now."""
    soon = host.clock() + LEAD_TICKS
    clocks = {"reset_step_clock", "queue_digital_out", "endstop_home", "trsync_start"}
    for name, *values in commands:
        numbers = [int(value) for value in values]
        if name in clocks | {"trsync_set_timeout"}:
            numbers[1] += soon if numbers[1] >= 0 else soon - LEAD_TICKS
        host.send(str(name), *numbers)


@pytest.mark.parametrize(("reason", "commands"), REASONS)
def test_firmware_shuts_down_for_its_own_reasons(
    simulation: wire.Simulation, host: wire.Host, reason: str, commands: List[Command]
) -> None:
    send(host, commands)
    simulation.run(0.2)
    assert host.shutdown_reason() == reason
    assert len(host.all("shutdown")) == 1
    assert simulation.counters("main")["shutdown"] == reason.replace(" ", "_")


def test_overflow_needs_more_moves_than_there_are_slots(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    # 50 slots, and the first move is being stepped
    send(host, [("reset_step_clock", STEPPER, 0)])
    for _ in range(51):
        host.send("queue_step", STEPPER, TICKS_PER_MS, 1000, 0)
    simulation.run(0.05)
    assert host.shutdown_reason() is None
    host.send("queue_step", STEPPER, TICKS_PER_MS, 1000, 0)
    simulation.run(0.05)
    assert host.shutdown_reason() == "Move queue overflow"


def test_late_stepper_shuts_down_when_the_late_step_is_due(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send("reset_step_clock", STEPPER, clock)
    host.send("queue_step", STEPPER, TICKS_PER_MS, 10, 0)
    host.send("queue_step", STEPPER, -2 * TICKS_PER_MS, 1, 0)
    simulation.run(0.2)
    # It is looked at when the pulse of the step before it ends, after 200 ticks
    assert host.all("shutdown")[0].values["clock"] == clock + 10 * TICKS_PER_MS + 200


@pytest.mark.parametrize(
    "commands",
    [
        [("queue_step", STEPPER, -50 * TICKS_PER_MS, 1, 0)],
        [("queue_digital_out", OUT, -50 * TICKS_PER_MS, 1)],
        [("trsync_start", TRSYNC, -50 * TICKS_PER_MS, 1000, 4)],
    ],
)
def test_time_before_the_start_of_the_clock_is_past(
    simulation: wire.Simulation, host: wire.Host, commands: List[Command]
) -> None:
    # Less than 2^31 ticks ago, though the clock has counted only a few
    for name, *values in commands:
        host.send(str(name), *(int(value) for value in values))
    simulation.run(0.1)
    assert host.shutdown_reason() == "Timer too close"


@pytest.mark.parametrize("payload", [b"\x5f", b"\x0c\x00", b"\x81\x7f"])
def test_nonsense_in_a_sound_block_shuts_down(
    simulation: wire.Simulation, host: wire.Host, payload: bytes
) -> None:
    host.send_payload(payload)
    simulation.run(0.1)
    assert host.shutdown_reason() in ("Invalid command", "Command parser error")


def shut_down_within_a_block(host: wire.Host) -> List[wire.Message]:
    """Send a block whose first command of two shuts down; return what comes then."""
    before = len(host.received)
    host.send_payload(host.encode("emergency_stop") + host.encode("get_clock"))
    host.simulation.run(0.12)
    return host.received[before:]


def test_shutdown_drops_the_rest_of_its_block(simulation: wire.Simulation, host: wire.Host) -> None:
    # Over USB the block is lost, and the host has to send it once more
    messages = shut_down_within_a_block(host)
    assert [message.name for message in messages] == ["shutdown"]
    host.sequence -= 1
    host.send("get_clock")
    simulation.run(0.01)
    assert [message.name for message in host.received[-2:]] == ["shutdown", "ack"]
    # The shutdown itself has shown that it was received
    assert {message.sequence for message in host.received[-2:]} == {host.sequence & 15}


@pytest.mark.parametrize("next_ms", [0, 20])
def test_uart_answers_an_abandoned_block_when_its_task_runs_again(
    tmp_path: Path, next_ms: int
) -> None:
    text = wire.describe(tmp_path, links={"main": "to_mcu_us=100 to_host_us=100 baud=250000"})
    with wire.Simulation(text, tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(CONFIG)
        before = len(host.received)
        host.send_payload(host.encode("emergency_stop") + host.encode("get_clock"))
        simulation.run(0.001 * next_ms or 0.001)
        assert [message.name for message in host.received[before:]] == ["shutdown"]
        if next_ms:
            host.send("get_clock")
        simulation.run(0.12)
        messages = host.received[before + 1 :]
        assert [one.name for one in messages] == ["ack", "clock", "ack"] if next_ms else ["ack"]
        # By itself it looks every 100 ms only
        ticks = 0 if next_ms else messages[0].time_ns % 100_000_000
        assert ticks < 2_000_000


def test_commands_are_refused_after_a_shutdown(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("emergency_stop")
    before = len(host.received)
    answer = host.ask("is_shutdown", "stepper_get_position", STEPPER)
    assert answer["static_string_id"] == host.strings["Command request"]
    names = [message.name for message in host.received[before:]]
    assert "stepper_position" not in names


def test_questions_are_answered_after_a_shutdown(host: wire.Host) -> None:
    host.send("emergency_stop")
    assert host.ask("config", "get_config")["is_shutdown"] == 1
    assert host.ask("uptime", "get_uptime")["high"] == 0
    assert host.ask("identify_response", "identify", 0, 10)["data"]
    assert host.clock()


def test_first_reason_stays(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("queue_step", STEPPER, 1, 0, 0)
    host.send("emergency_stop")
    simulation.run(0.01)
    numbers = [message.values["static_string_id"] for message in host.all("shutdown")]
    assert numbers == [host.strings["Invalid count parameter"]] * 2


def test_shutdown_stops_steppers_where_they_are(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    clock = host.clock() + LEAD_TICKS
    host.send("reset_step_clock", STEPPER, clock)
    host.send("queue_step", STEPPER, TICKS_PER_MS, 1000, 0)
    simulation.run_until((clock + 100 * TICKS_PER_MS) * 10)
    host.send("emergency_stop")
    simulation.run(1.0)
    host.send("clear_shutdown")
    assert host.position(STEPPER) == -100


def test_cleared_shutdown_keeps_the_configuration(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    host.send("emergency_stop")
    host.send("clear_shutdown")
    config = host.ask("config", "get_config")
    assert config == {"is_config": 1, "crc": 4711, "is_shutdown": 0, "move_count": 50}
    # All slots are free, and steppers want their clock to be reset
    clock = host.clock() + LEAD_TICKS
    host.send("queue_step", STEPPER, clock, 1, 0)
    host.send("reset_step_clock", STEPPER, clock)
    for _ in range(50):
        host.send("queue_step", STEPPER, TICKS_PER_MS, 1, 0)
    simulation.run(0.2)
    assert host.position(STEPPER) == -50


def test_config_reset_forgets_the_configuration_only(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    before = host.clock()
    host.send("emergency_stop")
    host.send("config_reset")
    config = host.ask("config", "get_config")
    assert config == {"is_config": 0, "crc": 0, "is_shutdown": 0, "move_count": 0}
    assert host.clock() > before
    count = len(host.all("shutdown"))
    host.send("allocate_oids", 20)
    host.send("config_trsync", 0)
    host.send("finalize_config", 5)
    assert host.ask("config", "get_config")["crc"] == 5
    assert len(host.all("shutdown")) == count


def test_reset_starts_over_as_after_power_on(simulation: wire.Simulation, host: wire.Host) -> None:
    host.send("emergency_stop")
    simulation.run(3.0)
    host.send("reset")
    host.send("get_clock")
    before = len(host.received)
    simulation.run(0.3)
    assert [message.name for message in host.received[before:]] == ["starting"]
    assert host.received[-1].sequence == 0
    host.sequence = 0
    config = host.ask("config", "get_config")
    assert config == {"is_config": 0, "crc": 0, "is_shutdown": 0, "move_count": 0}
    assert host.clock() < wire.FREQUENCY_HZ // 2
    host.received.clear()
    host.configure(CONFIG)
    assert host.position(STEPPER) == 0


def test_true_position_survives_a_reset(tmp_path: Path) -> None:
    line = "stepper stepper_z mcu=main step_pin=1 dir_pin=2 step_dist=0.01"
    with wire.Simulation(wire.describe(tmp_path, [line]), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure(CONFIG)
        host.send("reset_step_clock", STEPPER, host.clock() + LEAD_TICKS)
        host.send("queue_step", STEPPER, TICKS_PER_MS, 30, 0)
        simulation.run(0.2)
        host.send("reset")
        simulation.run(0.3)
        assert simulation.pulses()["stepper_z"] == -30


def test_shutdown_can_be_requested_for_a_time(simulation: wire.Simulation, host: wire.Host) -> None:
    request = "mcu main shutdown reason=ADC_out_of_range at_s=0.5"
    assert simulation.control(request) == "ok"
    simulation.run(1.0)
    assert host.shutdown_reason() == "ADC out of range"
    assert host.all("shutdown")[0].values["clock"] == wire.FREQUENCY_HZ // 2
