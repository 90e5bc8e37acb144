// Micro-controllers, links and messages in a description file
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/memory.h" // copy_string
#include "../firmware/mcu.h" // struct mcu
#include "../links/serial_port.h" // serial_port_create
#include "description.h" // description_file
#include "machine.h" // struct simulation

#define TIME_US_MAX 1e7


/****************************************************************
 * Micro-controllers and links
 ****************************************************************/

// Find the micro-controller that a word names
struct mcu *
description_mcu(struct simulation *sim, struct words *words, const char *name)
{
    struct mcu *mcu = machine_find_mcu(sim, name);
    if (!mcu)
        words_fail(words, "unknown mcu '%s'", name);
    return mcu;
}

static int64_t
read_ps(struct words *words, const char *key, double default_ns)
{
    double time_ns = words_number_or(words, key, 0.001, 1e9, default_ns);
    return (int64_t)(time_ns * PS_PER_NS + 0.5);
}

static void
read_cpu(struct mcu *mcu, struct words *words)
{
    struct cpu *cpu = &mcu->cpu;
    cpu->lone_ps = read_ps(words, "lone_timer_ns", 200.0);
    cpu->shared_ps = read_ps(words, "timer_ns", 200.0);
    cpu->command_ps = read_ps(words, "command_ns", 1000.0);
    cpu->hold_ps = read_ps(words, "timer_hold_ns", 2e3);
    cpu->repeat_ps = read_ps(words, "timer_repeat_ns", 1e5);
    cpu->yield_ps = read_ps(words, "timer_yield_ns", 5e3);
    cpu->late_limit_ps = read_ps(words, "timer_late_ns", 1e6);
    mcu->plain_edge_ticks =
        (uint32_t)words_integer_or(words, "plain_edge_ticks", 0, 1000, 0);
    mcu->plain_unstep_ticks =
        (uint32_t)words_integer_or(words, "plain_unstep_ticks", 0, 1000, 0);
}

static void
read_memory_sizes(struct memory_sizes *memory, struct words *words)
{
    memory->total_bytes =
        (uint32_t)words_integer_or(words, "memory_bytes", 0, UINT32_MAX, 0);
    memory->id_bytes =
        (uint32_t)words_integer_or(words, "id_bytes", 1, 1000, 8);
    memory->object_bytes =
        (uint32_t)words_integer_or(words, "object_bytes", 1, 1000, 56);
    memory->move_bytes =
        (uint32_t)words_integer_or(words, "move_bytes", 1, 1000, 16);
}

void
read_mcu(struct simulation *sim, struct words *words, int line)
{
    const char *name = words_item(words, 1, "name");
    // There is none on a CAN bus
    const char *device_path = NULL;
    if (words_find(words, "device"))
        device_path = words_text(words, "device");
    if (machine_find_mcu(sim, name))
        words_fail(words, "mcu '%s' is there twice", name);
    struct mcu *mcu =
        mcu_create(&sim->timeline, &sim->mechanics, sim->mcu_count);
    struct mcu **place =
        array_grow(&sim->mcus, &sim->mcu_count, sizeof(*place));
    *place = mcu;
    mcu->name = copy_string(name);
    mcu->line = line;
    if (device_path)
        serial_port_create(&mcu->link, device_path);
    mcu->link.ns_per_byte = -1.0;
    mcu->nominal_frequency =
        (uint32_t)words_integer(words, "frequency", 1000, 1000000000);
    mcu->move_count_max =
        (uint32_t)words_integer(words, "move_count", 1, 65535);
    mcu->adc_max = (uint32_t)words_integer_or(words, "adc_max", 1, 65535, 4095);
    mcu->pwm_max =
        (uint32_t)words_integer_or(words, "pwm_max", 1, UINT16_MAX, 255);
    read_cpu(mcu, words);
    read_memory_sizes(&mcu->memory, words);
    mcu->memory_left = mcu->memory.total_bytes;
    double drift_ppm = words_number_or(words, "drift_ppm", -1e5, 1e5, 0.0);
    double offset_s = words_number_or(words, "clock_offset_s", 0.0, 1e6, 0.0);
    mcu_start(mcu, offset_s, drift_ppm);
    const char *path = words_text(words, "dictionary");
    mcu->dictionary = description_file(path, &mcu->dictionary_size);
    if (!mcu->dictionary)
        words_fail(words, "cannot read dictionary '%s'", path);
}

void
read_delays(struct words *words, struct delay_line *outward,
            const char *outward_key, struct delay_line *to_host)
{
    outward->delay_ns =
        (int64_t)(words_number(words, outward_key, 0.0, TIME_US_MAX) * 1000.0);
    to_host->delay_ns =
        (int64_t)(words_number(words, "to_host_us", 0.0, TIME_US_MAX) * 1000.0);
    outward->jitter_ns = to_host->jitter_ns =
        (int64_t)(words_number_or(words, "jitter_us", 0.0, TIME_US_MAX, 0.0)
                  * 1000.0);
}

void
read_link(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_item(words, 1, "mcu"));
    if (!mcu)
        return;
    struct link *link = &mcu->link;
    read_delays(words, &link->channels[LINK_TO_MCU].line, "to_mcu_us",
                &link->channels[LINK_TO_HOST].line);
    double baud = words_number_or(words, "baud", 0.0, 1e9, 0.0);
    // Eight bits travel with a start bit and a stop bit
    link->ns_per_byte = baud > 0.0 ? 10.0 * NS_PER_S / baud : 0.0;
}

void
read_voltage(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_text(words, "mcu"));
    uint8_t pin = (uint8_t)words_integer(words, "pin", 0, PIN_COUNT - 1);
    double ratio = words_number(words, "ratio", 0.0, 1.0);
    if (mcu && mcu->pins[pin].analog)
        words_fail(words, "there is something on this pin already");
    else if (mcu)
        mcu_fix_voltage(mcu, pin, ratio);
}

void
read_memory_word(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    struct mcu *mcu = description_mcu(sim, words, words_item(words, 1, "mcu"));
    uint32_t address = (uint32_t)words_integer(words, "address", 0, UINT32_MAX);
    uint32_t value = (uint32_t)words_integer(words, "value", 0, UINT32_MAX);
    if (!mcu)
        return;
    struct memory_word *word = allocate(1, sizeof(*word));
    word->address = address;
    word->value = value;
    word->next = mcu->memory_words;
    mcu->memory_words = word;
}


/****************************************************************
 * Messages
 ****************************************************************/

static int
is_integer_type(const char *type)
{
    static const char *const types[] = { "%u", "%i", "%hu", "%hi", "%c" };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (!strcmp(type, types[i]))
            return 1;
    return 0;
}

static int
is_bytes_type(const char *type)
{
    return !strcmp(type, "%*s") || !strcmp(type, "%.*s");
}

// Type of a word of the form name=type; fails if it is none
static const char *
argument_type(struct words *words, size_t index)
{
    const char *type = strchr(words->items[index], '=');
    if (type && (is_integer_type(type + 1) || is_bytes_type(type + 1)))
        return type + 1;
    words_fail(words, "unsupported argument '%s'", words->items[index]);
    return NULL;
}

static void
add_argument(struct wire_command *wire, struct words *words, size_t index)
{
    const char *word = words->items[index];
    const char *type = argument_type(words, index);
    if (!type)
        return;
    int place = command_place(wire->command, word, (size_t)(type - 1 - word));
    if (place < 0) {
        words_fail(words, "command '%s' has no argument '%s'",
                   wire->command->name, word);
        return;
    }
    wire->places[wire->argument_count] = (uint8_t)place;
    wire->are_bytes[wire->argument_count++] = (uint8_t)is_bytes_type(type);
}

static void
add_command(struct mcu *mcu, struct words *words, int id)
{
    const char *name = words_item(words, 4, "name");
    struct wire_command wire = { .command = command_find(name) };
    if (!wire.command)
        words_fail(words, "unknown command '%s'", name);
    for (size_t i = 5; i < words->count && !words->error[0]; i++)
        if (wire.argument_count < ARGUMENT_COUNT_MAX)
            add_argument(&wire, words, i);
        else
            words_fail(words, "command '%s' has too many arguments", name);
    if (!words->error[0])
        mcu->commands[id - MESSAGE_ID_MIN] = wire;
}

static void
add_response(struct mcu *mcu, struct words *words, int id)
{
    const char *name = words_item(words, 4, "name");
    int response = response_find(name);
    if (response < 0) {
        words_fail(words, "unknown response '%s'", name);
        return;
    }
    size_t value_count = response_kinds[response].value_count;
    if (words->count != 5 + value_count)
        words_fail(words, "response '%s' has %zu arguments", name, value_count);
    const char *type = NULL;
    for (size_t i = 5; i < words->count; i++)
        type = argument_type(words, i);
    mcu->response_ids[response] = (uint32_t)id;
    mcu->has_response[response] = 1;
    mcu->is_of_bytes[response] = type && is_bytes_type(type);
}

// The text may hold blanks, so it is the rest of the line as it stands
static void
add_static_string(struct mcu *mcu, struct words *words, int id)
{
    words_item(words, 4, "text");
    if (words->count < 5)
        return;
    const char *text = words->line + (words->items[4] - words->text);
    struct static_string *string =
        array_grow(&mcu->strings, &mcu->string_count, sizeof(*string));
    string->id = (uint16_t)id;
    string->text = copy_string(text);
    for (int i = 0; i < REASON_COUNT; i++)
        if (!strcmp(reason_texts[i], text))
            mcu->reason_ids[i] = (uint16_t)id;
}

void
read_message(struct simulation *sim, struct words *words, int line)
{
    (void)line;
    const char *target = words_item(words, 1, "mcu");
    const char *kind = words_item(words, 2, "kind");
    int id = (int)words_parse_integer(words, "message id",
                                      words_item(words, 3, "id"),
                                      MESSAGE_ID_MIN, MESSAGE_ID_MAX);
    memset(words->is_used, 1, sizeof(words->is_used));
    if (strcmp(target, "*") && !description_mcu(sim, words, target))
        return;
    for (size_t i = 0; i < sim->mcu_count; i++) {
        struct mcu *mcu = sim->mcus[i];
        if (strcmp(target, "*") && strcmp(target, mcu->name))
            continue;
        if (!strcmp(kind, "command"))
            add_command(mcu, words, id);
        else if (!strcmp(kind, "response"))
            add_response(mcu, words, id);
        else if (!strcmp(kind, "static_string"))
            add_static_string(mcu, words, id);
        else
            words_fail(words, "unknown kind of message '%s'", kind);
    }
}
