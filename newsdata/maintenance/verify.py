"""Verify versions: check files and rows against the manifest and against each other. Every fault is listed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..building.accounting import unequal_sums
from ..building.workspace import store_in
from ..dataset.open_version import open_version
from ..errors import CallError, ManifestError, NewsdataError
from ..schema import CONFIGS, SPLITS, table_schema
from ..storage.ledger import LEDGER_NAME, REDACTIONS_NAME, read_ledger, read_redactions, tombstones
from ..storage.manifest import (
    MANIFEST_NAME,
    YANKED_NAME,
    File,
    Manifest,
    Shard,
    hash_file,
    read_manifest,
    shards_of,
    versions_in,
    versions_without_manifest,
)
from ..storage.shards import digest_table, find_rows
from .recompute import recompute as rows_made_anew

__all__ = ["Verified", "articles_held", "check_redactions", "verify"]

_LISTED = 20  # faults of one kind that are listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was checked.

    Attributes:
        path: the folder of the version, or the folder that holds all of them.
        version: the version; if there are several, the newest.
        files, rows: the numbers of files and rows that were checked, in all versions.
        faults: everything that is wrong, one sentence each, with its place.
        notes: what is not a fault of a version: damaged results of earlier builds, files that could be hard links, rows
            that could not be made anew.
        recomputed: the number of rows that were made anew; None if that was not asked for.
    """

    path: Path
    version: str
    files: int
    rows: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    recomputed: int | None = None


def verify(
    path: str | Path,
    *,
    revision: str | None = None,
    recompute: int | None = None,
    source: str | Path | None = None,
) -> Verified:
    """Check versions: files against hashes, rows against schema, counts, offsets, ids and splits.

    Args:
        path: the folder of a version, or the folder that holds versions: then all versions are checked, yanked ones
            included, and the results of earlier builds in `path/.newsdata`.
        revision: check only this version; written as for `load_dataset`.
        recompute: make so many random rows of the version (if there are several: the newest) anew from `source`, and their
            signatures anew from the rows if the signatures of the build are there; compare both.
        source: the archive, as for `newsdata.build`.

    Raises:
        VersionError: there is no version.
        ManifestError: the manifest of the only version to check cannot be read.
        SourceError: the source cannot be opened.
        CallError: `recompute` is below 1, or `source` is given without it.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     verify(out).faults
    ()
    """
    if recompute is not None and recompute < 1:
        raise CallError(f"must be at least 1, got {recompute}", field="recompute")
    if source is not None and recompute is None:
        raise CallError("is only used to make rows anew", field="source", hint="add --recompute N")
    found = _verify(Path(path), revision)
    if recompute is None:
        return found
    try:
        made = rows_made_anew(*open_version(path, revision or found.version), recompute, source)
    except (pa.ArrowException, OSError) as error:  # a damaged shard, which is a fault already
        return replace(found, recomputed=0, notes=(*found.notes, f"no row can be made anew: {error}"))
    return replace(found, recomputed=made.rows, faults=(*found.faults, *made.faults), notes=(*found.notes, *made.notes))


def _verify(out: Path, revision: str | None) -> Verified:
    """Check one version or all, without making rows anew."""
    there = versions_in(out)
    if revision is not None or not there or (out / MANIFEST_NAME).is_file():
        return _verify_version(*open_version(out, revision))
    faults = [f"{version}/{MANIFEST_NAME}: is missing" for version in versions_without_manifest(out)]
    manifests: dict[str, Manifest] = {}
    for version in there:
        try:
            manifests[version] = read_manifest(out / version)
        except ManifestError as error:
            faults.append(f"{version}/{MANIFEST_NAME}: {error.reason}")
    try:
        read_redactions(out)
    except ManifestError as error:
        faults.append(f"{REDACTIONS_NAME}: {error.reason}")
    found = [_verify_version(out / version, manifest) for version, manifest in manifests.items()]
    return Verified(
        path=out,
        version=there[-1],
        files=sum(one.files for one in found),
        rows=sum(one.rows for one in found),
        faults=(*faults, *(f"{one.version}/{fault}" for one in found for fault in one.faults)),
        notes=(*_check_links(out, manifests), *_check_store(out)),
    )


def check_redactions(folder: Path, version: Manifest) -> None:
    """Check that a version holds nothing that was redacted after it was built; `redactions.json` beside it says what was.

    Raises:
        CallError: it holds such an article.
        ManifestError: the redactions cannot be read.
    """
    held = articles_held(folder, version, read_redactions(folder.absolute().parent))
    if held:
        raise CallError(
            f"{version.dataset_version} holds what was redacted since: {', '.join(sorted(held)[:5])}",
            path=folder,
            hint="build the next version and use that one",
        )


def articles_held(folder: Path, version: Manifest, ids: Collection[str]) -> set[str]:
    """Those of some article ids that a version has rows of, in any config."""
    shards = [shard for shard in version.shards if shard.config in ("articles", "excluded", "posts", "revisions")]
    return {row["article_id"] for _, row in find_rows(folder, shards, "article_id", ids, ["article_id"])}


def _verify_version(folder: Path, manifest: Manifest) -> Verified:
    """Check one version."""
    faults: list[str] = []
    _check_files(folder, manifest, faults)
    seen = _Seen()
    for shard in manifest.shards:
        if (folder / shard.path).is_file():
            try:
                _check_shard(folder, shard, manifest, seen, faults)
            except (pa.ArrowException, OSError, LookupError, ValueError, TypeError) as error:
                faults.append(f"{shard.path}: cannot be read as Parquet: {error}")
    _check_counts(manifest, seen, faults)
    _check_ids(folder, manifest, seen, faults)
    return Verified(
        path=folder,
        version=manifest.dataset_version,
        files=len(manifest.files) + len(manifest.shards) + 1,
        rows=sum(seen.rows.values()),
        faults=tuple(faults),
    )


def _check_links(out: Path, manifests: Mapping[str, Manifest]) -> Iterator[str]:
    """A note for each version with copies of unchanged files instead of hard links, which take space on the disk twice."""
    for old, new in pairwise(manifests):
        before = {shard.path: shard.sha256 for shard in manifests[old].shards}
        twice = [
            size
            for shard in manifests[new].shards
            if before.get(shard.path) == shard.sha256
            and (size := _size_of_copy(out / old / shard.path, out / new / shard.path))
        ]
        if twice:
            yield f"{new}: {len(twice)} files are copies of those of {old}, not links ({sum(twice) / 1e6:.1f} MB)"


def _size_of_copy(one: Path, other: Path) -> int:
    """The bytes of `other` if both files exist and are not the same file; else 0."""
    if not one.is_file() or not other.is_file() or one.samefile(other):
        return 0
    return other.stat().st_size


def _check_store(out: Path) -> Iterator[str]:
    """A note for each damaged result of an earlier build. A build finds them, too, and makes them anew."""
    store = store_in(out)
    for name in store.damaged() if store else ():
        yield f"cache: {name} is damaged; the next build makes it anew"


class _Seen:
    """What was found in the shards so far: ids and hashes only, never text.

    Attributes:
        rows: number of rows by (config, split).
        ids, groups: split -> article ids and leak groups of its rows.
        sources: hashes of the posts that articles name.
        posts, post_ids: hashes and article ids of posts.
    """

    def __init__(self) -> None:
        self.rows: Counter[tuple[str, str]] = Counter()
        self.ids: dict[str, list[pa.Array]] = {}
        self.groups: dict[str, list[pa.Array]] = {}
        self.sources: list[pa.Array] = []
        self.posts: list[pa.Array] = []
        self.post_ids: list[pa.Array] = []


def _check_files(folder: Path, manifest: Manifest, faults: list[str]) -> None:
    """Compare size and hash of every file with the manifest, and look for files that it does not list."""
    everything: list[Shard | File] = [*manifest.shards, *manifest.files]
    listed = {file.path: (file.bytes, file.sha256) for file in everything}
    for path, (size, sha256) in listed.items():
        file = folder / path
        if file.is_symlink() or not file.is_file():
            faults.append(f"{path}: is missing")
        elif file.stat().st_size != size:
            faults.append(f"{path}: has {file.stat().st_size} bytes, not {size}")
        elif hash_file(file)[1] != sha256:
            faults.append(f"{path}: its bytes were changed (SHA-256 differs)")
    for file in sorted(folder.rglob("*")):
        path = file.relative_to(folder).as_posix()
        if not file.is_dir() and path not in listed and path not in (MANIFEST_NAME, YANKED_NAME):
            faults.append(f"{path}: is not in the manifest")


def _check_shard(folder: Path, shard: Shard, manifest: Manifest, seen: _Seen, faults: list[str]) -> None:
    """Check columns, rows and digest of a shard, and note what it holds in `seen`."""
    timezone = str(manifest.configuration["timezone"])
    schema = table_schema(shard.config, timezone)
    digest = hashlib.sha256()
    rows = 0
    with pq.ParquetFile(folder / shard.path) as file:
        if not file.schema_arrow.remove_metadata().equals(schema):
            faults.append(f"{shard.path}: its columns are not those of config {shard.config}")
            return
        for number in range(file.num_row_groups):
            table = file.read_row_group(number)
            digest_table(table, digest)
            if shard.config in ("articles", "excluded"):
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
    blank = manifest.configuration.get("text") == "none"
    ids = table["article_id"].to_pylist()
    texts = table["text"].to_pylist()
    lengths = table["num_chars"].to_pylist()
    for column in ("mentions", "headings", "links"):
        for row, spans in enumerate(table[column].to_pylist()):
            for number, span in enumerate(spans or ()):
                start, end = span["start"], span["end"]
                place = f"{shard.path}: row {before + row} ({ids[row]}): {column}[{number}]"
                if not 0 <= start <= end <= lengths[row]:
                    faults.append(f"{place}: {start}:{end} is outside the text of {lengths[row]} characters")
                elif column == "mentions" and not blank and texts[row][start:end] != span["text"]:
                    faults.append(f"{place}: text[{start}:{end}] is not the mention's text")
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
    """Check the sums of the accounting, and that no shard is listed twice."""
    for what, said, found in unequal_sums(manifest.accounting, seen.rows):
        faults.append(f"{MANIFEST_NAME}: accounting: {what}: {said} is not {found}")
    for config in CONFIGS:
        paths = [shard.path for shard in shards_of(manifest, config)]
        if len(set(paths)) != len(paths):
            faults.append(f"{MANIFEST_NAME}: a shard of {config} is listed twice")


def _check_ids(folder: Path, manifest: Manifest, seen: _Seen, faults: list[str]) -> None:
    """Check that articles, leak groups, posts and the ledger agree with each other."""
    places: dict[str, str] = {}
    for split, arrays in seen.ids.items():
        for identity in pa.chunked_array(arrays, pa.string()).to_pylist():
            other = places.setdefault(identity, split)
            if other != split:
                faults.append(f"article {identity}: stands in {other} and in {split}")
        every = pa.chunked_array(arrays, pa.string())
        if len(pc.unique(every)) != len(every):
            counts = pc.value_counts(every).to_pylist()
            twice = [c["values"] for c in counts if c["counts"] > 1]
            faults.extend(f"article {identity}: stands in {split} more than once" for identity in twice)
    groups: dict[str, str] = {}
    for split in SPLITS:
        for group in pc.unique(pa.chunked_array(seen.groups.get(split, []), pa.string())).to_pylist():
            other = groups.setdefault(group, split)
            if other != split:
                faults.append(f"leak group {group}: stands in {other} and in {split}")
    posts = pa.chunked_array(seen.posts, pa.string())
    sources = pa.chunked_array(seen.sources, pa.string())
    if Counter(posts.to_pylist()) != Counter(sources.to_pylist()):
        faults.append("the sources of the articles are not the posts: a post was lost or counted twice")
    without_row = set(pa.chunked_array(seen.post_ids, pa.string()).to_pylist()) - places.keys()
    faults.extend(_first_few(f"article {identity}: has posts but no row" for identity in sorted(without_row)))
    try:
        ledger = read_ledger(folder, manifest)
    except NewsdataError as error:
        faults.append(f"{LEDGER_NAME}: {error.reason}")
        return
    faults.extend(
        f"article {identity}: was redacted, but has a row"
        for identity in sorted(places.keys() & tombstones(ledger).keys())
    )
    missing = places.keys() - set(ledger["article_id"].to_pylist())
    faults.extend(_first_few(f"{LEDGER_NAME}: article {identity} is missing" for identity in sorted(missing)))


def _first_few(faults: Iterable[str]) -> Iterator[str]:
    """The first of many faults of one kind, and how many more there are."""
    listed = list(faults)
    yield from listed[:_LISTED]
    if len(listed) > _LISTED:
        yield f"… and {len(listed) - _LISTED:,} more of this kind"
