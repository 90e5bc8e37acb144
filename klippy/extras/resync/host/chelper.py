# Build, load and check the C helper
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import hashlib
import logging
import os
import platform
import subprocess
import tempfile
from typing import Dict, List, Protocol, Sequence, Tuple

import cffi

from ..model.klippy import CLibrary, Ffi, StepperKinematics, Trapq
from .contract import HOST_HEADERS

# The extra is linked into the host's extras/, its C source stays beside it
EXTRAS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
SOURCE = os.path.join(EXTRAS, "..", "chelper", "kin_resync.c")
# A digest of all that is before it, at the end of the library
SEAL_SIZE = hashlib.sha256().digest_size
COMPILER = "gcc"
COMPILE_ARGS = ("-Wall", "-g", "-O2", "-shared", "-fPIC")
DEFINITIONS = """
    struct stepper_kinematics *resync_stepper_alloc(double distance);
    void resync_stepper_renew(struct stepper_kinematics *sk, double distance);
    void resync_stepper_free(struct stepper_kinematics *sk);
    int resync_layout_agrees(struct stepper_kinematics *x
        , struct stepper_kinematics *other_x
        , struct stepper_kinematics *y, double commanded_pos
        , struct trapq *tq, double print_time, double move_t
        , double start_x, double axes_r_x);
"""


class HelperLibrary(Protocol):
    """What DEFINITIONS declare."""

    def resync_stepper_alloc(self, distance: float) -> object: ...
    def resync_stepper_renew(self, sk: object, distance: float) -> None: ...
    def resync_stepper_free(self, sk: object) -> None: ...
    def resync_layout_agrees(self, *values: object) -> int: ...


class HelperFfi(Ffi, Protocol):
    """Our own end of cffi."""

    NULL: object

    def cdef(self, csource: str) -> None: ...
    def dlopen(self, name: str) -> HelperLibrary: ...


class HelperError(Exception):
    """The C helper cannot be used; the text says in one line what to do."""


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError as e:
        raise HelperError("the C helper needs the file '%s': %s" % (path, e.strerror)) from e


def _library_path(host_chelper: str) -> str:
    """Where the library for this host's headers lies; other headers, other file."""
    command = (COMPILER, *COMPILE_ARGS, platform.machine())
    digest = hashlib.sha256(" ".join(command).encode())
    for path in [SOURCE] + [os.path.join(host_chelper, h) for h in HOST_HEADERS]:
        digest.update(_read(path))
    name = "kin_resync-%s.so" % (digest.hexdigest()[:16],)
    return os.path.join(os.path.dirname(SOURCE), name)


def _is_whole(path: str) -> bool:
    """Whether a library is there, and all of it as it was built.

    To load one that is cut off may end the host's process.
    """
    try:
        with open(path, "rb") as f:
            content = f.read()
    except OSError:
        return False
    return hashlib.sha256(content[:-SEAL_SIZE]).digest() == content[-SEAL_SIZE:]


def _run(command: List[str]) -> None:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Its errors are looked for in English
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except OSError as e:
        raise HelperError(
            "cannot build the C helper: no compiler '%s' (%s), install it with"
            " 'sudo apt install gcc libc6-dev'" % (command[0], e.strerror)
        ) from e
    if done.returncode:
        text = done.stdout.decode(errors="replace")
        logging.error("multi_mcu_resync: %s\n%s", " ".join(command), text)
        errors = [line for line in text.splitlines() if "error: " in line]
        raise HelperError("cannot build the C helper: %s" % ((errors or ["compiler failed"])[0],))


def _compile(host_chelper: str, folder: str) -> str:
    """Build the library in an empty folder; returns its path."""
    path = os.path.join(folder, "kin_resync.so")
    _run([COMPILER, *COMPILE_ARGS, "-iquote", host_chelper, "-o", path, SOURCE])
    with open(path, "r+b") as f:
        # Whoever loads a library does not look at what comes after its end
        f.write(hashlib.sha256(f.read()).digest())
    return path


def _build_into(path: str, host_chelper: str) -> None:
    """Build the library at a path, where nobody sees half a file."""
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path), suffix=".tmp") as folder:
        # Two hosts may start at once
        os.replace(_compile(host_chelper, folder), path)


def build(host_chelper: str) -> str:
    """Compile the C helper against the host's headers unless that is done.

    host_chelper is the folder of the host's own C helper.  Returns the
    library's path; raises HelperError.
    """
    path = _library_path(host_chelper)
    if not _is_whole(path):
        try:
            _build_into(path, host_chelper)
        except OSError as e:
            raise HelperError("cannot build the C helper: %s" % (e,)) from e
    return path


def _load(ffi: HelperFfi, host_chelper: str) -> HelperLibrary:
    """The library, built once more if it cannot be loaded; raises HelperError."""
    path = _library_path(host_chelper)
    error = None
    if _is_whole(path):
        try:
            return ffi.dlopen(path)
        except OSError as e:
            error = e
            logging.info("multi_mcu_resync: the C helper is built again: %s", e)
    try:
        _build_into(path, host_chelper)
        return ffi.dlopen(path)
    except OSError as e:
        error = e
    # Where we may not write, what was built goes once it is loaded
    try:
        with tempfile.TemporaryDirectory(suffix=".tmp") as folder:
            path_for_now = os.path.join(folder, os.path.basename(path))
            _build_into(path_for_now, host_chelper)
            return ffi.dlopen(path_for_now)
    except OSError as e:
        error = e
    raise HelperError(
        "cannot load the C helper: %s; allow the user who runs the host to write to '%s', and"
        " that disk to hold programs (no 'noexec')" % (error, os.path.dirname(path))
    ) from error


class Helper:
    """The loaded C helper, fit for the host whose ffi objects are given."""

    def __init__(self, host_chelper: str, host_ffi: Tuple[Ffi, CLibrary]) -> None:
        self._host_main, self._host_lib = host_ffi
        ffi: HelperFfi = cffi.FFI()
        ffi.cdef(DEFINITIONS)
        self._lib = _load(ffi, host_chelper)
        self._ffi = ffi
        # By stepper: the kinematics as an object of our ffi and of the host's
        self._kinematics: Dict[str, Tuple[object, StepperKinematics]] = {}
        self._check_layout()

    def new_kinematics(self, stepper_name: str, distance_mm: float) -> StepperKinematics:
        """Kinematics, as an object of the host's ffi, that go distance_mm (signed).

        A stepper gets the same ones again each time, as if they had never run.
        """
        if stepper_name not in self._kinematics:
            self._kinematics[stepper_name] = self._alloc_kinematics(distance_mm)
        own, host = self._kinematics[stepper_name]
        self._lib.resync_stepper_renew(own, distance_mm)
        return host

    def _alloc_kinematics(self, distance_mm: float) -> Tuple[object, StepperKinematics]:
        own = self._lib.resync_stepper_alloc(distance_mm)
        if own == self._ffi.NULL:
            raise MemoryError("no memory for the kinematics of a correction")
        address = int(self._ffi.cast("uintptr_t", own))
        host: StepperKinematics = self._host_main.cast("struct stepper_kinematics *", address)
        return own, self._host_main.gc(host, lambda _: self._lib.resync_stepper_free(own))

    def set_position(self, kinematics: StepperKinematics, coord: Sequence[float]) -> None:
        """Have kinematics of the host be at a coordinate (mm)."""
        self._host_lib.itersolve_set_position(kinematics, coord[0], coord[1], coord[2])

    def alloc_trapq(self) -> Trapq:
        """A move queue that the host does not know of."""
        return self._host_main.gc(self._host_lib.trapq_alloc(), self._host_lib.trapq_free)

    def append_carrier_move(self, trapq: Trapq, print_time: float, duration_s: float) -> None:
        """Queue the move along x, at constant speed, that carries our kinematics."""
        speed = 1.0 / duration_s
        start, direction = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0)
        self._host_lib.trapq_append(
            trapq, print_time, 0.0, duration_s, 0.0, *start, *direction, speed, speed, 0.0
        )

    def _to_own(self, kind: str, pointer: object) -> object:
        address = int(self._host_main.cast("uintptr_t", pointer))
        return self._ffi.cast(kind, address)

    def _check_layout(self) -> None:
        """Refuse a host whose library does not agree with its headers."""
        lib = self._host_lib
        axes = [
            self._host_main.gc(lib.cartesian_stepper_alloc(axis), lib.free)
            for axis in (b"x", b"x", b"y")
        ]
        lib.itersolve_set_position(axes[0], 3.25, 0.0, 0.0)
        trapq = self.alloc_trapq()
        start, direction = (1.0, 2.0, 3.0), (0.25, 0.5, 0.75)
        lib.trapq_append(trapq, 10.0, 0.0, 0.5, 0.0, *start, *direction, 4.0, 4.0, 0.0)
        own = [self._to_own("struct stepper_kinematics *", axis) for axis in axes]
        moves = self._to_own("struct trapq *", trapq)
        if not self._lib.resync_layout_agrees(*own, 3.25, moves, 10.0, 0.5, 1.0, 0.25):
            raise HelperError(
                "the host's C helper does not match its headers: delete"
                " klippy/chelper/c_helper.so and restart the host"
            )
