# What is needed of a host is looked for as a whole, and what is missing is reported
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import ast
import functools
import inspect
import itertools
import logging
import math
import re
import sys
import types
from pathlib import Path
from types import SimpleNamespace
from typing import List, Protocol, TypedDict

import pytest
from resync.host import contract, source_check
from resync.host.contract import Need, names_of
from resync.host.host import REMEMBERED_TRIGGERS
from resync.model import klippy

EXTRAS = Path(contract.__file__).resolve().parents[2]
# These look for what differs between hosts by themselves, or speak to ffi objects
APART = {"host.py", "contract.py", "source_check.py", "chelper.py"}
NOT_THE_HOSTS = (str, list, dict, set, tuple, object, Exception, logging, math, re, sys, types)
NOT_THE_HOSTS += (types.FunctionType, types.CodeType, types.CellType, types.MethodType)
NOT_THE_HOSTS += (functools, functools.partial(str), inspect, itertools, type)


def trees():
    for path in [EXTRAS / "multi_mcu_resync.py", *(EXTRAS / "resync").rglob("*.py")]:
        # The signatures of the host's own functions are no code of ours
        if path.name != "klippy.py":
            yield path.name, ast.parse(path.read_text())


def own_names():
    """Every name that our own code gives to something."""
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                yield node.name
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield node.attr


def used_names():
    """Every attribute and every constant text that our code uses."""
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Constant):
                yield node.value
    # Those are found by their signatures
    yield from REMEMBERED_TRIGGERS


def signatures():
    """Every class of signatures, by its name."""
    kinds = (value for value in vars(klippy).values() if isinstance(value, type))
    return {kind.__name__: kind for kind in kinds if kind.__module__ == klippy.__name__}


def listed_names():
    return {name for kind in signatures().values() for name in names_of(kind)}


def test_every_attribute_of_the_host_that_is_used_is_listed():
    of_python = {name for thing in NOT_THE_HOSTS for name in dir(thing)}
    # The last one came with Python 3.11
    of_python |= {"_replace", "co_qualname"}
    attributes = {
        node.attr
        for name, tree in trees()
        if name not in APART
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
    }
    assert len(attributes) > 100
    assert attributes - set(own_names()) - of_python - listed_names() == set()


def test_every_listed_name_is_used():
    assert listed_names() - set(used_names()) == set()


class HostMoveBase(Protocol):
    axes_d: List[float]

    def start_pos(self): ...


class HostMove(HostMoveBase, Protocol):
    end_pos: List[float]


class QueriedMove(Protocol):
    axes_d: List[float]

    def some_call(self): ...


Times = TypedDict("Times", {"#sent_time": float, "#no_time": float})


class Move:
    some_call = print

    def __init__(self, params):
        self.axes_d = params["#sent_time"]


def test_missing_names_are_told_with_their_place_once():
    needs = [Need("toolhead.Move", Move({"#sent_time": 1}), HostMove)]
    assert contract.missing(needs * 2) == [
        "toolhead.Move.end_pos",
        "toolhead.Move.start_pos",
    ]


def test_names_that_the_instances_of_a_class_will_have_are_not_missing():
    needs = [Need("toolhead.Move", Move, kind) for kind in (QueriedMove, Times)]
    assert contract.missing(needs) == ["toolhead.Move.#no_time"]


def test_names_of_signatures_are_those_of_fields_and_functions_inherited_ones_too():
    assert names_of(HostMove) == ["end_pos", "axes_d", "start_pos"]
    assert (
        names_of(klippy.HistoryMove) == "first_clock last_clock start_position step_count".split()
    )
    assert "lookup_object" in names_of(klippy.Printer)
    assert names_of(Times) == ["#sent_time", "#no_time"]


def looked_for():
    """The names of all classes of signatures that the start-up checks look for."""
    tree = ast.parse(Path(contract.__file__).read_text())
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_all_signatures_are_looked_for():
    # The keys of dictionaries are, where the host makes these by name
    kinds = signatures()
    dictionaries = {name for name, kind in kinds.items() if issubclass(kind, dict)}
    assert set(kinds) - looked_for() == (dictionaries - {"AnswerTimes"}) | {"Timer", "Endstop"}
    assert klippy.Endstop in klippy.McuEndstop.__mro__
    assert names_of(klippy.Timer) == []


def test_source_that_lacks_a_name_is_reported(tmp_path):
    texts = {}
    for need in source_check.needed():
        texts.setdefault(need.path, []).append(need.text)
    for path, lines in texts.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("\n".join(lines))
    assert source_check.first_missing(str(tmp_path)) is None
    for path, text in [
        ("stepper.py", "def get_past_mcu_position"),
        ("serialhdl.py", "#receive_time"),
        ("extras/homing.py", "homing:homing_move_end"),
        ("chelper/list.h", "struct list_head"),
    ]:
        whole = (tmp_path / path).read_text()
        (tmp_path / path).write_text(whole.replace(text, "other"))
        assert source_check.first_missing(str(tmp_path)) == (path, text)
        (tmp_path / path).unlink()
        assert source_check.first_missing(str(tmp_path)).path == path
        (tmp_path / path).write_text(whole)


class EddyPrinter:
    def __init__(self, *names):
        self.names = names

    def lookup_objects(self, module):
        assert module == "probe_eddy_current"
        return [(name, self) for name in self.names]


MINE = EddyPrinter("probe_eddy_current mine")


def eddy_endstop(attribute):
    source = "class Endstop:\n    def home_wait(self, time):\n        self.%s = time\n"
    names = {}
    exec(source % (attribute,), names)
    return names["Endstop"]


@pytest.mark.parametrize(
    "module, endstop, attribute",
    [
        ("probe_eddy_current", "EddyEndstopWrapper", "_trigger_time"),
        ("trigger_analog", "MCU_trigger_analog", "_last_trigger_time"),
    ],
)
def test_eddy_probe_has_to_remember_its_trigger(monkeypatch, module, endstop, attribute):
    for name in ("extras.probe_eddy_current", "extras." + module):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    host_module = sys.modules["extras." + module]
    setattr(host_module, endstop, eddy_endstop(attribute))
    assert contract.missing(contract.of_eddy_probe(MINE, "")) == []
    setattr(host_module, endstop, eddy_endstop("_when"))
    missing = "extras.%s.%s.%s" % (module, endstop, attribute)
    assert contract.missing(contract.of_eddy_probe(MINE, "")) == [missing]
    # Of a printer without such a probe nothing is needed
    assert contract.of_eddy_probe(EddyPrinter(), "") == []


def test_levelling_command_has_to_say_when_it_is_done():
    leveller = SimpleNamespace(z_helper=object(), z_status=object())
    printer = SimpleNamespace(lookup_object={"z_tilt": leveller}.get)
    needed = [need.signatures for need in contract.of_levellers(printer)]
    assert needed == [klippy.LevelCommand, klippy.LevelHelper, klippy.LevelStatus]


def test_class_that_is_not_there_is_missing_itself():
    assert contract.missing([Need("toolhead.Move", None, HostMove)]) == ["toolhead.Move"]
