"""Rows of slices as objects of `datasets`: whole, streamed, or one row a duplicate cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .parquet_rows import read_rows, spans_of
from .slices import Slice

if TYPE_CHECKING:
    import datasets
    import pyarrow.compute as pc

__all__ = ["Reading", "read_deduplicated", "read_slice"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the rows of a call are read.

    Attributes:
        features: the columns, with their types.
        streaming: give an `IterableDataset`, which reads rows when they are asked for.
        cache_name: where `datasets` keeps the rows; must differ for different contents.
        row_filter: only the rows that it holds for; None for all. It may use other columns.
        token: of the Hub; None for the one that `huggingface_hub` finds. Passed to addresses of the Hub only.
        cache_dir, keep_in_memory, num_proc, download_mode: as for `datasets.load_dataset`; streams do not use them.
    """

    features: datasets.Features
    streaming: bool
    cache_name: str
    row_filter: pc.Expression | None = None
    token: str | bool | None = None
    cache_dir: str | None = None
    keep_in_memory: bool = False
    num_proc: int | None = None
    download_mode: str | None = None


def read_slice(part: Slice, files: Sequence[str], reading: Reading) -> Any:
    """The rows of a slice.

    Args:
        part: the slice.
        files: where each of its shards is: paths or addresses.
        reading: how to read.

    Returns:
        a `datasets.Dataset` or `datasets.IterableDataset`; without rows it is empty and has its columns.
    """
    import datasets

    begin, end = part.begin, part.end  # among the rows of the shards that the filter holds for
    if reading.row_filter is not None and not reading.streaming:
        begin, inside = _matching(part, files, reading, 0, begin), _matching(part, files, reading, begin, end)
        end = begin + inside
    if begin == end:
        return _no_rows_of(part.split, reading)
    if reading.streaming and not part.is_whole:
        # Each file gets its own rows of the slice: `skip` and `take` would count anew in every worker.
        arguments = {
            "files": list(files),
            "spans": spans_of(part),
            "columns": tuple(reading.features),
            "row_filter": reading.row_filter,
            "token": reading.token,
        }
        return datasets.IterableDataset.from_generator(
            _rows_of_spans, features=reading.features, gen_kwargs=arguments, split=datasets.NamedSplit(part.split)
        )
    rows = datasets.load_dataset(
        "parquet",
        reading.cache_name,
        data_files={part.split: list(files)},
        split=part.split,
        features=reading.features,
        columns=list(reading.features),
        filters=reading.row_filter,
        token=reading.token,
        streaming=reading.streaming,
        **({} if reading.streaming else _keeping(reading)),
    )
    return rows if part.is_whole else rows.select(range(begin, end))


def _no_rows_of(split: str, reading: Reading) -> Any:
    """No rows, with the columns that were asked for: `datasets` cannot load them from a file."""
    import datasets

    features = reading.features
    if reading.streaming:
        return datasets.IterableDataset.from_generator(_no_rows, features=features, split=datasets.NamedSplit(split))
    return datasets.Dataset.from_dict({column: [] for column in features}, features=features, split=split)


def _keeping(reading: Reading) -> dict[str, Any]:
    """The options of `datasets` that say how rows are kept."""
    names = ("cache_dir", "keep_in_memory", "num_proc", "download_mode")
    return {name: getattr(reading, name) for name in names}


def _matching(part: Slice, files: Sequence[str], reading: Reading, begin: int, end: int) -> int:
    """How many of the rows from `begin` up to `end` of the slice's shards the filter holds for."""
    some = replace(part, begin=begin, end=end)
    spans = [(first, max(first, last)) for first, last in spans_of(some)]
    return sum(rows.num_rows for rows in read_rows(files, spans, [], reading.row_filter))


def read_deduplicated(parts: Sequence[Slice], files: Sequence[Sequence[str]], reading: Reading) -> list[Any]:
    """The rows of several slices, one row for each duplicate cluster over all of them.

    Args:
        parts: the slices.
        files: of each slice, where its shards are.
        reading: how to read; rows that its filter does not hold for stand for no cluster.
    """
    import datasets

    from .deduplicate import cluster_representatives

    features = reading.features
    with_id = features
    if "article_id" not in features:
        with_id = datasets.Features({**features, "article_id": datasets.Value("string")})
    loaded = []
    every = cluster_representatives(parts, files, reading.row_filter, reading.token)
    for part, some, kept in zip(parts, files, every, strict=True):
        if not reading.streaming:
            loaded.append(read_slice(part, some, reading).select(kept.positions))
            continue
        # A stream is filtered by id: positions would count anew in every worker.
        ids = frozenset(kept.article_ids.to_pylist())
        stream = read_slice(part, some, replace(reading, features=with_id))
        stream = stream.filter(ids.__contains__, input_columns=["article_id"])
        loaded.append(stream if with_id is features else stream.select_columns(list(features)))
    return loaded


def _no_rows() -> Iterator[dict[str, Any]]:
    yield from ()


def _rows_of_spans(
    files: Sequence[str],
    spans: Sequence[tuple[int, int]],
    columns: Sequence[str],
    row_filter: pc.Expression | None,
    token: str | bool | None,
) -> Iterator[dict[str, Any]]:
    """The wanted rows of some Parquet files; row groups without wanted rows are not read."""
    for rows in read_rows(files, spans, columns, row_filter, token):
        for batch in rows.to_batches(1000):
            yield from batch.to_pylist()
