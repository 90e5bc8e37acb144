// Motors, endstops and the bed in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // cos
#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/memory.h" // copy_string
#include "../firmware/mcu.h" // struct mcu
#include "../mechanics/binding.h" // binding_start
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

#define LENGTH_MM_MAX 1e6
#define FACTOR_MAX 1e3

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
read_carriage(struct simulation *sim, struct words *words, int line)
{
    static const char *const axes[] = { "x", "y", "z", "joint" };
    struct mechanics *mechanics = &sim->mechanics;
    const char *name = words_item(words, 1, "name");
    if (mechanics_find_carriage(mechanics, name) >= 0)
        words_fail(words, "carriage '%s' is there twice", name);
    if (mechanics->carriage_count == CARRIAGES_MAX) {
        words_fail(words, "there are more than %d carriages", CARRIAGES_MAX);
        return;
    }
    struct carriage *carriage =
        &mechanics->carriages[mechanics->carriage_count++];
    carriage->name = copy_string(name);
    carriage->line = line;
    carriage->axis = (enum axis)words_choice(words, "axis", axes, 4);
    carriage->start_mm = read_length(words, "start");
    if (carriage->axis == AXIS_Z) {
        carriage->x_mm = read_length(words, "x");
        carriage->y_mm = read_length(words, "y");
    } else if (carriage->axis != AXIS_JOINT) {
        carriage->has_toolhead =
            (int)words_integer_or(words, "toolhead", 0, 1, 1);
    }
}

// Find the carriage that a name belongs to
static size_t
find_carriage(struct simulation *sim, struct words *words, const char *name)
{
    int index = mechanics_find_carriage(&sim->mechanics, name);
    if (index < 0)
        words_fail(words, "unknown carriage '%s'", name);
    return index < 0 ? 0 : (size_t)index;
}

// Read what a motor moves: NAME:FACTOR,NAME:FACTOR...
static void
read_moves(struct simulation *sim, struct words *words, struct motor *motor)
{
    const char *given = words_find(words, "moves");
    char *text = copy_string(given ? given : ""), *rest, *colon;
    for (char *part = strtok_r(text, ",", &rest); part;
         part = strtok_r(NULL, ",", &rest)) {
        colon = strchr(part, ':');
        if (!colon) {
            words_fail(words, "moves has no factor: '%s'", part);
            break;
        }
        *colon = 0;
        motor->moves[find_carriage(sim, words, part)] = words_parse_number(
            words, "moves", colon + 1, -FACTOR_MAX, FACTOR_MAX);
    }
    free(text);
}

void
read_stepper(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mechanics *mechanics = &sim->mechanics;
    const char *name = words_item(words, 1, "name");
    for (size_t i = 0; i < mechanics->motor_count; i++)
        if (!strcmp(mechanics->motors[i].name, name))
            words_fail(words, "stepper '%s' is there twice", name);
    struct motor *motor =
        array_grow(&mechanics->motors, &mechanics->motor_count, sizeof(*motor));
    motor->name = copy_string(name);
    motor->mcu = description_mcu(sim, words, words_text(words, "mcu"));
    motor->step_pin = (uint8_t)words_integer(words, "step_pin", 0, 255);
    motor->dir_pin = (uint8_t)words_integer(words, "dir_pin", 0, 255);
    motor->invert_dir = (uint8_t)words_integer_or(words, "invert_dir", 0, 1, 0);
    motor->mechanics = mechanics;
    motor->microsteps =
        (uint32_t)words_integer_or(words, "microsteps", 1, 65536, 16);
    motor->step_dist_mm = words_number(words, "step_dist", 1e-9, LENGTH_MM_MAX);
    motor->start_mm = read_length_or_zero(words, "start");
    read_moves(sim, words, motor);
}

void
read_rod(struct simulation *sim, struct words *words, int line)
{
    static const char *const kinds[] = { "tower", "crank", "rope" };
    struct linkage *linkage = &sim->mechanics.linkage;
    if (linkage->rod_count == CARRIAGES_MAX) {
        words_fail(words, "there are more than %d rods", CARRIAGES_MAX);
        return;
    }
    linkage->kind = LINKAGE_RODS;
    struct rod *rod =
        array_grow(&linkage->rods, &linkage->rod_count, sizeof(*rod));
    rod->line = line;
    rod->kind = (enum rod_kind)words_choice(words, "kind", kinds, 3);
    rod->joint = find_carriage(sim, words, words_text(words, "joint"));
    rod->x_mm = read_length(words, "x");
    rod->y_mm = read_length_or_zero(words, "y");
    rod->z_mm = read_length_or_zero(words, "z");
    if (rod->kind != ROD_ROPE)
        rod->length_mm = words_number(words, "length", 1e-3, LENGTH_MM_MAX);
    if (rod->kind == ROD_CRANK) {
        double direction = words_number(words, "direction", -100.0, 100.0);
        rod->crank_mm = words_number(words, "crank", 1e-3, LENGTH_MM_MAX);
        rod->cos_direction = cos(direction);
        rod->sin_direction = sin(direction);
    }
}

void
read_polar(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct linkage *linkage = &sim->mechanics.linkage;
    linkage->kind = LINKAGE_POLAR;
    linkage->bed = find_carriage(sim, words, words_text(words, "bed"));
    linkage->arm = find_carriage(sim, words, words_text(words, "arm"));
}

void
read_stop(struct simulation *sim, struct words *words, int line)
{
    static const char *const sides[] = { "min", "max" };
    (void)line;
    struct stop *stop = array_grow(&sim->mechanics.stops,
                                   &sim->mechanics.stop_count, sizeof(*stop));
    stop->carriage = find_carriage(sim, words, words_text(words, "carriage"));
    stop->at_mm = read_length(words, "at");
    stop->is_at_max = words_choice(words, "side", sides, 2);
}

// Index of the sensor that a wire leads to, which is there already
static size_t
find_source(struct simulation *sim, struct words *words, size_t wire)
{
    struct mcu *mcu =
        description_mcu(sim, words, words_text(words, "source_mcu"));
    uint32_t pin = (uint32_t)words_integer(words, "source_pin", 0, 255);
    struct sensor *source = mechanics_find_sensor(&sim->mechanics, mcu, pin);
    size_t index = source ? (size_t)(source - sim->mechanics.sensors) : wire;
    if (index == wire || source->kind == SENSOR_WIRE) {
        words_fail(words, "there is no signal on the source pin");
        return wire;
    }
    return index;
}

// Index of the stepper whose position a switch feels, which is there already
static size_t
find_motor(struct simulation *sim, struct words *words)
{
    const char *name = words_text(words, "stepper");
    struct motor *motor = mechanics_find_motor_by_name(&sim->mechanics, name);
    if (!motor)
        words_fail(words, "unknown stepper '%s'", name);
    return motor ? (size_t)(motor - sim->mechanics.motors) : 0;
}

static void
read_bltouch(struct simulation *sim, struct words *words,
             struct bltouch *bltouch)
{
    bltouch->control_mcu =
        description_mcu(sim, words, words_text(words, "control_mcu"));
    bltouch->control_pin = (uint8_t)words_integer(words, "control_pin", 0, 255);
    bltouch->control_invert =
        (uint8_t)words_integer_or(words, "control_invert", 0, 1, 0);
    if (!words->error[0])
        bltouch->control_mcu->pins[bltouch->control_pin].needs_edges = 1;
}

static struct dock *
read_dock(struct simulation *sim, struct words *words)
{
    if (!words_find(words, "dock_x"))
        return NULL;
    struct dock *dock = allocate(1, sizeof(*dock));
    dock->mechanics = &sim->mechanics;
    dock->timeline = &sim->timeline;
    dock->x_mm = read_length(words, "dock_x");
    dock->y_mm = read_length(words, "dock_y");
    dock->detach_x_mm = read_length(words, "detach_x");
    dock->detach_y_mm = read_length(words, "detach_y");
    dock_watch(dock);
    return dock;
}

void
read_endstop(struct simulation *sim, struct words *words, int line)
{
    static const char *const kinds[] = {
        "carriage", "nozzle", "probe", "bltouch", "wire", "stepper",
    };
    static const char *const sides[] = { "min", "max" };
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    uint8_t pin = (uint8_t)words_integer(words, "pin", 0, 255);
    if (mechanics_find_sensor(&sim->mechanics, mcu, pin))
        words_fail(words, "there are two endstops on pin %d", pin);
    size_t index = sim->mechanics.sensor_count;
    struct sensor *sensor = array_grow(
        &sim->mechanics.sensors, &sim->mechanics.sensor_count, sizeof(*sensor));
    sensor->mcu = mcu;
    sensor->pin = pin;
    sensor->forced = FORCE_NONE;
    sensor->invert = (uint8_t)words_integer_or(words, "invert", 0, 1, 0);
    sensor->kind = (enum sensor_kind)words_choice(words, "kind", kinds, 6);
    random_init(&sensor->random, sim->timeline.seed,
                UINT32_MAX + (uint64_t)index);
    if (sensor->kind == SENSOR_WIRE) {
        sensor->source = find_source(sim, words, index);
        return;
    }
    if (sensor->kind == SENSOR_CARRIAGE || sensor->kind == SENSOR_NOZZLE
        || sensor->kind == SENSOR_MOTOR) {
        if (sensor->kind == SENSOR_CARRIAGE)
            sensor->carriage =
                find_carriage(sim, words, words_text(words, "carriage"));
        else if (sensor->kind == SENSOR_MOTOR)
            sensor->motor = find_motor(sim, words);
        sensor->at_mm = read_length(words, "at");
        sensor->is_at_max = words_choice(words, "side", sides, 2);
        return;
    }
    sensor->offset_x_mm = read_length(words, "offset_x");
    sensor->offset_y_mm = read_length(words, "offset_y");
    sensor->trigger_height_mm = read_length(words, "trigger_height");
    sensor->noise_mm =
        words_number_or(words, "noise_um", 0.0, 1e6, 0.0) / 1000.0;
    if (sensor->kind == SENSOR_BLTOUCH)
        read_bltouch(sim, words, &sensor->bltouch);
    else
        sensor->dock = read_dock(sim, words);
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
    mechanics->radius_mm =
        words_number_or(words, "radius", 1e-3, LENGTH_MM_MAX, 100.0);
}

void
read_binding(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    double stiffness_n_per_mm = words_number(words, "stiffness", 0.0, 1e9);
    double holding_n = words_number(words, "holding", 0.0, 1e9);
    if (!words->error[0] && !sim->binding)
        sim->binding = binding_start(&sim->mechanics, &sim->timeline,
                                     stiffness_n_per_mm, holding_n);
}
