"""A version, opened for the page: which of its files can be read, and where each row stands.

Versions may come from anywhere, so nothing in one is trusted. A shard that is missing, a link, of another size than the
manifest says, no Parquet, or with a column of another type is left out, and every page says so. So are shards whose bytes
are known to be others than the manifest says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq

from ..dataset.open_version import FoundVersion
from ..errors import first_line
from ..schema import SPLITS, table_schema
from ..storage import reading
from ..storage.manifest import MANIFEST_NAME, File, Manifest, Shard, fault_of, holds_text, shards_of

__all__ = [
    "READ_ERRORS",
    "Damage",
    "DamagedFile",
    "Opened",
    "RowGroup",
    "check_bytes",
    "groups_of",
    "is_regular",
    "open_for_page",
    "read_table",
    "stamp_of",
]

READ_ERRORS = (OSError, pa.ArrowException, ValueError, OverflowError)
"""What reading a damaged Parquet file may raise; text that is not UTF-8 is a ValueError."""


class Damage(NamedTuple):
    """A file of a version that cannot be used: its path in the version, and why."""

    path: str
    reason: str


class DamagedFile(Exception):
    """A file could be opened when the page started, and cannot be read now."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.damage = Damage(path, reason)


class RowGroup(NamedTuple):
    """A part of a shard: `number` in its file, the number of its first row in the version (`start`), and its `rows`."""

    shard: Shard
    number: int
    start: int
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A version that can be read.

    Attributes:
        found: where the version is.
        zone: the zone in which times are shown.
        groups: the row groups of `articles`, in order of the splits, then those of `excluded`.
        articles: number of rows of `articles`; rows with higher numbers are excluded ones.
        rows: number of all rows.
        damaged: the shards of these two configs that were left out.
        stamp: what the manifest's file looked like; another stamp means that the version changed.
        changed: shards of any config that must not be read: their paths, and why.
    """

    found: FoundVersion
    zone: tzinfo
    groups: tuple[RowGroup, ...]
    articles: int
    rows: int
    damaged: tuple[Damage, ...]
    stamp: tuple[int, ...]
    changed: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """The folder of the version."""
        return self.found.folder

    @property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return self.found.manifest

    @property
    def has_text(self) -> bool:
        """Whether the version holds the publishers' words."""
        return holds_text(self.manifest)

    @property
    def zone_name(self) -> str:
        """The IANA name of the zone."""
        return str(self.zone)

    def shards(self, config: str) -> list[Shard]:
        """The shards of a config that can be read."""
        if config in ("articles", "excluded"):
            return list(dict.fromkeys(group.shard for group in self.groups if group.shard.config == config))
        return [shard for shard in shards_of(self.manifest, config) if why_unusable(self, shard) is None]


def open_for_page(found: FoundVersion, changed: Mapping[str, str] | None = None) -> Opened:
    """Find the rows of a version. Only the ends of its Parquet files are read.

    Args:
        found: the version.
        changed: shards to leave out: their paths, and why.
    """
    folder, manifest = found.folder, found.manifest
    zone = ZoneInfo(manifest.configuration["timezone"])
    empty = Opened(
        found=found,
        zone=zone,
        groups=(),
        articles=0,
        rows=0,
        damaged=(),
        stamp=stamp_of(folder),
        changed=dict(changed or {}),
    )
    groups: list[RowGroup] = []
    damaged: list[Damage] = []
    row = articles = 0
    for config in ("articles", "excluded"):
        for shard in sorted(shards_of(manifest, config), key=lambda shard: _place(shard.split)):
            reason = why_unusable(empty, shard)
            try:
                lengths = [] if reason else _group_lengths(empty, shard)
            except DamagedFile as error:
                reason = error.damage.reason
            if reason:
                damaged.append(Damage(shard.path, reason))
                continue
            for index, length in enumerate(lengths):
                groups.append(RowGroup(shard, index, row, length))
                row += length
        if config == "articles":
            articles = row
    return Opened(
        found=found,
        zone=zone,
        groups=tuple(groups),
        articles=articles,
        rows=row,
        damaged=tuple(damaged),
        stamp=empty.stamp,
        changed=empty.changed,
    )


def groups_of(opened: Opened, config: str) -> tuple[RowGroup, ...]:
    """The row groups of a config; shards that cannot be used are left out."""
    groups: list[RowGroup] = []
    row = 0
    for shard in opened.shards(config):
        try:
            with pq.ParquetFile(opened.folder / shard.path) as file:
                lengths = [file.metadata.row_group(index).num_rows for index in range(file.metadata.num_row_groups)]
        except READ_ERRORS:
            continue
        for index, length in enumerate(lengths):
            groups.append(RowGroup(shard, index, row, length))
            row += length
    return tuple(groups)


def why_unusable(opened: Opened, shard: Shard) -> str | None:
    """Why a shard cannot be used, as far as can be told without reading it; None if it can."""
    reason = opened.changed.get(shard.path) or reading.why_unusable(opened.folder, shard.path)
    if reason is not None:
        return reason
    size = (opened.folder / shard.path).stat().st_size
    return None if size == shard.bytes else f"has {size:,} bytes, not the {shard.bytes:,} of the manifest"


def is_regular(opened: Opened, name: str) -> bool:
    """Whether a file of the version is a regular one inside its folder, so that it may be opened."""
    return reading.why_unusable(opened.folder, name) is None


def check_bytes(opened: Opened) -> Iterator[Damage]:
    """Compare every file of the version with its hash. This reads all of it."""
    listed: list[Shard | File] = [*opened.manifest.shards, *opened.manifest.files]
    for file in listed:
        fault = fault_of(opened.folder, file)
        if fault is not None:
            yield Damage(file.path, fault)


def read_table(opened: Opened, shard: Shard, columns: Iterable[str] | None, group: int | None = None) -> pa.Table:
    """Columns of a shard, or of one of its row groups; a column that the file lacks is left out.

    Args:
        opened: the version.
        shard: one of its shards.
        columns: names, also of parts ("mentions.list.element.code"); None for all columns.
        group: the number of the row group, None for the whole file.

    Raises:
        DamagedFile: the file cannot be read.
    """
    try:
        with pq.ParquetFile(opened.folder / shard.path) as file:
            names = None
            if columns is not None:
                there = set(file.schema_arrow.names)
                names = [name for name in columns if name.partition(".")[0] in there]
            table = file.read(columns=names) if group is None else file.read_row_group(group, columns=names)
            table.validate(full=True)
            return table
    except READ_ERRORS as error:
        raise DamagedFile(shard.path, f"cannot be read: {first_line(error)}") from None


def stamp_of(folder: Path) -> tuple[int, ...]:
    """What the manifest's file looks like now: time, size and number on the disk; () if it is gone."""
    try:
        found = (folder / MANIFEST_NAME).stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _group_lengths(opened: Opened, shard: Shard) -> list[int]:
    """Rows of each row group of a shard, after its columns were checked."""
    try:
        with pq.ParquetFile(opened.folder / shard.path) as file:
            found, metadata = file.schema_arrow, file.metadata
            lengths = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    except READ_ERRORS as error:
        raise DamagedFile(shard.path, f"is no Parquet file: {first_line(error)}") from None
    for field in table_schema(shard.config, opened.zone_name, opened.manifest.schema_version):
        at = found.get_field_index(field.name)
        if at >= 0 and field.name in _USED and not _fits(found.field(at).type, field.type):
            raise DamagedFile(shard.path, f"column {field.name} is {found.field(at).type}, not {field.type}")
    if "article_id" not in found.names:
        raise DamagedFile(shard.path, "has no column article_id")
    if sum(lengths) != shard.rows:
        raise DamagedFile(shard.path, f"has {sum(lengths):,} rows, not the {shard.rows:,} of the manifest")
    return lengths


_USED = {
    "article_id", "title", "digest", "text", "published_at", "media", "source", "mentions", "headings", "links", "images",
    "num_chars", "is_flash", "duplicate_cluster", "issues", "sources", "excluded_reason",
}  # fmt: skip
"""The columns that the page works with; any other one is only shown."""


def _fits(found: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether a column can be used as if it had the wanted type; a struct may have more fields, as later schemas give it."""
    if pa.types.is_timestamp(wanted):
        return bool(pa.types.is_timestamp(found) and found.unit == wanted.unit)
    if pa.types.is_list(wanted) and pa.types.is_list(found):
        return _fits(found.value_type, wanted.value_type)
    if pa.types.is_struct(wanted) and pa.types.is_struct(found):
        names = [field.name for field in found]
        return all(field.name in names and _fits(found.field(field.name).type, field.type) for field in wanted)
    return bool(found == wanted)


def _place(split: str) -> tuple[int, str]:
    return (SPLITS.index(split), "") if split in SPLITS else (len(SPLITS), split)
