// Requests of a test: faults on purpose
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "../core/memory.h" // allocate
#include "../description/machine.h" // struct simulation
#include "../firmware/objects.h" // trsyncs_trip
#include "../links/can_node.h" // struct can_node
#include "control.h" // requested_mcu

#define TIME_S_MAX 1e9

// Something that a request has put off
struct action {
    struct event event;
    struct action *next;
    struct mcu *mcu;
    void (*run)(struct mcu *mcu, uint16_t reason);
    uint16_t reason; // number of a text, or of a trigger's reason
};

// Time of a key in nanoseconds, by default now
static int64_t
requested_time(struct simulation *sim, struct words *words, const char *key)
{
    double time_s = words_number_or(words, key, 0.0, TIME_S_MAX, -1.0);
    return time_s < 0.0 ? sim->timeline.now_ns
                        : (int64_t)(time_s * NS_PER_S + 0.5);
}

// What is to happen to the messages of a channel
struct spoiling {
    struct delay_window window;
    uint32_t drop_count, repeat_count, corrupt_count;
    int64_t late_ns;
};

static void
spoil_channel(struct channel *channel, const struct spoiling *spoiling)
{
    channel->drop_count += spoiling->drop_count;
    channel->repeat_count += spoiling->repeat_count;
    channel->corrupt_count += spoiling->corrupt_count;
    channel->late_ns += spoiling->late_ns;
    if (spoiling->window.delay_ns)
        link_add_window(channel->link, channel->direction, &spoiling->window);
}

static int64_t
requested_us(struct words *words, const char *key)
{
    return (int64_t)(words_number_or(words, key, 0.0, 1e9, 0.0) * 1000.0);
}

static uint32_t
requested_count(struct words *words, const char *key)
{
    return (uint32_t)words_integer_or(words, key, 0, INT32_MAX, 0);
}

static struct spoiling
requested_spoiling(struct simulation *sim, struct words *words)
{
    double length_s =
        words_number_or(words, "for_s", 0.0, TIME_S_MAX, TIME_S_MAX);
    struct spoiling spoiling = {
        .window.from_ns = requested_time(sim, words, "from_s"),
        .window.delay_ns = requested_us(words, "delay_us"),
        .drop_count = requested_count(words, "drop"),
        .repeat_count = requested_count(words, "repeat"),
        .corrupt_count = requested_count(words, "corrupt"),
        .late_ns = requested_us(words, "late_us"),
    };
    spoiling.window.until_ns =
        spoiling.window.from_ns + (int64_t)(length_s * NS_PER_S + 0.5);
    return spoiling;
}

void
request_link(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    static const char *const directions[] = { "to_mcu", "to_host", "both" };
    struct mcu *mcu = requested_mcu(sim, words);
    int direction = LINK_DIRECTIONS;
    if (words_find(words, "direction"))
        direction = words_choice(words, "direction", directions, 3);
    struct spoiling spoiling = requested_spoiling(sim, words);
    words_check_used(words);
    if (words->error[0])
        return;
    for (int i = 0; i < LINK_DIRECTIONS; i++)
        if (direction == i || direction == LINK_DIRECTIONS)
            spoil_channel(&mcu->link.channels[i], &spoiling);
}

static void
disconnect(struct mcu *mcu, uint16_t reason)
{
    (void)reason;
    link_set_hung_up(&mcu->link, 1);
}

// Plugging a device in powers it up
static void
reconnect(struct mcu *mcu, uint16_t reason)
{
    (void)reason;
    link_set_hung_up(&mcu->link, 0);
    mcu_reboot(mcu);
}

static void
reboot(struct mcu *mcu, uint16_t reason)
{
    (void)reason;
    mcu_reboot(mcu);
}

static void
shut_down(struct mcu *mcu, uint16_t reason)
{
    if (!mcu->is_booting)
        mcu_shutdown_by_id(mcu, reason);
}

static void
go_bus_off(struct mcu *mcu, uint16_t reason)
{
    (void)reason;
    can_station_set_off(&can_node_of(&mcu->link)->station);
}

// Steppers stop though nothing has been touched
static void
trip(struct mcu *mcu, uint16_t reason)
{
    if (mcu->is_booting || mcu->is_shutdown)
        return;
    mcu_begin_turn(mcu);
    trsyncs_trip(mcu, (uint8_t)reason);
    mcu_end_turn(mcu);
}

static void
action_event(struct event *event)
{
    struct action *action = container_of(event, struct action, event);
    action->run(action->mcu, action->reason);
}

// Number of the reason in a request, in which blanks are underscores
static uint16_t
requested_reason(struct mcu *mcu, struct words *words)
{
    char *text = copy_string(words_text(words, "reason"));
    for (char *c = text; *c; c++)
        if (*c == '_')
            *c = ' ';
    int string_id = mcu_find_string(mcu, text);
    // Names of commands hold underscores of their own
    if (string_id < 0)
        string_id = mcu_find_string(mcu, words_text(words, "reason"));
    if (string_id < 0)
        words_fail(words, "unknown reason '%s'", text);
    free(text);
    return (uint16_t)string_id;
}

void
request_mcu(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    static const struct {
        const char *name;
        void (*run)(struct mcu *mcu, uint16_t reason);
    } kinds[] = {
        { "disconnect", disconnect },
        { "reconnect",  reconnect  },
        { "reboot",     reboot     },
        { "shutdown",   shut_down  },
        { "trip",       trip       },
        { "bus_off",    go_bus_off },
    };
    struct mcu *mcu = requested_mcu(sim, words);
    const char *name = words_item(words, 2, "what to do");
    struct action action = { .mcu = mcu, .event.run = action_event };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (!strcmp(kinds[i].name, name))
            action.run = kinds[i].run;
    if (!action.run)
        words_fail(words, "unknown action '%s'", name);
    else if (mcu && action.run == shut_down)
        action.reason = requested_reason(mcu, words);
    else if (action.run == trip)
        action.reason =
            (uint16_t)words_integer_or(words, "reason", 0, UINT8_MAX, 0);
    else if (mcu && action.run == go_bus_off && !can_node_of(&mcu->link))
        words_fail(words, "mcu '%s' is on no can_bus", mcu->name);
    int64_t time_ns = requested_time(sim, words, "at_s");
    words_check_used(words);
    if (words->error[0])
        return;
    struct action *stored = allocate(1, sizeof(*stored));
    *stored = action;
    stored->next = sim->actions;
    sim->actions = stored;
    if (time_ns <= sim->timeline.now_ns)
        stored->run(mcu, stored->reason);
    else
        event_schedule(&sim->timeline.events, &stored->event, time_ns);
}

void
actions_free(struct simulation *sim)
{
    while (sim->actions) {
        struct action *action = sim->actions;
        sim->actions = action->next;
        event_cancel(&sim->timeline.events, &action->event);
        free(action);
    }
}

// Have the clock of a micro-controller run at another rate from now on
void
request_clock(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    struct mcu *mcu = requested_mcu(sim, words);
    double drift_ppm = words_number(words, "drift_ppm", -1e5, 1e5);
    words_check_used(words);
    if (!words->error[0])
        mcu_set_drift(mcu, drift_ppm);
}

void
request_endstop(struct simulation *sim, struct words *words,
                struct reply *reply)
{
    (void)reply;
    static const char *const forces[] = { "0", "1", "none" };
    struct mcu *mcu = requested_mcu(sim, words);
    uint32_t pin = (uint32_t)words_parse_integer(
        words, "pin", words_item(words, 2, "pin"), 0, 255);
    // How much a probe spreads from now on, or else what is read
    double noise_um = words_number_or(words, "noise_um", 0.0, 1e6, -1.0);
    int force =
        noise_um < 0.0 ? words_choice(words, "force", forces, 3) : FORCE_NONE;
    struct sensor *sensor = mechanics_find_sensor(&sim->mechanics, mcu, pin);
    if (!sensor)
        words_fail(words, "no endstop on pin %u", (unsigned int)pin);
    words_check_used(words);
    if (words->error[0])
        return;
    if (noise_um >= 0.0)
        sensor->noise_mm = noise_um / 1000.0;
    else
        sensor->forced = force == 2 ? FORCE_NONE : force;
}

// Have a stepper leave out the next steps of a direction, uncounted
void
request_stepper(struct simulation *sim, struct words *words,
                struct reply *reply)
{
    (void)reply;
    static const char *const directions[] = { "up", "down" };
    const char *name = words_item(words, 1, "stepper");
    struct motor *motor = mechanics_find_motor_by_name(&sim->mechanics, name);
    if (!motor)
        words_fail(words, "unknown stepper '%s'", name);
    uint32_t count = (uint32_t)words_integer(words, "lose", 0, INT32_MAX);
    int is_down = words_choice(words, "direction", directions, 2);
    words_check_used(words);
    if (words->error[0])
        return;
    motor_position_mm(motor);
    *(is_down ? &motor->lose_down : &motor->lose_up) = count;
}

// Have the next responses of a kind malformed, one unless "times" says more.
// Nonsense is the value of a field, counted from zero, by default the last;
// what is late is so by late_us.
void
request_reply(struct simulation *sim, struct words *words, struct reply *reply)
{
    (void)reply;
    static const char *const malformations[] = {
        [MALFORMED_NOT] = "none",        [MALFORMED_CUT] = "cut",
        [MALFORMED_LONG] = "long",       [MALFORMED_UNKNOWN] = "unknown",
        [MALFORMED_VALUE] = "value",     [MALFORMED_DOUBLED] = "doubled",
        [MALFORMED_MISSING] = "missing", [MALFORMED_LATE] = "late",
    };
    struct mcu *mcu = requested_mcu(sim, words);
    const char *name = words_item(words, 2, "response");
    int response = response_find(name);
    if (response < 0)
        words_fail(words, "unknown response '%s'", name);
    int malformation =
        words_choice(words, "malformed", malformations, MALFORMED_COUNT);
    uint32_t times =
        (uint32_t)words_integer_or(words, "times", 1, INT32_MAX, 1);
    size_t field =
        (size_t)words_integer_or(words, "field", 0, INT32_MAX, INT32_MAX);
    int64_t late_ns = requested_us(words, "late_us");
    words_check_used(words);
    if (words->error[0])
        return;
    mcu->malformed_response = (enum response)response;
    mcu->malformation = (enum malformation)malformation;
    mcu->malformed_times = times;
    mcu->malformed_field = field;
    mcu->malformed_late_ns = late_ns;
}
