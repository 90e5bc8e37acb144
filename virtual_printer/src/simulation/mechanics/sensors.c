// Bed, endstop switches and probe
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mechanics.h" // struct sensor

struct sensor *
mechanics_find_sensor(struct mechanics *mechanics, const struct mcu *mcu,
                      uint32_t pin)
{
    for (size_t i = 0; i < mechanics->sensor_count; i++) {
        struct sensor *sensor = &mechanics->sensors[i];
        if (sensor->mcu == mcu && sensor->pin == pin)
            return sensor;
    }
    return NULL;
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

double
mechanics_nozzle_height_mm(struct mechanics *mechanics, double x_mm,
                           double y_mm)
{
    double bed_mm = bed_height_mm(mechanics, x_mm, y_mm);
    if (mechanics->linkage.kind == LINKAGE_RODS) {
        double place_mm[3] = { x_mm, y_mm, 0.0 };
        rods_hold(mechanics, place_mm);
        return place_mm[2] - bed_mm;
    }
    double weights[GANTRY_LIFTS_MAX];
    gantry_weights(mechanics, x_mm, y_mm, weights);
    return gantry_height_mm(mechanics, weights) - bed_mm;
}

double
mechanics_nozzle_depth_mm(struct mechanics *mechanics)
{
    double x_mm, y_mm;
    mechanics_toolhead(mechanics, &x_mm, &y_mm);
    double height_mm = mechanics_nozzle_height_mm(mechanics, x_mm, y_mm);
    return height_mm < 0.0 ? -height_mm : 0.0;
}

double
mechanics_nozzle_force_g(struct mechanics *mechanics)
{
    return mechanics_nozzle_depth_mm(mechanics) * mechanics->stiffness_g_per_mm;
}

void
sensor_arm(struct sensor *sensor)
{
    if (sensor->kind == SENSOR_WIRE)
        return;
    sensor->current_noise_mm =
        sensor->noise_mm * random_normal(&sensor->random);
}

double
sensor_height_mm(struct mechanics *mechanics, struct sensor *sensor)
{
    double x_mm, y_mm;
    if (mechanics->linkage.kind == LINKAGE_POLAR) {
        polar_place(mechanics, sensor->offset_x_mm, sensor->offset_y_mm, &x_mm,
                    &y_mm);
    } else {
        mechanics_toolhead(mechanics, &x_mm, &y_mm);
        x_mm += sensor->offset_x_mm;
        y_mm += sensor->offset_y_mm;
    }
    if (mechanics->linkage.kind == LINKAGE_RODS)
        return mechanics_nozzle_height_mm(mechanics, x_mm, y_mm);
    if (!sensor->is_cached || x_mm != sensor->cached_x_mm
        || y_mm != sensor->cached_y_mm) {
        sensor->is_cached = 1;
        sensor->cached_x_mm = x_mm;
        sensor->cached_y_mm = y_mm;
        sensor->cached_bed_mm = bed_height_mm(mechanics, x_mm, y_mm);
        gantry_weights(mechanics, x_mm, y_mm, sensor->cached_weights);
    }
    return gantry_height_mm(mechanics, sensor->cached_weights)
        - sensor->cached_bed_mm;
}

// What the switch or probe itself says
static int
is_signalling(struct mechanics *mechanics, struct sensor *sensor)
{
    if (sensor->dock && !sensor->dock->is_attached)
        // Nothing closes the circuit
        return 1;
    if (sensor->kind == SENSOR_PROBE || sensor->kind == SENSOR_BLTOUCH) {
        int is_low = sensor_height_mm(mechanics, sensor)
            <= sensor->trigger_height_mm + sensor->current_noise_mm;
        return sensor->kind == SENSOR_PROBE
            ? is_low
            : bltouch_is_triggered(&sensor->bltouch,
                                   mechanics->timeline->now_ns, is_low);
    }
    double position_mm;
    if (sensor->kind == SENSOR_NOZZLE)
        position_mm = sensor_height_mm(mechanics, sensor);
    else if (sensor->kind == SENSOR_MOTOR)
        position_mm = motor_position_mm(&mechanics->motors[sensor->motor]);
    else
        position_mm = carriage_position_mm(
            mechanics, &mechanics->carriages[sensor->carriage]);
    return sensor->is_at_max ? position_mm >= sensor->at_mm
                             : position_mm <= sensor->at_mm;
}

int
sensor_is_triggered(struct mechanics *mechanics, struct sensor *sensor)
{
    if (sensor->forced != FORCE_NONE)
        return sensor->forced;
    if (sensor->kind == SENSOR_WIRE)
        sensor = &mechanics->sensors[sensor->source];
    return is_signalling(mechanics, sensor);
}
