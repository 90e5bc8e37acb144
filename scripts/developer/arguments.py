# The options that the demo and the benchmark have in common
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import argparse
from typing import List, Optional

from scripts.output_file import output_file


def _picture(path: str) -> str:
    if not path.endswith(".png"):
        raise argparse.ArgumentTypeError("'%s' does not end in .png" % (path,))
    return output_file(path)


def parse_arguments(name: str, arguments: Optional[List[str]] = None) -> argparse.Namespace:
    """Options of scripts/NAME.sh; ends with one line and exit code 2 if they are bad."""
    parser = argparse.ArgumentParser(prog="scripts/%s.sh" % (name,))
    parser.add_argument("--host", help="host to run (default: the first that is set up)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the runs")
    parser.add_argument(
        "--can", action="store_true", help="run the printer whose motors have a CAN board each"
    )
    parser.add_argument(
        "--json", metavar="FILE", type=output_file, help="write the figures to FILE"
    )
    parser.add_argument(
        "--plot",
        metavar="FILE",
        type=_picture,
        default="%s.png" % (name,),
        help="draw into this PNG (default: %s.png)" % (name,),
    )
    return parser.parse_args(arguments)
