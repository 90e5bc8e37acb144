# Data dictionary of the virtual firmware: message formats, enumerations and constants
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""What a virtual micro-controller says of itself to a host.

Every message format is written down in a peripheral's file and nowhere else:
the host gets it in the compressed identify data, the simulation gets it as
``message`` lines of its description file.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Dict, FrozenSet, Iterable, List, Mapping, Optional, Sequence, Tuple

from virtual_printer.firmware import (
    accelerometers,
    analog,
    angle,
    beacon,
    buses,
    can,
    cartographer,
    chips,
    core,
    distance,
    drivers,
    eddy,
    eddy_ng,
    inputs,
    load_cells,
    motion,
    outputs,
    scarce_memory,
    screens,
    sercom,
)
from virtual_printer.firmware.chips import Chip
from virtual_printer.firmware.host_messages import HostMessages, chosen
from virtual_printer.firmware.peripheral import Peripheral

VERSION = "virtual-printer-1"
BUILD_VERSIONS = "gcc: virtual binutils: virtual"

# In the order in which their messages are numbered
PERIPHERALS: Tuple[Peripheral, ...] = (
    core.PERIPHERAL,
    motion.PERIPHERAL,
    outputs.PERIPHERAL,
    inputs.PERIPHERAL,
    screens.PERIPHERAL,
    buses.PERIPHERAL,
    analog.PERIPHERAL,
    drivers.PERIPHERAL,
    accelerometers.PERIPHERAL,
    load_cells.PERIPHERAL,
    eddy.PERIPHERAL,
    angle.PERIPHERAL,
    distance.PERIPHERAL,
    sercom.PERIPHERAL,
    eddy_ng.PERIPHERAL,
)

# What firmware of their own has, by the name of the chip, beside the first two; it is of no host's
# age. Without the others its messages take one byte, which is all that hosts before 2024 know.
_OWN: Mapping[str, Peripheral] = {
    chips.BEACON.name: beacon.PERIPHERAL,
    chips.OLD_BEACON.name: beacon.OLD_PERIPHERAL,
}

# The two messages that a host can speak before it has read a dictionary
_BOOTSTRAP_IDS = {"identify_response": 0, "identify": 1}
# Zero would be no reason, and one is what a long jump cannot tell from zero
_FIRST_STATIC_STRING_ID = 2
# Those that take one byte come first: hosts before 2024 know no others, and read
# the negative ones as what the same byte is without a sign
_FREE_IDS = (*range(2, 96), *range(-32, 0), *range(96, 480))


@dataclass(frozen=True)
class Dictionary:
    """Firmware dictionary of one micro-controller.

    ``commands`` and ``responses`` map a format to its message id;
    ``compressed`` is the identify blob.
    """

    commands: Mapping[str, int]
    responses: Mapping[str, int]
    enumerations: Mapping[str, Mapping[str, Any]]
    constants: Mapping[str, Any]
    compressed: bytes

    def messages(self) -> List[str]:
        """Lines for the simulation's description, without ``message MCU``."""
        lines = [f"command {number} {text}" for text, number in self.commands.items()]
        lines += [f"response {number} {text}" for text, number in self.responses.items()]
        strings = self.enumerations["static_string_id"]
        return lines + [f"static_string {number} {text}" for text, number in strings.items()]


def command_names() -> FrozenSet[str]:
    """The names of all commands that any virtual firmware has, in any form."""
    of_some = (can.PERIPHERAL, scarce_memory.PERIPHERAL, cartographer.PERIPHERAL)
    everything = (*PERIPHERALS, *of_some, *_OWN.values())
    return frozenset(form.split()[0] for one in everything for form in one.commands)


def build(
    chip: Chip,
    constants: Optional[Mapping[str, Any]] = None,
    host: Optional[HostMessages] = None,
    is_on_can: bool = False,
    own: Sequence[Peripheral] = (),
) -> Dictionary:
    """Dictionary of a micro-controller, as firmware of the host's age has it.

    ``constants`` adds to (or replaces) what the firmware declares, ``own`` is what this MCU has
    whatever the host itself speaks.
    """
    of_chip = [_OWN[chip.name]] if chip.name in _OWN else []
    common = PERIPHERALS[:2] if of_chip else PERIPHERALS
    further = [
        *([can.PERIPHERAL] if is_on_can else []),
        *([scarce_memory.PERIPHERAL] if chip.memory else []),
    ]
    # Nodes on a CAN bus number what they share with others alike
    groups = ((common, host), (further, host), ([*of_chip, *own], None))
    peripherals = [one for group, _ in groups for one in group]
    numbers: Dict[str, int] = _numbers(
        form
        for group, speaker in groups
        for forms in ([one.commands for one in group], [one.responses for one in group])
        for form in chosen([form for some in forms for form in some], speaker)
    )
    commands = _numbered(numbers, (one.commands for one in peripherals))
    responses = _numbered(numbers, (one.responses for one in peripherals))
    enumerations: Dict[str, Dict[str, Any]] = {
        **chip.enumerations(),
        # The simulation has a number for each, whoever may say it
        "static_string_id": _string_numbers([*PERIPHERALS, *peripherals[len(common) :]]),
    }
    all_constants: Dict[str, Any] = {}
    for one in peripherals:
        all_constants.update(one.constants)
        for name, values in one.enumerations.items():
            enumerations.setdefault(name, {}).update(values)
    all_constants.update({**chip.all_constants(), **(constants or {})})
    identify = {
        "app": host.app if host else "Klipper",
        "version": VERSION,
        "build_versions": BUILD_VERSIONS,
        "config": all_constants,
        "commands": commands,
        "responses": responses,
        "output": {},
        "enumerations": enumerations,
    }
    text = json.dumps(identify, separators=(",", ":"), sort_keys=True)
    return Dictionary(
        commands,
        responses,
        enumerations,
        all_constants,
        zlib.compress(text.encode("ascii"), 9),
    )


def _numbers(forms: Iterable[str]) -> Dict[str, int]:
    free = iter(_FREE_IDS)
    numbers = {}
    for form in forms:
        bootstrap = _BOOTSTRAP_IDS.get(form.split()[0])
        numbers[form] = next(free) if bootstrap is None else bootstrap
    return numbers


def _numbered(numbers: Mapping[str, int], forms: Iterable[Tuple[str, ...]]) -> Dict[str, int]:
    return {form: numbers[form] for some in forms for form in some if form in numbers}


def _string_numbers(peripherals: Iterable[Peripheral]) -> Dict[str, int]:
    reasons = [reason for one in peripherals for reason in one.shutdown_reasons]
    return {text: number for number, text in enumerate(reasons, _FIRST_STATIC_STRING_ID)}
