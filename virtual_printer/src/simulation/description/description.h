// What the parts of reading a description share
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef DESCRIPTION_H
#define DESCRIPTION_H

#include "../core/words.h" // struct words

#pragma GCC visibility push(hidden)

struct can_bus;
struct delay_line;
struct i2c_device;
struct pin;
struct simulation;
struct spi_device;

// Read a whole file and put a zero behind it; NULL if that fails
uint8_t *description_file(const char *path, size_t *size);

// description_mcu.c
struct mcu *description_mcu(struct simulation *sim, struct words *words,
                            const char *name);
void read_mcu(struct simulation *sim, struct words *words, int line);
void read_link(struct simulation *sim, struct words *words, int line);
// Delays of two directions, the first one's under a key, and their jitter
void read_delays(struct words *words, struct delay_line *outward,
                 const char *outward_key, struct delay_line *to_host);
void read_message(struct simulation *sim, struct words *words, int line);
void read_voltage(struct simulation *sim, struct words *words, int line);
void read_memory_word(struct simulation *sim, struct words *words, int line);

// description_can.c
void read_can_bus(struct simulation *sim, struct words *words, int line);
void read_can_node(struct simulation *sim, struct words *words, int line);
// Settings that can change while the bus is in use
void read_disturbances(struct can_bus *bus, struct words *words);

// description_mechanics.c
void read_carriage(struct simulation *sim, struct words *words, int line);
void read_stepper(struct simulation *sim, struct words *words, int line);
void read_rod(struct simulation *sim, struct words *words, int line);
void read_polar(struct simulation *sim, struct words *words, int line);
void read_stop(struct simulation *sim, struct words *words, int line);
void read_endstop(struct simulation *sim, struct words *words, int line);
void read_bed(struct simulation *sim, struct words *words, int line);
void read_binding(struct simulation *sim, struct words *words, int line);

// description_thermal.c
void read_body(struct simulation *sim, struct words *words, int line);
void read_coupling(struct simulation *sim, struct words *words, int line);
void read_heater(struct simulation *sim, struct words *words, int line);
void read_cooler(struct simulation *sim, struct words *words, int line);
void read_temperature_sensor(struct simulation *sim, struct words *words,
                             int line);

// description_drivers.c
void read_driver(struct simulation *sim, struct words *words, int line);

// description_outputs.c
// The pin that keys name; never NULL, but nobody's after an error
struct pin *description_pin(struct simulation *sim, struct words *words,
                            const char *mcu_key, const char *pin_key);
// The same for mcu and pin, which may be an output of another chip
struct pin *description_output(struct simulation *sim, struct words *words);
void read_output_chip(struct simulation *sim, struct words *words, int line);
void read_led_chain(struct simulation *sim, struct words *words, int line);
void outputs_free(struct simulation *sim);

// description_devices.c
void read_switch(struct simulation *sim, struct words *words, int line);
void read_fan(struct simulation *sim, struct words *words, int line);
void read_filament_sensor(struct simulation *sim, struct words *words,
                          int line);
void read_display(struct simulation *sim, struct words *words, int line);
void devices_free(struct simulation *sim);

// description_sensors.c
// Connect a chip to the select pin or else the I2C bus that is given
void description_connect(struct simulation *sim, struct words *words,
                         struct spi_device *spi, struct i2c_device *i2c);
void read_resonance(struct simulation *sim, struct words *words, int line);
void read_accelerometer(struct simulation *sim, struct words *words, int line);
void read_nozzle(struct simulation *sim, struct words *words, int line);
void read_load_cell(struct simulation *sim, struct words *words, int line);
void read_coil(struct simulation *sim, struct words *words, int line);
void read_cartographer(struct simulation *sim, struct words *words, int line);
void read_angle_sensor(struct simulation *sim, struct words *words, int line);

// description_beacon.c
void read_beacon(struct simulation *sim, struct words *words, int line);

#pragma GCC visibility pop

#endif // description.h
