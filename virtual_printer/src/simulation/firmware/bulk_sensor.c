// Sensors that measure more often than a host wants to hear of it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "bulk_sensor.h" // struct bulk_sensor
#include "trigger_analog.h" // trigger_analog_find

static const struct object_type bulk_sensor_type = { "bulk_sensor" };

#define READ_BIT 0x80


struct bulk_sensor *
bulk_sensor_find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &bulk_sensor_type);
}

struct bulk_sensor *
bulk_sensor_next(struct mcu *mcu, uint32_t *oid)
{
    return mcu_object_next(mcu, oid, &bulk_sensor_type);
}


/****************************************************************
 * The chip
 ****************************************************************/

int
bulk_sensor_is_ready(const struct bulk_sensor *sensor)
{
    return !mcu_pin_level(sensor->mcu, sensor->ready_pin, 1);
}

void
bulk_sensor_read(struct bulk_sensor *sensor, uint8_t address, uint8_t *bytes,
                 size_t size)
{
    if (!sensor->spi) {
        if (i2c_chip_read(sensor->i2c, &address, 1, bytes, size) < 0)
            mcu_shutdown(sensor->mcu, REASON_I2C_NACK);
        return;
    }
    uint8_t exchange[BULK_BYTES_MAX + 1] = { address | READ_BIT };
    spi_exchange(sensor->spi, exchange, size + 1);
    memcpy(bytes, exchange + 1, size);
}

void
bulk_sensor_write(struct bulk_sensor *sensor, uint8_t address, uint8_t value)
{
    uint8_t bytes[] = { address, value };
    if (sensor->spi)
        spi_exchange(sensor->spi, bytes, sizeof(bytes));
    else if (i2c_chip_write(sensor->i2c, bytes, sizeof(bytes)) < 0)
        mcu_shutdown(sensor->mcu, REASON_I2C_NACK);
}


/****************************************************************
 * Reports
 ****************************************************************/

int
bulk_sensor_is_of_old_firmware(const struct bulk_sensor *sensor)
{
    return !sensor->mcu->has_response[RESPONSE_SENSOR_BULK_STATUS];
}

void
bulk_sensor_report(struct bulk_sensor *sensor)
{
    MCU_RESPOND_BYTES(
        sensor->mcu,
        bulk_sensor_is_of_old_firmware(sensor) ? sensor->chip->old_data
                                               : RESPONSE_SENSOR_BULK_DATA,
        sensor->bytes, sensor->size, sensor->oid, sensor->sequence);
    sensor->sequence++;
    sensor->size = 0;
}

static void
report_status(struct bulk_sensor *sensor)
{
    if (sensor->chip->note_overflow)
        sensor->chip->note_overflow(sensor);
    uint32_t clock = (uint32_t)mcu_clock_now(sensor->mcu);
    uint32_t pending = sensor->chip->pending(sensor);
    uint32_t size = (uint32_t)sensor->size;
    // To ask the chip takes no time here
    if (bulk_sensor_is_of_old_firmware(sensor))
        MCU_RESPOND(sensor->mcu, sensor->chip->old_status, sensor->oid, clock,
                    0, sensor->sequence, size,
                    pending / (uint32_t)sensor->chip->bytes_per_sample,
                    sensor->possible_overflows);
    else
        MCU_RESPOND(sensor->mcu, RESPONSE_SENSOR_BULK_STATUS, sensor->oid,
                    clock, 0, sensor->sequence, size + pending,
                    sensor->possible_overflows);
}

void
bulk_sensor_add_value(struct bulk_sensor *sensor, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        sensor->bytes[sensor->size++] = (uint8_t)(value >> (8 * i));
    if (sensor->size + 4 > BULK_BYTES_MAX)
        bulk_sensor_report(sensor);
}

uint32_t
bulk_sensor_fifo_size(struct bulk_sensor *sensor, uint8_t address)
{
    uint8_t count[2] = { 0 };
    bulk_sensor_read(sensor, address, count, sizeof(count));
    return (uint32_t)(count[0] & 0x1f) << 8 | count[1];
}

void
bulk_sensor_note_overflow(struct bulk_sensor *sensor, uint8_t address,
                          uint8_t bits)
{
    uint8_t status = 0;
    bulk_sensor_read(sensor, address, &status, 1);
    if (status & bits)
        sensor->possible_overflows++;
}

int
bulk_sensor_poll_blocks(struct bulk_sensor *sensor, uint8_t address)
{
    size_t size = sensor->chip->bytes_per_report;
    if (sensor->chip->pending(sensor) < size)
        return 0;
    bulk_sensor_read(sensor, address, sensor->bytes, size);
    sensor->size = size;
    bulk_sensor_report(sensor);
    return 1;
}


/****************************************************************
 * Polling
 ****************************************************************/

// When to poll again: not before there is something to read, if that is known
static uint64_t
next_poll(struct bulk_sensor *sensor)
{
    struct mcu *mcu = sensor->mcu;
    uint64_t rest_ticks = sensor->rest_ticks;
    uint64_t clock = mcu_clock_now(mcu) + rest_ticks * sensor->rest_count;
    sensor->rest_count = 1;
    struct pin_source *source =
        sensor->has_ready_pin ? mcu->pins[sensor->ready_pin].source : NULL;
    if (!source || !source->next_low_ns)
        return clock;
    int64_t ready_ns = source->next_low_ns(source);
    if (ready_ns == INT64_MAX)
        ready_ns = mcu->timeline->now_ns + NS_PER_S;
    uint64_t ready_clock = mcu_clock_at(mcu, ready_ns);
    if (ready_clock > clock)
        clock +=
            (ready_clock - clock + rest_ticks - 1) / rest_ticks * rest_ticks;
    return clock;
}

static enum timer_result
poll_event(struct mcu_timer *timer)
{
    struct bulk_sensor *sensor = container_of(timer, struct bulk_sensor, timer);
    if (sensor->is_start_due)
        sensor->chip->start(sensor);
    else
        while (sensor->chip->poll(sensor) && !sensor->mcu->is_interrupted)
            ;
    sensor->is_start_due = 0;
    timer->wake_clock = next_poll(sensor);
    return TIMER_AGAIN;
}

// Firmware before v0.13 sends what is left, and its state
static void
end_query(struct bulk_sensor *sensor)
{
    if (!bulk_sensor_is_of_old_firmware(sensor))
        return;
    sensor->chip->stop(sensor);
    if (sensor->size)
        bulk_sensor_report(sensor);
    report_status(sensor);
}

void
bulk_sensor_command_query(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, arguments[0]);
    uint32_t clock = arguments[1], rest_ticks = arguments[2];
    if (!sensor)
        return;
    mcu_timer_cancel(&sensor->timer);
    if (!bulk_sensor_is_of_old_firmware(sensor) && sensor->chip->power)
        sensor->chip->power(sensor, rest_ticks != 0);
    if (!rest_ticks) {
        end_query(sensor);
        return;
    }
    sensor->rest_ticks = rest_ticks;
    sensor->sequence = sensor->possible_overflows = 0;
    sensor->size = 0;
    sensor->rest_count = 1;
    sensor->is_start_due = bulk_sensor_is_of_old_firmware(sensor);
    if (sensor->is_start_due)
        mcu_timer_add(&sensor->timer, clock);
    else
        mcu_timer_start(&sensor->timer, mcu_clock_now(mcu) + rest_ticks);
}


void
bulk_sensor_command_status(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, arguments[0]);
    if (sensor)
        report_status(sensor);
}

void
bulk_sensor_command_attach(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, arguments[0]);
    if (sensor)
        sensor->trigger = trigger_analog_find(mcu, arguments[1]);
}


/****************************************************************
 * Objects
 ****************************************************************/

struct bulk_sensor *
bulk_sensor_add(struct mcu *mcu, const struct bulk_chip *chip, uint32_t oid,
                uint32_t bus_oid, uint32_t bus)
{
    struct spi *spi = bus == BUS_SPI ? spi_find(mcu, bus_oid) : NULL;
    struct i2c *i2c = bus == BUS_I2C ? i2c_find(mcu, bus_oid) : NULL;
    if (!spi && !i2c && bus != BUS_NONE)
        return NULL;
    struct bulk_sensor *sensor =
        mcu_object_add(mcu, oid, &bulk_sensor_type,
                       chip->object_size ? chip->object_size : sizeof(*sensor));
    if (!sensor)
        return NULL;
    sensor->chip = chip;
    sensor->mcu = mcu;
    sensor->spi = spi;
    sensor->i2c = i2c;
    sensor->oid = (uint8_t)oid;
    mcu_timer_init(&sensor->timer, mcu, poll_event);
    return sensor;
}

static void
bulk_sensors_shutdown(struct mcu *mcu)
{
    struct bulk_sensor *sensor;
    uint32_t oid = 0;
    while ((sensor = bulk_sensor_next(mcu, &oid)))
        mcu_timer_cancel(&sensor->timer);
}

const struct peripheral bulk_sensor_peripheral = {
    .shutdown = bulk_sensors_shutdown,
};
