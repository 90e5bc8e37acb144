// Faults on purpose of what measures how near the bed is
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "sensing.h" // struct sensing

double
sensing_value(struct sensing *sensing, double measured)
{
    int is_stuck = sensing->state == SENSING_STUCK;
    if (!is_stuck || !sensing->is_held)
        sensing->held_value = measured;
    sensing->is_held = is_stuck;
    return sensing->held_value;
}
