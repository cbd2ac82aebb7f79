"""Rows made anew: some articles of a version are read from the source and signed again, and the results are compared."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..building.stages.list import describe_site
from ..building.tools import installed_tools
from ..building.workspace import store_in
from ..counts import plural
from ..curation.merge import NO_DATE
from ..curation.splits import local_days
from ..graph.store import Store
from ..near_duplicates.boilerplate import Boilerplate
from ..near_duplicates.signatures import SIGNATURE_SCHEMA, Words, open_signatures, sign
from ..parsing.post import parse_bytes
from ..parsing.site import read_site
from ..schema import SCHEMA_VERSION, Post, Site, table_schema
from ..sources.source import Source, list_files, open_source, read_file, read_files
from ..storage.manifest import BOILERPLATE_NAME, Manifest, holds_text, shards_of, versions_in
from ..storage.reading import find_rows, read_rows
from ..storage.rows import rows_of_posts
from ..storage.spool import SPOOL_BATCH
from .made_anew import make_articles

__all__ = ["Recomputed", "recompute"]

_SIGNED_FROM = tuple(name for name in SIGNATURE_SCHEMA.names if name not in ("key", "article_id", "day"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputed:
    """What was made anew.

    Attributes:
        rows: the number of rows that were made anew from the source.
        chosen: the number of rows that were to be made anew; fewer than asked for if the version has fewer.
        faults: what differs, one sentence each.
        notes: what could not be made anew, and why.
    """

    rows: int
    chosen: int
    faults: tuple[str, ...]
    notes: tuple[str, ...]


def recompute(folder: Path, manifest: Manifest, count: int, source: str | Path) -> Recomputed:
    """Make up to `count` random rows of a version anew and compare them.

    Args:
        folder, manifest: of the version.
        count: the number of rows of `articles` and `excluded`.
        source: the archive.

    Raises:
        SourceError: the source cannot be opened.
    """
    if why := _why_not(manifest):
        return Recomputed(rows=0, chosen=count, faults=(), notes=(f"no row can be made anew: {why}",))
    rows = _random_rows(folder, manifest, count)
    done: set[str] = set()
    faults: list[str] = []
    notes: list[str] = []
    if not rows:
        notes.append("no row can be made anew: the version has no article")
    else:
        _from_source(folder, manifest, rows, source, _Outcome(done, faults, notes))
    made = len(done)
    before = len(faults)
    _from_store(folder, manifest, rows, _Outcome(done, faults, notes))
    if others := len(done) - made:
        same = "; they are those of the store" if len(faults) == before else ""
        notes.append(f"of {plural(others, 'row')}, only the signatures were made anew{same}")
    return Recomputed(rows=made, chosen=len(rows), faults=tuple(faults), notes=tuple(notes))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The ids of the articles that were made anew so far, and the faults and notes so far."""

    done: set[str]
    faults: list[str]
    notes: list[str]


def _why_not(manifest: Manifest) -> str | None:
    """Why no row of a version can be made anew; None if rows can."""
    if not holds_text(manifest):
        return (
            "a text-free version does not hold the words to compare with; `newsdata rehydrate` makes it with text from a copy "
            "of the archive, and compares all rows"
        )
    if manifest.schema_version != SCHEMA_VERSION:
        return f"the version has schema {manifest.schema_version}, and this newsdata makes schema {SCHEMA_VERSION}; use the newsdata that made the version"
    tools = installed_tools()
    if manifest.tools != tools:
        names = sorted(
            name for name in manifest.tools.keys() | tools.keys() if manifest.tools.get(name) != tools.get(name)
        )
        then = ", ".join(f"{name} {manifest.tools.get(name)}" for name in names)
        return f"the version was made with other versions of the tools ({then}); install those"
    return None


_Row = dict[str, Any]


def _random_rows(folder: Path, manifest: Manifest, count: int) -> list[_Row]:
    """Random rows of `articles` and `excluded`. All have `excluded_reason`, None for a row of `articles`."""
    shards = [*shards_of(manifest, "articles"), *shards_of(manifest, "excluded")]
    total = sum(shard.rows for shard in shards)
    chosen = np.array(sorted(SystemRandom().sample(range(total), min(count, total))), np.int64)
    rows: list[_Row] = []
    begin = 0
    for shard in shards:
        own = chosen[(chosen >= begin) & (chosen < begin + shard.rows)] - begin
        begin += shard.rows
        if len(own):
            table = read_rows(folder, shard).take(pa.array(own))
            rows += [{"excluded_reason": None, **row} for row in table.to_pylist()]
    return rows


# -------------------------------------------------------------------------------------------------- from the source


def _from_source(folder: Path, manifest: Manifest, rows: Sequence[_Row], source: str | Path, outcome: _Outcome) -> None:
    """Read the posts of some rows again, make the rows from them, and compare."""
    with tempfile.TemporaryDirectory() as scratch:
        opened = open_source(source, scratch=Path(scratch))
        site, _ = read_site(read_file(opened, "_config.yml"), drafts=bool(manifest.configuration["drafts"]))
        if describe_site(site) != manifest.configuration["site"]:
            outcome.notes.append(
                "no row was made anew from the archive: what its _config.yml says about posts has changed, or the source "
                "is another folder; give the one that holds `_posts`"
            )
            return
        posts = _posts_of(folder, manifest, [row["article_id"] for row in rows])
        contents = _contents(opened, {post["path"] for some in posts.values() for post in some})
        there, gone = _divide(rows, posts, contents)
        if gone:
            outcome.notes.append(
                f"not made anew from the archive: {plural(len(gone), 'row')}, whose files have changed in the source, or are gone "
                f"({', '.join(gone[:3])}{', …' if len(gone) > 3 else ''}); give the archive as it was when the version was built"
            )
        for begin in range(0, len(there), SPOOL_BATCH):
            some = there[begin : begin + SPOOL_BATCH]
            _compare(some, [post for row in some for post in posts[row["article_id"]]], contents, site, outcome)


def _posts_of(folder: Path, manifest: Manifest, ids: Sequence[str]) -> dict[str, list[_Row]]:
    """Article id -> the rows of `posts` of some articles."""
    found: dict[str, list[_Row]] = {identity: [] for identity in ids}
    for _, row in find_rows(folder, shards_of(manifest, "posts"), "article_id", ids):
        found[row["article_id"]].append(row)
    return found


def _contents(source: Source, paths: set[str]) -> dict[str, bytes]:
    """Path -> content of some files; those that cannot be read are left out."""
    files = list_files(source).files
    wanted = files.take(np.flatnonzero(pc.is_in(files.path, value_set=pa.array(sorted(paths), pa.string()))))
    return {file.path: data for file, data in read_files(source, wanted) if isinstance(data, bytes)}


def _divide(
    rows: Sequence[_Row], posts: Mapping[str, Sequence[_Row]], contents: Mapping[str, bytes]
) -> tuple[list[_Row], list[str]]:
    """The rows whose posts are all in the source as they were; and for each other row the path of a post that is not."""

    there, gone = [], []
    for row in rows:
        wrong = [
            post["path"]
            for post in posts[row["article_id"]]
            if post["path"] not in contents or hashlib.sha256(contents[post["path"]]).hexdigest() != post["sha256"]
        ]
        if wrong:
            gone.append(wrong[0])
        else:
            there.append(row)
    return there, gone


def _compare(
    rows: Sequence[_Row], posts: Sequence[_Row], contents: Mapping[str, bytes], site: Site, outcome: _Outcome
) -> None:
    """Parse posts, merge them, and compare posts and articles with the rows of the version."""
    read = []
    for post in posts:
        found = parse_bytes(post["path"], contents[post["path"]], site, post["sha256"], post["article_id"])
        if isinstance(found, Post):
            read.append(found)
        else:
            outcome.faults.append(f"posts: {post['path']}: the source gives a reject ({found.rule})")
    tables = rows_of_posts(read, site.timezone)
    stored_posts = {post["path"]: post for post in posts}
    for made in tables.posts.to_pylist():
        outcome.faults.extend(_differences(f"posts: {made['path']}", made, stored_posts[made["path"]]))
    made_rows = make_articles(tables, rows, table_schema("excluded", site.timezone)).to_pylist()
    for made, old in zip(made_rows, rows, strict=True):
        outcome.faults.extend(_differences(f"article {old['article_id']}", made, old))
        outcome.done.add(old["article_id"])


def _differences(what: str, made: _Row, stored: _Row) -> Iterator[str]:
    """A fault for each column in which two rows differ."""
    for column, value in made.items():
        if value != stored.get(column):
            yield f"{what}: {column} is not what the source gives"


# --------------------------------------------------------------------------------------------------- from the store


def _from_store(folder: Path, manifest: Manifest, rows: Sequence[_Row], outcome: _Outcome) -> None:
    """Sign rows again and compare with the signatures in the store. The store has those of the newest version only."""
    out = folder.absolute().parent
    store = store_in(out) if versions_in(out)[-1:] == [folder.name] else None
    found = _signatures(store, {row["article_id"] for row in rows}) if store else {}
    if not found:
        outcome.notes.append("no signature was made anew: the store has none of this version")
        return
    some = [row for row in rows if row["article_id"] in found]
    boilerplate = Boilerplate.load(folder / BOILERPLATE_NAME)
    times = np.array([_milliseconds(row["published_at"]) for row in some], np.int64)
    days = local_days(times, str(manifest.configuration["timezone"])).astype(np.int64).tolist()
    made = sign(
        [row["article_id"] for row in some],
        Words(
            texts=[row["text"] or row["digest"] or row["title"] or "" for row in some],
            titles=[row["title"] for row in some],
            digests=[row["digest"] for row in some],
            urls=[row["url"] for row in some],
            langs=[row["lang"] for row in some],
        ),
        [None if time == NO_DATE else day for time, day in zip(times.tolist(), days, strict=True)],
        boilerplate,
    )
    for new in made.to_pylist():
        old = found[new["article_id"]]
        outcome.done.add(new["article_id"])
        outcome.faults.extend(
            f"article {new['article_id']}: {name} of its signature in the store is not what its row gives"
            for name in ("day", *_SIGNED_FROM)
            if new[name] != old[name]
        )


def _milliseconds(time: Any) -> int:
    """Milliseconds since 1970; `NO_DATE` if there is no time."""
    return int(NO_DATE) if time is None else round(time.timestamp() * 1000)


def _signatures(store: Store, ids: Iterable[str]) -> dict[str, _Row]:
    """Article id -> signature, for those of some articles that the last build signed."""
    wanted = pa.array(sorted(ids), pa.string())
    found: dict[str, _Row] = {}
    for place, key in store.last().places.items():
        artifact = store.find(key) if place.startswith("sign ") else None
        if artifact:
            table = open_signatures(artifact.files["signatures"].checked())
            found |= {row["article_id"]: row for row in table.filter(pc.is_in(table["article_id"], wanted)).to_pylist()}
    return found
