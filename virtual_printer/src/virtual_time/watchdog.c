// The watchdog: a thread in real time that ends a process which hangs
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define STACK_SIZE (256 * 1024)
#define GOOD_ORDER_MS 1000

static double limit_s = 120.;

// Real time in seconds
static double
real_time_s(void)
{
    struct timespec now;
    REAL(clock_gettime)(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

// End the process if the driver has gone while time passes. While it stands
// still the holder of the baton sees that first, and ends in good order.
static void
look_after_driver(int timeout_ms)
{
    struct pollfd polled = { .fd = driver_descriptor(), .events = POLLRDHUP };
    if (REAL(poll)(&polled, 1, timeout_ms) <= 0)
        return;
    REAL(poll)(NULL, 0, GOOD_ORDER_MS);
    _exit(0);
}

// Look once in a while whether the baton still moves
static void *
watch(void *unused)
{
    (void)unused;
    uint64_t last_switches = 0;
    double last_progress_s = real_time_s();
    int timeout_ms = limit_s < 4. ? limit_s * 250. : 1000;
    for (;;) {
        look_after_driver(timeout_ms);
        uint64_t switches = baton_switches();
        if (switches != last_switches || driver_is_waited_for())
            last_progress_s = real_time_s();
        last_switches = switches;
        double since_s = real_time_s() - last_progress_s;
        if (since_s > limit_s)
            report_hang(since_s);
    }
    return NULL;
}

// Start the watchdog's thread, which is not managed and gets no signals
void
watchdog_setup(const char *limit_text)
{
    if (limit_text != NULL)
        limit_s = atof(limit_text);
    if (!(limit_s > 0.))
        report_bad_setup("watchdog limit \"%s\" is no time in seconds",
                         limit_text);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_SIZE);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    if (REAL(pthread_create)(&thread, &attributes, watch, NULL) != 0)
        report_bad_setup("the watchdog cannot be started");
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
