# Scenarios: what happens to a printer, when, and what a wrong line is told
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from virtual_printer import hosts, scenario
from virtual_printer.samples import SamplePrinter, config_text
from virtual_printer.scenario import Event, Player, ScenarioError, parse
from virtual_printer.session import GCodeError, Session

SAMPLE = SamplePrinter().on_one_mcu().without_section()
PAGE = hosts.ROOT / "docs" / "Scenarios.md"
HEATER = config_text(
    {
        "heater_generic oven": {
            "heater_pin": "PA8",
            "sensor_pin": "PA9",
            "sensor_type": "EPCOS 100K B57560G104F",
            "min_temp": 0,
            "max_temp": 200,
            "control": "watermark",
        },
        "verify_heater oven": {"check_gain_time": 20},
        "button": {},
    }
).replace("[button]\n", "")
Start = Callable[..., Session]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    sessions: List[Session] = []

    def start_one(seed: int = 1, machine_cfg: str = SAMPLE.machine_cfg()) -> Session:
        folder = tmp_path / str(len(sessions))
        text = SAMPLE.printer_cfg() + HEATER
        sessions.append(Session("kalico", text, machine_cfg, seed=seed, work_dir=folder))
        sessions[-1].open()
        return sessions[-1]

    yield start_one
    for session in sessions:
        session.close()


# Lines


def one(line: str) -> Event:
    (event,) = parse(line)
    return event


def test_line_says_when_and_what() -> None:
    event = one("at 12.5: link z1 drop=1 direction=to_mcu  # a loose cable")
    assert (event.place, event.least_s, event.most_s) == ("scenario:1", 12.5, 12.5)
    assert (event.verb, event.name, event.choice) == ("link", "z1", "")
    assert event.options == {"drop": "1", "direction": "to_mcu"}
    assert not event.is_repeated and not event.command


def test_times_may_be_drawn_repeated_and_after_a_command() -> None:
    events = parse("\n# Comment\nevery 2..4: host stall_s=0.1\nafter G28 X 0.5: host stall_s=1\n")
    assert [(e.place, e.least_s, e.most_s) for e in events] == [
        ("scenario:3", 2.0, 4.0),
        ("scenario:4", 0.5, 0.5),
    ]
    assert (events[0].is_repeated, events[0].command) == (True, "")
    assert (events[1].is_repeated, events[1].command) == (False, "G28 X")


def test_names_may_have_blanks() -> None:
    event = one("at 1: temperature_sensor heater_generic a b state=open")
    assert event.name == "heater_generic a b"
    event = one("at 1: mcu z 1 shutdown reason=Command_request")
    assert (event.name, event.choice) == ("z 1", "shutdown")


@pytest.mark.parametrize(
    "line, problem",
    [
        ("link z1 drop=1", "does not begin with 'at SECONDS: '"),
        ("at soon: link z1 drop=1", "does not begin with 'at SECONDS: '"),
        ("after 3: link z1 drop=1", "does not begin with 'at SECONDS: '"),
        ("at 4..3: link z1 drop=1", "4..3 ends before it begins"),
        ("every 0: link z1 drop=1", "'every 0' would come all the time"),
        ("at 1: lnik z1 drop=1", "no 'lnik' (there are link, mcu, "),
        ("at 1: link drop=1", "'link' of what? The mcu's name is missing"),
        ("at 1: link z1 drp=1", "link has no option 'drp=1' (there are drop, repeat"),
        ("at 1: link z1 drop=", "link has no option 'drop='"),
        ("at 1: link z1 drop=some", "'drop=some' is no whole number"),
        ("at 1: mcu z1 explode", "no 'explode' (there are disconnect, reconnect"),
        ("at 1: link z1", "what is to become of z1? It takes one of drop, repeat"),
        ("at 1: link z1 for_s=1", "what is to become of z1? It takes one of drop, repeat"),
        ("at 1: host", "what is to become of host? It takes one of emergency_stop, stall_s"),
        ("at 1: host mine emergency_stop", "'host' of 'mine'?"),
        ("at 1: mcu z1 reason=1", "It takes one of disconnect, reconnect"),
        ("at 1: stepper stepper_z lose=1", "It takes direction too"),
        ("at 1: reply z1 clock", "It takes malformed too"),
        ("at 1: endstop PA1 for_s=1", "It takes one of reads, bounces, noise_um"),
        ("at 1: endstop PA1 bounces=2.5", "'bounces=2.5' is no whole number"),
        ("at 1: link z1 late_us=-1", "'late_us=-1' is no number"),
    ],
)
def test_line_that_is_wrong_is_one_line_with_its_place(line: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(f"# The first line\n{line}\n", "my.scenario")
    assert str(caught.value).startswith("my.scenario:2: ")
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "no text"])
def test_file_that_cannot_be_read_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.scenario"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ScenarioError, match=f"^{re.escape(str(path))}: cannot be read"):
        scenario.text_of(path)


def test_page_has_all_words_and_its_examples_can_be_read() -> None:
    page = PAGE.read_text(encoding="utf-8")
    example = page.split("```\n")[1]
    assert len(parse(example)) > 5
    rows = re.findall(r"^\| `(\w+)[^|]*` \| (.*) \|$", page, re.MULTILINE)
    assert [verb for verb, _ in rows] == list(scenario.VERBS)
    for verb, text in rows:
        row = page.split(f"| `{verb}")[1].split("\n")[0]
        for word in (*scenario.VERBS[verb].choices, *scenario.VERBS[verb].options):
            assert re.search(rf"\b{word}\b", row), (verb, word, text)


# Runs


def play(session: Session, text: str, *commands: str) -> List[str]:
    """Run commands in a scenario and return what has happened in it."""
    said: List[str] = []
    Player(session, parse(text), said.append)
    for command in commands:
        session.gcode(command)
    return said


def test_events_come_when_they_are_to(start: Start) -> None:
    session = start()
    begin_s = session.now_s()
    said = play(session, "every 1..2: host stall_s=0.001\nafter G4 0.5: host stall_s=0.002\n")
    session.sleep(10)
    # No command yet
    assert 5 <= len(said) <= 10 and not any("stall_s=0.002" in line for line in said)
    before_s = session.now_s()
    session.gcode("M400\nG4 P1000\nM400")
    (line,) = [line for line in said if "stall_s=0.002" in line]
    assert line.endswith("s: host stall_s=0.002 (scenario:2)")
    assert float(line.split()[0]) == pytest.approx(before_s + 0.5, abs=1e-3)
    assert all(float(line.split()[0]) > begin_s for line in said)


def test_nothing_to_do_is_one_line(start: Start) -> None:
    with pytest.raises(ScenarioError, match=r"^now: nothing \(there are link, mcu, "):
        scenario.do(start(), "")


def test_seed_draws_the_times(start: Start) -> None:
    text = "at 1..5: host stall_s=0.01\nat 1..5: host stall_s=0.01\n"

    def times(seed: int) -> List[str]:
        # All else alike
        session = start(seed, "[virtual_printer]\nseed: 1\n" + SAMPLE.machine_cfg())
        begin_s = session.now_s()
        said = play(session, text)
        session.sleep(6)
        return [f"{float(line.split()[0]) - begin_s:.3f}" for line in said]

    first = times(1)
    assert first == times(1)
    assert first != times(2)
    assert len(set(first)) == 2


@pytest.mark.parametrize(
    "line, problem",
    [
        ("at 1: link z9 drop=1", "no mcu 'z9' (there are mcu, toolhead, z0)"),
        ("at 1: can_bus can0 load=0.1", "no can_bus 'can0' (there are none)"),
        ("at 1: stepper stepper_a lose=1 direction=up", "no stepper 'stepper_a' (there are"),
        ("at 1: heater extruder power=0", "no heater 'extruder' (there are heater_generic_oven)"),
        ("at 1: endstop z0:nowhere reads=open", "no pin 'z0:nowhere'"),
        ("at 1: endstop z9:PA1 reads=open", "no pin 'z9:PA1'"),
    ],
)
def test_what_this_printer_has_not_is_one_line(start: Start, line: str, problem: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        play(start(), line)
    assert str(caught.value).startswith(f"scenario:1: {problem}")


def test_value_that_cannot_be_is_one_line_when_it_comes(start: Start) -> None:
    for line in (
        "at 0.1: heater heater_generic oven power=2",
        "at 0.1: link mcu drop=1 direction=up",
    ):
        session = start()
        play(session, line)
        with pytest.raises(ScenarioError, match=r"^scenario:1: \S+"):
            session.sleep(1)


def test_heater_that_breaks_trips_the_hosts_check(start: Start) -> None:
    session = start()
    play(session, "at 60: heater heater_generic oven power=0", "M400")
    session.gcode("SET_HEATER_TEMPERATURE HEATER=oven TARGET=60")
    session.sleep(59)
    assert session.temperatures()["heater_generic_oven"] > 40
    session.sleep(600)
    assert session.state() == "shutdown"
    assert "Heater oven not heating at expected rate" in session.state_message()


def test_endstop_that_is_stuck_or_bounces(start: Start) -> None:
    pin = str(SAMPLE.sections()["stepper_x"]["endstop_pin"]).lstrip("^!")
    session = start()
    play(session, f"after G28 0.05: endstop {pin} reads=triggered\n")
    with pytest.raises(GCodeError, match="Endstop x still triggered after retract"):
        session.gcode("G28 X")
    session = start()
    play(session, f"after G28 0.5: endstop {pin} bounces=3 for_s=0.002\n", "G28 X")
    # Homed where it was when the contact first closed
    said_mm = session.status("toolhead", "position")["position"][0]
    assert abs(session.carriage_truth()[0] - said_mm) > 1.0


def test_probe_that_spreads(start: Start) -> None:
    pin = str(SAMPLE.sections()["probe"]["pin"]).lstrip("^!")
    session = start()
    play(session, f"after PROBE_ACCURACY 0: endstop {pin} noise_um=50", "G28", "G1 Z5 F600")

    def spread_mm(command: str) -> float:
        text = "\n".join(session.gcode(command))
        return float(re.findall(r"range (\S+),", text)[-1])

    assert spread_mm("PROBE_ACCURACY SAMPLES=10") > 0.05


def test_printer_stops_by_itself_and_by_hand(start: Start) -> None:
    session = start()
    play(session, "at 1: mcu z0 shutdown reason=Command_request")
    session.sleep(2)
    assert "MCU 'z0' shutdown: Command request" in session.state_message()
    session = start()
    play(session, "at 1: host emergency_stop")
    session.sleep(2)
    assert session.state() == "shutdown"
