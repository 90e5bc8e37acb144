# Faults of an MCU: steps that it leaves out, responses that are malformed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Iterator, List

import pytest

from helpers import wire

STEPPER = (
    "carriage z axis=z start=5 x=0 y=0\n"
    "stepper stepper_z mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=z:1"
)
OID = 0
TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
ACK = b""


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with wire.Simulation(wire.describe(tmp_path, [STEPPER]), tmp_path) as simulation:
        simulation.hosts["main"].configure([("config_stepper", OID, 1, 2, 0, 200)])
        yield simulation


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    return simulation.hosts["main"]


def step(host: wire.Host, direction: int, count: int) -> None:
    """Take steps, one each millisecond."""
    host.send("reset_step_clock", OID, host.clock() + 40 * TICKS_PER_MS)
    host.send("set_next_step_dir", OID, direction)
    host.send("queue_step", OID, TICKS_PER_MS, count, 0)
    host.simulation.run(0.1 + count * 0.001)


@pytest.mark.parametrize("direction", ["up", "down"])
def test_lost_steps_are_neither_taken_nor_counted_once(
    simulation: wire.Simulation, host: wire.Host, direction: str
) -> None:
    simulation.ask("stepper stepper_z lose=7 direction=%s" % (direction,))
    step(host, 1, 40)
    up = 33 if direction == "up" else 40
    assert (host.position(OID), simulation.pulses()["stepper_z"]) == (up, up)
    step(host, 0, 50)
    down = 50 if direction == "up" else 43
    assert (host.position(OID), simulation.pulses()["stepper_z"]) == (up - down, up - down)
    assert simulation.ask("pulses stepper_z") == [str(up), str(down)]
    # None is left to lose
    step(host, 1, 10)
    step(host, 0, 10)
    assert host.position(OID) == up - down


def payloads(host: wire.Host, command: str, *values: int) -> List[bytes]:
    """Ask, and return what arrives as it is, acknowledgements apart."""
    before = len(host.raw)
    host.send(command, *values)
    try:
        host.simulation.run(0.02)
    except (AssertionError, IndexError, KeyError):
        # Malformed: the small host of these tests does not care either
        host.simulation.run(0.02)
    blocks = wire.split_blocks(bytearray(host.raw[before:]))
    return [block[2:-3] for block in blocks if block[2:-3] != ACK]


@pytest.mark.parametrize("malformed", ["cut", "long", "unknown", "value"])
def test_malformed_response_has_a_right_checksum_and_comes_once(
    simulation: wire.Simulation, host: wire.Host, malformed: str
) -> None:
    [sound] = payloads(host, "stepper_get_position", OID)
    assert sound == host_response(host, "stepper_position", OID, 0)
    simulation.ask("reply main stepper_position malformed=%s" % (malformed,))
    # Another response is none of its business
    assert host.clock() > 0
    [found] = payloads(host, "stepper_get_position", OID)
    if malformed == "cut":
        assert found == sound[:-1]
    elif malformed == "long":
        assert found.startswith(sound) and len(found) > len(sound)
    elif malformed == "unknown":
        number, position = wire.decode_integer(found, 0)
        assert number not in host.responses
        assert found[position:] == sound[wire.decode_integer(sound, 0)[1] :]
    else:
        assert found.startswith(sound[:-1]) and found != sound
    assert payloads(host, "stepper_get_position", OID) == [sound]


def test_response_can_be_missing_or_doubled_any_number_of_times(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    [sound] = payloads(host, "stepper_get_position", OID)
    for malformed, found in (("missing", []), ("doubled", [sound, sound])):
        simulation.ask("reply main stepper_position malformed=%s times=2" % (malformed,))
        for _ in range(2):
            assert payloads(host, "stepper_get_position", OID) == found
        assert payloads(host, "stepper_get_position", OID) == [sound]


def test_late_response_comes_in_time_of_its_own_and_all_keep_their_order(
    simulation: wire.Simulation, host: wire.Host
) -> None:
    simulation.ask("reply main clock malformed=late late_us=300000 times=2")
    host.send("get_clock")
    simulation.run(0.1)
    host.send("get_clock")
    # What comes meanwhile acknowledges later commands
    assert payloads(host, "stepper_get_position", OID) != []
    simulation.run(0.15)
    assert host.all("clock") == []
    simulation.run(0.3)
    first, second = (message.values["clock"] for message in host.all("clock"))
    assert 0.1 < (second - first) / wire.FREQUENCY_HZ < 0.15
    before_clock = host.clock()
    assert before_clock > second


@pytest.mark.parametrize("field", [0, 1])
def test_any_value_of_a_response_can_be_nonsense(
    simulation: wire.Simulation, host: wire.Host, field: int
) -> None:
    sound = host_response(host, "stepper_position", OID, 0)
    simulation.ask("reply main stepper_position malformed=value field=%d" % (field,))
    [found] = payloads(host, "stepper_get_position", OID)
    values = []
    _, position = wire.decode_integer(found, 0)
    assert found[:position] == sound[:position]
    while position < len(found):
        value, position = wire.decode_integer(found, position)
        values.append(value)
    assert [value in (OID, 0) for value in values] == [field != 0, field != 1]


def host_response(host: wire.Host, name: str, *values: int) -> bytes:
    """A response as it should be."""
    number = next(n for n, text in host.responses.items() if text.split()[0] == name)
    return b"".join(wire.encode_integer(value) for value in (number, *values))


@pytest.mark.parametrize(
    ("request_line", "message"),
    [
        ("stepper stepper_q lose=1 direction=up", "unknown stepper 'stepper_q'"),
        ("stepper stepper_z lose=-1 direction=up", "lose"),
        ("stepper stepper_z lose=1 direction=left", "direction"),
        ("reply other stepper_position malformed=cut", "unknown mcu 'other'"),
        ("reply main nonsense malformed=cut", "unknown response 'nonsense'"),
        ("reply main clock malformed=odd", "malformed"),
        ("reply main clock malformed=value times=0", "times"),
        ("reply main clock malformed=value field=-1", "field"),
        ("reply main clock malformed=late late_us=-1", "late_us"),
        ("sensor main state=silent", "mcu 'main' reads no sensor"),
        ("sensor other state=silent", "unknown mcu 'other'"),
        ("sensor main state=odd", "state"),
        ("sensor main", "state"),
        ("heater cold power=0", "unknown heater 'cold'"),
        ("heater cold power=1.5", "power"),
        ("endstop main 7 noise_um=5", "no endstop on pin 7"),
    ],
)
def test_request_that_makes_no_sense_is_refused(
    simulation: wire.Simulation, request_line: str, message: str
) -> None:
    reply = simulation.control(request_line)
    assert reply.startswith("error ")
    assert message in reply
