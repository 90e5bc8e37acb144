// CAN buses and the nodes on them in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <ctype.h> // isxdigit
#include "../core/memory.h" // array_grow
#include "../firmware/mcu.h" // struct mcu
#include "../links/can_host.h" // can_host_create
#include "../links/can_load.h" // can_load_create
#include "../links/can_node.h" // can_node_create
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

#define STANDARD_ID_MAX 0x7ff
// The rest of the time is the least that arbitration leaves to others
#define SHARE_MAX 0.99

static struct can_bus *
add_bus(struct simulation *sim, const char *name)
{
    size_t index = sim->can_bus_count;
    struct can_bus **place =
        array_grow(&sim->can_buses, &sim->can_bus_count, sizeof(*place));
    struct can_bus *bus = *place = can_bus_create(&sim->timeline, name, index);
    bus->host = can_host_create(bus, index, &sim->can_receiver);
    bus->load = can_load_create(bus, index);
    return bus;
}

void
read_disturbances(struct can_bus *bus, struct words *words)
{
    double error_rate =
        words_number_or(words, "error_rate", 0.0, 1.0, bus->error_rate);
    double share =
        words_number_or(words, "load", 0.0, SHARE_MAX, bus->load->share);
    int64_t id =
        words_integer_or(words, "load_id", 0, STANDARD_ID_MAX, bus->load->id);
    words_check_used(words);
    if (words->error[0])
        return;
    bus->error_rate = error_rate;
    can_load_set(bus->load, share, (uint32_t)id);
}

void
read_can_bus(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "name");
    if (machine_find_can_bus(sim, name) >= 0)
        words_fail(words, "can_bus '%s' is there twice", name);
    struct can_bus *bus = add_bus(sim, name);
    double bit_rate = words_number(words, "bit_rate", 1e4, 1e6);
    double data_rate = words_number_or(words, "data_rate", 0.0, 1e7, 0.0);
    can_bus_set_rates(bus, bit_rate, data_rate);
    read_delays(words, &bus->host->to_bus, "to_bus_us", &bus->host->to_sockets);
    read_disturbances(bus, words);
}

static void
read_uuid(struct words *words, uint8_t uuid[CAN_UUID_SIZE])
{
    const char *text = words_text(words, "uuid");
    char *end;
    uint64_t number = strtoull(text, &end, 16);
    if (*end || strlen(text) != 2 * CAN_UUID_SIZE
        || !isxdigit((unsigned char)text[0]))
        words_fail(words, "uuid is not %d hex digits: '%s'", 2 * CAN_UUID_SIZE,
                   text);
    for (int i = 0; i < CAN_UUID_SIZE; i++)
        uuid[i] = (uint8_t)(number >> (8 * (CAN_UUID_SIZE - 1 - i)));
}

void
read_can_node(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_item(words, 1, "mcu"));
    const char *name = words_text(words, "bus");
    int bus = machine_find_can_bus(sim, name);
    if (bus < 0)
        words_fail(words, "unknown can_bus '%s'", name);
    uint8_t uuid[CAN_UUID_SIZE];
    read_uuid(words, uuid);
    if (mcu && mcu->link.transport)
        words_fail(words,
                   can_node_of(&mcu->link)
                       ? "mcu '%s' is on a bus already"
                       : "mcu '%s' has a device and is on a can_bus",
                   mcu->name);
    if (!words->error[0])
        can_node_create(&mcu->link, sim->can_buses[bus], mcu->name, uuid);
}
