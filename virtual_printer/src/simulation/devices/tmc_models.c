// Kinds of TMC drivers: their registers, as they are after a reset
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.

#include <string.h> // strcmp
#include "tmc.h" // struct tmc_model

enum {
    R = TMC_READ,
    W = TMC_WRITE,
    RW = TMC_READ | TMC_WRITE,
    RC = TMC_READ | TMC_CLEAR_ONES,
};

static const struct tmc_register tmc2208_registers[] = {
    { 0x00, RW, 0x00000101 }, // GCONF
    { 0x01, RC, 0x00000001 }, // GSTAT
    { 0x02, R,  0          }, // IFCNT
    { 0x03, W,  0          }, // SLAVECONF
    { 0x04, W,  0          }, // OTP_PROG
    { 0x05, R,  0x0000000c }, // OTP_READ
    { 0x06, R,  0          }, // IOIN
    { 0x07, RW, 0x0000000c }, // FACTORY_CONF
    { 0x10, W,  0x00011f10 }, // IHOLD_IRUN
    { 0x11, W,  0x00000014 }, // TPOWERDOWN
    { 0x12, R,  0          }, // TSTEP
    { 0x13, W,  0          }, // TPWMTHRS
    { 0x22, W,  0          }, // VACTUAL
    { 0x6a, R,  0          }, // MSCNT
    { 0x6b, R,  0          }, // MSCURACT
    { 0x6c, RW, 0x10000053 }, // CHOPCONF
    { 0x6f, R,  0          }, // DRV_STATUS
    { 0x70, RW, 0xc10d0024 }, // PWMCONF
    { 0x71, R,  0          }, // PWM_SCALE
    { 0x72, R,  0          }, // PWM_AUTO
    // From here on of the TMC2209 alone
    { 0x14, W,  0          }, // TCOOLTHRS
    { 0x40, W,  0          }, // SGTHRS
    { 0x41, R,  0          }, // SG_RESULT
    { 0x42, W,  0          }, // COOLCONF
};
enum { TMC2209_ALONE = 4 };

static const struct tmc_register tmc2130_registers[] = {
    { 0x00, RW,                        0          }, // GCONF
    { 0x01, TMC_READ | TMC_CLEAR_READ, 0x00000001 }, // GSTAT
    { 0x04, R,                         0          }, // IOIN
    { 0x10, W,                         0          }, // IHOLD_IRUN
    { 0x11, W,                         0          }, // TPOWERDOWN
    { 0x12, R,                         0          }, // TSTEP
    { 0x13, W,                         0          }, // TPWMTHRS
    { 0x14, W,                         0          }, // TCOOLTHRS
    { 0x15, W,                         0          }, // THIGH
    { 0x2d, RW,                        0          }, // XDIRECT
    { 0x33, W,                         0          }, // VDCMIN
    { 0x60, W,                         0xaaaab554 }, // MSLUT0
    { 0x61, W,                         0x4a9554aa }, // MSLUT1
    { 0x62, W,                         0x24492929 }, // MSLUT2
    { 0x63, W,                         0x10104222 }, // MSLUT3
    { 0x64, W,                         0xfbffffff }, // MSLUT4
    { 0x65, W,                         0xb5bb777d }, // MSLUT5
    { 0x66, W,                         0x49295556 }, // MSLUT6
    { 0x67, W,                         0x00404222 }, // MSLUT7
    { 0x68, W,                         0xffff8056 }, // MSLUTSEL
    { 0x69, W,                         0x00f70000 }, // MSLUTSTART
    { 0x6a, R,                         0          }, // MSCNT
    { 0x6b, R,                         0          }, // MSCURACT
    { 0x6c, RW,                        0x10000053 }, // CHOPCONF
    { 0x6d, W,                         0          }, // COOLCONF
    { 0x6e, W,                         0          }, // DCCTRL
    { 0x6f, R,                         0          }, // DRV_STATUS
    { 0x70, W,                         0x00050480 }, // PWMCONF
    { 0x71, R,                         0          }, // PWM_SCALE
    { 0x72, W,                         0          }, // ENCM_CTRL
    { 0x73, R,                         0          }, // LOST_STEPS
};

static const struct tmc_register tmc5160_registers[] = {
    { 0x00, RW, 0x00000009 }, // GCONF
    { 0x01, RC, 0x00000001 }, // GSTAT
    { 0x02, R,  0          }, // IFCNT
    { 0x03, W,  0          }, // SLAVECONF
    { 0x04, R,  0          }, // IOIN
    { 0x05, W,  0          }, // X_COMPARE
    { 0x07, R,  0x0000000c }, // OTP_READ
    { 0x08, RW, 0x0000000c }, // FACTORY_CONF
    { 0x09, W,  0          }, // SHORT_CONF
    { 0x0a, W,  0x00080400 }, // DRV_CONF
    { 0x0b, W,  0          }, // GLOBALSCALER
    { 0x0c, R,  0          }, // OFFSET_READ
    { 0x10, W,  0          }, // IHOLD_IRUN
    { 0x11, W,  0x0000000a }, // TPOWERDOWN
    { 0x12, R,  0          }, // TSTEP
    { 0x13, W,  0          }, // TPWMTHRS
    { 0x14, W,  0          }, // TCOOLTHRS
    { 0x15, W,  0          }, // THIGH
    { 0x20, RW, 0          }, // RAMPMODE
    { 0x21, RW, 0          }, // XACTUAL
    { 0x22, R,  0          }, // VACTUAL
    { 0x23, W,  0          }, // VSTART
    { 0x24, W,  0          }, // A1
    { 0x25, W,  0          }, // V1
    { 0x26, W,  0          }, // AMAX
    { 0x27, W,  0          }, // VMAX
    { 0x28, W,  0          }, // DMAX
    { 0x2a, W,  0          }, // D1
    { 0x2b, W,  0          }, // VSTOP
    { 0x2c, W,  0          }, // TZEROWAIT
    { 0x2d, RW, 0          }, // XTARGET
    { 0x33, W,  0          }, // VDCMIN
    { 0x34, RW, 0          }, // SW_MODE
    { 0x35, RC, 0          }, // RAMP_STAT
    { 0x36, R,  0          }, // XLATCH
    { 0x38, RW, 0          }, // ENCMODE
    { 0x39, RW, 0          }, // X_ENC
    { 0x3a, W,  0x00010000 }, // ENC_CONST
    { 0x3b, RC, 0          }, // ENC_STATUS
    { 0x3c, R,  0          }, // ENC_LATCH
    { 0x3d, W,  0          }, // ENC_DEVIATION
    { 0x60, W,  0xaaaab554 }, // MSLUT0
    { 0x61, W,  0x4a9554aa }, // MSLUT1
    { 0x62, W,  0x24492929 }, // MSLUT2
    { 0x63, W,  0x10104222 }, // MSLUT3
    { 0x64, W,  0xfbffffff }, // MSLUT4
    { 0x65, W,  0xb5bb777d }, // MSLUT5
    { 0x66, W,  0x49295556 }, // MSLUT6
    { 0x67, W,  0x00404222 }, // MSLUT7
    { 0x68, W,  0xffff8056 }, // MSLUTSEL
    { 0x69, W,  0x00f70000 }, // MSLUTSTART
    { 0x6a, R,  0          }, // MSCNT
    { 0x6b, R,  0          }, // MSCURACT
    { 0x6c, RW, 0x10410150 }, // CHOPCONF
    { 0x6d, W,  0          }, // COOLCONF
    { 0x6e, W,  0          }, // DCCTRL
    { 0x6f, R,  0          }, // DRV_STATUS
    { 0x70, W,  0xc40c001e }, // PWMCONF
    { 0x71, R,  0          }, // PWM_SCALE
    { 0x72, R,  0          }, // PWM_AUTO
    { 0x73, R,  0          }, // LOST_STEPS
};

static const struct tmc_register tmc2240_registers[] = {
    { 0x00, RW, 0          }, // GCONF
    { 0x01, RC, 0x00000001 }, // GSTAT
    { 0x02, R,  0          }, // IFCNT
    { 0x03, RW, 0          }, // NODECONF
    { 0x04, R,  0          }, // IOIN
    { 0x0a, RW, 0x00000020 }, // DRV_CONF
    { 0x0b, RW, 0          }, // GLOBALSCALER
    { 0x10, RW, 0x04011f08 }, // IHOLD_IRUN
    { 0x11, RW, 0x0000000a }, // TPOWERDOWN
    { 0x12, R,  0          }, // TSTEP
    { 0x13, RW, 0          }, // TPWMTHRS
    { 0x14, RW, 0          }, // TCOOLTHRS
    { 0x15, RW, 0          }, // THIGH
    { 0x2d, RW, 0          }, // DIRECT_MODE
    { 0x38, RW, 0          }, // ENCMODE
    { 0x39, RW, 0          }, // X_ENC
    { 0x3a, RW, 0x00010000 }, // ENC_CONST
    { 0x3b, RC, 0          }, // ENC_STATUS
    { 0x3c, R,  0          }, // ENC_LATCH
    { 0x50, R,  0          }, // ADC_VSUPPLY_AIN
    { 0x51, R,  0          }, // ADC_TEMP
    { 0x52, RW, 0x0b920f25 }, // OTW_OV_VTH
    { 0x60, RW, 0xaaaab554 }, // MSLUT0
    { 0x61, RW, 0x4a9554aa }, // MSLUT1
    { 0x62, RW, 0x24492929 }, // MSLUT2
    { 0x63, RW, 0x10104222 }, // MSLUT3
    { 0x64, RW, 0xfbffffff }, // MSLUT4
    { 0x65, RW, 0xb5bb777d }, // MSLUT5
    { 0x66, RW, 0x49295556 }, // MSLUT6
    { 0x67, RW, 0x00404222 }, // MSLUT7
    { 0x68, RW, 0xffff8056 }, // MSLUTSEL
    { 0x69, RW, 0x00f70000 }, // MSLUTSTART
    { 0x6a, R,  0          }, // MSCNT
    { 0x6b, R,  0          }, // MSCURACT
    { 0x6c, RW, 0x10410150 }, // CHOPCONF
    { 0x6d, RW, 0          }, // COOLCONF
    { 0x6f, R,  0          }, // DRV_STATUS
    { 0x70, RW, 0xc44c001e }, // PWMCONF
    { 0x71, R,  0          }, // PWM_SCALE
    { 0x72, R,  0          }, // PWM_AUTO
    { 0x74, RW, 0          }, // SG4_THRS
    { 0x75, R,  0          }, // SG4_RESULT
    { 0x76, R,  0          }, // SG4_IND
};

// The registers of a TMC2660 have no addresses on the wire but the first
// bits of a datagram; nothing of them can be read
static const struct tmc_register tmc2660_registers[] = {
    { 0x0, W, 0 }, // DRVCTRL
    { 0x4, W, 0 }, // CHOPCONF
    { 0x5, W, 0 }, // SMARTEN
    { 0x6, W, 0 }, // SGCSCONF
    { 0x7, W, 0 }, // DRVCONF
};

#define COUNT_OF(list) (sizeof(list) / sizeof((list)[0]))

static const struct tmc_model models[] = {
    {
     .name = "tmc2130",
     .registers = tmc2130_registers,
     .register_count = COUNT_OF(tmc2130_registers),
     .io = 0x11000000,
     .frequency_hz = 13.2e6,
     .stall = TMC_STALL_2,
     .has_spi = 1,
     .shaft_bit = 4,
     },
    {
     .name = "tmc2208",
     .registers = tmc2208_registers,
     .register_count = COUNT_OF(tmc2208_registers) - TMC2209_ALONE,
     // It says that it is not of the TMC222x
        .io = 0x20000140,
     .frequency_hz = 12e6,
     .has_uart = 1,
     .shaft_bit = 3,
     },
    {
     .name = "tmc2209",
     .registers = tmc2208_registers,
     .register_count = COUNT_OF(tmc2208_registers),
     .io = 0x21000040,
     .frequency_hz = 12e6,
     .stall = TMC_STALL_4,
     .has_uart = 1,
     .shaft_bit = 3,
     .has_diag = 1,
     },
    {
     .name = "tmc2240",
     .registers = tmc2240_registers,
     .register_count = COUNT_OF(tmc2240_registers),
     .io = 0x40000000,
     .frequency_hz = 12.5e6,
     .stall = TMC_STALL_BOTH,
     .has_uart = 1,
     .has_spi = 1,
     .shaft_bit = 4,
     },
    {
     .name = "tmc2660",
     .registers = tmc2660_registers,
     .register_count = COUNT_OF(tmc2660_registers),
     .frequency_hz = 15e6,
     .stall = TMC_STALL_2,
     .has_spi = 1,
     },
    {
     .name = "tmc5160",
     .registers = tmc5160_registers,
     .register_count = COUNT_OF(tmc5160_registers),
     // Step and direction come from its pins
        .io = 0x30000040,
     .frequency_hz = 12e6,
     .stall = TMC_STALL_2,
     .has_spi = 1,
     .shaft_bit = 4,
     },
};

const struct tmc_model *
tmc_find_model(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(models); i++)
        if (!strcmp(models[i].name, name))
            return &models[i];
    return NULL;
}
