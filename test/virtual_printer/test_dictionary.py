# The data dictionary: what hosts read out of it, and what the simulation gets
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import importlib
import json
import pkgutil
import zlib
from pathlib import Path

import pytest

from virtual_printer import firmware, hosts
from virtual_printer.firmware import chips, dictionary, host_messages
from virtual_printer.firmware.peripheral import Peripheral


def identify_data(**constants: object) -> dict:
    built = dictionary.build(chips.VIRTUAL, constants)
    return json.loads(zlib.decompress(built.compressed))


def test_bootstrap_messages_have_the_ids_that_hosts_expect() -> None:
    data = identify_data()
    assert data["responses"]["identify_response offset=%u data=%.*s"] == 0
    assert data["commands"]["identify offset=%u count=%c"] == 1


def test_message_ids_are_unique() -> None:
    data = identify_data()
    numbers = [*data["commands"].values(), *data["responses"].values()]
    assert len(set(numbers)) == len(numbers)


def test_message_ids_take_one_byte_for_hosts_that_know_no_others() -> None:
    host = host_messages.read(hosts.find("klipper_v0_12").klippy)
    built = dictionary.build(chips.VIRTUAL, host=host, is_on_can=True)
    numbers = [*built.commands.values(), *built.responses.values()]
    assert all(-32 <= number < 96 for number in numbers)


def test_message_in_parts_that_are_formatted_has_all_its_arguments(tmp_path: Path) -> None:
    (tmp_path / "chip.py").write_text('f"config_chip oid={oid} "\nf"pin={pin} " f"rate={rate}"\n')
    host = host_messages.HostMessages(tmp_path)
    forms = ("config_chip oid=%c", "config_chip oid=%c rate=%u pin=%u")
    assert host.choose(forms) == forms[1]


def test_constants_name_the_clock_and_can_be_added() -> None:
    constants = identify_data(SERIAL_BAUD=250000)["config"]
    assert constants["CLOCK_FREQ"] == 180_000_000
    assert constants["MCU"] == "virtual"
    assert constants["STATS_SUMSQ_BASE"] == 256
    assert constants["SERIAL_BAUD"] == 250000


@pytest.mark.parametrize(
    ("name", "number"),
    [("PA0", 0), ("PC13", 45), ("PK15", 175), ("gpio0", 176), ("gpio29", 205), ("PL15", 221)],
)
def test_pins_have_the_number_that_the_enumeration_gives_them(name: str, number: int) -> None:
    assert chips.PIN_NUMBERS[name] == number
    ranges = identify_data()["enumerations"]["pin"]
    first = name.rstrip("0123456789")
    start, count = ranges[first + "0"]
    index = int(name[len(first) :])
    assert index < count and start + index == number


def test_messages_tell_the_simulation_every_format_and_reason_once() -> None:
    built = dictionary.build(chips.VIRTUAL)
    lines = built.messages()
    assert len(set(lines)) == len(lines)
    assert "command 1 identify offset=%u count=%c" in lines
    assert any(line.endswith(" Timer too close") for line in lines)
    reasons = built.enumerations["static_string_id"]
    count = len(built.commands) + len(built.responses) + len(reasons)
    assert len(lines) == count


def test_commands_of_every_peripheral_are_known_to_be_there() -> None:
    names = [one.name for one in pkgutil.iter_modules(firmware.__path__)]
    modules = [importlib.import_module(f"{firmware.__name__}.{name}") for name in names]
    found = [value for one in modules for value in vars(one).values() if type(value) is Peripheral]
    commands = {form.split()[0] for one in found for form in one.commands}
    assert {"beacon_home", "beacon_accel_stream", "stepper_get_position"} <= commands
    assert commands - dictionary.command_names() == set()


def test_same_arguments_give_the_same_bytes() -> None:
    first, second = (dictionary.build(chips.VIRTUAL) for _ in range(2))
    assert first.compressed == second.compressed


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ('"analog_in_state oid=%c next_clock=%u values=%*s"', "values=%*s"),
        ('"analog_in_state oid=%c next_clock=%u value=%hu"', "value=%hu"),
        # By their name alone, hosts of before 2026 ask for responses
        ('"analog_in_state"', "value=%hu"),
    ],
)
def test_firmware_speaks_the_form_that_the_host_writes(
    tmp_path: Path, source: str, form: str
) -> None:
    (tmp_path / "mcu.py").write_text(f"register({source})\n", encoding="utf-8")
    built = dictionary.build(chips.VIRTUAL, host=host_messages.read(tmp_path))
    found = [text for text in built.responses if text.startswith("analog_in_state")]
    assert [text.split()[-1] for text in found] == [form]
