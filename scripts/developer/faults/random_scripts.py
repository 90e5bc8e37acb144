# Random G-code for the random printers of the fault campaign
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import random
from dataclasses import dataclass
from typing import Callable, List, Tuple

LEVELLERS = ("QUAD_GANTRY_LEVEL", "Z_TILT_ADJUST")
HOST_CHECK = "RESYNC_CHECK"
# Takes the steppers as they stand
ACCEPT = "RESYNC CLEAR=1"
COMMANDS = ("home z", "home all", "probe", "accuracy", "level", "mesh", "mesh", "xy", "check")
# Less than a step of most steppers, about one of others, and many
LONE_DISTANCES_MM = (0.0004, 0.0013, 0.0013, 0.004, 0.0131, 0.1, 0.7)


@dataclass(frozen=True)
class Command:
    """G-code, and the axes of its homing moves in which a shared rail moves.

    What strikes is itself what the run is about; what travels is long enough to be struck.
    """

    gcode: str
    moves: Tuple[str, ...] = ()
    strikes: bool = False
    travels: bool = False

    @property
    def levels(self) -> bool:
        """Whether it levels what the Z steppers carry."""
        return self.gcode.startswith(LEVELLERS)

    def accepts(self, axis: str) -> bool:
        """Whether it takes the steppers of an axis as they stand."""
        return self.gcode in (ACCEPT, accept_axis(axis).gcode)

    @property
    def checks(self) -> bool:
        """Whether it compares the counts of MCUs and host."""
        return self.gcode == HOST_CHECK


def accept_axis(axis: str) -> Command:
    """Takes the steppers of one axis as they stand."""
    return Command("%s AXIS=%s" % (ACCEPT, axis.upper()))


class Scripter:
    """Draws G-code for a printer.

    z_steppers counts the steppers of Z, homing has the axes but Z whose homing moves a shared
    rail, steppers the names of the steppers of shared rails.
    """

    def __init__(
        self, rng: random.Random, z_steppers: int, homing: List[str], steppers: List[str]
    ) -> None:
        self._rng, self._homing, self._steppers = rng, homing, steppers
        self._z_steppers = z_steppers
        self._both = tuple(axis for axis in homing for _ in range(2))

    # Whole scripts

    def usual(self) -> List[Command]:
        """Home, mostly level, then whatever comes."""
        script = self._beginning()
        script += [self._any() for _ in range(self._rng.randint(2, 4))]
        return [*script, Command(self._move())]

    def with_checks(self) -> List[Command]:
        """The usual one, with a comparison of counts after each command."""
        return [part for command in self.usual() for part in (command, Command(HOST_CHECK))]

    def levelling(self) -> List[Command]:
        """The usual one that surely levels."""
        return [self.home(), self.level(), *self.usual()[1:]]

    def probing(self) -> List[Command]:
        """Homing moves of Z, once the printer has been homed and levelled."""
        script = [self.home(), self.level(), self._accept()]
        for _ in range(self._rng.randint(2, 3)):
            kinds: List[Callable[[], Command]]
            kinds = [self._probes, self._accuracy, self.level, self._home_z]
            script.append(self._rng.choice(kinds)())
        return [*script, self._probes(), Command(HOST_CHECK), Command(self._move())]

    def restarting(self) -> List[Command]:
        """Long moves, then what a user does after the shutdown of one of them."""
        script = [self.home(), self.level()]
        if self._rng.random() < 0.5:
            script.append(self._accept())
        script.append(self._travel())
        # After the restart
        script.append(self.home())
        if self._rng.random() < 0.5:
            script.append(self._probes())
        return [*script, self.level(), self._probes(), Command(self._move())]

    def printing(self) -> List[Command]:
        """Many moves in one go."""
        lines = ["G90", "G1 Z5 F600"]
        for _ in range(self._rng.randint(12, 24)):
            lines.append("G1 Z%.2f F600" % (self._rng.uniform(4.0, 6.0),))
            for _ in range(6):
                x_mm, y_mm = self._rng.uniform(100, 200), self._rng.uniform(50, 150)
                lines.append("G1 X%.3f Y%.3f F%d" % (x_mm, y_mm, self._rng.randint(3000, 12000)))
        printed = Command("\n".join(lines), travels=True)
        script = [self.home(), self.level(), self._accept(), printed]
        return [*script, Command(HOST_CHECK), self._probes(), Command(self._move())]

    def lone_motions(self) -> List[Command]:
        """Steppers that are moved alone or switched off, then homing and levelling."""
        script = self._beginning()
        for _ in range(self._rng.randint(1, 2)):
            script += [self._lone_motion() for _ in range(self._rng.randint(1, 4))]
            script += self._rng.choice([[self._any()], [Command(HOST_CHECK)], [Command("RESYNC")]])
            script.append(self.home())
            if self._rng.random() < 0.6:
                script.append(self.level())
        return [*script, Command(self._move())]

    def changing_carriages(self) -> List[Command]:
        """Two carriages on X: they take turns, and are moved alone as other steppers are."""
        script = [Command("G28")]
        if self._rng.random() < 0.8:
            script.append(Command(ACCEPT))
        for _ in range(self._rng.randint(6, 12)):
            chance = self._rng.random()
            if chance < 0.2:
                script.append(self._lone_motion())
                script.append(Command("G28"))
            elif chance < 0.35:
                script.append(Command("G28 X"))
            else:
                # Neither passes the other
                carriage, x_mm = self._rng.randint(0, 1), self._rng.uniform(20, 120)
                x_mm += 160 * carriage
                script.append(Command("SET_DUAL_CARRIAGE CARRIAGE=%d" % (carriage,), strikes=True))
                script.append(Command("G90\nG1 X%.3f F9000" % (x_mm,)))
        return script

    # Their parts

    def home(self) -> Command:
        """Home all axes."""
        return Command("G28", (*self._both, "z", "z"))

    def level(self) -> Command:
        """Level with the command that the printer has."""
        name = LEVELLERS[0] if self._z_steppers == 4 else LEVELLERS[1]
        return Command(name, ("z",) * self._z_steppers)

    def _beginning(self) -> List[Command]:
        script = [self.home()]
        if self._rng.random() < 0.7:
            script.append(self.level())
        if self._rng.random() < 0.4:
            script.append(self._accept())
        return script

    def _accept(self) -> Command:
        return Command(ACCEPT)

    def _home_z(self) -> Command:
        return Command("G28 Z", ("z", "z"))

    def _any(self) -> Command:
        kind = self._rng.choice(COMMANDS)
        if kind == "home z":
            return self._home_z()
        if kind == "home all":
            return self.home()
        if kind == "level":
            return self.level()
        if kind == "check":
            return Command(HOST_CHECK)
        if kind == "accuracy":
            return self._accuracy()
        if kind == "xy" and self._homing:
            axis = self._rng.choice(self._homing)
            return Command("G28 %s" % (axis.upper(),), (axis,) * 2)
        return self._probes(1 if kind == "probe" else self._rng.randint(2, 5))

    def _probes(self, count: int = 2) -> Command:
        lines = ["%s\nPROBE" % (self._move(),) for _ in range(count)]
        return Command("\n".join(lines), ("z",) * count)

    def _accuracy(self) -> Command:
        count = self._rng.randint(2, 5)
        gcode = "%s\nPROBE_ACCURACY SAMPLES=%d" % (self._move(), count)
        return Command(gcode, ("z",) * count)

    def _move(self) -> str:
        return "G90\nG1 Z%.3f F600\nG1 X%.3f Y%.3f F9000" % (
            self._rng.uniform(3.0, 9.0),
            self._rng.uniform(20, 280),
            self._rng.uniform(10, 250),
        )

    def _travel(self) -> Command:
        """All axes move at once, and for long."""
        lines = ["G90"]
        for x_mm, y_mm, z_mm in ((20, 240, 40), (280, 20, 5), (20, 240, 40), (280, 20, 5)):
            lines.append("G1 X%d Y%d Z%d F%d" % (x_mm, y_mm, z_mm, self._rng.randint(6000, 12000)))
        return Command("\n".join(lines), travels=True)

    def _lone_motion(self) -> Command:
        stepper = self._rng.choice(self._steppers)
        motions = (self._force_moves, self._force_moves, self._buzz, self._motors_off, self._place)
        return Command(self._rng.choice(motions)(stepper), strikes=True)

    def _force_moves(self, stepper: str) -> str:
        distance_mm = self._rng.choice(LONE_DISTANCES_MM) * self._rng.choice((-1, 1))
        count = self._rng.choice((1, 1, 10)) if abs(distance_mm) < 0.1 else 1
        moves_mm = [distance_mm] * count
        if self._rng.random() < 0.4:
            # And back
            moves_mm.append(-sum(moves_mm))
        return "\n".join(
            "FORCE_MOVE STEPPER=%s DISTANCE=%.4f VELOCITY=5" % (stepper, move_mm)
            for move_mm in moves_mm
        )

    def _buzz(self, stepper: str) -> str:
        return "STEPPER_BUZZ STEPPER=%s" % (stepper,)

    def _motors_off(self, stepper: str) -> str:
        one = "SET_STEPPER_ENABLE STEPPER=%s ENABLE=0" % (stepper,)
        return self._rng.choice((one, "M84"))

    def _place(self, stepper: str) -> str:
        shift_mm = self._rng.choice((0.0, 0.0, 0.37, -0.61))
        return "SET_KINEMATIC_POSITION Z=%.3f" % (6.0 + shift_mm,)
