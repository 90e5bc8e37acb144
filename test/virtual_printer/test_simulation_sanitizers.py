# The simulation under address and undefined behaviour sanitizers
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from helpers import can_wire, wire
from helpers.shared import made_once
from virtual_printer import build
from virtual_printer.firmware import cartographer, chips, dictionary

# Runs lines "NOW_NS write LINK HEX", "NOW_NS can ID HEX", "NOW_NS ask REQUEST..." and "NOW_NS run"
# and prints what reaches the host
DRIVER = r"""
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "simulation.h"

static int can_socket;

static void
print_hex(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", data[i]);
    printf("\n");
}

static void
run_until(struct simulation *sim, int64_t until_ns, int link_count)
{
    struct can_message message;
    int64_t now_ns;
    do {
        now_ns = simulation_advance(sim, until_ns);
        for (int link = 0; link < link_count; link++) {
            uint8_t data[4096];
            size_t size = link_read(sim, link, data, sizeof(data));
            if (!size)
                continue;
            printf("%" PRId64 " %d ", now_ns, link);
            print_hex(data, size);
        }
        while (can_socket_read(sim, can_socket, &message)) {
            printf("%" PRId64 " can %08x", now_ns, (unsigned int)message.id);
            print_hex(message.data, message.size);
        }
    } while (now_ns < until_ns);
}

static size_t
read_hex(const char *hex, uint8_t *data)
{
    size_t size = 0;
    unsigned int byte;
    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
        data[size++] = (uint8_t)byte;
    return size;
}

static void
write_hex(struct simulation *sim, int64_t now_ns, const char *text)
{
    char *hex;
    int link = (int)strtol(text, &hex, 10);
    uint8_t data[256];
    size_t size = read_hex(hex + 1, data);
    link_write(sim, link, data, size, now_ns);
}

static void
write_can(struct simulation *sim, int64_t now_ns, const char *text)
{
    char *hex;
    struct can_message message = { .id = (uint32_t)strtoul(text, &hex, 10) };
    message.size = (uint8_t)read_hex(hex + 1, message.data);
    message.is_fd = message.size > CAN_CLASSIC_DATA_MAX;
    if (can_socket_write(sim, can_socket, &message, now_ns))
        exit(1);
}

int
main(int count, char **arguments)
{
    char error[300], line[1000], reply[8192];
    struct simulation *sim = simulation_load(arguments[1], error, sizeof(error));
    if (count < 3 || !sim) {
        printf("%s\n", error);
        return 1;
    }
    int link_count = atoi(arguments[2]);
    for (int link = 0; link < link_count; link++)
        link_open(sim, link, 0);
    can_socket = can_socket_open(sim);
    can_socket_bind(sim, can_socket, simulation_find_can_bus(sim, "can0"));
    can_socket_set(sim, can_socket, CAN_SOCKET_FD, 1);
    while (fgets(line, sizeof(line), stdin)) {
        char *rest;
        int64_t now_ns = strtoll(line, &rest, 10);
        run_until(sim, now_ns, link_count);
        if (!strncmp(rest, " write ", 7)) {
            write_hex(sim, now_ns, rest + 7);
        } else if (!strncmp(rest, " can ", 5)) {
            write_can(sim, now_ns, rest + 5);
        } else if (!strncmp(rest, " ask ", 5)) {
            simulation_control(sim, now_ns, rest + 5, reply, sizeof(reply));
            printf("%s\n", reply);
        }
    }
    simulation_free(sim);
    return 0;
}
"""
SECOND_NS = wire.SECOND_NS
NAMES = ("main", "other")
BOSCH_CHIPS = {"bme280": 118, "bmp280": 119, "bmp180": 120, "bmp388": 121, "bme680": 122}
OUTPUT_CHIPS = {
    kind: address
    for address, kind in enumerate(
        ("dac084s085", "mcp4018", "mcp4451", "mcp4728", "pca9533", "pca9632", "pca9685", "sx1509")
    )
}
CHIP_OIDS = range(24, 24 + len(BOSCH_CHIPS) + len(OUTPUT_CHIPS) + 4)
UUIDS = (0x112233445566, 0x0A0B0C0D0E0F)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a program which runs a script on a sanitized simulation."""
    return made_once(tmp_path_factory, "sanitized", compile_driver) / "driver"


def compile_driver(folder: Path) -> None:
    (folder / "driver.c").write_text(DRIVER)
    sources = [folder / "driver.c", *sorted(wire.SIMULATION_SOURCES.rglob("*.c"))]
    program = folder / "driver"
    flags = "-O1 -g -std=gnu11 -Wall -Wextra -Werror -fno-sanitize-recover=all"
    command = [*build._compiler(), *flags.split(), *build.SANITIZE_FLAGS]
    command += ["-I", str(wire.SIMULATION_SOURCES), *map(str, sources)]
    command += ["-o", str(program), *build.LIBRARIES]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode and "cannot find" in done.stderr:
        pytest.skip("the compiler has no sanitizers")
    assert done.returncode == 0, done.stderr


def describe(folder: Path) -> str:
    lines = [
        *[f"carriage {axis} axis={axis} start=100" for axis in "xy"],
        "carriage u axis=x start=7 toolhead=0",
        "stepper a mcu=main step_pin=1 dir_pin=2 step_dist=0.0125 moves=x:1,y:1",
        "stepper b mcu=main step_pin=3 dir_pin=4 step_dist=0.0125 moves=x:1,y:-1",
        *[
            f"carriage z{i} axis=z start=2 x={x} y={y}\n"
            f"stepper z{i} mcu=other step_pin={2 * i + 3} dir_pin={2 * i + 4} step_dist=0.0025"
            f" moves=z{i}:1"
            for i, (x, y) in enumerate([(0, 0), (0, 300), (200, 300), (200, 0)])
        ],
        "endstop mcu=main pin=7 kind=bltouch offset_x=3 offset_y=4 trigger_height=1 noise_um=5"
        " control_mcu=main control_pin=9",
        "bed tilt_x=0.001 bow_mm=0.2 radius=150",
        "body hot capacity=20 loss=0.1 ambient=25 start=25",
        "body cold capacity=5 loss=0 ambient=25 start=25",
        "body apart capacity=5 loss=0 ambient=25 start=25",
        "coupling cold hot conductance=2",
        "heater hot mcu=main pin=9 power=40",
        "cooler cold mcu=main pin=9 loss=1 invert=1",
        "temperature_sensor hot body=cold kind=analog mcu=main pin=11 lowest=0 step=300 ratios=0,1",
        "temperature_sensor chip body=apart kind=max31865 mcu=main pin=12 nominal=99 reference=430",
        *[
            f"temperature_sensor {kind} body=apart kind={kind} mcu=main i2c_bus=0 i2c_address={at}"
            for kind, at in BOSCH_CHIPS.items()
        ],
        *[
            f"output_chip {kind} kind={kind} mcu=main i2c_bus=1 i2c_address={at}"
            f" clock_pin={36 + at} data_pin=60 enable_mcu=other enable_pin={at} enable_invert=1"
            for kind, at in OUTPUT_CHIPS.items()
        ],
        "output_chip select kind=ad5206 mcu=main select_pin=61",
        "led_chain mcu=main spi_bus=9 data_pin=62 leds=3",
        "heater apart mcu=pca9685 pin=15 power=4 invert=1",
        "angle_sensor kind=tle5012b mcu=main select_pin=63 offset=0.5 stepper=a turn_mm=40",
        "temperature_sensor wire body=apart kind=ds18b20 mcu=other serial=28-1",
        "memory_word main address=5 value=6",
        "stop carriage=x at=98 side=min",
        "driver a model=tmc2209 mcu=main uart_pin=20 select=9:0 diag0_mcu=main diag0_pin=21",
        "driver b model=tmc5160 mcu=main cs_pin=22 chain_length=2 chain_position=2",
        "driver c model=tmc2660 mcu=main cs_pin=23",
        "switch mcu=main pin=30 level=0",
        "fan mcu=main pin=31 invert=0 tachometer_mcu=main tachometer_pin=32 edges_per_s=333"
        " spin_up_s=0.5",
        "display text kind=hd44780 mcu=main pin=33",
        "display picture kind=st7920 mcu=main pin=34",
    ]
    mcus = {"main": "drift_ppm=5", "other": "clock_offset_s=2"}
    links = {"main": "to_mcu_us=90 to_host_us=80 jitter_us=70", "other": "to_mcu_us=1 to_host_us=1"}
    rates = "bit_rate=500000 data_rate=2000000 error_rate=0.1 load=0.2 load_id=5"
    on_bus = can_wire.describe(folder, UUIDS, bus=rates).splitlines()
    lines += [line for line in on_bus if not line.startswith(("seed", "message"))]
    built = can_wire.dictionary_of(is_on_can=True)
    lines += [f"message n{i} {text}" for i in (0, 1) for text in built.messages()]
    return wire.describe(folder, lines, mcus=mcus, links=links)


class Script:
    """Lines for the driver, sent in order with some time between them."""

    def __init__(self, commands: Callable[..., bytes]) -> None:
        self.encode = commands
        self.lines: List[str] = []
        self.now_ns = 0
        self.sequences: Dict[int, int] = {0: 0, 1: 0}

    def write(self, link: int, data: bytes) -> None:
        self.now_ns += 300_000
        self.lines.append(f"{self.now_ns} write {link} {data.hex()}")

    def send(self, link: int, name: str, *values: wire.Value) -> None:
        self.write(link, wire.frame(self.encode(name, *values), self.sequences[link]))
        self.sequences[link] += 1

    def can(self, identifier: int, data: bytes) -> None:
        self.now_ns += 300_000
        self.lines.append(f"{self.now_ns} can {identifier} {data.hex()}")

    def ask(self, request: str) -> None:
        self.lines.append(f"{self.now_ns} ask {request}")

    def run(self, duration_s: float) -> None:
        self.now_ns += round(duration_s * SECOND_NS)
        self.lines.append(f"{self.now_ns} run")


def add_can(script: Script) -> None:
    """Add what happens on the bus: queries, commands, all kinds of frames, a node going off."""
    script.can(can_wire.ADMIN, bytes([can_wire.QUERY_UNASSIGNED]))
    script.run(0.01)
    for node, uuid in enumerate(UUIDS, 4):
        command = bytes([can_wire.SET_NODE]) + uuid.to_bytes(6, "big") + bytes([node])
        script.can(can_wire.ADMIN, command)
        block = wire.frame(script.encode("identify", 0, 40), 0)
        for start in range(0, len(block), 8):
            script.can(0x100 + 2 * node, block[start : start + 8])
    script.can(0x7FF, bytes(range(13)))
    script.can(can_wire.EXTENDED | 0x1FFFFFFF, b"")
    script.can(can_wire.ADMIN, b"")
    script.ask("mcu n1 bus_off")
    script.ask("can_bus can0 load=0 error_rate=0")
    script.ask("mcu n0 disconnect")
    script.ask("mcu n0 reconnect")
    script.run(0.2)


def add_drivers(script: Script) -> None:
    """Add what is asked of stepper drivers, and what is no question at all."""
    read = bytes.fromhex("ea03b8810900")  # IOIN of address 0, with start and stop bits
    for data in (read, b"", bytes(10), b"\xff" * 10, b"\x55" * 7):
        script.send(0, "tmcuart_send", 13, data, 10)
        script.run(0.01)
    for oid in (14, 15):
        for data in (b"", b"\x6f", b"\xec" * 5, b"\x01" * 10, bytes(range(33))):
            script.send(0, "spi_transfer", oid, data)
    script.ask("driver a power=0")
    script.ask("driver b power=0")
    script.send(0, "spi_transfer", 14, b"\x01" * 10)
    script.ask("driver b power=1")
    script.ask("driver c")


def configure_devices(script: Script) -> None:
    script.send(0, "config_buttons", 18, 2)
    for place in (0, 1, 0):
        script.send(0, "buttons_add", 18, place, 30, 1)
    script.send(0, "config_counter", 19, 32, 0)
    script.send(0, "config_pwm_out", 20, 31, 1000, 0, 0, 0)
    script.send(0, "config_neopixel", 21, 35, 3, 100, 100)
    script.send(0, "config_hd44780", 22, 1, 33, 2, 3, 4, 5, 100)
    script.send(0, "config_st7920", 23, 34, 1, 2, 100, 100)


def configure_chips(script: Script) -> None:
    places = [(0, address) for address in BOSCH_CHIPS.values()]
    places += [(1, address) for address in OUTPUT_CHIPS.values()]
    for oid, (bus, address) in zip(CHIP_OIDS, places):
        script.send(0, "config_i2c", oid)
        script.send(0, "i2c_set_bus", oid, bus, 100000, address)
    for oid, pin in zip(CHIP_OIDS[-4:], (61, 63)):
        script.send(0, "config_spi", oid, pin, 0)
    script.send(0, "config_spi_without_cs", CHIP_OIDS[-2])
    script.send(0, "spi_set_bus", CHIP_OIDS[-2], 9, 0, 1000000)
    script.send(0, "config_spi_angle", CHIP_OIDS[-1], CHIP_OIDS[-3], 2)


def use_chips(script: Script, clock: int) -> None:
    """Write to chips and read them, in a sensible way and in others."""
    for oid in CHIP_OIDS[:-4]:
        for data in (b"", b"\x00", b"\x74\x49", b"\x1b\x33\x1d\x1f", bytes(range(255, 215, -1))):
            script.send(0, "i2c_write", oid, data)
        for register in (0x00, 0xF7, 0xFF):
            script.send(0, "i2c_read", oid, bytes((register,)), 40)
        script.send(0, "i2c_read", oid, b"", 4)
    for oid in CHIP_OIDS[-4:-1]:
        for data in (b"", b"\x84", b"\x84\x23", bytes((0x84, 0x2F)) + bytes(32), bytes(range(40))):
            script.send(0, "spi_transfer", oid, data)
    script.send(0, "query_spi_angle", CHIP_OIDS[-1], clock, 50_000, 0)
    for kind in OUTPUT_CHIPS:
        script.ask(f"outputs {kind}")
    script.ask("leds main 62")
    script.ask("duty pca9685 15")


def use_devices(script: Script, clock: int) -> None:
    script.send(0, "buttons_query", 18, clock, 100_000, 3, 0)
    script.send(0, "query_counter", 19, clock, 50_000, 20_000_000)
    script.send(0, "queue_pwm_out", 20, clock, 200)
    script.send(0, "neopixel_update", 21, 1, b"\x01\x02")
    script.send(0, "neopixel_send", 21)
    script.send(0, "hd44780_send_cmds", 22, bytes([0x33, 0x32, 0x28, 0x06, 0x0C, 0xA7]))
    script.send(0, "hd44780_send_data", 22, bytes(range(45)))
    script.send(0, "st7920_send_cmds", 23, bytes([0x0C, 0x26, 0xBF, 0x8F]))
    script.send(0, "st7920_send_data", 23, bytes(range(45)))
    script.ask("switch main 30 level=1")
    for request in ("display_text text", "display_text picture", "display_picture picture"):
        script.ask(request)
    script.ask("leds main 35")


def write_script(encode: Callable[..., bytes]) -> Script:
    """Return a script which touches everything: homing, faults, shutdown, restart, nonsense."""
    script = Script(encode)
    for link in (0, 1):
        script.send(link, "allocate_oids", CHIP_OIDS[-1] + 1)
        for oid in range(4):
            pin = 2 * (oid + link) + 1
            script.send(link, "config_stepper", oid, pin, pin + 1, 0, 99)
        script.send(link, "config_endstop", 4, 7, 1)
        script.send(link, "config_trsync", 5)
        script.send(link, "config_digital_out", 6, 9, 0, 0, 0)
        if link == 0:
            script.send(link, "config_distance", 7, 7)
            script.send(link, "config_analog_in", 8, 11)
            script.send(link, "config_spi", 9, 12, 0)
            script.send(link, "config_thermocouple", 10, 9, 2)
            script.send(link, "config_i2c", 11)
            script.send(link, "i2c_set_bus", 11, 0, 100000, 118)
            script.send(link, "config_tmcuart", 13, 20, 0, 20, 2500)
            script.send(link, "config_spi", 14, 22, 0)
            script.send(link, "config_spi", 15, 23, 0)
            configure_devices(script)
            configure_chips(script)
        else:
            script.send(link, "config_ds18b20", 12, b"28-1", 1)
        script.send(link, "finalize_config", 1)
    for link, uptime_s in ((0, 0), (1, 2)):
        clock = (script.now_ns // 10 + uptime_s * wire.FREQUENCY_HZ) + 3_000_000
        script.send(link, "trsync_start", 5, clock, 700_000, 4)
        script.send(link, "trsync_set_timeout", 5, clock + 60_000_000)
        for oid in range(4 if link else 1):
            script.send(link, "stepper_stop_on_trigger", oid, 5)
            script.send(link, "reset_step_clock", oid, clock)
            script.send(link, "queue_step", oid, 100_000, 500, -10)
            script.send(link, "queue_step", oid, 90_000, 60_000, 0)
        script.send(link, "endstop_home", 4, clock, 1500, 4, 20_000, 1, 5, 1)
        script.send(link, "queue_digital_out", 6, clock, 5)
        if link == 0:
            sampling = (clock, 9_000, 4, 5_000_000)
            script.send(link, "query_analog_in", 8, *sampling, 4, 0, 0xFFFF, 4)
            script.send(link, "query_thermocouple", 10, clock, 7_000_000, 0, 0xFFFF, 3)
            script.send(link, "i2c_read", 11, b"\xf7", 8)
            script.send(link, "debug_read", 2, 5)
            use_devices(script, clock)
            use_chips(script, clock + 20_000_000)
        else:
            script.send(link, "query_ds18b20", 12, clock, 9_000_000, -5, 90_000)
    script.ask("link main delay_us=500 from_s=0.3 for_s=0.1")
    script.ask("link other drop=2")
    script.ask("link main corrupt=3 direction=to_mcu")
    script.ask("link main repeat=2 late_us=900")
    script.send(0, "query_distance", 7)
    add_drivers(script)
    script.run(0.8)
    requests = (
        "temperatures",
        "steppers",
        "carriage",
        "carriages",
        "endstops",
        "counters",
        "pulses z1",
    )
    add_can(script)
    for request in (*requests, "level main 9", "can_counters"):
        script.ask(request)
    script.ask("nonsense x=1")
    for noise in (b"\x7e\x7e", bytes(range(256))[::-1][:120], b"\x05\x10\x00", b"\x40" * 70):
        script.write(0, noise)
    for sequence in range(16):
        script.write(1, wire.frame(encode("emergency_stop"), sequence))
        script.write(0, wire.frame(bytes([sequence * 7 % 128, 255, 255]), sequence))
    script.run(0.1)
    for sequence in range(16):
        script.write(0, wire.frame(encode("config_reset"), sequence))
        script.write(1, wire.frame(encode("reset"), sequence))
    script.ask("mcu main disconnect at_s=1.5")
    script.ask("mcu main reconnect at_s=1.6")
    script.ask("mcu other reboot at_s=1000")
    script.run(4.0)
    return script


def test_simulation_is_clean_under_sanitizers_and_gives_the_same_bytes(
    driver: Path, tmp_path: Path
) -> None:
    with wire.Simulation(describe(tmp_path), tmp_path) as simulation:
        script = write_script(simulation.hosts["main"].encode)
        bus = can_wire.Bus(simulation)
        bus.set(can_wire.FD, 1)
        simulation.hosts["can"] = bus
        for line in script.lines:
            now, kind, *rest = shlex.split(line, posix=False)
            simulation.run_until(int(now))
            if kind == "write":
                simulation.library.link_write(
                    simulation.pointer,
                    int(rest[0]),
                    bytes.fromhex(rest[1]),
                    len(rest[1]) // 2,
                    simulation.now_ns,
                )
            elif kind == "can":
                data = bytes.fromhex("".join(rest[1:]))
                assert bus.write(int(rest[0]), data, is_fd=len(data) > 8) == 0
            elif kind == "ask":
                simulation.control(" ".join(rest))
        expected = {str(i): bytes(simulation.hosts[name].raw) for i, name in enumerate(NAMES)}
        expected["can"] = b"".join(frame.id.to_bytes(4, "big") + frame.data for frame in bus.taken)
    done = subprocess.run(
        [str(driver), str(tmp_path / "description.txt"), str(len(NAMES))],
        input="\n".join(script.lines) + "\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    received = dict.fromkeys(expected, b"")
    for line in done.stdout.splitlines():
        if line[0].isdigit():
            _, link, data = line.split()
            received[link] += bytes.fromhex(data)
    assert received == expected
    assert all(len(data) > 400 for data in expected.values())


def test_cartographer_is_clean_under_sanitizers(driver: Path, tmp_path: Path) -> None:
    firmware = dictionary.build(wire.CHIP, own=[cartographer.PERIPHERAL])
    lines = (
        "carriage x axis=x start=100",
        "carriage y axis=y start=100",
        "carriage z axis=z start=1 x=0 y=0",
        "stepper z mcu=main step_pin=5 dir_pin=6 step_dist=0.0025 moves=z:1",
        "body coil capacity=5 loss=0.1 ambient=25 start=30",
        # Which the driver wants
        "can_bus can0 bit_rate=500000 to_bus_us=1 to_host_us=1",
        "cartographer mcu=main thermistor_pin=20 body=coil offset_x=0 offset_y=20 height=2.5"
        " coil_hz=2.95e6 noise_hz=20 drift_per_k=-5e-5 gain=0.12 range_mm=4 clock_hz=24e6"
        " clock_factor=1 base_count=4294967295 base_adc=65535",
    )
    text = wire.describe(tmp_path, lines, firmware=firmware)
    with wire.Simulation(text, tmp_path, firmware) as simulation:
        script = Script(simulation.hosts["main"].encode)
    for size, offset in ((6, 0), (255, 7), (8, 65535), (0, 0)):
        script.send(0, "cartographer_base_read", size, offset)
    script.send(0, "cartographer_home", 0, 1, 0, 500, 1)
    for _ in range(2):
        script.send(0, "config_reset")
        script.send(0, "allocate_oids", 4)
        script.send(0, "config_trsync", 0)
        script.send(0, "config_stepper", 1, 5, 6, 0, 0)
        script.send(0, "finalize_config", 1)
        script.send(0, "cartographer_stream", 1)
        script.send(0, "cartographer_set_threshold", 2**32 - 1, 0)
        for method in (0, 1, 7):
            script.send(0, "cartographer_home", 0, 1, 1, 2**32 - 1, method)
            script.send(0, "queue_step", 1, 100_000, 600, 0)
            script.run(0.3)
            script.send(0, "cartographer_stop_home")
        script.send(0, "emergency_stop")
    script.ask("mcu main disconnect at_s=5")
    script.ask("mcu main reboot at_s=6")
    script.run(8.0)
    done = subprocess.run(
        [str(driver), str(tmp_path / "description.txt"), "1"],
        input="\n".join(script.lines) + "\n",
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) > 400


def test_bad_description_is_clean_under_sanitizers(driver: Path, tmp_path: Path) -> None:
    path = tmp_path / "description.txt"
    path.write_text(describe(tmp_path) + "stepper z9 mcu=nowhere\n")
    done = subprocess.run([str(driver), str(path), "2"], capture_output=True, text=True)
    assert done.returncode == 1 and not done.stderr
    assert "unknown mcu 'nowhere'" in done.stdout


def describe_beacon(folder: Path, firmware: dictionary.Dictionary) -> str:
    lines = [
        *[f"carriage {axis} axis={axis} start=100" for axis in "xy"],
        *[
            f"stepper {axis} mcu=main step_pin={pin} dir_pin=9 step_dist=0.0125 moves={axis}:1"
            for axis, pin in (("x", 1), ("y", 3))
        ],
        "carriage z axis=z start=1 x=0 y=0",
        "stepper z mcu=main step_pin=5 dir_pin=6 step_dist=0.0025 moves=z:1",
        "body coil capacity=1 loss=0.1 ambient=25 start=60",
        f"beacon main body=coil offset_x=1 offset_y=2 height=2 coil_hz=5e6 noise_hz=30"
        f" nvm={'0f' * 20} chip_data={'1e' * 8}",
        "can_bus can0 bit_rate=500000 data_rate=0 error_rate=0 load=0 load_id=0"
        " to_bus_us=1 to_host_us=1 jitter_us=0",
    ]
    return wire.describe(folder, lines, firmware=firmware)


def write_beacon_script(encode: Callable[..., bytes]) -> Script:
    """Return a script which has a Beacon do all that it can, find the bed, and shut down."""
    script = Script(encode)
    for size, offset in ((20, 0), (8, 65534), (255, 0), (21, 0), (9, 65534), (1, 1)):
        script.send(0, "beacon_nvm_read", size, offset)
    script.send(0, "allocate_oids", 2)
    script.send(0, "config_trsync", 0)
    script.send(0, "config_stepper", 1, 5, 6, 0, 99)
    script.send(0, "finalize_config", 1)
    script.send(0, "beacon_set_threshold", 1, 0)
    script.send(0, "beacon_stream", 1)
    script.send(0, "beacon_accel_stream", 1, 3)
    for home in ("beacon_home", "beacon_contact_home"):
        clock = script.now_ns // 10 + 3_000_000
        script.send(0, "trsync_start", 0, clock, 0, 4)
        script.send(0, "stepper_stop_on_trigger", 1, 0)
        script.send(0, home, 0, 1, 0)
        script.send(0, "reset_step_clock", 1, clock)
        script.send(0, "set_next_step_dir", 1, 0)
        script.send(0, "queue_step", 1, 83_000, 800, 0)
        script.run(0.9)
    script.send(0, "beacon_contact_query")
    for state in ("broken", "works"):
        script.ask(f"beacon main state={state}")
        script.run(0.05)
    for state in ("silent", "stuck", "near", "works"):
        script.ask(f"sensor main state={state}")
        script.run(0.05)
    for malformed in ("missing", "doubled", "late late_us=20000"):
        script.ask(f"reply main beacon_data malformed={malformed} times=3")
        script.run(0.1)
    # One that is never sent
    script.ask("reply main beacon_status malformed=late late_us=1000000000")
    script.run(0.3)
    script.send(0, "emergency_stop")
    script.run(0.1)
    script.send(0, "config_reset")
    script.send(0, "beacon_stream", 1)
    script.run(0.1)
    script.send(0, "beacon_home", 7, 1, 0)
    script.run(0.1)
    return script


def test_beacon_is_clean_under_sanitizers_and_gives_the_same_bytes(
    driver: Path, tmp_path: Path
) -> None:
    firmware = dictionary.build(replace(chips.BEACON, frequency_hz=wire.FREQUENCY_HZ))
    described = describe_beacon(tmp_path, firmware)
    with wire.Simulation(described, tmp_path, firmware) as simulation:
        host = simulation.hosts["main"]
        script = write_beacon_script(host.encode)
        for line in script.lines:
            now, kind, *rest = line.split(" ", 3)
            simulation.run_until(int(now))
            if kind == "write":
                host.write(bytes.fromhex(rest[1]))
            elif kind == "ask":
                simulation.control(" ".join(rest))
        simulation.run_until(script.now_ns)
    assert len(host.all("beacon_contact")) == 1
    assert host.shutdown_reason() == "Command request"
    done = subprocess.run(
        [str(driver), str(tmp_path / "description.txt"), "1"],
        input="\n".join(script.lines) + "\n",
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = [line.split() for line in done.stdout.splitlines() if line[0].isdigit()]
    assert b"".join(bytes.fromhex(data) for _, _, data in found) == bytes(host.raw)
