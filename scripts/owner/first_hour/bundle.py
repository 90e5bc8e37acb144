# What the owner may send in: log, figures, versions, page and transcript in one file
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import getpass
import json
import os
import socket
import zipfile
from pathlib import Path
from typing import Dict, List

from .errors import TrialError
from .page import page
from .printer import Printer
from .progress import Progress
from .rows import Row
from .scrub import scrub, scrub_log

NAME, PAGE = "first_hour.zip", "first_hour.html"
# As many starts of Klipper as a trial that was stopped a few times has
_MOST_STARTS = 8
_MOST_LOG_BYTES = 1 << 25
_START = b"Start printer at "


def private_words() -> List[str]:
    """What this computer and its user are called."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = ""
    # These are nobody's, and words of logs besides
    return [
        word for word in (user, socket.gethostname()) if word not in ("root", "localhost", "pi")
    ]


def write(
    folder: Path, printer: Printer, progress: Progress, transcript: List[str], is_complete: bool
) -> Path:
    """Write page and bundle, and return the bundle's path; raises TrialError."""
    words = private_words()
    versions = {n: scrub(v, words) for n, v in _versions(printer).items()}
    rows = [Row(*(scrub(cell, words) for cell in row)) for row in progress.rows]
    texts = {
        PAGE: page(rows, versions, is_complete),
        "first_hour.json": scrub(json.dumps(_figures(progress, versions), indent=1), words),
        "transcript.txt": scrub("\n".join(transcript) + "\n", words),
        "klippy.log": _log(printer, words),
    }
    try:
        (folder / PAGE).write_text(texts[PAGE], encoding="utf-8")
        new = folder / (NAME + ".new")
        with zipfile.ZipFile(str(new), "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in texts.items():
                archive.writestr(name, text)
        os.replace(str(new), str(folder / NAME))
    except OSError as e:
        raise TrialError("cannot write to '%s': %s" % (folder, e.strerror or e)) from None
    return folder / NAME


def _figures(progress: Progress, versions: Dict[str, str]) -> Dict[str, object]:
    return {
        "rows": [row.to_json() for row in progress.rows],
        "done": progress.done,
        "figures": progress.figures,
        "versions": versions,
    }


def _versions(printer: Printer) -> Dict[str, str]:
    try:
        return printer.versions()
    except TrialError:
        # A printer that is down says nothing; what was found is written all the same
        return {}


def _log(printer: Printer, words: List[str]) -> str:
    try:
        log = printer.log()[-_MOST_LOG_BYTES:]
    except TrialError as e:
        return "not read: %s\n" % (scrub(str(e), words),)
    start = len(log)
    for _ in range(_MOST_STARTS):
        found = log.rfind(_START, 0, start)
        if found < 0:
            break
        start = found
    text, left_out = scrub_log(log[start if start < len(log) else 0 :], words)
    return text + "lines left out: %d\n" % (left_out,)
