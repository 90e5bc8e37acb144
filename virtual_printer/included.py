# The files that a printer.cfg includes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import os
from typing import Dict

from printer_config.config_file import ConfigFile
from virtual_printer.model import MachineError


def included_files(config: ConfigFile) -> Dict[str, str]:
    """Return the files that printer.cfg includes, by their paths from its folder."""
    files = {}
    for path, text in config.included.items():
        name = os.path.relpath(path, str(config.path.parent))
        if name.startswith(os.pardir):
            raise MachineError(f"{config.path}: included file '{path}' is outside its folder")
        files[name] = text
    return files
