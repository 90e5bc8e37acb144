# The report's plots, for a light or a dark page
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import io
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

import matplotlib

if tuple(map(int, matplotlib.__version__.split(".")[:2])) < (3, 5):
    raise ImportError("version %s" % (matplotlib.__version__,))
matplotlib.use("Agg")
from matplotlib import pyplot, rcsetup, ticker

from . import canbus
from .log import Log
from .moves import StepperHistory
from .predict import predictions
from .series import Point

_SIZE_INCHES = (9.0, 3.6)
# Enough room for the names beside the plots
_MOST_IN_LEGEND = 12


class Theme(NamedTuple):
    """Colours of a page: paper, ink, what frames the plot, and its curves."""

    paper: str
    ink: str
    frame: str
    curves: Tuple[str, ...]


# Okabe and Ito's palette, told apart by the colour-blind too; without black, and with the yellow
# darker on white
LIGHT = Theme(
    "#ffffff",
    "#1f2933",
    "#d5dbe1",
    ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d1f", "#6b7785"),
)
DARK = Theme(
    "#161b22",
    "#d7dee6",
    "#333c47",
    ("#4ea8de", "#ff8552", "#2fc49a", "#e79cc6", "#f0b93a", "#9fd8ff", "#e8e07a", "#9aa5b1"),
)


def _style(theme: Theme) -> Dict[str, Any]:
    return {
        "figure.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "text.color": theme.ink,
        "axes.labelcolor": theme.ink,
        "axes.titlecolor": theme.ink,
        "xtick.color": theme.ink,
        "ytick.color": theme.ink,
        "axes.edgecolor": theme.frame,
        "grid.color": theme.frame,
        "grid.linewidth": 0.8,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": rcsetup.cycler(color=theme.curves),
        "axes.titlelocation": "left",
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "font.size": 9.5,
        "legend.frameon": False,
        "svg.fonttype": "path",
        # The same report makes the same file
        "svg.hashsalt": "resync_report",
    }


def _legend(axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        more = len(handles) - _MOST_IN_LEGEND
        if more > 0:
            labels = [*labels[: _MOST_IN_LEGEND - 1], "and %d more" % (more + 1,)]
            handles = handles[:_MOST_IN_LEGEND]
        axes.legend(handles, labels, loc="upper left", bbox_to_anchor=(1.01, 1.02))


def _curve(axes: Any, points: List[Point], label: str, scale: float, x_scale: float = 1.0) -> None:
    xs = [point.x * x_scale for point in points]
    means = [point.mean * scale for point in points]
    marker = "o" if len(points) <= 40 else None
    # Equal curves lie upon each other: thinner ones, the later they come, let all be seen
    width = max(1.0, 3.0 - 0.4 * len(axes.get_lines()))
    (line,) = axes.plot(
        xs, means, label=label, linewidth=width, marker=marker, markersize=width + 2.0
    )
    if any(point.number > 1 for point in points):
        lows = [point.low * scale for point in points]
        highs = [point.high * scale for point in points]
        axes.fill_between(xs, lows, highs, alpha=0.18, color=line.get_color(), linewidth=0)


def _time_axis(axes: Any, log: Log) -> float:
    """Label the time axis; returns its units per second."""
    unit, scale = ("hours", 1 / 3600.0) if log.elapsed_s > 2 * 3600 else ("minutes", 1 / 60.0)
    axes.set_xlabel("%s of Stats in the log" % (unit,))
    return scale


def _srtt(axes: Any, log: Log) -> None:
    axes.set_title("Round trip to each MCU")
    scale = _time_axis(axes, log)
    for link in log.links.values():
        _curve(axes, link.srtt_course.points(), link.name, 1000.0, scale)
    axes.set_ylabel("srtt (ms)")
    axes.set_ylim(bottom=0)


def _load(axes: Any, log: Log) -> None:
    axes.set_title("Load that each MCU is, or would be, on a CAN bus of 1 Mbit/s")
    scale = _time_axis(axes, log)
    on_a_bus = {name for busiest in log.busiest.values() for name in busiest.traffic}
    for link in [link for link in log.links.values() if link.name in on_a_bus]:
        _curve(axes, link.bits_course.points(), link.name, 100.0 / canbus.CLASSIC_RATES[-1], scale)
    axes.set_ylabel("expected load (%)")
    axes.set_ylim(bottom=0)


def _buses(axes: Any, log: Log) -> None:
    axes.set_title("Busiest moment of a CAN bus: expected load, and the worst that it can be")
    names, expected, worst = [], [], []
    for bus, busiest in log.busiest.items():
        traffic = list(busiest.traffic.values())
        loads = [canbus.classic_load(traffic, rate) for rate in canbus.CLASSIC_RATES]
        loads.append(canbus.fd_load(traffic))
        for rate, load in zip(("250 k", "500 k", "1 M", "FD 1/5 M"), loads):
            names.append(" ".join(filter(None, (bus, rate))))
            expected.append(100 * load.expected)
            worst.append(100 * (load.worst - load.expected))
    places = range(len(names))
    axes.barh(places, expected, label="expected", height=0.6)
    axes.barh(places, worst, left=expected, label="worst", height=0.6, alpha=0.55)
    most = max(map(sum, zip(expected, worst)), default=0.0)
    for place, low, more in zip(places, expected, worst):
        text = "%.3g to %.3g %%" % (low, low + more)
        frame = {"facecolor": axes.get_facecolor(), "edgecolor": "none", "pad": 1.0}
        axes.text(low + more + most * 0.01, place, text, va="center", bbox=frame)
    axes.set_yticks(places, names)
    axes.invert_yaxis()
    axes.set_xlim(0, max(110.0, most * 1.2))
    axes.axvline(100.0, linestyle="--", linewidth=1.0, color=axes.xaxis.label.get_color())
    axes.grid(False, axis="y")
    axes.set_xlabel("load (%)")


def _clock(axes: Any, log: Log) -> None:
    axes.set_title("Clock offset to the main MCU, as Klippy found and steered it away")
    scale = _time_axis(axes, log)
    for link in log.links.values():
        points = link.clock.offset_course.points()
        if points:
            _curve(axes, points, link.name, 1.0, scale)
    furthest = [link.clock.offset_us.furthest for link in log.links.values()]
    if max(furthest, default=0.0):
        # What comes while Klippy is still learning would hide all the rest
        axes.set_ylim(-1.3 * max(furthest), 1.3 * max(furthest))
    axes.set_ylabel("offset (us)")


def _prediction(axes: Any, log: Log) -> None:
    axes.set_title("Overshoot: predicted from the round trips, and measured")
    known = [p for p in predictions(log) if p.overshoot_mm is not None]
    places = range(len(known))
    axes.bar(
        [place - 0.2 for place in places],
        [p.overshoot_mm for p in known],
        0.38,
        yerr=[
            [min(p.rounding_mm, p.overshoot_mm or 0.0) for p in known],
            [p.rounding_mm for p in known],
        ],
        label="predicted, +- rounding",
        error_kw={"ecolor": axes.xaxis.label.get_color(), "elinewidth": 1.0, "capsize": 3},
    )
    measured = [
        (place + 0.2, p.measured.overshoot_mm)
        for place, p in zip(places, known)
        if p.measured and p.measured.overshoot_mm.count
    ]
    if measured:
        axes.bar(
            [place for place, _ in measured],
            [m.mean for _, m in measured],
            0.38,
            yerr=[[m.mean - m.low for _, m in measured], [m.high - m.mean for _, m in measured]],
            label="measured, least to most",
            error_kw={"ecolor": axes.xaxis.label.get_color(), "elinewidth": 1.0, "capsize": 3},
        )
    labels = ["%s\n%g mm/s" % (p.name or p.mcu, round(p.speed_mm_s, 1)) for p in known]
    axes.set_xticks(places, labels, fontsize=9 if len(known) <= 8 else 6)
    axes.grid(False, axis="x")
    axes.set_ylabel("overshoot (mm)")


def _overshoot(axes: Any, log: Log) -> None:
    axes.set_title("Overshoot of each stepper, move by move")
    for stepper in log.moves.in_order():
        _curve(axes, stepper.overshoot_course.points(), stepper.name, 1.0)
    axes.set_ylabel("overshoot (mm)")
    axes.set_xlabel("homing or probing move")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    _time_above(axes, log)


def _time_above(axes: Any, log: Log) -> None:
    """Say above the plot when the moves took place."""
    points = log.moves.time_course.points()
    chosen = points[:: max(1, len(points) // 6)]
    above = axes.secondary_xaxis("top")
    above.set_xticks([p.x for p in chosen], [_clock_time(p.mean) for p in chosen])
    above.tick_params(labelsize=8, length=0)
    above.set_xlabel("time of Stats in the log", fontsize=8)
    above.spines["top"].set_visible(False)


def _clock_time(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return "%d:%02d:%02d" % (*divmod(minutes, 60), seconds)


def _histogram(axes: Any, log: Log) -> None:
    axes.set_title("How often which overshoot")
    steppers = [s for s in log.moves.in_order() if s.overshoot_mm.count]
    # Side by side within the widest bar that any of them needs
    width = max(s.histogram.width for s in steppers)
    share = 0.84 * width / len(steppers)
    for i, stepper in enumerate(steppers):
        bars = _in_width(stepper, width)
        lefts = [low - 0.42 * width + (i + 0.5) * share for low in bars]
        axes.bar(lefts, list(bars.values()), share, label=stepper.name)
    axes.set_xlabel("overshoot (steps%s)" % (", bars of %d" % (width,) if width > 1 else "",))
    axes.set_ylabel("moves")
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.grid(False, axis="x")


def _in_width(stepper: StepperHistory, width: int) -> Dict[int, int]:
    bars: Dict[int, int] = {}
    for low, count in stepper.histogram.bars():
        bars[low // width * width] = bars.get(low // width * width, 0) + count
    return bars


PLOTS: Dict[str, Callable[[Any, Log], None]] = {
    "srtt": _srtt,
    "buses": _buses,
    "load": _load,
    "clock": _clock,
    "prediction": _prediction,
    "overshoot": _overshoot,
    "histogram": _histogram,
}


class Drawing(NamedTuple):
    """A plot as an SVG document, and what it shows in words."""

    svg: str
    title: str


def draw(log: Log, name: str, theme: Theme) -> Drawing:
    """One plot."""
    with pyplot.rc_context(_style(theme)):
        figure, axes = pyplot.subplots(figsize=_SIZE_INCHES)
        PLOTS[name](axes, log)
        _legend(axes)
        title = axes.get_title(loc="left")
        stream = io.StringIO()
        figure.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        pyplot.close(figure)
    return Drawing(stream.getvalue(), title)


def write_png(log: Log, names: List[str], path: str) -> None:
    """The named plots below each other into one PNG."""
    with pyplot.rc_context(_style(LIGHT)):
        width, height = _SIZE_INCHES
        figure, all_axes = pyplot.subplots(
            len(names), figsize=(width, height * len(names)), squeeze=False, layout="constrained"
        )
        for axes, name in zip(all_axes[:, 0], names):
            PLOTS[name](axes, log)
            _legend(axes)
        figure.savefig(path, dpi=110, format="png")
        pyplot.close(figure)
