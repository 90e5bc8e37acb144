# Whether anything would have broken, by the truth alone
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List

from printer_config.config import Config
from virtual_printer.session import Session

# A nozzle that presses on the bed, a gantry that racks, a carriage at its stop
_LOWEST_MM, _MOST_TILT_MM, _BEYOND_MM = -0.3, 8.0, 3.0

# So often that at 10 mm/s nothing goes unseen
_LOOK_EVERY_S = 0.1


class Witness:
    """Looks at the machine while time passes."""

    def __init__(self, session: Session, truth: Config) -> None:
        self._session = session
        self._ends_mm = {
            axis: (
                truth.section("stepper_%s" % (axis,)).get_float("position_min", 0.0),
                truth.section("stepper_%s" % (axis,)).get_float("position_max"),
            )
            for axis in "xy"
        }
        self._next_s = 0.0
        self.lowest_mm = 1e9
        self.most_tilt_mm = 0.0
        self.beyond_mm = 0.0

    def tick(self) -> None:
        """Take a look, if the last one was a while ago."""
        now_s = self._session.now_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _LOOK_EVERY_S
        x_mm, y_mm, height_mm = self._session.carriage_truth()
        self.lowest_mm = min(self.lowest_mm, height_mm)
        for place_mm, (low_mm, high_mm) in zip((x_mm, y_mm), self._ends_mm.values()):
            self.beyond_mm = max(self.beyond_mm, low_mm - place_mm, place_mm - high_mm)
        carriages = self._session.carriages_truth()
        heights_mm = [mm for name, mm in carriages.items() if name not in ("x", "y")]
        if heights_mm:
            self.most_tilt_mm = max(self.most_tilt_mm, max(heights_mm) - min(heights_mm))

    def damage(self) -> List[str]:
        """What would have broken."""
        found = []
        if self.lowest_mm < _LOWEST_MM:
            found.append("the nozzle was %.2f mm in the bed" % (-self.lowest_mm,))
        if self.most_tilt_mm > _MOST_TILT_MM:
            found.append("the gantry was %.1f mm crooked" % (self.most_tilt_mm,))
        if self.beyond_mm > _BEYOND_MM:
            found.append("a carriage was %.1f mm beyond its end" % (self.beyond_mm,))
        return found

    def figures(self) -> Dict[str, float]:
        """The worst of all looks."""
        return {
            "lowest_mm": round(self.lowest_mm, 3),
            "most_tilt_mm": round(self.most_tilt_mm, 3),
            "beyond_mm": round(self.beyond_mm, 3),
        }
