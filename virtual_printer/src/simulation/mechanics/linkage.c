// Linkages: where rods hold the toolhead, or a turning bed has it
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // sqrt
#include <string.h> // memcpy
#include "mechanics.h" // struct mechanics

// Far ends of rods on one line leave the toolhead free to swing around it:
// what sin^2 of the angle between them has to exceed
#define SPREAD_MIN 1e-9
// How precisely rods hold the toolhead
#define PRECISION_MM 1e-9
#define ROUNDS_MAX 30
// By how much the rods may miss the toolhead at the start
#define MISS_MM_MAX 1e-3

// A rod ties the toolhead to a sphere
struct sphere {
    double centre[3], radius;
};


/****************************************************************
 * Arithmetic
 ****************************************************************/

static double
dot(const double *a, const double *b)
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static void
subtract(const double *a, const double *b, double *difference)
{
    for (int i = 0; i < 3; i++)
        difference[i] = a[i] - b[i];
}

static double
root_or_zero(double square)
{
    return square > 0.0 ? sqrt(square) : 0.0;
}

// By how much a place is off a sphere; stores the direction out of it
static double
miss(const struct sphere *sphere, const double *place, double *outward)
{
    subtract(place, sphere->centre, outward);
    double distance = sqrt(dot(outward, outward));
    for (int i = 0; i < 3; i++)
        outward[i] /= distance > 0.0 ? distance : 1.0;
    return distance - sphere->radius;
}

static double
sum_of_squares(const struct sphere *spheres, size_t count, const double *place)
{
    double sum = 0.0, outward[3];
    for (size_t i = 0; i < count; i++) {
        double missed = miss(&spheres[i], place, outward);
        sum += missed * missed;
    }
    return sum;
}


/****************************************************************
 * Spheres
 ****************************************************************/

// Find the lower one of two circles' meeting places along x and z
static int
meet_flat(const struct sphere *spheres, double *place)
{
    double dx = spheres[1].centre[0] - spheres[0].centre[0];
    double dz = spheres[1].centre[2] - spheres[0].centre[2];
    double square = dx * dx + dz * dz;
    double r0 = spheres[0].radius, r1 = spheres[1].radius;
    if (square <= SPREAD_MIN * r0 * r0)
        return -1;
    // Along the line between the centres, then down beside it
    double along = (square + r0 * r0 - r1 * r1) / (2.0 * square);
    double beside = root_or_zero(r0 * r0 / square - along * along);
    if (dx < 0.0)
        beside = -beside;
    place[0] = spheres[0].centre[0] + along * dx + beside * dz;
    place[2] = spheres[0].centre[2] + along * dz - beside * dx;
    return 0;
}

// Find both places where three spheres meet, the lower one first.  Points of
// two spheres lie in a plane across the line between their centres; two such
// planes leave one line, across the triangle of the centres.
static int
meet(const struct sphere *spheres, double *lower, double *upper)
{
    double u[3], v[3];
    subtract(spheres[1].centre, spheres[0].centre, u);
    subtract(spheres[2].centre, spheres[0].centre, v);
    double uu = dot(u, u), vv = dot(v, v), uv = dot(u, v);
    double spread = uu * vv - uv * uv;
    if (spread <= SPREAD_MIN * uu * vv)
        return -1;
    double square = spheres[0].radius * spheres[0].radius;
    double pu = (uu + square - spheres[1].radius * spheres[1].radius) / 2.0;
    double pv = (vv + square - spheres[2].radius * spheres[2].radius) / 2.0;
    double a = (pu * vv - pv * uv) / spread, b = (pv * uu - pu * uv) / spread;
    const double normal[3] = {
        u[1] * v[2] - u[2] * v[1],
        u[2] * v[0] - u[0] * v[2],
        u[0] * v[1] - u[1] * v[0],
    };
    // spread is the square of the normal's length
    double off = root_or_zero((square - a * pu - b * pv) / spread);
    if (normal[2] > 0.0)
        off = -off;
    for (int i = 0; i < 3; i++) {
        double foot = spheres[0].centre[i] + a * u[i] + b * v[i];
        lower[i] = foot + off * normal[i];
        upper[i] = foot - off * normal[i];
    }
    return 0;
}

// Add to the normal equations what a sphere says about a step from a place
static void
add_equation(const struct sphere *sphere, const double *place,
             double matrix[3][3], double *right)
{
    double outward[3], missed = miss(sphere, place, outward);
    for (int i = 0; i < 3; i++) {
        right[i] -= outward[i] * missed;
        for (int j = 0; j < 3; j++)
            matrix[i][j] += outward[i] * outward[j];
    }
}

static double
determinant(double m[3][3])
{
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
        - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

// Move a place to where it fits all spheres best (Gauss-Newton)
static void
fit(const struct sphere *spheres, size_t count, double *place)
{
    for (int round = 0; round < ROUNDS_MAX; round++) {
        double matrix[3][3] = { { 0.0 } }, right[3] = { 0.0 };
        for (size_t i = 0; i < count; i++)
            add_equation(&spheres[i], place, matrix, right);
        double whole = determinant(matrix), moved = 0.0;
        if (whole <= SPREAD_MIN)
            return;
        for (int i = 0; i < 3; i++) {
            double replaced[3][3];
            memcpy(replaced, matrix, sizeof(replaced));
            for (int j = 0; j < 3; j++)
                replaced[j][i] = right[j];
            double step = determinant(replaced) / whole;
            place[i] += step;
            moved += fabs(step);
        }
        if (moved < PRECISION_MM)
            return;
    }
}


/****************************************************************
 * Rods
 ****************************************************************/

static struct sphere
rod_sphere(struct mechanics *mechanics, const struct rod *rod)
{
    double position =
        carriage_position_mm(mechanics, &mechanics->carriages[rod->joint]);
    struct sphere sphere = {
        { rod->x_mm, rod->y_mm, rod->z_mm },
        rod->length_mm
    };
    if (rod->kind == ROD_ROPE) {
        sphere.radius = position;
    } else if (rod->kind == ROD_TOWER) {
        sphere.centre[2] += position;
    } else {
        double reach_mm = rod->crank_mm * cos(position);
        sphere.centre[0] += reach_mm * rod->cos_direction;
        sphere.centre[1] += reach_mm * rod->sin_direction;
        sphere.centre[2] += rod->crank_mm * sin(position);
    }
    return sphere;
}

// Find where the spheres of all rods meet; -1 if that is nowhere
static int
find_place(const struct sphere *spheres, size_t count, double *place_mm)
{
    if (count == 2)
        return meet_flat(spheres, place_mm);
    // The toolhead hangs from three rods; further ones may hold it above
    double upper_mm[3];
    if (meet(spheres, place_mm, upper_mm))
        return -1;
    if (count == 3)
        return 0;
    if (sum_of_squares(spheres, count, upper_mm)
        < sum_of_squares(spheres, count, place_mm))
        memcpy(place_mm, upper_mm, sizeof(upper_mm));
    fit(spheres, count, place_mm);
    return 0;
}

void
rods_hold(struct mechanics *mechanics, double *place_mm)
{
    struct linkage *linkage = &mechanics->linkage;
    struct sphere spheres[CARRIAGES_MAX];
    for (size_t i = 0; i < linkage->rod_count; i++)
        spheres[i] = rod_sphere(mechanics, &linkage->rods[i]);
    if (!find_place(spheres, linkage->rod_count, place_mm))
        memcpy(linkage->place_mm, place_mm, sizeof(linkage->place_mm));
    else
        // Nothing holds it, but nothing moves it either
        memcpy(place_mm, linkage->place_mm, sizeof(linkage->place_mm));
}

const char *
linkage_prepare(struct mechanics *mechanics, int *line)
{
    const struct linkage *linkage = &mechanics->linkage;
    if (linkage->kind != LINKAGE_RODS)
        return NULL;
    *line = linkage->rods[0].line;
    if (linkage->rod_count < 2)
        return "one rod alone does not hold the toolhead";
    struct sphere spheres[CARRIAGES_MAX];
    for (size_t i = 0; i < linkage->rod_count; i++)
        spheres[i] = rod_sphere(mechanics, &linkage->rods[i]);
    double place_mm[3] = { 0.0, 0.0, 0.0 };
    if (find_place(spheres, linkage->rod_count, place_mm))
        return "the far ends of the rods are in one line";
    if (linkage->rod_count == 2)
        for (int i = 0; i < 2; i++)
            spheres[i].centre[1] = place_mm[1];
    if (sum_of_squares(spheres, linkage->rod_count, place_mm)
        > MISS_MM_MAX * MISS_MM_MAX)
        return "the rods do not meet at the toolhead";
    return NULL;
}


/****************************************************************
 * Polar
 ****************************************************************/

void
polar_place(struct mechanics *mechanics, double offset_x_mm, double offset_y_mm,
            double *x_mm, double *y_mm)
{
    const struct linkage *linkage = &mechanics->linkage;
    double angle =
        carriage_position_mm(mechanics, &mechanics->carriages[linkage->bed]);
    double along_mm =
        carriage_position_mm(mechanics, &mechanics->carriages[linkage->arm])
        + offset_x_mm;
    // The bed turns below the arm, which keeps its direction
    *x_mm = along_mm * cos(angle) - offset_y_mm * sin(angle);
    *y_mm = along_mm * sin(angle) + offset_y_mm * cos(angle);
}
