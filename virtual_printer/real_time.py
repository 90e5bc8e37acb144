# Serves the simulation in real time: devices become pseudo-terminals, buses are the kernel's own
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import select
import time
import tty
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Union

from virtual_printer import description, simulation_library
from virtual_printer.can_interface import CanInterface
from virtual_printer.model import Machine, MachineError
from virtual_printer.resource import Resource
from virtual_printer.simulation_library import FFI

_NS_PER_S = 1_000_000_000
_READ_SIZE = 4096
# Longest pause, so that an interruption is noticed soon
_PAUSE_S = 0.1
_SHOW_EVERY_NS = 100_000_000


class Terminal:
    """A link's device: a symbolic link to a pseudo-terminal, whose other side is ours."""

    def __init__(self, library: Any, simulation: Any, device: Path) -> None:
        self._library, self._simulation = library, simulation
        self._device: Optional[Path] = None
        # Their side stays open, so that a host may close it and come back
        self._ours, self._theirs = os.openpty()
        os.set_blocking(self._ours, False)
        tty.setraw(self._theirs)
        self._link = library.simulation_find_link(simulation, str(device).encode())
        library.link_open(simulation, self._link, 0)
        try:
            self._make(device)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._ours

    def close(self) -> None:
        """Take the device away."""
        if self._device:
            self._device.unlink(missing_ok=True)
        for descriptor in (self._ours, self._theirs):
            os.close(descriptor)

    def receive(self, now_ns: int) -> None:
        """Take what the host has written."""
        data = os.read(self._ours, _READ_SIZE)
        self._library.link_write(self._simulation, self._link, data, len(data), now_ns)

    def deliver(self) -> None:
        """Hand what the MCU has sent to the host."""
        size = self._library.link_readable(self._simulation, self._link)
        if not size:
            return
        data = FFI.new("uint8_t[]", size)
        self._library.link_read(self._simulation, self._link, data, size)
        try:
            os.write(self._ours, FFI.buffer(data))
        except BlockingIOError:
            # Nobody reads: it is lost, as on a port that nobody has opened
            pass

    def _make(self, device: Path) -> None:
        """Make the link to the terminal, in place of a link that leads nowhere."""
        if device.is_symlink() and not device.exists():
            device.unlink()
        try:
            device.parent.mkdir(parents=True, exist_ok=True)
            device.symlink_to(os.ttyname(self._theirs))
        except OSError as error:
            raise MachineError(f"{device}: cannot be made ({error.strerror})") from None
        self._device = device


class Server(Resource):
    """A machine whose MCUs real hosts can reach; use it in a `with` statement.

    Events happen at their own simulated times however late the process is; only what travels
    between host and MCU then comes later by as much.
    """

    def __init__(self, machine: Machine, folder: Path) -> None:
        _check_devices(machine)
        path = description.write(machine, folder)
        self._library = simulation_library.load()
        error = FFI.new("char[]", 300)
        self._simulation = self._library.simulation_load(str(path).encode(), error, len(error))
        if not self._simulation:
            raise MachineError(f"{path}: {FFI.string(error).decode()}")
        self._start_ns = time.monotonic_ns()
        self._ports: List[Union[Terminal, CanInterface]] = []
        self._machine = machine

    def open(self) -> None:
        """Make the devices and join the buses."""
        host = (self._library, self._simulation)
        for mcu in self._machine.mcus:
            if mcu.device:
                self._ports.append(Terminal(*host, Path(mcu.device)))
        for bus in self._machine.can_buses:
            self._ports.append(CanInterface(*host, bus.name, bool(bus.data_rate)))

    def close(self) -> None:
        """Take the devices away and leave the buses."""
        for port in self._ports:
            port.close()
        self._ports = []
        if self._simulation:
            self._library.simulation_free(self._simulation)
            self._simulation = None

    def serve(
        self,
        note: Callable[[str], None] = lambda place: None,
        show: Optional[Callable[[Dict[str, Any]], None]] = None,
    ) -> None:
        """Serve until an exception comes, as KeyboardInterrupt does.

        `note` is called once with each place of a chip that nobody has modelled, `show` ten times
        a second with the truth.
        """
        noted: List[str] = []
        look_ns = show_ns = 0
        while True:
            now_ns = self._catch_up()
            if show is not None and now_ns >= show_ns:
                show_ns = now_ns + _SHOW_EVERY_NS
                show(self.whole_truth())
            if now_ns >= look_ns:
                look_ns = now_ns + _NS_PER_S
                for place in self._ask("unanswered"):
                    if place not in noted:
                        noted.append(place)
                        note(place)
            due_ns = self._library.simulation_next_event(self._simulation)
            pause_s = min(max(due_ns - now_ns, 0) / _NS_PER_S, _PAUSE_S)
            readable = select.select(self._ports, [], [], pause_s)[0]
            now_ns = self._catch_up()
            for port in readable:
                port.receive(now_ns)

    def truth(self) -> List[str]:
        """Return every stepper's true pulses and position (mm), as NAME:PULSES:POSITION."""
        return self._ask("steppers")

    def whole_truth(self) -> Dict[str, Any]:
        """Return where everything is (mm) and how warm (C), plain enough for JSON."""
        words = [word.split(":") for word in self._ask("steppers")]
        return {
            "time_s": self._now_ns() / _NS_PER_S,
            "toolhead": [float(word) for word in self._ask("carriage")],
            "steppers": {name: float(mm) for name, _, mm in words},
            "temperatures": {
                name: float(c) for name, c in (w.split(":") for w in self._ask("temperatures"))
            },
        }

    def _ask(self, request: str) -> List[str]:
        reply = FFI.new("char[]", 8192)
        self._library.simulation_control(
            self._simulation, self._now_ns(), request.encode(), reply, len(reply)
        )
        text: str = FFI.string(reply).decode()
        return text.split()[1:]

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def _catch_up(self) -> int:
        """Let the simulation reach the present; hand over what its MCUs send on the way."""
        now_ns = self._now_ns()
        reached_ns = -1
        while reached_ns < now_ns:
            reached_ns = self._library.simulation_advance(self._simulation, now_ns)
            for port in self._ports:
                port.deliver()
        return now_ns


def _check_devices(machine: Machine) -> None:
    """Refuse what only virtual time can keep apart: several MCUs of one device."""
    owners: Dict[str, str] = {}
    for mcu in machine.mcus:
        if mcu.device in owners:
            other = owners[mcu.device]
            raise MachineError(f"MCUs '{other}' and '{mcu.name}' have one device: '{mcu.device}'")
        if mcu.device:
            owners[mcu.device] = mcu.name
