// Opening, duplicating and closing descriptors
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

// Mode argument, which is there only if a file may be made
#define TAKE_MODE(flags, mode)                                     \
    mode_t mode = 0;                                               \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list arguments;                                         \
        va_start(arguments, flags);                                \
        mode = va_arg(arguments, mode_t);                          \
        va_end(arguments);                                         \
    }

// Forget what was known of a descriptor's number, since it is a new one
static int
note_new(int fd)
{
    if (fd >= 0 && slot_self() != NULL)
        descriptor_set(fd, DESCRIPTOR_UNKNOWN);
    return fd;
}

// Link behind a path that the calling thread opens, or -1
static int
link_to_open(const char *path)
{
    return slot_self() != NULL ? world_find_link(path) : -1;
}

INTERCEPT int
open(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode);
    int link = link_to_open(path);
    if (link >= 0)
        return link_device_open(link, flags);
    return note_new(REAL(open)(path, flags, mode));
}

INTERCEPT int
open64(const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode);
    int link = link_to_open(path);
    if (link >= 0)
        return link_device_open(link, flags);
    return note_new(REAL(open64)(path, flags, mode));
}

INTERCEPT int
openat(int directory, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode);
    int link = link_to_open(path);
    if (link >= 0)
        return link_device_open(link, flags);
    return note_new(REAL(openat)(directory, path, flags, mode));
}

INTERCEPT int
openat64(int directory, const char *path, int flags, ...)
{
    TAKE_MODE(flags, mode);
    int link = link_to_open(path);
    if (link >= 0)
        return link_device_open(link, flags);
    return note_new(REAL(openat64)(directory, path, flags, mode));
}

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

// What open() becomes in fortified programs
INTERCEPT int
__open_2(const char *path, int flags)
{
    return open(path, flags);
}

INTERCEPT int
__open64_2(const char *path, int flags)
{
    return open64(path, flags);
}

INTERCEPT int
close(int fd)
{
    int ret = REAL(close)(fd);
    if (slot_self() != NULL)
        descriptor_forget(fd);
    return ret;
}

// Note that a descriptor stands for the same as another one
static int
note_duplicate(int from_fd, int to_fd)
{
    if (to_fd >= 0 && to_fd != from_fd && slot_self() != NULL) {
        descriptor_forget(to_fd);
        descriptor_copy(from_fd, to_fd);
    }
    return to_fd;
}

INTERCEPT int
dup(int fd)
{
    return note_duplicate(fd, REAL(dup)(fd));
}

INTERCEPT int
dup2(int from_fd, int to_fd)
{
    return note_duplicate(from_fd, REAL(dup2)(from_fd, to_fd));
}

INTERCEPT int
dup3(int from_fd, int to_fd, int flags)
{
    return note_duplicate(from_fd, REAL(dup3)(from_fd, to_fd, flags));
}

// Pass a fcntl() on, whatever its argument is
#define PASS_FCNTL(name, fd, command)                     \
    va_list arguments;                                    \
    va_start(arguments, command);                         \
    void *argument = va_arg(arguments, void *);           \
    va_end(arguments);                                    \
    int ret = REAL(name)(fd, command, argument);          \
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) \
        note_duplicate(fd, ret);                          \
    return ret;

INTERCEPT int
fcntl(int fd, int command, ...)
{
    PASS_FCNTL(fcntl, fd, command);
}

INTERCEPT int
fcntl64(int fd, int command, ...)
{
    PASS_FCNTL(fcntl64, fd, command);
}

// Remember a new pair
static int
note_pair(int ret, const int fds[2], void (*set)(int first_fd, int second_fd))
{
    if (ret == 0 && slot_self() != NULL) {
        note_new(fds[0]);
        note_new(fds[1]);
        set(fds[0], fds[1]);
    }
    return ret;
}

INTERCEPT int
pipe(int fds[2])
{
    return note_pair(REAL(pipe)(fds), fds, descriptor_set_pipe);
}

INTERCEPT int
pipe2(int fds[2], int flags)
{
    return note_pair(REAL(pipe2)(fds, flags), fds, descriptor_set_pipe);
}

INTERCEPT int
socketpair(int domain, int type, int protocol, int fds[2])
{
    return note_pair(REAL(socketpair)(domain, type, protocol, fds), fds,
                     descriptor_set_pair);
}

INTERCEPT int
eventfd(unsigned int count, int flags)
{
    int fd = note_new(REAL(eventfd)(count, flags));
    if (fd >= 0 && slot_self() != NULL)
        descriptor_set_pair(fd, -1);
    return fd;
}
