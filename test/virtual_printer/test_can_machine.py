# CAN buses of a machine: read from printer.cfg and a machine file, written for the simulation
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import json
import zlib
from pathlib import Path
from typing import Optional

import pytest

from helpers import wire
from printer_config.section import ConfigError
from virtual_printer import description, machine
from virtual_printer.model import CanNode, Machine
from virtual_printer.samples import CAN_PRINTER, Section, config_text

UUID = "0123456789ab"


def load(
    folder: Path, can_bus: Optional[Section] = None, old: str = "", new: str = "", truth: str = ""
) -> Machine:
    """Read the sample printer, with some text replaced and another bus or machine file."""
    printer_cfg = CAN_PRINTER.printer_cfg()
    assert old in printer_cfg
    (folder / "printer.cfg").write_text(printer_cfg.replace(old, new, 1))
    sample = CAN_PRINTER.with_can_bus(**(can_bus or {}))
    (folder / "machine.cfg").write_text(truth or sample.machine_cfg())
    return machine.load(folder / "printer.cfg", folder / "machine.cfg", 1)


def uuid_line(name: str) -> str:
    """Return the line of printer.cfg that names an MCU's uuid."""
    section = CAN_PRINTER.printer_cfg().split(f"[mcu {name}]\n")[1]
    return section.split("\n")[0]


def test_mcus_with_a_uuid_are_on_the_bus_that_they_name(tmp_path: Path) -> None:
    line = uuid_line("z1")
    found = load(tmp_path, old=line, new=f"canbus_uuid: {UUID.upper()}\ncanbus_interface: can1")
    mcus = {mcu.name: mcu for mcu in found.mcus}
    assert mcus["z1"].can_node == CanNode("can1", UUID)
    assert {mcus[name].can_node.bus for name in ("z", "z2", "toolhead")} == {"can0"}
    assert mcus["mcu"].can_node is None and mcus["mcu"].device == "/tmp/virtual_printer/mcu"
    assert {bus.name for bus in found.can_buses} == {"can0", "can1"}
    # All delays lie in the bus
    assert mcus["z1"].device is None and mcus["z1"].delay_to_host_us == mcus["z1"].jitter_us == 0.0


def test_bus_is_as_the_machine_file_says_or_has_one_megabit(tmp_path: Path) -> None:
    (bus,) = load(tmp_path).can_buses
    assert (bus.bit_rate, bus.data_rate, bus.error_rate, bus.load) == (1_000_000, 0, 0.0, 0.0)
    assert 100 <= bus.delay_to_bus_us <= 300 and 100 <= bus.delay_to_host_us <= 300
    options: Section = {
        "bit_rate": 250000,
        "data_rate": 2000000,
        "error_rate": 0.01,
        "load": 0.3,
        "load_id": 100,
        "delay_to_bus_us": 5,
        "delay_to_host_us": 6,
        "jitter_us": 7,
    }
    (bus,) = load(tmp_path, options).can_buses
    assert (bus.name, *options.values()) == tuple(vars(bus).values())


def test_simulation_takes_the_machine_and_its_nodes_tell_of_the_bus(tmp_path: Path) -> None:
    found = load(tmp_path, {"bit_rate": 500000})
    described = description.write(found, tmp_path).read_text()
    described = described.replace("/tmp/virtual_printer/mcu", wire.device_path("mcu"))
    with wire.Simulation(described, tmp_path) as simulation:
        assert len(simulation.ask("can_counters")) > 7 * 5
    for name, is_node in (("z1", True), ("mcu", False)):
        data = json.loads(zlib.decompress((tmp_path / f"{name}.dict").read_bytes()))
        assert ("get_canbus_id" in data["commands"]) is is_node
        assert data["config"].get("CANBUS_FREQUENCY") == (500000 if is_node else None)
        assert ("RECEIVE_WINDOW" in data["config"]) is is_node


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            uuid_line("z1"),
            "canbus_uuid: 12345678901234",
            "option 'canbus_uuid' in section [mcu z1] is not a number of 12 hex digits:"
            " '12345678901234'",
        ),
        (
            uuid_line("z1"),
            uuid_line("z"),
            "option 'canbus_uuid' in section [mcu z1] is that of MCU 'z' too:"
            f" '{uuid_line('z').split()[1]}'",
        ),
        (
            uuid_line("z1"),
            f"canbus_uuid: {UUID}\ncanbus_interface: a bus",
            "option 'canbus_interface' in section [mcu z1] is not an interface's name: 'a bus'",
        ),
    ],
)
def test_bad_uuid_or_interface_is_one_line(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, old=old, new=new)
    assert str(caught.value) == f"{tmp_path}/printer.cfg: {problem}"


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        ("[can_bus can1]\n", "section [can_bus can1] is not known"),
        ("[can_bus can0]\nbit_rate: 1\n", "'bit_rate' in section [can_bus can0] must be at least"),
        ("[can_bus can0]\nbit_rate: 2000000\n", "must be at most 1000000"),
        ("[can_bus can0]\ndata_rate: 9000000\n", "must be at most 8000000"),
        ("[can_bus can0]\nerror_rate: 1.5\n", "'error_rate' in section [can_bus can0] must be at"),
        ("[can_bus can0]\nload: 1\n", "'load' in section [can_bus can0] must be at most 0.99"),
        ("[can_bus can0]\nload_id: 2048\n", "must be at most 2047"),
        ("[can_bus can0]\nbaud: 5\n", "option 'baud' in section [can_bus can0] is not known"),
        ("[mcu z1]\nbaud: 5\n", "option 'baud' in section [mcu z1] is not known"),
    ],
)
def test_bad_bus_is_one_line(tmp_path: Path, truth: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, truth=truth)
    assert problem in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/machine.cfg: ")


def test_sample_is_the_machine_of_the_thread() -> None:
    sections = CAN_PRINTER.printer_cfg()
    assert sections.count("canbus_uuid") == 7
    assert "pin: toolhead:PB6" in sections
    assert config_text({"can_bus can0": {"bit_rate": 1000000}}) in CAN_PRINTER.machine_cfg()
