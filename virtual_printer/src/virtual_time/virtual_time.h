// What the parts of the virtual-time preload library offer each other
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#ifndef VIRTUAL_TIME_H
#define VIRTUAL_TIME_H

// Inline checking wrappers of the headers would clash with our definitions
#undef _FORTIFY_SOURCE
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

// The only functions that the library shows to the process
#define INTERCEPT __attribute__((visibility("default")))

// The function of that name which the process would call without us
#define REAL(name)                                         \
    ({                                                     \
        static __typeof__(&name) real_;                    \
        if (real_ == NULL)                                 \
            real_ = (__typeof__(&name))real_symbol(#name); \
        real_;                                             \
    })

#define NEVER_NS INT64_MAX
#define MAX_SLOTS 1024
#define MAX_CAN_SOCKETS 256
// CAN interfaces of the simulation are numbered from here on, far from real
// ones
#define CAN_FIRST_INTERFACE 10000
#define MAX_RECENT_SWITCHES 64

// Exit codes of a managed process that the library ends itself
#define EXIT_HANG 70
#define EXIT_DEADLOCK 71
#define EXIT_BAD_SETUP 72

// cpu.c: for who measures inside of the process
INTERCEPT int64_t virtual_printer_cpu_ns(void);

// Everything else stays inside, so that it stands in for nothing by accident
#pragma GCC visibility push(hidden)

enum slot_state {
    SLOT_FREE,
    SLOT_READY,
    SLOT_RUNNING,
    SLOT_BLOCKED,
    SLOT_DEAD,
};

enum wait_kind {
    WAIT_NOTHING,
    WAIT_MUTEX,
    WAIT_RWLOCK,
    WAIT_CONDITION,
    WAIT_SEMAPHORE,
    WAIT_JOIN,
    WAIT_SLEEP,
    WAIT_DESCRIPTORS,
    WAIT_KINDS,
};

// One managed thread. Only the holder of the baton reads or writes slots,
// except for has_baton and is_called, which its own thread sleeps on.
struct slot {
    int number;
    enum slot_state state;
    uint32_t has_baton;
    struct slot *next_ready;
    // What it waits for
    enum wait_kind wait_kind;
    const void *wait_object;
    int64_t blocked_since_ns, deadline_ns, wake_ns;
    uint64_t order;
    bool was_woken, is_delivery_pending;
    struct pollfd *polled;
    nfds_t polled_count;
    // Its thread
    pthread_t thread;
    pid_t thread_id;
    void *(*start)(void *);
    void *argument;
    bool is_detached;
    int destructor_rounds;
    // Where its context is while it does not run; NULL if the kernel has it
    void *left_stack;
    uintptr_t fs_base;
    // Its own thread of the kernel while that carries no context: the stack
    // it has then, what it wakes on its way there, and what it is called for
    void *parking;
    uint32_t *to_wake;
    uint32_t is_called;
    const struct slot *to_carry;
};

// One hand-over of the baton, kept for reports
struct recent_switch {
    int slot;
    enum wait_kind waited_for;
    int64_t time_ns;
};

// real_symbol.c
void *real_symbol(const char *name);

// clock.c: virtual time in ns since the start of the process
int64_t clock_now_ns(void);
int64_t clock_read_ns(void);
void clock_move_to(int64_t time_ns);
int64_t clock_deadline_ns(clockid_t clock, const struct timespec *time);
int64_t clock_timeout_ns(int64_t seconds, int64_t nanoseconds);
void clock_calendar(int64_t time_ns, struct timespec *time);

// cpu.c
int64_t cpu_thread_ns(void);
void cpu_note_waited(int64_t since_ns);

// host_latency.c
void host_latency_setup(const char *seed, const char *latency_us);
int64_t host_latency_draw_ns(void);
void host_stall(int64_t duration_ns);
int64_t host_stall_end_ns(void);

// slots.c
struct slot *slot_self(void);
void slot_become(struct slot *slot);
struct slot *slot_allocate(void);
void slot_release(struct slot *slot);
struct slot *slot_at(int number);
int slot_count(void);
struct slot *slot_of_thread(pthread_t thread);
struct slot *slot_first_waiting(enum wait_kind kind, const void *object);
int64_t slot_earliest_wake_ns(void);
void slot_block(struct slot *slot, enum wait_kind kind, const void *object,
                int64_t deadline_ns);
void slot_make_ready(struct slot *slot, bool was_woken);
void slot_make_due_ready(void);
struct slot *slot_take_ready(void);
bool slot_any_ready_or_due(void);
bool slot_any_waiting(enum wait_kind kind);

// baton.c
void baton_start(void);
bool baton_wait(enum wait_kind kind, const void *object, int64_t deadline_ns);
void baton_yield(void);
void baton_note_spin(void);
bool baton_wake_first(enum wait_kind kind, const void *object);
void baton_wake_all(enum wait_kind kind, const void *object);
void baton_await_turn(struct slot *self);
void baton_leave(struct slot *self);
uint64_t baton_schedule_hash(void);
uint64_t baton_switches(void);
struct slot *baton_holder(void);
const struct recent_switch *baton_recent_switch(uint64_t number);

// contexts.c
void contexts_setup(void);
bool contexts_are_used(void);
void contexts_note_start(struct slot *self);
void contexts_go_on(struct slot *self, struct slot *next);
void contexts_go_home(struct slot *self);
void contexts_continue(struct slot *next);
bool contexts_visit(const struct slot *slot, void (*function)(void));
pid_t contexts_kernel_thread(const struct slot *slot);

// rest.c
void rest(void);

// world.c: the simulation behind the links
void world_setup(const char *description_path);
int64_t world_next_event_ns(void);
int64_t world_advance(int64_t limit_ns);
void world_catch_up(void);
void world_deliver(int64_t time_ns);
int world_find_link(const char *path);
void world_control(const char *request, char *reply, size_t reply_size);
struct simulation *world_simulation(void);

// driver.c: the test's side of the control socket
void driver_setup(const char *control_fd);
bool driver_exists(void);
bool driver_is_running(void);
bool driver_is_waited_for(void);
int driver_descriptor(void);
int64_t driver_deadline_ns(void);
void driver_mark_woken(void);
void driver_come_to_rest(void);
void driver_serve(void);
void driver_write_schedule(void);

// report.c
void report_setup(const char *path);
void report_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_file_only(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void report_deadlock(void) __attribute__((noreturn));
void report_hang(double seconds) __attribute__((noreturn));
void report_bad_setup(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

// watchdog.c
void watchdog_setup(const char *limit_s);

// uncovered.c
void uncovered_scan(void);

// descriptors.c
enum descriptor_kind {
    DESCRIPTOR_UNKNOWN,
    DESCRIPTOR_LINK,
    DESCRIPTOR_PAIR,
    DESCRIPTOR_SOCKET,
    DESCRIPTOR_LISTENER,
    DESCRIPTOR_CONNECTION,
    DESCRIPTOR_EPOLL,
    DESCRIPTOR_CHILD,
    DESCRIPTOR_CAN,
};
struct descriptor {
    enum descriptor_kind kind;
    int index;  // of the link, of the CAN socket or of the pair
    int end;    // of the pair, 0 or 1
};
struct descriptor descriptor_get(int fd);
void descriptor_set(int fd, enum descriptor_kind kind);
void descriptor_set_pair(int first_fd, int second_fd);
void descriptor_set_pipe(int first_fd, int second_fd);
void descriptors_note_child(void);
bool descriptor_is_counted(int fd);
short descriptor_counted_events(int fd);
void descriptor_count(int fd, ssize_t bytes);
void descriptor_set_link(int fd, int link, int master_fd);
void descriptor_set_can(int fd, int index);
bool descriptor_is_simulated(int fd);
short descriptor_simulated_events(int fd);
void descriptor_copy(int from_fd, int to_fd);
void descriptor_forget(int fd);
bool descriptor_is_socket(int fd);
bool descriptor_is_child(int fd);
void descriptor_await_end_of_child(int fd);
bool descriptor_blocks(int fd);
void descriptor_note_activity(int fd, short events);

// link_device.c: a link as a file descriptor of the process
int link_device_open(int link, int flags);
short link_device_events(int link);
ssize_t link_device_read(int fd, int link, void *data, size_t size);
ssize_t link_device_write(int link, const void *data, size_t size);
void link_device_discard_input(int link);

// can_device.c: a raw CAN socket of the process on a bus of the simulation
bool can_device_exists(void);
int can_device_open(int type);
void can_device_retain(int index);
void can_device_release(int index);
short can_device_events(int index);
int can_device_bind(int index, const struct sockaddr *address,
                    socklen_t length);
int can_device_ioctl(int fd, unsigned long request, void *argument);
int can_device_set_option(int index, int level, int name, const void *value,
                          socklen_t length);
bool can_device_has_timestamps(int index);

// can_transfer.c
ssize_t can_device_receive(int fd, int index, struct msghdr *message,
                           int flags);
ssize_t can_device_send(int index, const struct msghdr *message);
ssize_t can_device_receive_parts(int fd, const struct iovec *parts, int count,
                                 int flags);
ssize_t can_device_send_parts(int fd, const struct iovec *parts, int count);

// waiting.c: waits for readiness
int waiting_check(struct pollfd *polled, nfds_t count);
int waiting_wait(struct pollfd *polled, nfds_t count, int64_t deadline_ns);
void waiting_wait_for_one(int fd, short events);
void waiting_repoll(bool sockets_only);
void waiting_wake_pair(int index, int end, short events);
bool waiting_has_link_ready(const struct slot *slot);
bool waiting_for_children(void);
bool waiting_for_outside(void);

// intercept_epoll.c
void epoll_forget(int fd);

#pragma GCC visibility pop

#endif
