// Starting, ending and joining threads
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"
#include "preload.h"

#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_key_t exit_key;

// Called at the end of a thread, however it ends. Other destructors run
// before or after this one; only in the last round have all of them run.
static void
end_thread(void *data)
{
    struct slot *self = data;
    if (++self->destructor_rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
        pthread_setspecific(exit_key, self);
    else
        baton_leave(self);
}

// First function of every managed thread
static void *
run_thread(void *data)
{
    struct slot *self = data;
    self->thread_id = syscall(SYS_gettid);
    baton_await_turn(self);
    contexts_note_start(self);
    slot_become(self);
    pthread_setspecific(exit_key, self);
    return self->start(self->argument);
}

// A child process made by fork() has one thread, which is not managed
static void
become_unmanaged(void)
{
    slot_become(NULL);
}

// Make the calling thread, the process's first, managed
void
preload_manage_threads(void)
{
    pthread_key_create(&exit_key, end_thread);
    pthread_atfork(descriptors_note_child, NULL, become_unmanaged);
    baton_start();
    pthread_setspecific(exit_key, slot_self());
}

INTERCEPT int
pthread_create(pthread_t *restrict thread,
               const pthread_attr_t *restrict attributes,
               void *(*start)(void *), void *restrict argument)
{
    if (slot_self() == NULL)
        return REAL(pthread_create)(thread, attributes, start, argument);
    struct slot *slot = slot_allocate();
    if (slot == NULL)
        return EAGAIN;
    int detach_state = PTHREAD_CREATE_JOINABLE;
    if (attributes != NULL)
        pthread_attr_getdetachstate(attributes, &detach_state);
    slot->is_detached = detach_state == PTHREAD_CREATE_DETACHED;
    slot->start = start;
    slot->argument = argument;
    int ret = REAL(pthread_create)(thread, attributes, run_thread, slot);
    if (ret != 0) {
        slot_release(slot);
        return ret;
    }
    slot->thread = *thread;
    slot_make_ready(slot, true);
    uncovered_scan();
    return 0;
}

INTERCEPT int
pthread_join(pthread_t thread, void **result)
{
    if (slot_self() == NULL)
        return REAL(pthread_join)(thread, result);
    struct slot *slot = slot_of_thread(thread);
    if (slot != NULL && slot != slot_self())
        while (slot->state != SLOT_DEAD)
            baton_wait(WAIT_JOIN, slot, NEVER_NS);
    int ret = REAL(pthread_join)(thread, result);
    if (ret == 0 && slot != NULL)
        slot_release(slot);
    return ret;
}

INTERCEPT int
pthread_detach(pthread_t thread)
{
    struct slot *slot = slot_self() != NULL ? slot_of_thread(thread) : NULL;
    int ret = REAL(pthread_detach)(thread);
    if (ret != 0 || slot == NULL)
        return ret;
    slot->is_detached = true;
    if (slot->state == SLOT_DEAD)
        slot_release(slot);
    return ret;
}
