// Distance sensor object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// Real firmware has nothing like it.  It reports the height of a probe over
// the bed, for stand-ins of probes that measure it: eddy current sensors.

#include "../mechanics/mechanics.h" // sensor_height_mm
#include "objects.h" // command_config_distance

#define NM_PER_MM 1e6

struct distance {
    struct sensor *sensor;
};

void
command_config_distance(struct mcu *mcu, const uint32_t *arguments)
{
    struct sensor *sensor =
        mechanics_find_sensor(mcu->mechanics, mcu, arguments[1]);
    if (!sensor) {
        mcu_shutdown(mcu, REASON_COMMAND_REQUEST);
        return;
    }
    struct distance *distance =
        mcu_object_add(mcu, arguments[0], OBJECT_DISTANCE, sizeof(*distance));
    if (distance)
        distance->sensor = sensor;
}

void
command_query_distance(struct mcu *mcu, const uint32_t *arguments)
{
    struct distance *distance = mcu_object(mcu, arguments[0], OBJECT_DISTANCE);
    if (!distance)
        return;
    double height_mm = sensor_height_mm(mcu->mechanics, distance->sensor);
    MCU_RESPOND(mcu, RESPONSE_DISTANCE_STATE, arguments[0] & 0xff,
                (uint32_t)mcu_clock_now(mcu),
                (uint32_t)(int32_t)(height_mm * NM_PER_MM));
}
