"""Rows of a version to look at: a few of all, those that hold some words, or one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CallError
from ..schema import SPLITS
from ..storage.manifest import Shard, holds_text, shards_of
from ..storage.reading import checked_values, find_rows, open_shard, read_shard_of
from .open_version import FoundVersion, find_version
from .where import where

__all__ = ["SEARCHED", "Shown", "ShownRow", "show"]

SEARCHED = ("title", "digest", "text")
"""The columns in which `grep` is searched."""

_MOST = 1000  # rows, which are all in memory
_EXCLUDED = "excluded"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRow:
    """A row, with its place.

    Attributes:
        config, split: where it is: a split of `articles`, or "excluded".
        shard: path of the Parquet file, relative to the version's folder.
        row: its columns.
    """

    config: str
    split: str
    shard: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Rows to look at.

    Attributes:
        version: the version that they are of.
        timezone: the site's time zone.
        of: how many rows there are to choose from.
        matching: how many of them hold the words of `grep`; None without it.
        rows: the rows, in the order of the version: by split, then by time.
    """

    version: str
    timezone: str
    of: int
    matching: int | None
    rows: tuple[ShownRow, ...]


def show(
    path: str | Path,
    article_id: str | None = None,
    *,
    grep: str | None = None,
    n: int = 5,
    split: str | None = None,
    revision: str | None = None,
    token: str | None = None,
) -> Shown:
    """A few rows of a version, always the same ones.

    Without `grep` they are spaced evenly over the rows of all splits: of `N` rows, those in the middle of `n` equal parts.
    With it they are the first ones that hold these words in their title, digest or text, and all are counted. One row group is
    in memory at a time. To read all rows, use `load_dataset`.

    Args:
        path, revision, token: as for `load_dataset`. Of a version on the Hub, the shards that are read are fetched.
        article_id: only this article, wherever it is; the path of one of its posts works, too.
        grep: words to find as they are written, one character or more; no pattern, and capitals count.
        n: how many rows, 1 to 1,000.
        split: only rows of this split; also "excluded".

    Raises:
        VersionError: there is no such version.
        ManifestError: its manifest cannot be read.
        CallError: there is no such article or split, `n` is out of range, or words are sought where there are none.
        VerifyError, HubError: as for `load_dataset`, of a version on the Hub.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     found = show(out, grep="冷柜", n=2)
    >>> found.of, found.matching, [row.row["published_at"].date().isoformat() for row in found.rows]
    (35, 3, ['2022-02-10', '2022-02-11'])
    """
    _check(grep, n, split)
    version = find_version(path, revision, token=token)
    if grep is not None and not holds_text(version.manifest):
        raise CallError(
            "has no text that could be searched", path=path, hint="`newsdata rehydrate` makes the version with text"
        )
    matching = None
    if article_id is not None:
        rows = [_article(path, version, article_id, revision)]
        of = 1
        if grep is not None:
            matching = int(any(grep in (rows[0].row.get(column) or "") for column in SEARCHED))
    else:
        shards = _shards(version, split)
        of = sum(shard.rows for shard in shards)
        if grep is None:
            rows = list(_spaced(version, shards, n))
        else:
            rows, matching = _holding(version, shards, grep, n)
    manifest = version.manifest
    return Shown(
        version=manifest.dataset_version, timezone=manifest.configuration["timezone"], of=of, matching=matching,
        rows=tuple(rows),
    )  # fmt: skip


def _check(grep: str | None, n: int, split: str | None) -> None:
    """Refuse values out of range."""
    if not 1 <= n <= _MOST:
        raise CallError(f"must be 1 to {_MOST:,}, got {n}", field="n", hint="`load_dataset` reads all rows")
    if split is not None and split not in (*SPLITS, _EXCLUDED):
        raise CallError(f"there is no split {split!r}", field="split", hint=f"one of {', '.join((*SPLITS, _EXCLUDED))}")
    if grep is not None and (not grep or not _is_text(grep)):
        raise CallError("is empty" if not grep else "is no valid text", field="grep", hint="give a character or more")


def _is_text(words: str) -> bool:
    return words.encode("utf-8", "replace").decode() == words


def _shards(version: FoundVersion, split: str | None) -> list[Shard]:
    """The shards of a split, or of all splits of `articles`, in the order of the splits."""
    if split == _EXCLUDED:
        return shards_of(version.manifest, _EXCLUDED)
    return [
        shard for name in SPLITS if split in (None, name) for shard in shards_of(version.manifest, "articles", name)
    ]


def _article(path: str | Path, version: FoundVersion, name: str, revision: str | None) -> ShownRow:
    """One article, by its id or by the path of one of its posts."""
    found = _by_id(version, name)
    if found is None:
        told = where(path, name, revision=revision, token=version.token)
        found = _by_id(version, told.article_id) if told.article_id else None
        if found is None:
            became = "" if told.why.startswith(told.became) or told.became == "unknown" else f"{told.became}: "
            hint = "to search for a word: --grep" if told.became == "unknown" else None
            raise CallError(f"no article has the id {name!r}; {became}{told.why}", path=path, hint=hint)
    return found


def _by_id(version: FoundVersion, article_id: str) -> ShownRow | None:
    shards = [shard for shard in version.manifest.shards if shard.config in ("articles", _EXCLUDED)]
    folder = version.with_files(shard.path for shard in shards)
    for shard, row in find_rows(folder, shards, "article_id", [article_id]):
        return _shown(shard, row)
    return None


def _spaced(version: FoundVersion, shards: Sequence[Shard], n: int) -> Iterator[ShownRow]:
    """The rows in the middle of `n` equal parts; all of them if there are not more."""
    ends = list(accumulate(shard.rows for shard in shards))
    total = ends[-1] if ends else 0
    wanted = range(total) if total <= n else [(2 * number + 1) * total // (2 * n) for number in range(n)]
    chosen = {
        shard: [row - end + shard.rows for row in wanted if end - shard.rows <= row < end]
        for shard, end in zip(shards, ends, strict=True)
    }
    folder = version.with_files(shard.path for shard, rows in chosen.items() if rows)
    for shard, rows in chosen.items():
        yield from _rows_at(folder, shard, rows)


def _holding(version: FoundVersion, shards: Sequence[Shard], words: str, n: int) -> tuple[list[ShownRow], int]:
    """The first rows that hold some words, and the number of all of them."""
    folder = version.with_files(shard.path for shard in shards)
    found: list[ShownRow] = []
    count = 0
    for shard in shards:
        first = 0
        wanted: list[int] = []
        for table in read_shard_of(folder, shard, SEARCHED):
            at = _rows_with(table, words)
            wanted += [first + int(row) for row in at[: n - len(found) - len(wanted)]]
            count += len(at)
            first += table.num_rows
        found += _rows_at(folder, shard, wanted)
    return found, count


def _rows_with(table: pa.Table, words: str) -> list[int]:
    """The numbers of the rows that hold some words in one of their columns."""
    held = pa.chunked_array([pa.array([False] * table.num_rows)])
    for column in table.columns:
        held = pc.or_(held, pc.fill_null(pc.match_substring(column, words), False))
    return list(pc.indices_nonzero(held.combine_chunks()).to_pylist())


def _rows_at(folder: Path, shard: Shard, rows: Sequence[int]) -> Iterator[ShownRow]:
    """The rows of a shard at some positions, which ascend. Only the row groups that hold them are read."""
    if not rows:
        return
    with open_shard(folder, shard) as file:
        first = 0
        for group in range(file.num_row_groups):
            size = file.metadata.row_group(group).num_rows
            if here := [row - first for row in rows if first <= row < first + size]:
                table = checked_values(file.read_row_group(group), folder / shard.path)
                for row in table.take(pa.array(here)).to_pylist():
                    yield _shown(shard, row)
            first += size


def _shown(shard: Shard, row: dict[str, Any]) -> ShownRow:
    return ShownRow(config=shard.config, split=shard.split, shard=shard.path, row=row)
