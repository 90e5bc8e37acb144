// Motors, endstops and the bed in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "description.h" // description_mcu
#include "simulation_internal.h" // struct simulation

#define LENGTH_MM_MAX 1e6

static double
read_length(struct words *words, const char *key)
{
    return words_number(words, key, -LENGTH_MM_MAX, LENGTH_MM_MAX);
}

static double
read_length_or_zero(struct words *words, const char *key)
{
    return words_number_or(words, key, -LENGTH_MM_MAX, LENGTH_MM_MAX, 0.0);
}

void
read_kinematics(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "kind");
    sim->mechanics.is_corexy = !strcmp(name, "corexy");
    if (!sim->mechanics.is_corexy && strcmp(name, "cartesian"))
        words_fail(words, "unknown kinematics '%s'", name);
    sim->mechanics.start_x_mm = read_length(words, "start_x");
    sim->mechanics.start_y_mm = read_length(words, "start_y");
}

void
read_stepper(struct simulation *sim, struct words *words, int line)
{
    static const char *const roles[] = { "a", "b", "x", "y", "z" };
    struct mechanics *mechanics = &sim->mechanics;
    const char *name = words_item(words, 1, "name");
    for (size_t i = 0; i < mechanics->motor_count; i++)
        if (!strcmp(mechanics->motors[i].name, name))
            words_fail(words, "stepper '%s' is there twice", name);
    struct motor *motor = array_grow(
        &mechanics->motors, &mechanics->motor_count, sizeof(*motor));
    motor->name = copy_string(name);
    motor->line = line;
    motor->mcu = description_mcu(sim, words, words_text(words, "mcu"));
    motor->step_pin = (uint8_t)words_integer(words, "step_pin", 0, 255);
    motor->dir_pin = (uint8_t)words_integer(words, "dir_pin", 0, 255);
    motor->invert_dir = (uint8_t)words_integer_or(words, "invert_dir"
                                                  , 0, 1, 0);
    motor->step_dist_mm = words_number(words, "step_dist", 1e-9
                                       , LENGTH_MM_MAX);
    motor->role = (enum role)words_choice(words, "role", roles, ROLE_COUNT);
    if (motor->role == ROLE_Z) {
        motor->start_mm = read_length(words, "start");
        motor->x_mm = read_length(words, "x");
        motor->y_mm = read_length(words, "y");
    } else {
        motor->start_mm = read_length_or_zero(words, "start");
        motor->x_mm = read_length_or_zero(words, "x");
        motor->y_mm = read_length_or_zero(words, "y");
    }
}

void
read_endstop(struct simulation *sim, struct words *words, int line)
{
    static const char *const kinds[] = { "carriage", "probe" };
    static const char *const axes[] = { "x", "y", "z" };
    static const char *const sides[] = { "min", "max" };
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    uint8_t pin = (uint8_t)words_integer(words, "pin", 0, 255);
    if (mechanics_find_sensor(sim, mcu, pin))
        words_fail(words, "there are two endstops on pin %d", pin);
    size_t index = sim->mechanics.sensor_count;
    struct sensor *sensor = array_grow(
        &sim->mechanics.sensors, &sim->mechanics.sensor_count
        , sizeof(*sensor));
    sensor->mcu = mcu;
    sensor->pin = pin;
    sensor->forced = FORCE_NONE;
    sensor->invert = (uint8_t)words_integer_or(words, "invert", 0, 1, 0);
    sensor->kind = (enum sensor_kind)words_choice(words, "kind", kinds, 2);
    random_init(&sensor->random, sim->seed, UINT32_MAX + (uint64_t)index);
    if (sensor->kind == SENSOR_CARRIAGE) {
        sensor->axis = (enum axis)words_choice(words, "axis", axes, 3);
        sensor->at_mm = read_length(words, "at");
        sensor->is_at_max = words_choice(words, "side", sides, 2);
        return;
    }
    sensor->offset_x_mm = read_length(words, "offset_x");
    sensor->offset_y_mm = read_length(words, "offset_y");
    sensor->trigger_height_mm = read_length(words, "trigger_height");
    sensor->noise_mm = words_number_or(words, "noise_um", 0.0, 1e6, 0.0)
        / 1000.0;
}

void
read_bed(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mechanics *mechanics = &sim->mechanics;
    mechanics->tilt_x = words_number_or(words, "tilt_x", -10.0, 10.0, 0.0);
    mechanics->tilt_y = words_number_or(words, "tilt_y", -10.0, 10.0, 0.0);
    mechanics->bow_mm = read_length_or_zero(words, "bow_mm");
    mechanics->center_x_mm = read_length_or_zero(words, "center_x");
    mechanics->center_y_mm = read_length_or_zero(words, "center_y");
    mechanics->radius_mm = words_number_or(words, "radius", 1e-3
                                           , LENGTH_MM_MAX, 100.0);
}
