# A pin on an MCU, by its name in the config
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import NamedTuple

from ..model.klippy import Mcu, Printer


class McuPin(NamedTuple):
    """A pin, named as its MCU does; pullup and invert are 0 or 1, pullup -1 for down."""

    mcu: Mcu
    name: str
    pullup: int
    invert: int


def lookup_mcu_pin(printer: Printer, text: str, option: str) -> McuPin:
    """What the text of an option means; raises the host's config error."""
    params = printer.lookup_object("pins").lookup_pin(text, can_invert=True, can_pullup=True)
    mcu = params["chip"]
    # Other extras have pins too, but nothing that counts time
    if not hasattr(mcu, "create_oid"):
        raise printer.config_error(
            "Option '%s' in section 'multi_mcu_resync': '%s' is no pin of an MCU" % (option, text)
        )
    return McuPin(mcu, params["pin"], params["pullup"], params["invert"])
