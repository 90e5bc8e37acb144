// SPI buses, for other parts of the firmware that ask chips on them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef SPI_H
#define SPI_H

#include <stddef.h> // size_t
#include <stdint.h> // uint8_t

#pragma GCC visibility push(hidden)

struct mcu;
struct spi;

// The chip of an oid; shuts down and returns NULL if there is none
struct spi *spi_find(struct mcu *mcu, uint32_t oid);
// Exchange bytes in place; a chip that is not there answers zeros
void spi_exchange(struct spi *spi, uint8_t *bytes, size_t count);

#pragma GCC visibility pop

#endif // spi.h
