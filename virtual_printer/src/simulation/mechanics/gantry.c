// Gantry: its height is a weighted sum of the heights to which it is lifted
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <stddef.h> // NULL
#include "mechanics.h" // struct mechanics


/****************************************************************
 * What each lift contributes
 ****************************************************************/

static const char *
weigh_line(struct carriage **lifts)
{
    double dx = lifts[1]->x_mm - lifts[0]->x_mm;
    double dy = lifts[1]->y_mm - lifts[0]->y_mm;
    double square = dx * dx + dy * dy;
    if (square <= 0.0)
        return "two z steppers lift the gantry at the same place";
    double *first = lifts[0]->height_weights;
    double *second = lifts[1]->height_weights;
    second[0] = -(lifts[0]->x_mm * dx + lifts[0]->y_mm * dy) / square;
    second[1] = dx / square;
    second[2] = dy / square;
    first[0] = 1.0 - second[0];
    first[1] = -second[1];
    first[2] = -second[2];
    return NULL;
}

static const char *
weigh_plane(struct carriage **lifts)
{
    for (int i = 0; i < 3; i++) {
        const struct carriage *next = lifts[(i + 1) % 3];
        const struct carriage *last = lifts[(i + 2) % 3];
        double edge_x = last->x_mm - next->x_mm;
        double edge_y = last->y_mm - next->y_mm;
        // Twice the area of the triangle, with its sign
        double area = edge_x * (lifts[i]->y_mm - next->y_mm)
            - edge_y * (lifts[i]->x_mm - next->x_mm);
        if (area == 0.0)
            return "three z steppers lift the gantry in one line";
        double *weights = lifts[i]->height_weights;
        weights[0] = (edge_y * next->x_mm - edge_x * next->y_mm) / area;
        weights[1] = -edge_y / area;
        weights[2] = edge_x / area;
    }
    return NULL;
}

// Store the factors a, b of a + b*value that is 1 at here and 0 at there
static void
ramp(double here, double there, double *a, double *b)
{
    *b = 1.0 / (here - there);
    *a = -there * *b;
}

static const char *
weigh_rectangle(struct carriage **lifts)
{
    for (int i = 0; i < GANTRY_LIFTS_MAX; i++) {
        struct carriage *lift = lifts[i];
        const struct carriage *across_x = NULL, *across_y = NULL;
        for (int j = 0; j < GANTRY_LIFTS_MAX; j++) {
            int is_same_x = lifts[j]->x_mm == lift->x_mm;
            int is_same_y = lifts[j]->y_mm == lift->y_mm;
            if (is_same_y && !is_same_x)
                across_x = lifts[j];
            if (is_same_x && !is_same_y)
                across_y = lifts[j];
        }
        if (!across_x || !across_y)
            return "four z steppers must lift the corners of a rectangle"
                   " along x and y";
        double x0, x1, y0, y1;
        ramp(lift->x_mm, across_x->x_mm, &x0, &x1);
        ramp(lift->y_mm, across_y->y_mm, &y0, &y1);
        lift->height_weights[0] = x0 * y0;
        lift->height_weights[1] = x1 * y0;
        lift->height_weights[2] = x0 * y1;
        lift->height_weights[3] = x1 * y1;
    }
    return NULL;
}

const char *
gantry_weigh(struct mechanics *mechanics)
{
    struct carriage **lifts = mechanics->lifts;
    switch (mechanics->lift_count) {
    case 0: return NULL;
    case 1: lifts[0]->height_weights[0] = 1.0; return NULL;
    case 2: return weigh_line(lifts);
    case 3: return weigh_plane(lifts);
    default: return weigh_rectangle(lifts);
    }
}


/****************************************************************
 * Height
 ****************************************************************/

void
gantry_weights(const struct mechanics *mechanics, double x_mm, double y_mm,
               double *weights)
{
    for (size_t i = 0; i < mechanics->lift_count; i++) {
        const double *terms = mechanics->lifts[i]->height_weights;
        weights[i] =
            terms[0] + terms[1] * x_mm + (terms[2] + terms[3] * x_mm) * y_mm;
    }
}

double
gantry_height_mm(struct mechanics *mechanics, const double *weights)
{
    double height_mm = 0.0;
    for (size_t i = 0; i < mechanics->lift_count; i++)
        height_mm +=
            weights[i] * carriage_position_mm(mechanics, mechanics->lifts[i]);
    return height_mm;
}
