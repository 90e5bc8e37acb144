// Finding the parts of a simulation by their names
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "../devices/display.h" // struct display
#include "../devices/output_chip.h" // struct output_chip
#include "../devices/tmc.h" // struct tmc
#include "../firmware/mcu.h" // struct mcu
#include "../links/serial_port.h" // serial_port_of
#include "machine.h" // struct simulation

struct mcu *
machine_find_mcu(const struct simulation *sim, const char *name)
{
    for (size_t i = 0; i < sim->mcu_count; i++)
        if (!strcmp(sim->mcus[i]->name, name))
            return sim->mcus[i];
    return NULL;
}

// Ports of a path that a host could open now; those that it has passed by
// come into question again by a second look
static int
find_closed(const struct simulation *sim, const char *device_path,
            int is_passed)
{
    for (size_t i = 0; i < sim->mcu_count; i++) {
        const struct serial_port *port = serial_port_of(&sim->mcus[i]->link);
        if (port && !port->is_open && port->is_passed == is_passed
            && !strcmp(port->device_path, device_path))
            return (int)i;
    }
    return -1;
}

// Placeholders in printer.cfg may give several micro-controllers one path.
// A host opens these in the order of their sections and leaves them open,
// so an open port is somebody else's.  It resets some by opening and closing
// them in silence: after that it is the next one's turn, until all had theirs.
int
machine_find_link(const struct simulation *sim, const char *device_path)
{
    int found = find_closed(sim, device_path, 0);
    if (found < 0)
        found = find_closed(sim, device_path, 1);
    for (size_t i = 0; i < sim->mcu_count && found < 0; i++) {
        const struct serial_port *port = serial_port_of(&sim->mcus[i]->link);
        if (port && !strcmp(port->device_path, device_path))
            found = (int)i;
    }
    return found;
}

int
machine_find_can_bus(const struct simulation *sim, const char *name)
{
    for (size_t i = 0; i < sim->can_bus_count; i++)
        if (!strcmp(sim->can_buses[i]->name, name))
            return (int)i;
    return -1;
}

struct tmc *
machine_find_driver(const struct simulation *sim, const char *name)
{
    for (size_t i = 0; i < sim->driver_count; i++)
        if (!strcmp(sim->drivers[i]->name, name))
            return sim->drivers[i];
    return NULL;
}

void
drivers_free(struct simulation *sim)
{
    for (size_t i = 0; i < sim->driver_count; i++)
        tmc_free(sim->drivers[i]);
    for (size_t i = 0; i < sim->driver_chain_count; i++)
        tmc_chain_free(sim->driver_chains[i]);
    free(sim->drivers);
    free(sim->driver_chains);
}

struct display *
machine_find_display(const struct simulation *sim, const char *name)
{
    struct display *display = sim->displays;
    while (display && strcmp(display->name, name))
        display = display->next;
    return display;
}

struct output_chip *
machine_find_output_chip(const struct simulation *sim, const char *name)
{
    struct output_chip *chip = sim->output_chips;
    while (chip && strcmp(chip->name, name))
        chip = chip->next;
    return chip;
}
