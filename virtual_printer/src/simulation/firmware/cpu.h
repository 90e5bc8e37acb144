// The CPU of a virtual micro-controller, which timers and tasks share
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef CPU_H
#define CPU_H

#include <stdint.h> // int64_t
#include "../core/events.h" // struct event

#pragma GCC visibility push(hidden)

struct mcu;
struct mcu_timer;

#define PS_PER_NS 1000
#define PS_PER_US 1000000

// Shares of the CPU are counted in parts of this whole
enum { CPU_WHOLE = 256 };

// Timers interrupt tasks.  What they take is counted only while steppers may
// take much of it, or while a timer is late: else it is as good as nothing.
struct cpu {
    // What a timer takes, if the one that ran before was it too or another
    int64_t lone_ps, shared_ps;
    int64_t command_ps; // what the simplest of commands takes
    // A timer that is due so soon is waited for
    int64_t hold_ps;
    // Timers may keep tasks waiting for so long before these get a little
    int64_t repeat_ps, yield_ps;
    int64_t late_limit_ps;

    // The most that the steppers can take by the moves they have
    uint32_t load;
    int is_loaded;
    struct mcu_timer *late; // timers that wait, the earliest first
    struct mcu_timer *previous; // that ran
    struct event dispatch_event; // of the first that waits
    int64_t free_ps; // when the timers that ran are done
    int64_t repeat_until_ps;
    int64_t timers_ps; // what timers have taken in all
    int have_tasks_rested; // since timers were last to let them go first

    // How much longer tasks took than without timers, when one last ran
    double stretch;
    // Since the last statistics: passes over the tasks, what they took, and
    // the events of steppers for which nobody counted it
    uint32_t pass_count;
    uint64_t pass_ticks, pass_squares;
    uint64_t uncounted_events;
};

// A task that has work to do
struct task {
    struct event event;
    int64_t work_ps; // which it was scheduled with
    int64_t seen_ps; // of timers_ps
    int64_t delay_ps; // by timers
};

void cpu_init(struct mcu *mcu);
// Forget what was left to do
void cpu_reset(struct mcu *mcu);

// Whether what timers take is counted now
static inline int
cpu_is_counting(const struct cpu *cpu)
{
    return cpu->is_loaded || cpu->late;
}

// A timer is due: run it as soon as the CPU is free
void cpu_run_timer(struct mcu_timer *timer);
// A timer is past due: run it after those that were due before it
void cpu_wait(struct mcu_timer *timer);
void cpu_stop_waiting(struct mcu_timer *timer);
// Whether a clock is past, and before that of every timer that waits
int cpu_is_too_late(const struct mcu *mcu, uint64_t clock);

// Run a task when this time has passed and timers have left it as much
void cpu_schedule_task(struct mcu *mcu, struct task *task, int64_t delay_ns);
// Whether a task whose time has come has to wait, for which it is scheduled
int cpu_delay_task(struct mcu *mcu, struct task *task);

// Note that all tasks were looked at, one of which took some time
void cpu_note_pass(struct mcu *mcu, int64_t task_ps);
// Report the passes since the last report
void cpu_report(struct mcu *mcu, int64_t interval_ns);

#pragma GCC visibility pop

#endif // cpu.h
