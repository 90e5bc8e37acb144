// LDC1612 of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "coil_chip.h" // coil_chip_read
#include "objects.h" // trsync_trigger
#include "trigger_analog.h" // trigger_analog_update

#define SENSOR_ERROR_BITS 0xe0000000u
// In enumeration ldc1612_error
enum { ERROR_SENSOR_REPORTS };

// Hosts before trigger_analog have the sensor itself trigger
struct ldc1612 {
    struct bulk_sensor sensor;
    int is_homing;
    struct trsync *trsync;
    uint8_t trigger_reason, error_reason;
    uint32_t threshold;
    uint64_t homing_clock; // of the start, then of the trigger
};

static void
check_homing(struct ldc1612 *ldc1612, uint32_t data)
{
    uint64_t clock = mcu_clock_now(ldc1612->sensor.mcu);
    if (!ldc1612->is_homing)
        return;
    if (data > COIL_DATA_MAX) {
        ldc1612->is_homing = 0;
        trsync_trigger(ldc1612->trsync, ldc1612->error_reason);
    } else if (clock >= ldc1612->homing_clock && data > ldc1612->threshold) {
        ldc1612->is_homing = 0;
        ldc1612->homing_clock = clock;
        trsync_trigger(ldc1612->trsync, ldc1612->trigger_reason);
    }
}

static int
poll(struct bulk_sensor *sensor)
{
    if ((sensor->has_ready_pin && !bulk_sensor_is_ready(sensor))
        || !coil_chip_has_unread(coil_chip_status(sensor)))
        return 0;
    uint32_t data = coil_chip_read(sensor, sensor->bytes + sensor->size);
    check_homing(container_of(sensor, struct ldc1612, sensor), data);
    if (data & SENSOR_ERROR_BITS)
        trigger_analog_fail(sensor->trigger, ERROR_SENSOR_REPORTS);
    else
        trigger_analog_update(sensor->trigger, (int32_t)(data & COIL_DATA_MAX));
    sensor->size += COIL_VALUE_BYTES;
    if (sensor->size + COIL_VALUE_BYTES > BULK_BYTES_MAX)
        bulk_sensor_report(sensor);
    return 0;
}

static const struct bulk_chip chip = {
    .object_size = sizeof(struct ldc1612),
    .bytes_per_sample = COIL_VALUE_BYTES,
    .pending = coil_chip_pending,
    .poll = poll,
};


/****************************************************************
 * Commands
 ****************************************************************/

static struct ldc1612 *
find_ldc1612(struct mcu *mcu, uint32_t oid)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, oid);
    return sensor && sensor->chip == &chip
        ? container_of(sensor, struct ldc1612, sensor)
        : NULL;
}

static void
command_config_ldc1612(struct mcu *mcu, const uint32_t *arguments)
{
    bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_I2C);
}

static void
command_config_ldc1612_with_intb(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_I2C);
    if (!sensor)
        return;
    sensor->has_ready_pin = 1;
    sensor->ready_pin = (uint8_t)arguments[2];
}

static void
command_ldc1612_setup_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612 *ldc1612 = find_ldc1612(mcu, arguments[0]);
    if (!ldc1612)
        return;
    ldc1612->is_homing = 0;
    ldc1612->threshold = arguments[2];
    if (!ldc1612->threshold)
        return;
    ldc1612->trsync = mcu_object(mcu, arguments[3], &trsync_type);
    if (!ldc1612->trsync)
        return;
    ldc1612->homing_clock = mcu_clock_from_wire(mcu, arguments[1]);
    ldc1612->trigger_reason = (uint8_t)arguments[4];
    ldc1612->error_reason = (uint8_t)arguments[5];
    ldc1612->is_homing = 1;
}

static void
command_query_ldc1612_home_state(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612 *ldc1612 = find_ldc1612(mcu, arguments[0]);
    if (ldc1612)
        MCU_RESPOND(mcu, RESPONSE_LDC1612_HOME_STATE, arguments[0] & 0xff,
                    (uint32_t)ldc1612->is_homing,
                    (uint32_t)ldc1612->homing_clock);
}

static const struct command commands[] = {
    { "config_ldc1612",                command_config_ldc1612,           "oid i2c_oid",          0 },
    { "config_ldc1612_with_intb",      command_config_ldc1612_with_intb,
     "oid i2c_oid intb_pin",                                                                     0 },
    { "query_ldc1612",                 bulk_sensor_command_query,        "oid clock rest_ticks", 0 },
    { "query_status_ldc1612",          bulk_sensor_command_status,       "oid",                  0 },
    { "ldc1612_setup_home",            command_ldc1612_setup_home,
     "oid clock threshold trsync_oid trigger_reason error_reason",                               0 },
    { "query_ldc1612_home_state",      command_query_ldc1612_home_state, "oid",                  0 },
    { "ldc1612_attach_trigger_analog", bulk_sensor_command_attach,
     "oid trigger_analog_oid",                                                                   0 },
};

const struct peripheral ldc1612_peripheral = { COMMANDS_OF(commands) };
