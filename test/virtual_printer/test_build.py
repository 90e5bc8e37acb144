# Compiling the virtual printer's library: cached, atomic, and with one clear line when it fails
#
# Copyright (C) 2026  The multi_mcu_resync developers
#
# This file may be distributed under the terms of the GNU GPLv3 license.

import ctypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from virtual_printer import build


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "answer.h").write_text("#define ANSWER 42\n")
    (folder / "answer.c").write_text('#include "answer.h"\nint answer(void)\n{ return ANSWER; }\n')
    return folder


def test_library_loads_and_runs(sources: Path, tmp_path: Path) -> None:
    library = build.library(sources=sources, builds=tmp_path / "builds")
    assert ctypes.CDLL(str(library)).answer() == 42


def test_second_build_is_the_same_untouched_file(sources: Path, tmp_path: Path) -> None:
    first = build.library(sources=sources, builds=tmp_path / "builds")
    made = first.stat().st_mtime_ns
    second = build.library(sources=sources, builds=tmp_path / "builds")
    assert second == first
    assert second.stat().st_mtime_ns == made


def test_changed_header_gives_another_library(sources: Path, tmp_path: Path) -> None:
    first = build.library(sources=sources, builds=tmp_path / "builds")
    (sources / "answer.h").write_text("#define ANSWER 43\n")
    second = build.library(sources=sources, builds=tmp_path / "builds")
    assert second != first
    assert ctypes.CDLL(str(second)).answer() == 43


def test_sanitized_library_is_another_file(sources: Path, tmp_path: Path) -> None:
    plain = build.library(sources=sources, builds=tmp_path / "builds")
    sanitized = build.library(sanitize=True, sources=sources, builds=tmp_path / "builds")
    assert sanitized != plain
    assert b"__asan_init" in sanitized.read_bytes()


def test_parallel_builds_agree_and_leave_nothing_behind(sources: Path, tmp_path: Path) -> None:
    builds = tmp_path / "builds"
    with ThreadPoolExecutor(4) as pool:
        libraries = set(pool.map(lambda _: build.library(sources=sources, builds=builds), range(4)))
    assert len(libraries) == 1
    assert list(builds.iterdir()) == list(libraries)


def test_warning_is_an_error_on_one_line(sources: Path, tmp_path: Path) -> None:
    (sources / "answer.c").write_text("static int unused;\n")
    with pytest.raises(build.BuildError) as caught:
        build.library(sources=sources, builds=tmp_path / "builds")
    assert "\n" not in str(caught.value)
    assert "answer.c:1" in str(caught.value)
    assert list((tmp_path / "builds").iterdir()) == []


def test_missing_compiler_is_one_clear_line(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(build.BuildError) as caught:
        build.library(sources=sources, builds=tmp_path / "builds")
    assert str(caught.value).startswith("no C compiler: cannot run 'no-such-compiler'")


def test_empty_folder_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(build.BuildError, match="no C sources in"):
        build.library(sources=tmp_path, builds=tmp_path / "builds")
