// Sockets that threads of the process, or the driver, talk over
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <linux/can.h>
#include <sys/socket.h>

// Note what kind of socket a descriptor is
static int
note_kind(int fd, enum descriptor_kind kind)
{
    if (fd >= 0 && slot_self() != NULL)
        descriptor_set(fd, kind);
    return fd;
}

INTERCEPT int
socket(int domain, int type, int protocol)
{
    if (domain == PF_CAN && protocol == CAN_RAW && slot_self() != NULL
        && can_device_exists())
        return can_device_open(type);
    return note_kind(REAL(socket)(domain, type, protocol), DESCRIPTOR_SOCKET);
}

INTERCEPT int
listen(int fd, int backlog)
{
    int ret = REAL(listen)(fd, backlog);
    if (ret == 0)
        note_kind(fd, DESCRIPTOR_LISTENER);
    return ret;
}

INTERCEPT int
bind(int fd, const struct sockaddr *address, socklen_t length)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (slot_self() != NULL && descriptor.kind == DESCRIPTOR_CAN)
        return can_device_bind(descriptor.index, address, length);
    return REAL(bind)(fd, address, length);
}

INTERCEPT int
setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (slot_self() != NULL && descriptor.kind == DESCRIPTOR_CAN)
        return can_device_set_option(descriptor.index, level, name, value,
                                     length);
    return REAL(setsockopt)(fd, level, name, value, length);
}

// Wait until there is a connection to accept, if the call would
static void
await_connection(int fd)
{
    if (slot_self() != NULL && descriptor_blocks(fd))
        waiting_wait_for_one(fd, POLLIN);
}

INTERCEPT int
accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    await_connection(fd);
    return note_kind(REAL(accept)(fd, address, length), DESCRIPTOR_CONNECTION);
}

INTERCEPT int
accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length,
        int flags)
{
    await_connection(fd);
    return note_kind(REAL(accept4)(fd, address, length, flags),
                     DESCRIPTOR_CONNECTION);
}

INTERCEPT int
connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int ret = REAL(connect)(fd, address, length);
    if (slot_self() != NULL)
        waiting_repoll(true);
    return ret;
}

INTERCEPT int
shutdown(int fd, int how)
{
    int ret = REAL(shutdown)(fd, how);
    if (slot_self() != NULL)
        descriptor_note_activity(fd, POLLIN | POLLHUP);
    return ret;
}
