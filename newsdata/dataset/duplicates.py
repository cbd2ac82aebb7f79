"""Who copied whom: the clusters of near-copies in a version, with their members in time order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CallError
from ..near_duplicates.boilerplate import Boilerplate
from ..near_duplicates.shingles import shingle
from ..storage.manifest import BOILERPLATE_NAME, Shard, check_file, shards_of
from ..storage.reading import open_shard, read_rows
from .open_version import find_version

__all__ = ["Cluster", "Member", "Words", "duplicates", "similarity", "words_of_rows"]

_KEYS = ["article_id", "duplicate_cluster", "published_at", "media", "source", "title"]
_WORDS = ["article_id", "text", "digest", "title"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An article of a cluster.

    Attributes:
        article_id, title: of the article; the title is None in a text-free version.
        publisher: `media`, or else `source`; None when the article has neither.
        published_at: None when it is unknown.
        split: a split of `articles`, or "excluded".
        similarity: the Jaccard index of the rare 5-grams of this article and of the first member, 0 to 1; 1 for short
            articles with equal words. None for the first member, in a text-free version, and when the articles have
            too few words to compare.
    """

    article_id: str
    publisher: str | None
    published_at: datetime | None
    title: str | None
    split: str
    similarity: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Articles that are near-copies of each other, in time order (articles without a date last, then by id)."""

    duplicate_cluster: str
    members: tuple[Member, ...]


def duplicates(
    path: str | Path, article_id: str | None = None, *, revision: str | None = None, token: str | None = None
) -> tuple[Cluster, ...]:
    """The clusters of near-copies, in time order of their first members, or the one cluster of an article.

    Memory: the keys of all articles, and 4 bytes for each character of the articles that have copies.

    Args:
        path, revision, token: as for `load_dataset`. Of a version on the Hub, the shards of articles are fetched.
        article_id: only the cluster of this article, even if it has no other member; None gives every cluster of
            several articles.

    Raises:
        VersionError: there is no such version.
        ManifestError: its manifest cannot be read, or the version's list of boilerplate is damaged.
        CallError: there is no such article.
        VerifyError, HubError: as for `load_dataset`, of a version on the Hub.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     all(len(cluster.members) > 1 for cluster in duplicates(out))
    True
    """
    version = find_version(path, revision, token=token)
    manifest = version.manifest
    shards = [*shards_of(manifest, "articles"), *shards_of(manifest, "excluded")]
    folder = version.with_files([BOILERPLATE_NAME, *(shard.path for shard in shards)])
    check_file(folder, manifest, BOILERPLATE_NAME)
    tables = [_keys_of(folder, shard) for shard in shards]
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
    rows_by_cluster: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in keys.to_pylist():
        rows_by_cluster[row["duplicate_cluster"]].append(row)
    boilerplate = Boilerplate.load(folder / BOILERPLATE_NAME)
    words = _words_of(folder, shards, keys["article_id"].combine_chunks(), boilerplate)
    return tuple(
        Cluster(duplicate_cluster=name, members=_members(rows, words)) for name, rows in rows_by_cluster.items()
    )


def _keys_of(folder: Path, shard: Shard) -> pa.Table:
    table = read_rows(folder, shard, _KEYS).select(_KEYS).replace_schema_metadata(None)
    return table.append_column("split", pa.array([shard.split] * table.num_rows, pa.string()))


class Words(NamedTuple):
    """What an article is compared by: a hash of its whole text (0: no words), and its rare shingles."""

    whole_text: int
    rare: np.ndarray


def words_of_rows(rows: Sequence[Mapping[str, Any]], boilerplate: Boilerplate) -> list[Words]:
    """What rows of articles are compared by, from their `text`, `digest` and `title`."""
    found = shingle([row["text"] or row["digest"] or row["title"] or "" for row in rows])
    words = []
    for at in range(len(rows)):
        shingles = found.hashes[found.offsets[at] : found.offsets[at + 1]]
        words.append(Words(int(found.exact[at]), shingles[~boilerplate.holds(shingles)]))
    return words


def _words_of(
    folder: Path, shards: Sequence[Shard], article_ids: pa.Array, boilerplate: Boilerplate
) -> dict[str, Words]:
    """The words of some articles, by article id. One row group of texts is in memory at a time."""
    words: dict[str, Words] = {}
    for shard in shards:
        with open_shard(folder, shard, _WORDS) as file:
            for group in range(file.num_row_groups):
                here = pc.is_in(file.read_row_group(group, columns=["article_id"])["article_id"], article_ids)
                if not pc.any(here).as_py():
                    continue
                rows = file.read_row_group(group, columns=_WORDS).filter(here).to_pylist()
                for row, found in zip(rows, words_of_rows(rows, boilerplate), strict=True):
                    words[row["article_id"]] = found
    return words


def _members(rows: Sequence[dict[str, Any]], words: dict[str, Words]) -> tuple[Member, ...]:
    """The members of a cluster from its rows, which are in time order."""
    first = words[rows[0]["article_id"]]
    return tuple(
        Member(
            article_id=row["article_id"],
            publisher=row["media"] or row["source"],
            published_at=row["published_at"],
            title=row["title"],
            split=row["split"],
            similarity=similarity(first, words[row["article_id"]]) if number else None,
        )
        for number, row in enumerate(rows)
    )


def similarity(first: Words, other: Words) -> float | None:
    """How alike two articles are, 0 to 1; None if they have too few words. See `Member.similarity`."""
    if first.whole_text and first.whole_text == other.whole_text:
        return 1.0
    both = len(np.intersect1d(first.rare, other.rare, assume_unique=True))
    either = len(first.rare) + len(other.rare) - both
    return round(both / either, 4) if either else None
