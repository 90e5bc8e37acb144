# The documents say what the code does, and the other way round
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import re
from pathlib import Path

import pytest

from helpers.error_texts import error_texts

# How the code reads an option, up to the option's name
READ = r'(?:config\.get(?!section|_prefix)\w*\(|get_finite\(config,)\s*"%s"'
ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXTRA = ROOT / "klippy" / "extras"


def text(path):
    return path.read_text(encoding="utf-8")


def extra_source():
    files = [EXTRA / "multi_mcu_resync.py", *sorted((EXTRA / "resync").rglob("*.py"))]
    return "\n".join(text(path) for path in files)


def documented_options(document, section):
    part = text(DOCS / document).split("[%s]" % (section,))[-1].split("```")[0]
    return set(re.findall(r"^#(\w+):", part, re.MULTILINE))


def test_every_option_is_documented_and_every_documented_option_exists():
    options = set(re.findall(READ % (r"(\w+)",), extra_source()))
    assert options == documented_options("Config_Reference.md", "multi_mcu_resync")
    assert options
    prefixes = set(re.findall(r'get_prefix_options\("(\w+)"\)', extra_source()))
    assert prefixes == set(
        re.findall(r"^#(\w+)<axis>:", text(DOCS / "Config_Reference.md"), re.MULTILINE)
    )


def test_documented_defaults_are_the_codes():
    source = extra_source()
    for option, default in re.findall(
        r"^#(\w+): (\S+)$", text(DOCS / "Config_Reference.md"), re.MULTILINE
    ):
        call = re.search(READ % (option,) + r",(.*?)\)\n", source, re.DOTALL)
        assert re.search(r'[ "]%s\b' % (re.escape(default),), call.group(1)), option


def test_every_command_is_documented_and_every_documented_command_exists():
    commands = set(re.findall(r"^    cmd_(\w+)_help = ", extra_source(), re.MULTILINE))
    assert commands == set(re.findall(r"^#### (\w+)", text(DOCS / "G-Codes.md"), re.MULTILINE))
    assert commands


def test_every_status_field_is_documented_and_every_documented_field_exists():
    body = extra_source().split('"""The fields of printer.multi_mcu_resync')[1]
    fields = set(re.findall(r'^ +"(\w+)":', body, re.MULTILINE))
    part = text(DOCS / "Status_Reference.md").split("## The log line")[0]
    assert fields == set(re.findall(r"`(\w+)(?:\.<(?:stepper|axis)>)?`[:,]", part))
    assert fields


def test_every_dependency_has_a_line():
    dependencies = text(DOCS / "Dependencies.md")
    for path in ROOT.glob("*/requirements/*.txt"):
        for package in re.findall(r"^([\w.-]+)==", text(path), re.MULTILINE):
            assert re.search(r"\b%s\b" % (re.escape(package),), dependencies), package


def test_every_error_is_in_the_guide_and_every_error_in_the_guide_exists():
    part = text(DOCS / "Guide.md").split("## Troubleshooting")[1].split("\n## ")[0]
    errors = {error.text for error in error_texts()}
    assert errors == set(re.findall(r"^#### `(.*)`$", part, re.MULTILINE))
    assert errors


def test_every_error_in_the_guide_says_what_to_do():
    part = text(DOCS / "Guide.md").split("## Troubleshooting")[1].split("\n## ")[0]
    for entry in part.split("\n#### ")[1:]:
        heading, _, advice = entry.partition("\n")
        assert len(advice.partition("\n###")[0].split()) >= 2, heading


def test_overview_has_every_module_script_and_invariant():
    overview = text(DOCS / "Code_Overview.md")
    modules = {
        "%s/%s" % (path.parent.name, path.stem)
        for path in (EXTRA / "resync").glob("*/*.py")
        if path.stem != "__init__"
    }
    part = overview.split("## The rooms")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)/` \| (.*) \|$", part, re.MULTILINE)
    listed = ["%s/%s" % (room, m) for room, row in rows for m in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(modules)
    story = overview.split("## A homing move")[1].split("\n## ")[0]
    shown = re.findall(r"`(\w+/\w+)\.py`", story)
    assert set(shown) <= modules
    assert {name.partition("/")[0] for name in shown} == {room for room, _ in rows}
    part = overview.split("## The scripts")[1].split("\n## ")[0]
    patterns = re.findall(r"`([\w*]+\.(?:py|sh))`", part)
    scripts = [ROOT.joinpath("scripts").glob(pattern) for pattern in patterns]
    listed = {path.name for found in scripts for path in found}
    assert listed == {
        p.name for p in (ROOT / "scripts").glob("[!_]*") if p.suffix in (".py", ".sh")
    }
    rows = re.findall(r"^\| `((?:developer|owner)/(?:\w+/)*)` \| (.*) \|$", part, re.MULTILINE)
    listed = [folder + module for folder, row in rows for module in re.findall(r"`(\w+)`", row)]
    modules = (ROOT / "scripts").rglob("*/[!_]*.py")
    assert sorted(listed) == sorted(
        str(path.relative_to(ROOT / "scripts").with_suffix("")) for path in modules
    )
    part = overview.split("## Reading printer.cfg")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*`) \| .* \|$", part, re.MULTILINE)
    listed = [module for row in rows for module in re.findall(r"`(\w+)`", row)]
    assert sorted(listed) == sorted(p.stem for p in (ROOT / "printer_config").glob("[!_]*.py"))
    invariants = re.findall(r"^- (I\d):", overview, re.MULTILINE)
    tests = text(ROOT / "test" / "end_to_end" / "test_invariants.py")
    tested = re.findall(r"^def test_(i\d)_", tests, re.MULTILINE)
    assert sorted(invariants) == sorted({name.upper() for name in tested})


@pytest.mark.parametrize("path", [*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md"))], ids=str)
def test_every_link_and_command_in_a_document_leads_somewhere(path):
    content = text(path)
    for target in re.findall(r"\]\(([^)#:]+)\)", content):
        assert (path.parent / target).exists(), target
    for script in re.findall(r"\bscripts/[\w.*-]+\.(?:sh|txt|py)", content):
        assert list(ROOT.glob(script)), script


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=str)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(path):
    for table in re.findall(r"(?:^\|.*\n)+", text(path), re.MULTILINE):
        rows = table.splitlines()
        cells = [len(re.sub(r"`[^`]*`", "", row).split("|")) for row in rows]
        assert cells == cells[:1] * len(rows), table


def test_installation_shows_the_installers_help_and_its_refusals():
    document, script = text(DOCS / "Installation.md"), text(ROOT / "scripts" / "install.sh")
    usage = script.split("cat <<'END'\n")[1].split("\nEND\n")[0].split("\n\nNeeds")[0]
    assert "```\n%s\n```" % (usage,) in document
    refusals = re.findall(r"^\| (?!---|the line says)(.*?) \|", document, re.MULTILINE)
    sources = script + extra_source()
    for refusal in ", ".join(refusals).split(", "):
        assert refusal in sources, refusal
    assert len(refusals) > 5
