// Sensors that turn a temperature into a voltage
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // fmin
#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/memory.h" // allocate
#include "thermal.h" // struct temperature_sensor

double
sensor_temperature_c(struct temperature_sensor *sensor)
{
    return body_temperature_c(sensor->body) + sensor->offset_c;
}

static double
sensor_ratio(struct analog_source *source)
{
    struct temperature_sensor *sensor =
        container_of(source, struct temperature_sensor, analog);
    // With a broken wire the pull-up is alone
    if (sensor->state != SENSOR_WORKS)
        return sensor->state == SENSOR_OPEN ? 1.0 : 0.0;
    double place =
        (sensor_temperature_c(sensor) - sensor->lowest_c) / sensor->step_c;
    place = fmax(0.0, fmin(place, (double)(sensor->ratio_count - 1)));
    size_t below = (size_t)fmin(place, (double)(sensor->ratio_count - 2));
    const double *ratio = &sensor->ratios[below];
    return ratio[0] + (place - (double)below) * (ratio[1] - ratio[0]);
}

static int
one_wire_read(struct one_wire_sensor *one_wire, double *temperature_c)
{
    struct temperature_sensor *sensor =
        container_of(one_wire, struct temperature_sensor, one_wire);
    *temperature_c = sensor_temperature_c(sensor);
    return sensor->state == SENSOR_WORKS ? 0 : -1;
}

struct temperature_sensor *
thermal_find_sensor(const struct thermal *thermal, const char *name)
{
    struct temperature_sensor *sensor = thermal->sensors;
    while (sensor && strcmp(sensor->name, name))
        sensor = sensor->next;
    return sensor;
}

struct temperature_sensor *
thermal_add_sensor(struct thermal *thermal, const char *name, struct body *body)
{
    struct temperature_sensor *sensor = allocate(1, sizeof(*sensor));
    sensor->name = copy_string(name);
    sensor->body = body;
    sensor->analog.ratio = sensor_ratio;
    sensor->one_wire.read = one_wire_read;
    sensor->next = thermal->sensors;
    return thermal->sensors = sensor;
}

void
sensor_free(struct temperature_sensor *sensor)
{
    free(sensor->ratios);
    free(sensor->one_wire.serial);
    free(sensor->chip);
    free(sensor->name);
    free(sensor);
}
