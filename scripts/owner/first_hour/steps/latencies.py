# Step 8: homing by itself, and how late each stepper stops
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Any, Dict, Iterator, List

from ..context import Context
from ..errors import CommandFailed
from ..links import Watch
from ..rows import LOOK, PASSED, STOP, Row
from .mid_air import LEVEL_BY_HAND

NAME = "latencies"
SAMPLES = 6
# What the host takes between the two links, and what Klippy's figure is rounded to
HOST_S, MUCH_S = 0.003, 0.006


def run(trial: Context) -> Iterator[Row]:
    """Home, probe some times, and compare with what the links predict."""
    trial.ensure_correct(False)
    trial.printer.run("M84")
    trial.console.go("level", LEVEL_BY_HAND)
    trial.console.go("home", "G28 moves all axes to their ends, now by itself. Be ready to stop.")
    watch = Watch(trial.printer)
    try:
        trial.printer.run("G28", "M400")
        yield Row(NAME, PASSED, "all axes home by themselves")
        _repeat(trial, watch)
    except CommandFailed as e:
        yield Row(NAME, STOP, str(e), "see Troubleshooting in docs/Guide.md", "homing")
        return
    yield from watch.rows(NAME)
    yield from _compare(trial, watch)


def _repeat(trial: Context, watch: Watch) -> None:
    """Stop at the endstop of each shared axis, some times."""
    trial.printer.run("RESYNC_STATS RESET=1")
    # Where the samples are taken all is straight: they shift an uncorrected axis by some steps each
    is_probing = "z" in trial.machine.axes and trial.machine.probe is not None
    for _ in range(SAMPLES):
        watch.look()
        if is_probing:
            trial.printer.run("G91", "G1 Z3 F300", "G90", "PROBE")
        others = [a.upper() for a in trial.machine.axes if a != "z" or not is_probing]
        if others:
            trial.printer.run("G28 " + " ".join(others))
    trial.printer.run("G91", "G1 Z3 F300", "G90", "M400")
    watch.look()


def _predicted_s(trial: Context, watch: Watch, name: str) -> float:
    """Half a round trip from the endstop to the host, and half a one on to the stepper."""
    board = trial.machine.boards[name]
    endstop = trial.machine.endstop_boards.get(name.replace(" ", "_")) or board
    if endstop == board:
        return 0.0
    return (watch.srtt_s(endstop) + watch.srtt_s(board)) / 2.0


def _compare(trial: Context, watch: Watch) -> Iterator[Row]:
    status = trial.resync()
    table: Dict[str, Dict[str, Any]] = {}
    good: List[str] = []
    for name, board in trial.machine.boards.items():
        if not status["overshoot_count"].get(name):
            continue
        measured_s = status["latency_mean_ms"][name] / 1000.0
        predicted_s = _predicted_s(trial, watch, name)
        table[name] = {
            "board": board,
            "predicted_ms": round(1000 * predicted_s, 3),
            "measured_ms": round(1000 * measured_s, 3),
            "most_ms": round(status["latency_max_ms"][name], 3),
            "overshoot_mm": status["overshoot_mean_mm"][name],
        }
        text = "%s on %s stops %.2f ms after the trigger, its links predict %.2f" % (
            name,
            board,
            1000 * measured_s,
            1000 * predicted_s,
        )
        extra_s = measured_s - predicted_s
        if extra_s > MUCH_S:
            yield Row(NAME, STOP, text, "find out what holds up its messages", "late")
        elif extra_s > HOST_S:
            yield Row(NAME, LOOK, text, "the host is busy: stop cameras and the like", "late")
        else:
            good.append(text)
    trial.figures["latencies"] = table
    if not table:
        yield Row(NAME, STOP, "no stop was recorded", "see [multi_mcu_resync]", "not_recorded")
    for text in good:
        yield Row(NAME, PASSED, text)
