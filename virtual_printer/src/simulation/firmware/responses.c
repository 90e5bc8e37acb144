// What the firmware says: its responses, and why it shuts down
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "responses.h" // RESPONSES

#define KIND(response, name, value_count, presence) \
    [response] = { name, value_count, presence },
const struct response_kind response_kinds[RESPONSE_COUNT] = { RESPONSES(KIND) };

#define TEXT(reason, text) [reason] = text,
const char *const reason_texts[REASON_COUNT] = { REASONS(TEXT) };

int
response_find(const char *name)
{
    for (int i = 0; i < RESPONSE_COUNT; i++)
        if (!strcmp(response_kinds[i].name, name))
            return i;
    return -1;
}
