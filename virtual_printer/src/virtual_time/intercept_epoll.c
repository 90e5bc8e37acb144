// epoll: the kernel's own, and a list beside it for what the simulation feeds
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#define MAX_WATCHED 256

// A device of the simulation that an epoll descriptor watches
struct watched {
    int epoll_fd, fd;
    struct epoll_event event;
};

static struct watched watched[MAX_WATCHED];
static int watched_count;

// A new epoll descriptor
static int
note_epoll(int fd)
{
    if (fd >= 0 && slot_self() != NULL)
        descriptor_set(fd, DESCRIPTOR_EPOLL);
    return fd;
}

INTERCEPT int
epoll_create(int size)
{
    return note_epoll(REAL(epoll_create)(size));
}

INTERCEPT int
epoll_create1(int flags)
{
    return note_epoll(REAL(epoll_create1)(flags));
}

// Stop watching one
static void
remove_watched(int i)
{
    watched_count--;
    memmove(&watched[i], &watched[i + 1],
            (watched_count - i) * sizeof(watched[0]));
}

// A descriptor has been closed
void
epoll_forget(int fd)
{
    for (int i = watched_count - 1; i >= 0; i--)
        if (watched[i].epoll_fd == fd || watched[i].fd == fd)
            remove_watched(i);
}

// epoll_ctl() for a device of the simulation
static int
control_device(int epoll_fd, int operation, int fd,
               const struct epoll_event *event)
{
    int i = 0;
    while (i < watched_count
           && (watched[i].epoll_fd != epoll_fd || watched[i].fd != fd))
        i++;
    bool is_new = i == watched_count;
    if (is_new != (operation == EPOLL_CTL_ADD) || i == MAX_WATCHED) {
        errno = i == MAX_WATCHED ? ENOSPC : is_new ? ENOENT : EEXIST;
        return -1;
    }
    if (operation == EPOLL_CTL_DEL) {
        remove_watched(i);
        return 0;
    }
    watched_count += is_new;
    watched[i] = (struct watched){
        .epoll_fd = epoll_fd,
        .fd = fd,
        .event = *event,
    };
    return 0;
}

INTERCEPT int
epoll_ctl(int epoll_fd, int operation, int fd, struct epoll_event *event)
{
    if (slot_self() == NULL || !descriptor_is_simulated(fd))
        return REAL(epoll_ctl)(epoll_fd, operation, fd, event);
    return control_device(epoll_fd, operation, fd, event);
}

// List what an epoll descriptor watches: itself stands for the kernel's part
static int
list_watched(int epoll_fd, struct pollfd *polled, int *indexes)
{
    int count = 1;
    polled[0] = (struct pollfd){ .fd = epoll_fd, .events = POLLIN };
    for (int i = 0; i < watched_count; i++)
        if (watched[i].epoll_fd == epoll_fd) {
            indexes[count] = i;
            polled[count++] = (struct pollfd){
                .fd = watched[i].fd,
                .events = watched[i].event.events,
            };
        }
    return count;
}

// epoll_wait(), with the deadline in virtual time
static int
wait_until(int epoll_fd, struct epoll_event *events, int max_events,
           int64_t deadline_ns)
{
    struct pollfd polled[MAX_WATCHED + 1];
    int indexes[MAX_WATCHED + 1];
    int count = list_watched(epoll_fd, polled, indexes);
    if (waiting_wait(polled, count, deadline_ns) < 0)
        return -1;
    int ready = REAL(epoll_wait)(epoll_fd, events, max_events, 0);
    for (int i = 1; i < count && ready >= 0 && ready < max_events; i++)
        if (polled[i].revents != 0) {
            events[ready].events = polled[i].revents;
            events[ready++].data = watched[indexes[i]].event.data;
        }
    return ready;
}

INTERCEPT int
epoll_pwait(int epoll_fd, struct epoll_event *events, int max_events,
            int timeout_ms, const sigset_t *mask)
{
    if (slot_self() == NULL)
        return REAL(epoll_pwait)(epoll_fd, events, max_events, timeout_ms,
                                 mask);
    int64_t deadline_ns = NEVER_NS;
    if (timeout_ms >= 0)
        deadline_ns = clock_timeout_ns(0, timeout_ms * INT64_C(1000000));
    return wait_until(epoll_fd, events, max_events, deadline_ns);
}

INTERCEPT int
epoll_wait(int epoll_fd, struct epoll_event *events, int max_events,
           int timeout_ms)
{
    if (slot_self() == NULL)
        return REAL(epoll_wait)(epoll_fd, events, max_events, timeout_ms);
    return epoll_pwait(epoll_fd, events, max_events, timeout_ms, NULL);
}
