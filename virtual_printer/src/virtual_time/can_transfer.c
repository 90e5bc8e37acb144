// Frames that the process sends and receives on its raw CAN sockets
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/can.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

// Spread data over the parts that a message has room in
static size_t
scatter(const struct msghdr *message, const void *data, size_t size)
{
    size_t done = 0;
    for (size_t i = 0; i < message->msg_iovlen && done < size; i++) {
        const struct iovec *part = &message->msg_iov[i];
        size_t piece =
            size - done < part->iov_len ? size - done : part->iov_len;
        memcpy(part->iov_base, (const char *)data + done, piece);
        done += piece;
    }
    return done;
}

// Tell when a frame came, if the receiver has room for that
static void
add_timestamp(struct msghdr *message, int64_t time_ns)
{
    struct timespec time;
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control == NULL || message->msg_controllen < CMSG_LEN(sizeof(time))) {
        message->msg_controllen = 0;
        return;
    }
    clock_calendar(time_ns, &time);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SO_TIMESTAMPNS;
    control->cmsg_len = CMSG_LEN(sizeof(time));
    memcpy(CMSG_DATA(control), &time, sizeof(time));
    message->msg_controllen = CMSG_SPACE(sizeof(time));
}

// Tell on which interface a frame came
static void
add_address(struct msghdr *message, int bus)
{
    struct sockaddr_can address = {
        .can_family = AF_CAN,
        .can_ifindex = CAN_FIRST_INTERFACE + bus,
    };
    if (message->msg_name == NULL)
        return;
    if (message->msg_namelen > sizeof(address))
        message->msg_namelen = sizeof(address);
    memcpy(message->msg_name, &address, message->msg_namelen);
}

// Receive one frame
ssize_t
can_device_receive(int fd, int index, struct msghdr *message, int flags)
{
    struct simulation *simulation = world_simulation();
    struct can_message received;
    world_catch_up();
    while (!can_socket_read(simulation, index, &received)) {
        if (flags & MSG_DONTWAIT || REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK) {
            errno = EAGAIN;
            return -1;
        }
        waiting_wait_for_one(fd, POLLIN);
    }
    struct canfd_frame frame = { .can_id = received.id, .len = received.size };
    memcpy(frame.data, received.data, sizeof(frame.data));
    size_t size = received.is_fd ? CANFD_MTU : CAN_MTU;
    size_t taken = scatter(message, &frame, size);
    message->msg_flags = taken < size ? MSG_TRUNC : 0;
    // How the kernel marks what came from the same machine or socket
    if (received.origin != CAN_FROM_BUS)
        message->msg_flags |= MSG_DONTROUTE;
    if (received.origin == CAN_FROM_SELF)
        message->msg_flags |= MSG_CONFIRM;
    add_address(message, can_socket_bus(simulation, index));
    if (can_device_has_timestamps(index))
        add_timestamp(message, received.time_ns);
    else
        message->msg_controllen = 0;
    return taken;
}

// Send one frame
ssize_t
can_device_send(int index, const struct msghdr *message)
{
    struct canfd_frame frame = { .len = 0 };
    size_t size = 0;
    for (size_t i = 0; i < message->msg_iovlen; i++) {
        const struct iovec *part = &message->msg_iov[i];
        if (part->iov_len > sizeof(frame) - size) {
            errno = EINVAL;
            return -1;
        }
        memcpy((char *)&frame + size, part->iov_base, part->iov_len);
        size += part->iov_len;
    }
    if (size != CAN_MTU && size != CANFD_MTU) {
        errno = EINVAL;
        return -1;
    }
    struct can_message sent = {
        .id = frame.can_id,
        .size = frame.len,
        .is_fd = size == CANFD_MTU,
    };
    memcpy(sent.data, frame.data, sizeof(sent.data));
    world_catch_up();
    int error =
        can_socket_write(world_simulation(), index, &sent, clock_now_ns());
    if (error != 0) {
        errno = error;
        return -1;
    }
    return size;
}

// Receive a frame into some parts
ssize_t
can_device_receive_parts(int fd, const struct iovec *parts, int count,
                         int flags)
{
    struct msghdr message = {
        .msg_iov = (struct iovec *)parts,
        .msg_iovlen = count,
    };
    return can_device_receive(fd, descriptor_get(fd).index, &message, flags);
}

// Send a frame made of some parts
ssize_t
can_device_send_parts(int fd, const struct iovec *parts, int count)
{
    struct msghdr message = {
        .msg_iov = (struct iovec *)parts,
        .msg_iovlen = count,
    };
    return can_device_send(descriptor_get(fd).index, &message);
}
