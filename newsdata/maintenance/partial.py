"""Write the partial version: what a copy of the archive gives of a text-free version.

Every row is made from posts whose bytes are those of the release, with the groups and the split that the text-free version
names, and must give its row again when the words are taken out. A shard of which no row is left out must equal that of the full
build.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..building.stages.describe import write_files
from ..building.tools import installed_tools
from ..card.readme import CARD_NAME, read_card
from ..curation.merge import FEEDS
from ..errors import RehydrateError
from ..graph.executors.local import InProcess, WorkerPool
from ..parsing.post import parse_bytes
from ..schema import CONFIGS, SPLITS, Post, Reject, Site
from ..sources.source import Files, Source
from ..storage.ledger import LEDGER_NAME
from ..storage.manifest import BOILERPLATE_NAME, Manifest, Shard, check_file
from ..storage.reading import read_shard_of
from ..storage.rows import PostTables, rejects_table, rows_of_posts
from ..storage.shards import ROW_GROUP, Written, read_shard, shard_schema, write_shard
from ..storage.statistics import count_statistics
from ..storage.text_free import blank_table
from .archive_copy import ArchiveCopy, read_same
from .made_anew import make_articles

__all__ = ["PARTIAL", "write_partial"]

PARTIAL = "partial"
"""`Manifest.configuration["text"]` of a partial version."""

_LEFT_OUT = "missing or changed in the copy of the archive, or of an article with such a post"
_AT_ONCE = ROW_GROUP // 4  # articles whose posts are in memory at once


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """A shard to write.

    Attributes:
        shard: of the text-free version.
        free, target: its file, and the file to write.
        source, site, files: the copy of the archive, and its files that the shard needs.
        posts: `path`, `sha256` and `article_id` of the posts that the shard needs.
        rejects: path -> reject of files that cannot be listed.
    """

    shard: Shard
    free: Path
    target: Path
    source: Source
    site: Site
    files: Files
    posts: pa.Table
    rejects: Mapping[str, Reject]


def write_partial(
    folder: Path, version: Manifest, copy: ArchiveCopy, dataset: Path, executor: InProcess | WorkerPool
) -> Manifest:
    """Write all rows that can be made, and describe them.

    Args:
        folder, version: the text-free version.
        copy: what the copy of the archive has of it.
        dataset: the folder to write to; it is made.
        executor: writes the shards.

    Returns:
        The manifest.

    Raises:
        RehydrateError: a row is not that of the version, or nothing can be made.
        SourceError: a file changed while it was read.
    """
    for config in {shard.config for shard in version.shards}:
        (dataset / config).mkdir(parents=True)
    made_from = [shard for shard in version.shards if shard.config in ("articles", "excluded", "posts", "rejects")]
    jobs = [_job(shard, folder, copy, dataset) for shard in made_from]
    written = dict(zip((shard.path for shard in made_from), executor.run(_write, jobs), strict=True))
    shards = [one for shard in version.shards if (one := _shard_of(shard, written, folder, dataset)) is not None]
    if not any(shard.config in ("articles", "excluded") for shard in shards):
        raise RehydrateError("no article can be made from this copy of the archive", path=copy.source.root)
    _compare(version, shards)
    for name in (LEDGER_NAME, BOILERPLATE_NAME):
        check_file(folder, version, name)
        shutil.copyfile(folder / name, dataset / name)
    own_card = any(file.path == CARD_NAME for file in version.files)
    draft = replace(
        version,
        configuration={**version.configuration, "text": "full"},
        tools=installed_tools(),
        accounting=_account_for(version, shards, dataset),
        columns=_filled_cells(version, written),
        shards=tuple(shards),
        files=(),
    )
    draft = replace(draft, statistics=count_statistics(dataset, draft))
    marked = replace(draft, configuration={**version.configuration, "text": PARTIAL})
    card = read_card(folder / CARD_NAME if own_card else None)
    return write_files(draft, card, dataset, notice=_notice(draft), marked=marked)


def _job(shard: Shard, folder: Path, copy: ArchiveCopy, dataset: Path) -> _Job:
    """What writing a shard needs."""
    if shard.config == "rejects":
        posts = pa.concat_tables(read_shard_of(folder, shard, ["path", "sha256"]))
        unlisted = pc.is_in(posts["path"], value_set=pa.array(copy.rejects, pa.string()))
        same = pc.is_in(posts["path"], value_set=copy.files.path)
        posts = posts.filter(pc.or_(same, pc.and_(unlisted, pc.is_null(posts["sha256"]))))
    else:
        key = "path" if shard.config == "posts" else "article_id"
        named = pa.concat_tables(read_shard_of(folder, shard, [key]))[key]
        posts = copy.posts.filter(pc.is_in(copy.posts[key], value_set=named.combine_chunks()))
    at = pc.index_in(posts["path"].combine_chunks(), copy.files.path).drop_null()
    return _Job(
        shard=shard,
        free=folder / shard.path,
        target=dataset / shard.path,
        source=copy.source,
        site=copy.site,
        files=copy.files.take(at.to_numpy()),
        posts=posts.combine_chunks(),
        rejects=copy.rejects if shard.config == "rejects" else {},
    )


# -------------------------------------------------------------------------------------------------------- shards


def _write(job: _Job) -> Written | None:
    """Write a shard; None if it has no row."""
    config, timezone = job.shard.config, job.site.timezone
    key = "article_id" if config in ("articles", "excluded") else "path"
    free = pa.concat_tables(read_shard(job.free))
    kept = free.filter(pc.is_in(free[key], value_set=job.posts[key].combine_chunks()))
    if not kept.num_rows:
        return None
    schema = shard_schema(config, timezone)
    groups = (_make(kept.slice(begin, ROW_GROUP), job, schema) for begin in range(0, kept.num_rows, ROW_GROUP))
    return write_shard(job.target, groups, config, schema)


def _make(rows: pa.Table, job: _Job, schema: pa.Schema) -> pa.Table:
    """The full rows of some rows without words.

    Raises:
        RehydrateError: without words, they are others.
    """
    config = job.shard.config
    some = [rows.slice(begin, _AT_ONCE) for begin in range(0, rows.num_rows, _AT_ONCE)]
    full = pa.concat_tables([_make_few(few, job, schema) for few in some]).cast(schema)
    if not blank_table(full, config, schema).equals(rows.cast(schema)):
        raise _differs(job.shard.path, "the posts are those of the version, and the rows that they give here are not")
    return full


def _make_few(rows: pa.Table, job: _Job, schema: pa.Schema) -> pa.Table:
    if job.shard.config == "rejects":
        return rejects_table(_read_rejects(rows, job))
    if job.shard.config == "posts":
        return _read_posts(job.posts.filter(pc.is_in(job.posts["path"], value_set=_values(rows, "path"))), job).posts
    wanted = pc.is_in(job.posts["article_id"], value_set=_values(rows, "article_id"))
    names = [
        name for name in ("article_id", "duplicate_cluster", "leak_group", "excluded_reason") if name in schema.names
    ]
    return make_articles(_read_posts(job.posts.filter(wanted), job), rows.select(names).to_pylist(), schema)


def _values(rows: pa.Table, column: str) -> pa.Array:
    return rows[column].combine_chunks()


def _contents(posts: pa.Table, job: _Job) -> dict[str, bytes]:
    """Path -> content of some posts or rejects; those that cannot be listed are left out."""
    at = pc.index_in(_values(posts, "path"), job.files.path).drop_null()
    hashes = dict(zip(posts["path"].to_pylist(), posts["sha256"].to_pylist(), strict=True))
    return read_same(job.source, job.files.take(at.to_numpy()), hashes)


def _read_posts(posts: pa.Table, job: _Job) -> PostTables:
    """Some posts, read, in the order of `posts`."""
    contents = _contents(posts, job)
    read = []
    for path, sha256, article in zip(*(posts[n].to_pylist() for n in ("path", "sha256", "article_id")), strict=True):
        found = parse_bytes(path, contents[path], job.site, sha256, article)
        if not isinstance(found, Post):
            raise _differs(path, f"this file was a post, and is a reject here ({found.rule})")
        read.append(found)
    return rows_of_posts(read, job.site.timezone)


def _read_rejects(rows: pa.Table, job: _Job) -> list[Reject]:
    contents = _contents(rows, job)
    read = []
    for path, sha256 in zip(rows["path"].to_pylist(), rows["sha256"].to_pylist(), strict=True):
        found = job.rejects[path] if sha256 is None else parse_bytes(path, contents[path], job.site, sha256)
        if not isinstance(found, Reject):
            raise _differs(path, "this file was a reject, and is a post here")
        read.append(found)
    return read


def _differs(path: str, why: str) -> RehydrateError:
    return RehydrateError(
        why,
        path=path,
        faults=(f"{path}: {why}",),
        hint="nothing was written; use the tools that the version was built with, see `tools` in its manifest.json",
    )


def _shard_of(shard: Shard, written: Mapping[str, Written | None], folder: Path, dataset: Path) -> Shard | None:
    """A shard as the manifest lists it; None if it has no row. Configs without words are copied."""
    if shard.path not in written:
        shutil.copyfile(folder / shard.path, dataset / shard.path)
        return shard
    made = written[shard.path]
    if made is None:
        return None
    return replace(shard, rows=made.rows, bytes=made.bytes, sha256=made.sha256, digest=made.digest)


def _compare(version: Manifest, shards: Sequence[Shard]) -> None:
    """Raise a `RehydrateError` if a shard with all of its rows is not that of the full build."""
    rows = {shard.path: shard.rows for shard in version.shards}
    full = {shard.path: shard.digest for shard in version.full}
    for shard in shards:
        if shard.rows == rows[shard.path] and shard.digest != full[shard.path]:
            raise _differs(shard.path, "has all posts, and other rows than the full build")


# -------------------------------------------------------------------------------------------------- description


def _filled_cells(version: Manifest, written: Mapping[str, Written | None]) -> dict[str, dict[str, int]]:
    """Config -> column -> number of rows that have a value."""
    filled: dict[str, Counter[str]] = {config: Counter() for config in CONFIGS}
    for path, made in written.items():
        if made is not None:
            filled[path.partition("/")[0]].update(made.filled)
    copied = {shard.config for shard in version.shards if shard.path not in written}
    return {config: dict(counts) for config, counts in filled.items() if counts} | {
        config: dict(version.columns[config]) for config in copied
    }


def _account_for(version: Manifest, shards: Sequence[Shard], dataset: Path) -> dict[str, Any]:
    """The accounting of the rows that were written, with those of the release beside it."""
    before = version.accounting
    rows = {split: sum(s.rows for s in shards if (s.config, s.split) == ("articles", split)) for split in SPLITS}
    excluded = sum(shard.rows for shard in shards if shard.config == "excluded")
    posts = sum(shard.rows for shard in shards if shard.config == "posts")
    rejects = sum(shard.rows for shard in shards if shard.config == "rejects")
    articles = sum(rows.values()) + excluded
    ignored = dict(before.get("ignored_by_reason", {})) | {
        _LEFT_OUT: before["posts"] + before["rejects"] - posts - rejects
    }
    feeds = Counter(_cells(shards, dataset, ("articles", "excluded"), "sources", "feed"))
    return {
        **before,
        "posts": posts,
        "rejects": rejects,
        "ignored": before["files_seen"] - posts - rejects,
        "articles": articles,
        "merged_posts": posts - articles,
        "excluded": excluded,
        "articles_by_split": rows,
        "dates_by_split": {split: days for split in SPLITS if (days := _days(shards, dataset, split))},
        "excluded_by_reason": _counts(_cells(shards, dataset, ("excluded",), "excluded_reason")),
        "posts_by_feed": {feed: feeds[feed] for feed in FEEDS if feeds[feed]},
        "rejects_by_rule": _counts(_cells(shards, dataset, ("rejects",), "rule")),
        "ignored_by_reason": dict(sorted(ignored.items())),
        "issues_by_code": _counts(_cells(shards, dataset, ("posts",), "issues")),
        "articles_of_release": before["articles"],
    }


def _counts(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def _cells(
    shards: Sequence[Shard], dataset: Path, configs: Sequence[str], column: str, field: str | None = None
) -> Iterator[str]:
    """The values of a column, those of lists one by one; with `field` that of each struct."""
    for shard in shards:
        for table in read_shard(dataset / shard.path, [column]) if shard.config in configs else ():
            values = table[column].combine_chunks()
            if pa.types.is_list(values.type):
                values = values.flatten()
            yield from (pc.struct_field(values, field) if field else values).to_pylist()


def _days(shards: Sequence[Shard], dataset: Path, split: str) -> list[str] | None:
    """The first and the last day of a split; None if it has no dated row."""
    named = [shard for shard in shards if (shard.config, shard.split) == ("articles", split)]
    times = [time for time in _cells(named, dataset, ("articles",), "published_at") if time is not None]
    return [str(day.date()) for day in (min(times), max(times))] if times else None  # type: ignore[attr-defined]


def _notice(draft: Manifest) -> str:
    """What stands at the beginning of the card."""
    there, of = draft.accounting["articles"], draft.accounting["articles_of_release"]
    return (
        f"> **Not the release.** This copy of {draft.dataset_version} has {there:,} of its {of:,} articles. The others have a "
        "post that is missing or was changed in the copy of the archive that this was made from. Figures about near-copies "
        "are those of the release."
    )
