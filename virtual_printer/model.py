# What the simulation has to know of a machine
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import dataclass
from typing import TYPE_CHECKING, Mapping, Optional, Tuple, Union

if TYPE_CHECKING:
    from virtual_printer.heat.model import Heat

from virtual_printer.firmware.chips import Chip
from virtual_printer.firmware.chips.memory import Memory

# Numbers of buses from here on are those of software, by their pins
SOFTWARE_BUSES = 1 << 16


class MachineError(Exception):
    """This computer cannot simulate a machine; the message is one line."""


@dataclass(frozen=True)
class CanBus:
    """A CAN bus and the host's adapter on it."""

    name: str
    # Bits per second; 0 for the second one means that all frames are classic ones
    bit_rate: int
    data_rate: int
    # Share of the attempts to send a frame that fail
    error_rate: float
    # Share of the bus's time that foreign frames of an identifier take
    load: float
    load_id: int
    delay_to_bus_us: float
    delay_to_host_us: float
    jitter_us: float


@dataclass(frozen=True)
class CanNode:
    """A place on a CAN bus; `uuid` has 12 hex digits."""

    bus: str
    uuid: str


@dataclass(frozen=True)
class Mcu:
    """A micro-controller with its clock, and its link to the host: a device, or else a CAN bus."""

    name: str
    # Its clock is nominal; this MCU's own frequency wins
    chip: Chip
    device: Optional[str]
    can_node: Optional[CanNode]
    frequency_hz: int
    drift_ppm: float
    # Time that its clock has been running when the simulation starts
    clock_offset_s: float
    # Clock (Hz) by which it computes
    cpu_hz: int
    move_count: int
    # None if it has more than anybody needs
    memory: Optional[Memory]
    # RESERVE_PINS_* of its firmware
    reserved_pins: Mapping[str, str]
    delay_to_mcu_us: float
    delay_to_host_us: float
    jitter_us: float
    # Bits per second; 0 means that bytes take no time on the wire
    baud: int


@dataclass(frozen=True)
class Pin:
    """A pin of a micro-controller; `invert` is printer.cfg's exclamation mark."""

    mcu: str
    name: str
    invert: bool
    number: int


@dataclass(frozen=True)
class Carriage:
    """Something that moves along one axis on its own; of the Z axis: what lifts the gantry.

    The axis of a joint, which moves along none (mm or rad), is "joint".
    """

    name: str
    axis: str
    start_mm: float
    # Where it lifts the gantry, for the Z axis
    x_mm: float = 0.0
    y_mm: float = 0.0
    # The toolhead is half way between all that bear it, for the other axes
    has_toolhead: bool = True


@dataclass(frozen=True)
class Stepper:
    """A stepper motor and what it moves: how far it turns for 1 mm of each carriage.

    One that moves none has a position of its own. A joint that turns has radians for mm.
    """

    name: str
    step_pin: Pin
    dir_pin: Pin
    step_distance_mm: float
    # Pulses of a full step
    microsteps: int
    moves: Tuple[Tuple[str, float], ...]
    start_mm: float = 0.0


@dataclass(frozen=True)
class Rod:
    """Holds the toolhead; its joint's position is the height of its far end on a tower."""

    joint: str
    # Where the tower stands, the axle of the crank is, or the rope is anchored
    x_mm: float
    y_mm: float
    z_mm: float
    length_mm: float


@dataclass(frozen=True)
class CrankRod(Rod):
    """A rod whose far end a crank moves; its joint's position is the angle of that."""

    direction_rad: float
    crank_mm: float


@dataclass(frozen=True)
class Rope:
    """A rope from an anchor to the toolhead; its joint's position is its length."""

    joint: str
    x_mm: float
    y_mm: float
    z_mm: float


@dataclass(frozen=True)
class Polar:
    """An arm over a bed that turns: their joints."""

    bed: str
    arm: str


LinkagePart = Union[Rod, Rope, Polar]


@dataclass(frozen=True)
class DriverOnUart:
    """Where a driver is on a wire that it may share; an inverted pin selects it by being low."""

    pin: Pin
    address: int
    select_pins: Tuple[Pin, ...]


@dataclass(frozen=True)
class DriverOnSpi:
    """Which pin selects a driver, and its place in a chain of several."""

    pin: Pin
    chain_length: int
    chain_position: int


@dataclass(frozen=True)
class Driver:
    """A stepper driver with registers; `name` is that of its stepper."""

    name: str
    model: str
    place: Union[DriverOnUart, DriverOnSpi]
    # Its outputs that show a stall, by their number
    diag_pins: Tuple[Tuple[int, Pin], ...]
    is_powered: bool


@dataclass(frozen=True)
class Stop:
    """Where the way of a carriage ends, on the side min or max."""

    carriage: str
    at_mm: float
    side: str


@dataclass(frozen=True)
class CarriageEndstop:
    """A switch that a carriage runs into."""

    pin: Pin
    carriage: str
    at_mm: float
    # min or max: the side of `at_mm` on which it is triggered
    side: str


@dataclass(frozen=True)
class StepperEndstop:
    """A switch that feels what a single stepper moves."""

    pin: Pin
    stepper: str
    at_mm: float
    side: str


@dataclass(frozen=True)
class NozzleEndstop:
    """A Z switch: it feels the nozzle's height over the bed."""

    pin: Pin
    at_mm: float
    side: str


@dataclass(frozen=True)
class ProbeEndstop:
    """A probe on the toolhead, triggered when the gantry is low over the bed at its place."""

    pin: Pin
    offset_x_mm: float
    offset_y_mm: float
    trigger_height_mm: float
    noise_um: float


@dataclass(frozen=True)
class WiredEndstop:
    """A pin that carries the signal of another endstop too."""

    pin: Pin
    source: Pin


@dataclass(frozen=True)
class BLTouchEndstop(ProbeEndstop):
    """A probe whose pin the host lowers and raises by pulses on another pin."""

    control_pin: Pin


@dataclass(frozen=True)
class DockedProbe(ProbeEndstop):
    """A probe that waits in a dock, triggered, until the toolhead comes for it.

    The toolhead leaves it there again if it goes from the dock to where it detaches.
    """

    dock_x_mm: float
    dock_y_mm: float
    detach_x_mm: float
    detach_y_mm: float


Endstop = Union[CarriageEndstop, NozzleEndstop, ProbeEndstop, StepperEndstop, WiredEndstop]


@dataclass(frozen=True)
class Bed:
    """The bed's shape: a tilted plane plus a bow, `bow_mm` high at `radius_mm` from the centre."""

    tilt_x: float
    tilt_y: float
    bow_mm: float
    center_x_mm: float
    center_y_mm: float
    radius_mm: float


@dataclass(frozen=True)
class Binding:
    """How stiff a gantry is against skew, and what its motors hold."""

    stiffness_n_per_mm: float
    holding_n: float


@dataclass(frozen=True)
class Switch:
    """A switch that holds a pin at a level."""

    pin: Pin
    level: int


@dataclass(frozen=True)
class Fan:
    """A fan and its tachometer, which has so many edges at full speed."""

    pin: Pin
    tachometer_pin: Pin
    edges_per_s: float
    # In which the difference to a new speed falls to 1/e
    spin_up_s: float


@dataclass(frozen=True)
class FilamentSensor:
    """A wheel that filament turns: its signal has an edge for each so much that a stepper feeds."""

    pin: Pin
    stepper: str
    edge_mm: float


@dataclass(frozen=True)
class SpiPlace:
    """The pin that selects a chip on SPI, None if it is alone on a bus."""

    mcu: str
    pin: Optional[Pin]
    bus: int


def software_bus(clock_pin: Pin, data_pin: Pin) -> int:
    """Return the number of a bus that software clocks: chips may share one of its pins."""
    return SOFTWARE_BUSES + (clock_pin.number << 8) + data_pin.number


@dataclass(frozen=True)
class I2cWires:
    """The pins of an I2C bus that software clocks."""

    clock_pin: Pin
    data_pin: Pin


@dataclass(frozen=True)
class I2cPlace:
    """A place on an I2C bus, with its wires if it is one of software."""

    mcu: str
    bus: int
    address: int
    wires: Optional[I2cWires] = None


@dataclass(frozen=True)
class Display:
    """A display by its `lcd_type`, on pins or else on an I2C bus."""

    name: str
    kind: str
    # By which its controller is selected, and which is high while data is sent
    pin: Optional[Pin]
    data_pin: Optional[Pin]
    i2c: Optional[I2cPlace]
    # Of the text, and the first one of the controller's that is on the glass
    column_count: int
    first_column: int


BusPlace = Union[SpiPlace, I2cPlace]


@dataclass(frozen=True)
class OutputChip:
    """A chip with outputs that the host sets; pins may name it as they name an MCU."""

    name: str
    kind: str
    place: BusPlace
    # Names and numbers of those that can be set
    outputs: Tuple[Tuple[str, int], ...]
    # What an output has that is fully on
    scale: float
    # Without which none is on
    enable_pin: Optional[Pin] = None


@dataclass(frozen=True)
class LedChain:
    """A chain of LEDs that are clocked."""

    place: SpiPlace
    data_pin: Pin
    count: int


@dataclass(frozen=True)
class Accelerometer:
    """An acceleration sensor on the toolhead."""

    kind: str
    place: BusPlace
    # The axis of the printer along each of its own: x, -x and so on, or none
    mounting: Tuple[str, str, str]
    # True sampling rate over the nominal one
    rate_factor: float
    # None for that of its data sheet
    noise_mg: Optional[float]


@dataclass(frozen=True)
class Resonance:
    """How the toolhead swings along an axis; `damping` is a share of the critical one."""

    axis: str
    frequency_hz: float
    damping: float


@dataclass(frozen=True)
class LoadCell:
    """A load cell under the nozzle with its converter, on SPI or with pins of its own."""

    kind: str
    # Low while there is a result
    ready_pin: Pin
    clock_pin: Optional[Pin]
    place: Optional[SpiPlace]
    # Of a converter that is not told its rate
    rate_hz: Optional[int]
    counts_per_gram: float
    zero_counts: float
    noise_g: float
    # True sampling rate over the nominal one
    rate_factor: float


@dataclass(frozen=True)
class Coil:
    """A coil beside the nozzle, whose frequency rises where the bed is near."""

    place: I2cPlace
    # Low while there is a result
    interrupt_pin: Optional[Pin]
    offset_x_mm: float
    offset_y_mm: float
    # Over the nozzle
    height_mm: float
    # Far from any metal
    coil_hz: float
    noise_hz: float
    # Of the converter: what it should have, and by what its own one differs
    clock_hz: int
    clock_factor: float


@dataclass(frozen=True)
class Beacon:
    """A Beacon on the toolhead: a coil beside the nozzle, on an MCU of its own."""

    mcu: str
    # What gets warm of it
    body: str
    offset_x_mm: float
    offset_y_mm: float
    # Over the nozzle
    height_mm: float
    # Far from any metal
    coil_hz: float
    noise_hz: float
    # How coil and MCU were calibrated, as its memory has it
    nvm: bytes
    chip_data: bytes


@dataclass(frozen=True)
class Cartographer:
    """A probe that is an MCU with a coil beside the nozzle."""

    mcu: str
    thermistor_pin: Pin
    # What it gets warm with, by its name
    body: str
    offset_x_mm: float
    offset_y_mm: float
    # Over the nozzle
    height_mm: float
    # Far from any metal, at 25 C, and by what share it is higher for each kelvin more
    coil_hz: float
    noise_hz: float
    drift_per_k: float


@dataclass(frozen=True)
class AngleSensor:
    """A magnetic sensor at the shaft of a motor, which goes `turn_mm` in one turn."""

    kind: str
    place: SpiPlace
    # Of the magnet, as a share of a turn
    offset: float
    stepper: Optional[str]
    turn_mm: float
    # How fast its own clock is, if it has one
    clock_factor: float


@dataclass(frozen=True)
class Machine:
    """All that the simulation needs to know."""

    seed: int
    mcus: Tuple[Mcu, ...]
    can_buses: Tuple[CanBus, ...]
    carriages: Tuple[Carriage, ...]
    steppers: Tuple[Stepper, ...]
    # What holds the toolhead where no carriages do
    linkage: Tuple[LinkagePart, ...]
    drivers: Tuple[Driver, ...]
    stops: Tuple[Stop, ...]
    endstops: Tuple[Endstop, ...]
    bed: Bed
    # None if the gantry never binds
    binding: Optional[Binding]
    heat: "Heat"
    resonances: Tuple[Resonance, ...]
    accelerometers: Tuple[Accelerometer, ...]
    stiffness_g_per_mm: float
    load_cells: Tuple[LoadCell, ...]
    coils: Tuple[Coil, ...]
    angle_sensors: Tuple[AngleSensor, ...]
    output_chips: Tuple[OutputChip, ...] = ()
    led_chains: Tuple[LedChain, ...] = ()
    beacons: Tuple[Beacon, ...] = ()
    cartographers: Tuple[Cartographer, ...] = ()
    switches: Tuple[Switch, ...] = ()
    fans: Tuple[Fan, ...] = ()
    filament_sensors: Tuple[FilamentSensor, ...] = ()
    displays: Tuple[Display, ...] = ()
