# Bring log files in as blocks of lines, with constant memory
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import re
import sys
import time
from typing import IO, Iterator, List, Sequence, Tuple

from .archives import LOG_MARK, Source, blocks, sources
from .document import counted

# A Stats line of a hundred MCUs has some 30 kB
LONGEST_LINE_BYTES = 1 << 18
# A last line without an end may lack digits of its last number; nobody misses others
_OURS = (b"Stats ", b"multi_mcu_resync: ")
_QUIET_S = 2.0
_REDRAW_S = 0.2


class LogError(Exception):
    """A log that no report can be made of."""


def _age(path: str) -> Tuple[int, float, str]:
    """Sort key of a rotated log's name, oldest first.

    Klippy appends a date (Kalico a time too), logrotate a number that grows
    with age; the log without either is the newest.
    """
    name = re.sub(r"\.(?:gz|zip)$", "", path)
    date = re.search(r"\.(\d{4}-\d\d-\d\d[\d_-]*)$", name)
    if date:
        return (0, 0.0, date.group(1))
    number = re.search(r"\.(\d{1,6})$", name)
    if number:
        return (1, -float(number.group(1)), "")
    return (2, 0.0, "")


def in_order_of_time(found: Sequence[Source]) -> List[Source]:
    """The files of a rotated log, oldest first."""
    return sorted(found, key=lambda source: _age(source.entry or source.path))


def find(paths: Sequence[str], damage: "Damage") -> List[Source]:
    """The logs at these paths, and those in zip files, each once and oldest first."""
    found: List[Source] = []
    for path in dict.fromkeys(one for given in paths for one in _in_folder(given)):
        try:
            inside = sources(path, damage.files.append)
        except OSError as e:
            raise _unreadable(path, e) from None
        if not inside:
            damage.files.append("'%s' is no klippy.log: it is empty" % (path,))
        found += inside
    return in_order_of_time(found)


def _in_folder(path: str) -> List[str]:
    """The logs in a folder: Klippy's, else all, else zip files; what is no folder itself."""
    if not os.path.isdir(path):
        return [path]
    try:
        found = sorted(os.listdir(path))
    except OSError as e:
        raise _unreadable(path, e) from None
    logs = [name for name in found if LOG_MARK in name]
    names = [name for name in logs if name.startswith("klippy")] or logs
    names = names or [name for name in found if name.endswith(".zip")]
    if not names:
        raise LogError("no log in the folder '%s': name a klippy.log" % (path,))
    return [os.path.join(path, name) for name in names]


def _unreadable(path: str, e: OSError) -> LogError:
    return LogError("cannot read '%s': %s" % (path, e.strerror or e))


class Damage:
    """What of the files could not be read, as counts."""

    def __init__(self) -> None:
        self.long_lines = 0
        self.binary_lines = 0
        self.garbled_lines = 0
        self.cut_lines = 0
        self.files: List[str] = []

    def texts(self) -> List[str]:
        """A phrase for each kind of damage there is."""
        counts = [
            (self.long_lines, "longer than %d kB" % (LONGEST_LINE_BYTES // 1024,)),
            (self.binary_lines, "with binary data"),
            (self.garbled_lines, "garbled"),
            (self.cut_lines, "cut off at the end of a file"),
        ]
        phrases = ["%s %s" % (counted(count, "line"), what) for count, what in counts if count]
        return phrases + self.files


class Progress:
    """Shows on a terminal how far a long read is."""

    def __init__(self, paths: Sequence[str], terminal: IO[str] = sys.stderr) -> None:
        self._terminal = terminal
        self._is_shown = terminal.isatty()
        self._total_bytes = sum(os.path.getsize(path) for path in paths if os.path.isfile(path))
        self._before_bytes = 0
        self._drawn_s = time.monotonic() + _QUIET_S - _REDRAW_S
        self._is_drawn = False

    def at(self, position_bytes: int) -> None:
        """Note how far the present file is read."""
        now_s = time.monotonic()
        if not self._is_shown or now_s < self._drawn_s + _REDRAW_S:
            return
        self._drawn_s = now_s
        self._is_drawn = True
        done = (self._before_bytes + position_bytes) / max(1, self._total_bytes)
        self._terminal.write("\rreading: %3.0f %%" % (min(100.0, 100.0 * done),))
        self._terminal.flush()

    def file_done(self, size_bytes: int) -> None:
        """Note the end of a file."""
        self._before_bytes += size_bytes

    def end(self) -> None:
        """Take the line off the terminal."""
        if self._is_drawn:
            self._terminal.write("\r\x1b[K")
            self._terminal.flush()


def _split(blocks: Iterator[bytes], damage: Damage) -> Iterator[List[bytes]]:
    rest = b""
    is_too_long = False
    for block in blocks:
        lines = block.split(b"\n")
        if len(lines) > 1 and is_too_long:
            # Its end; the line itself has been counted
            is_too_long = False
            del lines[0]
        elif not is_too_long:
            lines[0] = rest + lines[0]
        rest = lines.pop()
        if is_too_long or len(rest) > LONGEST_LINE_BYTES:
            damage.long_lines += not is_too_long
            is_too_long = True
            rest = b""
        yield _sound(lines, b"\0" in block, damage)
    damage.cut_lines += rest.startswith(_OURS)


def _sound(lines: List[bytes], is_binary: bool, damage: Damage) -> List[bytes]:
    """Lines without those of absurd length, and without those that hold binary data."""
    if max(map(len, lines), default=0) > LONGEST_LINE_BYTES:
        count = len(lines)
        lines = [line for line in lines if len(line) <= LONGEST_LINE_BYTES]
        damage.long_lines += count - len(lines)
    if is_binary:
        count = len(lines)
        lines = [line for line in lines if b"\0" not in line]
        damage.binary_lines += count - len(lines)
    return lines


def lines_of(source: Source, progress: Progress, damage: Damage) -> Iterator[List[bytes]]:
    """The complete lines of a log, in blocks; what is damaged is counted instead."""
    try:
        yield from _split(blocks(source, progress.at, damage.files.append), damage)
        if not source.entry:
            progress.file_done(os.path.getsize(source.path))
    except OSError as e:
        raise _unreadable(source.path, e) from None
