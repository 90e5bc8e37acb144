# What only the benchmark wants to know of [multi_mcu_resync]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ctypes
import sys

from .resync.homing.correction_move import move_together
from .resync.host import mapping
from .resync.model.correction_time import common_duration_s

# The virtual printer's library is part of the process: in virtual time the
# clocks of the C library say that computing costs nothing
cpu_ns = ctypes.CDLL(None).virtual_printer_cpu_ns
cpu_ns.restype = ctypes.c_int64


def cpu_s():
    """CPU time (s) that Klippy has really taken, what virtual time takes left out."""
    return cpu_ns() * 1e-9


def set_trsync_timeout(printer, timeout_s):
    """Set after how long (s) an MCU that hears nothing stops a homing move."""
    module = sys.modules[type(printer.lookup_object("mcu")).__module__]
    if hasattr(module, "TRSYNC_TIMEOUT"):
        module.TRSYNC_TIMEOUT = timeout_s
    else:
        # An option in Kalico
        printer.lookup_object("danger_options").multi_mcu_trsync_timeout = timeout_s


class ResyncBench:
    def __init__(self, config):
        self.printer = config.get_printer()
        self.resyncs = 0
        self.cpu_s = 0.0
        self.printer.register_event_handler("klippy:ready", self._handle_ready)
        timeout_s = config.getfloat("trsync_timeout", None, above=0.0)
        if timeout_s is not None:
            set_trsync_timeout(self.printer, timeout_s)
        gcode = self.printer.lookup_object("gcode")
        gcode.register_command("BENCH_CORRECT", self.cmd_BENCH_CORRECT)

    def _handle_ready(self):
        # Once all others have registered theirs
        self.printer.get_reactor().register_callback(self._time_handlers)

    def _time_handlers(self, eventtime):
        self.resync = self.printer.lookup_object("multi_mcu_resync")
        for event in ("homing:homing_move_begin", "homing:homing_move_end"):
            handlers = self.printer.event_handlers[event]
            for i, handler in enumerate(handlers):
                if getattr(handler, "__self__", None) is self.resync.homing:
                    handlers[i] = self._timed(handler)

    def _timed(self, handler):
        is_end = handler == self.resync.homing.end

        def timed(homing_move):
            started_s = cpu_s()
            try:
                handler(homing_move)
            finally:
                self.cpu_s += cpu_s() - started_s
                self.resyncs += is_end

        return timed

    def get_status(self, eventtime):
        steppers = self.resync.steppers
        return {
            "resyncs": self.resyncs,
            "cpu_s": self.cpu_s,
            "mapping_offset_mm": {n: mapping.offset_mm(s) for n, s in steppers.items()},
        }

    def cmd_BENCH_CORRECT(self, gcmd):
        """Correct each stepper of the first rail by its own steps."""
        resync = self.resync
        steppers = resync.rails[0].steppers
        steps = [int(n) for n in gcmd.get("STEPS").split(",")]
        moves = list(zip(steppers, steps))
        longest_mm = max(abs(n * s.get_step_dist()) for s, n in moves)
        pace = resync.host.max_pace(resync.rails[0])
        move_together(
            resync.host,
            resync.helper,
            moves,
            common_duration_s(longest_mm, pace),
            self.printer.lookup_object("toolhead").flush_step_generation,
            {},
        )


def load_config(config):
    return ResyncBench(config)
