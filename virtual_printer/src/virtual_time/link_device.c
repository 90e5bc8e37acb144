// A link of the simulation as a serial device of the process
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

// Descriptors of the library's own lie above those of a usual process, so
// that the process gets the numbers it would get without the library
#define FIRST_OWN_DESCRIPTOR 900
#define TENTH_OF_SECOND_NS INT64_C(100000000)

// Make a terminal. Returns the descriptor of its master side, or -1.
static int
open_master(void)
{
    int low_fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (low_fd < 0)
        return -1;
    int high_fd = REAL(fcntl)(low_fd, F_DUPFD_CLOEXEC, FIRST_OWN_DESCRIPTOR);
    if (high_fd < 0)
        return low_fd;
    REAL(close)(low_fd);
    return high_fd;
}

// Open a link's device: a real terminal, so that its settings, locks and
// queries work, whose bytes go another way
int
link_device_open(int link, int flags)
{
    if (link_is_hung_up(world_simulation(), link)) {
        errno = ENOENT;
        return -1;
    }
    int master_fd = open_master();
    if (master_fd < 0)
        return -1;
    char path[64];
    int fd = -1;
    if (grantpt(master_fd) == 0 && unlockpt(master_fd) == 0
        && ptsname_r(master_fd, path, sizeof(path)) == 0)
        fd = REAL(open)(path, flags | O_NOCTTY);
    if (fd < 0) {
        REAL(close)(master_fd);
        return -1;
    }
    descriptor_set_link(fd, link, master_fd);
    return fd;
}

// What poll() reports of a link
short
link_device_events(int link)
{
    struct simulation *simulation = world_simulation();
    if (link_is_hung_up(simulation, link))
        return POLLIN | POLLHUP;
    return POLLOUT | (link_readable(simulation, link) != 0 ? POLLIN : 0);
}

// Until when a blocking read of a terminal without data lasts
static int64_t
read_deadline_ns(int fd)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) < 0 || settings.c_lflag & ICANON
        || settings.c_cc[VMIN] != 0)
        return NEVER_NS;
    return clock_timeout_ns(0, settings.c_cc[VTIME] * TENTH_OF_SECOND_NS);
}

// Read from a link's device
ssize_t
link_device_read(int fd, int link, void *data, size_t size)
{
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    if (!waiting_check(&polled, 1)) {
        if (REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK) {
            errno = EAGAIN;
            return -1;
        }
        waiting_wait(&polled, 1, read_deadline_ns(fd));
    }
    return link_read(world_simulation(), link, data, size);
}

// Write to a link's device
ssize_t
link_device_write(int link, const void *data, size_t size)
{
    struct simulation *simulation = world_simulation();
    world_catch_up();
    if (link_is_hung_up(simulation, link)) {
        errno = EIO;
        return -1;
    }
    link_write(simulation, link, data, size, clock_now_ns());
    return size;
}

// Throw away what the link has delivered
void
link_device_discard_input(int link)
{
    uint8_t discarded[256];
    world_catch_up();
    while (link_read(world_simulation(), link, discarded, sizeof(discarded)))
        ;
}
