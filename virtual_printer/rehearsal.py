# One run of a printer with all that it depends on, so that it can be done again
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional

from virtual_printer import host_setup, scenario, sd_print
from virtual_printer.session import Session, SessionError


@dataclass(frozen=True)
class Rehearsal:
    """What is run, on which printer, with what happening meanwhile; all texts, not paths.

    Either commands are run or a sliced file is printed.
    """

    host: str
    printer_cfg: str
    machine_cfg: str = ""
    seed: int = 1
    files: Mapping[str, str] = field(default_factory=dict)
    extras: List[str] = field(default_factory=list)
    ignore_unsupported: bool = False
    commands: List[str] = field(default_factory=list)
    sliced: Optional[str] = None
    events: str = ""
    # What errors in the events name
    events_file: str = ""

    def as_json(self) -> Dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    def run(
        self,
        say: Callable[[str], None],
        show: Callable[[str], None],
        log: Optional[Path] = None,
        record: Optional[Path] = None,
    ) -> int:
        """Run it and say what Klippy says and where everything truly is; return the exit code.

        Raises SessionError once the truth is said. show() is told of progress.
        """
        events = scenario.parse(self.events, self.events_file)
        with self._session(record) as printer:
            try:
                player = scenario.Player(printer, events, say)
                self._act(printer, say, show)
                for event in player.waiting():
                    say(f"never came: {event.text} ({event.place})")
            except SessionError:
                say_truth(printer, say)
                raise
            finally:
                if log:
                    log.write_text(printer.log(), encoding="utf-8")
            say_truth(printer, say)
            return 0 if printer.state() == "ready" else 1

    def _session(self, record: Optional[Path]) -> Session:
        printer_cfg, files = self.printer_cfg, dict(self.files)
        if self.sliced is not None:
            printer_cfg = sd_print.with_card(printer_cfg)
            files.update(sd_print.card_files(self.sliced))
        return Session(
            host_setup.obtain(self.host, [Path(extra) for extra in self.extras]),
            printer_cfg,
            self.machine_cfg,
            seed=self.seed,
            files=files,
            ignore_unsupported=self.ignore_unsupported,
            record=record,
            run=self.as_json(),
        )

    def _act(
        self, printer: Session, say: Callable[[str], None], show: Callable[[str], None]
    ) -> None:
        if self.sliced is not None:
            sd_print.print_file(printer, show)
        for command in self.commands:
            say(f"> {command}")
            for line in printer.gcode(command):
                say(line)


def say_binding(printer: Session, say: Callable[[str], None]) -> None:
    """Say whether the gantry has bound, if that can be known."""
    binding = printer.binding()
    if binding is None:
        return
    gave_way = [f"{name} {count} times" for name, count in binding.skips.items() if count]
    what = f"its motors gave way: {', '.join(gave_way)}" if gave_way else "none gave way"
    say(f"gantry: its corners bore {binding.greatest_n:.1f} N at most, {what}")


def say_truth(printer: Session, say: Callable[[str], None]) -> None:
    """Say where everything is, and why Klippy has shut down if it has; nothing of a dead one."""
    try:
        state = printer.state()
        if state != "ready":
            say(f"Klippy is in state {state}: {printer.state_message()}".rstrip())
        x_mm, y_mm, height_mm = printer.carriage_truth()
        say(f"toolhead: truly at X {x_mm:.6f} Y {y_mm:.6f}, {height_mm:.6f} mm over the bed")
        for name, truth in printer.stepper_truth().items():
            say(f"{name}: {truth.pulses} pulses, truly at {truth.position_mm:.6f} mm")
        say_binding(printer, say)
        for name in printer.not_simulated():
            say(f"not simulated: {name}")
        say(f"{printer.now_s():.3f} s of virtual time on {printer.host.name}")
    except SessionError:
        # It has said all it could
        return
