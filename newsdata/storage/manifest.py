"""manifest.json: what a version holds, what it was built from and with, and what became of every file of the source.

A manifest holds no time of the build and no path outside the version, so equal inputs give equal manifests.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from ..errors import ManifestError, VersionError, shown
from ..files import is_inside, open_regular, read_regular
from . import manifest_shapes as shapes
from .manifest_shapes import Count, Hash, Name, RelativePath, Rows, ShortText

__all__ = [
    "BOILERPLATE_NAME",
    "LARGEST_MANIFEST",
    "LARGEST_MARK",
    "LEDGER_NAME",
    "MANIFEST_NAME",
    "MANIFEST_VERSION",
    "PUBLISHED_MARKS_NAME",
    "YANKED_NAME",
    "File",
    "FullShard",
    "Manifest",
    "Shard",
    "check_file",
    "every_yanked",
    "fault_of",
    "hash_file",
    "holds_text",
    "is_version",
    "parse_version",
    "read_manifest",
    "read_yanked",
    "shards_of",
    "version_matches",
    "versions_in",
    "versions_without_manifest",
    "write_manifest",
    "yanked_reason",
]

MANIFEST_NAME = "manifest.json"
MANIFEST_VERSION = "1.0"
YANKED_NAME = "yanked.json"
PUBLISHED_MARKS_NAME = ".yanked.json"
"""In a repository on the Hub: the reasons of all yanked versions."""

LEDGER_NAME = "ledger.arrow"
BOILERPLATE_NAME = "boilerplate.bin"
"""File with the shingles that are boilerplate: they are ignored when near-copies are searched. Frozen with the first version."""

LARGEST_MANIFEST = 1 << 28
"""Bytes of a manifest. A shard takes about 400."""
LARGEST_MARK = 1 << 16
"""Bytes of yanked.json."""

_RESTORE = "restore it from another copy of this version, or build the version again"
_POINTER = b"version https://git-lfs.github.com/spec/"
_MOST_SHARDS = 500_000
_START = re.compile(r"-?[0-9]{1,19}/", re.ASCII)
_VERSION = re.compile(r"(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of a version: `path` relative to its folder, size in bytes, SHA-256 of its bytes."""

    path: RelativePath
    bytes: Count
    sha256: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A Parquet file of a version.

    Attributes:
        path: relative to the version's folder, with `/`.
        config, split: where its rows belong.
        rows: number of rows.
        bytes, sha256: size and hash of the file.
        digest: hash of the rows, the same for every Parquet writer.
        start: sort key of its first row when the shard was begun; the next version begins the shard at the same key.
    """

    path: RelativePath
    config: Name
    split: Name
    rows: Rows
    bytes: Count
    sha256: Hash
    digest: Hash
    start: ShortText


@dataclass(frozen=True, slots=True, kw_only=True)
class FullShard:
    """A shard of the full build, listed in the manifest of a text-free version; the fields are those of `Shard`."""

    path: RelativePath
    bytes: Count
    sha256: Hash
    digest: Hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a version holds and how it was made.

    Attributes:
        dataset_version: "X.Y.Z".
        manifest_version, schema_version: formats of this file and of the tables.
        follows: the version that it was built upon, or None.
        configuration: every setting that shaped the rows: time zone, split borders, and so on.
        source: number of `files` and `bytes` that were read, and one `digest` over their paths and hashes.
        tools: versions of the packages that decide how rows and files look.
        accounting: what became of every file; `files_seen == posts + rejects + ignored`.
        columns: config -> column -> number of rows that have a value.
        shards, files: every Parquet file, and every other file except the manifest itself.
        duplicates: how near-duplicates were found, and how many.
        leakage: near-duplicates between splits, or None if there is only one split.
        statistics: articles by split and day, lengths, publishers, near-copies and a sample; see
            `manifest_shapes.Statistics`. None if there are no articles, or if an earlier newsdata made the version.
        baselines: scores of simple models on the splits, see `manifest_shapes.Baselines`; None if nobody measured them.
        changes: one release note for each version, oldest first.
        full: of a text-free version, every shard of the full build; empty for a version with text.
    """

    dataset_version: ShortText
    follows: ShortText | None = None
    manifest_version: ShortText = MANIFEST_VERSION
    schema_version: ShortText
    configuration: Mapping[str, Any]
    source: Mapping[str, Any]
    tools: Mapping[str, str]
    accounting: Mapping[str, Any]
    columns: Mapping[str, Mapping[str, int]]
    shards: Annotated[tuple[Shard, ...], msgspec.Meta(max_length=_MOST_SHARDS)]
    files: Annotated[tuple[File, ...], msgspec.Meta(max_length=_MOST_SHARDS)] = ()
    duplicates: Mapping[str, Any] = field(default_factory=dict)
    leakage: Mapping[str, Any] | None = None
    statistics: Mapping[str, Any] | None = None
    baselines: Mapping[str, Any] | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    full: Annotated[tuple[FullShard, ...], msgspec.Meta(max_length=_MOST_SHARDS)] = ()


def write_manifest(manifest: Manifest, folder: Path) -> None:
    """Write `manifest.json` into `folder`."""
    data = {f.name: getattr(manifest, f.name) for f in dataclasses.fields(manifest)}
    data |= {name: msgspec.to_builtins(data[name]) for name in ("shards", "files", "full")}
    text = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=False)
    (folder / MANIFEST_NAME).write_text(text + "\n", encoding="utf-8", newline="\n")


def read_manifest(folder: Path | str) -> Manifest:
    """Read the manifest of a version's folder. Types and bounds of everything in it are checked.

    An unknown major version of the format is an error, an unknown minor one a warning. Every path in the manifest must be
    relative and without `..`.

    Raises:
        ManifestError: there is no manifest, it is damaged, something in it has a wrong type or is out of bounds, or it has
            an unknown format.
        VersionError: the version in it is not of the form X.Y.Z.
    """
    path = Path(folder) / MANIFEST_NAME
    data = _read_json(path)
    try:
        version = msgspec.json.decode(data.get("manifest_version", b"null"), type=str)
        if version.partition(".")[0] != MANIFEST_VERSION.partition(".")[0]:
            raise ManifestError(
                f"the manifest has format {version}, but this newsdata reads format {MANIFEST_VERSION}",
                path=path,
                hint="update newsdata",
            )
        known = {f.name: f.type for f in dataclasses.fields(Manifest)}
        if version != MANIFEST_VERSION or data.keys() - known.keys():
            warnings.warn(
                f"{shown(str(path))}: the manifest has keys or a format ({shown(version)}) that this newsdata does not "
                "know yet; they are ignored. Update newsdata to read them",
                stacklevel=2,
            )
        manifest = msgspec.json.decode(msgspec.json.encode(data), type=Manifest)
        for name, shape in _SHAPES.items():
            msgspec.convert(getattr(manifest, name), shape)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ManifestError(
            f"the manifest lacks a key, or has a wrong type or value: {error}", path=path, hint=_RESTORE
        ) from None
    parse_version(manifest.dataset_version)
    for fault in _faults_of(manifest):
        raise ManifestError(fault, path=path, hint=_RESTORE)
    return manifest


_SHAPES: Mapping[str, Any] = {
    "configuration": shapes.Configuration,
    "source": shapes.Source,
    "tools": shapes.Tools,
    "accounting": shapes.Accounting,
    "columns": shapes.Columns,
    "duplicates": shapes.Duplicates,
    "leakage": shapes.Leakage | None,
    "statistics": shapes.Statistics | None,
    "baselines": shapes.Baselines | None,
    "changes": list[shapes.ChangeNote],
}


def _read_json(path: Path) -> dict[str, msgspec.Raw]:
    """The values of the JSON object in a manifest, not decoded yet."""
    try:
        if not is_inside(path.parent, path):
            raise OSError("it is a link to a file elsewhere")
        return msgspec.json.decode(read_regular(path, LARGEST_MANIFEST, follow=True), type=dict[str, msgspec.Raw])
    except FileNotFoundError:
        raise ManifestError(
            "this folder has no manifest.json", path=path, hint="give the folder of a version, for example OUT/1.0.0"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise ManifestError(f"the manifest cannot be read: {reason}", path=path, hint=_RESTORE) from None


def _faults_of(manifest: Manifest) -> Iterator[str]:
    """What is wrong in a manifest although every type is right."""
    for files in (manifest.shards, manifest.files, manifest.full):
        paths = [file.path for file in files]
        yield from (f"the manifest lists a file outside the version: {path!r}" for path in paths if not _is_safe(path))
        if len({*paths}) < len(paths):
            yield "the manifest lists a file twice"
    for shard in manifest.shards:
        if shard.config in ("articles", "excluded") and not _START.match(shard.start):
            yield f"the shard {shard.path} starts at {shard.start!r}, not at a time and an id"
    zone = manifest.configuration["timezone"]
    try:
        ZoneInfo(zone)
    except (ValueError, OSError, KeyError):  # not found, or no name of a zone at all
        yield f"configuration.timezone: there is no zone {zone!r}"
    dates = manifest.accounting.get("dates_by_split", {})
    days = {
        name: day
        for name, day in manifest.configuration.items()
        if name in ("validation_from", "test_from", "test_until")
    }
    for where, day in [*days.items(), *((f"dates of {split}", day) for split, pair in dates.items() for day in pair)]:
        try:
            date.fromisoformat(day or "2000-01-01")
        except ValueError:
            yield f"{where}: there is no day {day!r}"
    yield from _faults_of_statistics(manifest.statistics or {})


def _faults_of_statistics(statistics: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong in statistics although every type is right."""
    for split, counts in statistics.get("articles", {}).items():
        for name in counts:
            try:
                date.fromisoformat(name if statistics["unit"] == "day" else f"{name}-01")
            except ValueError:
                yield f"statistics of {split}: there is no {statistics['unit']} {name!r}"
    bins = statistics["lengths"]["from"] if statistics else [0]
    if bins[0] != 0 or sorted({*bins}) != bins:
        yield "statistics.lengths: the bins do not begin at 0 and ascend"
    if statistics and any(len(counts) != len(bins) for counts in statistics["lengths"]["articles"].values()):
        yield "statistics.lengths: a split has another number of bins"


def read_yanked(folder: Path | str) -> str | None:
    """The reason why the version in `folder` was yanked, or None if it was not.

    The mark is a file beside the files of the version; the manifest does not list it.
    """
    path = Path(folder) / YANKED_NAME
    try:
        return yanked_reason(read_regular(path, LARGEST_MARK))
    except FileNotFoundError:
        return None
    except OSError:
        return yanked_reason(b"")


def yanked_reason(data: bytes) -> str:
    """The reason in the bytes of a mark. With a damaged mark the version counts as yanked, too.

    >>> yanked_reason(b'{"reason": "half of March was missing"}'), yanked_reason(b"")
    ('half of March was missing', 'yanked.json cannot be read')
    """
    try:
        return str(json.loads(data)["reason"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"{YANKED_NAME} cannot be read"


def every_yanked(path: object, yanked: Mapping[str, str], which: str = "every version") -> VersionError:
    """The error for versions that were all marked as bad: version -> reason."""
    listed = "; ".join(f"{version}: {reason}" for version, reason in yanked.items())
    return VersionError(f"{which} was yanked ({listed})", path=path, hint="name one exactly to open it")


def _is_safe(name: str) -> bool:
    """Whether a path of a manifest stays in the version's folder on every system, and can be printed."""
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and parts[0] != "/" and not {"\\", ":"} & set(name) and name.isprintable()


def parse_version(text: str) -> tuple[int, int, int]:
    """`"1.10.0"` as three numbers, which compare and sort as versions do.

    Raises:
        VersionError: the text is not of the form X.Y.Z.

    >>> parse_version("1.10.0") > parse_version("1.9.3")
    True
    """
    match = _VERSION.fullmatch(str(text))
    if not match:
        raise VersionError(f"a version must have the form X.Y.Z, got {text!r}", hint="write it like 1.0.0")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def is_version(text: str) -> bool:
    """Whether a text has the form X.Y.Z.

    >>> is_version("1.2.0"), is_version("1.2"), is_version("01.2.0")
    (True, False, False)
    """
    return _VERSION.fullmatch(text) is not None


def version_matches(version: str, wanted: str) -> bool:
    """Whether a version is the wanted one ("1.0.0") or in the wanted range ("*", "1.*").

    Raises:
        VersionError: `wanted` is neither.
    """
    if wanted == "*" or wanted.endswith(".*"):
        return version.startswith(wanted[:-1])
    parse_version(wanted)
    return version == wanted


def hash_file(path: Path) -> tuple[int, str]:
    """Size in bytes and SHA-256 of a file.

    Raises:
        OSError: it is missing, may not be read, or is no regular file.
    """
    with open_regular(path, follow=True) as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()


def fault_of(folder: Path, listed: File | Shard) -> str | None:
    """What is wrong with a file of a version; None if it is the file that the manifest lists.

    Nothing outside the version is opened, and a file of another size is not read: it may be endless.
    """
    file = folder / listed.path
    if not is_inside(folder, file):
        return "is a link, or in a folder that is a link, to another place"
    try:
        with open_regular(file, follow=True) as opened:
            size = os.fstat(opened.fileno()).st_size
            if size != listed.bytes:
                pointer = opened.read(len(_POINTER)) == _POINTER
                return (
                    "is a pointer of Git LFS, not the file" if pointer else f"has {size:,} bytes, not {listed.bytes:,}"
                )
            if hashlib.file_digest(opened, "sha256").hexdigest() != listed.sha256:
                return "its bytes were changed (SHA-256 differs)"
    except (FileNotFoundError, NotADirectoryError):
        return "is missing"
    except OSError as error:
        return error.strerror or "cannot be read"
    return None


def check_file(folder: Path, manifest: Manifest, name: str) -> None:
    """Check a file beside the shards against the manifest, before its content is trusted.

    Raises:
        ManifestError: the file is missing, damaged, or not listed.
    """
    listed = next((file for file in manifest.files if file.path == name), None)
    fault = fault_of(folder, listed) if listed else "is not in the manifest"
    if fault:
        raise ManifestError(
            f"is missing or damaged: {fault}",
            path=folder / name,
            hint=f"restore it from another copy of {manifest.dataset_version}, or build upon another version (--base)",
        )


def versions_in(out: Path | str) -> list[str]:
    """The versions in the folder `out`, oldest first."""
    folder = Path(out)
    if not folder.is_dir():
        return []
    found = [p.name for p in folder.iterdir() if _VERSION.fullmatch(p.name) and (p / MANIFEST_NAME).is_file()]
    return sorted(found, key=parse_version)


def versions_without_manifest(out: Path | str) -> list[str]:
    """The versions in the folder `out` that lost their manifest, oldest first: folders named X.Y.Z with a ledger.

    A build never leaves one: it makes a version complete or not at all.
    """
    folder = Path(out)
    names = [p.name for p in folder.iterdir() if _VERSION.fullmatch(p.name)] if folder.is_dir() else []
    lost = [n for n in names if (folder / n / LEDGER_NAME).is_file() and not (folder / n / MANIFEST_NAME).is_file()]
    return sorted(lost, key=parse_version)


def holds_text(manifest: Manifest) -> bool:
    """Whether the version holds the publishers' text (False after `newsdata build --text none`)."""
    return manifest.configuration.get("text") != "none"


def shards_of(manifest: Manifest, config: str, split: str | None = None) -> list[Shard]:
    """The shards of a config, or of one of its splits, in reading order."""
    return [s for s in manifest.shards if s.config == config and split in (None, s.split)]
