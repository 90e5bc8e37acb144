# What a fault of the campaign strikes
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from typing import Callable, List, NamedTuple

from scripts.developer.faults.random_printers import RandomPrinter
from virtual_printer import scenario
from virtual_printer.session import Session


class Target(NamedTuple):
    """The axis whose homing move a fault is aimed at; left counts those to come before it."""

    session: Session
    printer: RandomPrinter
    rng: random.Random
    axis: str
    left: int
    say: Callable[[str], None]
    # Whether the command that it strikes is not over yet
    is_under_way: Callable[[], bool]

    @property
    def mcus(self) -> List[str]:
        """MCUs of the shared rail, each once."""
        return list(dict.fromkeys(self.printer.rail(self.axis).mcus))

    @property
    def relayed_mcus(self) -> List[str]:
        """Those to which the host has to relay the stop."""
        endstop_mcu = self.printer.endstop(self.axis)[0]
        return [mcu for mcu in self.mcus if mcu != endstop_mcu]

    def any_mcu(self) -> str:
        """One of those that take part."""
        return self.rng.choice([*self.mcus, self.printer.endstop(self.axis)[0]])

    def suffer(self, what: str) -> None:
        """Have it happen to the printer, in the words of a scenario."""
        self.say("FAULT: %s" % (what,))
        scenario.do(self.session, what)

    def hold(self, reads: str) -> None:
        """Hold the endstop at what it reads, or let it go ("free")."""
        self.suffer("endstop %s:%s reads=%s" % (*self.printer.endstop(self.axis), reads))

    def delay(self, mcu: str) -> None:
        """Hold up a link for longer than a homing move tolerates."""
        self.suffer(
            "link %s delay_us=%d for_s=%.4f direction=%s"
            % (
                mcu,
                self.rng.uniform(30e3, 90e3),
                self.rng.uniform(0.02, 0.08),
                self.rng.choice(["both", "to_mcu", "to_host"]),
            )
        )
