// Waits that Python programs do not make, each checked for its virtual time
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_key_t key;
static int event_fd;

// End with the line of a check that failed
#define CHECK(is_true)                                   \
    do {                                                 \
        if (!(is_true)) {                                \
            printf("line %d: %s\n", __LINE__, #is_true); \
            exit(1);                                     \
        }                                                \
    } while (0)

// A clock in seconds
static double
clock_s(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec + now.tv_nsec * 1e-9;
}

// An instant in some seconds on a clock
static struct timespec
in_seconds(clockid_t clock, int seconds)
{
    struct timespec time;
    clock_gettime(clock, &time);
    time.tv_sec += seconds;
    return time;
}

// Have this many seconds passed, but for some readings of the clock?
static int
has_passed(double start_s, double span_s)
{
    double passed_s = clock_s(CLOCK_MONOTONIC) - start_s;
    return passed_s >= span_s && passed_s < span_s + 20e-6;
}

// Hold a lock for three seconds
static void *
hold_mutex(void *unused)
{
    pthread_mutex_lock(&mutex);
    sleep(3);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *
hold_rwlock(void *unused)
{
    pthread_rwlock_wrlock(&rwlock);
    sleep(3);
    pthread_rwlock_unlock(&rwlock);
    return unused;
}

// Timed waits count on the clock that the caller means
static void
check_timed_waits(void)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_t monotonic;
    pthread_cond_init(&monotonic, &attributes);
    pthread_mutex_lock(&mutex);
    double start_s = clock_s(CLOCK_MONOTONIC);
    struct timespec time = in_seconds(CLOCK_MONOTONIC, 5);
    CHECK(pthread_cond_timedwait(&monotonic, &mutex, &time) == ETIMEDOUT);
    CHECK(has_passed(start_s, 5.));
    time = in_seconds(CLOCK_REALTIME, 5);
    CHECK(pthread_cond_timedwait(&condition, &mutex, &time) == ETIMEDOUT);
    time = in_seconds(CLOCK_MONOTONIC, 5);
    CHECK(pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &time)
          == ETIMEDOUT);
    CHECK(has_passed(start_s, 15.));
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    time = in_seconds(CLOCK_REALTIME, 5);
    CHECK(sem_timedwait(&semaphore, &time) < 0 && errno == ETIMEDOUT);
    CHECK(has_passed(start_s, 20.));
    pthread_mutex_unlock(&mutex);
}

// A mutex or reader-writer lock is had when its holder gives it back
static void
check_locks(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, hold_mutex, NULL);
    double start_s = clock_s(CLOCK_MONOTONIC);
    sleep(1);
    struct timespec time = in_seconds(CLOCK_REALTIME, 1);
    CHECK(pthread_mutex_timedlock(&mutex, &time) == ETIMEDOUT);
    CHECK(has_passed(start_s, 2.));
    CHECK(pthread_mutex_lock(&mutex) == 0);
    CHECK(has_passed(start_s, 3.));
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, hold_rwlock, NULL);
    sleep(1);
    start_s = clock_s(CLOCK_MONOTONIC);
    CHECK(pthread_rwlock_rdlock(&rwlock) == 0);
    CHECK(has_passed(start_s, 2.));
    pthread_rwlock_unlock(&rwlock);
    pthread_join(thread, NULL);
}

// Kinds of mutexes keep their rules
static void
check_kinds_of_mutexes(void)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutex_t special;
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&special, &attributes);
    CHECK(pthread_mutex_lock(&special) == 0);
    CHECK(pthread_mutex_lock(&special) == 0);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&special, &attributes);
    CHECK(pthread_mutex_lock(&special) == 0);
    CHECK(pthread_mutex_lock(&special) == EDEADLK);
}

// Sleep in a destructor, which is still a part of the thread
static void
sleep_in_destructor(void *unused)
{
    (void)unused;
    sleep(2);
}

// Ends the thread inside another function
static void *
exit_thread(void *data)
{
    pthread_setspecific(key, data);
    pthread_exit(data);
}

// A thread's end is seen after its last destructor
static void
check_ends_of_threads(void)
{
    pthread_key_create(&key, sleep_in_destructor);
    pthread_t thread;
    void *result;
    double start_s = clock_s(CLOCK_MONOTONIC);
    pthread_create(&thread, NULL, exit_thread, &key);
    CHECK(pthread_join(thread, &result) == 0);
    CHECK(result == &key);
    CHECK(has_passed(start_s, 2.));
    // Far more threads than may be alive at once
    for (int i = 0; i < 3000; i++) {
        CHECK(pthread_create(&thread, NULL, hold_mutex, NULL) == 0);
        if (i % 2)
            pthread_detach(thread);
        else
            pthread_join(thread, NULL);
    }
}

// Write to an eventfd later
static void *
write_event(void *unused)
{
    uint64_t one = 1;
    sleep(4);
    CHECK(write(event_fd, &one, sizeof(one)) == sizeof(one));
    return unused;
}

// An eventfd wakes readers and pollers, also through epoll
static void
check_eventfd(void)
{
    event_fd = eventfd(0, 0);
    int epoll_fd = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN, .data.fd = event_fd };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, event_fd, &event);
    pthread_t thread;
    double start_s = clock_s(CLOCK_MONOTONIC);
    pthread_create(&thread, NULL, write_event, NULL);
    CHECK(epoll_wait(epoll_fd, &event, 1, -1) == 1);
    CHECK(event.data.fd == event_fd);
    uint64_t count;
    CHECK(read(event_fd, &count, sizeof(count)) == sizeof(count));
    CHECK(has_passed(start_s, 4.));
    pthread_join(thread, NULL);
    CHECK(epoll_wait(epoll_fd, &event, 1, 1000) == 0);
    CHECK(has_passed(start_s, 5.));
}

int
main(void)
{
    check_timed_waits();
    check_locks();
    check_kinds_of_mutexes();
    check_ends_of_threads();
    check_eventfd();
    return 0;
}
