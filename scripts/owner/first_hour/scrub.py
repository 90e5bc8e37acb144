# Takes out of a log what is nobody's business: names, keys, addresses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Of a log only lines that are known are kept, and of printer.cfg only sections that are.

What is left is searched for what looks like an address, a key, a home folder or a device.
"""

import re
from typing import Iterable, List, Tuple

from printer_config import printed, probes

HIDDEN = "<hidden>"
_HIDDEN_OPTIONS = ("serial", "canbus_uuid", "path", "log_path")
_SECTIONS = re.compile(
    r"(?:printer|mcu(?: \S+)?|multi_mcu_resync|(?:stepper|tmc\d+|carriage|extra_carriage)[ _]\w.*|"
    r"dual_carriage|quad_gantry_level|z_tilt(?:_ng)?|safe_z_home|danger_options|idle_timeout|"
    r"(?:%s)(?: \w+)?)$" % ("|".join(re.escape(kind) for kind in probes.KINDS),)
)
_LINES = (
    *("Stats ", "MCU '", "multi_mcu_resync: ", "Start printer at ", "Axis ", "PROBE_ACCURACY at "),
    *("Transition to shutdown", "Timeout", "Lost communication", "Communication timeout"),
    *("Unable to", "mcu '", "Configured MCU '", "Protocol error", "MCU error", "Got error"),
    *("USB", "CAN", "No trigger", "Endstop", "Probe", "Retries", "Too many", "Too much"),
    *("Internal error", "Unhandled exception", "Once the underlying", "Printer is"),
    *("position skew after probe", "The steppers are taken", "virtual printer: "),
)
# Whatever it is, each of these goes
_SECRETS = (
    (re.compile(r"(?:/home|/Users|/root)(?:/[^\s/:'\"]+)?"), "~"),
    (re.compile(r"/dev/[^\s:,'\"]+"), "/dev/" + HIDDEN),
    (re.compile(r"\b[a-z][a-z+.-]{1,10}://\S+"), HIDDEN),
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b"), HIDDEN),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), HIDDEN),
    (re.compile(r"\b(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}\b"), HIDDEN),
    (re.compile(r"\b(?:[0-9A-Fa-f]{1,4}:){3,7}:?[0-9A-Fa-f]{1,4}\b"), HIDDEN),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), HIDDEN),
    # An API key, or the id of a chip
    (re.compile(r"\b(?=[0-9a-zA-Z]*[a-zA-Z])(?=[0-9a-zA-Z]*\d)[0-9a-zA-Z]{24,}\b"), HIDDEN),
    (re.compile(r"\b(?=\d*[a-f])[0-9a-f]{12}\b"), HIDDEN),
    # What a firmware that was built outside of git has for its version: date, time and host
    (re.compile(r"-(\d{8}_\d{6})-[\w.-]+"), r"-\1"),
)


def scrub(text: str, words: Iterable[str]) -> str:
    """A text without what looks like a secret, and without some words: a user, a host."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    for word in words:
        # Shorter ones are parts of everything
        if len(word) > 2:
            text = re.sub(r"(?<![A-Za-z0-9])%s(?![A-Za-z0-9])" % (re.escape(word),), HIDDEN, text)
    return text


def scrub_log(log: bytes, words: Iterable[str]) -> Tuple[str, int]:
    """What may be shown of a log, and how many lines were left out."""
    kept: List[str] = []
    devices: List[str] = []
    left_out = 0
    in_config = is_shown = False
    for raw in log.split(b"\n"):
        line = raw.decode("utf-8", "replace").rstrip("\r")
        if raw.startswith((printed.START, printed.END)):
            in_config = raw.startswith(printed.START)
            is_shown = False
        elif in_config:
            header = re.match(r"\[(.*)\]\s*$", line)
            is_shown = bool(_SECTIONS.match(header.group(1))) if header else is_shown
            if is_shown and not header:
                line = _option(line, devices)
            line = line if is_shown else ""
        elif not line.startswith(_LINES):
            line = ""
        if line:
            kept.append(line)
        else:
            left_out += bool(raw.strip())
    # A serial number or uuid may stand in an error, too
    return scrub("\n".join(kept) + "\n", [*words, *devices]), left_out


def _option(line: str, devices: List[str]) -> str:
    """An option of one line, the place of a device hidden and noted."""
    found = re.match(r"(\w+)\s*[=:]\s*(.*)$", line)
    if not found:
        # The rows of a list of numbers
        return line if re.match(r"[\s\d.,-]+$", line) else ""
    if found.group(1) not in _HIDDEN_OPTIONS:
        return line
    devices.append(found.group(2).strip())
    return "%s = %s" % (found.group(1), HIDDEN)
