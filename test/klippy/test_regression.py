# Run the tests in the format of Klipper's regression suite, in batch mode on real hosts
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Cases in the format of Klipper's regression suite.

A .test file names a CONFIG, the firmware build (DICTIONARY) of each
micro-controller, whether it SHOULD_FAIL, and G-code.  One with several CONFIG
lines runs the same G-code with each of them.

Klipper's runner looks at the exit code only.  This one also reads the log, and
wants each failure to be reported as the line "# Refused: ..." of the .test or
.cfg file says.
"""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple

import pytest

from helpers.error_texts import error_texts
from virtual_printer import batch, hosts

HERE = Path(__file__).resolve().parent
DOCS = HERE.parents[1] / "docs"
REFUSED = re.compile(r"^# Refused: (.*)$", re.MULTILINE)
# What a host logs about G-code that it does not know, and about a bug
FAULTS = ("Unknown command", "Internal error", "Traceback")
# No host that runs these tests, and no kinematics or probe that comes with one, is refused
NOT_TO_BE_HAD = (
    "... of '...' refuses '...' before it has taken it",
    "the kinematics of this printer is not supported",
    "this version of the host is not supported",
)


class Case(NamedTuple):
    """One run of a host."""

    name: str
    config: Path
    dictionaries: Dict[str, str]
    gcode: List[str]
    should_fail: bool
    refused: List[str]


def read_cases(path: Path) -> List[Case]:
    """The runs that a .test file asks for."""
    text = path.read_text(encoding="utf-8")
    configs: List[Path] = []
    dictionaries: Dict[str, str] = {}
    should_fail = False
    gcode: List[str] = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if not words:
            continue
        if len(configs) > 1 and words[0] != "CONFIG":
            raise ValueError("%s: Klipper reads nothing but CONFIG from here on: %s" % (path, line))
        if words[0] == "CONFIG":
            configs.append((path.parent / words[1]).resolve())
        elif words[0] == "DICTIONARY":
            pairs = ["mcu=" + words[1], *words[2:]]
            dictionaries = dict(pair.split("=", 1) for pair in pairs)
        elif words[0] == "SHOULD_FAIL":
            should_fail = True
        else:
            gcode.append(line)
    cases = []
    for config in configs:
        refused = REFUSED.findall(text) + REFUSED.findall(config.read_text(encoding="utf-8"))
        name = "%s-%s" % (path.stem, config.stem)
        cases.append(Case(name, config, dictionaries, gcode, should_fail, refused))
    return cases


CASES = [case for path in sorted(HERE.glob("*.test")) for case in read_cases(path)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("host", hosts.available(), ids=lambda host: host.name)
def test_host_does_what_the_file_says(host, case, tmp_path):
    gcode = "\n".join([*case.gcode, ""])
    done = batch.run(host, case.config, gcode, case.dictionaries, tmp_path)
    assert bool(done.exit_code) == case.should_fail, done.log
    if case.should_fail:
        assert len(case.refused) == 1
        assert case.refused[0] in done.log
    else:
        assert not case.refused
        assert not [fault for fault in FAULTS if fault in done.log], done.log


def test_every_config_file_is_part_of_a_test():
    tested = {case.config for case in CASES}
    included = {
        path.parent / name
        for path in HERE.glob("*.cfg")
        for name in re.findall(r"^\[include (.*)\]$", path.read_text(encoding="utf-8"), re.M)
    }
    samples = (HERE.parents[1] / "config").glob("*.cfg")
    assert {*HERE.glob("*.cfg"), *samples} <= tested | included


def test_every_documented_option_is_part_of_a_passing_test():
    reference = (DOCS / "Config_Reference.md").read_text(encoding="utf-8")
    part = reference.split("[multi_mcu_resync]\n")[-1].split("```")[0]
    documented = set(re.findall(r"^#(\w+)(?:<axis>)?:", part, re.MULTILINE))
    set_in_tests = set()
    for config in {case.config for case in CASES if not case.should_fail}:
        section = config.read_text(encoding="utf-8").rpartition("\n[multi_mcu_resync]\n")[2]
        set_in_tests |= set(re.findall(r"^(\w+):", section.partition("\n[")[0], re.MULTILINE))
    assert documented
    assert {re.sub(r"^endstop_pins_.*", "endstop_pins_", o) for o in set_in_tests} == documented


def test_every_documented_command_and_parameter_is_part_of_a_passing_test():
    gcodes = (DOCS / "G-Codes.md").read_text(encoding="utf-8")
    documented = {
        (command, parameter)
        for command, usage in re.findall(r"^`([A-Z_]+)([^`]*)`:", gcodes, re.MULTILINE)
        for parameter in ["", *re.findall(r"([A-Z_]+)=", usage)]
    }
    sent = set()
    for line in [line for case in CASES if not case.should_fail for line in case.gcode]:
        command = line.split()[0]
        sent |= {(command, parameter) for parameter in ["", *re.findall(r"([A-Z_]+)=", line)]}
    assert {command for command, _ in documented} == set(re.findall(r"^#### (\w+)", gcodes, re.M))
    assert documented <= sent


def test_every_reason_to_refuse_a_config_is_part_of_a_test():
    refused = [text for case in CASES for text in case.refused]
    for text, is_config in error_texts():
        if is_config and not text.startswith(NOT_TO_BE_HAD):
            pattern = re.escape(text).replace(re.escape("..."), ".*")
            assert [r for r in refused if re.search(pattern, r)], text
