// A raw CAN socket of the process, on a bus of the simulation
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

// Interfaces of the simulation are numbered from here on, far from real ones
#define FIRST_INTERFACE 10000

// How many descriptors stand for each socket of the simulation, and whether
// it wants to know when frames came
static struct {
    int open_count;
    bool has_timestamps;
} devices[MAX_CAN_SOCKETS];

// Would the simulation have CAN interfaces to offer?
bool
can_device_exists(void)
{
    struct simulation *simulation = world_simulation();
    return simulation != NULL
        && simulation_can_bus_name(simulation, 0) != NULL;
}

// Make a socket. What stands for it is a socket of another kind, so that its
// flags can be set and read.
int
can_device_open(int type)
{
    int fd = REAL(socket)(AF_UNIX, SOCK_DGRAM | (type & ~SOCK_RAW), 0);
    if (fd < 0)
        return -1;
    int index = can_socket_open(world_simulation());
    if (index >= MAX_CAN_SOCKETS)
        report_bad_setup("too many CAN sockets");
    devices[index].open_count = 0;
    devices[index].has_timestamps = false;
    descriptor_set_can(fd, index);
    return fd;
}

// One descriptor more stands for a socket
void
can_device_retain(int index)
{
    devices[index].open_count++;
}

// One descriptor less stands for a socket
void
can_device_release(int index)
{
    if (--devices[index].open_count == 0)
        can_socket_close(world_simulation(), index);
}

// What poll() reports of a socket
short
can_device_events(int index)
{
    return POLLOUT
        | (can_socket_readable(world_simulation(), index) ? POLLIN : 0);
}

// Bind a socket to an interface
int
can_device_bind(int index, const struct sockaddr *address, socklen_t length)
{
    struct sockaddr_can can;
    if (length < offsetof(struct sockaddr_can, can_addr)
        || address->sa_family != AF_CAN) {
        errno = EINVAL;
        return -1;
    }
    memcpy(&can, address, offsetof(struct sockaddr_can, can_addr));
    int bus = can.can_ifindex - FIRST_INTERFACE;
    if (simulation_can_bus_name(world_simulation(), bus) == NULL) {
        errno = ENODEV;
        return -1;
    }
    world_catch_up();
    can_socket_bind(world_simulation(), index, bus);
    return 0;
}

// Find out which interface has a name
static bool
find_interface(struct ifreq *interface)
{
    char name[IFNAMSIZ + 1] = "";
    memcpy(name, interface->ifr_name, IFNAMSIZ);
    int bus = simulation_find_can_bus(world_simulation(), name);
    interface->ifr_ifindex = FIRST_INTERFACE + bus;
    return bus >= 0;
}

// Find out which name an interface has
static bool
name_interface(struct ifreq *interface)
{
    const char *name = simulation_can_bus_name(
        world_simulation(), interface->ifr_ifindex - FIRST_INTERFACE);
    if (name != NULL)
        snprintf(interface->ifr_name, IFNAMSIZ, "%s", name);
    return name != NULL;
}

// Answer what is asked about interfaces
int
can_device_ioctl(int fd, unsigned long request, void *argument)
{
    bool is_known;
    if (request == SIOCGIFINDEX)
        is_known = find_interface(argument);
    else if (request == SIOCGIFNAME)
        is_known = name_interface(argument);
    else
        return REAL(ioctl)(fd, request, argument);
    errno = ENODEV;
    return is_known ? 0 : -1;
}

// Set the filters of a socket
static int
set_filters(int index, const void *value, socklen_t length)
{
    const struct can_filter *filters = value;
    size_t count = length / sizeof(filters[0]);
    if (length % sizeof(filters[0]) != 0 || count > CAN_RAW_FILTER_MAX) {
        errno = EINVAL;
        return -1;
    }
    struct can_rule rules[CAN_RAW_FILTER_MAX];
    for (size_t i = 0; i < count; i++)
        rules[i] = (struct can_rule){
            .id = filters[i].can_id, .mask = filters[i].can_mask
        };
    can_socket_filter(world_simulation(), index, rules, count);
    return 0;
}

// Set an option of a socket
int
can_device_set_option(int index, int level, int name, const void *value
                      , socklen_t length)
{
    static const int options[] = {
        [CAN_RAW_LOOPBACK] = CAN_SOCKET_LOOPBACK,
        [CAN_RAW_RECV_OWN_MSGS] = CAN_SOCKET_OWN_MESSAGES,
        [CAN_RAW_FD_FRAMES] = CAN_SOCKET_FD
    };
    int number = 0;
    if (level == SOL_CAN_RAW && name == CAN_RAW_FILTER)
        return set_filters(index, value, length);
    if (length >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    if (level == SOL_SOCKET && name == SO_TIMESTAMPNS)
        devices[index].has_timestamps = number != 0;
    else if (level == SOL_CAN_RAW && (name == CAN_RAW_LOOPBACK
                                      || name == CAN_RAW_RECV_OWN_MSGS
                                      || name == CAN_RAW_FD_FRAMES))
        can_socket_set(world_simulation(), index, options[name], number != 0);
    else if (level == SOL_CAN_RAW && name != CAN_RAW_ERR_FILTER) {
        // The bus reports no error frames, so any filter for them will do
        errno = ENOPROTOOPT;
        return -1;
    }
    return 0;
}

// Spread data over the parts that a message has room in
static size_t
scatter(const struct msghdr *message, const void *data, size_t size)
{
    size_t done = 0;
    for (size_t i = 0; i < message->msg_iovlen && done < size; i++) {
        const struct iovec *part = &message->msg_iov[i];
        size_t piece = size - done < part->iov_len
            ? size - done : part->iov_len;
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
    if (control == NULL
        || message->msg_controllen < CMSG_LEN(sizeof(time))) {
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
        .can_family = AF_CAN, .can_ifindex = FIRST_INTERFACE + bus
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
    if (devices[index].has_timestamps)
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
        .id = frame.can_id, .size = frame.len, .is_fd = size == CANFD_MTU
    };
    memcpy(sent.data, frame.data, sizeof(sent.data));
    world_catch_up();
    int error = can_socket_write(world_simulation(), index, &sent
                                 , clock_now_ns());
    if (error != 0) {
        errno = error;
        return -1;
    }
    return size;
}
