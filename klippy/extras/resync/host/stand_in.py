# Stand in for functions of the host, for a while
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import functools
import inspect
import itertools
import sys
import types
from typing import Any, Callable, Iterator, List, Optional, Set, Tuple

# A function of the host with any signature, which the stand-in has too
Call = Callable[..., Any]
# Takes a function of the host, returns what is to be called in its place
Wrapper = Callable[[Call], Call]

# What the stand-in takes the place of in the code that hands the arguments to it
PLACE = "stand-in"


@functools.lru_cache(maxsize=None)
def _code_that_hands_over(
    parameters: str, arguments: str, free_variables: Tuple[str, ...]
) -> types.CodeType:
    # Code that is to be a function's has to have as many free variables
    free = ", ".join(free_variables)
    source = "def outer(%s):\n def inner(%s):\n  if 0: (%s)\n  return '%s'.take(%s)\n" % (
        free,
        parameters,
        free,
        PLACE,
        arguments,
    )
    code = compile(source, __file__, "exec")
    for _ in ("outer", "inner"):
        code = next(c for c in code.co_consts if type(c) is types.CodeType)
    return code


# Homing moves stand in for the same few functions each time
@functools.lru_cache(maxsize=64)
def _template_like(code: types.CodeType) -> types.CodeType:
    """Code that hands its arguments over, and looks like the code given."""
    names = iter(code.co_varnames)
    positional = list(itertools.islice(names, code.co_argcount))
    keywords = list(itertools.islice(names, code.co_kwonlyargcount))
    parameters, arguments = list(positional), list(positional)
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    if code.co_flags & inspect.CO_VARARGS:
        parameters.append("*" + next(names))
        arguments.append(parameters[-1])
    elif keywords:
        parameters.append("*")
    parameters += keywords
    arguments += ["%s=%s" % (name, name) for name in keywords]
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parameters.append("**" + next(names))
        arguments.append(parameters[-1])
    template = _code_that_hands_over(", ".join(parameters), ", ".join(arguments), code.co_freevars)
    if sys.version_info >= (3, 11):
        template = template.replace(co_qualname=code.co_qualname)
    return template.replace(
        co_names=(*template.co_names, *code.co_names),
        co_nlocals=code.co_nlocals,
        co_varnames=code.co_varnames,
        co_flags=code.co_flags,
        co_name=code.co_name,
        co_filename=code.co_filename,
        co_firstlineno=code.co_firstlineno,
    )


def _code_like(code: types.CodeType, stand_in: "StandIn") -> types.CodeType:
    """Code that hands its arguments to a stand-in, and looks like the code given."""
    template = _template_like(code)
    place = template.co_consts.index(PLACE)
    return template.replace(
        co_consts=(*template.co_consts[:place], stand_in, *template.co_consts[place + 1 :])
    )


def _body(function: types.FunctionType) -> types.FunctionType:
    """A function that does the same when it is called."""
    copy = types.FunctionType(
        function.__code__,
        function.__globals__,
        function.__name__,
        function.__defaults__,
        function.__closure__,
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _copy(function: types.FunctionType) -> types.FunctionType:
    """A function that does the same, and looks the same to who inspects it."""
    copy = _body(function)
    for name in ("__qualname__", "__module__", "__doc__", "__annotations__"):
        setattr(copy, name, getattr(function, name))
    vars(copy).update(vars(function))
    return copy


def standing_in(code: types.CodeType) -> Optional["StandIn"]:
    """Whose code this is, None if it is no stand-in's."""
    return next((c for c in code.co_consts if type(c) is StandIn), None)


class StandIn:
    """Is called in the place of a function, until undo().

    The function's code is swapped, no attribute is: so it stays the host's own
    function to all who hold it, set it back or inspect its signature, defaults
    and names, as probes of all kinds do.  wrapper(function) returns what is to
    be called instead; if an owner is given, only for the method of this object.
    """

    def __init__(
        self, function: types.FunctionType, wrapper: Wrapper, owner: Optional[object] = None
    ) -> None:
        self.is_undone = False
        self._function = function
        self._beneath = function.__code__
        self._original = _body(function)
        self._owner = owner
        original = self._original if owner is None else types.MethodType(self._original, owner)
        self._call = wrapper(original)
        # Not held here: code that holds us is no garbage to Python if we hold it too
        function.__code__ = _code_like(self._beneath, self)

    def take(self, /, *arguments: object, **options: object) -> object:
        """A call of the function."""
        if self.is_undone:
            return self._original(*arguments, **options)
        if self._owner is None:
            return self._call(*arguments, **options)
        if arguments[0] is self._owner:
            return self._call(*arguments[1:], **options)
        return self._original(*arguments, **options)

    def undo(self) -> None:
        """Leave the function as it was found."""
        self.is_undone = True
        # Another extra may have swapped the code since, and put ours back later
        if self in self._function.__code__.co_consts:
            self._function.__code__ = self._code_beneath()

    def _code_beneath(self) -> types.CodeType:
        below = standing_in(self._beneath)
        if below is not None and below.is_undone:
            return below._code_beneath()
        return self._beneath


def _taken_apart(method: object) -> Optional[Tuple[types.FunctionType, object]]:
    """Function and object of a method, None of what is no method in Python."""
    if type(method) is types.MethodType:
        function = method.__func__
        if type(function) is types.FunctionType:
            return function, method.__self__
    return None


def held_by(present: object, name: str) -> Iterator[types.FunctionType]:
    """The functions that what is in the place of one of that name was put around.

    Itself comes first if it is one.
    """
    found = [present]
    seen: Set[int] = set()
    while found:
        held = found.pop(0)
        if id(held) in seen:
            continue
        seen.add(id(held))
        if type(held) is types.MethodType:
            found.append(held.__func__)
        elif type(held) is functools.partial or type(held) is functools.partialmethod:
            found.append(held.func)
        elif type(held) is types.FunctionType:
            yield held
            found += _at_hand(held, name)


def _at_hand(function: types.FunctionType, name: str) -> Iterator[object]:
    """What a function has around it, as defaults, and of that name in its module."""
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            # Not set yet
            continue
    yield from function.__defaults__ or ()
    yield vars(function).get("__wrapped__")
    for variable in function.__code__.co_names:
        value = function.__globals__.get(variable)
        if type(value) is types.FunctionType and value.__code__.co_name == name:
            yield value


def shipped(kind: type, name: str) -> Optional[types.FunctionType]:
    """The function that a class was shipped with, beneath what others have put in its place.

    What they have put there if that is not to be found; None if it is no function.
    """
    owner = next((k for k in kind.__mro__ if name in vars(k)), None)
    if owner is None:
        return None
    present = vars(owner)[name]
    module = getattr(sys.modules.get(owner.__module__), "__dict__", None)
    for function in held_by(present, name):
        if function.__globals__ is module and function.__code__.co_name == name:
            return function
    return present if type(present) is types.FunctionType else None


class CallStandIn:
    """Is called in the place of what can be called and is no function, until undo()."""

    def __init__(self, original: Call, wrapper: Wrapper) -> None:
        self.is_undone = False
        self._original = original
        self._call = wrapper(original)

    def take(self, /, *arguments: object, **options: object) -> object:
        """A call of it."""
        call = self._original if self.is_undone else self._call
        return call(*arguments, **options)

    def undo(self) -> None:
        """Have the original called by whoever calls it still."""
        self.is_undone = True


# What others have put in the place of a function can be anything
def look_alike(function: Any, wrapper: Wrapper) -> Tuple[Call, Callable[[], None]]:
    """What wrapper(function) returns, as a function that looks like the one given.

    And what has the original called by all who hold that.
    """
    method = _taken_apart(function)
    if method is not None:
        copy = _copy(method[0])
        return types.MethodType(copy, method[1]), StandIn(copy, wrapper, method[1]).undo
    if type(function) is types.FunctionType:
        copy = _copy(function)
        return copy, StandIn(copy, wrapper).undo
    stand_in = CallStandIn(function, wrapper)
    return stand_in.take, stand_in.undo


class Wrapping:
    """Functions of single objects that are wrapped, to be left as they were found."""

    def __init__(self) -> None:
        self._undo: List[Callable[[], None]] = []

    def wrap(self, owner: object, name: str, wrapper: Wrapper) -> None:
        """Have what wrapper(function) returns called as the object's function of that name."""
        function = getattr(owner, name)
        method = _taken_apart(function)
        if method is not None:
            # Some probes hold methods of the endstop inside as attributes
            self._undo.append(StandIn(method[0], wrapper, method[1]).undo)
        else:
            self._set(owner, name, function, wrapper)

    def wrap_shipped(self, owner: object, name: str, wrapper: Wrapper) -> None:
        """The same for the method that the object's class was shipped with.

        Others may have put something before it, in the object or in its class, and
        set it back at any time.
        """
        function = shipped(type(owner), name)
        if function is None:
            self.wrap(owner, name, wrapper)
        else:
            self._undo.append(StandIn(function, wrapper, owner).undo)

    def wrap_class(self, owner: type, name: str, wrapper: Wrapper) -> None:
        """The same for the method of all objects of a class, if it is one."""
        function = shipped(owner, name)
        if function is not None:
            self.wrap_function(function, wrapper)

    def wrap_function(self, function: types.FunctionType, wrapper: Wrapper) -> None:
        """The same for a function, or for the method of all objects of a class."""
        self._undo.append(StandIn(function, wrapper).undo)

    def _set(self, owner: object, name: str, function: Call, wrapper: Wrapper) -> None:
        own = vars(owner).get(name)
        ours, undo_ours = look_alike(function, wrapper)

        def undo() -> None:
            # Another extra may have wrapped it since, or put it back later
            undo_ours()
            if vars(owner).get(name) is not ours:
                return
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)

        self._undo.append(undo)
        setattr(owner, name, ours)

    def undo(self) -> None:
        """Leave all objects as they were found."""
        # The same function may be there twice
        while self._undo:
            self._undo.pop()()
