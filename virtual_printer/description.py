# Writes a machine as the text that the simulation reads
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import replace
from pathlib import Path
from typing import Dict, Optional

from virtual_printer import cartographers
from virtual_printer.firmware import cartographer, dictionary
from virtual_printer.firmware.chips.memory import Memory
from virtual_printer.firmware.chips.speed import Speed
from virtual_printer.firmware.host_messages import HostMessages
from virtual_printer.heat import lines as heat_lines
from virtual_printer.model import (
    Accelerometer,
    AngleSensor,
    Beacon,
    Bed,
    BLTouchEndstop,
    BusPlace,
    CanBus,
    Carriage,
    CarriageEndstop,
    Coil,
    CrankRod,
    Display,
    DockedProbe,
    Driver,
    DriverOnUart,
    Endstop,
    Fan,
    FilamentSensor,
    I2cPlace,
    LedChain,
    LinkagePart,
    LoadCell,
    Machine,
    MachineError,
    Mcu,
    NozzleEndstop,
    OutputChip,
    Pin,
    Polar,
    Resonance,
    Rope,
    Stepper,
    StepperEndstop,
    Stop,
    Switch,
    WiredEndstop,
)

# What those on UARTs and CAN buses hold of what they have not looked at
BUFFER_BYTES = 192


# How often positions and temperatures are sampled for a recording (s)
RECORD_EVERY_S = 0.01


def write(
    machine: Machine,
    folder: Path,
    host: Optional[HostMessages] = None,
    record: Optional[Path] = None,
) -> Path:
    """Write the description and the dictionaries it names into a folder; return its path.

    The firmware is of the host's age, or the newest if it is not known. A recording goes to
    `record`.
    """
    lines = [f"seed {machine.seed}"]
    if record is not None:
        lines.append(f"record {record} every_s={RECORD_EVERY_S}")
    buses = {bus.name: bus for bus in machine.can_buses}
    firmware: Dict[str, dictionary.Dictionary] = {}
    lines += [_can_bus(bus) for bus in machine.can_buses]
    for mcu in machine.mcus:
        path = folder / f"{mcu.name}.dict"
        is_cartographer = any(one.mcu == mcu.name for one in machine.cartographers)
        built = _dictionary(mcu, buses, host, is_cartographer)
        path.write_bytes(built.compressed)
        firmware[mcu.name] = built
        lines += [_mcu(mcu, path, built), _link(mcu)]
        if mcu.can_node:
            lines.append(f"can_node {mcu.name} bus={mcu.can_node.bus} uuid={mcu.can_node.uuid}")
        lines += [f"message {mcu.name} {message}" for message in built.messages()]
    lines += [_carriage(carriage) for carriage in machine.carriages]
    lines += [_stepper(stepper) for stepper in machine.steppers]
    lines += [_linkage_part(part) for part in machine.linkage]
    lines += [_stop(stop) for stop in machine.stops]
    lines += [_driver(driver) for driver in machine.drivers]
    lines += [_endstop(endstop) for endstop in machine.endstops]
    lines.append(_bed(machine.bed))
    lines += [_output_chip(chip) for chip in machine.output_chips]
    lines += [_led_chain(chain) for chain in machine.led_chains]
    lines += heat_lines.write(machine.heat, firmware, _number)
    lines += [_switch(switch) for switch in machine.switches]
    lines += [_fan(fan) for fan in machine.fans]
    lines += [_filament_sensor(sensor) for sensor in machine.filament_sensors]
    lines += [_display(display) for display in machine.displays]
    lines += [_resonance(resonance) for resonance in machine.resonances]
    lines += [_accelerometer(sensor) for sensor in machine.accelerometers]
    if machine.binding:
        stiffness, holding = machine.binding.stiffness_n_per_mm, machine.binding.holding_n
        lines.append(f"binding stiffness={stiffness!r} holding={holding!r}")
    lines.append(f"nozzle stiffness_g_per_mm={machine.stiffness_g_per_mm!r}")
    lines += [_load_cell(cell) for cell in machine.load_cells]
    lines += [_coil(coil) for coil in machine.coils]
    lines += [_angle_sensor(sensor) for sensor in machine.angle_sensors]
    lines += [_beacon(beacon) for beacon in machine.beacons]
    mcus = {mcu.name: mcu for mcu in machine.mcus}
    lines += [
        cartographers.line(one, mcus, firmware[one.mcu].constants["ADC_MAX"])
        for one in machine.cartographers
    ]
    description = folder / "machine.txt"
    description.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return description


def _dictionary(
    mcu: Mcu, buses: Dict[str, CanBus], host: Optional[HostMessages], is_cartographer: bool
) -> dictionary.Dictionary:
    constants: Dict[str, object] = {**mcu.reserved_pins}
    if is_cartographer:
        divisor = cartographers.clock_divisor(mcu.frequency_hz)
        constants["CARTOGRAPHER_SENSOR_FREQ_DIVISOR"] = divisor
    # Over USB a controller holds up the host by itself
    if mcu.baud or mcu.can_node:
        constants["RECEIVE_WINDOW"] = BUFFER_BYTES
    if mcu.can_node:
        constants["CANBUS_FREQUENCY"] = buses[mcu.can_node.bus].bit_rate
    chip = replace(mcu.chip, frequency_hz=mcu.frequency_hz)
    return dictionary.build(
        chip, constants, host, bool(mcu.can_node), [cartographer.PERIPHERAL] * is_cartographer
    )


def _can_bus(bus: CanBus) -> str:
    return (
        f"can_bus {bus.name} bit_rate={bus.bit_rate} data_rate={bus.data_rate}"
        f" error_rate={bus.error_rate!r} load={bus.load!r} load_id={bus.load_id}"
        f" to_bus_us={bus.delay_to_bus_us!r} to_host_us={bus.delay_to_host_us!r}"
        f" jitter_us={bus.jitter_us!r}"
    )


def _mcu(mcu: Mcu, dictionary_path: Path, built: dictionary.Dictionary) -> str:
    if dictionary_path.as_posix().split() != [dictionary_path.as_posix()]:
        raise MachineError(f"{dictionary_path.parent}: a folder's path must not have blanks")
    device = "" if mcu.can_node else f"device={mcu.device}"
    return (
        f"mcu {mcu.name} {device} frequency={mcu.frequency_hz}"
        f" drift_ppm={mcu.drift_ppm!r} clock_offset_s={mcu.clock_offset_s!r}"
        f" move_count={mcu.move_count} adc_max={built.constants['ADC_MAX']}"
        # A chip that says nothing of it has no hardware PWM
        f" pwm_max={built.constants.get('PWM_MAX', 1)} dictionary={dictionary_path}"
        f" {cpu_keys(mcu.chip.speed, mcu.cpu_hz, mcu.frequency_hz)} {_memory(mcu.memory)}"
    )


def cpu_keys(speed: Speed, cpu_hz: float, frequency_hz: float) -> str:
    """Return the keys of an MCU's line that say how fast it is.

    It computes by a clock of `cpu_hz`, and its scheduler counts one of `frequency_hz`.
    """
    times_s = {
        "lone_timer": speed.lone_timer_s(cpu_hz),
        "timer": speed.timer_s(cpu_hz),
        "command": speed.command_ticks / cpu_hz,
        "timer_hold": speed.hold_s,
        "timer_repeat": speed.repeat_s,
        "timer_yield": speed.yield_s,
        "timer_late": speed.late_s,
    }
    times = " ".join(f"{name}_ns={time_s * 1e9:.3f}" for name, time_s in times_s.items())
    return (
        f"{times} plain_edge_ticks={speed.plain_edge_ticks(frequency_hz)}"
        f" plain_unstep_ticks={speed.plain_unstep_ticks}"
    )


def _memory(memory: Optional[Memory]) -> str:
    if memory is None:
        return ""
    return (
        f"memory_bytes={memory.total_bytes} id_bytes={memory.id_bytes}"
        f" object_bytes={memory.object_bytes} move_bytes={memory.move_bytes}"
    )


def _link(mcu: Mcu) -> str:
    return (
        f"link {mcu.name} to_mcu_us={mcu.delay_to_mcu_us!r} to_host_us={mcu.delay_to_host_us!r}"
        f" jitter_us={mcu.jitter_us!r} baud={mcu.baud}"
    )


def _carriage(carriage: Carriage) -> str:
    place = f"toolhead={int(carriage.has_toolhead)}"
    if carriage.axis == "joint":
        place = ""
    elif carriage.axis == "z":
        place = f"x={carriage.x_mm!r} y={carriage.y_mm!r}"
    return f"carriage {carriage.name} axis={carriage.axis} start={carriage.start_mm!r} {place}"


def _stepper(stepper: Stepper) -> str:
    moves = ",".join(f"{name}:{by!r}" for name, by in stepper.moves)
    where = f"moves={moves}" if moves else f"start={stepper.start_mm!r}"
    return (
        f"stepper {stepper.name} mcu={stepper.step_pin.mcu}"
        f" step_pin={_number(stepper.step_pin)} dir_pin={_number(stepper.dir_pin)}"
        f" invert_dir={int(stepper.dir_pin.invert)} step_dist={stepper.step_distance_mm!r}"
        f" microsteps={stepper.microsteps} {where}"
    )


def _stop(stop: Stop) -> str:
    return f"stop carriage={stop.carriage} at={stop.at_mm!r} side={stop.side}"


def _driver(driver: Driver) -> str:
    place = driver.place
    words = [f"driver {driver.name} model={driver.model} mcu={place.pin.mcu}"]
    if isinstance(place, DriverOnUart):
        words.append(f"uart_pin={_number(place.pin)} address={place.address}")
        levels = ",".join(f"{_number(pin)}:{int(not pin.invert)}" for pin in place.select_pins)
        if levels:
            words.append(f"select={levels}")
    else:
        words.append(
            f"cs_pin={_number(place.pin)} chain_length={place.chain_length}"
            f" chain_position={place.chain_position}"
        )
    for number, pin in driver.diag_pins:
        words.append(f"diag{number}_mcu={pin.mcu} diag{number}_pin={_number(pin)}")
    return " ".join([*words, f"power={int(driver.is_powered)}"])


def _linkage_part(part: LinkagePart) -> str:
    if isinstance(part, Polar):
        return f"polar bed={part.bed} arm={part.arm}"
    far_end = f"x={part.x_mm!r} y={part.y_mm!r} z={part.z_mm!r}"
    if isinstance(part, Rope):
        return f"rod kind=rope joint={part.joint} {far_end}"
    rod = f"joint={part.joint} {far_end} length={part.length_mm!r}"
    if isinstance(part, CrankRod):
        return f"rod kind=crank {rod} direction={part.direction_rad!r} crank={part.crank_mm!r}"
    return f"rod kind=tower {rod}"


def _endstop(endstop: Endstop) -> str:
    pin = endstop.pin
    wiring = f"endstop mcu={pin.mcu} pin={_number(pin)} invert={int(pin.invert)}"
    if isinstance(endstop, (CarriageEndstop, NozzleEndstop, StepperEndstop)):
        place = f"at={endstop.at_mm!r} side={endstop.side}"
        if isinstance(endstop, StepperEndstop):
            return f"{wiring} kind=stepper stepper={endstop.stepper} {place}"
        if isinstance(endstop, NozzleEndstop):
            return f"{wiring} kind=nozzle {place}"
        return f"{wiring} kind=carriage carriage={endstop.carriage} {place}"
    if isinstance(endstop, WiredEndstop):
        source = endstop.source
        return f"{wiring} kind=wire source_mcu={source.mcu} source_pin={_number(source)}"
    place = (
        f"offset_x={endstop.offset_x_mm!r} offset_y={endstop.offset_y_mm!r}"
        f" trigger_height={endstop.trigger_height_mm!r} noise_um={endstop.noise_um!r}"
    )
    if isinstance(endstop, BLTouchEndstop):
        control = endstop.control_pin
        return (
            f"{wiring} kind=bltouch {place} control_mcu={control.mcu}"
            f" control_pin={_number(control)} control_invert={int(control.invert)}"
        )
    if isinstance(endstop, DockedProbe):
        place += (
            f" dock_x={endstop.dock_x_mm!r} dock_y={endstop.dock_y_mm!r}"
            f" detach_x={endstop.detach_x_mm!r} detach_y={endstop.detach_y_mm!r}"
        )
    return f"{wiring} kind=probe {place}"


def _bed(bed: Bed) -> str:
    return (
        f"bed tilt_x={bed.tilt_x!r} tilt_y={bed.tilt_y!r} bow_mm={bed.bow_mm!r}"
        f" center_x={bed.center_x_mm!r} center_y={bed.center_y_mm!r} radius={bed.radius_mm!r}"
    )


def _switch(switch: Switch) -> str:
    return f"switch mcu={switch.pin.mcu} pin={_number(switch.pin)} level={switch.level}"


def _fan(fan: Fan) -> str:
    pin, tachometer = fan.pin, fan.tachometer_pin
    return (
        f"fan mcu={pin.mcu} pin={_number(pin)} invert={int(pin.invert)}"
        f" tachometer_mcu={tachometer.mcu} tachometer_pin={_number(tachometer)}"
        f" edges_per_s={fan.edges_per_s!r} spin_up_s={fan.spin_up_s!r}"
    )


def _filament_sensor(sensor: FilamentSensor) -> str:
    return (
        f"filament_sensor mcu={sensor.pin.mcu} pin={_number(sensor.pin)} stepper={sensor.stepper}"
        f" edge_mm={sensor.edge_mm!r}"
    )


def _display(display: Display) -> str:
    start = f"display {display.name} kind={display.kind}"
    if display.i2c:
        place = f"mcu={display.i2c.mcu} i2c_bus={display.i2c.bus} i2c_address={display.i2c.address}"
    else:
        assert display.pin is not None
        place = f"mcu={display.pin.mcu} pin={_number(display.pin)}"
        if display.data_pin:
            place += f" data_pin={_number(display.data_pin)}"
    return f"{start} {place} columns={display.column_count} first_column={display.first_column}"


def _resonance(resonance: Resonance) -> str:
    return (
        f"resonance axis={resonance.axis} frequency_hz={resonance.frequency_hz!r}"
        f" damping={resonance.damping!r}"
    )


def _accelerometer(sensor: Accelerometer) -> str:
    x, y, z = sensor.mounting
    noise = "" if sensor.noise_mg is None else f" noise_mg={sensor.noise_mg!r}"
    return (
        f"accelerometer kind={sensor.kind} {_bus_place(sensor.place)}"
        f" chip_x={x} chip_y={y} chip_z={z} rate_factor={sensor.rate_factor!r}{noise}"
    )


def _load_cell(cell: LoadCell) -> str:
    clock = f" clock_pin={_number(cell.clock_pin)}" if cell.clock_pin else ""
    rate = f" rate_hz={cell.rate_hz}" if cell.rate_hz else ""
    place = _bus_place(cell.place) if cell.place else f"mcu={cell.ready_pin.mcu}"
    return (
        f"load_cell kind={cell.kind} {place} ready_pin={_number(cell.ready_pin)}{clock}{rate}"
        f" counts_per_g={cell.counts_per_gram!r} zero_counts={cell.zero_counts!r}"
        f" noise_g={cell.noise_g!r} rate_factor={cell.rate_factor!r}"
    )


def _coil(coil: Coil) -> str:
    pin = f" interrupt_pin={_number(coil.interrupt_pin)}" if coil.interrupt_pin else ""
    return (
        f"coil {_bus_place(coil.place)}{pin} offset_x={coil.offset_x_mm!r}"
        f" offset_y={coil.offset_y_mm!r} height={coil.height_mm!r} coil_hz={coil.coil_hz!r}"
        f" noise_hz={coil.noise_hz!r} clock_hz={coil.clock_hz} clock_factor={coil.clock_factor!r}"
    )


def _angle_sensor(sensor: AngleSensor) -> str:
    shaft = f" stepper={sensor.stepper} turn_mm={sensor.turn_mm!r}" if sensor.stepper else ""
    place = _bus_place(sensor.place)
    return (
        f"angle_sensor kind={sensor.kind} {place} offset={sensor.offset!r}{shaft}"
        f" clock_factor={sensor.clock_factor!r}"
    )


def _output_chip(chip: OutputChip) -> str:
    words = [f"output_chip {chip.name} kind={chip.kind} {_bus_place(chip.place)}"]
    wires = chip.place.wires if isinstance(chip.place, I2cPlace) else None
    if wires:
        words.append(f"clock_pin={_number(wires.clock_pin)} data_pin={_number(wires.data_pin)}")
    if chip.enable_pin:
        pin = chip.enable_pin
        words.append(
            f"enable_mcu={pin.mcu} enable_pin={_number(pin)} enable_invert={int(pin.invert)}"
        )
    return " ".join(words)


def _led_chain(chain: LedChain) -> str:
    return (
        f"led_chain {_bus_place(chain.place)} data_pin={_number(chain.data_pin)} leds={chain.count}"
    )


def _beacon(beacon: Beacon) -> str:
    return (
        f"beacon {beacon.mcu} body={beacon.body} offset_x={beacon.offset_x_mm!r}"
        f" offset_y={beacon.offset_y_mm!r} height={beacon.height_mm!r} coil_hz={beacon.coil_hz!r}"
        f" noise_hz={beacon.noise_hz!r} nvm={beacon.nvm.hex()} chip_data={beacon.chip_data.hex()}"
    )


def _bus_place(place: BusPlace) -> str:
    if isinstance(place, I2cPlace):
        return f"mcu={place.mcu} i2c_bus={place.bus} i2c_address={place.address}"
    if place.pin:
        return f"mcu={place.mcu} select_pin={_number(place.pin)}"
    return f"mcu={place.mcu} spi_bus={place.bus}"


def _number(pin: Pin) -> int:
    return pin.number
