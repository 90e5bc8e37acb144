# Step 2: the links to the boards, before anything moves
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from typing import Iterator

from ..context import Context
from ..links import Watch
from ..rows import PASSED, Row

NAME = "links"
WATCH_S = 45


def run(trial: Context) -> Iterator[Row]:
    """Watch what Klippy counts."""
    trial.console.say("Watching the links for %d seconds." % (WATCH_S,))
    watch = Watch(trial.printer)
    watch.watch(WATCH_S)
    trial.figures["srtt_ms"] = {name: round(1000 * watch.srtt_s(name), 3) for name in watch.samples}
    found = list(watch.rows(NAME))
    yield from found
    if not found:
        times = ", ".join("%s %.1f" % (name, 1000 * watch.srtt_s(name)) for name in watch.samples)
        yield Row(NAME, PASSED, "nothing is lost or damaged; round trips in ms: %s" % (times,))
