"""The store: a folder in which artifacts are put, found, checked and swept.

An artifact with the key K is the files `K.<name>` and the record `K.json`, which holds its facts and the checksums of its
files. Every file is written under a temporary name and then renamed. The record comes last, so an artifact is visible whole
or not at all. Two processes may put the same artifact at the same time: the second replaces the files of the first with equal
ones.

`last-build.json` says what the last build used: these artifacts are the seeds of the next build, and all others are swept.
No name in the store ends in `.parquet`. Nothing in the store is trusted: a damaged artifact counts as missing.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from ..files import is_regular, open_fresh, read_regular
from .task import Artifact, Bench, StoredFile

__all__ = ["LastBuild", "Store"]

_LOG = logging.getLogger("newsdata")
_RECORD = "json"
_LAST = "last-build"
_LARGEST_RECORD = 1 << 29  # bytes: the record of the last build has about 100 for each task


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBuild:
    """What the last finished build used.

    Attributes:
        places: place -> key of the artifact that was used there; see `Task.place`.
        keys: the keys of all artifacts that were used.
        facts: what else the next build should know, in types that JSON has.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store.

    Attributes:
        folder: where it lies; it must exist.
    """

    folder: Path

    def begin(self, seed: Artifact | None = None) -> Bench:
        """A bench for the files of a new artifact, under names that no other process uses."""
        prefix = f"part-{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(8)}"
        return Bench(folder=self.folder, prefix=prefix.replace("/", "-"), seed=seed)

    def commit(self, key: str, bench: Bench, facts: Mapping[str, Any]) -> Artifact:
        """Make the files of a bench visible as the artifact `key`.

        Args:
            key: of the task.
            bench: from `begin`; its files are renamed.
            facts: of the artifact, in types that JSON has.
        """
        files = {}
        for name in bench.names:
            part = bench.file(name)
            files[name] = StoredFile.of(part, at=self._path(key, name))
        for name, stored in files.items():
            _clear(stored.path)
            bench.file(name).replace(stored.path)
        sums = {name: [stored.checksum, stored.bytes] for name, stored in files.items()}
        self._write(key, {"key": key, "files": sums, "facts": dict(facts)}, bench.prefix)
        return Artifact(key=key, facts=facts, files=files)

    def discard(self, bench: Bench) -> None:
        """Remove the files of a bench that is not committed."""
        for name in bench.names:
            bench.file(name).unlink(missing_ok=True)

    def find(self, key: str) -> Artifact | None:
        """The artifact `key`; None if it is not there, or if any byte of it differs from what was written."""
        record = self.record(key)
        if record is None:
            return None
        whole = all(is_regular(file.path) and file.is_whole() for file in record.files.values())
        if not whole:
            _LOG.info("%s in the store is damaged; it is made anew", key)
        return record if whole else None

    def record(self, key: str) -> Artifact | None:
        """The artifact `key` as its record describes it; its files are not read. None if the record is missing or damaged."""
        data = self._read(key)
        try:
            if data is None or data["key"] != key:
                return None
            files = {
                str(name): StoredFile(path=self._path(key, name), checksum=str(sum_), bytes=int(size))
                for name, (sum_, size) in data["files"].items()
            }
            return Artifact(key=key, facts=dict(data["facts"]), files=files)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def keys(self) -> list[str]:
        """The keys of all records, damaged ones included, sorted."""
        names = (entry.name for entry in os.scandir(self.folder))
        keys = (name.removesuffix(f".{_RECORD}") for name in names if name.endswith(f".{_RECORD}"))
        return sorted(key for key in keys if key != _LAST and not key.startswith("part-"))

    def damaged(self) -> list[str]:
        """The keys of all artifacts that are not as they were written, and "last-build" if that record is not."""
        damaged = [key for key in self.keys() if not self.find(key)]
        record = self._path(_LAST, _RECORD)
        return [*damaged, *([_LAST] if os.path.lexists(record) and self._read(_LAST) is None else [])]

    def remember(self, build: LastBuild) -> None:
        """Write down what a finished build used."""
        data = {"places": dict(build.places), "keys": list(build.keys), "facts": dict(build.facts)}
        self._write(_LAST, data, self.begin().prefix)

    def last(self) -> LastBuild:
        """What the last finished build used; an empty `LastBuild` if nobody wrote that down, or if it is damaged."""
        data = self._read(_LAST)
        try:
            if data is None:
                return LastBuild()
            places = {str(place): str(key) for place, key in data["places"].items()}
            return LastBuild(places=places, keys=tuple(map(str, data["keys"])), facts=dict(data["facts"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return LastBuild()

    def sweep(self, keep: Collection[str]) -> list[tuple[Path, int]]:
        """Remove every file and folder that does not belong to a key in `keep`, whoever wrote it.

        Returns:
            The path of each removed entry, and the bytes that this freed: 0 for a file that has another hard link.
        """
        removed = []
        for entry in sorted(os.scandir(self.folder), key=lambda found: found.name):
            key = entry.name.partition(".")[0]
            if key in keep or entry.name == f"{_LAST}.{_RECORD}":
                continue
            status = entry.stat(follow_symlinks=False)
            _clear(Path(entry.path))
            Path(entry.path).unlink(missing_ok=True)
            removed.append((Path(entry.path), status.st_size if status.st_nlink == 1 else 0))
        return removed

    def _path(self, key: str, name: str) -> Path:
        if {"/", "\0"} & set(key + name):
            raise ValueError(f"{key!r}, {name!r} cannot be the name of a file")
        return self.folder / f"{key}.{name}"

    def _write(self, key: str, data: object, prefix: str) -> None:
        """Write a record: the checksum of the rest in hexadecimal digits, a line end, then JSON."""
        text = json.dumps(data, ensure_ascii=True).encode()
        part, target = self.folder / f"{prefix}.{_RECORD}", self._path(key, _RECORD)
        with open_fresh(part) as file:
            file.write(xxhash.xxh3_128_hexdigest(text).encode() + b"\n" + text)
        _clear(target)
        part.replace(target)

    def _read(self, key: str) -> Any:
        path = self._path(key, _RECORD)
        try:
            digest, _, text = read_regular(path, _LARGEST_RECORD).partition(b"\n")
            return json.loads(text) if digest == xxhash.xxh3_128_hexdigest(text).encode() else None
        except (OSError, ValueError, RecursionError):
            return None


def _clear(path: Path) -> None:
    """Remove whatever a file cannot replace (a folder), and what must not be followed (a link). A regular file stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()
