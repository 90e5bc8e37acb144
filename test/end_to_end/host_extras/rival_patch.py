# Another extra that patches the host's check of shared axes, in one of the ways there are
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from .standin_sensor import host_module


def add_unchecked(self, stepper):
    for trsync in self._trsyncs:
        if trsync.get_mcu() is stepper.get_mcu():
            return trsync.add_stepper(stepper)
    module = host_module("mcu")
    self._trsyncs.append(module.MCU_trsync(stepper.get_mcu(), self._trdispatch))
    return self._trsyncs[-1].add_stepper(stepper)


def replace(owner, printer):
    owner.add_stepper = add_unchecked


def wrap(owner, printer):
    original = owner.add_stepper

    def add_stepper(self, stepper):
        return original(self, stepper)

    owner.add_stepper = add_stepper


def swallow(owner, printer):
    original = owner.add_stepper

    def add_stepper(self, stepper):
        try:
            original(self, stepper)
        except printer.config_error:
            pass

    owner.add_stepper = add_stepper


def swap(owner, printer):
    function = owner.add_stepper
    code = function.__code__

    def restore():
        function.__code__ = code

    function.__code__ = add_in_host.__code__
    printer.register_event_handler("klippy:disconnect", restore)


def add_in_host(self, stepper):
    # Runs with the names of the host's module
    mcus = [trsync.get_mcu() for trsync in self._trsyncs]
    if stepper.get_mcu() not in mcus:
        self._trsyncs.append(MCU_trsync(stepper.get_mcu(), self._trdispatch))  # noqa: F821
        mcus.append(stepper.get_mcu())
    self._trsyncs[mcus.index(stepper.get_mcu())].add_stepper(stepper)


def copy(owner, printer):
    def add_stepper(self, stepper):
        add_unchecked(self, stepper)
        if len(self._trsyncs) > 2:
            raise printer.config_error("Multi-mcu homing not supported on multi-mcu shared axis")

    owner.add_stepper = add_stepper


def load_config(config):
    ways = {way.__name__: way for way in (replace, wrap, swallow, swap, copy)}
    module = host_module("mcu")
    owner = getattr(module, "TriggerDispatch", module.MCU_endstop)
    config.getchoice("way", ways)(owner, config.get_printer())
    return owner
