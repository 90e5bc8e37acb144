# Know whether a G28 is under way
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from ..model.klippy import GCode, GCodeCommand
from .patches import Patches, Proceed


class HomeCommand:
    """Stands in for G28, outside of all others that replace it."""

    def __init__(self) -> None:
        self.is_running = False

    def follow(self, gcode: GCode, patches: Patches) -> None:
        """Stand in for the command that is there by now."""
        patches.around_command(gcode, "G28", self._run)

    def _run(self, proceed: Proceed, gcmd: GCodeCommand) -> None:
        # [homing_override] may call it from within itself
        was_running, self.is_running = self.is_running, True
        try:
            proceed()
        finally:
            self.is_running = was_running
