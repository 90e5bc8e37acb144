// What the firmware says: its responses, and why it shuts down
//
// Copyright (C) 2026  The multi_mcu_resync developers
//
// This file may be distributed under the terms of the GNU GPLv3 license.
#ifndef RESPONSES_H
#define RESPONSES_H

#include <stdint.h> // uint8_t

#pragma GCC visibility push(hidden)

// Whether all firmware has a response, only that of nodes on a CAN bus, or only
// that for hosts which know it
enum { IN_ALL, ON_CAN_BUS, IN_SOME };

// Each response with its name, how many values it has, and where it is
#define RESPONSES(X)                                                          \
    X(RESPONSE_IDENTIFY, "identify_response", 2, IN_ALL)                      \
    X(RESPONSE_CONFIG, "config", 4, IN_ALL)                                   \
    X(RESPONSE_UPTIME, "uptime", 2, IN_ALL)                                   \
    X(RESPONSE_CLOCK, "clock", 1, IN_ALL)                                     \
    X(RESPONSE_STATS, "stats", 3, IN_ALL)                                     \
    X(RESPONSE_STARTING, "starting", 0, IN_ALL)                               \
    X(RESPONSE_SHUTDOWN, "shutdown", 2, IN_ALL)                               \
    X(RESPONSE_IS_SHUTDOWN, "is_shutdown", 1, IN_ALL)                         \
    X(RESPONSE_STEPPER_POSITION, "stepper_position", 2, IN_ALL)               \
    X(RESPONSE_ENDSTOP_STATE, "endstop_state", 4, IN_ALL)                     \
    X(RESPONSE_TRSYNC_STATE, "trsync_state", 4, IN_ALL)                       \
    X(RESPONSE_DISTANCE_STATE, "distance_state", 3, IN_SOME)                  \
    X(RESPONSE_SPI_TRANSFER, "spi_transfer_response", 2, IN_SOME)             \
    X(RESPONSE_I2C_READ, "i2c_read_response", 2, IN_SOME)                     \
    X(RESPONSE_I2C, "i2c_response", 3, IN_SOME)                               \
    X(RESPONSE_ANALOG_IN_STATE, "analog_in_state", 3, IN_SOME)                \
    X(RESPONSE_THERMOCOUPLE, "thermocouple_result", 4, IN_SOME)               \
    X(RESPONSE_DS18B20, "ds18b20_result", 4, IN_SOME)                         \
    X(RESPONSE_DEBUG, "debug_result", 1, IN_SOME)                             \
    X(RESPONSE_TMCUART, "tmcuart_response", 2, IN_SOME)                       \
    X(RESPONSE_COUNTER_STATE, "counter_state", 4, IN_SOME)                    \
    X(RESPONSE_BUTTONS_STATE, "buttons_state", 3, IN_SOME)                    \
    X(RESPONSE_NEOPIXEL_RESULT, "neopixel_result", 2, IN_SOME)                \
    X(RESPONSE_SENSOR_BULK_DATA, "sensor_bulk_data", 3, IN_SOME)              \
    X(RESPONSE_SENSOR_BULK_STATUS, "sensor_bulk_status", 6, IN_SOME)          \
    X(RESPONSE_ADXL345_DATA, "adxl345_data", 3, IN_SOME)                      \
    X(RESPONSE_ADXL345_STATUS, "adxl345_status", 7, IN_SOME)                  \
    X(RESPONSE_LIS2DW_DATA, "lis2dw_data", 3, IN_SOME)                        \
    X(RESPONSE_LIS2DW_STATUS, "lis2dw_status", 7, IN_SOME)                    \
    X(RESPONSE_MPU9250_DATA, "mpu9250_data", 3, IN_SOME)                      \
    X(RESPONSE_MPU9250_STATUS, "mpu9250_status", 7, IN_SOME)                  \
    X(RESPONSE_TRIGGER_ANALOG_STATE, "trigger_analog_state", 3, IN_SOME)      \
    X(RESPONSE_LOAD_CELL_PROBE_STATE, "load_cell_probe_state", 3, IN_SOME)    \
    X(RESPONSE_LDC1612_HOME_STATE, "ldc1612_home_state", 3, IN_SOME)          \
    X(RESPONSE_CARTOGRAPHER_DATA, "cartographer_data", 3, IN_SOME)            \
    X(RESPONSE_CARTOGRAPHER_BASE, "cartographer_base_data", 2, IN_SOME)       \
    X(RESPONSE_LDC1612_NG_STATUS, "ldc1612_ng_latched_status", 3, IN_SOME)    \
    X(RESPONSE_LDC1612_NG_HOMED, "ldc1612_ng_finish_home_reply", 4, IN_SOME)  \
    X(RESPONSE_SPI_ANGLE_TRANSFER, "spi_angle_transfer_response", 3, IN_SOME) \
    X(RESPONSE_SPI_ANGLE_DATA, "spi_angle_data", 3, IN_SOME)                  \
    X(RESPONSE_SPI_ANGLE_END, "spi_angle_end", 2, IN_SOME)                    \
    X(RESPONSE_BEACON_DATA, "beacon_data", 4, IN_SOME)                        \
    X(RESPONSE_BEACON_STATUS, "beacon_status", 4, IN_SOME)                    \
    X(RESPONSE_BEACON_NVM_DATA, "beacon_nvm_data", 2, IN_SOME)                \
    X(RESPONSE_BEACON_CONTACT, "beacon_contact", 5, IN_SOME)                  \
    X(RESPONSE_BEACON_CONTACT_STATE, "beacon_contact_state", 2, IN_SOME)      \
    X(RESPONSE_BEACON_ACCEL_DATA, "beacon_accel_data", 3, IN_SOME)            \
    X(RESPONSE_BEACON_ACCEL_STATE, "beacon_accel_state", 2, IN_SOME)          \
    X(RESPONSE_CANBUS_ID, "canbus_id", 2, ON_CAN_BUS)                         \
    X(RESPONSE_CANBUS_STATUS, "canbus_status", 4, IN_SOME)

// Each reason with its text
#define REASONS(X)                                                            \
    X(REASON_TIMER_TOO_CLOSE, "Timer too close")                              \
    X(REASON_RESCHEDULED_IN_PAST, "Rescheduled timer in the past")            \
    X(REASON_STEPPER_TOO_FAR_IN_PAST, "Stepper too far in past")              \
    X(REASON_STEPPER_ACTIVE, "Can't reset time when stepper active")          \
    X(REASON_INVALID_COUNT, "Invalid count parameter")                        \
    X(REASON_MOVE_QUEUE_OVERFLOW, "Move queue overflow")                      \
    X(REASON_ALLOC_CHUNK, "alloc_chunk failed")                               \
    X(REASON_ALLOC_CHUNKS, "alloc_chunks failed")                             \
    X(REASON_MISSED_DIGITAL_OUT,                                              \
      "Missed scheduling of next digital out event")                          \
    X(REASON_EXCEEDS_MAX_DURATION,                                            \
      "Scheduled digital out event will exceed max_duration")                 \
    X(REASON_PWM_CYCLE_PENDING,                                               \
      "Can not set soft pwm cycle ticks while updates pending")               \
    X(REASON_UPDATE_WITH_QUEUE,                                               \
      "update_digital_out not valid with active queue")                       \
    X(REASON_COMMAND_REQUEST, "Command request")                              \
    X(REASON_COMMAND_PARSER, "Command parser error")                          \
    X(REASON_INVALID_COMMAND, "Invalid command")                              \
    X(REASON_NOT_SHUTDOWN, "Shutdown cleared when not shutdown")              \
    X(REASON_RESET_NOT_SHUTDOWN, "config_reset only available when shutdown") \
    X(REASON_OIDS_ALLOCATED, "oids already allocated")                        \
    X(REASON_CANNOT_ASSIGN_OID, "Can't assign oid")                           \
    X(REASON_INVALID_OID_TYPE, "Invalid oid type")                            \
    X(REASON_ALREADY_FINALIZED, "Already finalized")                          \
    X(REASON_SIGNAL_ACTIVE, "Can't add signal that is already active")        \
    X(REASON_MISSED_PWM, "Missed scheduling of next hard pwm event")          \
    X(REASON_PWM_EXCEEDS_MAX_DURATION,                                        \
      "Scheduled pwm event will exceed max_duration")                         \
    X(REASON_MISSED_PCA9685, "Missed scheduling of next pca9685 event")       \
    X(REASON_PCA9685_EXCEEDS_MAX_DURATION,                                    \
      "Scheduled pca9685 event will exceed max_duration")                     \
    X(REASON_PCA9685_INVALID, "Invalid pca9685 channel or value")             \
    X(REASON_PCA9685_INVALID_VALUE, "Invalid pca9685 value")                  \
    X(REASON_TOO_MANY_BUTTONS, "Max of 8 buttons")                            \
    X(REASON_BUTTON_PAST_MAXIMUM, "Set button past maximum button count")     \
    X(REASON_INVALID_RETRANSMIT_COUNT, "Invalid buttons retransmit count")    \
    X(REASON_NEOPIXEL_DATA_SIZE, "Invalid neopixel data_size")                \
    X(REASON_NEOPIXEL_UPDATE, "Invalid neopixel update command")              \
    X(REASON_I2C_NACK, "I2C NACK")                                            \
    X(REASON_ADC_OUT_OF_RANGE, "ADC out of range")                            \
    X(REASON_BYTES_PER_REPORT, "Invalid analog_in bytes_per_report")          \
    X(REASON_THERMOCOUPLE_TYPE, "Invalid thermocouple chip type")             \
    X(REASON_THERMOCOUPLE_FAULT, "Thermocouple reader fault")                 \
    X(REASON_DS18B20_SERIAL,                                                  \
      "Invalid DS18B20 serial id, could not open for reading")                \
    X(REASON_DS18B20_FAULT, "Error reading DS18B20 sensor")                   \
    X(REASON_DS18B20_OUT_OF_RANGE, "DS18B20 out of range")                    \
    X(REASON_TMCUART_TOO_LARGE, "tmcuart data too large")                     \
    X(REASON_BUS_TYPE_INVALID, "bus_type invalid")                            \
    X(REASON_FILTER_SECTION, "Filter section index larger than max_sections") \
    X(REASON_SAFETY_RANGE, "Safety range reversed")                           \
    X(REASON_HX71X_GAIN, "HX71x gain/channel out of range 1-4")               \
    X(REASON_ANGLE_CHIP_TYPE, "Invalid spi_angle chip type")                  \
    X(REASON_ADS131M0X_CHANNELS, "Invalid ads131m0x channels configuration")  \
    X(REASON_COIL_PRODUCT, "ldc1612_ng: unknown product")                     \
    X(REASON_COIL_SECTION, "ldc1612_ng: wrong sos section length")            \
    X(REASON_COIL_MODE, "bad homing mode")                                    \
    X(REASON_CAN_ID_CONFLICT, "Another CAN node assigned this ID")

#define FIRST_OF(first, ...) first,
enum response { RESPONSES(FIRST_OF) RESPONSE_COUNT };
enum reason { REASONS(FIRST_OF) REASON_COUNT };
#undef FIRST_OF

struct response_kind {
    const char *name;
    uint8_t value_count, presence;
};

extern const struct response_kind response_kinds[RESPONSE_COUNT];
extern const char *const reason_texts[REASON_COUNT];

// The response of a name, -1 if there is none
int response_find(const char *name);

#pragma GCC visibility pop

#endif // responses.h
