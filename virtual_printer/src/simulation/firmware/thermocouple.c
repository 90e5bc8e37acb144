// Chips that convert a temperature, read by the virtual firmware over SPI
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu
#include "spi.h" // spi_exchange

static const struct object_type thermocouple_type = { "thermocouple" };

// Each kind of chip: which register has the temperature in how many bytes,
// and which has what is wrong. A chip without registers has both in one.
struct chip {
    uint8_t has_registers, value_register, value_size, fault_register;
    uint8_t fault_bits; // that tell of a fault
    uint8_t value_fault_bits; // the same, of the value
};

// In the order of the enumeration thermocouple_type
static const struct chip chips[] = {
    { 0, 0,    4, 0,    0,    0x07 }, // MAX31855
    { 1, 0x0c, 3, 0x0f, 0xff, 0    }, // MAX31856
    { 1, 0x01, 2, 0x07, 0xfc, 0x01 }, // MAX31865
    { 0, 0,    2, 0,    0,    0x06 }, // MAX6675
};
enum { CHIP_COUNT = sizeof(chips) / sizeof(chips[0]), VALUE_SIZE_MAX = 4 };

struct thermocouple {
    struct mcu *mcu;
    struct mcu_timer timer;
    struct spi *spi;
    const struct chip *chip;
    uint8_t oid, invalid_count, invalid_count_max;
    uint32_t rest_ticks, minimum, maximum;
};

// Read bytes as one number, behind the address of a register if there is one
static uint32_t
read_chip(const struct thermocouple *thermocouple, uint8_t address, size_t size)
{
    uint8_t bytes[1 + VALUE_SIZE_MAX] = { address };
    size_t skipped = thermocouple->chip->has_registers ? 1 : 0;
    spi_exchange(thermocouple->spi, bytes, skipped + size);
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[skipped + i];
    return value;
}

static void
check_range(struct thermocouple *thermocouple, uint32_t value, uint32_t fault)
{
    if (!fault && value >= thermocouple->minimum
        && value <= thermocouple->maximum) {
        thermocouple->invalid_count = 0;
        return;
    }
    // Hosts that want no check say so by a count of zero
    if (!thermocouple->invalid_count_max
        || ++thermocouple->invalid_count < thermocouple->invalid_count_max)
        return;
    thermocouple->invalid_count = 0;
    if (!thermocouple->mcu->is_shutdown)
        mcu_shutdown(thermocouple->mcu, REASON_THERMOCOUPLE_FAULT);
}

static enum timer_result
read_event(struct mcu_timer *timer)
{
    struct thermocouple *thermocouple =
        container_of(timer, struct thermocouple, timer);
    const struct chip *chip = thermocouple->chip;
    uint32_t value =
        read_chip(thermocouple, chip->value_register, chip->value_size);
    uint32_t fault = value & chip->value_fault_bits;
    if (chip->has_registers)
        fault |=
            read_chip(thermocouple, chip->fault_register, 1) & chip->fault_bits;
    timer->wake_clock += thermocouple->rest_ticks;
    MCU_RESPOND(thermocouple->mcu, RESPONSE_THERMOCOUPLE, thermocouple->oid,
                (uint32_t)timer->wake_clock, value, fault);
    check_range(thermocouple, value, fault);
    return TIMER_AGAIN;
}

static void
thermocouples_stop(struct mcu *mcu)
{
    struct thermocouple *thermocouple;
    uint32_t oid = 0;
    while ((thermocouple = mcu_object_next(mcu, &oid, &thermocouple_type)))
        mcu_timer_cancel(&thermocouple->timer);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_thermocouple(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t type = arguments[2] & 0xff;
    if (type >= CHIP_COUNT) {
        mcu_shutdown(mcu, REASON_THERMOCOUPLE_TYPE);
        return;
    }
    struct spi *spi = spi_find(mcu, arguments[1]);
    if (!spi)
        return;
    struct thermocouple *thermocouple = mcu_object_add(
        mcu, arguments[0], &thermocouple_type, sizeof(*thermocouple));
    if (!thermocouple)
        return;
    thermocouple->mcu = mcu;
    thermocouple->oid = (uint8_t)arguments[0];
    thermocouple->spi = spi;
    thermocouple->chip = &chips[type];
    mcu_timer_init(&thermocouple->timer, mcu, read_event);
}

static void
command_query_thermocouple(struct mcu *mcu, const uint32_t *arguments)
{
    struct thermocouple *thermocouple =
        mcu_object(mcu, arguments[0], &thermocouple_type);
    if (!thermocouple)
        return;
    mcu_timer_cancel(&thermocouple->timer);
    thermocouple->rest_ticks = arguments[2];
    if (!thermocouple->rest_ticks)
        return;
    thermocouple->minimum = arguments[3];
    thermocouple->maximum = arguments[4];
    thermocouple->invalid_count = 0;
    thermocouple->invalid_count_max = (uint8_t)arguments[5];
    mcu_timer_add(&thermocouple->timer, arguments[1]);
}

static const struct command commands[] = {
    { "config_thermocouple", command_config_thermocouple,
     "oid spi_oid thermocouple_type",                              0 },
    { "query_thermocouple",  command_query_thermocouple,
     "oid clock rest_ticks min_value max_value max_invalid_count", 0 },
};

const struct peripheral thermocouple_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = thermocouples_stop,
    .release = thermocouples_stop,
};
