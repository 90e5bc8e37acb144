# Compiles the virtual printer's C sources into a library, once for each version of them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import hashlib
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Dict, List

from virtual_printer import hosts

# simulation/ stands alone, virtual_time/ calls it
SOURCES = Path(__file__).resolve().parent / "src"
BUILDS = hosts.ENVIRONMENTS / "build"
FLAGS = ["-O2", "-g", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-pthread"]
SANITIZE_FLAGS = ["-fsanitize=address,undefined", "-fno-omit-frame-pointer"]
# Its own memory is counted (simulation/core/memory_use.c)
COUNTED = [f"-Wl,--wrap={name}" for name in ("malloc", "calloc", "realloc", "free")]
LIBRARIES = ["-ldl", "-lm", *COUNTED]


# What could not be built: a run of many tests is to fail at once, not compile for each of them
_failed: Dict[Path, "BuildError"] = {}


class BuildError(Exception):
    """The library cannot be built; the message is one line, `output` what the compiler said."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def _compiler() -> List[str]:
    return shlex.split(os.environ.get("CC", "")) or ["cc"]


def _digest(command: List[str], sources: Path) -> str:
    """Return a hash of all that the library's contents depend on."""
    digest = hashlib.sha256("\0".join(command).encode())
    for path in sorted(sources.rglob("*.[ch]")):
        digest.update(f"\0{path.relative_to(sources)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _compile(command: List[str], sources: Path, target: Path) -> None:
    """Compile into a file of its own, then rename it: parallel builds do not see half of one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, unfinished = tempfile.mkstemp(dir=str(target.parent), suffix=".so.tmp")
    os.close(handle)
    try:
        done = subprocess.run(
            [*command, "-o", unfinished],
            cwd=str(sources),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        if done.returncode:
            lines = done.stdout.splitlines()
            first = next((line for line in lines if "error" in line), "".join(lines[:1]))
            raise BuildError(f"cannot compile the virtual printer: {first}", done.stdout)
        os.chmod(unfinished, 0o755)
        os.replace(unfinished, str(target))
    except OSError as error:
        raise BuildError(f"no C compiler: cannot run '{command[0]}' ({error.strerror})") from error
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)


def library(sanitize: bool = False, sources: Path = SOURCES, builds: Path = BUILDS) -> Path:
    """Return the path of the compiled library, compiling it when its sources have changed."""
    flags = FLAGS + (SANITIZE_FLAGS if sanitize else [])
    # Relative, so that copies of the project share their builds
    files = [str(path.relative_to(sources)) for path in sorted(sources.rglob("*.c"))]
    if not files:
        raise BuildError(f"no C sources in {sources}")
    command = [*_compiler(), *flags, *files, *LIBRARIES]
    kind = "-sanitized" if sanitize else ""
    target = builds / f"virtual_printer-{_digest(command, sources)}{kind}.so"
    if target in _failed:
        raise _failed[target]
    if not target.exists():
        if sys.stderr.isatty():
            print(
                "virtual_printer: compiling the simulation (only once)", file=sys.stderr, flush=True
            )
        try:
            _compile(command, sources, target)
        except BuildError as error:
            _failed[target] = error
            raise
    return target
