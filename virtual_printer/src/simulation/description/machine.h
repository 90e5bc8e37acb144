// All parts of one simulation, which a description describes
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MACHINE_H
#define MACHINE_H

#include "../core/timeline.h" // struct timeline
#include "../links/can_host.h" // struct can_receiver
#include "../mechanics/mechanics.h" // struct mechanics
#include "../thermal/thermal.h" // struct thermal

#pragma GCC visibility push(hidden)

struct accelerometer;
struct action;
struct angle_sensor;
struct beacon;
struct binding;
struct can_bus;
struct can_socket;
struct display;
struct fan;
struct filament_sensor;
struct ldc1612;
struct led_chain;
struct load_cell;
struct mcu;
struct output_chip;
struct recording;
struct tmc;
struct tmc_chain;

struct simulation {
    struct timeline timeline;
    struct mcu **mcus;
    size_t mcu_count;
    struct can_bus **can_buses;
    size_t can_bus_count;
    struct can_socket **can_sockets;
    size_t can_socket_count;
    struct can_receiver can_receiver; // the sockets
    struct mechanics mechanics;
    struct binding *binding; // NULL if its gantry never binds
    struct thermal thermal;
    struct tmc **drivers;
    size_t driver_count;
    struct tmc_chain **driver_chains;
    size_t driver_chain_count;
    struct fan *fans;
    struct filament_sensor *filament_sensors;
    struct display *displays;
    struct output_chip *output_chips;
    struct led_chain *led_chains;
    struct accelerometer **accelerometers;
    size_t accelerometer_count;
    struct load_cell **load_cells;
    size_t load_cell_count;
    struct ldc1612 **coils;
    size_t coil_count;
    struct angle_sensor **angle_sensors;
    size_t angle_sensor_count;
    struct beacon **beacons;
    size_t beacon_count;
    // Requests that wait for their time
    struct action *actions;
    struct recording *recording; // NULL if nothing is recorded
};

// Parts by name, NULL or -1 if there is none
struct mcu *machine_find_mcu(const struct simulation *sim, const char *name);
int machine_find_link(const struct simulation *sim, const char *device_path);
struct tmc *machine_find_driver(const struct simulation *sim, const char *name);
int machine_find_can_bus(const struct simulation *sim, const char *name);
struct display *machine_find_display(const struct simulation *sim,
                                     const char *name);
struct output_chip *machine_find_output_chip(const struct simulation *sim,
                                             const char *name);

void drivers_free(struct simulation *sim);

// description.c
int description_read(struct simulation *sim, const char *path, char *error,
                     size_t error_size);

#pragma GCC visibility pop

#endif // machine.h
