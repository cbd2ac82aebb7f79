"""The store: a folder in which artifacts are put, found, checked and swept.

An artifact with the key K is the files `K.<name>` and the record `K.json`, which holds its facts and the checksums of its
files. Every file is written under a temporary name and then renamed. The record comes last, so an artifact is visible whole
or not at all. Two processes may put the same artifact at the same time: the second replaces the files of the first with equal
ones.

A store may lie in a bucket. Its folder is then scratch on this machine: what a task makes is put into the bucket, the record
last, and what it needs is fetched, checked and kept. So tasks read and write local files in both cases, on any machine.

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
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from ..files import is_regular, open_fresh, read_regular
from ..objects import Objects
from .task import Artifact, Bench, StoredFile, checksum, make_scratch

__all__ = ["LastBuild", "Store"]

_LOG = logging.getLogger("newsdata")
_RECORD = "json"
_LAST = "last-build"
_ASKED_AT_ONCE = 16  # artifacts that are looked up in a bucket at the same time
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
        folder: where it lies; it must exist. With a remote: scratch on this machine, which is made when it is needed.
        remote: the folder in a bucket where it lies, or None.
    """

    folder: Path
    remote: Objects | None = None

    def begin(self, seed: Artifact | None = None) -> Bench:
        """A bench for the files of a new artifact, under names that no other process uses."""
        if self.remote:
            make_scratch(self.folder)
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
            stored = files[name] = self._file(key, name, checksum(part), part.stat().st_size)
            if self.remote:
                self.remote.put(stored.path.name, part)
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
        """The artifact `key`; None if it is not there, or if any byte of it differs from what was written.

        Of the files of a remote only the sizes are compared; their bytes when they are fetched.
        """
        record = self.record(key)
        if record is None:
            return None
        whole = all(map(self._is_there, record.files.values()))
        if not whole:
            _LOG.info("%s in the store is damaged; it is made anew", key)
        return record if whole else None

    def find_all(self, keys: Iterable[str]) -> dict[str, Artifact]:
        """Those of the artifacts that are there and whole, by their keys; see `find`."""
        wanted = list(dict.fromkeys(keys))
        if self.remote is None or len(wanted) == 1:
            return {key: artifact for key in wanted if (artifact := self.find(key))}
        with ThreadPoolExecutor(_ASKED_AT_ONCE) as pool:
            found = pool.map(self.find, wanted)
            return {key: artifact for key, artifact in zip(wanted, found, strict=True) if artifact}

    def record(self, key: str) -> Artifact | None:
        """The artifact `key` as its record describes it; its files are not read. None if the record is missing or damaged."""
        data = self._read(key)
        try:
            if data is None or data["key"] != key:
                return None
            files = {
                str(name): self._file(key, name, str(digest), int(size))
                for name, (digest, size) in data["files"].items()
            }
            return Artifact(key=key, facts=dict(data["facts"]), files=files)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def forget(self, keys: Iterable[str]) -> None:
        """Remove the records of these keys: damaged ones, which whoever waits for a result would take for the new one."""
        paths = [self._path(key, _RECORD) for key in keys]
        if self.remote:
            self.remote.delete(path.name for path in paths)
            return
        for path in paths:
            _clear(path)
            path.unlink(missing_ok=True)

    def keys(self) -> list[str]:
        """The keys of all records, damaged ones included, sorted."""
        names = (name for name, _ in self.remote.names()) if self.remote else iter(os.listdir(self.folder))  # noqa: PTH208
        keys = (name.removesuffix(f".{_RECORD}") for name in names if name.endswith(f".{_RECORD}"))
        return sorted(key for key in keys if key != _LAST and not key.startswith("part-"))

    def damaged(self) -> list[str]:
        """The keys of all artifacts that are not as they were written, and "last-build" if that record is not."""
        keys = self.keys()
        whole = self.find_all(keys)
        damaged = [key for key in keys if key not in whole]
        record = self._path(_LAST, _RECORD)
        there = self.remote.size(record.name) is not None if self.remote else os.path.lexists(record)
        return [*damaged, *([_LAST] if there and self._read(_LAST) is None else [])]

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
        if self.remote:
            listed = [(name, size) for name, size in self.remote.names() if not self._is_kept(name, keep)]
            self.remote.delete(name for name, _ in listed)
            return [(self.folder / name, size) for name, size in listed]
        removed = []
        for entry in sorted(os.scandir(self.folder), key=lambda found: found.name):
            if self._is_kept(entry.name, keep):
                continue
            status = entry.stat(follow_symlinks=False)
            _clear(Path(entry.path))
            Path(entry.path).unlink(missing_ok=True)
            removed.append((Path(entry.path), status.st_size if status.st_nlink == 1 else 0))
        return removed

    @staticmethod
    def _is_kept(name: str, keep: Collection[str]) -> bool:
        return name.partition(".")[0] in keep or name == f"{_LAST}.{_RECORD}"

    def _is_there(self, file: StoredFile) -> bool:
        """Whether a file is as it was written; of an object only the size is looked at."""
        if self.remote:
            return self.remote.size(file.path.name) == file.bytes
        return is_regular(file.path) and file.is_whole()

    def _file(self, key: str, name: str, digest: str, size: int) -> StoredFile:
        """A file of an artifact, given its checksum and its size in bytes."""
        is_remote = self.remote is not None
        return StoredFile(path=self._path(key, name), checksum=digest, bytes=size, remote=self.remote, remade=is_remote)

    def _path(self, key: str, name: str) -> Path:
        if {"/", "\0"} & set(key + name):
            raise ValueError(f"{key!r}, {name!r} cannot be the name of a file")
        return self.folder / f"{key}.{name}"

    def _write(self, key: str, data: object, prefix: str) -> None:
        """Write a record: the checksum of the rest in hexadecimal digits, a line end, then JSON."""
        text = json.dumps(data, ensure_ascii=True).encode()
        text = xxhash.xxh3_128_hexdigest(text).encode() + b"\n" + text
        if self.remote:
            self.remote.put(self._path(key, _RECORD).name, text)
            return
        part, target = self.folder / f"{prefix}.{_RECORD}", self._path(key, _RECORD)
        with open_fresh(part) as file:
            file.write(text)
        _clear(target)
        part.replace(target)

    def _read(self, key: str) -> Any:
        path = self._path(key, _RECORD)
        try:
            data = self.remote.read(path.name, _LARGEST_RECORD) if self.remote else read_regular(path, _LARGEST_RECORD)
            digest, _, text = (data or b"").partition(b"\n")
            return json.loads(text) if digest == xxhash.xxh3_128_hexdigest(text).encode() else None
        except (OSError, ValueError, RecursionError):
            return None


def _clear(path: Path) -> None:
    """Remove whatever a file cannot replace (a folder), and what must not be followed (a link). A regular file stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or (path.exists() and not path.is_file()):
        path.unlink()
