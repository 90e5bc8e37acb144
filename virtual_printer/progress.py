# Says how far something is that takes more than a moment
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import sys
import time

_EVERY_REAL_S = 2.0


class Progress:
    """Prints lines to stderr, at most one in two seconds, the first after as long."""

    def __init__(self) -> None:
        self._shown_real_s = time.monotonic()

    def show(self, text: str) -> None:
        """Print a line if it is time for one."""
        now_real_s = time.monotonic()
        if now_real_s - self._shown_real_s >= _EVERY_REAL_S:
            self._shown_real_s = now_real_s
            print(text, file=sys.stderr, flush=True)
