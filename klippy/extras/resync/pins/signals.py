# The endstops whose signal reaches several MCUs, as the config names them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Dict, List, Optional, Tuple, Union

from ..host.host import Host
from ..host.options import get_finite, get_names
from ..host.patches import Layer
from ..host.rails import endstops_by_axis
from ..model.klippy import Config, Endstop, HomingMove, HostRail, Mcu
from .fan_out import FanOut
from .one_signal import OneSignal
from .signal_pin import SignalPin

PROBE_OPTION = "probe_pins"


class Signals:
    """All of them; faults are reported once a homing move has ended."""

    def __init__(self, config: Config, host: Host) -> None:
        self._printer = config.get_printer()
        self._host = host
        self.fallback = config.getboolean("relay_fallback", False)
        # With other traffic on a CAN bus of 250 kbit/s the host was seen to be wrong
        # about an MCU's clock by 1.4 ms, and nothing was the matter with the wires
        tolerance_s = get_finite(config, "trigger_tolerance", 0.002, above=0.0)
        options = config.get_prefix_options("endstop_pins_")
        names = {option: get_names(config, option) for option in options}
        if config.get("probe_pins", None) is not None:
            names[PROBE_OPTION] = get_names(config, PROBE_OPTION)
        self._fan_outs: Dict[str, FanOut] = {}
        # Those of the homing move under way, by the name of the endstop in it
        self._active: Dict[str, FanOut] = {}
        self._layers: Dict[Endstop, List[Layer]] = {}
        for option, texts in names.items():
            pins = [SignalPin(self._printer, text, option) for text in texts]
            if not pins:
                raise config.error(
                    "Option '%s' in section 'multi_mcu_resync' names no pin" % (option,)
                )
            self._fan_outs[option] = FanOut(self._printer, option, pins, tolerance_s, self.fallback)
        self._tolerance_s = tolerance_s
        self._one_signal_axes = config.getlist("one_signal_axes", ())
        self._one_signals: List[OneSignal] = []

    def connect(self, host_rails: List[HostRail]) -> None:
        """Find the endstops that the options mean; raises the host's config error."""
        found = endstops_by_axis(host_rails)
        for axis in self._one_signal_axes:
            if len(found.get(axis, [])) < 2:
                raise self._printer.config_error(
                    "Option 'one_signal_axes' in section 'multi_mcu_resync': axis '%s' does not"
                    " have an endstop for each of its steppers" % (axis,)
                )
            self._one_signals.append(
                OneSignal(self._printer, self._host, found[axis], self._tolerance_s)
            )
        for option, fan_out in self._fan_outs.items():
            endstop = self._host.plain_endstop(self._find(option, found))
            trsyncs = self._host.endstop_trsyncs(endstop)
            if endstop is None or not trsyncs:
                raise self._printer.config_error(
                    "Option '%s' in section 'multi_mcu_resync': there is no endstop with a pin"
                    " of its own" % (option,)
                )
            fan_out.connect(endstop, self._host.endstop_pin(endstop), trsyncs)

    def _find(self, option: str, found: Dict[str, List[Endstop]]) -> Optional[Endstop]:
        if option == PROBE_OPTION:
            return self._host.probe_endstop()
        endstops = found.get(option[len("endstop_pins_") :], [])
        if len(endstops) != 1:
            axes = ", ".join(axis for axis, members in found.items() if len(members) == 1)
            raise self._printer.config_error(
                "Option '%s' in section 'multi_mcu_resync': no axis of that name homes to one"
                " endstop (those that do: %s)" % (option, axes)
            )
        if self._host.is_probe(endstops[0]):
            raise self._printer.config_error(
                "Option '%s' in section 'multi_mcu_resync': this axis homes to the probe, use"
                " probe_pins" % (option,)
            )
        return endstops[0]

    def begin(self, homing_move: HomingMove) -> None:
        """Get the other pins of those endstops that take part ready; raises PinError."""
        for fan_out in self._fan_outs.values():
            for endstop, name in homing_move.endstops:
                if self._host.plain_endstop(endstop) is fan_out.endstop:
                    self._active[name] = fan_out
                    self._layers.setdefault(endstop, []).extend(fan_out.begin())
        for one_signal in self._one_signals:
            for endstop, _ in homing_move.endstops:
                if endstop in one_signal.endstops:
                    self._layers.setdefault(endstop, []).extend(one_signal.begin(endstop))

    def layers(self, endstop: Endstop) -> List[Layer]:
        """What an endstop, or the probe that wraps it, does besides in this homing move."""
        return self._layers.get(endstop, [])

    def together(self, endstops: List[Tuple[Endstop, str]]) -> List[List[str]]:
        """Names of a homing move's endstops, those that carry one signal together."""
        groups: Dict[object, List[str]] = {}
        for endstop, name in endstops:
            owners = [one for one in self._one_signals if endstop in one.endstops]
            names = groups.setdefault(owners[0] if owners else name, [])
            if name not in names:
                names.append(name)
        return list(groups.values())

    def trigger_time(self, endstop_name: str, mcu: Mcu) -> Optional[float]:
        """Print time (s) of the trigger at this MCU's own pin, None if it has none.

        Nearer to the truth for the steppers of that MCU than the time at the
        endstop's own pin, which is by another clock.
        """
        fan_out = self._active.get(endstop_name)
        return fan_out.trigger_times.get(mcu) if fan_out is not None else None

    def end(self) -> List[str]:
        """A homing move has ended, or is given up; returns what was wrong."""
        ended: List[Union[FanOut, OneSignal]] = [*self._active.values(), *self._one_signals]
        self._active, self._layers = {}, {}
        for signal in ended:
            signal.end()
        return [signal.fault for signal in ended if signal.fault]
