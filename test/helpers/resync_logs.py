# Lines of klippy.log for the report's tests
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random

MOVE = (
    "multi_mcu_resync: rail=stepper_z endstop=probe triggered=1 direction=-1 speed=5.000000"
    " target=1.002500 corrected=1 stepper_z=mcu,+3,+0.007500,+3,+0.000000"
    " stepper_z1=zboard,+5,+0.012500,+5,+0.000000"
)
CONFIG = """Start printer at Fri Nov 20 08:00:00 2026 (1795161600.0 10.0)
===== Config file =====
[mcu]
serial = /dev/ttyACM0

[mcu zboard]
canbus_uuid = 0e0d81e4210c

[mcu toolhead]
canbus_uuid = 1e0d81e4210c

[stepper_x]
step_pin = PF0
endstop_pin = tmc2209_stepper_x:virtual_endstop
microsteps = 16
rotation_distance = 40
homing_speed = 50

[tmc2209 stepper_x]
diag_pin = ^PG6

[stepper_z]
step_pin = PF11
endstop_pin = probe:z_virtual_endstop
microsteps = 16
rotation_distance = 40
gear_ratio = 80:16
homing_speed = 8

[stepper_z1]
step_pin = !zboard:PB1
microsteps = 32
rotation_distance = 40
gear_ratio = 80:16

[probe]
pin = ^!toolhead:PB6
speed = 10

=======================
MCU 'mcu' config: ADC_MAX=4095 CLOCK_FREQ=180000000 MCU=stm32f446xx
MCU 'zboard' config: ADC_MAX=4095 CLOCK_FREQ=64000000 MCU=stm32g0b1xx
"""


def stats_mcu(name, srtt=0.001, freq=64000000, adj=None, buffer="upcoming", **counters):
    """One MCU's part of a Stats line."""
    values = {"write": 1000, "read": 2000, "retransmit": 0, "invalid": 0, "seq": 100}
    values.update(counters)
    return (
        "%s: mcu_awake=0.010 mcu_task_avg=0.000010 mcu_task_stddev=0.000012"
        " bytes_write=%d bytes_read=%d bytes_retransmit=%d bytes_invalid=%d"
        " send_seq=%d receive_seq=%d retransmit_seq=2"
        " srtt=%.3f rttvar=0.000 rto=0.025 ready_bytes=0 %s_bytes=0 freq=%d%s"
        % (
            name,
            values["write"],
            values["read"],
            values["retransmit"],
            values["invalid"],
            values["seq"],
            values["seq"],
            srtt,
            buffer,
            freq,
            "" if adj is None else " adj=%d" % (adj,),
        )
    )


def stats(time_s, *mcus):
    """A Stats line."""
    tail = "heater_bed: target=0 temp=18.8 pwm=0.000 sysload=0.45 cputime=103.123"
    return "Stats %.1f: gcodein=0  %s  %s print_time=56.226" % (time_s, " ".join(mcus), tail)


def long_log(size_bytes):
    """A log of about that size, made of Stats lines of eight MCUs as a busy printer writes them."""
    rng = random.Random(1)
    names = ["mcu", *["board%d" % (i,) for i in range(7)]]
    counts = {name: [1000, 2000, 50] for name in names}
    lines, size, time_s = [CONFIG], len(CONFIG), 1000.0
    while size < size_bytes:
        time_s += 1.0
        parts = []
        for name in names:
            count = counts[name]
            count[0] += rng.randrange(100, 3000)
            count[1] += rng.randrange(100, 3000)
            count[2] += rng.randrange(5, 100)
            freq = 64000000 + rng.randrange(2000)
            adj = None if name == "mcu" else freq - rng.randrange(500)
            srtt = rng.randrange(3) / 1000.0
            parts.append(
                stats_mcu(name, srtt, freq, adj, write=count[0], read=count[1], seq=count[2])
            )
        lines.append(stats(time_s, *parts))
        size += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"
