"""What was known at a time, against a checkout and build of the commit of then."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.dataset.as_of import check_as_of
from newsdata.errors import CallError
from newsdata.storage.manifest import Manifest, read_manifest

from ..source_files import git
from ..versions import make_version
from .made_history import History, make_history

OF_ALL = ("duplicate_cluster", "leak_group", "fold")


def build(source: str | Path, out: Path, **options: Any) -> newsdata.Build:
    return newsdata.build(source, out, num_proc=1, max_leak=1.0, max_reject_share=1.0, **options)


def built_at(history: History, commit: str, scratch: Path) -> dict[str, dict[str, Any]]:
    """The articles of a checkout of a commit, by id: all columns but those that follow from the whole archive."""
    checkout = scratch / commit
    checkout.mkdir(parents=True)
    git(history.folder, f"--work-tree={checkout}", "checkout", "--force", commit, "--", ".")
    made = build(checkout, scratch / f"out-{commit}")
    rows: dict[str, dict[str, Any]] = {}
    for config, split in (("articles", "all"), ("excluded", "excluded")):
        for row in newsdata.load_pandas(made.path, config, split=split).to_dict("records"):
            rows[row["article_id"]] = {
                str(k): plain(v) for k, v in row.items() if k not in (*OF_ALL, "excluded_reason")
            }
    return rows


def plain(value: Any) -> Any:
    """A value of a frame that can be compared: lists for arrays, None for what is missing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    return None if value is None or value != value else value


def as_known(out: Path, time: float) -> dict[str, dict[str, Any]]:
    frame = newsdata.load_pandas(out, as_of=datetime.fromtimestamp(time, UTC))
    rows = {row["article_id"]: {str(k): plain(v) for k, v in row.items()} for row in frame.to_dict("records")}
    assert len(rows) == len(frame)
    return rows


def compare(folder: Path, commits: int, instants: int, seed: int) -> int:
    """The number of instants at which there was an archive."""
    history = make_history(folder / "repository", commits, seed)
    build(f"{history.folder}@main", folder / "out", history=True)
    rng = random.Random(seed)
    times = [rng.uniform(history.times[0] - 9999, history.times[-1] + 9999) for _ in range(instants - 2)]
    times += [rng.choice(history.times) + late for late in (0, -0.001)]
    then: dict[str, dict[str, dict[str, Any]]] = {}
    compared = 0
    for time in times:
        found, commit = as_known(folder / "out", time), history.commit_at(time)
        if commit is None:
            assert found == {}
            continue
        if commit not in then:
            then[commit] = built_at(history, commit, folder / "then")
        for row in found.values():
            assert history.times[0] <= row.pop("first_seen_at").timestamp() <= row.pop("revised_at").timestamp() <= time
        assert found == then[commit], (seed, time)
        compared += 1
    return compared


@pytest.mark.slow
def test_it_equals_a_checkout_and_build(tmp_path: Path) -> None:
    assert compare(tmp_path, commits=40, instants=7, seed=4) > 4


@pytest.mark.slow
def test_it_equals_a_checkout_and_build_over_a_long_history(tmp_path: Path) -> None:
    assert compare(tmp_path, commits=400, instants=60, seed=22) > 55


# ------------------------------------------------------------------------------------------------- what is asked


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("history")
    history = make_history(folder / "repository", 25, 1)
    build(f"{history.folder}@main", folder / "out", history=True)
    yield folder / "out"


NOW = "2030-01-01T00:00Z"


@pytest.mark.slow
def test_columns_filters_and_a_period(out: Path) -> None:
    every = newsdata.load_dataset(out, as_of=NOW)
    assert "sources" in every.column_names and set(OF_ALL).isdisjoint(every.column_names)
    assert every.column_names[-2:] == ["first_seen_at", "revised_at"]
    rows = every.to_list()
    days = [(row["published_at"] is None, row["published_at"] and row["published_at"].isoformat()) for row in rows]
    assert days == sorted(days) and len(rows) > 9
    two = newsdata.load_dataset(out, as_of=NOW, columns=["publisher", "article_id"])
    assert two.to_list() == [{"publisher": row["publisher"], "article_id": row["article_id"]} for row in rows]
    longer = newsdata.load_dataset(out, "articles", as_of=NOW, columns=["title"], filters=[("num_chars", ">", 60)])
    assert longer["title"][:] == [row["title"] for row in rows if row["num_chars"] > 60] != []
    late = newsdata.load_dataset(out, as_of=NOW, since="2022-03-10", until="2022-03-20")
    assert late.to_list() == [
        row
        for row in rows
        if row["published_at"] and 10 <= row["published_at"].day < 20 and row["published_at"].month == 3
    ]
    nothing = newsdata.load_dataset(out, as_of=NOW, columns=["title"], filters=[("num_chars", "<", 0)])
    assert len(nothing) == 0 and nothing.column_names == ["title"]
    counted = newsdata.load_dataset(out, as_of=NOW, columns=["issues"])
    assert counted["issues"][:] == [row["issues"] for row in rows]
    assert every.info.version == "1.0.0"


@pytest.mark.slow
def test_filters_that_name_no_column_or_number_them(out: Path) -> None:
    import pyarrow.compute as pc

    every = newsdata.load_dataset(out, as_of=NOW)
    names = every.column_names
    all_of_them = newsdata.load_dataset(out, as_of=NOW, columns=["title"], filters=pc.scalar(True))
    assert len(all_of_them) == len(every)
    numbered = newsdata.load_dataset(out, as_of=NOW, columns=["title"], filters=pc.field(names.index("num_chars")) > 60)
    assert len(numbered) == sum(chars > 60 for chars in every["num_chars"])


@pytest.mark.slow
def test_filters_by_the_times_of_the_archive(out: Path) -> None:
    every = newsdata.load_dataset(out, as_of=NOW)
    for column in ("first_seen_at", "revised_at"):
        time = sorted(every[column])[len(every) // 2]
        for operator, holds in ((">", time.__lt__), ("==", time.__eq__), ("!=", time.__ne__)):
            frame = newsdata.load_pandas(out, as_of=NOW, columns=["article_id"], filters=[(column, operator, time)])
            expected = [row["article_id"] for row in every if holds(row[column])]
            assert frame["article_id"].tolist() == expected != []


def test_filters_by_long_texts(out: Path) -> None:
    wanted = [newsdata.load_dataset(out, as_of=NOW, columns=["title"])["title"][0], "中" * 33]
    found = newsdata.load_dataset(out, as_of=NOW, columns=["title"], filters=[("title", "in", wanted)])
    assert set(found["title"]) == {wanted[0]}
    assert not newsdata.load_dataset(out, as_of=NOW, columns=["title"], filters=[("title", "in", wanted[1:])])


@pytest.mark.parametrize("column", ["fold", "split", "duplicate_cluster"])
def test_columns_of_the_whole_archive(out: Path, column: str) -> None:
    with pytest.raises(
        CallError, match=rf"columns: {column}: not known at a time.*whole archive.*there are: article_id"
    ):
        newsdata.load_dataset(out, as_of=NOW, columns=["title", column])
    if column != "split":
        with pytest.raises(CallError, match="there is no column"):
            newsdata.load_dataset(out, as_of=NOW, filters=[(column, "==", "x")])


def test_two_calls_give_one_fingerprint_and_other_rows_another(out: Path) -> None:
    def fingerprint(**options: Any) -> str:
        return str(newsdata.load_dataset(out, **{"as_of": NOW, "columns": ["title"]} | options)._fingerprint)

    assert fingerprint() == fingerprint()
    assert len({fingerprint(), fingerprint(filters=[("num_chars", ">", 60)]), fingerprint(columns=["text"])}) == 3


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return read_manifest(make_version(tmp_path_factory.mktemp("out")))


def test_a_version_without_revisions(manifest: Manifest) -> None:
    with pytest.raises(CallError, match=r"as_of: needs the config revisions, which 1\.0\.0 does not have.*--history"):
        check_as_of("2022-03-01T09:30+08:00", manifest, config=None, split=None, streaming=False)


def test_a_day_is_its_midnight_in_the_zone_of_the_site(manifest: Manifest) -> None:
    from dataclasses import replace

    (shard, *_) = manifest.shards
    there = replace(manifest, shards=(*manifest.shards, replace(shard, config="revisions")))

    def instant(as_of: Any) -> int:
        return check_as_of(as_of, there, config=None, split=None, streaming=False)

    midnight = instant("2022-03-01T00:00+08:00")
    assert midnight == instant("2022-03-01") == instant(date(2022, 3, 1)) == 1_646_064_000_000
    assert instant("2022-03-01T00:00:00.000999+08:00") == midnight
    assert instant("2022-02-28T23:59:59.999999+08:00") == midnight - 1
    for wrong in ("2022-03-01T00:00", "soon", 5):
        with pytest.raises(CallError, match="as_of: must be a day, or an instant with its zone"):
            instant(wrong)


def test_arguments_that_do_not_go_with_it(manifest: Manifest) -> None:
    for config, split, streaming, hint in (
        ("revisions", None, False, "not of 'revisions'.*leave out name"),
        (None, "train", False, "leave out split"),
        (None, None, True, "cannot be streamed.*leave out streaming"),
    ):
        with pytest.raises(CallError, match=hint):
            check_as_of("2022-03-01T09:30+08:00", manifest, config=config, split=split, streaming=streaming)
