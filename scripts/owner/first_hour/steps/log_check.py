# Step 13: what the report finds in the log of the trial
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import tempfile
from pathlib import Path
from typing import Iterator

from scripts.owner.report.fault_verdicts import ENTRIES
from scripts.owner.report.faults import NOT_LEVEL
from scripts.owner.report.files import LogError
from scripts.owner.report.log import Log
from scripts.owner.report.verdict import findings

from ..context import Context
from ..errors import TrialError
from ..rows import LOOK, PASSED, Row

NAME = "log"
_START = b"Start printer at "


def run(trial: Context) -> Iterator[Row]:
    """Judge the log since the last start, which is that with corrections."""
    try:
        text = trial.printer.log()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "klippy.log"
            path.write_bytes(text[max(0, text.rfind(_START)) :])
            # Levelling has a step of its own
            found = [one for one in findings(Log([str(path)])) if one.what != ENTRIES[NOT_LEVEL]]
    except (TrialError, LogError, OSError) as e:
        yield Row(NAME, LOOK, "klippy.log was not read: %s" % (e,), "read it yourself", "no_log")
        return
    for one in found:
        # What stops a trial has been seen where it happened; nothing moves on this account
        yield Row(NAME, LOOK, "%s: %s" % (one.what, "; ".join(one.figures)), one.advice, "report")
    if not found:
        yield Row(NAME, PASSED, "resync_report.py finds nothing wrong in klippy.log")
