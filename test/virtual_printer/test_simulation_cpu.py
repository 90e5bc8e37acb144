# The CPU of a virtual MCU: how fast it steps, and what waits when it is busy
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import List, NamedTuple, Sequence

import pytest

from helpers import wire
from virtual_printer import description
from virtual_printer.firmware import chips

TRSYNC, OUT = 3, 4
RESCHEDULED, TOO_FAR = "Rescheduled timer in the past", "Stepper too far in past"
LINK_S = 100e-6


class Board(NamedTuple):
    """A running simulation of one MCU, and the host on its link."""

    simulation: wire.Simulation
    host: wire.Host
    frequency_hz: int

    def configure(self, steppers: int, invert_step: int, pulse_ticks: int) -> None:
        """Have some steppers, a trsync and an output."""
        self.host.configure(
            [
                *(
                    ("config_stepper", oid, 2 * oid + 1, 2 * oid + 2, invert_step, pulse_ticks)
                    for oid in range(steppers)
                ),
                ("config_trsync", TRSYNC),
                ("config_digital_out", OUT, 9, 0, 0, 0),
            ]
        )

    def step(self, steppers: int, ticks: int, count: int, lead_s: float = 0.1) -> int:
        """Have steppers step all at once; return the clock that this counts from."""
        clock = self.host.clock() + round(lead_s * self.frequency_hz)
        for oid in range(steppers):
            self.host.send("reset_step_clock", oid, clock)
            for _ in range(0, count, 60_000):
                self.host.send("queue_step", oid, ticks, min(count, 60_000), 0)
        return clock

    def run_to(self, clock: int) -> None:
        """Let time pass to a clock."""
        self.simulation.run_until(round(clock * 1e9 / self.frequency_hz))

    def answer_delays_s(self, count: int) -> List[float]:
        """Return how long after each of some questions has arrived it is answered (s)."""
        delays = []
        for _ in range(count):
            arrival_s = self.simulation.now_ns * 1e-9 + LINK_S
            clock = self.host.ask("clock", "get_clock", wait_s=0.011)["clock"]
            delays.append(clock / self.frequency_hz - arrival_s)
        return delays


def board_keys(name: str, more: str = "") -> str:
    """Return the line of an MCU with a chip's frequency and speed, from its frequency on."""
    chip = chips.find(name)
    assert chip is not None
    keys = description.cpu_keys(chip.speed, chip.frequency_hz, chip.frequency_hz)
    return f"frequency={chip.frequency_hz} {keys} {more}"


def start(folder: Path, name: str, more: str = "") -> Board:
    """Start an MCU with a chip, whose steppers turn motors; the caller closes the simulation."""
    motors = [
        f"stepper m{oid} mcu=main step_pin={2 * oid + 1} dir_pin={2 * oid + 2} step_dist=1"
        for oid in range(3)
    ]
    scarce = {"alloc_chunk failed": 470, "alloc_chunks failed": 471}
    strings = [f"message * static_string {number} {text}" for text, number in scarce.items()]
    text = wire.describe(folder, [*strings, *motors])
    text = text.replace(f"frequency={wire.FREQUENCY_HZ}", board_keys(name, more))
    simulation = wire.Simulation(text, folder)
    simulation.hosts["main"].strings.update(scarce)
    chip = chips.find(name)
    assert chip is not None
    return Board(simulation, simulation.hosts["main"], chip.frequency_hz)


# As Klipper's document on benchmarks has them: the chip, how its steppers are set up (invert_step,
# step_pulse_ticks), and the least ticks of one and of three steppers
BENCHMARKS = [
    ("atmega2560", 0, 32, 102, 486),
    ("sam3x8e", -1, 0, 66, 257),
    ("stm32f042", -1, 0, 59, 249),
    ("stm32f446", -1, 0, 46, 205),
    ("stm32h723", -1, 52, 70, 181),
    ("stm32g431", -1, 17, 47, 208),
    ("rp2040", -1, 0, 3, 14),
    ("pru", 0, 20, 231, 847),
    ("linux", 0, 5, 160, 380),
]


def run_benchmark(board: Board, steppers: int, ticks: int) -> None:
    """Do 60,000 steps and one back with some steppers at once."""
    clock = board.host.clock() + board.frequency_hz // 10
    for oid in range(steppers):
        payload = board.host.encode("reset_step_clock", oid, clock)
        payload += board.host.encode("set_next_step_dir", oid, 0)
        payload += board.host.encode("queue_step", oid, ticks, 60_000, 0)
        payload += board.host.encode("set_next_step_dir", oid, 1)
        payload += board.host.encode("queue_step", oid, 3000, 1, 0)
        board.host.send_payload(payload)
    board.run_to(clock + 60_000 * ticks + board.frequency_hz // 10)


@pytest.mark.parametrize("steppers", [1, 3])
@pytest.mark.parametrize(
    ("name", "invert_step", "pulse_ticks", "one_ticks", "three_ticks"),
    BENCHMARKS,
    ids=[row[0] for row in BENCHMARKS],
)
def test_steppers_reach_the_published_rate_of_their_chip_and_no_more(
    tmp_path: Path,
    name: str,
    invert_step: int,
    pulse_ticks: int,
    one_ticks: int,
    three_ticks: int,
    steppers: int,
) -> None:
    ticks = one_ticks if steppers == 1 else three_ticks
    board = start(tmp_path, name)
    with board.simulation:
        board.configure(steppers, invert_step, pulse_ticks)
        run_benchmark(board, steppers, ticks)
        assert board.host.shutdown_reason() is None
        assert [board.host.position(oid) for oid in range(steppers)] == [-59_999] * steppers
    board = start(tmp_path, name)
    # These keep steps apart by the pulse, not by what is left of the CPU
    has_pulses = name in ("stm32h723", "pru", "linux")
    with board.simulation:
        board.configure(steppers, invert_step, pulse_ticks)
        run_benchmark(board, steppers, ticks - 1)
        assert board.host.shutdown_reason() == (TOO_FAR if has_pulses else RESCHEDULED)


def test_overloaded_board_shuts_down_as_soon_as_a_timer_is_late_by_a_millisecond(
    tmp_path: Path,
) -> None:
    board = start(tmp_path, "atmega2560")
    with board.simulation:
        board.configure(1, 0, 32)
        # A step takes a little less than 102 ticks
        clock = board.step(1, 51, 60_000)
        board.run_to(clock + board.frequency_hz)
        took_s = (board.host.all("shutdown")[0].values["clock"] - clock) / board.frequency_hz
        assert board.host.shutdown_reason() == RESCHEDULED
        # Twice too fast: half of the time is lost.  It is looked for every 3000 ticks.
        assert 0.002 < took_s < 0.002 + 2 * 3000 / board.frequency_hz


def test_steps_of_a_board_that_is_behind_come_one_after_the_other(tmp_path: Path) -> None:
    board = start(tmp_path, "atmega2560")
    with board.simulation:
        board.configure(3, 0, 32)
        clock = board.step(3, 486, 1000)
        taken = []
        for tick in range(0, 400, 20):
            board.run_to(clock + 486 + tick + 2)
            taken.append(-sum(board.simulation.pulses().values()))
        # All three are due at once, and one takes 162 ticks
        assert taken[0] == 1
        changes = [20 * i for i in range(1, len(taken)) if taken[i] > taken[i - 1]]
        assert changes == [160, 340]


def test_commands_wait_the_longer_the_more_of_the_cpu_timers_take(tmp_path: Path) -> None:
    means_s = {}
    # Ticks between the steps of one stepper, which take 102 each
    for ticks in (1_000_000, 2000, 400, 250, 150):
        board = start(tmp_path, "atmega2560")
        with board.simulation:
            board.configure(1, 0, 32)
            board.step(1, ticks, 50 * 60_000, lead_s=0.03)
            board.simulation.run(0.05)
            delays_s = board.answer_delays_s(20)
            means_s[ticks] = sum(delays_s) / len(delays_s)
            assert board.host.shutdown_reason() is None
    idle_s = means_s[1_000_000]
    assert 20e-6 < idle_s < 30e-6
    # A light load is within the random time that a board always takes
    assert means_s[2000] == pytest.approx(idle_s, abs=1e-7)
    assert means_s[400] == pytest.approx(idle_s / (1 - 102 / 400), rel=0.1)
    assert means_s[250] == pytest.approx(idle_s / (1 - 102 / 250), rel=0.1)
    # Timers that are due so soon are waited for: tasks get 256 ticks after 3000
    assert 5 * idle_s < means_s[150] < 30 * idle_s


def test_load_of_moves_that_are_over_is_forgotten(tmp_path: Path) -> None:
    delays_s = {}
    for count in (1, 5000):
        board = start(tmp_path, "atmega2560")
        with board.simulation:
            board.configure(1, 0, 32)
            board.step(1, 150, count, lead_s=0.03)
            board.simulation.run(0.1)
            delays_s[count] = board.answer_delays_s(20)
    assert delays_s[5000] == pytest.approx(delays_s[1], abs=1e-6)


def overload(board: Board, after_s: float) -> int:
    """Let a stepper take more than all of the CPU for some time; return the clock."""
    board.configure(1, 0, 32)
    clock = board.step(1, 97, 60_000)
    board.run_to(clock + round(after_s * board.frequency_hz))
    return round(board.simulation.now_ns * 1e-9 * board.frequency_hz)


@pytest.mark.parametrize(("early_us", "reason"), [(0, None), (2000, "Timer too close")])
def test_past_timer_is_too_close_only_before_all_that_wait(
    tmp_path: Path, early_us: int, reason: str
) -> None:
    board = start(tmp_path, "atmega2560")
    with board.simulation:
        # A stepper is 0.5 ms late then
        now = overload(board, 0.010)
        clock = now + round(LINK_S * 16e6) - early_us * 16
        board.host.send("trsync_start", TRSYNC, clock, 10_000_000, 4)
        board.simulation.run(0.002)
        states = board.host.all("trsync_state")
        if reason:
            assert board.host.shutdown_reason() == reason
        else:
            # It was past when the command was run, and is dispatched in its turn
            assert board.host.shutdown_reason() is None
            assert len(states) == 1
            assert states[0].values["clock"] > clock


def test_board_that_is_not_behind_takes_no_timer_that_is_past(tmp_path: Path) -> None:
    board = start(tmp_path, "atmega2560")
    with board.simulation:
        board.configure(1, 0, 32)
        board.step(1, 400, 60_000)
        board.simulation.run(0.15)
        now = round(board.simulation.now_ns * 1e-9 * board.frequency_hz)
        board.host.send("trsync_start", TRSYNC, now, 100_000, 4)
        board.simulation.run(0.01)
        assert board.host.shutdown_reason() == "Timer too close"


def test_late_timers_are_run_in_the_order_in_which_they_were_due(tmp_path: Path) -> None:
    board = start(tmp_path, "atmega2560")
    with board.simulation:
        overload(board, 0.006)
        # Both are due while the stepper is 0.3 ms late, the second one first
        due = round(board.simulation.now_ns * 1e-9 * board.frequency_hz) + 30_000
        board.host.send("trsync_start", TRSYNC, due + 400, 10_000_000, 4)
        board.host.send("queue_digital_out", OUT, due, 1)
        levels = []
        while not board.host.all("trsync_state"):
            board.simulation.run(10e-6)
            levels.append(board.simulation.ask("duty main 9")[0])
            assert len(levels) < 1000
        changed_s = 10e-6 * levels.index("1.000000")
        assert board.host.shutdown_reason() is None
        report = board.host.all("trsync_state")[0].values["clock"]
        assert 16e6 * changed_s > 30_000 + 3000
        assert report > due + 400 + 3000


def test_same_seed_gives_the_same_overload(tmp_path: Path) -> None:
    def run() -> List[wire.Message]:
        board = start(tmp_path, "stm32f103")
        with board.simulation:
            board.configure(3, -1, 0)
            board.step(3, 262, 60_000)
            board.answer_delays_s(40)
            return board.host.received

    first = run()
    assert run() == first
    assert any(message.name == "shutdown" for message in first)


# Statistics


def statistics(board: Board) -> Sequence[float]:
    """Return what Klippy makes of the last statistics: awake (s of 5), mean, deviation (s)."""
    values = board.host.all("stats")[-1].values
    count, total, squares = values["count"], values["sum"], values["sumsq"] * 256.0
    mean = total / count
    deviation = max(squares / count - mean**2, 0.0) ** 0.5
    return [ticks / board.frequency_hz for ticks in (total, mean, deviation)]


def run_statistics(folder: Path, ticks: int, commands: int) -> Sequence[float]:
    board = start(folder, "stm32f103")
    with board.simulation:
        board.configure(1, -1, 0)
        if ticks:
            board.step(1, ticks, 40 * 60_000, lead_s=0.03)
        payload = board.host.encode("debug_nop") * 40
        while board.simulation.now_ns < 5_100_000_000:
            for _ in range(commands):
                board.host.send_payload(payload)
            board.simulation.run(0.01)
        assert board.host.shutdown_reason() is None
        return statistics(board)


def test_statistics_show_what_commands_and_timers_take(tmp_path: Path) -> None:
    idle = run_statistics(tmp_path, 0, 0)
    busy = run_statistics(tmp_path, 0, 10)
    # A quarter of the CPU
    stepping = run_statistics(tmp_path, 230, 10)
    assert idle[0] < 0.01
    assert idle[1] < 20e-6
    # 5,000 blocks of 40 commands, of which it runs 355,000 in a second
    assert 0.9 * 200_000 / 355_000 < busy[0] < 1.3 * 200_000 / 355_000
    assert busy[1] > 3 * idle[1]
    assert busy[2] > 3 * idle[2]
    assert 1.1 < stepping[0] / busy[0] < 1.5
    assert 1.1 < stepping[1] / busy[1] < 1.5


# Memory


def test_moves_have_the_memory_that_objects_leave_them(tmp_path: Path) -> None:
    board = start(tmp_path, "stm32f031", "memory_bytes=1000 id_bytes=8 object_bytes=56")
    with board.simulation:
        board.configure(1, -1, 0)
        left_bytes = 1000 - 20 * 8 - 3 * 56
        config = board.host.ask("config", "get_config")
        assert config["move_count"] == left_bytes // 16
        board.host.send("reset_step_clock", 0, board.host.clock() + board.frequency_hz)
        # The first of them is being stepped
        for _ in range(left_bytes // 16 + 1):
            board.host.send("queue_step", 0, 100_000, 1000, 0)
        board.simulation.run(0.05)
        assert board.host.shutdown_reason() is None
        board.host.send("queue_step", 0, 100_000, 1000, 0)
        board.simulation.run(0.05)
        assert board.host.shutdown_reason() == "Move queue overflow"


@pytest.mark.parametrize(
    ("memory_bytes", "reason"),
    [
        (100, "alloc_chunk failed"),
        (20 * 8 + 55, "alloc_chunk failed"),
        (20 * 8 + 56 + 15, "alloc_chunks failed"),
        (20 * 8 + 56 + 16, None),
    ],
)
def test_configuration_that_takes_too_much_memory_shuts_down(
    tmp_path: Path, memory_bytes: int, reason: str
) -> None:
    board = start(tmp_path, "stm32f031", f"memory_bytes={memory_bytes} object_bytes=56")
    with board.simulation:
        board.host.send("allocate_oids", 20)
        board.host.send("config_trsync", TRSYNC)
        board.host.send("finalize_config", 1)
        board.simulation.run(0.05)
        assert board.host.shutdown_reason() == reason
        board.host.send("emergency_stop")
        board.host.send("config_reset")
        board.simulation.run(0.5)
        # All memory is free again
        board.host.received.clear()
        board.host.send("allocate_oids", min(20, memory_bytes // 8))
        board.simulation.run(0.05)
        assert board.host.shutdown_reason() is None
