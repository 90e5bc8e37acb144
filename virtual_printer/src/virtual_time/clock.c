// The virtual clock: stands still while threads compute
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <sys/time.h>

#define SECOND_NS INT64_C(1000000000)
// Every reading costs this much, so that loops which watch the clock end
#define TICK_NS 200
// What the monotonic clocks show at the start: a machine up for a while
#define MONOTONIC_START_NS (1000 * SECOND_NS)
// What the calendar shows at the start: 2026-01-01 00:00:00 UTC
#define REALTIME_START_NS (INT64_C(1767225600) * SECOND_NS)

static int64_t now_ns;
static int64_t computing_ns;

// Virtual time, without any effect
int64_t
clock_now_ns(void)
{
    return now_ns;
}

// Virtual time as a thread reads it, which takes a moment
int64_t
clock_read_ns(void)
{
    now_ns += TICK_NS;
    computing_ns += TICK_NS;
    return now_ns;
}

// Let virtual time pass
void
clock_move_to(int64_t time_ns)
{
    if (time_ns > now_ns)
        now_ns = time_ns;
}

// What a clock shows at the start; -1 for a clock that stays real
static int64_t
clock_start_ns(clockid_t clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_TAI: return REALTIME_START_NS;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME: return MONOTONIC_START_NS;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: return 0;
    default: return -1;
    }
}

// Virtual time of an instant on one of the clocks
int64_t
clock_deadline_ns(clockid_t clock, const struct timespec *time)
{
    int64_t start_ns = clock_start_ns(clock);
    if (time->tv_sec > NEVER_NS / 2 / SECOND_NS)
        return NEVER_NS;
    return time->tv_sec * SECOND_NS + time->tv_nsec - start_ns;
}

// Virtual time after a span from now
int64_t
clock_timeout_ns(int64_t seconds, int64_t nanoseconds)
{
    if (seconds > NEVER_NS / 2 / SECOND_NS)
        return NEVER_NS;
    return now_ns + seconds * SECOND_NS + nanoseconds;
}

// What the calendar shows at a virtual time
void
clock_calendar(int64_t time_ns, struct timespec *time)
{
    time->tv_sec = (REALTIME_START_NS + time_ns) / SECOND_NS;
    time->tv_nsec = (REALTIME_START_NS + time_ns) % SECOND_NS;
}

INTERCEPT int
clock_gettime(clockid_t clock, struct timespec *time)
{
    int64_t start_ns = clock_start_ns(clock);
    if (slot_self() == NULL || start_ns < 0)
        return REAL(clock_gettime)(clock, time);
    int64_t shown_ns = clock_read_ns() + start_ns;
    if (start_ns == 0)
        shown_ns = computing_ns;
    time->tv_sec = shown_ns / SECOND_NS;
    time->tv_nsec = shown_ns % SECOND_NS;
    baton_note_spin();
    return 0;
}

INTERCEPT int
timespec_get(struct timespec *time, int base)
{
    if (slot_self() == NULL || base != TIME_UTC)
        return REAL(timespec_get)(time, base);
    clock_gettime(CLOCK_REALTIME, time);
    return base;
}

INTERCEPT int
gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    if (slot_self() == NULL)
        return REAL(gettimeofday)(time, zone);
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    time->tv_sec = precise.tv_sec;
    time->tv_usec = precise.tv_nsec / 1000;
    if (zone != NULL)
        *(struct timezone *)zone = (struct timezone){ 0, 0 };
    return 0;
}

INTERCEPT time_t
time(time_t *result)
{
    if (slot_self() == NULL)
        return REAL(time)(result);
    struct timespec precise;
    clock_gettime(CLOCK_REALTIME, &precise);
    if (result != NULL)
        *result = precise.tv_sec;
    return precise.tv_sec;
}

INTERCEPT clock_t
clock(void)
{
    if (slot_self() == NULL)
        return REAL(clock)();
    clock_read_ns();
    return computing_ns / (SECOND_NS / CLOCKS_PER_SEC);
}
