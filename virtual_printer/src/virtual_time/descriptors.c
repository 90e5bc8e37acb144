// What is known of the process's file descriptors
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

#include <fcntl.h>
#include <unistd.h>

#define MAX_DESCRIPTORS 4096
#define MAX_PAIRS 2048
#define MAX_LINKS 256
// Real time that a child gets to close its end of a pipe
#define GRACE_MS 2000

// Both ends of a pipe or socket pair that this process made; a descriptor
// that answers itself (eventfd) has its reading end only
struct pair {
    int open_ends[2];
    bool is_loop, has_staying_child;
    // Nobody but this process's managed threads reads and writes a pipe, so
    // that what is in it is known
    bool is_counted;
    size_t held_bytes;
};

// A link device that is open
struct open_link {
    int open_count, master_fd;
};

static struct descriptor descriptors[MAX_DESCRIPTORS];
static struct pair pairs[MAX_PAIRS];
static struct open_link open_links[MAX_LINKS];

// Is there room to remember this descriptor?
static bool
is_in_table(int fd)
{
    return fd >= 0 && fd < MAX_DESCRIPTORS;
}

// What is known of a descriptor
struct descriptor
descriptor_get(int fd)
{
    if (!is_in_table(fd))
        return (struct descriptor){ .kind = DESCRIPTOR_UNKNOWN };
    return descriptors[fd];
}

// Remember a kind that needs no more than that
void
descriptor_set(int fd, enum descriptor_kind kind)
{
    if (is_in_table(fd))
        descriptors[fd] = (struct descriptor){ .kind = kind };
}

// Remember the ends of a pair; second_fd is -1 for an eventfd
void
descriptor_set_pair(int first_fd, int second_fd)
{
    if (!is_in_table(first_fd) || (second_fd != -1 && !is_in_table(second_fd)))
        return;
    int index = 0;
    while (pairs[index].open_ends[0] || pairs[index].open_ends[1])
        if (++index == MAX_PAIRS)
            return;
    pairs[index] = (struct pair){
        .open_ends = { 1, second_fd != -1 },
        .is_loop = second_fd == -1,
    };
    descriptors[first_fd] = (struct descriptor){
        .kind = DESCRIPTOR_PAIR,
        .index = index,
        .end = 0,
    };
    if (second_fd != -1)
        descriptors[second_fd] = (struct descriptor){
            .kind = DESCRIPTOR_PAIR,
            .index = index,
            .end = 1,
        };
}

// Remember the ends of a pipe: the first is for reading
void
descriptor_set_pipe(int first_fd, int second_fd)
{
    descriptor_set_pair(first_fd, second_fd);
    struct descriptor descriptor = descriptor_get(first_fd);
    if (descriptor.kind == DESCRIPTOR_PAIR)
        pairs[descriptor.index].is_counted = true;
}

// From now on a new child may read and write all pipes, too
void
descriptors_note_child(void)
{
    for (int i = 0; i < MAX_PAIRS; i++)
        pairs[i].is_counted = false;
}

// Is it known without the kernel whether a descriptor is ready?
bool
descriptor_is_counted(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind != DESCRIPTOR_PAIR)
        return false;
    const struct pair *pair = &pairs[descriptor.index];
    return pair->is_counted && pair->open_ends[0] && pair->open_ends[1]
        && (descriptor.end == 0 || pair->held_bytes == 0);
}

// What poll() reports of such a descriptor
short
descriptor_counted_events(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.end == 1)
        return POLLOUT | POLLWRNORM;
    return pairs[descriptor.index].held_bytes ? POLLIN | POLLRDNORM : 0;
}

// Bytes were written to (or, below zero, taken from) a descriptor
void
descriptor_count(int fd, ssize_t bytes)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind != DESCRIPTOR_PAIR)
        return;
    struct pair *pair = &pairs[descriptor.index];
    if (bytes < 0 && (size_t)-bytes > pair->held_bytes)
        // Somebody else has written, too
        pair->is_counted = false;
    pair->held_bytes += bytes;
}

// Remember a link's device, of which the library keeps the master side
void
descriptor_set_link(int fd, int link, int master_fd)
{
    if (!is_in_table(fd) || link >= MAX_LINKS)
        report_bad_setup("too many open files for link %d", link);
    descriptors[fd] = (struct descriptor){
        .kind = DESCRIPTOR_LINK,
        .index = link,
    };
    struct open_link *open_link = &open_links[link];
    if (open_link->open_count++ == 0) {
        open_link->master_fd = master_fd;
        world_catch_up();
        link_open(world_simulation(), link, clock_now_ns());
    } else {
        REAL(close)(master_fd);
    }
}

// Remember a CAN socket
void
descriptor_set_can(int fd, int index)
{
    if (!is_in_table(fd))
        report_bad_setup("too many open files for a CAN socket");
    descriptors[fd] = (struct descriptor){
        .kind = DESCRIPTOR_CAN,
        .index = index,
    };
    can_device_retain(index);
}

// Does the simulation feed this descriptor?
bool
descriptor_is_simulated(int fd)
{
    enum descriptor_kind kind = descriptor_get(fd).kind;
    return kind == DESCRIPTOR_LINK || kind == DESCRIPTOR_CAN;
}

// What poll() reports of such a descriptor
short
descriptor_simulated_events(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    return descriptor.kind == DESCRIPTOR_LINK
        ? link_device_events(descriptor.index)
        : can_device_events(descriptor.index);
}

// A descriptor has been duplicated
void
descriptor_copy(int from_fd, int to_fd)
{
    struct descriptor descriptor = descriptor_get(from_fd);
    if (!is_in_table(to_fd))
        return;
    descriptors[to_fd] = descriptor;
    if (descriptor.kind == DESCRIPTOR_PAIR)
        pairs[descriptor.index].open_ends[descriptor.end]++;
    else if (descriptor.kind == DESCRIPTOR_LINK)
        open_links[descriptor.index].open_count++;
    else if (descriptor.kind == DESCRIPTOR_CAN)
        can_device_retain(descriptor.index);
}

// Note that one descriptor less stands for a link
static void
close_link(int link)
{
    struct open_link *open_link = &open_links[link];
    if (--open_link->open_count != 0)
        return;
    REAL(close)(open_link->master_fd);
    world_catch_up();
    link_close(world_simulation(), link, clock_now_ns());
}

// A descriptor has been closed
void
descriptor_forget(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind == DESCRIPTOR_UNKNOWN)
        return;
    descriptor_set(fd, DESCRIPTOR_UNKNOWN);
    epoll_forget(fd);
    if (descriptor.kind == DESCRIPTOR_PAIR) {
        pairs[descriptor.index].open_ends[descriptor.end]--;
        waiting_wake_pair(descriptor.index, !descriptor.end, POLLHUP);
    } else if (descriptor.kind == DESCRIPTOR_LINK) {
        close_link(descriptor.index);
    } else if (descriptor.kind == DESCRIPTOR_CAN) {
        can_device_release(descriptor.index);
    } else if (descriptor.kind != DESCRIPTOR_EPOLL) {
        if (descriptor.kind == DESCRIPTOR_CONNECTION)
            driver_mark_woken();
        waiting_repoll(true);
    }
}

// May another thread wait for what a descriptor of this kind receives?
bool
descriptor_is_socket(int fd)
{
    enum descriptor_kind kind = descriptor_get(fd).kind;
    return kind == DESCRIPTOR_SOCKET || kind == DESCRIPTOR_LISTENER
        || kind == DESCRIPTOR_CONNECTION;
}

// Does only a child process feed (or empty) this descriptor? Its work takes
// no virtual time.
bool
descriptor_is_child(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind != DESCRIPTOR_PAIR)
        return descriptor.kind == DESCRIPTOR_CHILD;
    const struct pair *pair = &pairs[descriptor.index];
    return !pair->is_loop && pair->open_ends[!descriptor.end] == 0;
}

// Wait for real until the child has closed its end of a pipe that it writes
// to: in how many pieces its output arrives must not depend on real time. A
// child that stays gets this only once.
void
descriptor_await_end_of_child(int fd)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind != DESCRIPTOR_PAIR
        || pairs[descriptor.index].has_staying_child)
        return;
    struct pollfd polled = { .fd = fd };
    if (REAL(poll)(&polled, 1, GRACE_MS) == 0)
        pairs[descriptor.index].has_staying_child = true;
}

// Would reading from (or writing to) this descriptor block the thread for
// real, while another thread of the process may have to act first?
bool
descriptor_blocks(int fd)
{
    enum descriptor_kind kind = descriptor_get(fd).kind;
    if (kind == DESCRIPTOR_UNKNOWN || descriptor_is_simulated(fd))
        return false;
    return !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK);
}

// Something was written to (POLLIN for the other side) or taken from
// (POLLOUT for the other side) a descriptor
void
descriptor_note_activity(int fd, short events)
{
    struct descriptor descriptor = descriptor_get(fd);
    if (descriptor.kind == DESCRIPTOR_PAIR) {
        bool is_loop = pairs[descriptor.index].is_loop;
        waiting_wake_pair(descriptor.index, is_loop ? 0 : !descriptor.end,
                          events);
    } else if (descriptor_is_socket(fd)) {
        if (descriptor.kind == DESCRIPTOR_CONNECTION && events & POLLIN)
            driver_mark_woken();
        waiting_repoll(true);
    }
}
