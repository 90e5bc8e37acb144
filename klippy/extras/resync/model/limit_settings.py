# The limits in force, which can be changed at run time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional

from .following_error import Limits, LimitsError, check_limits
from .rail import Rail

# What may be done about a following error
ON_FERROR = ("error", "shutdown", "warn")
# The least max_correction (mm)
LEAST_MAX_CORRECTION_MM = 0.001


class LimitSettings:
    """Each rail's limits by its name, the longest correction, and what to do then.

    The values are replaced, never changed.
    """

    def __init__(self, rails: Dict[str, Limits], max_correction_mm: float, on_ferror: str) -> None:
        self.rails = rails
        self.max_correction_mm = max_correction_mm
        self.on_ferror = on_ferror

    def set_response(self, max_correction_mm: float, on_ferror: str) -> None:
        """How far a stepper may be corrected, and what is done about a following error."""
        self.max_correction_mm = max_correction_mm
        self.on_ferror = on_ferror

    def change_rails(
        self, rails: List[Rail], ferror_mm: Optional[float], min_ferror_mm: Optional[float]
    ) -> None:
        """Give rails other limits; None leaves one as it is.

        Raises LimitsError, and changes nothing, if they do not fit to a rail.
        """
        changed = dict(self.rails)
        for rail in rails:
            limits = changed[rail.name]
            if ferror_mm is not None:
                limits = limits._replace(ferror_mm=ferror_mm)
            if min_ferror_mm is not None:
                limits = limits._replace(min_ferror_mm=min_ferror_mm)
            try:
                check_limits(limits, rail.coarsest_step_mm())
            except LimitsError as e:
                raise LimitsError("axis %s: %s" % ("+".join(rail.axes), e)) from e
            changed[rail.name] = limits
        self.rails = changed
