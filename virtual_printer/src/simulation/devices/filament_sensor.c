// Wheels that filament turns as it moves
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "filament_sensor.h" // struct filament_sensor
#include <math.h> // floor
#include "../core/events.h" // container_of
#include "../mechanics/mechanics.h" // motor_position_mm

static int
level(struct pin_source *source)
{
    struct filament_sensor *sensor =
        container_of(source, struct filament_sensor, source);
    double edges = floor(motor_position_mm(sensor->motor) / sensor->edge_mm);
    return (int)((int64_t)edges & 1);
}

void
filament_sensor_connect(struct filament_sensor *sensor, struct pin *pin)
{
    sensor->source.level = level;
    pin->source = &sensor->source;
}
