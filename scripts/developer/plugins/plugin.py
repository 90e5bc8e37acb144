# What has to be known of a plugin to run it: its files, its configuration, its rows
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from dataclasses import dataclass, field
from typing import Callable, Mapping, NamedTuple, Optional, Tuple

from scripts.developer.plugins.trial import Trial

# Called in processes of their own, so they have to be functions (or objects) of a module
Step = Callable[[Trial], None]


class PluginError(Exception):
    """A plugin cannot be run; the message is one line."""


class Need(NamedTuple):
    """A text that a file of the host's klippy/ has to have; `says` is what a user calls it."""

    file: str
    text: str
    says: str


class Edit(NamedTuple):
    """What a plugin's installer puts in the place of a text of the host's, if that is there."""

    file: str
    old: str
    new: str


class Row(NamedTuple):
    """Something that a plugin does, and what must hold then; --quick leaves out what is long."""

    name: str
    run: Step
    is_long: bool = False


@dataclass(frozen=True)
class Plugin:
    """A plugin of Klipper's.

    All paths in `marks` have to be in a checkout of it. `links` maps paths in the checkout to
    those in the host's klippy/, as its own installer links them; Kalico may have them elsewhere.
    `edits` are what else that does to the host.
    `packages` are what it imports, with their versions. `printer_cfg` and `machine_cfg` are added
    to the files of the printer that all run on, `without` names sections of printer.cfg that are
    left out of it. `config_files` maps paths in the checkout to names beside printer.cfg,
    `files` names to texts of others there.
    `prepare` is run before each row.
    """

    name: str
    marks: Tuple[str, ...]
    rows: Tuple[Row, ...]
    links: Mapping[str, str] = field(default_factory=dict)
    links_on_kalico: Optional[Mapping[str, str]] = None
    edits: Tuple[Edit, ...] = ()
    packages: Tuple[str, ...] = ()
    needs: Tuple[Need, ...] = ()
    printer_cfg: str = ""
    machine_cfg: str = ""
    without: Tuple[str, ...] = ()
    config_files: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    prepare: Optional[Step] = None
