# Chips that have further pins for MCUs, as printer.cfg calls them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from typing import Dict, Mapping

from printer_config.config import Config

# Outputs of the PCA9685 on a Replicape
REPLICAPE_OUTPUTS: Mapping[str, int] = {
    "power_h": 3,
    "power_hotbed": 4,
    "power_e": 5,
    **{f"power_fan{i}": 7 + i for i in range(4)},
    **{f"stepper_{axis}_enable": 11 + i for i, axis in enumerate("xyzeh")},
}
SX1509_OUTPUTS: Mapping[str, int] = {f"PIN_{i}": i for i in range(16)}


def expander_name(section: str) -> str:
    """Return what stands before the colon in pins of such a section's chip."""
    return "_".join(section.split())


def outputs(printer: Config) -> Dict[str, Mapping[str, int]]:
    """Return the numbers of all outputs by their names, for each such chip by its own."""
    found: Dict[str, Mapping[str, int]] = {}
    for name in printer.sections:
        kind, _, suffix = name.partition(" ")
        if name == "replicape":
            found[name] = REPLICAPE_OUTPUTS
        elif kind == "sx1509" and suffix:
            found[expander_name(name)] = SX1509_OUTPUTS
    return found
