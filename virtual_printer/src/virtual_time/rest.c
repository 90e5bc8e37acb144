// What happens when no thread can run: the driver is served or time passes
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

// Longest stretch for which the simulation runs without a look at the rest
#define LONGEST_ADVANCE_NS 1000000000

// Earlier of two instants
static int64_t
earlier(int64_t first_ns, int64_t second_ns)
{
    return first_ns < second_ns ? first_ns : second_ns;
}

// Next instant at which a thread can run
static int64_t
next_run_ns(void)
{
    if (clock_now_ns() < host_stall_end_ns())
        return host_stall_end_ns();
    return slot_earliest_wake_ns();
}

// Move the clock to the next instant at which anything happens
static void
let_time_pass(void)
{
    int64_t limit_ns = earlier(next_run_ns(), driver_deadline_ns());
    int64_t event_ns = world_next_event_ns();
    if (event_ns >= limit_ns) {
        if (limit_ns == NEVER_NS) {
            if (driver_exists() || !waiting_for_outside())
                report_deadlock();
            return;
        }
        clock_move_to(limit_ns);
        return;
    }
    limit_ns = earlier(limit_ns, event_ns + LONGEST_ADVANCE_NS);
    int64_t reached_ns = world_advance(limit_ns);
    clock_move_to(reached_ns);
    world_deliver(reached_ns);
}

// Do one thing that may get a thread ready
void
rest(void)
{
    driver_come_to_rest();
    if (waiting_for_children())
        return;
    if (driver_is_running())
        driver_serve();
    else
        let_time_pass();
}
