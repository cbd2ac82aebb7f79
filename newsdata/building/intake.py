"""What of a source goes into a build: which files are posts, under which ids, and what reading them gives."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import SourceError
from ..graph import engine
from ..parsing.post import article_id
from ..parsing.site import ELSEWHERE, classify, classify_all
from ..schema import Reject, Site
from ..sources.source import Files, Listing, Source
from ..storage.manifest import (
    Manifest,
    shards_of,
)
from ..storage.shards import digest_table, read_shard
from .planning import PostShard, plan_posts
from .tasks import Parsed, ParseTask, find_parsed, is_parsed, parse_posts, task_id
from .workspace import (
    Workspace,
    read_cached_tasks,
)

__all__ = [
    "OTHER_POSTS",
    "REDACTED",
    "Intake",
    "check_intake",
    "clashing_ids",
    "digest_listing",
    "leave_out",
    "only_named",
    "parse_all",
    "read_ids",
    "read_keys",
    "read_rejects",
    "sort_out",
    "take_in",
]

OTHER_POSTS = "not in the version that is built again"
"""Why `build_again` ignores a post."""

REDACTED = "redacted"
"""Why a file of an article that `newsdata.redact` took out is ignored."""


def sort_out(files: Files, rejects: Sequence[Reject], site: Site) -> tuple[Files, list[Reject], Counter[str]]:
    """Candidates, rejects among what could not even be listed, and the ignored ones counted by reason."""
    reasons = classify_all(files.path, site)
    counted = pc.value_counts(reasons.drop_null())
    ignored = Counter(dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)))
    kept = []
    for reject in rejects:
        leads_out = reject.path.startswith("/") or ".." in reject.path.split("/")  # no name for a file of any kind
        if not leads_out and (reason := classify(reject.path, site)):
            ignored[reason] += 1
        else:
            kept.append(reject)
    return _where(files, reasons.is_null()), kept, ignored


def _where(files: Files, kept: pa.BooleanArray) -> Files:
    return files.take(np.flatnonzero(kept))


class Intake(NamedTuple):
    """What goes into a build.

    Attributes:
        rejects: among what could not even be listed.
        ignored: how many of the others there are, by reason.
        own_ids: article ids of files that would otherwise share one (path -> id).
        plan: the shards of posts to be; each candidate is in one of them.
    """

    rejects: list[Reject]
    ignored: Counter[str]
    own_ids: Mapping[str, str]
    plan: list[PostShard]

    def planned(self) -> Files:
        """The candidates, in the order of the plan."""
        return Files.joined(shard.files for shard in self.plan)


def take_in(
    listing: Listing,
    site: Site,
    redacted: Mapping[str, str],
    base: Manifest | None,
    base_folder: Path | None,
    *,
    again: bool,
) -> Intake:
    """What of a listing goes into a build, and into which shards."""
    files, rejects, ignored = sort_out(listing.files, listing.rejects, site)
    own_ids = clashing_ids(files)
    files, rejects = leave_out(files, rejects, own_ids, redacted, ignored)
    if again and base and base_folder:
        own_ids = read_ids(base_folder, base)
        files, rejects = only_named(own_ids, files, rejects, ignored)
    return Intake(rejects, ignored, own_ids, plan_posts(files, base, again=again))


def check_intake(taken: Intake, base: Manifest | None, source: object) -> None:
    """Raise a `SourceError` where nothing looks like the site: a wrong folder must not replace what the right one gave.

    A site whose posts are gone still has its `_config.yml`, or files that are ignored for another reason. Without a version
    before, an empty folder is an empty archive.
    """
    count, posts = taken.ignored[ELSEWHERE], base.accounting["posts"] if base else 0
    if taken.plan or taken.rejects or taken.ignored.keys() - {ELSEWHERE} or not (posts or (base is None and count)):
        return
    raise SourceError(
        f"no file in it is a post ({f'{count:,} {ELSEWHERE}' if count else 'it is empty'})"
        + (f", and {base.dataset_version} has {posts:,}" if base else ""),
        path=source,
        hint="give the folder of the site itself, the one that holds `_posts`; an empty dataset goes to another OUT",
    )


def digest_listing(listing: Listing, site: Site, config: bytes | None, redacted: Mapping[str, str], about: str) -> str:
    """A digest of a listing and of all else that decides what `take_in` makes of it, but for the version before.

    Equal digests mean equal names and equal contents, as far as stamps can tell.
    """
    rejects = [(reject.path, reject.rule) for reject in listing.rejects]
    digest = hashlib.sha256(repr((about, site, config, sorted(redacted), rejects, len(listing.files))).encode())
    digest_table(pa.table({"path": listing.files.path, "stamp": listing.files.stamp}), digest)
    return digest.hexdigest()


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
    named: Mapping[str, str], files: Files, rejects: Sequence[Reject], ignored: Counter[str]
) -> tuple[Files, list[Reject]]:
    """Those that the version read or rejected; the others are counted as ignored."""
    kept = (
        _where(files, pc.is_in(files.path, pa.array(named, pa.string()))),
        [reject for reject in rejects if reject.path in named],
    )
    other = len(files) + len(rejects) - len(kept[0]) - len(kept[1])
    if other:
        ignored[OTHER_POSTS] = other
    return kept


def clashing_ids(files: Files) -> dict[str, str]:
    """Ids for posts whose paths differ in the extension only: all but the first one keep the extension."""
    if pc.all(pc.ends_with(files.path, ".md")).as_py() is not False:  # nearly always
        return {}
    by_id: dict[str, list[str]] = {}
    for path in files.path.to_pylist():
        own = article_id(path)
        if not own.isdigit():
            by_id.setdefault(own, []).append(path)
    return {
        path: path
        for paths in by_id.values()
        if len(paths) > 1
        for path in sorted(paths, key=lambda p: (not p.endswith((".md", ".markdown")), p))[1:]
    }


def leave_out(
    files: Files,
    rejects: Sequence[Reject],
    own_ids: Mapping[str, str],
    redacted: Mapping[str, str],
    ignored: Counter[str],
) -> tuple[Files, list[Reject]]:
    """Those of articles that were not redacted: a redacted one is not even read, whatever its file is called now."""
    if not redacted:
        return files, list(rejects)

    def stays(path: str) -> bool:
        return own_ids.get(path, article_id(path)) not in redacted

    kept = (
        _where(files, pa.array(map(stays, files.path.to_pylist()), pa.bool_())),
        [reject for reject in rejects if stays(reject.path)],
    )
    gone = len(files) + len(rejects) - len(kept[0]) - len(kept[1])
    if gone:
        ignored[REDACTED] = gone
    return kept


def parse_all(
    plan: Sequence[PostShard],
    workspace: Workspace,
    known: pa.StringArray,
    source: Source,
    site: Site,
    own_ids: Mapping[str, str],
    refused: frozenset[str],
    about: str,
    run: engine.Run,
    advance: Callable[[int], None],
) -> tuple[list[Parsed], pa.StringArray]:
    """Read every planned shard of posts, from the cache where its files have not changed.

    Args:
        known: the hash of each planned file, in order, null where it has to be read.
        refused: hashes of contents that were redacted.

    Returns:
        What is there of each shard, and the hash of each planned file, null where it could not be read.
    """
    earlier = read_cached_tasks(workspace)
    begins = np.cumsum([0, *(len(shard.files) for shard in plan)]).tolist()
    tasks = [
        ParseTask(
            source=source,
            files=shard.files,
            site=site,
            ids={path: own_ids[path] for path in shard.files.path.to_pylist() if path in own_ids} if own_ids else {},
            folder=workspace.cache,
            tools=about,
            # Copied: a slice would be sent to a worker with all that it is cut from.
            known=known.take(pa.array(np.arange(begin, begin + len(shard.files)))),
            refused=refused,
            earlier=earlier.get(shard.path),
        )
        for shard, begin in zip(plan, begins, strict=False)
    ]
    names = ["" if task.known.null_count else task_id(task, task.known) for task in tasks]
    new = [number for number, name in enumerate(names) if not (name and is_parsed(workspace.cache, name))]
    new.sort(key=lambda number: -tasks[number].known.null_count)  # what takes long must not begin last
    results = run(parse_posts, [tasks[number] for number in new])
    # Workers are at it; meanwhile the rest is looked through, and what is damaged is read once more.
    found = {number: find_parsed(workspace.cache, names[number]) for number in set(range(len(tasks))).difference(new)}
    parsed = {number: (done, tasks[number].known) for number, done in found.items() if done}
    advance(sum(len(tasks[number].files) for number in parsed))
    damaged = sorted(found.keys() - parsed)
    for numbers, some in ((new, results), (damaged, run(parse_posts, [tasks[number] for number in damaged]))):
        for number, done in zip(numbers, some, strict=True):
            parsed[number] = done
            advance(len(tasks[number].files))
    in_order = [parsed[number] for number in range(len(tasks))]
    read = [pa.array([], pa.string()), *(sha256 for _, sha256 in in_order)]
    return [done for done, _ in in_order], pa.concat_arrays(read)


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
