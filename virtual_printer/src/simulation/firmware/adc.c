// Analog inputs of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // floor
#include "mcu.h" // struct mcu

// What a pin shows with nothing on it
#define FLOATING_RATIO 0.4
// Spread of a sample, in steps of the converter
#define NOISE_STEPS 0.5
enum { REPORT_BYTES_MAX = 48, SAMPLE_BYTES = 2 };

static const struct object_type analog_in_type = { "analog_in" };

struct analog_in {
    struct mcu *mcu;
    struct mcu_timer timer;
    struct random_stream random;
    uint8_t oid, pin;
    uint64_t begin_clock; // of the samples that are taken now
    uint32_t sample_ticks, rest_ticks;
    uint8_t sample_count, taken_count;
    uint16_t sum, minimum, maximum;
    uint8_t invalid_count, invalid_count_max;
    // Sums that wait to be reported, as bytes
    uint8_t bytes_per_report, byte_count;
    uint8_t bytes[REPORT_BYTES_MAX];
};

static uint32_t
take_sample(struct analog_in *in)
{
    struct analog_source *source = in->mcu->pins[in->pin].analog;
    double ratio = source ? source->ratio(source) : FLOATING_RATIO;
    double steps = floor(ratio * in->mcu->adc_max + 0.5
                         + NOISE_STEPS * random_normal(&in->random));
    return (uint32_t)fmax(0.0, fmin(steps, in->mcu->adc_max));
}

static void
check_range(struct analog_in *in)
{
    if (in->sum >= in->minimum && in->sum <= in->maximum) {
        in->invalid_count = 0;
        return;
    }
    // Hosts that want no check say so by a count of zero
    if (!in->invalid_count_max || ++in->invalid_count < in->invalid_count_max)
        return;
    in->invalid_count = 0;
    if (!in->mcu->is_shutdown)
        mcu_shutdown(in->mcu, REASON_ADC_OUT_OF_RANGE);
}

static void
report(struct analog_in *in, uint32_t next_clock)
{
    struct mcu *mcu = in->mcu;
    if (!mcu->is_of_bytes[RESPONSE_ANALOG_IN_STATE]) {
        MCU_RESPOND(mcu, RESPONSE_ANALOG_IN_STATE, in->oid, next_clock,
                    in->sum);
        return;
    }
    in->bytes[in->byte_count++] = (uint8_t)in->sum;
    in->bytes[in->byte_count++] = (uint8_t)(in->sum >> 8);
    if (in->byte_count + SAMPLE_BYTES <= in->bytes_per_report)
        return;
    MCU_RESPOND_BYTES(mcu, RESPONSE_ANALOG_IN_STATE, in->bytes, in->byte_count,
                      in->oid, next_clock);
    in->byte_count = 0;
}

// Begin again, at a clock
static void
begin_samples(struct analog_in *in, uint64_t clock)
{
    in->begin_clock = clock;
    in->taken_count = 0;
    in->sum = 0;
}

static enum timer_result
sample_event(struct mcu_timer *timer)
{
    struct analog_in *in = container_of(timer, struct analog_in, timer);
    in->sum = (uint16_t)(in->sum + take_sample(in));
    if (++in->taken_count < in->sample_count) {
        timer->wake_clock += in->sample_ticks;
        return TIMER_AGAIN;
    }
    check_range(in);
    if (in->mcu->is_interrupted)
        return TIMER_DONE;
    timer->wake_clock = in->begin_clock + in->rest_ticks;
    report(in, (uint32_t)timer->wake_clock);
    begin_samples(in, timer->wake_clock);
    return TIMER_AGAIN;
}

// Inputs go on after a shutdown, from their next turn on
static void
analog_ins_shutdown(struct mcu *mcu)
{
    struct analog_in *in;
    uint32_t oid = 0;
    while ((in = mcu_object_next(mcu, &oid, &analog_in_type))) {
        if (!in->sample_count)
            continue;
        begin_samples(in, in->begin_clock + in->rest_ticks);
        mcu_timer_start(&in->timer, in->begin_clock);
    }
}

static void
analog_ins_release(struct mcu *mcu)
{
    struct analog_in *in;
    uint32_t oid = 0;
    while ((in = mcu_object_next(mcu, &oid, &analog_in_type)))
        mcu_timer_cancel(&in->timer);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_analog_in(struct mcu *mcu, const uint32_t *arguments)
{
    struct analog_in *in =
        mcu_object_add(mcu, arguments[0], &analog_in_type, sizeof(*in));
    if (!in)
        return;
    in->mcu = mcu;
    in->oid = (uint8_t)arguments[0];
    in->pin = (uint8_t)arguments[1];
    // Each has a stream of its own, that of no other MCU
    random_init(&in->random, mcu->random.state, in->pin);
    mcu_timer_init(&in->timer, mcu, sample_event);
}

static void
command_query_analog_in(struct mcu *mcu, const uint32_t *arguments)
{
    struct analog_in *in = mcu_object(mcu, arguments[0], &analog_in_type);
    if (!in)
        return;
    mcu_timer_cancel(&in->timer);
    in->sample_ticks = arguments[2];
    in->sample_count = (uint8_t)arguments[3];
    in->rest_ticks = arguments[4];
    in->bytes_per_report = (uint8_t)arguments[5];
    in->byte_count = 0;
    in->minimum = (uint16_t)arguments[6];
    in->maximum = (uint16_t)arguments[7];
    in->invalid_count_max = (uint8_t)arguments[8];
    if (!in->sample_count)
        return;
    if (in->bytes_per_report > sizeof(in->bytes)) {
        mcu_shutdown(mcu, REASON_BYTES_PER_REPORT);
        return;
    }
    begin_samples(in, mcu_clock_from_wire(mcu, arguments[1]));
    mcu_timer_add(&in->timer, arguments[1]);
}

static const struct command commands[] = {
    { "config_analog_in", command_config_analog_in, "oid pin", 0 },
    { "query_analog_in",  command_query_analog_in,
     "oid clock sample_ticks sample_count rest_ticks bytes_per_report"
      " min_value max_value range_check_count",                0 },
};

const struct peripheral adc_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = analog_ins_shutdown,
    .release = analog_ins_release,
};
