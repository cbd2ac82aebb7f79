"""Verify versions: check files and rows against the manifest and against each other. Every fault is listed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pyarrow as pa

from ..building.workspace import store_in
from ..dataset.bucket import find_in_bucket, versions_in_bucket
from ..dataset.open_version import find_version, named_repository, open_version
from ..errors import CallError, ManifestError, NewsdataError
from ..files import expand_home
from ..objects import Objects, is_object_url
from ..storage.ledger import REDACTIONS_NAME, read_redactions
from ..storage.manifest import (
    MANIFEST_NAME,
    Manifest,
    is_version,
    read_manifest,
    versions_in,
    versions_without_manifest,
)
from ..storage.reading import find_rows, wrong_name
from .bucket_copy import named_version, versions_copy
from .check_files import DAMAGED_REMEDY, Check, check_files
from .check_rows import check_rows

__all__ = ["Verified", "articles_held", "check_redactions", "verify"]

_WRONG_REMEDY = (
    "the files are those of the manifest, and what they say is wrong: mark the version as bad (newsdata yank) and build "
    "another one"
)

_NAME_REMEDY = "rename the folder to the version that its manifest names, or remove it if there is one of that name"
_MADE_ANEW = "rows that are made anew are the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What was checked.

    Attributes:
        path: the folder of the version, or the folder that holds all of them; in an object store its address.
        version: the version; if there are several, the newest.
        files, rows: the numbers of files and rows that were checked, in all versions.
        faults: everything that is wrong, one sentence each, with its place. A damaged file is one fault.
        notes: what is not a fault of a version: files beside it, damaged results of earlier builds, files that could be
            hard links, rows that could not be made anew.
        recomputed: the number of rows that were made anew from the archive; None if that was not asked for.
        to_recompute: the number of rows that were chosen for that.
        not_checked: what could not be checked because a file is damaged: its rows, and checks that need them.
        remedies: what to do about the faults, one sentence for each kind.
        checks: what was checked, in all versions together, and how many faults each check found.
    """

    path: Path | str
    version: str
    files: int
    rows: int
    faults: tuple[str, ...]
    notes: tuple[str, ...] = ()
    recomputed: int | None = None
    to_recompute: int | None = None
    not_checked: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


def verify(
    path: str | Path,
    *,
    revision: str | None = None,
    recompute: int | None = None,
    source: str | Path | None = None,
    token: str | None = None,
) -> Verified:
    """Check versions: files against hashes, rows against schema, counts, offsets, ids and splits.

    A version is good wherever it came from: built here, downloaded, cloned, or a snapshot in the cache of `huggingface_hub`.
    What git, a download or an operating system leaves beside the files is ignored. Any other extra file is noted; in a data
    folder it is a fault, because readers would take it for data.

    Args:
        path: the folder of a version, or the folder that holds versions: then all versions are checked, yanked ones
            included, and the results of earlier builds in `path/.newsdata`. Of a repository on the Hub, one version is
            fetched whole into the cache of `huggingface_hub` and checked there. What lies in an object store is fetched
            whole, too, without the results of earlier builds.
        revision: check only this version; written as for `load_dataset`.
        recompute: make so many random rows of the version (if there are several: the newest) anew from `source`, and their
            signatures anew from the rows if the signatures of the build are there; compare both.
        source: the archive, as for `newsdata.build`.
        token: of the Hub, as for `load_dataset`.

    Raises:
        VersionError: there is no version.
        ManifestError: the manifest of the only version to check cannot be read.
        SourceError: the source cannot be opened.
        CallError: `recompute` is below 1, or only one of `recompute` and `source` is given.
        VerifyError: the Hub sends bytes that do not match the manifest.
        HubError: the Hub refused, or cannot be reached.
        MachineError: the object store refuses or cannot be reached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     verify(out).faults
    ()
    """
    if recompute is not None and recompute < 1:
        raise CallError(f"must be at least 1, got {recompute}", field="recompute")
    if recompute is not None and source is None:
        raise CallError(
            "needs the archive that the rows are made anew from", field="recompute", hint="add --source SOURCE"
        )
    if source is not None and recompute is None:
        raise CallError("is only used to make rows anew", field="source", hint="add --recompute N")
    path = expand_home(path)
    if is_object_url(path):
        return _verify_bucket(path, revision, recompute, source)
    if named_repository(path, revision) is not None:
        path, revision = find_version(path, revision, token=token).with_files(["*"]), None
    return _verified(Path(path), revision, recompute, source)


def _verified(
    path: Path, revision: str | None, recompute: int | None, source: str | Path | None, *, is_copy: bool = False
) -> Verified:
    """Check versions in a folder. In a copy of what an object store holds, there are no links to look for."""
    found = _verify(path, revision, is_copy=is_copy)
    if recompute is None or source is None:
        return found
    from .recompute import recompute as rows_made_anew  # only here: it loads the parser and the sources

    try:
        made = rows_made_anew(*open_version(path, revision or found.version), recompute, source)
    except (pa.ArrowException, OSError) as error:  # a damaged shard, which is a fault already
        notes = (*found.notes, f"no row can be made anew: {error}")
        unsure = Check(what=_MADE_ANEW, faults=0, left_out=True)
        return replace(found, recomputed=0, to_recompute=recompute, notes=notes, checks=(*found.checks, unsure))
    same = Check(what=_MADE_ANEW, faults=len(made.faults), left_out=not made.rows)
    return replace(
        found, recomputed=made.rows, to_recompute=made.chosen, faults=(*found.faults, *made.faults),
        notes=(*found.notes, *made.notes), checks=(*found.checks, same),
    )  # fmt: skip


def _verify_bucket(url: str | Path, revision: str | None, recompute: int | None, source: str | Path | None) -> Verified:
    """Check versions in an object store: copies of them. Files that no manifest lists are empty there."""
    place = Objects(url=str(url))
    if revision is not None or place.size(MANIFEST_NAME) is not None:
        place, version = named_version(find_in_bucket(url, revision)[0].objects.url, None)
        with versions_copy(place, [version], anew=True) as folder:
            found = _verified(folder / version, None, recompute, source)
        return replace(found, path=f"{place}/{version}")
    there = versions_in_bucket(place)
    unfinished = [name for name in place.folders() if is_version(name) and name not in there]
    notes = tuple(
        f"{name}: has no {MANIFEST_NAME}; it is being written, or that was interrupted" for name in unfinished
    )
    with versions_copy(place, there, anew=True) as folder:
        found = _verified(folder, None, recompute, source, is_copy=True)
    return replace(found, path=str(place), notes=(*found.notes, *notes))


def _verify(out: Path, revision: str | None, *, is_copy: bool) -> Verified:
    """Check one version or all, without making rows anew."""
    there = versions_in(out)
    if revision is None and (out / MANIFEST_NAME).is_file():
        return _verify_version(out, read_manifest(out))
    if revision is not None or not there:
        return _verify_version(*open_version(out, revision))
    faults = [f"{version}/{MANIFEST_NAME}: is missing" for version in versions_without_manifest(out)]
    manifests: dict[str, Manifest] = {}
    remedies = [DAMAGED_REMEDY] if faults else []
    for version in there:
        try:
            manifests[version] = read_manifest(out / version)
        except NewsdataError as error:
            faults.append(f"{version}/{MANIFEST_NAME}: {error.reason}")
            remedies.append(DAMAGED_REMEDY)
    try:
        read_redactions(out)
    except ManifestError as error:
        faults.append(f"{REDACTIONS_NAME}: {error.reason}")
        remedies.append(f"{REDACTIONS_NAME}: {error.hint}")
    beside = Check(what="all manifests, and the redactions, can be read", faults=len(faults))
    found = {version: _verify_version(out / version, manifest) for version, manifest in manifests.items()}
    every = [*found.values()]
    return Verified(
        path=out,
        version=there[-1],
        files=sum(one.files for one in every),
        rows=sum(one.rows for one in every),
        faults=(*faults, *(f"{version}/{fault}" for version, one in found.items() for fault in one.faults)),
        notes=(
            *(f"{version}/{note}" for version, one in found.items() for note in one.notes),
            *(() if is_copy else _check_links(out, manifests)),
            *_check_store(out),
        ),
        not_checked=tuple(f"{version}/{what}" for version, one in found.items() for what in one.not_checked),
        remedies=tuple(dict.fromkeys((*remedies, *(remedy for one in every for remedy in one.remedies)))),
        checks=(beside, *_added_up(every)),
    )


def _added_up(found: Sequence[Verified]) -> Iterator[Check]:
    """The checks of several versions as one list."""
    every = [check for one in found for check in one.checks]
    for what in dict.fromkeys(check.what for check in every):
        same = [check for check in every if check.what == what]
        faults, left_out = sum(check.faults for check in same), any(check.left_out for check in same)
        yield Check(what=what, faults=faults, left_out=left_out)


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
    files = check_files(folder, manifest)
    rows = check_rows(folder, manifest, files.damaged)
    name = [f"{MANIFEST_NAME}: {reason}"] if (reason := wrong_name(folder, manifest)) else []
    return Verified(
        path=folder,
        version=manifest.dataset_version,
        files=len(manifest.files) + len(manifest.shards) + 1,
        rows=rows.rows,
        faults=(*name, *files.faults, *rows.faults),
        notes=(*_check_part(manifest), *files.notes),
        not_checked=rows.not_checked,
        remedies=(*((_NAME_REMEDY,) if name else ()), *files.remedies, *((_WRONG_REMEDY,) if rows.faults else ())),
        checks=(Check(what="all files are those of the manifest", faults=len([*name, *files.faults])), *rows.checks),
    )


def _check_part(manifest: Manifest) -> Iterator[str]:
    """A note if a version is only a part of the release."""
    if manifest.configuration.get("text") == "partial":
        there, of = manifest.accounting["articles"], manifest.accounting.get("articles_of_release", 0)
        yield f"partial: {there:,} of {of:,} articles of {manifest.dataset_version}"


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
