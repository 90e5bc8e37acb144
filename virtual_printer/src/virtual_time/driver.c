// The driver, a process outside which steers over the control socket
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_NS INT64_C(1000000000)

static int control_fd = -1;
static bool is_running, was_woken, is_waited_for;
static int64_t deadline_ns = NEVER_NS;
static char request[4096], reply[65536];
static size_t received;

// Take the number of the inherited descriptor, if there is a driver
void
driver_setup(const char *control_fd_text)
{
    if (control_fd_text == NULL)
        return;
    control_fd = atoi(control_fd_text);
    // A child process that outlives this one must not keep the driver waiting
    if (REAL(fcntl)(control_fd, F_SETFD, FD_CLOEXEC) < 0)
        report_bad_setup("control descriptor \"%s\" is not open",
                         control_fd_text);
    is_running = true;
}

// Is there a driver at all?
bool
driver_exists(void)
{
    return control_fd >= 0;
}

// Does the driver compute, so that time has to stand still?
bool
driver_is_running(void)
{
    return is_running;
}

// Does the process do nothing but wait for the driver? Also read by the
// watchdog's thread.
bool
driver_is_waited_for(void)
{
    return __atomic_load_n(&is_waited_for, __ATOMIC_RELAXED);
}

// Descriptor of the control socket, -1 without a driver
int
driver_descriptor(void)
{
    return control_fd;
}

// Until when the driver sleeps
int64_t
driver_deadline_ns(void)
{
    return deadline_ns;
}

// The process has said something to the driver on another socket
void
driver_mark_woken(void)
{
    was_woken = true;
}

// Write the hash over the schedule where the launcher wants it
void
driver_write_schedule(void)
{
    const char *path = getenv("VIRTUAL_PRINTER_SCHEDULE");
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL)
        return;
    fprintf(file, "%016" PRIx64 "\n", baton_schedule_hash());
    fclose(file);
}

// End the process, since nobody wants it any more
static void
end_process(void)
{
    driver_write_schedule();
    _exit(0);
}

// Send one line to the driver
static void
send_reply(void)
{
    size_t size = strlen(reply);
    reply[size++] = '\n';
    for (size_t sent = 0; sent < size;) {
        ssize_t ret =
            REAL(send)(control_fd, &reply[sent], size - sent, MSG_NOSIGNAL);
        if (ret < 0 && errno != EINTR)
            end_process();
        sent += ret > 0 ? ret : 0;
    }
}

// Send "ok", a word and the virtual time
static void
send_now(const char *word)
{
    int64_t now_ns = clock_now_ns();
    snprintf(reply, sizeof(reply) - 1, "ok %s%" PRId64 ".%09" PRId64, word,
             now_ns / SECOND_NS, now_ns % SECOND_NS);
    send_reply();
}

// Let the driver run
static void
wake_driver(const char *reason)
{
    deadline_ns = NEVER_NS;
    is_running = true;
    was_woken = false;
    send_now(reason);
}

// Wake the driver if there is a reason; called when no thread is ready
void
driver_come_to_rest(void)
{
    if (!driver_exists() || is_running)
        return;
    if (was_woken)
        wake_driver("api ");
    else if (clock_now_ns() >= deadline_ns)
        wake_driver("time ");
}

// Request "wait [UNTIL_S]": the driver sleeps, time may pass
static void
handle_wait(const char *until)
{
    char *end;
    double until_s = strtod(until, &end);
    if (*end != '\0' || isnan(until_s)) {
        snprintf(reply, sizeof(reply) - 1, "error no time: %s", until);
        send_reply();
        return;
    }
    deadline_ns = NEVER_NS;
    if (end != until && until_s < 4e9)
        deadline_ns = llrint(until_s * 1e9);
    is_running = false;
    waiting_repoll(false);
}

// Request "stall SECONDS": no thread of the process runs for that long
static void
handle_stall(const char *duration)
{
    char *end;
    double duration_s = strtod(duration, &end);
    snprintf(reply, sizeof(reply) - 1, "ok");
    if (*end == '\0' && end != duration && duration_s >= 0. && duration_s < 4e9)
        host_stall(llrint(duration_s * 1e9));
    else
        snprintf(reply, sizeof(reply) - 1, "error no duration: %s", duration);
    send_reply();
}

// Answer one request
static void
handle_request(const char *line)
{
    if (!strcmp(line, "now")) {
        send_now("");
    } else if (!strcmp(line, "wait")) {
        handle_wait("");
    } else if (!strncmp(line, "wait ", strlen("wait "))) {
        handle_wait(&line[strlen("wait ")]);
    } else if (!strncmp(line, "stall ", strlen("stall "))) {
        handle_stall(&line[strlen("stall ")]);
    } else if (!strcmp(line, "schedule")) {
        snprintf(reply, sizeof(reply) - 1, "ok %016" PRIx64 " %" PRIu64,
                 baton_schedule_hash(), baton_switches());
        send_reply();
    } else if (!strcmp(line, "cpu")) {
        snprintf(reply, sizeof(reply) - 1, "ok %" PRId64,
                 virtual_printer_cpu_ns());
        send_reply();
    } else {
        world_control(line, reply, sizeof(reply) - 1);
        send_reply();
    }
}

// Answer the first request in the buffer; false if none is complete
static bool
handle_received(void)
{
    char *end = memchr(request, '\n', received);
    if (end == NULL)
        return false;
    *end = '\0';
    handle_request(request);
    received -= end + 1 - request;
    memmove(request, end + 1, received);
    return true;
}

// Wait for real for one request of the driver and answer it
void
driver_serve(void)
{
    while (!handle_received()) {
        if (received == sizeof(request))
            end_process();
        __atomic_store_n(&is_waited_for, true, __ATOMIC_RELAXED);
        ssize_t ret = REAL(read)(control_fd, &request[received],
                                 sizeof(request) - received);
        __atomic_store_n(&is_waited_for, false, __ATOMIC_RELAXED);
        if (ret == 0 || (ret < 0 && errno != EINTR))
            end_process();
        received += ret > 0 ? ret : 0;
    }
}
