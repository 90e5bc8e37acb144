// SPI buses of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memset
#include "mcu.h" // struct mcu
#include "spi.h" // spi_exchange

static const struct object_type spi_type = { "spi" };
static const struct object_type spi_shutdown_type = { "spi_shutdown" };

// Numbers of buses from here on are those of software, by their pins
enum { SPI_SOFTWARE_BUSES = 1 << 16 };

struct spi {
    struct mcu *mcu;
    // Chips are told apart by their select pin, those without one by their bus
    uint8_t has_pin, pin;
    uint32_t bus;
};

// What is sent to a chip when the MCU shuts down
struct spi_shutdown {
    struct spi *spi;
    size_t size;
    uint8_t bytes[BLOCK_SIZE_MAX];
};

struct spi *
spi_find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &spi_type);
}

static struct spi_device *
find_device(const struct spi *spi)
{
    if (spi->has_pin)
        return spi->mcu->pins[spi->pin].selected;
    struct spi_device *device = spi->mcu->spi_devices;
    while (device && device->bus != spi->bus)
        device = device->next;
    return device;
}

void
spi_exchange(struct spi *spi, uint8_t *bytes, size_t count)
{
    struct spi_device *device = find_device(spi);
    if (device) {
        device->transfer(device, bytes, count);
    } else {
        memset(bytes, 0, count);
        if (spi->has_pin)
            unanswered_note(spi->mcu, UNANSWERED_SPI, spi->pin, 0);
        else
            unanswered_note(spi->mcu, UNANSWERED_SPI_BUS, spi->bus, 0);
    }
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_spi(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi =
        mcu_object_add(mcu, arguments[0], &spi_type, sizeof(*spi));
    if (!spi)
        return;
    spi->mcu = mcu;
    spi->has_pin = 1;
    spi->pin = (uint8_t)arguments[1];
    mcu_pin_set(mcu, spi->pin, !(uint8_t)arguments[2]);
}

static void
command_config_spi_without_cs(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi =
        mcu_object_add(mcu, arguments[0], &spi_type, sizeof(*spi));
    if (spi)
        spi->mcu = mcu;
}

// How the bytes travel makes no difference to the chips
static void
command_spi_set_bus(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi = spi_find(mcu, arguments[0]);
    if (spi)
        spi->bus = arguments[1];
}

// What is sent, and its clock, tell chips apart that no pin selects
static void
command_spi_set_software_bus(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi = spi_find(mcu, arguments[0]);
    if (spi)
        spi->bus = SPI_SOFTWARE_BUSES + ((arguments[3] & 0xff) << 8)
            + (arguments[2] & 0xff);
}

static void
command_spi_send(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi = spi_find(mcu, arguments[0]);
    uint8_t bytes[BLOCK_SIZE_MAX];
    if (!spi)
        return;
    memcpy(bytes, mcu->argument_bytes[1], arguments[1]);
    spi_exchange(spi, bytes, arguments[1]);
}

static void
command_spi_transfer(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi = spi_find(mcu, arguments[0]);
    uint8_t bytes[BLOCK_SIZE_MAX];
    if (!spi)
        return;
    memcpy(bytes, mcu->argument_bytes[1], arguments[1]);
    spi_exchange(spi, bytes, arguments[1]);
    MCU_RESPOND_BYTES(mcu, RESPONSE_SPI_TRANSFER, bytes, arguments[1],
                      arguments[0] & 0xff);
}

static void
command_config_spi_shutdown(struct mcu *mcu, const uint32_t *arguments)
{
    struct spi *spi = spi_find(mcu, arguments[1]);
    if (!spi)
        return;
    struct spi_shutdown *shutdown = mcu_object_add(
        mcu, arguments[0], &spi_shutdown_type, sizeof(*shutdown));
    if (!shutdown)
        return;
    shutdown->spi = spi;
    shutdown->size = arguments[2];
    memcpy(shutdown->bytes, mcu->argument_bytes[2], arguments[2]);
}

static void
spi_shutdowns_send(struct mcu *mcu)
{
    struct spi_shutdown *shutdown;
    uint32_t oid = 0;
    while ((shutdown = mcu_object_next(mcu, &oid, &spi_shutdown_type))) {
        uint8_t bytes[BLOCK_SIZE_MAX];
        memcpy(bytes, shutdown->bytes, shutdown->size);
        spi_exchange(shutdown->spi, bytes, shutdown->size);
    }
}

static const struct command commands[] = {
    { "config_spi",            command_config_spi,            "oid pin cs_active_high", 0 },
    { "config_spi_without_cs", command_config_spi_without_cs, "oid",                    0 },
    { "spi_set_bus",           command_spi_set_bus,           "oid spi_bus mode rate",  0 },
    { "spi_set_software_bus",  command_spi_set_software_bus,
     "oid miso_pin mosi_pin sclk_pin mode rate",                                        0 },
    { "spi_set_sw_bus",        command_spi_set_software_bus,
     "oid miso_pin mosi_pin sclk_pin mode pulse_ticks",                                 0 },
    { "spi_send",              command_spi_send,              "oid data",               0 },
    { "spi_transfer",          command_spi_transfer,          "oid data",               0 },
    { "config_spi_shutdown",   command_config_spi_shutdown,
     "oid spi_oid shutdown_msg",                                                        0 },
};

const struct peripheral spi_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = spi_shutdowns_send,
};
