# What a printer does: homes, levels and probes, with what that takes and where everything truly is
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import re
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional, Tuple

from printer_config import probes
from printer_config.config_file import ConfigFile
from virtual_printer.session import Session, SessionError
from virtual_printer.what_if.moved import RESYNC

PROBES = 20
_LEVELLERS = ("quad_gantry_level", "z_tilt_ng", "z_tilt")
_COMMANDS = {"quad_gantry_level": "QUAD_GANTRY_LEVEL"}
_RETRIES = re.compile(r"Retries: (\d+)/")
_HEIGHT = re.compile(r"(?:is|contact at) z=(-?[\d.]+)")


@dataclass
class Trial:
    """What came of one printer; what it has not done is None, with the error that stopped it.

    Overshoots are the mean and the greatest (mm) of each stepper.
    """

    host: str = ""
    homing_s: Optional[float] = None
    levelling_s: Optional[float] = None
    level_retries: Optional[int] = None
    probe_s: Optional[float] = None
    heights_mm: List[float] = field(default_factory=list)
    overshoots_mm: Dict[str, Tuple[float, float]] = field(default_factory=dict)
    # How far Z steppers have truly moved apart while it probed
    skew_um: Optional[float] = None
    # Share of its time that a CAN bus is taken, by name
    bus_loads: Dict[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def range_um(self) -> Optional[float]:
        """Between the highest and the lowest of the heights that it probed."""
        if not self.heights_mm:
            return None
        return 1000.0 * (max(self.heights_mm) - min(self.heights_mm))


def run(session: Session, config: ConfigFile, show: Callable[[str], None]) -> Trial:
    """Have a printer home, level and probe, as far as it gets."""
    trial = Trial(host=f"{session.host.name.partition('-')[0]} {session.host.version}")
    try:
        with session:
            _Runner(session, config, trial, show).run()
    except SessionError as error:
        trial.error = str(error)
    return trial


class _Runner:
    def __init__(
        self, session: Session, config: ConfigFile, trial: Trial, show: Callable[[str], None]
    ) -> None:
        self._session, self._config, self._trial, self._show = session, config, trial, show

    def run(self) -> None:
        trial = self._trial
        busy_s, begin_s = self._busy_s(), self._session.now_s()
        trial.homing_s = self._timed("G28")
        leveller = next((one for one in _LEVELLERS if one in self._config.sections), None)
        if leveller:
            command = _COMMANDS.get(leveller, "Z_TILT_ADJUST")
            trial.levelling_s = self._timed(command)
            found = _RETRIES.findall("\n".join(self._lines))
            trial.level_retries = int(found[-1]) if found else 0
        if probes.sections(self._config):
            self._probe()
        length_s = self._session.now_s() - begin_s
        after_s = self._busy_s()
        trial.bus_loads = {bus: (after_s[bus] - busy_s[bus]) / length_s for bus in busy_s}

    def _timed(self, command: str) -> float:
        self._show(command)
        before_s = self._session.now_s()
        self._lines = self._session.gcode(f"{command}\nM400")
        return self._session.now_s() - before_s

    def _busy_s(self) -> Dict[str, float]:
        counters = self._session.can_counters()
        suffix = ".busy_ns"
        return {n[: -len(suffix)]: int(v) * 1e-9 for n, v in counters.items() if suffix in n}

    def _probe(self) -> None:
        """Probe again and again, in one go: whoever asks meanwhile holds it up."""
        session, trial = self._session, self._trial
        has_resync = RESYNC in session.status("configfile", "settings")["settings"]
        lift = "G90\nG1 Z%.3f F600\n" % (self._lift_mm(),)
        session.gcode(lift + "RESYNC_STATS RESET=1\n" * has_resync + "M400")
        before = self._z_mm()
        self._show(f"{PROBES} times PROBE")
        begin_s = session.now_s()
        text = "\n".join(session.gcode(("PROBE SAMPLES=1\n" + lift) * PROBES + "M400"))
        trial.probe_s = (session.now_s() - begin_s) / PROBES
        trial.heights_mm = [float(height) for height in _HEIGHT.findall(text)]
        moved_mm = [after - before[name] for name, after in self._z_mm().items()]
        # A delta, for instance, has no stepper_z
        trial.skew_um = 1000.0 * (max(moved_mm) - min(moved_mm)) if moved_mm else None
        if has_resync:
            fields = ("overshoot_mean_mm", "overshoot_max_mm")
            mean, greatest = (session.status(RESYNC, name)[name] for name in fields)
            trial.overshoots_mm = {name: (mean[name], greatest[name]) for name in mean}

    def _lift_mm(self) -> float:
        (probe,) = probes.sections(self._config)[:1]
        return probe.get_float("z_offset", 0.0) + 5.0

    def _z_mm(self) -> Dict[str, float]:
        truth = self._session.stepper_truth()
        return {name: t.position_mm for name, t in truth.items() if name.startswith("stepper_z")}
