# Chips with outputs that the host sets: what those are at, by the data sheets
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from pathlib import Path
from typing import Dict, List, Sequence, Tuple

import pytest

from helpers import wire
from virtual_printer.model import SOFTWARE_BUSES

OID, CLOCK, DATA = range(3)
SELECT_PIN, CLOCK_PIN, DATA_PIN, OTHER_DATA_PIN, ENABLE_PIN = 20, 21, 22, 23, 24
ADDRESS = 0x2F
ON_SPI = ("ad5206", "dac084s085")
# Each write is what a driver sends at once; then what the outputs are at
MCP4728_SET = bytes((0x40 | 1 << 1, 0x8C, 0x00))
WRITES: Dict[str, Tuple[Sequence[bytes], List[float]]] = {
    "ad5206": ([b"\x01\x40", b"\x05\xff", b"\x06\x00"], [0.5, 0.25, 0.5, 0.5, 0.5, 255 / 256]),
    "dac084s085": ([b"\x18\x00", b"\x94\x00"], [0.5, 0.0, 0.25, 0.0]),
    "mcp4018": ([b"\x20", b"\xff"], [1.0]),
    "mcp4451": (
        [b"\x40\xff\xa0\xff", b"\x10\x40", b"\x61\x00\x70\x00", b"\x04"],
        [0.5, 0.25, 1.0, 0.0],
    ),
    "mcp4728": ([MCP4728_SET], [0.0, 0.75, 0.0, 0.0]),
    "pca9533": ([b"\x02\x40", b"\x04\xc0", b"\x05\xe4"], [0.0, 1.0, 0.25, 0.75]),
    "pca9632": (
        [b"\x00\x00", b"\x02\x40", b"\x03\x80", b"\x08\x1a"],
        [0.25, 0.5, 1.0, 0.0],
    ),
    "pca9685": (
        [b"\x00\x21", b"\x06\x00\x00\x00\x04", b"\x0a\x00\x10\x00\x00", b"\x0e\x00\x0c\x00\x04"],
        [0.25, 1.0, 0.5, *[0.0] * 13],
    ),
    "sx1509": (
        [b"\x0e\xff\xf8", b"\x10\xff\xfa", b"\x1f\x10", b"\x20\x00\x04", b"\x30\xcc"],
        [0.0, 1.0, 0.2, *[0.0] * 13],
    ),
}
UNSET: Dict[str, List[float]] = {
    "ad5206": [0.5] * 6,
    "dac084s085": [0.0] * 4,
    "mcp4018": [63 / 127],
    "mcp4451": [0.5] * 4,
    "mcp4728": [0.0] * 4,
    "pca9533": [0.0] * 4,
    "pca9632": [0.0] * 4,
    "pca9685": [0.0] * 16,
    "sx1509": [0.0] * 16,
}


def simulate(folder: Path, lines: Sequence[str]) -> wire.Simulation:
    return wire.Simulation(wire.describe(folder, lines), folder)


def chip(kind: str, name: str = "pots", more: str = "") -> str:
    place = f"select_pin={SELECT_PIN}" if kind in ON_SPI else f"i2c_bus=0 i2c_address={ADDRESS}"
    return f"output_chip {name} kind={kind} mcu=main {place} {more}"


def outputs(simulation: wire.Simulation, name: str = "pots") -> List[float]:
    return [float(word) for word in simulation.ask(f"outputs {name}")]


def connect(simulation: wire.Simulation, kind: str) -> wire.Host:
    host = simulation.hosts["main"]
    if kind in ON_SPI:
        host.configure([("config_spi", OID, SELECT_PIN, 0), ("spi_set_bus", OID, 0, 0, 1000000)])
    else:
        host.configure([("config_i2c", OID), ("i2c_set_bus", OID, 0, 100000, ADDRESS)])
    return host


def write(host: wire.Host, kind: str, data: bytes) -> None:
    host.send("spi_send" if kind in ON_SPI else "i2c_write", OID, data)
    host.simulation.run(0.001)


@pytest.mark.parametrize("kind", list(WRITES))
def test_outputs_are_as_they_were_set(tmp_path: Path, kind: str) -> None:
    with simulate(tmp_path, [chip(kind)]) as simulation:
        host = connect(simulation, kind)
        assert outputs(simulation) == pytest.approx(UNSET[kind], abs=1e-6)
        data, expected = WRITES[kind]
        for one in data:
            write(host, kind, one)
        assert outputs(simulation) == pytest.approx(expected, abs=1e-6)
        # What is cut off sets nothing
        for cut in (b"", data[-1][:1]):
            if not (kind == "mcp4018" and cut):
                write(host, kind, cut)
        assert outputs(simulation) == pytest.approx(expected, abs=1e-6)
        assert simulation.ask("unanswered") == []
        host.send("reset")
        simulation.run(1.0)
        # They have a supply of their own
        assert outputs(simulation) == pytest.approx(expected, abs=1e-6)


def test_registers_can_be_read_back(tmp_path: Path) -> None:
    with simulate(tmp_path, [chip("pca9632")]) as simulation:
        host = connect(simulation, "pca9632")
        write(host, "pca9632", b"\x02\x11\x22\x33")
        answer = host.ask("i2c_read_response", "i2c_read", OID, b"\x03", 2)
        assert answer["response"] == b"\x22\x33"


def test_all_outputs_of_a_pca9685_are_set_at_once(tmp_path: Path) -> None:
    with simulate(tmp_path, [chip("pca9685")]) as simulation:
        host = connect(simulation, "pca9685")
        for data in (b"\x00\x21", b"\xfa\x00\x00\x00\x08"):
            write(host, "pca9685", data)
        assert outputs(simulation) == [0.5] * 16
        # While it sleeps none is on
        write(host, "pca9685", b"\x00\x31")
        assert outputs(simulation) == [0.0] * 16


def test_sx1509_starts_again_once_it_is_reset(tmp_path: Path) -> None:
    with simulate(tmp_path, [chip("sx1509")]) as simulation:
        host = connect(simulation, "sx1509")
        write(host, "sx1509", b"\x0e\x00\x00")
        assert outputs(simulation) == [1.0] * 16
        write(host, "sx1509", b"\x7d\x34")
        assert outputs(simulation) == [1.0] * 16
        for data in (b"\x7d\x12", b"\x7d\x34"):
            write(host, "sx1509", data)
        assert outputs(simulation) == [0.0] * 16


def test_outputs_are_on_only_while_the_chip_is_enabled(tmp_path: Path) -> None:
    enable = f"enable_mcu=main enable_pin={ENABLE_PIN} enable_invert=1"
    body = "body hot capacity=20 loss=0 ambient=25 start=25"
    heater = "heater hot mcu=pots pin=2 power=40"
    with simulate(tmp_path, [body, heater, chip("pca9685", more=enable)]) as simulation:

        def temperature_c() -> float:
            return float(simulation.ask("temperatures")[0].split(":")[1])

        def heat_up() -> float:
            """Return by how much the body gets warmer in a second."""
            before_c = temperature_c()
            simulation.run(1.0)
            return temperature_c() - before_c

        host = connect(simulation, "pca9685")
        for data in (b"\x00\x21", b"\x0e\x00\x00\x00\x08"):
            write(host, "pca9685", data)
        assert outputs(simulation)[2] == 0.0 and heat_up() == 0.0
        for level, share in ((0, 0.5), (1, 0.0), (0, 0.5)):
            host.send("set_digital_out", ENABLE_PIN, level)
            simulation.run(0.001)
            assert outputs(simulation)[2] == share
            assert heat_up() == pytest.approx(share * 2.0, abs=1e-6)
        host.send("reset")
        simulation.run(0.2)
        assert outputs(simulation)[2] == 0.0 and heat_up() == 0.0


def clocked_out(data: bytes) -> List[Tuple[int, int]]:
    """Return the edges (object, level) by which a host writes bytes to a chip on two wires."""
    edges = [(DATA, 0), (CLOCK, 0)]
    for byte in data:
        for bit in f"{byte:08b}":
            edges += [(DATA, int(bit)), (CLOCK, 1), (CLOCK, 0)]
        edges += [(CLOCK, 1), (CLOCK, 0)]
    return [*edges, (DATA, 0), (CLOCK, 1), (DATA, 1)]


def test_chip_hears_a_bus_that_the_host_clocks_itself(tmp_path: Path) -> None:
    lines = [
        chip("mcp4018", name, f"clock_pin={CLOCK_PIN} data_pin={pin}")
        for name, pin in (("pots", DATA_PIN), ("others", OTHER_DATA_PIN))
    ]
    with simulate(tmp_path, lines) as simulation:
        host = simulation.hosts["main"]
        host.configure(
            [
                ("config_digital_out", CLOCK, CLOCK_PIN, 1, 1, 0),
                ("config_digital_out", DATA, DATA_PIN, 1, 1, 0),
            ]
        )
        for address, value, shown in ((ADDRESS, 0x7F, 1.0), (ADDRESS + 1, 0x00, 1.0)):
            for output, level in clocked_out(bytes((address << 1, value))):
                host.send("update_digital_out", output, level)
            simulation.run(0.2)
            assert outputs(simulation) == [shown]
        # The other one has only the clock in common with it
        assert outputs(simulation, "others") == pytest.approx([63 / 127], abs=1e-6)


def test_shift_registers_hand_on_what_comes_first(tmp_path: Path) -> None:
    line = "output_chip pots kind=shift_registers mcu=main spi_bus=257"
    with simulate(tmp_path, [line]) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_spi_without_cs", OID), ("spi_set_bus", OID, 257, 0, 50000000)])
        for data in (b"\xff", b"\x81\x00\x00\x00\x02"):
            write(host, "ad5206", data)
        bits = [number for number, share in enumerate(outputs(simulation)) if share == 1.0]
        assert bits == [1, 32, 39]


def test_leds_of_a_clocked_chain_take_their_frames_one_after_the_other(tmp_path: Path) -> None:
    bus = SOFTWARE_BUSES + (CLOCK_PIN << 8) + DATA_PIN
    line = f"led_chain mcu=main spi_bus={bus} data_pin={DATA_PIN} leds=2"
    with simulate(tmp_path, [line]) as simulation:
        host = simulation.hosts["main"]
        software_bus = ("spi_set_software_bus", OID, DATA_PIN, DATA_PIN, CLOCK_PIN, 0, 500000)
        host.configure([("config_spi_without_cs", OID), software_bus])
        # In pieces, and more than there are LEDs
        for data in (bytes(4) + b"\xff\x01", b"\x02\x03\xe1\x04\x05\x06" + b"\xff" * 6):
            write(host, "ad5206", data)
        assert simulation.ask(f"leds main {DATA_PIN}") == ["010203040506"]
        write(host, "ad5206", b"\xff\xff" + bytes(4) + b"\xff\x07\x08\x09")
        assert simulation.ask(f"leds main {DATA_PIN}") == ["070809040506"]
        assert simulation.ask("unanswered") == []
        assert simulation.control(f"leds main {CLOCK_PIN}") == f"error no LEDs on pin {CLOCK_PIN}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (chip("pca9999", "more"), "unknown kind of chip 'pca9999'"),
        (chip("ad5206", "main"), "chip 'main' is there twice"),
        ("heater hot mcu=pots pin=16 power=1", "pin"),
        ("heater hot mcu=nobody pin=1 power=1", "unknown mcu 'nobody'"),
    ],
)
def test_faulty_line_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    body = "body hot capacity=20 loss=0 ambient=25 start=25"
    with pytest.raises(wire.LoadError, match=problem):
        simulate(tmp_path, [body, chip("pca9685"), line])


def test_request_names_a_chip_and_a_pin_that_are_there(tmp_path: Path) -> None:
    with simulate(tmp_path, [chip("pca9685")]) as simulation:
        assert simulation.control("outputs other") == "error unknown chip 'other'"
        assert simulation.control("duty pots 16") == "error no pin 16 on chip 'pots'"
