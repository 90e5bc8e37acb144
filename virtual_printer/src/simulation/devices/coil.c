// A coil beside the nozzle, whose frequency rises where the bed is near
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include "../thermal/thermal.h" // body_temperature_c
#include "coil.h" // struct coil

// Eddy currents in the bed make the coil faster: by this share of its frequency
// where it touches the bed, by a quarter of that this far from it
#define GAIN 0.16
#define RANGE_MM 3.0
// What each kelvin changes, as a share of the frequency: of the coil itself, by
// what the bed adds to it, and by the square of that.  Beacon's own plugin
// compensates these for a sensor of its average make.
#define DRIFT_PER_K (-7.0e-6)
#define GAIN_DRIFT_PER_K (-6.36e-4)
#define SQUARE_DRIFT_PER_K 1.949e-3
#define TEMPERATURE_PERIOD_NS 100000000
// Where the nozzle rests on the bed, gantry and toolhead give way, and this
// share of its way on is left to the coil
#define GIVE 0.15

double
coil_temperature_c(struct coil *coil)
{
    int64_t now_ns = coil->mechanics->timeline->now_ns;
    if (!coil->body)
        return COIL_REFERENCE_C;
    if (now_ns >= coil->temperature_until_ns) {
        coil->temperature_c = body_temperature_c(coil->body);
        coil->temperature_until_ns = now_ns + TEMPERATURE_PERIOD_NS;
    }
    return coil->temperature_c;
}

double
coil_distance_mm(struct coil *coil)
{
    double held_up_mm =
        (1.0 - GIVE) * mechanics_nozzle_depth_mm(coil->mechanics);
    double distance_mm = coil->height_mm + held_up_mm
        + sensor_height_mm(coil->mechanics, &coil->place);
    return distance_mm > 0.0 ? distance_mm : 0.0;
}

double
coil_frequency_hz(struct coil *coil)
{
    double distance_mm = coil->sensing.state == SENSING_NEAR
        ? coil->height_mm
        : coil_distance_mm(coil);
    double ratio = 1.0 + distance_mm / RANGE_MM;
    double share = GAIN / (ratio * ratio);
    double warmth_k = coil_temperature_c(coil) - COIL_REFERENCE_C;
    double drift =
        DRIFT_PER_K + share * (GAIN_DRIFT_PER_K + share * SQUARE_DRIFT_PER_K);
    double hz = coil->far_hz * (1.0 + share) * (1.0 + drift * warmth_k)
        + coil->noise_hz * random_normal(&coil->random);
    return sensing_value(&coil->sensing, hz);
}
