# A host's Klippy on a virtual printer in virtual time: G-code, status and the physical truth
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import contextlib
import heapq
import itertools
import shutil
import subprocess
import tempfile
import textwrap
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    TypeVar,
    Union,
)

from printer_config import pins
from printer_config.config_file import ConfigFile
from virtual_printer import (
    build,
    description,
    host_setup,
    hosts,
    machine,
    output_chips,
    process,
    recording,
    screens,
    unsupported,
)
from virtual_printer.boards import Boards
from virtual_printer.bus_places import section_at, unanswered_text
from virtual_printer.expanders import expander_name
from virtual_printer.firmware import host_messages
from virtual_printer.model import Machine
from virtual_printer.resource import Resource
from virtual_printer.sockets import (
    ApiClosed,
    ApiSocket,
    ConnectionLost,
    ControlSocket,
    SessionError,
)

__all__ = ["GCodeError", "Session", "SessionError", "Truth"]

Answer = TypeVar("Answer")

# No printer.cfg includes a file that is called like this
_MACHINE = Path(".machine.cfg")
_RECORDING = Path("recording.csv")
_OUTPUT_METHOD = "gcode_output"
# How often (virtual s) to look again for something that Klippy does not announce
_LOOK_AGAIN_S = 0.05
# How soon the next piece of a long request is sent, once Klippy had time to take one
_SEND_ON_S = 0.001
_STARTUP_TIMEOUT_S = 60.0
_REQUEST_TIMEOUT_S = 10.0
_EXIT_TIMEOUT_REAL_S = 10.0
_TAIL_LINES = 20
# As much of a request is said in an error
_NAMED_CHARACTERS = 200
# What the library reports at every start, whatever happens then
_REPORT_NOTE = "not in virtual time:"


class GCodeError(SessionError):
    """Klippy has refused a G-code command, or it failed."""


class _LackingError(SessionError):
    """Klippy does not start without something that virtual MCUs do not have."""

    def __init__(self, found: List[unsupported.Unsupported]) -> None:
        super().__init__("\n".join(map(str, found)))
        self.found = found


class Truth(NamedTuple):
    """Where a stepper really is, by its pulses alone."""

    pulses: int
    position_mm: float


class Binding(NamedTuple):
    """What a skewed gantry has done to the motors that lift it."""

    greatest_n: float
    skips: Dict[str, int]


class Session(Resource):
    """A host's Klippy running on a virtual printer; use it in a `with` statement.

    printer_cfg and machine_cfg are the texts of both files, `files` are further ones by name (for
    [include]). The seed draws what the machine file leaves open, and the host's latency. Times are
    virtual unless their name says "real". With ready=False it is no error when Klippy's start-up
    ends in another state. Sections that ask for what no virtual MCU has are an error, unless
    ignore_unsupported leaves them out. A recording is written to the file `record`, whose first
    line has `run`, from which it can be replayed.
    """

    def __init__(
        self,
        host: Union[hosts.Host, str, None],
        printer_cfg: str,
        machine_cfg: str = "",
        seed: int = 1,
        work_dir: Optional[Path] = None,
        files: Optional[Mapping[str, str]] = None,
        ready: bool = True,
        latency_us: Optional[str] = None,
        real_timeout_s: float = 300.0,
        ignore_unsupported: bool = False,
        record: Optional[Path] = None,
        run: Optional[Mapping[str, Any]] = None,
    ) -> None:
        self.host = host if isinstance(host, hosts.Host) else host_setup.obtain(host)
        self.seed = seed
        self._own_dir = work_dir is None
        self.work_dir = Path(work_dir or tempfile.mkdtemp(prefix="virtual_printer_")).resolve()
        self._texts = dict(files or {})
        self._texts.update({str(process.CONFIG): printer_cfg, str(_MACHINE): machine_cfg})
        self._ready = ready
        self._latency_us = latency_us
        self._real_timeout_s = real_timeout_s
        self._ignore_unsupported = ignore_unsupported
        self._record = Path(record).resolve() if record else None
        self._run = run
        self.left_out: List[unsupported.Unsupported] = []
        self._named: List[str] = []
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._api = ApiSocket()
        self._responses: Dict[int, Dict[str, Any]] = {}
        self._output: List[str] = []
        self._now_s = 0.0
        self._listener: Callable[[str], None] = lambda message: None
        self._command_listener: Callable[[str], None] = lambda command: None
        self._agenda: List[Tuple[float, int, Callable[[], None]]] = []
        self._agenda_order = itertools.count()

    def open(self) -> None:
        """Start Klippy and wait until it is ready."""
        for name, text in self._texts.items():
            self.write(name, text)
        config = ConfigFile(self.work_dir / process.CONFIG)
        self._leave_out(unsupported.find(config, host_messages.read(self.host.klippy)))
        while True:
            self._start()
            self._connect(_STARTUP_TIMEOUT_S)
            try:
                return self._wait_started(self._ready)
            except _LackingError as error:
                self._leave_out(error.found)
            self._stop()
            # What Klippy has said so far advises to flash firmware
            (self.work_dir / process.LOG).unlink()

    def close(self) -> None:
        """End Klippy; a second call does nothing."""
        self._stop()
        if self._own_dir:
            shutil.rmtree(str(self.work_dir), ignore_errors=True)

    @property
    def machine(self) -> Machine:
        """Return the machine that is simulated, once the session has begun."""
        return self._machine

    @property
    def process_id(self) -> int:
        """Return the id of Klippy's process."""
        assert self._process is not None, "the session is not running"
        return self._process.pid

    # What one does with a printer

    def gcode(self, script: str, timeout_s: float = 1800.0) -> List[str]:
        """Run G-code to its end and return the lines that Klippy said meanwhile."""
        self._output.clear()
        self._command_listener(script)
        response = self._request("gcode/script", {"script": script}, timeout_s)
        self._name_unanswered()
        if "error" in response:
            raise GCodeError(response["error"]["message"])
        return [line for message in self._output for line in message.split("\n")]

    def status(self, name: str, *fields: str) -> Dict[str, Any]:
        """Return the status of a printer object, all of it or only some fields."""
        response = self._request("objects/query", {"objects": {name: list(fields) or None}})
        if "error" in response:
            raise SessionError(f"status of '{name}': {response['error']['message']}")
        return dict(response["result"]["status"][name])

    def state(self) -> str:
        """Return Klippy's state: ready, startup, shutdown or error."""
        return self._info()[0]

    def state_message(self) -> str:
        """Return what Klippy says about its state."""
        return self._info()[1]

    def restart(self, command: str = "RESTART", ready: bool = True) -> None:
        """RESTART or FIRMWARE_RESTART, and wait until Klippy is ready again."""
        self._api.send("gcode/script", {"script": command})
        self._run_until(lambda: not self._api.is_open, _STARTUP_TIMEOUT_S, f"end before {command}")
        self._connect(_STARTUP_TIMEOUT_S)
        self._wait_started(ready)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Have listener called with what Klippy says, at the instant at which it does."""
        self._listener = listener

    def listen_to_commands(self, listener: Callable[[str], None]) -> None:
        """Have listener called with each script that is about to be run."""
        self._command_listener = listener

    def emergency_stop(self) -> None:
        """Shut Klippy and all its micro-controllers down."""
        self._request("emergency_stop", {})

    def wait_ready(self, timeout_s: float = _STARTUP_TIMEOUT_S) -> None:
        """Wait until Klippy is ready; an error when it will not be."""
        self._wait_started(True, timeout_s)

    # What only the virtual printer knows

    def stepper_truth(self) -> Dict[str, Truth]:
        """Return every stepper's true pulses and position."""
        found = {}
        for word in self.control("steppers").split():
            name, pulses, position_mm = word.split(":")
            found[name] = Truth(int(pulses), float(position_mm))
        return found

    def carriage_truth(self) -> Tuple[float, float, float]:
        """Return the carriage's true x and y, and the nozzle's height over the bed (mm)."""
        x_mm, y_mm, height_mm = (float(word) for word in self.control("carriage").split())
        return x_mm, y_mm, height_mm

    def carriages_truth(self) -> Dict[str, float]:
        """Return the true position (mm) of each carriage and of what lifts the gantry."""
        words = (word.split(":") for word in self.control("carriages").split())
        return {name: float(position_mm) for name, position_mm in words}

    def binding(self) -> Optional[Binding]:
        """Return how the gantry was skewed; None if the machine file says nothing of its strength.

        The corners bore at most so much, and each has given way so often.
        """
        if self._machine.binding is None:
            return None
        greatest, *skips = self.control("binding").split()
        words = (word.split(":") for word in skips)
        return Binding(float(greatest), {name: int(count) for name, count in words})

    def temperatures(self) -> Dict[str, float]:
        """Return the true temperature (C) of all that gets warm, also of its parts.

        A section like [heater_generic a] is called heater_generic_a here, its heating element
        and its sensor heater_generic_a.element and heater_generic_a.sensor.
        """
        words = (word.split(":") for word in self.control("temperatures").split())
        return {name: float(temperature_c) for name, temperature_c in words}

    def can_counters(self) -> Dict[str, str]:
        """Return what the CAN buses have counted, as can0.frames or can0.z1.state."""
        return dict(word.split("=") for word in self.control("can_counters").split())

    def duty(self, pin: str) -> float:
        """Return for what share of the time a pin is high: 0 or 1 if no hardware switches it."""
        return float(self.control(f"duty {self.place_of(pin)}"))

    def outputs(self, section: str) -> Dict[str, float]:
        """Return what the outputs of a section's chip are at, such as the wipers of an [ad5206].

        They have the names of their options, or of their pins or colours, and are in the unit of
        option `scale`, otherwise from 0 to 1.
        """
        chip = self._output_chips[expander_name(section)]
        shares = [float(word) for word in self.control(f"outputs {chip.name}").split()]
        return output_chips.values(chip, shares)

    def led_bytes(self, pin: str) -> bytes:
        """Return what a chain of LEDs on a pin was sent last, in its own order of colours."""
        return bytes.fromhex(self.control(f"leds {self.place_of(pin)}"))

    def display_text(self, name: str = "display") -> List[str]:
        """Return the rows of a display, without dots that the host has drawn."""
        return screens.text(self.control(f"display_text {name}").split())

    def display_picture(self, name: str = "display") -> str:
        """Return the dots of a display as a picture in the format PBM (plain)."""
        return screens.picture(self.control(f"display_picture {name}").split())

    def press(self, pin: str) -> None:
        """Press the button on a pin as printer.cfg names it; a filament sensor sees filament."""
        self._set_switch(pin, True)

    def release(self, pin: str) -> None:
        """Release the button on a pin; a filament sensor sees no filament."""
        self._set_switch(pin, False)

    def hold_endstop(self, pin: str, is_triggered: Optional[bool]) -> None:
        """Have an endstop or probe on a pin read as if by hand; None has it feel again."""
        force = "none" if is_triggered is None else str(int(is_triggered))
        self.control(f"endstop {self.place_of(pin)} force={force}")

    def place_of(self, pin: str) -> str:
        """Return a pin of printer.cfg as requests name it; KeyError if it is none."""
        mcu, name, _ = pins.split(pin)
        number = self._boards.pin_number(mcu, name)
        if number is None:
            raise KeyError(pin)
        return f"{mcu} {number}"

    def names_of(self, kind: str) -> List[str]:
        """Return the names by which requests know all things of one kind."""
        printer = self._machine
        heaters = [heater.body for heater in printer.heat.heaters]
        found: Dict[str, Sequence[str]] = {
            "mcu": [mcu.name for mcu in printer.mcus],
            "can_bus": [bus.name for bus in printer.can_buses],
            "stepper": [stepper.name for stepper in printer.steppers],
            "driver": [driver.name for driver in printer.drivers],
            "heater": [name.replace(".element", "") for name in heaters],
            "sensor": [sensor.name for sensor in printer.heat.sensors],
        }
        return list(dict.fromkeys(found[kind]))

    def _set_switch(self, pin: str, is_pressed: bool) -> None:
        level = int(is_pressed != pins.split(pin).invert)
        self.control(f"switch {self.place_of(pin)} level={level}")

    def control(self, request: str) -> str:
        """Send a request to the scheduler or the simulation; return what follows the "ok"."""
        return str(self._guarded(lambda: self._control.request(request)))

    def host_cpu_s(self) -> float:
        """Return the CPU time that Klippy has really taken, what virtual time takes left out.

        Only differences between two calls mean anything.
        """
        return int(self.control("cpu")) * 1e-9

    def not_simulated(self) -> List[str]:
        """Return the sections of printer.cfg that are left out, or whose chips nobody models."""
        names = [one.section for one in self.left_out]
        for place in self.control("unanswered").split():
            names.append(section_at(place, self._boards) or place)
        return list(dict.fromkeys(names))

    def _name_unanswered(self) -> None:
        """Name in klippy.log what nobody has modelled, as soon as it is known, and once."""
        for place in self.control("unanswered").split():
            if place in self._named:
                continue
            self._named.append(place)
            with open(self.work_dir / process.LOG, "a", encoding="utf-8") as log:
                log.write(f"virtual printer: {unanswered_text(place, self._boards)}\n")

    # Time

    def now_s(self) -> float:
        """Return the virtual time since the process was started."""
        self._now_s = self._guarded(self._control.now_s)
        return self._now_s

    def sleep(self, duration_s: float) -> None:
        """Let virtual time pass."""
        until_s = _on_clock(self.now_s() + duration_s)
        while self._now_s < until_s:
            self._wait(until_s)
        self._name_unanswered()

    def call_at(self, time_s: float, action: Callable[[], None]) -> None:
        """Call action at a time, during a request as well; at once if it is past."""
        heapq.heappush(self._agenda, (_on_clock(time_s), next(self._agenda_order), action))

    # Files

    def log(self) -> str:
        """Return klippy.log so far."""
        return self._text(process.LOG)

    def schedule_hash(self) -> str:
        """Return a hash over every switch of threads so far and its time."""
        return self.control("schedule").split()[0]

    def write(self, name: str, text: str) -> None:
        """Replace a file of the work folder, for instance printer.cfg before a restart."""
        (self.work_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (self.work_dir / name).write_text(text, encoding="utf-8")

    # Inside

    def _start(self) -> None:
        messages = host_messages.read(self.host.klippy)
        paths = (self.work_dir / process.CONFIG, self.work_dir / _MACHINE)
        printer = machine.load(*paths, self.seed)
        self._machine = printer
        self._boards = Boards(*(ConfigFile(path) for path in paths))
        self._output_chips = {chip.name: chip for chip in printer.output_chips}
        described = description.write(printer, self.work_dir, messages, self._begin_recording())
        library = build.library()
        self._control = ControlSocket(self._real_timeout_s)
        try:
            self._process = process.start(
                self.host,
                self.work_dir,
                library,
                described,
                self._control.process_fd,
                printer.seed,
                self._latency_us,
            )
        finally:
            self._control.started()

    def _begin_recording(self) -> Optional[Path]:
        """Write the first line of the recording; return its place in the work folder."""
        if self._record is None:
            return None
        host = f"{self.host.name} {self.host.version}"
        recording.write_header(self._record, {"host": host, "run": self._run})
        link = self.work_dir / _RECORDING
        link.unlink(missing_ok=True)
        # Its own name may have blanks, which the description cannot have
        link.symlink_to(self._record)
        return _RECORDING

    def _stop(self) -> None:
        """End Klippy, if it runs."""
        self._api.close()
        if self._process is not None:
            self._end_recording()
            self._control.close()
            self._end_process(self._process)
            self._process = None

    def _end_recording(self) -> None:
        if self._record is not None:
            # That of a process that is gone is cut
            with contextlib.suppress(ConnectionLost, SessionError):
                self._control.request("record_end")

    def _leave_out(self, found: List[unsupported.Unsupported]) -> None:
        """Leave sections out of all files; an error if that is not wanted, or does not help."""
        is_in_vain = any(one.is_of_mcu or one in self.left_out for one in found)
        if found and (is_in_vain or not self._ignore_unsupported):
            raise SessionError("\n".join(map(str, found)))
        self.left_out += found
        if found:
            for name, text in self._texts.items():
                self.write(name, unsupported.without(text, self.left_out))

    def _connect(self, timeout_s: float) -> None:
        """Connect to Klippy's API, which appears some time after its start."""

        def is_connected() -> bool:
            return self._api.connect(self.work_dir / process.API)

        self._run_until(is_connected, timeout_s, "API socket")
        template = {"method": _OUTPUT_METHOD}
        self._api.send("gcode/subscribe_output", {"response_template": template})

    def _wait_started(self, ready: bool, timeout_s: float = _STARTUP_TIMEOUT_S) -> None:
        """Wait until start-up is over; an error when Klippy is to be ready then and is not."""
        deadline_s = self.now_s() + timeout_s
        state, message = "startup", ""
        while state == "startup" and self._now_s < deadline_s:
            try:
                if not self._api.is_open:
                    self._connect(timeout_s)
                state, message = self._info()
            except ApiClosed:
                # Klippy restarts by itself when an MCU has not the configuration it wants
                continue
            if state == "startup":
                self.sleep(_LOOK_AGAIN_S)
        if ready and state != "ready":
            config = ConfigFile(self.work_dir / process.CONFIG)
            lacking = unsupported.lacking(config, host_messages.read(self.host.klippy), message)
            if lacking:
                raise _LackingError(lacking)
            raise SessionError(f"Klippy is not ready ({state}): {_advised(message)}")
        self._name_unanswered()

    def _info(self) -> Tuple[str, str]:
        result = self._request("info", {})["result"]
        return result["state"], result["state_message"]

    def _request(
        self, method: str, params: Dict[str, Any], timeout_s: float = _REQUEST_TIMEOUT_S
    ) -> Dict[str, Any]:
        number = self._api.send(method, params)

        def is_over() -> bool:
            self._receive()
            return number in self._responses or not self._api.is_open

        self._run_until(is_over, timeout_s, f"answer to {method} {params}")
        if number not in self._responses:
            what = textwrap.shorten(f"{method} {params}", _NAMED_CHARACTERS)
            raise ApiClosed(f"Klippy closed its API before answering {what}")
        return self._responses.pop(number)

    def _receive(self) -> None:
        for message in self._api.receive():
            if message.get("method") == _OUTPUT_METHOD:
                self._output.append(message["params"]["response"])
                self._listener(message["params"]["response"])
            elif "id" in message:
                self._responses[message["id"]] = message

    def _run_until(self, is_over: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Let time pass until something is so; it is looked at whenever Klippy has spoken."""
        deadline_s = _on_clock(self.now_s() + timeout_s)
        while not is_over():
            if self._now_s >= deadline_s:
                what = textwrap.shorten(what, _NAMED_CHARACTERS)
                raise SessionError(f"no {what} within {timeout_s:g} s of virtual time")
            pause_s = timeout_s if self._api.is_open else _LOOK_AGAIN_S
            if not self._api.is_sent:
                pause_s = _SEND_ON_S
            self._wait(min(self._now_s + pause_s, deadline_s))

    def _wait(self, until_s: float) -> None:
        if self._agenda:
            until_s = min(until_s, self._agenda[0][0])
        _, self._now_s = self._guarded(lambda: self._control.wait(until_s))
        self._receive()
        while self._agenda and self._agenda[0][0] <= self._now_s:
            _, _, action = heapq.heappop(self._agenda)
            action()

    def _guarded(self, action: Callable[[], Answer]) -> Answer:
        """Do something on the control socket; say why the process has ended if it has."""
        try:
            return action()
        except ConnectionLost:
            raise SessionError(self._obituary()) from None

    def _obituary(self) -> str:
        assert self._process is not None
        parts = [f"Klippy ended with code {self._end_process(self._process)}"]
        report = self._text(process.REPORT).splitlines()
        report = [line for line in report if not line.startswith(_REPORT_NOTE)]
        parts += report
        # The report goes to the output too
        for what, name in (("output", process.OUTPUT), ("log", process.LOG)):
            lines = self._text(name).strip().splitlines()[-_TAIL_LINES:]
            if lines and not (report and name is process.OUTPUT):
                parts += [f"end of its {what}:", *lines]
        return "\n".join(parts)

    @staticmethod
    def _end_process(ending: "subprocess.Popen[bytes]") -> int:
        try:
            return ending.wait(_EXIT_TIMEOUT_REAL_S)
        except subprocess.TimeoutExpired:
            ending.kill()
            return ending.wait()

    def _text(self, name: Path) -> str:
        path = self.work_dir / name
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _advised(message: str) -> str:
    """Return what Klippy says, without its advice to flash firmware, of which there is none."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines or "Protocol error" not in lines[0]:
        return message.strip()
    return f"the virtual firmware lacks something: {lines[-1]}"


def _on_clock(time_s: float) -> float:
    """Return a time that the clock, which counts ns, can show exactly."""
    return round(time_s, 9)
