# Which tests a change asks for, by the names of what it has touched
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
import subprocess
from pathlib import Path
from typing import Iterable, List, Set

ROOT = Path(__file__).resolve().parents[1]
END_TO_END = "test/end_to_end/"
# What every printer of the end-to-end tests runs, so that all of them would be chosen
RUN_END_TO_END = ("klippy/", "virtual_printer/")
# Tests of all that is in a folder
OF_FOLDER = {
    "docs/": ("test/docs/test_docs.py",),
    "config/": ("test/end_to_end/test_sample_configs.py", "test/klippy/test_regression.py"),
    "test/klippy/": ("test/klippy/test_regression.py",),
    "klippy/chelper/": ("test/resync/test_chelper.py",),
}


def changed_paths(root: Path = ROOT) -> List[str]:
    """What differs from the last commit, new files too; if nothing does, what that one changed."""
    new = _git(root, "ls-files", "--others", "--exclude-standard")
    return _git(root, "diff", "--name-only", "HEAD") + new or _git(
        root, "diff-tree", "-r", "--root", "--no-commit-id", "--name-only", "HEAD"
    )


def _git(root: Path, *arguments: str) -> List[str]:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def needs_a_printer(path: str) -> bool:
    """Whether only a printer that runs shows what a change of this file does."""
    return path.startswith(RUN_END_TO_END)


def files_to_test(changed: Iterable[str], root: Path = ROOT) -> Set[str]:
    """The test files for changed ones, all as paths in the project."""
    tests = {
        str(path.relative_to(root)): path.read_text(encoding="utf-8")
        for path in sorted(root.glob("test/**/test_*.py"))
    }
    found = {
        test for path in changed for test, text in tests.items() if _is_test_of(test, text, path)
    }
    return found | {test for path in changed for test in tests if _judges_mutants_of(test, path)}


def _judges_mutants_of(test: str, path: str) -> bool:
    """Whether it is one that mutants of a module of the extra are judged by first."""
    # Later, since other Pythons, too old for it, read this file too
    from scripts.developer.mutants.tests import APT

    return path.startswith("klippy/extras/") and Path(test).stem in APT.get(Path(path).stem, ())


def _is_test_of(test: str, text: str, path: str) -> bool:
    if any(path.startswith(folder) and test in of_it for folder, of_it in OF_FOLDER.items()):
        return True
    name, stem = Path(path).name, re.escape(Path(path).stem)
    if name == "conftest.py":
        return test.startswith(path[: -len(name)])
    if test == path or re.search(r"(^|_)%s(_|$)" % (stem,), Path(test).stem):
        return True
    if test.startswith(END_TO_END) and needs_a_printer(path):
        return False
    names_it = r"^(from|import) .*\b%s\b|[\"'/]%s\b" % (stem, re.escape(name))
    return re.search(names_it, text, re.MULTILINE) is not None
