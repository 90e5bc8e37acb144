# A CAN interface of the kernel, such as vcan0, as the host's side of a simulated bus
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import socket
import struct
from typing import Any

from virtual_printer.model import MachineError
from virtual_printer.simulation_library import FFI

# How the kernel passes frames: identifier, size, padding, data
_CLASSIC_FRAME = struct.Struct("=IB3x8s")
_FD_FRAME = struct.Struct("=IB3x64s")


class CanInterface:
    """Passes frames between the kernel's interface and the simulated bus of the same name."""

    def __init__(self, library: Any, simulation: Any, name: str, is_fd: bool) -> None:
        self._library, self._simulation = library, simulation
        try:
            self._socket = socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW)
            self._socket.bind((name,))
        except OSError as error:
            raise MachineError(f"no CAN interface '{name}' ({error.strerror})") from None
        self._socket.setblocking(False)
        self._port = library.can_socket_open(simulation)
        bus = library.simulation_find_can_bus(simulation, name.encode())
        library.can_socket_bind(simulation, self._port, bus)
        if is_fd:
            self._socket.setsockopt(socket.SOL_CAN_RAW, socket.CAN_RAW_FD_FRAMES, 1)
            library.can_socket_set(simulation, self._port, library.CAN_SOCKET_FD, 1)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._socket.fileno()

    def close(self) -> None:
        """Leave the interface."""
        self._socket.close()

    def receive(self, now_ns: int) -> None:
        """Take one frame from the kernel."""
        data = self._socket.recv(_FD_FRAME.size)
        is_fd = len(data) == _FD_FRAME.size
        identifier, size, payload = (_FD_FRAME if is_fd else _CLASSIC_FRAME).unpack(data)
        values = {"id": identifier, "size": size, "is_fd": is_fd, "data": payload}
        message = FFI.new("struct can_message *", values)
        # A full queue loses frames, as that of any interface does
        self._library.can_socket_write(self._simulation, self._port, message, now_ns)

    def deliver(self) -> None:
        """Hand what has come over the bus to the kernel."""
        message = FFI.new("struct can_message *")
        while self._library.can_socket_read(self._simulation, self._port, message):
            frame = _FD_FRAME if message.is_fd else _CLASSIC_FRAME
            try:
                self._socket.send(frame.pack(message.id, message.size, bytes(message.data)))
            except (BlockingIOError, InterruptedError):
                pass
