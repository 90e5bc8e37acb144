# Real hosts on the virtual printer
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from contextlib import ExitStack

import pytest

from virtual_printer import hosts
from virtual_printer.session import Session


@pytest.fixture(params=[host.name for host in hosts.available()])
def host(request):
    """Each host that is set up, one after the other."""
    return hosts.find(request.param)


@pytest.fixture
def start(host, tmp_path):
    """start(sample, seed=1) starts Klippy on a sample printer until the test ends.

    sections is the text of further sections of its printer.cfg, replace has
    pairs of texts to replace in it.
    """
    with ExitStack() as stack:

        def start_session(sample, seed=1, sections="", replace=(), **options):
            printer_cfg = sample.printer_cfg() + "\n" + sections
            for old, new in replace:
                assert old in printer_cfg
                printer_cfg = printer_cfg.replace(old, new)
            folder = tmp_path / ("session%d" % (len(list(tmp_path.iterdir())),))
            return stack.enter_context(
                Session(
                    host,
                    printer_cfg,
                    sample.machine_cfg(),
                    seed=seed,
                    work_dir=folder,
                    **options,
                )
            )

        yield start_session
