// What a pin drives, and watching what drives it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "pin.h" // struct pin

void
pin_load_connect(struct pin *pin, struct pin_load *load)
{
    load->next = pin->loads;
    pin->loads = load;
}

double
pin_load_share(double duty, int is_inverted)
{
    if (duty < 0.0)
        return 0.0;
    return is_inverted ? 1.0 - duty : duty;
}

void
pin_watch(struct pin *pin, struct pin_watcher *watcher)
{
    watcher->next = pin->watchers;
    pin->watchers = watcher;
}

void
pin_unwatch(struct pin *pin, struct pin_watcher *watcher)
{
    struct pin_watcher **place = &pin->watchers;
    while (*place && *place != watcher)
        place = &(*place)->next;
    if (*place)
        *place = watcher->next;
}

void
pin_announce(struct pin *pin)
{
    struct pin_watcher *watcher = pin->watchers;
    for (; watcher; watcher = watcher->next)
        watcher->before_change(watcher);
}
