# Figures as they are shown
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

MM_DIGITS = 6
MS_DIGITS = 3


def rounded(figure: float, digits: int = MM_DIGITS) -> float:
    """A figure to so many digits, without the sign that rounding leaves of next to nothing."""
    return round(figure, digits) + 0.0


def mm(figure_mm: float) -> str:
    """A length (mm), without its unit."""
    return "%.*f" % (MM_DIGITS, rounded(figure_mm))


def ms(figure_ms: float) -> str:
    """A time (ms), without its unit."""
    return "%.*f" % (MS_DIGITS, rounded(figure_ms, MS_DIGITS))
