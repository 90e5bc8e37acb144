# What the tests of the report share
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import pytest

from scripts.owner.report.log import Log


@pytest.fixture
def read(tmp_path):
    """read(text) makes a log of a text and reads it."""

    def read_log(text):
        path = tmp_path / "klippy.log"
        path.write_text(text)
        return Log([str(path)])

    return read_log
