# The table of what is needed of a host is complete, and tells what is missing
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

import pytest
from resync.host import contract
from resync.host.contract import Need

EXTRAS = Path(contract.__file__).resolve().parents[2]
# These look for what differs between hosts by themselves, or speak to ffi objects
APART = {"host.py", "contract.py", "chelper.py"}
NOT_THE_HOSTS = (str, list, dict, set, tuple, object, Exception, logging, math, re, sys, types)
NOT_THE_HOSTS += (types.FunctionType, types.CodeType, types.CellType, types.MethodType)
NOT_THE_HOSTS += (functools, inspect, itertools)


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


def used_names(apart):
    """Every attribute and every constant text that our code uses."""
    for name, tree in trees():
        if name not in apart:
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute):
                    yield node.attr
                elif isinstance(node, ast.Constant):
                    yield node.value


def listed_names():
    tables = [value for name, value in vars(contract).items() if name.isupper()]
    return {name for table in tables for name in table.split()}


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
    assert listed_names() - set(used_names(apart={"contract.py"})) == set()


class Move:
    some_call = print

    def __init__(self, params):
        self.axes_d = params["#sent_time"]


def test_missing_names_are_told_with_their_place_once():
    needs = [Need("toolhead.Move", Move({"#sent_time": 1}), "axes_d end_pos start_pos")]
    assert contract.missing(needs * 2) == ["toolhead.Move.end_pos", "toolhead.Move.start_pos"]


def test_names_that_the_instances_of_a_class_will_have_are_not_missing():
    needs = [Need("toolhead.Move", Move, "axes_d __init__ some_call #sent_time #no_time")]
    assert contract.missing(needs) == ["toolhead.Move.#no_time"]


class EddyPrinter:
    def lookup_objects(self, module):
        assert module == "probe_eddy_current"
        return [("probe_eddy_current mine", self)]


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
    assert contract.missing(contract.of_eddy_probe(EddyPrinter(), "")) == []
    setattr(host_module, endstop, eddy_endstop("_when"))
    missing = "extras.%s.%s.%s" % (module, endstop, attribute)
    assert contract.missing(contract.of_eddy_probe(EddyPrinter(), "")) == [missing]


def test_class_that_is_not_there_is_missing_itself():
    assert contract.missing([Need("toolhead.Move", None, "axes_d")]) == ["toolhead.Move"]
