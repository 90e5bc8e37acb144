# Reading a machine from printer.cfg and a machine file, and writing it for the simulation
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
import zlib
from dataclasses import asdict
from pathlib import Path
from typing import Dict, List, Optional

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import description, endstops, hosts, machine
from virtual_printer.firmware.chips import PIN_NUMBERS
from virtual_printer.model import (
    BLTouchEndstop,
    CarriageEndstop,
    DockedProbe,
    Machine,
    MachineError,
    NozzleEndstop,
    Pin,
    ProbeEndstop,
    WiredEndstop,
)

Sections = Dict[str, Dict[str, object]]

SAVED = """
#*# <---------------------- SAVE_CONFIG ---------------------->
#*# DO NOT EDIT THIS BLOCK OR BELOW. The contents are auto-generated.
#*#
"""


def pin(mcu: str, name: str, invert: bool) -> Pin:
    return Pin(mcu, name, invert, PIN_NUMBERS[name])


def sections(z_steppers: int = 4) -> Sections:
    """Return a CoreXY printer with each Z stepper on an MCU of its own."""
    motor = {"microsteps": 16, "rotation_distance": 40}
    rail = {"position_endstop": 300, "position_max": 300}
    found: Sections = {
        "mcu": {"serial": "/dev/main"},
        "mcu toolhead": {"serial": "/dev/toolhead"},
        "printer": {"kinematics": "corexy"},
        "stepper_x": {"step_pin": "PA0", "dir_pin": "!PA1", "endstop_pin": "^PA2", **motor, **rail},
        "stepper_y": {"step_pin": "PB0", "dir_pin": "PB1", "endstop_pin": "~!PB2", **motor, **rail},
        "probe": {"pin": "^toolhead:PB6", "x_offset": 3, "y_offset": 25, "z_offset": 1.5},
    }
    for index in range(z_steppers):
        number = index or ""
        found[f"mcu z{index}"] = {"serial": f"/dev/z{index}"}
        found[f"stepper_z{number}"] = {
            "step_pin": f"z{index}:PE0",
            "dir_pin": f"z{index}:PE1",
            "gear_ratio": "80:16",
            **motor,
        }
    found["stepper_z"].update(
        {"endstop_pin": "probe:z_virtual_endstop", "position_min": -5, "position_max": 250}
    )
    return found


def text(of: Sections) -> str:
    """Return sections as the text of a configuration file."""
    lines: List[str] = []
    for name, options in of.items():
        lines += [f"[{name}]", *(f"{option}: {value}" for option, value in options.items()), ""]
    return "\n".join(lines)


def load(folder: Path, printer: str, truth: Optional[str] = None, seed: int = 1) -> Machine:
    printer_cfg = folder / "printer.cfg"
    printer_cfg.write_text(printer)
    machine_file = None
    if truth is not None:
        machine_file = folder / "machine.cfg"
        machine_file.write_text(truth)
    return machine.load(printer_cfg, machine_file, seed)


def refused(folder: Path, printer: str, truth: Optional[str] = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(folder, printer, truth)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{folder}/", "")


# Wiring


def test_every_mcu_has_its_device_and_a_clock_of_its_own(tmp_path: Path) -> None:
    virtual = {name: {"chip": "virtual"} for name in sections() if name.split()[0] == "mcu"}
    mcus = load(tmp_path, text(sections()), text(virtual)).mcus
    assert [mcu.name for mcu in mcus] == ["mcu", "toolhead", "z0", "z1", "z2", "z3"]
    assert [mcu.device for mcu in mcus][:2] == ["/dev/main", "/dev/toolhead"]
    for value in ("frequency_hz", "drift_ppm", "clock_offset_s", "delay_to_mcu_us"):
        assert len({getattr(mcu, value) for mcu in mcus}) == 6, value
    assert all(2 <= mcu.clock_offset_s <= 20 and -30 <= mcu.drift_ppm <= 30 for mcu in mcus)
    assert all(100 <= mcu.delay_to_host_us <= 600 for mcu in mcus)


def test_usb_takes_no_time_on_the_wire_but_a_uart_does(tmp_path: Path) -> None:
    found = sections()
    found["mcu z1"]["baud"] = 250000
    assert [mcu.baud for mcu in load(tmp_path, text(found)).mcus] == [0, 0, 0, 250000, 0, 0]


def test_pins_are_read_with_their_mcu_and_their_inversion(tmp_path: Path) -> None:
    found = load(tmp_path, text(sections()))
    x, y = found.steppers[0], found.steppers[1]
    assert (x.step_pin, x.dir_pin) == (pin("mcu", "PA0", False), pin("mcu", "PA1", True))
    assert (y.step_pin, y.dir_pin) == (pin("mcu", "PB0", False), pin("mcu", "PB1", False))
    pins = [endstop.pin for endstop in found.endstops]
    assert pins == [
        pin("mcu", "PA2", False),
        pin("mcu", "PB2", True),
        pin("toolhead", "PB6", False),
    ]


def starts(found: Machine) -> Dict[str, float]:
    return {one.name: one.start_mm for one in found.carriages}


def test_endstop_shared_by_two_steppers_is_one(tmp_path: Path) -> None:
    found = sections()
    found["stepper_x1"] = {**found["stepper_x"], "step_pin": "toolhead:PA0"}
    found["stepper_x2"] = {**found["stepper_x"], "endstop_pin": "toolhead:PA4"}
    got = load(tmp_path, text(found)).endstops
    on_x = [one for one in got if isinstance(one, CarriageEndstop) and one.carriage == "x"]
    assert [one.pin.name for one in on_x] == ["PA2", "PA4"]


def test_z_switch_and_probe_live_side_by_side(tmp_path: Path) -> None:
    found = sections()
    found["stepper_z"].update({"endstop_pin": "z0:PE5", "position_endstop": -0.5})
    switch, probe = load(tmp_path, text(found)).endstops[2:]
    assert switch == NozzleEndstop(pin("z0", "PE5", False), -0.5, "min")
    assert probe == ProbeEndstop(pin("toolhead", "PB6", False), 3.0, 25.0, 1.5, 0.0)


def test_bltouch_has_its_own_names_for_its_pins(tmp_path: Path) -> None:
    found = sections()
    options = {key: value for key, value in found.pop("probe").items() if key != "pin"}
    found["bltouch"] = {**options, "sensor_pin": "^toolhead:PB6", "control_pin": "!toolhead:PB7"}
    probe = load(tmp_path, text(found)).endstops[-1]
    assert probe == BLTouchEndstop(
        pin("toolhead", "PB6", False), 3.0, 25.0, 1.5, 0.0, pin("toolhead", "PB7", True)
    )


def test_control_pin_of_a_smart_effector_makes_no_bltouch_of_it(tmp_path: Path) -> None:
    found = sections()
    found["smart_effector"] = {**found.pop("probe"), "control_pin": "toolhead:PB7"}
    probe = load(tmp_path, text(found)).endstops[-1]
    assert probe == ProbeEndstop(pin("toolhead", "PB6", False), 3.0, 25.0, 1.5, 0.0)


DOCKS = {"dock_position": "150, 295", "detach_position": "190, 295, 10"}


@pytest.mark.parametrize("is_in_machine_file", [True, False])
def test_probe_with_a_dock_waits_there(tmp_path: Path, is_in_machine_file: bool) -> None:
    found = sections()
    named = text({"probe": DOCKS}) if is_in_machine_file else ""
    if not is_in_machine_file:
        found["dockable_probe"] = {**found.pop("probe"), **DOCKS}
    probe = load(tmp_path, text(found), named).endstops[-1]
    place = pin("toolhead", "PB6", False)
    assert probe == DockedProbe(place, 3.0, 25.0, 1.5, 0.0, 150.0, 295.0, 190.0, 295.0)


@pytest.mark.parametrize("place", ["150", "1, 2, 3, 4", "1, 2\n 3, 4", ""])
def test_dock_without_x_and_y_is_an_error(tmp_path: Path, place: str) -> None:
    named = text({"probe": {**DOCKS, "dock_position": place}})
    with pytest.raises(ConfigError, match="'dock_position' .* must be x, y or x, y, z"):
        load(tmp_path, text(sections()), named)


@pytest.mark.parametrize("option", ["pin", "sensor_pin"])
def test_probe_of_any_kind_is_wired_to_the_pins_that_the_extra_names(
    tmp_path: Path, option: str
) -> None:
    found = sections()
    if option == "sensor_pin":
        probe = {key: value for key, value in found.pop("probe").items() if key != "pin"}
        found["bltouch"] = {**probe, "sensor_pin": "!toolhead:PB6", "control_pin": "toolhead:PB7"}
    else:
        found["probe"]["pin"] = "!toolhead:PB6"
    found["multi_mcu_resync"] = {"probe_pins": "^z1:PB8"}
    source = pin("toolhead", "PB6", True)
    assert load(tmp_path, text(found)).endstops[-1] == WiredEndstop(pin("z1", "PB8", True), source)


def test_machine_file_names_the_section_of_another_probe(tmp_path: Path) -> None:
    found = sections()
    found["scanner of mine"] = found.pop("probe")
    named = text({"probe": {"section": "scanner of mine"}})
    probe = load(tmp_path, text(found), named).endstops[-1]
    assert probe == ProbeEndstop(pin("toolhead", "PB6", False), 3.0, 25.0, 1.5, 0.0)


# Geometry


@given(
    rotation_mm=st.floats(0.1, 1000),
    microsteps=st.sampled_from([1, 2, 16, 64, 256]),
    full_steps=st.sampled_from([200, 400]),
    ratios=st.lists(st.tuples(st.integers(1, 200), st.integers(1, 200)), max_size=3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_one_turn_of_the_output_is_the_rotation_distance(
    tmp_path: Path, rotation_mm: float, microsteps: int, full_steps: int, ratios: list
) -> None:
    options = {
        "rotation_distance": rotation_mm,
        "microsteps": microsteps,
        "full_steps_per_rotation": full_steps,
    }
    if ratios:
        options["gear_ratio"] = ", ".join("%d:%d" % ratio for ratio in ratios)
    section = ConfigFile(tmp_path, text({"stepper_z": options})).section("stepper_z")
    motor_turns = 1.0
    for driven, driving in ratios:
        motor_turns *= driven / driving
    pulses_each_turn = motor_turns * full_steps * microsteps
    assert machine.step_distance_mm(section) * pulses_each_turn == pytest.approx(rotation_mm)


@given(
    minimum_mm=st.floats(-500, 500),
    length_mm=st.floats(1, 1000),
    share=st.floats(0, 1),
    given_direction=st.sampled_from([None, "True", "no"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_endstop_stands_at_the_nearer_end_unless_told(
    tmp_path: Path,
    minimum_mm: float,
    length_mm: float,
    share: float,
    given_direction: Optional[str],
) -> None:
    options = {"homing_positive_dir": given_direction} if given_direction else {}
    section = ConfigFile(tmp_path, text({"stepper_x": dict(options)})).section("stepper_x")
    at_mm, maximum_mm = minimum_mm + share * length_mm, minimum_mm + length_mm
    if given_direction is None and 0.26 < share < 0.74:
        with pytest.raises(ConfigError, match="'homing_positive_dir' in section"):
            endstops.homes_to_maximum(section, at_mm, minimum_mm, maximum_mm)
    elif given_direction is not None or not 0.24 < share < 0.76:
        expected = given_direction == "True" if given_direction else share > 0.5
        assert endstops.homes_to_maximum(section, at_mm, minimum_mm, maximum_mm) == expected


def lifts(found: Machine) -> List[tuple]:
    return [(one.x_mm, one.y_mm) for one in found.carriages if one.axis == "z"]


def test_gantry_corners_go_round_from_the_front_left(tmp_path: Path) -> None:
    found = sections()
    found["quad_gantry_level"] = {"gantry_corners": "\n  -60,-10\n  360, 370"}
    got = lifts(load(tmp_path, text(found)))
    assert got == [(-60, -10), (-60, 370), (360, 370), (360, -10)]


@pytest.mark.parametrize("name", ["z_tilt", "z_tilt_ng"])
def test_z_positions_are_taken_in_stepper_order(tmp_path: Path, name: str) -> None:
    found = sections(3)
    found[name] = {"z_positions": "\n  -50,18\n  150,348\n  350,18"}
    assert lifts(load(tmp_path, text(found))) == [(-50, 18), (150, 348), (350, 18)]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_steppers_without_levelling_span_the_bed(tmp_path: Path, count: int) -> None:
    got = lifts(load(tmp_path, text(sections(count))))
    assert len(set(got)) == count
    assert sum(x for x, _ in got) / count == 150


# Physical truth


TRUTH = {
    "virtual_printer": {"seed": 7},
    "mcu": {"frequency": 50_000_000, "drift_ppm": -12.5, "clock_offset_s": 3},
    "mcu z1": {"delay_to_mcu_us": 1700, "delay_to_host_us": 90, "jitter_us": 0, "baud": 1000},
    "bed": {"tilt_x": 0.001, "tilt_y": 0, "bow_mm": 0.2, "center_x": 1, "radius": 99},
    "gantry": {"height_stepper_z1": 14.25, "start_x": 12, "start_y": 13},
    "probe": {"noise_um": 2, "trigger_height": 1.75},
}


def test_machine_file_says_how_things_really_are(tmp_path: Path) -> None:
    got = load(tmp_path, text(sections()), text(TRUTH))
    main, z1 = got.mcus[0], got.mcus[3]
    assert got.seed == 7
    assert (main.frequency_hz, main.drift_ppm, main.clock_offset_s) == (50_000_000, -12.5, 3.0)
    assert (z1.delay_to_mcu_us, z1.delay_to_host_us, z1.jitter_us, z1.baud) == (1700, 90, 0, 1000)
    assert (got.bed.tilt_x, got.bed.tilt_y, got.bed.bow_mm) == (0.001, 0.0, 0.2)
    assert (got.bed.center_x_mm, got.bed.center_y_mm, got.bed.radius_mm) == (1, 150, 99)
    assert (starts(got)["x"], starts(got)["y"]) == (12.0, 13.0)
    assert starts(got)["stepper_z1"] == 14.25
    probe = got.endstops[-1]
    assert isinstance(probe, ProbeEndstop)
    assert (probe.noise_um, probe.trigger_height_mm) == (2.0, 1.75)


def test_machine_file_has_all_documented_options(tmp_path: Path) -> None:
    document = (hosts.ROOT / "docs" / "Virtual_Printer.md").read_text(encoding="utf-8")
    documented = document[document.index("[virtual_printer]\n") :].split("```")[0]
    values: Dict[str, object] = {"frequency": 1_000_000, "move_count": 16, "section": "probe"}
    values.update({"bit_rate": 10_000, "load": 0.5, "coupling_w_per_k": "heater_bed: 1"})
    values.update({"chip": "virtual", "damping": 0.5, "coil_hz": 1e6, "axes_map": "x, y, z"})
    values.update({"dock_position": "1, 2", "detach_position": "3, 4"})
    heater = {"heater_pin": "PC0", "sensor_type": "Generic 3950", "sensor_pin": "PC1"}
    others = {"mcu node": {"canbus_uuid": "112233445566"}, "extruder": heater, "heater_bed": heater}
    found = {**sections(), **others}
    found["tmc2209 stepper_x"] = {"uart_pin": "PA5"}
    found["stepper_x"]["endstop_pin"] = "tmc2209_stepper_x:virtual_endstop"
    found["fan"] = {"pin": "PC2", "tachometer_pin": "PC3"}
    found["filament_motion_sensor right"] = {"switch_pin": "PC4", "extruder": "stepper_x"}
    found["adxl345"] = {"cs_pin": "PB15"}
    found["load_cell_probe"] = {"sensor_type": "hx711", "dout_pin": "PB1", "sclk_pin": "PB2"}
    found["probe_eddy_current coil"] = {"sensor_type": "ldc1612"}
    found["temperature_sensor chamber"] = {"sensor_type": "BME280"}
    values["sensor_chip"] = "BMP280"
    found["cartographer"] = {"mcu": "z1", "x_offset": 0, "y_offset": 0}
    found["beacon"] = {"serial": "/tmp/beacon", "x_offset": 0, "y_offset": 0}
    printer = text(found)
    lines = [re.sub(r"^#(\w+):.*", r"\1", line) for line in documented.splitlines()]
    truth = ""
    for line in lines:
        if line == "[beacon]":
            values["chip"] = "beacon"
        truth += f"{line}: {values.get(line, 1)}\n" if line.isidentifier() else f"{line}\n"
    got = load(tmp_path, printer, truth)
    assert starts(got)["stepper_z"] == starts(got)["x"] == got.bed.tilt_x == 1.0
    assert got.mcus[3].move_count == 16
    assert got.can_buses[0].load == 0.5
    assert got.heat.heaters[0].power_w == 1.0
    assert got.fans[0].spin_up_s == got.filament_sensors[0].edge_mm == 1.0
    # An option that the document invents is refused
    assert "is not known" in refused(tmp_path, printer, f"{truth}nonsense: 1\n")


def test_same_seed_same_machine_and_another_seed_another(tmp_path: Path) -> None:
    first = load(tmp_path, text(sections()), seed=3)
    assert load(tmp_path, text(sections()), seed=3) == first
    other = load(tmp_path, text(sections()), seed=4)
    assert other.bed != first.bed
    assert other.mcus != first.mcus


def test_one_given_value_moves_no_default(tmp_path: Path) -> None:
    plain = load(tmp_path, text(sections()))
    changed = load(tmp_path, text(sections()), text({"mcu z1": {"drift_ppm": 1}}))
    assert changed.steppers == plain.steppers
    assert [mcu for mcu in changed.mcus if mcu.name != "z1"] == [
        mcu for mcu in plain.mcus if mcu.name != "z1"
    ]


# Klipper's syntax


def test_includes_comments_and_saved_values_are_read_as_klipper_does(tmp_path: Path) -> None:
    found = sections()
    steppers = {name: found.pop(name) for name in list(found) if name.startswith("stepper_")}
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.cfg").write_text(text(steppers))
    (tmp_path / "parts" / "b.cfg").write_text("[stepper_x]\nmicrosteps = 32 ; finer\n")
    del found["probe"]["z_offset"]
    saved = "#*# [probe]\n#*# z_offset = 2.25\n#*# y_offset = 99\n"
    printer = "# all of it\n[include parts/*.cfg]\n" + text(found) + SAVED + saved
    got = load(tmp_path, printer.replace("x_offset: 3", "x_offset: 4 # here"))
    assert got.steppers[0].step_distance_mm == 40 / 200 / 32
    probe = got.endstops[-1]
    assert isinstance(probe, ProbeEndstop)
    assert (probe.offset_x_mm, probe.offset_y_mm, probe.trigger_height_mm) == (4, 25, 2.25)


def test_saved_values_changed_by_hand_are_ignored(tmp_path: Path) -> None:
    printer = text(sections()) + SAVED + "#*# [probe]\n#*# pin = PA9\n\n[extra]\n"
    assert load(tmp_path, printer).endstops[-1].pin.name == "PB6"


# Bad input


def without(name: str, option: Optional[str] = None) -> str:
    found = sections()
    if option is None:
        del found[name]
    else:
        del found[name][option]
    return text(found)


def replaced(name: str, **options: object) -> str:
    found = sections()
    found.setdefault(name, {}).update(options)
    return text(found)


@pytest.mark.parametrize(
    "printer, problem",
    [
        ("nonsense", "File contains no section headers"),
        ("[mcu]\nnonsense\n", "nonsense"),
        ("[include none.cfg]\n", "included file 'none.cfg' does not exist"),
        ("[include printer.cfg]\n", "printer.cfg: includes itself"),
        (without("mcu"), "section [mcu] is missing"),
        (without("printer"), "section [printer] is missing"),
        (without("stepper_y"), "section [stepper_y] is missing"),
        (
            without("stepper_z2", "step_pin"),
            "option 'step_pin' in section [stepper_z2] must be specified",
        ),
        (
            replaced("printer", kinematics="scara"),
            "option 'kinematics' in section [printer] is not supported: 'scara'",
        ),
        (
            replaced("stepper_x", rotation_distance="far"),
            "option 'rotation_distance' in section [stepper_x] is not a number: 'far'",
        ),
        (
            replaced("stepper_x", rotation_distance=0),
            "option 'rotation_distance' in section [stepper_x] must be above 0",
        ),
        (
            replaced("stepper_x", position_max="inf"),
            "option 'position_max' in section [stepper_x] is not a finite number",
        ),
        (
            replaced("stepper_y", microsteps=1.5),
            "option 'microsteps' in section [stepper_y] is not a whole number: '1.5'",
        ),
        (
            replaced("stepper_y", microsteps=0),
            "option 'microsteps' in section [stepper_y] must be at least 1",
        ),
        (
            replaced("stepper_z1", gear_ratio="80:0"),
            "option 'gear_ratio' in section [stepper_z1] must be pairs of positive numbers,"
            " as in 80:16",
        ),
        (
            replaced("stepper_z1", gear_ratio="80/16"),
            "option 'gear_ratio' in section [stepper_z1] is not a list of numbers: '80/16'",
        ),
        (
            replaced("stepper_z", dir_pin="z9:PA1"),
            "option 'dir_pin' in section [stepper_z] names an MCU that is not there: 'z9'",
        ),
        (
            replaced("stepper_z", dir_pin="PZ1"),
            "option 'dir_pin' in section [stepper_z] is not a pin of virtual MCUs: 'PZ1'",
        ),
        (
            replaced("stepper_z", dir_pin="!^PA1"),
            "option 'dir_pin' in section [stepper_z] is not a pin: '!^PA1'",
        ),
        (
            replaced("stepper_x", position_endstop=150),
            "option 'homing_positive_dir' in section [stepper_x] must be specified:"
            " the endstop is at neither end",
        ),
        (
            replaced("stepper_x", position_endstop=301),
            "option 'position_endstop' in section [stepper_x] must be between position_min and"
            " position_max",
        ),
        (
            replaced("stepper_x", homing_positive_dir="perhaps"),
            "option 'homing_positive_dir' in section [stepper_x] is not a boolean: 'perhaps'",
        ),
        (
            replaced("stepper_x", endstop_pin="other_thing:virtual_endstop"),
            "option 'endstop_pin' in section [stepper_x] is not simulated:"
            " 'other_thing:virtual_endstop'",
        ),
        (without("probe"), "option 'endstop_pin' in section [stepper_z] needs a section [probe]"),
        (
            replaced("quad_gantry_level", gantry_corners="10,10"),
            "option 'gantry_corners' in section [quad_gantry_level] must have two points",
        ),
        (
            replaced("quad_gantry_level", gantry_corners="\n 10,10\n 0,20"),
            "option 'gantry_corners' in section [quad_gantry_level] must be the least corner,"
            " then the greatest",
        ),
        (
            replaced("quad_gantry_level", gantry_corners="\n 10,10,1\n 0,20"),
            "option 'gantry_corners' in section [quad_gantry_level] must have two numbers on"
            " each line",
        ),
        (
            replaced("z_tilt", z_positions="\n 0,0\n 1,1"),
            "option 'z_positions' in section [z_tilt] has 2 points for 4 Z steppers",
        ),
        (
            replaced("z_tilt", z_positions="\n 0,0\n 1,1\n 2,2\n 3,3"),
            "option 'z_positions' in section [z_tilt] must not coincide or lie on one line",
        ),
        (
            replaced("z_tilt", z_positions="\n 0,0\n 1,1\n 2,0\n 3,3"),
            "option 'z_positions' in section [z_tilt] of 4 must be the corners of an upright"
            " rectangle",
        ),
        (
            replaced("stepper_z4", step_pin="PA9"),
            "option 'step_pin' in section [stepper_z4] is one more than 4 Z steppers",
        ),
    ],
)
def test_bad_printer_cfg_is_one_line(tmp_path: Path, printer: str, problem: str) -> None:
    message = refused(tmp_path, printer)
    assert message.startswith("printer.cfg: ")
    assert message.endswith(problem) or (problem in message and "option" not in problem)


@pytest.mark.parametrize(
    "truth, problem",
    [
        ("[mcu z7]\n", "section [mcu z7] is not known"),
        ("[bed]\ntilt: 1\n", "option 'tilt' in section [bed] is not known"),
        (
            "[probe]\nsection: scanner\n",
            "option 'section' in section [probe] names a section that is not there: 'scanner'",
        ),
        (
            "[gantry]\nheight_stepper_z7: 1\n",
            "option 'height_stepper_z7' in section [gantry] is not known",
        ),
        ("[mcu]\njitter_us: -1\n", "option 'jitter_us' in section [mcu] must be at least 0"),
        ("[mcu]\nfrequency: 16\n", "option 'frequency' in section [mcu] must be at least 1000000"),
        ("[bed]\nradius: 0\n", "option 'radius' in section [bed] must be above 0"),
        (
            "[virtual_printer]\nseed: x\n",
            "option 'seed' in section [virtual_printer] is not a whole number: 'x'",
        ),
    ],
)
def test_bad_machine_file_is_one_line(tmp_path: Path, truth: str, problem: str) -> None:
    assert refused(tmp_path, text(sections()), truth) == f"machine.cfg: {problem}"


def test_missing_files_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.cfg: cannot be read \(No such file"):
        machine.load(tmp_path / "none.cfg")
    (tmp_path / "printer.cfg").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"printer\.cfg: cannot be read \(not a text file"):
        machine.load(tmp_path / "printer.cfg")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(sections())),
            st.sampled_from(["serial", "pin", "endstop_pin", "gear_ratio", "position_max", "["]),
            st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12),
        ),
        max_size=4,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_a_machine_or_one_clear_line(tmp_path: Path, changes: list) -> None:
    found = sections()
    for name, option, value in changes:
        found[name][option] = value
    try:
        load(tmp_path, text(found))
    except ConfigError as error:
        assert len(str(error).splitlines()) == 1


# The simulation's description


def directives(path: Path, kind: str) -> List[Dict[str, str]]:
    found = []
    for line in path.read_text().splitlines():
        words = line.split()
        if words[0] == kind:
            found.append(dict(word.split("=", 1) for word in words if "=" in word))
    return found


def test_description_has_every_part_once(tmp_path: Path) -> None:
    of = load(tmp_path, text(sections()), text(TRUTH))
    path = description.write(of, tmp_path)
    kinds = [line.split()[0] for line in path.read_text().splitlines()]
    counts = {kind: kinds.count(kind) for kind in kinds if kind != "message"}
    assert counts == {
        "seed": 1,
        "mcu": 6,
        "link": 6,
        "carriage": 6,
        "stepper": 6,
        "endstop": 3,
        "bed": 1,
        "resonance": 3,
        "nozzle": 1,
    }


def test_description_keeps_numbers_exactly(tmp_path: Path) -> None:
    of = load(tmp_path, text(sections()), seed=5)
    path = description.write(of, tmp_path)
    for got, stepper in zip(directives(path, "stepper"), of.steppers):
        assert float(got["step_dist"]) == stepper.step_distance_mm
        assert int(got["step_pin"]) == PIN_NUMBERS[stepper.step_pin.name]
        assert int(got["invert_dir"]) == stepper.dir_pin.invert
    for got, carriage in zip(directives(path, "carriage"), of.carriages):
        assert float(got["start"]) == carriage.start_mm
    (bed,) = directives(path, "bed")
    assert float(bed["tilt_x"]) == of.bed.tilt_x
    assert len(bed) == len(asdict(of.bed))


def test_each_mcu_has_a_dictionary_with_its_frequency(tmp_path: Path) -> None:
    of = load(tmp_path, text(sections()))
    path = description.write(of, tmp_path)
    for got, mcu in zip(directives(path, "mcu"), of.mcus):
        content = zlib.decompress(Path(got["dictionary"]).read_bytes()).decode()
        assert f'"CLOCK_FREQ":{mcu.frequency_hz}' in content


def test_uart_tells_the_host_how_much_it_can_hold(tmp_path: Path) -> None:
    found = sections()
    found["mcu z1"]["baud"] = 250000
    path = description.write(load(tmp_path, text(found)), tmp_path)
    for got in directives(path, "mcu"):
        content = zlib.decompress(Path(got["dictionary"]).read_bytes()).decode()
        assert ('"RECEIVE_WINDOW":192' in content) == (Path(got["dictionary"]).stem == "z1")


def test_folder_with_a_blank_is_one_clear_line(tmp_path: Path) -> None:
    of = load(tmp_path, text(sections()))
    folder = tmp_path / "a b"
    folder.mkdir()
    with pytest.raises(MachineError, match="must not have blanks"):
        description.write(of, folder)
