// How a TMC driver measures its motor's load, and shows that it stalls
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
//
// The measured value is high for a motor that turns freely, and falls with
// the angle by which the motor lags behind; how much of it there is to
// measure depends on the speed, as the voltage that the motor itself makes
// does.

#include <math.h> // sin
#include "../core/events.h" // container_of
#include "tmc.h" // struct tmc

enum { STEP_TIME_MAX = 0xfffff };
#define MICROSTEPS_MAX 256.0
// Shares of the greatest value: at rest, what speed adds, what load takes away
#define SHARE_SLOW 0.35
#define SHARE_SPEED 0.3
#define SHARE_LOAD 1.1
// Full steps per second at which the motor makes half of the voltage
#define HALF_VOLTAGE_HZ 50.0
enum { LOAD_2_MAX = 1023, LOAD_4_MAX = 510, LOAD_4_MIN = 10 };
enum { LOAD_2_PER_THRESHOLD = 12 };

static double
pulse_rate_hz(struct tmc *tmc)
{
    struct motor *motor = tmc->motor;
    return motor && motor->driver ? motor->driver->rate_hz(motor->driver) : 0.0;
}

static double
load_share(struct tmc *tmc)
{
    struct motor *motor = tmc->motor;
    if (!motor)
        return SHARE_SLOW;
    double rate_hz = pulse_rate_hz(tmc) / motor->microsteps;
    double voltage = rate_hz / (rate_hz + HALF_VOLTAGE_HZ);
    double full_steps =
        fabs(motor_lag_mm(motor)) / (motor->step_dist_mm * motor->microsteps);
    double load = full_steps < 1.0 ? sin(full_steps * M_PI / 2.0) : 1.0;
    return SHARE_SLOW + (SHARE_SPEED - SHARE_LOAD * load) * voltage;
}

// Threshold of the older measurement, which has a sign
static int32_t
threshold_2(const struct tmc *tmc)
{
    uint32_t field = tmc->model->shaft_bit
        ? tmc->values[TMC_COOLCONF] >> 16
        : tmc->values[0x6] >> 8; // SGCSCONF of the TMC2660
    int32_t value = (int32_t)(field & 0x7f);
    return value & 0x40 ? value - 0x80 : value;
}

uint32_t
tmc_load_2(struct tmc *tmc)
{
    double value =
        LOAD_2_MAX * load_share(tmc) + LOAD_2_PER_THRESHOLD * threshold_2(tmc);
    return (uint32_t)fmax(0.0, fmin(value, LOAD_2_MAX));
}

// Only even values occur
uint32_t
tmc_load_4(struct tmc *tmc)
{
    double value = LOAD_4_MAX * load_share(tmc);
    return (uint32_t)fmax(LOAD_4_MIN, fmin(value, LOAD_4_MAX)) & ~(uint32_t)1;
}

// Clocks of the chip from one 256th of a full step to the next
uint32_t
tmc_step_time(struct tmc *tmc)
{
    double rate_hz = pulse_rate_hz(tmc);
    if (rate_hz <= 0.0)
        return STEP_TIME_MAX;
    double fine = MICROSTEPS_MAX / tmc->motor->microsteps;
    double clocks = tmc->model->frequency_hz / (rate_hz * fine);
    return clocks < STEP_TIME_MAX ? (uint32_t)clocks : STEP_TIME_MAX;
}

int
tmc_is_stealthy(struct tmc *tmc)
{
    uint32_t settings = tmc->values[TMC_GCONF];
    int is_on = settings >> 2 & 1;
    if (!tmc_has(tmc, TMC_THIGH))
        // The bit turns it off in those that begin with it
        is_on = !is_on;
    // Above the speed that the threshold stands for it is off
    return is_on && tmc_step_time(tmc) >= tmc->values[TMC_TPWMTHRS];
}

int
tmc_is_stalled(struct tmc *tmc)
{
    if (tmc_is_at_rest(tmc) || tmc->model->stall == TMC_STALL_NONE)
        return 0;
    if (!tmc->model->shaft_bit)
        return tmc_load_2(tmc) == 0;
    uint32_t time = tmc_step_time(tmc);
    if (time > tmc->values[TMC_TCOOLTHRS])
        return 0;
    if (tmc_has(tmc, TMC_THIGH) && time < tmc->values[TMC_THIGH])
        return 0;
    if (!tmc_is_stealthy(tmc))
        return tmc->model->stall != TMC_STALL_4 && tmc_load_2(tmc) == 0;
    if (tmc->model->stall == TMC_STALL_2)
        return 0;
    uint32_t threshold =
        tmc->values[tmc_has(tmc, TMC_SGTHRS) ? TMC_SGTHRS : TMC_SG4_THRS];
    return tmc_load_4(tmc) <= 2 * (threshold & 0xff);
}

int
tmc_diag_level(struct pin_source *source)
{
    struct tmc_diag *diag = container_of(source, struct tmc_diag, source);
    struct tmc *tmc = diag->tmc;
    if (!tmc->is_powered)
        return LEVEL_OPEN;
    if (tmc->model->has_diag)
        return tmc_is_stalled(tmc);
    uint32_t settings = tmc->values[TMC_GCONF];
    int is_shown = settings >> (7 + diag->number) & 1;
    int is_active = is_shown && tmc_is_stalled(tmc);
    if (settings >> (12 + diag->number) & 1)
        return is_active;
    return is_active ? 0 : LEVEL_OPEN;
}
