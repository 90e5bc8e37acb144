# What the resync costs in time, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest
from stopwatch import Stopwatch

from virtual_printer.samples import SamplePrinter

pytestmark = pytest.mark.area("time cost")
SAMPLES = 20


def seconds(start, sample):
    printer = start(sample)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    stopwatch = Stopwatch(printer)
    printer.gcode("PROBE_ACCURACY SAMPLES=%d\nM400" % (SAMPLES,))
    return stopwatch.seconds()


def test_probing_takes_as_long_as_on_one_mcu(start):
    shared_s = seconds(start, SamplePrinter())
    assert shared_s < 1.01 * seconds(start, SamplePrinter().on_one_mcu().without_section())
