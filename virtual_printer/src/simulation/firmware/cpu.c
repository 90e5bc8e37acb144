// The CPU of a virtual micro-controller, which timers and tasks share
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu

// All tasks are looked at in the time of so many simple commands
#define PASS_COMMANDS 4
#define SQUARES_BASE 256

static int64_t
now_ps(const struct mcu *mcu)
{
    return mcu->timeline->now_ns * PS_PER_NS;
}

static int64_t
ns_after(int64_t time_ps)
{
    return (time_ps + PS_PER_NS - 1) / PS_PER_NS;
}


/****************************************************************
 * Timers
 ****************************************************************/

static void
schedule_dispatch(struct mcu *mcu)
{
    int64_t time_ns = ns_after(mcu->cpu.free_ps);
    if (time_ns < mcu->timeline->now_ns)
        time_ns = mcu->timeline->now_ns;
    event_schedule(&mcu->timeline->events, &mcu->cpu.dispatch_event, time_ns);
}

void
cpu_wait(struct mcu_timer *timer)
{
    struct cpu *cpu = &timer->mcu->cpu;
    struct mcu_timer **place = &cpu->late;
    while (*place && (*place)->wake_clock <= timer->wake_clock)
        place = &(*place)->next_late;
    timer->next_late = *place;
    timer->is_late = 1;
    *place = timer;
    if (!cpu->dispatch_event.slot)
        schedule_dispatch(timer->mcu);
}

void
cpu_stop_waiting(struct mcu_timer *timer)
{
    if (!timer->is_late)
        return;
    struct mcu_timer **place = &timer->mcu->cpu.late;
    while (*place != timer)
        place = &(*place)->next_late;
    *place = timer->next_late;
    timer->is_late = 0;
}

int
cpu_is_too_late(const struct mcu *mcu, uint64_t clock)
{
    const struct mcu_timer *first = mcu->cpu.late;
    return clock < mcu_clock_now(mcu) && (!first || clock < first->wake_clock);
}

// Whether tasks go first now, since timers have kept them waiting.  This is
// also when the firmware notices that it cannot keep up.
static int
is_turn_of_tasks(struct mcu *mcu)
{
    struct cpu *cpu = &mcu->cpu;
    if (cpu->free_ps <= cpu->repeat_until_ps)
        return 0;
    const struct mcu_timer *first = cpu->late;
    int64_t limit_ns = cpu->late_limit_ps / PS_PER_NS;
    if (first && !mcu->is_shutdown
        && mcu_time_of(mcu, first->wake_clock) + limit_ns
            < mcu->timeline->now_ns) {
        mcu_shutdown(mcu, REASON_RESCHEDULED_IN_PAST);
        return 1;
    }
    int has_task = mcu->process_task.event.slot || mcu->trsync_task.event.slot;
    int is_their_turn = has_task && !cpu->have_tasks_rested;
    cpu->have_tasks_rested = !has_task;
    cpu->repeat_until_ps = cpu->free_ps + cpu->repeat_ps;
    if (is_their_turn)
        cpu->free_ps += cpu->yield_ps;
    return is_their_turn;
}

// Note what a timer takes that has just run
static void
count_timer(struct mcu_timer *timer)
{
    struct mcu *mcu = timer->mcu;
    struct cpu *cpu = &mcu->cpu;
    int64_t start_ps = now_ps(mcu);
    // It began within this very ns if it had to wait
    if (cpu->free_ps > start_ps - PS_PER_NS)
        start_ps = cpu->free_ps;
    int64_t taken_ps = (timer == cpu->previous ? cpu->lone_ps : cpu->shared_ps)
        * timer->event_count;
    cpu->previous = timer;
    cpu->timers_ps += taken_ps;
    cpu->free_ps = start_ps + taken_ps;
    if (cpu->late)
        schedule_dispatch(mcu);
}

static void
run(struct mcu_timer *timer)
{
    struct mcu *mcu = timer->mcu;
    mcu_begin_turn(mcu);
    enum timer_result result = timer->callback(timer);
    if (result == TIMER_AGAIN && !mcu->is_interrupted)
        mcu_timer_rearm(timer);
    if (cpu_is_counting(&mcu->cpu))
        count_timer(timer);
    mcu_end_turn(mcu);
}

void
cpu_run_timer(struct mcu_timer *timer)
{
    struct mcu *mcu = timer->mcu;
    struct cpu *cpu = &mcu->cpu;
    int64_t idle_ps = now_ps(mcu) - cpu->free_ps;
    if (cpu->late || idle_ps < 0) {
        cpu_wait(timer);
        return;
    }
    if (idle_ps < cpu->hold_ps) {
        // The timers before it have waited for it
        cpu->timers_ps += idle_ps;
        cpu->free_ps += idle_ps;
        if (is_turn_of_tasks(mcu)) {
            cpu_wait(timer);
            return;
        }
    }
    run(timer);
}

static void
dispatch_event(struct event *event)
{
    struct mcu *mcu = container_of(event, struct mcu, cpu.dispatch_event);
    struct mcu_timer *timer = mcu->cpu.late;
    if (!timer)
        return;
    if (is_turn_of_tasks(mcu)) {
        if (mcu->cpu.late)
            schedule_dispatch(mcu);
        return;
    }
    cpu_stop_waiting(timer);
    run(timer);
    if (mcu->cpu.late)
        schedule_dispatch(mcu);
}


/****************************************************************
 * Tasks
 ****************************************************************/

void
cpu_schedule_task(struct mcu *mcu, struct task *task, int64_t delay_ns)
{
    task->work_ps = delay_ns * PS_PER_NS;
    task->seen_ps = mcu->cpu.timers_ps;
    task->delay_ps = 0;
    event_schedule(&mcu->timeline->events, &task->event,
                   mcu->timeline->now_ns + delay_ns);
}

int
cpu_delay_task(struct mcu *mcu, struct task *task)
{
    int64_t taken_ps = mcu->cpu.timers_ps - task->seen_ps;
    if (taken_ps < PS_PER_NS) {
        mcu->cpu.stretch = task->delay_ps
            ? 1.0 + (double)task->delay_ps / (double)(task->work_ps + PS_PER_NS)
            : 1.0;
        return 0;
    }
    task->seen_ps = mcu->cpu.timers_ps;
    task->delay_ps += taken_ps;
    event_schedule(&mcu->timeline->events, &task->event,
                   mcu->timeline->now_ns + taken_ps / PS_PER_NS);
    return 1;
}


/****************************************************************
 * Statistics
 ****************************************************************/

void
cpu_note_pass(struct mcu *mcu, int64_t task_ps)
{
    struct cpu *cpu = &mcu->cpu;
    int64_t taken_ps = PASS_COMMANDS * cpu->command_ps + task_ps;
    double ticks_per_ps = 1e-12 * (double)mcu->nominal_frequency;
    uint64_t ticks = (uint64_t)((double)taken_ps * cpu->stretch * ticks_per_ps);
    cpu->pass_count++;
    cpu->pass_ticks += ticks;
    cpu->pass_squares += (ticks * ticks + SQUARES_BASE - 1) / SQUARES_BASE;
}

void
cpu_report(struct mcu *mcu, int64_t interval_ns)
{
    struct cpu *cpu = &mcu->cpu;
    double interval_ps = (double)interval_ns * PS_PER_NS;
    double busy =
        (double)cpu->uncounted_events * (double)cpu->shared_ps / interval_ps;
    // Timers that nobody counted interrupted tasks as well as anything else
    double stretch = busy < 0.5 ? 1.0 / (1.0 - busy) : 2.0;
    double squares = (double)cpu->pass_squares * stretch * stretch;
    MCU_RESPOND(mcu, RESPONSE_STATS, cpu->pass_count,
                (uint32_t)((double)cpu->pass_ticks * stretch),
                squares < UINT32_MAX ? (uint32_t)squares : UINT32_MAX);
    cpu->pass_count = 0;
    cpu->pass_ticks = cpu->pass_squares = cpu->uncounted_events = 0;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

void
cpu_init(struct mcu *mcu)
{
    mcu->cpu.dispatch_event.run = dispatch_event;
    cpu_reset(mcu);
}

void
cpu_reset(struct mcu *mcu)
{
    struct cpu *cpu = &mcu->cpu;
    event_cancel(&mcu->timeline->events, &cpu->dispatch_event);
    while (cpu->late)
        cpu_stop_waiting(cpu->late);
    cpu->load = 0;
    cpu->is_loaded = 0;
    cpu->previous = NULL;
    cpu->free_ps = cpu->repeat_until_ps = now_ps(mcu) - cpu->hold_ps;
    cpu->have_tasks_rested = 1;
    cpu->stretch = 1.0;
    cpu->pass_count = 0;
    cpu->pass_ticks = cpu->pass_squares = cpu->uncounted_events = 0;
}
