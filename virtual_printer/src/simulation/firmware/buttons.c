// Buttons: pins whose changes are reported until the host has acknowledged them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memmove
#include "mcu.h" // struct mcu

static const struct object_type buttons_type = { "buttons" };

enum { BUTTON_COUNT_MAX = 8, REPORT_COUNT_MAX = 8, RETRANSMIT_COUNT_MAX = 127 };

struct button {
    struct buttons *buttons;
    struct pin_watcher watcher;
    uint8_t is_there, pin, pull_up_level;
};

// The firmware looks at the pins all rest_ticks.  Here it stops doing so while
// nothing can change.
struct buttons {
    struct mcu *mcu;
    struct mcu_timer timer;
    uint32_t oid, rest_ticks;
    uint64_t look_clock; // of the last look, or one period before the first
    struct button buttons[BUTTON_COUNT_MAX];
    uint8_t button_count;
    uint8_t pressed, last_levels; // one bit for each pin
    uint8_t reports[REPORT_COUNT_MAX], report_count, ack_count;
    // Looks after which reports are sent again
    uint8_t retransmit_count, looks_left, is_waiting_for_ack;
};

static uint8_t
read_levels(const struct buttons *buttons)
{
    uint8_t levels = 0;
    for (int i = 0; i < buttons->button_count; i++) {
        const struct button *button = &buttons->buttons[i];
        if (button->is_there
            && mcu_pin_level(buttons->mcu, button->pin, button->pull_up_level))
            levels |= (uint8_t)(1 << i);
    }
    return levels;
}

// Whether the next look may find something else than the last one
static int
must_look(const struct buttons *buttons)
{
    if (buttons->is_waiting_for_ack || buttons->last_levels != buttons->pressed)
        return 1;
    for (int i = 0; i < buttons->button_count; i++) {
        const struct button *button = &buttons->buttons[i];
        if (button->is_there && mcu_pin_needs_polls(buttons->mcu, button->pin))
            return 1;
    }
    return 0;
}

static void
send_reports(struct buttons *buttons)
{
    buttons->is_waiting_for_ack = 1;
    buttons->looks_left = buttons->retransmit_count;
    MCU_RESPOND_BYTES(buttons->mcu, RESPONSE_BUTTONS_STATE, buttons->reports,
                      buttons->report_count, buttons->oid, buttons->ack_count);
}

// What two looks in a row have found is a change
static int
note_levels(struct buttons *buttons, uint8_t levels)
{
    uint8_t steady = (uint8_t)~(levels ^ buttons->last_levels);
    uint8_t changed = (levels ^ buttons->pressed) & steady;
    buttons->last_levels = levels;
    if (!changed)
        return 0;
    buttons->pressed ^= changed;
    if (buttons->report_count >= REPORT_COUNT_MAX)
        return 0;
    buttons->reports[buttons->report_count++] = buttons->pressed;
    return 1;
}

static enum timer_result
look_event(struct mcu_timer *timer)
{
    struct buttons *buttons = container_of(timer, struct buttons, timer);
    buttons->look_clock = timer->wake_clock;
    if (note_levels(buttons, read_levels(buttons))
        || (buttons->is_waiting_for_ack && !buttons->looks_left--))
        send_reports(buttons);
    timer->wake_clock += buttons->rest_ticks;
    return must_look(buttons) ? TIMER_AGAIN : TIMER_DONE;
}

// Look again at the next time at which the firmware does
static void
before_change(struct pin_watcher *watcher)
{
    struct button *button = container_of(watcher, struct button, watcher);
    struct buttons *buttons = button->buttons;
    if (!buttons->rest_ticks || mcu_timer_is_pending(&buttons->timer))
        return;
    uint64_t now = mcu_clock_now(buttons->mcu);
    uint64_t periods = now < buttons->look_clock
        ? 1
        : (now - buttons->look_clock) / buttons->rest_ticks + 1;
    mcu_timer_start(&buttons->timer,
                    buttons->look_clock + periods * buttons->rest_ticks);
}

static void
buttons_shutdown(struct mcu *mcu)
{
    struct buttons *buttons;
    uint32_t oid = 0;
    while ((buttons = mcu_object_next(mcu, &oid, &buttons_type))) {
        mcu_timer_cancel(&buttons->timer);
        buttons->rest_ticks = 0;
    }
}

static void
unwatch(struct button *button)
{
    if (button->is_there)
        pin_unwatch(&button->buttons->mcu->pins[button->pin], &button->watcher);
}

static void
buttons_release(struct mcu *mcu)
{
    struct buttons *buttons;
    uint32_t oid = 0;
    while ((buttons = mcu_object_next(mcu, &oid, &buttons_type)))
        for (int i = 0; i < buttons->button_count; i++)
            unwatch(&buttons->buttons[i]);
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_buttons(struct mcu *mcu, const uint32_t *arguments)
{
    uint8_t button_count = (uint8_t)arguments[1];
    if (button_count > BUTTON_COUNT_MAX) {
        mcu_shutdown(mcu, REASON_TOO_MANY_BUTTONS);
        return;
    }
    struct buttons *buttons =
        mcu_object_add(mcu, arguments[0], &buttons_type, sizeof(*buttons));
    if (!buttons)
        return;
    buttons->mcu = mcu;
    buttons->oid = arguments[0] & 0xff;
    buttons->button_count = button_count;
    mcu_timer_init(&buttons->timer, mcu, look_event);
}

static void
command_buttons_add(struct mcu *mcu, const uint32_t *arguments)
{
    struct buttons *buttons = mcu_object(mcu, arguments[0], &buttons_type);
    if (!buttons)
        return;
    uint8_t place = (uint8_t)arguments[1];
    if (place >= buttons->button_count) {
        mcu_shutdown(mcu, REASON_BUTTON_PAST_MAXIMUM);
        return;
    }
    struct button *button = &buttons->buttons[place];
    unwatch(button);
    button->buttons = buttons;
    button->is_there = 1;
    button->pin = (uint8_t)arguments[2];
    button->pull_up_level = (int8_t)arguments[3] > 0;
    button->watcher.before_change = before_change;
    pin_watch(&mcu->pins[button->pin], &button->watcher);
}

static void
command_buttons_query(struct mcu *mcu, const uint32_t *arguments)
{
    struct buttons *buttons = mcu_object(mcu, arguments[0], &buttons_type);
    if (!buttons)
        return;
    mcu_timer_cancel(&buttons->timer);
    buttons->rest_ticks = arguments[2];
    buttons->retransmit_count = (uint8_t)arguments[3];
    buttons->pressed = buttons->last_levels = (uint8_t)arguments[4];
    buttons->ack_count = buttons->report_count = 0;
    buttons->is_waiting_for_ack = 0;
    if (buttons->retransmit_count > RETRANSMIT_COUNT_MAX)
        mcu_shutdown(mcu, REASON_INVALID_RETRANSMIT_COUNT);
    else if (buttons->rest_ticks)
        mcu_timer_add(&buttons->timer, arguments[1]);
}

static void
command_buttons_ack(struct mcu *mcu, const uint32_t *arguments)
{
    struct buttons *buttons = mcu_object(mcu, arguments[0], &buttons_type);
    if (!buttons)
        return;
    uint8_t count = (uint8_t)arguments[1];
    buttons->ack_count = (uint8_t)(buttons->ack_count + count);
    if (count >= buttons->report_count) {
        buttons->report_count = 0;
        buttons->is_waiting_for_ack = 0;
        return;
    }
    buttons->report_count = (uint8_t)(buttons->report_count - count);
    memmove(buttons->reports, buttons->reports + count, buttons->report_count);
}

static const struct command commands[] = {
    { "config_buttons", command_config_buttons, "oid button_count",    0 },
    { "buttons_add",    command_buttons_add,    "oid pos pin pull_up", 0 },
    { "buttons_query",  command_buttons_query,
     "oid clock rest_ticks retransmit_count invert",                   0 },
    { "buttons_ack",    command_buttons_ack,    "oid count",           0 },
};

const struct peripheral buttons_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = buttons_shutdown,
    .release = buttons_release,
};
