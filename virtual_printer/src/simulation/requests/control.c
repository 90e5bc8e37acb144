// Requests of a test: the truth about the printer
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <inttypes.h> // PRId64
#include <stdarg.h> // va_list
#include <stdio.h> // vsnprintf
#include <string.h> // strcmp
#include "../core/memory.h" // memory_in_use
#include "../core/recorder.h" // recorder_close
#include "../description/machine.h" // struct simulation
#include "../firmware/mcu.h" // struct mcu
#include "../mechanics/binding.h" // struct binding
#include "control.h" // struct reply

struct request {
    const char *name;
    void (*run)(struct simulation *sim, struct words *words,
                struct reply *reply);
};

void
reply_add(struct reply *reply, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t space = reply->size - reply->used;
    int count = vsnprintf(reply->text + reply->used, space, format, arguments);
    va_end(arguments);
    reply->used += count < 0 ? 0 : (size_t)count;
    if (reply->used >= reply->size)
        reply->used = reply->size;
}


/****************************************************************
 * The truth
 ****************************************************************/

static void
request_steppers(struct simulation *sim, struct words *words,
                 struct reply *reply)
{
    (void)words;
    for (size_t i = 0; i < sim->mechanics.motor_count; i++) {
        struct motor *motor = &sim->mechanics.motors[i];
        double position_mm = motor_position_mm(motor);
        reply_add(reply, " %s:%" PRId64 ":%.9f", motor->name, motor->pulses,
                  position_mm);
    }
}

static void
request_carriage(struct simulation *sim, struct words *words,
                 struct reply *reply)
{
    (void)words;
    struct mechanics *mechanics = &sim->mechanics;
    double x_mm, y_mm;
    mechanics_toolhead(mechanics, &x_mm, &y_mm);
    reply_add(reply, " %.9f %.9f %.9f", x_mm, y_mm,
              mechanics_nozzle_height_mm(mechanics, x_mm, y_mm));
}

// Close the recording whole: Klippy's process may end in any way
static void
request_record_end(struct simulation *sim, struct words *words,
                   struct reply *reply)
{
    (void)words, (void)reply;
    recorder_close(sim->timeline.recorder);
    sim->timeline.recorder = NULL;
}

// What the gantry's corners bore at most, and how often each gave way
static void
request_binding(struct simulation *sim, struct words *words,
                struct reply *reply)
{
    const struct binding *binding = sim->binding;
    if (!binding) {
        words_fail(words, "this gantry never binds");
        return;
    }
    reply_add(reply, " %.6f", binding->greatest_n);
    for (size_t i = 0; i < sim->mechanics.lift_count; i++)
        reply_add(reply, " %s:%u", sim->mechanics.lifts[i]->name,
                  (unsigned int)binding->skips[i]);
}

static void
request_carriages(struct simulation *sim, struct words *words,
                  struct reply *reply)
{
    (void)words;
    struct mechanics *mechanics = &sim->mechanics;
    for (size_t i = 0; i < mechanics->carriage_count; i++) {
        const struct carriage *carriage = &mechanics->carriages[i];
        reply_add(reply, " %s:%.9f", carriage->name,
                  carriage_position_mm(mechanics, carriage));
    }
}

static void
request_endstops(struct simulation *sim, struct words *words,
                 struct reply *reply)
{
    (void)words;
    for (size_t i = 0; i < sim->mechanics.sensor_count; i++) {
        struct sensor *sensor = &sim->mechanics.sensors[i];
        reply_add(reply, " %s:%d:%d", sensor->mcu->name, sensor->pin,
                  sensor_is_triggered(&sim->mechanics, sensor));
    }
}

static void
request_pulses(struct simulation *sim, struct words *words, struct reply *reply)
{
    const char *name = words_item(words, 1, "stepper");
    int is_reset = words->count > 2 && !strcmp(words->items[2], "reset");
    if (is_reset)
        words->is_used[2] = 1;
    struct motor *motor = mechanics_find_motor_by_name(&sim->mechanics, name);
    if (!motor) {
        words_fail(words, "unknown stepper '%s'", name);
        return;
    }
    motor_position_mm(motor);
    if (is_reset)
        motor->pulses_up = motor->pulses_down = 0;
    else
        reply_add(reply, " %" PRIu64 " %" PRIu64, motor->pulses_up,
                  motor->pulses_down);
}

// Level of a pin that the firmware drives
static void
request_level(struct simulation *sim, struct words *words, struct reply *reply)
{
    struct mcu *mcu = requested_mcu(sim, words);
    uint8_t pin = requested_pin(words);
    if (mcu)
        reply_add(reply, " %d", mcu_pin_output(mcu, pin));
}

// Reasons are single words here
static void
add_shutdown_reason(const struct mcu *mcu, struct reply *reply)
{
    size_t start = reply->used;
    reply_add(reply, "%s",
              mcu->is_shutdown ? mcu_string(mcu, mcu->shutdown_id) : "-");
    for (size_t i = start; i < reply->used; i++)
        if (reply->text[i] == ' ')
            reply->text[i] = '_';
}

static void
request_counters(struct simulation *sim, struct words *words,
                 struct reply *reply)
{
    (void)words;
    for (size_t i = 0; i < sim->mcu_count; i++) {
        struct mcu *mcu = sim->mcus[i];
        const struct channel *channels = mcu->link.channels;
        const struct {
            const char *name;
            uint64_t value;
        } counters[] = {
            { "bytes_to_host",    channels[LINK_TO_HOST].byte_count    },
            { "bytes_to_mcu",     channels[LINK_TO_MCU].byte_count     },
            { "messages_to_host", channels[LINK_TO_HOST].message_count },
            { "messages_to_mcu",  channels[LINK_TO_MCU].message_count  },
            { "blocks",           mcu->receiver.block_count            },
            { "crc_errors",       mcu->receiver.checksum_error_count   },
            { "naks",             mcu->receiver.refused_count          },
            { "commands",         mcu->command_count                   },
            { "moves_peak",       mcu->moves_used_peak                 },
            { "clock",            mcu_clock_now(mcu)                   },
        };
        for (size_t j = 0; j < sizeof(counters) / sizeof(counters[0]); j++)
            reply_add(reply, " %s.%s=%" PRIu64, mcu->name, counters[j].name,
                      counters[j].value);
        reply_add(reply, " %s.shutdown=", mcu->name);
        add_shutdown_reason(mcu, reply);
    }
}

// Chips that nobody has modelled, as MCU:spi:PIN, MCU:spi_bus:BUS or
// MCU:i2c:BUS:ADDRESS
static void
request_unanswered(struct simulation *sim, struct words *words,
                   struct reply *reply)
{
    (void)words;
    for (size_t i = 0; i < sim->mcu_count; i++) {
        const struct mcu *mcu = sim->mcus[i];
        const struct unanswered *one = mcu->unanswered;
        for (; one; one = one->next)
            if (one->kind == UNANSWERED_SPI)
                reply_add(reply, " %s:spi:%u", mcu->name, one->place);
            else if (one->kind == UNANSWERED_SPI_BUS)
                reply_add(reply, " %s:spi_bus:%u", mcu->name, one->place);
            else
                reply_add(reply, " %s:i2c:%u:%u", mcu->name, one->place,
                          one->address);
    }
}

// Memory that the simulation has taken
static void
request_memory(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)sim, (void)words;
    struct memory_use use = memory_in_use();
    reply_add(reply, " blocks=%zu bytes=%zu", use.blocks, use.bytes);
}


/****************************************************************
 * Dispatch
 ****************************************************************/

struct mcu *
requested_mcu(struct simulation *sim, struct words *words)
{
    const char *name = words_item(words, 1, "mcu");
    struct mcu *mcu = machine_find_mcu(sim, name);
    if (!mcu)
        words_fail(words, "unknown mcu '%s'", name);
    return mcu;
}

uint8_t
requested_pin(struct words *words)
{
    return (uint8_t)words_parse_integer(
        words, "pin", words_item(words, 2, "pin"), 0, PIN_COUNT - 1);
}

static const struct request requests[] = {
    { "steppers",           request_steppers           },
    { "carriage",           request_carriage           },
    { "carriages",          request_carriages          },
    { "binding",            request_binding            },
    { "endstops",           request_endstops           },
    { "pulses",             request_pulses             },
    { "level",              request_level              },
    { "counters",           request_counters           },
    { "link",               request_link               },
    { "mcu",                request_mcu                },
    { "clock",              request_clock              },
    { "endstop",            request_endstop            },
    { "stepper",            request_stepper            },
    { "reply",              request_reply              },
    { "can_bus",            request_can_bus            },
    { "can_counters",       request_can_counters       },
    { "temperatures",       request_temperatures       },
    { "temperature_sensor", request_temperature_sensor },
    { "heater",             request_heater             },
    { "driver",             request_driver             },
    { "sensor",             request_sensor             },
    { "beacon",             request_beacon             },
    { "unanswered",         request_unanswered         },
    { "memory",             request_memory             },
    { "record_end",         request_record_end         },
    { "switch",             request_switch             },
    { "duty",               request_duty               },
    { "outputs",            request_outputs            },
    { "leds",               request_leds               },
    { "display_text",       request_display_text       },
    { "display_picture",    request_display_picture    },
};

void
control_answer(struct simulation *sim, const char *request, char *reply_text,
               size_t reply_size)
{
    struct words words;
    words_split(&words, request);
    struct reply reply = { reply_text, reply_size, 0 };
    const struct request *found = NULL;
    const char *name = words_item(&words, 0, "request");
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
        if (!strcmp(requests[i].name, name))
            found = &requests[i];
    reply_add(&reply, "ok");
    if (found)
        found->run(sim, &words, &reply);
    else
        words_fail(&words, "unknown request '%s'", name);
    words_check_used(&words);
    if (reply.used >= reply.size)
        words_fail(&words, "the reply is too long");
    if (words.error[0])
        snprintf(reply_text, reply_size, "error %s", words.error);
    words_release(&words);
}
