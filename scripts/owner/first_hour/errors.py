# Why the trial cannot go on, or does not
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.


class TrialError(Exception):
    """The trial cannot go on; the message is one line that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class Paused(TrialError):
    """The owner wants to stop here; what has been found is kept."""


class CommandFailed(Exception):
    """Klipper refused a command, or it ended with an error; the message is Klipper's."""
