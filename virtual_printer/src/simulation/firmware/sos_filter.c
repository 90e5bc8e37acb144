// Filters of second order sections, in fixed point numbers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "mcu.h" // struct mcu
#include "sos_filter.h" // struct sos_filter

enum { SECTIONS_MAX = 16, COEFFICIENT_COUNT = 5, INTEGER_BITS = 31 };

static const struct object_type sos_filter_type = { "sos_filter" };

// Coefficients b0, b1, b2, a1, a2
struct section {
    int32_t coefficients[COEFFICIENT_COUNT];
    int32_t state[2];
};

struct sos_filter {
    uint32_t section_limit, section_count;
    uint32_t fraction_bits, scale_fraction_bits;
    int32_t offset, scale;
    int is_offset_due; // the next value is to become zero
    struct section sections[SECTIONS_MAX];
};

struct sos_filter *
sos_filter_find(struct mcu *mcu, uint32_t oid)
{
    return mcu_object(mcu, oid, &sos_filter_type);
}

void
sos_filter_set_scale(struct sos_filter *filter, int32_t offset, int32_t scale,
                     uint32_t fraction_bits)
{
    filter->offset = offset;
    filter->scale = scale;
    filter->scale_fraction_bits = fraction_bits & 0x3f;
}


/****************************************************************
 * Filtering
 ****************************************************************/

// Multiply by a fixed point number, to the nearest; notes if it is too large
static int32_t
multiply(int32_t factor, int32_t value, uint32_t fraction_bits,
         int *is_too_large)
{
    int64_t product = (int64_t)factor * value;
    if (fraction_bits)
        product =
            (product + ((int64_t)1 << (fraction_bits - 1))) >> fraction_bits;
    if (product != (int32_t)product)
        *is_too_large = 1;
    return (int32_t)product;
}

// One section in the transposed direct form
static int32_t
apply_section(const struct sos_filter *filter, struct section *section,
              int32_t value, int *is_too_large)
{
    uint32_t bits = filter->fraction_bits;
    const int32_t *by = section->coefficients;
    int32_t result =
        (int32_t)((uint32_t)multiply(by[0], value, bits, is_too_large)
                  + (uint32_t)section->state[0]);
    section->state[0] =
        (int32_t)((uint32_t)multiply(by[1], value, bits, is_too_large)
                  - (uint32_t)multiply(by[3], result, bits, is_too_large)
                  + (uint32_t)section->state[1]);
    section->state[1] =
        (int32_t)((uint32_t)multiply(by[2], value, bits, is_too_large)
                  - (uint32_t)multiply(by[4], result, bits, is_too_large));
    return result;
}

int
sos_filter_apply(struct sos_filter *filter, int32_t *value)
{
    if (filter->is_offset_due)
        filter->offset = (int32_t)(0 - (uint32_t)*value);
    filter->is_offset_due = 0;
    int64_t moved = (int64_t)*value + filter->offset;
    int is_too_large = moved != (int32_t)moved;
    int32_t result = multiply(filter->scale, (int32_t)moved,
                              filter->scale_fraction_bits, &is_too_large);
    for (uint32_t i = 0; i < filter->section_count && !is_too_large; i++)
        result =
            apply_section(filter, &filter->sections[i], result, &is_too_large);
    *value = result;
    return is_too_large ? -1 : 0;
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_sos_filter(struct mcu *mcu, const uint32_t *arguments)
{
    uint32_t limit = arguments[1] & 0xff;
    if (limit > SECTIONS_MAX) {
        mcu_shutdown(mcu, REASON_FILTER_SECTION);
        return;
    }
    struct sos_filter *filter =
        mcu_object_add(mcu, arguments[0], &sos_filter_type, sizeof(*filter));
    if (filter)
        filter->section_limit = limit;
}

// A section that is set, and no filter while it is
static struct section *
find_section(struct mcu *mcu, const uint32_t *arguments)
{
    struct sos_filter *filter = sos_filter_find(mcu, arguments[0]);
    uint32_t index = arguments[1] & 0xff;
    if (!filter)
        return NULL;
    filter->section_count = 0;
    if (index < filter->section_limit)
        return &filter->sections[index];
    mcu_shutdown(mcu, REASON_FILTER_SECTION);
    return NULL;
}

static void
command_sos_filter_set_section(struct mcu *mcu, const uint32_t *arguments)
{
    struct section *section = find_section(mcu, arguments);
    for (int i = 0; section && i < COEFFICIENT_COUNT; i++)
        section->coefficients[i] = (int32_t)arguments[2 + i];
}

static void
command_sos_filter_set_state(struct mcu *mcu, const uint32_t *arguments)
{
    struct section *section = find_section(mcu, arguments);
    for (int i = 0; section && i < 2; i++)
        section->state[i] = (int32_t)arguments[2 + i];
}

static void
command_sos_filter_set_offset_scale(struct mcu *mcu, const uint32_t *arguments)
{
    struct sos_filter *filter = sos_filter_find(mcu, arguments[0]);
    if (!filter)
        return;
    sos_filter_set_scale(filter, (int32_t)arguments[1], (int32_t)arguments[2],
                         arguments[3]);
    filter->is_offset_due = (uint8_t)arguments[4];
}

static void
command_sos_filter_set_active(struct mcu *mcu, const uint32_t *arguments)
{
    struct sos_filter *filter = sos_filter_find(mcu, arguments[0]);
    uint32_t count = arguments[1] & 0xff, integer_bits = arguments[3] & 0x1f;
    if (!filter)
        return;
    if (count > filter->section_limit) {
        mcu_shutdown(mcu, REASON_FILTER_SECTION);
        return;
    }
    filter->section_count = count;
    // A host gives the bits before the point or those behind it
    filter->fraction_bits =
        integer_bits ? INTEGER_BITS - integer_bits : arguments[2] & 0x3f;
}

static const struct command commands[] = {
    { "config_sos_filter",           command_config_sos_filter,           "oid max_sections", 0 },
    { "sos_filter_set_section",      command_sos_filter_set_section,
     "oid section_idx sos0 sos1 sos2 sos3 sos4",                                              0 },
    { "sos_filter_set_state",        command_sos_filter_set_state,
     "oid section_idx state0 state1",                                                         0 },
    { "sos_filter_set_offset_scale", command_sos_filter_set_offset_scale,
     "oid offset scale scale_frac_bits auto_offset",                                          0 },
    { "sos_filter_set_active",       command_sos_filter_set_active,
     "oid n_sections coeff_frac_bits coeff_int_bits",                                         0 },
};

const struct peripheral sos_filter_peripheral = { COMMANDS_OF(commands) };
