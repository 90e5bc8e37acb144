# Mistakes that are always tried: each has been made, or seen to pass all tests, before
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import List, NamedTuple, Tuple

from mutant_changes import ROOT, Mutant, make_mutant

EXTRA = "klippy/extras/multi_mcu_resync.py"
PARTS = "klippy/extras/resync/"
C_HELPER = "klippy/chelper/kin_resync.c"


class NamedChange(NamedTuple):
    """old, which is there exactly once in the file of that path, becomes new.

    tests are words in the names of tests to try first.
    """

    name: str
    path: str
    old: str
    new: str
    tests: Tuple[str, ...] = ()


CHANGES = (
    NamedChange(
        "no state loss when a correction raises",
        PARTS + "resyncer.py",
        'self._state.lose(result.part.rail.name, "the correction failed: %s" % (e,))',
        "pass",
    ),
    NamedChange(
        "the rails of a failed move are not lost",
        EXTRA,
        "self._lose_uncorrected(span, results, error)\n",
        "pass\n",
    ),
    NamedChange(
        "rails that a failed move left alone are lost too",
        EXTRA,
        " and not is_idle:",
        ":",
    ),
    NamedChange(
        "a left-over span is not ended at the next begin",
        EXTRA,
        "self._end_span(self.span)\n",
        "pass\n",
    ),
    NamedChange(
        "a shutdown between plan and correction is not looked at",
        EXTRA,
        "self.printer.is_shutdown():\n            return",
        "False:\n            return",
    ),
    NamedChange(
        "the state is not forgotten at a shutdown",
        EXTRA,
        'self.state.forget([rail.name for rail in self.rails], "the printer was shut down")',
        "pass",
    ),
    NamedChange(
        "a pause does not wait for the answer that is due",
        PARTS + "acknowledge.py",
        "self._answered.wait(self._reactor.monotonic() + ANSWER_TIMEOUT_S)",
        "pass",
    ),
    NamedChange(
        "the turn is not held while comparing",
        PARTS + "acknowledge.py",
        "with self._turn:",
        "if True:",
    ),
    NamedChange(
        "no tolerance of an MCU's count below the way that its stepper was sent",
        PARTS + "event.py",
        "first - 1 <= halt_steps <= last + 1",
        "first <= halt_steps <= last",
    ),
    NamedChange(
        "three steps of tolerance of an MCU's count",
        PARTS + "event.py",
        "first - 1 <= halt_steps <= last + 1",
        "first - 3 <= halt_steps <= last + 3",
    ),
    NamedChange(
        "the host is taken to know an MCU's clock exactly",
        PARTS + "position_check.py",
        "CLOCK_ERROR_S = 0.005",
        "CLOCK_ERROR_S = 0.0",
    ),
    NamedChange(
        "steps have 30 ms of lead",
        PARTS + "host.py",
        "STEP_LEAD_S = 0.100",
        "STEP_LEAD_S = 0.030",
    ),
    NamedChange(
        "a pin that fans out is looked at as seldom as the host does",
        PARTS + "fan_out.py",
        "rest_time = min(rest_time, REST_S)",
        "pass",
    ),
    NamedChange(
        "steps are not flushed before a correction",
        PARTS + "motion.py",
        "    host.flush_steps()\n",
        "    pass\n",
    ),
    NamedChange(
        "a correction starts with a jolt",
        C_HELPER,
        "t * t * t * (10. + t * (6. * t - 15.))",
        "t",
    ),
    NamedChange(
        "a correction goes a little too far",
        C_HELPER,
        "t * (6. * t - 15.)",
        "t * (6. * t - 14.9)",
    ),
    NamedChange(
        "before and after the carrier move steppers stand at its begin",
        C_HELPER,
        "rs->distance * m->start_pos.x",
        "0.",
    ),
    NamedChange(
        "a correction follows no axis",
        C_HELPER,
        "rs->sk.active_flags = AF_X;",
        "",
    ),
    NamedChange(
        "kinematics whose layout differs are accepted",
        C_HELPER,
        "return kinematics_agree(x, other_x, y, commanded_pos)\n        && ",
        "return ",
    ),
)


class NamedError(Exception):
    """A named change does not fit to the code any more."""


def mutant_of(change: NamedChange) -> Mutant:
    """The mutant of a named change; raises NamedError if it does not fit to the code."""
    source = (ROOT / change.path).read_text(encoding="utf-8")
    if source.count(change.old) != 1:
        raise NamedError(
            "'%s' has to be there once in %s, but is there %d times: bring '%s' in"
            " scripts/mutant_named.py up to date"
            % (change.old.strip(), change.path, source.count(change.old), change.name)
        )
    start = len(source[: source.index(change.old)].encode())
    span = start, start + len(change.old.encode())
    return make_mutant(change.path, source, span, change.new, "named", change.name)


def named_mutants() -> List[Mutant]:
    """All of them; raises NamedError if the code has changed too much."""
    return [mutant_of(change) for change in CHANGES]


def tests_named_for(mutant: Mutant) -> List[str]:
    """Words in the names of the tests to try first."""
    return [test for c in CHANGES if c.name == mutant.name for test in c.tests]
