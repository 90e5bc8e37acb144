# Data dictionary of the virtual firmware: message formats, enumerations and constants
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""What a virtual micro-controller says of itself to a host.

Every message format is written down here and nowhere else: the host gets it
in the compressed identify data, the simulation gets it as ``message`` lines
of its description file.
"""

import json
import zlib
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional, Tuple

VERSION = "virtual-printer-1"
BUILD_VERSIONS = "gcc: virtual binutils: virtual"

# The two messages that a host can speak before it has read a dictionary
_BOOTSTRAP_IDS = {"identify_response": 0, "identify": 1}

_COMMANDS = (
    "identify offset=%u count=%c",
    "get_config",
    "allocate_oids count=%c",
    "finalize_config crc=%u",
    "config_reset",
    "reset",
    "get_uptime",
    "get_clock",
    "emergency_stop",
    "clear_shutdown",
    "debug_nop",
    "config_stepper oid=%c step_pin=%c dir_pin=%c invert_step=%c step_pulse_ticks=%u",
    "queue_step oid=%c interval=%u count=%hu add=%hi",
    "set_next_step_dir oid=%c dir=%c",
    "reset_step_clock oid=%c clock=%u",
    "stepper_get_position oid=%c",
    "stepper_stop_on_trigger oid=%c trsync_oid=%c",
    "config_endstop oid=%c pin=%c pull_up=%c",
    "endstop_home oid=%c clock=%u sample_ticks=%u sample_count=%c"
    " rest_ticks=%u pin_value=%c trsync_oid=%c trigger_reason=%c",
    "endstop_query_state oid=%c",
    "config_trsync oid=%c",
    "trsync_start oid=%c report_clock=%u report_ticks=%u expire_reason=%c",
    "trsync_set_timeout oid=%c clock=%u",
    "trsync_trigger oid=%c reason=%c",
    "config_digital_out oid=%c pin=%u value=%c default_value=%c max_duration=%u",
    "set_digital_out_pwm_cycle oid=%c cycle_ticks=%u",
    "queue_digital_out oid=%c clock=%u on_ticks=%u",
    "update_digital_out oid=%c value=%c",
    "set_digital_out pin=%u value=%c",
    "config_distance oid=%c pin=%c",
    "query_distance oid=%c",
)

_RESPONSES = (
    "identify_response offset=%u data=%.*s",
    "config is_config=%c crc=%u is_shutdown=%c move_count=%hu",
    "uptime high=%u clock=%u",
    "clock clock=%u",
    "stats count=%u sum=%u sumsq=%u",
    "starting",
    "shutdown clock=%u static_string_id=%hu",
    "is_shutdown static_string_id=%hu",
    "stepper_position oid=%c pos=%i",
    "endstop_state oid=%c homing=%c next_clock=%u pin_value=%c",
    "trsync_state oid=%c can_trigger=%c trigger_reason=%c clock=%u",
    "distance_state oid=%c clock=%u height=%i",
)

# What only the nodes on a CAN bus know, numbered behind all others
_CAN_COMMANDS = ("get_canbus_id", "get_canbus_status")
_CAN_RESPONSES = (
    "canbus_id canbus_uuid=%.*s canbus_nodeid=%u",
    "canbus_status rx_error=%u tx_error=%u tx_retries=%u canbus_bus_state=%u",
)
_CAN_STATES = {"active": 0, "warn": 1, "passive": 2, "off": 3}

SHUTDOWN_REASONS = (
    "Timer too close",
    "Rescheduled timer in the past",
    "Stepper too far in past",
    "Can't reset time when stepper active",
    "Invalid count parameter",
    "Move queue overflow",
    "Missed scheduling of next digital out event",
    "Scheduled digital out event will exceed max_duration",
    "Can not set soft pwm cycle ticks while updates pending",
    "update_digital_out not valid with active queue",
    "Command request",
    "Command parser error",
    "Invalid command",
    "Shutdown cleared when not shutdown",
    "config_reset only available when shutdown",
    "oids already allocated",
    "Can't assign oid",
    "Invalid oid type",
    "Already finalized",
    "Invalid move request size",
    "Can't add signal that is already active",
    "Another CAN node assigned this ID",
    "ADC out of range",
    "Watchdog timer",
)

# Enumeration ranges: first name, first value, number of values
_PIN_RANGES: Tuple[Tuple[str, int, int], ...] = tuple(
    ("P%s0" % letter, 16 * index, 16) for index, letter in enumerate("ABCDEFGHIJK")
) + (("gpio0", 176, 30), ("PL0", 206, 16))

# Zero would be no reason, and one is what a long jump cannot tell from zero
_FIRST_STATIC_STRING_ID = 2


@dataclass(frozen=True)
class Dictionary:
    """Firmware dictionary of one micro-controller.

    ``frequency`` is the nominal clock in Hz; ``commands`` and ``responses``
    map a format to its message id; ``compressed`` is the identify blob.
    """

    name: str
    frequency: int
    commands: Mapping[str, int]
    responses: Mapping[str, int]
    enumerations: Mapping[str, Mapping[str, Any]]
    constants: Mapping[str, Any]
    compressed: bytes

    def messages(self) -> List[str]:
        """Lines for the simulation's description, without ``message MCU``."""
        lines = _lines("command", self.commands, _COMMANDS)
        lines += _lines("response", self.responses, _RESPONSES)
        strings = self.enumerations["static_string_id"]
        lines += ["static_string %d %s" % (number, text) for text, number in strings.items()]
        return lines

    def can_messages(self) -> List[str]:
        """Further lines, for each MCU on a CAN bus."""
        lines = _lines("command", self.commands, _CAN_COMMANDS)
        return lines + _lines("response", self.responses, _CAN_RESPONSES)

    def pin_number(self, name: str) -> int:
        """Number of a pin on the wire; KeyError when there is no such pin."""
        return PIN_NUMBERS[name]


def build(
    name: str,
    frequency: int,
    constants: Optional[Mapping[str, Any]] = None,
    is_on_can: bool = False,
) -> Dictionary:
    """Dictionary of a micro-controller of type ``name`` at ``frequency`` Hz.

    ``constants`` adds to (or replaces) what the firmware declares.
    """
    identifiers = _message_ids()
    commands = {text: identifiers[text] for text in _COMMANDS}
    responses = {text: identifiers[text] for text in _RESPONSES}
    enumerations: Dict[str, Dict[str, Any]] = {
        "pin": {first: [value, count] for first, value, count in _PIN_RANGES},
        "static_string_id": {
            text: number for number, text in enumerate(SHUTDOWN_REASONS, _FIRST_STATIC_STRING_ID)
        },
    }
    if is_on_can:
        commands.update((text, identifiers[text]) for text in _CAN_COMMANDS)
        responses.update((text, identifiers[text]) for text in _CAN_RESPONSES)
        enumerations["canbus_bus_state"] = dict(_CAN_STATES)
    all_constants: Dict[str, Any] = {
        "CLOCK_FREQ": frequency,
        "MCU": name,
        "STATS_SUMSQ_BASE": 256,
        "STEPPER_STEP_BOTH_EDGE": 1,
        "ADC_MAX": 4095,
    }
    all_constants.update(constants or {})
    identify = {
        "app": "Klipper",
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
        name,
        frequency,
        commands,
        responses,
        enumerations,
        all_constants,
        zlib.compress(text.encode("ascii"), 9),
    )


def _lines(kind: str, numbers: Mapping[str, int], formats: Tuple[str, ...]) -> List[str]:
    """Lines of a description for those of the formats that have a number."""
    return ["%s %d %s" % (kind, numbers[text], text) for text in formats if text in numbers]


def _message_ids() -> Dict[str, int]:
    """Number all messages from 2 up: one byte each, which every host takes."""
    identifiers = {}
    number = max(_BOOTSTRAP_IDS.values())
    for text in _COMMANDS + _RESPONSES + _CAN_COMMANDS + _CAN_RESPONSES:
        bootstrap = _BOOTSTRAP_IDS.get(text.split()[0])
        if bootstrap is None:
            number += 1
        identifiers[text] = number if bootstrap is None else bootstrap
    return identifiers


def _pin_numbers() -> Dict[str, int]:
    """Every pin name with its number on the wire."""
    numbers = {}
    for first, value, count in _PIN_RANGES:
        for index in range(count):
            numbers["%s%d" % (first[:-1], index)] = value + index
    return numbers


PIN_NUMBERS: Mapping[str, int] = _pin_numbers()
