# How far steppers will overshoot a probe's trigger, from links and speed alone
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""The trigger's way: from the probe's MCU to the host, and from there to the stepper's.

A stepper on the probe's own MCU stops at once. Any other goes on for the delays of both links and
for what the host takes to wake up; nodes of a CAN bus are stopped one after the other. Steps are
whole, and where between two of them the endstop is sampled stays the same from probe to probe, so
the mean of one printer differs by up to a step either way.
"""

from typing import Dict, Optional, Sequence

from printer_config import pins, probes
from printer_config.config_file import ConfigFile
from printer_config.motion import DEFAULT_SPEED_MM_S
from virtual_printer.model import CanBus, Machine, Mcu

# One wake-up of the host's thread that relays, and of the MCU's task that reads it
HOST_US = 310.0
TASK_US = 25.0
# Klipper believes an endstop once it has read the same four times, 15 us apart
SAMPLES_US = 60.0
# Classic frames with eight bytes, and those that a message about a trigger takes
_FRAME_BITS = 130
_FRAMES_TO_HOST, _FRAMES_TO_MCU = 2, 1
# What each node takes before the next one on its bus is told: the stop, and what it answers
_FRAMES_PER_NODE = 2


def overshoot_steps(config: ConfigFile, machine: Machine) -> Dict[str, float]:
    """Return the mean overshoot (steps) to expect of each Z stepper when it probes."""
    found = probes.sections(config)
    probe_mcu = _probe_mcu(config)
    if not found or probe_mcu is None:
        return {}
    speed_mm_s = found[0].get_float("speed", DEFAULT_SPEED_MM_S)
    all_mcus = {mcu.name: mcu for mcu in machine.mcus}
    buses = {bus.name: bus for bus in machine.can_buses}
    z_steppers = [s for s in machine.steppers if s.name.startswith("stepper_z")]
    stopped = [all_mcus[name] for name in dict.fromkeys(s.step_pin.mcu for s in z_steppers)]
    expected = {}
    for stepper in z_steppers:
        mcu = all_mcus[stepper.step_pin.mcu]
        latency_us = 0.0
        if mcu.name != probe_mcu:
            latency_us = SAMPLES_US + _way_us(all_mcus[probe_mcu], buses, True) + HOST_US
            latency_us += _queue_us(mcu, stopped, buses) + _way_us(mcu, buses, False) + TASK_US
        expected[stepper.name] = speed_mm_s * latency_us * 1e-6 / stepper.step_distance_mm
    return expected


def _queue_us(mcu: Mcu, stopped: Sequence[Mcu], buses: Dict[str, CanBus]) -> float:
    """Return how long a node waits for those that are stopped before on its bus."""
    if mcu.can_node is None:
        return 0.0
    bus = buses[mcu.can_node.bus]
    nodes = [one.name for one in stopped if one.can_node and one.can_node.bus == bus.name]
    return nodes.index(mcu.name) * _FRAMES_PER_NODE * _FRAME_BITS * 1e6 / bus.bit_rate


def _probe_mcu(config: ConfigFile) -> Optional[str]:
    """Return the MCU that reads the probe's pin."""
    for section in probes.sections(config)[:1]:
        if section.has(probes.pin_option(section)):
            return pins.split(section.get(probes.pin_option(section))).chip
    return None


def _way_us(mcu: Mcu, buses: Dict[str, CanBus], is_to_host: bool) -> float:
    """Return how long a message of a trigger takes between an MCU and the host."""
    delay_us = mcu.delay_to_host_us if is_to_host else mcu.delay_to_mcu_us
    delay_us += mcu.jitter_us / 2.0
    if mcu.can_node is not None:
        bus = buses[mcu.can_node.bus]
        frames = _FRAMES_TO_HOST if is_to_host else _FRAMES_TO_MCU
        delay_us += bus.delay_to_host_us if is_to_host else bus.delay_to_bus_us
        delay_us += bus.jitter_us / 2.0 + frames * _FRAME_BITS * 1e6 / bus.bit_rate
    return delay_us
