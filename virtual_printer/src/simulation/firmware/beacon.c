// Firmware of a Beacon: a coil on a micro-controller of its own
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // exp
#include <stdlib.h> // free
#include <string.h> // memcpy
#include "../core/memory.h" // allocate
#include "beacon.h" // struct beacon
#include "objects.h" // trsync_trigger

enum {
    SAMPLE_RATE_HZ = 1000,
    STATUS_RATE_HZ = 5,
    // Of the sums that stand for the average of an analog input
    ADC_SMOOTH_COUNT = 16,
    ADC_MAX = 4095,
};
// A frequency is a share of the clock, with so many bits
#define COUNT_ONE 268435456.0
// What it says of a coil that does not swing
#define COUNT_BROKEN 0x0fffffffu
// The first value of a report has 31 bits, the others differ by 15 at most
#define WHOLE_BIT 0x80000000u
#define STEP_LIMIT 16384
// Of the coil's thermistor and what is in series with it
#define THERMISTOR_OHM 47000.0
#define THERMISTOR_BETA 4101.0
#define THERMISTOR_C 25.0
#define PULLUP_OHM 10000.0
#define ZERO_K 273.15
// The MCU's own temperature, by its calibration, and what it is supplied with
#define SUPPLY_RATIO (3.3 / 4.0)
// Where the two calibrations begin
enum { NVM_OFFSET = 0, CHIP_OFFSET = 65534 };


/****************************************************************
 * Measuring
 ****************************************************************/

static uint32_t
period_ticks(const struct beacon *beacon, uint32_t rate_hz)
{
    return beacon->mcu->nominal_frequency / rate_hz;
}

static double
coil_count(struct beacon *beacon)
{
    const struct mcu *mcu = beacon->mcu;
    double clock_hz =
        (double)mcu->rate / (double)((uint64_t)1 << CLOCK_SHIFT) * NS_PER_S;
    return coil_frequency_hz(&beacon->coil) / clock_hz * COUNT_ONE;
}

static int
is_needed(const struct beacon *beacon)
{
    return beacon->is_streaming || beacon->proximity_homing.trsync
        || beacon->contact_homing.trsync;
}

static void
measure_if_needed(struct beacon *beacon)
{
    if (!is_needed(beacon))
        mcu_timer_cancel(&beacon->sample_timer);
    else if (!mcu_timer_is_pending(&beacon->sample_timer))
        mcu_timer_start(&beacon->sample_timer,
                        mcu_clock_now(beacon->mcu)
                            + period_ticks(beacon, SAMPLE_RATE_HZ));
}


/****************************************************************
 * Streaming
 ****************************************************************/

// Firmware before 2.0 sent each sample on its own, with the temperature
static void report_old(struct beacon *beacon, uint32_t value, uint64_t clock);

static void
report(struct beacon *beacon)
{
    MCU_RESPOND_BYTES(beacon->mcu, RESPONSE_BEACON_DATA, beacon->bytes,
                      beacon->byte_count, (uint32_t)beacon->sample_count,
                      (uint32_t)beacon->first_clock,
                      (uint32_t)(beacon->last_clock - beacon->first_clock));
    beacon->byte_count = beacon->sample_count = 0;
}

static void
put_bytes(struct beacon *beacon, uint32_t value, int count)
{
    while (count-- > 0)
        beacon->bytes[beacon->byte_count++] = (uint8_t)(value >> (8 * count));
}

static void
stream(struct beacon *beacon, uint32_t value, uint64_t clock)
{
    if (!beacon->mcu->is_of_bytes[RESPONSE_BEACON_DATA]) {
        report_old(beacon, value, clock);
        return;
    }
    int64_t step = (int64_t)value - beacon->last_value;
    if (!beacon->sample_count) {
        beacon->first_clock = clock;
        put_bytes(beacon, value | WHOLE_BIT, 4);
    } else if (step < -STEP_LIMIT || step >= STEP_LIMIT) {
        put_bytes(beacon, value | WHOLE_BIT, 4);
    } else {
        put_bytes(beacon, (uint32_t)step & (2 * STEP_LIMIT - 1), 2);
    }
    beacon->last_clock = clock;
    beacon->last_value = value;
    beacon->sample_count++;
    if (beacon->byte_count + 4 > BEACON_DATA_BYTES)
        report(beacon);
}


/****************************************************************
 * Homing
 ****************************************************************/

static void
trigger(struct beacon_homing *homing)
{
    struct trsync *trsync = homing->trsync;
    homing->trsync = NULL;
    trsync_trigger(trsync, homing->reason);
}

static void
check_proximity(struct beacon *beacon, uint32_t value)
{
    if (value >= beacon->near_count)
        beacon->is_near = 1;
    else if (value <= beacon->far_count)
        beacon->is_near = 0;
    if (beacon->proximity_homing.trsync
        && beacon->is_near != beacon->proximity_invert)
        trigger(&beacon->proximity_homing);
}

static void
check_contact(struct beacon *beacon, double count, uint64_t clock)
{
    struct contact *contact = &beacon->contact;
    uint32_t ticks = period_ticks(beacon, SAMPLE_RATE_HZ);
    if (!beacon->contact_homing.trsync
        || !contact_feed(contact, count, clock, ticks))
        return;
    trigger(&beacon->contact_homing);
    MCU_RESPOND(
        beacon->mcu, RESPONSE_BEACON_CONTACT, (uint32_t)contact->armed_clock,
        (uint32_t)contact->trigger_clock, (uint32_t)contact->detect_clock,
        contact_latency(contact, ticks), 0);
}

static void
take_sample(struct beacon *beacon, uint64_t clock)
{
    double count = floor(coil_count(beacon) + 0.5);
    uint32_t value =
        beacon->state == BEACON_BROKEN ? COUNT_BROKEN : (uint32_t)count;
    check_proximity(beacon, value);
    check_contact(beacon, value, clock);
    if (beacon->is_streaming)
        stream(beacon, value, clock);
}

static enum timer_result
sample_event(struct mcu_timer *timer)
{
    struct beacon *beacon = container_of(timer, struct beacon, sample_timer);
    if (beacon->coil.sensing.state != SENSING_SILENT)
        take_sample(beacon, timer->wake_clock);
    if (!is_needed(beacon))
        return TIMER_DONE;
    timer->wake_clock += period_ticks(beacon, SAMPLE_RATE_HZ);
    return TIMER_AGAIN;
}


/****************************************************************
 * Temperatures
 ****************************************************************/

static uint32_t
thermistor_sum(double temperature_c)
{
    double inverse_k = 1.0 / (temperature_c + ZERO_K);
    double ohm = THERMISTOR_OHM
        * exp(THERMISTOR_BETA * (inverse_k - 1.0 / (THERMISTOR_C + ZERO_K)));
    double ratio = ohm / (ohm + PULLUP_OHM);
    return (uint32_t)(ratio * ADC_MAX * ADC_SMOOTH_COUNT + 0.5);
}

// Between what its calibration says of two temperatures
static uint32_t
chip_sum(const struct beacon *beacon, double temperature_c)
{
    const uint8_t *data = beacon->chip_data;
    uint32_t lower = (uint32_t)data[0] | (uint32_t)data[1] << 8
        | (uint32_t)data[2] << 16 | (uint32_t)data[3] << 24;
    double room_c = (lower & 0xff) + 0.1 * (lower >> 8 & 0xf);
    double hot_c = (lower >> 12 & 0xff) + 0.1 * (lower >> 20 & 0xf);
    int room = data[5] | (data[6] & 0xf) << 8;
    int hot = data[6] >> 4 | data[7] << 4;
    double share = (temperature_c - room_c) / (hot_c - room_c);
    return (uint32_t)((room + share * (hot - room)) * ADC_SMOOTH_COUNT + 0.5);
}

static enum timer_result
status_event(struct mcu_timer *timer)
{
    struct beacon *beacon = container_of(timer, struct beacon, status_timer);
    double temperature_c = coil_temperature_c(&beacon->coil);
    MCU_RESPOND(beacon->mcu, RESPONSE_BEACON_STATUS,
                chip_sum(beacon, temperature_c),
                (uint32_t)(SUPPLY_RATIO * ADC_MAX * ADC_SMOOTH_COUNT),
                thermistor_sum(temperature_c), 0);
    timer->wake_clock += period_ticks(beacon, STATUS_RATE_HZ);
    return TIMER_AGAIN;
}

static void
report_old(struct beacon *beacon, uint32_t value, uint64_t clock)
{
    MCU_RESPOND(beacon->mcu, RESPONSE_BEACON_DATA, (uint32_t)clock, value,
                thermistor_sum(coil_temperature_c(&beacon->coil)), 0);
}


/****************************************************************
 * Commands
 ****************************************************************/

// Of the MCU, which has to be a Beacon; shuts down and returns NULL otherwise
static struct beacon *
find_beacon(struct mcu *mcu)
{
    if (!mcu->beacon)
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
    return mcu->beacon;
}

static void
command_stream(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    beacon->is_streaming = arguments[0] != 0;
    beacon->byte_count = beacon->sample_count = 0;
    measure_if_needed(beacon);
}

static void
command_set_threshold(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    beacon->near_count = arguments[0];
    beacon->far_count = arguments[1];
}

static void
arm(struct mcu *mcu, struct beacon_homing *homing, const uint32_t *arguments)
{
    homing->trsync = mcu_object(mcu, arguments[0], &trsync_type);
    homing->reason = (uint8_t)arguments[1];
    measure_if_needed(mcu->beacon);
}

static void
command_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    beacon->proximity_invert = (uint8_t)arguments[2] != 0;
    arm(mcu, &beacon->proximity_homing, arguments);
}

static void
command_stop_home(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    beacon->proximity_homing.trsync = NULL;
    measure_if_needed(beacon);
}

static void
command_contact_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    contact_start(&beacon->contact);
    arm(mcu, &beacon->contact_homing, arguments);
}

static void
command_contact_stop_home(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    beacon->contact_homing.trsync = NULL;
    measure_if_needed(beacon);
}

static void
command_contact_query(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    struct beacon *beacon = find_beacon(mcu);
    if (beacon)
        MCU_RESPOND(mcu, RESPONSE_BEACON_CONTACT_STATE,
                    (uint32_t)beacon->contact.is_found,
                    (uint32_t)beacon->contact.detect_clock);
}

static void
command_contact_set_latency_min(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (beacon)
        beacon->contact.latency_min = (uint8_t)arguments[0];
}

static void
command_contact_set_sensitivity(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (beacon)
        beacon->contact.sensitivity = (uint8_t)arguments[0];
}

// The bytes come first here, which those of no other response do
static void
respond_nvm(struct mcu *mcu, const uint8_t *bytes, size_t size, uint32_t offset)
{
    struct block block;
    block_begin(&block);
    block_put_integer(&block, mcu->response_ids[RESPONSE_BEACON_NVM_DATA]);
    block_put_bytes(&block, bytes, size);
    block_put_integer(&block, offset);
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

// A host reads it first of all: from then on there is somebody to tell
static void
command_nvm_read(struct mcu *mcu, const uint32_t *arguments)
{
    struct beacon *beacon = find_beacon(mcu);
    if (!beacon)
        return;
    size_t size = arguments[0] & 0xff;
    uint32_t offset = arguments[1] & 0xffff;
    const uint8_t *bytes = beacon->nvm;
    size_t there = offset == NVM_OFFSET ? sizeof(beacon->nvm) : 0;
    if (offset == CHIP_OFFSET) {
        bytes = beacon->chip_data;
        there = sizeof(beacon->chip_data);
    }
    if (size > there)
        size = 0;
    respond_nvm(mcu, bytes, size, offset);
    if (!mcu_timer_is_pending(&beacon->status_timer)
        && mcu->has_response[RESPONSE_BEACON_STATUS])
        mcu_timer_start(&beacon->status_timer, mcu_clock_now(mcu));
}

static const struct command commands[] = {
    { "beacon_stream",                  command_stream,                  "en",                                       0 },
    { "beacon_set_threshold",           command_set_threshold,           "trigger untrigger",                        0 },
    { "beacon_home",                    command_home,                    "trsync_oid trigger_reason trigger_invert",
     0                                                                                                                 },
    { "beacon_stop_home",               command_stop_home,               "",                                         0 },
    { "beacon_nvm_read",                command_nvm_read,                "len offset",                               0 },
    { "beacon_contact_home",            command_contact_home,
     "trsync_oid trigger_reason trigger_type",                                                                       0 },
    { "beacon_contact_query",           command_contact_query,           "",                                         0 },
    { "beacon_contact_stop_home",       command_contact_stop_home,       "",                                         0 },
    { "beacon_contact_set_latency_min", command_contact_set_latency_min,
     "latency_min",                                                                                                  0 },
    { "beacon_contact_set_sensitivity", command_contact_set_sensitivity,
     "sensitivity",                                                                                                  0 },
};


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
beacon_shutdown(struct mcu *mcu)
{
    struct beacon *beacon = mcu->beacon;
    if (!beacon)
        return;
    beacon->is_streaming = 0;
    beacon->proximity_homing.trsync = beacon->contact_homing.trsync = NULL;
    mcu_timer_cancel(&beacon->sample_timer);
    beacon_accel_stop(beacon);
}

static void
beacon_release(struct mcu *mcu)
{
    if (mcu->beacon)
        mcu_timer_cancel(&mcu->beacon->status_timer);
}

struct beacon *
beacon_create(struct mcu *mcu)
{
    struct beacon *beacon = allocate(1, sizeof(*beacon));
    beacon->mcu = mcu;
    mcu_timer_init(&beacon->sample_timer, mcu, sample_event);
    mcu_timer_init(&beacon->status_timer, mcu, status_event);
    beacon_accel_init(beacon);
    return beacon;
}

void
beacon_free(struct beacon *beacon)
{
    free(beacon);
}

const struct peripheral beacon_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = beacon_shutdown,
    .release = beacon_release,
};
