// Sensors that measure more often than a host wants to hear of it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef BULK_SENSOR_H
#define BULK_SENSOR_H

#include "i2c.h" // struct i2c
#include "mcu.h" // struct mcu_timer
#include "spi.h" // struct spi

#pragma GCC visibility push(hidden)

struct bulk_sensor;
struct trigger_analog;

enum { BULK_BYTES_MAX = 51 };
// In enumeration bus_oid_type
enum { BUS_SPI, BUS_I2C, BUS_NONE };

// A chip as the firmware knows it
struct bulk_chip {
    size_t object_size; // that begins with a bulk_sensor, 0 if that is all
    size_t bytes_per_sample, bytes_per_report;
    // How many bytes the chip holds that have not been read
    uint32_t (*pending)(struct bulk_sensor *sensor);
    // Note whether the chip has lost some, if that takes asking
    void (*note_overflow)(struct bulk_sensor *sensor);
    // Read what is due; returns whether there is more already
    int (*poll)(struct bulk_sensor *sensor);
    // Switch the chip on or off, where that is not left to the host
    void (*power)(struct bulk_sensor *sensor, int is_on);
    // Firmware before v0.13 reports under the chip's own name, and starts and
    // stops it by itself
    enum response old_data, old_status;
    void (*start)(struct bulk_sensor *sensor);
    void (*stop)(struct bulk_sensor *sensor);
};

struct bulk_sensor {
    const struct bulk_chip *chip;
    struct mcu *mcu;
    struct spi *spi; // or else it is on I2C, or has pins of its own
    struct i2c *i2c;
    uint8_t oid, model;
    // What is low while there is something to read, and what clocks it out
    uint8_t has_ready_pin, ready_pin, clock_pin;
    uint32_t rest_count; // periods from this poll to the next
    struct trigger_analog *trigger; // by what it measures, may be NULL
    struct mcu_timer timer;
    uint32_t rest_ticks;
    int is_start_due;
    uint16_t sequence, possible_overflows;
    uint8_t bytes[BULK_BYTES_MAX];
    size_t size;
};

// Make the object of an oid; returns NULL once it has shut down
struct bulk_sensor *bulk_sensor_add(struct mcu *mcu,
                                    const struct bulk_chip *chip, uint32_t oid,
                                    uint32_t bus_oid, uint32_t bus);
// Registers of the chip; flags go with the address
void bulk_sensor_read(struct bulk_sensor *sensor, uint8_t address,
                      uint8_t *bytes, size_t size);
void bulk_sensor_write(struct bulk_sensor *sensor, uint8_t address,
                       uint8_t value);
// The sensor of an oid; shuts down and returns NULL if there is none
struct bulk_sensor *bulk_sensor_find(struct mcu *mcu, uint32_t oid);
// Whether the firmware is from before v0.13
int bulk_sensor_is_of_old_firmware(const struct bulk_sensor *sensor);
// The next one from an oid on, NULL if there is none
struct bulk_sensor *bulk_sensor_next(struct mcu *mcu, uint32_t *oid);
int bulk_sensor_is_ready(const struct bulk_sensor *sensor);
// Add one value of four bytes to the report, which is sent when it is full
void bulk_sensor_add_value(struct bulk_sensor *sensor, uint32_t value);
// Send what has been gathered
void bulk_sensor_report(struct bulk_sensor *sensor);
// Bytes in the FIFO of a chip that has them in two registers, the higher first
uint32_t bulk_sensor_fifo_size(struct bulk_sensor *sensor, uint8_t address);
// Count an overflow if a register shows one of these bits
void bulk_sensor_note_overflow(struct bulk_sensor *sensor, uint8_t address,
                               uint8_t bits);
// Poll of a chip whose data register gives sample after sample
int bulk_sensor_poll_blocks(struct bulk_sensor *sensor, uint8_t address);

// What the commands of all sensors do: arguments are the oid, then the clock and
// rest_ticks
void bulk_sensor_command_query(struct mcu *mcu, const uint32_t *arguments);
void bulk_sensor_command_status(struct mcu *mcu, const uint32_t *arguments);
// Arguments are the oids of a sensor and of what is to be triggered by it
void bulk_sensor_command_attach(struct mcu *mcu, const uint32_t *arguments);

#pragma GCC visibility pop

#endif // bulk_sensor.h
