// Bodies, heaters and temperature sensors in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/memory.h" // copy_string
#include "../firmware/mcu.h" // struct mcu
#include "../thermal/chips.h" // max6675_attach
#include "../thermal/environment.h" // lm75_attach
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

#define TEMPERATURE_C_MIN (-273.15)
#define TEMPERATURE_C_MAX 1e4
#define POWER_W_MAX 1e6
#define RATE_MAX 1e9


/****************************************************************
 * Bodies
 ****************************************************************/

static double
read_temperature(struct words *words, const char *key)
{
    return words_number(words, key, TEMPERATURE_C_MIN, TEMPERATURE_C_MAX);
}

void
read_body(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "name");
    if (thermal_find_body(&sim->thermal, name))
        words_fail(words, "body '%s' is there twice", name);
    struct body *body = thermal_add_body(&sim->thermal, name);
    body->capacity_j_per_k = words_number(words, "capacity", 1e-6, RATE_MAX);
    body->loss_w_per_k = words_number(words, "loss", 0.0, RATE_MAX);
    body->ambient_c = read_temperature(words, "ambient");
    body->temperature_c = read_temperature(words, "start");
    body->own_power_w =
        words_number_or(words, "power", -POWER_W_MAX, POWER_W_MAX, 0.0);
    body_update(body);
}

static struct body *
find_body(struct simulation *sim, struct words *words, const char *name)
{
    struct body *body = thermal_find_body(&sim->thermal, name);
    if (!body)
        words_fail(words, "unknown body '%s'", name);
    return body;
}

void
read_coupling(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct body *body = find_body(sim, words, words_item(words, 1, "body"));
    struct body *other = find_body(sim, words, words_item(words, 2, "body"));
    double conductance = words_number(words, "conductance", 0.0, RATE_MAX);
    if (body && other == body)
        words_fail(words, "body '%s' cannot be coupled to itself", body->name);
    else if (body && other)
        body_couple(body, other, conductance);
}


/****************************************************************
 * What MCUs switch
 ****************************************************************/

void
read_heater(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct body *body = find_body(sim, words, words_item(words, 1, "body"));
    struct pin *pin = description_output(sim, words);
    int is_inverted = (int)words_integer_or(words, "invert", 0, 1, 0);
    double power_w = words_number(words, "power", 0.0, POWER_W_MAX);
    if (body && !words->error[0])
        pin_load_connect(pin,
                         &body_add_heater(body, power_w, is_inverted)->load);
}

void
read_cooler(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct body *body = find_body(sim, words, words_item(words, 1, "body"));
    struct pin *pin = description_output(sim, words);
    int is_inverted = (int)words_integer_or(words, "invert", 0, 1, 0);
    double loss = words_number(words, "loss", 0.0, RATE_MAX);
    if (body && !words->error[0])
        pin_load_connect(pin, &body_add_cooler(body, loss, is_inverted)->load);
}


/****************************************************************
 * Sensors
 ****************************************************************/

// Read RATIO,RATIO... at equal steps of the temperature
static void
read_ratios(struct words *words, struct temperature_sensor *sensor)
{
    sensor->lowest_c = read_temperature(words, "lowest");
    sensor->step_c = words_number(words, "step", 1e-3, TEMPERATURE_C_MAX);
    char *text = copy_string(words_text(words, "ratios")), *rest;
    for (char *part = strtok_r(text, ",", &rest); part;
         part = strtok_r(NULL, ",", &rest)) {
        double *ratio = array_grow(&sensor->ratios, &sensor->ratio_count,
                                   sizeof(*sensor->ratios));
        *ratio = words_parse_number(words, "ratios", part, 0.0, 1.0);
    }
    free(text);
    if (sensor->ratio_count < 2)
        words_fail(words, "ratios are less than two");
}

static void
connect_analog(struct simulation *sim, struct words *words,
               struct temperature_sensor *sensor)
{
    read_ratios(words, sensor);
    struct pin *pin = description_pin(sim, words, "mcu", "pin");
    if (pin->analog)
        words_fail(words, "there is something on this pin already");
    else if (!words->error[0])
        pin->analog = &sensor->analog;
}

static void
connect_spi(struct simulation *sim, struct words *words,
            struct temperature_sensor *sensor)
{
    struct pin *pin = description_pin(sim, words, "mcu", "pin");
    if (pin->selected)
        words_fail(words, "this pin selects something already");
    else if (!words->error[0])
        pin->selected = &sensor->spi;
}

static void
connect_one_wire(struct simulation *sim, struct words *words,
                 struct temperature_sensor *sensor)
{
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    sensor->one_wire.serial = copy_string(words_text(words, "serial"));
    if (!mcu)
        return;
    sensor->one_wire.next = mcu->one_wire_sensors;
    mcu->one_wire_sensors = &sensor->one_wire;
}

// Kinds of sensors, in groups by what they are connected to
enum sensor_kind_name {
    ANALOG,
    DS18B20,
    MAX6675,
    MAX31855,
    MAX31856,
    MAX31865,
    LM75,
    SHT3X,
    HTU21D,
    AHT10,
    BME280,
    BMP280,
    BMP180,
    BMP388,
    BME680,
    SENSOR_KINDS,
};

static void
attach_chip(struct words *words, struct temperature_sensor *sensor,
            enum sensor_kind_name kind)
{
    switch (kind) {
    case MAX6675: max6675_attach(sensor); break;
    case MAX31855: max31855_attach(sensor); break;
    case MAX31856: max31856_attach(sensor); break;
    case MAX31865:
        max31865_attach(sensor, words_number(words, "nominal", 1e-3, RATE_MAX),
                        words_number(words, "reference", 1e-3, RATE_MAX));
        break;
    case LM75: lm75_attach(sensor); break;
    case SHT3X: sht3x_attach(sensor); break;
    case HTU21D:
        htu21d_attach(sensor, (uint8_t)words_integer(words, "number", 0, 255));
        break;
    case AHT10: aht10_attach(sensor); break;
    case BME280: bme280_attach(sensor); break;
    case BMP280: bmp280_attach(sensor); break;
    case BMP180: bmp180_attach(sensor); break;
    case BMP388: bmp388_attach(sensor); break;
    case BME680: bme680_attach(sensor); break;
    default: break;
    }
}

void
read_temperature_sensor(struct simulation *sim, struct words *words, int line)
{
    static const char *const kinds[SENSOR_KINDS] = {
        "analog",   "ds18b20", "max6675", "max31855", "max31856",
        "max31865", "lm75",    "sht3x",   "htu21d",   "aht10",
        "bme280",   "bmp280",  "bmp180",  "bmp388",   "bme680",
    };
    (void)line;
    const char *name = words_item(words, 1, "name");
    if (thermal_find_sensor(&sim->thermal, name))
        words_fail(words, "temperature sensor '%s' is there twice", name);
    struct body *body = find_body(sim, words, words_text(words, "body"));
    struct temperature_sensor *sensor =
        thermal_add_sensor(&sim->thermal, name, body);
    sensor->offset_c = words_number_or(words, "offset", -TEMPERATURE_C_MAX,
                                       TEMPERATURE_C_MAX, 0.0);
    int kind = words_choice(words, "kind", kinds, SENSOR_KINDS);
    if (kind == ANALOG)
        connect_analog(sim, words, sensor);
    else if (kind == DS18B20)
        connect_one_wire(sim, words, sensor);
    else if (kind <= MAX31865)
        connect_spi(sim, words, sensor);
    else
        description_connect(sim, words, NULL, &sensor->i2c);
    attach_chip(words, sensor, (enum sensor_kind_name)kind);
}
