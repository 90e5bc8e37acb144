// The printer that the micro-controllers move and feel
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef MECHANICS_H
#define MECHANICS_H

#include <stddef.h> // size_t
#include <stdint.h> // int64_t
#include "../core/random_stream.h" // struct random_stream
#include "../core/timeline.h" // struct timeline

#pragma GCC visibility push(hidden)

// Pins are of one of them; nothing more of it is known here
struct mcu;

enum axis { AXIS_X, AXIS_Y, AXIS_Z, AXIS_JOINT };
enum { CARRIAGES_MAX = 16, GANTRY_LIFTS_MAX = 4 };

// What makes a motor's pulses, part of its owner; it may be behind the time
struct motor_driver {
    void (*catch_up)(struct motor_driver *driver);
    // The same, only up to a time
    void (*catch_up_to)(struct motor_driver *driver, int64_t time_ns);
    // Pulses per second now, 0 at rest
    double (*rate_hz)(struct motor_driver *driver);
};

// A motor with its driver; it knows pulses only
struct motor {
    char *name;
    struct mcu *mcu;
    struct motor_driver *driver; // NULL while there is none
    uint8_t step_pin, dir_pin, invert_dir;
    double step_dist_mm, start_mm; // in rad if it turns a joint
    // How far it turns for 1 mm of each carriage (mm); one that moves none,
    // as that of an extruder, has a position of its own
    double moves[CARRIAGES_MAX];
    int64_t pulses;
    uint64_t pulses_up, pulses_down; // since the last reset of the log
    uint32_t lose_up, lose_down; // pulses that are yet to be left out
    uint32_t microsteps; // pulses of a full step
    // How far its pulses have gone without it, held by a stop
    struct mechanics *mechanics;
    int is_stoppable;
    double slip_mm;
    double held_periods; // of its places, while a stop is looked at
    // Without current it goes where the others of its drive go, or stays
    struct drive *drive; // NULL if it moves no carriage
    int is_limp;
    double limp_travel_mm;
};

// A belt or screw with all motors that pull it; their mean counts
struct drive {
    struct motor **motors;
    size_t motor_count;
    double *moves; // of its first motor
    // How far each carriage goes for 1 mm of this drive
    double shares[CARRIAGES_MAX];
};

// Something that moves along one axis on its own.  A carriage of the z
// axis lifts the gantry at a place; the others may bear the toolhead.  A
// joint moves along no axis: it is part of a linkage.
struct carriage {
    char *name;
    enum axis axis;
    int has_toolhead;
    double start_mm, x_mm, y_mm;
    // Share of the gantry's height: w0 + w1*x + w2*y + w3*x*y
    double height_weights[4];
    double held_back_mm; // by its stops
    int line; // of the description
};

// A rod that holds the toolhead.  The position of its joint is the height
// of its far end on a tower, the angle of the crank that moves this, or the
// length of a rope.
enum rod_kind { ROD_TOWER, ROD_CRANK, ROD_ROPE };
struct rod {
    enum rod_kind kind;
    size_t joint; // index of the carriage
    double x_mm, y_mm, z_mm; // the tower, the crank's axle, the rope's anchor
    double length_mm, crank_mm;
    double cos_direction, sin_direction; // in which the crank turns
    int line; // of the description
};

// What holds the toolhead where carriages do not: rods along x, y and z (two
// rods: along x and z), or an arm over a bed that turns along x and y
enum linkage_kind { LINKAGE_NONE, LINKAGE_RODS, LINKAGE_POLAR };
struct linkage {
    enum linkage_kind kind;
    struct rod *rods;
    size_t rod_count;
    size_t bed, arm; // indices of the joints of a polar printer
    double place_mm[3]; // where rods held the toolhead last
};

// Where the way of a carriage ends
struct stop {
    size_t carriage; // index
    double at_mm;
    int is_at_max;
};

enum sensor_kind {
    SENSOR_CARRIAGE,
    SENSOR_NOZZLE,
    SENSOR_PROBE,
    SENSOR_BLTOUCH,
    SENSOR_WIRE,
    SENSOR_MOTOR,
};
enum { FORCE_NONE = -1 };

// What a BLTouch has beside its sensor pin
struct bltouch {
    struct mcu *control_mcu;
    uint8_t control_pin, control_invert;
    int is_high; // the control pin
    int64_t rise_ns; // when it went high last
    int is_deployed, is_touch_mode;
    int64_t signal_end_ns;
};

// Where a probe waits for the toolhead, which takes it along unless it leaves
// towards the place where the probe is to come off
struct dock {
    struct mechanics *mechanics;
    struct timeline *timeline;
    struct event event;
    double x_mm, y_mm, detach_x_mm, detach_y_mm;
    int is_there; // the toolhead
    int is_attached;
};

// An endstop switch or a probe
struct sensor {
    struct mcu *mcu;
    uint8_t pin, invert;
    enum sensor_kind kind;
    int forced; // 0: never triggered, 1: always, FORCE_NONE
    size_t carriage; // index
    size_t motor; // index
    size_t source; // index of the sensor whose signal a wire carries
    double at_mm;
    int is_at_max;
    double offset_x_mm, offset_y_mm, trigger_height_mm, noise_mm;
    double current_noise_mm;
    struct bltouch bltouch;
    struct dock *dock; // NULL if it is always at the toolhead
    struct random_stream random;
    // Where the height was taken last, as x and y seldom move
    int is_cached;
    double cached_x_mm, cached_y_mm, cached_bed_mm;
    double cached_weights[GANTRY_LIFTS_MAX];
};

// How the toolhead swings along an axis
struct resonance {
    double frequency_hz, damping; // share of critical
};

struct mechanics {
    const struct timeline *timeline;
    struct carriage carriages[CARRIAGES_MAX];
    size_t carriage_count;
    struct carriage *lifts[GANTRY_LIFTS_MAX];
    size_t lift_count;
    struct linkage linkage;
    struct motor *motors;
    size_t motor_count;
    struct drive *drives;
    size_t drive_count;
    struct sensor *sensors;
    size_t sensor_count;
    struct stop *stops;
    size_t stop_count;
    double tilt_x, tilt_y, bow_mm, center_x_mm, center_y_mm, radius_mm;
    struct resonance resonances[3]; // by axis
    double stiffness_g_per_mm; // of the nozzle against the bed
};

// Work out what follows from the description; returns NULL or what is
// wrong, and stores the line that it is about
const char *mechanics_prepare(struct mechanics *mechanics, int *line);
void mechanics_release(struct mechanics *mechanics);

struct motor *mechanics_find_motor_by_name(struct mechanics *mechanics,
                                           const char *name);
struct motor *mechanics_find_motor(struct mechanics *mechanics,
                                   const struct mcu *mcu, uint32_t step_pin,
                                   uint32_t dir_pin);
// Index of a carriage, or -1
int mechanics_find_carriage(const struct mechanics *mechanics,
                            const char *name);

// The driver is to take pulses with this level on the direction pin;
// returns how many it took
static inline uint32_t
motor_pulse(struct motor *motor, int dir_level, uint32_t count)
{
    int is_up = dir_level != motor->invert_dir;
    uint32_t *lose = is_up ? &motor->lose_up : &motor->lose_down;
    uint32_t lost = count < *lose ? count : *lose;
    *lose -= lost;
    count -= lost;
    if (is_up) {
        motor->pulses += count;
        motor->pulses_up += count;
    } else {
        motor->pulses -= count;
        motor->pulses_down += count;
    }
    return count;
}

// Take the current from a motor, or give it back where the motor is then
void motor_set_limp(struct motor *motor, int is_limp);

// True position now
double motor_position_mm(struct motor *motor);
double carriage_position_mm(struct mechanics *mechanics,
                            const struct carriage *carriage);
void mechanics_toolhead(struct mechanics *mechanics, double *x_mm,
                        double *y_mm);

// linkage.c
const char *linkage_prepare(struct mechanics *mechanics, int *line);
// Where rods hold the toolhead; two of them leave y as it is
void rods_hold(struct mechanics *mechanics, double *place_mm);
// The place on the turning bed below what is beside the nozzle
void polar_place(struct mechanics *mechanics, double offset_x_mm,
                 double offset_y_mm, double *x_mm, double *y_mm);

// stops.c
const char *stops_prepare(struct mechanics *mechanics);
// Bring all motors that a stop can hold to a time, and see what it does
void stops_settle(struct mechanics *mechanics, int64_t time_ns);
// How far the pulses of a motor are ahead of where it is held
double motor_lag_mm(struct motor *motor);
// A motor is about to turn round, at a time
static inline void
motor_turn(struct motor *motor, int64_t time_ns)
{
    if (motor->is_stoppable)
        stops_settle(motor->mechanics, time_ns);
}

// mechanics.c, for stops.c
double motor_free_travel_mm(struct motor *motor);
double carriage_free_position_mm(struct mechanics *mechanics, size_t index);

// gantry.c
const char *gantry_weigh(struct mechanics *mechanics);
// Weights of the lifts at a place, and the height that results
void gantry_weights(const struct mechanics *mechanics, double x_mm, double y_mm,
                    double *weights);
double gantry_height_mm(struct mechanics *mechanics, const double *weights);

// sensors.c
struct sensor *mechanics_find_sensor(struct mechanics *mechanics,
                                     const struct mcu *mcu, uint32_t pin);
double mechanics_nozzle_height_mm(struct mechanics *mechanics, double x_mm,
                                  double y_mm);
// How deep the nozzle is in the bed, and what that pushes back with
double mechanics_nozzle_depth_mm(struct mechanics *mechanics);
double mechanics_nozzle_force_g(struct mechanics *mechanics);
// A homing move begins: a probe does not repeat itself exactly
void sensor_arm(struct sensor *sensor);
int sensor_is_triggered(struct mechanics *mechanics, struct sensor *sensor);
// Height above the bed at the sensor's place beside the nozzle
double sensor_height_mm(struct mechanics *mechanics, struct sensor *sensor);

// dock.c
// Follow whether the toolhead has the probe
void dock_watch(struct dock *dock);

// bltouch.c
// A pin has been set, which may be that of a BLTouch
void bltouches_feel(struct mechanics *mechanics, const struct mcu *mcu,
                    uint8_t pin, int level);
// The sensor pin now, from whether the bed pushes at the pin of a BLTouch
int bltouch_is_triggered(struct bltouch *bltouch, int64_t now_ns,
                         int is_pushed);

#pragma GCC visibility pop

#endif // mechanics.h
