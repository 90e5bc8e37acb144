// Stepper drivers of the TMC family: registers, and what a host reads there
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef TMC_H
#define TMC_H

#include "../core/pin.h" // struct spi_device
#include "../mechanics/mechanics.h" // struct motor

#pragma GCC visibility push(hidden)

struct tmc;

enum { TMC_REGISTER_COUNT = 128, TMC_SELECT_PINS_MAX = 4 };

// Addresses of registers that all have which are read by addresses
enum tmc_address {
    TMC_GCONF = 0x00,
    TMC_GSTAT = 0x01,
    TMC_IFCNT = 0x02,
    TMC_IOIN = 0x04,
    TMC_IOIN_UART = 0x06, // of those with a UART alone
    TMC_IHOLD_IRUN = 0x10,
    TMC_TSTEP = 0x12,
    TMC_TPWMTHRS = 0x13,
    TMC_TCOOLTHRS = 0x14,
    TMC_THIGH = 0x15,
    TMC_SGTHRS = 0x40,
    TMC_SG_RESULT = 0x41,
    TMC_ADC_SUPPLY = 0x50,
    TMC_ADC_TEMPERATURE = 0x51,
    TMC_MSCNT = 0x6a,
    TMC_MSCURACT = 0x6b,
    TMC_CHOPCONF = 0x6c,
    TMC_COOLCONF = 0x6d,
    TMC_DRV_STATUS = 0x6f,
    TMC_PWMCONF = 0x70,
    TMC_PWM_AUTO = 0x72,
    TMC_SG4_THRS = 0x74,
    TMC_SG4_RESULT = 0x75,
};

// What can be done with a register
enum tmc_access {
    TMC_READ = 1,
    TMC_WRITE = 2,
    TMC_CLEAR_ONES = 4, // by writing ones to its bits
    TMC_CLEAR_READ = 8, // by reading it
};

struct tmc_register {
    uint8_t address, access;
    uint32_t reset;
};

// Which load measurement a chip has: the older one for spreadCycle, the
// newer one for stealthChop, or both
enum tmc_stall { TMC_STALL_NONE, TMC_STALL_2, TMC_STALL_4, TMC_STALL_BOTH };

struct tmc_model {
    const char *name;
    const struct tmc_register *registers;
    size_t register_count;
    uint32_t io; // what IOIN reads, most of all the version
    double frequency_hz; // of its own clock
    enum tmc_stall stall;
    uint8_t has_uart, has_spi;
    uint8_t shaft_bit; // of GCONF, 0 for the TMC2660 which has none
    uint8_t has_diag; // one that is driven both ways
};

// One output that shows a stall
struct tmc_diag {
    struct pin_source source;
    struct tmc *tmc;
    uint8_t number;
};

struct tmc {
    const struct tmc_model *model;
    char *name;
    struct motor *motor; // NULL if it drives none that is simulated
    int is_powered;
    uint32_t values[TMC_REGISTER_COUNT];
    uint8_t write_count;
    // Place in the sine wave, as of some pulses of the motor
    uint32_t phase;
    int64_t phase_pulses;
    struct tmc_diag diags[2];
    // On a UART: heard only while these pins have these levels
    struct uart_device uart;
    uint8_t address;
    const struct pin *select_pins[TMC_SELECT_PINS_MAX];
    uint8_t select_levels[TMC_SELECT_PINS_MAX];
    size_t select_count;
    // On SPI: what the next datagram answers
    struct tmc_chain *chain;
    uint32_t answer;
};

// Chips one behind the other on one select pin
struct tmc_chain {
    struct spi_device spi;
    struct tmc **chips; // the first is next to the MCU's output; NULL if a
                        // chip is there of which nothing is known
    size_t length;
};

// tmc_models.c
const struct tmc_model *tmc_find_model(const char *name);

// tmc.c
struct tmc *tmc_create(const struct tmc_model *model, const char *name,
                       struct motor *motor);
void tmc_free(struct tmc *tmc);
// A chip that gets power starts over; one without it answers nothing
void tmc_set_power(struct tmc *tmc, int is_powered);
uint32_t tmc_read(struct tmc *tmc, uint8_t address);
void tmc_write(struct tmc *tmc, uint8_t address, uint32_t value);
// Whether it has the register at all
int tmc_has(const struct tmc *tmc, uint8_t address);

// tmc_status.c
uint32_t tmc_status_value(struct tmc *tmc, uint8_t address);
// Bring the place in the sine wave up to now, before its settings change
void tmc_count_steps(struct tmc *tmc);
int tmc_is_at_rest(struct tmc *tmc);

// tmc_stall.c
uint32_t tmc_step_time(struct tmc *tmc);
uint32_t tmc_load_2(struct tmc *tmc);
uint32_t tmc_load_4(struct tmc *tmc);
int tmc_is_stealthy(struct tmc *tmc);
int tmc_is_stalled(struct tmc *tmc);
int tmc_diag_level(struct pin_source *source);

// tmc_uart.c
size_t tmc_exchange(struct uart_device *device, const uint8_t *bytes,
                    size_t count, uint8_t *answer, size_t answer_size);

// tmc_spi.c
struct tmc_chain *tmc_chain_create(size_t length);
void tmc_chain_free(struct tmc_chain *chain);

// tmc2660.c
void tmc2660_transfer(struct spi_device *device, uint8_t *bytes, size_t count);

#pragma GCC visibility pop

#endif // tmc.h
