// Waiting for descriptors to become readable or writable
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "../simulation/simulation.h"

// Most descriptors of children and others outside to wait for at once
#define MAX_OUTSIDE 256
#define UNKNOWN_EVENTS -1

// Has a descriptor to be looked at by the kernel, or are its events known?
static bool
is_known(int fd, short *events)
{
    if (descriptor_is_simulated(fd))
        *events = descriptor_simulated_events(fd);
    else if (descriptor_is_counted(fd))
        *events = descriptor_counted_events(fd);
    else
        return false;
    return true;
}

// Find out which descriptors are ready at this instant. The kernel is asked
// for those only of which it knows more than the library.
int
waiting_check(struct pollfd *polled, nfds_t count)
{
    world_catch_up();
    struct pollfd others[count + 1];
    nfds_t others_count = 0;
    short known[count + 1];
    for (nfds_t i = 0; i < count; i++)
        if (!is_known(polled[i].fd, &known[i])) {
            known[i] = UNKNOWN_EVENTS;
            others[others_count++] = polled[i];
        }
    if (others_count != 0 && REAL(poll)(others, others_count, 0) < 0)
        return -1;
    const struct pollfd *other = others;
    int ready = 0;
    for (nfds_t i = 0; i < count; i++) {
        if (known[i] != UNKNOWN_EVENTS)
            polled[i].revents = known[i] & (polled[i].events | POLLHUP);
        else
            polled[i].revents = other++->revents;
        ready += polled[i].revents != 0;
    }
    return ready;
}

// Is any of the descriptors fed by a child process only?
static bool
has_child(const struct pollfd *polled, nfds_t count)
{
    for (nfds_t i = 0; i < count; i++)
        if (descriptor_is_child(polled[i].fd))
            return true;
    return false;
}

// Wait until at least one descriptor is ready. Returns how many are (0: the
// deadline came first).
int
waiting_wait(struct pollfd *polled, nfds_t count, int64_t deadline_ns)
{
    struct slot *self = slot_self();
    // Whether a child has been quick must not decide who runs next
    bool is_ready_known = !has_child(polled, count);
    for (;;) {
        bool is_over = clock_now_ns() >= deadline_ns;
        int ready = 0;
        if (is_ready_known || is_over)
            ready = waiting_check(polled, count);
        if (ready == 0 && is_over) {
            clock_read_ns();
            baton_note_spin();
        }
        if (ready != 0 || is_over)
            return ready;
        self->polled = polled;
        self->polled_count = count;
        if (!baton_wait(WAIT_DESCRIPTORS, polled, deadline_ns))
            return waiting_check(polled, count);
        is_ready_known = true;
    }
}

// Wait without limit for one descriptor
void
waiting_wait_for_one(int fd, short events)
{
    struct pollfd polled = { .fd = fd, .events = events };
    waiting_wait(&polled, 1, NEVER_NS);
}

// Is a slot blocked on descriptors?
static bool
is_waiting(const struct slot *slot)
{
    return slot->state == SLOT_BLOCKED && slot->wait_kind == WAIT_DESCRIPTORS;
}

// Is any of the descriptors that a slot waits for fed from outside of the
// library's own bookkeeping?
static bool
waits_for_outside(const struct slot *slot, bool sockets_only)
{
    for (nfds_t i = 0; i < slot->polled_count; i++) {
        enum descriptor_kind kind = descriptor_get(slot->polled[i].fd).kind;
        if (descriptor_is_simulated(slot->polled[i].fd)
            || kind == DESCRIPTOR_PAIR)
            continue;
        if (!sockets_only || kind != DESCRIPTOR_UNKNOWN)
            return true;
    }
    return false;
}

// Look again at what others outside (or another socket of the process) may
// have made ready
void
waiting_repoll(bool sockets_only)
{
    if (!slot_any_waiting(WAIT_DESCRIPTORS))
        return;
    for (int i = 0; i < slot_count(); i++) {
        struct slot *slot = slot_at(i);
        if (is_waiting(slot) && waits_for_outside(slot, sockets_only)
            && waiting_check(slot->polled, slot->polled_count) != 0)
            slot_make_ready(slot, true);
    }
}

// Does a slot wait for these events on an end of a pair?
static bool
waits_for_pair(struct slot *slot, int index, int end, short events)
{
    for (nfds_t i = 0; i < slot->polled_count; i++) {
        const struct pollfd *polled = &slot->polled[i];
        struct descriptor descriptor = descriptor_get(polled->fd);
        if (descriptor.kind == DESCRIPTOR_PAIR) {
            if (descriptor.index == index && descriptor.end == end
                && (polled->events | POLLHUP) & events)
                return true;
        } else if (descriptor.kind == DESCRIPTOR_EPOLL) {
            if (waiting_check(slot->polled, slot->polled_count) != 0)
                return true;
        }
    }
    return false;
}

// Wake the threads that wait for events on an end of a pair
void
waiting_wake_pair(int index, int end, short events)
{
    if (!slot_any_waiting(WAIT_DESCRIPTORS))
        return;
    for (int i = 0; i < slot_count(); i++) {
        struct slot *slot = slot_at(i);
        if (is_waiting(slot) && waits_for_pair(slot, index, end, events))
            slot_make_ready(slot, true);
    }
}

// Is a slot blocked on a link that has something for it?
bool
waiting_has_link_ready(const struct slot *slot)
{
    if (!is_waiting(slot))
        return false;
    for (nfds_t i = 0; i < slot->polled_count; i++) {
        const struct pollfd *polled = &slot->polled[i];
        if (descriptor_is_simulated(polled->fd)
            && descriptor_simulated_events(polled->fd)
                & ((polled->events & POLLIN) | POLLHUP))
            return true;
    }
    return false;
}

// Collect what the slots wait for that an outsider feeds
static int
collect_outside(struct pollfd *polled, bool children_only)
{
    int count = 0;
    for (int i = 0; i < slot_count(); i++) {
        struct slot *slot = slot_at(i);
        if (!is_waiting(slot)
            || (!children_only && !waits_for_outside(slot, false)))
            continue;
        for (nfds_t j = 0; j < slot->polled_count && count < MAX_OUTSIDE; j++)
            if (!children_only || descriptor_is_child(slot->polled[j].fd))
                polled[count++] = slot->polled[j];
    }
    return count;
}

// Give children the time to say all they have to say, unless they need
// something first
static void
await_ends_of_children(const struct pollfd *polled, int count)
{
    for (int i = 0; i < count; i++)
        if (polled[i].events & POLLOUT)
            return;
    for (int i = 0; i < count; i++)
        descriptor_await_end_of_child(polled[i].fd);
}

// Wait for real until a descriptor is ready that an outsider feeds, and wake
// its waiters. Returns false if there is no such descriptor.
static bool
wait_for_real(bool children_only)
{
    struct pollfd polled[MAX_OUTSIDE + 1];
    int count = collect_outside(polled, children_only);
    if (count == 0)
        return false;
    if (children_only)
        await_ends_of_children(polled, count);
    if (driver_is_running())
        polled[count++] = (struct pollfd){
            .fd = driver_descriptor(),
            .events = POLLIN,
        };
    REAL(poll)(polled, count, -1);
    if (driver_is_running() && polled[count - 1].revents != 0)
        driver_serve();
    for (int i = 0; i < slot_count(); i++) {
        struct slot *slot = slot_at(i);
        if (is_waiting(slot)
            && (has_child(slot->polled, slot->polled_count)
                || waits_for_outside(slot, false))
            && waiting_check(slot->polled, slot->polled_count) != 0)
            slot_make_ready(slot, true);
    }
    return true;
}

// Time stands still while a child process works for a waiting thread
bool
waiting_for_children(void)
{
    if (!slot_any_waiting(WAIT_DESCRIPTORS))
        return false;
    return wait_for_real(true);
}

// Without any event left, only others outside can go on
bool
waiting_for_outside(void)
{
    return wait_for_real(false);
}
