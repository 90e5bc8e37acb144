# Do what the option on_ferror says about a following error
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from ..model.klippy import Printer
from ..model.limit import LimitError
from ..model.limit_settings import LimitSettings


class FollowingErrorTrip:
    """Whoever finds a stepper too far from where it should be reports it here."""

    def __init__(self, printer: Printer, limits: LimitSettings) -> None:
        self._printer = printer
        self.limits = limits

    def trip(self, error: str) -> None:
        """Warn, shut the printer down, or neither; raises LimitError unless it is a warning."""
        if self.limits.on_ferror == "warn":
            self._printer.lookup_object("gcode").respond_info("multi_mcu_resync: %s" % (error,))
            return
        if self.limits.on_ferror == "shutdown":
            self._printer.invoke_shutdown("multi_mcu_resync: %s" % (error,))
        raise LimitError(error)
