"""Rows of slices as objects of `datasets`: whole, streamed, or one row a duplicate cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from .slices import Slice

if TYPE_CHECKING:
    import datasets

__all__ = ["read_deduplicated", "read_slice"]


def read_slice(
    part: Slice, files: Sequence[str], features: datasets.Features, *, streaming: bool, cache_name: str
) -> Any:
    """The rows of a slice.

    Args:
        part: the slice.
        files: where each of its shards is: paths or addresses.
        features: the columns to read, with their types.
        streaming: give an `IterableDataset`, which reads rows when they are asked for.
        cache_name: where `datasets` keeps the rows; must differ for different contents.

    Returns:
        a `datasets.Dataset` or `datasets.IterableDataset`; without rows it is empty and has its columns.
    """
    import datasets

    split = datasets.NamedSplit(part.split)
    if not part.shards:
        if streaming:
            return datasets.IterableDataset.from_generator(_no_rows, features=features, split=split)
        return datasets.Dataset.from_dict({column: [] for column in features}, features=features, split=part.split)
    if streaming and not part.is_whole:
        # Each file gets its own rows of the slice: `skip` and `take` would count anew in every worker.
        arguments = {"files": list(files), "spans": _spans(part), "columns": tuple(features)}
        return datasets.IterableDataset.from_generator(
            _rows_of_spans, features=features, gen_kwargs=arguments, split=split
        )
    rows = datasets.load_dataset(
        "parquet",
        cache_name,
        data_files={part.split: list(files)},
        split=part.split,
        features=features,
        columns=list(features),
        streaming=streaming,
    )
    return rows if part.is_whole else rows.select(range(part.begin, part.end))


def read_deduplicated(
    parts: Sequence[Slice],
    files: Sequence[Sequence[str]],
    features: datasets.Features,
    *,
    streaming: bool,
    cache_name: str,
) -> list[Any]:
    """The rows of several slices, one row for each duplicate cluster over all of them.

    Args:
        parts: the slices.
        files: of each slice, where its shards are.
        features, streaming, cache_name: as for `read_slice`.
    """
    import datasets

    from .deduplicate import cluster_representatives

    with_id = features
    if "article_id" not in features:
        with_id = datasets.Features({**features, "article_id": datasets.Value("string")})
    loaded = []
    for part, some, kept in zip(parts, files, cluster_representatives(parts, files), strict=True):
        if not streaming:
            rows = read_slice(part, some, features, streaming=False, cache_name=cache_name)
            loaded.append(rows.select(kept.positions))
            continue
        # A stream is filtered by id: positions would count anew in every worker.
        ids = frozenset(kept.article_ids.to_pylist())
        stream = read_slice(part, some, with_id, streaming=True, cache_name=cache_name)
        stream = stream.filter(ids.__contains__, input_columns=["article_id"])
        loaded.append(stream if with_id is features else stream.select_columns(list(features)))
    return loaded


def _no_rows() -> Iterator[dict[str, Any]]:
    yield from ()


def _spans(part: Slice) -> list[tuple[int, int]]:
    """For each shard of a slice, the wanted rows: from, up to, counted in the shard."""
    ends = list(accumulate(shard.rows for shard in part.shards))
    begins = [end - shard.rows for end, shard in zip(ends, part.shards, strict=True)]
    return [(max(part.begin - begin, 0), min(part.end, end) - begin) for begin, end in zip(begins, ends, strict=True)]


def _rows_of_spans(
    files: Sequence[str], spans: Sequence[tuple[int, int]], columns: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """The wanted rows of some Parquet files; row groups without wanted rows are not read."""
    import fsspec
    import pyarrow.parquet as pq

    for file, (begin, end) in zip(files, spans, strict=True):
        with fsspec.open(file) as handle, pq.ParquetFile(handle) as opened:
            before = 0
            for group in range(opened.num_row_groups):
                size = opened.metadata.row_group(group).num_rows
                if before < end and before + size > begin:
                    rows = opened.read_row_group(group, columns=list(columns))
                    first = max(begin - before, 0)
                    for batch in rows.slice(first, end - before - first).select(columns).to_batches(1000):
                        yield from batch.to_pylist()
                before += size
