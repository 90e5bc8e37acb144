// Outputs that hardware switches by itself: PWM pins and PCA9685 channels
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "i2c.h" // i2c_bus_write
#include "timed_output.h" // struct timed_output

struct pwm_pin {
    struct timed_output timed;
    uint8_t pin;
};

// A channel of a PCA9685
struct pwm_channel {
    struct timed_output timed;
    uint32_t bus;
    uint8_t address, channel;
};


/****************************************************************
 * The hardware
 ****************************************************************/

static void
drive_pin(struct mcu *mcu, uint8_t pin, uint32_t value)
{
    double share = (double)(uint16_t)value / mcu->pwm_max;
    mcu_pin_drive(mcu, pin, share < 1.0 ? share : 1.0);
}

static int
apply_to_pin(struct timed_output *timed, uint32_t value)
{
    struct pwm_pin *out = container_of(timed, struct pwm_pin, timed);
    drive_pin(timed->mcu, out->pin, value);
    return value == timed->default_value;
}

// Registers of a PCA9685
enum { PCA9685_MODE1 = 0x00, PCA9685_LED0 = 0x06, PCA9685_PRESCALE = 0xfe };
enum { PCA9685_MAX = 4096, PCA9685_FULL = 0x10 };

enum { PCA9685_CHANNELS = 16 };

// A channel's registers say at which of 4096 steps it goes on, and off
static void
write_channel(struct mcu *mcu, const struct pwm_channel *out, uint32_t value)
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
    i2c_bus_write(mcu, out->bus, out->address, bytes, sizeof(bytes));
}

static int
apply_to_channel(struct timed_output *timed, uint32_t value)
{
    write_channel(timed->mcu, container_of(timed, struct pwm_channel, timed),
                  value);
    return value == timed->default_value;
}

// Wake the chip up, with a cycle of its oscillator of 25 MHz
static void
start_pca9685(struct mcu *mcu, const struct pwm_channel *out,
              uint32_t cycle_ticks)
{
    double cycles =
        25e6 * cycle_ticks / ((double)PCA9685_MAX * mcu->nominal_frequency);
    int prescale = cycles < 4.0 ? 3
        : cycles < 256.0        ? (int)(cycles - 0.5)
                                : 255;
    const uint8_t messages[][2] = {
        { PCA9685_MODE1,    0x31              },
        { PCA9685_PRESCALE, (uint8_t)prescale },
        { PCA9685_MODE1,    0x21              },
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++)
        i2c_bus_write(mcu, out->bus, out->address, messages[i],
                      sizeof(messages[i]));
}

static const struct timed_output_kind pwm_kind = {
    .type = { "pwm_out" },
    .apply = apply_to_pin,
    .missed = REASON_MISSED_PWM,
    .exceeds = REASON_PWM_EXCEEDS_MAX_DURATION,
};

static const struct timed_output_kind pca9685_kind = {
    .type = { "pca9685" },
    .apply = apply_to_channel,
    .missed = REASON_MISSED_PCA9685,
    .exceeds = REASON_PCA9685_EXCEEDS_MAX_DURATION,
};

static void
pwm_outs_shutdown(struct mcu *mcu)
{
    timed_outputs_shutdown(mcu, &pwm_kind);
    timed_outputs_shutdown(mcu, &pca9685_kind);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_pin *out =
        timed_output_add(mcu, arguments[0], &pwm_kind, sizeof(*out),
                         (uint16_t)arguments[3], arguments[4]);
    if (!out)
        return;
    out->pin = (uint8_t)arguments[1];
    drive_pin(mcu, out->pin, arguments[2]);
}

static void
command_queue_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_pin *out = mcu_object(mcu, arguments[0], &pwm_kind.type);
    if (out)
        timed_output_queue(&out->timed, arguments[1], (uint16_t)arguments[2]);
}

static void
command_set_pwm_out(struct mcu *mcu, const uint32_t *arguments)
{
    drive_pin(mcu, (uint8_t)arguments[0], arguments[1]);
}

// Shuts down and returns -1 if a channel or one of its values cannot be
static int
check_channel(struct mcu *mcu, uint32_t channel, uint16_t value,
              uint16_t default_value)
{
    if ((uint8_t)channel < PCA9685_CHANNELS && value <= PCA9685_MAX
        && default_value <= PCA9685_MAX)
        return 0;
    mcu_shutdown(mcu, REASON_PCA9685_INVALID);
    return -1;
}

static void
command_config_pca9685(struct mcu *mcu, const uint32_t *arguments)
{
    uint16_t value = (uint16_t)arguments[5];
    uint16_t default_value = (uint16_t)arguments[6];
    if (check_channel(mcu, arguments[3], value, default_value))
        return;
    struct pwm_channel *out =
        timed_output_add(mcu, arguments[0], &pca9685_kind, sizeof(*out),
                         default_value, arguments[7]);
    if (!out)
        return;
    out->bus = (uint8_t)arguments[1];
    out->address = (uint8_t)arguments[2];
    out->channel = (uint8_t)arguments[3];
    start_pca9685(mcu, out, arguments[4]);
    write_channel(mcu, out, value);
}

static void
command_queue_pca9685_out(struct mcu *mcu, const uint32_t *arguments)
{
    struct pwm_channel *out = mcu_object(mcu, arguments[0], &pca9685_kind.type);
    uint16_t value = (uint16_t)arguments[2];
    if (out && value > PCA9685_MAX)
        mcu_shutdown(mcu, REASON_PCA9685_INVALID_VALUE);
    else if (out)
        timed_output_queue(&out->timed, arguments[1], value);
}

static void
command_set_pca9685_out(struct mcu *mcu, const uint32_t *arguments)
{
    uint16_t value = (uint16_t)arguments[4];
    struct pwm_channel out = {
        .bus = (uint8_t)arguments[0],
        .address = (uint8_t)arguments[1],
        .channel = (uint8_t)arguments[2],
    };
    if (check_channel(mcu, arguments[2], value, 0))
        return;
    start_pca9685(mcu, &out, arguments[3]);
    write_channel(mcu, &out, value);
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
