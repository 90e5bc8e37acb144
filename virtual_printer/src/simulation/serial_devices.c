// The host's side of links: serial devices
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "description/machine.h" // struct simulation
#include "firmware/mcu.h" // struct mcu
#include "links/serial_port.h" // struct serial_port
#include "simulation.h" // link_open

static struct serial_port *
find_port(const struct simulation *sim, int link)
{
    return serial_port_of(&sim->mcus[link]->link);
}

int
simulation_find_link(struct simulation *sim, const char *device_path)
{
    return machine_find_link(sim, device_path);
}

void
link_open(struct simulation *sim, int link, int64_t now_ns)
{
    timeline_catch_up(&sim->timeline, now_ns);
    serial_port_set_open(find_port(sim, link), 1);
}

void
link_close(struct simulation *sim, int link, int64_t now_ns)
{
    timeline_catch_up(&sim->timeline, now_ns);
    serial_port_set_open(find_port(sim, link), 0);
}

void
link_write(struct simulation *sim, int link, const uint8_t *data, size_t size,
           int64_t now_ns)
{
    timeline_catch_up(&sim->timeline, now_ns);
    serial_port_write(find_port(sim, link), data, size);
}

size_t
link_readable(struct simulation *sim, int link)
{
    return find_port(sim, link)->readable.size;
}

size_t
link_read(struct simulation *sim, int link, uint8_t *data, size_t size)
{
    return serial_port_read(find_port(sim, link), data, size);
}

int
link_is_hung_up(struct simulation *sim, int link)
{
    return sim->mcus[link]->link.is_hung_up;
}
