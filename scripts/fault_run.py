# One run of the fault campaign: a random printer, random G-code and one fault
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from typing import Any, Callable, Dict, Optional

from fault_aim import Aim
from fault_kinds import KINDS
from fault_outcome import Outcome, kind_of, tracebacks
from random_printers import Rail, RandomPrinter, draw_printer

from virtual_printer.session import GCodeError, Session, SessionError

REAL_TIMEOUT_S = 60.0
SETTLE_S = 0.5
# Klipper misses an MCU only after this time (s)
LOSS_NOTICED_S = 10.0
COMMANDS_AFTER_FAULT = 2
# The longest command takes half of it (virtual s)
COMMAND_TIMEOUT_S = 300.0
# Without a trigger the carriage has gone past the endstop
STANDS_TOO_FAR = ("still triggered after retract", "triggered prior to movement")
# The longest fault that ends by itself
FAULT_OVER_S = 8.0
# What the host asks an MCU by, or passes through; it waits for ever for the answer of a lost
# one, also on a printer without the extra and with all of an axis on one MCU
PASSED = ("reactor.py", "serialhdl.py", "mcu.py", "stepper.py", "resync/event.py:watched")
OWN = "resync"
# A commanded position is told to six digits
ROUNDING_MM = 2e-6


def run_seed(seed: int, host: str, tell: Optional[Callable[[str], None]] = None) -> Outcome:
    """Do the run of a seed."""
    outcome = Outcome(seed, kind_of(seed))
    rng = random.Random(seed)
    kind, is_tight = KINDS[outcome.kind], outcome.kind == "correction_over_limit"
    printer = draw_printer(rng, is_tight, kind.options)
    if is_tight and len(printer.rails) > 1:
        # The limits are tight for the fastest axis only
        kind = kind._replace(axes="xy")
    session = Session(
        host,
        printer.printer_cfg,
        printer.machine_cfg,
        seed=seed,
        latency_us=printer.latency_us,
        real_timeout_s=REAL_TIMEOUT_S,
    )

    def say(text: str) -> None:
        line = "%10.6f %s" % (session.now_s(), text)
        outcome.story.append(line)
        if tell is not None:
            tell(line)

    try:
        with session:
            aim = Aim(session, printer, kind, rng, say)
            run = Run(session, printer, aim, outcome, say)
            try:
                run.execute()
            finally:
                outcome.has_struck = aim.has_struck or outcome.kind == "none"
                outcome.wrong_steps = aim.wrong_steps
                outcome.steps_in_travel_direction = aim.wrong_step_count
                outcome.tracebacks = tracebacks(session.log())
                if tell is not None:
                    tell(session.log())
    except SessionError as e:
        outcome.hangs.append(str(e))
    return outcome


class Run:
    """Drives a printer through its script and compares what is claimed with the truth."""

    def __init__(
        self,
        session: Session,
        printer: RandomPrinter,
        aim: Aim,
        outcome: Outcome,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._printer, self._aim = session, printer, aim
        self._outcome, self._say = outcome, say
        self._kind = KINDS[outcome.kind]
        self._reference_mm: Dict[str, float] = {}
        # A command will never return
        self.is_waiting = False

    def execute(self) -> None:
        """Run the script until some commands after the fault."""
        self._reference_mm = self._offsets_mm()
        left = COMMANDS_AFTER_FAULT
        for number, command in enumerate(self._printer.script):
            self._aim.before_command(number)
            self._say("> " + command.gcode.replace("\n", " | "))
            error = self._gcode(command.gcode + "\nM400")
            self._aim.after_command()
            if error and not self.is_waiting:
                # Something may move all the same
                self._gcode("M400")
            self._session.sleep(SETTLE_S)
            self._outcome.has_failed |= bool(error)
            if error and not self._aim.has_struck:
                self._outcome.others.append("error without a fault: %s" % (error,))
                break
            if not self._is_ready():
                break
            self._check()
            if self._aim.has_struck:
                left -= 1
                if left < 0:
                    break
        if self._kind.loses_mcu:
            self._session.sleep(LOSS_NOTICED_S)
        if self._is_ready():
            self._check()
            self._check_moves()
            self._outcome.ended = "ready"
            self._recover()
        else:
            self._outcome.ended = self._session.state()
            self._check_restart()

    def _gcode(self, script: str) -> str:
        """Run G-code; returns what it failed with, or nothing."""
        try:
            self._session.gcode(script, COMMAND_TIMEOUT_S)
        except GCodeError as e:
            self._say("  !! " + str(e).replace("\n", " / "))
            return str(e)
        except SessionError as e:
            asker = self._who_waits()
            if not self._kind.loses_mcu or not asker or OWN in asker:
                raise SessionError("%s, %s waits" % (e, asker)) from e
            self._say("  %s waits for ever for the lost MCU" % (asker,))
            self.is_waiting = True
            return str(e)
        return ""

    def _who_waits(self) -> str:
        """File and function that keeps the G-code waiting for an MCU's answer."""
        stacks = self._session.status("fault_watch")["stacks"]
        for stack in stacks:
            if any(call.startswith("serialhdl.py") for call in stack):
                self._say("  waits: " + " < ".join(stack))
        for stack in stacks:
            if "gcode.py:run_script" in stack and stack[0].startswith("reactor.py"):
                self._say("  G-code: " + " < ".join(stack))
                return next(call for call in stack if not call.startswith(PASSED))
        return ""

    def _is_ready(self) -> bool:
        return self._session.state() == "ready"

    def _offsets_mm(self) -> Dict[str, float]:
        """True minus commanded position of each stepper."""
        found = re.search(r"stepper: (.*)", "\n".join(self._session.gcode("GET_POSITION")))
        assert found is not None
        commanded_mm = dict(item.split(":") for item in found.group(1).split())
        truth = self._session.stepper_truth()
        return {n: truth[n].position_mm - float(p) for n, p in commanded_mm.items()}

    def _skew_mm(self, rail: Rail) -> float:
        """Skew that the rail has gained since the reference, apart from levelling."""
        offsets_mm = self._offsets_mm()
        gained_mm = [
            offsets_mm[name] - self._reference_mm[name] - self._aim.levelled_mm.get(name, 0.0)
            for name in rail.steppers
        ]
        return max(gained_mm) - min(gained_mm)

    def _claims(self) -> Dict[str, Any]:
        """Which rails the extra claims to be in sync, by axis."""
        status = self._session.status("multi_mcu_resync")
        if "in_sync" in status:
            return dict(status["in_sync"])
        homed = self._homed()
        return {rail.axis: rail.axis in homed or None for rail in self._printer.rails}

    def _homed(self) -> str:
        return str(self._session.status("toolhead", "homed_axes")["homed_axes"])

    def _check(self, is_last: bool = False) -> None:
        """Compare claim and truth of each rail."""
        for rail in self._printer.rails:
            try:
                skew_mm = self._skew_mm(rail)
            except GCodeError:
                # Shut down meanwhile
                return
            claim = self._claims().get(rail.axis)
            self._say("  %s: skew %.6f mm, in sync: %s" % (rail.axis, skew_mm, claim))
            self._outcome.was_out_of_sync |= claim is False
            if skew_mm <= rail.step_mm + ROUNDING_MM or claim is not True:
                continue
            if self._kind.loses_mcu and not is_last:
                # The host cannot know before it misses the MCU
                self._session.sleep(LOSS_NOTICED_S)
                if self._is_ready():
                    self._check(True)
                return
            self._outcome.silent_skews.append(
                "%s is claimed in sync with a skew of %.6f mm (step %.6f)"
                % (rail.axis, skew_mm, rail.step_mm)
            )

    def _check_moves(self) -> None:
        """A rail that is not in sync is not to be moved."""
        for rail in self._printer.rails:
            claim = self._claims().get(rail.axis)
            if claim is True or not self._is_ready():
                continue
            before = self._session.stepper_truth()
            error = self._gcode("G91\nG1 %s-0.5 F300\nG90\nM400" % (rail.axis.upper(),))
            self._session.sleep(SETTLE_S)
            after = self._session.stepper_truth()
            has_moved = any(before[name] != after[name] for name in rail.steppers)
            if not error or has_moved:
                self._outcome.silent_skews.append(
                    "%s was moved though in sync is %s" % (rail.axis, claim)
                )

    def _recover(self) -> None:
        """Get back in step as a user would; what is claimed then has to be true as well."""
        if any(claim is False for claim in self._claims().values()):
            self._gcode("RESYNC\nM400")
            self._session.sleep(SETTLE_S)
            self._check()
        if self._outcome.has_failed and self._is_ready():
            self._session.sleep(FAULT_OVER_S)
            error = self._gcode("G28\nM400")
            self._session.sleep(SETTLE_S)
            if error and not any(text in error for text in STANDS_TOO_FAR):
                self._outcome.others.append("homing fails after the fault: %s" % (error,))
        if not self._is_ready():
            return
        self._check()
        error = self._gcode("RESYNC_CHECK")
        if error and all(self._claims().values()):
            self._outcome.others.append("RESYNC_CHECK: %s" % (error,))

    def _check_restart(self) -> None:
        """After a shutdown nothing is in sync or homed, even after a restart."""
        message = self._session.state_message().split("\n")[0]
        self._say("  shut down: %s" % (message,))
        if not self._aim.has_struck:
            self._outcome.others.append("shutdown without a fault: %s" % (message,))
        self._check_nothing_claimed("shut down")
        if self.is_waiting:
            # Only a new process helps
            self._outcome.ended = "shutdown, command waits"
            return
        if self._kind.loses_mcu:
            for name in dict.fromkeys(
                mcu for rail in self._printer.rails for mcu in [*rail.mcus, self._printer.probe_mcu]
            ):
                self._reconnect(name)
        self._session.restart("FIRMWARE_RESTART")
        self._say("  restarted")
        self._check_nothing_claimed("restarted")
        if self._homed():
            self._outcome.silent_skews.append("homed after a restart: %s" % (self._homed(),))

    def _reconnect(self, mcu: str) -> None:
        if any("mcu %s disconnect" % (mcu,) in line for line in self._outcome.story):
            self._session.control("mcu %s reconnect" % (mcu,))
        if any("reply %s " % (mcu,) in line for line in self._outcome.story):
            # A malformed reply ends the host's thread that reads from this MCU, so that it
            # cannot be reset but at its own switch
            self._session.control("mcu %s reboot" % (mcu,))

    def _check_nothing_claimed(self, when: str) -> None:
        claims = self._session.status("multi_mcu_resync").get("in_sync", {})
        for axis, claim in claims.items():
            if claim is True:
                self._outcome.silent_skews.append("%s is claimed in sync when %s" % (axis, when))
