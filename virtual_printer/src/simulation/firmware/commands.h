// Commands of the virtual firmware, and the peripherals that have them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stddef.h> // size_t
#include <stdint.h> // uint32_t

#pragma GCC visibility push(hidden)

struct mcu;

enum { ARGUMENT_COUNT_MAX = 16 };

// Arguments reach run() in the order in which they are named here, whatever
// their order on the wire; what the firmware of another age lacks is zero.
// In the place of bytes is how many they are, see argument_bytes.
struct command {
    const char *name;
    void (*run)(struct mcu *mcu, const uint32_t *arguments);
    const char *arguments;
    uint8_t is_allowed_in_shutdown;
};

// A command as a host sends it
struct wire_command {
    const struct command *command; // NULL if there is none
    uint8_t argument_count;
    uint8_t places[ARGUMENT_COUNT_MAX];
    uint8_t are_bytes[ARGUMENT_COUNT_MAX];
};

// A part of the firmware with commands of its own
struct peripheral {
    const struct command *commands;
    size_t command_count;
    // Stop at once, and set outputs to their safe values
    void (*shutdown)(struct mcu *mcu);
    // Let go of what is outside of the MCU, before the objects go
    void (*release)(struct mcu *mcu);
};
#define COMMANDS_OF(list) \
    .commands = (list), .command_count = sizeof(list) / sizeof((list)[0])

// Of the parts themselves, in the order in which they are shut down
extern const struct peripheral stepper_peripheral, trsync_peripheral,
    endstop_peripheral, digital_out_peripheral, distance_peripheral,
    can_peripheral, spi_peripheral, i2c_peripheral, adc_peripheral,
    thermocouple_peripheral, ds18b20_peripheral, memory_peripheral,
    tmcuart_peripheral, sercom_peripheral, pwm_out_peripheral,
    counter_peripheral, buttons_peripheral, neopixel_peripheral,
    screen_peripheral, bulk_sensor_peripheral, adxl345_peripheral,
    lis2dw_peripheral, mpu9250_peripheral, icm20948_peripheral,
    bmi160_peripheral, sos_filter_peripheral, trigger_analog_peripheral,
    hx71x_peripheral, ads1220_peripheral, ldc1612_peripheral, angle_peripheral,
    ads131m0x_peripheral, beacon_peripheral, beacon_accel_peripheral,
    cartographer_peripheral, ldc1612_ng_peripheral;

const struct command *command_find(const char *name);
// Place of an argument among those of a command, -1 if it has none such
int command_place(const struct command *command, const char *name,
                  size_t length);
// Run all commands of a block
void command_dispatch(struct mcu *mcu, const uint8_t *payload, size_t size);
void peripherals_shutdown(struct mcu *mcu);
void peripherals_release(struct mcu *mcu);

#pragma GCC visibility pop

#endif // commands.h
