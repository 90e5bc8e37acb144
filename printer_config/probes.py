# Which sections of a printer.cfg are probes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, Optional

from printer_config import mcus
from printer_config.config import Config
from printer_config.section import Section

CARTOGRAPHER = "cartographer"
# Those that need no pin: what a sensor measures triggers them
PINLESS_KINDS = (
    *("probe_eddy_current", "load_cell_probe", "probe_eddy_ng", CARTOGRAPHER),
    *mcus.BEACON_KINDS,
)
# Those of Klipper and Kalico, and of plugins; a name of its own may follow
KINDS = ("probe", "bltouch", "smart_effector", "dockable_probe", *PINLESS_KINDS)


def sections(printer: Config) -> List[Section]:
    """Return the sections of all probes; a printer that Klipper takes has one at most."""
    return [section for name, section in printer.sections.items() if is_probe(name)]


def is_probe(name: str) -> bool:
    """Whether a section's name is that of a probe."""
    kind, _, rest = name.partition(" ")
    if kind == CARTOGRAPHER:
        # Its parts have sections of their own, as [cartographer scan]
        return not rest
    # What a Beacon knows of a bed has a section too
    return kind in KINDS and not (kind in mcus.BEACON_KINDS and "model" in rest.split())


def cartographer_mcu(printer: Config) -> Optional[str]:
    """Return the name of the MCU that is a Cartographer probe, None if there is none."""
    section = printer.section(CARTOGRAPHER)
    return section.get("mcu") if section.has("mcu") else None


def has_pin(probe: Section) -> bool:
    """Whether a probe has a pin that carries its signal, or should have one."""
    return probe.has(pin_option(probe)) or probe.name.partition(" ")[0] not in PINLESS_KINDS


def pin_option(probe: Section) -> str:
    """Return the option that names the pin of a probe's signal."""
    return "sensor_pin" if probe.has("sensor_pin") else "pin"
