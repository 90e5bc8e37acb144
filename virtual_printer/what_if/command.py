# What becomes of a printer when some steppers go to other boards: the command behind --what-if
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import subprocess
from pathlib import Path
from typing import Callable, Dict, Optional, Sequence

from printer_config.config_file import ConfigFile
from virtual_printer import host_setup, hosts, process
from virtual_printer.hosts import Host, HostError
from virtual_printer.included import gathered_files
from virtual_printer.session import Session
from virtual_printer.what_if import moved, page, prediction, trial

# Of a clone of the project
_EXTRA = hosts.ROOT / "klippy" / "extras"
_BUILD = "import sys; from resync.host import chelper; chelper.build(sys.argv[1])"


def compare(
    config: ConfigFile,
    machine_cfg: str,
    places: str,
    can: Optional[str],
    host: Optional[str],
    extras: Sequence[Path],
    seed: int,
    show: Callable[[str], None],
) -> page.Comparison:
    """Run a printer as it is, and with its steppers in other places; errors are one line."""
    changed = moved.move(
        config, moved.parse_places(places), moved.parse_bit_rate(can) if can else None
    )
    runs = _host(host, extras)
    before_files = gathered_files(config, str(process.CONFIG))
    after_files = {
        name: moved.changed_text(text, changed.changes, name == str(process.CONFIG))
        for name, text in before_files.items()
    }

    def session(files: Dict[str, str], truth: str) -> Session:
        files = dict(files)
        text = files.pop(str(process.CONFIG))
        return Session(runs, text, truth, seed=seed, files=files, ignore_unsupported=True)

    before = trial.run(
        session(before_files, machine_cfg), config, lambda what: show(f"as it is: {what}")
    )
    after_session = session(after_files, f"{machine_cfg}\n{changed.machine_cfg}")
    after = trial.run(after_session, config, lambda what: show(f"what if: {what}"))
    machine = after_session.machine
    expected = prediction.overshoot_steps(config, machine)
    steps_um = {s.name: 1000.0 * s.step_distance_mm for s in machine.steppers}
    title = f"{config.path.name}: what if {places}"
    steppers = page.of_steppers(changed.boards, steps_um, expected)
    return page.Comparison(f"{title} on CAN at {can}" if can else title, before, after, steppers)


def _host(name: Optional[str], extras: Sequence[Path]) -> Host:
    """Return a host that has the extra without which no axis may have several MCUs."""
    own = [_EXTRA / "multi_mcu_resync.py", _EXTRA / "resync"]
    if not extras and hosts.IS_CLONE:
        extras = own
    if not any(path.name == own[0].name for path in extras):
        raise HostError(
            "--what-if needs multi_mcu_resync: give klippy/extras/multi_mcu_resync.py and"
            " klippy/extras/resync of a clone, each by --extra"
        )
    host = host_setup.obtain(name, extras)
    # In virtual time there is no compiler
    done = subprocess.run(
        [str(host.python), "-c", _BUILD, str(host.klippy / "chelper")],
        env={"PYTHONPATH": str(host.klippy / "extras"), "PATH": "/usr/local/bin:/usr/bin:/bin"},
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise HostError(f"the C helper of multi_mcu_resync cannot be built: {(lines or [''])[-1]}")
    return host
