// UARTs by software, on which stepper drivers are asked for registers
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // memcpy
#include "mcu.h" // struct mcu

static const struct object_type tmcuart_type = { "tmcuart" };

enum { UART_BYTES_MAX = 10 };
// A byte on the wire has a start bit and a stop bit
enum { BITS_PER_BYTE = 10, FRAMES_MAX = 8 };
#define START_NS 200000
// From the end of a request to its answer, or until none is waited for
enum { ANSWER_AFTER_BITS = 8, SILENCE_BITS = 69 };

struct tmcuart {
    struct mcu *mcu;
    struct mcu_timer timer;
    uint8_t oid, tx_pin, is_active;
    uint32_t bit_ticks;
    size_t write_size, read_size;
    uint8_t bits[UART_BYTES_MAX];
};


/****************************************************************
 * Bits on the wire
 ****************************************************************/

static int
bit_at(const uint8_t *bits, size_t place)
{
    return bits[place / 8] >> place % 8 & 1;
}

// Take the start and stop bits away; returns how many bytes are left, none
// if one of these bits is not what it should be
static size_t
unframe(const uint8_t *bits, size_t bit_count, uint8_t *bytes)
{
    size_t count = bit_count / BITS_PER_BYTE;
    for (size_t i = 0; i < count; i++) {
        size_t start = i * BITS_PER_BYTE;
        if (bit_at(bits, start) || !bit_at(bits, start + BITS_PER_BYTE - 1))
            return 0;
        bytes[i] = 0;
        for (size_t j = 0; j < 8; j++)
            bytes[i] |= (uint8_t)(bit_at(bits, start + 1 + j) << j);
    }
    return count;
}

// Put start and stop bits around bytes.  The line is high behind them.
static void
enframe(const uint8_t *bytes, size_t count, uint8_t *bits)
{
    memset(bits, 0xff, UART_BYTES_MAX);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < BITS_PER_BYTE - 1; j++) {
            size_t place = i * BITS_PER_BYTE + j;
            if (!j || !(bytes[i] >> (j - 1) & 1))
                bits[place / 8] &= (uint8_t)~(1u << place % 8);
        }
}


/****************************************************************
 * Requests and answers
 ****************************************************************/

// Let all chips on the wire hear a request; returns the size of the answer.
// Where several answer, a low level wins.
static size_t
ask_devices(struct tmcuart *uart, uint8_t *answer)
{
    uint8_t request[FRAMES_MAX];
    size_t size = 0;
    size_t count = unframe(uart->bits, uart->write_size * 8, request);
    struct uart_device *device = uart->mcu->pins[uart->tx_pin].uarts;
    for (; device && count; device = device->next) {
        uint8_t one[FRAMES_MAX];
        size_t one_size =
            device->exchange(device, request, count, one, sizeof(one));
        for (size_t i = 0; i < one_size; i++)
            answer[i] = i < size ? answer[i] & one[i] : one[i];
        if (one_size > size)
            size = one_size;
    }
    return size;
}

static enum timer_result
report_event(struct mcu_timer *timer)
{
    struct tmcuart *uart = container_of(timer, struct tmcuart, timer);
    uart->is_active = 0;
    MCU_RESPOND_BYTES(uart->mcu, RESPONSE_TMCUART, uart->bits, uart->read_size,
                      uart->oid);
    return TIMER_DONE;
}

// All bits have been sent
static enum timer_result
sent_event(struct mcu_timer *timer)
{
    struct tmcuart *uart = container_of(timer, struct tmcuart, timer);
    uint8_t answer[FRAMES_MAX];
    size_t size = ask_devices(uart, answer);
    if (!uart->read_size)
        return report_event(timer);
    uint32_t bit_count = SILENCE_BITS;
    if (size) {
        enframe(answer, size, uart->bits);
        bit_count = ANSWER_AFTER_BITS + (uint32_t)uart->read_size * 8;
    } else {
        uart->read_size = 0;
    }
    timer->callback = report_event;
    timer->wake_clock += (uint64_t)bit_count * uart->bit_ticks;
    return TIMER_AGAIN;
}

static void
tmcuarts_shutdown(struct mcu *mcu)
{
    struct tmcuart *uart;
    uint32_t oid = 0;
    while ((uart = mcu_object_next(mcu, &oid, &tmcuart_type))) {
        mcu_timer_cancel(&uart->timer);
        uart->is_active = 0;
    }
}


/****************************************************************
 * Commands
 ****************************************************************/

static void
command_config_tmcuart(struct mcu *mcu, const uint32_t *arguments)
{
    struct tmcuart *uart =
        mcu_object_add(mcu, arguments[0], &tmcuart_type, sizeof(*uart));
    if (!uart)
        return;
    uart->mcu = mcu;
    uart->oid = (uint8_t)arguments[0];
    uart->tx_pin = (uint8_t)arguments[3];
    uart->bit_ticks = arguments[4];
    mcu_timer_init(&uart->timer, mcu, sent_event);
    mcu_pin_set(mcu, uart->tx_pin, 1);
}

static void
command_tmcuart_send(struct mcu *mcu, const uint32_t *arguments)
{
    struct tmcuart *uart = mcu_object(mcu, arguments[0], &tmcuart_type);
    // The host asks again when nothing comes back
    if (!uart || uart->is_active)
        return;
    uint8_t read_size = (uint8_t)arguments[2];
    if (arguments[1] > UART_BYTES_MAX || read_size > UART_BYTES_MAX) {
        mcu_shutdown(mcu, REASON_TMCUART_TOO_LARGE);
        return;
    }
    memcpy(uart->bits, mcu->argument_bytes[1], arguments[1]);
    uart->write_size = arguments[1];
    uart->read_size = read_size;
    uart->is_active = 1;
    uart->timer.callback = sent_event;
    mcu_timer_start(&uart->timer,
                    mcu_clock_now(mcu) + mcu_ticks_from_ns(mcu, START_NS)
                        + uart->write_size * 8 * uart->bit_ticks);
}

static const struct command commands[] = {
    { "config_tmcuart", command_config_tmcuart,
     "oid rx_pin pull_up tx_pin bit_time",                        0 },
    { "tmcuart_send",   command_tmcuart_send,   "oid write read", 0 },
};

const struct peripheral tmcuart_peripheral = {
    COMMANDS_OF(commands),
    .shutdown = tmcuarts_shutdown,
};
