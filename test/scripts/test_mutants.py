# The mutants of the extra: what is changed, and that tests notice
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.
import json

import pytest

from scripts.developer.mutants import campaign
from scripts.developer.mutants.changes import ROOT, module_paths, mutants_of
from scripts.developer.mutants.named import NamedChange, NamedError, mutant_of, named_mutants
from scripts.developer.mutants.reached import FUNCTION, PREAMBLE, noting
from scripts.developer.mutants.tests import RecordedTest, TestChoice

PROFILE = "klippy/extras/resync/model/correction_time.py"
LIMITS = "klippy/extras/resync/model/following_error.py"
DEFAULT_TEST = (
    "test/resync/test_following_error.py::test_default_is_the_worst_overshoot_and_two_steps"
)
SOURCE = '''"""A module."""
LIMIT_S: float = 0.5


def worst(figures: List[float], is_signed: bool = False) -> Optional[float]:
    """The worst of some figures."""
    if not figures or is_signed:
        raise ValueError("no %d figures" % (1,))
    found = max(abs(f) for f in figures if f < LIMIT_S)
    return found + 1
'''


def changes_of(source):
    return {(m.was, m.now) for m in mutants_of("worst.py", source)}


def test_each_kind_of_change_is_made():
    assert {
        ("LIMIT_S: float = 0.5", "LIMIT_S: float = 1.0"),
        ("if not figures or is_signed:", "if (not figures and is_signed):"),
        ("if not figures or is_signed:", "if (figures) or is_signed:"),
        ("if not figures or is_signed:", "if (is_signed):"),
        ('raise ValueError("no %d figures" % (1,))', "pass"),
        ("return found + 1", "return (found - 1)"),
        ("return found + 1", "return found + 2"),
        ("return found + 1", "return None"),
    } <= changes_of(SOURCE)
    found = {now for was, now in changes_of(SOURCE) if was.startswith("found = ")}
    assert found == {
        "found = (min((abs(f) for f in figures if f < LIMIT_S)))",
        "found = max((f) for f in figures if f < LIMIT_S)",
        "found = max(abs(f) for f in figures if (f <= LIMIT_S))",
        "found = max(abs(f) for f in figures if (f >= LIMIT_S))",
        "found = max(abs(f) for f in figures if True)",
    }


def test_texts_and_types_are_left_alone():
    for _, now in changes_of(SOURCE):
        assert "A module" not in now
        assert "Optional[float]" in now or "def " not in now


def test_change_is_described_alike_wherever_it_is_in_its_file():
    moved = SOURCE.replace("LIMIT_S: ", "\n\n# A comment\nLIMIT_S: ")
    descriptions = [[m.describe() for m in mutants_of("worst.py", s)] for s in (SOURCE, moved)]
    assert descriptions[0] == descriptions[1]
    assert len(descriptions[0]) == len(set(descriptions[0])) > 10


@pytest.mark.parametrize("path", module_paths())
def test_every_mutant_of_a_module_is_a_program_and_another_one(path):
    source = (ROOT / path).read_text(encoding="utf-8")
    for mutant in mutants_of(path, source):
        changed = mutant.applied_to(source)
        assert changed != source
        compile(changed, path, "exec")


def test_every_named_change_fits_to_the_code():
    names = [mutant.name for mutant in named_mutants()]
    assert len(names) == len(set(names)) >= 12


def test_named_change_that_does_not_fit_any_more_is_an_error_that_says_so():
    with pytest.raises(NamedError, match=r"'no such code' has to be there once .* up to date"):
        mutant_of(NamedChange("gone", "no such code", ""))


def test_choice_is_that_of_the_seed_and_has_one_of_each_module():
    found = campaign.all_mutants()
    chosen = campaign.choose(found, 60, 1)
    assert chosen == campaign.choose(found, 60, 1)
    assert chosen != campaign.choose(found, 60, 2)
    assert len(set(chosen)) == len(chosen) == 60
    assert {mutant.path for mutant in chosen} == {path for path, of_it in found.items() if of_it}


def test_every_reason_belongs_to_a_mutant_that_there_is():
    known = named_mutants() + [m for found in campaign.all_mutants().values() for m in found]
    reasons = campaign.read_survivors()
    assert campaign.stale_reasons(reasons, known, []) == []
    assert all(reasons.values())


def test_reason_for_a_mutant_that_is_killed_is_stale():
    mutant = named_mutants()[0]
    reasons = {mutant.describe(): "It cannot be noticed.", "gone.py f: a -> b": "It was so."}
    judged = [campaign.Judged(mutant, None, 1)]
    assert campaign.stale_reasons(reasons, [mutant], judged) == ["gone.py f: a -> b"]
    judged = [campaign.Judged(mutant, "a test", 1)]
    assert campaign.stale_reasons(reasons, [mutant], judged) == list(reasons)


def test_reason_that_names_other_hosts_is_not_stale_where_one_of_these_has_killed_the_mutant():
    mutant = named_mutants()[0]
    reasons = {mutant.describe(): "Only check_host.sh runs a host that has it."}
    judged = [campaign.Judged(mutant, "a test", 1)]
    assert campaign.stale_reasons(reasons, [mutant], judged) == []


def test_reasons_are_read_with_their_mutants(tmp_path):
    path = tmp_path / "survivors.txt"
    path.write_text("# A comment\n\na.py f: x < 1 -> x <= 1\n    Never 1:\n    see g().\n")
    assert campaign.read_survivors(path) == {"a.py f: x < 1 -> x <= 1": "Never 1: see g()."}


def test_report_has_the_figures_and_every_survivor(capsys):
    found = mutants_of("worst.py", SOURCE)
    judged = [campaign.Judged(m, "a test" if i else None, 1) for i, m in enumerate(found)]
    report = json.loads(json.dumps(campaign.report_of(judged, {}, 1)))
    assert (report["killed"], report["survived"]) == (len(found) - 1, 1)
    assert report["survivors"][0]["file"] == "worst.py"
    assert report["survivors"][0]["line"] == found[0].line
    assert campaign.conclude(report) == 1
    assert "NO REASON GIVEN" in capsys.readouterr().out
    assert (report["equivalent"], report["killed_percent_of_others"]) == (
        0,
        report["killed_percent"],
    )
    report = campaign.report_of(judged, {found[0].describe(): "check_host.sh shows it."}, 1)
    assert (campaign.conclude(report), report["equivalent"]) == (0, 0)
    report = campaign.report_of(judged, {found[0].describe(): "Nobody looks."}, 1)
    assert campaign.conclude(report) == 0
    assert (report["equivalent"], report["killed_percent_of_others"]) == (1, 100.0)


def test_code_notes_what_is_reached_of_it():
    reached = set()
    code = noting(SOURCE.replace("List[float]", "list"), "worst.py")
    code = code.replace("Optional[float]", "float").replace(PREAMBLE, "")
    names = {FUNCTION: reached.add}
    exec(compile(code, "worst.py", "exec"), names)
    assert names["worst"]([0.25, 3.0]) == 1.25
    assert reached == {"worst.py:7", "worst.py:9", "worst.py:10"}


def test_tests_of_a_mutant_are_those_that_reach_it_named_and_pure_ones_first():
    mutant = next(m for m in mutants_of(PROFILE, (ROOT / PROFILE).read_text()) if m.line > 20)
    statement = TestChoice({}).places_of(mutant)
    records = {
        "test/end_to_end/test_a.py::test_slow": RecordedTest(2.0, statement),
        "test/end_to_end/test_a.py::test_quick": RecordedTest(1.0, statement),
        "test/end_to_end/test_a.py::test_elsewhere": RecordedTest(1.0, {"profile.py:1"}),
        "test/end_to_end/test_a.py::test_named": RecordedTest(3.0, statement),
        "test/resync/test_b.py::test_pure": RecordedTest(1.0, statement),
        "test/resync/test_b.py::test_too_long": RecordedTest(1000.0, statement),
    }
    found = [t.partition("::")[2] for t in TestChoice(records).tests_of(mutant, ["test_named"])]
    assert found[:2] == ["test_named", "test_pure"]
    assert "test_elsewhere" not in found
    quick = dict(records)
    del quick["test/resync/test_b.py::test_too_long"]
    found = [t.partition("::")[2] for t in TestChoice(quick).tests_of(mutant, [])]
    assert found == ["test_pure", "test_quick", "test_slow", "test_named"]


def test_mutant_is_killed_by_a_test_that_fails_and_survives_those_that_do_not():
    found = mutants_of(LIMITS, (ROOT / LIMITS).read_text(encoding="utf-8"))
    tests = {DEFAULT_TEST: 120.0}
    deadly = next(m for m in found if m.now == "MIN_FERROR_STEPS = 3")
    harmless = deadly._replace(replacement="2")
    with campaign.make_trees(1) as (tree,):
        assert tree.killer_of(deadly, tests) == DEFAULT_TEST
        assert tree.killer_of(harmless, tests) is None
        # And the copy is as it was
        assert tree.killer_of(deadly, tests) == DEFAULT_TEST
    assert not tree.path.exists()
