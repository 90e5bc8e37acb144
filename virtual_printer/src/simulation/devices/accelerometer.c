// What all acceleration sensors have in common: a clock, three axes, a FIFO
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/memory.h" // allocate
#include "../mechanics/mechanics.h" // AXIS_Z
#include "accelerometer.h" // struct accelerometer

#define FREEFALL_MM_S2 9806.65
// Vibrations are followed at this rate at least
#define STEP_RATE_HZ_MIN 1600.0
// Nobody looks at a sensor that has lost so many samples in a row
#define LOST_COUNT_MAX 4000


/****************************************************************
 * Measuring
 ****************************************************************/

static int16_t
quantize(const struct accelerometer *sensor, int axis, double value_g)
{
    double units = value_g * sensor->units_per_g[axis];
    if (units > sensor->units_max)
        units = sensor->units_max;
    if (units < -sensor->units_max - 1)
        units = -sensor->units_max - 1;
    return (int16_t)(units < 0.0 ? units - 0.5 : units + 0.5);
}

static void
store_sample(struct accelerometer *sensor, const int16_t *sample)
{
    if (sensor->count == sensor->capacity) {
        sensor->is_overrun = 1;
        sensor->lost_count++;
        if (!sensor->is_stream)
            return;
        sensor->first = (sensor->first + 1) % FIFO_SAMPLES_MAX;
        sensor->count--;
    }
    size_t place = (sensor->first + sensor->count++) % FIFO_SAMPLES_MAX;
    memcpy(sensor->samples[place], sample, sizeof(sensor->samples[place]));
}

// What rests feels that it is held up
static void
take_sample(struct accelerometer *sensor)
{
    int16_t sample[3];
    for (int i = 0; i < 3; i++) {
        const struct mounting *mounting = &sensor->mountings[i];
        double value_g = sensor->noise_g * random_normal(&sensor->random);
        if (mounting->axis >= 0) {
            double accel_g =
                vibration_acceleration(&sensor->vibration, mounting->axis)
                / FREEFALL_MM_S2;
            if (mounting->axis == AXIS_Z)
                accel_g += 1.0;
            value_g += mounting->direction * accel_g;
        }
        sample[i] = quantize(sensor, i, value_g);
    }
    store_sample(sensor, sample);
}

static void
schedule_step(struct accelerometer *sensor)
{
    double due_ns = sensor->period_ns * (double)(sensor->step_count + 1);
    event_schedule(&sensor->timeline->events, &sensor->event,
                   sensor->start_ns + (int64_t)due_ns);
}

static void
step_event(struct event *event)
{
    struct accelerometer *sensor =
        container_of(event, struct accelerometer, event);
    vibration_step(&sensor->vibration);
    if (++sensor->step_count % sensor->steps_per_sample == 0)
        take_sample(sensor);
    if (sensor->lost_count <= LOST_COUNT_MAX)
        schedule_step(sensor);
}

static void
start_steps(struct accelerometer *sensor)
{
    sensor->lost_count = 0;
    sensor->step_count = 0;
    sensor->start_ns = sensor->timeline->now_ns;
    vibration_begin(&sensor->vibration, sensor->mechanics,
                    sensor->period_ns / NS_PER_S);
    schedule_step(sensor);
}

void
accelerometer_measure(struct accelerometer *sensor, double rate_hz,
                      size_t capacity, int is_stream)
{
    event_cancel(&sensor->timeline->events, &sensor->event);
    accelerometer_clear(sensor);
    sensor->is_running = rate_hz > 0.0;
    sensor->capacity = capacity;
    sensor->is_stream = is_stream;
    if (!sensor->is_running)
        return;
    sensor->steps_per_sample = 1;
    while (rate_hz * sensor->steps_per_sample < STEP_RATE_HZ_MIN)
        sensor->steps_per_sample++;
    sensor->period_ns =
        NS_PER_S / (rate_hz * sensor->rate_factor * sensor->steps_per_sample);
    start_steps(sensor);
}


/****************************************************************
 * Reading
 ****************************************************************/

size_t
accelerometer_count(struct accelerometer *sensor)
{
    if (sensor->is_running && !sensor->event.slot)
        // It was left alone, so nobody can know what it did
        start_steps(sensor);
    sensor->lost_count = 0;
    return sensor->count;
}

int
accelerometer_take(struct accelerometer *sensor, int16_t *sample)
{
    if (!accelerometer_count(sensor))
        return -1;
    memcpy(sample, sensor->samples[sensor->first],
           sizeof(sensor->samples[sensor->first]));
    sensor->first = (sensor->first + 1) % FIFO_SAMPLES_MAX;
    sensor->count--;
    return 0;
}

void
accelerometer_clear(struct accelerometer *sensor)
{
    sensor->first = sensor->count = 0;
    sensor->is_overrun = 0;
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static const struct {
    const char *name;
    struct accelerometer *(*create)(void);
} kinds[] = {
    { "adxl345",  adxl345_create  },
    { "lis2dw",   lis2dw_create   },
    { "lis3dh",   lis3dh_create   },
    { "mpu9250",  mpu9250_create  },
    { "icm20948", icm20948_create },
    { "bmi160",   bmi160_create   },
};

struct accelerometer *
accelerometer_create(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].name, kind))
            return kinds[i].create();
    return NULL;
}

void
accelerometer_connect(struct accelerometer *sensor, struct timeline *timeline,
                      struct mechanics *mechanics)
{
    sensor->timeline = timeline;
    sensor->mechanics = mechanics;
    sensor->event.run = step_event;
}

void
accelerometer_free(struct accelerometer *sensor)
{
    free(sensor);
}
