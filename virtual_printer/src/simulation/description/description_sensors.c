// Sensors on buses, and what they feel, in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/memory.h" // array_grow
#include "../devices/accelerometer.h" // struct accelerometer
#include "../devices/angle_sensor.h" // struct angle_sensor
#include "../devices/ldc1612.h" // struct ldc1612
#include "../devices/load_cell.h" // struct load_cell
#include "../firmware/cartographer.h" // cartographer_create
#include "../firmware/mcu.h" // struct mcu
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

// Apart from the streams of endstops
#define ACCELEROMETER_PURPOSE ((uint64_t)2 << 32)
#define LOAD_CELL_PURPOSE ((uint64_t)3 << 32)
#define COIL_PURPOSE ((uint64_t)4 << 32)
#define COUNTS_MAX 8388607.0

static const char *const axes[] = { "x", "y", "z" };

void
read_resonance(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    int axis = words_choice(words, "axis", axes, 3);
    struct resonance *resonance = &sim->mechanics.resonances[axis];
    resonance->frequency_hz = words_number(words, "frequency_hz", 1.0, 1000.0);
    resonance->damping = words_number(words, "damping", 0.0, 1.0);
}

// The axis of the printer along one of a chip: x, -x and so on, or none
static struct mounting
read_mounting(struct words *words, const char *key)
{
    struct mounting mounting = { -1, 1.0 };
    const char *text = words_text(words, key);
    if (*text == '-') {
        mounting.direction = -1.0;
        text++;
    }
    for (int i = 0; i < 3; i++)
        if (!strcmp(text, axes[i]))
            mounting.axis = i;
    if (mounting.axis < 0 && strcmp(text, "none"))
        words_fail(words, "%s is no axis: '%s'", key, text);
    return mounting;
}

void
description_connect(struct simulation *sim, struct words *words,
                    struct spi_device *spi, struct i2c_device *i2c)
{
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    if (spi && words_find(words, "select_pin")) {
        int64_t pin = words_integer(words, "select_pin", 0, PIN_COUNT - 1);
        if (mcu)
            mcu->pins[pin].selected = spi;
        return;
    }
    if (spi && words_find(words, "spi_bus")) {
        spi->bus = (uint32_t)words_integer(words, "spi_bus", 0, UINT32_MAX);
        spi->next = mcu ? mcu->spi_devices : NULL;
        if (mcu)
            mcu->spi_devices = spi;
        return;
    }
    if (!i2c) {
        words_fail(words, "select_pin is missing");
        return;
    }
    i2c->bus = (uint32_t)words_integer(words, "i2c_bus", 0, UINT32_MAX);
    i2c->address = (uint8_t)words_integer(words, "i2c_address", 0, 127);
    if (!mcu)
        return;
    i2c->next = mcu->i2c_devices;
    mcu->i2c_devices = i2c;
}

void
read_accelerometer(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *kind = words_text(words, "kind");
    struct accelerometer *sensor = accelerometer_create(kind);
    if (!sensor) {
        words_fail(words, "unknown kind of accelerometer '%s'", kind);
        return;
    }
    struct accelerometer **place = array_grow(
        &sim->accelerometers, &sim->accelerometer_count, sizeof(*place));
    *place = sensor;
    accelerometer_connect(sensor, &sim->timeline, &sim->mechanics);
    random_init(&sensor->random, sim->timeline.seed,
                ACCELEROMETER_PURPOSE + sim->accelerometer_count);
    sensor->mountings[0] = read_mounting(words, "chip_x");
    sensor->mountings[1] = read_mounting(words, "chip_y");
    sensor->mountings[2] = read_mounting(words, "chip_z");
    sensor->rate_factor = words_number(words, "rate_factor", 0.5, 2.0);
    sensor->noise_g =
        words_number_or(words, "noise_mg", 0.0, 1e4, sensor->noise_g * 1000.0)
        / 1000.0;
    description_connect(sim, words, &sensor->chip.spi, &sensor->chip.i2c);
}


/****************************************************************
 * Load cells
 ****************************************************************/

void
read_nozzle(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    sim->mechanics.stiffness_g_per_mm =
        words_number(words, "stiffness_g_per_mm", 0.0, 1e9);
}

// Connect a converter that is read by pins of its own
static void
connect_pins(struct simulation *sim, struct words *words,
             struct load_cell *cell)
{
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    cell->sensing.mcu = mcu;
    int64_t pin = words_integer(words, "ready_pin", 0, PIN_COUNT - 1);
    if (mcu)
        mcu->pins[pin].source = &cell->ready;
    if (cell->spi.transfer) {
        description_connect(sim, words, &cell->spi, NULL);
        return;
    }
    pin = words_integer(words, "clock_pin", 0, PIN_COUNT - 1);
    if (mcu)
        pin_load_connect(&mcu->pins[pin], &cell->clock_pin);
}

void
read_load_cell(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *kind = words_text(words, "kind");
    struct load_cell *cell = load_cell_create(kind);
    if (!cell) {
        words_fail(words, "unknown kind of load cell '%s'", kind);
        return;
    }
    struct load_cell **place =
        array_grow(&sim->load_cells, &sim->load_cell_count, sizeof(*place));
    *place = cell;
    cell->timeline = &sim->timeline;
    cell->mechanics = &sim->mechanics;
    random_init(&cell->random, sim->timeline.seed,
                LOAD_CELL_PURPOSE + sim->load_cell_count);
    cell->counts_per_g = words_number(words, "counts_per_g", -1e6, 1e6);
    cell->zero_counts =
        words_number(words, "zero_counts", -COUNTS_MAX, COUNTS_MAX);
    cell->noise_g = words_number(words, "noise_g", 0.0, 1e6);
    cell->rate_hz = words_number_or(words, "rate_hz", 1.0, 1e5, 80.0);
    cell->rate_factor = words_number(words, "rate_factor", 0.5, 2.0);
    connect_pins(sim, words, cell);
}


/****************************************************************
 * Coils
 ****************************************************************/

static void
read_coil_place(struct words *words, struct ldc1612 *ldc1612)
{
    ldc1612->place.offset_x_mm = words_number(words, "offset_x", -1e4, 1e4);
    ldc1612->place.offset_y_mm = words_number(words, "offset_y", -1e4, 1e4);
    ldc1612->coil_height_mm = words_number(words, "height", 0.0, 1e4);
}

static struct ldc1612 *
add_coil(struct simulation *sim, struct words *words)
{
    struct ldc1612 *ldc1612 = ldc1612_create();
    struct ldc1612 **place =
        array_grow(&sim->coils, &sim->coil_count, sizeof(*place));
    *place = ldc1612;
    ldc1612->timeline = &sim->timeline;
    ldc1612->mechanics = &sim->mechanics;
    random_init(&ldc1612->random, sim->timeline.seed,
                COIL_PURPOSE + sim->coil_count);
    ldc1612->sensing.mcu =
        description_mcu(sim, words, words_text(words, "mcu"));
    read_coil_place(words, ldc1612);
    ldc1612->coil_hz = words_number(words, "coil_hz", 1e3, 1e7);
    ldc1612->noise_hz = words_number(words, "noise_hz", 0.0, 1e6);
    ldc1612->clock_hz = words_number(words, "clock_hz", 1e6, 1e8);
    ldc1612->clock_factor = words_number(words, "clock_factor", 0.5, 2.0);
    return ldc1612;
}

void
read_coil(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct ldc1612 *ldc1612 = add_coil(sim, words);
    description_connect(sim, words, NULL, &ldc1612->i2c);
    if (!words_find(words, "interrupt_pin"))
        return;
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    int64_t pin = words_integer(words, "interrupt_pin", 0, PIN_COUNT - 1);
    if (mcu)
        mcu->pins[pin].source = &ldc1612->interrupt;
}

// A coil with an MCU of its own, which nothing else is on
void
read_cartographer(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct ldc1612 *ldc1612 = add_coil(sim, words);
    ldc1612->gain = words_number(words, "gain", 0.0, 10.0);
    ldc1612->range_mm = words_number(words, "range_mm", 1e-3, 1e3);
    ldc1612->drift_per_k = words_number(words, "drift_per_k", -0.01, 0.01);
    const char *name = words_text(words, "body");
    ldc1612->body = thermal_find_body(&sim->thermal, name);
    if (!ldc1612->body)
        words_fail(words, "unknown body '%s'", name);
    struct cartographer_wiring wiring = {
        .converter = &ldc1612->i2c,
        .ready = &ldc1612->interrupt,
        .thermistor_pin =
            (uint8_t)words_integer(words, "thermistor_pin", 0, PIN_COUNT - 1),
        .base_count =
            (uint32_t)words_integer(words, "base_count", 0, UINT32_MAX),
        .base_adc = (uint16_t)words_integer(words, "base_adc", 0, UINT16_MAX),
    };
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    if (!mcu || words->error[0])
        return;
    if (mcu->cartographer)
        words_fail(words, "mcu '%s' is a Cartographer already", mcu->name);
    else
        mcu->cartographer = cartographer_create(mcu, &wiring);
}


/****************************************************************
 * Angle sensors
 ****************************************************************/

void
read_angle_sensor(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *kind = words_text(words, "kind");
    struct angle_sensor *sensor = angle_sensor_create(kind);
    if (!sensor) {
        words_fail(words, "unknown kind of angle sensor '%s'", kind);
        return;
    }
    struct angle_sensor **place = array_grow(
        &sim->angle_sensors, &sim->angle_sensor_count, sizeof(*place));
    *place = sensor;
    sensor->timeline = &sim->timeline;
    sensor->offset = words_number(words, "offset", 0.0, 1.0);
    sensor->clock_factor =
        words_number_or(words, "clock_factor", 0.5, 2.0, 1.0);
    description_connect(sim, words, &sensor->spi, NULL);
    if (!words_find(words, "stepper"))
        return;
    const char *name = words_text(words, "stepper");
    sensor->motor = mechanics_find_motor_by_name(&sim->mechanics, name);
    if (!sensor->motor)
        words_fail(words, "unknown stepper '%s'", name);
    sensor->turn_mm = words_number(words, "turn_mm", 1e-6, 1e6);
}
