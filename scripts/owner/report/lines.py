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
_STATS = re.compile(rb"Stats ([0-9]{1,10}(?:\.[0-9]{1,6})?):")

# Klipper from v0.11 on and Kalico; only upcoming_bytes was called stalled_bytes once. Classes such
# as \S or \d, and a pattern that allows for other fields in between, take several times as long.
_MCU = re.compile(
    rb"([^ :]{1,64}): mcu_awake=[0-9.]+ mcu_task_avg=[0-9.]+ mcu_task_stddev=[0-9.]+"
    rb" bytes_write=([0-9]{1,10}) bytes_read=([0-9]{1,10}) bytes_retransmit=([0-9]{1,10})"
    rb" bytes_invalid=([0-9]{1,10}) send_seq=([0-9]{1,10}) receive_seq=[0-9]+"
    rb" retransmit_seq=[0-9]+ srtt=([0-9]{1,4}\.[0-9]{1,9}) rttvar=([0-9]{1,4}\.[0-9]{1,9})"
    rb" rto=[0-9.]+ ready_bytes=[0-9]+ [a-z]+_bytes=[0-9]+"
    rb" freq=([0-9]{1,10})(?: adj=([0-9]{1,10}))?(?=\s|$)"
)
_MCU_FREELY = re.compile(rb"([^ :]{1,64}): (mcu_awake=\S+(?:\s+\w+=\S+)*)(?=\s|$)")
_COUNT = re.compile(rb"[0-9]{1,10}")
_SECONDS = re.compile(rb"[0-9]{1,4}\.[0-9]{1,9}")
_FORMS = (_COUNT,) * 5 + (_SECONDS,) * 2 + (_COUNT, re.compile(rb"[0-9]{0,10}"))


def stats_time(line: bytes) -> Optional[float]:
    """The time (s) of a Stats line, or None if it is none."""
    found = _STATS.match(line)
    return float(found.group(1)) if found else None


def parse_mcus(line: bytes) -> Tuple[List[McuFields], bool]:
    """Name and fields of each MCU in a Stats line, and whether these are all there are."""
    found = _MCU.findall(line)
    count = line.count(MCU_MARK)
    if len(found) < count:
        found = _parse_freely(line)
    return found, len(found) == count


def _parse_freely(line: bytes) -> List[McuFields]:
    """The same for fields in any order with others between them."""
    found: List[McuFields] = []
    for name, fields in _MCU_FREELY.findall(line):
        pairs = dict(pair.split(b"=", 1) for pair in fields.split())
        values = [pairs.get(field.encode(), b"") for field in FIELDS]
        if all(form.fullmatch(value) for form, value in zip(_FORMS, values)):
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
    r" direction=[+-]\d+ speed=(?P<speed>\d{1,9}\.\d{1,9}) target=[+-]?\d+\.\d+"
    r" corrected=(?P<corrected>[01])(?P<steppers>(?: \S+)+)"
)
_STEPPER = re.compile(
    r"(?P<name>[^=,]+)=(?P<mcu>[^=,]+)"
    r",(?P<overshoot>[+-]\d{1,9}),(?P<overshoot_mm>[+-]\d{1,9}\.\d{1,9})"
    r",(?P<correction>[+-]\d{1,9}),(?P<residual_mm>[+-]\d{1,9}\.\d{1,9})"
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
