// The printer: motors, gantry, bed, endstops and probe
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // memset
#include "mcu.h" // mcu_clock_now
#include "objects.h" // stepper_advance
#include "simulation_internal.h" // struct simulation


/****************************************************************
 * Gantry: its height is a weighted sum of its motors' heights
 ****************************************************************/

static const char *
weigh_line(struct motor **motors)
{
    double dx = motors[1]->x_mm - motors[0]->x_mm;
    double dy = motors[1]->y_mm - motors[0]->y_mm;
    double square = dx * dx + dy * dy;
    if (square <= 0.0)
        return "two z steppers lift the gantry at the same place";
    double *first = motors[0]->weights, *second = motors[1]->weights;
    second[0] = -(motors[0]->x_mm * dx + motors[0]->y_mm * dy) / square;
    second[1] = dx / square;
    second[2] = dy / square;
    first[0] = 1.0 - second[0];
    first[1] = -second[1];
    first[2] = -second[2];
    return NULL;
}

static const char *
weigh_plane(struct motor **motors)
{
    for (int i = 0; i < 3; i++) {
        const struct motor *next = motors[(i + 1) % 3];
        const struct motor *last = motors[(i + 2) % 3];
        double edge_x = last->x_mm - next->x_mm;
        double edge_y = last->y_mm - next->y_mm;
        // Twice the area of the triangle, with its sign
        double area = edge_x * (motors[i]->y_mm - next->y_mm)
            - edge_y * (motors[i]->x_mm - next->x_mm);
        if (area == 0.0)
            return "three z steppers lift the gantry in one line";
        double *weights = motors[i]->weights;
        weights[0] = (edge_y * next->x_mm - edge_x * next->y_mm) / area;
        weights[1] = -edge_y / area;
        weights[2] = edge_x / area;
    }
    return NULL;
}

// Store the factors a, b of a + b*value that is 1 at here and 0 at there
static void
ramp(double here, double there, double *a, double *b)
{
    *b = 1.0 / (here - there);
    *a = -there * *b;
}

static const char *
weigh_rectangle(struct motor **motors)
{
    for (int i = 0; i < GANTRY_MOTORS_MAX; i++) {
        struct motor *motor = motors[i];
        const struct motor *across_x = NULL, *across_y = NULL;
        for (int j = 0; j < GANTRY_MOTORS_MAX; j++) {
            int is_same_x = motors[j]->x_mm == motor->x_mm;
            int is_same_y = motors[j]->y_mm == motor->y_mm;
            if (is_same_y && !is_same_x)
                across_x = motors[j];
            if (is_same_x && !is_same_y)
                across_y = motors[j];
        }
        if (!across_x || !across_y)
            return "four z steppers must lift the corners of a rectangle"
                " along x and y";
        double x0, x1, y0, y1;
        ramp(motor->x_mm, across_x->x_mm, &x0, &x1);
        ramp(motor->y_mm, across_y->y_mm, &y0, &y1);
        motor->weights[0] = x0 * y0;
        motor->weights[1] = x1 * y0;
        motor->weights[2] = x0 * y1;
        motor->weights[3] = x1 * y1;
    }
    return NULL;
}

static const char *
weigh_gantry(struct mechanics *mechanics)
{
    struct motor **motors = mechanics->by_role[ROLE_Z];
    switch (mechanics->role_count[ROLE_Z]) {
    case 0: return NULL;
    case 1: motors[0]->weights[0] = 1.0; return NULL;
    case 2: return weigh_line(motors);
    case 3: return weigh_plane(motors);
    case 4: return weigh_rectangle(motors);
    default: return "more than four z steppers";
    }
}

static double
motor_weight(const struct motor *motor, double x_mm, double y_mm)
{
    const double *weights = motor->weights;
    return weights[0] + weights[1] * x_mm
        + (weights[2] + weights[3] * x_mm) * y_mm;
}


/****************************************************************
 * Set-up
 ****************************************************************/

const char *
mechanics_prepare(struct mechanics *mechanics, int *line)
{
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        *line = motor->line;
        int is_belt = motor->role == ROLE_A || motor->role == ROLE_B;
        if (motor->role != ROLE_Z && is_belt != mechanics->is_corexy)
            return mechanics->is_corexy ? "corexy has roles a, b and z"
                : "cartesian has roles x, y and z";
        struct motor **place = array_grow(
            &mechanics->by_role[motor->role]
            , &mechanics->role_count[motor->role], sizeof(*place));
        *place = motor;
    }
    return weigh_gantry(mechanics);
}

void
mechanics_release(struct mechanics *mechanics)
{
    for (size_t i = 0; i < mechanics->motor_count; i++)
        free(mechanics->motors[i].name);
    free(mechanics->motors);
    free(mechanics->sensors);
    for (int i = 0; i < ROLE_COUNT; i++)
        free(mechanics->by_role[i]);
}

struct motor *
mechanics_find_motor(struct simulation *sim, const struct mcu *mcu
                     , uint32_t step_pin, uint32_t dir_pin)
{
    for (size_t i = 0; i < sim->mechanics.motor_count; i++) {
        struct motor *motor = &sim->mechanics.motors[i];
        if (motor->mcu == mcu && motor->step_pin == step_pin
            && motor->dir_pin == dir_pin)
            return motor;
    }
    return NULL;
}

struct sensor *
mechanics_find_sensor(struct simulation *sim, const struct mcu *mcu
                      , uint32_t pin)
{
    for (size_t i = 0; i < sim->mechanics.sensor_count; i++) {
        struct sensor *sensor = &sim->mechanics.sensors[i];
        if (sensor->mcu == mcu && sensor->pin == pin)
            return sensor;
    }
    return NULL;
}


/****************************************************************
 * Positions
 ****************************************************************/

// How far a motor has come, after all pulses up to now
static double
motor_travel_mm(struct motor *motor)
{
    if (motor->driver && motor->driver->count)
        stepper_advance(motor->driver, mcu_clock_now(motor->mcu));
    return motor->step_dist_mm * (double)motor->pulses;
}

double
motor_position_mm(struct motor *motor)
{
    return motor->start_mm + motor_travel_mm(motor);
}

// Several motors of one role pull together: the mean counts
static double
role_travel_mm(struct mechanics *mechanics, enum role role)
{
    double sum_mm = 0.0;
    size_t count = mechanics->role_count[role];
    for (size_t i = 0; i < count; i++)
        sum_mm += motor_travel_mm(mechanics->by_role[role][i]);
    return count ? sum_mm / (double)count : 0.0;
}

void
mechanics_carriage(struct simulation *sim, double *x_mm, double *y_mm)
{
    struct mechanics *mechanics = &sim->mechanics;
    *x_mm = mechanics->start_x_mm;
    *y_mm = mechanics->start_y_mm;
    if (mechanics->is_corexy) {
        double a_mm = role_travel_mm(mechanics, ROLE_A);
        double b_mm = role_travel_mm(mechanics, ROLE_B);
        *x_mm += 0.5 * (a_mm + b_mm);
        *y_mm += 0.5 * (a_mm - b_mm);
    } else {
        *x_mm += role_travel_mm(mechanics, ROLE_X);
        *y_mm += role_travel_mm(mechanics, ROLE_Y);
    }
}

static double
bed_height_mm(const struct mechanics *mechanics, double x_mm, double y_mm)
{
    double dx = x_mm - mechanics->center_x_mm;
    double dy = y_mm - mechanics->center_y_mm;
    double square = mechanics->radius_mm * mechanics->radius_mm;
    return mechanics->tilt_x * dx + mechanics->tilt_y * dy
        + mechanics->bow_mm * (dx * dx + dy * dy) / square;
}

static double
gantry_height_mm(struct mechanics *mechanics, const double *weights)
{
    double height_mm = 0.0;
    for (size_t i = 0; i < mechanics->role_count[ROLE_Z]; i++) {
        struct motor *motor = mechanics->by_role[ROLE_Z][i];
        height_mm += weights[i] * (motor->start_mm + motor_travel_mm(motor));
    }
    return height_mm;
}

static void
gantry_weights(const struct mechanics *mechanics, double x_mm, double y_mm
               , double *weights)
{
    for (size_t i = 0; i < mechanics->role_count[ROLE_Z]; i++)
        weights[i] = motor_weight(mechanics->by_role[ROLE_Z][i], x_mm, y_mm);
}

double
mechanics_nozzle_height_mm(struct simulation *sim, double x_mm, double y_mm)
{
    double weights[GANTRY_MOTORS_MAX];
    gantry_weights(&sim->mechanics, x_mm, y_mm, weights);
    return gantry_height_mm(&sim->mechanics, weights)
        - bed_height_mm(&sim->mechanics, x_mm, y_mm);
}


/****************************************************************
 * Sensors
 ****************************************************************/

void
sensor_arm(struct sensor *sensor)
{
    sensor->current_noise_mm = sensor->noise_mm
        * random_normal(&sensor->random);
}

// Height above the bed at the sensor's place beside the nozzle
static double
sensor_height_mm(struct simulation *sim, struct sensor *sensor)
{
    double x_mm, y_mm;
    mechanics_carriage(sim, &x_mm, &y_mm);
    x_mm += sensor->offset_x_mm;
    y_mm += sensor->offset_y_mm;
    if (!sensor->is_cached || x_mm != sensor->cached_x_mm
        || y_mm != sensor->cached_y_mm) {
        sensor->is_cached = 1;
        sensor->cached_x_mm = x_mm;
        sensor->cached_y_mm = y_mm;
        sensor->cached_bed_mm = bed_height_mm(&sim->mechanics, x_mm, y_mm);
        gantry_weights(&sim->mechanics, x_mm, y_mm, sensor->cached_weights);
    }
    return gantry_height_mm(&sim->mechanics, sensor->cached_weights)
        - sensor->cached_bed_mm;
}

static double
sensor_position_mm(struct simulation *sim, struct sensor *sensor)
{
    if (sensor->axis == AXIS_Z)
        return sensor_height_mm(sim, sensor);
    double x_mm, y_mm;
    mechanics_carriage(sim, &x_mm, &y_mm);
    return sensor->axis == AXIS_X ? x_mm : y_mm;
}

int
sensor_is_triggered(struct simulation *sim, struct sensor *sensor)
{
    if (sensor->forced != FORCE_NONE)
        return sensor->forced;
    if (sensor->kind == SENSOR_PROBE)
        return sensor_height_mm(sim, sensor)
            <= sensor->trigger_height_mm + sensor->current_noise_mm;
    double position_mm = sensor_position_mm(sim, sensor);
    return sensor->is_at_max ? position_mm >= sensor->at_mm
        : position_mm <= sensor->at_mm;
}
