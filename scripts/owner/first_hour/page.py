# The trial on one page
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import html
from typing import Dict, List

from .rows import LOOK, PASSED, STOP, Row, worst

_SUMMARY = {
    PASSED: "The printer is all right.",
    LOOK: "The printer works; look at what is marked.",
    STOP: "Stop: correct what is marked, then take the trial up again.",
}
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>The first hour</title>
<style>
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, Arial, sans-serif; margin: 0 auto;
  max-width: 60rem; padding: 1.2rem; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-bottom: 1px solid #8885; overflow-wrap: anywhere; }
td:first-child, td:nth-child(2) { white-space: nowrap; overflow-wrap: normal; }
.stop { --ink: #b3261e; }
.look { --ink: #8a5a00; }
.finding { border-left: .25rem solid var(--ink); padding-left: .8rem; margin: 1rem 0; }
.finding p { margin: .2rem 0; }
.finding strong, .stop td:nth-child(2), .look td:nth-child(2) { color: var(--ink);
  font-weight: 700; }
.advice { opacity: .8; }
@media (prefers-color-scheme: dark) { .stop { --ink: #ff8a80; } .look { --ink: #f0b93a; } }
@media (max-width: 40rem) { td, th { display: block; border: 0; padding: .1rem 0; }
  tr { display: block; border-bottom: 1px solid #8885; padding: .5rem 0; }
  td:first-child, td:nth-child(2) { display: inline-block; margin-right: 1rem; }
  thead { display: none; } }
</style>
</head>
<body>
"""
_CLASSES = {PASSED: "passed", LOOK: "look", STOP: "stop"}


def summary(rows: List[Row], is_complete: bool) -> str:
    """One line."""
    verdict = worst(rows)
    if verdict == STOP or is_complete:
        return _SUMMARY[verdict]
    return "Not finished: take the trial up again."


def _findings(rows: List[Row]) -> List[str]:
    """What is not all right and what to do, the worst first."""
    found = [row for verdict in (STOP, LOOK) for row in rows if row.verdict == verdict]
    lines = []
    for row in found:
        title = html.escape("%s: %s" % (row.verdict.capitalize(), row.step))
        lines.append('<div class="finding %s"><strong>%s</strong>' % (_CLASSES[row.verdict], title))
        lines.append("<p>%s</p>" % (html.escape(row.what),))
        if row.advice:
            lines.append('<p class="advice">What to do: %s</p>' % (html.escape(row.advice),))
        lines.append("</div>")
    return lines


def page(rows: List[Row], versions: Dict[str, str], is_complete: bool) -> str:
    """The text of the page, which needs no network."""
    lines = ["<h1>The first hour</h1>", "<p>%s</p>" % (html.escape(summary(rows, is_complete)),)]
    lines += _findings(rows)
    lines.append("<table><thead><tr><th>step<th>verdict<th>what</tr></thead><tbody>")
    for row in rows:
        texts = map(html.escape, (row.step, row.verdict, row.what))
        lines.append('<tr class="%s"><td>%s<td>%s<td>%s</tr>' % (_CLASSES[row.verdict], *texts))
    lines.append("</tbody></table>")
    # Of a host that was not cloned Klipper itself says "?"
    listed = ", ".join("%s %s" % (n, v.strip("?") or "not known") for n, v in versions.items())
    lines.append('<p class="advice">%s</p>' % (html.escape(listed),))
    return _HEAD + "\n".join(lines) + "\n</body>\n</html>\n"
