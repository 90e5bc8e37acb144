// A TMC driver on a UART: datagrams with an address and a checksum
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/events.h" // container_of
#include "tmc.h" // struct tmc

enum { SYNC = 0x05, HOST_ADDRESS = 0xff, WRITE = 0x80 };
enum { REQUEST_SIZE = 4, DATAGRAM_SIZE = 8 };

static uint8_t
checksum(const uint8_t *bytes, size_t count)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < count; i++)
        for (int bit = 0; bit < 8; bit++) {
            int is_odd = sum >> 7 ^ (bytes[i] >> bit & 1);
            sum = (uint8_t)(sum << 1 ^ (is_odd ? 0x07 : 0));
        }
    return sum;
}

static int
is_selected(const struct tmc *tmc)
{
    for (size_t i = 0; i < tmc->select_count; i++)
        if (tmc->select_pins[i]->level != tmc->select_levels[i])
            return 0;
    return 1;
}

static size_t
answer_read(struct tmc *tmc, uint8_t address, uint8_t *answer)
{
    uint32_t value = tmc_read(tmc, address);
    answer[0] = SYNC;
    answer[1] = HOST_ADDRESS;
    answer[2] = address;
    for (int i = 0; i < 4; i++)
        answer[3 + i] = (uint8_t)(value >> (24 - 8 * i));
    answer[7] = checksum(answer, DATAGRAM_SIZE - 1);
    return DATAGRAM_SIZE;
}

size_t
tmc_exchange(struct uart_device *device, const uint8_t *bytes, size_t count,
             uint8_t *answer, size_t answer_size)
{
    struct tmc *tmc = container_of(device, struct tmc, uart);
    if (!tmc->is_powered || !is_selected(tmc) || count < REQUEST_SIZE
        || (bytes[0] & 0xf) != SYNC || bytes[1] != tmc->address
        || checksum(bytes, count - 1) != bytes[count - 1])
        return 0;
    if (count == DATAGRAM_SIZE && bytes[2] & WRITE) {
        uint32_t value = (uint32_t)bytes[3] << 24 | (uint32_t)bytes[4] << 16
            | (uint32_t)bytes[5] << 8 | bytes[6];
        tmc_write(tmc, bytes[2] & ~WRITE, value);
    } else if (count == REQUEST_SIZE && !(bytes[2] & WRITE)
               && answer_size >= DATAGRAM_SIZE) {
        return answer_read(tmc, bytes[2], answer);
    }
    return 0;
}
