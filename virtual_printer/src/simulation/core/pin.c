// Watching what drives a pin
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "pin.h" // struct pin

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
