# Unpack gzip and zip files, as far as they go
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Everything that comes before a cut or a damaged byte is read.

Python's gzip and zipfile give nothing of the block in which they meet an error, and zipfile needs
the list at the end of an archive, which a cut one lacks. Here zlib gets what is packed in small
pieces, and the entries of a cut archive are found by their own headers (APPNOTE.TXT, 4.3.7).
"""

import mmap
import os
import re
import struct
import zipfile
import zlib
from itertools import chain
from typing import IO, Callable, Iterable, Iterator, List, NamedTuple, Optional

BLOCK_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
_GZIP_MAGIC = b"\x1f\x8b"
_ZIP_MAGIC = b"PK\x03\x04"
# What zlib.decompressobj() takes for gzip, and for the bare data in a zip file
_GZIP_BITS, _BARE_BITS = 31, -15
# Version, flags, method, time, date, CRC, packed and unpacked size, length of name and extra field
_ENTRY = struct.Struct("<4s5H3I2H")
_STORED, _DEFLATED = 0, 8
_IS_ENCRYPTED, _SIZE_FOLLOWS = 1, 8
_NO_SIZE = 0xFFFFFFFF
_MOST_ENTRIES = 1000
# In the name of a log, rotated or not
LOG_MARK = ".log"

Note = Callable[[str], None]


class Source(NamedTuple):
    """A log: a file, or the entry of a zip file whose header is at start."""

    path: str
    entry: str = ""
    start: int = 0

    @property
    def label(self) -> str:
        """What the report calls it."""
        return "%s in %s" % (self.entry, self.path) if self.entry else self.path

    @property
    def name(self) -> str:
        """What places of lines in it begin with."""
        return os.path.basename(self.entry or self.path)


def sources(path: str, note: Note) -> List[Source]:
    """A file itself, or the logs in it if it is a zip file (all of it if none is called one).

    Raises OSError.
    """
    with open(path, "rb") as packed:
        if packed.read(len(_ZIP_MAGIC)) != _ZIP_MAGIC:
            return [Source(path)]
        try:
            entries = zipfile.ZipFile(packed).infolist()
        except (zipfile.BadZipFile, OSError, ValueError, struct.error):
            note("the rest of %s (damaged zip file: its list of files is missing)" % (path,))
            found = _entries_by_header(path)
        else:
            found = [Source(path, entry.filename, entry.header_offset) for entry in entries]
    found = [source for source in found if not source.entry.endswith("/")][:_MOST_ENTRIES]
    return [source for source in found if LOG_MARK in source.entry] or found


def _entries_by_header(path: str) -> List[Source]:
    found: List[Source] = []
    with open(path, "rb") as packed, mmap.mmap(packed.fileno(), 0, access=mmap.ACCESS_READ) as m:
        for mark in re.finditer(re.escape(_ZIP_MAGIC), m):
            header = m[mark.start() : mark.start() + _ENTRY.size]
            if len(header) < _ENTRY.size or len(found) == _MOST_ENTRIES:
                break
            fields = _ENTRY.unpack(header)
            after = mark.start() + _ENTRY.size
            name = m[after : after + fields[-2]].decode("utf-8", "replace")
            # The same four bytes may come about in what is packed
            if fields[3] in (_STORED, _DEFLATED) and name and name.isprintable():
                found.append(Source(path, name, mark.start()))
    return found


def blocks(source: Source, at: Callable[[int], None], note: Note) -> Iterator[bytes]:
    """What is in a log, in blocks of at most BLOCK_BYTES; raises OSError.

    at(position) is called on the way, note(what) for what cannot be read.
    """

    def damaged(kind: str) -> Note:
        return lambda why: note("the rest of %s (damaged %s file: %s)" % (source.label, kind, why))

    with open(source.path, "rb") as raw:
        chunks: Iterable[bytes]
        if source.entry:
            chunks = _entry_chunks(raw, source.start, damaged("zip"))
        else:
            chunks = _chunks(raw)
        for block in _without_gzip(chunks, damaged("gzip")):
            yield block
            at(raw.tell())


def _chunks(raw: IO[bytes], size: Optional[int] = None) -> Iterator[bytes]:
    while size is None or size > 0:
        chunk = raw.read(_CHUNK_BYTES if size is None else min(size, _CHUNK_BYTES))
        if not chunk:
            return
        yield chunk
        size = None if size is None else size - len(chunk)


def _entry_chunks(raw: IO[bytes], start: int, damaged: Note) -> Iterator[bytes]:
    raw.seek(start)
    header = raw.read(_ENTRY.size)
    if len(header) < _ENTRY.size or not header.startswith(_ZIP_MAGIC):
        damaged("an entry without a header")
        return
    _, _, flags, method, _, _, _, size, _, name_bytes, extra_bytes = _ENTRY.unpack(header)
    raw.seek(name_bytes + extra_bytes, os.SEEK_CUR)
    if flags & _IS_ENCRYPTED:
        damaged("it needs a password")
    elif method == _DEFLATED:
        yield from _inflated(_chunks(raw), _BARE_BITS, damaged)
    elif method == _STORED and not flags & _SIZE_FOLLOWS and size != _NO_SIZE:
        yield from _chunks(raw, size)
    else:
        damaged("packed in a way that is not known here, pack it again with 'zip'")


def _without_gzip(chunks: Iterable[bytes], damaged: Note) -> Iterator[bytes]:
    remaining = iter(chunks)
    first = next(remaining, b"")
    whole = chain([first] if first else [], remaining)
    return _inflated(whole, _GZIP_BITS, damaged) if first.startswith(_GZIP_MAGIC) else whole


def _inflated(chunks: Iterable[bytes], bits: int, damaged: Note) -> Iterator[bytes]:
    """Unpack; gzip files may have several members, one after the other."""
    stream = zlib.decompressobj(bits)
    for chunk in chunks:
        while chunk:
            if stream.eof:
                # Some programs fill up with zeros
                chunk = chunk.lstrip(b"\0")
                if bits == _BARE_BITS or not chunk:
                    break
                stream = zlib.decompressobj(bits)
            before = stream.copy()
            try:
                block = stream.decompress(chunk, BLOCK_BYTES)
            except zlib.error as e:
                yield _up_to_the_error(before, chunk)
                damaged(str(e).partition(": ")[2] or str(e))
                return
            if block:
                yield block
            chunk = stream.unused_data if stream.eof else stream.unconsumed_tail
        if stream.eof and bits == _BARE_BITS:
            return
    while not stream.eof:
        # What its input has given, but for the limit
        block = stream.decompress(b"", BLOCK_BYTES)
        if not block:
            damaged("it is cut off")
            return
        yield block


def _up_to_the_error(stream: "zlib._Decompress", chunk: bytes) -> bytes:
    blocks: List[bytes] = []
    try:
        for i in range(len(chunk)):
            blocks.append(stream.decompress(chunk[i : i + 1]))
    except zlib.error:
        pass
    return b"".join(blocks)
