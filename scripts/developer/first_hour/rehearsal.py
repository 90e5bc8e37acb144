# One rehearsal: the owner's trial, a real Moonraker, a host, and a virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
import random
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from printer_config import mcus
from printer_config.config import Config
from scripts.developer import moonraker
from scripts.developer.first_hour.owner import Owner
from scripts.developer.first_hour.printers import Rehearsal
from scripts.developer.first_hour.witness import Witness
from scripts.owner.first_hour import command
from scripts.owner.first_hour.console import Console
from scripts.owner.first_hour.errors import TrialError
from scripts.owner.first_hour.moonraker import Moonraker, Place
from scripts.owner.first_hour.printer import Printer
from scripts.owner.first_hour.progress import Progress
from scripts.owner.first_hour.rows import STOP, Row
from virtual_printer import hosts, process
from virtual_printer.session import Session

# How often a loose cable loses a message (s)
_LOSE_EVERY_S = (0.5, 3.0)
# How fast the clock of an oscillator without a quartz drifts (ppm/s), how far (ppm), and in which
# steps (s)
_DRIFT_PPM_PER_S, _MOST_DRIFT_PPM, _DRIFT_EVERY_S = (15.0, 30.0), 300.0, 0.2
_MOST_MINUTES = 12.0
# How long a power loss lasts (s), and how often Moonraker is asked then
_DARK_S, _MOST_LOOKS = 1.0, 60
# What Klippy answers without moving anything takes it no time
_QUICK = moonraker.Pace(0.01, 0.004)


class Result(NamedTuple):
    """What a rehearsal came to; error is empty if the trial came to an end by itself."""

    rows: List[Row]
    done: List[str]
    error: str
    damage: List[str]
    figures: Dict[str, Any]
    minutes: float

    def stop(self) -> Optional[Row]:
        """Where the trial stopped the printer."""
        return next((row for row in self.rows if row.verdict == STOP), None)

    def faults(self, printer: Rehearsal) -> List[str]:
        """What was not as it had to be."""
        found = list(self.damage)
        if self.error:
            found.append("the trial could not go on: %s" % (self.error,))
        if self.minutes > _MOST_MINUTES:
            found.append("it took %.1f minutes" % (self.minutes,))
        stop, expected = self.stop(), printer.expected
        if expected is None and stop is not None:
            found.append("a good printer was stopped at '%s': %s" % (stop.step, stop.what))
        if expected is not None:
            if stop is None:
                found.append("a bad printer was not stopped")
            elif stop.step != expected.step or stop.reason not in expected.reasons:
                found.append("stopped at '%s' for %s" % (stop.step, stop.reason))
        return found


class _Pumped(Moonraker):
    """A client that has virtual time pass while it waits."""

    def __init__(self, server: moonraker.Moonraker, pace: Callable[[], moonraker.Pace]) -> None:
        super().__init__(Place(False, "127.0.0.1", server.port, ""), lambda: "")
        self._server = server
        self._pace = pace

    def pause(self, seconds: float) -> None:
        """Let virtual time pass, and leave Moonraker some of its own."""
        self._server.pass_time(seconds)
        time.sleep(seconds * moonraker.PAUSE_REAL_S / moonraker.STEP_S)

    def _exchange(
        self, method: str, path: str, query: Dict[str, str], timeout_s: Optional[float]
    ) -> Tuple[int, bytes]:
        exchange = super()._exchange
        pace = self._pace if timeout_s is None else lambda: _QUICK
        # An exchange in real time may take longer than it would on an idle computer
        return self._server.while_time_passes(lambda: exchange(method, path, query, None), pace)


class _Nuisance:
    """What goes wrong now and again, as long as the printer runs."""

    def __init__(self, session: Session, printer: Rehearsal, seed: int) -> None:
        self._session = session
        self._loose = printer.loose
        self._drifting = printer.drifting
        self._drift_ppm = 0.0
        self._rng = random.Random(seed)
        self._slope_ppm_per_s = self._rng.uniform(*_DRIFT_PPM_PER_S)

    def begin(self) -> None:
        """Have the first thing go wrong, and others later on."""
        if self._loose:
            self._lose()
        if self._drifting:
            self._drift()

    def _lose(self) -> None:
        what = self._rng.choice(("drop", "corrupt")), self._rng.choice(("to_mcu", "to_host"))
        self._session.control("link %s %s=1 direction=%s" % (self._loose, *what))
        pause_s = self._rng.uniform(*_LOSE_EVERY_S)
        self._session.call_at(self._session.now_s() + pause_s, self._lose)

    def _drift(self) -> None:
        """Up and down."""
        if abs(self._drift_ppm) > _MOST_DRIFT_PPM:
            self._slope_ppm_per_s = -math.copysign(self._slope_ppm_per_s, self._drift_ppm)
        self._drift_ppm += self._slope_ppm_per_s * _DRIFT_EVERY_S
        self._session.control("clock %s drift_ppm=%.3f" % (self._drifting, self._drift_ppm))
        self._session.call_at(self._session.now_s() + _DRIFT_EVERY_S, self._drift)


def rehearse(
    printer: Rehearsal,
    host: hosts.Host,
    seed: int,
    folder: Path,
    say: Callable[[str], None],
    probe_count: int = command.PROBES,
) -> Result:
    """Run the trial on a printer, with its files in a folder; raises SessionError."""
    truth = Config("truth")
    truth.add(printer.true_cfg.splitlines(), "truth")
    bundle = folder / "bundle"
    bundle.mkdir(parents=True)
    with Session(host, printer.true_cfg, printer.machine_cfg, seed=seed) as session:
        # The machine is there; now comes what its owner has written
        session.write(str(process.CONFIG), printer.printer_cfg)
        session.restart("FIRMWARE_RESTART", ready=False)
        owner, witness = Owner(session, printer, seed), Witness(session, truth)
        owner.hold_stuck()
        _Nuisance(session, printer, seed).begin()

        def tick() -> None:
            owner.tick()
            witness.tick()

        began_s = session.now_s()
        with moonraker.Moonraker(session, folder / "moonraker", tick) as server:
            client = _Pumped(server, lambda: owner.pace)
            found = _OnThisComputer(client, session)

            def conduct(anew: bool) -> str:
                try:
                    command.conduct(found, Console(owner.read, say), bundle, anew, probe_count)
                except TrialError as e:
                    return str(e)
                return ""

            error = conduct(True)
            if owner.has_lost_power:
                _lose_power(session, mcus.sections(truth), client)
                error = conduct(False)
        progress = Progress(bundle / command.STATE)
        progress.load()
        minutes = (session.now_s() - began_s - owner.away_s) / 60.0
        figures = {**progress.figures, **witness.figures()}
        return Result(progress.rows, progress.done, error, witness.damage(), figures, minutes)


def _lose_power(session: Session, boards: Iterable[str], client: Moonraker) -> None:
    """All boards are without power for a moment, and Klippy starts anew; raises TrialError."""
    for name in boards:
        session.control("mcu %s reboot" % (name,))
    session.sleep(_DARK_S)
    client.post("/printer/firmware_restart")
    printer = Printer(client)
    for _ in range(_MOST_LOOKS):
        client.pause(1.0)
        try:
            return printer.require_ready()
        except TrialError:
            # Moonraker has not seen it yet
            continue
    printer.require_ready()


class _OnThisComputer(Printer):
    """Klippy calls its log by a name without a path, which Moonraker cannot serve."""

    def __init__(self, moonraker: Moonraker, session: Session) -> None:
        super().__init__(moonraker)
        self._session = session

    def log(self) -> bytes:
        """klippy.log so far."""
        return self._session.log().encode()
