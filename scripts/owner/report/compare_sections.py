# What the report says about the differences between logs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Optional

from printer_config import mcus

from . import chance, compare
from .compare import Comparison, Difference, Kind, Part, Subject
from .document import Section, Table, counted, duration, number
from .log import Log
from .verdict import findings, summary


def letter(log: int) -> str:
    """What a log is called: A, B and so on."""
    return chr(ord("A") + log) if log < 26 else "Log %d" % (log + 1,)


def sections(comparison: Comparison) -> List[Section]:
    """The whole comparison."""
    parts = [_overview(comparison)]
    if comparison.steppers:
        parts += [_latencies(comparison), _evenness(comparison)]
    if comparison.links:
        parts.append(_links(comparison))
    return parts


def headline(comparison: Comparison) -> str:
    """One line."""
    tests = comparison.tests
    if not tests:
        return (
            "there is too little to compare: no stepper has %d moves, and no link %d Stats lines,"
            " in two of the logs" % (chance.LEAST_BLOCKS, chance.LEAST_BLOCKS)
        )
    found = sum(1 for _ in comparison.found())
    what = counted(found, "difference is", "differences are") if found else "no difference is"
    return "%s more than chance (%d looked at)" % (what, tests)


def _figure(value: Optional[float], kind: Kind, sign: str = "") -> str:
    return number(
        None if value is None else value * kind.scale, "%" + sign + ".%df" % (kind.digits,)
    )


def _name(subject: Subject, log: int) -> str:
    part = subject.parts[log]
    assert part is not None
    return subject.name if subject.name == part.mcu else "%s on %s" % (subject.name, part.mcu)


def _where(part: Part) -> str:
    return "to %s at %g mm/s, " % (part.endstop, round(part.speed_mm_s, 2)) * bool(part.endstop)


def _found_lines(comparison: Comparison) -> List[str]:
    lines = []
    for subject, log, kind, difference in comparison.found():
        part = subject.parts[log]
        assert part is not None
        lines.append(
            "%s: %s %s than in %s: %s %s, not %s (%s%s)"
            % (
                letter(log),
                _name(subject, log),
                kind.more if difference.change > 0 else kind.less,
                letter(0),
                _figure(difference.after, kind),
                kind.unit,
                _figure(difference.before, kind),
                _where(part),
                _chance(difference),
            )
        )
    return lines


def _chance(difference: Difference) -> str:
    share = difference.chance
    if share is None:
        return "-"
    return "chance %.2g %% at most" % (100.0 * share,)


def _says(difference: Optional[Difference]) -> str:
    """Whether a difference is more than chance, for a cell of a table."""
    if difference is None:
        return "-"
    if difference.chance is None:
        return "too few"
    if difference.is_found:
        return "yes"
    return "too small" if difference.is_unlikely else "no"


def _log_lines(log: Log, name: str) -> List[str]:
    moves = counted(log.moves.count, "homing move")
    lines = ["%s: %s, %s over %s" % (name, ", ".join(log.paths), moves, duration(log.elapsed_s))]
    lines += ["    could not be read: %s" % (text,) for text in log.damage.texts()]
    found = findings(log)
    lines.append("    by itself: %s" % (summary(log, found),))
    return lines + ["    %s: %s" % (one.level, one.what) for one in found]


def _overview(comparison: Comparison) -> Section:
    section = Section("Comparison")
    section.lines.append(headline(comparison))
    section.lines += _found_lines(comparison)
    for i, log in enumerate(comparison.logs):
        section.lines += _log_lines(log, letter(i))
    section.notes += [
        "More than chance: logs that are alike would show any such difference in %g %% of all"
        " comparisons (permutation test of stretches of the logs, with Holm's correction for all"
        " that was looked at). It has to be large enough too: more than a step and %g ms of latency"
        " or spread, %g %% of late moves, %g ms of round trip, %g %% of the Stats lines."
        % (
            100 * chance.ALPHA,
            1000 * compare.LEAST_LATENCY_S,
            100 * compare.LEAST_SHARE_OF_MOVES,
            1000 * compare.LEAST_ROUND_TRIP_S,
            100 * compare.LEAST_SHARE_OF_LINES,
        ),
        "Of each figure 'seen from' says how large a difference would have shown. More moves show"
        " smaller ones: RESYNC_ACCURACY SAMPLES=50 on either side, and if you can after several"
        " starts of Klipper, which may come out a little different each time.",
    ]
    return section


def _latencies(comparison: Comparison) -> Section:
    section = Section("Stops")
    table = Table(
        ["stepper", "log", "MCU", "latency ms", "change", "more than chance", "seen from"]
        + ["overshoot mm", "moves", "endstop", "mm/s"]
    )
    for subject in comparison.steppers:
        for log, part in enumerate(subject.parts):
            if part is None:
                continue
            difference = comparison.difference(subject, log, compare.LATENCY)
            table.add(
                subject.name,
                letter(log),
                part.mcu,
                _figure(part.figures[compare.LATENCY].mean, compare.LATENCY),
                _figure(difference and difference.change, compare.LATENCY, "+"),
                _says(difference),
                _figure(difference and difference.seen_from, compare.LATENCY),
                number(part.overshoot_mm, "%.4f"),
                "%d" % (part.number,),
                part.endstop,
                "%g" % (round(part.speed_mm_s, 2),),
            )
    section.tables.append(table)
    section.notes.append(
        "Latency is the overshoot's time at the speed of the trigger, both without late moves."
        " Where logs have no endstop and speed in common each one's most usual are compared."
    )
    return section


def _evenness(comparison: Comparison) -> Section:
    section = Section("Spread and late moves")
    table = Table(
        ["stepper", "log", "spread ms", "change", "more than chance", "seen from"]
        + ["late %", "change", "more than chance", "seen from", "mm/s"]
    )
    for subject in comparison.steppers:
        for log, part in enumerate(subject.parts):
            if part is None:
                continue
            cells = [subject.name, letter(log)]
            for kind in (compare.SPREAD, compare.LATE):
                difference = comparison.difference(subject, log, kind)
                cells += [
                    _figure(part.figures[kind].mean, kind),
                    _figure(difference and difference.change, kind, "+"),
                    _says(difference),
                    _figure(difference and difference.seen_from, kind),
                ]
            table.add(*cells, "%g" % (round(part.speed_mm_s, 2),))
    section.tables.append(table)
    section.notes.append(
        "Spread is the mean distance from the median latency. Late moves overshot far more than"
        " the others of their log, by the rule of the report on a single one."
    )
    return section


def _reached_over(log: Log, mcu: str) -> str:
    section = mcus.section(log.config, mcu)
    bus = mcus.can_interface(section)
    if bus is not None:
        return bus
    serial = section.get("serial", "")
    if not serial:
        return "?"
    return "USB" if "usb" in serial.lower() or "ttyACM" in serial else "serial"


def _links(comparison: Comparison) -> Section:
    section = Section("Links")
    kinds = (compare.ROUND_TRIP, compare.REPEATED, compare.DAMAGED)
    titles = ["MCU", "log", "link", "Stats lines"]
    for kind in kinds:
        titles += ["%s %s" % (kind.name, kind.unit), "change", "more than chance"]
    table = Table(titles)
    for subject in comparison.links:
        for log, part in enumerate(subject.parts):
            if part is None:
                continue
            link = _reached_over(comparison.logs[log], subject.name)
            cells = [subject.name, letter(log), link, "%d" % (part.number,)]
            for kind in kinds:
                difference = comparison.difference(subject, log, kind)
                cells += [
                    _figure(part.figures[kind].mean, kind),
                    _figure(difference and difference.change, kind, "+"),
                    _says(difference),
                ]
            table.add(*cells)
    section.tables.append(table)
    section.notes.append(
        "srtt is the round trip; repeated and damaged are the share of the Stats lines in which"
        " retransmitted or invalid bytes have grown."
    )
    return section
