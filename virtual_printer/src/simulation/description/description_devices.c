// Switches, fans and displays in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/memory.h" // copy_string
#include "../devices/display.h" // struct display
#include "../devices/fan.h" // struct fan
#include "../devices/filament_sensor.h" // struct filament_sensor
#include "../firmware/mcu.h" // struct mcu
#include "description.h" // description_mcu
#include "machine.h" // struct simulation

void
read_switch(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct pin *pin = description_pin(sim, words, "mcu", "pin");
    int64_t level = words_integer(words, "level", 0, 1);
    if (!words->error[0])
        pin->switch_state = level ? SWITCH_HIGH : SWITCH_LOW;
}

void
read_fan(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct pin *pin = description_output(sim, words);
    struct pin *tachometer_pin =
        description_pin(sim, words, "tachometer_mcu", "tachometer_pin");
    struct fan fan = {
        .next = sim->fans,
        .timeline = &sim->timeline,
        .is_inverted = (int)words_integer(words, "invert", 0, 1),
        .edges_per_s_max = words_number(words, "edges_per_s", 0.0, 1e6),
        .spin_up_s = words_number(words, "spin_up_s", 1e-3, 1e3),
    };
    if (words->error[0])
        return;
    sim->fans = allocate(1, sizeof(fan));
    *sim->fans = fan;
    fan_connect(sim->fans, pin, tachometer_pin);
}

void
read_filament_sensor(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct pin *pin = description_pin(sim, words, "mcu", "pin");
    const char *name = words_text(words, "stepper");
    struct filament_sensor sensor = {
        .next = sim->filament_sensors,
        .motor = mechanics_find_motor_by_name(&sim->mechanics, name),
        .edge_mm = words_number(words, "edge_mm", 1e-3, 1e3),
    };
    if (!sensor.motor)
        words_fail(words, "unknown stepper '%s'", name);
    if (words->error[0])
        return;
    sim->filament_sensors = allocate(1, sizeof(sensor));
    *sim->filament_sensors = sensor;
    filament_sensor_connect(sim->filament_sensors, pin);
}

// How a display is connected depends on its kind
static void
connect_display(struct simulation *sim, struct display *display,
                struct words *words)
{
    if (words_find(words, "i2c_address")) {
        description_connect(sim, words, NULL, &display->i2c);
        return;
    }
    struct pin *pin = description_pin(sim, words, "mcu", "pin");
    if (display->kind == DISPLAY_HD44780 || display->kind == DISPLAY_ST7920)
        pin->clocked = &display->clocked;
    else
        pin->selected = &display->spi;
    if (display->kind >= DISPLAY_UC1701)
        display->data_pin = description_pin(sim, words, "mcu", "data_pin");
}

void
read_display(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *name = words_item(words, 1, "name");
    if (machine_find_display(sim, name))
        words_fail(words, "display '%s' is there twice", name);
    int kind =
        words_choice(words, "kind", display_kind_names, DISPLAY_KIND_COUNT);
    int columns = (int)words_integer_or(words, "columns", 1, TEXT_COLUMNS_MAX,
                                        TEXT_COLUMNS_MAX);
    int first_column = (int)words_integer_or(words, "first_column", 0, 3, 0);
    if (words->error[0])
        return;
    struct display *display = allocate(1, sizeof(*display));
    display->next = sim->displays;
    sim->displays = display;
    display->name = copy_string(name);
    display->kind = (enum display_kind)kind;
    display->column_count = columns;
    display->paged.first_column = first_column;
    display_reset(display);
    connect_display(sim, display, words);
}

void
devices_free(struct simulation *sim)
{
    while (sim->fans) {
        struct fan *fan = sim->fans;
        sim->fans = fan->next;
        free(fan);
    }
    while (sim->filament_sensors) {
        struct filament_sensor *sensor = sim->filament_sensors;
        sim->filament_sensors = sensor->next;
        free(sensor);
    }
    while (sim->displays) {
        struct display *display = sim->displays;
        sim->displays = display->next;
        free(display->name);
        free(display);
    }
}
