# check_plugin.sh on plugins made here, on what is none, and on hosts that are too old
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest

from scripts.developer.plugins import checkout, command, install, table
from scripts.developer.plugins.outcome import Outcome
from scripts.developer.plugins.plugin import Plugin, Row
from scripts.developer.plugins.printers import FOUR_WITH, ONE_WITH, ONE_WITHOUT
from scripts.developer.plugins.trial import Result

# A stand-in of a plugin: the script itself is what is tested
EXTRA = """
class Tiny:
    def __init__(self, config):
        self.printer = config.get_printer()
        self.printer.register_event_handler("klippy:connect", self.connect)

    def connect(self):
        %s

def load_config(config):
    return Tiny(config)
"""
WITH_SECTION_ONLY = """if self.printer.lookup_object("multi_mcu_resync", None):
            raise self.printer.config_error("tiny: not beside multi_mcu_resync")"""
ALWAYS = """raise self.printer.config_error("tiny: never")"""


@pytest.fixture(autouse=True)
def _own_copies(tmp_path, monkeypatch):
    monkeypatch.setattr(install, "_FOLDER", tmp_path / "copies")


def make_plugin(folder, at_connect="pass"):
    (folder / "tiny").mkdir()
    (folder / "tiny" / "tiny.py").write_text(EXTRA % (at_connect,))
    (folder / "tiny.cfg").write_text("[tiny]\n")
    return folder / "tiny"


def run(tmp_path, plugin, host, *options):
    report = tmp_path / "table.json"
    arguments = [str(plugin), "--config", str(tmp_path / "tiny.cfg"), "--json", str(report)]
    code = command.main([*arguments, "--host", host, "--jobs", "1", *options])
    return code, json.loads(report.read_text())


def listing(folder):
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def test_plugin_runs_on_all_printers_and_is_only_read(tmp_path, capsys):
    plugin = make_plugin(tmp_path)
    before = listing(plugin)
    code, rows = run(tmp_path, plugin, "kalico", "--keep", str(tmp_path / "kept"))
    assert (code, listing(plugin)) == (0, before)
    (row,) = rows
    assert (row["plugin"], row["commit"], row["host"]) == ("tiny", "no git", "kalico")
    assert (row["one_without"], row["one_with"], row["four_with"]) == ("", "", "")
    assert capsys.readouterr().out.splitlines()[3].split()[-3:] == ["passed"] * 3
    logs = list((tmp_path / "kept").glob("*/klippy.log"))
    assert len(logs) == 3 and all("[tiny]" in log.read_text() for log in logs)


def test_plugin_that_fails_beside_the_section_only_is_a_failure_of_ours(tmp_path, capsys):
    plugin = make_plugin(tmp_path, WITH_SECTION_ONLY)
    code, (row,) = run(tmp_path, plugin, "klipper_v0_12")
    assert code == 1
    assert row["one_without"] == ""
    assert all("not beside multi_mcu_resync" in row[kind] for kind in ("one_with", "four_with"))
    assert table.ALONE_TOO not in capsys.readouterr().out


def test_plugin_that_fails_alone_too_is_said_so(tmp_path, capsys):
    code, (row,) = run(tmp_path, make_plugin(tmp_path, ALWAYS), "kalico")
    assert (code, "tiny: never" in row["one_without"]) == (1, True)
    assert table.ALONE_TOO in capsys.readouterr().out


def refused(capsys, *arguments):
    """The one line that arguments are refused with."""
    try:
        code = command.main([str(argument) for argument in arguments])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr()
    assert (code, said.out, said.err.count("\n")) == (1, "", 1)
    return said.err


def test_path_that_is_no_plugin_is_one_line(tmp_path, capsys):
    assert "is no folder" in refused(capsys, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no plugin there" in refused(capsys, tmp_path / "empty")


@pytest.mark.parametrize("path", ["tiny.py", "parts/__init__.py"])
def test_plugin_that_is_no_python_is_one_line(path, tmp_path, capsys):
    plugin = make_plugin(tmp_path)
    (plugin / path).parent.mkdir(exist_ok=True)
    (plugin / path).write_text("def load_config(config):\n    return Broken(config\n")
    said = refused(capsys, plugin, "--config", tmp_path / "tiny.cfg", "--host", "klipper_v0_12")
    assert said.startswith("check_plugin: cannot be loaded: %s, line 2: " % (plugin / path,))
    # It is no use to copy a host for that
    assert not install._FOLDER.exists()


def test_plugin_whose_rows_nobody_knows_needs_a_config(tmp_path, capsys):
    assert "--config FILE" in refused(capsys, make_plugin(tmp_path))


def test_host_that_is_too_old_for_a_plugin_is_one_line(tmp_path, capsys):
    eddy_ng = next(one for one in checkout.known_plugins() if one.name == "eddy-ng")
    for mark in eddy_ng.marks:
        (tmp_path / mark).write_text("")
    said = refused(capsys, tmp_path, "--host", "klipper_v0_12")
    assert said.startswith("check_plugin: eddy-ng needs Klipper of 2024 or newer")


@pytest.mark.parametrize(
    "arguments, said",
    [
        ((), "give the path"),
        (("x", "--jobs", "0"), "--jobs"),
        (("x", "--json", "/no/where/file"), "cannot write"),
        (("x", "--fast"), "--fast"),
    ],
    ids=str,
)
def test_wrong_arguments_are_one_line(arguments, said, capsys):
    assert said in refused(capsys, *arguments)


def test_all_known_plugins_have_rows_and_names_of_their_own():
    plugins = checkout.known_plugins()
    assert len({plugin.name for plugin in plugins}) == len(plugins) > 5
    assert all(plugin.rows and plugin.marks for plugin in plugins)


def test_paths_of_a_plugin_that_are_not_there_are_one_line(tmp_path):
    plugin = Plugin("odd", ("a.py",), (Row("a", print),), links={"a.py": "extras/a.py"})
    with pytest.raises(install.PluginError, match=r"no a\.py in .*: its rows are for another"):
        install._link(tmp_path, plugin.links, tmp_path)


def outcome(value, failure=""):
    return Outcome(failure, {"height_mm": Result(value, 0.01)})


def judged(one_with, four_with, one_without=None):
    outcomes = {
        ONE_WITHOUT: one_without or outcome(1.0),
        ONE_WITH: one_with,
        FOUR_WITH: four_with,
    }
    return table.judge(outcomes)


def test_results_have_to_be_those_of_one_mcu_within_the_noise():
    assert judged(outcome(1.009), outcome(0.991)) == ("", "", "")
    found = judged(outcome(1.011), outcome(float("nan")))
    assert found[1] == "height_mm is 1.0110, 1.0000 on one MCU without"
    assert found[2] == "height_mm is nan, 1.0000 on one MCU without"
    assert judged(outcome(1.0), Outcome("", {}))[2].startswith("has other results")


def test_nothing_is_compared_with_what_has_failed():
    assert judged(outcome(5.0), outcome(5.0), outcome(1.0, "odd")) == ("odd", "", "")


def row(host, *failures):
    return table.TableRow("p", "abc", "2026-01-01", host, "1", "homes", *failures)


def test_hosts_with_the_same_outcome_share_a_line_of_the_documentation():
    text = table.markdown([row("kalico", "", "", ""), row("checkout", "", "", "")])
    assert text.splitlines()[2:] == [
        "| p, abc of 2026-01-01 | homes | Kalico 1; Klipper 1 | passed | passed | passed |"
    ]
    text = table.markdown([row("kalico", "x|y", "z", "z")])
    assert f"| {table.ALONE_TOO}: x\\|y | - | - |" in text
    text = table.markdown([row("kalico", "", "", "x")])
    assert "| passed | passed | **failed**: x |" in text


def test_later_tables_take_the_place_of_earlier_ones(tmp_path, capsys):
    files = []
    for name, failure in (("earlier", "x"), ("later", "")):
        files.append(tmp_path / name)
        files[-1].write_text(json.dumps([row("kalico", "", "", failure).figures()]))
    assert command.main(["--markdown", *map(str, files)]) == 0
    assert capsys.readouterr().out.count("| passed | passed | passed |") == 1


def test_printers_differ_in_where_z_is_and_in_the_section_only():
    part, left_out = "[a]\nmcu: {z2}\n", ("probe",)
    texts = [
        kind.printer(part, "", left_out).printer_cfg()
        for kind in (ONE_WITHOUT, ONE_WITH, FOUR_WITH)
    ]
    assert [text.endswith("[a]\nmcu: mcu\n") for text in texts] == [True, True, False]
    assert texts[2].endswith("[a]\nmcu: z2\n")
    assert ["[multi_mcu_resync]" in text for text in texts] == [False, True, True]
    assert not any("[probe]" in text for text in texts)
    assert texts[1].replace("[multi_mcu_resync]\n\n", "") == texts[0]
