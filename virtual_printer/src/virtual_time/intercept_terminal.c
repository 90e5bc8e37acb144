// Calls that control the simulation's devices
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <stdarg.h>
#include <sys/ioctl.h>
#include <termios.h>

// Link behind a descriptor of the calling thread, or -1
static int
link_of(int fd)
{
    if (slot_self() == NULL)
        return -1;
    struct descriptor descriptor = descriptor_get(fd);
    return descriptor.kind == DESCRIPTOR_LINK ? descriptor.index : -1;
}

INTERCEPT int
ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (slot_self() != NULL && descriptor_get(fd).kind == DESCRIPTOR_CAN)
        return can_device_ioctl(fd, request, argument);
    int link = link_of(fd);
    if (link >= 0 && request == TIOCINQ) {
        world_catch_up();
        *(int *)argument = link_readable(world_simulation(), link);
        return 0;
    }
    if (link >= 0 && request == TIOCOUTQ) {
        *(int *)argument = 0;
        return 0;
    }
    return REAL(ioctl)(fd, request, argument);
}

INTERCEPT int
tcflush(int fd, int queue)
{
    int link = link_of(fd);
    if (link >= 0 && queue != TCOFLUSH)
        link_device_discard_input(link);
    return REAL(tcflush)(fd, queue);
}
