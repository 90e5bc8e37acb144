# Logs of good and of bad printers, drawn from a seed
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""What a good printer's log may have without anything being wrong.

Round trips and latencies that vary; crystals that are up to 50 ppm off and warm up; a clock rate
that Klippy is still learning after a start; retransmitted bytes of the connection, and a block
that was lost once; attempts to connect before the boards have power; an emergency stop by hand;
probe samples that differ once; bytes before the first Stats line.
"""

import random
from typing import Callable, Dict, List

from helpers.resync_logs import stats, stats_mcu

STEP_MM = 0.0025
_RATES_HZ = {"mcu": 180000000, "z0": 64000000, "z1": 64000000, "toolhead": 48000000}


class PrinterLog:
    """Writes a log second by second; what is bad is set on it before or while it runs."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: List[str] = []
        self.time_s = self.rng.uniform(10.0, 1e5)
        self.is_can = self.rng.random() < 0.5
        self.speed_mm_s = self.rng.choice((3.0, 5.0, 8.0, 10.0))
        self.srtt_s = self.rng.choice((0.0004, 0.001, 0.002))
        # How much later than this a board hears of the trigger
        self.latency_s = {name: self.rng.uniform(0.0003, 0.002) for name in ("z0", "z1")}
        self.jitter = self.rng.choice(("even", "bell", "steep"))
        self.slow_s = dict.fromkeys(_RATES_HZ, 0.0)
        self.late_s = dict.fromkeys(self.latency_s, 0.0)
        self.lost_share = dict.fromkeys(_RATES_HZ, 0.0)
        self.noise_share = dict.fromkeys(_RATES_HZ, 0.0)
        self.drift_ppm_per_s = dict.fromkeys(_RATES_HZ, 0.0)
        self.error_ppm = {name: self.rng.uniform(-50.0, 50.0) for name in _RATES_HZ}
        self._started_s = 0.0
        self._counts: Dict[str, Dict[str, int]] = {}

    def start(self) -> None:
        """Klippy starts and prints its configuration."""
        self.lines.append("Start printer at Fri Nov 20 08:00:00 2026 (1795161600.0 10.0)")
        if self.rng.random() < 0.2:
            self.lines += ["mcu 'z1': Unable to connect"] * 2
        self.lines += ["===== Config file =====", "[mcu]", "serial = /dev/ttyACM0"]
        for name in list(_RATES_HZ)[1:]:
            line = "canbus_uuid = 0e0d81e4210c" if self.is_can else "serial = /dev/" + name
            self.lines += ["[mcu %s]" % (name,), line]
        for name in ("z0", "z1"):
            suffix = "" if name == "z0" else "1"
            self.lines += ["[stepper_z%s]" % (suffix,), "step_pin = %s:PB1" % (name,)]
            self.lines += ["microsteps = 16", "rotation_distance = 40", "gear_ratio = 80:16"]
            if not suffix:
                self.lines.append("endstop_pin = probe:z_virtual_endstop")
        self.lines += ["[probe]", "pin = toolhead:PB6", "======================="]
        rate_hz = _RATES_HZ["mcu"]
        self.lines.append("MCU 'mcu' config: CLOCK_FREQ=%d MCU=stm32f446xx" % (rate_hz,))
        self.lines.append(
            "multi_mcu_resync: axis z has stepper_z on z0, stepper_z1 on z1; ferror 1"
        )
        self._started_s = self.time_s
        self._counts = {name: self._first_counts() for name in _RATES_HZ}

    def _first_counts(self) -> Dict[str, int]:
        count = self.rng.randrange(1000, 9000)
        return {"write": count, "read": 2 * count, "retransmit": 9, "invalid": 0, "seq": 100}

    def run(self, seconds: int) -> None:
        """Klippy prints its Stats."""
        for _ in range(seconds):
            self.time_s += 1.0
            # Heated by what it drives, in a quarter of an hour or so
            warmth = 3.0 * min(1.0, (self.time_s - self._started_s) / 900.0)
            drawn = {name: self._mcu(name, warmth) for name in _RATES_HZ}
            self.lines.append(stats(self.time_s, *drawn.values()))

    def _mcu(self, name: str, warmth_ppm: float) -> str:
        rng, counts = self.rng, self._counts[name]
        sent = rng.randrange(100, 3000)
        counts["write"] += sent
        counts["read"] += rng.randrange(100, 3000)
        counts["seq"] += sent // 20
        if rng.random() < self.lost_share[name]:
            counts["retransmit"] += rng.randrange(10, 200)
        if rng.random() < self.noise_share[name]:
            counts["invalid"] += rng.randrange(1, 64)
        age_s = self.time_s - self._started_s
        drift_ppm = self.drift_ppm_per_s[name] * age_s
        learning_ppm = 200.0 * 2.0 ** (-age_s / 3.0)
        ppm = self.error_ppm[name] + warmth_ppm + learning_ppm + drift_ppm
        freq = _RATES_HZ[name] * (1.0 + ppm * 1e-6)
        adj = None
        if name != "mcu":
            main_ppm = self.error_ppm["mcu"] + warmth_ppm + learning_ppm
            # What Klippy's estimate is behind by, and noise of it
            offset_us = rng.gauss(0.0, 15.0) + 120.0 * self.drift_ppm_per_s[name]
            adj = freq / (1.0 + main_ppm * 1e-6) * (1.0 + offset_us / 4e6)
        srtt_s = self.srtt_s * rng.uniform(0.5, 1.5) + self.slow_s[name] * rng.uniform(0.7, 1.4)
        return stats_mcu(name, srtt_s, round(freq), None if adj is None else round(adj), **counts)

    def _latency_s(self, name: str) -> float:
        usual_s = self.latency_s[name]
        factor = {
            "even": self.rng.uniform(0.6, 1.4),
            "bell": max(0.1, self.rng.gauss(1.0, 0.2)),
            "steep": 0.6 + min(1.2, self.rng.expovariate(3.0)),
        }[self.jitter]
        return usual_s * factor + self.late_s[name]

    def move(self, error: str = "", extra_s: float = 0.0, triggered: bool = True) -> None:
        """A homing move; extra_s is what z1 is late by beside the rest."""
        fields = []
        for stepper, name in (("stepper_z", "z0"), ("stepper_z1", "z1")):
            latency_s = self._latency_s(name) + extra_s * (name == "z1")
            steps = round(self.speed_mm_s * latency_s / STEP_MM)
            way_mm = steps * STEP_MM
            fields.append("%s=%s,%+d,%+.6f,%+d,+0.000000" % (stepper, name, steps, way_mm, steps))
        self.lines.append(
            "multi_mcu_resync: rail=stepper_z endstop=probe triggered=%d direction=-1 speed=%.6f"
            " target=1.002500 corrected=%d %s%s"
            % (
                triggered,
                self.speed_mm_s,
                not error,
                " ".join(fields),
                " error=%s" % (error,) if error else "",
            )
        )

    def fail(self, error: str, macros: int = 0) -> None:
        """A homing move fails; Klippy repeats the error for each macro around it."""
        self.move(error)
        self.lines += ["multi_mcu_resync: %s" % (error,)] * (1 + macros)

    def probe(self, moves: int) -> None:
        """Home or probe so many times."""
        for _ in range(moves):
            self.move()
            self.run(1)

    def text(self) -> str:
        """The log."""
        return "\n".join(self.lines) + "\n"


def good(seed: int) -> PrinterLog:
    """The log of a printer with which nothing is wrong."""
    log = PrinterLog(seed)
    for _ in range(log.rng.randrange(1, 3)):
        log.start()
        log.run(log.rng.randrange(5, 60))
        log.probe(log.rng.randrange(0, 60))
        if log.rng.random() < 0.3:
            log._counts["z1"]["retransmit"] += 64
        if log.rng.random() < 0.3:
            log.lines.append("Transition to shutdown state: Shutdown due to M112 command")
            log.lines.append("MCU 'z1' shutdown: Command request")
        log.run(log.rng.randrange(5, 100))
    return log


def _log_with(change: Callable[[PrinterLog], None]) -> Callable[[int], PrinterLog]:
    def make(seed: int) -> PrinterLog:
        log = PrinterLog(seed)
        log.start()
        change(log)
        log.run(60)
        log.probe(30)
        return log

    return make


def _log_then(*lines: str) -> Callable[[int], PrinterLog]:
    def make(seed: int) -> PrinterLog:
        log = good(seed)
        log.lines += lines
        log.run(3)
        return log

    return make


def _late_moves(count: int) -> Callable[[int], PrinterLog]:
    def make(seed: int) -> PrinterLog:
        log = PrinterLog(seed)
        log.start()
        log.run(5)
        late = set(log.rng.sample(range(51), count))
        for i in range(51):
            # 8 steps of what is usual at most, and never less than 2 ms
            log.move(extra_s=(0.008 if i in late else 0.0))
            log.run(1)
        return log

    return make


FERROR = (
    "stepper 'stepper_z1' on MCU 'z1' has a following error of %.6f mm, more than 1.0 mm at 5 mm/s"
)
CORRECTION = (
    "stepper 'stepper_z1' needs a correction of 2.500000 mm, more than max_correction 2.000000:"
    " nothing was corrected, check the link to its MCU"
)
COUNTED = "stepper_z1 on z1: counted 4711, expected 4720, error -0.022500 mm, limit 0.000000 mm"
STUCK = "pin 'z1:PB6' reads triggered before the move: it is inverted or stuck"


def _failed(error: str, then_homes: bool) -> Callable[[int], PrinterLog]:
    def make(seed: int) -> PrinterLog:
        log = good(seed)
        for _ in range(2):
            log.fail(error, log.rng.randrange(3))
            log.run(3)
        if then_homes:
            log.probe(3)
        return log

    return make


def _set(attribute: str, name: str, value: float) -> Callable[[PrinterLog], None]:
    return lambda log: getattr(log, attribute).update({name: value})


OUT = "An axis was left out of step"
_FERROR = "stepper '...' on MCU '...' has a following error of ... mm, more than ... mm at ... mm/s"
_CORRECTION = (
    "stepper '...' needs a correction of ... mm, more than max_correction ...: nothing was"
    " corrected, check the link to its MCU"
)
_COUNTED = "... on ...: counted ..., expected ..., error ... mm, limit ... mm"
_STUCK = "pin '...' reads triggered before the move: it is inverted or stuck"
_LOST = "An MCU was lost"
_SHUTDOWN = "The printer was shut down"
# A kind of bad log, and exactly what the report has to find in it
BAD = {
    "one late move": (_late_moves(1), {"Some moves overshot far more than the others"}),
    "many late moves": (_late_moves(4), {"Some moves overshot far more than the others"}),
    "following error": (_failed(FERROR % (1.5,), True), {_FERROR}),
    "following error at the end": (_failed(FERROR % (1.5,), False), {_FERROR, OUT}),
    "correction too long": (_failed(CORRECTION, True), {_CORRECTION}),
    "count is off": (_log_then("multi_mcu_resync: " + COUNTED), {_COUNTED, OUT}),
    "stuck pin": (_failed(STUCK, True), {_STUCK}),
    "lost blocks": (
        _log_with(_set("lost_share", "z1", 0.1)),
        {"Messages to an MCU had to be repeated"},
    ),
    "noise": (_log_with(_set("noise_share", "z0", 0.2)), {"Messages from an MCU came damaged"}),
    "slow link": (_log_with(_set("slow_s", "z1", 0.012)), {"The link to an MCU is slow"}),
    "late board": (
        _log_with(_set("late_s", "z1", 0.012)),
        {"A stepper stops late in every move"},
    ),
    "clock that drifts": (
        _log_with(_set("drift_ppm_per_s", "z1", 4.0)),
        {"The clock of an MCU drifts"},
    ),
    "shutdown": (_log_then("MCU 'z1' shutdown: Timer too close"), {_SHUTDOWN}),
    "lost board": (
        _log_then(
            "Timeout with MCU 'z1' (eventtime=98.765432)",
            "Transition to shutdown state: Lost communication with MCU 'z1'",
        ),
        {_LOST, _SHUTDOWN},
    ),
    "silence while homing": (
        _log_then("Communication timeout during homing z"),
        {"A board heard nothing while homing"},
    ),
    "full CAN queue": (
        _log_then("Got error -1 in can write: (105)No buffer space available"),
        {"Messages to the CAN bus were thrown away"},
    ),
    "no trigger": (
        _log_then("No trigger on probe after full movement"),
        {"An endstop did not trigger"},
    ),
    "trigger too early": (
        _log_then("Probe triggered prior to movement"),
        {"An endstop was triggered too early"},
    ),
    "levelling in vain": (
        _log_then("Retries aborting: Probed points range is increasing."),
        {"Levelling was given up"},
    ),
    "internal error": (
        _log_then('Internal error on command:"G28"'),
        {"The host had an internal error"},
    ),
}
