// The firmware of a Cartographer probe: its coil triggers, and is streamed
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

// What it does, and when, is that of the firmware which Cartographer3D has
// published (cartographer.c of 2023, and 2024 with touch).  A reading costs no
// time here, so each conversion is read once.

#include <string.h> // memset
#include "../core/memory.h" // allocate
#include "cartographer.h" // cartographer_create
#include "mcu.h" // struct mcu
#include "objects.h" // trsync_trigger

enum { DATA0_MSB = 0x00, DATA0_LSB = 0x01, STATUS = 0x18 };
// What the converter is set to, where a register is followed by its value
static const uint16_t settings[][2] = {
    { 0x1b, 0x020c }, // deglitch 3.3 MHz
    { 0x1e, 0xd000 }, // drive current
    { 0x10, 0x0100 }, // settling
    { 0x14, 0x1001 }, // dividers
    { 0x08, 0x088c }, // how long a conversion is
    { 0x19, 0x0001 }, // interrupt
    { 0x1a, 0x1601 }, // active, with the clock of the MCU
};
// Thresholds until it is given some
enum { TRIGGER_COUNT = 33784425, UNTRIGGER_COUNT = 33581718 };
enum { METHOD_SCAN, METHOD_TOUCH };
// Without a stream it reports no more often than this
#define IDLE_NS 42000000
#define ADC_SAMPLES 16
// Spread of their sum
#define ADC_NOISE 2.0
// A touch is looked for in the mean of so many changes of the frequency, at
// such intervals; what is no faster than noise is none
enum { CHANGE_COUNT = 6, NOISE_COUNTS = 100 };
#define CHANGE_NS 2000000
enum { BASE_SIZE = 8 };

// The coil comes nearer until the nozzle meets the bed
struct touch {
    int is_begun;
    int64_t last_ns;
    uint32_t last_data;
    int32_t changes[CHANGE_COUNT];
    uint32_t change_count;
    int32_t fastest; // mean so far
    uint32_t threshold;
};

struct cartographer {
    struct mcu *mcu;
    struct cartographer_wiring wiring;
    struct event event;
    int64_t report_ns; // when it is due to report though it does not stream
    int is_streaming;
    uint32_t trigger, untrigger;
    int is_homing;
    uint8_t trsync_oid, trigger_reason, trigger_method;
    struct trsync *trsync;
    struct touch touch;
};


/****************************************************************
 * The board
 ****************************************************************/

static void
write_register(struct cartographer *cartographer, uint16_t address,
               uint16_t value)
{
    struct i2c_device *converter = cartographer->wiring.converter;
    uint8_t bytes[] = { (uint8_t)address, (uint8_t)(value >> 8),
                        (uint8_t)value };
    converter->write(converter, bytes, sizeof(bytes));
}

static uint32_t
read_register(struct cartographer *cartographer, uint8_t address)
{
    struct i2c_device *converter = cartographer->wiring.converter;
    uint8_t value[2];
    converter->read(converter, &address, 1, value, sizeof(value));
    return (uint32_t)value[0] << 8 | value[1];
}

static uint32_t
read_data(struct cartographer *cartographer)
{
    read_register(cartographer, STATUS);
    uint32_t high = read_register(cartographer, DATA0_MSB) & 0x0fff;
    return high << 16 | read_register(cartographer, DATA0_LSB);
}

static uint32_t
read_thermistor(struct cartographer *cartographer)
{
    struct mcu *mcu = cartographer->mcu;
    struct analog_source *source =
        mcu->pins[cartographer->wiring.thermistor_pin].analog;
    double ratio = source ? source->ratio(source) : 1.0;
    double sum = ADC_SAMPLES * ratio * mcu->adc_max
        + ADC_NOISE * random_normal(&mcu->random) + 0.5;
    double sum_max = ADC_SAMPLES * (double)mcu->adc_max;
    return (uint32_t)(sum < 0.0 ? 0.0 : sum > sum_max ? sum_max : sum);
}


/****************************************************************
 * Triggering
 ****************************************************************/

// Whether the coil comes nearer by so much less than it did
static int
has_slowed(struct touch *touch, int64_t now_ns, uint32_t data)
{
    if (touch->is_begun && now_ns < touch->last_ns + CHANGE_NS)
        return 0;
    int32_t change = (int32_t)(data - touch->last_data);
    touch->last_ns = now_ns;
    touch->last_data = data;
    if (!touch->is_begun) {
        touch->is_begun = 1;
        return 0;
    }
    touch->changes[touch->change_count++ % CHANGE_COUNT] = change;
    if (touch->change_count < CHANGE_COUNT)
        return 0;
    int32_t mean = 0;
    for (int i = 0; i < CHANGE_COUNT; i++)
        mean += touch->changes[i];
    mean /= CHANGE_COUNT;
    if (mean > touch->fastest)
        touch->fastest = mean;
    return touch->fastest > NOISE_COUNTS
        && touch->fastest - mean > (int64_t)touch->threshold;
}

static void
check_homing(struct cartographer *cartographer, uint32_t data)
{
    if (!cartographer->is_homing)
        return;
    int is_triggered;
    if (cartographer->trigger_method == METHOD_TOUCH)
        is_triggered = data >= cartographer->untrigger
            && has_slowed(&cartographer->touch,
                          cartographer->mcu->timeline->now_ns, data);
    else
        is_triggered = data > cartographer->trigger;
    if (!is_triggered)
        return;
    cartographer->is_homing = 0;
    struct trsync *trsync =
        mcu_object(cartographer->mcu, cartographer->trsync_oid, &trsync_type);
    if (trsync)
        trsync_trigger(trsync, cartographer->trigger_reason);
}


/****************************************************************
 * Conversions
 ****************************************************************/

static void
schedule(struct cartographer *cartographer)
{
    struct pin_source *ready = cartographer->wiring.ready;
    int64_t now_ns = cartographer->mcu->timeline->now_ns;
    int64_t due_ns = ready->next_low_ns(ready);
    if (due_ns == INT64_MAX)
        due_ns = now_ns + IDLE_NS;
    else if (!cartographer->is_streaming && !cartographer->is_homing
             && due_ns < cartographer->report_ns)
        due_ns = cartographer->report_ns;
    event_schedule(&cartographer->mcu->timeline->events, &cartographer->event,
                   due_ns > now_ns ? due_ns : now_ns);
}

static void
take_conversion(struct cartographer *cartographer)
{
    struct mcu *mcu = cartographer->mcu;
    int64_t now_ns = mcu->timeline->now_ns;
    uint32_t data = read_data(cartographer);
    if (mcu->is_booting)
        return;
    check_homing(cartographer, data);
    if (!cartographer->is_streaming && now_ns < cartographer->report_ns)
        return;
    cartographer->report_ns = now_ns + IDLE_NS;
    MCU_RESPOND(mcu, RESPONSE_CARTOGRAPHER_DATA, (uint32_t)mcu_clock_now(mcu),
                data, read_thermistor(cartographer));
}

static void
conversion_event(struct event *event)
{
    struct cartographer *cartographer =
        container_of(event, struct cartographer, event);
    struct mcu *mcu = cartographer->mcu;
    struct pin_source *ready = cartographer->wiring.ready;
    if (!ready->level(ready)) {
        mcu_begin_turn(mcu);
        take_conversion(cartographer);
        mcu_end_turn(mcu);
    }
    schedule(cartographer);
}


/****************************************************************
 * Commands
 ****************************************************************/

static struct cartographer *
find_cartographer(struct mcu *mcu)
{
    if (!mcu->cartographer)
        mcu_shutdown(mcu, REASON_INVALID_COMMAND);
    return mcu->cartographer;
}

static void
command_cartographer_stream(struct mcu *mcu, const uint32_t *arguments)
{
    struct cartographer *cartographer = find_cartographer(mcu);
    if (!cartographer)
        return;
    cartographer->is_streaming = arguments[0] != 0;
    schedule(cartographer);
}

static void
command_cartographer_set_threshold(struct mcu *mcu, const uint32_t *arguments)
{
    struct cartographer *cartographer = find_cartographer(mcu);
    if (!cartographer)
        return;
    cartographer->trigger = arguments[0];
    cartographer->untrigger = arguments[1];
}

static void
command_cartographer_home(struct mcu *mcu, const uint32_t *arguments)
{
    struct cartographer *cartographer = find_cartographer(mcu);
    if (!cartographer || !mcu_object(mcu, arguments[0], &trsync_type))
        return;
    // Its own firmware does not look at trigger_invert either
    cartographer->trsync_oid = (uint8_t)arguments[0];
    cartographer->trigger_reason = (uint8_t)arguments[1];
    cartographer->trigger_method = (uint8_t)arguments[4];
    cartographer->touch = (struct touch){ .threshold = arguments[3] };
    cartographer->is_homing = 1;
    schedule(cartographer);
}

static void
command_cartographer_stop_home(struct mcu *mcu, const uint32_t *arguments)
{
    (void)arguments;
    struct cartographer *cartographer = find_cartographer(mcu);
    if (cartographer)
        cartographer->is_homing = 0;
}

// Bytes come first in the response, unlike in any other
static void
command_cartographer_base_read(struct mcu *mcu, const uint32_t *arguments)
{
    struct cartographer *cartographer = find_cartographer(mcu);
    if (!cartographer)
        return;
    const struct cartographer_wiring *wiring = &cartographer->wiring;
    uint8_t base[BASE_SIZE] = { 0 };
    uint64_t values = (uint64_t)wiring->base_adc << 32 | wiring->base_count;
    for (int i = 0; i < BASE_SIZE; i++)
        base[i] = (uint8_t)(values >> (8 * i));
    size_t offset = arguments[1] < BASE_SIZE ? arguments[1] : BASE_SIZE;
    size_t left = BASE_SIZE - offset;
    struct block block;
    block_begin(&block);
    block_put_integer(&block, mcu->response_ids[RESPONSE_CARTOGRAPHER_BASE]);
    block_put_bytes(&block, base + offset,
                    arguments[0] < left ? arguments[0] : left);
    block_put_integer(&block, arguments[1]);
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

static const struct command commands[] = {
    { "cartographer_stream",        command_cartographer_stream,        "en",         0 },
    { "cartographer_set_threshold", command_cartographer_set_threshold,
     "trigger untrigger",                                                             0 },
    { "cartographer_home",          command_cartographer_home,
     "trsync_oid trigger_reason trigger_invert threshold trigger_method",             0 },
    { "cartographer_stop_home",     command_cartographer_stop_home,     "",           0 },
    { "cartographer_base_read",     command_cartographer_base_read,     "len offset",
     0                                                                                  },
};


/****************************************************************
 * Life cycle
 ****************************************************************/

static void
cartographer_shutdown(struct mcu *mcu)
{
    if (mcu->cartographer)
        mcu->cartographer->is_homing = 0;
}

static void
power_on(struct cartographer *cartographer)
{
    cartographer->is_streaming = cartographer->is_homing = 0;
    cartographer->trigger = TRIGGER_COUNT;
    cartographer->untrigger = UNTRIGGER_COUNT;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        write_register(cartographer, settings[i][0], settings[i][1]);
}

// The trsync goes with the configuration
static void
cartographer_release(struct mcu *mcu)
{
    if (mcu->cartographer)
        power_on(mcu->cartographer);
}

struct cartographer *
cartographer_create(struct mcu *mcu, const struct cartographer_wiring *wiring)
{
    struct cartographer *cartographer = allocate(1, sizeof(*cartographer));
    cartographer->mcu = mcu;
    cartographer->wiring = *wiring;
    cartographer->event.run = conversion_event;
    power_on(cartographer);
    schedule(cartographer);
    return cartographer;
}

void
cartographer_free(struct cartographer *cartographer)
{
    if (!cartographer)
        return;
    event_cancel(&cartographer->mcu->timeline->events, &cartographer->event);
    free(cartographer);
}

const struct peripheral cartographer_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = cartographer_shutdown,
    .release = cartographer_release,
};
