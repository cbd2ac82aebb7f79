"""What was known at a time: for each article the row of the config `revisions` that held then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ..errors import CallError
from ..storage.manifest import Manifest, shards_of

__all__ = ["check_as_of", "rows_known_at"]


def check_as_of(as_of: str | datetime, manifest: Manifest, *, config: str, split: object, streaming: bool) -> datetime:
    """The time that the argument `as_of` of `load_dataset` means.

    Raises:
        CallError: it has no zone or is no time, the other arguments do not go with it, or the version has no revisions.
    """
    if config != "revisions" or str(split or "revisions") != "revisions" or streaming:
        raise CallError("reads the whole config revisions", field="as_of", hint="leave out name, split and streaming")
    if not shards_of(manifest, "revisions"):
        raise CallError(
            f"needs the config revisions, which {manifest.dataset_version} does not have",
            field="as_of",
            hint="build it from a git repository: newsdata build REPO@REVISION OUT --history",
        )
    try:
        time = as_of if isinstance(as_of, datetime) else datetime.fromisoformat(as_of)
    except (ValueError, TypeError):
        time = None
    if time is None or time.tzinfo is None:
        raise CallError(
            f"must be a time with its zone, got {as_of}", field="as_of", hint="write 2022-03-01T09:30+08:00"
        )
    return time


class _Revision(NamedTuple):
    """A row of `revisions`, as far as it decides which row of an article is taken.

    Attributes:
        revised_at: milliseconds since 1970.
        completeness: how many of title and date it has; -1 when the post was removed or could not be read.
        row: its number, counted over all files.
    """

    revised_at: int
    completeness: int
    row: int
    path: str
    article_id: str


def rows_known_at(files: Sequence[str], time: datetime) -> list[int]:
    """The row numbers in `revisions` of what was known at `time`, ascending; at most one row an article.

    A post counts as its last revision up to `time` left it; it does not count if that one removed it or could not be read.
    Of an article's posts the one revised last is taken; among equals the one with the most of title and date, then the
    first by path.

    Args:
        files: every shard of `revisions`, in order. Their texts are not read.
        time: with its zone.
    """
    last_of_post: dict[str, _Revision] = {}
    for revision in _revisions(files):  # in the order of the commits
        if revision.revised_at <= time.timestamp() * 1000:
            last_of_post[revision.path] = revision
    return sorted(revision.row for revision in _one_an_article(last_of_post).values())


def _one_an_article(last_of_post: Mapping[str, _Revision]) -> dict[str, _Revision]:
    chosen: dict[str, _Revision] = {}
    for path in sorted(last_of_post):
        revision = last_of_post[path]
        other = chosen.get(revision.article_id)
        if revision.completeness >= 0 and (other is None or revision[:2] > other[:2]):
            chosen[revision.article_id] = revision
    return chosen


def _revisions(files: Sequence[str]) -> Iterator[_Revision]:
    import pyarrow.parquet as pq

    before = 0
    for file in files:
        table = pq.ParquetFile(file).read(["article_id", "path", "revised_at", "title", "published_at"])
        dated = table["published_at"].is_valid().to_pylist()
        completeness = [
            -1 if title is None else bool(title) + has_date
            for title, has_date in zip(table["title"].to_pylist(), dated, strict=True)
        ]
        yield from map(
            _Revision,
            table["revised_at"].cast("int64").to_pylist(),
            completeness,
            range(before, before + table.num_rows),
            table["path"].to_pylist(),
            table["article_id"].to_pylist(),
        )
        before += table.num_rows
