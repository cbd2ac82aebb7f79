"""The base: the version that a build follows, and everything that earlier versions decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

import pyarrow as pa

from ..errors import ManifestError
from ..graph.task import StoredFile
from ..objects import Objects
from ..schema import Reject
from ..storage.ledger import empty_ledger, read_ledger, read_redactions, redactions_of, refused_contents
from ..storage.manifest import (
    File,
    Manifest,
    Shard,
    fault_of,
    read_manifest,
    shards_of,
    versions_in,
    versions_without_manifest,
)
from ..storage.reading import read_shard_of, read_version
from .mirror import absent_files, fetch_files

__all__ = ["Base", "follow", "read_rejects"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The version that a build follows.

    Attributes:
        folder, manifest: of the version; None if the build makes the first version of a dataset.
        ledger: what earlier versions decided about each article; `storage.ledger.LEDGER_SCHEMA` has the columns.
        redacted: everything that no version may hold: article id, or `content_key` of a file -> reason.
        versions: the number of every version in OUT, oldest first.
        newer: the manifest of the newest version in OUT, if that is not the base; else None.
        remote: where the version lies in a bucket; `folder` is then its mirror.
        again: whether the version itself is built again.
    """

    folder: Path | None
    manifest: Manifest | None
    ledger: pa.Table
    redacted: Mapping[str, str]
    versions: tuple[str, ...]
    newer: Manifest | None
    remote: Objects | None = None
    again: bool = False

    @property
    def refused(self) -> frozenset[str]:
        """SHA-256 of the contents that were redacted, hexadecimal."""
        return refused_contents(self.redacted)

    @property
    def posts(self) -> int:
        """The number of posts in the base."""
        return int(self.manifest.accounting["posts"]) if self.manifest else 0

    @property
    def shards(self) -> dict[str, Shard]:
        """The shards of the base, by path."""
        return {shard.path: shard for shard in self.manifest.shards} if self.manifest else {}

    def fetch(self, shards: Sequence[Shard]) -> None:
        """Bring shards of the base into its folder, if it lies in a bucket."""
        if self.folder and self.remote:
            fetch_files(self.remote, self.folder, shards)

    def stored(self, name: str) -> StoredFile:
        """A file of the base, as an input of tasks. Shards of a base in a bucket were fetched before.

        Raises:
            OSError: the file cannot be read.
        """
        assert self.folder
        below = name.rpartition("/")[0]
        remote = self.remote.inside(below) if self.remote and below else self.remote
        return replace(StoredFile.of(self.folder / name), remote=remote)

    def absent(self) -> str | None:
        """The path of a file of the base that is missing or has another size; None if there is none."""
        assert self.folder and self.manifest
        if self.remote:
            return next(iter(absent_files(self.remote, self.manifest)), None)
        everything: list[Shard | File] = [*self.manifest.shards, *self.manifest.files]
        for file in everything:
            path = self.folder / file.path
            if not path.is_file() or path.stat().st_size != file.bytes:
                return file.path
        return None

    def undamaged(self, shard: Shard) -> Path | None:
        """The file of a shard of the base; None if it is missing or its bytes are not those that the manifest names."""
        self.fetch([shard])
        if self.folder is None or fault_of(self.folder, shard):
            return None
        return self.folder / shard.path


def follow(out: Path, wanted: Path | None, *, again: bool = False) -> Base:
    """Open the version to follow.

    Args:
        out: the folder of versions.
        wanted: the folder of the version; None for the newest one in `out`.
        again: whether that version itself is built again. Redactions that came after it then do not count.

    Raises:
        ManifestError: a version in `out` has no manifest, the one to follow is damaged or has the name of another one, or
            the redactions cannot be read.
    """
    versions = versions_in(out)
    if lost := versions_without_manifest(out):
        raise ManifestError(
            "this version has no manifest, so no version can follow it",
            path=out / lost[-1],
            hint="restore manifest.json from another copy of this version, or remove the folder",
        )
    newest = out / versions[-1] if versions else None
    folder = wanted or newest
    passed_over = newest is not None and folder is not None and folder.resolve() != newest.resolve()
    manifest = read_version(folder) if folder else None
    ledger = read_ledger(folder, manifest) if folder and manifest else empty_ledger()
    redacted = redactions_of(ledger)
    if not again:
        for place in dict.fromkeys([out, folder.absolute().parent] if folder else [out]):
            redacted = {**_redacted_in(place, folder), **redacted}
    return Base(
        folder=folder,
        manifest=manifest,
        ledger=ledger,
        redacted=redacted,
        versions=tuple(versions),
        newer=read_version(newest) if newest and passed_over else None,
        again=again,
    )


def _redacted_in(out: Path, base_folder: Path | None) -> dict[str, str]:
    """What was redacted in a folder of versions: what waits for the next version, and what its newest ledger has.

    The ledger of the base is not read again here.
    """
    found = read_redactions(out)
    for version in reversed(versions_in(out)):
        if base_folder and base_folder.resolve() == (out / version).resolve():
            break
        with suppress(ManifestError):  # a damaged version: the one before it has most of its redactions, too
            return redactions_of(read_ledger(out / version, read_manifest(out / version))) | found
    return found


def read_rejects(base: Base) -> list[Reject]:
    """The rejects of the base."""
    if not base.folder or not base.manifest:
        return []
    shards = shards_of(base.manifest, "rejects")
    base.fetch(shards)
    return [
        Reject(**row)
        for shard in shards
        for rows in read_shard_of(base.folder, shard, [field.name for field in fields(Reject)])
        for row in rows.to_pylist()
    ]
