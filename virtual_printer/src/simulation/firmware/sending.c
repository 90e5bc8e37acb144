// Responses of a virtual micro-controller, and what can be wrong with them
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../core/memory.h" // allocate
#include "../core/recorder.h" // recorder_begin
#include "mcu.h" // struct mcu

#define WILD_VALUE 0x2a5c3311

// A response that waits for its time; once sent it can be used anew
struct late_response {
    struct event event;
    struct late_response *next;
    struct mcu *mcu;
    struct block block;
};


/****************************************************************
 * Sending
 ****************************************************************/

static void
send_block(struct mcu *mcu, struct block *block)
{
    block_finish(block, mcu->receiver.next_sequence);
    byte_queue_append(&mcu->link.outgoing, block->bytes, block->size);
}

static void
late_event(struct event *event)
{
    struct late_response *late =
        container_of(event, struct late_response, event);
    mcu_begin_turn(late->mcu);
    send_block(late->mcu, &late->block);
    mcu_end_turn(late->mcu);
}

static void
send_late(struct mcu *mcu, const struct block *block)
{
    struct late_response *late = mcu->late_responses;
    while (late && late->event.slot)
        late = late->next;
    if (!late) {
        late = allocate(1, sizeof(*late));
        late->event.run = late_event;
        late->mcu = mcu;
        late->next = mcu->late_responses;
        mcu->late_responses = late;
    }
    late->block = *block;
    event_schedule(&mcu->timeline->events, &late->event,
                   mcu->timeline->now_ns + mcu->malformed_late_ns);
}

void
responses_forget_late(struct mcu *mcu)
{
    while (mcu->late_responses) {
        struct late_response *late = mcu->late_responses;
        mcu->late_responses = late->next;
        event_cancel(&mcu->timeline->events, &late->event);
        free(late);
    }
}


/****************************************************************
 * Responses
 ****************************************************************/

// How the response that is sent now is to be malformed
static enum malformation
take_malformation(struct mcu *mcu, enum response response)
{
    enum malformation malformation = mcu->malformation;
    if (!malformation || mcu->malformed_response != response)
        return MALFORMED_NOT;
    if (!--mcu->malformed_times)
        mcu->malformation = MALFORMED_NOT;
    return malformation;
}

static void
begin_response(const struct mcu *mcu, struct block *block,
               enum response response, enum malformation malformation)
{
    block_begin(block);
    block_put_integer(block,
                      malformation == MALFORMED_UNKNOWN
                          ? MESSAGE_ID_MAX + 1
                          : mcu->response_ids[response]);
}

static void
put_values(struct block *block, const uint32_t *values, size_t count,
           size_t wild)
{
    for (size_t i = 0; i < count; i++)
        block_put_integer(block,
                          i == wild ? ~values[i] ^ WILD_VALUE : values[i]);
}

static void
end_response(struct mcu *mcu, struct block *block,
             enum malformation malformation)
{
    if (malformation == MALFORMED_LATE) {
        send_late(mcu, block);
        return;
    }
    if (malformation == MALFORMED_LONG)
        block_put_integer(block, WILD_VALUE);
    send_block(mcu, block);
    if (malformation == MALFORMED_DOUBLED)
        byte_queue_append(&mcu->link.outgoing, block->bytes, block->size);
}

static void
record_response(struct mcu *mcu, enum response response, const uint32_t *values,
                size_t count, const uint8_t *bytes, size_t size)
{
    struct recorder *recorder = mcu->timeline->recorder;
    recorder_begin(recorder, mcu->timeline->now_ns, "response", mcu->name,
                   response_kinds[response].name);
    for (size_t i = 0; i < count; i++)
        recorder_put(recorder, "%s%u", i ? " " : "", (unsigned int)values[i]);
    if (size) {
        recorder_put(recorder, "%s", count ? " " : "");
        recorder_put_bytes(recorder, bytes, size);
    }
    recorder_end(recorder);
}

void
mcu_respond(struct mcu *mcu, enum response response, const uint32_t *values,
            size_t count)
{
    enum malformation malformation = take_malformation(mcu, response);
    if (malformation == MALFORMED_MISSING || !mcu->has_response[response])
        return;
    if (mcu->timeline->recorder)
        record_response(mcu, response, values, count, NULL, 0);
    struct block block;
    begin_response(mcu, &block, response, malformation);
    if (malformation == MALFORMED_CUT && count)
        count--;
    size_t wild = count;
    if (malformation == MALFORMED_VALUE)
        wild = mcu->malformed_field < count ? mcu->malformed_field : count - 1;
    put_values(&block, values, count, wild);
    end_response(mcu, &block, malformation);
}

// Of these only whole responses are ever missing, doubled or late
void
mcu_respond_bytes(struct mcu *mcu, enum response response,
                  const uint32_t *values, size_t count, const uint8_t *bytes,
                  size_t size)
{
    enum malformation malformation = take_malformation(mcu, response);
    if (malformation == MALFORMED_MISSING || !mcu->has_response[response])
        return;
    if (mcu->timeline->recorder)
        record_response(mcu, response, values, count, bytes, size);
    struct block block;
    begin_response(mcu, &block, response, MALFORMED_NOT);
    put_values(&block, values, count, count);
    if (block.size + 1 + size + BLOCK_TRAILER_SIZE > BLOCK_SIZE_MAX)
        // Like the firmware, send nothing if it does not fit
        return;
    block_put_bytes(&block, bytes, size);
    end_response(mcu, &block,
                 malformation == MALFORMED_LONG ? MALFORMED_NOT : malformation);
}
