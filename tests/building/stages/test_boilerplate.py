"""The dataset's list of boilerplate: made once, from a sample, and kept by every later version."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.building.base import follow
from newsdata.building.stages import boilerplate
from newsdata.building.stages.boilerplate import same_method
from newsdata.near_duplicates.boilerplate import Boilerplate, find_boilerplate

from ...conftest import many_posts, post, write_archive
from ..executors import Noting

LINE = "本网站所有内容仅供参考不构成投资建议"
PARTS = {"sample", "count", "frame", "boilerplate"}


def with_a_line(days: int, start_day: int = 1) -> dict[str, bytes]:
    """Posts of some days that all end in one line, and one that has no date."""
    return {
        path: data.replace("。\n\n<http".encode(), f"。\n{LINE}。\n\n<http".encode())
        for path, data in many_posts(days, start_day=start_day).items()
    } | {"_posts/x.md": post(date="", body=f"\n{LINE}\n").replace(b"date: \n", b"")}


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1250, 7])
def test_the_list_is_what_one_pass_finds(rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boilerplate, "_SAMPLE_ROWS", rows)
    noting = Noting()
    made = newsdata.build(write_archive(tmp_path / "in", with_a_line(25)), tmp_path / "out", executor=noting)
    found = Boilerplate.load(made.path / "boilerplate.bin")
    articles = newsdata.load_pandas(made.path)
    excluded = newsdata.load_pandas(made.path, "excluded", split="excluded")
    sample = [
        (time.date().toordinal() - 719163 if time == time else -(10**6), text)  # undated ones share a day
        for rows_ in (articles, excluded)
        for time, text in zip(rows_.published_at, rows_.text, strict=True)
    ]
    assert len(sample) == 76
    expected = find_boilerplate(sample)
    assert len(expected.hashes) >= 10 and found.digest == expected.digest
    assert noting.kinds.count("sample") == (1 if rows == 1250 else 11)
    assert made.manifest.duplicates["boilerplate"] == {"shingles": len(found.hashes), "digest": found.digest}


@pytest.mark.slow
def test_later_versions_keep_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, out = write_archive(tmp_path / "in", with_a_line(21)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    assert same_method(follow(out, None)) and not same_method(follow(tmp_path / "none", None))
    write_archive(archive, many_posts(20, start_day=22))
    noting = Noting()
    second = newsdata.build(archive, out, executor=noting)
    assert PARTS.isdisjoint(noting.kinds)
    lists = [(made.path / "boilerplate.bin").read_bytes() for made in (first, second)]
    assert lists[0] == lists[1] != b""
    # Another method makes a list of its own, and signs everything again.
    for module in ("boilerplate", "group", "sign"):
        monkeypatch.setattr(f"newsdata.building.stages.{module}.method", lambda: {"version": "other"})
    write_archive(archive, many_posts(1, start_day=42))
    third = newsdata.build(archive, out, executor=(noting := Noting()))
    assert set(noting.kinds) >= PARTS and third.manifest.duplicates["method"] == {"version": "other"}
    assert not same_method(follow(out, out / second.version))
