# Logs that are bad, rotated, compressed or long
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import gzip
import json
import os
import random
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from helpers.resync_logs import CONFIG, MOVE, long_log, stats, stats_mcu
from scripts.owner.report import command, files
from scripts.owner.report.archives import BLOCK_BYTES, Source
from scripts.owner.report.content import sections
from scripts.owner.report.files import Damage, LogError, Progress, in_order_of_time
from scripts.owner.report.log import Log
from scripts.owner.report.text import render

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "resync_report.py"
GOOD = stats(1.0, stats_mcu("mcu")) + "\n" + stats(2.0, stats_mcu("mcu", write=1500)) + "\n"


def run(monkeypatch, capsys, *arguments):
    """Exit code, output and errors of the report."""
    monkeypatch.setattr("sys.argv", ["resync_report", *map(str, arguments)])
    code = command.main()
    done = capsys.readouterr()
    return code, done.out, done.err


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "it is empty"),
        (bytes(range(256)) * 500, "nothing in it is Klipper's"),
        (b"Nov 20 12:00:00 host kernel: usb 1-1: reset\n" * 50, "nothing in it is Klipper's"),
        (b"x" * 3000000, "nothing in it is Klipper's"),
        (b"Stats of the game: won\nStats \nMCU 'x\n=====\n[a]\n", "nothing in it is Klipper's"),
        (gzip.compress(b""), "it is empty"),
    ],
    ids=["empty", "binary", "syslog", "one_line", "alike", "empty_gzip"],
)
def test_log_that_is_none_is_one_line(content, reason, tmp_path, monkeypatch, capsys):
    path = tmp_path / "klippy.log"
    path.write_bytes(content)
    code, out, err = run(monkeypatch, capsys, path)
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert err.startswith("resync_report: ")
    assert "'%s' is no klippy.log: %s" % (path, reason) in err


def test_missing_log_and_folder_are_one_line(tmp_path, monkeypatch, capsys):
    code, _, err = run(monkeypatch, capsys, tmp_path / "none.log")
    assert code == 1
    assert err == "resync_report: cannot read '%s': No such file or directory\n" % (
        tmp_path / "none.log",
    )
    code, _, err = run(monkeypatch, capsys, tmp_path)
    assert (code, err.count("\n")) == (1, 1)


def test_output_of_an_unknown_kind_ends_before_anything_is_read(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, capsys, tmp_path / "none.log", "-o", "report.pdf")
    assert ended.value.code == 2
    assert "'report.pdf' ends neither in .png nor in .html" in capsys.readouterr().err


def test_good_lines_between_bad_ones_are_reported_with_a_count(tmp_path):
    path = tmp_path / "klippy.log"
    bad = b"A" * 1200000 + b"\n" + b"\x00\xff\x00\n" + b"Stats 3.0: mcu: mcu_awake=\n"
    cut = b"Stats 4.0: gcodein=0 mcu: mcu_aw"
    path.write_bytes(bad + GOOD.encode() + b"\xff\xfe\n" + bad + cut)
    log = Log([str(path)])
    assert log.links["mcu"].total.written_bytes == 500
    assert log.damage.texts() == [
        "2 lines longer than 256 kB",
        "2 lines with binary data",
        "2 lines garbled",
        "1 line cut off at the end of a file",
    ]


@pytest.mark.parametrize("position", [0, 1000, BLOCK_BYTES - 300, BLOCK_BYTES - 1])
def test_line_across_two_blocks_is_read(position, tmp_path):
    path = tmp_path / "klippy.log"
    filler = (b"a line that does not matter\n" * 60000)[: max(0, position - 1)]
    path.write_bytes(filler + b"\n" + GOOD.encode())
    log = Log([str(path)])
    assert log.links["mcu"].total.written_bytes == 500
    assert log.damage.texts() == []


@pytest.mark.parametrize("length", [files.LONGEST_LINE_BYTES, files.LONGEST_LINE_BYTES + 1])
@pytest.mark.parametrize("before", [0, BLOCK_BYTES - 1000, BLOCK_BYTES // 2])
def test_length_alone_decides_whether_a_line_is_too_long(length, before, tmp_path):
    path = tmp_path / "klippy.log"
    filler = b"-" * 79 + b"\n" + b"b\n" * (before // 2)
    path.write_bytes(filler + b"c" * length + b"\n" + GOOD.encode())
    log = Log([str(path)])
    assert log.damage.long_lines == (length > files.LONGEST_LINE_BYTES)
    assert log.stats_lines == 2


def test_rotated_and_compressed_logs_are_one_log_in_the_order_of_time(tmp_path):
    names = ["klippy.log", "klippy.log.2026-11-19", "klippy.log.2026-11-18.gz"]
    times = dict(zip(names, (300.0, 200.0, 100.0)))
    for name, time_s in times.items():
        content = stats(time_s, stats_mcu("mcu", write=int(10 * time_s))).encode() + b"\n"
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    log = Log([str(tmp_path / name) for name in names])
    assert [os.path.basename(path) for path in log.paths] == names[::-1]
    assert log.links["mcu"].total[:2] == (200.0, 2000.0)


def in_order(names):
    return [source.path for source in in_order_of_time([Source(name) for name in names])]


def test_rotation_by_number_and_by_date_with_time_is_understood():
    names = ["klippy.log", "klippy.log.1", "klippy.log.10.gz", "klippy.log.2"]
    assert in_order(names) == [names[2], names[3], names[1], names[0]]
    dated = ["k.log.2026-11-19_10-00-00", "k.log.2026-11-19_09-00-00", "k.log"]
    assert in_order(dated) == [dated[1], dated[0], dated[2]]


def test_log_given_twice_is_read_once(tmp_path):
    path = tmp_path / "klippy.log"
    path.write_text(GOOD)
    assert Log([str(path), str(path)]).stats_lines == 2


def complete_lines(content):
    """Stats lines in what is there of a log, and of its last one only if it is whole."""
    return content.rpartition(b"\n")[0].count(b"\nStats ")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.999])
def test_cut_gzip_file_gives_all_that_can_be_read(share, tmp_path):
    path = tmp_path / "klippy.log.gz"
    packed = gzip.compress(long_log(3 << 20).encode())
    packed = packed[: int(share * len(packed))]
    path.write_bytes(packed)
    log = Log([str(path)])
    assert log.stats_lines == complete_lines(zlib.decompressobj(31).decompress(packed)) > 2
    assert "(damaged gzip file: it is cut off)" in log.damage.texts()[-1]


def test_gzip_file_is_read_up_to_the_byte_that_is_damaged(tmp_path):
    path = tmp_path / "klippy.log.gz"
    packed = bytearray(gzip.compress(long_log(3 << 20).encode()))
    half = len(packed) // 2
    before = complete_lines(zlib.decompressobj(31).decompress(packed[:half]))
    packed[half : half + 500] = b"\xa5" * 500
    path.write_bytes(packed)
    log = Log([str(path)])
    # What is damaged may look like text for a while
    assert log.stats_lines >= before
    assert "(damaged gzip file: " in log.damage.texts()[-1]


def test_wrong_checksum_of_a_gzip_file_costs_no_line(tmp_path):
    path = tmp_path / "klippy.log.gz"
    packed = bytearray(gzip.compress(GOOD.encode()))
    packed[-8] ^= 1
    path.write_bytes(packed)
    log = Log([str(path)])
    assert log.stats_lines == 2
    assert "incorrect data check" in log.damage.texts()[-1]


def test_gzip_file_of_several_members_and_zeros_is_one_log(tmp_path):
    path = tmp_path / "klippy.log.gz"
    path.write_bytes(b"".join(map(gzip.compress, GOOD.encode().splitlines(True))) + b"\0" * 999)
    log = Log([str(path)])
    assert (log.stats_lines, log.damage.texts()) == (2, [])


def packed_zip(path, method=zipfile.ZIP_DEFLATED):
    """A zip file with a rotated log, newest first, and something else."""
    old, new = GOOD.replace("Stats 1", "Stats 0"), stats(9.0, stats_mcu("mcu", write=9999)) + "\n"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("logs/", b"")
        archive.writestr("logs/klippy.log", new)
        archive.writestr("logs/klippy.log.2026-11-19.gz", gzip.compress(old.encode()))
        archive.writestr("logs/moonraker.log", "something else\n")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_zip_file_is_read_in_the_order_of_time(method, tmp_path):
    path = tmp_path / "logs.zip"
    packed_zip(path, method)
    log = Log([str(path)])
    names = ["logs/klippy.log.2026-11-19.gz", "logs/klippy.log", "logs/moonraker.log"]
    assert log.paths == ["%s in %s" % (name, path) for name in names]
    assert (log.stats_lines, log.elapsed_s) == (3, 9.0)
    assert log.damage.texts() == [
        "'%s' is no klippy.log: nothing in it is Klipper's" % log.paths[2]
    ]


def test_fault_in_a_zip_file_has_the_place_in_its_log(tmp_path):
    path = tmp_path / "logs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/klippy.log", GOOD + "Lost communication with MCU 'z1'\n")
    (case,) = Log([str(path)]).faults.kinds["lost communication"].cases
    assert case.place == "klippy.log:3"


def test_cut_zip_file_gives_all_that_can_be_read(tmp_path):
    path = tmp_path / "logs.zip"
    content = long_log(3 << 20).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("klippy.log.1", GOOD)
        archive.writestr("klippy.log", content)
    packed = path.read_bytes()
    path.write_bytes(packed[: len(packed) // 2])
    start = packed.index(b"klippy.log", packed.index(b"PK\x03\x04", 4)) + len("klippy.log")
    readable = zlib.decompressobj(-15).decompress(packed[start : len(packed) // 2])
    log = Log([str(path)])
    assert log.stats_lines == 2 + complete_lines(readable)
    assert log.stats_lines > 100
    assert [text for text in log.damage.texts() if "damaged zip file: it is cut off" in text]


def test_zip_file_that_needs_a_password_is_one_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "logs.zip"
    packed_zip(path)
    packed = bytearray(path.read_bytes())
    for i in range(len(packed) - 4):
        if packed[i : i + 4] == b"PK\x03\x04":
            packed[i + 6] |= 1
    path.write_bytes(packed)
    code, out, err = run(monkeypatch, capsys, path)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "it needs a password" in err


@pytest.mark.parametrize("seed", range(3))
def test_no_damage_to_a_zip_file_ends_in_a_traceback(seed, tmp_path):
    rng = random.Random(seed)
    path = tmp_path / "logs.zip"
    packed_zip(path)
    whole = path.read_bytes()
    for _ in range(40):
        bad = bytearray(whole)
        for _ in range(rng.randrange(1, 8)):
            bad[rng.randrange(4, len(bad))] = rng.randrange(256)
        path.write_bytes(bad[: rng.randrange(4, len(bad))] if rng.random() < 0.5 else bad)
        try:
            Log([str(path)])
        except LogError as e:
            assert str(path) in str(e)


def test_one_good_log_among_bad_ones_is_reported(tmp_path):
    good, other = tmp_path / "klippy.log", tmp_path / "syslog"
    good.write_text(GOOD)
    other.write_text("something else\n")
    log = Log([str(other), str(good)])
    assert log.stats_lines == 2
    assert log.damage.texts() == ["'%s' is no klippy.log: nothing in it is Klipper's" % (other,)]


@pytest.mark.parametrize("seed", range(4))
def test_no_garbage_in_a_log_ends_in_a_traceback(seed, tmp_path):
    rng = random.Random(seed)
    path = tmp_path / "klippy.log"
    parts = [stats_mcu("mcu"), stats_mcu("zboard", adj=64000123)]
    good = (CONFIG + "\n".join([stats(5.0, *parts), MOVE] * 3) + "\n").encode()
    pieces = [b"9" * 5000, b"0", b"-", b"nan", b"1e999", b"=", b":", b" ", b"\n", b"", b"\xe2\x82"]
    pieces += [b"Stats ", b"[", b"+0", b"\xd9\xa3", b"gear_ratio = 0:0\n"]
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 12)):
            start = rng.randrange(len(bad))
            bad[start : start + rng.randrange(20)] = rng.choice(pieces)
        path.write_bytes(bad)
        try:
            render(sections(Log([str(path)])))
        except LogError as e:
            assert str(path) in str(e)


def test_endless_names_do_not_fill_the_memory(tmp_path):
    path = tmp_path / "klippy.log"
    many = [stats(float(i), stats_mcu("board%d" % (i,))) for i in range(600)]
    many += [MOVE.replace("stepper_z1", "stepper_%d" % (i,)) for i in range(600)]
    path.write_text("\n".join(many) + "\n")
    log = Log([str(path)])
    assert len(log.links) <= 256
    assert len(log.moves.steppers) <= 256
    assert log.damage.garbled_lines == (600 - 256) + (600 - 255)


class Terminal:
    """Takes down what is written to it."""

    def __init__(self, is_terminal):
        self.text = ""
        self.isatty = lambda: is_terminal

    def write(self, text):
        self.text += text

    def flush(self):
        pass


@pytest.mark.parametrize("is_terminal, shown", [(True, "\rreading:  50 %"), (False, "")])
def test_long_read_tells_its_progress_on_a_terminal_only(is_terminal, shown, tmp_path, monkeypatch):
    now_s = [0.0]
    monkeypatch.setattr("scripts.owner.report.files.time.monotonic", lambda: now_s[0])
    path = tmp_path / "klippy.log"
    path.write_bytes(b"x" * 1000)
    terminal = Terminal(is_terminal)
    progress = Progress([str(path)], terminal)
    progress.at(100)
    assert terminal.text == ""
    now_s[0] = 3.0
    progress.at(500)
    assert terminal.text == shown
    progress.end()
    assert terminal.text.endswith("\r\x1b[K" if is_terminal else "")


def test_unreadable_file_is_a_log_error(tmp_path):
    with pytest.raises(LogError):
        list(files.lines_of(Source(str(tmp_path / "none")), Progress([]), Damage()))


# Runs the report and prints its CPU time (s) and peak memory (bytes)
MEASURE = """
import json, resource, sys
from scripts.owner.report.command import main
assert main() == 0
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss, in which the parent's memory at the fork counts
peak_kb = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([usage.ru_utime + usage.ru_stime, 1024 * int(peak_kb)]), file=sys.stderr)
"""
# The same for a command
TIME = """
import resource, subprocess, sys
subprocess.run(["sh", "-c", sys.argv[1]], check=True, stdout=subprocess.DEVNULL)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(usage.ru_utime + usage.ru_stime)
"""


def measure(path):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path)],
        env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stderr.splitlines()[-1])


def test_long_log_is_read_fast_and_in_constant_memory(tmp_path):
    short, long = tmp_path / "short.log.gz", tmp_path / "long.log.gz"
    content = long_log(8 << 20).encode()
    short.write_bytes(gzip.compress(content[: 2 << 20], 6))
    # What repeats is the text, the counters start afresh
    long.write_bytes(gzip.compress(content, 6) * 4)
    _, short_bytes = measure(short)
    cpu_s, long_bytes = min(measure(long) for _ in range(2))
    assert long_bytes < short_bytes + (4 << 20)
    command = [sys.executable, "-c", TIME, "zcat '%s' | wc -l" % (long,)]
    zcat_s = min(float(subprocess.check_output(command)) for _ in range(3))
    # Where zcat | wc -l manages 270 MB/s of such a log, 50 MB/s are a 5.4th. Twice as much for a
    # machine that does other things too: what they take of the caches costs Python more than zcat
    assert cpu_s < 5.4 * 2.0 * zcat_s


def test_text_needs_nothing_but_the_standard_library(tmp_path):
    path = tmp_path / "klippy.log"
    path.write_text(CONFIG + GOOD + MOVE + "\n")
    # Without site-packages and what the environment adds
    command = [sys.executable, "-S", "-E", str(SCRIPT), str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Link health" in done.stdout
    done = subprocess.run([*command, "-o", str(tmp_path / "x.png")], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sudo apt install python3-matplotlib" in done.stderr
    page = tmp_path / "x.html"
    done = subprocess.run([*command, "-o", str(page)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sudo apt install python3-matplotlib" in page.read_text(encoding="utf-8")


def test_file_is_written_instead_of_the_text_and_not_beside_it(tmp_path, monkeypatch, capsys):
    log, page = tmp_path / "klippy.log", tmp_path / "report.html"
    log.write_text(GOOD)
    # It takes its time to load
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = run(monkeypatch, capsys, log, "-o", page)
    assert (code, err, out.count("\n")) == (0, "", 1)
    assert out.startswith("Written: %s: nothing is wrong (" % (page,))


@pytest.mark.parametrize("reader", ["true", "head -1"])
def test_reader_that_has_seen_enough_is_no_error(reader, tmp_path):
    log = tmp_path / "klippy.log"
    # More than a pipe holds
    log.write_text(CONFIG + GOOD + "".join(many_moves(3000)))
    command = "'%s' '%s' '%s' | %s" % (sys.executable, SCRIPT, log, reader)
    shell = ["bash", "-c", "set -o pipefail; " + command]
    done = subprocess.run(shell, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def many_moves(count):
    for i in range(count):
        yield MOVE.replace("stepper_z1", "stepper_z%d" % (i % 200 + 1,)) + "\n"
