# Whether the links to the boards are fast and whole, and their clocks steady
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The thresholds are the report's, which has them from Klippy's own limits."""

from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from scripts.owner.report.clock import ClockSync
from scripts.owner.report.link_verdicts import (
    LEAST_LINES,
    LEAST_SHARE,
    MEAN_SLOW_S,
    MOST_OFFSET_RMS_US,
    MOST_WANDER_PPM,
)

from .printer import Printer
from .rows import STOP, Row

# Quartz is within 100 ppm, and so is the host's; an oscillator without one is off by thousands
MOST_OFF_PPM = 300.0
# Klippy learns the rates after a start, which may have been right before
_SETTLED_SAMPLES = 25
_MAIN = "mcu"


class Sample(NamedTuple):
    """What Klippy has counted and measured of a link so far."""

    srtt_s: float
    sent: int
    retransmitted: int
    invalid: int
    rate_hz: float
    adjusted_hz: float


class Watch:
    """Looks at all links now and then."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._nominal_hz: Dict[str, float] = {}
        self.samples: Dict[str, List[Sample]] = {}

    def look(self) -> None:
        """Take a sample of each link."""
        for name, mcu in self._printer.mcus().items():
            stats = mcu.get("last_stats", {})
            constants = mcu.get("mcu_constants", {})
            if "srtt" not in stats:
                continue
            self._nominal_hz[name] = _number(constants, "CLOCK_FREQ")
            self.samples.setdefault(name, []).append(
                Sample(
                    _number(stats, "srtt"),
                    int(_number(stats, "bytes_write")),
                    int(_number(stats, "bytes_retransmit")),
                    int(_number(stats, "bytes_invalid")),
                    _number(stats, "freq"),
                    _number(stats, "adj"),
                )
            )

    def watch(self, seconds: int) -> None:
        """Look once a second, as Klippy brings its figures up to date."""
        for _ in range(seconds):
            self.look()
            self._printer.pause(1.0)
        self.look()

    def srtt_s(self, name: str) -> float:
        """The mean round trip to an MCU; 0 if there is no figure."""
        found = [sample.srtt_s for sample in self.samples.get(name, [])]
        return sum(found) / len(found) if found else 0.0

    def rows(self, step: str) -> Iterator[Row]:
        """What is wrong."""
        for name, samples in self.samples.items():
            yield from self._link_rows(step, name, samples)
            yield from self._clock_rows(step, name, samples)

    def _link_rows(self, step: str, name: str, samples: List[Sample]) -> Iterator[Row]:
        srtt_s = self.srtt_s(name)
        if srtt_s > MEAN_SLOW_S:
            yield Row(
                step,
                STOP,
                "the link to %s is slow: a round trip takes %.1f ms, at most %g ms are good"
                % (name, 1000 * srtt_s, 1000 * MEAN_SLOW_S),
                "fix it before anything homes: a CAN bus at 1000000 bits per second, no USB hub or"
                " camera in between, a host that has time left",
                "slow_link",
            )
        lost, times = _growth([s.retransmitted for s in samples])
        sent = max(1, samples[-1].sent - samples[0].sent)
        if times >= LEAST_LINES and lost > LEAST_SHARE * sent:
            yield Row(
                step,
                STOP,
                "messages to %s are lost: %d of %d bytes had to be sent again, %d times in %d looks"
                % (name, lost, sent, times, len(samples)),
                "check the plugs and the cable of that board, keep it away from motor wires, and on"
                " a CAN bus measure the terminators (60 ohms between CANH and CANL without power)",
                "loose_cable",
            )
        damaged, times = _growth([s.invalid for s in samples])
        if times >= LEAST_LINES:
            yield Row(
                step,
                STOP,
                "messages from %s come damaged: %d bytes, %d times in %d looks"
                % (name, damaged, times, len(samples)),
                "a bad contact or noise on its cable; on a CAN bus update the adapter's firmware",
                "loose_cable",
            )

    def _clock_rows(self, step: str, name: str, samples: List[Sample]) -> Iterator[Row]:
        advice = (
            "Klipper cannot follow a clock without a quartz, or one that gets hot beside a motor:"
            " set the right crystal when you build its firmware, cool it, or use another board"
        )
        clock = self._clock(name)
        nominal_hz = self._nominal_hz[name]
        off_ppm = 1e6 * (samples[-1].rate_hz / nominal_hz - 1.0) if nominal_hz else 0.0
        if clock.offset_us.rms > MOST_OFFSET_RMS_US or clock.wander_ppm > MOST_WANDER_PPM:
            what = (
                "the clock of %s drifts: Klippy is off by %.0f us (rms), and its rate went through"
                " %.0f ppm; %g us and %g ppm are good"
                % (
                    name,
                    clock.offset_us.rms,
                    clock.wander_ppm,
                    MOST_OFFSET_RMS_US,
                    MOST_WANDER_PPM,
                )
            )
            yield Row(step, STOP, what, advice, "drifting_clock")
        elif abs(off_ppm) > MOST_OFF_PPM:
            text = "the clock of %s is %+.0f ppm off what its firmware takes it to be, %g are good"
            what = text % (name, off_ppm, MOST_OFF_PPM)
            yield Row(step, STOP, what, advice, "drifting_clock")

    def _clock(self, name: str) -> ClockSync:
        """How well the clock follows the main MCU's, as the report has it."""
        clock = ClockSync()
        mains = self.samples.get(_MAIN, [])[_SETTLED_SAMPLES:]
        own = self.samples[name][_SETTLED_SAMPLES:]
        if name != _MAIN and own and mains:
            count = min(len(own), len(mains))
            clock.extend(
                [float(i) for i in range(count)],
                [round(sample.rate_hz) for sample in own[:count]],
                [round(sample.adjusted_hz) for sample in own[:count]],
                [round(sample.rate_hz) for sample in mains[:count]],
                self._nominal_hz[_MAIN],
                True,
            )
        return clock


def _number(fields: Dict[str, Any], name: str) -> float:
    try:
        return float(fields.get(name, 0.0))
    except (TypeError, ValueError):
        return 0.0


def _growth(counts: List[int]) -> Tuple[int, int]:
    """By how much a counter grew, and how often; it starts over with a connection."""
    steps = [b - a for a, b in zip(counts, counts[1:]) if b > a]
    return sum(steps), len(steps)
