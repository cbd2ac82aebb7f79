"""Near-copies in a built version: the clusters and their members, and which row stands for a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import CallError
from ..storage.manifest import Manifest, Shard, shards_of

__all__ = ["Cluster", "Member", "Rows", "clusters_of", "first_rows"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An article of a cluster.

    Attributes:
        article_id, title: of the article; the title is None in a text-free version.
        publisher: `media`, else `source`; None where the archive names neither.
        published_at: None where unknown.
        split: where the article stands: a split of `articles`, or "excluded".
        similarity: share of rare 5-grams, of all that either has, that this article and the first member both have
            (their Jaccard); 1 for short articles of equal words. None for the first member, in a text-free version,
            and where the words are too few to compare.
    """

    article_id: str
    publisher: str | None
    published_at: datetime | None
    title: str | None
    split: str
    similarity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Articles that are near-copies of one another, in time order (undated ones last, then by id)."""

    duplicate_cluster: str
    members: tuple[Member, ...]


_KEYS = ["article_id", "duplicate_cluster", "published_at", "media", "source", "title"]
_WORDS = ["article_id", "text", "digest", "title"]


def clusters_of(
    folder: Path, manifest: Manifest, boilerplate: Path, article_id: str | None = None
) -> tuple[Cluster, ...]:
    """The clusters of several articles in time order of their first members; or the one that holds `article_id`.

    Memory: the keys, and 4 bytes for each character of the articles that have copies.

    Args:
        folder, manifest: of the version.
        boilerplate: the file of the dataset's list of shingles that say nothing.
        article_id: only its cluster, even where it is the only member.

    Raises:
        CallError: there is no such article.
    """
    shards = [*shards_of(manifest, "articles"), *shards_of(manifest, "excluded")]
    tables = [_keys_of(folder / shard.path, shard) for shard in shards]
    if not tables:
        return ()
    keys = pa.concat_tables(tables)
    if article_id is None:
        counts = pc.value_counts(keys["duplicate_cluster"].combine_chunks())
        wanted = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
    else:
        wanted = keys.filter(pc.equal(keys["article_id"], article_id))["duplicate_cluster"].combine_chunks()
        if not len(wanted):
            raise CallError(f"there is no article {article_id!r} in {manifest.dataset_version}", path=folder)
    keys = keys.filter(pc.is_in(keys["duplicate_cluster"], wanted))
    keys = keys.sort_by([("published_at", "ascending"), ("article_id", "ascending")])
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in keys.to_pylist():
        rows[row["duplicate_cluster"]].append(row)
    words = _shingles(folder, shards, keys["article_id"].combine_chunks(), boilerplate)
    return tuple(
        Cluster(
            duplicate_cluster=name,
            members=tuple(
                Member(
                    article_id=row["article_id"],
                    publisher=row["media"] or row["source"],
                    published_at=row["published_at"],
                    title=row["title"],
                    split=row["split"],
                    similarity=_similarity(words, members[0]["article_id"], row["article_id"]) if at else None,
                )
                for at, row in enumerate(members)
            ),
        )
        for name, members in rows.items()
    )


def _keys_of(path: Path, shard: Shard) -> pa.Table:
    table = pq.read_table(path, columns=_KEYS).replace_schema_metadata(None)
    return table.append_column("split", pa.array([shard.split] * table.num_rows, pa.string()))


_Words = tuple[int, np.ndarray]  # hash of the whole text (0: no word), rare shingles


def _shingles(folder: Path, shards: Sequence[Shard], article_ids: pa.Array, boilerplate: Path) -> dict[str, _Words]:
    """What each article is compared by, one row group of text in memory at a time."""
    from ..near_duplicates.boilerplate import Boilerplate
    from ..near_duplicates.shingles import shingle

    listed = Boilerplate.load(boilerplate) if boilerplate.is_file() else Boilerplate.of(np.zeros(0, np.uint32))
    held: dict[str, _Words] = {}
    for shard in shards:
        with pq.ParquetFile(folder / shard.path) as file:
            for group in range(file.num_row_groups):
                here = pc.is_in(file.read_row_group(group, columns=["article_id"])["article_id"], article_ids)
                if not pc.any(here).as_py():
                    continue
                rows = file.read_row_group(group, columns=_WORDS).filter(here).to_pylist()
                found = shingle([row["text"] or row["digest"] or row["title"] or "" for row in rows])
                for at, row in enumerate(rows):
                    some = found.hashes[found.offsets[at] : found.offsets[at + 1]]
                    held[row["article_id"]] = int(found.exact[at]), some[~listed.holds(some)]
    return held


def _similarity(words: dict[str, _Words], first: str, other: str) -> float | None:
    (first_text, one), (other_text, two) = words[first], words[other]
    if first_text and first_text == other_text:
        return 1.0
    both = len(np.intersect1d(one, two, assume_unique=True))
    either = len(one) + len(two) - both
    return round(both / either, 4) if either else None


# ------------------------------------------------------------------------------------------ one row a cluster


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows `begin` to `end` of some files, one after the other."""

    files: tuple[str, ...]
    begin: int
    end: int


def first_rows(parts: Sequence[Rows]) -> list[tuple[np.ndarray, pa.Array]]:
    """For each part the positions in it and the article ids of the rows that stand for a cluster of all parts.

    One row a cluster: the earliest (`published_at`; undated ones come last), of these the longest (`num_chars`), of
    these the first by `article_id`.
    """
    import fsspec

    tables = []
    for number, part in enumerate(parts):
        keys = []
        for name in part.files:
            with fsspec.open(name, "rb") as file:
                keys.append(
                    pq.read_table(file, columns=["article_id", "duplicate_cluster", "published_at", "num_chars"])
                )
        if keys:
            some = pa.concat_tables(keys).replace_schema_metadata(None).slice(part.begin, part.end - part.begin)
            at = np.arange(some.num_rows)
            tables.append(
                some.append_column("part", pa.array(np.full(len(at), number))).append_column("at", pa.array(at))
            )
    if not tables:
        return [(np.zeros(0, np.int64), pa.array([], pa.string())) for _ in parts]
    order = [("published_at", "ascending"), ("num_chars", "descending"), ("article_id", "ascending")]
    table = pa.concat_tables(tables).sort_by(order)
    clusters = table["duplicate_cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    kept = table.take(pa.array(np.sort(np.unique(clusters, return_index=True)[1]))).sort_by("at")
    each = [kept.filter(pc.equal(kept["part"], number)) for number in range(len(parts))]
    return [(rows["at"].to_numpy(), rows["article_id"].combine_chunks()) for rows in each]
