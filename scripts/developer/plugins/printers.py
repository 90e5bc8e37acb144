# The printers that plugins run on: a gantry on four steppers, on one MCU or on four
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import dataclass
from typing import Dict, NamedTuple, Tuple

from virtual_printer.samples import SamplePrinter, Section, config_text

# For plugins that feed filament; a section [extruder] of their own adds options
EXTRUDER = """
[extruder]
step_pin: toolhead:PA0
dir_pin: toolhead:PA1
enable_pin: !toolhead:PA2
microsteps: 16
rotation_distance: 22
nozzle_diameter: 0.4
filament_diameter: 1.75
heater_pin: toolhead:PA3
sensor_type: Generic 3950
sensor_pin: toolhead:PA4
control: watermark
min_temp: 0
max_temp: 280
"""


@dataclass(frozen=True)
class PluginPrinter(SamplePrinter):
    """The sample printer without some of its sections, and with a plugin's parts of its files."""

    without: Tuple[str, ...] = ()
    printer_part: str = ""
    machine_part: str = ""

    def printer_cfg(self) -> str:
        """The text of its printer.cfg."""
        sections: Dict[str, Section] = {
            header: options
            for header, options in self.sections().items()
            if header not in self.without
        }
        return config_text(sections) + "\n" + self.printer_part

    def machine_cfg(self) -> str:
        """The physical truth that goes with it."""
        text = super().machine_cfg()
        if self.probe in self.without:
            text = text.replace(f"[probe]\nsection: {self.probe}\n", "")
        return text + "\n" + self.machine_part


class Kind(NamedTuple):
    """Where the Z steppers sit, and whether our section is there."""

    name: str
    is_four: bool
    has_section: bool

    def printer(
        self, printer_part: str, machine_part: str, without: Tuple[str, ...]
    ) -> PluginPrinter:
        """Return the printer of this kind with a plugin's parts.

        Where these have {z0} to {z3} is the MCU of that Z stepper.
        """
        z_mcus = ("z0", "z1", "z2", "z3") if self.is_four else ("mcu",) * 4
        for number, mcu in enumerate(z_mcus):
            printer_part = printer_part.replace("{z%d}" % (number,), mcu)
        return PluginPrinter(
            z_mcus=z_mcus,
            resync={} if self.has_section else None,
            without=without,
            printer_part=printer_part,
            machine_part=machine_part,
        )


ONE_WITHOUT = Kind("one MCU without", False, False)
ONE_WITH = Kind("one MCU with", False, True)
FOUR_WITH = Kind("four MCUs with", True, True)
KINDS = (ONE_WITHOUT, ONE_WITH, FOUR_WITH)
