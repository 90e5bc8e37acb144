// Reading and writing descriptors
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// Is anything but the real call needed for this descriptor?
static bool
is_special(int fd)
{
    return slot_self() != NULL && descriptor_get(fd).kind != DESCRIPTOR_UNKNOWN;
}

// Is this a CAN socket of the simulation?
static bool
is_can(int fd)
{
    return descriptor_get(fd).kind == DESCRIPTOR_CAN;
}

// The one part that most calls have
#define PART(data, size) \
    (&(struct iovec){ .iov_base = (void *)(data), .iov_len = (size) })

// Wait until a blocking call would return
static void
await(int fd, short events, int message_flags)
{
    if (descriptor_is_counted(fd) && descriptor_counted_events(fd) & events)
        return;
    if (!(message_flags & MSG_DONTWAIT) && descriptor_blocks(fd))
        waiting_wait_for_one(fd, events);
}

// Tell the other side that there is room
static ssize_t
note_taken(int fd, ssize_t ret)
{
    if (ret > 0) {
        descriptor_count(fd, -ret);
        descriptor_note_activity(fd, POLLOUT);
    }
    return ret;
}

// Tell the other side that there is something to read
static ssize_t
note_written(int fd, ssize_t ret)
{
    if (ret >= 0) {
        descriptor_count(fd, ret);
        descriptor_note_activity(fd, POLLIN);
    }
    return ret;
}

INTERCEPT ssize_t
read(int fd, void *data, size_t size)
{
    if (!is_special(fd))
        return REAL(read)(fd, data, size);
    if (is_can(fd))
        return can_device_receive_parts(fd, PART(data, size), 1, 0);
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind == DESCRIPTOR_LINK)
        return link_device_read(fd, descriptor.index, data, size);
    await(fd, POLLIN, 0);
    return note_taken(fd, REAL(read)(fd, data, size));
}

INTERCEPT ssize_t
readv(int fd, const struct iovec *parts, int count)
{
    if (!is_special(fd))
        return REAL(readv)(fd, parts, count);
    if (is_can(fd))
        return can_device_receive_parts(fd, parts, count, 0);
    if (descriptor_get(fd).kind == DESCRIPTOR_LINK)
        return count > 0 ? read(fd, parts[0].iov_base, parts[0].iov_len) : 0;
    await(fd, POLLIN, 0);
    return note_taken(fd, REAL(readv)(fd, parts, count));
}

INTERCEPT ssize_t
recv(int fd, void *data, size_t size, int flags)
{
    if (!is_special(fd))
        return REAL(recv)(fd, data, size, flags);
    if (is_can(fd))
        return can_device_receive_parts(fd, PART(data, size), 1, flags);
    await(fd, POLLIN, flags);
    return note_taken(fd, REAL(recv)(fd, data, size, flags));
}

INTERCEPT ssize_t
recvfrom(int fd, void *restrict data, size_t size, int flags,
         struct sockaddr *restrict address, socklen_t *restrict length)
{
    if (!is_special(fd))
        return REAL(recvfrom)(fd, data, size, flags, address, length);
    if (is_can(fd)) {
        struct msghdr message = {
            .msg_name = address,
            .msg_namelen = length ? *length : 0,
            .msg_iov = PART(data, size),
            .msg_iovlen = 1,
        };
        ssize_t ret =
            can_device_receive(fd, descriptor_get(fd).index, &message, flags);
        if (length != NULL)
            *length = message.msg_namelen;
        return ret;
    }
    await(fd, POLLIN, flags);
    return note_taken(fd,
                      REAL(recvfrom)(fd, data, size, flags, address, length));
}

INTERCEPT ssize_t
recvmsg(int fd, struct msghdr *message, int flags)
{
    if (!is_special(fd))
        return REAL(recvmsg)(fd, message, flags);
    if (is_can(fd))
        return can_device_receive(fd, descriptor_get(fd).index, message, flags);
    await(fd, POLLIN, flags);
    return note_taken(fd, REAL(recvmsg)(fd, message, flags));
}

ssize_t __read_chk(int fd, void *data, size_t size, size_t room);
ssize_t __recv_chk(int fd, void *data, size_t size, size_t room, int flags);
ssize_t __recvfrom_chk(int fd, void *data, size_t size, size_t room, int flags,
                       struct sockaddr *address, socklen_t *length);

// What the reading functions become in fortified programs
INTERCEPT ssize_t
__read_chk(int fd, void *data, size_t size, size_t room)
{
    if (size > room)
        return REAL(__read_chk)(fd, data, size, room);
    return read(fd, data, size);
}

INTERCEPT ssize_t
__recv_chk(int fd, void *data, size_t size, size_t room, int flags)
{
    if (size > room)
        return REAL(__recv_chk)(fd, data, size, room, flags);
    return recv(fd, data, size, flags);
}

INTERCEPT ssize_t
__recvfrom_chk(int fd, void *data, size_t size, size_t room, int flags,
               struct sockaddr *address, socklen_t *length)
{
    if (size > room)
        return REAL(__recvfrom_chk)(fd, data, size, room, flags, address,
                                    length);
    return recvfrom(fd, data, size, flags, address, length);
}

// Write what fits now, without blocking for real
static ssize_t
write_part(int fd, const void *data, size_t size, int flags)
{
    ssize_t ret = REAL(send)(fd, data, size, flags | MSG_DONTWAIT);
    if (ret >= 0 || errno != ENOTSOCK)
        return ret;
    // A pipe that polls as writable takes this much without blocking
    return REAL(write)(fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

// Write all of the data, letting readers run whenever there is no room
static ssize_t
write_blocking(int fd, const uint8_t *data, size_t size, int flags)
{
    size_t written = 0;
    do {
        waiting_wait_for_one(fd, POLLOUT);
        ssize_t ret = write_part(fd, &data[written], size - written, flags);
        if (ret < 0 && errno == EAGAIN)
            continue;
        if (ret < 0)
            return written != 0 ? (ssize_t)written : ret;
        written += ret;
        note_written(fd, ret);
    } while (written < size);
    return written;
}

INTERCEPT ssize_t
write(int fd, const void *data, size_t size)
{
    if (!is_special(fd))
        return REAL(write)(fd, data, size);
    if (is_can(fd))
        return can_device_send_parts(fd, PART(data, size), 1);
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind == DESCRIPTOR_LINK)
        return link_device_write(descriptor.index, data, size);
    if (descriptor_blocks(fd))
        return write_blocking(fd, data, size, 0);
    return note_written(fd, REAL(write)(fd, data, size));
}

INTERCEPT ssize_t
writev(int fd, const struct iovec *parts, int count)
{
    if (!is_special(fd))
        return REAL(writev)(fd, parts, count);
    if (is_can(fd))
        return can_device_send_parts(fd, parts, count);
    if (descriptor_get(fd).kind == DESCRIPTOR_LINK)
        return count > 0 ? write(fd, parts[0].iov_base, parts[0].iov_len) : 0;
    await(fd, POLLOUT, 0);
    return note_written(fd, REAL(writev)(fd, parts, count));
}

INTERCEPT ssize_t
send(int fd, const void *data, size_t size, int flags)
{
    if (!is_special(fd))
        return REAL(send)(fd, data, size, flags);
    if (is_can(fd))
        return can_device_send_parts(fd, PART(data, size), 1);
    if (!(flags & MSG_DONTWAIT) && descriptor_blocks(fd))
        return write_blocking(fd, data, size, flags);
    return note_written(fd, REAL(send)(fd, data, size, flags));
}

INTERCEPT ssize_t
sendto(int fd, const void *data, size_t size, int flags,
       const struct sockaddr *address, socklen_t length)
{
    if (!is_special(fd))
        return REAL(sendto)(fd, data, size, flags, address, length);
    if (is_can(fd))
        return can_device_send_parts(fd, PART(data, size), 1);
    await(fd, POLLOUT, flags);
    return note_written(fd,
                        REAL(sendto)(fd, data, size, flags, address, length));
}

INTERCEPT ssize_t
sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (!is_special(fd))
        return REAL(sendmsg)(fd, message, flags);
    if (is_can(fd))
        return can_device_send(descriptor_get(fd).index, message);
    await(fd, POLLOUT, flags);
    return note_written(fd, REAL(sendmsg)(fd, message, flags));
}
