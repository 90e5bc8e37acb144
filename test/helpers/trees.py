# What the tests of shell scripts do to folders, and how they look at them
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import shutil
from pathlib import Path
from typing import List, Sequence, Tuple


def path_with(folder: Path, commands: Sequence[str]) -> str:
    """Return a PATH on which there are these commands only."""
    folder.mkdir()
    for command in commands:
        found = shutil.which(command)
        assert found is not None, command
        (folder / command).symlink_to(found)
    return str(folder)


def listing(folder: Path) -> List[Tuple[str, int]]:
    """Return every path below a folder with the time (ns) of its last change."""
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))
