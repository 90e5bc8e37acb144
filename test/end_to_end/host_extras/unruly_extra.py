# An extra that does at homing events what others may do, when it is asked to
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import types
from types import SimpleNamespace

from .standin_sensor import host_module

BEGIN, END = "homing:homing_move_begin", "homing:homing_move_end"
LIFT_MM, LOWEST_MM, HIGHEST_MM = 2.0, -3.0, 200.0


def own_homing_move():
    """A class whose homing_move() is the host's, as it was before anybody has changed it."""
    host_class = host_module("extras.homing").HomingMove
    host = host_class.homing_move
    own = types.FunctionType(host.__code__, host.__globals__, host.__name__, host.__defaults__)
    return type("OwnHomingMove", (host_class,), {"homing_move": own})


class UnrulyExtra:
    """UNRULY AT=begin|first_end|end|now DO=<what> [TIMES=1] arms it for the next homing moves."""

    def __init__(self, config):
        self.printer = config.get_printer()
        self.gcode = self.printer.lookup_object("gcode")
        self.at, self.do, self.left, self.skip = "", "", 0, 0
        self.is_homing = False
        self.own_class = own_homing_move()
        self.gcode.register_command("UNRULY", self.cmd_UNRULY)
        self.gcode.register_command("UNRULY_PROBE", self.cmd_UNRULY_PROBE)
        self.printer.register_event_handler("klippy:ready", self._handle_ready)

    def cmd_UNRULY_PROBE(self, gcmd):
        """Probe by a homing move of a class of its own, of which only the events are known."""
        toolhead, probe = (self.printer.lookup_object(name) for name in ("toolhead", "probe"))
        x, y, _, e = toolhead.get_position()
        endstop = probe.mcu_probe
        if not hasattr(endstop, "get_steppers"):
            # Klipper since 2026-05-11 (after v0.13)
            endstop = endstop.mcu_endstop
        move = self.own_class(self.printer, [(endstop, "probe")])
        move.homing_move([x, y, LOWEST_MM, e], 5.0, probe_pos=True)

    def cmd_UNRULY(self, gcmd):
        self.at, self.do = gcmd.get("AT"), gcmd.get("DO")
        self.left, self.skip = gcmd.get_int("TIMES", 1), gcmd.get_int("SKIP", 0)
        if self.at == "now":
            self._act("now", SimpleNamespace(toolhead=self.printer.lookup_object("toolhead")))

    def _handle_ready(self):
        # After all others have registered theirs
        self.printer.get_reactor().register_callback(self._register)

    def _register(self, eventtime):
        handlers = self.printer.event_handlers
        handlers.setdefault(BEGIN, []).append(lambda homing_move: self._act("begin", homing_move))
        handlers.setdefault(END, []).insert(
            0, lambda homing_move: self._act("first_end", homing_move)
        )
        handlers[END].append(lambda homing_move: self._act("end", homing_move))

    def _act(self, at, homing_move):
        if at == self.at and self.left and not self.is_homing:
            if self.skip:
                self.skip -= 1
                return
            self.left -= 1
            self.is_homing = True
            try:
                getattr(self, "do_" + self.do)(homing_move)
            finally:
                self.is_homing = False

    def do_raise(self, homing_move):
        raise self.printer.command_error("unruly")

    def do_home_arm(self, homing_move):
        self.gcode.run_script_from_command(
            "MANUAL_STEPPER STEPPER=arm SET_POSITION=0 MOVE=2 STOP_ON_ENDSTOP=2"
        )

    def do_probe(self, homing_move):
        """Touch the bed by a homing move of its own, and go back up."""
        toolhead = homing_move.toolhead
        start = toolhead.get_position()
        if start[2] > HIGHEST_MM:
            # Klipper since 2026-05-11 (after v0.13) homes to a probe in other coordinates
            return
        toolhead.manual_move([None, None, start[2] + LIFT_MM], 10.0)
        target = [start[0], start[1], LOWEST_MM, start[3]]
        inner = host_module("extras.homing").HomingMove(self.printer, homing_move.endstops)
        inner.homing_move(target, 5.0, probe_pos=True)
        toolhead.manual_move([None, None, start[2]], 10.0)

    def do_probe_or_go_on(self, homing_move):
        """The same, but what goes wrong with it is no reason to give up the outer one."""
        try:
            self.do_probe(homing_move)
        except self.printer.command_error as e:
            self.gcode.respond_info("went on without: %s" % (e,))
            start = homing_move.toolhead.get_position()
            homing_move.toolhead.manual_move([None, None, start[2] - LIFT_MM], 10.0)

    def do_home_start_raises(self, homing_move):
        """The last endstop is armed, and something is wrong then."""
        endstop = homing_move.endstops[-1][0]
        own = vars(endstop).get("home_start")
        host_home_start = endstop.home_start

        def home_start(*arguments, **options):
            if own is None:
                del endstop.home_start
            else:
                endstop.home_start = own
            host_home_start(*arguments, **options)
            raise self.printer.command_error("unruly")

        endstop.home_start = home_start

    def do_home_start_triggers(self, homing_move):
        """The last endstop triggers as soon as it is armed, whatever moves by then."""
        endstop = homing_move.endstops[-1][0]
        plain = getattr(endstop, "mcu_endstop", endstop)
        trsync = getattr(plain, "_dispatch", plain)._trsyncs[0]
        own = vars(endstop).get("home_start")
        host_home_start = endstop.home_start

        def home_start(*arguments, **options):
            if own is None:
                del endstop.home_start
            else:
                endstop.home_start = own
            completion = host_home_start(*arguments, **options)
            trsync._trsync_trigger_cmd.send([trsync.get_oid(), trsync.REASON_ENDSTOP_HIT])
            return completion

        endstop.home_start = home_start

    def do_set_position_raises(self, homing_move):
        self._raise_when_set(homing_move.toolhead, self.printer.command_error("unruly"))

    def do_set_position_raises_without_a_text(self, homing_move):
        self._raise_when_set(homing_move.toolhead, RuntimeError())

    def _raise_when_set(self, toolhead, error):
        host_set_position = toolhead.set_position

        def set_position(newpos, homing_axes=()):
            toolhead.set_position = host_set_position
            raise error

        toolhead.set_position = set_position

    def do_set_position_raises_at_its_end(self, homing_move):
        event = "toolhead:set_position"

        def handler():
            self.printer.event_handlers[event].remove(handler)
            raise self.printer.command_error("unruly")

        self.printer.register_event_handler(event, handler)

    def do_shutdown(self, homing_move):
        """Who goes on all the same comes to an error."""
        self.printer.invoke_shutdown("unruly")
        self.do_set_position_raises(homing_move)

    def do_shutdown_while_correcting(self, homing_move):
        toolhead = homing_move.toolhead
        host_flush = toolhead.flush_step_generation

        def flush_step_generation():
            toolhead.flush_step_generation = host_flush
            host_flush()
            self.printer.invoke_shutdown("unruly")

        toolhead.flush_step_generation = flush_step_generation


def load_config(config):
    return UnrulyExtra(config)
