# Read options that the host's own readers are too lenient with
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math
from typing import List, Optional, overload

from ..model.klippy import Config


@overload
def get_finite(config: Config, option: str, default: float, **limits: float) -> float: ...


@overload
def get_finite(config: Config, option: str, default: None, **limits: float) -> Optional[float]: ...


def get_finite(
    config: Config, option: str, default: Optional[float], **limits: float
) -> Optional[float]:
    """A number that is neither infinite nor "nan", which getfloat() lets pass.

    limits are those of getfloat().
    """
    value: Optional[float] = config.getfloat(option, default, **limits)
    if value is not None and not math.isfinite(value):
        raise config.error(
            "Option '%s' in section '%s' must be a finite number" % (option, config.get_name())
        )
    return value


def get_names(config: Config, option: str) -> List[str]:
    """The names that an option lists."""
    # An empty option is one empty text in v0.11, and none later
    return [name for name in config.getlist(option) if name]
