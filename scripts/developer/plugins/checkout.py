# A checkout of a plugin: which one it is, and of what age
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import importlib
import pkgutil
import re
import subprocess
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

from printer_config import probes
from printer_config.config_file import ConfigFile
from scripts.developer.plugins import known
from scripts.developer.plugins.common_rows import starts_homes_and_probes
from scripts.developer.plugins.plugin import Plugin, PluginError, Row

# Where plugins have their extras
_EXTRAS_FOLDERS = (".", "extras", "klippy/extras", "klipper/extras", "klippy/plugins")
_IS_EXTRA = re.compile(r"^def load_config(_prefix)?\(", re.MULTILINE)


class Version(NamedTuple):
    """Of which commit a checkout is; a change by hand shows as a "+" behind it."""

    commit: str
    date: str


def known_plugins() -> List[Plugin]:
    """Return the plugins that have rows of their own."""
    names = sorted(module.name for module in pkgutil.iter_modules(known.__path__))
    modules = [importlib.import_module(f"{known.__name__}.{name}") for name in names]
    return [module.PLUGIN for module in modules]


def recognise(path: Path, config: Optional[Path]) -> Plugin:
    """Return the plugin that a checkout is of; one without rows has to come with a config."""
    if not path.is_dir():
        raise PluginError(f"no plugin there: {path} is no folder")
    for plugin in known_plugins():
        if all((path / mark).exists() for mark in plugin.marks):
            return plugin
    links = _extras(path)
    if not links:
        raise PluginError(f"no plugin there: no extra of Klipper's and no known macros in {path}")
    if config is None:
        raise PluginError(
            f"no rows are known for {path}: give its part of printer.cfg by --config FILE"
            " to have it started, homed and probed with"
        )
    return _of_config(path, links, config)


def _of_config(path: Path, links: Dict[str, str], config: Path) -> Plugin:
    """Return a plugin that nobody knows, with what its user says of it."""
    part = ConfigFile(config)
    own_probe = any(probes.is_probe(name) for name in part.sections)
    return Plugin(
        name=path.resolve().name,
        marks=(),
        links=links,
        printer_cfg=part.text,
        without=("probe",) if own_probe else (),
        rows=(Row("starts, homes, probes", starts_homes_and_probes),),
    )


def _extras(path: Path) -> Dict[str, str]:
    """Return where the extras of a checkout go; what is beside one may be a part of it."""
    for folder in _EXTRAS_FOLDERS:
        modules = sorted((path / folder).glob("*.py"))
        packages = sorted((path / folder).glob("*/__init__.py"))
        found = [one for one in modules if _is_extra(one)]
        found_packages = [one.parent for one in packages if _is_extra(one)]
        if found or found_packages:
            parts = [*(modules if found else []), *found_packages]
            return {str(one.relative_to(path)): f"extras/{one.name}" for one in parts}
    return {}


def _is_extra(path: Path) -> bool:
    return bool(_IS_EXTRA.search(path.read_text(encoding="utf-8", errors="replace")))


def version(path: Path) -> Version:
    """Return what git says of a checkout."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(path), *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return done.stdout.decode(errors="replace").strip()

    # The folder of an installed package may lie in a project of somebody else's
    top = git("rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != path.resolve():
        return Version("no git", "-")
    is_changed = bool(git("status", "--porcelain", "--untracked-files=no"))
    return Version(
        git("log", "-1", "--format=%h") + "+" * is_changed, git("log", "-1", "--format=%cs")
    )
