# One pass through all log files: each line to whom it concerns
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from operator import add
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from printer_config import mcus, printed
from printer_config.config import Config

from .archives import Source
from .canbus import Traffic
from .clock import SETTLING_S, nominal_rate
from .faults import AT_START, NOT_LEVEL, Case, Faults
from .files import Damage, LogError, Progress, find, lines_of
from .in_step import InStep
from .lines import MCU_MARK, MOVE_MARK, is_move, parse_mcus, parse_move, stats_time
from .link import Batch, Link
from .moves import Moves

# Enough to let C code do most of the work, and few enough to stay in the processor's cache
_BATCH = 64
_MOST_MCUS = 256
_LONGEST_NAME = 64
# Log lines are told apart by their first letters
_LETTERS = 5
_FAULT_STARTS = (
    "Trans Timeo Lost  Commu Unabl mcu ' Confi Proto MCU e Got e USB C No tr Endst Probe Retri"
    " Too m Inter Unhan"
)
_PREFIXES = re.compile(rb"(?:INFO|WARNING|ERROR):root:")
MAIN_MCU = "mcu"

NO_ERROR = (
    r"(?:axis .* has |axis .*: option '|no axis has |limits changed|endstop '.*': target "
    r"|the C helper is built again)"
)
# What RESYNC reports when it has done its work
_REPAIRED = re.compile(
    rb"\d+ ax(?:is has|es have) been put back in step|The steppers are taken to be in sync"
)


class Busiest(NamedTuple):
    """When a bus had most to carry: expected bits/s on classic CAN, and what made them."""

    bits_per_s: float
    traffic: Dict[str, Traffic]


class Log:
    """What the report is made of; reads the files when it is made."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._links: Dict[bytes, Link] = {}
        self.moves = Moves()
        self.faults = Faults()
        self.in_step = InStep()
        self._printed = printed.PrintedConfig()
        self.damage = Damage()
        self._busiest: Dict[str, Busiest] = {}
        self._sources = find(paths, self.damage)
        self.paths = [source.label for source in self._sources]
        self.lines = 0
        self.stats_lines = 0
        self.starts = 0
        self.elapsed_s = 0.0
        self.probe_speed_mm_s: Optional[float] = None
        self._nominal_rates: Dict[str, float] = {}
        self._recognised = 0
        self._stats_s: Optional[float] = None
        self._first_s = 0.0
        self._batched = 0
        self._batch_from_s = 0.0
        self._settled_s = 0.0
        self._is_starting = False
        self._in_config = False
        # File, lines of it before the block that is being read, and the line in that block
        self._place = ("", 0, 0)
        self._handlers = self._make_handlers()
        self._read()

    def _make_handlers(self) -> Dict[bytes, Callable[[bytes], None]]:
        handlers: Dict[bytes, Callable[[bytes], None]] = {
            b"Stats": self._stats,
            b"=====": self._mark,
            b"multi": self._resync,
            b"MCU '": self._mcu,
            b"Start": self._start,
            b"PROBE": self._probe_accuracy,
            b"INFO:": self._prefixed,
            b"WARNI": self._prefixed,
            b"ERROR": self._prefixed,
            b"Axis ": self._not_in_sync,
            b"The s": self._repaired,
            b"1 axi": self._repaired,
            # Earlier versions of the extra said "1 axes"
            **{b"%d axe" % (count,): self._repaired for count in range(10)},
        }
        starts = _FAULT_STARTS.encode()
        for i in range(0, len(starts), _LETTERS + 1):
            handlers[starts[i : i + _LETTERS]] = self._fault
        return handlers

    def _read(self) -> None:
        progress = Progress(list(dict.fromkeys(source.path for source in self._sources)))
        try:
            for source in self._sources:
                self._read_file(source, progress)
        finally:
            progress.end()
        self._flush()
        if not self._recognised:
            raise LogError("; ".join(self.damage.texts()))

    def _read_file(self, source: Source, progress: Progress) -> None:
        get, length = self._handlers.get, _LETTERS
        recognised, damage, name = self._recognised, self.damage.texts(), source.name
        before = 0
        self._in_config = False
        for lines in lines_of(source, progress, self.damage):
            for number, line in enumerate(lines):
                handler = get(line[:length])
                if handler is not None:
                    self._place = (name, before, number)
                    handler(line)
                elif self._in_config:
                    self._printed.add_line(line)
                elif MCU_MARK in line:
                    # A Stats line that was broken up when it was posted somewhere
                    self._take_mcus(line)
            before += len(lines)
        self.lines += before
        if self._recognised == recognised:
            is_empty = not before and self.damage.texts() == damage
            what = "it is empty" if is_empty else "nothing in it is Klipper's"
            self.damage.files.append("'%s' is no klippy.log: %s" % (source.label, what))

    @property
    def config(self) -> Config:
        """The configuration that was printed last; one without sections if none was."""
        return self._printed.config

    @property
    def busiest(self) -> Dict[str, Busiest]:
        """By name of the CAN interface; "" is one that carries all MCUs.

        None where the configuration has no CAN bus.
        """
        is_known = bool(self.config.sections)
        return {bus: one for bus, one in self._busiest.items() if bool(bus) == is_known}

    def _where(self) -> str:
        name, before, number = self._place
        return "%s:%d" % (name, before + number + 1)

    # What the lines say
    def _stats(self, line: bytes) -> None:
        time_s = stats_time(line)
        if time_s is None:
            self.damage.garbled_lines += line.startswith(b"Stats ")
            return
        self._recognised += 1
        self.stats_lines += 1
        if self._stats_s is None:
            self._first_s = time_s
        elif time_s < self._stats_s:
            # The computer was restarted: what lies in between is not known
            self._first_s += time_s - self._stats_s
        self._stats_s = time_s
        self.elapsed_s = time_s - self._first_s
        if self._is_starting:
            self._is_starting = False
            self._settled_s = self.elapsed_s + SETTLING_S
            self.faults.started()
        self._batched += 1
        if self._batched >= _BATCH or self.elapsed_s >= self._settled_s > self._batch_from_s:
            self._flush()
            self._batch_from_s = self.elapsed_s
        if MCU_MARK in line:
            self._take_mcus(line)

    def _take_mcus(self, line: bytes) -> None:
        if self._stats_s is None:
            return
        mcus, is_complete = parse_mcus(line)
        self.damage.garbled_lines += not is_complete
        time_s, links = self.elapsed_s, self._links
        for fields in mcus:
            try:
                link = links[fields[0]]
            except KeyError:
                link = self._new_link(fields[0])
            link.times_s.append(time_s)
            link.fields.append(fields)

    def _new_link(self, name: bytes) -> Link:
        link = Link(name[:_LONGEST_NAME].decode("utf-8", "replace"))
        if len(self._links) < _MOST_MCUS:
            self._links[name] = link
        else:
            self.damage.garbled_lines += 1
        return link

    @property
    def links(self) -> Dict[str, Link]:
        """The links to all MCUs by name."""
        return {link.name: link for link in self._links.values()}

    def _flush(self) -> None:
        self._batched = 0
        batches = [(link, link.batch()) for link in self._links.values()]
        batches = [(link, batch) for link, batch in batches if batch.times_s]
        main = next((batch for link, batch in batches if link.name == MAIN_MCU), None)
        main_times, main_rates = (main.times_s, main.rates_hz()) if main else ([], [])
        nominal = self._nominal_rates.get(MAIN_MCU) or nominal_rate(max(main_rates, default=0))
        for link, batch in batches:
            times, rates = batch.times_s, main_rates
            if times != main_times:
                known = dict(zip(main_times, main_rates))
                rates = [known.get(time_s, 0) for time_s in times]
            is_settled = times[0] >= self._settled_s
            link.clock.extend(
                times, batch.rates_hz(), batch.adjusted_hz(), rates, nominal, is_settled
            )
        self._evaluate_buses(batches)

    def _evaluate_buses(self, batches: List[Tuple[Link, Batch]]) -> None:
        sums: Dict[str, Dict[float, float]] = {}
        members: Dict[str, List[Link]] = {}
        # Without it all could be on one
        is_known = bool(self.config.sections)
        for link, batch in batches:
            times, bits = link.evaluate(batch)
            bus = mcus.can_interface(mcus.section(self.config, link.name)) if is_known else ""
            if bus is not None:
                members.setdefault(bus, []).append(link)
                total = sums.setdefault(bus, {})
                others = map(total.get, times, [0.0] * len(times))
                total.update(zip(times, map(add, others, bits)))
        for bus, total in sums.items():
            time_s = max(total, key=total.__getitem__, default=0.0)
            if total and (
                bus not in self._busiest or self._busiest[bus].bits_per_s < total[time_s]
            ):
                traffic = {link.name: link.traffic_at(time_s) for link in members[bus]}
                self._busiest[bus] = Busiest(total[time_s], traffic)

    def _mark(self, line: bytes) -> None:
        if line.startswith(printed.START):
            self._recognised += 1
            self._in_config = True
            self._printed.start()
        elif self._in_config and line.startswith(printed.END):
            self._in_config = False
            self._printed.end()

    def _resync(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if not text.startswith(MOVE_MARK):
            return
        self._recognised += 1
        if not is_move(text):
            if re.match(MOVE_MARK + r"axis .* may not be (?:level|square): ", text):
                self.faults.note(NOT_LEVEL, self._case(text[len(MOVE_MARK) :]))
            # What it says of the configuration, or has chosen, is no error
            elif not re.match(MOVE_MARK + NO_ERROR, text):
                self._resync_error(text[len(MOVE_MARK) :])
            return
        move = parse_move(text)
        if move is None or not self.moves.add(move, self.elapsed_s, self._where()):
            self.damage.garbled_lines += 1
            return
        case = self._case(move.error)
        self.in_step.move(move, case)
        if move.error:
            self.faults.failed_move(case)
        else:
            self.faults.all_is_well()

    def _resync_error(self, text: str) -> None:
        case = self._case(text)
        if self.faults.resync_error(case):
            self.in_step.error(case)

    def _case(self, text: str) -> Case:
        return Case(self._where(), self._stats_s, text)

    def _not_in_sync(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace")
        if re.match(r"Axis \S+ is not in sync: ", text):
            self._resync_error(text)

    def _repaired(self, line: bytes) -> None:
        if _REPAIRED.match(line):
            self.in_step.all_in_step()

    def _mcu(self, line: bytes) -> None:
        found = re.match(rb"MCU '([^']{1,64})' config: .*?\bCLOCK_FREQ=(\d{1,10})\b", line)
        if found and len(self._nominal_rates) < _MOST_MCUS:
            self._recognised += 1
            self._nominal_rates[found.group(1).decode("utf-8", "replace")] = float(found.group(2))
        elif not found:
            self._fault(line)

    def _start(self, line: bytes) -> None:
        if line.startswith(b"Start printer at "):
            self._recognised += 1
            self.starts += 1
            self._flush()
            self._is_starting = True
            self.in_step.all_in_step()

    def _probe_accuracy(self, line: bytes) -> None:
        found = re.match(rb"PROBE_ACCURACY at .*\bspeed=(\d{1,6}\.\d{1,6})\b", line)
        if found:
            self.probe_speed_mm_s = float(found.group(1))

    def _fault(self, line: bytes) -> None:
        if self.faults.look_at(self._case(line.decode("utf-8", "replace"))) in AT_START:
            # A later one may get further
            self._is_starting = True

    def _prefixed(self, line: bytes) -> None:
        # Klippy's output when it was started without -l
        prefix = _PREFIXES.match(line)
        rest = line[prefix.end() :] if prefix else b""
        handler = self._handlers.get(rest[:_LETTERS])
        if handler is not None and handler != self._prefixed:
            handler(rest)
