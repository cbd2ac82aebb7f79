"""The store: where artifacts are put, found, checked and swept. It is a folder.

An artifact with the key K is the files `K.<name>` and `K.json`, its record: facts and checksums. Every file is written under
a temporary name and renamed. The record comes last, so an artifact is visible whole or not at all. Two processes may put the
same artifact at once: their bytes are the same, and who comes second replaces the files of the first by equal ones.

`last-build.json` says what the last build used: its artifacts are the seeds of the next build, and all others are swept.
No name in the store ends in `.parquet`. Nothing in it is trusted: what is damaged counts as missing.
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

from .task import Artifact, Bench, StoredFile, checksum

__all__ = ["LastBuild", "Store"]

_LOG = logging.getLogger("newsdata")
_RECORD = "json"
_LAST = "last-build"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBuild:
    """What the last finished build used.

    Attributes:
        places: place -> key of the artifact that was made or found there; see `Task.place`.
        keys: every key that was used.
        facts: what else the next build should know, as JSON can hold it.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A store in a folder that exists."""

    folder: Path

    def begin(self, seed: Artifact | None = None) -> Bench:
        """A bench to make an artifact on, under names that no other process uses."""
        prefix = f"part-{socket.gethostname()[:32]}-{os.getpid()}-{secrets.token_hex(8)}"
        return Bench(folder=self.folder, prefix=prefix.replace("/", "-"), seed=seed)

    def commit(self, key: str, bench: Bench, facts: Mapping[str, Any]) -> Artifact:
        """Make what was written on a bench visible as the artifact `key`."""
        files = {}
        for name in bench.names:
            part = bench.file(name)
            files[name] = StoredFile(path=self._path(key, name), checksum=checksum(part))
        for name, stored in files.items():
            _clear(stored.path)
            bench.file(name).replace(stored.path)
        sums = {name: stored.checksum for name, stored in files.items()}
        self._write(key, {"key": key, "files": sums, "facts": dict(facts)}, bench.prefix)
        return Artifact(key=key, facts=facts, files=files)

    def discard(self, bench: Bench) -> None:
        """Remove what was written on a bench that is not committed."""
        for name in bench.names:
            bench.file(name).unlink(missing_ok=True)

    def find(self, key: str) -> Artifact | None:
        """The artifact `key`, if it is there and every byte is as it was written."""
        record = self.record(key)
        if record is None:
            return None
        try:
            whole = all(_is_file(file.path) and checksum(file.path) == file.checksum for file in record.files.values())
        except OSError:
            whole = False
        if not whole:
            _LOG.info("%s in the store is damaged; it is made anew", key)
        return record if whole else None

    def record(self, key: str) -> Artifact | None:
        """What is written down of the artifact `key`; its files are not looked at."""
        data = self._read(key)
        try:
            if data is None or data["key"] != key:
                return None
            sums: dict[str, str] = data["files"]
            files = {name: StoredFile(path=self._path(key, name), checksum=sum_) for name, sum_ in sums.items()}
            return Artifact(key=key, facts=dict(data["facts"]), files=files)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def keys(self) -> list[str]:
        """The keys of everything that has a record, damaged or not, in order."""
        names = (entry.name for entry in os.scandir(self.folder))
        keys = (name.removesuffix(f".{_RECORD}") for name in names if name.endswith(f".{_RECORD}"))
        return sorted(key for key in keys if key != _LAST and not key.startswith("part-"))

    def remember(self, build: LastBuild) -> None:
        """Say what the build that just ended used."""
        data = {"places": dict(build.places), "keys": list(build.keys), "facts": dict(build.facts)}
        self._write(_LAST, data, self.begin().prefix)

    def last(self) -> LastBuild:
        """What the last finished build used; nothing where that is missing or damaged."""
        data = self._read(_LAST)
        try:
            if data is None:
                return LastBuild()
            places = {str(place): str(key) for place, key in data["places"].items()}
            return LastBuild(places=places, keys=tuple(map(str, data["keys"])), facts=dict(data["facts"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            return LastBuild()

    def sweep(self, keep: Collection[str]) -> list[tuple[Path, int]]:
        """Remove everything that belongs to no key of `keep`, whatever wrote it.

        Returns:
            Each removed entry and the bytes that this freed; 0 for a file that has another name elsewhere.
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
        part.write_bytes(xxhash.xxh3_128_hexdigest(text).encode() + b"\n" + text)
        _clear(target)
        part.replace(target)

    def _read(self, key: str) -> Any:
        path = self._path(key, _RECORD)
        try:
            digest, _, text = path.read_bytes().partition(b"\n") if _is_file(path) else (b"", b"", b"")
            return json.loads(text) if digest == xxhash.xxh3_128_hexdigest(text).encode() else None
        except (OSError, ValueError, RecursionError):
            return None


def _is_file(path: Path) -> bool:
    """Whether a regular file lies there; a link is none."""
    return path.is_file() and not path.is_symlink()


def _clear(path: Path) -> None:
    """Take away what cannot be replaced by a file, or must not be followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()
