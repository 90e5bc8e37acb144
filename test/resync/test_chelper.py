# The C helper: how it is built, and what it refuses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, List, NamedTuple

import cffi
import pytest
from resync.host import chelper

from virtual_printer import hosts

STRICT = ["-Wall", "-Wextra", "-Werror", "-std=gnu11", "-O1", "-g"]
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
DRIVER = r"""
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "itersolve.h"
#include "trapq.h"

struct stepper_kinematics *resync_stepper_alloc(double distance);
void resync_stepper_renew(struct stepper_kinematics *sk, double distance);
void resync_stepper_free(struct stepper_kinematics *sk);

int
main(void)
{
    struct stepper_kinematics *sk = resync_stepper_alloc(-2.5);
    struct move rest, carrier;
    memset(&rest, 0, sizeof(rest));
    memset(&carrier, 0, sizeof(carrier));
    rest.start_pos.x = 1.;
    carrier.axes_r.x = 1.;
    carrier.move_t = .02;
    double at = sk->calc_position_cb(sk, &carrier, 0.);
    if (sk->active_flags != AF_X || at || sk->calc_position_cb(sk, &rest, 5.) != -2.5)
        return 1;
    // Steadily from a standstill to a standstill: the peak of the acceleration is 5.78
    double way = 0., jolt = 2.5 * 5.78 / (1000. * 1000.);
    for (int i = 1; i <= 1000; i++) {
        double next = sk->calc_position_cb(sk, &carrier, carrier.move_t * i / 1000.);
        if (next > at)
            return 2;
        if (fabs(next - at - way) > jolt)
            return 5;
        way = next - at;
        at = next;
    }
    if (fabs(way) > jolt)
        return 6;
    sk->commanded_pos = at;
    sk->last_flush_time = sk->last_move_time = 5.;
    resync_stepper_renew(sk, 1.5);
    if (sk->commanded_pos || sk->last_flush_time || sk->last_move_time
        || sk->calc_position_cb(sk, &rest, 5.) != 1.5)
        return 4;
    resync_stepper_free(sk);
    return fabs(at + 2.5) < 1e-12 ? 0 : 3;
}
"""


@pytest.fixture(params=[host.name for host in hosts.available()])
def host_chelper(request):
    """The folder of a host's own C helper."""
    return str(hosts.find(request.param).klippy.resolve() / "chelper")


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A copy of the C source, so that what is built from it is thrown away."""
    copy = tmp_path / "kin_resync.c"
    shutil.copy(chelper.SOURCE, str(copy))
    monkeypatch.setattr(chelper, "SOURCE", str(copy))
    return copy


def test_helper_is_built_once_and_again_when_its_source_changes(source, host_chelper):
    first = chelper.build(host_chelper)
    built_ns = os.stat(first).st_mtime_ns
    assert chelper.build(host_chelper) == first
    assert os.stat(first).st_mtime_ns == built_ns
    source.write_text(source.read_text() + "\n// changed\n")
    assert chelper.build(host_chelper) != first


def test_helper_is_built_again_when_the_hosts_headers_change(source, host_chelper, tmp_path):
    headers = tmp_path / "chelper"
    shutil.copytree(host_chelper, str(headers))
    first = chelper.build(str(headers))
    with open(str(headers / "trapq.h"), "a") as f:
        f.write("\n// changed\n")
    assert chelper.build(str(headers)) != first


@pytest.mark.parametrize("umask, mode", [(0o022, 0o755), (0o002, 0o775), (0o077, 0o700)])
def test_library_may_be_read_by_all_whom_the_umask_lets(source, host_chelper, umask, mode):
    before = os.umask(umask)
    try:
        library = chelper.build(host_chelper)
    finally:
        os.umask(before)
    assert stat.S_IMODE(os.stat(library).st_mode) == mode


def sealed(content):
    return content + hashlib.sha256(content).digest()


def of_another_machine(content):
    """The same for AArch64, or for x86-64 if this is one: the ELF header names it."""
    machine = b"\x3e\x00" if platform.machine() == "aarch64" else b"\xb7\x00"
    return sealed(content[:18] + machine + content[20 : -chelper.SEAL_SIZE])


DAMAGES = {
    "empty": lambda content: b"",
    "cut off": lambda content: content[: len(content) // 2],
    "one byte short": lambda content: content[:-1],
    "overwritten": lambda content: content[:2000] + b"\xff" * 1000 + content[3000:],
    "another machine": of_another_machine,
    "no library": lambda content: sealed(b"no library"),
}


def load(host_chelper):
    ffi = cffi.FFI()
    ffi.cdef(chelper.DEFINITIONS)
    return chelper._load(ffi, host_chelper)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_library_is_built_anew(source, host_chelper, damage):
    library = Path(chelper.build(host_chelper))
    content = library.read_bytes()
    # Another file of that name, as this process may have loaded the first
    library.unlink()
    library.write_bytes(DAMAGES[damage](content))
    loaded = load(host_chelper)
    loaded.resync_stepper_free(loaded.resync_stepper_alloc(1.0))
    assert chelper._is_whole(str(library))
    # The loader is content with it too
    built_ns = library.stat().st_mtime_ns
    load(host_chelper)
    assert library.stat().st_mtime_ns == built_ns
    assert sorted(path.name for path in source.parent.iterdir()) == [library.name, source.name]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_library_without_a_compiler_is_an_error_that_names_it(
    source, host_chelper, monkeypatch, damage
):
    library = Path(chelper.build(host_chelper))
    library.write_bytes(DAMAGES[damage](library.read_bytes()))
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(chelper.HelperError, match="no compiler 'gcc'.*apt install"):
        load(host_chelper)


def test_library_is_built_elsewhere_where_nobody_may_write(
    source, host_chelper, tmp_path, monkeypatch
):
    monkeypatch.setattr(chelper, "_library_path", lambda folder: "/proc/self/kin_resync.so")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(elsewhere))
    library = load(host_chelper)
    library.resync_stepper_free(library.resync_stepper_alloc(1.0))
    assert list(elsewhere.iterdir()) == []
    with pytest.raises(chelper.HelperError, match="cannot build .*/proc/self"):
        chelper.build(host_chelper)


def test_library_that_can_be_loaded_from_nowhere_says_what_to_do(source, host_chelper):
    class Refusing:
        def dlopen(self, path):
            raise OSError("failed to map segment from shared object")

    for _ in range(2):
        with pytest.raises(chelper.HelperError, match="failed to map .*noexec") as error:
            chelper._load(Refusing(), host_chelper)
        assert "\n" not in str(error.value)
        assert str(source.parent) in str(error.value)
        # What was built before and cannot be loaded either
        chelper.build(host_chelper)


def test_missing_compiler_is_named(source, host_chelper, monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(chelper.HelperError, match="no compiler 'gcc'.*apt install"):
        chelper.build(host_chelper)


@pytest.mark.parametrize("header", chelper.HOST_HEADERS)
def test_missing_header_is_named(source, host_chelper, tmp_path, header):
    headers = tmp_path / "chelper"
    shutil.copytree(host_chelper, str(headers))
    (headers / header).unlink()
    with pytest.raises(chelper.HelperError, match=header.replace(".", r"\.")):
        chelper.build(str(headers))


def test_error_of_the_compiler_is_one_line_and_all_it_says_is_in_the_log(
    source, host_chelper, caplog
):
    source.write_text("int\none(void)\n{\n    nonsense();\n    return more;\n}\n")
    with pytest.raises(chelper.HelperError, match="kin_resync.c:[45].*error") as error:
        chelper.build(host_chelper)
    assert "\n" not in str(error.value)
    assert "kin_resync.so" in caplog.text and "kin_resync.c:5" in caplog.text


def test_failed_build_leaves_nothing_behind(source, host_chelper):
    source.write_text("nonsense\n")
    with pytest.raises(chelper.HelperError):
        chelper.build(host_chelper)
    assert [path.name for path in source.parent.iterdir()] == ["kin_resync.c"]


def test_profile_is_smooth_and_clean_under_sanitizers(tmp_path, host_chelper):
    driver = tmp_path / "driver.c"
    driver.write_text(DRIVER)
    program = str(tmp_path / "driver")
    command = ["gcc", *STRICT, *SANITIZE, "-iquote", host_chelper, "-o", program]
    subprocess.run([*command, str(driver), chelper.SOURCE, "-lm"], check=True)
    subprocess.run([program], check=True)


CHECK_LAYOUT = """
import importlib, os, sys
from resync.host import chelper
host_chelper = importlib.import_module(sys.argv[1])
try:
    chelper.Helper(os.path.dirname(host_chelper.__file__), host_chelper.get_ffi())
except chelper.HelperError as e:
    sys.exit("refused: %s" % (e,))
"""


class ThrowawayHost(NamedTuple):
    """A copy of a host's klippy folder, our source beside it, and how to check the two."""

    klippy: Path
    extras: Path
    command: List[str]
    environment: Dict[str, str]


@pytest.fixture(params=[host.name for host in hosts.available()])
def throwaway_host(request, tmp_path):
    host = hosts.find(request.param)
    klippy, extras = tmp_path / "klippy", tmp_path / "ours" / "extras"
    shutil.copytree(str(host.klippy.resolve()), str(klippy))
    shutil.copytree(os.path.dirname(chelper.SOURCE), str(tmp_path / "ours" / "chelper"))
    shutil.copytree(
        os.path.dirname(os.path.dirname(chelper.__file__)),
        str(extras / "resync"),
    )
    is_package = host.entry[0] == "-m"
    module = "klippy.chelper" if is_package else "chelper"
    command = [str(host.python), "-c", CHECK_LAYOUT, module]
    folders = [str(tmp_path if is_package else klippy), str(extras)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(folders)}
    return ThrowawayHost(klippy, extras, command, environment)


def load_helper(host):
    # From elsewhere: the project's own folder klippy/ is not the host's
    return subprocess.run(
        host.command, cwd=str(host.extras), env=host.environment, capture_output=True, text=True
    )


def test_layout_that_agrees_is_accepted(throwaway_host):
    done = load_helper(throwaway_host)
    assert (done.returncode, done.stderr) == (0, "")


def test_two_hosts_may_start_at_once(throwaway_host):
    folder = throwaway_host.extras.parent / "chelper"
    for library in folder.glob("*.so"):
        library.unlink()
    options = {"cwd": str(throwaway_host.extras), "env": throwaway_host.environment}
    started = [subprocess.Popen(throwaway_host.command, **options) for _ in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    assert len(list(folder.iterdir())) == 2
    assert load_helper(throwaway_host).returncode == 0


@pytest.mark.parametrize(
    "name, before, after",
    [
        ("itersolve.h", "double step_dist,", "double extra, step_dist,"),
        ("itersolve.h", "sk_calc_callback calc_pos", "void *extra; sk_calc_callback calc_pos"),
        ("itersolve.h", "int active_flags;", "double extra; int active_flags;"),
        ("trapq.h", "double print_time, move_t;", "double move_t, print_time;"),
        ("trapq.h", "struct coord start_pos, axes_r;", "struct coord axes_r, start_pos;"),
    ],
)
def test_layout_that_does_not_agree_is_refused(throwaway_host, name, before, after):
    header = throwaway_host.klippy / "chelper" / name
    library = throwaway_host.klippy / "chelper" / "c_helper.so"
    text = header.read_text()
    moved = text.replace(before, after, 1)
    assert moved != text
    header.write_text(moved)
    # The host itself is not to build its library from the new header
    os.utime(str(header), (0, 0))
    assert library.exists()
    done = load_helper(throwaway_host)
    assert done.stderr.startswith("refused: the host's C helper does not match its headers")
    assert done.returncode == 1
