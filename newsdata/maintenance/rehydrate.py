"""Rehydrate a text-free version: make the full version from a copy of the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..building.build import Build, build_again
from ..building.posts_found import OTHER_POSTS
from ..building.workspace import Workspace, open_workspace
from ..card.versions_readme import update_versions_readme
from ..dataset.open_version import find_version
from ..errors import CallError, MachineError, RehydrateError, VerifyError, VersionError
from ..files import expand_home
from ..graph.engine import Engine
from ..graph.executors.local import local_executor
from ..graph.process import available_cores
from ..schema import SCHEMA_VERSION
from ..storage.ledger import LEDGER_NAME
from ..storage.manifest import Manifest, holds_text, read_manifest, shards_of, versions_in
from ..storage.reading import read_shard_of
from .archive_copy import Missing, compare_archive
from .partial import PARTIAL, write_partial
from .verify import check_redactions, verify

__all__ = ["Rehydrated", "rehydrate"]

_Hashes = Mapping[str, str | None]  # path -> SHA-256


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehydrated:
    """What `rehydrate` made.

    Attributes:
        path: the folder of the full version, or of the partial one.
        version: "X.Y.Z".
        shards: the number of its shards that have exactly the rows of the full build's shard; all of them, unless the
            version is partial.
        same_bytes: whether it has all shards of the full build, with the same bytes. Other versions of the tools may store
            equal rows as other bytes.
        tools: tools whose version differs from the full build's: name -> (version then, version here).
        other_posts: the number of posts of the source that the version does not have; they were left out. None if that was
            not counted, because the version is partial.
        rows: the number of rows of `articles` and `excluded`.
        of_rows: the number of those rows in the release.
        of_shards: the number of shards of the full build.
        missing: the files that the source does not have as they were, by path. Empty unless the version is partial.
    """

    path: Path
    version: str
    shards: int
    same_bytes: bool
    tools: Mapping[str, tuple[str | None, str | None]]
    other_posts: int | None
    rows: int
    of_rows: int
    of_shards: int
    missing: tuple[Missing, ...] = ()


def rehydrate(
    directory: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    partial: bool = False,
    num_proc: int | None = None,
    token: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Rehydrated:
    """Make the full version of a text-free one, and compare every shard with the hashes that the text-free one holds.

    Only posts that the version names are read. So a newer copy of the archive will do, too, as long as it has these posts
    unchanged at the same paths. `out/X.Y.Z` is only written if everything is equal.

    With `partial`, posts may be missing or changed. Then `out/X.Y.Z-partial` gets the articles whose posts are all there and
    unchanged; each row equals that of the full build. It is no release: its manifest and its card say that it is a part,
    `load_dataset(out)` does not find it, no build follows it, and `publish` refuses it.

    Args:
        directory: a text-free version: its folder, a folder that holds versions (then the newest is used), or a repository
            on the Hub, written as for `load_dataset`.
        source: a copy of the archive: anything that `newsdata.build` reads.
        out: the folder to write the full version to, as `out/X.Y.Z`.
        partial: whether to write what can be made if posts are missing or changed.
        num_proc: worker processes; by default as many as there are cores.
        token: of the Hub, as for `load_dataset`.
        progress: called as for `newsdata.build`.

    Raises:
        RehydrateError: the result is not the full build; `faults` names the shards and posts that differ. With `partial`: no
            article can be made, `_config.yml` says something else about posts, or equal posts do not give equal rows.
        VerifyError: the text-free version is damaged.
        VersionError: `out` has this version already, holds text-free versions or is itself a version, or `directory` has
            no version.
        CallError: the version in `directory` has its text, or holds what was redacted since.
        HubError: as for `load_dataset`, of a version on the Hub.
        SourceError, ManifestError, MachineError: as for `newsdata.build`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("examples/archive", f"{folder}/free", text="none", num_proc=1)
    ...     full = rehydrate(f"{folder}/free", "examples/archive", f"{folder}/full", num_proc=1)
    >>> full.version, full.same_bytes
    ('1.0.0', True)
    """
    found = find_version(directory, token=token)
    folder, version = found.folder, found.manifest
    if holds_text(version):
        raise CallError(
            "this version has its text already", path=directory, hint="name a version that was built with --text none"
        )
    if version.schema_version != SCHEMA_VERSION:
        raise RehydrateError(
            f"this version has schema {version.schema_version}, and this newsdata makes schema {SCHEMA_VERSION}",
            path=folder,
            hint=f"use newsdata {version.tools.get('newsdata', 'of then')}, which made it",
        )
    folder = found.with_files(["*"])
    check_redactions(folder, version)
    faults = verify(folder).faults
    if faults:
        listed = "".join(f"\n  {fault}" for fault in faults[:20])
        raise VerifyError(f"the text-free version is damaged:{listed}", path=folder, faults=faults)
    out = Path(expand_home(out))
    _check_out(out, version.dataset_version, partial=partial)
    try:
        with (
            open_workspace(out, cache=False) as workspace,
            local_executor(num_proc or available_cores()) as executor,
        ):
            if partial:
                copy = compare_archive(folder, version, source, scratch=workspace.staging, executor=executor)
                if copy.missing:
                    part = write_partial(folder, version, copy, workspace.staging / "part", executor)
                    target = out / f"{version.dataset_version}-{PARTIAL}"
                    (workspace.staging / "part").rename(target)
                    return _partial(target, version, part, copy.missing)
            engine = Engine(store=workspace.store, executor=executor, progress=progress)
            return _complete(folder, version, source, out, _Work(workspace, engine))
    except OSError as error:
        raise MachineError(
            f"the system said: {error.strerror or error}",
            path=error.filename or out,
            hint="nothing was written",
        ) from error


class _Work(NamedTuple):
    """Where the full version is built, and what builds it."""

    workspace: Workspace
    engine: Engine


def _complete(folder: Path, version: Manifest, source: str | Path, out: Path, work: _Work) -> Rehydrated:
    """Build the full version.

    Raises:
        RehydrateError: it is not the full build.
    """
    made = build_again(folder, source, work.workspace, work.engine)
    tools = _differing_tools(version, made.manifest)
    then, now = _posts(folder, version), _posts(made.path, made.manifest)
    faults = tuple(_compare(folder, version, made, then, now))
    if faults:
        raise RehydrateError(
            f"this copy of the archive does not give the full build of {version.dataset_version}:"
            + "".join(f"\n  {fault}" for fault in faults[:40])
            + (f"\n  … and {len(faults) - 40} more" if len(faults) > 40 else ""),
            path=source,
            faults=faults,
            hint="nothing was written; " + _advice(tools, then, now),
        )
    target = out / version.dataset_version
    made.path.rename(target)
    update_versions_readme(out, scratch=work.workspace.staging)
    hashes = {shard.path: shard.sha256 for shard in made.manifest.shards}
    return Rehydrated(
        path=target,
        version=version.dataset_version,
        shards=len(hashes),
        same_bytes=all(hashes[shard.path] == shard.sha256 for shard in version.full),
        tools=tools,
        other_posts=made.manifest.accounting["ignored_by_reason"].get(OTHER_POSTS, 0),
        rows=made.manifest.accounting["articles"],
        of_rows=version.accounting["articles"],
        of_shards=len(version.full),
    )


def _partial(target: Path, version: Manifest, part: Manifest, missing: tuple[Missing, ...]) -> Rehydrated:
    """The answer if a part of the version was made."""
    digests = {shard.path: shard.digest for shard in part.shards}
    return Rehydrated(
        path=target,
        version=version.dataset_version,
        shards=sum(digests.get(shard.path) == shard.digest for shard in version.full),
        same_bytes=False,
        tools=_differing_tools(version, part),
        other_posts=None,
        rows=part.accounting["articles"],
        of_rows=version.accounting["articles"],
        of_shards=len(version.full),
        missing=missing,
    )


def _check_out(out: Path, version: str, *, partial: bool) -> None:
    """Raise a `VersionError` if the version cannot be written to `out`."""
    there = versions_in(out)
    for name in (version, f"{version}-{PARTIAL}") if partial else (version,):
        if (out / name).exists():
            raise VersionError(f"has a version {name} already", path=out, hint="name another folder")
    if there and not holds_text(read_manifest(out / there[-1])):
        raise VersionError("holds text-free versions", path=out, hint="name another folder for the full ones")


def _compare(folder: Path, version: Manifest, made: Build, then: _Hashes, now: _Hashes) -> Iterable[str]:
    """What differs from the full build: posts first, because they explain the rest. `then` and `now` as for `_advice`."""
    missing = sorted(then.keys() - now.keys())
    changed = sorted(path for path in then.keys() & now.keys() if then[path] != now[path])
    for paths, what in ((missing, "missing"), (changed, "changed")):
        if paths:
            more = ", …" if len(paths) > 3 else ""
            yield f"{len(paths)} of {len(then)} posts {what}: {', '.join(paths[:3])}{more}"
    if version.configuration.get("site") != made.manifest.configuration.get("site"):
        yield "_config.yml: what it says about posts has changed"
    stored = {shard.path: shard.digest for shard in version.full}
    found = {shard.path: shard.digest for shard in made.manifest.shards}
    for path in sorted(stored.keys() | found.keys()):
        if path not in found:
            yield f"{path}: is missing"
        elif path not in stored:
            yield f"{path}: is not a shard of the full build"
        elif stored[path] != found[path]:
            yield f"{path}: its rows differ"
    if (folder / LEDGER_NAME).read_bytes() != (made.path / LEDGER_NAME).read_bytes():
        yield f"{LEDGER_NAME}: differs"


def _posts(folder: Path, manifest: Manifest) -> _Hashes:
    """Path -> hash of every file that was read as a post or rejected."""
    return {
        path: sha256
        for shard in (*shards_of(manifest, "posts"), *shards_of(manifest, "rejects"))
        for rows in read_shard_of(folder, shard, ["path", "sha256"])
        for path, sha256 in zip(rows["path"].to_pylist(), rows["sha256"].to_pylist(), strict=True)
    }


def _differing_tools(version: Manifest, made: Manifest) -> dict[str, tuple[str | None, str | None]]:
    """Tools whose versions differ: name -> (version then, version here)."""
    names = sorted(version.tools.keys() | made.tools.keys())
    pairs = {name: (version.tools.get(name), made.tools.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _advice(tools: Mapping[str, tuple[str | None, str | None]], then: _Hashes, now: _Hashes) -> str:
    """What to do if the result is not the full build.

    Args:
        tools: as in `Rehydrated`.
        then, now: path -> hash of the posts of the version, and of those that are read from the source.
    """
    if tools:
        wanted = ", ".join(f"{name} {before}" for name, (before, _) in tools.items() if before)
        return f"use the archive as it was then, and the tools that the version was built with: {wanted}"
    if then and not now:
        return "give the folder of the site itself, the one that holds `_posts`"
    advice = "use the archive as it was then, for example a git repository at its revision (repo@REVISION)"
    return advice if then == now else f"{advice}; --partial writes the articles that can be made"
