# Recognise Klippy's Stats and the extra's line per homing move
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from typing import List, NamedTuple, Optional, Tuple

# An MCU's name and then its FIELDS as printed; adj is empty on the main MCU
McuFields = Tuple[bytes, ...]
FIELDS = (
    "bytes_write",
    "bytes_read",
    "bytes_retransmit",
    "bytes_invalid",
    "send_seq",
    "srtt",
    "rttvar",
    "freq",
    "adj",
)
MCU_MARK = b": mcu_awake="

# Klipper from v0.11 on and Kalico; only upcoming_bytes was called stalled_bytes once. Classes such
# as \S or \d, and a pattern that allows for other fields in between, take several times as long.
_MCU = re.compile(
    rb"([^ :]+): mcu_awake=[0-9.]+ mcu_task_avg=[0-9.]+ mcu_task_stddev=[0-9.]+"
    rb" bytes_write=([0-9]+) bytes_read=([0-9]+) bytes_retransmit=([0-9]+)"
    rb" bytes_invalid=([0-9]+) send_seq=([0-9]+) receive_seq=[0-9]+ retransmit_seq=[0-9]+"
    rb" srtt=([0-9]+\.[0-9]+) rttvar=([0-9]+\.[0-9]+) rto=[0-9.]+ ready_bytes=[0-9]+"
    rb" [a-z]+_bytes=[0-9]+ freq=([0-9]+)(?: adj=([0-9]+))?(?=\s|$)"
)
_MCU_FREELY = re.compile(rb"([^ :]+): (mcu_awake=\S+(?:\s+\w+=\S+)*)(?=\s|$)")
_NUMBER = re.compile(rb"\d+(\.\d+)?")


def parse_mcus(line: bytes) -> List[McuFields]:
    """Name and fields of each MCU in a Stats line; those in an unknown form are left out."""
    found = _MCU.findall(line)
    return found if len(found) == line.count(MCU_MARK) else _parse_freely(line)


def _parse_freely(line: bytes) -> List[McuFields]:
    """The same for fields in any order with others between them."""
    found: List[McuFields] = []
    for name, fields in _MCU_FREELY.findall(line):
        pairs = dict(pair.split(b"=", 1) for pair in fields.split())
        values = [pairs.get(field.encode(), b"") for field in FIELDS]
        if all(map(_NUMBER.fullmatch, values[:-1])) and all(v.isdigit() for v in values[:5]):
            found.append((name, *values))
    return found


class StepperMove(NamedTuple):
    """What a stepper did in a homing move, and how it was put right."""

    name: str
    mcu: str
    overshoot_steps: int
    overshoot_mm: float
    correction_steps: int
    residual_mm: float


class RailMove(NamedTuple):
    """A rail's part in a homing move."""

    rail: str
    endstop: str
    triggered: bool
    speed_mm_s: float
    corrected: bool
    steppers: List[StepperMove]


class HomingMove(NamedTuple):
    """A homing or probing move; error is empty if there was none."""

    rails: List[RailMove]
    error: str


MOVE_MARK = "multi_mcu_resync: "
_RAIL = re.compile(
    r"rail=(?P<rail>\S+) endstop=(?P<endstop>\S+) triggered=(?P<triggered>[01])"
    r" direction=[+-]\d+ speed=(?P<speed>\d+\.\d+) target=[+-]?\d+\.\d+"
    r" corrected=(?P<corrected>[01])(?P<steppers>(?: \S+)+)"
)
_STEPPER = re.compile(
    r"(?P<name>[^=,]+)=(?P<mcu>[^=,]+),(?P<overshoot>[+-]\d+),(?P<overshoot_mm>[+-]\d+\.\d+)"
    r",(?P<correction>[+-]\d+),(?P<residual_mm>[+-]\d+\.\d+)"
)


def is_move(text: str) -> bool:
    """Whether a line is the extra's line on a homing move."""
    return text.startswith((MOVE_MARK + "rail=", MOVE_MARK + "error="))


def parse_move(text: str) -> Optional[HomingMove]:
    """The extra's line on a homing move, or None if it is garbled."""
    fields, mark, error = text[len(MOVE_MARK) :].partition("error=")
    rails: List[RailMove] = []
    for part in fields.strip().split(" ; ") if fields.strip() else []:
        rail = _parse_rail(part)
        if rail is None:
            return None
        rails.append(rail)
    return HomingMove(rails, error.strip()) if rails or mark else None


def _parse_rail(part: str) -> Optional[RailMove]:
    found = _RAIL.fullmatch(part.strip())
    if found is None:
        return None
    steppers: List[StepperMove] = []
    for field in found["steppers"].split():
        s = _STEPPER.fullmatch(field)
        if s is None:
            return None
        steppers.append(
            StepperMove(
                s["name"],
                s["mcu"],
                int(s["overshoot"]),
                float(s["overshoot_mm"]),
                int(s["correction"]),
                float(s["residual_mm"]),
            )
        )
    return RailMove(
        found["rail"],
        found["endstop"],
        found["triggered"] == "1",
        float(found["speed"]),
        found["corrected"] == "1",
        steppers,
    )
