"""What was known at a time: articles as a build of the archive of then would have merged them, from the config `revisions`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..errors import CallError
from ..schema import features, table_schema
from ..storage.gathered import ROLES, Gathered, MergedFrom, merged_columns
from ..storage.manifest import Manifest, shards_of
from .keywords import wanted_features
from .known_states import States, known_states
from .open_version import FoundVersion
from .parquet_rows import ShardRows, read_typed, rows_of_slice, take_rows
from .revision_keys import read_keys
from .row_filters import Period, read_time, row_filter, used_columns
from .slices import slices_of

if TYPE_CHECKING:
    import datasets
    import pyarrow.compute as pc

__all__ = [
    "Asked",
    "KnownRows",
    "as_dataset",
    "ask",
    "check_as_of",
    "check_has_revisions",
    "known_rows",
]

_GATHERED_AT_ONCE = 1000  # states whose columns are put together at once
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = ("first_seen_at", "revised_at")


def check_as_of(
    as_of: str | date | datetime, manifest: Manifest, *, config: str | None, split: object, streaming: bool
) -> int:
    """The instant that the argument `as_of` means, in milliseconds since 1970, rounded down. A day means its beginning.

    Raises:
        CallError: it has no zone or is neither a day nor a time, the other arguments do not go with it, or the version has
            no revisions.
    """
    if config not in (None, "articles"):
        reason = f"gives rows of the config articles, not of {config!r:.100}: they are made from revisions"
        raise CallError(reason, field="as_of", hint="leave out name")
    if streaming:
        reason = "cannot be streamed: what was known is put together in memory from all revisions"
        raise CallError(reason, field="as_of", hint="leave out streaming, and ask for few columns=")
    if split is not None:
        reason = "there are no splits in what was known at a time: they follow from the whole archive"
        raise CallError(reason, field="as_of", hint="leave out split, and cut by since= and until=")
    check_has_revisions(manifest, "as_of")
    time = read_time(as_of, str(manifest.configuration["timezone"]), "as_of")
    return (time - _EPOCH) // timedelta(milliseconds=1)


def check_has_revisions(manifest: Manifest, field: str) -> None:
    """Raise a `CallError` about the argument `field` if a version has no rows of the config `revisions`."""
    if not shards_of(manifest, "revisions"):
        raise CallError(
            f"needs the config revisions, which {manifest.dataset_version} does not have",
            field=field,
            hint="build it from a git repository: newsdata build REPO@REVISION OUT --history",
        )


def _known_features(timezone: str, version: str) -> datasets.Features:
    """The columns of what was known at a time: those of `articles` that `revisions` has, and when the archive had it.

    Args:
        timezone: the site's, an IANA name.
        version: of the schema.
    """
    import datasets

    articles, revisions = features("articles", timezone, version), features("revisions", timezone, version)
    kept = {name: kind for name, kind in articles.items() if name in revisions or name == "sources"}
    return datasets.Features(kept | {name: revisions[name] for name in _TIMES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a call asks for.

    Attributes:
        features: the columns in the order in which they were asked for, with their types.
        row_filter: only the rows that it holds for; None for all.
        filtered_by: the columns that it uses.
    """

    features: datasets.Features
    row_filter: pc.Expression | None
    filtered_by: tuple[str, ...]


def ask(manifest: Manifest, columns: Any, filters: Any, period: Period | None) -> Asked:
    """Check what a call asks for.

    Raises:
        CallError: there is no such column, or it is of the whole archive; a filter cannot be computed.
    """
    timezone, version = str(manifest.configuration["timezone"]), manifest.schema_version
    every = _known_features(timezone, version)
    of_all = {*table_schema("articles", timezone, version).names, "excluded_reason", "split"} - set(every)
    if columns is not None and not isinstance(columns, str):
        columns = list(columns)
        if wrong := [str(name) for name in columns if name in of_all]:
            reason = f"{', '.join(wrong)}: not known at a time, because it follows from the whole archive"
            if not set(wrong) <= {"duplicate_cluster", "leak_group", "fold", "excluded_reason", "split"}:
                reason = f"{', '.join(wrong)}: the config revisions of {manifest.dataset_version} does not have it"
            raise CallError(reason, field="columns", hint=f"there are: {', '.join(every)}")
    schema = every.arrow_schema.remove_metadata()
    wanted = row_filter(filters, period, schema)
    return Asked(
        features=wanted_features(every, columns),
        row_filter=wanted,
        filtered_by=() if wanted is None else used_columns(wanted, schema) or ("article_id",),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownRows:
    """Rows of articles as they were known at some steps of time.

    Attributes:
        tables: the rows, in parts: those of all steps, in the order of `published_at` (without a date last) and `article_id`.
        begin, end: each row was known at the steps `begin` up to, not including, `end`.
        features: the columns of the tables.
        fingerprint: the same for the same rows.
    """

    tables: Sequence[pa.Table]
    begin: np.ndarray
    end: np.ndarray
    features: datasets.Features
    fingerprint: str


def known_rows(version: FoundVersion, steps: np.ndarray, asked: Asked) -> KnownRows:
    """What was known at some steps of time.

    The keys of all revisions are read once, and the asked columns of those revisions that were there at a step.

    Args:
        version: a version that has revisions.
        steps: milliseconds since 1970, ascending.
        asked: what to read.

    Raises:
        VerifyError: a shard is not the file that the manifest names, or cannot be read.
        HubError: the Hub cannot be reached, and a shard is not in the cache.
    """
    manifest = version.manifest
    timezone, schema_version = str(manifest.configuration["timezone"]), manifest.schema_version
    (every,) = slices_of(manifest, "revisions")
    parts = rows_of_slice(every, version.shard_files(every.shards, streaming=False))
    states = known_states(read_keys(parts, table_schema("revisions", timezone, schema_version)), steps)
    reader = _Reader(parts=parts, states=states, stored=features("revisions", timezone, schema_version))
    chosen = np.arange(len(states.begin))
    if asked.row_filter is not None:
        chosen = reader.matching(chosen, asked)
    tables = [table.cast(asked.features.arrow_schema) for table in reader.tables(chosen, list(asked.features))]
    digest = hashlib.sha256(repr([*(part.shard.sha256 for part in parts), str(asked.features)]).encode())
    digest.update(steps.tobytes() + chosen.tobytes())
    return KnownRows(
        tables=tables,
        begin=states.begin[chosen],
        end=states.end[chosen],
        features=asked.features,
        fingerprint=digest.hexdigest()[:16],
    )


def as_dataset(rows: KnownRows) -> Any:
    """The rows of all steps as a `datasets.Dataset` in memory."""
    import datasets
    from datasets.table import InMemoryTable

    from .no_rows import DatasetWithoutRows

    if not rows.tables:
        return DatasetWithoutRows(rows.features)
    table = InMemoryTable(pa.concat_tables(rows.tables))
    return datasets.Dataset(table, datasets.DatasetInfo(features=rows.features), fingerprint=rows.fingerprint)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Reader:
    """Reads columns of states.

    Attributes:
        parts: every row of `revisions`.
        states: all states.
        stored: the columns of `revisions`.
    """

    parts: Sequence[ShardRows]
    states: States
    stored: datasets.Features

    def matching(self, chosen: np.ndarray, asked: Asked) -> np.ndarray:
        """Those of some states that the filter holds for."""
        found, before = [np.zeros(0, np.int64)], 0
        for table in self.tables(chosen, [*asked.filtered_by]):
            numbers = pa.array(np.arange(before, before + table.num_rows))
            found.append(table.append_column("\0", numbers).filter(asked.row_filter)["\0"].to_numpy())
            before += table.num_rows
        return chosen[np.concatenate(found)]

    def tables(self, chosen: np.ndarray, names: Sequence[str]) -> Iterator[pa.Table]:
        """Some columns of some states, in parts. Every revision that they need is read before the first part is given."""
        if not len(chosen):
            return
        wanted = {*names, *(("media", "source") if "publisher" in names else ())}
        columns = [name for name in self.stored if name in wanted and name in _GATHERED]
        rows = _rows_for(self.states.merged_from(chosen), columns)
        posts = _Posts(rows=rows, tables=self._read(rows, columns))
        instant = self.stored.arrow_schema.field("revised_at").type
        for begin in range(0, len(chosen), _GATHERED_AT_ONCE):
            some = chosen[begin : begin + _GATHERED_AT_ONCE]
            merged = self.states.merged_from(some)
            found = merged_columns(merged, posts.gathered(_rows_for(merged, columns), columns)) | {
                "article_id": self.states.article_id.take(pa.array(some)),
                "first_seen_at": pa.array(self.states.first_seen_at[some], instant),
                "revised_at": pa.array(self.states.revised_at(some), instant),
            }
            yield pa.table([found[name] for name in names], names=list(names))

    def _read(self, rows: np.ndarray, columns: Sequence[str]) -> list[pa.Table]:
        import datasets

        kinds = datasets.Features({name: self.stored[name] for name in columns})
        return list(read_typed(take_rows(self.parts, rows), kinds)) if columns else []


def _rows_for(merged: MergedFrom, columns: Sequence[str]) -> np.ndarray:
    """The revisions that give some columns, ascending."""
    roles = [role for role, names in ROLES.items() if set(names) & set(columns)]
    places = [merged.places[role] for role in roles] + ([merged.member_places] if "issues" in columns else [])
    rows: np.ndarray = np.unique(np.concatenate([np.zeros(0, np.int64), *(row for _, row in places)]))
    return rows


_GATHERED = frozenset({*(name for names in ROLES.values() for name in names), "issues"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Posts:
    """Revisions in memory: their row numbers, ascending, and their columns, in parts."""

    rows: np.ndarray
    tables: Sequence[pa.Table]

    def gathered(self, rows: np.ndarray, columns: Sequence[str]) -> Gathered:
        """Some of them. Only these are copied: all texts together may be too large for one Arrow array."""
        if not self.tables:
            return Gathered(places=rows, at=np.arange(len(rows)), table=pa.table({}))
        ends = np.cumsum([table.num_rows for table in self.tables])
        at = np.searchsorted(self.rows, rows)
        part = np.searchsorted(ends, at, side="right")
        tables = [
            self.tables[number].take(pa.array(at[part == number] - (ends[number] - self.tables[number].num_rows)))
            for number in np.unique(part).tolist()
        ]
        return Gathered(places=rows, at=np.arange(len(rows)), table=pa.concat_tables(tables).select(list(columns)))
