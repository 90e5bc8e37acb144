// Reports: who holds the baton, what every thread waits for, and where
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECOND_NS 1e9
#define MAX_FRAMES 48
// Hardly any program uses this one
#define BACKTRACE_SIGNAL (SIGRTMAX - 3)

static const char *report_path;
static int report_fd = -1;
static bool is_backtrace_done;
static const char *(*dump_python)(int fd, void *interpreter, void *thread);

static const char *const wait_names[WAIT_KINDS] = {
    [WAIT_NOTHING] = "nothing",     [WAIT_MUTEX] = "mutex",
    [WAIT_RWLOCK] = "rwlock",       [WAIT_CONDITION] = "condition",
    [WAIT_SEMAPHORE] = "semaphore", [WAIT_JOIN] = "end of thread",
    [WAIT_SLEEP] = "sleep",         [WAIT_DESCRIPTORS] = "descriptors",
};

static const char *const state_names[] = {
    [SLOT_READY] = "is ready",
    [SLOT_RUNNING] = "holds the baton",
    [SLOT_BLOCKED] = "waits for",
    [SLOT_DEAD] = "has ended",
};

static const char *const descriptor_names[] = {
    [DESCRIPTOR_UNKNOWN] = "outside",   [DESCRIPTOR_LINK] = "link",
    [DESCRIPTOR_PAIR] = "pair",         [DESCRIPTOR_SOCKET] = "socket",
    [DESCRIPTOR_LISTENER] = "listener", [DESCRIPTOR_CONNECTION] = "connection",
    [DESCRIPTOR_EPOLL] = "epoll",       [DESCRIPTOR_CHILD] = "child",
};

// Print where the calling thread is
static void
write_backtrace(void)
{
    void *frames[MAX_FRAMES];
    int count = backtrace(frames, MAX_FRAMES);
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    if (report_fd >= 0)
        backtrace_symbols_fd(frames, count, report_fd);
}

// Print where the thread that gets the signal is
static void
print_backtrace(int signal)
{
    (void)signal;
    write_backtrace();
    __atomic_store_n(&is_backtrace_done, true, __ATOMIC_RELEASE);
}

// Prepare for a time at which little may be relied upon
void
report_setup(const char *path)
{
    report_path = path;
    void *frames[1];
    backtrace(frames, 1);
    dump_python = (__typeof__(dump_python))dlsym(RTLD_DEFAULT,
                                                 "_Py_DumpTracebackThreads");
    struct sigaction action = { .sa_handler = print_backtrace };
    sigaction(BACKTRACE_SIGNAL, &action, NULL);
}

// Write all of a text, or as much as possible
static void
write_text(int fd, const char *text)
{
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t ret = REAL(write)(fd, text, size);
        if (ret <= 0)
            return;
        text += ret;
        size -= ret;
    }
}

// Open the report file at its first line
static void
write_to_file(const char *text)
{
    if (report_fd < 0 && report_path != NULL)
        report_fd = REAL(open)(report_path,
                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (report_fd >= 0)
        write_text(report_fd, text);
}

// Format a text without taking memory, whose lock a stopped thread may hold
#define FORMAT_INTO(text, format)                     \
    char text[1024];                                  \
    va_list arguments;                                \
    va_start(arguments, format);                      \
    vsnprintf(text, sizeof(text), format, arguments); \
    va_end(arguments);

// Add to the report and to the error output
void
report_text(const char *format, ...)
{
    FORMAT_INTO(text, format);
    write_text(STDERR_FILENO, text);
    write_to_file(text);
}

// Add to the report what is worth a look only when something is wrong
void
report_file_only(const char *format, ...)
{
    FORMAT_INTO(text, format);
    write_to_file(text);
}

// End the process with one line, since it cannot be managed
void
report_bad_setup(const char *format, ...)
{
    FORMAT_INTO(text, format);
    report_text("virtual printer: %s\n", text);
    _exit(EXIT_BAD_SETUP);
}

// Print an instant, of which "never" is one
static void
report_time(const char *what, int64_t time_ns)
{
    if (time_ns == NEVER_NS)
        report_text(", %s never", what);
    else
        report_text(", %s %.9f s", what, time_ns / SECOND_NS);
}

// Name of a thread as the system shows it
static void
read_thread_name(pid_t thread_id, char *name, size_t size)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)thread_id);
    int fd = REAL(open)(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? REAL(read)(fd, name, size - 1) : 0;
    if (fd >= 0)
        REAL(close)(fd);
    name[length > 0 ? length : 0] = '\0';
    name[strcspn(name, "\n")] = '\0';
}

// Describe one thread
static void
report_slot(const struct slot *slot)
{
    char name[32];
    read_thread_name(slot->thread_id, name, sizeof(name));
    report_text("  slot %d, thread %d \"%s\": %s", slot->number,
                (int)slot->thread_id, name, state_names[slot->state]);
    if (slot->state == SLOT_BLOCKED) {
        report_text(" %s %p", wait_names[slot->wait_kind], slot->wait_object);
        report_time("since", slot->blocked_since_ns);
        report_time("deadline", slot->deadline_ns);
        if (slot->wait_kind == WAIT_DESCRIPTORS)
            for (nfds_t i = 0; i < slot->polled_count; i++)
                report_text(
                    "%s %d (%s)", i == 0 ? ", fds" : ",", slot->polled[i].fd,
                    descriptor_names[descriptor_get(slot->polled[i].fd).kind]);
    }
    report_text("\n");
}

// Have a thread print its own stack
static void
report_backtrace(const struct slot *slot)
{
    report_text("stack of slot %d:\n", slot->number);
    if (slot->state == SLOT_BLOCKED && contexts_visit(slot, write_backtrace))
        return;
    __atomic_store_n(&is_backtrace_done, false, __ATOMIC_RELEASE);
    syscall(SYS_tgkill, getpid(), contexts_kernel_thread(slot),
            BACKTRACE_SIGNAL);
    for (int i = 0; i < 1000; i++) {
        if (__atomic_load_n(&is_backtrace_done, __ATOMIC_ACQUIRE))
            return;
        struct timespec span = { .tv_nsec = 1000000 };
        REAL(nanosleep)(&span, NULL);
    }
    report_text("  (no answer)\n");
}

// Describe everything and end the process
static void __attribute__((noreturn))
report_all_and_exit(int exit_code, bool all_backtraces)
{
    report_text("threads:\n");
    for (int i = 0; i < slot_count(); i++)
        if (slot_at(i)->state != SLOT_FREE)
            report_slot(slot_at(i));
    uint64_t end = baton_switches();
    uint64_t start = end < MAX_RECENT_SWITCHES ? 0 : end - MAX_RECENT_SWITCHES;
    report_text("last switches (time, slot, what it had waited for):\n");
    for (uint64_t i = start; i < end; i++) {
        const struct recent_switch *recent = baton_recent_switch(i);
        report_text("  %.9f %d %s\n", recent->time_ns / SECOND_NS, recent->slot,
                    wait_names[recent->waited_for]);
    }
    for (int i = 0; i < slot_count(); i++) {
        enum slot_state state = slot_at(i)->state;
        if (state == SLOT_RUNNING || (all_backtraces && state == SLOT_BLOCKED))
            report_backtrace(slot_at(i));
    }
    if (dump_python != NULL) {
        report_text("Python:\n");
        dump_python(STDERR_FILENO, NULL, NULL);
        if (report_fd >= 0)
            dump_python(report_fd, NULL, NULL);
    }
    _exit(exit_code);
}

// No thread can run, and nothing will ever happen
void
report_deadlock(void)
{
    report_text("virtual printer: deadlock at %.9f s: every thread waits and"
                " nothing will happen\n",
                clock_now_ns() / SECOND_NS);
    report_all_and_exit(EXIT_DEADLOCK, true);
}

// The holder of the baton has not passed it on for long
void
report_hang(double seconds)
{
    report_text("virtual printer: no progress for %.1f s of real time at"
                " %.9f s\n",
                seconds, clock_now_ns() / SECOND_NS);
    report_all_and_exit(EXIT_HANG, false);
}
