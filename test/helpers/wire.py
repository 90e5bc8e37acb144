# Host side of the wire for tests: speaks to the simulation through its C interface
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""A small host: it frames commands, takes responses apart and retransmits nothing of its own."""

from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from virtual_printer import simulation_library
from virtual_printer.firmware import chips, dictionary
from virtual_printer.resource import Resource
from virtual_printer.simulation_library import FFI

MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
SYNC = 0x7E
FREQUENCY_HZ = 100_000_000
# An argument of a command
Value = Union[int, bytes]
CHIP = replace(chips.VIRTUAL, frequency_hz=FREQUENCY_HZ)

SIMULATION_SOURCES = simulation_library.SOURCES

# An acknowledgement has the name "ack"; sequence is the number that the block bears
Message = namedtuple("Message", ["time_ns", "sequence", "name", "values"])


def checksum(data: bytes) -> int:
    """Return the CRC-16 of a block's header and payload."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0x8408 if value & 1 else 0)
    return value


def frame(payload: bytes, sequence: int) -> bytes:
    """Return a block which carries the payload."""
    start = bytes([len(payload) + 5, 0x10 | sequence & 0x0F]) + payload
    return start + checksum(start).to_bytes(2, "big") + bytes([SYNC])


def encode_integer(value: int) -> bytes:
    """Return a number as it is written on the wire."""
    value = (value + (1 << 31)) % (1 << 32) - (1 << 31)
    groups = [value & 0x7F]
    while not -32 <= value < 96:
        value >>= 7
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def decode_integer(data: bytes, position: int) -> Tuple[int, int]:
    """Return the number at a position, and the position behind it."""
    byte = data[position]
    value = byte & 0x7F
    if value >= 96:
        value -= 128
    while byte & 0x80:
        position += 1
        byte = data[position]
        value = value << 7 | byte & 0x7F
    return value, position + 1


def split_blocks(data: bytearray) -> List[bytes]:
    """Take all whole blocks from the start of the data; they must be well formed."""
    blocks = []
    while data and len(data) >= data[0]:
        block = bytes(data[: data[0]])
        assert len(block) >= 5 and block[-1] == SYNC, block.hex()
        assert int.from_bytes(block[-3:-1], "big") == checksum(block[:-3]), block.hex()
        blocks.append(block)
        del data[: len(block)]
    return blocks


class LoadError(Exception):
    """The simulation refuses the description."""


class Simulation(Resource):
    """One simulation; use it in a `with` statement.

    Times are nanoseconds; `now_ns` is the time reached. `hosts` maps the name of each MCU
    to the `Host` on its link, which is open already.
    """

    def __init__(
        self,
        description: str,
        folder: Path,
        firmware: Optional[dictionary.Dictionary] = None,
    ) -> None:
        path = folder / "description.txt"
        path.write_text(description, encoding="utf-8")
        self.library = simulation_library.load()
        error = FFI.new("char[]", 300)
        self.pointer = self.library.simulation_load(str(path).encode(), error, len(error))
        if not self.pointer:
            raise LoadError(FFI.string(error).decode())
        self.now_ns = 0
        self.hosts: Dict[str, Host] = {}
        for line in description.splitlines():
            if line.startswith("mcu ") and "device=" in line:
                name = line.split()[1]
                self.hosts[name] = Host(self, device_path(name), firmware)

    def close(self) -> None:
        """Free the simulation."""
        self.library.simulation_free(self.pointer)

    def run_until(self, time_ns: int) -> None:
        """Let time pass; the hosts take what reaches them."""
        while self.now_ns < time_ns:
            self.now_ns = self.library.simulation_advance(self.pointer, time_ns)
            for host in self.hosts.values():
                host.take()

    def run(self, duration_s: float) -> None:
        """Let time pass, in seconds."""
        self.run_until(self.now_ns + round(duration_s * SECOND_NS))

    def control(self, request: str) -> str:
        """Return the reply to a request."""
        reply = FFI.new("char[]", 8192)
        self.library.simulation_control(
            self.pointer, self.now_ns, request.encode(), reply, len(reply)
        )
        text: str = FFI.string(reply).decode()
        return text

    def ask(self, request: str) -> List[str]:
        """Return the words of a reply, which must be "ok"."""
        state, *words = self.control(request).split(" ")
        assert state == "ok", " ".join(words)
        return words

    def pulses(self) -> Dict[str, int]:
        """Return the signed pulses of all steppers."""
        return {item.split(":")[0]: int(item.split(":")[1]) for item in self.ask("steppers")}

    def positions(self) -> Dict[str, float]:
        """Return the true positions (mm) of all steppers."""
        return {item.split(":")[0]: float(item.split(":")[2]) for item in self.ask("steppers")}

    def counters(self, mcu: str) -> Dict[str, str]:
        """Return the counters of one MCU."""
        pairs = (item.split("=") for item in self.ask("counters"))
        return {key[len(mcu) + 1 :]: value for key, value in pairs if key.startswith(mcu + ".")}


class Host:
    """The host's end of one link."""

    def __init__(
        self,
        simulation: Simulation,
        device: str,
        firmware: Optional[dictionary.Dictionary] = None,
    ) -> None:
        self.simulation = simulation
        self.library = simulation.library
        self.link = self.library.simulation_find_link(simulation.pointer, device.encode())
        self.sequence = 0
        self.received: List[Message] = []
        self.raw = bytearray()  # all bytes that ever arrived
        self._unread = bytearray()
        firmware = firmware or dictionary.build(CHIP)
        self.firmware = firmware
        self.commands = {
            text.split()[0]: (number, text) for text, number in firmware.commands.items()
        }
        self.responses = {number: text for text, number in firmware.responses.items()}
        self.strings = firmware.enumerations["static_string_id"]
        self.open()

    def open(self) -> None:
        """Open the device."""
        self.library.link_open(self.simulation.pointer, self.link, self.simulation.now_ns)

    def close(self) -> None:
        """Close the device."""
        self.library.link_close(self.simulation.pointer, self.link, self.simulation.now_ns)

    def encode(self, name: str, *values: Value) -> bytes:
        """Return a command as a part of a payload."""
        number, text = self.commands[name]
        assert len(values) == len(text.split()) - 1, text
        return b"".join(_encode_value(value) for value in (number, *values))

    def write(self, data: bytes) -> None:
        """Write bytes as they are."""
        now_ns = self.simulation.now_ns
        self.library.link_write(self.simulation.pointer, self.link, data, len(data), now_ns)

    def send_payload(self, payload: bytes) -> None:
        """Send a block with the next sequence number."""
        self.write(frame(payload, self.sequence))
        self.sequence += 1

    def send(self, name: str, *values: Value) -> None:
        """Send one command in a block of its own."""
        self.send_payload(self.encode(name, *values))

    def take(self) -> None:
        """Take what has arrived."""
        size = self.library.link_readable(self.simulation.pointer, self.link)
        if not size:
            return
        data = FFI.new("uint8_t[]", size)
        assert self.library.link_read(self.simulation.pointer, self.link, data, size) == size
        self.accept(bytes(data))

    def accept(self, data: bytes) -> None:
        """Take bytes that have arrived."""
        self.raw += data
        self._unread += data
        for block in split_blocks(self._unread):
            self.received.append(self._decode(block))

    def _decode(self, block: bytes) -> Message:
        """Take a block apart."""
        payload, position = block[2:-3], 0
        name, values = "ack", {}  # type: str, Dict[str, Any]
        if payload:
            number, position = decode_integer(payload, 0)
            name, *parameters = self.responses[number].split()
            for parameter in parameters:
                key, kind = parameter.split("=")
                values[key], position = _decode_value(payload, position, kind)
            assert position == len(payload)
        return Message(self.simulation.now_ns, block[1] & 0x0F, name, values)

    def ask(self, response: str, name: str, *values: Value, wait_s: float = 0.02) -> Dict[str, Any]:
        """Send a command and return the values of the response to it."""
        before = len(self.received)
        self.send(name, *values)
        self.simulation.run(wait_s)
        for message in self.received[before:]:
            if message.name == response:
                return message.values
        raise AssertionError(f"no {response}, but {self.received[before:]}")

    def all(self, name: str) -> List[Message]:
        """Return all messages of a name."""
        return [message for message in self.received if message.name == name]

    def clock(self) -> int:
        """Return a clock of the MCU a moment ago."""
        return self.ask("clock", "get_clock")["clock"]

    def position(self, oid: int) -> int:
        """Return the position (steps) that the MCU counts for a stepper."""
        return self.ask("stepper_position", "stepper_get_position", oid)["pos"]

    def configure(self, commands: Sequence[Tuple[Union[str, Value], ...]], count: int = 20) -> None:
        """Send a configuration: (name, values...) for each command."""
        self.send("allocate_oids", count)
        for name, *values in commands:
            self.send(str(name), *values)
        self.send("finalize_config", 4711)
        self.simulation.run(0.05)
        assert not self.all("shutdown"), self.shutdown_reason()

    def shutdown_reason(self) -> Optional[str]:
        """Return why the MCU has shut down, None if it has not."""
        messages = self.all("shutdown")
        if not messages:
            return None
        number = messages[0].values["static_string_id"]
        return next(text for text, value in self.strings.items() if value == number)


def _encode_value(value: Value) -> bytes:
    if isinstance(value, bytes):
        return bytes([len(value)]) + value
    return encode_integer(int(value))


def _decode_value(payload: bytes, position: int, kind: str) -> Tuple[Union[int, bytes], int]:
    """Return an argument of a response, and the position behind it."""
    if kind.endswith("s"):
        end = position + 1 + payload[position]
        return payload[position + 1 : end], end
    value, position = decode_integer(payload, position)
    return (value if kind in ("%i", "%hi") else value & 0xFFFFFFFF), position


def device_path(mcu: str) -> str:
    """Return the path of the device of an MCU."""
    return f"/dev/virtual/{mcu}"


def describe(
    folder: Path,
    lines: Sequence[str] = (),
    mcus: Optional[Mapping[str, str]] = None,
    links: Optional[Mapping[str, str]] = None,
    seed: int = 1,
    firmware: Optional[dictionary.Dictionary] = None,
) -> str:
    """Return a description with one MCU "main", or with those given by name and further keys.

    `links` maps names to the keys of a link; by default it takes 100 us each way. All have the
    same firmware, what every one has unless it is given.
    """
    built = firmware or dictionary.build(CHIP)
    blob = folder / "main.dict"
    blob.write_bytes(built.compressed)
    text = [f"seed {seed}"]
    for name, keys in (mcus or {"main": ""}).items():
        text.append(
            f"mcu {name} device={device_path(name)} frequency={FREQUENCY_HZ}"
            f" move_count=50 dictionary={blob} {keys}"
        )
        link = (links or {}).get(name, "to_mcu_us=100 to_host_us=100")
        text.append(f"link {name} {link}")
    text += [f"message * {message}" for message in built.messages()]
    return "\n".join([*text, *lines, ""])
