// Pins of a virtual micro-controller
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "../mechanics/mechanics.h" // bltouches_feel
#include "mcu.h" // struct mcu

void
mcu_pin_drive(struct mcu *mcu, uint8_t pin, double duty)
{
    mcu->pins[pin].duty = duty;
    for (struct pin_load *load = mcu->pins[pin].loads; load; load = load->next)
        load->drive(load, duty);
}

void
mcu_pin_set(struct mcu *mcu, uint8_t pin, int level)
{
    mcu->pins[pin].level = !!level;
    mcu->pins[pin].cycle_ticks = 0;
    mcu_pin_drive(mcu, pin, level ? 1.0 : 0.0);
    bltouches_feel(mcu->mechanics, mcu, pin, !!level);
}

void
mcu_pins_release(struct mcu *mcu)
{
    for (int i = 0; i < PIN_COUNT; i++) {
        struct pin *pin = &mcu->pins[i];
        int was_high = pin->duty > 0.0;
        pin->level = 0;
        pin->cycle_ticks = 0;
        pin->duty = 0.0;
        for (struct pin_load *load = pin->loads; load; load = load->next)
            load->drive(load, PIN_FLOATS);
        if (was_high)
            bltouches_feel(mcu->mechanics, mcu, (uint8_t)i, 0);
    }
}

static double
fixed_ratio(struct analog_source *source)
{
    return container_of(source, struct fixed_voltage, source)->ratio;
}

void
mcu_fix_voltage(struct mcu *mcu, uint8_t pin, double ratio)
{
    struct fixed_voltage *voltage = allocate(1, sizeof(*voltage));
    voltage->source.ratio = fixed_ratio;
    voltage->ratio = ratio;
    voltage->next = mcu->fixed_voltages;
    mcu->fixed_voltages = voltage;
    mcu->pins[pin].analog = &voltage->source;
}

void
mcu_pin_modulate(struct mcu *mcu, uint8_t number, uint64_t clock,
                 uint32_t on_ticks, uint32_t cycle_ticks)
{
    struct pin *pin = &mcu->pins[number];
    pin->cycle_clock = clock;
    pin->on_ticks = on_ticks;
    pin->cycle_ticks = cycle_ticks;
    mcu_pin_drive(mcu, number, (double)on_ticks / cycle_ticks);
}

int
mcu_pin_output(const struct mcu *mcu, uint8_t number)
{
    const struct pin *pin = &mcu->pins[number];
    if (!pin->cycle_ticks)
        return pin->level;
    uint64_t ticks = mcu_clock_now(mcu) - pin->cycle_clock;
    return ticks % pin->cycle_ticks < pin->on_ticks;
}

// Level from outside, LEVEL_OPEN if nothing drives the pin
static int
outer_level(const struct pin *pin)
{
    if (pin->switch_state != SWITCH_NONE)
        return pin->switch_state == SWITCH_HIGH;
    return pin->source ? pin->source->level(pin->source) : LEVEL_OPEN;
}

int
mcu_pin_level(const struct mcu *mcu, uint8_t pin, int pull_up_level)
{
    int level = outer_level(&mcu->pins[pin]);
    return level == LEVEL_OPEN ? pull_up_level : level;
}

int
mcu_pin_level_at(const struct mcu *mcu, uint8_t number, int64_t time_ns,
                 int pull_up_level)
{
    const struct pin *pin = &mcu->pins[number];
    int level = mcu_pin_goes_on(mcu, number)
        ? pin->source->level_at(pin->source, time_ns)
        : outer_level(pin);
    return level == LEVEL_OPEN ? pull_up_level : level;
}

int
mcu_pin_goes_on(const struct mcu *mcu, uint8_t number)
{
    const struct pin *pin = &mcu->pins[number];
    return pin->switch_state == SWITCH_NONE && pin->source
        && pin->source->level_at;
}

int
mcu_pin_needs_polls(const struct mcu *mcu, uint8_t number)
{
    const struct pin *pin = &mcu->pins[number];
    return pin->switch_state == SWITCH_NONE && pin->source
        && !pin->source->is_announcing;
}
