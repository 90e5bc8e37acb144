# What of an MCU's answer, and of what the host says about it, can be true
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.host.answers import ask, believed

ASKED_S, ANSWERED_S = 100.0, 100.25
anything = st.floats() | st.just(0.0) | st.floats(ASKED_S - 1.0, ANSWERED_S + 1.0)


class Reactor:
    def __init__(self):
        self._times = iter([ASKED_S, ANSWERED_S])

    def monotonic(self):
        return next(self._times)


class Query:
    """Answers with these times."""

    def __init__(self, sent, received):
        self._params = {"#sent_time": sent, "#receive_time": received, "pos": 7}

    def send(self, arguments):
        assert arguments == [3]
        return self._params


def answer(sent, received):
    return ask(Reactor(), Query(sent, received), [3])


def test_times_of_the_host_are_taken_where_they_can_be_true():
    assert answer(100.01, 100.02) == (
        {"#sent_time": 100.01, "#receive_time": 100.02, "pos": 7},
        100.01,
        100.02,
    )


def test_question_without_a_time_of_sending_was_sent_after_we_asked():
    assert answer(0.0, 100.02)[1:] == (ASKED_S, 100.02)


def test_question_may_have_been_sent_at_the_instant_of_asking():
    assert answer(ASKED_S, 100.02)[1:] == (ASKED_S, 100.02)


@given(sent=anything, received=anything)
def test_answer_was_made_between_our_asking_and_our_hearing_of_it(sent, received):
    found = answer(sent, received)
    if 0.0 < sent < ASKED_S:
        assert found is None
    else:
        assert ASKED_S <= found.first_time <= found.last_time <= ANSWERED_S


@pytest.mark.parametrize("sent", [1e-9, 99.0, 99.999])
def test_answer_to_an_earlier_question_is_none(sent):
    assert answer(sent, 100.02) is None


@given(value=st.floats(), least=st.floats(-1e6, 1e6), most=st.floats(-1e6, 1e6))
def test_what_cannot_be_true_is_not_believed(value, least, most):
    assert believed(value, least, most) == (value if least <= value <= most else None)


def test_what_is_no_number_is_not_believed():
    assert believed(math.nan, -math.inf, math.inf) is None
