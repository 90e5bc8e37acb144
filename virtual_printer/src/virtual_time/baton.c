// The baton: exactly one managed thread runs at any time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

// A thread that made this many non-blocking calls in a row is waiting for
// another one in a loop
#define SPIN_CALLS 10000
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static struct slot *holder;
static pid_t departing_thread;
static int64_t pass_began_ns;
static int spin_calls;
static uint64_t switches, schedule_hash = FNV_OFFSET;
static struct recent_switch recent[MAX_RECENT_SWITCHES];

// Hash over every hand-over and its time: equal for equal schedules
uint64_t
baton_schedule_hash(void)
{
    return schedule_hash;
}

// Hand-overs so far; also read by the watchdog's thread
uint64_t
baton_switches(void)
{
    return __atomic_load_n(&switches, __ATOMIC_RELAXED);
}

// Slot that runs; also read by the watchdog's thread
struct slot *
baton_holder(void)
{
    return __atomic_load_n(&holder, __ATOMIC_RELAXED);
}

// One of the last MAX_RECENT_SWITCHES hand-overs
const struct recent_switch *
baton_recent_switch(uint64_t number)
{
    return &recent[number % MAX_RECENT_SWITCHES];
}

// Make the calling thread, the process's first, the holder
void
baton_start(void)
{
    struct slot *slot = slot_allocate();
    slot->thread = pthread_self();
    slot->thread_id = syscall(SYS_gettid);
    slot->state = SLOT_RUNNING;
    holder = slot;
    contexts_note_start(slot);
    slot_become(slot);
}

// Add a number to the hash of the schedule
static void
hash_number(uint64_t number)
{
    schedule_hash = (schedule_hash ^ number) * FNV_PRIME;
}

// Choose who runs next, letting time pass until someone can
static struct slot *
choose_next(void)
{
    for (;;) {
        world_catch_up();
        if (clock_now_ns() >= host_stall_end_ns()) {
            slot_make_due_ready();
            struct slot *next = slot_take_ready();
            if (next != NULL)
                return next;
        }
        rest();
    }
}

// Record that a slot runs from now on
static void
note_switch(struct slot *next)
{
    next->state = SLOT_RUNNING;
    spin_calls = 0;
    hash_number(next->number);
    hash_number(clock_now_ns());
    recent[switches % MAX_RECENT_SWITCHES] = (struct recent_switch){
        .slot = next->number,
        .waited_for = next->wait_kind,
        .time_ns = clock_now_ns(),
    };
    next->wait_kind = WAIT_NOTHING;
    __atomic_store_n(&switches, switches + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&holder, next, __ATOMIC_RELAXED);
}

// Let the thread of a slot run
static void
hand_over(struct slot *next)
{
    __atomic_store_n(&next->has_baton, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &next->has_baton, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

// Wait until a thread that gave up the baton for good is gone for the kernel
// too: what it frees last (stack, heap arena) must not depend on real time.
static void
await_departure(void)
{
    while (departing_thread != 0
           && syscall(SYS_tgkill, getpid(), departing_thread, 0) == 0)
        REAL(sched_yield)();
    departing_thread = 0;
}

// Sleep for real until the calling thread is given the baton
void
baton_await_turn(struct slot *self)
{
    while (!__atomic_load_n(&self->has_baton, __ATOMIC_ACQUIRE))
        syscall(SYS_futex, &self->has_baton, FUTEX_WAIT_PRIVATE, 0, NULL, NULL,
                0);
    self->has_baton = 0;
    if (departing_thread != 0)
        await_departure();
}

// Pass the baton on and come back when it is the calling thread's turn
static void
pass_on(struct slot *self)
{
    int saved_errno = errno;
    int64_t since_ns = pass_began_ns = cpu_thread_ns();
    struct slot *next = choose_next();
    note_switch(next);
    if (next == self) {
        cpu_note_waited(since_ns);
    } else if (contexts_are_used()) {
        contexts_go_on(self, next);
        // On the same thread of the kernel that the one before had
        cpu_note_waited(pass_began_ns);
        if (departing_thread != 0)
            await_departure();
    } else {
        hand_over(next);
        baton_await_turn(self);
        cpu_note_waited(since_ns);
    }
    errno = saved_errno;
}

// Block the calling thread. Returns true if it was woken, false if the
// deadline passed.
bool
baton_wait(enum wait_kind kind, const void *object, int64_t deadline_ns)
{
    struct slot *self = slot_self();
    slot_block(self, kind, object, deadline_ns);
    pass_on(self);
    return self->was_woken;
}

// Let the others that can run go first
void
baton_yield(void)
{
    spin_calls = 0;
    if (!slot_any_ready_or_due())
        return;
    struct slot *self = slot_self();
    slot_make_due_ready();
    slot_make_ready(self, true);
    pass_on(self);
}

// Note a call that a thread could make in a loop to await another thread
void
baton_note_spin(void)
{
    if (++spin_calls >= SPIN_CALLS)
        baton_yield();
}

// Make the thread ready that has waited longest for an object
bool
baton_wake_first(enum wait_kind kind, const void *object)
{
    struct slot *slot = slot_first_waiting(kind, object);
    if (slot == NULL)
        return false;
    slot_make_ready(slot, true);
    return true;
}

// Make all threads ready that wait for an object, in the order they came
void
baton_wake_all(enum wait_kind kind, const void *object)
{
    while (baton_wake_first(kind, object))
        ;
}

// Is there any thread left to give the baton to?
static bool
any_other_alive(void)
{
    for (int i = 0; i < slot_count(); i++) {
        enum slot_state state = slot_at(i)->state;
        if (state == SLOT_READY || state == SLOT_BLOCKED)
            return true;
    }
    return false;
}

// Pass the baton on for good, at the end of the calling thread
void
baton_leave(struct slot *self)
{
    if (contexts_are_used())
        contexts_go_home(self);
    pass_began_ns = 0;
    pid_t thread_id = self->thread_id;
    baton_wake_all(WAIT_JOIN, self);
    self->state = SLOT_DEAD;
    if (self->is_detached)
        slot_release(self);
    slot_become(NULL);
    if (!any_other_alive())
        return;
    struct slot *next = choose_next();
    note_switch(next);
    departing_thread = thread_id;
    if (contexts_are_used())
        contexts_continue(next);
    else
        hand_over(next);
}
