// Requests of a test: temperatures, and what breaks
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../description/machine.h" // struct simulation
#include "control.h" // struct reply

void
request_temperatures(struct simulation *sim, struct words *words,
                     struct reply *reply)
{
    (void)words;
    for (struct body *body = sim->thermal.bodies; body; body = body->next)
        reply_add(reply, " %s:%.6f", body->name, body_temperature_c(body));
}

void
request_temperature_sensor(struct simulation *sim, struct words *words,
                           struct reply *reply)
{
    static const char *const states[] = { "works", "open", "short" };
    (void)reply;
    const char *name = words_item(words, 1, "sensor");
    struct temperature_sensor *sensor =
        thermal_find_sensor(&sim->thermal, name);
    int state = words_choice(words, "state", states, 3);
    if (!sensor)
        words_fail(words, "unknown temperature sensor '%s'", name);
    else if (!words->error[0])
        sensor->state = (enum sensor_state)state;
}

// Have a heater lose a share of its power, or all of it
void
request_heater(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    const char *name = words_item(words, 1, "heater");
    double health = words_number(words, "power", 0.0, 1.0);
    words_check_used(words);
    if (!words->error[0] && !thermal_break_heaters(&sim->thermal, name, health))
        words_fail(words, "unknown heater '%s'", name);
}
