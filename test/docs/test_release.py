# Versions are such that Moonraker shows them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json
import re
import subprocess
from pathlib import Path

import pytest

from virtual_printer import hosts

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.compile(r"^## (v\d+\.\d+\.\d+)$", re.MULTILINE)
# What Moonraker's update manager asks git for
DESCRIBE = ("describe", "--always", "--tags", "--long", "--dirty", "--abbrev=8")
READ = """
import json, sys
from moonraker.utils.versions import GitVersion
version = GitVersion(sys.argv[1])
print(json.dumps([version.is_valid_version(), version.is_final_release(), version.short_version]))
"""


def moonraker_reads(described):
    """Whether Moonraker can read a version, takes it for a release, and what it shows."""
    python = hosts.ENVIRONMENTS / "moonraker" / "bin" / "python"
    done = subprocess.run([python, "-c", READ, described], capture_output=True, check=True)
    return json.loads(done.stdout)


def versions():
    return VERSION.findall((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))


@pytest.fixture
def git(tmp_path):
    """git(...) runs git in a repository with one commit, and returns what it prints."""
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")

    def run(*arguments):
        command = ["git", "-C", str(tmp_path), *who, *arguments]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    run("init", "-q")
    run("commit", "-q", "--allow-empty", "-m", "first")
    return run


def test_changelog_has_all_versions_from_the_newest_down():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", changelog, re.MULTILINE) == versions()
    numbers = [tuple(map(int, version[1:].split("."))) for version in versions()]
    assert numbers
    assert numbers == sorted(set(numbers), reverse=True)


def test_moonraker_shows_the_tag_that_releases_the_uppermost_version(git):
    version = versions()[0]
    git("tag", "-a", version, "-m", version)
    assert moonraker_reads(git(*DESCRIBE)) == [True, True, version + "-0"]
    git("commit", "-q", "--allow-empty", "-m", "second")
    assert moonraker_reads(git(*DESCRIBE)) == [True, False, version + "-1"]


def test_contributing_releases_by_a_tag_of_that_form():
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (tag,) = re.findall(r"git tag -a (\S+) -m \S+", contributing)
    assert VERSION.fullmatch("## " + tag)
    assert "git push origin %s\n" % (tag,) in contributing
