# Compare what the extra claims about a rail with the truth, step after step
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, Mapping, NamedTuple, Optional

# A commanded position is reported to six digits
ROUNDING_MM = 2e-6

# Of each stepper of a rail: true minus commanded position (mm), apart from levelling
Offsets = Mapping[str, float]


class Claim(NamedTuple):
    """What the extra says of an axis: in step since it was last homed, and still to be levelled.

    in_sync is None while nothing is known; level_reason says why it has to be levelled.
    """

    in_sync: Optional[bool]
    level_needed: bool = False
    level_reason: str = ""


class Step(NamedTuple):
    """What was done between two looks at a rail.

    is_settled after it was levelled, is_accepted after its owner took it as it stands;
    is_excused if a fault may have put it out of step, so that caution is no false alarm.
    """

    is_settled: bool = False
    is_accepted: bool = False
    is_excused: bool = False


class Verdict(NamedTuple):
    """What is wrong with a claim, each empty if it is right."""

    silent_skew: str = ""
    false_alarm: str = ""
    other: str = ""


def skew_mm(offsets_mm: Offsets, reference_mm: Offsets) -> float:
    """Skew that a rail has gained since the reference."""
    gained_mm = [offset_mm - reference_mm[name] for name, offset_mm in offsets_mm.items()]
    return max(gained_mm) - min(gained_mm)


class RailJudge:
    """Keeps what the claims about one rail refer to.

    That it is in sync refers to when it was last put in step, that it needs no levelling to when
    it was last levelled or accepted.  Skew up to tolerance_mm is what whole steps cannot avoid.
    Of steppers with endstops of their own nobody but their owner knows whether they are in step.
    """

    def __init__(
        self,
        axis: str,
        tolerance_mm: float,
        offsets_mm: Offsets,
        claim: Claim,
        has_own_endstops: bool = False,
    ) -> None:
        self._axis = axis
        self._has_own_endstops = has_own_endstops
        self._tolerance_mm = tolerance_mm + ROUNDING_MM
        self._levelled_mm: Dict[str, float] = {}
        self._synced_mm: Dict[str, float] = {}
        self._last_mm: Dict[str, float] = {}
        self._claim = claim
        # An alarm that goes on is one alarm
        self._is_alarmed = False
        self._refer_to(offsets_mm)

    def _refer_to(self, offsets_mm: Offsets) -> None:
        self._levelled_mm = self._synced_mm = self._last_mm = dict(offsets_mm)

    @property
    def claim(self) -> Claim:
        """The claim at the last look."""
        return self._claim

    def moved_mm(self, offsets_mm: Offsets) -> float:
        """Skew since the last look."""
        return skew_mm(offsets_mm, self._last_mm)

    def hidden_skew_mm(self, offsets_mm: Offsets, claim: Claim, step: Step) -> float:
        """Skew that the claim denies; zero if there is none."""
        hidden_mm = self._denied_mm(offsets_mm, claim, step)
        return hidden_mm if hidden_mm > self._tolerance_mm else 0.0

    def _denied_mm(self, offsets_mm: Offsets, claim: Claim, step: Step) -> float:
        if claim.in_sync is not True or step.is_accepted:
            return 0.0
        if not claim.level_needed:
            if not (step.is_settled and self._claim.level_needed):
                return skew_mm(offsets_mm, self._levelled_mm)
            # What levelling changes on purpose is no part of the offsets
            return 0.0 if step.is_excused else self.moved_mm(offsets_mm)
        if self._is_new_incident(claim):
            # It may have been homed since, within the same step
            return 0.0
        since_synced_mm = skew_mm(offsets_mm, self._synced_mm)
        if self._claim.in_sync is True:
            return since_synced_mm
        # Homing mends the skew that is known, and keeps the one that is not
        return min(since_synced_mm, self.moved_mm(offsets_mm))

    def _is_new_incident(self, claim: Claim) -> bool:
        return claim.level_needed and (
            not self._claim.level_needed or claim.level_reason != self._claim.level_reason
        )

    def judge(self, offsets_mm: Offsets, claim: Claim, step: Step) -> Verdict:
        """Compare a claim with the truth after a step; the next look goes on from there."""
        hidden_mm = self.hidden_skew_mm(offsets_mm, claim, step)
        silent_skew = ""
        if hidden_mm:
            silent_skew = "%s is claimed in sync%s with a skew of %.6f mm (step %.6f)" % (
                self._axis,
                "" if claim.level_needed else " and level",
                hidden_mm,
                self._tolerance_mm - ROUNDING_MM,
            )
        alarm, other = "", ""
        if not step.is_excused and not (self._is_alarmed and claim == self._claim):
            alarm, other = self._alarm(offsets_mm, claim, step)
            self._is_alarmed = bool(alarm or other)
        self._note(offsets_mm, claim, step, bool(hidden_mm))
        return Verdict(silent_skew, alarm, other)

    def _alarm(self, offsets_mm: Offsets, claim: Claim, step: Step) -> "tuple[str, str]":
        """A false alarm, or a skew that nothing accounts for."""
        since_synced_mm = skew_mm(offsets_mm, self._synced_mm)
        is_skewed = since_synced_mm > self._tolerance_mm
        if claim.in_sync is False:
            text = "%s is said not to be in sync with a skew of %.6f mm"
            text %= (self._axis, since_synced_mm)
            return ("", text) if is_skewed else (text, "")
        is_lost = claim.in_sync is None and not self._is_left_alone(claim)
        if is_lost and self._claim.in_sync is True and not is_skewed:
            return "%s is said to be unknown, but nothing has happened" % (self._axis,), ""
        if claim.level_needed and (step.is_settled or step.is_accepted):
            return "%s is said not to be level just after that" % (self._axis,), ""
        if claim.level_needed and not self._claim.level_needed and not is_skewed:
            return "%s is said not to be level, but nothing has happened" % (self._axis,), ""
        return "", ""

    def _note(self, offsets_mm: Offsets, claim: Claim, step: Step, was_hidden: bool) -> None:
        was = self._claim
        is_settled = step.is_settled and was.level_needed and not claim.level_needed
        if is_settled and claim.in_sync is False and was.in_sync is True:
            # Steps were lost meanwhile, and homing puts them back
            self._refer_to(self._last_mm)
        elif step.is_accepted or is_settled or was_hidden:
            # What has been found once is not found again
            self._refer_to(offsets_mm)
        elif claim.in_sync is True and (was.in_sync is not True or self._is_new_incident(claim)):
            self._synced_mm = dict(offsets_mm)
        self._last_mm = dict(offsets_mm)
        self._claim = claim

    def _is_left_alone(self, claim: Claim) -> bool:
        return self._has_own_endstops and claim.in_sync is None

    def still_reported(self, claim: Claim) -> str:
        """What is still said of a rail that was homed and levelled; empty if nothing is."""
        if claim.in_sync is not True and not self._is_left_alone(claim):
            return "%s is still said to be in sync: %s" % (self._axis, claim.in_sync)
        if claim.level_needed:
            return "%s is still said to need levelling: %s" % (self._axis, claim.level_reason)
        return ""
