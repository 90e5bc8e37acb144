// Child processes: they run unmanaged, and their work takes no virtual time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Real time that a child gets while a thread polls for its end
#define GRACE_MS 2000

// A child made by vfork() would run in this process's memory, and its calls
// would look like those of a managed thread; a forked one has a copy.
INTERCEPT pid_t
vfork(void)
{
    descriptors_note_child();
    pid_t pid = syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0)
        slot_become(NULL);
    return pid;
}

INTERCEPT int
posix_spawn(pid_t *restrict pid, const char *restrict path,
            const posix_spawn_file_actions_t *actions,
            const posix_spawnattr_t *restrict attributes,
            char *const *restrict arguments, char *const *restrict environment)
{
    descriptors_note_child();
    return REAL(posix_spawn)(pid, path, actions, attributes, arguments,
                             environment);
}

INTERCEPT int
posix_spawnp(pid_t *restrict pid, const char *restrict file,
             const posix_spawn_file_actions_t *actions,
             const posix_spawnattr_t *restrict attributes,
             char *const *restrict arguments, char *const *restrict environment)
{
    descriptors_note_child();
    return REAL(posix_spawnp)(pid, file, actions, attributes, arguments,
                              environment);
}

// Wait for the end of a child while other threads run, but no time passes
static void
await_end(int fd)
{
    descriptor_set(fd, DESCRIPTOR_CHILD);
    waiting_wait_for_one(fd, POLLIN);
    descriptor_set(fd, DESCRIPTOR_UNKNOWN);
}

// Give a child which the caller only glances at some real time to end: in
// virtual time the caller's patience would be over at once. A child that
// stays gets this only once.
static void
await_end_for_a_moment(int fd, pid_t pid)
{
    static pid_t staying_child;
    struct pollfd polled = { .fd = fd, .events = POLLIN };
    if (pid != staying_child && REAL(poll)(&polled, 1, GRACE_MS) == 0)
        staying_child = pid;
}

// Wait for a child before the real call looks at it
static void
await_child(pid_t pid, int options)
{
    if (slot_self() == NULL || pid <= 0)
        return;
    int fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    if (options & WNOHANG)
        await_end_for_a_moment(fd, pid);
    else
        await_end(fd);
    REAL(close)(fd);
}

INTERCEPT pid_t
waitpid(pid_t pid, int *status, int options)
{
    await_child(pid, options);
    return REAL(waitpid)(pid, status, options);
}

INTERCEPT pid_t
wait4(pid_t pid, int *status, int options, struct rusage *usage)
{
    await_child(pid, options);
    return REAL(wait4)(pid, status, options, usage);
}

INTERCEPT int
waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    if (type == P_PID)
        await_child(id, options);
    return REAL(waitid)(type, id, info, options);
}
