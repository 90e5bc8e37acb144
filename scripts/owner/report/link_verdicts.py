# What of links and clocks is wrong
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator, List

from .clock import SETTLING_S
from .document import Finding, counted
from .fault_verdicts import finding
from .link import SLOW_S, Link
from .log import Log

SLOW = "The link to an MCU is slow"
REPEATED = "Messages to an MCU had to be repeated"
DAMAGED = "Messages from an MCU came damaged"
CLOCK = "The clock of an MCU drifts"
# A fifth of SLOW_S: half of it goes to the endstop's MCU, half to the stepper's
MEAN_SLOW_S = 0.005
# A link may stumble when it starts, and a USB hub or a busy host may do so once in a while
LEAST_LINES = 3
LEAST_SHARE = 1e-4
# What is harmless to Klippy, which steers it away, and to a homing move at 10 mm/s (2.5 um)
MOST_OFFSET_RMS_US = 250.0
# More than quartz changes with the temperature of a printer, less than what has none does
MOST_WANDER_PPM = 100.0


def slow(log: Log) -> Iterator[Finding]:
    """Links whose round trips are long."""
    figures = [
        "%s: srtt %.1f ms in the mean, %.0f ms at most, %.0f ms or more in %s"
        % (
            link.name,
            1000 * link.srtt_s.mean,
            1000 * link.srtt_s.high,
            1000 * SLOW_S,
            counted(link.slow_lines, "Stats line"),
        )
        for link in log.links.values()
        if link.srtt_s.mean > MEAN_SLOW_S or link.slow_lines >= LEAST_LINES
    ]
    if figures:
        threshold = "over %g ms in the mean, or %g ms or more in %d Stats lines" % (
            1000 * MEAN_SLOW_S,
            1000 * SLOW_S,
            LEAST_LINES,
        )
        yield finding(True, SLOW, figures, threshold)


def _share(link_bytes: int, all_bytes: float) -> float:
    return link_bytes / all_bytes if all_bytes else 0.0


def _is_repeating(link: Link) -> bool:
    share = _share(link.retransmitted_bytes, link.total.written_bytes)
    return link.retransmitting_lines >= LEAST_LINES and share > LEAST_SHARE


def repeated(log: Log) -> Iterator[Finding]:
    """Links over which the host had to send again."""
    figures = [
        "%s: %d of %.0f bytes (%.3f %%), in %d Stats lines"
        % (
            link.name,
            link.retransmitted_bytes,
            link.total.written_bytes,
            100 * _share(link.retransmitted_bytes, link.total.written_bytes),
            link.retransmitting_lines,
        )
        for link in log.links.values()
        if _is_repeating(link)
    ]
    if figures:
        threshold = "over %g %% of the bytes, and in %d Stats lines or more" % (
            100 * LEAST_SHARE,
            LEAST_LINES,
        )
        yield finding(True, REPEATED, figures, threshold)


def damaged(log: Log) -> Iterator[Finding]:
    """Links from which bytes came that are no message."""
    figures = [
        "%s: %d of %.0f bytes, in %d Stats lines"
        % (link.name, link.invalid_bytes, link.total.read_bytes, link.invalid_lines)
        for link in log.links.values()
        if link.invalid_lines >= LEAST_LINES
    ]
    if figures:
        yield finding(True, DAMAGED, figures, "in %d Stats lines or more" % (LEAST_LINES,))


def clocks(log: Log) -> Iterator[Finding]:
    """Clocks that Klippy cannot follow well."""
    figures: List[str] = []
    for link in log.links.values():
        clock = link.clock
        if clock.offset_us.count < LEAST_LINES:
            continue
        if clock.offset_us.rms > MOST_OFFSET_RMS_US or clock.wander_ppm > MOST_WANDER_PPM:
            figures.append(
                "%s: offset %.0f us rms, %.0f us at most, and its rate against the main MCU's went"
                " through %.1f ppm"
                % (link.name, clock.offset_us.rms, clock.offset_us.furthest, clock.wander_ppm)
            )
    if figures:
        threshold = "over %g us rms or through more than %g ppm, later than %g s after a start" % (
            MOST_OFFSET_RMS_US,
            MOST_WANDER_PPM,
            SETTLING_S,
        )
        yield finding(True, CLOCK, figures, threshold)
