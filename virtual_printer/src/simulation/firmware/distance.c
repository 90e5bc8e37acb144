// Distance sensor object of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// Real firmware has nothing like it.  It reports the height of a probe over
// the bed, for stand-ins of probes that measure it: eddy current sensors.

#include "../mechanics/mechanics.h" // sensor_height_mm
#include "mcu.h" // struct mcu

static const struct object_type distance_type = { "distance" };

#define NM_PER_MM 1e6

struct distance {
    struct sensor *sensor;
};

static void
command_config_distance(struct mcu *mcu, const uint32_t *arguments)
{
    struct sensor *sensor =
        mechanics_find_sensor(mcu->mechanics, mcu, arguments[1]);
    if (!sensor) {
        mcu_shutdown(mcu, REASON_COMMAND_REQUEST);
        return;
    }
    struct distance *distance =
        mcu_object_add(mcu, arguments[0], &distance_type, sizeof(*distance));
    if (distance)
        distance->sensor = sensor;
}

static void
command_query_distance(struct mcu *mcu, const uint32_t *arguments)
{
    struct distance *distance = mcu_object(mcu, arguments[0], &distance_type);
    if (!distance)
        return;
    double height_mm = sensor_height_mm(mcu->mechanics, distance->sensor);
    MCU_RESPOND(mcu, RESPONSE_DISTANCE_STATE, arguments[0] & 0xff,
                (uint32_t)mcu_clock_now(mcu),
                (uint32_t)(int32_t)(height_mm * NM_PER_MM));
}

static const struct command commands[] = {
    { "config_distance", command_config_distance, "oid pin", 0 },
    { "query_distance",  command_query_distance,  "oid",     0 },
};

const struct peripheral distance_peripheral = { COMMANDS_OF(commands) };
