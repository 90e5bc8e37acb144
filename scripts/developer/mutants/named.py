# Mistakes that are always tried: each has been made, or seen to pass all tests, before
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple, Tuple

from scripts.developer.mutants.changes import ROOT, Mutant, make_mutant, module_paths

C_HELPER = "klippy/chelper/kin_resync.c"


class NamedChange(NamedTuple):
    """old, which is there exactly once in all the extra's code, becomes new.

    It is looked for in every file, as code is moved from one to another.
    tests are words in the names of tests to try first.
    """

    name: str
    old: str
    new: str
    tests: Tuple[str, ...] = ()


CHANGES = (
    NamedChange(
        "what a homing move that failed has left is not noted",
        "self._losses.not_corrected(span, corrected, error)\n",
        "pass\n",
        ("test_stow_that_fails", "test_extra_that_raises_at_the_end", "test_skew_that_a_failed"),
    ),
    NamedChange(
        "what a RESYNC that failed has left is not noted",
        'self._state.note_skewed(rail.name, skew_mm, "RESYNC failed: %s" % (e,))',
        "pass",
        ("test_resync_that_fails",),
    ),
    NamedChange(
        "the skew that a failed correction leaves is forgotten",
        "        if skew_mm:\n            self._state.note_skewed(rail.name, skew_mm, reason)",
        "        if False:\n            pass",
        ("test_skew_that_a_failed",),
    ),
    NamedChange(
        "rails that a failed homing move left alone are lost too",
        "in moved_rails(span.homing_move, self._rails):\n            if rail.name not",
        "in self._rails:\n            if rail.name not",
        ("test_probe_over_the_limit_blocks_no_other_axis",),
    ),
    NamedChange(
        "a homing move around another one is still watched",
        "            self._spans[-1].stop()\n        for",
        "            pass\n        for",
        ("test_one_move_at_a_time_is_watched",),
    ),
    NamedChange(
        "a homing move that was given up is not ended",
        "        span.stop()\n        self._give_up(span)\n        self._resume_outer()\n",
        "        pass\n",
        ("test_move_that_an_extra_gives_up", "test_move_that_is_given_up"),
    ),
    NamedChange(
        "a shutdown between plan and correction is not looked at",
        "if not self._printer.is_shutdown():\n            results, done_time",
        "if True:\n            results, done_time",
        ("test_shutdown_between",),
    ),
    NamedChange(
        "a shutdown while a correction runs is not looked at",
        "self._printer.is_shutdown():\n            # While",
        "False:\n            # While",
        ("test_shutdown_while_a_correction_runs",),
    ),
    NamedChange(
        "the state is not forgotten at a shutdown",
        "self.state.close()",
        "pass",
        ("test_shutdown_makes_the_state_unknown",),
    ),
    NamedChange(
        "a pause does not wait for the answer that is due",
        "self._answered.wait(self._reactor.monotonic() + ANSWER_TIMEOUT_S)",
        "pass",
        ("test_homing_move_waits_for_an_answer",),
    ),
    NamedChange(
        "the turn is not held while comparing",
        "with self._turn:",
        "if True:",
        ("test_checks_that_meet",),
    ),
    NamedChange(
        "no tolerance of an MCU's count beside the way that its stepper was sent",
        'if first - 1 <= halt_steps <= last + 1:\n            return ""',
        'if first <= halt_steps <= last:\n            return ""',
        ("test_count_",),
    ),
    NamedChange(
        "three steps of tolerance of an MCU's count",
        'if first - 1 <= halt_steps <= last + 1:\n            return ""',
        'if first - 3 <= halt_steps <= last + 3:\n            return ""',
        ("test_count_",),
    ),
    NamedChange(
        "the host is taken to know an MCU's clock exactly",
        "CLOCK_ERROR_S = 0.005",
        "CLOCK_ERROR_S = 0.0",
        ("test_step_near_the_answer",),
    ),
    NamedChange(
        "steps have 30 ms of lead",
        "STEP_LEAD_S = 0.100",
        "STEP_LEAD_S = 0.030",
        ("test_correction_starts_late_enough",),
    ),
    NamedChange(
        "a pin that fans out is looked at as seldom as the host does",
        "rest_time = min(rest_time, REST_S)",
        "pass",
        ("test_pins_of_one_signal_are_looked_at_often",),
    ),
    NamedChange(
        "a correction starts with a jolt",
        "t * t * t * (10. + t * (6. * t - 15.))",
        "t",
        ("test_profile_is_smooth", "test_steppers_of_a_correction"),
    ),
    NamedChange(
        "a correction goes a little too far",
        "t * (6. * t - 15.)",
        "t * (6. * t - 14.9)",
        ("test_profile_is_smooth", "test_correction_makes_exactly"),
    ),
    NamedChange(
        "before and after the carrier move steppers stand at its begin",
        "rs->distance * m->start_pos.x",
        "0.",
        ("test_correction_makes_exactly",),
    ),
    NamedChange(
        "a correction follows no axis",
        "rs->sk.active_flags = AF_X;",
        "",
        ("test_correction_makes_exactly",),
    ),
    NamedChange(
        "kinematics whose layout differs are accepted",
        "return kinematics_agree(x, other_x, y, commanded_pos)\n        && ",
        "return ",
        ("test_layout_that_does_not_agree",),
    ),
)


class NamedError(Exception):
    """A named change does not fit to the code any more."""


def mutant_of(change: NamedChange) -> Mutant:
    """The mutant of a named change; raises NamedError if it does not fit to the code."""
    sources = {p: (ROOT / p).read_text(encoding="utf-8") for p in (*module_paths(), C_HELPER)}
    counts = {path: source.count(change.old) for path, source in sources.items()}
    if sum(counts.values()) != 1:
        raise NamedError(
            "'%s' has to be there once in the extra, but is there %d times: bring '%s' in"
            " scripts/developer/mutants/named.py up to date"
            % (change.old.strip(), sum(counts.values()), change.name)
        )
    path = max(counts, key=lambda p: counts[p])
    start = len(sources[path][: sources[path].index(change.old)].encode())
    span = start, start + len(change.old.encode())
    return make_mutant(path, sources[path], span, change.new, "named", change.name)


def named_mutants() -> List[Mutant]:
    """All of them; raises NamedError if the code has changed too much."""
    return [mutant_of(change) for change in CHANGES]


def tests_named_for(mutant: Mutant) -> List[str]:
    """Words in the names of the tests to try first."""
    return [test for c in CHANGES if c.name == mutant.name for test in c.tests]
