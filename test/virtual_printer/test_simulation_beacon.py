# A Beacon's firmware and coil, spoken to as its plugin does
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
import struct
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Tuple

import pytest

from helpers import wire
from virtual_printer.firmware import chips, dictionary

TRSYNC, STEPPER = range(2)
REASON = 1
STEP_MM = 0.0025
COIL_HZ, COIL_HEIGHT_MM = 4_900_000.0, 2.0
START_MM = 5.0
PERIOD_TICKS = wire.FREQUENCY_HZ // 1000
CHIP = replace(chips.BEACON, frequency_hz=wire.FREQUENCY_HZ)
OLD_CHIP = replace(chips.OLD_BEACON, frequency_hz=wire.FREQUENCY_HZ)
NVM, CHIP_DATA = bytes(range(20)), struct.pack("<II", 25 | 85 << 12, 2731 << 8 | 3309 << 20)
MOTION = (
    "carriage x axis=x start=100",
    "carriage y axis=y start=100",
    f"carriage z axis=z start={START_MM} x=0 y=0",
    "stepper x mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1",
    "stepper y mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=y:1",
    f"stepper z mcu=main step_pin=5 dir_pin=6 step_dist={STEP_MM} moves=z:1",
    "bed tilt_y=0.01 center_x=100 center_y=100",
)
CONFIG = [("config_trsync", TRSYNC), ("config_stepper", STEPPER, 5, 6, 0, 0)]

Open = Callable[..., wire.Host]


@pytest.fixture
def open_host(tmp_path: Path) -> Iterator[Open]:
    """open_host(keys, coil_c, chip) describes a Beacon and configures its MCU."""
    opened: List[wire.Simulation] = []

    def open_one(
        keys: str = "offset_x=0 offset_y=0 noise_hz=0",
        coil_c: float = 25.0,
        chip: chips.Chip = CHIP,
    ) -> wire.Host:
        lines = [
            *MOTION,
            f"body coil capacity=1 loss=0 ambient={coil_c} start={coil_c}",
            f"beacon main body=coil height={COIL_HEIGHT_MM} coil_hz={COIL_HZ} nvm={NVM.hex()}"
            f" chip_data={CHIP_DATA.hex()} {keys}",
        ]
        firmware = dictionary.build(chip)
        described = wire.describe(tmp_path, lines, firmware=firmware)
        simulation = wire.Simulation(described, tmp_path, firmware)
        opened.append(simulation)
        host = simulation.hosts["main"]
        host.configure(CONFIG)  # type: ignore[arg-type]
        return host

    yield open_one
    for simulation in opened:
        simulation.close()


def samples(host: wire.Host) -> List[Tuple[int, int]]:
    """Return the clock and value of all samples, as a host takes them apart."""
    found = []
    for message in host.all("beacon_data"):
        data, count = message.values["data"], message.values["samples"]
        value, position = 0, 0
        for i in range(count):
            if data[position] & 0x80:
                value = int.from_bytes(data[position : position + 4], "big") & 0x7FFFFFFF
                position += 4
            else:
                step = int.from_bytes(data[position : position + 2], "big")
                value += step - (step & 0x4000) * 2
                position += 2
            clock = message.values["start_clock"]
            if count > 1:
                clock += round(i * message.values["delta_clock"] / (count - 1))
            found.append((clock, value))
        assert position == len(data)
    return found


def expected(height_mm: float, warmth_k: float = 0.0) -> float:
    """Return the value for the coil's place at a height over the bed."""
    share = 0.16 / (1.0 + (height_mm + COIL_HEIGHT_MM) / 3.0) ** 2
    drift = -7.0e-6 - 6.36e-4 * share + 1.949e-3 * share**2
    hz = COIL_HZ * (1.0 + share) * (1.0 + drift * warmth_k)
    return hz / wire.FREQUENCY_HZ * 2**28


def move_z(host: wire.Host, distance_mm: float, speed_mm_s: float = 5.0) -> None:
    steps = round(distance_mm / STEP_MM)
    host.send("reset_step_clock", STEPPER, host.clock() + wire.FREQUENCY_HZ // 20)
    host.send("set_next_step_dir", STEPPER, int(steps > 0))
    interval = round(STEP_MM / speed_mm_s * wire.FREQUENCY_HZ)
    for _ in range(abs(steps) // 1000):
        host.send("queue_step", STEPPER, interval, 1000, 0)
    if abs(steps) % 1000:
        host.send("queue_step", STEPPER, interval, abs(steps) % 1000, 0)


# Measuring


def test_frequency_rises_towards_the_bed(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_stream", 1)
    host.simulation.run(1.0)
    found = samples(host)
    assert len(found) == pytest.approx(1000, abs=25)
    assert {later[0] - one[0] for one, later in zip(found, found[1:])} == {PERIOD_TICKS}
    assert {value for _, value in found} == {round(expected(START_MM))}
    move_z(host, -4.5)
    host.simulation.run(1.5)
    assert samples(host)[-1][1] == round(expected(0.5))
    values = [value for _, value in samples(host)]
    assert values == sorted(values)


def test_steps_too_large_for_two_bytes_are_sent_whole(open_host: Open) -> None:
    host = open_host()
    move_z(host, -4.0)
    host.simulation.run(1.5)
    host.send("beacon_stream", 1)
    move_z(host, -1.0, speed_mm_s=200.0)
    host.simulation.run(0.5)
    values = [value for _, value in samples(host)]
    assert values[0] == round(expected(1.0)) and values[-1] == round(expected(0.0))
    assert max(later - one for one, later in zip(values, values[1:])) > 1 << 14


def test_coil_is_beside_the_nozzle(open_host: Open) -> None:
    host = open_host("offset_x=0 offset_y=50 noise_hz=0")
    host.send("beacon_stream", 1)
    host.simulation.run(0.2)
    # The bed is 0.5 mm higher there
    assert samples(host)[-1][1] == round(expected(START_MM - 0.5))
    # From 2 mm over the nozzle
    reply = host.simulation.ask("beacon main")
    assert float(reply[0]) == pytest.approx(START_MM - 0.5 + COIL_HEIGHT_MM, abs=1e-6)


@pytest.mark.parametrize("coil_c", [-5.0, 25.0, 65.0])
def test_warmth_changes_the_frequency_and_is_reported(open_host: Open, coil_c: float) -> None:
    host = open_host(coil_c=coil_c)
    host.send("beacon_stream", 1)
    host.send("beacon_nvm_read", 8, 65534)
    host.simulation.run(1.01)
    assert samples(host)[-1][1] == round(expected(START_MM, coil_c - 25.0))
    states = [message.values for message in host.all("beacon_status")]
    assert len(states) == pytest.approx(5, abs=1)
    # As its thermistor has it, and the MCU's calibration
    ratio = states[-1]["coil_temp"] / 16.0 / 4095.0
    kelvin = 1.0 / (math.log(ratio / (1.0 - ratio) * 10.0 / 47.0) / 4101.0 + 1.0 / 298.15)
    assert kelvin - 273.15 == pytest.approx(coil_c, abs=0.05)
    assert 25.0 + 60.0 * (states[-1]["mcu_temp"] / 16.0 - 2731) / (3309 - 2731) == pytest.approx(
        coil_c, abs=0.1
    )
    assert 4.0 * states[-1]["supply_voltage"] / 16.0 / 4095.0 == pytest.approx(3.3, abs=0.01)


def test_memory_has_what_its_maker_has_measured(open_host: Open) -> None:
    host = open_host()
    for size, offset, there in (
        (20, 0, NVM),
        (6, 0, NVM[:6]),
        (8, 65534, CHIP_DATA),
        (4, 100, b""),
    ):
        answer = host.ask("beacon_nvm_data", "beacon_nvm_read", size, offset)
        assert (answer["bytes"], answer["offset"]) == (there, offset)


def test_nothing_is_sent_once_streaming_is_over(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_stream", 1)
    host.simulation.run(0.2)
    host.send("beacon_stream", 0)
    host.simulation.run(0.02)
    before = len(host.received)
    assert before > 5
    host.simulation.run(0.5)
    assert len(host.received) == before


def test_a_shutdown_ends_streaming(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_stream", 1)
    host.send("beacon_accel_stream", 1, 0)
    host.simulation.run(0.1)
    host.send("emergency_stop")
    host.simulation.run(0.02)
    before = len(host.received)
    host.simulation.run(0.5)
    assert len(host.received) == before


def test_firmware_before_contact_sends_each_sample_with_its_temperature(open_host: Open) -> None:
    host = open_host(chip=OLD_CHIP)
    host.send("beacon_stream", 1)
    host.simulation.run(0.1)
    messages = host.all("beacon_data")
    assert len(messages) == pytest.approx(100, abs=2)
    values = messages[-1].values
    assert values["data"] == round(expected(START_MM))
    assert values["temp"] / 16.0 / 4095.0 == pytest.approx(47.0 / 57.0, abs=1e-4)
    assert not any("contact" in name for name in host.commands)


def test_other_mcus_refuse_its_commands(tmp_path: Path) -> None:
    firmware = dictionary.build(CHIP)
    described = wire.describe(tmp_path, firmware=firmware)
    with wire.Simulation(described, tmp_path, firmware) as simulation:
        host = simulation.hosts["main"]
        host.configure([])
        host.send("beacon_stream", 1)
        simulation.run(0.1)
        assert host.shutdown_reason() == "Invalid command"
        assert simulation.control("beacon main").startswith("error mcu 'main' is no beacon")


# Faults


def test_coil_that_is_broken_says_so(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_stream", 1)
    host.simulation.ask("beacon main state=broken")
    host.simulation.run(0.1)
    assert samples(host)[-1][1] == 0x0FFFFFFF
    host.simulation.ask("beacon main state=works")
    host.simulation.run(0.1)
    assert samples(host)[-1][1] == round(expected(START_MM))


def test_silent_beacon_neither_sends_samples_nor_triggers(open_host: Open) -> None:
    host = open_host()
    host.simulation.ask("sensor main state=silent")
    host.send("beacon_stream", 1)
    host.send("beacon_set_threshold", round(expected(1.0)), round(expected(1.2)))
    arm(host)
    host.send("beacon_home", TRSYNC, REASON, 0)
    move_z(host, -4.5)
    host.simulation.run(1.5)
    assert (samples(host), trigger_reason(host)) == ([], 0)
    host.simulation.ask("sensor main state=works")
    host.simulation.run(0.1)
    assert samples(host)[-1][1] == round(expected(0.5))
    assert trigger_reason(host) == REASON


def test_stuck_beacon_goes_on_with_its_last_value_and_one_that_is_near_triggers(
    open_host: Open,
) -> None:
    host = open_host()
    host.send("beacon_stream", 1)
    host.send("beacon_set_threshold", round(expected(1.0)), round(expected(1.2)))
    arm(host)
    host.send("beacon_home", TRSYNC, REASON, 0)
    host.simulation.ask("sensor main state=stuck")
    move_z(host, -2.0)
    host.simulation.run(0.8)
    assert {value for _, value in samples(host)} == {round(expected(START_MM))}
    assert trigger_reason(host) == 0
    host.simulation.ask("sensor main state=near")
    host.simulation.run(0.1)
    assert samples(host)[-1][1] == round(expected(0.0))
    assert trigger_reason(host) == REASON
    assert float(host.simulation.ask("beacon main")[0]) == pytest.approx(
        START_MM - 2.0 + COIL_HEIGHT_MM, abs=1e-6
    )


@pytest.mark.parametrize(
    "keys, problem",
    [
        ("nvm=00", "nvm is not 20 bytes in hex"),
        (f"nvm={'0g' * 20}", "nvm is not 20 bytes in hex"),
        (f"nvm={NVM.hex()} body=bed", "unknown body 'bed'"),
    ],
)
def test_description_is_checked(tmp_path: Path, keys: str, problem: str) -> None:
    line = (
        f"beacon main offset_x=0 offset_y=0 height=1 coil_hz=5e6 noise_hz=0"
        f" chip_data={CHIP_DATA.hex()} {keys}"
    )
    firmware = dictionary.build(CHIP)
    described = wire.describe(tmp_path, [*MOTION, line], firmware=firmware)
    with pytest.raises(wire.LoadError, match=problem):
        wire.Simulation(described, tmp_path, firmware)


# Homing


def arm(host: wire.Host) -> None:
    clock = host.clock() + wire.FREQUENCY_HZ // 20
    host.send("trsync_start", TRSYNC, clock, 0, 2)
    host.send("stepper_stop_on_trigger", STEPPER, TRSYNC)


def trigger_reason(host: wire.Host) -> int:
    states = host.all("trsync_state")
    return int(states[-1].values["trigger_reason"]) if states else 0


def height_mm(host: wire.Host) -> float:
    return host.simulation.positions()["z"]


def test_proximity_stops_where_the_frequency_is_reached(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_set_threshold", round(expected(1.0)), round(expected(1.2)))
    arm(host)
    host.send("beacon_home", TRSYNC, REASON, 0)
    move_z(host, -5.0)
    host.simulation.run(1.5)
    assert 1.0 - 5.0 * 2.0 / 1000.0 <= height_mm(host) <= 1.0
    assert trigger_reason(host) == REASON
    # Nothing was asked for
    assert samples(host) == []


def test_proximity_lasts_until_the_lower_threshold(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_set_threshold", round(expected(1.0)), round(expected(3.0)))
    host.send("beacon_stream", 1)
    move_z(host, -4.5)
    host.simulation.run(1.5)
    arm(host)
    host.send("beacon_home", TRSYNC, REASON, 1)
    move_z(host, 4.5)
    host.simulation.run(1.5)
    assert 3.0 <= height_mm(host) <= 3.0 + 5.0 * 2.0 / 1000.0
    assert trigger_reason(host) == REASON


def test_proximity_is_called_off(open_host: Open) -> None:
    host = open_host()
    host.send("beacon_set_threshold", round(expected(1.0)), round(expected(1.2)))
    arm(host)
    host.send("beacon_home", TRSYNC, REASON, 0)
    host.send("beacon_stop_home")
    move_z(host, -5.0)
    host.simulation.run(1.5)
    assert height_mm(host) == pytest.approx(0.0, abs=1e-6)


def contact_home(
    host: wire.Host, speed_mm_s: float, distance_mm: float = -6.0, latency_min: int = 0
) -> Dict[str, int]:
    """Move down until contact; return what was reported, and the clocks of first and last step."""
    host.send("beacon_contact_set_latency_min", latency_min)
    host.send("beacon_contact_set_sensitivity", 0)
    arm(host)
    host.send("beacon_contact_home", TRSYNC, REASON, 0)
    before = host.clock()
    move_z(host, distance_mm, speed_mm_s)
    host.simulation.run(0.2 - distance_mm / speed_mm_s)
    messages = host.all("beacon_contact")
    found = dict(messages[-1].values) if messages else {}
    found["before"] = before
    return found


@pytest.mark.parametrize("speed_mm_s", [1.0, 3.0, 10.0])
def test_contact_is_found_when_the_nozzle_meets_the_bed(open_host: Open, speed_mm_s: float) -> None:
    host = open_host("offset_x=0 offset_y=20 noise_hz=30")
    found = contact_home(host, speed_mm_s)
    assert trigger_reason(host) == REASON and found["error"] == 0
    state = host.ask("beacon_contact_state", "beacon_contact_query")
    assert state == {"triggered": 1, "detect_clock": found["detect_clock"]}
    # Where it came to stand, and so how far it was when
    after_mm = (found["trigger_clock"] - found["detect_clock"]) / wire.FREQUENCY_HZ * speed_mm_s
    assert height_mm(host) + after_mm == pytest.approx(0.0, abs=0.005)
    assert height_mm(host) > -0.02 * speed_mm_s
    assert found["latency"] == pytest.approx(after_mm / speed_mm_s * 1000.0, abs=1.0)
    armed_mm = (found["trigger_clock"] - found["armed_clock"]) / wire.FREQUENCY_HZ * speed_mm_s
    assert armed_mm > 2.0


def test_contact_that_is_to_be_surer_comes_later(open_host: Open) -> None:
    latencies = [contact_home(open_host(), 3.0, latency_min=n)["latency"] for n in (0, 4)]
    assert latencies[1] == latencies[0] + 4


def test_a_halt_on_the_way_passes_for_a_contact(open_host: Open) -> None:
    host = open_host()
    found = contact_home(host, 3.0, distance_mm=-3.0)
    assert height_mm(host) == pytest.approx(2.0, abs=1e-6)
    assert trigger_reason(host) == REASON and found["error"] == 0


def test_nothing_is_found_while_it_stands(open_host: Open) -> None:
    host = open_host("offset_x=0 offset_y=0 noise_hz=30")
    arm(host)
    host.send("beacon_contact_home", TRSYNC, REASON, 0)
    host.simulation.run(10.0)
    assert host.all("beacon_contact") == [] and trigger_reason(host) == 0
    state = host.ask("beacon_contact_state", "beacon_contact_query")
    assert state["triggered"] == 0


def test_a_steady_descent_is_no_contact(open_host: Open) -> None:
    host = open_host("offset_x=0 offset_y=0 noise_hz=30")
    for _ in range(10):
        arm(host)
        host.send("beacon_contact_home", TRSYNC, REASON, 0)
        move_z(host, -4.9, 3.0)
        host.simulation.run(1.6)
        assert host.all("beacon_contact") == []
        host.send("beacon_contact_stop_home")
        host.simulation.run(0.3)
        move_z(host, 4.9, 20.0)
        host.simulation.run(0.5)


# Acceleration sensor


@pytest.mark.parametrize("scale, unit_mg", enumerate((7.81, 3.91, 1.95, 0.98)))
def test_what_rests_feels_that_it_is_held_up(open_host: Open, scale: int, unit_mg: float) -> None:
    host = open_host()
    assert host.ask("beacon_accel_state", "beacon_accel_stream", 1, scale)["en"] == 1
    host.simulation.run(0.5)
    reports = [message.values["data"] for message in host.all("beacon_accel_data")]
    found = [xyz for data in reports for xyz in struct.iter_unpack("<hhh", data)]
    assert len(found) == pytest.approx(0.52 / 300.25e-6, rel=0.02)
    means_mg = [sum(values) / len(values) * unit_mg for values in zip(*found)]
    assert means_mg == pytest.approx([0.0, 0.0, 1000.0], abs=2.0)
