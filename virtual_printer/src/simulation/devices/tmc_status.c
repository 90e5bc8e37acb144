// What a TMC driver says of itself: place in the sine wave, currents, state
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <math.h> // sin
#include "../core/events.h" // container_of
#include "tmc.h" // struct tmc

enum { PHASE_COUNT = 1024, SINE_PEAK = 248, DIRECTION_HIGH_IS_DOWN = -1 };
#define DRIVER_C 35.0
#define SUPPLY_V 24.0


/****************************************************************
 * Sine wave
 ****************************************************************/

// How far a pulse goes in the sine wave
static int64_t
phases_per_pulse(const struct tmc *tmc)
{
    // The TMC2660 has the same field first in its own register
    uint32_t resolution = tmc->model->shaft_bit
        ? tmc->values[TMC_CHOPCONF] >> 24 & 0xf
        : tmc->values[0] & 0xf;
    return (int64_t)1 << (resolution > 8 ? 8 : resolution);
}

void
tmc_count_steps(struct tmc *tmc)
{
    if (!tmc->motor)
        return;
    // What follows from pulses is up to date once it has been asked for
    motor_position_mm(tmc->motor);
    int64_t pulses = tmc->motor->pulses - tmc->phase_pulses;
    tmc->phase_pulses = tmc->motor->pulses;
    if (!tmc->motor->invert_dir)
        pulses *= DIRECTION_HIGH_IS_DOWN;
    uint8_t shaft_bit = tmc->model->shaft_bit;
    if (shaft_bit && tmc->values[TMC_GCONF] >> shaft_bit & 1)
        pulses = -pulses;
    int64_t phase = (int64_t)tmc->phase + pulses * phases_per_pulse(tmc);
    tmc->phase = (uint32_t)(phase & (PHASE_COUNT - 1));
}

int
tmc_is_at_rest(struct tmc *tmc)
{
    struct motor *motor = tmc->motor;
    return !motor || !motor->driver
        || motor->driver->rate_hz(motor->driver) <= 0.0;
}

static uint32_t
coil_currents(struct tmc *tmc)
{
    tmc_count_steps(tmc);
    double angle = 2.0 * M_PI * (tmc->phase + 0.5) / PHASE_COUNT;
    int32_t a = (int32_t)lround(SINE_PEAK * cos(angle));
    int32_t b = (int32_t)lround(SINE_PEAK * sin(angle));
    return ((uint32_t)b & 0x1ff) << 16 | ((uint32_t)a & 0x1ff);
}


/****************************************************************
 * Registers
 ****************************************************************/

static uint32_t
driver_status(struct tmc *tmc)
{
    int is_at_rest = tmc_is_at_rest(tmc);
    uint32_t currents = tmc->values[TMC_IHOLD_IRUN];
    uint32_t scale = (is_at_rest ? currents : currents >> 8) & 0x1f;
    uint32_t status = (uint32_t)is_at_rest << 31 | scale << 16;
    uint32_t is_stealthy = (uint32_t)tmc_is_stealthy(tmc);
    if (tmc->model->stall == TMC_STALL_NONE || tmc->model->stall == TMC_STALL_4)
        return status | is_stealthy << 30;
    if (tmc_has(tmc, TMC_PWM_AUTO) && tmc->model->stall != TMC_STALL_2)
        status |= is_stealthy << 14;
    return status | (uint32_t)tmc_is_stalled(tmc) << 24 | tmc_load_2(tmc);
}

uint32_t
tmc_status_value(struct tmc *tmc, uint8_t address)
{
    switch (address) {
    case TMC_IFCNT: return tmc->write_count;
    case TMC_IOIN: return tmc->model->io;
    case TMC_IOIN_UART:
        return tmc->model->io | (uint32_t)tmc_is_stalled(tmc) << 4;
    case TMC_TSTEP: return tmc_step_time(tmc);
    case TMC_SG_RESULT:
    case TMC_SG4_RESULT: return tmc_load_4(tmc);
    case TMC_ADC_SUPPLY: return (uint32_t)lround(SUPPLY_V / 0.009732);
    case TMC_ADC_TEMPERATURE: return (uint32_t)lround(DRIVER_C * 7.7 + 2038.0);
    case TMC_MSCNT: tmc_count_steps(tmc); return tmc->phase;
    case TMC_MSCURACT: return coil_currents(tmc);
    case TMC_DRV_STATUS: return driver_status(tmc);
    case TMC_PWM_AUTO:
        return (tmc->values[TMC_PWMCONF] & 0xff)
            | (tmc->values[TMC_PWMCONF] >> 8 & 0xff) << 16;
    default: return tmc->values[address];
    }
}
