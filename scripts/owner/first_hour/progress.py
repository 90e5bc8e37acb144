# What the trial has found so far, in a file that outlives a power loss
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import hashlib
import json
import os
from pathlib import Path
from typing import Any, Dict, List

from printer_config.config import Config

from .errors import TrialError
from .rows import STOP, Row, row_from_json

_FORMAT = 1
_OPTION_OF_THE_TRIAL = ("multi_mcu_resync", "correct")
# Whatever else is in printer.cfg moves no motor of the toolhead in another way
_KINDS = (
    *("printer", "mcu", "stepper", "carriage", "dual_carriage", "extra_carriage", "probe"),
    *("bltouch", "smart_effector", "quad_gantry_level", "z_tilt", "safe_z_home", "beacon"),
    *("homing_override", "multi_mcu_resync", "load_cell_probe", "cartographer"),
)


def fingerprint(config: Config) -> str:
    """Changes with what the steps depend on, but not with the option that they ask to change."""
    lines: List[str] = []
    for name in sorted(config.sections):
        if not name.split()[0].startswith(_KINDS):
            continue
        for option, (value, _) in sorted(config.sections[name].options.items()):
            if (name, option) != _OPTION_OF_THE_TRIAL:
                lines.append("%s %s %s" % (name, option, value))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


class Progress:
    """Rows, figures and the names of the steps that are done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: List[Row] = []
        self.done: List[str] = []
        self.figures: Dict[str, Any] = {}
        self.machine = ""

    def load(self) -> str:
        """Take up what was kept; returns what to say about it, empty if there is nothing."""
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return ""
        except (OSError, ValueError):
            return "%s cannot be read: the trial begins anew" % (self.path,)
        try:
            if kept["format"] != _FORMAT:
                raise ValueError("another format")
            rows = [row_from_json(row) for row in kept["rows"]]
            done = [str(name) for name in kept["done"]]
            figures, machine = dict(kept["figures"]), str(kept["machine"])
        except (KeyError, TypeError, ValueError):
            return "%s is not understood: the trial begins anew" % (self.path,)
        self.rows, self.done, self.figures, self.machine = rows, done, figures, machine
        return "taken up again after %d steps" % (len(done),) if done else ""

    def begin_anew(self, machine: str) -> None:
        """Forget everything."""
        self.rows, self.done, self.figures, self.machine = [], [], {}, machine

    def begin_step(self, steps: List[str]) -> None:
        """Forget what was found by steps that are about to run again."""
        self.rows = [row for row in self.rows if row.step not in steps and row.verdict != STOP]

    def save(self) -> None:
        """Replace the file in one go; raises TrialError."""
        kept = {
            "format": _FORMAT,
            "machine": self.machine,
            "done": self.done,
            "rows": [row.to_json() for row in self.rows],
            "figures": self.figures,
        }
        new = self.path.with_suffix(".new")
        try:
            with open(str(new), "w", encoding="utf-8") as file:
                json.dump(kept, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            os.replace(str(new), str(self.path))
        except OSError as e:
            raise TrialError("cannot write '%s': %s" % (self.path, e.strerror or e)) from None
