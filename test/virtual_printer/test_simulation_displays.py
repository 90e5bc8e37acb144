# Displays and chains of LEDs: what they show of what firmware sends them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Iterator, List, Tuple

import pytest

from helpers import wire
from virtual_printer import screens

OID, DATA_OID, PIN, DATA_PIN = 0, 1, 20, 21
HD44780 = ("config_hd44780", OID, 1, PIN, 2, 3, 4, 5, 100)
ST7920 = ("config_st7920", OID, PIN, 1, 2, 100, 100)
SPI = ("config_spi", OID, PIN, 0)
DATA = ("config_digital_out", DATA_OID, DATA_PIN, 0, 0, 0)
INITIALISE = (b"\x33", b"\x33", b"\x32", b"\x28\x28\x02", b"\x06\x0c")
Start = Callable[..., wire.Host]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def start_host(kind: str, *config: Tuple[object, ...], keys: str = "") -> wire.Host:
            line = f"display screen kind={kind} mcu=main pin={PIN} {keys}"
            simulation = stack.enter_context(
                wire.Simulation(wire.describe(tmp_path, [line]), tmp_path)
            )
            host = simulation.hosts["main"]
            host.configure(config)  # type: ignore[arg-type]
            return host

        yield start_host


def text(host: wire.Host) -> List[str]:
    host.simulation.run(0.02)
    return screens.text(host.simulation.ask("display_text screen"))


def dots(host: wire.Host) -> List[Tuple[int, int]]:
    """The places (x, y) of all dots."""
    host.simulation.run(0.02)
    rows = host.simulation.ask("display_picture screen")
    return [
        (x, y) for y, row in enumerate(rows) for x in range(128) if int(row, 16) >> (127 - x) & 1
    ]


def initialise(host: wire.Host) -> None:
    for commands in INITIALISE:
        host.send("hd44780_send_cmds", OID, commands)


# HD44780


def test_hd44780_shows_its_four_rows(start: Start) -> None:
    host = start("hd44780", HD44780)
    assert text(host) == [" " * 20] * 4
    initialise(host)
    for address, row in ((0x80, b"first"), (0xC0, b"second"), (0x94, b"third"), (0xD4, b"last")):
        host.send("hd44780_send_cmds", OID, bytes([address]))
        host.send("hd44780_send_data", OID, row)
    assert [row.strip() for row in text(host)] == ["first", "second", "third", "last"]


def test_rows_of_16_characters_go_on_where_the_upper_ones_end(start: Start) -> None:
    host = start("hd44780", HD44780, keys="columns=16")
    initialise(host)
    host.send("hd44780_send_data", OID, b"upper row of it lower")
    assert text(host) == ["upper row of it ", " " * 16, "lower" + " " * 11, " " * 16]


def test_hd44780_understands_all_its_commands(start: Start) -> None:
    host = start("hd44780", HD44780)
    initialise(host)
    host.send("hd44780_send_data", OID, b"abc")
    # Cursor back, then write towards the left
    host.send("hd44780_send_cmds", OID, b"\x10\x04")
    host.send("hd44780_send_data", OID, b"321")
    assert text(host)[0].startswith("123")
    # The whole display to the left, to the right twice, and home
    for command, start_of_row in ((b"\x18", "23 "), (b"\x1c\x1c", " 12"), (b"\x02", "123")):
        host.send("hd44780_send_cmds", OID, command)
        assert text(host)[0].startswith(start_of_row)
    host.send("hd44780_send_cmds", OID, b"\x08")
    assert text(host)[0].strip() == ""
    host.send("hd44780_send_cmds", OID, b"\x0c")
    assert text(host)[0].startswith("123")
    host.send("hd44780_send_cmds", OID, b"\x01")
    assert text(host)[0].strip() == ""


def test_drawn_character_is_not_written_into_the_text(start: Start) -> None:
    host = start("hd44780", HD44780)
    initialise(host)
    host.send("hd44780_send_cmds", OID, b"\x40")
    host.send("hd44780_send_data", OID, bytes(range(0x41, 0x49)))
    host.send("hd44780_send_cmds", OID, b"\x80")
    host.send("hd44780_send_data", OID, b"\x00\xdfC")
    assert text(host)[0].strip() == "\u25aa\u00b0C"


def test_line_ends_in_the_other_line(start: Start) -> None:
    host = start("hd44780", HD44780)
    initialise(host)
    host.send("hd44780_send_cmds", OID, b"\xa7")
    host.send("hd44780_send_data", OID, b"ab")
    assert text(host)[2].endswith("a") and text(host)[1].startswith("b")


def test_shift_register_takes_four_bits_when_its_enable_bit_falls(start: Start) -> None:
    host = start("hd44780_spi", SPI)

    def send(data: bytes, mask: int) -> None:
        for byte in data:
            for bits in (byte & 0xF0, byte << 4 & 0xF0):
                for enable in (0, 8, 0):
                    host.send("spi_send", OID, bytes([bits | mask | enable]))

    for commands in INITIALISE:
        send(commands, 0)
    send(b"Hi", 2)
    assert text(host)[0].strip() == "Hi"


def test_aip31068_takes_groups_of_nine_bits(start: Start) -> None:
    host = start("aip31068_spi", SPI)

    def send(*values: int) -> None:
        bits = "".join(f"{value:09b}" for value in [*values, *[0x06] * (8 - len(values))])
        host.send("spi_send", OID, int(bits, 2).to_bytes(9, "big"))

    send(0x02, 0x06, 0x0C, 0x28)
    send(0xC0, 0x100 + ord("O"), 0x100 + ord("K"))
    assert text(host)[1].strip() == "OK"


# ST7920


def test_st7920_shows_text_in_its_own_order_of_rows(start: Start) -> None:
    host = start("st7920", ST7920)
    host.send("st7920_send_cmds", OID, b"\x24\x26\x22\x02\x06\x0c")
    host.send("st7920_send_data", OID, b"first row of allthe third row")
    host.send("st7920_send_cmds", OID, b"\x90")
    host.send("st7920_send_data", OID, b"second")
    rows = [row.strip() for row in text(host)]
    assert rows == ["first row of all", "second", "the third row", ""]


def test_st7920_has_the_lower_half_of_the_picture_on_the_right(start: Start) -> None:
    host = start("st7920", ST7920)
    host.send("st7920_send_cmds", OID, b"\x24\x26\x22\x0c\x26")
    host.send("st7920_send_cmds", OID, b"\x81\x80")
    host.send("st7920_send_data", OID, b"\x80\x01")
    host.send("st7920_send_cmds", OID, b"\x9f\x8f")
    host.send("st7920_send_data", OID, b"\x00\x01")
    assert dots(host) == [(0, 1), (15, 1), (127, 63)]
    # Graphics off
    host.send("st7920_send_cmds", OID, b"\x24")
    assert dots(host) == []


def test_drawn_character_of_the_st7920_turns_the_picture_round(start: Start) -> None:
    host = start("st7920", ST7920)
    host.send("st7920_send_cmds", OID, b"\x24\x26\x22\x0c\x50")
    host.send("st7920_send_data", OID, b"\xc0\x00" + bytes(30))
    host.send("st7920_send_cmds", OID, b"\x99")
    host.send("st7920_send_data", OID, b"\x00\x02")
    assert dots(host) == [(16, 48), (17, 48)]
    host.send("st7920_send_cmds", OID, b"\x26\x90\x89")
    host.send("st7920_send_data", OID, b"\x80\x00")
    assert dots(host) == [(17, 48)]


# Pages


def send_paged(host: wire.Host, data: bytes, is_data: bool = False) -> None:
    host.send("update_digital_out", DATA_OID, is_data)
    host.send("spi_send", OID, data)


@pytest.mark.parametrize(
    ("kind", "keys", "commands", "column"),
    [
        ("uc1701", "", b"\xe2\x40\xa0\xc8\xa2\x2f\xf8\x00\x81\xa1\xa6\xaf", 5),
        ("ssd1306", "", b"\xae\xd5\x80\xa8\x3f\x40\x20\x02\xa1\xc8\x81\xa5\xa4\xa6\xaf", 5),
        ("sh1106", "first_column=2", b"\xae\x40\x20\x02\xa1\xc8\x81\xc0\xa4\xa6\xaf", 3),
    ],
)
def test_paged_display_shows_its_memory(
    start: Start, kind: str, keys: str, commands: bytes, column: int
) -> None:
    host = start(kind, SPI, DATA, keys=f"data_pin={DATA_PIN} {keys}")
    send_paged(host, commands)
    send_paged(host, b"\xb2\x10\x05")
    send_paged(host, b"\x01\x80", is_data=True)
    assert dots(host) == [(column, 16), (column + 1, 23)]
    # Inverse, all on, off
    send_paged(host, b"\xa7")
    assert len(dots(host)) == 128 * 64 - 2
    send_paged(host, b"\xa6\xa5")
    assert len(dots(host)) == 128 * 64
    send_paged(host, b"\xa4\xae")
    assert dots(host) == []


def test_paged_display_can_be_turned_and_scrolled(start: Start) -> None:
    host = start("ssd1306", SPI, DATA, keys=f"data_pin={DATA_PIN}")
    send_paged(host, b"\xaf\xa1\xc8\xb0\x00\x10")
    send_paged(host, b"\x01", is_data=True)
    for command, place in ((b"\xa0", (127, 0)), (b"\xc0", (127, 63)), (b"\xa1\xc8\x41", (0, 63))):
        send_paged(host, command)
        assert dots(host) == [place]


def test_oled_on_i2c_tells_data_from_commands_by_the_first_byte(tmp_path: Path) -> None:
    line = "display screen kind=ssd1306 mcu=main i2c_bus=0 i2c_address=60"
    with wire.Simulation(wire.describe(tmp_path, [line]), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_i2c", OID), ("i2c_set_bus", OID, 0, 400000, 60)])
        host.send("i2c_write", OID, b"\x00\xaf\xa1\xc8\xb1\x12\x00")
        host.send("i2c_write", OID, b"\x40\x02")
        assert dots(host) == [(32, 9)]


# LEDs


def test_leds_show_what_was_sent_last(tmp_path: Path) -> None:
    with wire.Simulation(wire.describe(tmp_path), tmp_path) as simulation:
        host = simulation.hosts["main"]
        host.configure([("config_neopixel", OID, PIN, 6, 400, 5000)])
        host.send("neopixel_update", OID, 2, b"\x11\x22\x33\x44")
        simulation.run(0.02)
        assert simulation.ask(f"leds main {PIN}") == ["000000000000"]
        assert host.ask("neopixel_result", "neopixel_send", OID) == {"oid": OID, "success": 1}
        assert simulation.ask(f"leds main {PIN}") == ["000011223344"]
        host.send("neopixel_update", OID, 3, b"\x11\x22\x33\x44")
        simulation.run(0.02)
        assert host.shutdown_reason() == "Invalid neopixel update command"


@pytest.mark.parametrize(
    ("request_line", "error"),
    [
        ("display_text other", "error unknown display 'other'"),
        ("display_picture screen", "error display 'screen' shows no picture"),
        ("leds main 3", "error no LEDs on pin 3"),
        ("switch main 3 level=2", "error unknown level '2'"),
    ],
)
def test_request_that_means_nothing_is_refused(start: Start, request_line: str, error: str) -> None:
    host = start("hd44780", HD44780)
    assert host.simulation.control(request_line).startswith(error)
