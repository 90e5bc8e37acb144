# Know whether a G28 is under way
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Callable

from ..model.klippy import GCode, GCodeCommand
from .stand_in import look_alike


class HomeCommand:
    """Stands in for G28, outside of all others that replace it."""

    def __init__(self) -> None:
        self.is_running = False

    def follow(self, gcode: GCode) -> None:
        """Stand in for the command that is there by now."""
        host_G28 = gcode.register_command("G28", None)
        gcode.register_command("G28", look_alike(host_G28, self._following))

    def _following(
        self, host_G28: Callable[[GCodeCommand], None]
    ) -> Callable[[GCodeCommand], None]:
        def cmd_G28(gcmd: GCodeCommand) -> None:
            # [homing_override] may call it from within itself
            was_running, self.is_running = self.is_running, True
            try:
                host_G28(gcmd)
            finally:
                self.is_running = was_running

        return cmd_G28
