// poll() and select() and their kin
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <string.h>
#include <sys/select.h>

#define SECOND_NS INT64_C(1000000000)

// Virtual time at which a span given by the caller is over
static int64_t
deadline_after(const struct timespec *span)
{
    if (span == NULL)
        return NEVER_NS;
    return clock_timeout_ns(span->tv_sec, span->tv_nsec);
}

INTERCEPT int
poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    if (slot_self() == NULL)
        return REAL(poll)(polled, count, timeout_ms);
    int64_t deadline_ns = NEVER_NS;
    if (timeout_ms >= 0)
        deadline_ns = clock_timeout_ns(0, timeout_ms * INT64_C(1000000));
    return waiting_wait(polled, count, deadline_ns);
}

INTERCEPT int
ppoll(struct pollfd *polled, nfds_t count, const struct timespec *span,
      const sigset_t *mask)
{
    if (slot_self() == NULL)
        return REAL(ppoll)(polled, count, span, mask);
    return waiting_wait(polled, count, deadline_after(span));
}

int __poll_chk(struct pollfd *polled, nfds_t count, int timeout_ms,
               size_t room);
int __ppoll_chk(struct pollfd *polled, nfds_t count,
                const struct timespec *span, const sigset_t *mask, size_t room);

// What poll() becomes in fortified programs
INTERCEPT int
__poll_chk(struct pollfd *polled, nfds_t count, int timeout_ms, size_t room)
{
    if (room / sizeof(*polled) < count)
        return REAL(__poll_chk)(polled, count, timeout_ms, room);
    return poll(polled, count, timeout_ms);
}

INTERCEPT int
__ppoll_chk(struct pollfd *polled, nfds_t count, const struct timespec *span,
            const sigset_t *mask, size_t room)
{
    if (room / sizeof(*polled) < count)
        return REAL(__ppoll_chk)(polled, count, span, mask, room);
    return ppoll(polled, count, span, mask);
}

// Is a descriptor in a set which may not be there?
static bool
is_set(int fd, const fd_set *set)
{
    return set != NULL && FD_ISSET(fd, set);
}

// Translate the sets of select() into the list of poll()
static int
list_sets(struct pollfd *polled, int limit, const fd_set *reads,
          const fd_set *writes, const fd_set *exceptions)
{
    int count = 0;
    for (int fd = 0; fd < limit; fd++) {
        short events = (is_set(fd, reads) ? POLLIN : 0)
            | (is_set(fd, writes) ? POLLOUT : 0)
            | (is_set(fd, exceptions) ? POLLPRI : 0);
        if (events != 0)
            polled[count++] = (struct pollfd){ .fd = fd, .events = events };
    }
    return count;
}

// Keep a descriptor in a set only if it is ready. Returns 1 if it is.
static int
keep_if_ready(const struct pollfd *polled, short wanted, short ready,
              fd_set *set)
{
    if (!(polled->events & wanted))
        return 0;
    if (polled->revents & ready)
        return 1;
    FD_CLR(polled->fd, set);
    return 0;
}

// select(), with the deadline in virtual time
static int
select_until(int limit, fd_set *reads, fd_set *writes, fd_set *exceptions,
             int64_t deadline_ns)
{
    struct pollfd polled[FD_SETSIZE];
    if (limit < 0 || limit > FD_SETSIZE) {
        errno = EINVAL;
        return -1;
    }
    int count = list_sets(polled, limit, reads, writes, exceptions);
    if (waiting_wait(polled, count, deadline_ns) < 0)
        return -1;
    int ready = 0;
    for (int i = 0; i < count; i++) {
        if (polled[i].revents & POLLNVAL) {
            errno = EBADF;
            return -1;
        }
        ready +=
            keep_if_ready(&polled[i], POLLIN, POLLIN | POLLHUP | POLLERR, reads)
            + keep_if_ready(&polled[i], POLLOUT, POLLOUT | POLLERR, writes)
            + keep_if_ready(&polled[i], POLLPRI, POLLPRI, exceptions);
    }
    return ready;
}

INTERCEPT int
select(int limit, fd_set *restrict reads, fd_set *restrict writes,
       fd_set *restrict exceptions, struct timeval *restrict span)
{
    if (slot_self() == NULL)
        return REAL(select)(limit, reads, writes, exceptions, span);
    int64_t deadline_ns = NEVER_NS;
    if (span != NULL)
        deadline_ns =
            clock_timeout_ns(span->tv_sec, span->tv_usec * INT64_C(1000));
    int ready = select_until(limit, reads, writes, exceptions, deadline_ns);
    if (span != NULL && deadline_ns != NEVER_NS) {
        // Linux leaves the rest of the span there
        int64_t left_ns = deadline_ns - clock_now_ns();
        left_ns = left_ns > 0 ? left_ns : 0;
        span->tv_sec = left_ns / SECOND_NS;
        span->tv_usec = left_ns % SECOND_NS / 1000;
    }
    return ready;
}

INTERCEPT int
pselect(int limit, fd_set *restrict reads, fd_set *restrict writes,
        fd_set *restrict exceptions, const struct timespec *restrict span,
        const sigset_t *restrict mask)
{
    if (slot_self() == NULL)
        return REAL(pselect)(limit, reads, writes, exceptions, span, mask);
    return select_until(limit, reads, writes, exceptions, deadline_after(span));
}
