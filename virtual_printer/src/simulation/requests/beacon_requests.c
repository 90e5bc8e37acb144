// Requests of a test: what becomes of a Beacon
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../firmware/beacon.h" // struct beacon
#include "control.h" // requested_mcu

// Break its coil, and say how far that is from the bed
void
request_beacon(struct simulation *sim, struct words *words, struct reply *reply)
{
    static const char *const states[] = {
        [BEACON_WORKS] = "works",
        [BEACON_BROKEN] = "broken",
    };
    struct mcu *mcu = requested_mcu(sim, words);
    if (mcu && !mcu->beacon) {
        words_fail(words, "mcu '%s' is no beacon", mcu->name);
        return;
    }
    int state = BEACON_WORKS;
    int has_state = words_find(words, "state") != NULL;
    if (has_state)
        state = words_choice(words, "state", states, 2);
    if (words->error[0])
        return;
    if (has_state)
        mcu->beacon->state = (enum beacon_state)state;
    reply_add(reply, " %.9f", coil_distance_mm(&mcu->beacon->coil));
}
