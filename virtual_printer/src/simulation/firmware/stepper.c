// Stepper object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// Steps are taken when someone asks what has become of them, all those
// due at once.  What the firmware would do at a step of its own accord,
// it does at that time only for moves whose steps may come late, and while
// steppers may take much of the CPU: then each step is a timer of its own.

#include "../mechanics/mechanics.h" // motor_pulse
#include "objects.h" // struct stepper

const struct object_type stepper_type = { "stepper" };

#define STEP_LATENESS_NS_MAX 1000000


/****************************************************************
 * Stepping
 ****************************************************************/

// Can all steps of a move after its first be taken when they are due?
static int
is_move_smooth(const struct stepper *stepper, const struct move *move)
{
    int64_t second = (int64_t)move->interval_ticks + move->add_ticks;
    int64_t last = (int64_t)move->interval_ticks
        + (int64_t)move->add_ticks * (move->count - 1);
    return move->count == 1
        || (second >= stepper->step_ticks_min && second <= INT32_MAX
            && last >= stepper->step_ticks_min && last <= INT32_MAX);
}

// May a step of the move come late, with another move before it?
static int
is_move_uneven(const struct stepper *stepper, const struct move *move)
{
    return move->interval_ticks < stepper->step_ticks_min
        || move->interval_ticks > INT32_MAX || !is_move_smooth(stepper, move);
}

// Take over a move whose first step is due at ideal_clock
static void
begin_move(struct stepper *stepper, struct move *move)
{
    stepper->count = move->count;
    stepper->direction = move->direction;
    stepper->interval_ticks =
        move->interval_ticks + (uint32_t)(int32_t)move->add_ticks;
    stepper->add_ticks = move->add_ticks;
    stepper->load.level = move->load_level;
    stepper->is_smooth = stepper->next_clock == stepper->ideal_clock
        && is_move_smooth(stepper, move);
    move_release(stepper->mcu, move);
}

// Hold a move's first step back until the stepper is ready for it; shuts down
// and returns -1 if that is much too late
static int
hold_back(struct stepper *stepper, uint8_t direction)
{
    struct mcu *mcu = stepper->mcu;
    if (stepper->ideal_clock < stepper->free_clock) {
        stepper->next_clock = stepper->free_clock;
        int64_t limit = mcu_ticks_from_ns(mcu, STEP_LATENESS_NS_MAX);
        if (stepper->free_clock - stepper->ideal_clock > limit) {
            mcu_shutdown(mcu, REASON_STEPPER_TOO_FAR_IN_PAST);
            return -1;
        }
    }
    int64_t turned_clock = stepper->free_clock + stepper->pulse_ticks;
    if (stepper->is_both_edges && direction != stepper->direction
        && stepper->next_clock < turned_clock)
        // Others change their direction while the pulse ends
        stepper->next_clock = turned_clock;
    return 0;
}

// A move is over: go on with the next one
static void
begin_next_move(struct stepper *stepper)
{
    struct mcu *mcu = stepper->mcu;
    stepper->is_ending = 0;
    stepper_load_remove(&stepper->load, &mcu->cpu);
    struct move *move = move_queue_pop(&stepper->queue);
    if (!move) {
        stepper->idle_clock = (uint32_t)stepper->last_ideal_clock;
        return;
    }
    if (stepper->motor && move->direction != stepper->direction) {
        motor_turn(stepper->motor,
                   mcu_time_of(mcu, (uint64_t)stepper->last_ideal_clock));
        if (mcu->is_shutdown)
            // Because of another stepper, and the move is gone
            return;
    }
    int64_t ideal_clock =
        stepper->last_ideal_clock + (int32_t)move->interval_ticks;
    stepper->ideal_clock = stepper->next_clock = ideal_clock;
    if (!stepper->is_plain && hold_back(stepper, move->direction))
        // All moves are gone
        return;
    begin_move(stepper, move);
}

// The last step of a move was taken: it is over when its pulse has ended
static void
end_move(struct stepper *stepper, int64_t clock)
{
    if (stepper->is_both_edges || stepper->is_plain) {
        begin_next_move(stepper);
        return;
    }
    stepper->is_ending = 1;
    stepper->next_clock = clock + stepper->pulse_ticks;
}

// Note that steps were taken, the last one at a clock
static void
take_steps(struct stepper *stepper, uint32_t count, int64_t ideal_clock,
           int64_t clock)
{
    stepper->last_ideal_clock = ideal_clock;
    stepper->free_clock = clock + stepper->step_ticks_min;
    stepper->count -= count;
    if (!cpu_is_counting(&stepper->mcu->cpu))
        stepper->mcu->cpu.uncounted_events += count * stepper->load.event_count;
    if (stepper->motor)
        count = motor_pulse(stepper->motor, stepper->direction, count);
    stepper->position += stepper->direction ? (int64_t)count : -(int64_t)count;
}

// Take steps of a move all of which are on time
static void
advance_smooth(struct stepper *stepper, int64_t clock)
{
    int64_t interval = stepper->interval_ticks, add = stepper->add_ticks;
    int64_t more = (int64_t)stepper->count - 1;
    int64_t last_clock =
        stepper->next_clock + interval * more + add * (more * (more - 1) / 2);
    if (last_clock <= clock) {
        take_steps(stepper, stepper->count, last_clock, last_clock);
        end_move(stepper, last_clock);
        return;
    }
    uint32_t taken = 0;
    int64_t step_clock, next_clock = stepper->next_clock;
    do {
        step_clock = next_clock;
        next_clock += interval;
        interval += add;
        taken++;
    } while (next_clock <= clock);
    take_steps(stepper, taken, step_clock, step_clock);
    stepper->ideal_clock = stepper->next_clock = next_clock;
    stepper->interval_ticks = (uint32_t)interval;
}

// Take one step at a clock which may be late; later steps are pushed back by it
static void
advance_late(struct stepper *stepper, int64_t clock)
{
    take_steps(stepper, 1, stepper->ideal_clock, clock);
    if (!stepper->count) {
        end_move(stepper, clock);
        return;
    }
    stepper->ideal_clock += (int32_t)stepper->interval_ticks;
    stepper->interval_ticks += (uint32_t)(int32_t)stepper->add_ticks;
    stepper->next_clock = stepper->ideal_clock;
    if (!stepper->is_plain && stepper->next_clock < stepper->free_clock) {
        stepper->next_clock = stepper->free_clock;
        stepper->is_smooth = 0;
    }
}

static int
is_active(const struct stepper *stepper)
{
    return stepper->count || stepper->is_ending;
}

// Take all steps up to and including a clock, unless the timer of each does so
static void
advance(struct stepper *stepper, uint64_t clock)
{
    if (stepper->mcu->cpu.is_loaded || stepper->watch_timer.is_late)
        return;
    while (is_active(stepper) && stepper->next_clock <= (int64_t)clock) {
        if (stepper->is_ending)
            begin_next_move(stepper);
        else if (stepper->is_smooth)
            advance_smooth(stepper, (int64_t)clock);
        else
            advance_late(stepper, stepper->next_clock);
    }
}

void
steppers_advance(struct mcu *mcu)
{
    uint64_t clock = mcu_clock_now(mcu);
    struct stepper *stepper;
    uint32_t oid = 0;
    while ((stepper = mcu_object_next(mcu, &oid, &stepper_type)))
        advance(stepper, clock);
}

// Bring a stepper of this micro-controller up to now
static void
advance_to_now(struct stepper *stepper)
{
    advance(stepper, mcu_clock_now(stepper->mcu));
}

static void
catch_up(struct motor_driver *driver)
{
    struct stepper *stepper = container_of(driver, struct stepper, driver);
    if (is_active(stepper))
        advance_to_now(stepper);
}

static void
catch_up_to(struct motor_driver *driver, int64_t time_ns)
{
    struct stepper *stepper = container_of(driver, struct stepper, driver);
    if (is_active(stepper))
        advance(stepper, mcu_clock_at(stepper->mcu, time_ns));
}

// The step that is under way shows how fast it is
static double
rate_hz(struct motor_driver *driver)
{
    struct stepper *stepper = container_of(driver, struct stepper, driver);
    catch_up(driver);
    int64_t ticks = stepper->next_clock - stepper->last_ideal_clock;
    return stepper->count && ticks > 0
        ? (double)stepper->mcu->nominal_frequency / (double)ticks
        : 0.0;
}

// Do what the firmware does in one timer of the stepper
static void
advance_one_event(struct stepper *stepper)
{
    int64_t now = (int64_t)mcu_clock_now(stepper->mcu);
    // The end of a pulse that does not end a move is a timer too
    stepper->watch_timer.event_count =
        stepper->count > 1 ? stepper->load.event_count : 1;
    if (!is_active(stepper) || stepper->next_clock > now)
        return;
    if (stepper->is_ending)
        begin_next_move(stepper);
    else
        advance_late(stepper, stepper->is_plain ? stepper->next_clock : now);
}

static enum timer_result
watch_event(struct mcu_timer *timer)
{
    struct stepper *stepper = container_of(timer, struct stepper, watch_timer);
    struct cpu *cpu = &stepper->mcu->cpu;
    if (cpu_is_counting(cpu))
        advance_one_event(stepper);
    else
        advance_to_now(stepper);
    stepper->is_watched = stepper->is_watched && is_active(stepper);
    timer->wake_clock = (uint64_t)stepper->next_clock;
    int must_watch = stepper->is_watched || cpu_is_counting(cpu)
        || stepper->next_clock <= (int64_t)mcu_clock_now(stepper->mcu);
    return is_active(stepper) && must_watch ? TIMER_AGAIN : TIMER_DONE;
}

// Steppers may take much of the CPU from now on: see what they do, step by step
static void
begin_counting(struct mcu *mcu)
{
    // Moves that are over may still be counted among those to come
    steppers_advance(mcu);
    if (mcu->is_interrupted || mcu->cpu.load < LOAD_LIMIT)
        return;
    mcu->cpu.is_loaded = 1;
    struct stepper *stepper;
    uint32_t oid = 0;
    while ((stepper = mcu_object_next(mcu, &oid, &stepper_type)))
        if (is_active(stepper))
            mcu_timer_start(&stepper->watch_timer,
                            (uint64_t)stepper->next_clock);
}


/****************************************************************
 * Stopping
 ****************************************************************/

// Take the steps that are due, drop all others
void
stepper_stop(struct stepper *stepper)
{
    advance_to_now(stepper);
    stepper_load_clear(&stepper->load, &stepper->mcu->cpu);
    stepper->count = stepper->idle_clock = 0;
    stepper->is_ending = 0;
    stepper->direction = stepper->requested_direction = 0;
    stepper->needs_reset = 1;
    stepper->is_watched = 0;
    mcu_timer_cancel(&stepper->watch_timer);
    struct move *move;
    while ((move = move_queue_pop(&stepper->queue)))
        move_release(stepper->mcu, move);
}

static void
steppers_shutdown(struct mcu *mcu)
{
    struct stepper *stepper;
    uint32_t oid = 0;
    while ((stepper = mcu_object_next(mcu, &oid, &stepper_type)))
        stepper_stop(stepper);
}

static void
steppers_detach(struct mcu *mcu)
{
    struct stepper *stepper;
    uint32_t oid = 0;
    while ((stepper = mcu_object_next(mcu, &oid, &stepper_type)))
        if (stepper->motor)
            stepper->motor->driver = NULL;
}


/****************************************************************
 * Commands
 ****************************************************************/

// How far apart the steps are at least.  Firmware has a faster way to step that
// minds no pulses, for drivers that step on both edges or on an AVR.
static void
set_pulse(struct stepper *stepper, int is_both_edges, uint32_t pulse_ticks)
{
    struct mcu *mcu = stepper->mcu;
    uint32_t plain_ticks =
        is_both_edges ? mcu->plain_edge_ticks : mcu->plain_unstep_ticks;
    stepper->is_both_edges = is_both_edges;
    stepper->is_plain = plain_ticks && pulse_ticks <= plain_ticks;
    stepper->pulse_ticks = pulse_ticks;
    stepper->step_ticks_min = pulse_ticks * (is_both_edges ? 1 : 2);
    if (stepper->is_plain || !stepper->step_ticks_min)
        stepper->step_ticks_min = 1;
    stepper_load_init(&stepper->load, mcu,
                      stepper->is_plain || is_both_edges ? 1 : 2);
}

static void
command_config_stepper(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper =
        mcu_object_add(mcu, arguments[0], &stepper_type, sizeof(*stepper));
    if (!stepper)
        return;
    stepper->driver.catch_up = catch_up;
    stepper->driver.catch_up_to = catch_up_to;
    stepper->driver.rate_hz = rate_hz;
    stepper->mcu = mcu;
    stepper->motor =
        mechanics_find_motor(mcu->mechanics, mcu, arguments[1], arguments[2]);
    if (stepper->motor)
        stepper->motor->driver = &stepper->driver;
    mcu_timer_init(&stepper->watch_timer, mcu, watch_event);
    set_pulse(stepper, (int8_t)arguments[3] < 0, arguments[4]);
}

// Begin to step out of rest; as any timer, it must not come too late
static void
start_stepping(struct stepper *stepper, struct move *move)
{
    struct mcu *mcu = stepper->mcu;
    uint64_t clock =
        mcu_clock_from_wire(mcu, stepper->idle_clock + move->interval_ticks);
    if (cpu_is_too_late(mcu, clock)) {
        move_release(mcu, move);
        mcu_shutdown(mcu, REASON_TIMER_TOO_CLOSE);
        return;
    }
    if (stepper->motor)
        motor_turn(stepper->motor, mcu->timeline->now_ns);
    if (mcu->is_shutdown)
        return;
    stepper->ideal_clock = stepper->next_clock = (int64_t)clock;
    begin_move(stepper, move);
}

static void
command_queue_step(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper = mcu_object(mcu, arguments[0], &stepper_type);
    if (!stepper)
        return;
    struct move *move = move_allocate(mcu);
    if (!move)
        return;
    move->interval_ticks = arguments[1];
    move->count = (uint16_t)arguments[2];
    move->add_ticks = (int16_t)arguments[3];
    move->direction = stepper->requested_direction;
    if (!move->count) {
        move_release(mcu, move);
        mcu_shutdown(mcu, REASON_INVALID_COUNT);
        return;
    }
    advance_to_now(stepper);
    if (is_move_uneven(stepper, move))
        stepper->is_watched = 1;
    if (!is_active(stepper) && stepper->needs_reset) {
        move_release(mcu, move);
        return;
    }
    stepper_load_add(&stepper->load, &mcu->cpu, move);
    if (is_active(stepper))
        move_queue_push(&stepper->queue, move);
    else
        start_stepping(stepper, move);
    if (mcu->cpu.load >= LOAD_LIMIT && !mcu->cpu.is_loaded)
        begin_counting(mcu);
    if (is_active(stepper)
        && (stepper->is_watched || cpu_is_counting(&mcu->cpu))
        && !mcu_timer_is_pending(&stepper->watch_timer))
        mcu_timer_start(&stepper->watch_timer, (uint64_t)stepper->next_clock);
}

static void
command_set_next_step_dir(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper = mcu_object(mcu, arguments[0], &stepper_type);
    if (stepper)
        stepper->requested_direction = !!(uint8_t)arguments[1];
}

static void
command_reset_step_clock(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper = mcu_object(mcu, arguments[0], &stepper_type);
    if (!stepper)
        return;
    advance_to_now(stepper);
    if (is_active(stepper)) {
        mcu_shutdown(mcu, REASON_STEPPER_ACTIVE);
        return;
    }
    stepper->idle_clock = arguments[1];
    stepper->needs_reset = 0;
}

static void
command_stepper_get_position(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper = mcu_object(mcu, arguments[0], &stepper_type);
    if (!stepper)
        return;
    advance_to_now(stepper);
    MCU_RESPOND(mcu, RESPONSE_STEPPER_POSITION, arguments[0],
                (uint32_t)stepper->position);
}

static void
command_stepper_stop_on_trigger(struct mcu *mcu, const uint32_t *arguments)
{
    struct stepper *stepper = mcu_object(mcu, arguments[0], &stepper_type);
    if (!stepper)
        return;
    struct trsync *trsync = mcu_object(mcu, arguments[1], &trsync_type);
    if (trsync)
        trsync_add_stepper(trsync, stepper);
}

static const struct command commands[] = {
    { "config_stepper",          command_config_stepper,
     "oid step_pin dir_pin invert_step step_pulse_ticks",                                   0 },
    { "queue_step",              command_queue_step,              "oid interval count add", 0 },
    { "set_next_step_dir",       command_set_next_step_dir,       "oid dir",                0 },
    { "reset_step_clock",        command_reset_step_clock,        "oid clock",              0 },
    { "stepper_get_position",    command_stepper_get_position,    "oid",                    0 },
    { "stepper_stop_on_trigger", command_stepper_stop_on_trigger,
     "oid trsync_oid",                                                                      0 },
};

const struct peripheral stepper_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = steppers_shutdown,
    .release = steppers_detach,
};
