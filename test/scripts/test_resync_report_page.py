# The report's plots and its page, looked at in a real browser
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import html
import json
import re
import shutil
import struct
import subprocess
import sys

import pytest

from helpers.resync_logs import CONFIG, MOVE, stats, stats_mcu
from scripts.owner import report as report_package
from scripts.owner.report import command, plots
from scripts.owner.report.log import Log

# Loads a page as it is into a frame, and shows what the browser made of it
HARNESS = """<!DOCTYPE html><meta charset="utf-8"><pre id="shown">nothing yet</pre>
<iframe id="page" style="width:%dpx;height:900px;border:0" srcdoc="%s"></iframe>
<script>
addEventListener("load", async () => {
  const page = document.getElementById("page").contentDocument;
  const images = [...page.images];
  await Promise.all(images.map(image => image.decode().catch(() => null)));
  const frame = document.getElementById("page").contentWindow;
  document.getElementById("shown").textContent = JSON.stringify({
    images: images.map(image => ({
      alt: image.alt, natural: image.naturalWidth, shown: image.getBoundingClientRect().width,
      high: image.getBoundingClientRect().height, dark: image.currentSrc !== image.src,
    })),
    headings: [...page.querySelectorAll("h2")].map(heading => heading.textContent),
    width: page.documentElement.scrollWidth,
    room: page.documentElement.clientWidth,
    text: page.body.innerText,
    fetched: frame.performance.getEntriesByType("resource").map(entry => entry.name)
      .filter(name => !name.startsWith("data:")),
    ground: frame.getComputedStyle(page.body).backgroundColor,
  });
});
</script>
"""
BROWSER = [
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # No name leads anywhere
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=20000",
]


def log_text():
    lines = [CONFIG.rstrip()]
    for i in range(120):
        parts = [
            stats_mcu("mcu", 0.000, 180000000 + i % 3, write=900 * i, read=500 * i, seq=60 * i),
            stats_mcu("zboard", 0.001, 64000000, 64000000 + i % 9, write=800 * i, seq=60 * i),
            stats_mcu("toolhead", 0.002, 64000000, 63999990 + i % 5, write=700 * i, seq=50 * i),
        ]
        lines.append(stats(100.0 + i, *parts))
        if i % 3 == 0:
            steps = 4 + i % 5
            changed = "%+d,%+.6f,%+d" % (steps, steps / 400, steps)
            lines.append(MOVE.replace("+5,+0.012500,+5", changed))
    lines.append("Transition to shutdown state: <b>Timer too close</b>")
    return "\n".join(lines) + "\n"


@pytest.fixture
def made(tmp_path, monkeypatch):
    """made(name, text) writes the report on a log into a file of that name."""

    def make(name, text=None):
        path = tmp_path / "klippy.log"
        path.write_text(log_text() if text is None else text)
        output = tmp_path / name
        monkeypatch.setattr("sys.argv", ["resync_report", str(path), "-o", str(output)])
        assert command.main() == 0
        return output

    return make


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The page on a log with all there is to draw."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "klippy.log").write_text(log_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "sys.argv",
            ["resync_report", str(folder / "klippy.log"), "-o", str(folder / "report.html")],
        )
        assert command.main() == 0
    return folder / "report.html"


def look_at(page, folder, *options, width_px=1200):
    """What the browser makes of a page."""
    assert shutil.which("chromium"), "no Chromium; run: scripts/setup.sh --browser"
    harness = folder / "harness.html"
    harness.write_text(HARNESS % (width_px, html.escape(page.read_text(encoding="utf-8"))))
    done = subprocess.run(
        [*BROWSER, *options, "--user-data-dir=%s" % (folder / "profile",), "--dump-dom"]
        + [harness.as_uri()],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=120,
        check=True,
    )
    shown = re.search(r'<pre id="shown">(.*?)</pre>', done.stdout, re.DOTALL).group(1)
    return json.loads(html.unescape(shown))


def test_page_renders_in_a_browser_with_all_its_plots(page, tmp_path):
    shown = look_at(page, tmp_path)
    assert len(shown["images"]) == 7
    for image in shown["images"]:
        assert image["natural"] > 400, image
        assert image["shown"] > 400, image
        assert image["high"] > 150, image
        assert image["alt"]
        assert not image["dark"]
    assert shown["headings"][:2] == ["Verdict", "Log"]
    assert "WRONG: The printer was shut down".lower() in shown["text"].lower()
    assert "Clock sync" in shown["headings"]
    # Nothing sticks out of it, and nothing in a log is taken for the page's own language
    assert shown["width"] <= 1200
    assert "<b>Timer too close</b>" in shown["text"]
    assert shown["fetched"] == []
    assert shown["ground"] == "rgb(243, 245, 248)"


def test_page_fits_a_phone_and_its_plots_stay_readable(page, tmp_path):
    assert 'name="viewport" content="width=device-width' in page.read_text(encoding="utf-8")
    shown = look_at(page, tmp_path, width_px=390)
    # Only boxes within it move sideways
    assert shown["width"] == shown["room"] <= 390
    assert all(image["shown"] > 600 for image in shown["images"])


def test_page_is_dark_where_the_user_wants_it_dark(page, tmp_path):
    shown = look_at(page, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert shown["ground"] == "rgb(13, 17, 23)"
    assert all(image["dark"] and image["natural"] > 400 for image in shown["images"])


def test_page_asks_no_network_for_anything(page):
    text = page.read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    addresses = re.findall(r'(?:src|srcset|href)="([^"]{0,40})', text)
    assert addresses
    assert all(address.startswith(("data:image/svg+xml;base64,", "#s")) for address in addresses)
    assert "<script" not in text


def test_same_log_makes_the_same_plot(tmp_path):
    path = tmp_path / "klippy.log"
    path.write_text(log_text())
    log = Log([str(path)])
    assert plots.draw(log, "clock", plots.DARK) == plots.draw(log, "clock", plots.DARK)
    assert plots.draw(log, "clock", plots.DARK) != plots.draw(log, "clock", plots.LIGHT)


def test_picture_has_all_plots(made):
    content = made("report.png").read_bytes()
    assert content.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", content[16:24])
    assert width > 900
    assert height > 7 * 300


def test_seven_hundred_moves_of_many_steppers_can_be_drawn(made):
    moves = []
    for i in range(700):
        steppers = " ".join(
            "stepper_%d=board%d,%+d,%+.6f,+0,+0.000000" % (n, n, i * n, i * n / 400)
            for n in range(20)
        )
        moves.append(MOVE[: MOVE.index(" stepper_z=")] + " " + steppers)
    assert made("report.html", "\n".join(moves) + "\n").stat().st_size > 10000


def test_page_is_written_without_matplotlib_and_says_how_to_get_it(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = made("report.html").read_text(encoding="utf-8")
    assert "sudo apt install python3-matplotlib" in text
    assert "<img" not in text
    # The histogram in letters instead
    assert "overshoot of stepper_z1: steps, moves" in text
    assert "The printer was shut down" in text


def test_matplotlib_that_is_too_old_is_told_from_one_that_is_missing(made, monkeypatch):
    import matplotlib

    monkeypatch.setattr(matplotlib, "__version__", "3.3.4")
    monkeypatch.delitem(sys.modules, "scripts.owner.report.plots")
    monkeypatch.delattr(report_package, "plots")
    text = made("report.html").read_text(encoding="utf-8")
    assert "plots need matplotlib 3.5 or newer" in text
    assert "version 3.3.4" in text
    assert "pip install -U matplotlib" in text


def test_page_without_plots_is_a_page(made):
    assert "<img" not in made("report.html", CONFIG).read_text(encoding="utf-8")


def test_nothing_to_draw_is_one_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "klippy.log"
    path.write_text(CONFIG)
    monkeypatch.setattr(
        "sys.argv", ["resync_report", str(path), "-o", str(tmp_path / "report.png")]
    )
    assert command.main() == 1
    assert capsys.readouterr().err == "resync_report: the log has nothing to draw\n"
