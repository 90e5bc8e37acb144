# Health of one MCU's link, from its Stats, in batches
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from operator import add, sub
from typing import Dict, List, Sequence, Tuple

from .canbus import Traffic, classic_weights
from .clock import ClockSync
from .lines import McuFields
from .series import Histogram, Moments, Series

_WRAP = 1 << 32
# More than any link of a printer carries; beyond it a counter was reset and did not wrap
_MOST_BYTES_PER_S = 4e6
# After so long without a message a board stops a homing move by itself (mcu.py, TRSYNC_TIMEOUT)
SLOW_S = 0.025
_EXPECTED_BITS, _ = classic_weights()
# Where what is in McuFields
_COUNTERS, _SRTT, _RTTVAR, _FREQ, _ADJ = slice(1, 6), 6, 7, 8, 9


class _Seconds(Dict[bytes, float]):
    """Numbers of printed seconds; only so many occur, and the look-up is fast."""

    def __missing__(self, text: bytes) -> float:
        if len(self) > 4096:
            self.clear()
        self[text] = float(text)
        return self[text]


_SECONDS = _Seconds()


class Batch:
    """Some Stats lines of one MCU, column by column."""

    def __init__(self, times_s: List[float], fields: Sequence[McuFields]) -> None:
        self.times_s = times_s
        self.columns = list(zip(*fields))

    def rates_hz(self) -> List[int]:
        """The clock rate against the host's clock."""
        return list(map(int, self.columns[_FREQ]))

    def adjusted_hz(self) -> List[int]:
        """The clock rate against the main MCU's clock, 0 on that one itself."""
        return [int(text or 0) for text in self.columns[_ADJ]]

    def seconds(self, column: int) -> List[float]:
        """A column of seconds."""
        return list(map(_SECONDS.__getitem__, self.columns[column]))

    def counters(self) -> List[List[int]]:
        """bytes_write, bytes_read, bytes_retransmit, bytes_invalid, send_seq."""
        return [_whole_numbers(column) for column in self.columns[_COUNTERS]]


def _whole_numbers(column: Sequence[bytes]) -> List[int]:
    # Most error counters stand still
    if column.count(column[0]) == len(column):
        return [int(column[0])] * len(column)
    return list(map(int, column))


class Link:
    """Round trip, errors and traffic between host and an MCU."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.clock = ClockSync()
        self.srtt_s = Moments()
        self.rttvar_s = Moments()
        self.srtt_course = Series()
        self.bits_course = Series()
        self.total = Traffic(0.0, 0.0, 0.0, 0.0)
        self.retransmitted_bytes = 0
        self.invalid_bytes = 0
        # Stats lines in which these have grown, and in which the round trip was long
        self.retransmitting_lines = 0
        self.invalid_lines = 0
        self.slow_lines = 0
        # Which of the lines these were
        self.lines = 0
        self.retransmitting = Histogram()
        self.invalid = Histogram()
        # What Stats lines say, and when; batch() takes it
        self.times_s: List[float] = []
        self.fields: List[McuFields] = []
        # The counters' last values, at the time of these
        self._last: Tuple[List[float], List[List[int]]] = ([], [[]] * 5)
        self._flushed: Tuple[List[float], List[float], List[List[int]]] = ([], [], [[]] * 5)

    def batch(self) -> Batch:
        """What was noted since it was last asked for."""
        batch = Batch(self.times_s, self.fields)
        self.times_s, self.fields = [], []
        return batch

    def evaluate(self, batch: Batch) -> Tuple[List[float], List[float]]:
        """Take in a batch; returns times and the bits/s to expect on a CAN bus then."""
        srtt_s = batch.seconds(_SRTT)
        self.srtt_s.extend(srtt_s)
        if max(srtt_s) >= SLOW_S:
            self.slow_lines += sum(one_s >= SLOW_S for one_s in srtt_s)
        self.srtt_course.extend(batch.times_s, srtt_s)
        self.rttvar_s.extend(batch.seconds(_RTTVAR))
        last_times, last_counts = self._last
        times = last_times + batch.times_s
        counts = list(map(add, last_counts, batch.counters()))
        self._last = (times[-1:], [column[-1:] for column in counts])
        seconds = list(map(sub, times[1:], times))
        # map() ends with the shortest
        growth = [list(map(sub, column[1:], column)) for column in counts]
        times = times[1:]
        if seconds and (min(seconds) <= 0 or min(map(min, growth)) < 0):
            times, seconds, growth = _mended(times, seconds, growth)
        sent, read, retransmitted, invalid, blocks = growth
        if any(retransmitted):
            growth[0] = sent = list(map(add, sent, retransmitted))
        self.retransmitted_bytes += sum(retransmitted)
        self.retransmitting_lines += self._note(retransmitted, self.retransmitting)
        self.invalid_bytes += sum(invalid)
        self.invalid_lines += self._note(invalid, self.invalid)
        self.lines += len(retransmitted)
        self._flushed = (times, seconds, growth)
        self.total = Traffic(
            self.total.seconds + sum(seconds),
            self.total.written_bytes + sum(sent),
            self.total.read_bytes + sum(read),
            self.total.blocks + sum(blocks),
        )
        a, b, c = _EXPECTED_BITS
        bits = [(a * w + b * r + c * n) / s for w, r, n, s in zip(sent, read, blocks, seconds)]
        self.bits_course.extend(times, bits)
        return times, bits

    def _note(self, growth: Sequence[int], lines: Histogram) -> int:
        """Note in which of the next lines something has grown; returns in how many."""
        count = len(growth) - growth.count(0)
        if count:
            for i, grown in enumerate(growth, self.lines):
                if grown:
                    lines.add(i)
        return count

    def traffic_at(self, time_s: float) -> Traffic:
        """The traffic up to a Stats line of the last batch, since the one before."""
        times, seconds, growth = self._flushed
        if time_s not in times:
            return Traffic(1.0, 0.0, 0.0, 0.0)
        i = times.index(time_s)
        return Traffic(seconds[i], growth[0][i], growth[1][i], growth[4][i])


def _mended(
    times: List[float], seconds: List[float], growth: List[List[int]]
) -> Tuple[List[float], List[float], List[List[int]]]:
    """Undo the wrap of 32-bit counters, and leave out where they start afresh."""
    kept_times: List[float] = []
    kept_seconds: List[float] = []
    kept: List[List[int]] = [[] for _ in growth]
    for time_s, span_s, row in zip(times, seconds, zip(*growth)):
        mended = [count % _WRAP for count in row]
        # A span of no time is where the computer was restarted
        if span_s > 0 and max(mended) <= _MOST_BYTES_PER_S * span_s:
            kept_times.append(time_s)
            kept_seconds.append(span_s)
            for column, count in zip(kept, mended):
                column.append(count)
    return kept_times, kept_seconds, kept
