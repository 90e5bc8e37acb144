// What gets warm: bodies that store heat, what heats and what cools them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef THERMAL_H
#define THERMAL_H

#include "../core/pin.h" // struct pin_load
#include "../core/timeline.h" // struct timeline

#pragma GCC visibility push(hidden)

struct body;

// Heat flows between two bodies in proportion to how their temperatures differ
struct coupling {
    struct coupling *next; // of the same group
    struct body *first, *second;
    double conductance_w_per_k;
};

// Bodies between which heat flows, so that they are worked out together
struct body_group {
    struct timeline *timeline;
    int64_t reached_ns;
    double fastest_rate_per_s; // at which temperatures can change
    struct body *bodies;
    struct coupling *couplings;
};

struct heater {
    struct pin_load load;
    struct heater *next; // of the same body
    struct body *body;
    double power_w, share;
    double health; // what share of its power it still has
    int is_inverted;
};

// A fan that blows at a body
struct cooler {
    struct pin_load load;
    struct cooler *next; // of the same body
    struct body *body;
    double loss_w_per_k, share; // the loss at full speed
    int is_inverted;
};

struct body {
    struct body *next; // of all
    struct body *next_in_group;
    char *name;
    struct body_group *group;
    double capacity_j_per_k, loss_w_per_k, ambient_c;
    double own_power_w; // that nothing switches
    double temperature_c;
    struct heater *heaters;
    struct cooler *coolers;
    double coupled_w_per_k;
    // With all that is switched on now
    double power_w, total_loss_w_per_k;
    // Of the series that is being summed up
    double term_k, flow_w;
};

enum sensor_state { SENSOR_WORKS, SENSOR_OPEN, SENSOR_SHORT };

// Something that an MCU can read the temperature of a body from
struct temperature_sensor {
    struct temperature_sensor *next;
    char *name;
    struct body *body;
    double offset_c;
    enum sensor_state state;
    // Share of the reference voltage at equal steps of the temperature
    struct analog_source analog;
    double *ratios;
    size_t ratio_count;
    double lowest_c, step_c;
    struct one_wire_sensor one_wire;
    // The chip that converts it, if there is one
    struct spi_device spi;
    struct i2c_device i2c;
    void *chip; // what it keeps
};

struct thermal {
    struct timeline *timeline;
    struct body *bodies;
    struct temperature_sensor *sensors;
};

void thermal_release(struct thermal *thermal);

struct body *thermal_add_body(struct thermal *thermal, const char *name);
struct body *thermal_find_body(const struct thermal *thermal, const char *name);
void body_couple(struct body *body, struct body *other,
                 double conductance_w_per_k);
struct heater *body_add_heater(struct body *body, double power_w,
                               int is_inverted);
// Leave the heaters of a section so much of their power (0 to 1); returns
// whether there are any
int thermal_break_heaters(struct thermal *thermal, const char *section,
                          double health);
struct cooler *body_add_cooler(struct body *body, double loss_w_per_k,
                               int is_inverted);
// What the body takes in or gives off has been changed
void body_update(struct body *body);
// Temperature now
double body_temperature_c(struct body *body);

// sensors.c
struct temperature_sensor *thermal_add_sensor(struct thermal *thermal,
                                              const char *name,
                                              struct body *body);
struct temperature_sensor *thermal_find_sensor(const struct thermal *thermal,
                                               const char *name);
void sensor_free(struct temperature_sensor *sensor);
// What it feels, right or wrong
double sensor_temperature_c(struct temperature_sensor *sensor);

#pragma GCC visibility pop

#endif // thermal.h
