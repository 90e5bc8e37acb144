// Magnetic angle sensors of the virtual firmware
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "bulk_sensor.h" // struct bulk_sensor

// In enumeration spi_angle_type
enum kind { A1333, AS5047D, TLE5012B, MT6816, MT6826S, KIND_COUNT };
enum { SAMPLE_BYTES = 3, OLD_REPORT_BYTES = 48 };
// In the place of the time, with what is wrong
enum { TIME_ERROR = 0xff };
enum {
    ERROR_SCHEDULE = 1,
    ERROR_CHECKSUM = 3,
    ERROR_REPEATED = 4,
    ERROR_NO_ANGLE = 5
};
// A TLE5012B counts its frames up to 64: later than that, a count says nothing
#define FRAMES_NS 1365333

struct angle {
    struct bulk_sensor sensor;
    uint8_t time_shift;
};

// What a chip says: its angle, or what is wrong; and the time if it has a clock
struct reading {
    uint16_t angle;
    uint8_t error, has_time, time;
};

static struct reading
measured(uint16_t angle)
{
    return (struct reading){ .angle = angle };
}

static struct reading
failed(uint8_t error)
{
    return (struct reading){ .error = error };
}

static int
parity(uint32_t bits)
{
    int odd = 0;
    for (; bits; bits &= bits - 1)
        odd = !odd;
    return odd;
}

static struct reading
read_a1333(struct spi *spi)
{
    uint8_t bytes[] = { 0x32, 0x00 };
    spi_exchange(spi, bytes, sizeof(bytes));
    uint16_t angle = (uint16_t)(bytes[0] << 9 | bytes[1] << 1);
    return bytes[0] & 0x80 ? failed(ERROR_CHECKSUM) : measured(angle);
}

static struct reading
read_as5047d(struct spi *spi)
{
    uint8_t ask[] = { 0x7f, 0xfe }, bytes[] = { 0xc0, 0x00 };
    spi_exchange(spi, ask, sizeof(ask));
    spi_exchange(spi, bytes, sizeof(bytes));
    uint16_t angle = (uint16_t)(bytes[0] << 10 | bytes[1] << 2);
    if (parity((uint32_t)bytes[0] << 8 | bytes[1]))
        return failed(ERROR_CHECKSUM);
    return bytes[0] & 0x40 ? failed(ERROR_NO_ANGLE) : measured(angle);
}

static struct reading
read_mt6816(struct spi *spi)
{
    uint8_t bytes[] = { 0x83, 0x00, 0x00 };
    spi_exchange(spi, bytes, sizeof(bytes));
    uint16_t angle = (uint16_t)(bytes[1] << 8 | (bytes[2] & 0xfc));
    if (parity((uint32_t)bytes[1] << 8 | bytes[2]))
        return failed(ERROR_CHECKSUM);
    return bytes[2] & 0x02 ? failed(ERROR_NO_ANGLE) : measured(angle);
}

static uint8_t
checksum_mt6826s(const uint8_t *bytes, size_t count)
{
    uint8_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            value = (uint8_t)(value << 1 ^ (value & 0x80 ? 0x07 : 0));
    }
    return value;
}

static struct reading
read_mt6826s(struct spi *spi)
{
    uint8_t bytes[] = { 0x30, 0x03, 0x00, 0x00, 0x00, 0x00 };
    spi_exchange(spi, bytes, sizeof(bytes));
    uint16_t angle = (uint16_t)(bytes[2] << 8 | bytes[3]);
    if (checksum_mt6826s(bytes + 2, 3) != bytes[5])
        return failed(ERROR_CHECKSUM);
    return bytes[4] & 0x02 ? failed(ERROR_NO_ANGLE) : measured(angle);
}

static uint8_t
checksum_tle5012b(const uint8_t *bytes, size_t count)
{
    uint8_t value = 0xff;
    for (size_t i = 0; i < count; i++) {
        value ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            value = (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1d : 0));
    }
    return (uint8_t)~value;
}

// Its angle, speed, and count of frames, as they were when it was selected
static struct reading
read_tle5012b(struct spi *spi)
{
    uint8_t bytes[10] = { 0x84, 0x23 };
    spi_exchange(spi, bytes, sizeof(bytes));
    const uint8_t command[] = { 0x84, 0x23 };
    memcpy(bytes, command, sizeof(command));
    uint16_t angle = (uint16_t)(bytes[2] << 9 | bytes[3] << 1);
    if (checksum_tle5012b(bytes, 8) != bytes[9])
        return failed(ERROR_CHECKSUM);
    if (!(bytes[8] & 0x10))
        return failed(ERROR_NO_ANGLE);
    if (!(bytes[2] & 0x80))
        return failed(ERROR_REPEATED);
    return (struct reading){ .angle = angle,
                             .has_time = 1,
                             .time = bytes[6] >> 1 & 0x3f };
}

static struct reading (*const read_chip[KIND_COUNT])(struct spi *spi) = {
    [A1333] = read_a1333,       [AS5047D] = read_as5047d,
    [TLE5012B] = read_tle5012b, [MT6816] = read_mt6816,
    [MT6826S] = read_mt6826s,
};

// Add a sample: its time since it was due, and the angle
static void
add_sample(struct angle *angle, uint64_t late_ticks)
{
    struct bulk_sensor *sensor = &angle->sensor;
    struct reading reading = read_chip[sensor->model](sensor->spi);
    uint64_t time = late_ticks >> angle->time_shift;
    int is_late = reading.has_time
        ? late_ticks > mcu_ticks_from_ns(sensor->mcu, FRAMES_NS)
        : time >= TIME_ERROR;
    if (!reading.error && is_late)
        reading.error = ERROR_SCHEDULE;
    if (reading.has_time)
        time = reading.time;
    uint16_t value = reading.error ? reading.error : reading.angle;
    sensor->bytes[sensor->size] = reading.error ? TIME_ERROR : (uint8_t)time;
    sensor->bytes[sensor->size + 1] = (uint8_t)value;
    sensor->bytes[sensor->size + 2] = (uint8_t)(value >> 8);
    sensor->size += SAMPLE_BYTES;
    size_t limit = bulk_sensor_is_of_old_firmware(sensor) ? OLD_REPORT_BYTES
                                                          : BULK_BYTES_MAX;
    if (sensor->size + SAMPLE_BYTES > limit)
        bulk_sensor_report(sensor);
}

static enum timer_result
sample_event(struct mcu_timer *timer)
{
    struct bulk_sensor *sensor = container_of(timer, struct bulk_sensor, timer);
    add_sample(container_of(sensor, struct angle, sensor),
               mcu_clock_now(sensor->mcu) - timer->wake_clock);
    timer->wake_clock += sensor->rest_ticks;
    return TIMER_AGAIN;
}


/****************************************************************
 * Commands
 ****************************************************************/

static const struct bulk_chip chip = {
    .object_size = sizeof(struct angle),
    .old_data = RESPONSE_SPI_ANGLE_DATA,
};

static void
command_config_spi_angle(struct mcu *mcu, const uint32_t *arguments)
{
    uint8_t kind = (uint8_t)arguments[2];
    if (kind >= KIND_COUNT) {
        mcu_shutdown(mcu, REASON_ANGLE_CHIP_TYPE);
        return;
    }
    struct bulk_sensor *sensor =
        bulk_sensor_add(mcu, &chip, arguments[0], arguments[1], BUS_SPI);
    if (!sensor)
        return;
    sensor->model = kind;
    mcu_timer_init(&sensor->timer, mcu, sample_event);
}

static void
command_query_spi_angle(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, arguments[0]);
    if (!sensor || sensor->chip != &chip)
        return;
    mcu_timer_cancel(&sensor->timer);
    sensor->rest_ticks = arguments[2];
    if (!sensor->rest_ticks) {
        if (sensor->size && bulk_sensor_is_of_old_firmware(sensor))
            bulk_sensor_report(sensor);
        MCU_RESPOND(mcu, RESPONSE_SPI_ANGLE_END, sensor->oid, sensor->sequence);
        return;
    }
    container_of(sensor, struct angle, sensor)->time_shift =
        (uint8_t)arguments[3];
    sensor->sequence = 0;
    sensor->size = 0;
    mcu_timer_add(&sensor->timer, arguments[1]);
}

static void
command_spi_angle_transfer(struct mcu *mcu, const uint32_t *arguments)
{
    struct bulk_sensor *sensor = bulk_sensor_find(mcu, arguments[0]);
    uint8_t bytes[BLOCK_SIZE_MAX];
    if (!sensor)
        return;
    memcpy(bytes, mcu->argument_bytes[1], arguments[1]);
    spi_exchange(sensor->spi, bytes, arguments[1]);
    MCU_RESPOND_BYTES(mcu, RESPONSE_SPI_ANGLE_TRANSFER, bytes, arguments[1],
                      sensor->oid, (uint32_t)mcu_clock_now(mcu));
}

static const struct command commands[] = {
    { "config_spi_angle",   command_config_spi_angle,
     "oid spi_oid spi_angle_type",                                  0 },
    { "query_spi_angle",    command_query_spi_angle,
     "oid clock rest_ticks time_shift",                             0 },
    { "spi_angle_transfer", command_spi_angle_transfer, "oid data", 0 },
};

const struct peripheral angle_peripheral = { COMMANDS_OF(commands) };
