// An LDC1612 as firmware reads it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "coil_chip.h" // COIL_VALUE_BYTES

enum {
    DATA0_MSB = 0x00,
    DATA0_LSB = 0x01,
    STATUS = 0x18,
    STATUS_UNREAD = 0x0008,
};

uint16_t
coil_chip_status(struct bulk_sensor *sensor)
{
    uint8_t status[2] = { 0 };
    bulk_sensor_read(sensor, STATUS, status, sizeof(status));
    return (uint16_t)(status[0] << 8 | status[1]);
}

int
coil_chip_has_unread(uint16_t status)
{
    return !!(status & STATUS_UNREAD);
}

uint32_t
coil_chip_read(struct bulk_sensor *sensor, uint8_t *bytes)
{
    bulk_sensor_read(sensor, DATA0_MSB, bytes, 2);
    bulk_sensor_read(sensor, DATA0_LSB, bytes + 2, 2);
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16
        | (uint32_t)bytes[2] << 8 | bytes[3];
}

uint32_t
coil_chip_pending(struct bulk_sensor *sensor)
{
    int is_unread = sensor->has_ready_pin
        ? bulk_sensor_is_ready(sensor)
        : coil_chip_has_unread(coil_chip_status(sensor));
    return is_unread ? COIL_VALUE_BYTES : 0;
}
