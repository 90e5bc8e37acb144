// CPU time that the process really takes, without what the library takes
// while threads wait
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

static bool is_measured;
static int64_t waiting_ns;

// What a CPU clock really shows: to the process all computing is for nothing
static int64_t
read_ns(clockid_t clock)
{
    struct timespec time = { 0 };
    syscall(SYS_clock_gettime, clock, &time);
    return time.tv_sec * SECOND_NS + time.tv_nsec;
}

// CPU time of the calling thread, zero until anybody wants to know
int64_t
cpu_thread_ns(void)
{
    return is_measured ? read_ns(CLOCK_THREAD_CPUTIME_ID) : 0;
}

// The calling thread, which has the baton again, has waited since then
void
cpu_note_waited(int64_t since_ns)
{
    if (since_ns != 0)
        waiting_ns += cpu_thread_ns() - since_ns;
}

// CPU time (ns) of the process but for waits; only differences mean anything
INTERCEPT int64_t
virtual_printer_cpu_ns(void)
{
    is_measured = true;
    return read_ns(CLOCK_PROCESS_CPUTIME_ID) - waiting_ns;
}
