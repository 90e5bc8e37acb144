# Bodies that get warm, and the analog inputs that measure them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import math
import struct
from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

import pytest

from helpers import wire

ANALOG, OUT, SPI, THERMOCOUPLE, DS18B20, I2C = range(1, 7)
HEATER_PIN, FAN_PIN, SENSOR_PIN, SELECT_PIN, FREE_PIN = 10, 11, 20, 21, 22
TICKS_PER_MS = wire.FREQUENCY_HZ // 1000
# Shows 0 C as no voltage and 400 C as all of it
SENSOR = (
    f"temperature_sensor hot body=hot kind=analog mcu=main pin={SENSOR_PIN}"
    " lowest=0 step=200 ratios=0.0,0.5,1.0"
)
HOT = "body hot capacity=20 loss=0.1 ambient=25 start=25"
HEATER = f"heater hot mcu=main pin={HEATER_PIN} power=40"
SENSOR_CHIPS = {"MAX31855": 0, "MAX31856": 1, "MAX31865": 2, "MAX6675": 3}


def simulate(folder: Path, lines: Sequence[str]) -> wire.Simulation:
    return wire.Simulation(wire.describe(folder, lines), folder)


def temperatures(simulation: wire.Simulation) -> Dict[str, float]:
    words = (word.split(":") for word in simulation.ask("temperatures"))
    return {name: float(temperature_c) for name, temperature_c in words}


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[wire.Simulation]:
    with simulate(tmp_path, [HOT, HEATER, SENSOR]) as simulation:
        yield simulation


def switch(simulation: wire.Simulation, pin: int, level: int) -> None:
    simulation.hosts["main"].send("set_digital_out", pin, level)
    simulation.run(0.001)


# Heat


def test_body_that_is_heated_follows_the_exponential_law(simulation: wire.Simulation) -> None:
    switch(simulation, HEATER_PIN, 1)
    before_c = temperatures(simulation)["hot"]
    simulation.run(100.0)
    # 40 W on 0.1 W/K are 400 K in the end, and 20 J/K on 0.1 W/K take 200 s
    expected_c = 425.0 - (425.0 - before_c) * math.exp(-100.0 / 200.0)
    assert temperatures(simulation)["hot"] == pytest.approx(expected_c, abs=1e-5)


def test_temperature_does_not_depend_on_how_often_it_is_asked_for(
    simulation: wire.Simulation, tmp_path: Path
) -> None:
    with simulate(tmp_path, [HOT, HEATER]) as other:
        for one, parts in ((simulation, 100), (other, 1)):
            switch(one, HEATER_PIN, 1)
            for _ in range(parts):
                one.run(30.0 / parts)
                temperatures(one)
            one.run_until(31 * wire.SECOND_NS)
            found_c = temperatures(one)["hot"]
        assert found_c == pytest.approx(temperatures(simulation)["hot"], abs=1e-6)


def test_body_cools_down_once_its_heater_is_off(simulation: wire.Simulation) -> None:
    switch(simulation, HEATER_PIN, 1)
    simulation.run(20.0)
    switch(simulation, HEATER_PIN, 0)
    hot_c = temperatures(simulation)["hot"]
    simulation.run(2000.0)
    assert hot_c > 60.0
    assert temperatures(simulation)["hot"] == pytest.approx(25.0, abs=0.01)


def test_heater_that_is_broken_heats_with_what_is_left_of_it(simulation: wire.Simulation) -> None:
    switch(simulation, HEATER_PIN, 1)
    simulation.run(5000.0)
    for share in (0.5, 0.0, 1.0):
        simulation.ask(f"heater hot power={share}")
        simulation.run(5000.0)
        assert temperatures(simulation)["hot"] == pytest.approx(25.0 + 400.0 * share, abs=0.01)


def test_inverted_heater_is_on_while_its_pin_is_low(tmp_path: Path) -> None:
    with simulate(tmp_path, [HOT, HEATER + " invert=1"]) as simulation:
        switch(simulation, HEATER_PIN, 1)
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] == pytest.approx(25.0)
        switch(simulation, HEATER_PIN, 0)
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] > 40.0


def restart(simulation: wire.Simulation) -> None:
    host = simulation.hosts["main"]
    host.send("reset")
    simulation.run(0.2)
    host.sequence = 0


@pytest.mark.parametrize("level", [0, 1])
def test_inverted_heater_is_off_while_its_pin_floats(tmp_path: Path, level: int) -> None:
    with simulate(tmp_path, [HOT, HEATER + " invert=1"]) as simulation:
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] == pytest.approx(25.0)
        switch(simulation, HEATER_PIN, level)
        restart(simulation)
        before_c = temperatures(simulation)["hot"]
        assert before_c < 25.01
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] <= before_c
        switch(simulation, HEATER_PIN, 0)
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] > 40.0


def test_inverted_fan_is_off_while_its_pin_floats(tmp_path: Path) -> None:
    warm = "body hot capacity=20 loss=0.2 ambient=25 start=75 power=10"
    fan = f"cooler hot mcu=main pin={FAN_PIN} loss=0.3 invert=1"
    with simulate(tmp_path, [warm, fan]) as simulation:
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] == pytest.approx(75.0)
        switch(simulation, FAN_PIN, 1)
        restart(simulation)
        simulation.run(10.0)
        assert temperatures(simulation)["hot"] == pytest.approx(75.0)
        switch(simulation, FAN_PIN, 0)
        simulation.run(2000.0)
        assert temperatures(simulation)["hot"] == pytest.approx(45.0, abs=0.01)


def test_coupled_bodies_share_their_heat(tmp_path: Path) -> None:
    lines = [
        "body first capacity=10 loss=0 ambient=25 start=100",
        "body second capacity=30 loss=0 ambient=25 start=20",
        "body third capacity=10 loss=0 ambient=25 start=20",
        "coupling second third conductance=0.5",
        "coupling first second conductance=0.5",
    ]
    with simulate(tmp_path, lines) as simulation:
        simulation.run(5.0)
        found_c = temperatures(simulation)
        energy_j = 10.0 * found_c["first"] + 30.0 * found_c["second"] + 10.0 * found_c["third"]
        assert energy_j == pytest.approx(1000.0 + 600.0 + 200.0)
        assert found_c["first"] > found_c["second"] > found_c["third"] > 20.0
        simulation.run(1000.0)
        assert temperatures(simulation) == pytest.approx(dict.fromkeys(found_c, 36.0), abs=1e-5)


def test_fan_takes_heat_away(tmp_path: Path) -> None:
    warm = "body hot capacity=20 loss=0.2 ambient=25 start=25 power=10"
    fan = f"cooler hot mcu=main pin={FAN_PIN} loss=0.3"
    with simulate(tmp_path, [warm, fan]) as simulation:
        simulation.run(2000.0)
        assert temperatures(simulation)["hot"] == pytest.approx(75.0, abs=0.01)
        switch(simulation, FAN_PIN, 1)
        simulation.run(2000.0)
        assert temperatures(simulation)["hot"] == pytest.approx(45.0, abs=0.01)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("body hot capacity=20 loss=0 ambient=25 start=25", "line 2: body 'hot' is there twice"),
        ("heater cold mcu=main pin=1 power=4", "line 2: unknown body 'cold'"),
        ("coupling hot hot conductance=1", "line 2: body 'hot' cannot be coupled to itself"),
        ("temperature_sensor a body=hot kind=max6675 mcu=main pin=300", "line 2: pin"),
        (SENSOR.replace("0.0,0.5,1.0", "0.5"), "line 2: ratios are less than two"),
    ],
)
def test_faulty_line_is_refused(tmp_path: Path, line: str, problem: str) -> None:
    text = f"{HOT}\n{line}\n" + wire.describe(tmp_path)
    with pytest.raises(wire.LoadError) as refused:
        wire.Simulation(text, tmp_path)
    assert str(refused.value).startswith(problem)


# Analog inputs


def query(
    host: wire.Host,
    count: int = 8,
    size: int = 2,
    low: int = 0,
    high: int = 0xFFFF,
    checks: int = 4,
) -> None:
    """Have the sensor's pin sampled every 300 ms, with so many reports out of range at most."""
    begin = host.clock() + 100 * TICKS_PER_MS
    times = (begin & 0xFFFFFFFF, TICKS_PER_MS, count, 300 * TICKS_PER_MS)
    host.send("query_analog_in", ANALOG, *times, size, low, high, checks)


def sums(host: wire.Host) -> List[int]:
    """Return all sums of samples that were reported."""
    data = [message.values["values"] for message in host.all("analog_in_state")]
    return [number for one in data for (number,) in struct.iter_unpack("<H", one)]


@pytest.fixture
def host(simulation: wire.Simulation) -> wire.Host:
    host = simulation.hosts["main"]
    host.configure([("config_analog_in", ANALOG, SENSOR_PIN)])
    return host


def test_samples_are_summed_up_and_reported_with_the_clock_of_the_next_ones(
    host: wire.Host,
) -> None:
    query(host)
    host.simulation.run(0.9)
    messages = host.all("analog_in_state")
    # 25 C of 400 C
    assert sums(host) == pytest.approx([8 * 4095 / 16] * 3, abs=8)
    clocks = [message.values["next_clock"] for message in messages]
    assert clocks[1] - clocks[0] == 300 * TICKS_PER_MS
    # The seven pauses between the samples have passed by then
    delay_ticks = clocks[0] - 300 * TICKS_PER_MS + 7 * TICKS_PER_MS
    assert messages[0].time_ns * wire.FREQUENCY_HZ // 10**9 == pytest.approx(
        delay_ticks, abs=TICKS_PER_MS
    )


def test_several_sums_go_in_one_report(host: wire.Host) -> None:
    query(host, count=2, size=8)
    host.simulation.run(2.6)
    assert [len(message.values["values"]) for message in host.all("analog_in_state")] == [8, 8]


def test_too_large_a_report_shuts_down(host: wire.Host) -> None:
    query(host, size=49)
    host.simulation.run(0.1)
    assert host.shutdown_reason() == "Invalid analog_in bytes_per_report"


def test_pin_with_nothing_on_it_floats(simulation: wire.Simulation) -> None:
    host = simulation.hosts["main"]
    host.configure([("config_analog_in", ANALOG, FREE_PIN)])
    query(host)
    simulation.run(1.0)
    assert all(0.1 < number / 8 / 4095 < 0.9 for number in sums(host))


def test_value_out_of_range_shuts_down_when_it_comes_so_often(host: wire.Host) -> None:
    query(host, low=1000, high=30000, checks=4)
    host.simulation.run(1.0)
    host.simulation.ask("temperature_sensor hot state=open")
    host.simulation.run(0.9)
    assert host.shutdown_reason() is None
    host.simulation.run(0.4)
    assert host.shutdown_reason() == "ADC out of range"


def test_value_that_comes_back_into_range_is_forgiven(host: wire.Host) -> None:
    query(host, low=1000, high=30000, checks=4)
    for state in ("open", "works", "short", "works"):
        host.simulation.ask(f"temperature_sensor hot state={state}")
        host.simulation.run(0.8)
    assert host.shutdown_reason() is None
    assert max(sums(host)) > 8 * 4094 and min(sums(host)) < 8


def test_range_is_not_checked_for_a_count_of_zero(host: wire.Host) -> None:
    query(host, low=30000, high=30001, checks=0)
    host.simulation.run(3.0)
    assert host.shutdown_reason() is None and len(sums(host)) == 10


def test_inputs_report_after_a_shutdown_until_the_configuration_goes(host: wire.Host) -> None:
    query(host)
    host.simulation.run(0.5)
    host.send("emergency_stop")
    host.simulation.run(0.1)
    before = len(sums(host))
    host.simulation.run(1.0)
    assert len(sums(host)) > before + 2
    host.send("config_reset")
    host.simulation.run(0.1)
    before = len(sums(host))
    host.simulation.run(1.0)
    assert len(sums(host)) == before


# Chips on buses


def read_chip(folder: Path, name: str, temperature_c: float, state: str = "works") -> wire.Message:
    """Return what the firmware says of a chip that it has read a few times."""
    body = f"body hot capacity=20 loss=0 ambient=25 start={temperature_c}"
    chip = f"temperature_sensor hot body=hot kind={name.lower()} mcu=main pin={SELECT_PIN}"
    if name == "MAX31865":
        chip += " nominal=100 reference=430"
    setup = {"MAX31865": b"\x80\xc2", "MAX31856": b"\x80\x90\x03\xfc"}.get(name)
    with simulate(folder, [body, chip]) as simulation:
        host = simulation.hosts["main"]
        commands = [
            ("config_spi", SPI, SELECT_PIN, 0),
            ("spi_set_bus", SPI, 0, 1, 4000000),
            ("config_thermocouple", THERMOCOUPLE, SPI, SENSOR_CHIPS[name]),
        ]
        host.configure(commands + ([("spi_send", SPI, setup)] if setup else []))
        simulation.ask(f"temperature_sensor hot state={state}")
        begin = (host.clock() + 100 * TICKS_PER_MS) & 0xFFFFFFFF
        rest = 300 * TICKS_PER_MS
        host.send("query_thermocouple", THERMOCOUPLE, begin, rest, 0, 0xFFFFFFFF, 3)
        simulation.run(2.0)
        message: wire.Message = host.all("thermocouple_result")[-1]
        assert (host.shutdown_reason() == "Thermocouple reader fault") == (
            message.values["fault"] != 0
        )
        return message


@pytest.mark.parametrize("temperature_c", [25.0, 210.25, 400.0])
def test_chips_show_the_temperature_as_their_data_sheets_say(
    tmp_path: Path, temperature_c: float
) -> None:
    def value(name: str) -> int:
        values = read_chip(tmp_path, name, temperature_c).values
        assert values["fault"] == 0
        return int(values["value"])

    assert (value("MAX6675") >> 3) * 0.25 == temperature_c
    assert (value("MAX31855") >> 18) * 0.25 == temperature_c
    assert (value("MAX31856") >> 5) / 128.0 == temperature_c
    ohm = (value("MAX31865") >> 1) * 430.0 / 32768.0
    expected_ohm = 100.0 * (1.0 + 3.9083e-3 * temperature_c - 5.775e-7 * temperature_c**2)
    assert ohm == pytest.approx(expected_ohm, abs=0.01)


def test_thermocouple_below_freezing_is_a_negative_number(tmp_path: Path) -> None:
    assert read_chip(tmp_path, "MAX31855", -10.0).values["value"] >> 18 == 0x4000 - 40
    assert read_chip(tmp_path, "MAX31856", -10.0).values["value"] >> 5 == 0x80000 - 1280


@pytest.mark.parametrize(
    ("name", "fault"), [("MAX6675", 4), ("MAX31855", 1), ("MAX31856", 1), ("MAX31865", 0x81)]
)
def test_open_input_is_a_fault_that_shuts_down(tmp_path: Path, name: str, fault: int) -> None:
    assert read_chip(tmp_path, name, 25.0, state="open").values["fault"] == fault


def test_chip_of_no_known_kind_shuts_down(tmp_path: Path) -> None:
    with simulate(tmp_path, []) as simulation:
        host = simulation.hosts["main"]
        host.send("allocate_oids", 20)
        host.send("config_spi", SPI, SELECT_PIN, 0)
        host.send("config_thermocouple", THERMOCOUPLE, SPI, 4)
        simulation.run(0.05)
        assert host.shutdown_reason() == "Invalid thermocouple chip type"


def crc8(data: bytes) -> int:
    """Return the checksum of a word of a Sensirion chip: x^8 + x^5 + x^4 + 1, from ones on."""
    value = 0xFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1) ^ (0x131 if value & 0x80 else 0)
    return value


def test_sht3x_answers_once_it_measures_all_the_time(tmp_path: Path) -> None:
    body = "body room capacity=20 loss=0 ambient=25 start=31.5"
    chip = "temperature_sensor room body=room kind=sht3x mcu=main i2c_bus=3 i2c_address=68"
    with simulate(tmp_path, [body, chip]) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_i2c", I2C), ("i2c_set_bus", I2C, 3, 100000, 68)])

        def transfer(data: bytes, size: int) -> Dict[str, Any]:
            return host.ask("i2c_response", "i2c_transfer", I2C, data, size)

        assert transfer(b"\xe0\x00", 6)["i2c_bus_status"] == 1
        assert transfer(b"\x22\x36", 0)["i2c_bus_status"] == 0
        data = transfer(b"\xe0\x00", 6)["response"]
        assert data[2] == crc8(data[:2]) and data[5] == crc8(data[3:5])
        temperature, humidity = struct.unpack(">HxHx", data)
        assert temperature * 175 / 65535 - 45 == pytest.approx(31.5, abs=0.01)
        assert humidity * 100 / 65535 == pytest.approx(45.0, abs=0.01)
        # After a reset it waits for commands again
        transfer(b"\x30\xa2", 0)
        assert transfer(b"\xe0\x00", 6)["i2c_bus_status"] == 1
        assert transfer(b"\xf3\x2d", 3)["response"][:2] == b"\x80\x10"


def test_bme680_measures_when_it_is_asked_to(tmp_path: Path) -> None:
    chip = "temperature_sensor hot body=hot kind=bme680 mcu=main i2c_bus=0 i2c_address=118"
    with simulate(tmp_path, [HOT, HEATER, chip]) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_i2c", I2C), ("i2c_set_bus", I2C, 0, 100000, 118)])

        def read(register: int, size: int) -> bytes:
            answer = host.ask("i2c_read_response", "i2c_read", I2C, bytes((register,)), size)
            return bytes(answer["response"])

        assert read(0xD0, 1) == b"\x61" and read(0x1D, 1) == b"\x00"
        host.send("i2c_write", I2C, b"\x74\x49")
        # It sleeps again once it has measured
        assert read(0x1D, 1) == b"\x80" and read(0x74, 1) == b"\x48"
        cold = read(0x1F, 8)
        switch(simulation, HEATER_PIN, 1)
        simulation.run(5.0)
        assert read(0x1F, 8) == cold
        # Gas too, for once
        host.send("i2c_write", I2C, b"\x71\x10\x74\x49")
        assert read(0x1F, 8)[3:5] > cold[3:5] and read(0x2B, 1)[0] & 0x30 == 0x30
        # What it was trimmed with cannot be written
        trimming = read(0x88, 8)
        host.send("i2c_write", I2C, b"\x8a\x00")
        assert read(0x88, 8) == trimming


def test_bmp388_measures_at_its_rate_once_it_is_switched_on(tmp_path: Path) -> None:
    chip = "temperature_sensor hot body=hot kind=bmp388 mcu=main i2c_bus=0 i2c_address=118"
    with simulate(tmp_path, [HOT, HEATER, chip]) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_i2c", I2C), ("i2c_set_bus", I2C, 0, 100000, 118)])

        def read(register: int, size: int) -> bytes:
            answer = host.ask("i2c_read_response", "i2c_read", I2C, bytes((register,)), size)
            return bytes(answer["response"])

        assert read(0x00, 1) == b"\x50" and read(0x03, 1) == b"\x10"
        assert read(0x04, 6) == bytes(6)
        switch(simulation, HEATER_PIN, 1)
        # Every 1.28 s
        host.send("i2c_write", I2C, b"\x1b\x33\x1d\x08")
        assert read(0x03, 1) == b"\x70"
        samples = []
        for _ in range(50):
            samples.append(read(0x07, 3)[::-1])
            simulation.run(0.08)
        assert samples == sorted(samples) and len(set(samples)) in (4, 5)


# Thermometers on one wire


def test_ds18b20_is_reported_one_query_after_it_was_read(tmp_path: Path) -> None:
    body = "body room capacity=20 loss=0 ambient=25 start=-3.2"
    sensor = "temperature_sensor room body=room kind=ds18b20 mcu=main serial=28-0316"
    with simulate(tmp_path, [body, sensor]) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_ds18b20", DS18B20, b"28-0316", 2)])
        begin = (host.clock() + 100 * TICKS_PER_MS) & 0xFFFFFFFF
        low_mc, high_mc = -20000, 40000
        host.send("query_ds18b20", DS18B20, begin, 1000 * TICKS_PER_MS, low_mc, high_mc)
        simulation.run(2.5)
        found = [message.values for message in host.all("ds18b20_result")]
        assert [(one["value"], one["fault"]) for one in found] == [(-3187, 0), (-3187, 0)]
        simulation.ask("temperature_sensor room state=open")
        simulation.run(3.0)
        faults = [message.values["fault"] for message in host.all("ds18b20_result")]
        assert faults == [0, 0, 0, 1, 2]
        simulation.run(1.0)
        assert host.shutdown_reason() == "Error reading DS18B20 sensor"


def test_ds18b20_that_is_not_there_shuts_down(tmp_path: Path) -> None:
    with simulate(tmp_path, []) as simulation:
        host = simulation.hosts["main"]
        host.send("allocate_oids", 20)
        host.send("config_ds18b20", DS18B20, b"28-0317", 2)
        simulation.run(0.05)
        assert host.shutdown_reason() == "Invalid DS18B20 serial id, could not open for reading"


# Words of the chip's memory


def test_memory_is_read_in_the_size_that_is_asked_for(tmp_path: Path) -> None:
    word = "memory_word main address=536836652 value=305419896"
    with simulate(tmp_path, [word]) as simulation:
        host = simulation.hosts["main"]
        for order, value in ((0, 0x78), (1, 0x5678), (2, 0x12345678)):
            assert host.ask("debug_result", "debug_read", order, 0x1FFF7A2C) == {"val": value}
        assert host.ask("debug_result", "debug_read", 2, 0x1FFF7A30) == {"val": 0}
