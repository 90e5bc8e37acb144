# What may be imported by whom beside the extra, and that all who read printer.cfg read it alike
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printer_config import motion, probes
from printer_config.config_file import ConfigFile
from printer_config.printed import PrintedConfig
from printer_config.section import ConfigError, Section
from scripts.owner.limits.axes import shared_axes
from scripts.owner.report.steppers import homing_steppers
from virtual_printer import machine
from virtual_printer.model import ProbeEndstop
from virtual_printer.samples import SamplePrinter

ROOT = Path(__file__).resolve().parents[1]
OWNER = ROOT / "scripts" / "owner"
PRINTER_CONFIG = ROOT / "printer_config"
STARTERS = sorted((ROOT / "scripts").glob("resync_*.py"))
# What is ours that each may import. The limits tool recommends the extra's own defaults
ALLOWED = {
    PRINTER_CONFIG: {"printer_config"},
    OWNER: {"scripts.owner", "scripts.output_file", "printer_config", "resync.model"},
}
# Where modules of ours are found by name
PLACES = (ROOT, ROOT / "scripts", ROOT / "klippy" / "extras", ROOT / "klippy", ROOT / "test")


def is_ours(name):
    top = name.partition(".")[0]
    return any((place / top).is_dir() or (place / (top + ".py")).is_file() for place in PLACES)


def imported_modules(source):
    """The modules that some code imports by their full names; what is relative has its dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module + "." if node.module else "")
            # What is imported from a package may be a module of it
            yield from (module + alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and re.match(r"virtual_printer\b", str(node.value)):
            # For import_module and its like
            yield node.value


def breaches(source, folder, depth=1):
    """What a module imports that it may not; it is as many folders deep in its own."""
    allowed = ALLOWED[folder]
    for name in imported_modules(source):
        if name.startswith("."):
            if len(name) - len(name.lstrip(".")) > depth:
                yield name
        elif is_ours(name) and not any((name + ".").startswith(one + ".") for one in allowed):
            yield name


MODULES = [(path, folder) for folder in ALLOWED for path in sorted(folder.rglob("*.py"))]
MODULES += [(path, OWNER) for path in STARTERS]


def depth_of(path, folder):
    return len(path.relative_to(folder).parts) if folder in path.parents else 0


@pytest.mark.parametrize(
    "path, folder", MODULES, ids=["%s/%s" % (path.parent.name, path.stem) for path, _ in MODULES]
)
def test_tools_import_no_virtual_printer(path, folder):
    source = path.read_text(encoding="utf-8")
    assert list(breaches(source, folder, depth_of(path, folder))) == []


@pytest.mark.parametrize(
    "folder, line",
    [
        (PRINTER_CONFIG, "from virtual_printer.pins import parse_pin"),
        (PRINTER_CONFIG, "from scripts.owner.limits import axes"),
        (PRINTER_CONFIG, "from resync.model import following_error"),
        (PRINTER_CONFIG, "from extras.resync.model import following_error"),
        (PRINTER_CONFIG, "from .. import virtual_printer"),
        (PRINTER_CONFIG, "from ..virtual_printer import pins"),
        (PRINTER_CONFIG, "from helpers.trees import listing"),
        (OWNER, "import virtual_printer.machine as machine"),
        (OWNER, "def f():\n    from virtual_printer import hosts"),
        (OWNER, "importlib.import_module('virtual_printer.hosts')"),
        (OWNER, "from resync.host import rails"),
        (OWNER, "import multi_mcu_resync"),
        (OWNER, "from scripts.developer import arguments"),
        (OWNER, "from scripts.developer.faults import run"),
        (OWNER, "from .... import virtual_printer"),
    ],
)
def test_breach_is_found(folder, line):
    assert list(breaches(line, folder)) != []


@pytest.mark.parametrize("starter", STARTERS, ids=lambda path: path.name)
def test_tool_runs_where_there_is_no_virtual_printer(starter, tmp_path):
    ignored = shutil.ignore_patterns("__pycache__")
    needed = [OWNER, PRINTER_CONFIG, ROOT / "klippy/extras/resync/model"]
    needed += [ROOT / "scripts/__init__.py", ROOT / "scripts/output_file.py"]
    for path in (*STARTERS, *needed):
        copy = tmp_path / "copy" / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(path, copy, ignore=ignored) if path.is_dir() else shutil.copy(path, copy)
    copy = tmp_path / "copy" / starter.relative_to(ROOT)
    done = subprocess.run(
        [sys.executable, "-S", "-E", str(copy), "--help"], capture_output=True, text=True, cwd="/"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert starter.name in done.stdout


# What is read


def printed(config_text):
    """A printer.cfg as Klippy has it in its log."""
    found = PrintedConfig()
    found.start()
    for line in config_text.splitlines():
        found.add_line(line.replace(": ", " = ", 1).encode())
    found.end()
    return found.config


def who_sees_a_probe(name, folder):
    """Which of the three users of a printer.cfg take a section for its probe."""
    text = SamplePrinter(probe="probe").printer_cfg().replace("[probe]", "[%s]" % (name,))
    path = folder / "printer.cfg"
    path.write_text(text)
    (z,) = shared_axes(ConfigFile(path))
    steppers = {stepper.name: stepper for stepper in homing_steppers(printed(text))}
    try:
        endstops = machine.load(path).endstops
    except ConfigError as error:
        assert "needs a section [probe]" in str(error)
        endstops = ()
    return {
        "limits": "probing" in z.speeds_mm_s,
        "report": steppers["stepper_z"].endstop_mcu == "toolhead",
        "virtual printer": any(isinstance(endstop, ProbeEndstop) for endstop in endstops),
    }


@pytest.mark.parametrize("name", [*probes.KINDS, "probe_eddy_current coil"])
def test_limits_report_and_virtual_printer_see_the_same_probes(name, tmp_path):
    assert set(who_sees_a_probe(name, tmp_path).values()) == {True}


@pytest.mark.parametrize(
    "name", ["beacon model default", "scanner", "probe_my_macro", "gcode_macro probe"]
)
def test_other_sections_are_a_probe_to_none_of_them(name, tmp_path):
    assert set(who_sees_a_probe(name, tmp_path).values()) == {False}


def test_log_and_file_have_the_same_sections(tmp_path):
    text = SamplePrinter(z_gear_ratios=("80:16", "64:16")).printer_cfg()
    path = tmp_path / "printer.cfg"
    path.write_text(text)
    log, file = printed(text), ConfigFile(path)
    assert list(log.sections) == list(file.sections)
    for name, section in file.sections.items():
        # Lists of several lines are not kept of a log
        kept = {o: v for o, (v, _) in section.options.items() if "\n" not in v}
        found = {o: v for o, (v, _) in log.sections[name].options.items() if o in kept}
        assert found == kept


LINES = st.one_of(
    st.sampled_from([b"[stepper_x]", b"[DEFAULT]", b"[ ]", b"[a ;b]", b"\t[a]", b"a = b", b"]"]),
    st.binary(max_size=30),
    st.text(max_size=20).map(lambda text: ("microsteps = " + text).encode()),
)


@given(st.lists(LINES, max_size=12))
def test_no_printout_is_an_error(lines):
    found = PrintedConfig()
    found.start()
    for line in lines:
        found.add_line(line.replace(b"\n", b""))
    found.end()
    homing_steppers(found.config)


NUMBERS = st.one_of(
    st.integers(1, 10**400).map(str),
    st.floats(allow_nan=True).map(repr),
    st.sampled_from(["9" * 5000, "1:1", "1e-308:1e308", "0:1", "1e308:1e-308", ""]),
)


@given(st.dictionaries(st.sampled_from("rotation_distance microsteps gear_ratio".split()), NUMBERS))
def test_step_distance_is_a_positive_number_or_one_clear_line(options):
    section = Section("stepper_x", "printer.cfg")
    section.options.update({name: (value, "printer.cfg") for name, value in options.items()})
    try:
        distance_mm = motion.step_distance_mm(section)
    except ConfigError as error:
        assert str(error).startswith("printer.cfg: option '")
        assert "\n" not in str(error)
    else:
        assert 0.0 < distance_mm < float("inf")
