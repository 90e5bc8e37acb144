# The option of owners' and developers' commands that names a file to write
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
import os


def output_file(path: str) -> str:
    """Refuse now what could not be written once all has been measured."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.access(folder, os.W_OK):
        raise argparse.ArgumentTypeError("cannot write '%s'" % (path,))
    return path
