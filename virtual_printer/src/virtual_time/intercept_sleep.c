// Sleeping in virtual time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <sched.h>
#include <unistd.h>

// Sleep until a virtual instant; a past one still lets others run
static void
sleep_until(int64_t deadline_ns)
{
    baton_wait(WAIT_SLEEP, NULL, deadline_ns);
}

// A time that no clock can show is an error of the caller
static bool
is_valid(const struct timespec *time)
{
    return time->tv_sec >= 0 && time->tv_nsec >= 0
        && time->tv_nsec < 1000000000;
}

INTERCEPT int
nanosleep(const struct timespec *span, struct timespec *left)
{
    if (slot_self() == NULL)
        return REAL(nanosleep)(span, left);
    if (!is_valid(span)) {
        errno = EINVAL;
        return -1;
    }
    sleep_until(clock_timeout_ns(span->tv_sec, span->tv_nsec));
    return 0;
}

INTERCEPT int
clock_nanosleep(clockid_t clock, int flags, const struct timespec *time,
                struct timespec *left)
{
    bool is_virtual = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC
        || clock == CLOCK_BOOTTIME || clock == CLOCK_TAI;
    if (slot_self() == NULL || !is_virtual)
        return REAL(clock_nanosleep)(clock, flags, time, left);
    if (!is_valid(time))
        return EINVAL;
    if (flags & TIMER_ABSTIME)
        sleep_until(clock_deadline_ns(clock, time));
    else
        sleep_until(clock_timeout_ns(time->tv_sec, time->tv_nsec));
    return 0;
}

INTERCEPT int
usleep(useconds_t microseconds)
{
    if (slot_self() == NULL)
        return REAL(usleep)(microseconds);
    sleep_until(clock_timeout_ns(0, (int64_t)microseconds * 1000));
    return 0;
}

INTERCEPT unsigned int
sleep(unsigned int seconds)
{
    if (slot_self() == NULL)
        return REAL(sleep)(seconds);
    sleep_until(clock_timeout_ns(seconds, 0));
    return 0;
}

INTERCEPT int
sched_yield(void)
{
    if (slot_self() == NULL)
        return REAL(sched_yield)();
    clock_read_ns();
    baton_yield();
    return 0;
}
