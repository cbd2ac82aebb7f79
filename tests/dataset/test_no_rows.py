"""A split without rows goes through what people do with a dictionary of splits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import polars
import pyarrow.parquet as pq
import pytest

import newsdata


@pytest.fixture(scope="module")
def every(demo: Path) -> Any:
    """All splits of the example; `newer` has no rows."""
    return newsdata.load_dataset(demo)


@pytest.fixture(scope="module")
def streams(demo: Path) -> Any:
    return newsdata.load_dataset(demo, streaming=True)


def test_it_is_in_the_dictionary(every: Any, streams: Any) -> None:
    for splits in (every, streams):
        assert list(splits) == ["train", "validation", "test", "newer"]
        assert splits["newer"].features == splits["train"].features and str(splits["newer"].split) == "newer"
        assert str(splits["newer"].info.version) == "1.0.0"
        assert list(splits["newer"]) == []


def test_it_is_saved_and_loaded_from_disk(every: Any, tmp_path: Path) -> None:
    every.save_to_disk(str(tmp_path / "a"))
    every.save_to_disk(str(tmp_path / "b"), num_shards={"train": 2, "validation": 1, "test": 1, "newer": 3})
    every["newer"].save_to_disk(str(tmp_path / "c"))
    for saved in ("a", "b"):
        again = datasets.load_from_disk(str(tmp_path / saved))
        assert again.num_rows == every.num_rows
        assert again["newer"].features == every["newer"].features
    assert len(datasets.load_from_disk(str(tmp_path / "c"))) == 0


@pytest.mark.parametrize("num_shards", [1, 4])
def test_it_becomes_a_stream(every: Any, num_shards: int) -> None:
    stream = every["newer"].to_iterable_dataset(num_shards=num_shards)
    assert list(stream) == [] and stream.features == every["newer"].features
    assert list(every["newer"].with_format("arrow").to_iterable_dataset()) == []


@pytest.mark.slow
def test_it_is_a_table_with_its_columns(every: Any, streams: Any, tmp_path: Path) -> None:
    types = every["train"].to_pandas().dtypes
    for rows in (every["newer"], streams["newer"], every["newer"].to_iterable_dataset()):
        assert rows.to_pandas().dtypes.equals(types)
        assert rows.to_polars().schema["published_at"] == polars.Datetime("ms", "Asia/Shanghai")
        assert rows.to_list() == [] and rows.to_dict()["title"] == []
        rows.to_parquet(str(tmp_path / "a.parquet"))
        assert pq.read_schema(tmp_path / "a.parquet").equals(every["train"].data.schema)
        rows.to_csv(str(tmp_path / "a.csv"))
        assert (tmp_path / "a.csv").read_text().splitlines()[1:] == []
        rows.to_json(str(tmp_path / "a.jsonl"))
        assert (tmp_path / "a.jsonl").read_text().strip() == ""


@pytest.mark.slow
def test_the_dictionary_is_transformed(every: Any, streams: Any) -> None:
    counts = dict(every.num_rows)
    for splits in (every, streams):
        for made in (
            splits.map(lambda row: {"title": row["title"][:2]}),
            splits.map(lambda rows: {"title": [title[:2] for title in rows["title"]]}, batched=True),
            splits.filter(lambda row: True),
            splits.shuffle(seed=1),
            splits.select_columns(["title"]),
            splits.rename_column("title", "headline"),
            splits.with_format("numpy", columns=["title"]) if splits is every else splits.with_format("numpy"),
        ):
            assert {split: len(list(rows)) for split, rows in made.items()} == counts
    shorter = every.remove_columns(["text"])
    assert "text" not in shorter["newer"].features and len(list(shorter["newer"].to_iterable_dataset())) == 0


def test_it_is_concatenated(every: Any, streams: Any) -> None:
    for splits in (every, streams):
        for order in (["train", "newer"], ["newer", "train"], ["newer", "newer"]):
            rows = datasets.concatenate_datasets([splits[split] for split in order])
            assert len(list(rows)) == sum(len(every[split]) for split in order)
            assert rows.features == every["train"].features


def test_it_is_shared_out_and_resumed(streams: Any) -> None:
    from datasets.distributed import split_dataset_by_node

    for node in range(2):
        assert list(split_dataset_by_node(streams["newer"], node, 2)) == []
    streams["newer"].load_state_dict(streams["newer"].state_dict())
    assert list(streams["newer"]) == [] == list(streams["newer"].take(2)) == list(streams["newer"].skip(2))


def test_a_slice_and_a_filter_without_rows(demo: Path) -> None:
    ways: tuple[dict[str, Any], ...] = (
        {"split": "train[:0]"},
        {"split": "train", "since": "2030-01-01"},
        {"split": "newer+newer"},
    )
    for options in ways:
        rows: Any = newsdata.load_dataset(demo, **options)
        assert len(rows) == 0 and list(rows.to_iterable_dataset()) == []
        assert list(newsdata.load_dataset(demo, streaming=True, **options)) == []
        frame = newsdata.load_pandas(demo, **options)
        assert len(frame) == 0 and str(frame.published_at.dtype) == "datetime64[ms, Asia/Shanghai]"
