# The report as one page that needs nothing else
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import base64
import html
from types import ModuleType
from typing import List, Optional

from .document import Finding, Section, Table
from .log import Log

# The policy keeps the page from asking any network for anything
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Resync report</title>
<style>
:root { --paper: #fff; --ground: #f3f5f8; --ink: #1f2933; --soft: #5d6b7a; --line: #dde3e9;
  --mark: #0072b2; --stripe: #f7f9fb; --wrong: #b3261e; --look: #8a5a00; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #161b22; --ground: #0d1117; --ink: #d7dee6; --soft: #94a1b0; --line: #2b333d;
    --mark: #4ea8de; --stripe: #1b212a; --wrong: #ff8a80; --look: #f0b93a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 26px; margin: 0 0 4px; }
h2 { font-size: 18px; margin: 0 0 12px; }
h3 { font-size: 16px; margin: 0 0 6px; }
.finding { border-left: 4px solid var(--look); padding: 2px 0 2px 14px; margin: 16px 0 0;
  overflow-wrap: anywhere; }
.finding.wrong { border-color: var(--wrong); }
.finding b { color: var(--look); }
.finding.wrong b { color: var(--wrong); }
.finding p { margin: 0 0 6px; }
.finding + p.note { margin-top: 16px; }
nav { margin: 0 0 20px; display: flex; flex-wrap: wrap; gap: 4px 18px; }
a { color: var(--mark); text-decoration: none; }
a:hover { text-decoration: underline; }
section { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px; margin: 0 0 20px; }
.scroll { overflow-x: auto; margin: 0 0 14px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13.5px;
  width: 100%; }
th, td { padding: 5px 7px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; white-space: normal; }
th:first-child, td:first-child { text-align: left; font-weight: 600; }
tbody tr:nth-child(even) { background: var(--stripe); }
tbody tr:last-child td { border-bottom: 0; }
p { margin: 0 0 10px; }
p.note { color: var(--soft); font-size: 13.5px; max-width: 78ch; }
pre { overflow-x: auto; font-size: 12.5px; }
p.line { overflow-wrap: anywhere; white-space: pre-wrap; margin: 0 0 4px; }
img { display: block; width: 100%; height: auto; margin: 6px 0 16px; }
@media (max-width: 640px) {
  main { padding: 14px 8px 40px; }
  section { padding: 14px 12px; }
  nav { gap: 10px 18px; }
  /* What is too wide to be read in one piece moves within its own box, under its row's name */
  img { width: 620px; max-width: none; }
  th:first-child, td:first-child { position: sticky; left: 0; background: var(--paper); }
}
@media print { body { background: #fff; } section { break-inside: avoid; } }
</style>
</head>
<body>
<main>
"""
_TAIL = "</main>\n</body>\n</html>\n"


def _data_url(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _plot(log: Log, name: str, plots: ModuleType) -> List[str]:
    # An image does not follow the page's colours: there are two of it
    dark, light = (plots.draw(log, name, theme) for theme in (plots.DARK, plots.LIGHT))
    return [
        '<div class="scroll"><picture>',
        '<source media="(prefers-color-scheme: dark)" srcset="%s">' % (_data_url(dark.svg),),
        '<img alt="%s" src="%s">' % (html.escape(light.title), _data_url(light.svg)),
        "</picture></div>",
    ]


def _finding(finding: Finding) -> List[str]:
    is_wrong = " wrong" if finding.is_wrong else ""
    title = "<b>%s</b>: %s" % (finding.level.capitalize(), html.escape(finding.what))
    return [
        '<div class="finding%s"><h3>%s</h3>' % (is_wrong, title),
        *["<p>%s</p>" % (html.escape(figure),) for figure in finding.figures],
        '<p class="note">Limit: %s</p>' % (html.escape(finding.threshold),),
        "<p>What to do: %s</p></div>" % (html.escape(finding.advice or "see docs/Guide.md"),),
    ]


def _table(table: Table) -> List[str]:
    def row(tag: str, cells: List[str]) -> str:
        texts = [html.escape(cell).replace("+-", "&plusmn;") for cell in cells]
        return "<tr>%s</tr>" % ("".join("<%s>%s</%s>" % (tag, text, tag) for text in texts),)

    return [
        '<div class="scroll"><table>',
        "<thead>%s</thead>" % (row("th", table.titles),),
        "<tbody>",
        *[row("td", cells) for cells in table.rows],
        "</tbody></table></div>",
    ]


def _section(log: Log, number: int, section: Section, plots: Optional[ModuleType]) -> List[str]:
    lines = ['<section id="s%d">' % (number,), "<h2>%s</h2>" % (html.escape(section.title),)]
    lines += ['<p class="line">%s</p>' % (html.escape(line),) for line in section.lines]
    for finding in section.findings:
        lines += _finding(finding)
    for table in section.tables:
        lines += _table(table)
    if plots:
        for name in section.plots:
            lines += _plot(log, name, plots)
    else:
        lines += ["<pre>%s</pre>" % (html.escape("\n".join(section.drawing)),)] * bool(
            section.drawing
        )
    lines += ['<p class="note">%s</p>' % (html.escape(note),) for note in section.notes]
    return [*lines, "</section>"]


def write(
    log: Log, sections: List[Section], path: str, plots: Optional[ModuleType], missing: str = ""
) -> None:
    """Write the page with these sections.

    plots is the module that draws, or None; missing says what to do to have it.
    """
    links = [
        '<a href="#s%d">%s</a>' % (i, html.escape(section.title))
        for i, section in enumerate(sections)
    ]
    lines = ["<h1>Resync report</h1>", "<nav>%s</nav>" % ("".join(links),)]
    for i, section in enumerate(sections):
        lines += _section(log, i, section, plots)
    if missing:
        lines.append('<p class="note">%s</p>' % (html.escape(missing),))
    with open(path, "w", encoding="utf-8") as page:
        page.write(_HEAD + "\n".join(lines) + "\n" + _TAIL)
