"""Splits that are cut anew: another scheme, the same ids, and no article of the old test in the new train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import newsdata
from newsdata.errors import CallError, VersionError

from ..conftest import many_posts, write_archive
from .test_grouping import REPRINT, story


def rows_of(out: Path, version: str) -> pd.DataFrame:
    """All articles of a version, by id, with split and reason."""
    kept = newsdata.load_pandas(out, revision=version)
    aside = newsdata.load_pandas(out, "excluded", split="excluded", revision=version).assign(split="excluded")
    return pd.concat([kept.assign(excluded_reason=None), aside]).set_index("article_id").sort_index()


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.0.0 has 40 days, 1.1.0 thirty more, 2.0.0 another split scheme, 2.1.0 two more days."""
    archive = tmp_path_factory.mktemp("in")
    files = many_posts(40) | story("2022-03-05", 77) | story("2022-04-07", 78, REPRINT, "多家公司产线投产")
    newsdata.build(write_archive(archive, files), archive / "out", num_proc=1)
    write_archive(archive, many_posts(30, start_day=41))
    newsdata.build(archive, archive / "out", num_proc=1)
    made = newsdata.build(archive, archive / "out", num_proc=1, resplit=True)
    assert made.version == "2.0.0" and made.difference is not None
    assert any(reason.startswith("the splits were cut anew") for reason in made.difference.reasons)
    write_archive(archive, many_posts(2, start_day=71))
    assert newsdata.build(archive, archive / "out", num_proc=1).version == "2.1.0"
    return archive / "out"


def test_the_old_test_is_set_aside_and_ids_stay(out: Path) -> None:
    before, after = rows_of(out, "1.1.0"), rows_of(out, "2.0.0")
    old_test = before.index[before.split == "test"]
    assert len(old_test) > 5
    assert (after.loc[old_test, "excluded_reason"] == "old-test").all()
    for column in ("duplicate_cluster", "leak_group", "fold"):
        assert (after.loc[before.index, column] == before[column]).all()
    counts = after.split.value_counts()
    assert counts["train"] > 3 * counts["test"] > 0 and counts["validation"] > 0 and "newer" not in counts
    assert newsdata.info(out, revision="2.0.0")["configuration"]["split_scheme"] == 2


@pytest.mark.slow
def test_later_versions_keep_the_new_scheme(out: Path) -> None:
    before, after = rows_of(out, "2.0.0"), rows_of(out, "2.1.0")
    for column in ("split", "excluded_reason", "duplicate_cluster"):
        assert (after.loc[before.index, column].fillna("") == before[column].fillna("")).all()
    assert set(after.split[after.index.difference(before.index)]) == {"newer"}
    assert newsdata.verify(out).faults == ()


def test_no_leak_group_stands_on_two_sides(out: Path) -> None:
    for version in ("1.1.0", "2.0.0", "2.1.0"):
        kept = rows_of(out, version).query("split != 'excluded'")
        assert (kept.groupby("leak_group").split.nunique() == 1).all()


@pytest.mark.slow
def test_the_old_test_stays_in_the_new_test_only(out: Path, tmp_path: Path) -> None:
    before = rows_of(out, "1.1.0")
    days = sorted(before[before.split == "test"].published_at.dt.date.unique())
    assert len(days) > 2
    made = newsdata.build(
        out.parent, tmp_path / "out", base=out / "1.1.0", num_proc=1, resplit=True,
        validation_from=str(days[1]), test_from=str(days[2]),
    )  # fmt: skip
    after = rows_of(made.path.parent, made.version).loc[before.index[before.split == "test"]]
    late = after.published_at.dt.date >= days[2]
    assert set(after[late].split) == {"test"}
    assert set(after[~late].excluded_reason) == {"old-test"}, "neither in train nor in validation"


@pytest.mark.slow
def test_an_old_test_may_be_allowed_and_days_may_be_given(out: Path, tmp_path: Path) -> None:
    days: dict[str, Any] = {"validation_from": "2022-04-15", "test_from": "2022-05-01"}
    made = newsdata.build(
        out.parent, tmp_path / "out", base=out / "1.1.0", num_proc=1, resplit=True, allow_old_test=True, **days
    )
    assert "old-test" not in made.manifest.accounting["excluded_by_reason"]
    assert made.manifest.configuration["test_from"] == "2022-05-01"
    again = newsdata.build(out.parent, tmp_path / "out", num_proc=1)
    assert not again.created


def test_refused(out: Path, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(3))
    with pytest.raises(CallError, match="no version whose splits"):
        newsdata.build(archive, tmp_path / "out", resplit=True)
    with pytest.raises(CallError, match="--resplit only"):
        newsdata.build(out.parent, out, allow_old_test=True)
    with pytest.raises(VersionError, match="fixed") as caught:
        newsdata.build(out.parent, out, test_from="2022-05-01")
    assert "--resplit" in str(caught.value)


@pytest.mark.slow
def test_a_version_of_an_older_method_is_grouped_anew(tmp_path: Path) -> None:
    files = many_posts(20) | story("2022-03-05", 77)
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    made = newsdata.build(archive, out, num_proc=1)
    path = made.path / "manifest.json"
    told = json.loads(path.read_text("utf-8"))
    told["configuration"]["dedup_version"] = told["duplicates"]["method"]["version"] = "1"
    path.write_text(json.dumps(told), "utf-8")
    again = newsdata.build(archive, out, num_proc=1)
    assert again.version == "2.0.0" and again.difference is not None
    assert again.difference.reasons[0].startswith("near-copies are found in another way")
    assert rows_of(out, "2.0.0").split.equals(rows_of(out, "1.0.0").split)
