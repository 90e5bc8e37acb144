// What is connected to a pin: what it drives, and what drives it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef PIN_H
#define PIN_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t

#pragma GCC visibility push(hidden)

// What a pin does that nothing drives
#define PIN_FLOATS (-1.0)

// Something that a pin drives: a heater, a fan, the control pin of a probe.
// The duty is the share of time for which the pin is high from now on: 0 or
// 1, between them if the hardware of the MCU switches it, or PIN_FLOATS.
struct pin_load {
    struct pin_load *next; // on the same pin
    void (*drive)(struct pin_load *load, double duty);
};

enum { LEVEL_OPEN = -1 };

// Something that drives a pin: the output of another chip
struct pin_source {
    // 0, 1, or LEVEL_OPEN if it leaves the pin to its pull-up
    int (*level)(struct pin_source *source);
    // The same at a time since the last change that was announced, for a
    // signal that goes on by itself; NULL if it cannot be known before
    int (*level_at)(struct pin_source *source, int64_t time_ns);
    // Whether all changes are announced by pin_announce, but for those that
    // level_at shows
    uint8_t is_announcing;
    // When it will be low unless something is done to it, INT64_MAX if never;
    // NULL where nobody knows
    int64_t (*next_low_ns)(struct pin_source *source);
};

// Something that looks at a pin no more often than it has to
struct pin_watcher {
    struct pin_watcher *next; // of the same pin
    // The level may be another one from now on
    void (*before_change)(struct pin_watcher *watcher);
};

// A switch that connects a pin to a level
enum { SWITCH_NONE, SWITCH_LOW, SWITCH_HIGH };

// Something that sets the voltage of a pin
struct analog_source {
    // Share of the reference voltage, from 0 to 1
    double (*ratio)(struct analog_source *source);
};

// A chip that is asked over SPI while its select pin is active; one that no pin
// selects is alone on its bus
struct spi_device {
    struct spi_device *next; // of the same MCU that no pin selects
    uint32_t bus; // of such a one
    // Exchange bytes in place, from one selection of the chip to its end
    void (*transfer)(struct spi_device *device, uint8_t *bytes, size_t count);
};

// A chip on a wire that carries both directions, beside others
struct uart_device {
    struct uart_device *next; // on the same wire
    // Take what the MCU sends; returns the size of the answer, 0 if there is
    // none
    size_t (*exchange)(struct uart_device *device, const uint8_t *bytes,
                       size_t count, uint8_t *answer, size_t answer_size);
};

// A chip on an I2C bus.  Both functions return -1 if it does not acknowledge.
struct i2c_device {
    struct i2c_device *next; // of the same MCU
    uint32_t bus; // its number; those of software have numbers of their own
    uint8_t address;
    int (*write)(struct i2c_device *device, const uint8_t *bytes, size_t count);
    // A write of what comes first, then a read
    int (*read)(struct i2c_device *device, const uint8_t *bytes, size_t count,
                uint8_t *answer, size_t answer_size);
};

// A thermometer that is known by its number, wherever it is on the wire
struct one_wire_sensor {
    struct one_wire_sensor *next; // of the same MCU
    char *serial;
    // Returns -1 if it does not answer
    int (*read)(struct one_wire_sensor *sensor, double *temperature_c);
};

// A chip to which bytes are clocked out on pins, beside others
struct clocked_device {
    void (*write)(struct clocked_device *device, const uint8_t *bytes,
                  size_t count, int is_data);
};

// A pin with all that is connected to it; NULL where nothing is
struct pin {
    uint8_t level; // that the MCU has set
    double duty; // the same, or the share of time for which it is high
    // While software switches it: periods since a clock of the MCU, high at
    // first.  What is connected hears of each edge only if it needs to.
    uint32_t cycle_ticks, on_ticks; // zero while it is steady
    uint64_t cycle_clock;
    uint8_t needs_edges;
    struct pin_load *loads;
    uint8_t switch_state; // takes the place of the source
    struct pin_source *source;
    struct pin_watcher *watchers;
    struct clocked_device *clocked; // by this pin
    struct analog_source *analog;
    struct spi_device *selected; // by this pin
    struct uart_device *uarts;
};

// Connect something that the pin drives
void pin_load_connect(struct pin *pin, struct pin_load *load);
// Share of time for which that is on at a duty: boards have resistors which
// keep it off while its pin floats, whichever level it is on at
double pin_load_share(double duty, int is_inverted);

void pin_watch(struct pin *pin, struct pin_watcher *watcher);
void pin_unwatch(struct pin *pin, struct pin_watcher *watcher);
// Have those who watch a pin look at it, before its level changes
void pin_announce(struct pin *pin);

#pragma GCC visibility pop

#endif // pin.h
