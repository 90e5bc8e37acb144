# What the report says about links, buses and clocks
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from . import canbus
from .document import Section, Table, counted, duration, number, percent
from .log import Log
from .predict import homing_speed


def overview(log: Log) -> Section:
    """What was read."""
    section = Section("Log")
    section.lines.append(
        "%s: %s, %s over %s, %s, %s"
        % (
            ", ".join(log.paths),
            counted(log.lines, "line"),
            counted(log.stats_lines, "Stats line"),
            duration(log.elapsed_s),
            counted(log.starts, "start"),
            counted(log.moves.count, "homing move"),
        )
    )
    section.lines += ["could not be read: %s" % (text,) for text in log.damage.texts()]
    return section


def link_health(log: Log) -> Section:
    """Round trips and errors."""
    section = Section("Link health")
    table = Table(
        ["MCU", "srtt ms", "max", "rttvar ms", "max", "retransmitted B", "invalid B"]
        + ["out B/s", "in B/s", "bytes/block"]
    )
    for link in log.links.values():
        t = link.total
        table.add(
            link.name,
            "%.3f" % (1000 * link.srtt_s.mean,),
            "%.0f" % (1000 * link.srtt_s.high,),
            "%.3f" % (1000 * link.rttvar_s.mean,),
            "%.0f" % (1000 * link.rttvar_s.high,),
            "%d" % (link.retransmitted_bytes,),
            "%d" % (link.invalid_bytes,),
            number(t.written_bytes / t.seconds if t.seconds else None, "%.0f"),
            number(t.read_bytes / t.seconds if t.seconds else None, "%.0f"),
            number(t.written_bytes / t.blocks if t.blocks else None, "%.1f"),
        )
    section.tables.append(table)
    section.plots.append("srtt")
    section.notes.append(
        "srtt (round trip to the MCU) and rttvar are means of what Klippy prints, to a whole"
        " millisecond. Bytes are those since the first Stats line."
    )
    if any(link.invalid_bytes for link in log.links.values()):
        section.notes.append(
            "Invalid bytes on a CAN bus are reordered frames: see Klipper's CANBUS_Troubleshooting."
        )
    return section


def bus_load(log: Log) -> Section:
    """What the traffic takes of a CAN bus."""
    section = Section("CAN bus load, percent (expected/worst)")
    rates = ["%d k" % (rate // 1000,) if rate < 1e6 else "1 M" for rate in canbus.CLASSIC_RATES]
    table = Table(["busiest moment", "bytes/s", *rates, "FD 1/5 M"])
    for bus, busiest in log.busiest.items():
        members = sorted(busiest.traffic.items(), key=lambda item: -item[1].written_bytes)
        rows = [(name, [traffic]) for name, traffic in members]
        rows.append((bus or "all on one bus", [traffic for _, traffic in members]))
        for name, traffic in rows:
            table.add(
                name,
                "%.0f" % (sum((t.written_bytes + t.read_bytes) / t.seconds for t in traffic),),
                *[percent(canbus.classic_load(traffic, rate)) for rate in canbus.CLASSIC_RATES],
                percent(canbus.fd_load(traffic)),
            )
        means = [log.links[name].total for name in busiest.traffic]
        means = [t for t in means if t.seconds]
        table.add(
            "mean of %s" % (bus or "all",),
            "%.0f" % (sum((t.written_bytes + t.read_bytes) / t.seconds for t in means),),
            *[percent(canbus.classic_load(means, rate)) for rate in canbus.CLASSIC_RATES],
            percent(canbus.fd_load(means)),
        )
    section.tables.append(table)
    section.plots += ["buses", "load"]
    section.notes.append(
        "Classic frames of up to 8 bytes, 47 + 8n bits and stuffing: expected as of random data"
        " and blocks of mean length, worst as no data can exceed. FD: one block a frame at 1 Mbit/s"
        " with its data at 5 Mbit/s; Klipper does not speak it today."
    )
    if not log.config.sections:
        section.notes.append(
            "The log has no configuration: this is what one bus with all MCUs would carry."
        )
    return section


def clock_sync(log: Log) -> Section:
    """How well the MCUs' clocks agree, in time and in way."""
    section = Section("Clock sync")
    table = Table(
        ["MCU", "MHz", "jitter ppm", "offset rms us", "max us", "at mm/s", "rms mm", "max mm"]
    )
    for link in log.links.values():
        clock = link.clock
        speed_mm_s = homing_speed(log, link.name)
        offset = clock.offset_us if clock.offset_us.count else None
        table.add(
            link.name,
            "%.6f" % (clock.rate_hz.mean / 1e6,),
            "%.3f" % (clock.jitter_ppm,),
            number(offset.rms if offset else None, "%.1f"),
            number(offset.furthest if offset else None, "%.1f"),
            number(speed_mm_s if offset else None, "%.1f"),
            number(offset.rms * 1e-6 * speed_mm_s if offset else None, "%.6f"),
            number(offset.furthest * 1e-6 * speed_mm_s if offset else None, "%.6f"),
        )
    section.tables.append(table)
    section.plots.append("clock")
    section.notes.append(
        "Offset to the main MCU's clock that Klippy found and steered away within 4 s, and how far"
        " the axis homes in that time; jitter is the change from one estimate to the next. Left out"
        " are the first 30 s after a start, when Klippy is still learning the rates."
    )
    if not log.config.sections:
        source = "PROBE_ACCURACY's" if log.probe_speed_mm_s else "Klipper's default"
        section.notes.append("The log has no configuration: the speed is %s." % (source,))
    return section
