// Chips with outputs that the host sets
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "output_chip.h" // struct output_chip
#include <stdlib.h> // free
#include <string.h> // strcmp
#include "../core/events.h" // container_of
#include "../core/memory.h" // allocate
#include "i2c_wires.h" // i2c_wires_free

static const struct output_chip_kind *const kinds[] = {
    &ad5206_kind,  &dac084s085_kind,      &mcp4018_kind, &mcp4451_kind,
    &mcp4728_kind, &pca9533_kind,         &pca9632_kind, &pca9685_kind,
    &sx1509_kind,  &shift_registers_kind,
};

// Let all that hangs on the outputs know of those that have changed
static void
update_outputs(struct output_chip *chip)
{
    for (int i = 0; i < chip->kind->output_count; i++) {
        struct pin *output = &chip->outputs[i];
        double share = chip->is_enabled ? chip->kind->share(chip, i) : 0.0;
        if (share == output->duty)
            continue;
        output->duty = share;
        for (struct pin_load *load = output->loads; load; load = load->next)
            load->drive(load, share);
    }
}

static void
take(struct output_chip *chip, const uint8_t *bytes, size_t count)
{
    chip->kind->write(chip, bytes, count);
    update_outputs(chip);
}

static void
transfer(struct spi_device *device, uint8_t *bytes, size_t count)
{
    take(container_of(device, struct output_chip, spi), bytes, count);
    memset(bytes, 0, count);
}

static int
write(struct i2c_device *device, const uint8_t *bytes, size_t count)
{
    take(container_of(device, struct output_chip, i2c), bytes, count);
    return 0;
}

static int
read(struct i2c_device *device, const uint8_t *bytes, size_t count,
     uint8_t *answer, size_t answer_size)
{
    struct output_chip *chip = container_of(device, struct output_chip, i2c);
    take(chip, bytes, count);
    for (size_t i = 0; i < answer_size; i++)
        answer[i] = (uint8_t)chip->registers[chip->pointer++];
    return 0;
}

static void
enable(struct pin_load *load, double duty)
{
    struct output_chip *chip = container_of(load, struct output_chip, enable);
    chip->is_enabled = pin_load_share(duty, chip->is_enable_inverted) > 0.0;
    update_outputs(chip);
}

void
output_chip_connect_enable(struct output_chip *chip, struct pin *pin,
                           int is_inverted)
{
    chip->is_enable_inverted = is_inverted;
    chip->is_enabled = 0;
    pin_load_connect(pin, &chip->enable);
    update_outputs(chip);
}

struct output_chip *
output_chip_create(const char *kind, const char *name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i]->name, kind))
            continue;
        struct output_chip *chip = allocate(1, sizeof(*chip));
        chip->name = copy_string(name);
        chip->kind = kinds[i];
        chip->spi.transfer = transfer;
        chip->i2c.write = write;
        chip->i2c.read = read;
        chip->enable.drive = enable;
        chip->is_enabled = 1;
        chip->kind->reset(chip);
        update_outputs(chip);
        return chip;
    }
    return NULL;
}

void
output_chip_free(struct output_chip *chip)
{
    i2c_wires_free(chip->wires);
    free(chip->name);
    free(chip);
}
