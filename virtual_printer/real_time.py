# Serves the simulation in real time: each MCU's device becomes a pseudo-terminal
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import ctypes
import os
import select
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Dict, List, Optional, Type

from virtual_printer import description, simulation_library
from virtual_printer.configfile import MachineError
from virtual_printer.model import Machine

_NS_PER_S = 1_000_000_000
_READ_SIZE = 4096
# Longest pause, so that an interruption is noticed soon
_PAUSE_S = 0.1


class Server:
    """A machine whose devices are pseudo-terminals; use it in a `with` statement

    Events happen at their own simulated times however late the process is; only what travels
    between host and MCU then comes later by as much.
    """

    def __init__(self, machine: Machine, folder: Path) -> None:
        path = description.write(machine, folder)
        self._library = simulation_library.load()
        error = ctypes.create_string_buffer(300)
        self._simulation = self._library.simulation_load(str(path).encode(), error, len(error))
        if not self._simulation:
            raise MachineError(f"{path}: {error.value.decode()}")
        self._start_ns = time.monotonic_ns()
        # Our side of each terminal: the MCU's link
        self._links: Dict[int, int] = {}
        # Their side stays open, so that a host may close it and come back
        self._theirs: List[int] = []
        self._devices: List[Path] = []
        self._machine = machine

    def __enter__(self) -> "Server":
        try:
            for mcu in self._machine.mcus:
                self._open(Path(mcu.device))
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the devices away"""
        for device in self._devices:
            device.unlink(missing_ok=True)
        for descriptor in [*self._links, *self._theirs]:
            os.close(descriptor)
        self._devices, self._links, self._theirs = [], {}, []
        if self._simulation:
            self._library.simulation_free(self._simulation)
            self._simulation = None

    def serve(self) -> None:
        """Serve until an exception comes, as KeyboardInterrupt does"""
        while True:
            now_ns = self._catch_up()
            due_ns = self._library.simulation_next_event(self._simulation)
            pause_s = min(max(due_ns - now_ns, 0) / _NS_PER_S, _PAUSE_S)
            readable = select.select(list(self._links), [], [], pause_s)[0]
            now_ns = self._catch_up()
            for descriptor in readable:
                data = os.read(descriptor, _READ_SIZE)
                link = self._links[descriptor]
                self._library.link_write(self._simulation, link, data, len(data), now_ns)

    def truth(self) -> List[str]:
        """Return every stepper's true pulses and position (mm), as NAME:PULSES:POSITION"""
        reply = ctypes.create_string_buffer(8192)
        self._library.simulation_control(
            self._simulation, self._now_ns(), b"steppers", reply, len(reply)
        )
        return reply.value.decode().split()[1:]

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def _open(self, device: Path) -> None:
        """Make a device: a link to a new terminal, in place of a link that leads nowhere"""
        if device.is_symlink() and not device.exists():
            device.unlink()
        ours, theirs = os.openpty()
        self._theirs.append(theirs)
        os.set_blocking(ours, False)
        tty.setraw(theirs)
        link = self._library.simulation_find_link(self._simulation, str(device).encode())
        self._links[ours] = link
        self._library.link_open(self._simulation, link, 0)
        try:
            device.parent.mkdir(parents=True, exist_ok=True)
            device.symlink_to(os.ttyname(theirs))
        except OSError as error:
            raise MachineError(f"{device}: cannot be made ({error.strerror})") from None
        self._devices.append(device)

    def _catch_up(self) -> int:
        """Let the simulation reach the present; hand over what its MCUs send on the way"""
        now_ns = self._now_ns()
        reached_ns = -1
        while reached_ns < now_ns:
            reached_ns = self._library.simulation_advance(self._simulation, now_ns)
            for descriptor, link in self._links.items():
                self._deliver(descriptor, link)
        return now_ns

    def _deliver(self, descriptor: int, link: int) -> None:
        size = self._library.link_readable(self._simulation, link)
        if not size:
            return
        buffer = ctypes.create_string_buffer(size)
        self._library.link_read(self._simulation, link, buffer, size)
        try:
            os.write(descriptor, buffer.raw)
        except BlockingIOError:
            # Nobody reads: it is lost, as on a port that nobody has opened
            pass
