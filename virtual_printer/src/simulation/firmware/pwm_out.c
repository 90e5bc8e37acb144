// Outputs that hardware switches by itself: PWM pins and PCA9685 channels
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "i2c.h" // i2c_bus_write
#include "mcu.h" // struct mcu

struct pwm_out {
    struct mcu *mcu;
    const struct pwm_kind *kind;
    struct mcu_timer timer;
    uint16_t default_value;
    uint32_t max_duration_ticks;
    // The timer waits for a setting that is not there
    uint8_t is_expiring;
    struct move_queue queue;
    uint8_t pin;
    // Of a PCA9685
    uint32_t bus;
    uint8_t address, channel;
};

struct pwm_kind {
    struct object_type type;
    void (*apply)(struct pwm_out *out, uint32_t value);
    enum reason missed, exceeds;
};


/****************************************************************
 * The hardware
 ****************************************************************/

static void
apply_to_pin(struct pwm_out *out, uint32_t value)
{
    uint32_t maximum = out->mcu->pwm_max;
    mcu_pin_drive(out->mcu, out->pin,
                  value < maximum ? (double)value / maximum : 1.0);
}

// Registers of a PCA9685
enum { PCA9685_MODE1 = 0x00, PCA9685_LED0 = 0x06, PCA9685_PRESCALE = 0xfe };
enum { PCA9685_MAX = 4096, PCA9685_FULL = 0x10 };

// A channel's registers say at which of 4096 steps it goes on, and off
static void
apply_to_channel(struct pwm_out *out, uint32_t value)
{
    int is_full_on = value >= PCA9685_MAX, is_full_off = !value;
    const uint8_t bytes[] = {
        (uint8_t)(PCA9685_LED0 + 4 * out->channel),
        0,
        is_full_on ? PCA9685_FULL : 0,
        is_full_on ? 0 : (uint8_t)value,
        is_full_off      ? PCA9685_FULL
            : is_full_on ? 0
                         : (uint8_t)(value >> 8),
    };
    i2c_bus_write(out->mcu, out->bus, out->address, bytes, sizeof(bytes));
}

// Wake the chip up, with a cycle of its oscillator of 25 MHz
static void
start_pca9685(struct pwm_out *out, uint32_t cycle_ticks)
{
    double cycles = 25e6 * cycle_ticks
        / ((double)PCA9685_MAX * out->mcu->nominal_frequency);
    int prescale = cycles < 4.0 ? 3
        : cycles < 256.0        ? (int)(cycles - 0.5)
                                : 255;
    const uint8_t messages[][2] = {
        { PCA9685_MODE1,    0x31              },
        { PCA9685_PRESCALE, (uint8_t)prescale },
        { PCA9685_MODE1,    0x21              },
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        i2c_bus_write(out->mcu, out->bus, out->address, messages[i],
                      sizeof(messages[i]));
}

static const struct pwm_kind pwm_kind = {
    .type = { "pwm_out" },
    .apply = apply_to_pin,
    .missed = REASON_MISSED_PWM,
    .exceeds = REASON_PWM_EXCEEDS_MAX_DURATION,
};

static const struct pwm_kind pca9685_kind = {
    .type = { "pca9685" },
    .apply = apply_to_channel,
    .missed = REASON_MISSED_PCA9685,
    .exceeds = REASON_PCA9685_EXCEEDS_MAX_DURATION,
};


/****************************************************************
 * Timed settings
 ****************************************************************/

static int
is_after(uint32_t clock, uint32_t other)
{
    return (int32_t)(clock - other) > 0;
}

// The time of the next setting has come, or that at which one had to
static enum timer_result
apply_event(struct mcu_timer *timer)
{
    struct pwm_out *out = container_of(timer, struct pwm_out, timer);
    if (out->is_expiring) {
        mcu_shutdown(out->mcu, out->kind->missed);
        return TIMER_DONE;
    }
    struct move *move = move_queue_pop(&out->queue);
    uint32_t value = move->on_ticks, clock = move->clock;
    move_release(out->mcu, move);
    out->kind->apply(out, value);
    int is_limited = out->max_duration_ticks && value != out->default_value;
    struct move *next = out->queue.first;
    if (!next && !is_limited)
        return TIMER_DONE;
    uint32_t ticks = next ? next->clock - clock : out->max_duration_ticks;
    if (is_limited && is_after(ticks, out->max_duration_ticks)) {
        mcu_shutdown(out->mcu, out->kind->exceeds);
        return TIMER_DONE;
    }
    out->is_expiring = !next;
    timer->wake_clock += (uint64_t)(int64_t)(int32_t)ticks;
    return TIMER_AGAIN;
}

static void
shutdown_kind(struct mcu *mcu, const struct pwm_kind *kind)
{
    struct pwm_out *out;
    uint32_t oid = 0;
    while ((out = mcu_object_next(mcu, &oid, &kind->type))) {
        mcu_timer_cancel(&out->timer);
        out->is_expiring = 0;
        out->kind->apply(out, out->default_value);
        struct move *move;
        while ((move = move_queue_pop(&out->queue)))
            move_release(mcu, move);
    }
}

static void
pwm_outs_shutdown(struct mcu *mcu)
{
    shutdown_kind(mcu, &pwm_kind);
    shutdown_kind(mcu, &pca9685_kind);
}


/****************************************************************
 * Commands
 ****************************************************************/

static struct pwm_out *
add_output(struct mcu *mcu, uint32_t oid, const struct pwm_kind *kind,
           uint32_t default_value, uint32_t max_duration_ticks)
{
    struct pwm_out *out = mcu_object_add(mcu, oid, &kind->type, sizeof(*out));
    if (!out)
        return NULL;
    out->mcu = mcu;
    out->kind = kind;
    out->default_value = (uint16_t)default_value;
    out->max_duration_ticks = max_duration_ticks;
    mcu_timer_init(&out->timer, mcu, apply_event);
    return out;
}

static void
command_config_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_out *out =
        add_output(mcu, arguments[0], &pwm_kind, arguments[3], arguments[4]);
    if (!out)
        return;
    out->pin = (uint8_t)arguments[1];
    apply_to_pin(out, (uint16_t)arguments[2]);
}

static void
command_config_pca9685(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_out *out = add_output(mcu, arguments[0], &pca9685_kind,
                                     arguments[6], arguments[7]);
    if (!out)
        return;
    out->bus = arguments[1];
    out->address = (uint8_t)arguments[2];
    out->channel = (uint8_t)arguments[3];
    start_pca9685(out, arguments[4]);
    apply_to_channel(out, (uint16_t)arguments[5]);
}

static void
queue_setting(struct pwm_out *out, uint32_t clock, uint32_t value)
{
    struct move *move = out ? move_allocate(out->mcu) : NULL;
    if (!move)
        return;
    move->clock = clock;
    move->on_ticks = (uint16_t)value;
    int is_first = !out->queue.first;
    move_queue_push(&out->queue, move);
    if (!is_first)
        return;
    mcu_timer_cancel(&out->timer);
    if (out->is_expiring && is_after(clock, (uint32_t)out->timer.wake_clock)) {
        mcu_shutdown(out->mcu, out->kind->exceeds);
        return;
    }
    out->is_expiring = 0;
    mcu_timer_add(&out->timer, clock);
}

static void
command_queue_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    queue_setting(mcu_object(mcu, arguments[0], &pwm_kind.type), arguments[1],
                  arguments[2]);
}

static void
command_queue_pca9685_out(struct mcu *mcu, const uint32_t *arguments)
{
    queue_setting(mcu_object(mcu, arguments[0], &pca9685_kind.type),
                  arguments[1], arguments[2]);
}

static void
command_set_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_out out = { .mcu = mcu, .pin = (uint8_t)arguments[0] };
    apply_to_pin(&out, (uint16_t)arguments[1]);
}

static void
command_set_pca9685_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_out out = {
        .mcu = mcu,
        .bus = arguments[0],
        .address = (uint8_t)arguments[1],
        .channel = (uint8_t)arguments[2],
    };
    start_pca9685(&out, arguments[3]);
    apply_to_channel(&out, (uint16_t)arguments[4]);
}

static void
command_stm32_timer_output(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t cycle_ticks = arguments[1], on_ticks = (uint16_t)arguments[2];
    mcu_pin_drive(mcu, (uint8_t)arguments[0],
                  on_ticks < cycle_ticks ? (double)on_ticks / cycle_ticks
                                         : 1.0);
}

static const struct command commands[] = {
    { "config_pwm_out",     command_config_pwm_out,
     "oid pin value default_value max_duration cycle_ticks",                     0 },
    { "queue_pwm_out",      command_queue_pwm_out,      "oid clock value",       0 },
    { "set_pwm_out",        command_set_pwm_out,        "pin value cycle_ticks", 0 },
    { "config_pca9685",     command_config_pca9685,
     "oid bus addr channel cycle_ticks value default_value max_duration",        0 },
    { "queue_pca9685_out",  command_queue_pca9685_out,  "oid clock value",       0 },
    { "set_pca9685_out",    command_set_pca9685_out,
     "bus addr channel cycle_ticks value",                                       0 },
    { "stm32_timer_output", command_stm32_timer_output,
     "pin cycle_ticks on_ticks",                                                 0 },
};

const struct peripheral pwm_out_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = pwm_outs_shutdown,
};
