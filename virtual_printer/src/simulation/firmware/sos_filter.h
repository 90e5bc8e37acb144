// Filters of second order sections, in fixed point numbers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef SOS_FILTER_H
#define SOS_FILTER_H

#include <stdint.h> // int32_t

#pragma GCC visibility push(hidden)

struct mcu;
struct sos_filter;

// The filter of an oid; shuts down and returns NULL if there is none
struct sos_filter *sos_filter_find(struct mcu *mcu, uint32_t oid);
// Values are moved by the offset and multiplied by scale / 2^fraction_bits
// before they are filtered
void sos_filter_set_scale(struct sos_filter *filter, int32_t offset,
                          int32_t scale, uint32_t fraction_bits);
// Filter a value in place; returns -1 if it gets too large
int sos_filter_apply(struct sos_filter *filter, int32_t *value);

#pragma GCC visibility pop

#endif // sos_filter.h
