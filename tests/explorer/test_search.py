"""Searches that are new, repeated, joined by a second reader, given up, or over damaged files; and the copies of texts."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from newsdata.dataset.open_version import find_version
from newsdata.errors import MachineError
from newsdata.explorer.opened import Opened, open_for_page
from newsdata.explorer.search import Phrase, Searcher, StillSearching
from newsdata.explorer.text_cache import TextCache, cache_folder, clear_cache

from .forged import article, forge
from .naive import Naive

EVERYWHERE = ("title", "digest", "text")
WORDS = ("万", "利好", "望山财经", ".", "%", "A", "没有这几个字", " ", "\n")


@pytest.fixture(scope="module")
def opened(archive: Path) -> Opened:
    return open_for_page(find_version(archive))


@pytest.fixture(scope="module")
def naive(archive: Path) -> Naive:
    return Naive(archive / "1.0.0")


@pytest.fixture
def cache(tmp_path: Path) -> TextCache:
    return TextCache(tmp_path / "cache", 10**9)


def count(searcher: Searcher, words: str, columns: tuple[str, ...] = EVERYWHERE) -> int:
    return int(searcher.find(Phrase(words, columns)).sum())


def test_hits_are_those_of_a_scan_with_and_without_copies(opened: Opened, naive: Naive, cache: TextCache) -> None:
    plain, copied, again = Searcher(opened), Searcher(opened, cache), Searcher(opened, cache)
    for words in WORDS:
        expected = len(naive.wanted({"q": words}))
        assert [count(plain, words), count(copied, words), count(again, words), count(plain, words)] == [expected] * 4
    assert count(copied, "万", ("title",)) == len(naive.wanted({"q": "万", "in": "title"}))


def test_copies_are_private_checked_and_removed(opened: Opened, naive: Naive, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    count(Searcher(opened, TextCache(folder, 10**9)), "万")
    copies = sorted(folder.iterdir())
    assert len(copies) == len(opened.shards("articles"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(copy.stat().st_mode) == 0o600 for copy in copies)
    assert not any(opened.folder in copy.parents for copy in copies)
    data = bytearray(copies[0].read_bytes())
    data[len(data) // 2] ^= 255
    copies[0].write_bytes(data)
    copies[1].write_bytes(b"")
    assert count(Searcher(opened, TextCache(folder, 10**9)), "万") == len(naive.wanted({"q": "万"}))
    assert sorted(folder.iterdir()) == copies
    assert clear_cache(folder) > 0
    assert not folder.exists()
    assert clear_cache(folder) == 0


def test_a_full_cache_is_done_without(opened: Opened, naive: Naive, tmp_path: Path) -> None:
    searcher = Searcher(opened, TextCache(tmp_path / "cache", 1000))
    assert count(searcher, "万") == len(naive.wanted({"q": "万"}))
    assert list((tmp_path / "cache").iterdir()) == []


def test_old_copies_make_room(opened: Opened, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    old = folder / f"{'0' * 40}-{'0' * 32}.arrow"
    old.write_bytes(b"x" * 10**6)
    os.utime(old, (1, 1))
    count(Searcher(opened, TextCache(folder, 10**6 + 10)), "万")
    assert not old.exists()


def test_the_folder_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "newsdata" / "explore"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    assert cache_folder() == Path.home() / ".cache" / "newsdata" / "explore"
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(MachineError, match="--no-cache"):
        TextCache(tmp_path / "link", 1)
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="--no-cache"):
        TextCache(tmp_path / "file", 1)


def test_a_damaged_shard_has_no_hits_and_is_named(tmp_path: Path) -> None:
    rows = [article(n, text="万一") for n in range(4)]
    folder = forge(tmp_path, {("articles", "train"): rows, ("articles", "test"): [article(9, text="万二")]})
    found = open_for_page(find_version(folder))
    path = folder / "articles" / "train-2022-01-0000000.parquet"
    data = bytearray(path.read_bytes())
    data[4:200] = os.urandom(196)
    path.write_bytes(data)
    searcher = Searcher(found)
    assert count(searcher, "万") == 1
    assert [damage.path for damage in searcher.damaged] == ["articles/train-2022-01-0000000.parquet"]


def slow(monkeypatch: pytest.MonkeyPatch, go_on: threading.Event, started: list[str]) -> None:
    search = Searcher._search_shards

    def slowly(self: Searcher, shards: Any, words: Phrase) -> np.ndarray:
        started.append(words.words)
        go_on.wait(20)
        return search(self, shards, words)

    monkeypatch.setattr(Searcher, "_search_shards", slowly)
    monkeypatch.setattr("newsdata.explorer.search._BATCH", 1)


def wait_for_searches() -> None:
    for thread in threading.enumerate():
        if thread.name == "search":
            thread.join()


def test_a_second_reader_waits_for_the_same_search(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, started, counts = threading.Event(), list[str](), list[int]()
    slow(monkeypatch, go_on, started)
    searcher = Searcher(opened)
    readers = [threading.Thread(target=lambda: counts.append(count(searcher, "万"))) for _ in range(3)]
    for reader in readers:
        reader.start()
    while len(started) < 1:
        time.sleep(0.01)
    go_on.set()
    for reader in readers:
        reader.join()
    assert len(set(counts)) == 1
    assert len(counts) == 3
    assert started == ["万"] * len(opened.shards("articles"))


def test_a_search_that_nobody_asks_for_any_more_is_given_up(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on, started = threading.Event(), list[str]()
    slow(monkeypatch, go_on, started)
    monkeypatch.setattr("newsdata.explorer.search._FORGOTTEN_AFTER", 0.0)
    searcher = Searcher(opened)
    with pytest.raises(StillSearching) as waiting:
        searcher.find(Phrase("万", EVERYWHERE), patience=0.05)
    assert (waiting.value.done, waiting.value.total) == (0, len(opened.shards("articles")))
    go_on.set()
    wait_for_searches()
    assert started == ["万"]
    assert count(searcher, "万") > 0
