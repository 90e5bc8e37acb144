# The planning of corrections, on its own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resync.model.plan import PlanError, StepperReading, mapping_offsets_mm, plan_rail

STEP_MM = 0.0025

step_distances_mm = st.floats(0.0005, 0.05)
directions = st.sampled_from([-1, 1])
targets = st.sampled_from(["trigger", "least_travel"])
any_offset_mm = st.floats(-500.0, 500.0)
overshoots = st.integers(-2, 200)


def reading(start, trigger, halt, name="stepper_z", step_mm=STEP_MM, offset_mm=0.0):
    return StepperReading(name, step_mm, offset_mm, start, trigger, halt)


def rail_readings(direction, start_mm, travel_mm, steppers):
    """Readings of a rail; steppers has pairs of settings and of steps past the trigger.

    The settings of each are its step distance and mapping offset (mm).
    """
    trigger_mm = start_mm + direction * travel_mm
    readings = []
    for i, ((step_dist_mm, offset_mm), overshoot) in enumerate(steppers):
        trigger = round((trigger_mm + offset_mm) / step_dist_mm)
        start = round((start_mm + offset_mm) / step_dist_mm)
        halt = trigger + direction * overshoot
        if direction * (halt - start) <= 0:
            halt = start + direction
        name = "stepper_z%d" % (i,)
        readings.append(StepperReading(name, step_dist_mm, offset_mm, start, trigger, halt))
    return readings


@st.composite
def homing_moves(draw, step_mm=None):
    """Readings of a rail on which every stepper stopped some steps off."""
    direction = draw(directions)
    start_mm, travel_mm = draw(st.floats(-400.0, 400.0)), draw(st.floats(0.2, 50.0))
    steppers = [
        ((step_mm or draw(step_distances_mm), draw(any_offset_mm)), draw(overshoots))
        for _ in range(draw(st.integers(2, 6)))
    ]
    return rail_readings(direction, start_mm, travel_mm, steppers)


def random_homing_move(rng):
    """The same without Hypothesis, whose every draw takes longer than a plan."""
    steppers = [
        ((at_random(rng, 0.0005, 0.05), at_random(rng, -500.0, 500.0)), rng.randint(-2, 200))
        for _ in range(rng.randint(2, 6))
    ]
    start_mm, travel_mm = at_random(rng, -400.0, 400.0), at_random(rng, 0.2, 50.0)
    return rail_readings(rng.choice([-1, 1]), start_mm, travel_mm, steppers)


def at_random(rng, least, greatest):
    """A number of a range, and often one of its ends, as Hypothesis has it."""
    return rng.choice([least, greatest]) if rng.random() < 0.1 else rng.uniform(least, greatest)


# Invariants


@settings(max_examples=100)
@given(st.integers(0, 2**32))
def test_i1_and_i2_hold_over_ten_thousand_homing_moves(seed):
    rng = random.Random(seed)
    for _ in range(100):
        readings = random_homing_move(rng)
        plan = plan_rail(readings, rng.choice(["trigger", "least_travel"]))
        offsets_mm = mapping_offsets_mm(readings, plan, at_random(rng, -400.0, 400.0))
        first = readings[0]
        for r, c in zip(readings, plan.corrections):
            assert c.correction_steps * plan.direction <= 0
            before_mm = r.mapping_offset_mm - first.mapping_offset_mm
            assert abs(offsets_mm[r.name] - offsets_mm[first.name] - before_mm) < 1e-9


@given(homing_moves(), targets, st.floats(-400.0, 400.0))
def test_i1_differences_of_mapping_offsets_stay(readings, target, commanded_mm):
    plan = plan_rail(readings, target)
    offsets_mm = mapping_offsets_mm(readings, plan, commanded_mm)
    for r in readings:
        before_mm = r.mapping_offset_mm - readings[0].mapping_offset_mm
        after_mm = offsets_mm[r.name] - offsets_mm[readings[0].name]
        assert after_mm == pytest.approx(before_mm, abs=1e-9)


@given(homing_moves(), targets)
def test_i1_a_probe_leaves_every_mapping_unchanged(readings, target):
    plan = plan_rail(readings, target)
    # A probe does not redefine the coordinate: the target keeps its own
    offsets_mm = mapping_offsets_mm(readings, plan, plan.target_mm)
    for r in readings:
        assert offsets_mm[r.name] == r.mapping_offset_mm


@given(homing_moves(), targets)
def test_i2_no_correction_is_in_the_direction_of_travel(readings, target):
    plan = plan_rail(readings, target)
    assert plan.direction != 0
    for c in plan.corrections:
        assert c.correction_steps * plan.direction <= 0


# Rules of the plan


@given(homing_moves(), targets)
def test_every_stepper_ends_within_half_a_step_of_the_target(readings, target):
    plan = plan_rail(readings, target)
    for r, c in zip(readings, plan.corrections):
        end_mm = r.position_mm(r.halt_steps + c.correction_steps)
        assert end_mm - plan.target_mm == pytest.approx(c.residual_mm, abs=1e-9)
        assert abs(c.residual_mm) <= r.step_dist_mm / 2 + 1e-9


@given(homing_moves(), targets)
def test_target_is_never_further_than_the_least_travelled_halt(readings, target):
    plan = plan_rail(readings, target)
    for r in readings:
        halt_mm = r.position_mm(r.halt_steps)
        assert plan.direction * plan.target_mm <= plan.direction * halt_mm


@given(homing_moves())
def test_target_is_the_first_steppers_trigger_when_all_passed_it(readings):
    plan = plan_rail(readings)
    first = readings[0]
    trigger_mm = first.position_mm(first.trigger_steps)
    halts_mm = [plan.direction * r.position_mm(r.halt_steps) for r in readings]
    if min(halts_mm) >= plan.direction * trigger_mm:
        assert plan.target_mm == trigger_mm


@given(homing_moves(step_mm=STEP_MM))
def test_unknown_trigger_time_corrects_to_the_least_travelled_halt(readings):
    # Some probes report the move's end: trigger and halt are the same count
    readings = [r._replace(trigger_steps=r.halt_steps) for r in readings]
    plan = plan_rail(readings)
    halts_mm = [plan.direction * r.position_mm(r.halt_steps) for r in readings]
    assert plan.direction * plan.target_mm == min(halts_mm)
    for c in plan.corrections:
        assert c.correction_steps * plan.direction <= 0


def test_stepper_that_stopped_early_is_never_driven_on():
    readings = [
        reading(0, -1000, -1010, "stepper_z"),
        reading(0, -1000, -990, "stepper_z1"),
    ]
    plan = plan_rail(readings)
    assert [c.correction_steps for c in plan.corrections] == [20, 0]
    assert [c.overshoot_steps for c in plan.corrections] == [10, -10]


def test_least_travel_moves_no_further_back_than_needed():
    readings = [
        reading(0, -1000, -1010, "stepper_z"),
        reading(0, -1000, -1004, "stepper_z1"),
    ]
    assert [c.correction_steps for c in plan_rail(readings).corrections] == [10, 4]
    plan = plan_rail(readings, "least_travel")
    assert [c.correction_steps for c in plan.corrections] == [6, 0]


def test_unlike_step_distances_meet_at_one_coordinate():
    readings = [
        reading(0, -400, -420, "stepper_z", 0.01),
        reading(0, -1333, -1400, "stepper_z1", 0.003),
    ]
    plan = plan_rail(readings)
    assert plan.target_mm == pytest.approx(-4.0)
    assert [c.correction_steps for c in plan.corrections] == [20, 67]
    assert plan.corrections[1].residual_mm == pytest.approx(0.001)


def test_rail_that_did_not_move_gets_no_step():
    readings = [
        reading(10, 10, 10, "stepper_z", offset_mm=0.0),
        reading(12, 12, 12, "stepper_z1", offset_mm=0.5),
    ]
    plan = plan_rail(readings)
    assert plan.direction == 0
    assert [c.correction_steps for c in plan.corrections] == [0, 0]


def test_steppers_that_moved_apart_are_refused():
    readings = [reading(0, 5, 10, "stepper_z"), reading(0, -5, -10, "stepper_z1")]
    with pytest.raises(PlanError, match="'stepper_z' and 'stepper_z1'"):
        plan_rail(readings)


@pytest.mark.parametrize("sign", [1, -1])
def test_stepper_that_has_not_moved_goes_the_way_of_the_others(sign):
    readings = [reading(0, 5 * sign, 10 * sign, "stepper_z"), reading(0, 0, 0, "stepper_z1")]
    plan = plan_rail(readings)
    assert plan.direction == sign
    assert [c.correction_steps for c in plan.corrections] == [-10 * sign, 0]


@given(
    st.lists(st.tuples(st.floats(1.0, 20.0), st.integers(0, 60)), max_size=30),
    st.lists(step_distances_mm, min_size=2, max_size=4),
)
def test_residuals_do_not_add_up_over_many_probes(probes, step_distances):
    counts = [0] * len(step_distances)
    offsets_mm = [0.0] * len(step_distances)
    height_mm = 30.0

    def steps_at(z_mm, i):
        return round((z_mm + offsets_mm[i]) / step_distances[i])

    counts = [steps_at(height_mm, i) for i in range(len(counts))]
    for bed_mm, overshoot in probes:
        readings = []
        for i, d in enumerate(step_distances):
            trigger = steps_at(-bed_mm, i)
            halt = trigger - (overshoot * (i + 1)) % 61
            readings.append(StepperReading(str(i), d, offsets_mm[i], counts[i], trigger, halt))
        plan = plan_rail(readings)
        new_mm = mapping_offsets_mm(readings, plan, plan.target_mm)
        offsets_mm = [new_mm[str(i)] for i in range(len(counts))]
        counts = [steps_at(height_mm, i) for i in range(len(counts))]
    assert counts == [round(height_mm / d) for d in step_distances]


UNLIKE = [
    StepperReading("stepper_z", 0.01, 1.0, 0, -100, -102),
    StepperReading("stepper_z1", 0.02, 3.0, 0, -50, -52),
]


def test_ways_are_steps_times_the_step_distance():
    for c, reading in zip(plan_rail(UNLIKE).corrections, UNLIKE):
        assert c.correction_mm == pytest.approx(c.correction_steps * reading.step_dist_mm)
        assert c.overshoot_mm == pytest.approx(2 * reading.step_dist_mm)


def test_largest_correction_is_that_of_the_longest_way():
    assert plan_rail(UNLIKE).largest_correction_mm() == pytest.approx(2.04)
    upward = [r._replace(trigger_steps=100, halt_steps=-r.halt_steps) for r in UNLIKE]
    ways_mm = [c.correction_mm for c in plan_rail(upward).corrections]
    assert plan_rail(upward).largest_correction_mm() == max(map(abs, ways_mm)) > max(ways_mm)


def test_reference_is_the_first_stepper():
    assert plan_rail(UNLIKE).reference_halt_mm == pytest.approx(-1.02 - 1.0)


@pytest.mark.parametrize("steps", [1, -1])
def test_one_step_apart_is_opposite_too(steps):
    readings = [UNLIKE[0]._replace(halt_steps=steps), UNLIKE[1]._replace(halt_steps=-steps)]
    with pytest.raises(PlanError, match="moved in opposite directions"):
        plan_rail(readings)


def test_every_stepper_of_a_corrected_rail_gets_the_same_shift():
    plan = plan_rail(UNLIKE)
    offsets_mm = mapping_offsets_mm(UNLIKE, plan, plan.target_mm + 5.0)
    assert offsets_mm == pytest.approx({"stepper_z": 1.0 - 5.0, "stepper_z1": 3.0 - 5.0})
