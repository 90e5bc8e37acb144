# How fast the bare printer and the full one are, turn and turn about
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import statistics
from contextlib import ExitStack
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from scripts.developer.speed import workloads
from scripts.developer.speed.usage import Turn, take_turn
from virtual_printer import full_sample
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

ROUNDS = 9
# After these, since looking at it takes time itself
HOST_CPU_ROUNDS = 5
BARE, FULL, FULL_16 = "bare", "full", "full_16_mcus"

# Turns by the work and the printer
Turns = Dict[Tuple[str, str], List[Turn]]
Work = Callable[[Session], None]


class Measured(NamedTuple):
    """Turns for speed, and further ones in which the host's own CPU time was looked at."""

    speed: Turns
    host_cpu: Turns


def _samples() -> Dict[str, SamplePrinter]:
    return {
        BARE: full_sample.SIX_MCUS,
        FULL: full_sample.six_mcus(),
        FULL_16: full_sample.sixteen_mcus(),
    }


def _agenda() -> Dict[Tuple[str, str], Work]:
    """Return what each printer is to do, by the work and the printer."""
    common = [(name, work) for name, work in workloads.COMMON.items()]
    agenda = {(name, printer): work for name, work in common for printer in (BARE, FULL)}
    agenda[workloads.PRINTING, FULL] = workloads.print_circles
    agenda["probing", FULL_16] = workloads.probe
    return agenda


def _take_turns(printers: Dict[str, Session], rounds: int, with_host_cpu: bool, say: Any) -> Turns:
    agenda = _agenda()
    turns: Turns = {key: [] for key in agenda}
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}{', CPU of the host' if with_host_cpu else ''}")
        # Whoever goes first in one round goes last in the next
        order = list(agenda) if number % 2 else list(reversed(agenda))
        for key in order:
            turns[key].append(take_turn(printers[key[1]], agenda[key], with_host_cpu))
    return turns


def measure(host: str, seed: int, say: Any) -> Measured:
    """Measure all printers, each in its turn on the same CPU."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with ExitStack() as stack:
        printers = {}
        for name, sample in _samples().items():
            say(f"getting {name} ready")
            session = Session(host, sample.printer_cfg(), sample.machine_cfg(), seed=seed)
            printers[name] = stack.enter_context(session)
            workloads.get_ready(session, is_hot=name != BARE)
        # What is only done once, such as compiling patterns, is done then
        _take_turns(printers, 1, False, say)
        return Measured(
            _take_turns(printers, ROUNDS, False, say),
            _take_turns(printers, HOST_CPU_ROUNDS, True, say),
        )


def _median(turns: List[Turn], value: Callable[[Turn], float]) -> float:
    return statistics.median(map(value, turns))


def _by_work(turns: Turns, value: Callable[[Turn], float], digits: int) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for (work, printer), taken in turns.items():
        found.setdefault(work, {})[printer] = round(_median(taken, value), digits)
    return found


def _ratios(turns: Turns, value: Callable[[Turn], float]) -> Dict[str, float]:
    """Return the median ratio of full to bare of the turns that were one after the other."""
    found = {}
    for work in workloads.COMMON:
        pairs = zip(turns[work, FULL], turns[work, BARE])
        found[work] = round(statistics.median(value(full) / value(bare) for full, bare in pairs), 3)
    return found


def report(measured: Measured) -> Dict[str, Any]:
    """Return the figures: speeds, ratios of full to bare, and what of them is Klippy's own."""
    speed, host_cpu = measured
    wall_ms = _by_work(speed, lambda turn: turn.wall_s / turn.virtual_s * 1e3, 4)
    cpu_ms = _by_work(speed, lambda turn: turn.cpu_s / turn.virtual_s * 1e3, 4)
    host_ms = _by_work(host_cpu, lambda turn: turn.host_cpu_s / turn.virtual_s * 1e3, 4)
    return {
        "virtual_s_per_wall_s": _by_work(speed, lambda turn: turn.virtual_s / turn.wall_s, 1),
        "virtual_s_per_cpu_s": _by_work(speed, lambda turn: turn.virtual_s / turn.cpu_s, 1),
        "wall_ms_per_virtual_s": wall_ms,
        "cpu_ms_per_virtual_s": cpu_ms,
        "host_cpu_ms_per_virtual_s": host_ms,
        "host_share_of_cpu": _by_work(host_cpu, lambda turn: turn.host_cpu_s / turn.cpu_s, 3),
        "full_to_bare": {
            "wall": _ratios(speed, lambda turn: turn.wall_s / turn.virtual_s),
            "cpu": _ratios(speed, lambda turn: turn.cpu_s / turn.virtual_s),
            "if_simulation_cost_nothing": _ratios(
                host_cpu, lambda turn: turn.host_cpu_s / turn.virtual_s
            ),
            "if_devices_cost_it_nothing": {
                work: round(
                    (cpu_ms[work][BARE] + host_ms[work][FULL] - host_ms[work][BARE])
                    / cpu_ms[work][BARE],
                    3,
                )
                for work in workloads.COMMON
            },
        },
    }


_ROWS = (
    ("virtual seconds per wall second", "virtual_s_per_wall_s", "%.1f"),
    ("virtual seconds per CPU second", "virtual_s_per_cpu_s", "%.1f"),
    ("CPU ms per virtual second", "cpu_ms_per_virtual_s", "%.2f"),
    ("of that, Klippy's own", "host_cpu_ms_per_virtual_s", "%.2f"),
    ("Klippy's own share of the CPU", "host_share_of_cpu", "%.2f"),
)
_RATIO_ROWS = (
    ("full to bare: wall time", "wall"),
    ("CPU time", "cpu"),
    ("CPU if the simulation cost nothing", "if_simulation_cost_nothing"),
    ("CPU if its devices cost it nothing", "if_devices_cost_it_nothing"),
)


def table(figures: Dict[str, Any]) -> str:
    """Return the figures as text."""
    works = (*workloads.COMMON, workloads.PRINTING)
    lines = []
    for printer in (BARE, FULL, FULL_16):
        lines.append("%-36s" % (printer,) + "".join("%10s" % (work,) for work in works))
        for title, key, form in _ROWS:
            cells = [figures[key][work].get(printer) for work in works]
            texts = ["-" if value is None else form % (value,) for value in cells]
            lines.append("  %-34s" % (title,) + "".join("%10s" % (text,) for text in texts))
        lines.append("")
    for title, key in _RATIO_ROWS:
        values = [figures["full_to_bare"][key].get(work) for work in works]
        texts = ["-" if value is None else "%.2f" % (value,) for value in values]
        lines.append("%-36s" % (title,) + "".join("%10s" % (text,) for text in texts))
    return "\n".join(lines)
