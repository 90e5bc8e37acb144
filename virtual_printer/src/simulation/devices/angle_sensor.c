// Magnetic angle sensors at the shaft of a motor
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // floor
#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate
#include "../core/timeline.h" // struct timeline
#include "../mechanics/mechanics.h" // motor_position_mm
#include "angle_sensor.h" // struct angle_sensor

#define TURN 65536.0

// The angle of the shaft now, in 16 bits
static uint16_t
shaft_angle(struct angle_sensor *sensor)
{
    double turns = sensor->offset;
    if (sensor->motor)
        turns += motor_position_mm(sensor->motor) / sensor->turn_mm;
    return (uint16_t)(int32_t)((turns - floor(turns)) * TURN);
}

static int
parity(uint32_t bits)
{
    int odd = 0;
    for (; bits; bits &= bits - 1)
        odd = !odd;
    return odd;
}

static void
put_word(uint8_t *bytes, size_t count, uint16_t word)
{
    memset(bytes, 0, count);
    if (count > 0)
        bytes[0] = (uint8_t)(word >> 8);
    if (count > 1)
        bytes[1] = (uint8_t)word;
}


/****************************************************************
 * A1333 (Allegro): 15 bits of its register 0x32, one transfer later
 ****************************************************************/

static void
transfer_a1333(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct angle_sensor *sensor =
        container_of(device, struct angle_sensor, spi);
    uint16_t command = sensor->previous_command;
    sensor->previous_command = count ? bytes[0] : 0;
    put_word(bytes, count, command == 0x32 ? shaft_angle(sensor) >> 1 : 0);
}


/****************************************************************
 * AS5047D (ams): 14 bits with a parity bit, one transfer later
 ****************************************************************/

enum {
    AS5047D_ADDRESS_BITS = 0x3fff,
    AS5047D_DIAAGC = 0x3ffc,
    AS5047D_ANGLEUNC = 0x3ffe,
    AS5047D_ANGLECOM = 0x3fff,
    // The loop is settled, and the magnet neither strong nor weak
    AS5047D_DIAAGC_VALUE = 0x0180,
};

static void
transfer_as5047d(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct angle_sensor *sensor =
        container_of(device, struct angle_sensor, spi);
    uint16_t address = sensor->previous_command & AS5047D_ADDRESS_BITS;
    uint16_t word = 0;
    if (address == AS5047D_ANGLEUNC || address == AS5047D_ANGLECOM)
        word = shaft_angle(sensor) >> 2;
    else if (address == AS5047D_DIAAGC)
        word = AS5047D_DIAAGC_VALUE;
    if (parity(word))
        word |= 0x8000;
    sensor->previous_command =
        count > 1 ? (uint16_t)(bytes[0] << 8 | bytes[1]) : 0;
    put_word(bytes, count, word);
}


/****************************************************************
 * MT6816 (MagnTek): 14 bits in registers 3 and 4, with a parity bit
 ****************************************************************/

static uint8_t
read_mt6816(uint8_t address, uint16_t angle)
{
    uint16_t word = angle & 0xfffc;
    word |= (uint16_t)parity(word);
    if (address == 0x03)
        return (uint8_t)(word >> 8);
    return address == 0x04 ? (uint8_t)word : 0;
}

static void
transfer_mt6816(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct angle_sensor *sensor =
        container_of(device, struct angle_sensor, spi);
    uint16_t angle = shaft_angle(sensor);
    uint8_t address = count ? bytes[0] & 0x7f : 0;
    for (size_t i = 0; i < count; i++)
        bytes[i] = i ? read_mt6816(address++, angle) : 0;
}


/****************************************************************
 * MT6826S (MagnTek): 15 bits, state and checksum from register 3 on
 ****************************************************************/

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

static void
transfer_mt6826s(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct angle_sensor *sensor =
        container_of(device, struct angle_sensor, spi);
    uint16_t angle = shaft_angle(sensor) & 0xfffe;
    uint8_t registers[] = { (uint8_t)(angle >> 8), (uint8_t)angle, 0, 0 };
    registers[3] = checksum_mt6826s(registers, 3);
    size_t address = count > 1 ? (size_t)(bytes[0] & 0x0f) << 8 | bytes[1] : 0;
    for (size_t i = 0; i < count; i++) {
        size_t place = address + i - 2 - 3;
        bytes[i] = i >= 2 && place < sizeof(registers) ? registers[place] : 0;
    }
}


/****************************************************************
 * TLE5012B (Infineon): 15 bits, and the count of its own frames
 ****************************************************************/

// Its registers, in 16 bits each
enum {
    TLE5012B_STATUS = 0x00,
    TLE5012B_ANGLE = 0x02,
    TLE5012B_REVOLUTIONS = 0x04,
    TLE5012B_FRAME = 0x05,
    TLE5012B_MODE_1 = 0x06,
    TLE5012B_MODE_2 = 0x08,
};
enum { TLE5012B_READ = 0x8000, TLE5012B_NEW_ANGLE = 0x8000 };
// No error in the safety word, and the lower bits of the sensor's number
enum { TLE5012B_SAFETY = 0xfe };
#define TLE5012B_COUNTS_HZ 750000.0 // 32 in a frame of 42.7 us
#define TLE5012B_25_C (-83)

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

// Counts of a frame's parts since the start
static uint64_t
counts_tle5012b(const struct angle_sensor *sensor)
{
    double elapsed_s = (double)sensor->timeline->now_ns / NS_PER_S;
    return (uint64_t)(elapsed_s * TLE5012B_COUNTS_HZ * sensor->clock_factor);
}

static uint16_t
read_tle5012b(struct angle_sensor *sensor, int address)
{
    uint64_t counts = counts_tle5012b(sensor), frame = counts >> 5;
    uint16_t word;
    switch (address) {
    case TLE5012B_STATUS: return 0;
    case TLE5012B_ANGLE:
        word = shaft_angle(sensor) >> 1;
        if (frame != sensor->reported_frame)
            word |= TLE5012B_NEW_ANGLE;
        sensor->reported_frame = frame;
        return word;
    case TLE5012B_REVOLUTIONS: return (uint16_t)((frame & 0x3f) << 9);
    case TLE5012B_FRAME:
        return (uint16_t)((counts & 0x1f) << 9 | (TLE5012B_25_C & 0x1ff));
    default: return sensor->registers[address & 0x3f];
    }
}

// A command, so many words, and the safety word with a checksum over all.
// Both directions have one wire, so what is written is read as well.
static void
transfer_tle5012b(struct spi_device *device, uint8_t *bytes, size_t count)
{
    struct angle_sensor *sensor =
        container_of(device, struct angle_sensor, spi);
    if (count < 4)
        return;
    uint16_t command = (uint16_t)(bytes[0] << 8 | bytes[1]);
    int address = command >> 4 & 0x3f, word_count = command & 0x0f;
    size_t end = 2 + 2 * (size_t)word_count;
    for (size_t i = 2; i < end && i + 1 < count; i += 2, address++)
        if (command & TLE5012B_READ)
            put_word(bytes + i, 2, read_tle5012b(sensor, address));
        else
            sensor->registers[address & 0x3f] =
                (uint16_t)(bytes[i] << 8 | bytes[i + 1]);
    if (end + 2 > count)
        return;
    bytes[end] = TLE5012B_SAFETY;
    bytes[end + 1] = checksum_tle5012b(bytes, end);
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static const struct {
    const char *name;
    void (*transfer)(struct spi_device *device, uint8_t *bytes, size_t count);
} kinds[] = {
    { "a1333",    transfer_a1333    },
    { "as5047d",  transfer_as5047d  },
    { "mt6816",   transfer_mt6816   },
    { "mt6826s",  transfer_mt6826s  },
    { "tle5012b", transfer_tle5012b },
};

struct angle_sensor *
angle_sensor_create(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].name, kind))
            continue;
        struct angle_sensor *sensor = allocate(1, sizeof(*sensor));
        sensor->spi.transfer = kinds[i].transfer;
        // Those of a TLE5012B after power-on
        sensor->registers[TLE5012B_MODE_1] = 0x8001;
        sensor->registers[TLE5012B_MODE_2] = 0x0800;
        return sensor;
    }
    return NULL;
}

void
angle_sensor_free(struct angle_sensor *sensor)
{
    free(sensor);
}
