// A TMC2660 on SPI: datagrams of 20 bits, each of which writes a register
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/events.h" // container_of
#include "tmc.h" // struct tmc

enum { DATAGRAM_SIZE = 3, DATAGRAM_BITS = 20 };
enum { DRVCTRL, SGCSCONF = 0x6, DRVCONF = 0x7 };

// Twenty bits: a value that a setting chooses, then flags
static uint32_t
response(struct tmc *tmc)
{
    uint32_t load = tmc_load_2(tmc), value = 0;
    uint32_t scale = tmc->values[SGCSCONF] & 0x1f;
    switch (tmc->values[DRVCONF] >> 4 & 3) {
    case 0: value = tmc_status_value(tmc, TMC_MSCNT); break;
    case 1: value = load; break;
    case 2: value = (load >> 5) << 5 | scale; break;
    }
    return value << 10 | (uint32_t)tmc_is_at_rest(tmc) << 7
        | (uint32_t)tmc_is_stalled(tmc);
}

// The first bits say which register the others are for
static void
execute(struct tmc *tmc, uint32_t datagram)
{
    uint8_t address = datagram >> 18 ? (uint8_t)(datagram >> 17) : DRVCTRL;
    tmc_write(tmc, address, datagram & 0x1ffff);
}

void
tmc2660_transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct tmc_chain *chain = container_of(device, struct tmc_chain, spi);
    struct tmc *tmc = chain->chips[0];
    uint32_t held = tmc->is_powered ? response(tmc) : 0;
    for (size_t i = 0; i < count; i++) {
        uint8_t in = bytes[i];
        bytes[i] = (uint8_t)(held >> (DATAGRAM_BITS - 8));
        held = (held << 8 | in) & ((1u << DATAGRAM_BITS) - 1);
    }
    if (tmc->is_powered && count >= DATAGRAM_SIZE)
        execute(tmc, held);
    for (size_t i = 0; !tmc->is_powered && i < count; i++)
        bytes[i] = 0;
}
