"""Check the rows of a version: columns, digests, offsets, dates and ids, and that shards, manifest and ledger agree.

Nothing is read from a damaged file. A check that would need its rows is left out, and named.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..building.accounting import unequal_sums
from ..errors import NewsdataError, shown
from ..schema import CONFIGS, SPLITS, table_schema
from ..storage.ledger import LEDGER_NAME, read_ledger, tombstones
from ..storage.manifest import MANIFEST_NAME, Manifest, Shard, holds_text, shards_of
from ..storage.shards import digest_table
from ..storage.statistics import statistics_faults
from .check_files import Check, first_few

__all__ = ["RowsChecked", "check_rows"]

_WITH_ARTICLES = ("articles", "excluded")
_ROWS = "all rows have the right columns, offsets and dates"
_STATISTICS = "the statistics are those of the articles"


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsChecked:
    """What was found.

    Attributes:
        rows: the number of rows that were checked.
        faults: what is wrong, one sentence each.
        not_checked: what was left out because a file is damaged.
        checks: what was checked, and how many faults each check found.
    """

    rows: int
    faults: tuple[str, ...]
    not_checked: tuple[str, ...]
    checks: tuple[Check, ...]


def check_rows(folder: Path, manifest: Manifest, damaged: frozenset[str]) -> RowsChecked:
    """Check every shard that is not damaged, and the shards against each other, the manifest and the ledger.

    Args:
        folder, manifest: of the version.
        damaged: the paths of files that nothing is read from.
    """
    faults: list[str] = []
    seen = _Seen()
    for shard in manifest.shards:
        if shard.path in damaged:
            seen.left_out.append(shard)
            continue
        found: list[str] = []
        try:
            _check_shard(folder, shard, manifest, seen, found)
        except (pa.ArrowException, OSError) as error:
            found.append(f"{shard.path}: cannot be read as Parquet: {error}")
            seen.left_out.append(shard)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            found.append(f"{shard.path}: cannot be checked: {type(error).__name__}: {error}")
            seen.left_out.append(shard)
        faults += first_few(found)
    not_checked = [f"{shard.path}: its {shard.rows:,} rows" for shard in seen.left_out]
    checks = [Check(what=_ROWS, faults=len(faults), left_out=bool(seen.left_out))]
    no_articles = any(shard.config in _WITH_ARTICLES for shard in seen.left_out)
    no_posts = no_articles or any(shard.config == "posts" for shard in seen.left_out)
    steps: list[tuple[str, bool, Callable[[list[str]], None]]] = [
        ("the sums in the manifest are right", False, partial(_check_counts, manifest, seen)),
        ("every article and leak group is in one split", False, partial(_check_places, seen)),
        (_STATISTICS, no_articles, partial(_check_statistics, folder, manifest)),
        ("the posts are the sources of the articles", no_posts, partial(_check_posts, seen)),
        ("the ledger has all articles", LEDGER_NAME in damaged, partial(_check_ledger, folder, manifest, seen)),
    ]  # fmt: skip
    for what, left_out, check in steps:
        if what == _STATISTICS and manifest.statistics is None:
            continue
        before = len(faults)
        if left_out:
            not_checked.append(f"whether {what}")
        else:
            check(faults)
        checks.append(Check(what=what, faults=len(faults) - before, left_out=left_out))
    return RowsChecked(
        rows=sum(seen.rows.values()), faults=tuple(map(shown, faults)), not_checked=tuple(map(shown, not_checked)),
        checks=tuple(checks),
    )  # fmt: skip


class _Seen:
    """What was found in the shards so far: ids and hashes only, never text.

    Attributes:
        left_out: shards that could not be read.
        rows: number of rows by (config, split), of the others.
        ids, groups: split -> article ids and leak groups of its rows.
        sources: hashes of the posts that articles name.
        posts, post_ids: hashes and article ids of posts.
    """

    def __init__(self) -> None:
        self.left_out: list[Shard] = []
        self.rows: Counter[tuple[str, str]] = Counter()
        self.ids: dict[str, list[pa.Array]] = {}
        self.groups: dict[str, list[pa.Array]] = {}
        self.sources: list[pa.Array] = []
        self.posts: list[pa.Array] = []
        self.post_ids: list[pa.Array] = []

    def articles(self) -> set[str]:
        """The ids of all articles that were read."""
        return {one for arrays in self.ids.values() for one in pa.chunked_array(arrays, pa.string()).to_pylist()}


def _check_shard(folder: Path, shard: Shard, manifest: Manifest, seen: _Seen, faults: list[str]) -> None:
    """Check columns, rows and digest of a shard, and note what it holds in `seen`."""
    timezone = str(manifest.configuration["timezone"])
    schema = table_schema(shard.config, timezone, manifest.schema_version)
    digest = hashlib.sha256()
    rows = 0
    with pq.ParquetFile(folder / shard.path) as file:
        if not file.schema_arrow.remove_metadata().equals(schema):
            faults.append(f"{shard.path}: its columns are not those of config {shard.config}")
            seen.left_out.append(shard)
            return
        for number in range(file.num_row_groups):
            table = file.read_row_group(number)
            digest_table(table, digest)
            if shard.config in _WITH_ARTICLES:
                _check_articles(table, rows, shard, manifest, faults)
                seen.ids.setdefault(shard.split, []).extend(table["article_id"].chunks)
                seen.groups.setdefault(shard.split, []).extend(table["leak_group"].chunks)
                seen.sources.append(pc.struct_field(pc.list_flatten(table["sources"]), "sha256").combine_chunks())
            elif shard.config == "posts":
                seen.posts.extend(table["sha256"].chunks)
                seen.post_ids.extend(table["article_id"].chunks)
            rows += table.num_rows
    seen.rows[shard.config, shard.split] += rows
    if rows != shard.rows:
        faults.append(f"{shard.path}: has {rows} rows, not {shard.rows}")
    if digest.hexdigest() != shard.digest:
        faults.append(f"{shard.path}: its rows were changed (logical digest differs)")


def _check_articles(table: pa.Table, before: int, shard: Shard, manifest: Manifest, faults: list[str]) -> None:
    """Check the offsets of every span, the lengths of texts, and the dates against the borders of the split."""
    blank = not holds_text(manifest)
    ids = table["article_id"].to_pylist()
    texts = table["text"].to_pylist()
    lengths = table["num_chars"].to_pylist()
    for column in _spans_of(table):
        for row, spans in enumerate(table[column].to_pylist()):
            for number, span in enumerate(spans or ()):
                start, end = span["start"], span["end"]
                place = f"{shard.path}: row {before + row} ({ids[row]}): {column}[{number}]"
                if not 0 <= start <= end <= lengths[row]:
                    faults.append(f"{place}: {start}:{end} is outside the text of {lengths[row]} characters")
                elif "text" in span and not blank and texts[row][start:end] != span["text"]:
                    faults.append(f"{place}: text[{start}:{end}] is not its text")
    if not blank:
        for row, (text, length) in enumerate(zip(texts, lengths, strict=True)):
            if len(text) != length:
                faults.append(f"{shard.path}: row {before + row} ({ids[row]}): num_chars is {length}, not {len(text)}")
    if shard.config == "articles":
        days = [None if t is None else t.date().isoformat() for t in table["published_at"].to_pylist()]
        for row, day in enumerate(days):
            natural = _natural_split(day, manifest)
            if natural != shard.split:
                faults.append(
                    f"{shard.path}: row {before + row} ({ids[row]}): {day} belongs to {natural}, not {shard.split}"
                )


def _spans_of(table: pa.Table) -> list[str]:
    """The columns that hold spans of the text; `text_codes` of schema 1 is a list of strings."""
    lists = (field for field in table.schema if pa.types.is_list(field.type))
    return [
        f.name
        for f in lists
        if pa.types.is_struct(f.type.value_type) and f.type.value_type.get_field_index("start") >= 0
    ]


def _natural_split(day: str | None, manifest: Manifest) -> str:
    """The split to which a day (YYYY-MM-DD) belongs; "excluded" without a day."""
    configuration = manifest.configuration
    if day is None:
        return "excluded"
    if configuration["validation_from"] is None or day < configuration["validation_from"]:
        return "train"
    if day < configuration["test_from"]:
        return "validation"
    return "test" if day <= configuration["test_until"] else "newer"


def _check_counts(manifest: Manifest, seen: _Seen, faults: list[str]) -> None:
    """Check the sums of the accounting, and that no shard is listed twice. Unread shards count as the manifest says."""
    rows = seen.rows.copy()
    for shard in seen.left_out:
        rows[shard.config, shard.split] += shard.rows
    try:
        for what, said, found in unequal_sums(manifest.accounting, rows):
            faults.append(f"{MANIFEST_NAME}: accounting: {what}: {said} is not {found}")
    except (LookupError, TypeError, AttributeError) as error:
        faults.append(f"{MANIFEST_NAME}: accounting: a number is missing or no number: {error}")
    for config in CONFIGS:
        paths = [shard.path for shard in shards_of(manifest, config)]
        if len(set(paths)) != len(paths):
            faults.append(f"{MANIFEST_NAME}: a shard of {config} is listed twice")


def _check_statistics(folder: Path, manifest: Manifest, faults: list[str]) -> None:
    """Check the numbers in `Manifest.statistics` against the rows."""
    try:
        faults.extend(first_few(f"{MANIFEST_NAME}: {fault}" for fault in statistics_faults(folder, manifest)))
    except NewsdataError as error:
        faults.append(f"{MANIFEST_NAME}: its statistics cannot be checked: {error.reason}")


def _check_places(seen: _Seen, faults: list[str]) -> None:
    """Check that every article stands once and in one split, and every leak group in one split."""
    places: dict[str, str] = {}
    found: list[str] = []
    for split, arrays in seen.ids.items():
        every = pa.chunked_array(arrays, pa.string())
        for identity in every.to_pylist():
            other = places.setdefault(identity, split)
            if other != split:
                found.append(f"article {identity}: stands in {other} and in {split}")
        if len(pc.unique(every)) != len(every):
            counts = pc.value_counts(every).to_pylist()
            twice = [c["values"] for c in counts if c["counts"] > 1]
            found.extend(f"article {identity}: stands in {split} more than once" for identity in twice)
    faults.extend(first_few(found))
    groups: dict[str, str] = {}
    found = []
    for split in SPLITS:
        for group in pc.unique(pa.chunked_array(seen.groups.get(split, []), pa.string())).to_pylist():
            other = groups.setdefault(group, split)
            if other != split:
                found.append(f"leak group {group}: stands in {other} and in {split}")
    faults.extend(first_few(found))


def _check_posts(seen: _Seen, faults: list[str]) -> None:
    """Check that every post is the source of one article."""
    posts = pa.chunked_array(seen.posts, pa.string())
    sources = pa.chunked_array(seen.sources, pa.string())
    if Counter(posts.to_pylist()) != Counter(sources.to_pylist()):
        faults.append("the sources of the articles are not the posts: a post was lost or counted twice")
    without_row = set(pa.chunked_array(seen.post_ids, pa.string()).to_pylist()) - seen.articles()
    faults.extend(first_few(f"article {identity}: has posts but no row" for identity in sorted(without_row, key=str)))


def _check_ledger(folder: Path, manifest: Manifest, seen: _Seen, faults: list[str]) -> None:
    """Check that the ledger has every article, and that no article has a row that it says was redacted."""
    try:
        ledger = read_ledger(folder, manifest)
    except NewsdataError as error:
        faults.append(f"{LEDGER_NAME}: {error.reason}")
        return
    articles = seen.articles()
    redacted = sorted(articles & tombstones(ledger).keys())
    faults.extend(first_few(f"article {identity}: was redacted, but has a row" for identity in redacted))
    missing = sorted(articles - set(ledger["article_id"].to_pylist()), key=str)
    faults.extend(first_few(f"{LEDGER_NAME}: article {identity} is missing" for identity in missing))
