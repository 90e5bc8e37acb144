# Runs G-code on a virtual printer, or serves one: virtual-printer PRINTER.CFG [COMMAND...]
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import argparse
import functools
import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from printer_config.config_file import ConfigFile
from printer_config.section import ConfigError
from virtual_printer import host_setup, machine, process, scenario, sd_print
from virtual_printer.boards import Boards
from virtual_printer.build import BuildError
from virtual_printer.bus_places import unanswered_text
from virtual_printer.hosts import HostError
from virtual_printer.included import gathered_files
from virtual_printer.live_page import LivePage
from virtual_printer.model import MachineError, Mcu
from virtual_printer.progress import Progress
from virtual_printer.real_time import Server
from virtual_printer.rehearsal import Rehearsal
from virtual_printer.session import SessionError
from virtual_printer.what_if import command as what_if
from virtual_printer.what_if import page as what_if_page


def _arguments(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="virtual-printer",
        description="Runs G-code on a virtual printer in virtual time and says what truly moved.",
    )
    parser.add_argument("config", type=Path, metavar="PRINTER.CFG")
    parser.add_argument("commands", nargs="*", metavar="COMMAND", help="default: stdin's lines")
    parser.add_argument("--script", type=Path, metavar="FILE", help="run the commands in FILE")
    parser.add_argument("--gcode", type=Path, metavar="FILE", help="print the sliced FILE")
    parser.add_argument("--scenario", type=Path, metavar="FILE", help="what happens to the printer")
    parser.add_argument(
        "--what-if",
        metavar="PLACES",
        help="compare with a printer that has steppers on other boards, as in z1=board2,z3=board3",
    )
    parser.add_argument("--can", metavar="RATE", help="with --what-if: these are on a CAN bus")
    parser.add_argument("--html", type=Path, metavar="FILE", help="with --what-if: write a page")
    parser.add_argument("--machine", type=Path, metavar="FILE", help="the physical truth")
    parser.add_argument("--host", metavar="NAME", help="kalico, klipper_v0_12 or a checkout's path")
    parser.add_argument(
        "--extra",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="file or folder to have among the host's extras; may be given several times",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="write what happens, as CSV, see Recordings.md"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="where to put klippy.log")
    parser.add_argument(
        "--real-time",
        action="store_true",
        help="run no host: serve the MCUs in real time, as the devices that PRINTER.CFG names",
    )
    parser.add_argument(
        "--page",
        type=int,
        metavar="PORT",
        help="with --real-time: show where it truly is on a page at this port, 0 for any",
    )
    parser.add_argument(
        "--ignore-unsupported",
        action="store_true",
        help="leave out sections that ask for what virtual MCUs do not have",
    )
    options = parser.parse_intermixed_args(arguments)
    sources = [bool(options.commands), bool(options.script), bool(options.gcode)]
    if sum(sources) > 1:
        parser.error("take one of COMMAND, --script and --gcode")
    if options.page is not None and not options.real_time:
        parser.error("--page goes with --real-time")
    of_a_run = (*sources, options.real_time, options.scenario, options.log, options.record)
    if options.what_if and any(of_a_run):
        parser.error("--what-if takes no G-code, --real-time, --scenario, --log or --record")
    if (options.can or options.html) and not options.what_if:
        parser.error("--can and --html go with --what-if")
    of_a_host = (options.host, options.extra, options.log, options.scenario, options.record)
    if options.real_time and (any(sources) or any(of_a_host)):
        parser.error(
            "--real-time runs no host, so it takes no G-code, --host, --extra, --log, --scenario"
            " or --record"
        )
    return options


def _commands(options: argparse.Namespace) -> List[str]:
    """Return what is to be run, line by line."""
    if options.commands:
        return list(options.commands)
    text = sd_print.read(options.script) if options.script else sys.stdin.read()
    return [line for line in text.splitlines() if line.partition(";")[0].strip()]


def _what_if(options: argparse.Namespace) -> int:
    """Compare the printer with one that has steppers elsewhere; return the exit code."""
    comparison = what_if.compare(
        ConfigFile(options.config),
        ConfigFile(options.machine).text if options.machine else "",
        options.what_if,
        options.can,
        options.host,
        options.extra,
        options.seed,
        Progress().show,
    )
    print(what_if_page.text(comparison), end="", flush=True)
    if options.html:
        options.html.write_text(what_if_page.page(comparison), encoding="utf-8")
    return 0 if comparison.is_good else 1


def _run(options: argparse.Namespace) -> int:
    files = gathered_files(ConfigFile(options.config), str(process.CONFIG))
    printer_cfg = files.pop(str(process.CONFIG))
    run = Rehearsal(
        host=host_setup.spelled_out(options.host),
        printer_cfg=printer_cfg,
        machine_cfg=ConfigFile(options.machine).text if options.machine else "",
        seed=options.seed,
        files=files,
        extras=[str(extra.resolve()) for extra in options.extra],
        ignore_unsupported=options.ignore_unsupported,
        commands=[] if options.gcode else _commands(options),
        sliced=sd_print.read(options.gcode) if options.gcode else None,
        events=scenario.text_of(options.scenario) if options.scenario else "",
        events_file=str(options.scenario or ""),
    )
    say = functools.partial(print, flush=True)
    return run.run(say, Progress().show, log=options.log, record=options.record)


def _place(mcu: Mcu) -> str:
    """Return where an MCU on a CAN bus is to be found."""
    assert mcu.can_node is not None
    return f"{mcu.can_node.bus} {mcu.can_node.uuid}"


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _show(page: LivePage, area: Sequence[float], truth: Dict[str, Any]) -> None:
    page.show({**truth, "area": area})


def _serve(options: argparse.Namespace) -> None:
    """Serve the machine's MCUs until SIGINT or SIGTERM comes, then print the truth."""
    signal.signal(signal.SIGTERM, _interrupt)
    # A shell starts what it runs in the background with SIGINT ignored
    signal.signal(signal.SIGINT, _interrupt)
    config = ConfigFile(options.config)
    printer = machine.load(options.config, options.machine, options.seed)
    truth = ConfigFile(options.machine) if options.machine else ConfigFile(options.config, text="")
    boards = Boards(config, truth)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="virtual_printer_"))
        server = stack.enter_context(Server(printer, Path(folder)))
        page = None if options.page is None else stack.enter_context(LivePage(options.page))
        try:
            for mcu in printer.mcus:
                print(f"{mcu.name}: {mcu.device or _place(mcu)}", flush=True)
            if page:
                print(f"page: {page.url}", flush=True)
            print("serving until interrupted", flush=True)
            server.serve(
                lambda place: print(unanswered_text(place, boards), flush=True),
                functools.partial(_show, page, machine.area(options.config)) if page else None,
            )
        except KeyboardInterrupt:
            for stepper in server.truth():
                name, pulses, position_mm = stepper.split(":")
                print(f"{name}: {pulses} pulses, truly at {float(position_mm):.6f} mm")


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command; return its exit code."""
    try:
        options = _arguments(arguments)
        if options.real_time:
            _serve(options)
        elif options.what_if:
            return _what_if(options)
        else:
            return _run(options)
    except BrokenPipeError:
        # The reader has seen enough; nothing is to be said at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BuildError, ConfigError, HostError, MachineError, SessionError, OSError) as error:
        print(f"virtual_printer: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
