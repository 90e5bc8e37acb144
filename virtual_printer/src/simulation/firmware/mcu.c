// One virtual micro-controller: receiving, sending, shutdown, restart
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "../links/serial_port.h" // serial_port_of
#include "cartographer.h" // cartographer_free
#include "mcu.h" // struct mcu
#include "objects.h" // trsync_run_task

// From receiving a block to running its commands
#define PROCESSING_NS_MIN 10000
#define PROCESSING_NS_MAX 40000
#define BOOT_NS 100000000
#define STATS_INTERVAL_NS 5000000000
// The firmware looks at all tasks at least so often
#define WAKE_INTERVAL_NS 100000000


/****************************************************************
 * Turns
 ****************************************************************/

// Tell the host which block is expected next
static void
send_acknowledgement(struct mcu *mcu)
{
    struct block block;
    block_begin(&block);
    block_finish(&block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block.bytes, block.size);
}

void
mcu_begin_turn(struct mcu *mcu)
{
    mcu->is_in_turn = 1;
    mcu->is_interrupted = 0;
}

void
mcu_end_turn(struct mcu *mcu)
{
    mcu->is_in_turn = 0;
    if (mcu->link.outgoing.size)
        // What was written wakes the task that sends it
        cpu_note_pass(mcu, 0);
    link_flush(&mcu->link);
    if (!mcu->is_trsync_task_due)
        return;
    // Timers that are due at this very time go first, as interrupts do
    int is_busy = cpu_is_counting(&mcu->cpu);
    if (!is_busy || !mcu->trsync_task.event.slot)
        cpu_schedule_task(mcu, &mcu->trsync_task,
                          is_busy ? mcu->cpu.command_ps / PS_PER_NS : 0);
}

static void
trsync_event(struct event *event)
{
    struct mcu *mcu = container_of(event, struct mcu, trsync_task.event);
    if (cpu_delay_task(mcu, &mcu->trsync_task))
        return;
    cpu_note_pass(mcu, mcu->cpu.command_ps);
    mcu_begin_turn(mcu);
    trsync_run_task(mcu);
    mcu_end_turn(mcu);
    mcu->cpu.have_tasks_rested |= !mcu->process_task.event.slot;
}


/****************************************************************
 * Receiving
 ****************************************************************/

static void
schedule_processing(struct mcu *mcu)
{
    int64_t delay_ns = PROCESSING_NS_MIN
        + random_below(&mcu->random, PROCESSING_NS_MAX - PROCESSING_NS_MIN);
    cpu_schedule_task(mcu, &mcu->process_task, delay_ns);
}

static void
receive(struct link *link, const uint8_t *data, size_t size)
{
    struct mcu *mcu = container_of(link, struct mcu, link);
    if (mcu->is_booting)
        return;
    byte_queue_append(&mcu->receiver.bytes, data, size);
    if (!mcu->process_task.event.slot || mcu->has_stale_block)
        schedule_processing(mcu);
}

// A shutdown has ended the task in the middle of a block, which is still in
// the buffer and comes up again, as one that the host has sent twice.  What
// is read of USB in that pass is not in the buffer yet, and is lost.
static void
abandon_block(struct mcu *mcu)
{
    int is_on_wire = mcu->link.ns_per_byte > 0.0;
    if (!is_on_wire && serial_port_of(&mcu->link))
        return;
    mcu->has_stale_block = 1;
    if (mcu->receiver.bytes.size)
        // It runs soon anyway
        return;
    // Over CAN tasks are woken at once.  A UART wakes them with the next block,
    // or else the timer that does so now and then.
    int64_t wake_ns = WAKE_INTERVAL_NS
        - (mcu->timeline->now_ns - mcu->start_ns) % WAKE_INTERVAL_NS;
    cpu_schedule_task(mcu, &mcu->process_task, is_on_wire ? wake_ns : 0);
}

static void
run_commands(struct mcu *mcu, const uint8_t *block, size_t size)
{
    uint64_t first = mcu->command_count;
    command_dispatch(mcu, block + BLOCK_HEADER_SIZE,
                     size - BLOCK_HEADER_SIZE - BLOCK_TRAILER_SIZE);
    int64_t taken_ps =
        (int64_t)(mcu->command_count - first) * mcu->cpu.command_ps;
    if (taken_ps > (int64_t)PROCESSING_NS_MAX * PS_PER_NS)
        // The next block waits for longer than blocks do anyway
        mcu->tasks_free_ns = mcu->timeline->now_ns + taken_ps / PS_PER_NS;
    cpu_note_pass(mcu, taken_ps);
}

static void
process_block(struct mcu *mcu)
{
    size_t size;
    enum block_verdict verdict = receiver_take(&mcu->receiver, &size);
    if (verdict == BLOCK_INCOMPLETE)
        return;
    uint8_t block[BLOCK_SIZE_MAX];
    if (verdict == BLOCK_ACCEPTED)
        memcpy(block, byte_queue_front(&mcu->receiver.bytes), size);
    byte_queue_consume(&mcu->receiver.bytes, size);
    if (mcu->receiver.bytes.size)
        schedule_processing(mcu);
    if (verdict == BLOCK_ACCEPTED)
        run_commands(mcu, block, size);
    if (mcu->is_booting || verdict == BLOCK_DISCARDED)
        return;
    if (verdict == BLOCK_ACCEPTED && mcu->is_interrupted)
        abandon_block(mcu);
    else
        send_acknowledgement(mcu);
}

// Whether the commands of the last block or timers keep the next one waiting
static int
is_processing_late(struct mcu *mcu)
{
    struct task *task = &mcu->process_task;
    int64_t left_ns = mcu->tasks_free_ns - mcu->timeline->now_ns;
    if (left_ns > 0) {
        task->work_ps += left_ns * PS_PER_NS;
        event_schedule(&mcu->timeline->events, &task->event,
                       mcu->tasks_free_ns);
        return 1;
    }
    return cpu_delay_task(mcu, task);
}

static void
process_event(struct event *event)
{
    struct mcu *mcu = container_of(event, struct mcu, process_task.event);
    if (is_processing_late(mcu))
        return;
    mcu_begin_turn(mcu);
    if (mcu->has_stale_block) {
        mcu->has_stale_block = 0;
        send_acknowledgement(mcu);
    }
    process_block(mcu);
    mcu_end_turn(mcu);
    mcu->cpu.have_tasks_rested |=
        !mcu->receiver.bytes.size && !mcu->trsync_task.event.slot;
}


/****************************************************************
 * Shutdown and restart
 ****************************************************************/

const char *
mcu_string(const struct mcu *mcu, uint16_t string_id)
{
    for (size_t i = 0; i < mcu->string_count; i++)
        if (mcu->strings[i].id == string_id)
            return mcu->strings[i].text;
    return "unknown";
}

int
mcu_find_string(const struct mcu *mcu, const char *text)
{
    for (size_t i = 0; i < mcu->string_count; i++)
        if (!strcmp(mcu->strings[i].text, text))
            return mcu->strings[i].id;
    return -1;
}

static void
stop_objects(struct mcu *mcu)
{
    peripherals_shutdown(mcu);
    moves_reset(mcu);
    mcu->is_trsync_task_due = 0;
}

void
mcu_shutdown_by_id(struct mcu *mcu, uint16_t string_id)
{
    uint32_t clock = (uint32_t)mcu_clock_now(mcu);
    if (!mcu->is_shutdown)
        mcu->shutdown_id = string_id;
    mcu->is_shutdown = 1;
    mcu->is_interrupted = 1;
    stop_objects(mcu);
    MCU_RESPOND(mcu, RESPONSE_SHUTDOWN, clock, mcu->shutdown_id);
    if (!mcu->is_in_turn)
        link_flush(&mcu->link);
}

void
mcu_shutdown(struct mcu *mcu, enum reason reason)
{
    mcu_shutdown_by_id(mcu, mcu->reason_ids[reason]);
}

void
mcu_config_reset(struct mcu *mcu)
{
    stop_objects(mcu);
    peripherals_release(mcu);
    for (uint32_t i = 0; i < mcu->object_count; i++)
        free(mcu->objects[i].data);
    free(mcu->objects);
    mcu->objects = NULL;
    mcu->object_count = mcu->config_checksum = 0;
    mcu->is_finalized = mcu->is_shutdown = 0;
    moves_free(mcu);
}

static void
cancel_events(struct mcu *mcu)
{
    event_cancel(&mcu->timeline->events, &mcu->process_task.event);
    event_cancel(&mcu->timeline->events, &mcu->trsync_task.event);
    event_cancel(&mcu->timeline->events, &mcu->stats_event);
    event_cancel(&mcu->timeline->events, &mcu->boot_event);
    cpu_reset(mcu);
}

void
mcu_reboot(struct mcu *mcu)
{
    mcu_config_reset(mcu);
    mcu_pins_release(mcu);
    receiver_reset(&mcu->receiver);
    link_reset(&mcu->link);
    cancel_events(mcu);
    responses_forget_late(mcu);
    mcu->is_booting = mcu->is_interrupted = 1;
    mcu->has_stale_block = 0;
    event_schedule(&mcu->timeline->events, &mcu->boot_event,
                   mcu->timeline->now_ns + BOOT_NS);
}

static void
boot_event(struct event *event)
{
    struct mcu *mcu = container_of(event, struct mcu, boot_event);
    mcu->is_booting = 0;
    mcu->start_clock = 0;
    mcu->start_ns = mcu->timeline->now_ns;
    event_schedule(&mcu->timeline->events, &mcu->stats_event,
                   mcu->timeline->now_ns + STATS_INTERVAL_NS);
    mcu_begin_turn(mcu);
    mcu_respond(mcu, RESPONSE_STARTING, NULL, 0);
    mcu_end_turn(mcu);
}

static void
stats_event(struct event *event)
{
    struct mcu *mcu = container_of(event, struct mcu, stats_event);
    event_schedule(&mcu->timeline->events, event,
                   mcu->timeline->now_ns + STATS_INTERVAL_NS);
    steppers_advance(mcu);
    // It looks at all tasks now and then even if there is nothing to do
    for (int i = 0; i < STATS_INTERVAL_NS / WAKE_INTERVAL_NS; i++)
        cpu_note_pass(mcu, 0);
    mcu_begin_turn(mcu);
    cpu_report(mcu, STATS_INTERVAL_NS);
    mcu_end_turn(mcu);
}


/****************************************************************
 * Life cycle
 ****************************************************************/

static int
is_running(const struct link *link)
{
    return !container_of(link, const struct mcu, link)->is_booting;
}

static void
note_id_conflict(struct link *link)
{
    mcu_shutdown(container_of(link, struct mcu, link), REASON_CAN_ID_CONFLICT);
}

static const struct link_firmware mcu_firmware = {
    .receive = receive,
    .is_running = is_running,
    .note_id_conflict = note_id_conflict,
};

struct mcu *
mcu_create(struct timeline *timeline, struct mechanics *mechanics, size_t index)
{
    struct mcu *mcu = allocate(1, sizeof(*mcu));
    mcu->timeline = timeline;
    mcu->mechanics = mechanics;
    mcu->process_task.event.run = process_event;
    mcu->trsync_task.event.run = trsync_event;
    mcu->boot_event.run = boot_event;
    mcu->stats_event.run = stats_event;
    receiver_reset(&mcu->receiver);
    random_init(&mcu->random, timeline->seed, index * 4 + LINK_DIRECTIONS);
    link_init(&mcu->link, timeline, &mcu_firmware, index);
    cpu_init(mcu);
    return mcu;
}

// Set how much faster the clock runs than it should; returns its frequency
static double
set_rate(struct mcu *mcu, double drift_ppm)
{
    double frequency = mcu->nominal_frequency * (1.0 + drift_ppm * 1e-6);
    mcu->rate =
        (uint64_t)(frequency / NS_PER_S * (double)((uint64_t)1 << CLOCK_SHIFT));
    return frequency;
}

void
mcu_start(struct mcu *mcu, double clock_offset_s, double drift_ppm)
{
    double frequency = set_rate(mcu, drift_ppm);
    mcu->start_clock = (uint64_t)(clock_offset_s * frequency);
    int64_t uptime_ns = (int64_t)(clock_offset_s * NS_PER_S);
    event_schedule(&mcu->timeline->events, &mcu->stats_event,
                   STATS_INTERVAL_NS - uptime_ns % STATS_INTERVAL_NS);
}

void
mcu_set_drift(struct mcu *mcu, double drift_ppm)
{
    // All that was due by the clock so far is done, by that clock
    steppers_advance(mcu);
    mcu->start_clock = mcu_clock_now(mcu);
    mcu->start_ns = mcu->timeline->now_ns;
    set_rate(mcu, drift_ppm);
    mcu_timers_restart(mcu);
}

void
mcu_free(struct mcu *mcu)
{
    cancel_events(mcu);
    mcu_config_reset(mcu);
    unanswered_free(mcu);
    cartographer_free(mcu->cartographer);
    responses_forget_late(mcu);
    link_release(&mcu->link);
    for (size_t i = 0; i < mcu->string_count; i++)
        free(mcu->strings[i].text);
    free(mcu->strings);
    free(mcu->receiver.bytes.storage);
    while (mcu->fixed_voltages) {
        struct fixed_voltage *voltage = mcu->fixed_voltages;
        mcu->fixed_voltages = voltage->next;
        free(voltage);
    }
    while (mcu->memory_words) {
        struct memory_word *word = mcu->memory_words;
        mcu->memory_words = word->next;
        free(word);
    }
    free(mcu->dictionary);
    free(mcu->name);
    free(mcu);
}
