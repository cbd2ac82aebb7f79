"""Publishers and categories by split: as pandas counts them, small whatever an archive says, equal after every way to build."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

import newsdata
from newsdata.card.readme import render_card
from newsdata.schema import SPLITS
from newsdata.storage.class_balance import balance_faults, class_balance
from newsdata.storage.manifest import read_manifest, write_manifest
from newsdata.storage.manifest_shapes import Statistics
from newsdata.storage.statistics import statistics_faults

from ..conftest import ROOT, many_posts, write_archive

CARD = (ROOT / "dataset_card.md").read_text("utf-8")
NAMES = ["甲报", "乙报新闻网", "x | y", "<b>z</b>", "`q`", "丙", "丁", "戊", "己", "庚", "辛", "壬", "癸", "晨报"]


def random_posts(seed: int, days: int = 24) -> dict[str, bytes]:
    """Posts with a publisher in three of four, a category in most, and some of either only late."""
    rng, files = random.Random(seed), many_posts(days, per_day=4)
    for number, (path, data) in enumerate(files.items()):
        late = number > 0.9 * len(files)
        name = "晚报" if late and rng.random() < 0.3 else rng.choice(NAMES)
        category = rng.choice(["late", "a", "b"]) if late else rng.choice(["a", "b", "c", ""])
        data = data.replace(b"categories: emnews", f"categories: {category}".encode())
        if rng.random() < 0.75:
            data += f"\n（文章来源：{name}）\n".encode()
        files[path] = data
    return files


def naive(frames: dict[str, pd.DataFrame], name: str) -> pd.DataFrame:
    """Classes as rows, splits as columns, counted by pandas; the class "" stands for none."""
    values = {
        split: (frame["media"].replace("", None).fillna(frame["source"]) if name == "publisher" else frame["category"])
        .fillna("")
        .value_counts()
        for split, frame in frames.items()
    }
    return pd.DataFrame(values).fillna(0).astype(int)


def check(out: Path, name: str) -> dict[str, Any]:
    """Compare a balance in the newest manifest with the rows, and give it."""
    frames = {split: newsdata.load_pandas(out, split=split) for split in SPLITS}
    frames = {split: frame for split, frame in frames.items() if len(frame)}
    statistics = newsdata.info(out)["statistics"]
    found: dict[str, Any] = statistics["classes"][name]
    counts = naive(frames, name)
    if "" in counts.index:
        assert found["none"] == counts.loc[""].to_dict()
    named = counts.drop(index="", errors="ignore")
    weight = (named["train"] + named["test"]).to_dict()
    order = sorted(weight, key=lambda one: (-weight[one], one))
    assert [entry["name"] for entry in found["top"]] == order[:10]
    assert all(entry["articles"] == named.loc[entry["name"]].to_dict() for entry in found["top"])
    assert found["names"] == len(named) and found["others"] == named.loc[order[10:]].sum().to_dict()
    unseen = named[(named["train"] == 0) & (named["test"] > 0)]["test"]
    assert {entry["name"]: entry["articles"] for entry in found["unseen"]["top"]} == unseen.to_dict()
    assert (found["unseen"]["names"], found["unseen"]["articles"]) == (len(unseen), unseen.sum())
    return found


@pytest.mark.slow
def test_as_pandas_counts_and_equal_after_every_way_to_build(tmp_path: Path) -> None:
    files, out = random_posts(1), tmp_path / "out"
    first = dict([*files.items()][::2])
    archive = write_archive(tmp_path / "in", first)
    newsdata.build(archive, out, num_proc=1)
    some = {name: check(out, name) for name in ("publisher", "category")}
    write_archive(tmp_path / "in", files)
    newsdata.build(archive, out, num_proc=1)
    more = {name: check(out, name) for name in ("publisher", "category")}
    assert more != some and more["category"]["unseen"]["names"] >= 1
    full = newsdata.build(archive, tmp_path / "full", base=out / "1.0.0", cache=False, num_proc=1)
    assert full.manifest.statistics == read_manifest(newsdata.info(out)["path"]).statistics
    assert [*statistics_faults(full.path, full.manifest)] == []


@pytest.mark.slow
def test_many_classes_leave_the_manifest_small() -> None:
    train = [(f"类{number:06}" + "长" * 93, 1 + number % 3) for number in range(100_000)]
    test = [(f"新{number:06}" + "长" * 93, 1) for number in range(50_000)]
    found = class_balance({"train": train, "test": [*test, (None, 4)]})
    assert found and found["names"] == 150_000 and len(msgspec.json.encode(found)) < 10_000
    assert found["unseen"]["names"] == found["unseen"]["articles"] == 50_000
    assert [entry["name"][:7] for entry in found["unseen"]["top"]] == [f"新{number:06}" for number in range(10)]
    assert found["top"] == sorted(found["top"], key=lambda entry: (-entry["articles"]["train"], entry["name"]))
    assert found == class_balance({"train": train[::-1], "test": [(None, 4), *test[::-1]]})
    of_test = sum(entry["articles"]["test"] for entry in found["top"])
    assert found["others"]["test"] + of_test == 50_000 and found["none"] == {"train": 0, "test": 4}


def test_a_site_without_classes_has_no_table(tmp_path: Path) -> None:
    files = {
        path: data.replace("categories: emnews\ntags: 东财滚动新闻\n".encode(), b"")
        for path, data in many_posts(6).items()
    }
    made = newsdata.build(write_archive(tmp_path / "in", files), tmp_path / "out", num_proc=1)
    assert made.manifest.statistics and made.manifest.statistics["classes"] == {}
    assert "by split" not in (made.path / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_without_text_no_class_is_named(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", random_posts(3))
    made = newsdata.build(archive, tmp_path / "out", text="none", num_proc=1)
    assert made.manifest.statistics and "classes" not in made.manifest.statistics
    assert "Classes by split" not in (made.path / "README.md").read_text("utf-8")


def test_an_older_manifest_is_shown_as_before(demo: Path, tmp_path: Path) -> None:
    manifest = read_manifest(demo / "1.0.0")
    assert manifest.statistics and "Classes by split" in (demo / "1.0.0" / "README.md").read_text("utf-8")
    old = {key: value for key, value in manifest.statistics.items() if key != "classes"}
    older = dataclasses.replace(manifest, statistics=old)
    write_manifest(older, tmp_path)
    assert read_manifest(tmp_path) == older and [*statistics_faults(demo / "1.0.0", older)] == []
    readme = render_card(CARD, older, name="news")
    assert "Classes by split" not in readme and "### Publishers" in readme


def test_a_count_that_the_rows_do_not_give_is_named() -> None:
    rows: dict[str, list[tuple[str | None, int]]] = {
        "train": [("a", 5), ("b", 1), (None, 2)],
        "test": [("a", 1), ("c", 2)],
    }
    said: Any = class_balance(rows)
    assert said and [*balance_faults(said, rows)] == []
    changes: dict[str, dict[str, Any]] = {
        "names": {"names": 4},
        "none": {"none": {"train": 1, "test": 0}},
        "others": {"others": {"train": 0, "test": 1}},
        "unseen": {"unseen": {"names": 0, "articles": 0, "top": []}},
        "top": {"top": [{"name": "a", "articles": {"train": 4, "test": 1}}, *said["top"][1:]]},
    }
    for part, change in changes.items():
        assert [*balance_faults({**said, **change}, rows)] == [part]


@pytest.mark.parametrize(
    "classes",
    [
        {"publisher": {}},
        {"publisher": {"names": -1}},
        {"Publisher": None},
        {f"c{number}": {} for number in range(11)},
        {"publisher": {"names": 1, "top": [], "others": {}, "none": {"train": "1"}, "unseen": {}}},
        [],
    ],
)
def test_hostile_classes_are_refused(classes: object, demo: Path) -> None:
    statistics = read_manifest(demo / "1.0.0").statistics
    assert statistics and msgspec.convert(statistics, Statistics)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**statistics, "classes": classes}, Statistics)
