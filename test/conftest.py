# How Hypothesis runs the property-based tests of all folders
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
from hypothesis import settings

# How long one example takes says how busy the machine is, not whether a rule holds.  All else is
# left as a profile that was loaded before has it
settings.register_profile("no_deadline", settings.default, deadline=None)
settings.load_profile("no_deadline")
