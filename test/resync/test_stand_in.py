# What stands in for a function looks like that function, and goes without a trace
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import functools
import gc
import inspect
import itertools
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resync.host.stand_in import StandIn, Wrapping, look_alike

from helpers.described import described

NAMES = ("newpos", "homing_axes", "speed", "accel", "triggered", "self")


class Toolhead:
    """An object of the host, with methods of all kinds."""

    kind = "Toolhead"

    def __init__(self):
        self.calls = []

    def set_position(self, newpos, homing_axes=""):
        """Set the position."""
        moved = [newpos, homing_axes]
        self.calls.append(moved)
        return self.kind, newpos, homing_axes

    def move(self, newpos, *, speed: float = 5.0, **options):
        return newpos, speed, options

    def stop(self):
        return [self for _ in range(1)]

    def parent(self, *values):
        return super().__hash__() is not None, values


METHODS = ("set_position", "move", "stop", "parent")


def passed_on(function):
    return lambda *args, **kwargs: ("ours", function(*args, **kwargs))


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("way", ["wrap", "wrap_shipped"])
def test_method_that_is_stood_in_for_looks_as_before(way, name):
    toolhead = Toolhead()
    before, code = described(getattr(toolhead, name)), vars(Toolhead)[name].__code__
    wrapping = Wrapping()
    getattr(wrapping, way)(toolhead, name, passed_on)
    assert vars(Toolhead)[name].__code__ is not code
    assert described(getattr(toolhead, name)) == before
    assert set(code.co_names) <= set(vars(Toolhead)[name].__code__.co_names)
    assert name not in vars(toolhead)
    wrapping.undo()
    assert vars(Toolhead)[name].__code__ is code


@pytest.mark.parametrize(
    "name, args, kwargs",
    [
        ("set_position", ([1.0],), {}),
        ("set_position", ([1.0],), {"homing_axes": "z"}),
        ("set_position", (), {"newpos": [1.0]}),
        ("move", (1.0,), {"speed": 2.0, "accel": 3.0}),
        ("parent", (1, 2, 3), {}),
    ],
)
def test_stand_in_gets_the_arguments_and_its_result_is_returned(name, args, kwargs):
    toolhead, other = Toolhead(), Toolhead()
    expected = getattr(toolhead, name)(*args, **kwargs)
    wrapping = Wrapping()
    wrapping.wrap(toolhead, name, passed_on)
    assert getattr(toolhead, name)(*args, **kwargs) == ("ours", expected)
    # Others of the same class are left alone
    assert getattr(other, name)(*args, **kwargs) == expected
    wrapping.undo()
    assert getattr(toolhead, name)(*args, **kwargs) == expected


@pytest.mark.parametrize("args, kwargs", [((), {}), (([],), {"homing": "z"}), ((1, 2, 3), {})])
def test_wrong_call_is_the_same_error_as_before(args, kwargs):
    toolhead, wrapping = Toolhead(), Wrapping()
    with pytest.raises(TypeError) as before:
        toolhead.set_position(*args, **kwargs)
    wrapping.wrap(toolhead, "set_position", passed_on)
    with pytest.raises(TypeError) as after:
        toolhead.set_position(*args, **kwargs)
    wrapping.undo()
    assert str(after.value) == str(before.value)


def function_of(signature):
    """A function of that signature, which returns all that it was called with."""
    names = ", ".join("%s=%s" % (name, name) for name in signature.parameters)
    scope = {}
    exec("def shipped%s:\n    return dict(%s)" % (signature, names), scope)
    return scope["shipped"]


@st.composite
def calls(draw):
    """A signature, and arguments that fit it."""
    names = draw(st.permutations(NAMES))
    kinds = sorted(draw(st.lists(st.sampled_from(list(inspect._ParameterKind)), max_size=6)))
    parameters, args, kwargs = [], [], {}
    has_defaults = draw(st.booleans())
    for number, (name, kind) in enumerate(zip(names, kinds)):
        if kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            if kind in [p.kind for p in parameters]:
                continue
            parameters.append(inspect.Parameter(name, kind))
            if kind is inspect.Parameter.VAR_KEYWORD:
                kwargs["another"] = number
            elif len(args) == len(parameters) - 1:
                args += [number, number]
            continue
        default = number * 10 if has_defaults else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=default))
        if has_defaults and draw(st.booleans()):
            if kind is inspect.Parameter.KEYWORD_ONLY:
                continue
            # Nor can what follows be given then
            break
        if kind is inspect.Parameter.KEYWORD_ONLY:
            kwargs[name] = number
        else:
            args.append(number)
    return inspect.Signature(parameters), args, kwargs


@given(calls())
def test_function_of_any_signature_is_called_as_before(call):
    signature, args, kwargs = call
    shipped = function_of(signature)
    expected = shipped(*args, **kwargs)
    stand_in = look_alike(shipped, passed_on)[0]
    assert stand_in(*args, **kwargs) == ("ours", expected)
    assert inspect.signature(stand_in) == inspect.signature(shipped) == signature
    assert stand_in.__code__.co_varnames == shipped.__code__.co_varnames
    assert shipped(*args, **kwargs) == expected


# Others who wrap the same function


def wrapped_by_another(toolhead):
    """As extras do: what was there before is called, and can be set back."""
    original = toolhead.set_position

    def set_position(newpos, homing_axes=""):
        return ("theirs", original(newpos, homing_axes))

    toolhead.set_position = set_position
    return original


def test_another_wraps_before_and_after_and_sets_back_what_it_found():
    toolhead, wrapping = Toolhead(), Wrapping()
    host = ("Toolhead", 1, "")
    first = wrapped_by_another(toolhead)
    wrapping.wrap_shipped(toolhead, "set_position", passed_on)
    assert toolhead.set_position(1) == ("theirs", ("ours", host))
    second = wrapped_by_another(toolhead)
    assert toolhead.set_position(1) == ("theirs", ("theirs", ("ours", host)))
    for found in (second, first):
        toolhead.set_position = found
    assert toolhead.set_position(1) == ("ours", host)
    del toolhead.set_position
    assert toolhead.set_position(1) == ("ours", host)
    wrapping.undo()
    assert toolhead.set_position(1) == first(1) == host


def test_what_another_has_set_since_is_left_to_it():
    toolhead, wrapping = Toolhead(), Wrapping()
    toolhead.set_position = functools.partial(toolhead.set_position, homing_axes="z")
    wrapping.wrap(toolhead, "set_position", passed_on)
    assert toolhead.set_position(1) == ("ours", ("Toolhead", 1, "z"))
    wrapped_by_another(toolhead)
    theirs = toolhead.set_position
    wrapping.undo()
    assert toolhead.set_position is theirs


@pytest.mark.parametrize("first", [0, 1])
def test_two_stand_ins_of_one_function_may_go_in_any_order(first):
    toolhead, wrappings = Toolhead(), [Wrapping(), Wrapping()]
    code = Toolhead.set_position.__code__
    host = ("Toolhead", 1, "")
    for wrapping in wrappings:
        wrapping.wrap(toolhead, "set_position", passed_on)
    assert toolhead.set_position(1) == ("ours", ("ours", host))
    wrappings[first].undo()
    assert toolhead.set_position(1) == ("ours", host)
    wrappings[1 - first].undo()
    assert toolhead.set_position(1) == host
    assert Toolhead.set_position.__code__ is code


def test_code_that_another_has_swapped_since_is_left_to_it():
    toolhead, wrapping = Toolhead(), Wrapping()
    shipped = Toolhead.set_position.__code__
    wrapping.wrap(toolhead, "set_position", passed_on)
    ours = Toolhead.set_position.__code__
    theirs = (lambda self, newpos, homing_axes="": "theirs").__code__
    Toolhead.set_position.__code__ = theirs
    wrapping.undo()
    assert Toolhead.set_position.__code__ is theirs
    # The other one sets back what it has found
    Toolhead.set_position.__code__ = ours
    assert toolhead.set_position(1) == ("Toolhead", 1, "")
    Toolhead.set_position.__code__ = shipped


# Others who replace it in its class, or in an object, and undo that later than we do


def elsewhere(source):
    """What another module is made of."""
    scope = {}
    exec(source, scope)
    return scope


def in_closure(original):
    patched = """
def patch(original):
    def set_position(self, newpos, homing_axes=""):
        return "theirs", original(self, newpos, homing_axes)
    return set_position
"""
    return elsewhere(patched)["patch"](original)


def in_default(original):
    patched = """
def patch(original):
    def set_position(self, newpos, homing_axes="", _original=original):
        return "theirs", _original(self, newpos, homing_axes)
    return set_position
"""
    return elsewhere(patched)["patch"](original)


def in_module(original):
    module = elsewhere("def patched(self, newpos): return 'theirs', ORIGINAL(self, newpos)")
    module["ORIGINAL"] = original
    return module["patched"]


def with_its_looks(original):
    return functools.wraps(original)(in_closure(original))


def partial_method(original):
    return functools.partialmethod(in_closure(original), homing_axes="")


@pytest.mark.parametrize(
    "replace", [in_closure, in_default, in_module, with_its_looks, partial_method]
)
@pytest.mark.parametrize("is_first", [True, False])
def test_another_that_replaces_it_in_its_class_takes_nothing_from_us(replace, is_first):
    shipped, host = Toolhead.set_position, ("Toolhead", 1, "")
    own = type("Own", (Toolhead,), {"set_position": shipped, "__module__": __name__})
    toolhead, other, wrapping = own(), own(), Wrapping()
    if is_first:
        own.set_position = replace(shipped)
    wrapping.wrap_shipped(toolhead, "set_position", passed_on)
    if not is_first:
        own.set_position = replace(shipped)
    assert toolhead.set_position(1) == ("theirs", ("ours", host))
    assert other.set_position(1) == ("theirs", host)
    own.set_position = shipped
    assert toolhead.set_position(1) == ("ours", host)
    wrapping.undo()
    assert toolhead.set_position(1) == host


@pytest.mark.parametrize(
    "in_class",
    [functools.partialmethod(lambda self, a, b: max(a, b), 5), functools.partial(max, 5)],
    ids=["partialmethod", "partial"],
)
def test_what_is_no_function_in_a_class_is_stood_in_for_in_the_object(in_class):
    class Endstop:
        rest = in_class

    endstop, wrapping = Endstop(), Wrapping()
    wrapping.wrap_shipped(endstop, "rest", passed_on)
    assert endstop.rest(7) == ("ours", 7)
    wrapping.undo()
    assert endstop.rest(7) == 7


def plain():
    def set_position(newpos, homing_axes=""):
        return newpos

    return set_position


@pytest.mark.parametrize(
    "found", [plain(), functools.partial(plain()), int], ids=["function", "partial", "class"]
)
def test_what_another_puts_back_once_ours_has_gone_is_the_hosts(found):
    toolhead, wrapping = Toolhead(), Wrapping()
    toolhead.set_position = found
    wrapping.wrap(toolhead, "set_position", passed_on)
    kept = toolhead.set_position
    toolhead.set_position = lambda *arguments: ("theirs", kept(*arguments))
    assert toolhead.set_position(1) == ("theirs", ("ours", 1))
    wrapping.undo()
    assert toolhead.set_position(1) == ("theirs", 1)
    toolhead.set_position = kept
    assert toolhead.set_position(1) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_three_that_wrap_the_same_may_go_in_any_order(order):
    toolhead, wrappings = Toolhead(), [Wrapping() for _ in range(3)]
    code, host = Toolhead.set_position.__code__, ("Toolhead", 1, "")
    for wrapping in wrappings:
        wrapping.wrap_shipped(toolhead, "set_position", passed_on)
    for gone, index in enumerate(order):
        expected = host
        for _ in range(3 - gone):
            expected = ("ours", expected)
        assert toolhead.set_position(1) == expected
        wrappings[index].undo()
    assert toolhead.set_position(1) == host
    assert Toolhead.set_position.__code__ is code


class Probe:
    """Holds the methods of what it wraps as attributes, as v0.12's probe does."""

    def __init__(self):
        self.inner = Toolhead()
        self.set_position = self.inner.set_position


def wrap_function(owner, wrapping):
    wrapping.wrap_function(type(owner).set_position, passed_on)


def wrap_object(owner, wrapping):
    wrapping.wrap(owner, "set_position", passed_on)


def wrap_attribute(owner, wrapping):
    owner.set_position = lambda newpos: newpos
    wrapping.wrap(owner, "set_position", passed_on)


@pytest.mark.parametrize("wrap", [wrap_function, wrap_object, wrap_attribute])
def test_nothing_of_a_stand_in_is_held_once_it_is_undone(wrap):
    owner, wrapping = Toolhead(), Wrapping()
    gc.collect()
    before = sum(type(o) is StandIn for o in gc.get_objects())
    for _ in range(3):
        wrap(owner, wrapping)
        owner.set_position(1)
        wrapping.undo()
    gc.collect()
    assert sum(type(o) is StandIn for o in gc.get_objects()) == before


def test_method_of_another_object_that_is_held_as_an_attribute_is_wrapped():
    probe, wrapping = Probe(), Wrapping()
    before = dict(vars(probe))
    wrapping.wrap(probe, "set_position", passed_on)
    assert probe.set_position(1) == ("ours", ("Toolhead", 1, ""))
    assert vars(probe) == before
    wrapping.undo()
    assert probe.set_position(1) == ("Toolhead", 1, "")


def test_function_in_an_object_is_wrapped_there_alone():
    def shared(newpos, homing_axes=""):
        return newpos

    first, second, wrapping = Toolhead(), Toolhead(), Wrapping()
    first.set_position = second.set_position = shared
    wrapping.wrap(first, "set_position", passed_on)
    assert (first.set_position(1), second.set_position(1)) == (("ours", 1), 1)
    assert described(first.set_position) == described(shared)
    wrapping.undo()
    assert first.set_position is shared


def test_look_alike_of_a_method_is_a_method_of_the_same_object():
    toolhead = Toolhead()
    stand_in = look_alike(toolhead.set_position, passed_on)[0]
    assert described(stand_in) == described(toolhead.set_position)
    assert stand_in(1) == ("ours", ("Toolhead", 1, ""))
    assert toolhead.set_position(1) == ("Toolhead", 1, "")


def test_look_alike_has_the_attributes_that_others_have_given_the_function():
    def home():
        return "home"

    home.is_patched = True
    found = look_alike(home, lambda original: lambda: original() + " again")[0]
    assert (found(), found.is_patched) == ("home again", True)


@pytest.mark.parametrize("callable_object", [functools.partial(min, 0, 5), int])
def test_what_is_no_function_is_called_by_what_stands_in_for_it(callable_object):
    # As Cython's functions and C's, of which no code can be swapped
    bound = types.MethodType(callable_object, 7)
    found = look_alike(bound, lambda original: lambda: ("stood in", original()))[0]
    assert found() == ("stood in", callable_object(7))


def test_callable_of_a_class_is_found_again_once_it_is_wrapped_no_more():
    class Parked:
        home = functools.partial(str, 5)

    owner, wrapping = Parked(), Wrapping()
    wrapping.wrap(owner, "home", lambda original: lambda: original() + " again")
    assert owner.home() == "5 again"
    wrapping.undo()
    assert owner.home() == "5"
    assert vars(owner) == {}


def test_error_of_the_function_passes():
    class Endstop:
        def home_wait(self, home_end_time):
            raise ValueError("Communication timeout during homing")

    endstop, wrapping = Endstop(), Wrapping()
    wrapping.wrap(endstop, "home_wait", passed_on)
    with pytest.raises(ValueError, match="timeout"):
        endstop.home_wait(7.0)
    wrapping.undo()
