# Fans, LEDs, buttons, filament sensors and displays of real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import runpy

import pytest

from virtual_printer.samples import SamplePrinter

SAMPLE = SamplePrinter(z_mcus=("z0", "z0")).without_section()

# Klippy lets MCUs look at their pins this long after its start
LOOKING_S = 3.0
# A text display has 20 characters in a row, a picture 16
TEXT = "Printer is well"
ENCODER = """
encoder_pins: ^PA10, ^PA11
click_pin: ^!PA12
[virtual_sdcard]
path: /tmp
"""
HD44780 = """
[display]
lcd_type: hd44780
rs_pin: PA1
e_pin: PA2
d4_pin: PA3
d5_pin: PA4
d6_pin: PA5
d7_pin: PA6
"""
SHIFT_REGISTER = """
[display]
lcd_type: hd44780_spi
latch_pin: PA1
spi_software_sclk_pin: PA2
spi_software_mosi_pin: PA3
spi_software_miso_pin: PA4
"""
AIP31068 = SHIFT_REGISTER.replace("hd44780_spi", "aip31068_spi")
ST7920 = """
[display]
lcd_type: st7920
cs_pin: PA1
sclk_pin: PA2
sid_pin: PA3
"""
UC1701 = """
[display]
lcd_type: uc1701
cs_pin: PA1
a0_pin: PA2
rst_pin: PA3
spi_software_sclk_pin: PA4
spi_software_mosi_pin: PA5
spi_software_miso_pin: PA6
"""
SSD1306 = """
[display]
lcd_type: ssd1306
i2c_bus: 1
"""
SH1106 = """
[display]
lcd_type: sh1106
x_offset: 2
cs_pin: PA1
dc_pin: PA2
"""

# Sections of outputs and chips by the module that serves them
OUTPUTS = {
    "servo": "[servo lever]\npin: PA1",
    "controller_fan": "[controller_fan board]\npin: PA2\nheater:\nidle_speed: 0.3",
    "output_pin": """
[output_pin lamp]
pin: PA3
pwm: True
hardware_pwm: True
value: 0.25
[output_pin relay]
pin: !PA5
""",
    "static_digital_output": "[static_digital_output on]\npins: PA6, !PA7",
    "multi_pin": """
[multi_pin both]
pins: PA8, !PA9
[fan_generic both]
pin: multi_pin:both
""",
    "pwm_tool": "[pwm_tool laser]\npin: PA10\nhardware_pwm: True\ncycle_time: 0.001",
    "pwm_cycle_time": "[pwm_cycle_time beeper]\npin: PA11",
    "static_pwm_clock": "[static_pwm_clock x]\npin: PA4\nfrequency: 10000",
    "led": "[led bar]\nred_pin: PA12\nwhite_pin: PA13\nhardware_pwm: True",
    "dotstar": "[dotstar tail]\ndata_pin: PA14\nclock_pin: PA15\nchain_count: 3",
    "pca9533": "[pca9533 a]",
    "pca9632": "[pca9632 b]\ni2c_address: 99\ncolor_order: BGRW",
    "sx1509": """
[sx1509 extender]
i2c_address: 62
[output_pin extended]
pin: sx1509_extender:PIN_3
[output_pin dimmed]
pin: sx1509_extender:PIN_5
pwm: True
hardware_pwm: True
""",
    "mcp4018": "[mcp4018 pot]\nscl_pin: PB0\nsda_pin: PB1\nwiper: 0.5\nscale: 0.773",
    "mcp4451": "[mcp4451 pots]\ni2c_address: 45\nwiper_0: 0.1",
    "mcp4728": "[mcp4728 dac]\ni2c_address: 96\nchannel_a: 0.5",
    "ad5206": "[ad5206 pots]\nenable_pin: PB2\nchannel_1: 1\nscale: 2.08",
    "dac084S085": "[dac084S085 x]\nenable_pin: PB3\nchannel_A: 1\nscale: 2",
}
OUTPUT_COMMANDS = {
    "servo": "SET_SERVO SERVO=lever ANGLE=90",
    "output_pin": "SET_PIN PIN=lamp VALUE=0.8\nSET_PIN PIN=relay VALUE=1",
    "multi_pin": "SET_FAN_SPEED FAN=both SPEED=1",
    "pwm_tool": "SET_PIN PIN=laser VALUE=0.2",
    "pwm_cycle_time": "SET_PIN PIN=beeper VALUE=0.5 CYCLE_TIME=0.01",
    "led": "SET_LED LED=bar RED=1 WHITE=0.4",
    "dotstar": "SET_LED LED=tail RED=1",
    "pca9533": "SET_LED LED=a RED=1",
    "pca9632": "SET_LED LED=b RED=1",
    "sx1509": "SET_PIN PIN=extended VALUE=1\nSET_PIN PIN=dimmed VALUE=0.25",
    "mcp4018": "SET_DIGIPOT DIGIPOT=pot WIPER=0.6",
}
# What the pins have after that
DUTIES = {
    "controller_fan": {"PA2": 1.0},
    "output_pin": {"PA3": 0.8, "PA5": 0.0},
    "static_digital_output": {"PA6": 1.0, "PA7": 0.0},
    "multi_pin": {"PA8": 1.0, "PA9": 0.0},
    "pwm_tool": {"PA10": 0.2},
    "static_pwm_clock": {"PA4": 0.5},
    "led": {"PA12": 1.0, "PA13": 0.4},
}


# What the outputs of chips are at after that, in the units of their sections
CHIP_OUTPUTS = {
    "pca9533": ("pca9533 a", {"red": 1.0, "green": 0.0, "blue": 0.0, "white": 0.0}),
    "pca9632": ("pca9632 b", {"red": 1.0, "green": 0.0, "blue": 0.0, "white": 0.0}),
    "sx1509": ("sx1509 extender", {"PIN_3": 1.0, "PIN_5": 0.25}),
    "mcp4018": ("mcp4018 pot", {"wiper": 0.6}),
    "mcp4451": ("mcp4451 pots", {"wiper_0": 0.1, "wiper_3": 0.5}),
    "mcp4728": ("mcp4728 dac", {"channel_a": 0.5, "channel_b": 0.0}),
    "ad5206": ("ad5206 pots", {"channel_1": 1.0, "channel_2": 1.04}),
    "dac084S085": ("dac084S085 x", {"channel_A": 1.0, "channel_B": 0.0}),
}


def read_picture(picture, host):
    """The characters in a picture, by the host's own font."""
    font = runpy.run_path(str(host.klippy / "extras" / "display" / "font8x14.py"))["VGA_FONT"]
    characters = {bytes(glyph): chr(code) for code, glyph in enumerate(font) if 32 <= code < 127}
    kind, size, *lines = picture.split("\n")
    assert (kind, size) == ("P1", "128 64")
    rows = [int(line.replace(" ", ""), 2).to_bytes(16, "big") for line in lines[:64]]
    cells = [
        [bytes(row[x] for row in rows[y : y + 16]) for x in range(16)] for y in (0, 16, 32, 48)
    ]
    return ["".join(characters.get(cell, "?") for cell in row) for row in cells]


def turn_encoder(session):
    """One detent counterclockwise, from open contacts to open contacts: down in a menu."""
    for action in (session.release, session.press):
        for pin in ("PA10", "PA11"):
            action(pin)
            session.sleep(0.01)


def click(session):
    session.press("^!PA12")
    session.sleep(0.1)
    session.release("^!PA12")
    session.sleep(0.6)


def test_fan_turns_by_its_duty(start):
    sections = """
[fan_generic nozzle]
pin: PA1
hardware_pwm: True
cycle_time: 0.001
tachometer_pin: ^PA2
[fan_generic board]
pin: !PA3
cycle_time: 0.01
tachometer_pin: ^PA4
tachometer_poll_interval: 0.001
"""
    with start(SAMPLE, sections=sections) as session:
        session.gcode("SET_FAN_SPEED FAN=nozzle SPEED=1\nSET_FAN_SPEED FAN=board SPEED=.5")
        session.sleep(6.0)
        assert session.duty("PA1") == 1.0
        assert session.status("fan_generic nozzle")["rpm"] == pytest.approx(5000, rel=0.01)
        assert session.status("fan_generic board")["rpm"] == pytest.approx(2500, rel=0.01)
        session.gcode("SET_FAN_SPEED FAN=nozzle SPEED=0.4")
        session.sleep(6.0)
        assert session.duty("PA1") == 102 / 255
        assert session.status("fan_generic nozzle")["rpm"] == pytest.approx(2000, rel=0.01)
        session.emergency_stop()
        session.sleep(0.1)
        assert session.duty("PA1") == 0.0


def test_outputs_of_all_kinds_are_driven(start, host):
    extras = host.klippy / "extras"
    names = [name for name in OUTPUTS if (extras / f"{name}.py").exists()]
    # Klipper until 2023 (v0.12) reads an empty list as one of an empty name
    if "parts = []" not in (host.klippy / "configfile.py").read_text():
        names.remove("controller_fan")
    sections = "\n".join(OUTPUTS[name] for name in names)
    if "config.get('scl_pin')" not in (extras / "mcp4018.py").read_text():
        # Its bus has the options of any other since 2024
        for pin in ("scl_pin", "sda_pin"):
            sections = sections.replace(f"\n{pin}: PB", f"\ni2c_software_{pin}: PB")
    with start(SAMPLE, sections=sections) as session:
        for name in names:
            session.gcode(OUTPUT_COMMANDS.get(name, ""))
        session.gcode("G28 X")
        session.sleep(2.0)
        for name in names:
            for pin, duty in DUTIES.get(name, {}).items():
                assert session.duty(pin) == pytest.approx(duty, abs=0.002), (name, pin)
            section, expected = CHIP_OUTPUTS.get(name, ("", {}))
            shown = session.outputs(section) if expected else {}
            for output, value in expected.items():
                assert shown[output] == pytest.approx(value, abs=0.01), (name, output)
        assert session.duty("sx1509_extender:PIN_3") == 1.0
        # Each LED of a [dotstar] takes blue, green and red
        assert session.led_bytes("PA14") == bytes((0, 0, 255)) * 3
        assert session.not_simulated() == []
        assert session.state() == "ready"


def test_leds_show_the_colours_that_were_set(start):
    sections = """
[neopixel strip]
pin: PA1
chain_count: 20
initial_RED: 0.2
"""
    with start(SAMPLE, sections=sections) as session:
        session.sleep(0.5)
        assert session.led_bytes("PA1") == bytes((0, 51, 0)) * 20
        session.gcode("SET_LED LED=strip RED=1 GREEN=0.4 BLUE=0 INDEX=20 TRANSMIT=1")
        session.sleep(0.5)
        assert session.led_bytes("PA1") == bytes((0, 51, 0)) * 19 + bytes((102, 255, 0))


def test_button_runs_its_gcode_when_it_is_pressed_and_released(start):
    sections = """
[gcode_button lamp]
pin: ^!PA1
press_gcode: M117 pressed
release_gcode: M117 released
[display_status]
"""
    with start(SAMPLE, sections=sections) as session:
        session.sleep(LOOKING_S)
        assert session.status("display_status")["message"] is None
        session.press("^!PA1")
        session.sleep(0.2)
        assert session.status("gcode_button lamp")["state"] == "PRESSED"
        assert session.status("display_status")["message"] == "pressed"
        session.release("^!PA1")
        session.sleep(0.2)
        assert session.status("display_status")["message"] == "released"


def test_button_is_heard_through_a_link_that_loses_the_first_report(start):
    sections = "[gcode_button lamp]\npin: ^PA1\npress_gcode: M117 pressed\n"
    with start(SAMPLE, sections=sections) as session:
        session.sleep(LOOKING_S)
        session.control("link mcu direction=to_host delay_us=60000 for_s=0.3")
        session.press("^PA1")
        session.sleep(0.5)
        assert session.status("gcode_button lamp")["state"] == "PRESSED"
        assert session.state() == "ready"


def test_filament_is_there_until_it_runs_out(start):
    sections = """
[filament_switch_sensor near]
switch_pin: ^!PA1
pause_on_runout: False
"""
    with start(SAMPLE, sections=sections) as session:
        session.sleep(LOOKING_S)
        assert session.status("filament_switch_sensor near")["filament_detected"] is True
        session.release("^!PA1")
        session.sleep(0.2)
        assert session.status("filament_switch_sensor near")["filament_detected"] is False


@pytest.mark.parametrize(
    "display", [HD44780, SHIFT_REGISTER, AIP31068], ids=["hd44780", "hd44780_spi", "aip31068_spi"]
)
def test_text_display_shows_messages_and_the_menu(start, host, display):
    kind = display.split("lcd_type: ")[1].split()[0]
    if not (host.klippy / "extras" / "display" / f"{kind}.py").exists():
        pytest.skip(f"{host.name} has no {kind}")
    with start(SAMPLE, sections=display + ENCODER) as session:
        session.gcode(f"M117 {TEXT}")
        session.sleep(3.0)
        assert TEXT in session.display_text()[3]
        click(session)
        rows = session.display_text()
        assert rows[0].startswith(">")
        turn_encoder(session)
        session.sleep(0.6)
        assert session.display_text()[1].startswith(">")
        # A restart of the MCU does not confuse it
        session.restart("FIRMWARE_RESTART")
        session.gcode(f"M117 {TEXT}")
        session.sleep(3.0)
        assert TEXT in session.display_text()[3]


def test_st7920_shows_text_and_a_picture(start):
    with start(SAMPLE, sections=ST7920 + ENCODER) as session:
        session.gcode(f"M117 {TEXT}")
        session.sleep(3.0)
        assert session.display_text()[3].strip() == TEXT
        # The symbols of temperatures and speed are drawn
        assert 20 < session.display_picture().count("1") < 2000
        click(session)
        assert session.display_text()[0].startswith(">")


@pytest.mark.parametrize("display", [UC1701, SSD1306, SH1106], ids=["uc1701", "ssd1306", "sh1106"])
def test_graphic_display_shows_messages(start, host, display):
    with start(SAMPLE, sections=display + ENCODER) as session:
        session.gcode(f"M117 {TEXT}")
        session.sleep(3.0)
        assert read_picture(session.display_picture(), host)[3].strip() == TEXT
        click(session)
        assert read_picture(session.display_picture(), host)[0].startswith(">")
