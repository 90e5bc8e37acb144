# One part of the virtual firmware, as its data dictionary shows it
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass, field
from typing import Any, Mapping, Tuple


@dataclass(frozen=True)
class Peripheral:
    """Messages, enumerations, constants and shutdown reasons of a part of the firmware.

    A message is its format as hosts know it.  Where the firmware of another
    age says it otherwise there are several formats of one name, the newest
    first: the host's own sources show which of them it speaks.
    """

    commands: Tuple[str, ...] = ()
    responses: Tuple[str, ...] = ()
    enumerations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    shutdown_reasons: Tuple[str, ...] = ()
