# What a printer does to the CPUs of its boards: too many microsteps, loads, and reserved pins
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re

import pytest

from virtual_printer.session import Session, SessionError

CONFIG = """
[mcu]
serial: %(serial)s
restart_method: command

[printer]
kinematics: cartesian
max_velocity: 500
max_accel: 10000

[stepper_x]
step_pin: PF0
dir_pin: PF1
enable_pin: !PD7
microsteps: %(microsteps)d
rotation_distance: 40
endstop_pin: ^%(endstop)s
position_endstop: 0
position_max: 300

[stepper_y]
step_pin: PF6
dir_pin: PF7
microsteps: %(microsteps)d
rotation_distance: 40
endstop_pin: ^PC0
position_endstop: 0
position_max: 300

[stepper_z]
step_pin: PL3
dir_pin: PL1
microsteps: 16
rotation_distance: 8
endstop_pin: ^PC1
position_endstop: 0
position_max: 300

[force_move]
enable_force_move: True
"""
SERIAL = "/dev/ttyUSB0"
# Of a chip with three ports, in the place of those above
SMALL_PINS = {
    "PF0": "PB0",
    "PF1": "PB1",
    "PD7": "PB2",
    "PF6": "PB3",
    "PF7": "PB4",
    "PL3": "PC3",
    "PL1": "PC4",
}


@pytest.fixture
def printer(host, tmp_path):
    """printer(microsteps) starts a printer whose board has an ATmega2560, until the test ends."""
    sessions = []

    def start(microsteps=16, endstop="PC2", chip="atmega2560", machine="", pins=()):
        text = CONFIG % {"serial": SERIAL, "microsteps": microsteps, "endstop": endstop}
        for old, new in dict(pins).items():
            text = text.replace(old, new)
        session = Session(
            host,
            text,
            "[mcu]\nchip: %s\n%s" % (chip, machine),
            work_dir=tmp_path / ("printer%d" % (len(sessions),)),
        )
        sessions.append(session)
        session.open()
        return session

    yield start
    for session in sessions:
        session.close()


def move(session):
    """Move X and Y at 212 mm/s each."""
    session.gcode("SET_KINEMATIC_POSITION X=10 Y=10 Z=10")
    session.gcode("G1 X250 Y250 F18000\nM400")


def statistics(session):
    """Return the last that the log says of the MCU's load."""
    found = re.findall(r"mcu_awake=(\S+) mcu_task_avg=(\S+) mcu_task_stddev=(\S+)", session.log())
    return [float(number) for number in found[-1]]


def test_too_many_microsteps_overload_a_board(printer):
    # 2 * 34,000 steps in a second; three steppers of this chip do 99,000
    moved = printer(microsteps=32)
    move(moved)
    assert moved.state() == "ready"
    steps = [truth.pulses for truth in moved.stepper_truth().values()]
    assert steps == [240 * 160, 240 * 160, 0]
    # 2 * 68,000
    overloaded = printer(microsteps=64)
    move(overloaded)
    overloaded.sleep(1.0)
    assert overloaded.state() == "shutdown"
    assert "MCU 'mcu' shutdown: Rescheduled timer in the past" in overloaded.state_message()


def test_log_shows_how_busy_a_board_is(printer):
    session = printer(microsteps=32)
    session.sleep(12.0)
    idle = statistics(session)
    for _ in range(6):
        move(session)
    busy = statistics(session)
    assert 0.0 < idle[0] < 0.1
    assert all(more > less for more, less in zip(busy, idle))


def test_move_queue_is_what_the_chip_has_memory_for(printer):
    found = re.findall(r"\((\d+) moves\)", printer().log())
    assert 300 < int(found[-1]) < 600
    found = re.findall(r"\((\d+) moves\)", printer(machine="move_count: 123\n").log())
    assert found[-1] == "123"


def test_chip_with_too_little_memory_says_what_the_firmware_does(printer):
    with pytest.raises(SessionError, match="alloc_chunk"):
        printer(chip="atmega168", pins=SMALL_PINS)


def test_pins_of_the_link_are_reserved(printer):
    with pytest.raises(SessionError, match="PE1 is reserved for serial"):
        printer(endstop="PE1")
