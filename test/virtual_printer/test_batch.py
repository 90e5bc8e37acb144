# Data dictionaries under the names of Klipper's firmware builds, and batch runs
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest

from virtual_printer import batch, hosts

HOST = hosts.available()[-1]
CONFIG = """
[mcu]
serial: /dev/ttyACM0
[printer]
kinematics: none
max_velocity: 300
max_accel: 3000
[output_pin led]
pin: %s
"""


def run(folder, pin, gcode, name="atmega2560.dict"):
    config = folder / "printer.cfg"
    config.write_text(CONFIG % (pin,))
    return batch.run(HOST, config, gcode, {"mcu": name}, folder)


def test_no_two_messages_share_a_number():
    content = json.loads(batch.dictionary_text("stm32f446.dict"))
    numbers = [*content["commands"].values(), *content["responses"].values()]
    assert len(numbers) == len(set(numbers))


def test_no_two_pins_share_a_number():
    pins = json.loads(batch.dictionary_text("atmega2560.dict"))["enumerations"]["pin"]
    numbers = [first + i for first, count in pins.values() for i in range(count)]
    assert len(numbers) == len(set(numbers)) == 8 * len(pins)


@pytest.mark.parametrize("name", ["mega2560.dict", "esp32.dict"])
def test_unknown_chip_is_one_line(name):
    with pytest.raises(batch.BatchError, match=r"no chip of the kind of '%s'" % name):
        batch.dictionary_text(name)


def test_pin_that_the_chip_has_is_taken(tmp_path):
    done = run(tmp_path, "PL7", "SET_PIN PIN=led VALUE=1\n")
    assert done.exit_code == 0


def test_pin_that_the_chip_does_not_have_is_refused(tmp_path):
    done = run(tmp_path, "PL8", "SET_PIN PIN=led VALUE=1\n")
    assert done.exit_code != 0
    assert "PL8" in done.log.splitlines()[-1]


def test_host_that_does_not_end_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(batch, "TIMEOUT_S", 0.01)
    with pytest.raises(batch.BatchError, match=r"%s did not end within" % (HOST.name,)):
        run(tmp_path, "PL7", "")
