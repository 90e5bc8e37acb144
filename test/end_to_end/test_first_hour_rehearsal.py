# The guided trial through a real Moonraker: a good printer passes, a bad one is stopped in time
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import zipfile

import pytest

from scripts.developer.first_hour import printers
from scripts.developer.first_hour.rehearsal import Result, rehearse
from scripts.owner.first_hour import bundle, trial
from scripts.owner.first_hour.rows import PASSED, STOP, Row
from virtual_printer import hosts

HOSTS = hosts.available()


@pytest.mark.parametrize("host", HOSTS[:1], ids=lambda host: host.name)
def test_good_printer_passes_all_steps(host, tmp_path):
    printer = printers.draw(13)
    result = rehearse(printer, host, 13, tmp_path, lambda line: None, probe_count=3)
    assert result.faults(printer) == []
    assert result.done == [step.names[0] for step in trial.STEPS]
    # What was measured, against what nobody but the simulation knows
    stops = result.figures["latencies"]
    assert list(stops) == printer.sample.z_names
    assert all(0.2 < stop["measured_ms"] < 4.0 for stop in stops.values())
    assert set(result.figures["accuracy"]["drift_mm"].values()) == {0.0}
    with zipfile.ZipFile(str(tmp_path / "bundle" / bundle.NAME)) as archive:
        log = archive.read("klippy.log").decode()
    assert "multi_mcu_resync: rail=stepper_z endstop=probe triggered=1" in log
    assert "/tmp" not in log


@pytest.mark.parametrize("host", HOSTS[-1:], ids=lambda host: host.name)
def test_bad_printer_is_stopped_before_anything_breaks(host, tmp_path):
    printer = printers.draw(2, "boards_exchanged")
    result = rehearse(printer, host, 2, tmp_path, lambda line: None)
    assert result.faults(printer) == []
    stop = result.stop()
    assert stop.what.endswith(": the boards z0 and z1 are exchanged in printer.cfg")


def test_rehearsal_is_no_judge_that_is_always_pleased():
    good, bad = printers.draw(1), printers.draw(1, "reversed")
    passed = Result([Row("motors", PASSED, "")], [], "", [], {}, 1.0)
    stopped = Result([Row("motors", STOP, "", "", "reversed")], [], "", [], {}, 1.0)
    late = Result([Row("distance", STOP, "", "", "reversed")], [], "", [], {}, 1.0)
    assert passed.faults(good) == []
    assert stopped.faults(bad) == []
    assert passed.faults(bad) == ["a bad printer was not stopped"]
    assert stopped.faults(good) == ["a good printer was stopped at 'motors': "]
    assert late.faults(bad) == ["stopped at 'distance' for reversed"]
    assert stopped._replace(damage=["broken"]).faults(bad) == ["broken"]
    assert stopped._replace(minutes=13.0).faults(bad) == ["it took 13.0 minutes"]
    assert stopped._replace(error="gone").faults(bad) == ["the trial could not go on: gone"]
