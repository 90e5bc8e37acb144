# The installer on temporary trees: what it leaves in a checkout, and what it refuses
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, List

import pytest

from helpers.trees import listing, path_with
from virtual_printer import hosts
from virtual_printer.samples import SamplePrinter
from virtual_printer.session import Session

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("multi_mcu_resync.py", "resync")
ORIGIN = "https://git.example.org/someone/multi_mcu_resync.git"
# What the hosts have git ignore, as far as it matters here
IGNORED = {
    "extras": "*.so\n*.pyc\n",
    "plugins": "*.so\n*.pyc\n__pycache__/\nklippy/plugins/*\n!klippy/plugins/__init__.py\n",
}
# Last line without an end, as an editor may leave it
EXCLUDE = "# mine\n*.orig"
# Those of the host that are looked at
CHECKED_EXTRAS = ("__init__", "force_move", "homing", "stepper_enable")
# What the installer calls besides the Python of Klipper
COMMANDS = "bash cat cut dirname find git grep id ln paste readlink rm sed stat".split()


@dataclass(frozen=True)
class Site:
    """A user's home with our checkout, Klipper's, its environment and its configuration."""

    home: Path
    host: hosts.Host
    # The folder of the checkout's klippy/ that the links belong into
    folder: str

    @property
    def ours(self) -> Path:
        return self.home / "multi_mcu_resync"

    @property
    def klipper(self) -> Path:
        return self.home / "klipper"

    @property
    def config(self) -> Path:
        return self.home / "printer_data" / "config"

    @property
    def exclude(self) -> Path:
        return self.klipper / ".git" / "info" / "exclude"

    @property
    def links(self) -> List[Path]:
        return [self.klipper / "klippy" / self.folder / part for part in PARTS]

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {"HOME": str(self.home), "PATH": os.environ["PATH"], **variables}
        return subprocess.run(
            [str(self.ours / "scripts" / "install.sh"), *arguments],
            env=environment,
            cwd=str(self.home),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def install(self, *arguments: str, **variables: str) -> str:
        """Install, or uninstall, without any complaint; return what was said."""
        done = self.run(*arguments, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    def refusal(self, *arguments: str, **variables: str) -> str:
        """Return the one line by which it is refused; nothing has been changed then."""
        before = listing(self.klipper / "klippy"), self.exclude.read_text()
        done = self.run(*arguments, **variables)
        assert done.returncode == 1
        assert done.stderr.startswith("install: ")
        assert done.stderr.count("\n") == 1, done.stderr
        assert (listing(self.klipper / "klippy"), self.exclude.read_text()) == before
        return done.stderr


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit_all(folder: Path) -> None:
    if not (folder / ".git").exists():
        git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "All")


def status(folder: Path, *options: str) -> str:
    return git(folder, "status", "--porcelain", *options)


def copy_ours(ours: Path) -> None:
    """Copy what a user's clone has, and what is built of it already."""
    ignore = shutil.ignore_patterns("__pycache__", "*.tmp")
    shutil.copytree(str(ROOT / "klippy"), str(ours / "klippy"), ignore=ignore)
    (ours / "scripts").mkdir()
    shutil.copy(str(ROOT / "scripts" / "install.sh"), str(ours / "scripts"))
    shutil.copy(str(ROOT / ".gitignore"), str(ours))
    commit_all(ours)
    git(ours, "remote", "add", "origin", ORIGIN)


def copy_host(host: hosts.Host, klippy: Path) -> None:
    """Copy a host as it is shipped, but with its C helper, for which there will be no compiler."""
    ours = [path.name for path in (ROOT / "scripts" / "developer" / "host_extras").glob("*.py")]
    # And without the plugin of a probe, which the other tests have it load
    ignore = shutil.ignore_patterns("__pycache__", *PARTS, *ours, "cartographer.py")
    shutil.copytree(str(host.klippy.resolve()), str(klippy), ignore=ignore)


def copy_part_of_host(host: hosts.Host, klippy: Path) -> None:
    """Copy what the installer looks at, which is quicker."""
    extras = ["extras/%s.py" % (name,) for name in CHECKED_EXTRAS]
    for pattern in ("*.py", *extras, "chelper/*.h"):
        for path in host.klippy.resolve().glob(pattern):
            copy = klippy / path.relative_to(host.klippy.resolve())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(path), str(copy))


def equip(home: Path, host: hosts.Host, copy: Callable[[hosts.Host, Path], None]) -> Site:
    """Make the home of a user who has cloned both, and has installed nothing yet."""
    (home / "printer_data" / "config").mkdir(parents=True)
    copy_ours(home / "multi_mcu_resync")
    (home / "klippy-env").symlink_to(host.python.parent.parent)
    copy(host, home / "klipper" / "klippy")
    has_plugins = (home / "klipper" / "klippy" / "plugins" / "__init__.py").exists()
    site = Site(home, host, "plugins" if has_plugins else "extras")
    (site.klipper / ".gitignore").write_text(IGNORED[site.folder])
    commit_all(site.klipper)
    site.exclude.write_text(EXCLUDE)
    return site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A user of Klipper, whose paths have blanks."""
    return equip(tmp_path / "a user's home", hosts.find("klipper_v0_12"), copy_part_of_host)


@pytest.fixture(params=[host.name for host in hosts.available()])
def any_site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    """A user of each host."""
    return equip(tmp_path / "a user's home", hosts.find(request.param), copy_host)


def start(site: Site) -> Session:
    """Start the Klippy of the checkout on the virtual printer."""
    klippy = site.klipper / "klippy"
    is_package = site.host.entry[0] == "-m"
    entry = site.host.entry if is_package else (str(klippy / "klippy.py"),)
    host = hosts.Host("installed", site.host.version, site.host.python, klippy, entry)
    # A package is looked for where it is started, whatever is installed under its name
    work_dir = Path(tempfile.mkdtemp(dir=str(site.home.parent)))
    (work_dir / "klippy").symlink_to(klippy)
    sample = SamplePrinter()
    return Session(host, sample.printer_cfg(), sample.machine_cfg(), work_dir=work_dir)


def homes_in_sync(site: Site) -> bool:
    """Home with the extra and the C helper of our checkout."""
    with start(site) as printer:
        printer.gcode("G28")
        loaded = Path("/proc/%d/maps" % (printer.process_id,)).read_text()
        assert str(site.ours / "klippy" / "chelper" / "kin_resync-") in loaded
        result = printer.status("multi_mcu_resync")
        return result["corrected"] and result["in_sync"] == {"z": True}


def compile_module(site: Site, folder: str, name: str = "") -> None:
    """Import of klippy/folder as Klippy does, with Python writing what it compiles."""
    klippy = site.klipper / "klippy"
    is_package = (klippy / "__init__.py").exists()
    module = ".".join(part for part in ("klippy" if is_package else "", folder, name) if part)
    subprocess.run(
        [str(site.host.python), "-c", "import " + module],
        check=True,
        cwd=str(site.klipper if is_package else klippy),
        env={"PATH": os.environ["PATH"]},
    )


def test_installed_extra_runs_through_an_update_and_leaves_no_trace(
    any_site: Site, tmp_path: Path
) -> None:
    site = any_site
    upstream = tmp_path / "upstream"
    git(tmp_path, "clone", "-q", str(site.klipper), str(upstream))
    compile_module(site, "extras")
    before = status(site.klipper, "--ignored")
    assert "__pycache__" in before

    said = site.install()
    assert "put this into %s/printer.cfg:\n\n[multi_mcu_resync]\n" % (site.config,) in said
    assert [path.resolve() for path in site.links] == [
        site.ours / "klippy" / "extras" / part for part in PARTS
    ]
    assert status(site.klipper) == ""
    assert homes_in_sync(site)

    # As Moonraker recovers a checkout, and as it cleans one
    (upstream / "klippy" / "new.py").write_text("")
    commit_all(upstream)
    git(site.klipper, "fetch", "-q", str(upstream), "main")
    git(site.klipper, "checkout", "--", ".")
    git(site.klipper, "reset", "-q", "--hard", "FETCH_HEAD")
    git(site.klipper, "clean", "-d", "-f")
    assert (site.klipper / "klippy" / "new.py").exists()
    assert status(site.klipper) == ""
    assert homes_in_sync(site)

    compile_module(site, site.folder, "multi_mcu_resync")
    assert status(site.klipper) == ""
    assert status(site.ours) == ""
    site.install("-u")
    assert status(site.klipper, "--ignored") == before
    assert site.exclude.read_text() == EXCLUDE
    assert not list((site.klipper / "klippy" / site.folder).rglob("*multi_mcu_resync*"))
    assert not list((site.ours / "klippy").rglob("*.so"))


# The last commit whose modules all lay in one folder
BEFORE_THE_ROOMS = "d5b1b40"


def go_to_commit(ours: Path, commit: str) -> None:
    """Replace what a clone has by that of an earlier commit of ours."""
    shutil.rmtree(str(ours / "klippy"))
    parts = ["klippy", "scripts/install.sh", ".gitignore"]
    archive = ["git", "-C", str(ROOT), "archive", commit, *parts]
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as made:
        subprocess.run(["tar", "-x", "-C", str(ours)], stdin=made.stdout, check=True)
    commit_all(ours)


def test_installation_from_before_the_rooms_goes_on_after_an_update(any_site: Site) -> None:
    site = any_site
    there = ["git", "-C", str(ROOT), "cat-file", "-e", BEFORE_THE_ROOMS]
    if subprocess.run(there, capture_output=True).returncode:
        pytest.skip("this clone has no history")
    now = git(site.ours, "rev-parse", "HEAD").strip()
    go_to_commit(site.ours, BEFORE_THE_ROOMS)
    site.install()
    compile_module(site, site.folder, "multi_mcu_resync")
    assert homes_in_sync(site)

    # Only a restart comes after it
    git(site.ours, "checkout", "-q", now)
    for library in (ROOT / "klippy" / "chelper").glob("*.so"):
        # In virtual time there is no compiler that could build another one
        shutil.copy(str(library), str(site.ours / "klippy" / "chelper"))
    assert (site.ours / "klippy" / "extras" / "resync" / "homing").is_dir()
    assert homes_in_sync(site)
    assert status(site.klipper) == ""
    site.install("-u")
    assert not list((site.ours / "klippy").rglob("__pycache__"))


def test_second_installation_changes_nothing_and_says_so(site: Site) -> None:
    site.install()
    before = listing(site.klipper), listing(site.ours)
    assert "installed in '%s' already, nothing has been changed" % (site.klipper,) in site.install()
    assert (listing(site.klipper), listing(site.ours)) == before


def test_second_uninstallation_changes_nothing_and_says_so(site: Site) -> None:
    before = listing(site.klipper / "klippy")
    site.install()
    site.install("-u")
    assert [path for path, _ in listing(site.klipper / "klippy")] == [path for path, _ in before]
    before = listing(site.klipper)
    assert "nothing is installed in '%s'" % (site.klipper,) in site.install("-u")
    assert listing(site.klipper) == before


def test_cloned_anew_by_moonraker_it_is_installed_by_the_same_command(site: Site) -> None:
    site.install()
    upstream = site.home / "upstream"
    git(site.home, "clone", "-q", str(site.klipper), str(upstream))
    shutil.rmtree(str(site.klipper))
    upstream.rename(site.klipper)
    site.install()
    assert all(path.exists() for path in site.links)
    assert status(site.klipper) == ""


def test_update_manager_section_has_our_remote_and_branch(site: Site) -> None:
    said = site.install()
    section = """
[update_manager multi_mcu_resync]
type: git_repo
path: ~/multi_mcu_resync
origin: %s
primary_branch: main
managed_services: klipper
"""
    assert section % (ORIGIN,) in said
    git(site.ours, "remote", "remove", "origin")
    assert "has no git remote 'origin'" in site.install()


def test_sections_that_are_there_are_named_and_have_to_go_with_the_extra(site: Site) -> None:
    printer_cfg, moonraker_conf = site.config / "resync.cfg", site.config / "moonraker.conf"
    printer_cfg.write_text("[multi_mcu_resync]\n")
    # One of SAVE_CONFIG's backups
    (site.config / "printer-20260101_120000.cfg").write_text("[multi_mcu_resync]\n")
    moonraker_conf.write_text("[update_manager multi_mcu_resync]\n")
    said = site.install()
    assert "[multi_mcu_resync] is in %s\n" % (printer_cfg,) in said
    assert "[update_manager multi_mcu_resync] is in %s\n" % (moonraker_conf,) in said
    assert "put this" not in said
    said = site.install("-u")
    assert "remove the section [multi_mcu_resync] from %s\n" % (printer_cfg,) in said
    assert "remove the section [update_manager multi_mcu_resync] from %s" % moonraker_conf in said


def test_every_place_can_be_given(site: Site) -> None:
    for place in ("klipper", "klippy-env", "printer_data"):
        (site.home / place).rename(site.home / ("my " + place))
    places = {"-k": "my klipper", "-e": "my klippy-env", "-c": "my printer_data", "-s": "printer-2"}
    said = site.install(*[word for place in places.items() for word in place])
    assert (site.home / "my klipper" / "klippy" / "extras" / PARTS[0]).exists()
    assert "my printer_data/printer.cfg" in said
    assert "sudo systemctl restart printer-2\n" in said
    assert status(site.home / "my klipper") == ""


def test_service_is_what_systemd_knows_but_for_the_micro_controller(
    site: Site, tmp_path: Path
) -> None:
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(
        "#!/bin/sh\n"
        "echo 'klipper-1.service    enabled enabled'\n"
        "echo 'klipper-2.service    enabled enabled'\n"
        "echo 'klipper-mcu.service  enabled enabled'\n"
    )
    systemctl.chmod(0o755)
    path = "%s:%s" % (systemctl.parent, os.environ["PATH"])
    assert "sudo systemctl restart klipper-1 klipper-2\n" in site.install(PATH=path)


# Checkouts of all kinds


def test_worktrees_stay_clean_until_the_last_is_uninstalled(site: Site) -> None:
    other = site.home / "second printer"
    git(site.klipper, "worktree", "add", "-q", "--detach", str(other))
    site.install()
    site.install("-k", str(other))
    assert (other / ".git").is_file()
    assert (status(site.klipper), status(other)) == ("", "")
    site.install("-u", "-k", str(other))
    assert (status(site.klipper), status(other, "--ignored")) == ("", "")
    site.install("-u")
    assert site.exclude.read_text() == EXCLUDE


def test_git_hook_of_another_repository_may_run_it(site: Site) -> None:
    site.install(GIT_DIR=str(site.ours / ".git"))
    assert status(site.klipper) == ""


def test_list_that_git_has_not_made_is_made_and_removed(site: Site) -> None:
    shutil.rmtree(str(site.exclude.parent))
    site.install()
    assert status(site.klipper) == ""
    site.install("-u")
    assert not site.exclude.parent.exists()


def test_host_that_is_no_checkout_gets_links_only(site: Site) -> None:
    shutil.rmtree(str(site.klipper / ".git"))
    before = sorted(path for path, _ in listing(site.klipper))
    site.install()
    after = sorted(path for path, _ in listing(site.klipper))
    assert sorted({*before, *map(str, site.links)}) == after


def test_checkout_that_becomes_one_with_plugins_has_the_extra_once(site: Site) -> None:
    site.install()
    plugins = site.klipper / "klippy" / "plugins"
    plugins.mkdir()
    (plugins / "__init__.py").write_text("")
    (site.klipper / ".gitignore").write_text(IGNORED["plugins"])
    commit_all(site.klipper)
    site.install()
    assert not any(path.is_symlink() for path in site.links)
    assert all((plugins / part).exists() for part in PARTS)
    assert status(site.klipper) == ""
    site.install("-u")
    assert site.exclude.read_text() == EXCLUDE
    assert [path.name for path in plugins.iterdir()] == ["__init__.py"]


# What is refused


def test_missing_path_is_named_with_the_option_for_it(site: Site) -> None:
    assert "no Klipper in 'nowhere'" in site.refusal("-k", "nowhere")
    assert "its folder with -k" in site.refusal("-u", "-k", str(site.config))
    assert "no Python in 'nowhere' (it has no bin/python)" in site.refusal("-e", "nowhere")
    assert "no folder 'nowhere': give the one with printer.cfg with -c" in site.refusal(
        "-c", "nowhere"
    )
    assert "no Klipper in ~/klipper or ~/kalico" in site.refusal(HOME=str(site.config))


@pytest.mark.parametrize("argument", ["-x", "-k", "extra"])
def test_bad_argument_points_to_the_help(site: Site, argument: str) -> None:
    assert "(-h shows more)" in site.refusal(argument)
    usage = site.install("-h")
    assert all("  %s " % (option,) in usage for option in ("-k", "-e", "-c", "-s", "-u", "-h"))


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("kind", ["file", "folder", "link", "dangling link"])
def test_what_is_in_the_way_is_named_and_kept(site: Site, name: str, kind: str) -> None:
    path = site.klipper / "klippy" / "extras" / name
    target = site.home / "elsewhere"
    if kind == "file":
        path.write_text("")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(target)
        if kind == "link":
            target.write_text("")
    what = "links to '%s'" % (target,) if "link" in kind else "is not ours"
    assert "'%s' is in the way, it %s: remove it" % (path, what) in site.refusal()
    site.install("-u")
    assert os.path.lexists(str(path))


@pytest.mark.parametrize(
    "name, text",
    [
        ("stepper.py", "def get_trapq"),
        ("mcu.py", "def add_stepper"),
        ("extras/homing.py", "homing:homing_move_end"),
        ("chelper/trapq.h", "struct trapq"),
    ],
)
def test_host_that_lacks_what_we_need_is_refused(site: Site, name: str, text: str) -> None:
    path = site.klipper / "klippy" / name
    path.write_text(path.read_text().replace(text, "something else"))
    git(site.klipper, "tag", "v0.1.0")
    line = site.refusal()
    assert "(v0.1.0) is not supported: no '%s' in its klippy/%s" % (text, name) in line
    assert "(supported: Klipper v0.11 and newer, Kalico)" in line


def remove_helpers(site: Site) -> None:
    for library in (site.ours / "klippy" / "chelper").glob("*.so"):
        library.unlink()


def test_what_the_compiler_says_first_is_told(site: Site, tmp_path: Path) -> None:
    remove_helpers(site)
    gcc = tmp_path / "bin" / "gcc"
    gcc.parent.mkdir()
    gcc.write_text("#!/bin/sh\necho 'cc1: error: out of memory'\necho more\nexit 1\n")
    gcc.chmod(0o755)
    line = site.refusal(PATH="%s:%s" % (gcc.parent, os.environ["PATH"]))
    assert line == "install: cannot build the C helper: cc1: error: out of memory\n"


def test_missing_compiler_is_refused_with_the_command_to_run(site: Site, tmp_path: Path) -> None:
    remove_helpers(site)
    path = path_with(tmp_path / "bin", COMMANDS)
    assert "no compiler 'gcc'" in site.refusal(PATH=path)
    assert "built the C helper kin_resync-" in site.install()


def test_environment_of_another_program_is_refused(site: Site) -> None:
    bare = site.home / "bare"
    (bare / "bin").mkdir(parents=True)
    (bare / "bin" / "python").write_text(
        '#!/bin/sh\nexec "%s" -S "$@"\n' % (site.host.python.resolve(),)
    )
    (bare / "bin" / "python").chmod(0o755)
    line = site.refusal("-e", str(bare))
    assert "not the environment of this Klipper (No module named 'cffi')" in line


def test_old_python_is_refused(site: Site) -> None:
    old = site.home / "old" / "bin" / "python"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert "is older than Python 3.8" in site.refusal("-e", str(old.parent.parent))


def test_broken_checkout_is_refused_with_what_git_says(site: Site) -> None:
    (site.klipper / ".git" / "HEAD").write_text("")
    assert "git cannot read '%s': fatal: " % (site.klipper,) in site.refusal()


def test_list_that_a_gitignore_overrules_is_left_as_it_was(site: Site) -> None:
    (site.klipper / ".gitignore").write_text("!/klippy/extras/*\n")
    assert "is there a '!' in a .gitignore?" in site.refusal()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to act as two users")
def test_only_the_owner_of_the_checkout_may_install(site: Site) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        shutil.move(str(site.home), str(home))
        moved = Site(home, site.host, site.folder)
        os.chmod(folder, 0o755)
        as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        command = [str(moved.ours / "scripts" / "install.sh"), "-e", str(moved.home / "env")]
        (moved.home / "env" / "bin").mkdir(parents=True)
        (moved.home / "env" / "bin" / "python").symlink_to("/bin/true")
        done = subprocess.run(
            [*as_nobody, *command],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
        )
        assert "run this as root" in done.stderr
        for path in [home, *home.rglob("*")]:
            os.lchown(str(path), 65534, 65534)
        assert "run this as nobody, not as root" in moved.refusal()
