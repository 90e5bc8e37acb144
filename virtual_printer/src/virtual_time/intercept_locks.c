// Mutexes, reader-writer locks, conditions and semaphores in virtual time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <semaphore.h>

#define COND_CLOCK_IS_MONOTONIC 2

// Does the calling thread hold a mutex whose kind says so? The real call
// then answers at once, instead of a wait without end.
static bool
real_lock_refuses(const pthread_mutex_t *mutex)
{
    return (mutex->__data.__kind & 3) == PTHREAD_MUTEX_ERRORCHECK
        && mutex->__data.__owner == slot_self()->thread_id;
}

// Lock a mutex, or give up at the deadline
static int
lock_mutex(pthread_mutex_t *mutex, int64_t deadline_ns)
{
    int ret;
    while ((ret = REAL(pthread_mutex_trylock)(mutex)) == EBUSY) {
        if (real_lock_refuses(mutex))
            return REAL(pthread_mutex_lock)(mutex);
        if (!baton_wait(WAIT_MUTEX, mutex, deadline_ns))
            return ETIMEDOUT;
    }
    return ret;
}

INTERCEPT int
pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (slot_self() == NULL)
        return REAL(pthread_mutex_lock)(mutex);
    return lock_mutex(mutex, NEVER_NS);
}

// Note that a thread has not got what it wanted, and may try in a loop
static int
note_failure(int ret)
{
    if (ret != 0 && slot_self() != NULL) {
        int saved_errno = errno;
        clock_read_ns();
        baton_note_spin();
        errno = saved_errno;
    }
    return ret;
}

INTERCEPT int
pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    return note_failure(REAL(pthread_mutex_trylock)(mutex));
}

INTERCEPT int
pthread_mutex_timedlock(pthread_mutex_t *restrict mutex,
                        const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(pthread_mutex_timedlock)(mutex, time);
    return lock_mutex(mutex, clock_deadline_ns(CLOCK_REALTIME, time));
}

INTERCEPT int
pthread_mutex_clocklock(pthread_mutex_t *restrict mutex, clockid_t clock,
                        const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(pthread_mutex_clocklock)(mutex, clock, time);
    return lock_mutex(mutex, clock_deadline_ns(clock, time));
}

INTERCEPT int
pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    int ret = REAL(pthread_mutex_unlock)(mutex);
    if (slot_self() != NULL && ret == 0)
        baton_wake_first(WAIT_MUTEX, mutex);
    return ret;
}

// Wait for a condition. The real one is never used: nobody else waits.
static int
wait_for_condition(pthread_cond_t *condition, pthread_mutex_t *mutex,
                   int64_t deadline_ns)
{
    int ret = pthread_mutex_unlock(mutex);
    if (ret != 0)
        return ret;
    bool was_woken = baton_wait(WAIT_CONDITION, condition, deadline_ns);
    ret = lock_mutex(mutex, NEVER_NS);
    if (ret != 0)
        return ret;
    return was_woken ? 0 : ETIMEDOUT;
}

INTERCEPT int
pthread_cond_wait(pthread_cond_t *restrict condition,
                  pthread_mutex_t *restrict mutex)
{
    if (slot_self() == NULL)
        return REAL(pthread_cond_wait)(condition, mutex);
    return wait_for_condition(condition, mutex, NEVER_NS);
}

INTERCEPT int
pthread_cond_timedwait(pthread_cond_t *restrict condition,
                       pthread_mutex_t *restrict mutex,
                       const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(pthread_cond_timedwait)(condition, mutex, time);
    // Set by the real pthread_cond_init() from the attributes
    bool is_monotonic = condition->__data.__wrefs & COND_CLOCK_IS_MONOTONIC;
    clockid_t clock = is_monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
    return wait_for_condition(condition, mutex, clock_deadline_ns(clock, time));
}

INTERCEPT int
pthread_cond_clockwait(pthread_cond_t *restrict condition,
                       pthread_mutex_t *restrict mutex, clockid_t clock,
                       const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(pthread_cond_clockwait)(condition, mutex, clock, time);
    return wait_for_condition(condition, mutex, clock_deadline_ns(clock, time));
}

INTERCEPT int
pthread_cond_signal(pthread_cond_t *condition)
{
    if (slot_self() == NULL)
        return REAL(pthread_cond_signal)(condition);
    baton_wake_first(WAIT_CONDITION, condition);
    return 0;
}

INTERCEPT int
pthread_cond_broadcast(pthread_cond_t *condition)
{
    if (slot_self() == NULL)
        return REAL(pthread_cond_broadcast)(condition);
    baton_wake_all(WAIT_CONDITION, condition);
    return 0;
}

// Take one from a semaphore, or give up at the deadline
static int
take_semaphore(sem_t *semaphore, int64_t deadline_ns)
{
    while (REAL(sem_trywait)(semaphore) != 0) {
        if (errno != EAGAIN)
            return -1;
        if (!baton_wait(WAIT_SEMAPHORE, semaphore, deadline_ns)) {
            errno = ETIMEDOUT;
            return -1;
        }
    }
    return 0;
}

INTERCEPT int
sem_trywait(sem_t *semaphore)
{
    return note_failure(REAL(sem_trywait)(semaphore));
}

INTERCEPT int
sem_wait(sem_t *semaphore)
{
    if (slot_self() == NULL)
        return REAL(sem_wait)(semaphore);
    return take_semaphore(semaphore, NEVER_NS);
}

INTERCEPT int
sem_timedwait(sem_t *restrict semaphore, const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(sem_timedwait)(semaphore, time);
    return take_semaphore(semaphore, clock_deadline_ns(CLOCK_REALTIME, time));
}

INTERCEPT int
sem_clockwait(sem_t *restrict semaphore, clockid_t clock,
              const struct timespec *restrict time)
{
    if (slot_self() == NULL)
        return REAL(sem_clockwait)(semaphore, clock, time);
    return take_semaphore(semaphore, clock_deadline_ns(clock, time));
}

INTERCEPT int
sem_post(sem_t *semaphore)
{
    int ret = REAL(sem_post)(semaphore);
    if (slot_self() != NULL && ret == 0)
        baton_wake_first(WAIT_SEMAPHORE, semaphore);
    return ret;
}

INTERCEPT int
pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    if (slot_self() == NULL)
        return REAL(pthread_rwlock_rdlock)(lock);
    int ret;
    while ((ret = REAL(pthread_rwlock_tryrdlock)(lock)) == EBUSY)
        baton_wait(WAIT_RWLOCK, lock, NEVER_NS);
    return ret;
}

INTERCEPT int
pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    if (slot_self() == NULL)
        return REAL(pthread_rwlock_wrlock)(lock);
    int ret;
    while ((ret = REAL(pthread_rwlock_trywrlock)(lock)) == EBUSY)
        baton_wait(WAIT_RWLOCK, lock, NEVER_NS);
    return ret;
}

INTERCEPT int
pthread_rwlock_unlock(pthread_rwlock_t *lock)
{
    int ret = REAL(pthread_rwlock_unlock)(lock);
    if (slot_self() != NULL && ret == 0)
        baton_wake_all(WAIT_RWLOCK, lock);
    return ret;
}
