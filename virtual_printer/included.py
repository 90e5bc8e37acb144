# The files that a printer.cfg includes, gathered in one folder
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
import re
from typing import Dict

from printer_config.config_file import ConfigFile

# Where in the folder files are that lie elsewhere, by their whole paths
_OUTSIDE = "outside"
_INCLUDE = re.compile(r"^\[include ([^#\]]+)\]", re.MULTILINE)


def gathered_files(config: ConfigFile, name: str) -> Dict[str, str]:
    """Return printer.cfg, under a new name, and what it includes, by their paths in the folder.

    Files that are outside of printer.cfg's own folder are found by changed lines [include].
    """
    own = os.path.abspath(str(config.path))
    folder = os.path.dirname(own)
    texts = {os.path.abspath(path): text for path, text in config.included.items()}
    texts[own] = config.text

    def place(path: str) -> str:
        if path == own:
            return name
        inside = os.path.relpath(path, folder)
        return _OUTSIDE + path if inside.startswith(os.pardir) or inside == name else inside

    def redirected(path: str, text: str) -> str:
        def redirect(include: "re.Match[str]") -> str:
            target = os.path.normpath(os.path.join(os.path.dirname(path), include[1].strip()))
            new = os.path.relpath(place(target), os.path.dirname(place(path)) or os.curdir)
            return f"[include {new}]"

        return _INCLUDE.sub(redirect, text)

    return {place(path): redirected(path, text) for path, text in texts.items()}
