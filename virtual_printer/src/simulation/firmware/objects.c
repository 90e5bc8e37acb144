// Object table and move queue of a virtual micro-controller
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stdlib.h> // free
#include "../core/memory.h" // allocate
#include "objects.h" // steppers_advance


/****************************************************************
 * Objects
 ****************************************************************/

// Take some of the firmware's memory; shuts down and returns -1 if there is
// not as much
static int
take_memory(struct mcu *mcu, uint32_t bytes)
{
    if (!mcu->memory.total_bytes)
        return 0;
    if (mcu->memory_left < bytes) {
        mcu_shutdown(mcu, REASON_ALLOC_CHUNK);
        return -1;
    }
    mcu->memory_left -= bytes;
    return 0;
}

int
mcu_objects_allocate(struct mcu *mcu, uint32_t count)
{
    if (take_memory(mcu, count * mcu->memory.id_bytes))
        return -1;
    mcu->object_count = count;
    mcu->objects = allocate(OBJECT_ID_COUNT, sizeof(mcu->objects[0]));
    return 0;
}

void *
mcu_object(struct mcu *mcu, uint32_t oid, const struct object_type *type)
{
    oid &= 0xff;
    if (oid < mcu->object_count && mcu->objects[oid].type == type)
        return mcu->objects[oid].data;
    mcu_shutdown(mcu, REASON_INVALID_OID_TYPE);
    return NULL;
}

void *
mcu_object_add(struct mcu *mcu, uint32_t oid, const struct object_type *type,
               size_t size)
{
    oid &= 0xff;
    if (oid >= mcu->object_count || mcu->objects[oid].type
        || mcu->is_finalized) {
        mcu_shutdown(mcu, REASON_CANNOT_ASSIGN_OID);
        return NULL;
    }
    if (take_memory(mcu, mcu->memory.object_bytes))
        return NULL;
    mcu->objects[oid].type = type;
    return mcu->objects[oid].data = allocate(1, size);
}

void *
mcu_object_next(struct mcu *mcu, uint32_t *oid, const struct object_type *type)
{
    for (; *oid < mcu->object_count; (*oid)++)
        if (mcu->objects[*oid].type == type)
            return mcu->objects[(*oid)++].data;
    return NULL;
}


/****************************************************************
 * Move queue
 ****************************************************************/

int
moves_allocate(struct mcu *mcu)
{
    const struct memory_sizes *memory = &mcu->memory;
    uint32_t count = mcu->move_count_max;
    if (memory->total_bytes && count > mcu->memory_left / memory->move_bytes)
        count = mcu->memory_left / memory->move_bytes;
    if (!count) {
        mcu_shutdown(mcu, REASON_ALLOC_CHUNKS);
        return -1;
    }
    mcu->move_count = count;
    mcu->moves = allocate(count, sizeof(mcu->moves[0]));
    moves_reset(mcu);
    return 0;
}

void
moves_free(struct mcu *mcu)
{
    free(mcu->moves);
    mcu->moves = NULL;
    mcu->move_count = 0;
    mcu->memory_left = mcu->memory.total_bytes;
    moves_reset(mcu);
}

void
moves_reset(struct mcu *mcu)
{
    mcu->free_moves = NULL;
    mcu->moves_used = 0;
    if (!mcu->moves)
        return;
    for (uint32_t i = mcu->move_count; i-- > 0;) {
        mcu->moves[i].next = mcu->free_moves;
        mcu->free_moves = &mcu->moves[i];
    }
}

struct move *
move_allocate(struct mcu *mcu)
{
    if (!mcu->free_moves)
        // Steppers that were not looked at may have finished some
        steppers_advance(mcu);
    if (mcu->is_interrupted)
        return NULL;
    struct move *move = mcu->free_moves;
    if (!move) {
        mcu_shutdown(mcu, REASON_MOVE_QUEUE_OVERFLOW);
        return NULL;
    }
    mcu->free_moves = move->next;
    if (++mcu->moves_used > mcu->moves_used_peak)
        mcu->moves_used_peak = mcu->moves_used;
    return move;
}

void
move_release(struct mcu *mcu, struct move *move)
{
    move->next = mcu->free_moves;
    mcu->free_moves = move;
    mcu->moves_used--;
}

void
move_queue_push(struct move_queue *queue, struct move *move)
{
    move->next = NULL;
    if (queue->first)
        queue->last->next = move;
    else
        queue->first = move;
    queue->last = move;
}

struct move *
move_queue_pop(struct move_queue *queue)
{
    struct move *move = queue->first;
    if (move)
        queue->first = move->next;
    return move;
}
