"""Pieces: finished shards in the store, and how they become files of a version."""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..graph.task import Artifact, StoredFile
from ..schema import CONFIGS
from ..storage.manifest import Shard
from ..storage.shards import Written
from .base import Base

__all__ = ["Piece", "filled_cells", "piece_of", "put_into"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A finished shard.

    Attributes:
        path: of the shard in the version's folder.
        config, split: where its rows belong.
        start: the sort key at which it begins, see `Shard.start`.
        written: rows, digests, size, and filled cells by column.
        file: where its bytes lie now: in the store, or in the base.
    """

    path: str
    config: str
    split: str
    start: str
    written: Written
    file: StoredFile

    @property
    def shard(self) -> Shard:
        """The shard as it is listed in the manifest."""
        done = self.written
        return Shard(
            path=self.path, config=self.config, split=self.split, rows=done.rows, bytes=done.bytes,
            sha256=done.sha256, digest=done.digest, start=self.start,
        )  # fmt: skip


def piece_of(artifact: Artifact, name: str, path: str, split: str, start: str) -> Piece:
    """The shard that a task wrote.

    Args:
        artifact: of the task; its fact `written` has the fields of `Written` for each shard, by the name of the file.
        name: of the shard's file in the artifact.
        path, split, start: as in `Piece`; the config is the first part of the path.
    """
    written = Written(**artifact.facts["written"][name])
    config = path.partition("/")[0]
    return Piece(path=path, config=config, split=split, start=start, written=written, file=artifact.files[name])


def filled_cells(pieces: Iterable[Piece]) -> dict[str, dict[str, int]]:
    """Config -> column -> number of rows that have a value; see `Written.filled`."""
    filled: dict[str, Counter[str]] = {config: Counter() for config in CONFIGS}
    for piece in pieces:
        filled[piece.config].update(piece.written.filled)
    return {config: dict(counts) for config, counts in filled.items() if counts}


def put_into(dataset: Path, pieces: Sequence[Piece], base: Base | None) -> None:
    """Link every shard into the folder of a version.

    If the base has a shard with the same bytes, undamaged, its file is linked; otherwise the file in the store is.

    Args:
        dataset: the folder of the version; it is made if it does not exist.
        pieces: its shards.
        base: the version before, or None.
    """
    before = base.shards if base else {}
    dataset.mkdir(parents=True, exist_ok=True)  # a version without rows has no shards
    for config in dict.fromkeys(piece.config for piece in pieces):
        (dataset / config).mkdir(exist_ok=True)
    for piece in pieces:
        target = dataset / piece.path
        old = before.get(piece.path)
        if base and base.folder and old and old.sha256 == piece.written.sha256:
            there = base.folder / old.path
            if _same_file(there, piece.file.path) or base.undamaged(old):
                _link(there, target)
                continue
        _link(piece.file.checked(), target)


def _same_file(one: Path, other: Path) -> bool:
    return one.is_file() and not one.is_symlink() and one.samefile(other)


def _link(file: Path, target: Path) -> None:
    """Make a hard link; copy the file if the file system has no hard links."""
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
