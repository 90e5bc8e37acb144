# The macros of the Guide, as they stand there
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from pathlib import Path

import pytest
from end_to_end.driving import in_sync

from virtual_printer.samples import SamplePrinter
from virtual_printer.session import GCodeError

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "Guide.md").read_text(encoding="utf-8")
MACROS = "\n".join(re.findall(r"^```\n(.*?)^```", GUIDE.split("## Macros")[1], re.M | re.S)[:2])
WATCHED_EVERY_S = 5.0
DIALOG = [
    "// action:prompt_begin Axis z is not in sync",
    "// action:prompt_text FORCE_MOVE has moved 'stepper_z1' alone",
    "// action:prompt_footer_button Home|RESYNC_ANSWER HOME=1|primary",
    "// action:prompt_footer_button Later|RESYNC_ANSWER",
    "// action:prompt_show",
]


def lose(printer):
    printer.gcode("FORCE_MOVE STEPPER=stepper_z1 DISTANCE=0.2 VELOCITY=5")


def homing_moves_of(printer, script):
    """How many times a script homes or probes."""
    before = printer.status("multi_mcu_resync")["homing_moves"]
    printer.gcode(script)
    return printer.status("multi_mcu_resync")["homing_moves"] - before


def test_print_starts_homed_and_level_and_levels_only_when_that_is_needed(start):
    printer = start(SamplePrinter(), sections=MACROS)
    assert homing_moves_of(printer, "PRINT_START") > 4
    status = printer.status("multi_mcu_resync")
    assert (status["in_sync"], status["level_needed"]) == ({"z": True}, {"z": False})
    assert homing_moves_of(printer, "PRINT_START") == 0
    # What has happened since may have put it apart
    lose(printer)
    printer.gcode("RESYNC CLEAR=1\nM84")
    assert homing_moves_of(printer, "PRINT_START") > 4
    assert homing_moves_of(printer, "PRINT_START") == 0


def test_print_from_the_sd_card_is_refused_while_an_axis_is_not_in_sync(start, tmp_path):
    files = tmp_path / "gcodes"
    files.mkdir()
    (files / "part.gcode").write_text("PRINT_START\nG1 X100 F9000\n")
    sd_card = "\n[virtual_sdcard]\npath: %s\n" % (files,)
    printer = start(SamplePrinter(), sections=MACROS + sd_card)
    printer.gcode("G28")
    lose(printer)
    heard = []
    printer.listen(heard.append)
    printer.gcode("M400")
    before_mm = printer.carriage_truth()
    printer.gcode("SDCARD_PRINT_FILE FILENAME=part.gcode")
    printer.sleep(2.0)
    refusal = "Axis z is not in sync: FORCE_MOVE has moved 'stepper_z1' alone. Home it before you"
    # Klipper says before it which macro has raised it
    assert any(line.startswith("!! ") and refusal in line for line in heard)
    status = printer.status("print_stats")
    assert status["state"] == "error"
    assert refusal in status["message"]
    assert printer.carriage_truth() == before_mm
    with pytest.raises(GCodeError, match=re.escape(refusal)):
        printer.gcode("PRINT_START")
    printer.gcode("G28")
    assert homing_moves_of(printer, "PRINT_START") > 0
    assert printer.state() == "ready"


def test_dialog_opens_once_for_each_time_and_homes(start):
    printer = start(SamplePrinter(), sections=MACROS)
    heard = []
    printer.gcode("G28")
    printer.listen(heard.append)
    printer.sleep(2 * WATCHED_EVERY_S)
    assert heard == []
    for answer, is_homed in (("RESYNC_ANSWER HOME=1", True), ("RESYNC_ANSWER", False)):
        lose(printer)
        heard.clear()
        printer.sleep(4 * WATCHED_EVERY_S)
        assert [line for line in heard if "action" in line] == DIALOG
        assert "// action:prompt_end" in printer.gcode(answer)
        assert in_sync(printer) is is_homed
        printer.sleep(2 * WATCHED_EVERY_S)
