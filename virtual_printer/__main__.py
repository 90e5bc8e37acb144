# Runs G-code on a virtual printer, or serves one: python3 -m virtual_printer printer.cfg [GCODE...]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import argparse
import signal
import sys
import tempfile
from pathlib import Path
from typing import List, Optional

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import machine
from virtual_printer.boards import Boards
from virtual_printer.build import BuildError
from virtual_printer.bus_places import unanswered_text
from virtual_printer.hosts import HostError
from virtual_printer.included import included_files
from virtual_printer.model import MachineError, Mcu
from virtual_printer.real_time import Server
from virtual_printer.session import Session, SessionError


def _arguments(arguments: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python3 -m virtual_printer",
        description="Runs G-code on a virtual printer in virtual time and says what truly moved.",
    )
    parser.add_argument("config", type=Path, metavar="printer.cfg")
    parser.add_argument("gcode", nargs="*", metavar="GCODE", help="default: stdin's lines")
    parser.add_argument("--machine", type=Path, metavar="FILE", help="the physical truth")
    parser.add_argument("--host", metavar="NAME", help="which host to run")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to put klippy.log")
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="run no host: serve the MCUs in real time, as the devices that printer.cfg names",
    )
    parser.add_argument(
        "--ignore-unsupported",
        action="store_true",
        help="leave out sections that ask for what virtual MCUs do not have",
    )
    options = parser.parse_args(arguments)
    if options.real_time and (options.gcode or options.host or options.log):
        parser.error("--real-time runs no host, so it takes no GCODE, --host or --log")
    return options


def _run(options: argparse.Namespace) -> None:
    config = ConfigFile(options.config)
    machine_cfg = ConfigFile(options.machine) if options.machine else None
    with Session(
        options.host,
        config.text,
        machine_cfg.text if machine_cfg else "",
        seed=options.seed,
        files=included_files(config),
        ignore_unsupported=options.ignore_unsupported,
    ) as printer:
        try:
            for command in options.gcode or sys.stdin.read().splitlines():
                print(f"> {command}", flush=True)
                print("".join(f"{line}\n" for line in printer.gcode(command)), end="", flush=True)
            for name, truth in printer.stepper_truth().items():
                print(f"{name}: {truth.pulses} pulses, truly at {truth.position_mm:.6f} mm")
            for name in printer.not_simulated():
                print(f"not simulated: {name}")
            print(f"{printer.now_s():.3f} s of virtual time on {printer.host.name}")
        finally:
            if options.log:
                options.log.write_text(printer.log(), encoding="utf-8")


def _place(mcu: Mcu) -> str:
    """Return where an MCU on a CAN bus is to be found."""
    assert mcu.can_node is not None
    return f"{mcu.can_node.bus} {mcu.can_node.uuid}"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _serve(options: argparse.Namespace) -> None:
    """Serve the machine's MCUs until SIGINT or SIGTERM comes, then print the truth."""
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts what it runs in the background with SIGINT ignored
    signal.signal(signal.SIGINT, _interrupt)
    printer = machine.load(options.config, options.machine, options.seed)
    truth = ConfigFile(options.machine) if options.machine else ConfigFile(options.config, text="")
    boards = Boards(ConfigFile(options.config), truth)
    with tempfile.TemporaryDirectory(prefix="virtual_printer_") as folder:
        with Server(printer, Path(folder)) as server:
            try:
                for mcu in printer.mcus:
                    print(f"{mcu.name}: {mcu.device or _place(mcu)}", flush=True)
                print("serving until interrupted", flush=True)
                server.serve(lambda place: print(unanswered_text(place, boards), flush=True))
            except KeyboardInterrupt:
                for stepper in server.truth():
                    name, pulses, position_mm = stepper.split(":")
                    print(f"{name}: {pulses} pulses, truly at {float(position_mm):.6f} mm")


def main(arguments: Optional[List[str]] = None) -> int:
    """Run the command; return its exit code."""
    try:
        options = _arguments(arguments)
        if options.real_time:
            _serve(options)
        else:
            _run(options)
    except (BuildError, ConfigError, HostError, MachineError, SessionError, OSError) as error:
        print(f"virtual_printer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
