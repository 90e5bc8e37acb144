# What of a printer.cfg virtual MCUs cannot do: refused all at once, or left out
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import replace
from pathlib import Path
from typing import List

import pytest

from printer_config.config_file import ConfigFile
from virtual_printer import hosts, unsupported
from virtual_printer.firmware import dictionary
from virtual_printer.firmware.dictionary import command_names
from virtual_printer.firmware.host_messages import HostMessages
from virtual_printer.session import Session, SessionError
from virtual_printer.unusual_samples import SwitchPrinter

LIDAR = """
def load_config(config):
    mcu.add_config_cmd("config_lidar oid=%d pin=%s" % (1, 2))
    mcu.lookup_query_command(
        "lidar_nvm_read len=%c"
        " offset=%hu", "lidar_nvm_data bytes=%*s")
    mcu.try_lookup_command("lidar_optional")
    mcu.lookup_command("get_canbus_status")
"""
HELPER = 'mcu.lookup_command("helper_run oid=%c")\n'
USER = "from . import helper\n"
PANEL = 'mcu.add_config_cmd("config_panel oid=%d"\n    " width=%d" % (1, 2))\n'
PRINTER = """
[mcu]
serial: /dev/a
[lidar]
pin: PA1
[lidar second]
pin: PA2
[display]
lcd_type: Panel
[fan]
pin: PA3
"""


def host_with(folder: Path) -> HostMessages:
    (folder / "extras" / "display").mkdir(parents=True)
    (folder / "extras" / "lidar.py").write_text(LIDAR)
    (folder / "extras" / "display" / "panel.py").write_text(PANEL)
    (folder / "extras" / "helper.py").write_text(HELPER)
    (folder / "extras" / "user.py").write_text(USER)
    (folder / "extras" / "display" / "__init__.py").write_text("")
    (folder / "fan.py").write_text('mcu.lookup_command("config_fan oid=%c")')
    return HostMessages(folder)


def test_everything_is_found_with_its_section_and_option(tmp_path: Path) -> None:
    printer = ConfigFile(Path("printer.cfg"), text=PRINTER)
    lines = [str(one) for one in unsupported.find(printer, host_with(tmp_path))]
    has_no = "is not simulated: the virtual firmware has no"
    assert lines == [
        f"section [lidar] {has_no} config_lidar",
        f"section [lidar] {has_no} lidar_nvm_read",
        f"section [lidar second] {has_no} config_lidar",
        f"section [lidar second] {has_no} lidar_nvm_read",
        f"option 'lcd_type' in section [display]: 'Panel' {has_no} config_panel",
    ]


def test_part_of_what_the_firmware_knows_may_be_optional(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Extras look at constants before they look up what not all firmware has
    known = command_names() | {"config_lidar", "lidar_stream"}
    monkeypatch.setattr(unsupported, "command_names", lambda: known)
    printer = ConfigFile(Path("printer.cfg"), text="[lidar]\npin: PA1\n")
    assert unsupported.find(printer, host_with(tmp_path)) == []


def test_sections_are_left_out_of_the_text_and_nothing_else(tmp_path: Path) -> None:
    printer = ConfigFile(Path("printer.cfg"), text=PRINTER)
    found = unsupported.find(printer, host_with(tmp_path))
    text = unsupported.without(f"{PRINTER}\n#*# saved", found)
    left = ConfigFile(Path("printer.cfg"), text=text)
    assert list(left.sections) == ["mcu", "fan"]
    assert len(text.splitlines()) == len(PRINTER.splitlines()) + 2
    assert text.endswith("\n#*# saved")


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_printer_runs_without_what_is_unsupported(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = command_names() - {"config_adxl345"}
    monkeypatch.setattr(unsupported, "command_names", lambda: known)
    sample = SwitchPrinter("cartesian")
    text = f"{sample.printer_cfg()}\n[adxl345 a]\ncs_pin: PA1\n[adxl345 b]\ncs_pin: PA2\n"
    with pytest.raises(SessionError) as caught:
        Session(host, text, work_dir=tmp_path / "refused").open()
    refused = [line.split(" is not")[0] for line in str(caught.value).split("\n")]
    assert list(dict.fromkeys(refused)) == ["section [adxl345 a]", "section [adxl345 b]"]
    work_dir = tmp_path / "left_out"
    with Session(host, text, work_dir=work_dir, ignore_unsupported=True) as printer:
        assert {one.section for one in printer.left_out} == {"adxl345 a", "adxl345 b"}
        printer.gcode("G28")


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ("mcu 'mcu': Unknown command: config_panel", ["option 'lcd_type' in section [display]"]),
        ("mcu 'b': Unknown command: helper_run", ["section [user a]", "section [user b]"]),
        ("Unknown command: helper_run", ["section [user a]", "section [user b]"]),
        ("mcu 'mcu': Command format mismatch: lidar_nvm_read x=%c vs y", ["section [lidar]"]),
        ("mcu 'mcu': Unknown command: config_fan", ["section [mcu]: the host needs config_fan"]),
        ("mcu 'b': Unknown command: config_fan", ["section [mcu b]: the host needs config_fan"]),
        ("Option 'x' is not valid in section 'fan'", []),
        ('Unknown command:"HELLO"', []),
    ],
)
def test_complaint_about_a_command_is_one_about_sections(
    tmp_path: Path, message: str, lines: List[str]
) -> None:
    text = "[mcu]\n[lidar]\n[display]\nlcd_type: panel\n[user a]\n[user b]\n[fan]\n"
    printer = ConfigFile(Path("printer.cfg"), text=text)
    said = f"MCU Protocol error\nRecompile and flash the firmware.\n{message}"
    found = [str(one) for one in unsupported.lacking(printer, host_with(tmp_path), said)]
    assert [one[: len(line)] for one, line in zip(found, lines)] == lines
    assert len(found) == len(lines) and not [one for one in found if "flash" in one]


def lacking(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """Take a command from the firmware, and let nobody know of it."""
    smaller = []
    for one in dictionary.PERIPHERALS:
        commands = tuple(form for form in one.commands if not form.startswith(f"{command} "))
        smaller.append(replace(one, commands=commands))
    known = command_names()
    monkeypatch.setattr(unsupported, "command_names", lambda: known)
    monkeypatch.setattr(dictionary, "PERIPHERALS", tuple(smaller))


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_command_that_the_host_itself_needs_is_named_without_advice_to_flash_firmware(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking(monkeypatch, "config_endstop")
    text = SwitchPrinter("cartesian").printer_cfg()
    with pytest.raises(SessionError) as caught:
        with Session(host, text, work_dir=tmp_path, ignore_unsupported=True):
            pass
    assert str(caught.value) == (
        "section [mcu]: the host needs config_endstop, which the virtual firmware has not"
    )


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_what_only_the_host_finds_missing_is_left_out_too(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking(monkeypatch, "spi_transfer")
    text = (
        f"{SwitchPrinter('cartesian').printer_cfg()}\n[adxl345 a]\ncs_pin: PA1\n[fan]\npin: PA2\n"
    )
    with pytest.raises(SessionError) as caught:
        with Session(host, text, work_dir=tmp_path / "refused"):
            pass
    assert str(caught.value) == (
        "section [adxl345 a] is not simulated: the virtual firmware has no spi_transfer"
    )
    work_dir = tmp_path / "left_out"
    with Session(host, text, work_dir=work_dir, ignore_unsupported=True) as printer:
        assert [one.section for one in printer.left_out] == ["adxl345 a"]
        assert printer.not_simulated() == ["adxl345 a"]
        assert "flash" not in printer.log()
        printer.gcode("G28")


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_chip_that_answers_zeros_is_named_once_in_the_log(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("virtual_printer.machine.output_chips", lambda printer, boards: ())
    text = SwitchPrinter("cartesian").printer_cfg()
    text += "\n[mcp4451 a]\ni2c_address: 45\nwiper_0: 0.5\n[pca9632 b]\n"
    with Session(host, text, work_dir=tmp_path) as printer:
        lines = [line for line in printer.log().splitlines() if line.startswith("virtual printer:")]
        assert lines == [
            "virtual printer: section [mcp4451 a] is not simulated: it answers zeros",
            "virtual printer: the chip at mcu:i2c:0:98 is not simulated: it answers zeros",
        ]
        printer.gcode("SET_LED LED=b RED=1\nG4 P1000")
        printer.sleep(1.0)
        assert printer.log().count("virtual printer: ") == 2
        assert printer.not_simulated() == ["mcp4451 a", "mcu:i2c:0:98"]


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_host_has_firmware_of_its_own_name(host: hosts.Host, tmp_path: Path) -> None:
    with Session(host, SwitchPrinter("cartesian").printer_cfg(), work_dir=tmp_path) as printer:
        assert "flash" not in str(printer.status("configfile", "warnings"))
