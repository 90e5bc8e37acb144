// Motors, the belts and screws that they pull, and the carriages on these
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // fabs
#include <stdlib.h> // free
#include <string.h> // memcmp
#include "../core/memory.h" // allocate
#include "mechanics.h" // struct mechanics

// What is left of a pivot that rounding alone keeps from being zero
#define PIVOT_MIN 1e-9


/****************************************************************
 * Drives: the carriages are where they fit all drives best (least
 * squares), exactly where there are as many drives as carriages
 ****************************************************************/

static int
is_moving_carriages(const struct motor *motor)
{
    for (size_t i = 0; i < CARRIAGES_MAX; i++)
        if (motor->moves[i] != 0.0)
            return 1;
    return 0;
}

// Sort the motors into drives: those that move the same share one
static void
gather_drives(struct mechanics *mechanics)
{
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        if (!is_moving_carriages(motor))
            continue;
        struct drive *drive = NULL;
        for (size_t j = 0; j < mechanics->drive_count; j++)
            if (!memcmp(mechanics->drives[j].moves, motor->moves,
                        sizeof(motor->moves)))
                drive = &mechanics->drives[j];
        if (!drive) {
            drive = array_grow(&mechanics->drives, &mechanics->drive_count,
                               sizeof(*drive));
            drive->moves = motor->moves;
        }
        struct motor **place =
            array_grow(&drive->motors, &drive->motor_count, sizeof(*place));
        *place = motor;
    }
}

// Write down the normal equations, one row for each carriage: what all
// drives say about the carriages, and to the right of it each drive
static void
fill_equations(const struct mechanics *mechanics, double *rows, size_t width)
{
    size_t count = mechanics->carriage_count;
    for (size_t row = 0; row < count; row++) {
        double *equation = rows + row * width;
        for (size_t i = 0; i < mechanics->drive_count; i++) {
            const double *moves = mechanics->drives[i].moves;
            for (size_t column = 0; column < count; column++)
                equation[column] += moves[row] * moves[column];
            equation[count + i] = moves[row];
        }
        if (equation[row] == 0.0)
            // A carriage without a drive stays where it is
            equation[row] = 1.0;
    }
}

// Solve the equations for one carriage; returns -1 if that cannot be done
static int
eliminate(double *rows, size_t count, size_t width, size_t pivot)
{
    size_t best = pivot;
    for (size_t row = pivot + 1; row < count; row++)
        if (fabs(rows[row * width + pivot]) > fabs(rows[best * width + pivot]))
            best = row;
    double *source = rows + pivot * width;
    for (size_t i = 0; best != pivot && i < width; i++) {
        double swapped = source[i];
        source[i] = rows[best * width + i];
        rows[best * width + i] = swapped;
    }
    double divisor = source[pivot];
    if (fabs(divisor) < PIVOT_MIN)
        return -1;
    for (size_t i = 0; i < width; i++)
        source[i] /= divisor;
    for (size_t row = 0; row < count; row++) {
        double *target = rows + row * width, factor = target[pivot];
        for (size_t i = 0; row != pivot && i < width; i++)
            target[i] -= factor * source[i];
    }
    return 0;
}

static void
link_motors(struct mechanics *mechanics)
{
    for (size_t i = 0; i < mechanics->drive_count; i++) {
        struct drive *drive = &mechanics->drives[i];
        for (size_t j = 0; j < drive->motor_count; j++)
            drive->motors[j]->drive = drive;
    }
}

static const char *
share_drives(struct mechanics *mechanics, int *line)
{
    size_t count = mechanics->carriage_count;
    size_t width = count + mechanics->drive_count;
    double *rows = allocate(count * width, sizeof(*rows));
    fill_equations(mechanics, rows, width);
    const char *problem = NULL;
    for (size_t pivot = 0; pivot < count && !problem; pivot++)
        if (eliminate(rows, count, width, pivot)) {
            *line = mechanics->carriages[pivot].line;
            problem = "the steppers do not move this carriage on its own";
        }
    for (size_t i = 0; i < mechanics->drive_count; i++)
        for (size_t row = 0; row < count; row++)
            mechanics->drives[i].shares[row] = rows[row * width + count + i];
    free(rows);
    return problem;
}


/****************************************************************
 * Set-up
 ****************************************************************/

const char *
mechanics_prepare(struct mechanics *mechanics, int *line)
{
    for (size_t i = 0; i < mechanics->carriage_count; i++) {
        struct carriage *carriage = &mechanics->carriages[i];
        if (carriage->axis != AXIS_Z)
            continue;
        *line = carriage->line;
        if (mechanics->lift_count == GANTRY_LIFTS_MAX)
            return "more than four carriages lift the gantry";
        mechanics->lifts[mechanics->lift_count++] = carriage;
    }
    const char *problem = gantry_weigh(mechanics);
    if (problem)
        return problem;
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        for (size_t j = 0; j < mechanics->carriage_count; j++)
            motor->start_mm +=
                motor->moves[j] * mechanics->carriages[j].start_mm;
    }
    gather_drives(mechanics);
    link_motors(mechanics);
    problem = share_drives(mechanics, line);
    if (!problem)
        problem = linkage_prepare(mechanics, line);
    return problem ? problem : stops_prepare(mechanics);
}

void
mechanics_release(struct mechanics *mechanics)
{
    for (size_t i = 0; i < mechanics->motor_count; i++)
        free(mechanics->motors[i].name);
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        free(mechanics->carriages[i].name);
    for (size_t i = 0; i < mechanics->drive_count; i++)
        free(mechanics->drives[i].motors);
    free(mechanics->motors);
    free(mechanics->drives);
    free(mechanics->linkage.rods);
    for (size_t i = 0; i < mechanics->sensor_count; i++)
        free(mechanics->sensors[i].dock);
    free(mechanics->sensors);
    free(mechanics->stops);
}

struct motor *
mechanics_find_motor_by_name(struct mechanics *mechanics, const char *name)
{
    for (size_t i = 0; i < mechanics->motor_count; i++)
        if (!strcmp(mechanics->motors[i].name, name))
            return &mechanics->motors[i];
    return NULL;
}

struct motor *
mechanics_find_motor(struct mechanics *mechanics, const struct mcu *mcu,
                     uint32_t step_pin, uint32_t dir_pin)
{
    for (size_t i = 0; i < mechanics->motor_count; i++) {
        struct motor *motor = &mechanics->motors[i];
        if (motor->mcu == mcu && motor->step_pin == step_pin
            && motor->dir_pin == dir_pin)
            return motor;
    }
    return NULL;
}

int
mechanics_find_carriage(const struct mechanics *mechanics, const char *name)
{
    for (size_t i = 0; i < mechanics->carriage_count; i++)
        if (!strcmp(mechanics->carriages[i].name, name))
            return (int)i;
    return -1;
}


/****************************************************************
 * Positions
 ****************************************************************/

// How far a motor goes if nothing stops it, after all pulses it has taken
double
motor_free_travel_mm(struct motor *motor)
{
    return motor->step_dist_mm * (double)motor->pulses - motor->slip_mm;
}

static double drive_travel_mm(const struct drive *drive);

static double
motor_travel_mm(struct motor *motor)
{
    // Those that can be stopped are up to date already
    if (motor->driver && !motor->is_stoppable)
        motor->driver->catch_up(motor->driver);
    if (motor->is_limp)
        return motor->drive ? drive_travel_mm(motor->drive)
                            : motor->limp_travel_mm;
    return motor_free_travel_mm(motor);
}

static void
settle(struct mechanics *mechanics)
{
    if (mechanics->stop_count && mechanics->drive_count)
        stops_settle(mechanics, mechanics->timeline->now_ns);
}

double
motor_position_mm(struct motor *motor)
{
    settle(motor->mechanics);
    double position_mm = motor->start_mm + motor_travel_mm(motor);
    for (size_t i = 0; motor->is_stoppable && i < CARRIAGES_MAX; i++)
        position_mm -=
            motor->moves[i] * motor->mechanics->carriages[i].held_back_mm;
    return position_mm;
}

static double
drive_travel_mm(const struct drive *drive)
{
    double sum_mm = 0.0;
    size_t count = 0;
    for (size_t i = 0; i < drive->motor_count; i++) {
        if (drive->motors[i]->is_limp)
            continue;
        sum_mm += motor_travel_mm(drive->motors[i]);
        count++;
    }
    return count ? sum_mm / (double)count : drive->motors[0]->limp_travel_mm;
}

void
motor_set_limp(struct motor *motor, int is_limp)
{
    if (is_limp == motor->is_limp)
        return;
    // The belt goes on from where it is
    double belt_mm = motor_position_mm(motor) - motor->start_mm;
    if (!is_limp)
        motor->slip_mm = motor->step_dist_mm * (double)motor->pulses - belt_mm;
    motor->is_limp = is_limp;
    motor->limp_travel_mm = belt_mm;
    // All stop where the last of them does
    for (size_t i = 0; motor->drive && i < motor->drive->motor_count; i++)
        motor->drive->motors[i]->limp_travel_mm = belt_mm;
}

double
carriage_free_position_mm(struct mechanics *mechanics, size_t index)
{
    double travel_mm = 0.0;
    for (size_t i = 0; i < mechanics->drive_count; i++) {
        const struct drive *drive = &mechanics->drives[i];
        if (drive->shares[index] != 0.0)
            travel_mm += drive->shares[index] * drive_travel_mm(drive);
    }
    return mechanics->carriages[index].start_mm + travel_mm;
}

double
carriage_position_mm(struct mechanics *mechanics,
                     const struct carriage *carriage)
{
    settle(mechanics);
    size_t index = (size_t)(carriage - mechanics->carriages);
    return carriage_free_position_mm(mechanics, index) - carriage->held_back_mm;
}

// Where the toolhead is along an axis: half way between carriages that
// bear it together
static double
toolhead_position_mm(struct mechanics *mechanics, enum axis axis)
{
    double sum_mm = 0.0;
    int count = 0;
    for (size_t i = 0; i < mechanics->carriage_count; i++) {
        const struct carriage *carriage = &mechanics->carriages[i];
        if (carriage->axis != axis || !carriage->has_toolhead)
            continue;
        sum_mm += carriage_position_mm(mechanics, carriage);
        count++;
    }
    return count ? sum_mm / count : 0.0;
}

void
mechanics_toolhead(struct mechanics *mechanics, double *x_mm, double *y_mm)
{
    if (mechanics->linkage.kind == LINKAGE_POLAR) {
        polar_place(mechanics, 0.0, 0.0, x_mm, y_mm);
        return;
    }
    *x_mm = toolhead_position_mm(mechanics, AXIS_X);
    *y_mm = toolhead_position_mm(mechanics, AXIS_Y);
    if (mechanics->linkage.kind == LINKAGE_RODS) {
        double place_mm[3] = { *x_mm, *y_mm, 0.0 };
        rods_hold(mechanics, place_mm);
        *x_mm = place_mm[0];
        *y_mm = place_mm[1];
    }
}
