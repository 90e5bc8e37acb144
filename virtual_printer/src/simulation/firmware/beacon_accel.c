// Acceleration sensor of a Beacon
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "beacon.h" // struct beacon

// As its sensor is said to have: 9608 ticks of 32 MHz from one sample to the
// next, 12 bits for the widest scale
#define SAMPLE_NS 300250
#define FREEFALL_MM_S2 9806.65
#define NOISE_MG 3.0
enum { SCALE_COUNT = 4, COUNT_MAX = 2047, CLIPPED = 0x7fff, AXES = 3 };
// In mg, in the order of the enumeration beacon_accel_scales
static const double scales_mg[SCALE_COUNT] = { 7.81, 3.91, 1.95, 0.98 };

static uint32_t
sample_ticks(const struct beacon *beacon)
{
    return mcu_ticks_from_ns(beacon->mcu, SAMPLE_NS);
}

static void
put_count(struct beacon *beacon, double acceleration_mg)
{
    double count = acceleration_mg / scales_mg[beacon->accel_scale];
    int value = (int)(count < 0.0 ? count - 0.5 : count + 0.5);
    if (value > COUNT_MAX || value < -COUNT_MAX - 1)
        value = CLIPPED;
    beacon->accel_bytes[beacon->accel_byte_count++] = (uint8_t)value;
    beacon->accel_bytes[beacon->accel_byte_count++] = (uint8_t)(value >> 8);
}

static enum timer_result
accel_event(struct mcu_timer *timer)
{
    struct beacon *beacon = container_of(timer, struct beacon, accel_timer);
    vibration_step(&beacon->vibration);
    if (!beacon->accel_byte_count)
        beacon->accel_first_clock = timer->wake_clock;
    for (int axis = 0; axis < AXES; axis++) {
        double mg = vibration_acceleration(&beacon->vibration, axis)
            / FREEFALL_MM_S2 * 1000.0;
        // What rests feels that it is held up
        put_count(beacon,
                  mg + (axis == AXIS_Z ? 1000.0 : 0.0)
                      + NOISE_MG * random_normal(&beacon->coil.random));
    }
    if (beacon->accel_byte_count + 2 * AXES > sizeof(beacon->accel_bytes)) {
        MCU_RESPOND_BYTES(
            beacon->mcu, RESPONSE_BEACON_ACCEL_DATA, beacon->accel_bytes,
            beacon->accel_byte_count, (uint32_t)beacon->accel_first_clock,
            (uint32_t)(timer->wake_clock - beacon->accel_first_clock));
        beacon->accel_byte_count = 0;
    }
    timer->wake_clock += sample_ticks(beacon);
    return TIMER_AGAIN;
}

static void
command_accel_stream(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = mcu->beacon;
    if (!beacon || (arguments[1] & 0xff) >= SCALE_COUNT) {
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
        return;
    }
    beacon_accel_stop(beacon);
    beacon->accel_scale = (uint8_t)arguments[1];
    uint32_t is_on = arguments[0] & 0xff;
    if (is_on) {
        vibration_begin(&beacon->vibration, mcu->mechanics,
                        SAMPLE_NS / (double)NS_PER_S);
        mcu_timer_start(&beacon->accel_timer,
                        mcu_clock_now(mcu) + sample_ticks(beacon));
    }
    MCU_RESPOND(mcu, RESPONSE_BEACON_ACCEL_STATE, is_on, 0);
}

void
beacon_accel_init(struct beacon *beacon)
{
    mcu_timer_init(&beacon->accel_timer, beacon->mcu, accel_event);
}

void
beacon_accel_stop(struct beacon *beacon)
{
    mcu_timer_cancel(&beacon->accel_timer);
    beacon->accel_byte_count = 0;
}

static const struct command commands[] = {
    { "beacon_accel_stream", command_accel_stream, "en scale", 0 },
};

const struct peripheral beacon_accel_peripheral = { COMMANDS_OF(commands) };
