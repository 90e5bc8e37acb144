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
    for (struct pin_load *load = mcu->pins[pin].loads; load; load = load->next)
        load->drive(load, duty);
}

void
mcu_pin_set(struct mcu *mcu, uint8_t pin, int level)
{
    mcu->pins[pin].level = !!level;
    mcu_pin_drive(mcu, pin, level ? 1.0 : 0.0);
    bltouches_feel(mcu->mechanics, mcu, pin, !!level);
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

int
mcu_pin_level(const struct mcu *mcu, uint8_t pin, int pull_up_level)
{
    struct pin_source *source = mcu->pins[pin].source;
    int level = source ? source->level(source) : LEVEL_OPEN;
    return level == LEVEL_OPEN ? pull_up_level : level;
}
