// The managed threads and what each of them waits for
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "virtual_time.h"

#include <string.h>

static struct slot slots[MAX_SLOTS];
static int used_slots;
static struct slot *first_ready, *last_ready;
static int waiting_slots[WAIT_KINDS];
static uint64_t last_order;

// Static storage of the thread, since others allocate at first use
static __thread struct slot *own_slot
    __attribute__((tls_model("initial-exec")));

// Slot of the calling thread while it holds the baton. NULL for a thread (or
// child process, or signal handler) which has to do everything for real.
struct slot *
slot_self(void)
{
    struct slot *slot = own_slot;
    if (slot == NULL || slot->state != SLOT_RUNNING)
        return NULL;
    return slot;
}

// Tie the calling thread to a slot, or make it unmanaged (NULL)
void
slot_become(struct slot *slot)
{
    own_slot = slot;
}

// Take the free slot with the lowest number; NULL if all are in use
struct slot *
slot_allocate(void)
{
    int number = 0;
    while (number < used_slots && slots[number].state != SLOT_FREE)
        number++;
    if (number == MAX_SLOTS)
        return NULL;
    if (number == used_slots)
        used_slots++;
    struct slot *slot = &slots[number];
    void *parking = slot->parking;
    memset(slot, 0, sizeof(*slot));
    slot->parking = parking;
    slot->number = number;
    slot->deadline_ns = slot->wake_ns = NEVER_NS;
    return slot;
}

// Give a slot back
void
slot_release(struct slot *slot)
{
    slot->state = SLOT_FREE;
}

// Slot by number, below slot_count()
struct slot *
slot_at(int number)
{
    return &slots[number];
}

// Number of slots to look at; some of them may be free
int
slot_count(void)
{
    return used_slots;
}

// Slot of a thread that has not been joined; NULL if it is not managed
struct slot *
slot_of_thread(pthread_t thread)
{
    for (int i = 0; i < used_slots; i++)
        if (slots[i].state != SLOT_FREE
            && pthread_equal(slots[i].thread, thread))
            return &slots[i];
    return NULL;
}

// The slot that has waited longest for an object
struct slot *
slot_first_waiting(enum wait_kind kind, const void *object)
{
    if (waiting_slots[kind] == 0)
        return NULL;
    struct slot *first = NULL;
    for (int i = 0; i < used_slots; i++) {
        struct slot *slot = &slots[i];
        if (slot->state == SLOT_BLOCKED && slot->wait_kind == kind
            && slot->wait_object == object
            && (first == NULL || slot->order < first->order))
            first = slot;
    }
    return first;
}

// Is any slot blocked this way?
bool
slot_any_waiting(enum wait_kind kind)
{
    return waiting_slots[kind] != 0;
}

// The slot whose wake-up comes first, the earlier blocked one of equals
static struct slot *
first_to_wake(void)
{
    struct slot *first = NULL;
    for (int i = 0; i < used_slots; i++) {
        struct slot *slot = &slots[i];
        if (slot->state != SLOT_BLOCKED || slot->wake_ns == NEVER_NS)
            continue;
        if (first == NULL || slot->wake_ns < first->wake_ns
            || (slot->wake_ns == first->wake_ns && slot->order < first->order))
            first = slot;
    }
    return first;
}

// Instant at which the next blocked slot gets ready by itself
int64_t
slot_earliest_wake_ns(void)
{
    struct slot *first = first_to_wake();
    return first != NULL ? first->wake_ns : NEVER_NS;
}

// Note what a slot waits for, and when the host's kernel would wake it
void
slot_block(struct slot *slot, enum wait_kind kind, const void *object,
           int64_t deadline_ns)
{
    slot->state = SLOT_BLOCKED;
    slot->wait_kind = kind;
    slot->wait_object = object;
    slot->blocked_since_ns = clock_now_ns();
    slot->deadline_ns = slot->wake_ns = deadline_ns;
    slot->is_delivery_pending = false;
    slot->order = ++last_order;
    waiting_slots[kind]++;
    if (deadline_ns > clock_now_ns() && deadline_ns != NEVER_NS)
        slot->wake_ns += host_latency_draw_ns();
}

// Put a slot at the end of the ready ones
void
slot_make_ready(struct slot *slot, bool was_woken)
{
    if (slot->state == SLOT_BLOCKED)
        waiting_slots[slot->wait_kind]--;
    slot->state = SLOT_READY;
    slot->was_woken = was_woken;
    slot->next_ready = NULL;
    if (first_ready == NULL)
        first_ready = slot;
    else
        last_ready->next_ready = slot;
    last_ready = slot;
}

// Make the slots ready whose wake-up has come
void
slot_make_due_ready(void)
{
    for (;;) {
        struct slot *slot = first_to_wake();
        if (slot == NULL || slot->wake_ns > clock_now_ns())
            return;
        slot_make_ready(slot, slot->is_delivery_pending);
    }
}

// Take the slot that has been ready longest; NULL if there is none
struct slot *
slot_take_ready(void)
{
    struct slot *slot = first_ready;
    if (slot != NULL)
        first_ready = slot->next_ready;
    return slot;
}

// Could any other slot run at this instant?
bool
slot_any_ready_or_due(void)
{
    return first_ready != NULL || slot_earliest_wake_ns() <= clock_now_ns();
}
