"""What people call on loaded rows: with random access and as a stream; a whole split, a slice, one row a cluster."""

from __future__ import annotations

import itertools
import json
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import polars
import pyarrow.parquet as pq
import pytest
from datasets.distributed import split_dataset_by_node

import newsdata

from ..conftest import many_posts, write_archive
from .copies import FIRST, LATER, REPRINT, STORY, TWIN, story
from .loaded import Loaded, as_text, ids_of, longer, number_of, some, some_id, table_of, types_of

FILLED = ["article_id", "published_at", "num_chars"]
"""Columns without null. `datasets` cannot make a table of rows that a function gave if a column is null in some."""

Pair = tuple[Any, Any]
"""What a call gives, and what it must give."""


def filled(loaded: Loaded) -> Any:
    return loaded.rows.select_columns(FILLED)


def written(loaded: Loaded, method: str, file: Path, **options: Any) -> str:
    """The path of a file that a method has written some simple columns to."""
    getattr(loaded.rows.select_columns(["article_id", "title", "num_chars"]), method)(str(file), **options)
    return str(file)


def parquet(loaded: Loaded, folder: Path) -> Pair:
    loaded.rows.to_parquet(str(folder / "a.parquet"))
    return pq.ParquetFile(folder / "a.parquet").read().replace_schema_metadata(None), loaded.table


def sql(loaded: Loaded, folder: Path) -> Pair:
    database = sqlite3.connect(":memory:")
    loaded.rows.select_columns(["article_id", "num_chars"]).to_sql("rows", database)
    found = [name for (name,) in database.execute("select article_id from rows")]
    database.close()
    return found, loaded.ids


def saved(loaded: Loaded, folder: Path) -> Pair:
    loaded.rows.save_to_disk(str(folder / "saved"))
    again = datasets.load_from_disk(str(folder / "saved"))
    return (list(again), again.features), (loaded.dicts, loaded.rows.features)


def frame(loaded: Loaded, folder: Path) -> Pair:
    found, wanted = loaded.rows.to_pandas(), loaded.table.to_pandas()
    assert list(found.dtypes) == list(wanted.dtypes)
    return as_text(found), as_text(wanted)


def halves(loaded: Loaded) -> list[str]:
    """The ids of the first rows and then of the rest, by `take` and `skip`."""
    return [*ids_of(loaded.rows.take(11)), *ids_of(loaded.rows.skip(11))]


def shards(loaded: Loaded, count: int) -> list[str]:
    """The ids of all shards."""
    count = min(count, loaded.rows.num_shards) if loaded.streaming else count
    return [name for at in range(count) for name in ids_of(loaded.rows.shard(count, at))]


def nodes(loaded: Loaded, count: int) -> list[str]:
    """The ids of all nodes, as workers in as many processes would see them."""
    parts = [pickle.loads(pickle.dumps(split_dataset_by_node(loaded.rows, at, count))) for at in range(count)]
    return sorted(name for part in parts for name in ids_of(part))


ON_BOTH: dict[str, Callable[[Loaded, Path], Pair]] = {
    # look
    "features": lambda it, _: (it.rows.features.arrow_schema.remove_metadata(), it.table.schema),
    "column_names": lambda it, _: (it.rows.column_names, it.table.column_names),
    "num_columns": lambda it, _: (it.rows.num_columns, it.table.num_columns),
    "version": lambda it, _: (str(it.rows.info.version), "1.0.0"),
    "iterate": lambda it, _: (list(it.rows), it.dicts),
    "iterate again": lambda it, _: (ids_of(it.rows), ids_of(it.rows)),
    "next": lambda it, _: (next(iter(it.rows)), it.dicts[0]),
    "one column": lambda it, _: (list(it.rows["title"]), it.column("title")),
    "repr": lambda it, _: ("article_id" in repr(it.rows), True),
    # other forms
    "to_list": lambda it, _: (it.rows.to_list(), it.dicts),
    "to_dict": lambda it, _: (it.rows.to_dict(), it.table.to_pydict()),
    "to_pandas": frame,
    "to_pandas in batches": lambda it, _: (
        [name for part in it.rows.to_pandas(batch_size=16, batched=True) for name in part.article_id],
        it.ids,
    ),
    "to_polars": lambda it, _: (it.rows.to_polars().equals(polars.from_arrow(it.table), null_equal=True), True),
    "to_polars in batches": lambda it, _: (
        {part.schema["published_at"] for part in it.rows.to_polars(batch_size=16, batched=True)},
        {polars.Datetime("ms", "Asia/Shanghai")},
    ),
    "to_parquet": parquet,
    "to_csv": lambda it, to: (polars.read_csv(written(it, "to_csv", to / "a"))["title"].to_list(), it.column("title")),
    "to_json": lambda it, to: (
        [json.loads(line)["title"] for line in Path(written(it, "to_json", to / "a")).read_text().splitlines()],
        it.column("title"),
    ),
    "to_sql": sql,
    "pickle": lambda it, _: (ids_of(it.fresh()), it.ids),
    # formats
    "arrow": lambda it, _: (table_of(it.rows.with_format("arrow").iter(16)), it.table),
    "arrow, row by row": lambda it, _: (table_of(it.rows.with_format("arrow")), it.table),
    "numpy": lambda it, _: (
        [int(row["num_chars"]) for row in it.rows.with_format("numpy")],
        it.column("num_chars"),
    ),
    "numpy batches": lambda it, _: (
        np.concatenate([part["num_chars"] for part in it.rows.with_format("numpy").iter(16)]).tolist(),
        it.column("num_chars"),
    ),
    "pandas": lambda it, _: (
        [str(part.published_at.dtype) for part in it.rows.with_format("pandas").iter(1000)],
        ["datetime64[ms, Asia/Shanghai]"],
    ),
    "polars": lambda it, _: (
        {part.schema["num_chars"] for part in it.rows.with_format("polars").iter(16)},
        {polars.Int32()},
    ),
    "no format again": lambda it, _: (list(it.rows.with_format("arrow").with_format(None)), it.dicts),
    # batches
    "iter": lambda it, _: ([name for part in it.rows.iter(16) for name in part["article_id"]], it.ids),
    "iter without the rest": lambda it, _: (
        len(list(it.rows.iter(16, drop_last_batch=True))),
        len(it.ids) // 16,
    ),
    "batch": lambda it, _: ([name for part in it.rows.batch(16) for name in part["article_id"]], it.ids),
    # transforms
    "map": lambda it, _: ([row["longer"] for row in it.rows.map(longer)], [n + 1 for n in it.column("num_chars")]),
    "map keeps other columns": lambda it, _: (list(it.rows.map(longer).remove_columns("longer")), it.dicts),
    "map in batches": lambda it, _: (
        [row["longer"] for row in it.rows.map(longer, batched=True, batch_size=16)],
        [number + 1 for number in it.column("num_chars")],
    ),
    "map to more rows": lambda it, _: (
        ids_of(it.rows.map(twice, batched=True, batch_size=5, remove_columns=it.rows.column_names)),
        [name for at in range(0, len(it.ids), 5) for name in it.ids[at : at + 5] * 2],
    ),
    "map with indices": lambda it, _: (
        [row["n"] for row in it.rows.map(number_of, with_indices=True)],
        list(range(len(it.ids))),
    ),
    "map of tables": lambda it, _: (
        table_of(it.rows.with_format("arrow").map(same, batched=True, batch_size=16).iter(16)),
        it.table,
    ),
    "map with features, to_pandas": lambda it, _: (
        types_of(filled(it).map(same, features=filled(it).features).to_pandas()),
        types_of(it.table.select(FILLED).to_pandas()),
    ),
    "filter": lambda it, _: (ids_of(it.rows.filter(some)), it.some),
    "filter in batches": lambda it, _: (ids_of(it.rows.filter(some, batched=True, batch_size=16)), it.some),
    "filter by a column": lambda it, _: (
        ids_of(it.rows.filter(some_id, input_columns=["article_id"])),
        it.some,
    ),
    "filter keeps types": lambda it, _: (
        types_of(filled(it).filter(some).to_pandas()),
        types_of(it.table.select(FILLED).to_pandas()),
    ),
    "take": lambda it, _: (list(it.rows.take(5)), it.dicts[:5]),
    "skip": lambda it, _: (list(it.rows.skip(40)), it.dicts[40:]),
    "take and skip": lambda it, _: (halves(it), it.ids),
    "shuffle": lambda it, _: (sorted(ids_of(it.rows.shuffle(seed=1))), sorted(it.ids)),
    "shuffle alike": lambda it, _: (ids_of(it.rows.shuffle(seed=1)), ids_of(it.rows.shuffle(seed=1))),
    "repeat": lambda it, _: (ids_of(it.rows.repeat(2)), it.ids * 2),
    "select_columns": lambda it, _: (
        list(it.rows.select_columns(["title", "article_id"])),
        it.table.select(["title", "article_id"]).to_pylist(),
    ),
    "remove_columns": lambda it, _: (
        list(it.rows.remove_columns(["mentions"])),
        it.table.drop_columns(["mentions"]).to_pylist(),
    ),
    "rename_column": lambda it, _: (list(it.rows.rename_column("title", "headline")["headline"]), it.column("title")),
    "rename_columns": lambda it, _: (
        [row["id"] for row in it.rows.rename_columns({"article_id": "id", "title": "headline"})],
        it.ids,
    ),
    "cast_column": lambda it, _: (
        str(it.rows.cast_column("num_chars", datasets.Value("int64")).to_pandas().num_chars.dtype),
        "int64",
    ),
    "add_column": lambda it, _: (
        [row["place"] for row in it.rows.add_column("place", list(range(len(it.ids))))],
        list(range(len(it.ids))),
    ),
    "concatenate": lambda it, _: (ids_of(datasets.concatenate_datasets([it.rows, it.rows])), it.ids * 2),
    "concatenate, to_pandas": lambda it, _: (
        types_of(datasets.concatenate_datasets([it.rows, it.rows]).to_pandas()),
        types_of(it.table.to_pandas()),
    ),
    "interleave": lambda it, _: (
        ids_of(datasets.interleave_datasets([it.rows, it.rows]))[:20],
        [name for name in it.ids[:10] for _ in range(2)],
    ),
    # workers
    "shards": lambda it, _: (shards(it, 3), it.ids),
    "two nodes": lambda it, _: (nodes(it, 2), sorted(it.ids)),
    "five nodes": lambda it, _: (nodes(it, 5), sorted(it.ids)),
}

ON_DATASETS: dict[str, Callable[[Loaded, Path], Pair]] = {
    "len": lambda it, _: (len(it.rows), len(it.ids)),
    "row": lambda it, _: ((it.rows[3], it.rows[-1]), (it.dicts[3], it.dicts[-1])),
    "slice of rows": lambda it, _: (it.rows[2:9]["article_id"], it.ids[2:9]),
    "rows by number": lambda it, _: (it.rows[[5, 1]]["article_id"], [it.ids[5], it.ids[1]]),
    "select": lambda it, _: (ids_of(it.rows.select([7, 2])), [it.ids[7], it.ids[2]]),
    "sort": lambda it, _: (list(it.rows.sort("article_id")["article_id"]), sorted(it.ids)),
    "unique": lambda it, _: (sorted(it.rows.unique("article_id")), sorted(it.ids)),
    "train_test_split": lambda it, _: (
        sorted(name for part in it.rows.train_test_split(0.2, seed=1).values() for name in ids_of(part)),
        sorted(it.ids),
    ),
    "flatten_indices": lambda it, _: (list(it.rows.flatten_indices()), it.dicts),
    "save_to_disk": saved,
    "to_iterable_dataset": lambda it, _: (list(it.rows.to_iterable_dataset()), it.dicts),
    "to_iterable_dataset, shards": lambda it, _: (ids_of(it.rows.to_iterable_dataset(num_shards=4)), it.ids),
    "to_iterable_dataset, to_pandas": lambda it, _: (
        types_of(it.rows.to_iterable_dataset().to_pandas()),
        types_of(it.table.to_pandas()),
    ),
}

ON_STREAMS: dict[str, Callable[[Loaded, Path], Pair]] = {
    "another order in each epoch": lambda it, _: (len({tuple(epoch(it.rows.shuffle(seed=1), n)) for n in range(3)}), 3),
    "an epoch without shuffling": lambda it, _: (sorted(epoch(it.rows, 1)), sorted(it.ids)),
    "the same after an epoch": lambda it, _: (list(it.rows), it.dicts),
    "take more than there is": lambda it, _: (ids_of(it.rows.take(9999)), it.ids),
    "num_shards": lambda it, _: (it.rows.num_shards > 1, True),
    "reshard": lambda it, _: (sorted(ids_of(it.rows.reshard())), sorted(it.ids)),
}


def epoch(stream: Any, number: int) -> list[str]:
    stream.set_epoch(number)
    found = ids_of(stream)
    stream.set_epoch(0)
    return found


def same(rows: Any) -> Any:
    return rows


def twice(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {"article_id": batch["article_id"] * 2}


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some 75 articles of three months, so in several shards; four are near-copies."""
    folder = tmp_path_factory.mktemp("loaded")
    copies = [
        story(FIRST, "2022-03-05", STORY, "海报", "码头今晨"),
        story(REPRINT, "2022-03-06", STORY[:11], "江报", "转载：码头"),
        story(TWIN, "2022-03-06", [*STORY, "编辑按：此文较长，值得一读。"], "湖报", "码头长文"),
        story(LATER, "2022-03-09", STORY[1:], "河报", "旧闻：码头"),
    ]
    newsdata.build(write_archive(folder / "in", many_posts(75, per_day=1) | dict(copies)), folder / "out", num_proc=1)
    return folder / "out"


@pytest.fixture(scope="module", params=["whole", "slice", "deduplicated"])
def mapped(version: Path, request: pytest.FixtureRequest) -> Loaded:
    return Loaded(version, request.param, streaming=False)


@pytest.fixture(scope="module", params=["whole", "slice", "deduplicated"])
def streamed(version: Path, request: pytest.FixtureRequest) -> Loaded:
    return Loaded(version, request.param, streaming=True)


@pytest.mark.filterwarnings("ignore:.*null_placement:FutureWarning")  # of pyarrow, for what `Dataset.sort` does
@pytest.mark.parametrize("name", ON_BOTH | ON_DATASETS)
def test_call_on_a_dataset(mapped: Loaded, name: str, tmp_path: Path) -> None:
    found, wanted = (ON_BOTH | ON_DATASETS)[name](mapped, tmp_path)
    assert found == wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", ON_BOTH | ON_STREAMS)
def test_call_on_a_stream(streamed: Loaded, name: str, tmp_path: Path) -> None:
    found, wanted = (ON_BOTH | ON_STREAMS)[name](streamed, tmp_path)
    assert found == wanted


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("asked", ["slices", "filtered", "columns"])
def test_other_ways_to_load(version: Path, asked: str, streaming: bool, tmp_path: Path) -> None:
    loaded = Loaded(version, asked, streaming=streaming)
    for name in ("features", "iterate", "to_pandas", "to_parquet", "arrow", "map in batches", "shards", "two nodes"):
        found, wanted = ON_BOTH[name](loaded, tmp_path)
        assert found == wanted, name


# ------------------------------------------------------------------------------------------------------ resume

RESUMED: dict[str, Callable[[Any], Any]] = {
    "as it is": lambda stream: stream,
    "map": lambda stream: stream.map(longer),
    "filter": lambda stream: stream.filter(some),
    "map, filter": lambda stream: stream.map(longer).filter(some),
    "filter, map in batches": lambda stream: stream.filter(some).map(longer, batched=True, batch_size=7),
    "map in batches": lambda stream: stream.map(longer, batched=True, batch_size=7),
    "take": lambda stream: stream.take(30),
    "skip": lambda stream: stream.skip(9),
    "one of two nodes": lambda stream: split_dataset_by_node(stream, 1, 2),
    "numpy": lambda stream: stream.select_columns(["article_id", "num_chars"]).with_format("numpy"),
    "concatenated": lambda stream: datasets.concatenate_datasets([stream, stream]),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", RESUMED)
def test_a_stream_goes_on_where_it_was_stopped(streamed: Loaded, name: str) -> None:
    def fresh() -> Any:
        return RESUMED[name](streamed.fresh())

    every = ids_of(fresh())
    assert len(every) > 12
    for stop in (0, 1, 8, len(every) // 2, len(every) - 1, len(every)):
        begun, resumed = fresh(), fresh()
        before = ids_of(itertools.islice(begun, stop))
        resumed.load_state_dict(json.loads(json.dumps(begun.state_dict())))
        assert [*before, *ids_of(resumed)] == every, stop


@pytest.mark.parametrize("shape", [None, "arrow", "pandas"])
def test_a_stream_goes_on_after_a_batch(streamed: Loaded, shape: str | None) -> None:
    for stop in (1, 2, len(streamed.ids) // 8):
        begun, resumed = (streamed.fresh().with_format(shape) for _ in range(2))
        before = [name for part in itertools.islice(begun.iter(8), stop) for name in map(str, part["article_id"])]
        resumed.load_state_dict(begun.state_dict())
        assert [*before, *(name for part in resumed.iter(8) for name in map(str, part["article_id"]))] == streamed.ids
