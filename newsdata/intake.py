"""What of a source goes into a build: which files are posts, under which ids, and what reading them gives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from . import engine
from .packaging.manifest import (
    Manifest,
    shards_of,
)
from .packaging.shards import read_shard
from .planning import PostShard
from .reading.parse import article_id
from .reading.site import classify
from .reading.sources import SourceFile
from .schema import Reject, Site
from .tasks import Parsed, ParseTask, find_parsed, parse_posts, task_id
from .workspace import (
    Workspace,
)

__all__ = [
    "OTHER_POSTS",
    "REDACTED",
    "clashing_ids",
    "leave_out",
    "only_named",
    "parse_all",
    "read_ids",
    "read_keys",
    "read_rejects",
    "sort_out",
]

OTHER_POSTS = "not in the version that is built again"
"""Why `build_again` ignores a post."""

REDACTED = "redacted"
"""Why a file of an article that `newsdata.redact` took out is ignored."""


def sort_out(
    files: Sequence[SourceFile], rejects: Sequence[Reject], site: Site
) -> tuple[list[SourceFile], list[Reject], Counter[str]]:
    """Candidates, rejects among what could not even be listed, and the ignored ones counted by reason."""
    ignored: Counter[str] = Counter()

    def is_candidate(path: str) -> bool:
        reason = classify(path, site)
        if reason is not None:
            ignored[reason] += 1
        return reason is None

    candidates = [file for file in files if is_candidate(file.path)]
    kept = [reject for reject in rejects if is_candidate(reject.path)]
    return candidates, kept, ignored


def read_ids(folder: Path, version: Manifest) -> dict[str, str]:
    """The article id of every post of a version by its path, and "" for each of its rejects."""
    ids: dict[str, str] = {}
    for shard in shards_of(version, "posts"):
        for rows in read_shard(folder / shard.path, ["path", "article_id"]):
            ids |= zip(rows["path"].to_pylist(), rows["article_id"].to_pylist(), strict=True)
    for shard in shards_of(version, "rejects"):
        for rows in read_shard(folder / shard.path, ["path"]):
            ids |= dict.fromkeys(rows["path"].to_pylist(), "")
    return ids


def only_named(
    named: Mapping[str, str], files: Sequence[SourceFile], rejects: Sequence[Reject], ignored: Counter[str]
) -> tuple[list[SourceFile], list[Reject]]:
    """Those that the version read or rejected; the others are counted as ignored."""
    kept = [file for file in files if file.path in named], [reject for reject in rejects if reject.path in named]
    other = len(files) + len(rejects) - len(kept[0]) - len(kept[1])
    if other:
        ignored[OTHER_POSTS] = other
    return kept


def clashing_ids(files: Sequence[SourceFile]) -> dict[str, str]:
    """Ids for posts whose paths differ in the extension only: all but the first one keep the extension."""
    by_id: dict[str, list[str]] = {}
    for file in files:
        own = article_id(file.path)
        if not own.isdigit():
            by_id.setdefault(own, []).append(file.path)
    return {
        path: path
        for paths in by_id.values()
        if len(paths) > 1
        for path in sorted(paths, key=lambda p: (not p.endswith((".md", ".markdown")), p))[1:]
    }


def leave_out(
    files: Sequence[SourceFile],
    rejects: Sequence[Reject],
    own_ids: Mapping[str, str],
    redacted: Mapping[str, str],
    ignored: Counter[str],
) -> tuple[list[SourceFile], list[Reject]]:
    """Those of articles that were not redacted: a redacted one is not even read, whatever its file is called now."""

    def stays(path: str) -> bool:
        return own_ids.get(path, article_id(path)) not in redacted

    kept = [file for file in files if stays(file.path)], [reject for reject in rejects if stays(reject.path)]
    gone = len(files) + len(rejects) - len(kept[0]) - len(kept[1])
    if gone:
        ignored[REDACTED] = gone
    return kept


def parse_all(
    plan: Sequence[PostShard],
    workspace: Workspace,
    known: Any,
    source: Any,
    site: Site,
    own_ids: Mapping[str, str],
    about: str,
    run: engine.Run,
    advance: Callable[[int], None],
) -> list[Parsed]:
    """Read every planned shard of posts, from the cache where its files have not changed."""
    tasks = [
        ParseTask(
            source=source,
            files=shard.files,
            site=site,
            ids={f.path: own_ids[f.path] for f in shard.files if f.path in own_ids},
            folder=workspace.cache,
            tools=about,
        )
        for shard in plan
    ]
    parsed: list[Parsed | None] = []
    for task in tasks:
        hashes = tuple(known.sha256(file) for file in task.files)
        parsed.append(find_parsed(workspace.cache, task_id(task, hashes)) if all(hashes) else None)
    missing = [number for number, found in enumerate(parsed) if found is None]
    advance(sum(len(task.files) for task, found in zip(tasks, parsed, strict=True) if found))
    results = run(parse_posts, [tasks[number] for number in missing])
    for number, done in zip(missing, results, strict=True):
        parsed[number] = done
        advance(len(tasks[number].files))
    return [found for found in parsed if found is not None]


def read_keys(folder: Path, name: str) -> pa.Table:
    """The keys that the parse task `name` left in `folder`."""
    with pa.OSFile(str(folder / f"{name}.keys")) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def read_rejects(folder: Path, version: Manifest) -> list[Reject]:
    """The rejects of a version."""
    return [
        Reject(**row)
        for shard in shards_of(version, "rejects")
        for rows in read_shard(folder / shard.path)
        for row in rows.to_pylist()
    ]
