# Run a host in batch mode: G-code in, no micro-controller there, messages to a file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""What Klipper's own regression suite does, without its firmware builds.

The data dictionaries are made here, under the names of those builds.  Nobody
answers the host: every endstop triggers at the end of its move.
"""

import subprocess
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Dict, Mapping, Optional

from virtual_printer.firmware import chips, dictionary, host_messages
from virtual_printer.hosts import Host

# A run takes a second; a host that waits for an answer waits for good
TIMEOUT_S = 60.0


class BatchError(Exception):
    """A batch run that cannot be made or does not end; the message is one line."""


@dataclass(frozen=True)
class BatchRun:
    """What a host did with a config and G-code: its exit code and its log."""

    exit_code: int
    log: str


def dictionary_text(name: str, host: Optional[Host] = None) -> str:
    """The data dictionary of a firmware build such as "stm32f446.dict", in JSON.

    It has the messages that the host speaks, or all if it is not known which that will be.
    """
    chip = chips.find(name)
    if chip is None:
        raise BatchError("no chip of the kind of '%s'" % (name,))
    spoken = host_messages.read(host.klippy) if host else None
    built = dictionary.build(replace(chip, name=name.split(".")[0]), host=spoken)
    return zlib.decompress(built.compressed).decode("ascii")


def run(
    host: Host, config: Path, gcode: str, dictionaries: Mapping[str, str], folder: Path
) -> BatchRun:
    """Run G-code on a host that has read a config.

    dictionaries names the firmware build of each micro-controller ("mcu" for
    the main one); all files are written into the folder.  Raises BatchError.
    """
    gcode_file, log_file = folder / "batch.gcode", folder / "batch.log"
    gcode_file.write_text(gcode, encoding="utf-8")
    options = ["-i", str(gcode_file), "-o", str(folder / "batch.out"), "-l", str(log_file)]
    for mcu, path in _write_dictionaries(host, dictionaries, folder).items():
        options += ["-d", str(path) if mcu == "mcu" else "%s=%s" % (mcu, path)]
    command = [str(host.python), *host.entry, str(config), *options]
    try:
        # Not in the project's folder: a host that is a package is called klippy too
        done = subprocess.run(
            command,
            cwd=str(folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as e:
        raise BatchError("%s did not end within %.0f s" % (host.name, TIMEOUT_S)) from e
    log = log_file.read_text(encoding="utf-8") if log_file.exists() else ""
    return BatchRun(done.returncode, log + done.stdout.decode(errors="replace"))


def _write_dictionaries(
    host: Host, dictionaries: Mapping[str, str], folder: Path
) -> Dict[str, Path]:
    paths = {}
    for mcu, name in dictionaries.items():
        paths[mcu] = folder / name
        paths[mcu].write_text(dictionary_text(name, host), encoding="utf-8")
    return paths
