// Triggers by what a sensor measures
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef TRIGGER_ANALOG_H
#define TRIGGER_ANALOG_H

#include <stdint.h> // int32_t

#pragma GCC visibility push(hidden)

struct mcu;
struct trigger_analog;

// The trigger of an oid; shuts down and returns NULL if there is none
struct trigger_analog *trigger_analog_find(struct mcu *mcu, uint32_t oid);
// A sensor has measured a value, or failed; the trigger may be NULL
void trigger_analog_update(struct trigger_analog *trigger, int32_t value);
void trigger_analog_fail(struct trigger_analog *trigger, uint8_t code);

#pragma GCC visibility pop

#endif // trigger_analog.h
