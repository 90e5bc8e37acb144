# One run of the fault campaign: a random printer, random G-code and one fault
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
import re
from typing import Any, Callable, Dict, List, Optional, Sequence

from scripts.developer.faults.aim import Aim
from scripts.developer.faults.judge import ROUNDING_MM, Claim, RailJudge, Step
from scripts.developer.faults.kinds import Kind, draw_kind
from scripts.developer.faults.outcome import Outcome, kind_of, tracebacks
from scripts.developer.faults.random_printers import (
    Rail,
    RandomPrinter,
    draw_printer,
    draw_printer_with_two_carriages,
)
from scripts.developer.faults.random_scripts import HOST_CHECK, LEVELLERS, Command, accept_axis
from scripts.developer.faults.witness import LEVEL_LINE, SECTION, Witness
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
# What stock Klipper says too if a link is slow while it homes
HOST_TIMEOUT = "Communication timeout during homing"
# The longest fault that ends by itself
FAULT_OVER_S = 8.0
# If a link was slow while the host connected, it has an MCU's clock wrong by some hundred ppm
# for half a minute more, and homing may time out
CLOCKS_KNOWN_S = 120.0
# Why it is not known whether an axis is in sync when one motor alone was switched off
MOTOR_OFF = "the motor of"
# The MCUs that are lost by faults, in the story of a run
DISCONNECTED = re.compile(r"FAULT: mcu (\S+) disconnect")
ANSWERED_BADLY = re.compile(r"FAULT: reply (\S+) ")
# What the host asks an MCU by, or passes through; it waits for ever for the answer of a lost
# one, also on a printer without the extra and with all of an axis on one MCU
PASSED = (
    "reactor.py",
    "serialhdl.py",
    "mcu.py",
    "stepper.py",
    "resync/homing/endstop_watch.py:watched",
    "resync/host/stand_in.py:take",
)
OWN = "resync"
# What the extra itself says when something is wrong
OWN_ERRORS = ("multi_mcu_resync", "not in sync", "RESYNC")
TWO_CARRIAGES_PART = 0.35
NO_COMMAND = Command("")


def draw_random_printer(name: str, kind: Kind, rng: random.Random) -> RandomPrinter:
    """The printer of a run, with its G-code."""
    if name == "lone_motions" and rng.random() < TWO_CARRIAGES_PART:
        return draw_printer_with_two_carriages(rng, kind.options)
    is_tight = name == "correction_over_limit"
    return draw_printer(rng, is_tight, kind.options, kind.draw_script, kind.sections)


def run_seed(seed: int, host: str, show: Optional[Callable[[str], None]] = None) -> Outcome:
    """Do the run of a seed."""
    outcome = Outcome(seed, kind_of(seed))
    rng = random.Random(seed)
    kind = draw_kind(outcome.kind, rng)
    printer = draw_random_printer(outcome.kind, kind, rng)
    if outcome.kind == "correction_over_limit" and len(printer.rails) > 1:
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
        if show is not None:
            show(line)

    try:
        with session:
            aim = Aim(session, printer, kind, rng, say)
            run = Run(session, printer, kind, aim, outcome, say)
            try:
                run.execute()
            finally:
                outcome.has_struck = aim.has_struck or outcome.kind == "none"
                outcome.wrong_steps = aim.wrong_steps
                outcome.steps_in_travel_direction = aim.wrong_step_count
                outcome.tracebacks = tracebacks(session.log())
                if show is not None:
                    show(session.log())
    except SessionError as e:
        outcome.hangs.append(str(e))
    return outcome


class Run:
    """Drives a printer through its script and compares what is claimed with the truth."""

    def __init__(
        self,
        session: Session,
        printer: RandomPrinter,
        kind: Kind,
        aim: Aim,
        outcome: Outcome,
        say: Callable[[str], None],
    ) -> None:
        self._session, self._printer, self._kind, self._aim = session, printer, kind, aim
        self._outcome, self._say = outcome, say
        self._witness = Witness(session, printer, aim)
        self._judges: Dict[str, RailJudge] = {}
        # Axes that commands have moved alone or switched off, until all is well again
        self._disturbed: Dict[str, bool] = {}
        # Stock Klipper has given up a homing move as well
        self._host_gave_up = False
        # The owner has said where the toolhead is
        self._is_placed = False
        # A command will never return
        self.is_waiting = False
        aim.console = self._note_console

    def execute(self) -> None:
        """Run the script until some commands after the fault."""
        self._begin_judging()
        left = len(self._printer.script) if self._kind.runs_to_end else COMMANDS_AFTER_FAULT
        for number, command in enumerate(self._printer.script):
            self._aim.before_command(number)
            error = self._do(command)
            if error and not self._aim.has_struck:
                self._outcome.others.append("error without a fault: %s" % (error,))
                break
            if not self._is_ready() and not self._comes_back():
                return
            if self._aim.has_struck:
                left -= 1
                if left < 0:
                    break
        if self._kind.loses_mcu:
            self._session.sleep(LOSS_NOTICED_S)
            if not self._is_ready() and not self._comes_back():
                return
        self._outcome.ended = self._outcome.ended or "ready"
        self._look(is_excused=self._is_excused())
        self._recover()

    def _do(self, command: Command) -> str:
        """Run a command and judge what is claimed after it; returns its error, or nothing."""
        self._say("> " + command.gcode.replace("\n", " | "))
        self._is_placed |= command.gcode.startswith("SET_KINEMATIC_POSITION")
        if command.gcode == "G28":
            self._is_placed = False
        error = self._gcode(command.gcode + "\nM400")
        self._aim.after_command()
        if error and not self.is_waiting:
            # Something may move all the same
            self._gcode("M400", is_judged=False)
        self._session.sleep(SETTLE_S)
        self._outcome.has_failed |= bool(error)
        if self._is_ready():
            self._look(command, has_failed=bool(error))
            self._check_moves()
        return error

    def _gcode(self, script: str, is_judged: bool = True) -> str:
        """Run G-code; returns what it failed with, or nothing."""
        try:
            self._session.gcode(script, COMMAND_TIMEOUT_S)
        except GCodeError as e:
            error = str(e).replace("\n", " / ")
            self._say("  !! " + error)
            if is_judged:
                self._note_error(error)
            return error
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
                return str(next(call for call in stack if not call.startswith(PASSED)))
        return ""

    # What may be said

    def _is_excused(self, axis: str = "") -> bool:
        """Whether a fault may have put an axis, or any of them, out of step."""
        if self._kind.is_by_command:
            return bool(self._disturbed.get(axis) if axis else any(self._disturbed.values()))
        if self._kind.is_noise:
            return self._host_gave_up
        return self._aim.has_struck

    def _note_error(self, error: str) -> None:
        if HOST_TIMEOUT in error:
            self._host_gave_up = True
        elif not self._is_excused() and any(word in error for word in OWN_ERRORS):
            self._outcome.false_alarms.append(error)
        elif self._kind.is_noise and self._aim.has_struck and not self._host_gave_up:
            self._outcome.others.append("error by noise: %s" % (error,))

    def _note_console(self, line: str) -> None:
        """What the extra says by itself; that an axis is to be levelled is a claim of its own."""
        is_own = line.startswith(("// %s" % (SECTION,), "!! %s" % (SECTION,)))
        if not is_own or LEVEL_LINE.search(line):
            return
        if not self._is_excused() and line[3:] not in self._outcome.false_alarms:
            self._outcome.false_alarms.append(line[3:])

    # Claims and truth

    def _is_ready(self) -> bool:
        return self._session.state() == "ready"

    def _compare_words(self) -> None:
        """The console has to say what the status says."""
        # Something may happen between the two, but hardly twice
        for _ in range(2):
            said = self._witness.said()
            expected = {
                axis: Claim(claim.in_sync, claim.in_sync is True and claim.level_needed)
                for axis, claim in self._witness.claims().items()
            }
            if all(said.get(axis) == claim for axis, claim in expected.items()):
                return
        self._outcome.others.append("QUERY_RESYNC and status differ: %s, %s" % (said, expected))

    def _begin_judging(self) -> None:
        offsets_mm, claims = self._witness.offsets_mm(), self._witness.claims()
        for rail in self._printer.rails:
            mine_mm = {name: offsets_mm[name] for name in rail.steppers}
            self._judges[rail.axis] = RailJudge(
                rail.axis, rail.step_mm, mine_mm, claims[rail.axis], rail.has_own_endstops
            )

    def _look(
        self, done: Command = NO_COMMAND, has_failed: bool = False, is_excused: bool = False
    ) -> None:
        """Compare claim and truth of each rail after what was done."""
        try:
            offsets_mm, claims = self._witness.offsets_mm(), self._witness.claims()
            self._compare_words()
        except GCodeError:
            # Shut down meanwhile
            return
        for rail in self._printer.rails:
            mine_mm = {name: offsets_mm[name] for name in rail.steppers}
            step = Step(
                done.levels and self._printer.levels(rail) and not has_failed,
                done.accepts(rail.axis) and not has_failed,
                is_excused,
            )
            may_disturb = done.strikes and "FORCE_MOVE" in done.gcode
            if not self._look_at(rail, mine_mm, claims[rail.axis], step, may_disturb):
                return

    def _look_at(
        self,
        rail: Rail,
        offsets_mm: Dict[str, float],
        claim: Claim,
        step: Step,
        may_disturb: bool,
    ) -> bool:
        """Compare claim and truth of a rail; returns whether this has not taken time."""
        judge = self._judges[rail.axis]
        if self._kind.loses_mcu and judge.hidden_skew_mm(offsets_mm, claim, step):
            # The host cannot know before it misses the MCU
            self._say("  %s: %s, not noticed yet" % (rail.axis, claim))
            self._session.sleep(LOSS_NOTICED_S)
            if not self._is_ready():
                return False
            claim = self._witness.claims()[rail.axis]
        moved_mm = judge.moved_mm(offsets_mm)
        if (may_disturb and moved_mm > ROUNDING_MM) or self._witness.motors_off(rail):
            self._disturbed[rail.axis] = True
        self._say(
            "  %s: moved apart %.6f mm, in sync: %s, level needed: %s %s"
            % (rail.axis, moved_mm, *claim)
        )
        self._outcome.was_out_of_sync |= claim.in_sync is False
        step = step._replace(is_excused=step.is_excused or self._is_excused(rail.axis))
        verdict = judge.judge(offsets_mm, claim, step)
        for found, texts in (
            (verdict.silent_skew, self._outcome.silent_skews),
            (verdict.false_alarm, self._outcome.false_alarms),
            (verdict.other, self._outcome.others),
        ):
            if found:
                self._say("  WRONG: " + found)
                texts.append(found)
        if claim.in_sync is True and not claim.level_needed:
            self._disturbed[rail.axis] = False
        return True

    def _check_moves(self) -> None:
        """A rail that is not in sync is not to be moved."""
        for rail in self._printer.rails:
            axis, judge = rail.axis, self._judges[rail.axis]
            claim = judge.claim.in_sync
            if claim is True or axis not in "xyz" or not self._is_ready():
                continue
            is_by_owner = self._is_placed or self._witness.reason(rail).startswith(MOTOR_OFF)
            is_by_owner |= rail.has_own_endstops
            if (claim is None and is_by_owner) or (not self._printer.can_level and axis == "x"):
                # Nobody but the owner says that it is homed, or he lets one motor go, which
                # leaves it homed, to square the axis, or has endstops that square it; which
                # carriage x is, is unknown
                continue
            before = self._session.stepper_truth()
            error = self._gcode("G91\nG1 %s-0.5 F300\nM400" % (axis.upper(),), is_judged=False)
            self._gcode("G90", is_judged=False)
            if error and "ust home" in error:
                continue
            self._session.sleep(SETTLE_S)
            after = self._session.stepper_truth()
            steppers = self._printer.rail(axis).steppers
            has_moved = any(before[name] != after[name] for name in steppers)
            if not error or has_moved:
                self._outcome.silent_skews.append(
                    "%s was moved though in sync is %s" % (axis, claim)
                )

    # After the fault

    def _recover(self) -> None:
        """Get back in step as a user would; what is claimed then has to be true as well."""
        if any(judge.claim.in_sync is False for judge in self._judges.values()):
            self._do(Command("RESYNC"))
        is_well = all(not judge.still_reported(judge.claim) for judge in self._judges.values())
        if self._is_ready() and (self._outcome.has_failed or not is_well):
            self._session.sleep(FAULT_OVER_S)
            if not self._home_and_level():
                return
        if not self._is_ready():
            self._judge_shutdown()
            return
        error = self._gcode(HOST_CHECK, is_judged=False)
        if error and all(judge.claim.in_sync for judge in self._judges.values()):
            self._outcome.false_alarms.append("after all was put right: %s" % (error,))

    def _home_and_level(self) -> bool:
        """Do all that makes known what is unknown; returns whether that could be done."""
        commands = [Command("G28")]
        if self._printer.can_level:
            is_quad = "quad_gantry_level" in self._printer.printer_cfg
            commands.append(Command(LEVELLERS[0 if is_quad else 1]))
        if not self._do_all(commands):
            return False
        rails = self._printer.rails
        self._check_nothing_reported([rail for rail in rails if self._printer.levels(rail)])
        others = [rail.axis for rail in rails if not self._printer.levels(rail)]
        # There is no other way to settle what nothing levels
        if not self._do_all([accept_axis(axis) for axis in others]):
            return False
        self._check_nothing_reported(rails)
        return True

    def _do_all(self, commands: Sequence[Command]) -> bool:
        """Run commands as long as each succeeds; returns whether all did."""
        for command in commands:
            error = self._do(command)
            if not self._is_ready():
                self._judge_shutdown()
                return False
            if error:
                if not any(text in error for text in STANDS_TOO_FAR):
                    self._outcome.others.append("after the fault: %s" % (error,))
                return False
        return True

    def _check_nothing_reported(self, rails: Sequence[Rail]) -> None:
        for rail in rails:
            judge = self._judges[rail.axis]
            found = judge.still_reported(judge.claim)
            if found and "homed and levelled, " + found not in self._outcome.false_alarms:
                self._outcome.false_alarms.append("homed and levelled, " + found)

    # After a shutdown

    def _comes_back(self) -> bool:
        """Judge a shutdown and restart; returns whether the script can go on."""
        self._outcome.ended = self._session.state()
        self._judge_shutdown()
        self._check_nothing_claimed("shut down")
        if self.is_waiting:
            # Only a new process helps
            self._outcome.ended = "shutdown, command waits"
            return False
        if self._kind.loses_mcu:
            self._reconnect()
        self._session.restart("FIRMWARE_RESTART")
        self._say("  restarted")
        self._check_nothing_claimed("restarted")
        homed = self._witness.homed()
        if homed:
            self._outcome.silent_skews.append("homed after a restart: %s" % (homed,))
        self._look(is_excused=True)
        return self._kind.runs_to_end or self._home_and_level_and_end()

    def _home_and_level_and_end(self) -> bool:
        self._session.sleep(CLOCKS_KNOWN_S)
        self._home_and_level()
        return False

    def _judge_shutdown(self) -> None:
        """A printer is to shut down only where stock Klipper would have, or its owner wants it."""
        message = self._session.state_message().split("\n")[0]
        self._say("  shut down: %s" % (message,))
        if SECTION in message:
            is_meant = self._printer.shuts_down or self._kind.extra_shuts_down
            is_needless = not (is_meant and self._is_excused())
        else:
            is_internal = "Internal error" in message
            is_needless = is_internal or not self._kind.shuts_down or not self._aim.has_struck
        if is_needless:
            self._outcome.needless_shutdowns.append(message)

    def _reconnect(self) -> None:
        """Bring back the MCUs that the faults have taken from the host."""
        story = "\n".join(self._outcome.story)
        for name in dict.fromkeys(DISCONNECTED.findall(story)):
            self._session.control("mcu %s reconnect" % (name,))
        # A malformed reply ends the host's thread that reads from this MCU, so that it
        # cannot be reset but at its own switch
        for name in dict.fromkeys(ANSWERED_BADLY.findall(story)):
            self._session.control("mcu %s reboot" % (name,))

    def _check_nothing_claimed(self, when: str) -> None:
        claims: Dict[str, Any] = self._session.status(SECTION).get("in_sync", {})
        claimed: List[str] = [axis for axis, claim in claims.items() if claim is True]
        for axis in claimed:
            self._outcome.silent_skews.append("%s is claimed in sync when %s" % (axis, when))
