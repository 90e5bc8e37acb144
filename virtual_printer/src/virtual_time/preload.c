// Start-up of the preload library, before the program's own main()
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "preload.h"

#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <unistd.h>

// Start the program again without random addresses, which would show in the
// order of sets. Where this is not allowed, it goes on with them.
static void
fix_addresses(char **arguments, char **environment)
{
    int persona = personality(0xffffffff);
    if (persona < 0 || persona & ADDR_NO_RANDOMIZE
        || personality(persona | ADDR_NO_RANDOMIZE) < 0)
        return;
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length <= 0)
        return;
    path[length] = '\0';
    execve(path, arguments, environment);
}

// Keep all threads on one processor: only one of them runs at any time, and
// handing over is much cheaper there.
static void
stay_on_one_processor(void)
{
    cpu_set_t processors;
    if (getenv("VIRTUAL_PRINTER_ANY_CPU") != NULL
        || sched_getaffinity(0, sizeof(processors), &processors) < 0
        || CPU_COUNT(&processors) == 1)
        return;
    CPU_ZERO(&processors);
    CPU_SET(sched_getcpu(), &processors);
    sched_setaffinity(0, sizeof(processors), &processors);
}

// Let a thread that hands over go to sleep before the other one runs: that one
// would interrupt it otherwise, and the kernel switch to it once more for its
// going to sleep.
static void
sleep_before_others_run(void)
{
    struct sched_param no_priority = { 0 };
    sched_setscheduler(0, SCHED_BATCH, &no_priority);
}

// Called when the library is loaded
static void __attribute__((constructor))
start(int argument_count, char **arguments, char **environment)
{
    (void)argument_count;
    // A program may also load the library just to call the simulation
    if (getenv("LD_PRELOAD") == NULL)
        return;
    fix_addresses(arguments, environment);
    unsetenv("LD_PRELOAD");
    stay_on_one_processor();
    sleep_before_others_run();
    report_setup(getenv("VIRTUAL_PRINTER_REPORT"));
    host_latency_setup(getenv("VIRTUAL_PRINTER_SEED"),
                       getenv("VIRTUAL_PRINTER_LATENCY_US"));
    driver_setup(getenv("VIRTUAL_PRINTER_CONTROL_FD"));
    world_setup(getenv("VIRTUAL_PRINTER_DESCRIPTION"));
    watchdog_setup(getenv("VIRTUAL_PRINTER_WATCHDOG_S"));
    uncovered_scan();
    contexts_setup();
    preload_manage_threads();
}

// Called when the process ends
static void __attribute__((destructor))
end(void)
{
    if (slot_self() != NULL)
        driver_write_schedule();
}
