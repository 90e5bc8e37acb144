// What is recorded of a simulation beside its messages: where everything truly
// is, how warm it is, and what endstops read, whenever that has changed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "recording.h" // recording_start
#include <math.h> // fabs
#include <stdlib.h> // free
#include "core/memory.h" // allocate
#include "core/recorder.h" // recorder_begin
#include "description/machine.h" // struct simulation
#include "firmware/mcu.h" // struct mcu

// Less than this has not changed
#define LEAST_K 0.01
#define NOT_KNOWN 1e300

struct recording {
    struct event event;
    struct simulation *sim;
    // What was recorded last
    double *positions_mm, *temperatures_c;
    int *readings;
    double x_mm, y_mm, height_mm;
};

static void
record_motors(struct recording *recording, int64_t now_ns)
{
    struct mechanics *mechanics = &recording->sim->mechanics;
    struct recorder *recorder = recording->sim->timeline.recorder;
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        double position_mm = motor_position_mm(&mechanics->motors[i]);
        if (position_mm == recording->positions_mm[i])
            continue;
        recording->positions_mm[i] = position_mm;
        recorder_begin(recorder, now_ns, "position", mechanics->motors[i].name,
                       "mm");
        recorder_put(recorder, "%.6f", position_mm);
        recorder_end(recorder);
    }
}

static void
record_toolhead(struct recording *recording, int64_t now_ns)
{
    struct mechanics *mechanics = &recording->sim->mechanics;
    struct recorder *recorder = recording->sim->timeline.recorder;
    double x_mm, y_mm;
    mechanics_toolhead(mechanics, &x_mm, &y_mm);
    double height_mm = mechanics_nozzle_height_mm(mechanics, x_mm, y_mm);
    if (x_mm == recording->x_mm && y_mm == recording->y_mm
        && height_mm == recording->height_mm)
        return;
    recording->x_mm = x_mm;
    recording->y_mm = y_mm;
    recording->height_mm = height_mm;
    recorder_begin(recorder, now_ns, "position", "toolhead", "mm");
    recorder_put(recorder, "%.6f %.6f %.6f", x_mm, y_mm, height_mm);
    recorder_end(recorder);
}

static void
record_endstops(struct recording *recording, int64_t now_ns)
{
    struct mechanics *mechanics = &recording->sim->mechanics;
    struct recorder *recorder = recording->sim->timeline.recorder;
    for (size_t i = 0; i < mechanics->sensor_count; i++) {
        struct sensor *sensor = &mechanics->sensors[i];
        int reading = sensor_is_triggered(mechanics, sensor);
        if (reading == recording->readings[i])
            continue;
        recording->readings[i] = reading;
        recorder_begin(recorder, now_ns, "endstop", sensor->mcu->name,
                       "triggered");
        recorder_put(recorder, "pin=%u %d", (unsigned int)sensor->pin, reading);
        recorder_end(recorder);
    }
}

static void
record_temperatures(struct recording *recording, int64_t now_ns)
{
    struct recorder *recorder = recording->sim->timeline.recorder;
    double *last_c = recording->temperatures_c;
    for (struct body *body = recording->sim->thermal.bodies; body;
         body = body->next, last_c++) {
        double temperature_c = body_temperature_c(body);
        if (fabs(temperature_c - *last_c) < LEAST_K)
            continue;
        *last_c = temperature_c;
        recorder_begin(recorder, now_ns, "temperature", body->name, "C");
        recorder_put(recorder, "%.3f", temperature_c);
        recorder_end(recorder);
    }
}

static void
look_event(struct event *event)
{
    struct recording *recording = container_of(event, struct recording, event);
    struct timeline *timeline = &recording->sim->timeline;
    if (!timeline->recorder)
        return;
    record_motors(recording, timeline->now_ns);
    record_toolhead(recording, timeline->now_ns);
    record_endstops(recording, timeline->now_ns);
    record_temperatures(recording, timeline->now_ns);
    event_schedule(&timeline->events, &recording->event,
                   timeline->now_ns + timeline->record_every_ns);
}

static double *
not_known(size_t count)
{
    double *values = allocate(count + 1, sizeof(*values));
    for (size_t i = 0; i < count; i++)
        values[i] = NOT_KNOWN;
    return values;
}

void
recording_start(struct simulation *sim)
{
    if (!sim->timeline.recorder)
        return;
    size_t body_count = 0;
    for (struct body *body = sim->thermal.bodies; body; body = body->next)
        body_count++;
    struct recording *recording = allocate(1, sizeof(*recording));
    recording->sim = sim;
    recording->event.run = look_event;
    recording->positions_mm = not_known(sim->mechanics.motor_count);
    recording->temperatures_c = not_known(body_count);
    recording->readings =
        allocate(sim->mechanics.sensor_count + 1, sizeof(int));
    for (size_t i = 0; i < sim->mechanics.sensor_count; i++)
        recording->readings[i] = -1;
    recording->x_mm = NOT_KNOWN;
    sim->recording = recording;
    event_schedule(&sim->timeline.events, &recording->event, 0);
}

void
recording_stop(struct simulation *sim)
{
    recorder_close(sim->timeline.recorder);
    sim->timeline.recorder = NULL;
    if (!sim->recording)
        return;
    event_cancel(&sim->timeline.events, &sim->recording->event);
    free(sim->recording->positions_mm);
    free(sim->recording->temperatures_c);
    free(sim->recording->readings);
    free(sim->recording);
    sim->recording = NULL;
}
