"""The figures for the pictures: counted from rows, in a version with text and in one without."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from newsdata import build
from newsdata.errors import VerifyError
from newsdata.storage.manifest import Manifest, read_manifest
from newsdata.storage.statistics import LENGTHS, count_statistics, statistics_faults
from tests.conftest import ROOT
from tests.storage.hand_made import Rows, write_version

EXAMPLES = ROOT / "examples" / "archive"
NOON = datetime(2022, 3, 1, 12, tzinfo=UTC)


def article(number: int, **columns: Any) -> dict[str, Any]:
    own = {"article_id": f"{number:04}", "duplicate_cluster": f"{number:04}", "leak_group": f"{number:04}"}
    return own | {"published_at": NOON, "num_chars": 60, "title": "一则", "text": "字" * 60} | columns


def counted(folder: Path, rows: Rows, **facts: Any) -> dict[str, Any]:
    found = count_statistics(folder, write_version(folder, rows, **facts))
    assert found is not None
    return found


def test_articles_are_counted_by_split_and_local_day(tmp_path: Path) -> None:
    late = NOON.replace(hour=16)  # midnight in Shanghai
    rows = {
        ("articles", "train"): [article(1), article(2, published_at=late), article(3)],
        ("articles", "test"): [article(4, published_at=NOON + timedelta(days=90))],
        ("excluded", "excluded"): [article(5, excluded_reason="gap")],
    }
    found = counted(tmp_path, rows, timezone="Asia/Shanghai")
    assert found["unit"] == "day"
    assert found["articles"] == {"train": {"2022-03-01": 2, "2022-03-02": 1}, "test": {"2022-05-30": 1}}


@pytest.mark.slow
def test_beyond_a_thousand_days_months_are_counted(tmp_path: Path) -> None:
    days = [article(number, published_at=NOON + timedelta(days=number)) for number in range(1001)]
    at_once = {("articles", "train"): days[:1000]}
    assert counted(tmp_path / "days", at_once, per_shard=2000)["unit"] == "day"
    found = counted(tmp_path / "months", {("articles", "train"): days}, per_shard=2000)
    assert found["unit"] == "month" and sum(found["articles"]["train"].values()) == 1001
    assert found["articles"]["train"]["2022-04"] == 30


@pytest.mark.parametrize(("chars", "place"), [(0, 0), (1, 1), (49, 1), (50, 2), (6399, 8), (6400, 9), (10**8, 9)])
def test_lengths_are_counted_by_bin(tmp_path: Path, chars: int, place: int) -> None:
    found = counted(tmp_path, {("articles", "train"): [article(1, num_chars=chars)]})["lengths"]
    assert found["from"] == list(LENGTHS) and found["articles"]["train"].index(1) == place


def test_a_publisher_is_the_media_or_else_the_source(tmp_path: Path) -> None:
    names = [("甲", "乙"), ("", "乙"), (None, "乙"), (None, None), ("", "")]
    rows = [article(number, media=media, source=source) for number, (media, source) in enumerate(names)]
    found = counted(tmp_path, {("articles", "train"): rows})["publishers"]
    assert found == {
        "names": 2,
        "top": [{"name": "乙", "articles": 2}, {"name": "甲", "articles": 1}],
        "others": 0,
        "none": 2,
    }


def test_twelve_publishers_are_named_and_long_names_are_cut(tmp_path: Path) -> None:
    names = [f"报{number:02}" for number in range(13)] + ["长" * 5000, "长" * 6000]
    rows = [article(number, media=name) for number, name in enumerate(names)]
    found = counted(tmp_path, {("articles", "train"): rows})["publishers"]
    assert found["names"] == 14 and found["others"] == 2 and len(found["top"]) == 12
    assert found["top"][0] == {"name": "长" * 100, "articles": 2}
    assert [entry["name"] for entry in found["top"][1:]] == names[:11]


def test_a_copy_among_the_excluded_counts(tmp_path: Path) -> None:
    rows = {
        ("articles", "train"): [article(1), article(2, duplicate_cluster="0009"), article(3)],
        ("articles", "test"): [article(4, duplicate_cluster="0003")],
        ("excluded", "excluded"): [article(9, excluded_reason="straddle")],
    }
    assert counted(tmp_path, rows)["near_copies"] == {"train": 2, "test": 1}


def test_the_sample_is_a_short_article_with_much_in_it(tmp_path: Path) -> None:
    mention = {"start": 0, "end": 1, "text": "字", "kind": "glossary"}
    rows = [
        article(1, num_chars=900, digest="摘", media="甲", mentions=[mention]),
        article(2, digest="摘", media="甲"),
        article(3, digest="摘" * 300, media="甲", mentions=[mention, mention]),
    ]
    found = counted(tmp_path, {("articles", "train"): rows, ("articles", "test"): [article(4)]})["sample"]
    assert found["article_id"] == "0003" and found["published_at"] == "2022-03-01T12:00:00+00:00"
    assert found["digest"] == "摘" * 199 + "…" and found["mentions"].endswith("} and 1 more")
    assert "source" not in found and all(len(value) <= 200 for value in found.values())


def test_a_version_without_articles_has_none(tmp_path: Path) -> None:
    manifest = write_version(tmp_path, {("rejects", "rejects"): [{"path": "a.md", "rule": "empty", "reason": "-"}]})
    assert count_statistics(tmp_path, manifest) is None and not [*statistics_faults(tmp_path, manifest)]


@pytest.mark.slow
def test_without_text_no_publisher_is_named(tmp_path: Path) -> None:
    made = build(EXAMPLES, tmp_path, text="none", num_proc=1)
    assert made.manifest.statistics is not None
    assert "publishers" not in made.manifest.statistics
    assert not {"title", "text", "media", "source", "tags", "category"} & made.manifest.statistics["sample"].keys()


def test_a_damaged_shard_is_told(tmp_path: Path) -> None:
    manifest = write_version(tmp_path, {("articles", "train"): [article(1)]})
    (tmp_path / manifest.shards[0].path).write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(VerifyError, match="is damaged"):
        count_statistics(tmp_path, manifest)


def built(demo: Path) -> tuple[Path, Manifest]:
    return demo / "1.0.0", read_manifest(demo / "1.0.0")


@pytest.mark.parametrize("keys", ["articles train", "lengths articles train", "near_copies train", "publishers none"])
def test_numbers_that_the_rows_do_not_give(keys: str, demo: Path) -> None:
    folder, manifest = built(demo)
    assert [*statistics_faults(folder, manifest)] == [] and manifest.statistics
    part: Any = manifest.statistics
    *names, last = keys.split()
    for name in names:
        part = part[name]
    value = part[last]
    if isinstance(value, dict):
        part[last] = {day: count + 1 for day, count in value.items()}
    else:
        part[last] = [count + 1 for count in value] if isinstance(value, list) else value + 1
    (fault,) = statistics_faults(folder, manifest)
    assert fault.startswith(f"statistics.{names[0]}")


def test_other_bins_and_fewer_names_are_no_fault(demo: Path) -> None:
    folder, manifest = built(demo)
    said = manifest.statistics
    assert said
    top, train = said["publishers"]["top"], said["lengths"]["articles"]
    fewer = said["publishers"] | {"top": top[:1], "others": sum(entry["articles"] for entry in top[1:])}
    one_bin = {"from": [0], "articles": {split: [sum(counts)] for split, counts in train.items()}}
    changed = replace(manifest, statistics={**said, "publishers": fewer, "lengths": one_bin})
    assert [*statistics_faults(folder, changed)] == []
