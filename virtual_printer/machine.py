# The machine to simulate: wiring and geometry from printer.cfg, physical truth from a machine file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import random
from dataclasses import replace
from pathlib import Path
from typing import List, Optional, Tuple

from printer_config import mcus
from printer_config.config_file import ConfigFile
from printer_config.kinematics import Motor
from printer_config.motion import step_distance_mm, step_distance_rad
from printer_config.section import ConfigError, Section
from virtual_printer import cartographers, linkages
from virtual_printer.accelerometers import Accelerometers
from virtual_printer.angle_sensors import angle_sensors
from virtual_printer.beacons import Beacons
from virtual_printer.boards import Boards
from virtual_printer.can_buses import CanBuses
from virtual_printer.carriages import Carriages
from virtual_printer.coils import Coils
from virtual_printer.devices import Devices
from virtual_printer.drivers import Drivers
from virtual_printer.endstops import Endstops
from virtual_printer.firmware import chips
from virtual_printer.heat.reader import HeatReader
from virtual_printer.load_cells import LoadCells
from virtual_printer.lone_steppers import LoneStepper, lone_steppers
from virtual_printer.model import Bed, Binding, Machine, Mcu, Stepper
from virtual_printer.output_chips import led_chains, output_chips
from virtual_printer.pins import parse_pin

# Clocks of common controllers (Hz); those of virtual chips, which have none of their own, are drawn
# from these without repeating one
_FREQUENCIES_HZ = (
    *(12_000_000, 20_000_000, 48_000_000, 64_000_000, 72_000_000, 84_000_000),
    *(120_000_000, 168_000_000, 180_000_000, 400_000_000),
)


# Of a delta, for instance
_GUESSED_AREA_MM = (-150.0, 150.0, -150.0, 150.0, 300.0)
# What a corner of a gantry of extrusions bears for each mm out of plane
_STIFFNESS_N_PER_MM = 20.0


def load(printer_cfg: Path, machine_file: Optional[Path] = None, seed: int = 1) -> Machine:
    """Read a machine; `seed` draws whatever the machine file leaves open (its own seed wins)."""
    printer = ConfigFile(printer_cfg)
    truth = ConfigFile(machine_file) if machine_file else ConfigFile(printer_cfg, text="")
    return _Reader(printer, truth, seed).machine()


def area(printer_cfg: Path) -> Tuple[float, ...]:
    """Return where the toolhead may be (mm): least and greatest x and y, and greatest z.

    That of a printer whose rails say nothing of it is a guess.
    """
    printer, truth = ConfigFile(printer_cfg), ConfigFile(printer_cfg, text="")
    carriages = _Reader(printer, truth, 1).carriages
    try:
        x, y, z = (carriages.main_range(axis) for axis in "xyz")
    except IndexError:
        return _GUESSED_AREA_MM
    return x.minimum_mm, x.maximum_mm, y.minimum_mm, y.maximum_mm, z.maximum_mm


class _Reader:
    """Puts a machine together from its two files."""

    def __init__(self, printer: ConfigFile, truth: ConfigFile, seed: int) -> None:
        self.printer = printer
        self.truth = truth
        self.seed = truth.section("virtual_printer").get_int("seed", seed)
        self.mcus = mcus.sections(printer)
        self.boards = Boards(printer, truth)
        self.can_buses = CanBuses(truth, self._uniform)
        self.gantry = truth.section("gantry")
        self.linkage = linkages.load(printer, self.gantry, self._uniform)
        self.kinematics = self.linkage.kinematics
        self.carriages = Carriages(printer, self.kinematics, self.linkage.ranges)
        self.lone_steppers = lone_steppers(printer, self.gantry, self._uniform)
        self.drivers = Drivers(printer, truth, self.boards)
        self.endstops = Endstops(printer, truth, self.boards)
        self.heat = HeatReader(printer, truth, self.boards)
        self.devices = Devices(printer, truth, self.boards)
        self.accelerometers = Accelerometers(printer, truth, self.boards, self._uniform)
        self.load_cells = LoadCells(printer, truth, self.boards, self._uniform)
        self.coils = Coils(printer, truth, self.boards, self._uniform)
        self.beacons = Beacons(printer, truth, self.boards, self._uniform)

    def machine(self) -> Machine:
        """Return the machine, once every option of the machine file has been understood."""
        steppers = (
            *(self._stepper(motor) for motor in self.kinematics.motors),
            *(self._lone_stepper(stepper) for stepper in self.lone_steppers),
        )
        machine = Machine(
            seed=self.seed,
            mcus=self._all_mcus(),
            can_buses=self.can_buses.all(),
            carriages=(
                *self.carriages.all(self.gantry, self._uniform),
                *self.linkage.carriages,
            ),
            steppers=steppers,
            linkage=self.linkage.parts,
            endstops=self.endstops.all(self.linkage, self.carriages, self.lone_steppers),
            drivers=self.drivers.all(),
            stops=self.endstops.stops(self.linkage, self.carriages),
            bed=self._bed(),
            binding=self._binding(),
            heat=self.heat.all(),
            switches=self.devices.switches(),
            fans=self.devices.fans(),
            filament_sensors=self.devices.filament_sensors([one.name for one in steppers]),
            displays=self.devices.displays(),
            resonances=self.accelerometers.resonances(),
            accelerometers=self.accelerometers.all(),
            stiffness_g_per_mm=self.load_cells.stiffness_g_per_mm(),
            load_cells=self.load_cells.all(),
            coils=self.coils.all(),
            beacons=self.beacons.all(),
            angle_sensors=angle_sensors(
                self.printer,
                self.boards,
                {motor.name: motor.section for motor in self.kinematics.motors},
                self._uniform,
            ),
            output_chips=output_chips(self.printer, self.boards),
            led_chains=led_chains(self.printer, self.boards),
            cartographers=cartographers.load(self.printer, self.truth, self.boards, self._uniform),
        )
        self._check_truth()
        return machine

    def _uniform(self, what: str, low: float, high: float, digits: int = 3) -> float:
        """Draw a default from the seed and its purpose alone: one more default moves no other."""
        share = random.Random(f"{self.seed} {what}").random()
        return round(low + (high - low) * share, digits)

    # Micro-controllers

    def _all_mcus(self) -> Tuple[Mcu, ...]:
        frequencies = list(_FREQUENCIES_HZ)
        random.Random(f"{self.seed} frequencies").shuffle(frequencies)
        found: List[Mcu] = []
        for index, (name, section) in enumerate(self.mcus.items()):
            chip = self.boards.chips[name]
            is_virtual = chip is chips.VIRTUAL
            drawn_hz = frequencies[index % len(frequencies)] if is_virtual else chip.frequency_hz
            found.append(self._mcu(name, section, drawn_hz))
        return tuple(found)

    def _mcu(self, name: str, section: Section, frequency_hz: int) -> Mcu:
        can_node = self.can_buses.node(name, section)
        truth = self.truth.section(section.name)
        # All the delay of a node lies in its bus and the host's adapter there
        range_us = (0.0, 0.0) if can_node else (100.0, 600.0)
        delays = {
            direction: self._uniform(f"{name} delay_{direction}", *range_us)
            for direction in ("to_mcu", "to_host")
        }
        chip = self.boards.chips[name]
        frequency_hz = truth.get_int("frequency", frequency_hz, minimum=1_000_000)
        return Mcu(
            name=name,
            chip=chip,
            device=None if can_node else self._device(section),
            can_node=can_node,
            frequency_hz=frequency_hz,
            drift_ppm=truth.get_float("drift_ppm", self._uniform(f"{name} drift", -30.0, 30.0)),
            clock_offset_s=truth.get_float(
                "clock_offset_s", self._uniform(f"{name} offset", 2.0, 20.0), minimum=0.0
            ),
            cpu_hz=chip.frequency_hz if chip is chips.VIRTUAL else frequency_hz,
            move_count=truth.get_int("move_count", chips.MOVE_COUNT, minimum=16),
            memory=None if truth.has("move_count") else chip.memory,
            reserved_pins=self.boards.reserved_pins(name),
            delay_to_mcu_us=truth.get_float("delay_to_mcu_us", delays["to_mcu"], minimum=0.0),
            delay_to_host_us=truth.get_float("delay_to_host_us", delays["to_host"], minimum=0.0),
            jitter_us=truth.get_float("jitter_us", 0.0 if can_node else 50.0, minimum=0.0),
            # A port with a rate of its own is a UART; over USB the rate means nothing
            baud=0 if can_node else truth.get_int("baud", section.get_int("baud", 0)),
        )

    def _device(self, section: Section) -> str:
        device = section.get("serial")
        if not device or device.split() != [device]:
            raise section.error("serial", f"is not a device's path: '{device}'")
        return device

    # Steppers

    def _stepper(self, motor: Motor) -> Stepper:
        section = motor.section
        is_turning = self.linkage.is_turned_by(motor)
        return Stepper(
            name=motor.name,
            step_pin=parse_pin(section, "step_pin", self.boards),
            dir_pin=parse_pin(section, "dir_pin", self.boards),
            step_distance_mm=(step_distance_rad if is_turning else step_distance_mm)(section),
            microsteps=section.get_int("microsteps", minimum=1),
            moves=self.carriages.moves(motor),
        )

    def _lone_stepper(self, stepper: LoneStepper) -> Stepper:
        return replace(self._stepper(stepper.motor), start_mm=stepper.start_mm)

    # Bed

    def _bed(self) -> Bed:
        truth = self.truth.section("bed")
        x, y = self.carriages.main_range("x"), self.carriages.main_range("y")
        half_mm = min(one.maximum_mm - one.minimum_mm for one in (x, y)) / 2.0
        return Bed(
            tilt_x=truth.get_float("tilt_x", self._uniform("tilt_x", -0.0003, 0.0003, 6)),
            tilt_y=truth.get_float("tilt_y", self._uniform("tilt_y", -0.0003, 0.0003, 6)),
            bow_mm=truth.get_float("bow_mm", self._uniform("bow", -0.1, 0.1)),
            center_x_mm=truth.get_float("center_x", x.at(0.5)),
            center_y_mm=truth.get_float("center_y", y.at(0.5)),
            radius_mm=truth.get_float("radius", half_mm, above=0.0),
        )

    def _binding(self) -> Optional[Binding]:
        if not self.gantry.has("holding_n"):
            return None
        return Binding(
            self.gantry.get_float("stiffness_n_per_mm", _STIFFNESS_N_PER_MM, above=0.0),
            self.gantry.get_float("holding_n", above=0.0),
        )

    def _check_truth(self) -> None:
        """Refuse sections and options of the machine file that mean nothing here."""
        known = {"virtual_printer", "bed", "gantry", "probe"}
        known.update(section.name for section in self.mcus.values())
        known.update(self.can_buses.sections)
        known.update(self.heat.sections)
        known.update(self.drivers.sections)
        known.update(self.devices.sections)
        known.update(self.accelerometers.sections)
        known.update(self.load_cells.sections)
        known.update(self.coils.sections)
        for name, section in self.truth.sections.items():
            if name not in known:
                raise ConfigError(f"{self.truth.path}: section [{name}] is not known")
            section.check_all_used()
