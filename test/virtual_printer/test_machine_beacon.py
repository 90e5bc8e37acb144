# Beacons, read from printer.cfg and a machine file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from printer_config import mcus, probes
from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import description, hosts, machine
from virtual_printer.firmware import chips, dictionary, host_messages
from virtual_printer.model import Machine
from virtual_printer.samples import SamplePrinter

SERIAL = "/dev/serial/by-id/usb-Beacon_Beacon_RevH_FC26-if00"
SECTION = f"[beacon]\nserial: {SERIAL}\nx_offset: 1.5\ny_offset: 20\n"
MODEL = "[beacon model default]\nmodel_temp: 25\n"


def load(folder: Path, sections: str, truth: str = "", seed: int = 1) -> Machine:
    sample = replace(SamplePrinter(resync=None).on_one_mcu(), probe="beacon")
    text = sample.printer_cfg().partition("[beacon]")
    rest = text[2].partition("\n\n")[2]
    printer_cfg, machine_file = folder / "printer.cfg", folder / "machine.cfg"
    printer_cfg.write_text(f"{text[0]}{rest}\n{sections}")
    machine_file.write_text(truth)
    return machine.load(printer_cfg, machine_file, seed)


def test_section_with_a_serial_is_an_mcu_with_a_coil(tmp_path: Path) -> None:
    loaded = load(tmp_path, SECTION + MODEL)
    (mcu,) = [mcu for mcu in loaded.mcus if mcu.name == "beacon"]
    assert (mcu.device, mcu.frequency_hz, mcu.chip.pin_numbers()) == (SERIAL, 32_000_000, {})
    (beacon,) = loaded.beacons
    assert (beacon.mcu, beacon.offset_x_mm, beacon.offset_y_mm) == ("beacon", 1.5, 20.0)
    assert struct.unpack("<dfBxxxf", beacon.nvm)[:3] == (beacon.coil_hz, 25.0, 1)


def test_several_are_told_apart_by_their_names(tmp_path: Path) -> None:
    other = f"[beacon sensor bed]\nserial: {SERIAL}2\n[beacon sensor bed model default]\n"
    loaded = load(tmp_path, SECTION + MODEL + other)
    assert [one.mcu for one in loaded.beacons] == ["beacon", "beacon_sensor_bed"]
    assert len({one.coil_hz for one in loaded.beacons}) == 2
    config = ConfigFile(tmp_path / "printer.cfg")
    assert mcus.section(config, "beacon_sensor_bed").name == "beacon sensor bed"
    names = [section.name for section in probes.sections(config)]
    assert names == ["beacon", "beacon sensor bed"]


def test_machine_file_has_what_printer_cfg_cannot_know(tmp_path: Path) -> None:
    truth = (
        "[beacon]\ncoil_hz: 5000000\ncoil_height_mm: 2.25\nnoise_hz: 3\ndrift_ppm: 7\n"
        "start_c: 60\ncoupling_w_per_k: heater_bed: 0.02\n"
    )
    bed = "[heater_bed]\nheater_pin: PB8\nsensor_pin: PA8\nsensor_type: Generic 3950\n"
    loaded = load(tmp_path, SECTION + bed, truth)
    (beacon,) = loaded.beacons
    assert (beacon.coil_hz, beacon.height_mm, beacon.noise_hz) == (5e6, 2.25, 3.0)
    (body,) = [body for body in loaded.heat.bodies if body.name == beacon.body]
    assert body.start_c == 60.0
    assert [mcu.drift_ppm for mcu in loaded.mcus if mcu.name == "beacon"] == [7.0]


def test_package_of_2023_has_the_firmware_of_its_time(tmp_path: Path) -> None:
    section = SECTION.replace("[beacon]", "[klipper_beacon.beacon]")
    loaded = load(tmp_path, section + "[klipper_beacon.beacon model default]\n")
    (beacon,) = loaded.beacons
    count, steps = struct.unpack("<IH", beacon.nvm[:6])
    assert count / 2**28 * 32e6 == pytest.approx(beacon.coil_hz, abs=0.2)
    assert steps / 16 / 4095 == pytest.approx(47.0 / 57.0, abs=1e-4)
    assert beacon.nvm[6:] == 14 * b"\xff"
    written = description.write(loaded, tmp_path).read_text()
    messages = [line for line in written.splitlines() if line.startswith("message ")]
    with_beacon = {line.split()[1] for line in messages if "beacon_stream" in line}
    assert with_beacon == {"klipper_beacon.beacon"}
    assert not any("beacon_contact" in line for line in messages)


@pytest.mark.parametrize("chip", [chips.BEACON, chips.OLD_BEACON], ids=lambda chip: chip.name)
def test_messages_take_one_byte_for_hosts_that_know_no_others(chip: chips.Chip) -> None:
    built = dictionary.build(chip, host=host_messages.read(hosts.find("klipper_v0_12").klippy))
    numbers = [*built.commands.values(), *built.responses.values()]
    assert len(set(numbers)) == len(numbers) and set(numbers) <= set(range(-32, 96))
    assert any(text.startswith("beacon_stream ") for text in built.commands)


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        ("[beacon]\nchip: stm32f103\n", "must be beacon or beacon_v1: 'stm32f103'"),
        ("[beacon]\nchip: nothing\n", "must be beacon or beacon_v1: 'nothing'"),
        ("[beacon]\ncoil_hz: 0\n", "must be at least 100000"),
        ("[beacon]\nwarmth: 3\n", "is not known"),
    ],
)
def test_machine_file_is_checked(tmp_path: Path, truth: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, SECTION, truth)
    message = str(caught.value)
    assert problem in message and "[beacon]" in message and "\n" not in message
