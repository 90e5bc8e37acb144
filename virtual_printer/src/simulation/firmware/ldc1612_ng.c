// LDC1612 of the firmware that the plugin eddy-ng brings
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "coil_chip.h" // coil_chip_read
#include "coil_tap.h" // struct tap_peak
#include "objects.h" // trsync_trigger

enum mode { MODE_NONE, MODE_HOME, MODE_SLOPE_TAP, MODE_FILTER_TAP, MODE_COUNT };
// Added to the reason that stands for any failure
enum { ERROR_SENSOR = 0, ERROR_TOO_EARLY = 2 };
// Of a tap's threshold
#define THRESHOLD_ONE 65536.0
#define DATA_ONE 268435456.0f
#define ERROR_BITS 0xf0000000u
enum { FILTER_LEAD_IN = 32 }; // values that fill a slope first

// By the number of a product: its reference
static const float reference_hz[] = { 12e6f, 12e6f, 24e6f, 40e6f, 43.4e6f };
enum { PRODUCT_COUNT = sizeof(reference_hz) / sizeof(reference_hz[0]) };

// What must be passed on the way, one after the other, and not before a clock
struct gate {
    uint32_t data[2];
    uint32_t open_clock;
    int has_clock;
};

struct ldc1612_ng {
    struct bulk_sensor sensor;
    float hz_per_count;
    int is_started;
    uint16_t last_status;
    uint32_t last_data;
    struct tap_filter filter;
    // While it is homing
    enum mode mode;
    struct trsync *trsync;
    uint8_t trigger_reason, error_reason, errors_max, error_count;
    struct gate gate;
    uint32_t home_data;
    float zero_hz; // what the filter takes for zero
    struct tap_slope slope;
    struct tap_peak peak;
    // Then
    uint32_t trigger_clock, error;
};


/****************************************************************
 * Triggering
 ****************************************************************/

static void
end_homing(struct ldc1612_ng *ng, int reason)
{
    ng->mode = MODE_NONE;
    if (ng->trsync)
        trsync_trigger(ng->trsync, (uint8_t)reason);
}

static void
trigger(struct ldc1612_ng *ng, uint32_t clock)
{
    ng->trigger_clock = clock;
    end_homing(ng, ng->trigger_reason);
}

static int
has_error(struct ldc1612_ng *ng, uint32_t data)
{
    if (!(data & ERROR_BITS)) {
        ng->error_count = 0;
        return 0;
    }
    if (ng->error_count++ >= ng->errors_max) {
        ng->error = data;
        end_homing(ng, ng->error_reason + ERROR_SENSOR);
    }
    return 1;
}

// Whether both thresholds have been passed; the second one takes a value of
// its own
static int
is_gate_passed(struct ldc1612_ng *ng, uint32_t data, uint32_t clock)
{
    struct gate *gate = &ng->gate;
    if (!gate->data[0])
        return 1;
    if (data < gate->data[0])
        return 0;
    if (gate->has_clock && (int32_t)(clock - gate->open_clock) < 0) {
        end_homing(ng, ng->error_reason + ERROR_TOO_EARLY);
        return 0;
    }
    gate->data[0] = gate->data[1];
    gate->data[1] = 0;
    return !gate->data[0];
}

static void
feel_slope(struct ldc1612_ng *ng, uint32_t data, uint32_t clock)
{
    int32_t rise = tap_slope_add(&ng->slope, data);
    if (ng->slope.count <= FILTER_LEAD_IN)
        ng->peak.last = rise;
    else if (tap_peak_add(&ng->peak, rise, clock))
        trigger(ng, clock);
}

// The filter has to settle between the two thresholds
static void
feel_filtered(struct ldc1612_ng *ng, uint32_t data, uint32_t clock)
{
    float hz = (float)data * ng->hz_per_count;
    int is_far = ng->gate.data[1] != 0;
    if (is_far)
        ng->zero_hz = hz;
    float value =
        is_far ? 0.0f : tap_filter_apply(&ng->filter, hz - ng->zero_hz);
    if (is_gate_passed(ng, data, clock)
        && tap_peak_add(&ng->peak, (double)value, clock))
        trigger(ng, clock);
}

static void
check_homing(struct ldc1612_ng *ng, uint32_t data)
{
    uint32_t clock = (uint32_t)mcu_clock_now(ng->sensor.mcu);
    if (ng->mode == MODE_NONE || has_error(ng, data))
        return;
    if (ng->mode == MODE_FILTER_TAP)
        feel_filtered(ng, data, clock);
    else if (!is_gate_passed(ng, data, clock))
        return;
    else if (ng->mode == MODE_SLOPE_TAP)
        feel_slope(ng, data, clock);
    else if (data > ng->home_data)
        trigger(ng, clock);
}


/****************************************************************
 * The chip
 ****************************************************************/

static int
poll(struct bulk_sensor *sensor)
{
    struct ldc1612_ng *ng = container_of(sensor, struct ldc1612_ng, sensor);
    if (sensor->has_ready_pin && !bulk_sensor_is_ready(sensor))
        return 0;
    ng->last_status = coil_chip_status(sensor);
    if (!coil_chip_has_unread(ng->last_status))
        return 0;
    ng->last_data = coil_chip_read(sensor, sensor->bytes + sensor->size);
    sensor->size += COIL_VALUE_BYTES;
    check_homing(ng, ng->last_data);
    if (sensor->size + COIL_VALUE_BYTES > BULK_BYTES_MAX)
        bulk_sensor_report(sensor);
    return 0;
}

static const struct bulk_chip chip = {
    .object_size = sizeof(struct ldc1612_ng),
    .bytes_per_sample = COIL_VALUE_BYTES,
    .pending = coil_chip_pending,
    .poll = poll,
};


/****************************************************************
 * Commands
 ****************************************************************/

static struct ldc1612_ng *
find_ng(struct mcu *mcu, uint32_t oid)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, oid);
    return sensor && sensor->chip == &chip
        ? container_of(sensor, struct ldc1612_ng, sensor)
        : NULL;
}

static struct bulk_sensor *
add_ng(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t product = arguments[2];
    if (product >= PRODUCT_COUNT) {
        mcu_shutdown(mcu, REASON_COIL_PRODUCT);
        return NULL;
    }
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_I2C);
    if (sensor)
        container_of(sensor, struct ldc1612_ng, sensor)->hz_per_count =
            reference_hz[product] / DATA_ONE;
    return sensor;
}

static void
command_config(struct mcu *mcu, const uint32_t *arguments)
{
    add_ng(mcu, arguments);
}

static void
command_config_with_intb(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = add_ng(mcu, arguments);
    if (!sensor)
        return;
    sensor->has_ready_pin = 1;
    sensor->ready_pin = (uint8_t)arguments[3];
}

static void
command_start_stop(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612_ng *ng = find_ng(mcu, arguments[0]);
    if (!ng)
        return;
    ng->is_started = arguments[2] != 0;
    bulk_sensor_command_query(mcu, arguments);
}

static void
command_latched_status(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612_ng *ng = find_ng(mcu, arguments[0]);
    if (!ng)
        return;
    uint16_t status = ng->last_status;
    uint32_t data = ng->last_data;
    if (!ng->is_started) {
        uint8_t bytes[COIL_VALUE_BYTES];
        status = coil_chip_status(&ng->sensor);
        data = coil_chip_read(&ng->sensor, bytes);
    }
    MCU_RESPOND(mcu, RESPONSE_LDC1612_NG_STATUS, arguments[0] & 0xff, status,
                data);
}

static void
prepare_homing(struct ldc1612_ng *ng, const uint32_t *arguments)
{
    memset(&ng->slope, 0, sizeof(ng->slope));
    memset(&ng->peak, 0, sizeof(ng->peak));
    tap_filter_restart(&ng->filter);
    ng->trigger_clock = ng->error = 0;
    ng->error_count = 0;
    ng->errors_max = (uint8_t)arguments[9];
    ng->peak.threshold = (int32_t)arguments[8] / THRESHOLD_ONE;
    uint32_t home_data = arguments[4], start_data = arguments[5];
    ng->home_data = start_data ? 0 : home_data;
    ng->gate = (struct gate){
        .data = { start_data, start_data ? home_data : 0 },
        .open_clock = arguments[6],
        .has_clock = arguments[6] != 0,
    };
}

static void
command_setup_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612_ng *ng = find_ng(mcu, arguments[0]);
    if (!ng)
        return;
    uint32_t mode = arguments[7];
    if (!arguments[1] || !arguments[4]) {
        ng->mode = MODE_NONE;
        ng->trsync = NULL;
        return;
    }
    if (!ng->is_started || ng->mode != MODE_NONE) {
        end_homing(ng, (int)arguments[3]);
        return;
    }
    if (mode == MODE_NONE || mode >= MODE_COUNT) {
        mcu_shutdown(mcu, REASON_COIL_MODE);
        return;
    }
    ng->trsync = mcu_object(mcu, arguments[1], &trsync_type);
    if (!ng->trsync)
        return;
    ng->trigger_reason = (uint8_t)arguments[2];
    ng->error_reason = (uint8_t)arguments[3];
    prepare_homing(ng, arguments);
    ng->mode = (enum mode)mode;
}

static void
command_finish_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612_ng *ng = find_ng(mcu, arguments[0]);
    if (!ng)
        return;
    ng->mode = MODE_NONE;
    ng->trsync = NULL;
    MCU_RESPOND(mcu, RESPONSE_LDC1612_NG_HOMED, arguments[0] & 0xff,
                ng->trigger_clock, ng->peak.peak_clock, ng->error);
}

static void
command_set_sos_section(struct mcu *mcu, const uint32_t *arguments)
{
    struct ldc1612_ng *ng = find_ng(mcu, arguments[0]);
    uint32_t index = arguments[1], size = arguments[2];
    if (!ng)
        return;
    if (!size) {
        ng->filter.section_count = 0;
    } else if (size != sizeof(ng->filter.sections[0])
               || index >= TAP_SECTIONS_MAX) {
        mcu_shutdown(mcu, REASON_COIL_SECTION);
    } else {
        memcpy(ng->filter.sections[index], mcu->argument_bytes[2], size);
        ng->filter.section_count = index + 1;
    }
}

static void
ldc1612_ng_shutdown(struct mcu *mcu)
{
    struct bulk_sensor *sensor;
    uint32_t oid = 0;
    while ((sensor = bulk_sensor_next(mcu, &oid)))
        if (sensor->chip == &chip)
            container_of(sensor, struct ldc1612_ng, sensor)->is_started = 0;
}

static const struct command commands[] = {
    { "config_ldc1612_ng",                  command_config,             "oid i2c_oid product",  0 },
    { "config_ldc1612_ng_with_intb",        command_config_with_intb,
     "oid i2c_oid product intb_pin",                                                            0 },
    { "ldc1612_ng_start_stop",              command_start_stop,         "oid clock rest_ticks", 0 },
    { "ldc1612_ng_query_bulk_status",       bulk_sensor_command_status, "oid",                  0 },
    { "query_ldc1612_ng_latched_status_v2", command_latched_status,     "oid",                  0 },
    { "ldc1612_ng_setup_home",              command_setup_home,
     "oid trsync_oid trigger_reason other_reason_base trigger_freq start_freq start_time mode"
      " tap_threshold err_max",                                                                 0 },
    { "ldc1612_ng_finish_home",             command_finish_home,        "oid",                  0 },
    { "ldc1612_ng_set_sos_section",         command_set_sos_section,
     "oid section values",                                                                      0 },
};

const struct peripheral ldc1612_ng_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = ldc1612_ng_shutdown,
};
