# Host side of a CAN bus for tests: speaks to the simulation through its C interface
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""A simulation with CAN buses, and the reference by which frames are measured."""

from collections import namedtuple
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple

from helpers import wire
from virtual_printer.firmware import dictionary
from virtual_printer.simulation_library import FFI

EXTENDED = 0x80000000
REMOTE = 0x40000000
ADMIN, ADMIN_RESPONSE = 0x3F0, 0x3F1
QUERY_UNASSIGNED, SET_NODE = 0x00, 0x01
RATE = 1_000_000
LOOPBACK, OWN_MESSAGES, FD = "CAN_SOCKET_LOOPBACK", "CAN_SOCKET_OWN_MESSAGES", "CAN_SOCKET_FD"

Frame = namedtuple("Frame", ["time_ns", "id", "data"])


# The reference: bit by bit after the standard, one bit at a time as text


def crc_15(bits: str) -> int:
    """Return the checksum of classic frames."""
    value = 0
    for bit in bits:
        value = value << 1 ^ (0x4599 if (value >> 14 & 1) != int(bit) else 0)
        value &= 0x7FFF
    return value


def stuffed(bits: str) -> str:
    """Return the bits with one of the other kind behind each five alike."""
    sent = ""
    for bit in bits:
        sent += bit
        if sent.endswith(bit * 5):
            sent += "10"[int(bit)]
    return sent


def classic_bits(identifier: int, data: bytes, remote_size: Optional[int] = None) -> int:
    """Return the length of a classic frame with the three bits that part it from the next."""
    remote = "0" if remote_size is None else "1"
    size = f"{len(data) if remote_size is None else remote_size:04b}"
    if identifier & EXTENDED:
        number = f"{identifier & 0x1FFFFFFF:029b}"
        head = f"0{number[:11]}11{number[11:]}{remote}00{size}"
    else:
        head = f"0{identifier:011b}{remote}00{size}"
    body = head + "".join(f"{byte:08b}" for byte in data)
    return len(stuffed(body + f"{crc_15(body):015b}")) + len("1A1EEEEEEEiii")


def fd_bits(identifier: int, data: bytes) -> Tuple[int, int]:
    """Return how many bits of an FD frame, with those that part it from the next, go slow and fast.

    The data's size must be one that FD frames have.
    """
    slow = f"0{identifier:011b}00" + "101"
    code = [*range(9), 12, 16, 20, 24, 32, 48, 64].index(len(data))
    fast = f"0{code:04b}" + "".join(f"{byte:08b}" for byte in data)
    # A bit stuffed behind the last one is due only if another one follows
    sent = stuffed((slow + fast)[:-1]) + fast[-1]
    slow_sent = stuffed(slow[:-1]) + slow[-1]
    checksum = 4 + (17 if len(data) <= 16 else 21)
    fixed = 1 + checksum // 4
    return (
        len(slow_sent) + len("A1EEEEEEEiii"),
        len(sent) - len(slow_sent) + checksum + fixed + len("D"),
    )


class Bus:
    """A socket of the host's on a bus of a simulation."""

    def __init__(self, simulation: wire.Simulation, name: str = "can0") -> None:
        self.simulation, self.name = simulation, name
        self.library = simulation.library
        index = self.library.simulation_find_can_bus(simulation.pointer, name.encode())
        assert index >= 0
        self.socket = self.library.can_socket_open(simulation.pointer)
        self.library.can_socket_bind(simulation.pointer, self.socket, index)
        self.taken: List[Frame] = []

    def set(self, option: str, value: int) -> None:
        """Set one of the options of can_message.h."""
        number = getattr(self.library, option)
        self.library.can_socket_set(self.simulation.pointer, self.socket, number, value)

    def filter(self, *pairs: Tuple[int, int]) -> None:
        """Let these identifiers through, each under its mask."""
        filters = FFI.new("struct can_rule[]", pairs)
        self.library.can_socket_filter(self.simulation.pointer, self.socket, filters, len(pairs))

    def write(self, identifier: int, data: bytes = b"", is_fd: bool = False, size: int = -1) -> int:
        """Send a frame now; return 0 or an errno."""
        size = len(data) if size < 0 else size
        values = {"id": identifier, "size": size, "is_fd": is_fd, "data": data}
        message = FFI.new("struct can_message *", values)
        now_ns = self.simulation.now_ns
        return self.library.can_socket_write(self.simulation.pointer, self.socket, message, now_ns)

    def read(self) -> List[Frame]:
        """Return what has come."""
        found, message = [], FFI.new("struct can_message *")
        while self.library.can_socket_read(self.simulation.pointer, self.socket, message):
            data = bytes(message.data)
            assert not any(data[message.size :])
            found.append(Frame(message.time_ns, message.id, data[: message.size]))
        return found

    def take(self) -> None:
        """Keep what has come in `taken`: a socket has no room for very much."""
        self.taken += self.read()

    def counters(self) -> Dict[str, str]:
        """Return the counters of the bus and its stations."""
        pairs = (item.split("=") for item in self.simulation.ask("can_counters"))
        start = self.name + "."
        return {key[len(start) :]: value for key, value in pairs if key.startswith(start)}

    def assign(self, node: int, uuid: int) -> None:
        """Assign a node id."""
        assert self.write(ADMIN, bytes([SET_NODE]) + uuid.to_bytes(6, "big") + bytes([node])) == 0


class NodeHost(wire.Host):
    """The host's end of the message protocol with one node."""

    def __init__(self, bus: Bus, node: int) -> None:
        self.bus, self.transmit_id = Bus(bus.simulation, bus.name), 0x100 + 2 * node
        self.bus.filter((self.transmit_id + 1, 0x7FF))
        super().__init__(bus.simulation, "none", dictionary_of(is_on_can=True))

    def open(self) -> None:
        """A socket is open from the start."""

    def write(self, data: bytes) -> None:
        """Write bytes, eight in a frame."""
        for start in range(0, len(data), 8):
            assert self.bus.write(self.transmit_id, data[start : start + 8]) == 0

    def take(self) -> None:
        """Take what has arrived."""
        for frame in self.bus.read():
            assert 0 < len(frame.data) <= 8
            self.accept(frame.data)


def dictionary_of(is_on_can: bool) -> dictionary.Dictionary:
    """Return the firmware that all MCUs of a description have."""
    return dictionary.build(wire.CHIP, is_on_can=is_on_can)


def describe(
    folder: Path,
    uuids: Sequence[int] = (),
    bus: str = f"bit_rate={RATE}",
    lines: Sequence[str] = (),
    seed: int = 1,
) -> str:
    """Return a description of a bus "can0" with nodes n0, n1 and so on.

    The adapter takes no time unless `bus` says so.
    """
    built = dictionary_of(is_on_can=True)
    blob = folder / "node.dict"
    blob.write_bytes(built.compressed)
    delays = "" if "to_bus_us" in bus else "to_bus_us=0 to_host_us=0"
    text = [f"seed {seed}", f"can_bus can0 {bus} {delays}"]
    for index, uuid in enumerate(uuids):
        text += [
            f"mcu n{index} frequency={wire.FREQUENCY_HZ} move_count=50 dictionary={blob}",
            f"link n{index} to_mcu_us=0 to_host_us=0",
            f"can_node n{index} bus=can0 uuid={uuid:012x}",
        ]
    messages = built.messages() if uuids else []
    return "\n".join([*text, *(f"message * {message}" for message in messages), *lines, ""])
