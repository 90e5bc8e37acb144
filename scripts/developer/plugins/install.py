# Puts a plugin into a copy of a host, as the plugin's own installer would
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import hashlib
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Iterable, List, Mapping

from scripts.developer.plugins.plugin import Plugin, PluginError
from virtual_printer.host_setup import copy_klippy
from virtual_printer.hosts import ENVIRONMENTS, Host

# Copies of hosts, and packages that they lack
_FOLDER = ENVIRONMENTS / "plugins"
_LACKING = """
import importlib.metadata, sys
for name in sys.argv[1:]:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        print(name)
"""
# Says what is wrong with the first file that is no Python
_BROKEN = """
import sys
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec")
    except SyntaxError as error:
        sys.exit("%s, line %s: %s" % (path, error.lineno, error.msg))
    except ValueError as error:
        sys.exit("%s: %s" % (path, error))
"""


def is_kalico(host: Host) -> bool:
    """Whether a host is Kalico, by what Klipper does not have."""
    return (host.klippy / "extras" / "danger_options.py").exists()


def check_needs(plugin: Plugin, host: Host) -> None:
    """Refuse a host that is too old for a plugin."""
    for need in plugin.needs:
        path = host.klippy / need.file
        if not path.exists() or need.text not in path.read_text(encoding="utf-8"):
            raise PluginError(
                f"{plugin.name} needs {need.says}, which host '{host.name}' ({host.version}) is not"
            )


def install(plugin: Plugin, checkout: Path, host: Host) -> Host:
    """Return a copy of a host that has a plugin, made afresh; the checkout is only read."""
    on_kalico = plugin.links_on_kalico
    links = plugin.links if on_kalico is None or not is_kalico(host) else on_kalico
    _check_python([checkout / source for source in links], host)
    folder = _FOLDER / f"{host.name}-{plugin.name}"
    shutil.rmtree(str(folder), ignore_errors=True)
    klippy = folder / "source" / "klippy"
    # What is compiled comes along
    copy_klippy(host.klippy.resolve(), klippy, ignore=None)
    _link(checkout, links, klippy)
    _edit(plugin, klippy)
    _make_environment(folder, host, _packages(plugin.packages, host))
    # In virtual time nothing is written that is compiled
    python = folder / "bin" / "python"
    subprocess.run([str(python), "-m", "compileall", "-q", str(klippy)], stdout=subprocess.DEVNULL)
    # A host that is started by its file has it in the copy
    entry = tuple(word.replace(str(host.klippy), str(klippy)) for word in host.entry)
    return replace(host, python=python, klippy=klippy, entry=entry)


def _check_python(linked: Iterable[Path], host: Host) -> None:
    """Refuse a plugin with a file that the host's Python cannot read, or one in its folders."""
    files = [file for path in linked for file in (path.glob("*.py") if path.is_dir() else [path])]
    modules = sorted(str(file) for file in files if file.suffix == ".py" and file.exists())
    done = subprocess.run(
        [str(host.python), "-I", "-c", _BROKEN, *modules], stderr=subprocess.PIPE, cwd="/"
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise PluginError(f"cannot be loaded: {lines[-1] if lines else host.python}")


def _link(checkout: Path, links: Mapping[str, str], klippy: Path) -> None:
    """Copy what a plugin's installer links; a copy cannot be changed by what runs it."""
    for source, target in links.items():
        path, place = checkout / source, klippy / target
        if not path.exists():
            raise PluginError(f"no {source} in {checkout}: its rows are for another version")
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            ignore = shutil.ignore_patterns(".git", "__pycache__")
            shutil.copytree(str(path), str(place), ignore=ignore, dirs_exist_ok=True)
        else:
            shutil.copyfile(str(path), str(place))


def _edit(plugin: Plugin, klippy: Path) -> None:
    for edit in plugin.edits:
        path = klippy / edit.file
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def _make_environment(folder: Path, host: Host, packages: List[Path]) -> None:
    """Make a Python environment that finds the copy first, then the packages, then the host's."""
    environment = host.python.parent.parent
    (site,) = environment.glob("lib/python3*/site-packages")
    for part in ("bin", "pyvenv.cfg"):
        (folder / part).symlink_to(environment / part)
    own_site = folder / site.relative_to(environment)
    own_site.mkdir(parents=True)
    lines = [
        str(folder / "source"),
        *map(str, packages),
        # With what it finds by itself
        f"import site; site.addsitedir({str(site)!r})",
    ]
    (own_site / "plugin.pth").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _packages(wanted: Iterable[str], host: Host) -> List[Path]:
    """Return the folder with the packages that a host lacks, installed now if need be."""
    by_name = {re.split(r"[=<>!~;\[ ]", one)[0]: one for one in wanted}
    if not by_name:
        return []
    lacking = subprocess.run(
        [str(host.python), "-c", _LACKING, *by_name],
        stdout=subprocess.PIPE,
        check=True,
        cwd="/",
    )
    packages = [by_name[name] for name in lacking.stdout.decode().split()]
    if not packages:
        return []
    tag = hashlib.sha256("\n".join([sys.version, *packages]).encode()).hexdigest()[:16]
    folder = _FOLDER / "packages" / tag
    if not folder.exists():
        _install_packages(packages, host, folder)
    return [folder]


def _install_packages(packages: List[str], host: Host, folder: Path) -> None:
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(str(unfinished), ignore_errors=True)
    command = [str(ENVIRONMENTS / "tools" / "bin" / "python"), "-m", "pip"]
    command += ["--python", str(host.python), "install", "-q", "--no-deps"]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:"]
    command += ["--target", str(unfinished), *packages]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/")
    if done.returncode:
        lines = done.stdout.decode(errors="replace").strip().splitlines()
        raise PluginError(f"cannot install {' '.join(packages)}: {(lines or ['pip failed'])[-1]}")
    unfinished.rename(folder)
