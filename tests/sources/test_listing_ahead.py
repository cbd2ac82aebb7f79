"""A listing in another process: the same as the listing here; a failure does no harm, and nothing is left running."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from newsdata.errors import SourceError
from newsdata.sources import folder
from newsdata.sources.folder_walk import Faults, list_folder
from newsdata.sources.listing_ahead import list_ahead
from newsdata.sources.source import list_files, open_source

from ..source_files import strange_folder, write


@pytest.mark.parametrize("exclude", [None, "out"])
def test_the_listing_of_another_process_is_the_same(
    exclude: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = os.path.realpath(strange_folder(tmp_path / "site"))
    faults: Faults = []
    began, here = time.time_ns(), [*list_folder(root, exclude, faults)]
    assert here[0].split(b"\0")[::3][:2] == [b"_posts/a.md", b"_posts/n\nn.md"]
    assert {fault.rule for _, fault in faults} == {"path-not-utf-8", "not-a-file", "too-large"}
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the working folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with list_ahead(root, exclude) as ahead:
        assert (ahead.root, ahead.exclude) == (root, exclude)
        there = ahead.take()
        assert there is not None
        assert ([*there.files], there.faults) == (here, faults)
        assert began < there.began < time.time_ns()
        assert ahead.take() is None


def test_a_listing_ahead_of_the_same_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = strange_folder(tmp_path / "site")
    source = open_source(root, scratch=tmp_path, exclude=root / "out")
    assert source.exclude == "out"
    here = list_files(source)
    with list_ahead(source.root, source.exclude) as ahead:
        with monkeypatch.context() as patch:
            patch.delattr(folder, "list_folder")  # this process cannot list the folder
            there = list_files(source, ahead)
        again = list_files(source, ahead)  # the listing ahead was taken: the folder is listed here
    assert list(there.files) == list(here.files) == list(again.files)
    assert there.rejects == here.rejects == again.rejects
    assert here.listed_at < there.listed_at < again.listed_at


def test_a_listing_ahead_of_another_folder_is_not_used(tmp_path: Path) -> None:
    site = write(tmp_path / "site", {"a.md": b"a", "out/b.md": b"b"})
    source = open_source(site, scratch=tmp_path)
    other = os.path.realpath(write(tmp_path / "other", {"c.md": b"c"}))
    for root, exclude in ((other, None), (source.root, "out")):
        with list_ahead(root, exclude) as ahead:
            assert list_files(source, ahead).files.path.to_pylist() == ["a.md", "out/b.md"]
            assert ahead.take() is not None


@pytest.mark.parametrize("program", ["/bin/false", "/bin/true", "/nowhere", ""])
def test_a_process_that_fails_does_no_harm(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = open_source(write(tmp_path / "site", {"a.md": b"a"}), scratch=tmp_path)
    monkeypatch.setattr(sys, "executable", program)
    with list_ahead(source.root) as ahead:
        assert list_files(source, ahead).files.path.to_pylist() == ["a.md"]
        assert ahead.take() is None


def test_nothing_is_left_running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    real = subprocess.Popen

    def popen(*arguments: object, **options: object) -> subprocess.Popen[bytes]:
        started.append(real(*arguments, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)
    source = open_source(write(tmp_path / "site", {"a.md": b"a"}), scratch=tmp_path)
    with list_ahead(source.root):
        pass
    with list_ahead(source.root) as ahead:
        list_files(source, ahead)
    with pytest.raises(KeyboardInterrupt), list_ahead(source.root):
        raise KeyboardInterrupt
    (tmp_path / "site").rename(tmp_path / "elsewhere")
    with pytest.raises(SourceError, match="cannot be opened"), list_ahead(source.root) as ahead:
        list_files(source, ahead)
    assert len(started) == 4 and all(process.poll() is not None for process in started)
