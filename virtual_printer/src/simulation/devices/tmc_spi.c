// TMC drivers on SPI: datagrams of 40 bits, also through a chain of chips
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// Each chip is a shift register.  What it says goes out while the next
// datagram comes in, so that an answer is one transfer late.

#include <stdlib.h> // free
#include <string.h> // memcpy
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate
#include "tmc.h" // struct tmc_chain

enum { DATAGRAM_SIZE = 5, WRITE = 0x80 };

static uint8_t
state_bits(struct tmc *tmc)
{
    return (uint8_t)((tmc->values[TMC_GSTAT] & 3)
                     | (uint32_t)tmc_is_stalled(tmc) << 2
                     | (uint32_t)tmc_is_at_rest(tmc) << 3);
}

// Let bytes pass through a chip, in place; what stays in it is its datagram
static void
pass_through(struct tmc *tmc, uint8_t *bytes, size_t count, uint8_t *datagram)
{
    uint8_t held[DATAGRAM_SIZE] = { 0 };
    if (tmc) {
        held[0] = state_bits(tmc);
        for (int i = 0; i < 4; i++)
            held[1 + i] = (uint8_t)(tmc->answer >> (24 - 8 * i));
    }
    for (size_t i = 0; i < count; i++) {
        uint8_t out = held[i % DATAGRAM_SIZE];
        held[i % DATAGRAM_SIZE] = bytes[i];
        bytes[i] = tmc && !tmc->is_powered ? 0 : out;
    }
    for (size_t i = 0; i < DATAGRAM_SIZE; i++)
        datagram[i] = held[(count + i) % DATAGRAM_SIZE];
}

static void
execute(struct tmc *tmc, const uint8_t *datagram)
{
    uint32_t value = (uint32_t)datagram[1] << 24 | (uint32_t)datagram[2] << 16
        | (uint32_t)datagram[3] << 8 | datagram[4];
    uint8_t address = datagram[0] & (uint8_t)~WRITE;
    if (datagram[0] & WRITE)
        tmc_write(tmc, address, value);
    tmc->answer = datagram[0] & WRITE ? value : tmc_read(tmc, address);
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct tmc_chain *chain = container_of(device, struct tmc_chain, spi);
    for (size_t i = 0; i < chain->length; i++) {
        struct tmc *tmc = chain->chips[i];
        uint8_t datagram[DATAGRAM_SIZE];
        pass_through(tmc, bytes, count, datagram);
        if (tmc && tmc->is_powered && count >= DATAGRAM_SIZE)
            execute(tmc, datagram);
    }
}

struct tmc_chain *
tmc_chain_create(size_t length)
{
    struct tmc_chain *chain = allocate(1, sizeof(*chain));
    chain->spi.transfer = transfer;
    chain->chips = allocate(length, sizeof(chain->chips[0]));
    chain->length = length;
    return chain;
}

void
tmc_chain_free(struct tmc_chain *chain)
{
    free(chain->chips);
    free(chain);
}
