# What of a printer.cfg virtual MCUs cannot do: refused all at once, or left out
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import replace
from pathlib import Path

import pytest

from printer_config.config_file import ConfigFile
from virtual_printer import hosts, unsupported
from virtual_printer.firmware import dictionary
from virtual_printer.firmware.dictionary import command_names
from virtual_printer.firmware.host_messages import HostMessages
from virtual_printer.session import Session, SessionError
from virtual_printer.unusual_samples import SwitchPrinter

BEACON = (
    'def load_config(config):\n    mcu.add_config_cmd("config_beacon oid=%d pin=%s" % (1, 2))\n'
)
PANEL = 'mcu.add_config_cmd("config_panel oid=%d"\n    " width=%d" % (1, 2))\n'
PRINTER = """
[mcu]
serial: /dev/a
[beacon]
pin: PA1
[beacon second]
pin: PA2
[display]
lcd_type: Panel
[fan]
pin: PA3
"""


def host_with(folder: Path) -> HostMessages:
    (folder / "extras" / "display").mkdir(parents=True)
    (folder / "extras" / "beacon.py").write_text(BEACON)
    (folder / "extras" / "display" / "panel.py").write_text(PANEL)
    (folder / "fan.py").write_text('"config_fan oid=%d"')
    return HostMessages(folder)


def test_everything_is_found_with_its_section_and_option(tmp_path: Path) -> None:
    printer = ConfigFile(Path("printer.cfg"), text=PRINTER)
    lines = [str(one) for one in unsupported.find(printer, host_with(tmp_path))]
    has_no = "is not simulated: the virtual firmware has no"
    assert lines == [
        f"section [beacon] {has_no} config_beacon",
        f"section [beacon second] {has_no} config_beacon",
        f"option 'lcd_type' in section [display]: 'Panel' {has_no} config_panel",
    ]


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


@pytest.mark.parametrize("host", hosts.available(), ids=lambda one: str(one.name))
def test_missing_command_is_named_without_advice_to_flash_firmware(
    host: hosts.Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smaller = []
    for one in dictionary.PERIPHERALS:
        commands = tuple(form for form in one.commands if not form.startswith("config_endstop "))
        smaller.append(replace(one, commands=commands))
    monkeypatch.setattr(dictionary, "PERIPHERALS", tuple(smaller))
    with pytest.raises(SessionError) as caught:
        with Session(host, SwitchPrinter("cartesian").printer_cfg(), work_dir=tmp_path):
            pass
    assert str(caught.value) == (
        "Klippy is not ready (error): the virtual firmware lacks something:"
        " mcu 'mcu': Unknown command: config_endstop"
    )
