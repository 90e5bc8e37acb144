# The options of the section, read and checked before anything is built
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import NamedTuple, Optional, Sequence

from ..model.klippy import Config
from ..model.limit_settings import LEAST_MAX_CORRECTION_MM, ON_FERROR
from ..model.plan import TARGETS
from .options import get_finite

# By what has stopped the steppers
AUTO = "auto"


class Settings(NamedTuple):
    """What the user wants; None where the printer or its axes have a default.

    Those of the pins are read in pins/, which has to set up the pins at once.
    """

    axes: Optional[Sequence[str]]
    speed_mm_s: Optional[float]
    accel_mm_s2: Optional[float]
    target: str
    max_correction_mm: float
    on_ferror: str
    ferror_mm: Optional[float]
    min_ferror_mm: Optional[float]
    check_interval_s: float
    correct: bool
    include_single_mcu: bool

    def is_resynced(self, axis: str) -> bool:
        """Whether the axis or carriage of that name is to be."""
        return self.axes is None or axis in self.axes


def read_settings(config: Config) -> Settings:
    """The options of [multi_mcu_resync]; raises the host's config error."""
    settings = Settings(
        axes=config.getlist("axes", None),
        speed_mm_s=get_finite(config, "speed", None, minval=0.01),
        accel_mm_s2=get_finite(config, "accel", None, minval=0.1),
        target=config.getchoice("target", {t: t for t in (AUTO, *TARGETS)}, "auto"),
        max_correction_mm=get_finite(config, "max_correction", 1.0, minval=LEAST_MAX_CORRECTION_MM),
        on_ferror=config.getchoice("on_ferror", {o: o for o in ON_FERROR}, "error"),
        ferror_mm=get_finite(config, "ferror", None, minval=0.0),
        min_ferror_mm=get_finite(config, "min_ferror", None, minval=0.0),
        check_interval_s=get_finite(config, "check_interval", 0.0, minval=0.0),
        correct=config.getboolean("correct", True),
        include_single_mcu=config.getboolean("include_single_mcu", False),
    )
    _check_axes(config, settings.axes)
    return settings


def _check_axes(config: Config, axes: Optional[Sequence[str]]) -> None:
    # Before the host refuses the axes that are left out
    if axes is not None and not axes:
        raise config.error("Option 'axes' in section 'multi_mcu_resync' names no axis")
    for axis in axes or ():
        is_axis = len(axis) == 1 and config.has_section("stepper_%s" % (axis,))
        if not is_axis and not config.has_section("carriage %s" % (axis,)):
            raise config.error(
                "Option 'axes' in section 'multi_mcu_resync': '%s' is no axis of"
                " this printer" % (axis,)
            )
