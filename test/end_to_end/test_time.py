# What the resync costs in time, on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest

from scripts.developer.stopwatch import Stopwatch
from virtual_printer.samples import SamplePrinter

pytestmark = pytest.mark.area("time cost")
SAMPLES = 20
CYCLES = 20


def seconds(start, sample):
    printer = start(sample)
    printer.gcode("G28\nG1 Z10 F600\nM400")
    stopwatch = Stopwatch(printer)
    printer.gcode("PROBE_ACCURACY SAMPLES=%d\nM400" % (SAMPLES,))
    return stopwatch.seconds()


def test_probing_takes_as_long_as_on_one_mcu(start):
    shared_s = seconds(start, SamplePrinter())
    assert shared_s < 1.01 * seconds(start, SamplePrinter().on_one_mcu().without_section())


def cycle_s(start, **options):
    """Seconds from one probe to the next, with a move right after each."""
    printer = start(SamplePrinter().with_resync(**options))
    printer.gcode("G28\nG1 Z10 F600\nM400")
    stopwatch = Stopwatch(printer)
    for _ in range(CYCLES):
        printer.gcode("PROBE\nG1 Z10 F600")
    printer.gcode("M400")
    return stopwatch.seconds() / CYCLES


def test_slow_correction_within_the_idle_gap_does_not_delay_the_next_move(start):
    # 0.01 mm takes 13 ms, and 76 ms
    assert cycle_s(start, accel=10) < cycle_s(start) + 0.010
