# Pins that are looked at: switches, buttons, counters of pulses, fans that give them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Iterator, List, Sequence, Tuple, Union

import pytest

from helpers import wire

TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
REST_TICKS = 2 * TICKS_PER_MS
LEAD_TICKS = 40 * TICKS_PER_MS
BUTTONS, COUNTER, FAN = 0, 1, 2
PINS = (30, 31)
TACHOMETER_PIN, FAN_PIN = 32, 33
POLL_TICKS, SAMPLE_TICKS = TICKS_PER_MS, 1000 * TICKS_PER_MS
# 6000 rpm with two pulses in each turn
FAN_LINE = (
    f"fan mcu=main pin={FAN_PIN} invert=0 tachometer_mcu=main tachometer_pin={TACHOMETER_PIN}"
    " edges_per_s=400 spin_up_s=0.5"
)
Start = Callable[..., wire.Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start_host(
            lines: Sequence[str] = (), more: Sequence[Tuple[Union[str, int], ...]] = ()
        ) -> wire.Host:
            description = wire.describe(tmp_path, lines)
            simulation = stack.enter_context(wire.Simulation(description, tmp_path))
            host = simulation.hosts["main"]
            host.configure(
                [
                    ("config_buttons", BUTTONS, 2),
                    ("buttons_add", BUTTONS, 0, PINS[0], 1),
                    ("buttons_add", BUTTONS, 1, PINS[1], 0),
                    ("config_counter", COUNTER, TACHOMETER_PIN, 1),
                    ("config_pwm_out", FAN, FAN_PIN, TICKS_PER_MS, 0, 0, 0),
                    *more,
                ]
            )
            return host

        yield start_host


def query_buttons(host: wire.Host, retransmit_count: int = 5, invert: int = 1) -> int:
    clock = host.clock() + LEAD_TICKS
    host.send("buttons_query", BUTTONS, clock, REST_TICKS, retransmit_count, invert)
    return clock


def reports(host: wire.Host) -> List[List[int]]:
    return [list(message.values["state"]) for message in host.all("buttons_state")]


# Buttons


def test_button_is_reported_once_two_looks_agree(start: Start) -> None:
    host = start()
    clock = query_buttons(host)
    host.simulation.run(0.5)
    assert reports(host) == []
    host.simulation.ask(f"switch main {PINS[0]} level=0")
    pressed_ns = host.simulation.now_ns
    host.simulation.run(0.008)
    assert reports(host) == [[0]]
    assert host.all("buttons_state")[0].values["ack_count"] == 0
    # The link takes 100 us
    look_ns = host.all("buttons_state")[0].time_ns - 100_000
    first_look = -(-(pressed_ns // 10 - clock) // REST_TICKS)
    assert abs(look_ns // 10 - (clock + (first_look + 1) * REST_TICKS)) < 100


def test_report_is_repeated_until_it_is_acknowledged(start: Start) -> None:
    host = start()
    query_buttons(host)
    host.simulation.run(0.05)
    host.simulation.ask(f"switch main {PINS[1]} level=1")
    host.simulation.run(0.03)
    first, second = reports(host)[:2]
    assert first == second == [3]
    times = [message.time_ns for message in host.all("buttons_state")]
    # Five looks pass in between, and the sixth repeats it
    assert abs(times[1] - times[0] - 6 * REST_TICKS * 10) < 1000
    host.send("buttons_ack", BUTTONS, 1)
    host.simulation.run(0.02)
    count = len(reports(host))
    host.simulation.run(1.0)
    assert len(reports(host)) == count


def test_reports_that_were_missed_come_together(start: Start) -> None:
    host = start()
    query_buttons(host)
    host.simulation.run(0.05)
    for level in (0, 1):
        host.simulation.ask(f"switch main {PINS[0]} level={level}")
        host.simulation.run(0.008)
    assert reports(host)[-1] == [0, 1]
    host.send("buttons_ack", BUTTONS, 1)
    host.simulation.run(0.02)
    assert host.all("buttons_state")[-1].values == {
        "oid": BUTTONS,
        "ack_count": 1,
        "state": b"\x01",
    }


def test_short_press_is_no_report(start: Start) -> None:
    host = start()
    query_buttons(host)
    host.simulation.run(0.05)
    host.simulation.ask(f"switch main {PINS[0]} level=0")
    host.simulation.run(0.0015)
    host.simulation.ask(f"switch main {PINS[0]} level=none")
    host.simulation.run(0.1)
    assert reports(host) == []


def test_buttons_at_rest_cost_no_events(start: Start) -> None:
    host = start()
    query_buttons(host)
    host.simulation.run(0.05)
    library, pointer = host.simulation.library, host.simulation.pointer
    # Statistics come every 5 s
    assert library.simulation_next_event(pointer) > host.simulation.now_ns + wire.SECOND_NS


def test_switch_of_the_description_is_there_at_the_start(start: Start) -> None:
    host = start([f"switch mcu=main pin={PINS[0]} level=0"])
    query_buttons(host)
    host.simulation.run(0.1)
    assert reports(host)[0] == [0]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("config_buttons", 5, 9), "Max of 8 buttons"),
        (("buttons_add", BUTTONS, 2, 1, 0), "Set button past maximum button count"),
        (("buttons_query", BUTTONS, 0, 1, 128, 0), "Invalid buttons retransmit count"),
    ],
)
def test_nonsense_shuts_down(start: Start, command: Sequence[int], reason: str) -> None:
    host = start()
    host.send(str(command[0]), *command[1:])
    host.simulation.run(0.02)
    assert host.shutdown_reason() == reason


# Counters


def count_fan(host: wire.Host) -> int:
    clock = host.clock() + LEAD_TICKS
    host.send("query_counter", COUNTER, clock, POLL_TICKS, SAMPLE_TICKS)
    return clock


def counts(host: wire.Host) -> List[int]:
    return [message.values["count"] for message in host.all("counter_state")]


def test_fan_turns_by_its_duty_once_it_has_spun_up(start: Start) -> None:
    host = start([FAN_LINE])
    count_fan(host)
    host.simulation.run(2.0)
    assert counts(host) == [0, 0]
    host.send("queue_pwm_out", FAN, host.clock() + LEAD_TICKS, 255)
    host.simulation.run(5.0)
    host.send("queue_pwm_out", FAN, host.clock() + LEAD_TICKS, 102)
    host.simulation.run(6.0)
    steps = [after - before for before, after in zip(counts(host), counts(host)[1:])]
    # While it spins up it makes 400 edges/s * 0.5 s less
    assert abs(steps[2] + steps[3] - (2 * 400 - 200)) < 40
    assert max(steps) in (400, 401)
    assert steps[-1] in (160, 161)


def test_reports_come_a_sample_apart_with_the_clock_of_the_last_edge(start: Start) -> None:
    host = start([FAN_LINE])
    clock = count_fan(host)
    host.send("queue_pwm_out", FAN, host.clock() + LEAD_TICKS, 255)
    host.simulation.run(4.0)
    messages = host.all("counter_state")
    # The second look reports, then the first that comes more than a sample later
    nexts = [message.values["next_clock"] for message in messages]
    period = (SAMPLE_TICKS // POLL_TICKS + 1) * POLL_TICKS
    assert nexts == [clock + 2 * POLL_TICKS + i * period for i in range(len(messages))]
    last = messages[-1].values
    assert 0 < last["next_clock"] - last["count_clock"] <= 4 * POLL_TICKS
    assert (last["count_clock"] - clock) % POLL_TICKS == 0


def test_edges_faster_than_the_looks_are_missed(start: Start) -> None:
    host = start([FAN_LINE.replace("=400 ", "=2100 ")])
    count_fan(host)
    host.send("queue_pwm_out", FAN, host.clock() + LEAD_TICKS, 255)
    host.simulation.run(8.0)
    steps = [after - before for before, after in zip(counts(host), counts(host)[1:])]
    # Looks at 1000 Hz see what is left of 1050 Hz: 50 Hz, two edges each
    assert abs(steps[-1] - 100) <= 1


def test_switch_is_counted_by_its_edges(start: Start) -> None:
    host = start()
    count_fan(host)
    host.simulation.run(1.1)
    before = counts(host)[-1]
    for level in (0, 1, 0):
        host.simulation.ask(f"switch main {TACHOMETER_PIN} level={level}")
        host.simulation.run(0.01)
    host.simulation.run(1.0)
    assert counts(host)[-1] - before == 3


def test_signal_that_announces_no_change_is_counted_too(start: Start) -> None:
    lines = [
        "carriage x axis=x start=0.5",
        "stepper e mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=x:1",
        f"filament_sensor mcu=main pin={TACHOMETER_PIN} stepper=e edge_mm=0.5",
    ]
    host = start(lines, [("config_stepper", 5, 1, 2, 0, 0)])
    clock = count_fan(host)
    host.send("set_next_step_dir", 5, 1)
    host.send("reset_step_clock", 5, clock + 10 * TICKS_PER_MS)
    host.send("queue_step", 5, TICKS_PER_MS, 700, 0)
    host.simulation.run(2.5)
    # From 0.5 mm, where it is high, to 7.5 mm
    assert counts(host) == [1, 15, 15]


# Filament


def test_wheel_turns_with_the_filament(start: Start) -> None:
    lines = [
        "carriage x axis=x start=0.5",
        "stepper e mcu=main step_pin=1 dir_pin=2 step_dist=0.01 moves=x:1",
        f"filament_sensor mcu=main pin={PINS[0]} stepper=e edge_mm=2",
    ]
    host = start(lines, [("config_stepper", 5, 1, 2, 0, 0)])
    query_buttons(host, invert=0)
    clock = host.clock() + LEAD_TICKS
    host.send("set_next_step_dir", 5, 1)
    host.send("reset_step_clock", 5, clock)
    # 7 mm in 0.7 s: past 2, 4 and 6 mm
    host.send("queue_step", 5, TICKS_PER_MS, 700, 0)
    for _ in range(9):
        host.simulation.run(0.1)
        host.send("buttons_ack", BUTTONS, 1)
    host.simulation.run(0.1)
    positions = host.simulation.positions()
    assert positions["e"] == 7.5
    states = [message.values["state"][-1] for message in host.all("buttons_state")]
    changes = [after for before, after in zip([0, *states], states) if after != before]
    assert changes == [1, 0, 1]
    # Without filament the wheel stands still
    host.simulation.ask(f"switch main {PINS[0]} level=1")
    count = len(reports(host))
    host.send("queue_step", 5, TICKS_PER_MS, 700, 0)
    host.simulation.run(1.0)
    assert len(reports(host)) == count
