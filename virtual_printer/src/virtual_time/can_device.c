// A raw CAN socket of the process, on a bus of the simulation
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <errno.h>
#include <linux/can.h>
#include <linux/can/raw.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

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
    return simulation != NULL && simulation_can_bus_name(simulation, 0) != NULL;
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

// Does a socket want to know when frames came?
bool
can_device_has_timestamps(int index)
{
    return devices[index].has_timestamps;
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
    int bus = can.can_ifindex - CAN_FIRST_INTERFACE;
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
    interface->ifr_ifindex = CAN_FIRST_INTERFACE + bus;
    return bus >= 0;
}

// Find out which name an interface has
static bool
name_interface(struct ifreq *interface)
{
    const char *name = simulation_can_bus_name(
        world_simulation(), interface->ifr_ifindex - CAN_FIRST_INTERFACE);
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
            .id = filters[i].can_id,
            .mask = filters[i].can_mask,
        };
    can_socket_filter(world_simulation(), index, rules, count);
    return 0;
}

// Set an option of a socket
int
can_device_set_option(int index, int level, int name, const void *value,
                      socklen_t length)
{
    static const int options[] = {
        [CAN_RAW_LOOPBACK] = CAN_SOCKET_LOOPBACK,
        [CAN_RAW_RECV_OWN_MSGS] = CAN_SOCKET_OWN_MESSAGES,
        [CAN_RAW_FD_FRAMES] = CAN_SOCKET_FD,
    };
    int number = 0;
    if (level == SOL_CAN_RAW && name == CAN_RAW_FILTER)
        return set_filters(index, value, length);
    if (length >= sizeof(number))
        memcpy(&number, value, sizeof(number));
    if (level == SOL_SOCKET && name == SO_TIMESTAMPNS)
        devices[index].has_timestamps = number != 0;
    else if (level == SOL_CAN_RAW
             && (name == CAN_RAW_LOOPBACK || name == CAN_RAW_RECV_OWN_MSGS
                 || name == CAN_RAW_FD_FRAMES))
        can_socket_set(world_simulation(), index, options[name], number != 0);
    else if (level == SOL_CAN_RAW && name != CAN_RAW_ERR_FILTER) {
        // The bus reports no error frames, so any filter for them will do
        errno = ENOPROTOOPT;
        return -1;
    }
    return 0;
}
