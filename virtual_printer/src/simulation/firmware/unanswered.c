// Chips that firmware speaks to and that nobody has modelled
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "mcu.h" // struct mcu

void
unanswered_note(struct mcu *mcu, int kind, uint32_t place, uint8_t address)
{
    struct unanswered **end = &mcu->unanswered;
    for (; *end; end = &(*end)->next)
        if ((*end)->kind == kind && (*end)->place == place
            && (*end)->address == address)
            return;
    *end = allocate(1, sizeof(**end));
    (*end)->kind = kind;
    (*end)->place = place;
    (*end)->address = address;
}

void
unanswered_free(struct mcu *mcu)
{
    while (mcu->unanswered) {
        struct unanswered *first = mcu->unanswered;
        mcu->unanswered = first->next;
        free(first);
    }
}
