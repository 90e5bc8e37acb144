// Faults on purpose of what measures how near the bed is
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef SENSING_H
#define SENSING_H

#pragma GCC visibility push(hidden)

struct mcu;

// Nothing is measured, the last value goes on, or as if the nozzle were on the
// bed
enum sensing_state {
    SENSING_WORKS,
    SENSING_SILENT,
    SENSING_STUCK,
    SENSING_NEAR,
    SENSING_COUNT,
};

struct sensing {
    const struct mcu *mcu; // that reads it
    enum sensing_state state;
    int is_held;
    double held_value;
};

// What a sensor says that measures a value now
double sensing_value(struct sensing *sensing, double measured);

#pragma GCC visibility pop

#endif // sensing.h
