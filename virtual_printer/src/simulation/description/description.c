// Reading the description file of a simulation
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdio.h> // fopen
#include <string.h> // strcmp
#include "../core/memory.h" // copy_string
#include "../core/recorder.h" // recorder_open
#include "../firmware/mcu.h" // struct mcu
#include "../links/can_node.h" // can_node_of
#include "description.h" // read_mcu
#include "machine.h" // struct simulation

struct directive {
    const char *name;
    int pass; // others may have to be read before
    void (*read)(struct simulation *sim, struct words *words, int line);
};


/****************************************************************
 * Files
 ****************************************************************/

// Read a whole file and put a zero behind it; NULL if that fails
uint8_t *
description_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct byte_queue content = { NULL, 0, 0, 0 };
    uint8_t buffer[4096];
    size_t count;
    while ((count = fread(buffer, 1, sizeof(buffer), file)) > 0)
        byte_queue_append(&content, buffer, count);
    int is_failed = ferror(file);
    fclose(file);
    *size = content.size;
    byte_queue_append(&content, "", 1);
    if (!is_failed)
        return content.storage;
    free(content.storage);
    return NULL;
}


/****************************************************************
 * The whole
 ****************************************************************/

enum { PASS_COUNT = 4 };
#define STIFFNESS_G_PER_MM 1000.0
static const struct resonance RESONANCE_DEFAULT = { 50.0, 0.1 };

static void
read_seed(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    sim->timeline.seed = (uint64_t)words_parse_integer(
        words, "seed", words_item(words, 1, "number"), 0, INT64_MAX);
}

static void
read_record(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *path = words_item(words, 1, "file");
    double every_s = words_number(words, "every_s", 1e-6, 1e6);
    if (words->error[0])
        return;
    sim->timeline.record_every_ns = (int64_t)(every_s * NS_PER_S + 0.5);
    sim->timeline.recorder = recorder_open(path);
    if (!sim->timeline.recorder)
        words_fail(words, "cannot write '%s'", path);
}

static const struct directive directives[] = {
    { "seed",               0, read_seed               },
    { "record",             0, read_record             },
    { "mcu",                1, read_mcu                },
    { "can_bus",            1, read_can_bus            },
    { "carriage",           1, read_carriage           },
    { "message",            2, read_message            },
    { "link",               2, read_link               },
    { "can_node",           2, read_can_node           },
    { "stepper",            2, read_stepper            },
    { "rod",                2, read_rod                },
    { "polar",              2, read_polar              },
    { "endstop",            2, read_endstop            },
    { "bed",                2, read_bed                },
    { "binding",            2, read_binding            },
    { "body",               1, read_body               },
    { "voltage",            2, read_voltage            },
    { "memory_word",        2, read_memory_word        },
    { "coupling",           2, read_coupling           },
    { "output_chip",        2, read_output_chip        },
    { "led_chain",          2, read_led_chain          },
    { "heater",             3, read_heater             },
    { "cooler",             3, read_cooler             },
    { "temperature_sensor", 2, read_temperature_sensor },
    { "stop",               2, read_stop               },
    { "driver",             3, read_driver             },
    { "switch",             2, read_switch             },
    { "fan",                3, read_fan                },
    { "display",            2, read_display            },
    { "filament_sensor",    3, read_filament_sensor    },
    { "resonance",          2, read_resonance          },
    { "accelerometer",      2, read_accelerometer      },
    { "nozzle",             2, read_nozzle             },
    { "load_cell",          2, read_load_cell          },
    { "coil",               2, read_coil               },
    { "cartographer",       2, read_cartographer       },
    { "angle_sensor",       2, read_angle_sensor       },
    { "beacon",             2, read_beacon             },
};

// Read one line; on failure returns -1 and stores what is wrong
static int
read_line(struct simulation *sim, const char *line, int number, int pass,
          char *error, size_t error_size)
{
    struct words words;
    words_split(&words, line);
    const struct directive *directive = NULL;
    const char *name = words.count ? words_item(&words, 0, "directive") : NULL;
    for (size_t i = 0; i < sizeof(directives) / sizeof(directives[0]); i++)
        if (name && !strcmp(directives[i].name, name))
            directive = &directives[i];
    if (name && !directive)
        words_fail(&words, "unknown directive '%s'", name);
    if (directive && directive->pass == pass && !words.error[0]) {
        directive->read(sim, &words, number);
        words_check_used(&words);
    }
    int result = words.error[0] ? -1 : 0;
    if (result)
        snprintf(error, error_size, "line %d: %s", number, words.error);
    words_release(&words);
    return result;
}

static int
read_lines(struct simulation *sim, const char *text, int pass, char *error,
           size_t error_size)
{
    int result = 0;
    char *copy = copy_string(text), *line = copy;
    for (int number = 1; line && !result; number++) {
        char *end = strchr(line, '\n');
        if (end)
            *end = 0;
        result = read_line(sim, line, number, pass, error, error_size);
        line = end ? end + 1 : NULL;
    }
    free(copy);
    return result;
}

// Whether it is firmware that runs out of memory which says so
static int
is_of_memory(enum reason reason)
{
    return reason == REASON_ALLOC_CHUNK || reason == REASON_ALLOC_CHUNKS;
}

// Check that a micro-controller has all that it needs
static int
check_mcu(const struct mcu *mcu, char *error, size_t error_size)
{
    const char *kind = NULL, *name = "";
    int is_on_bus = can_node_of(&mcu->link) != NULL;
    if (mcu->link.ns_per_byte < 0.0)
        kind = "link";
    else if (!mcu->link.transport)
        kind = "device and is on no can_bus";
    for (int i = 0; i < RESPONSE_COUNT && !kind; i++)
        if (!mcu->has_response[i]
            && (response_kinds[i].presence == IN_ALL
                || (response_kinds[i].presence == ON_CAN_BUS && is_on_bus))) {
            kind = "message of response ";
            name = response_kinds[i].name;
        }
    for (int i = 0; i < REASON_COUNT && !kind; i++)
        if (mcu_find_string(mcu, reason_texts[i]) < 0
            && (mcu->memory.total_bytes || !is_of_memory((enum reason)i))) {
            kind = "message of static_string ";
            name = reason_texts[i];
        }
    if (!kind)
        return 0;
    snprintf(error, error_size, "line %d: mcu '%s' has no %s%s", mcu->line,
             mcu->name, kind, name);
    return -1;
}

static int
check_all(struct simulation *sim, char *error, size_t error_size)
{
    for (size_t i = 0; i < sim->mcu_count; i++)
        if (check_mcu(sim->mcus[i], error, error_size))
            return -1;
    int line = 0;
    const char *problem = mechanics_prepare(&sim->mechanics, &line);
    if (problem)
        snprintf(error, error_size, "line %d: %s", line, problem);
    return problem ? -1 : 0;
}

int
description_read(struct simulation *sim, const char *path, char *error,
                 size_t error_size)
{
    size_t size;
    uint8_t *content = description_file(path, &size);
    if (!content) {
        snprintf(error, error_size, "cannot read '%s'", path);
        return -1;
    }
    sim->mechanics.radius_mm = 100.0;
    for (int i = 0; i < 3; i++)
        sim->mechanics.resonances[i] = RESONANCE_DEFAULT;
    sim->mechanics.stiffness_g_per_mm = STIFFNESS_G_PER_MM;
    int result = 0;
    for (int pass = 0; pass < PASS_COUNT && !result; pass++)
        result =
            read_lines(sim, (const char *)content, pass, error, error_size);
    free(content);
    return result ? result : check_all(sim, error, error_size);
}
