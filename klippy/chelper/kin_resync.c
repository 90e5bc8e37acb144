// Carry any number of steppers along one move, each by its own distance
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stddef.h> // offsetof
#include <stdlib.h> // calloc
#include "itersolve.h" // struct stepper_kinematics
#include "list.h" // list_for_each_entry
#include "trapq.h" // struct move

struct resync_stepper {
    struct stepper_kinematics sk;
    double distance;
};

static struct resync_stepper *
container(struct stepper_kinematics *sk)
{
    return (void *)((char *)sk - offsetof(struct resync_stepper, sk));
}

// Part of the way (0 to 1) that is done after a part of the time (0 to 1)
//
// The polynomial of least degree that starts and ends at standstill without
// acceleration.
static double
smooth_part(double time_part)
{
    double t = time_part;
    return t * t * t * (10. + t * (6. * t - 15.));
}

// The carrier move runs along x from zero to one
static double
resync_calc_position(struct stepper_kinematics *sk, struct move *m,
                     double move_time)
{
    struct resync_stepper *rs = container(sk);
    if (!m->axes_r.x)
        return rs->distance * m->start_pos.x;
    return rs->distance * smooth_part(move_time / m->move_t);
}

// Allocate the kinematics of a stepper that goes distance mm (signed)
struct stepper_kinematics *
resync_stepper_alloc(double distance)
{
    struct resync_stepper *rs = calloc(1, sizeof(*rs));
    if (!rs)
        return NULL;
    rs->distance = distance;
    rs->sk.calc_position_cb = resync_calc_position;
    rs->sk.active_flags = AF_X;
    return &rs->sk;
}

// Make kinematics as they were when new, for another distance
void
resync_stepper_renew(struct stepper_kinematics *sk, double distance)
{
    container(sk)->distance = distance;
    sk->commanded_pos = sk->last_flush_time = sk->last_move_time = 0.;
}

// Free what resync_stepper_alloc() returned
void
resync_stepper_free(struct stepper_kinematics *sk)
{
    free(container(sk));
}


/****************************************************************
 * Layout check
 ****************************************************************/

// Check kinematics of the host's own: two for x, and one for y
static int
kinematics_agree(struct stepper_kinematics *x,
                 struct stepper_kinematics *other_x,
                 struct stepper_kinematics *y, double commanded_pos)
{
    return x->commanded_pos == commanded_pos && x->active_flags == AF_X
        && y->active_flags == AF_Y && x->calc_position_cb
        && x->calc_position_cb == other_x->calc_position_cb
        && x->calc_position_cb != y->calc_position_cb;
}

// Find the move that the host's trapq_append() made of these
static int
has_move(struct trapq *tq, double print_time, double move_t, double start_x,
         double axes_r_x)
{
    struct move *m;
    list_for_each_entry(m, &tq->moves, node) {
        if (m->print_time == print_time && m->move_t == move_t
            && m->start_pos.x == start_x && m->axes_r.x == axes_r_x)
            return 1;
    }
    return 0;
}

// Tell if the host's library keeps its data where its headers say
//
// All pointers are to what the host's library has made, so that a layout which
// does not agree is found by looking, not by calling through it.
int
resync_layout_agrees(struct stepper_kinematics *x,
                     struct stepper_kinematics *other_x,
                     struct stepper_kinematics *y, double commanded_pos,
                     struct trapq *tq, double print_time, double move_t,
                     double start_x, double axes_r_x)
{
    return kinematics_agree(x, other_x, y, commanded_pos)
        && has_move(tq, print_time, move_t, start_x, axes_r_x);
}
