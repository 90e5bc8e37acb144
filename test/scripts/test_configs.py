# A folder of printer.cfg files on the virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import time

import pytest

from scripts.developer.configs import check, command
from virtual_printer import hosts
from virtual_printer.unusual_samples import SwitchPrinter

GOOD = SwitchPrinter("cartesian").printer_cfg()
HOST = hosts.available()[-1].name


def silent(text):
    del text


def test_every_config_of_a_folder_is_a_row_with_its_reason(tmp_path, capsys):
    configs = {
        "good.cfg": GOOD,
        "fragment.cfg": "[extruder]\nnozzle_diameter: 0.4\n",
        "refused.cfg": GOOD.replace("max_velocity", "max_velocities"),
    }
    for name, text in configs.items():
        (tmp_path / name).write_text(text)
    report = tmp_path / "table.json"
    assert command.main([str(tmp_path), "--host", HOST, "--json", str(report)]) == 1
    found = json.loads(report.read_text())
    assert {name: (row["ready"], row["homed"]) for name, row in found.items()} == {
        "good.cfg": (True, True),
        "fragment.cfg": (False, False),
        "refused.cfg": (False, False),
    }
    assert found["good.cfg"]["reason"] == "" and found["good.cfg"]["not_simulated"] == []
    assert "fragment" in found["fragment.cfg"]["reason"]
    assert "max_velocity" in found["refused.cfg"]["reason"]
    table = capsys.readouterr().out
    assert "2 printers: 1 ready, 1 homed; 1 fragments" in table
    assert {name: (tmp_path / name).read_text() for name in configs} == configs


def test_config_that_hangs_is_a_row_too(tmp_path, monkeypatch):
    monkeypatch.setattr(check, "TIME_LIMIT_REAL_S", 1)
    monkeypatch.setattr(check, "_check", lambda path, host: time.sleep(60))
    outcome = check.check(tmp_path / "printer.cfg", HOST, silent)
    assert outcome == check.Outcome(False, False, "not done within 1 real seconds", [])


def test_folder_without_configs_is_refused_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        command.main([str(tmp_path)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: no *.cfg in '{tmp_path}'\n")
