"""A build's files: shards, links to the ones that stay the same, card, manifest, and the step that makes it visible."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import engine
from .accounting import describe_site
from .history import RevisionTask, plan_revisions, read_origins, revisions_key, write_origins, write_revisions
from .packaging.manifest import (
    File,
    Manifest,
    Shard,
    shards_of,
    write_manifest,
)
from .packaging.rows import Spool, rejects_table
from .packaging.shards import ROW_GROUP, Written, hash_file, shard_schema, write_shard
from .planning import Decided, Lazily, PostShard, plan_articles, rows_of, shard_key
from .reading.sources import Source
from .schema import CONFIGS, Reject, Site
from .tasks import Parsed, WriteTask, write_articles
from .workspace import (
    CachedShard,
    Workspace,
    read_cached_shards,
)

__all__ = ["publish_folder", "write_all_origins", "write_all_revisions", "write_manifest_and_card", "write_shards"]


def write_shards(
    decided: Decided,
    parsed: Sequence[Parsed],
    plan: Sequence[PostShard],
    rejects: Sequence[Reject],
    spool: Spool,
    site: Site,
    dataset: Path,
    workspace: Workspace,
    base: Manifest | None,
    base_folder: Path | None,
    about: str,
    run: engine.Run,
    advance: Callable[[int], None],
) -> tuple[tuple[Shard, ...], dict[str, dict[str, int]], dict[str, CachedShard]]:
    """Write all shards: links where the bytes are known to be the same, new files where not.

    Without `base_folder`, `base` is the version itself, built again: its borders hold, its files are not used.
    """
    shards: list[Shard] = []
    filled: dict[str, Counter[str]] = {config: Counter() for config in CONFIGS}

    def add(path: str, config: str, split: str, start: str, written: Written) -> None:
        shards.append(
            Shard(
                path=path, config=config, split=split, rows=written.rows, bytes=written.bytes,
                sha256=written.sha256, digest=written.digest, start=start,
            )
        )  # fmt: skip
        filled[config].update(written.filled)

    of_base = {s.path: s for s in base.shards} if base else {}
    for done, post_shard in zip(parsed, plan, strict=True):
        if done.posts:
            _link(workspace.cache / f"{done.name}.posts", dataset / post_shard.path)
            _share(dataset / post_shard.path, done.posts, of_base.get(post_shard.path), base_folder)
            add(post_shard.path, "posts", "posts", post_shard.start, done.posts)

    remembered = read_cached_shards(workspace)
    cached: dict[str, CachedShard] = {}
    article_shards = plan_articles(decided, site.timezone, base, again=base_folder is None)
    to_write = []
    for shard in article_shards:
        key = shard_key(shard, decided, f"{about} {describe_site(site)}")
        old, hit = of_base.get(shard.path), remembered.get(shard.path)
        if base_folder and old and hit and hit.key == key and hit.written.sha256 == old.sha256:
            file = base_folder / old.path
            if file.is_file() and hash_file(file) == (old.bytes, old.sha256):
                _link(file, dataset / shard.path)
                cached[shard.path] = hit
                advance(len(shard.articles))
                continue
        to_write.append((shard, key))

    def task_of(number: int) -> WriteTask:
        shard, _ = to_write[number]
        return WriteTask(
            path=_made(dataset / shard.path),
            config=shard.config,
            timezone=site.timezone,
            spool=spool,
            rows=rows_of(shard, decided),
        )

    tasks = Lazily(len(to_write), task_of)
    for written, (shard, key) in zip(run(write_articles, tasks), to_write, strict=True):
        cached[shard.path] = CachedShard(key=key, written=written)
        _share(dataset / shard.path, written, of_base.get(shard.path), base_folder)
        advance(written.rows)
    for shard in article_shards:
        add(shard.path, shard.config, shard.split, shard.start, cached[shard.path].written)

    if rejects:
        path = "rejects/rejects-undated-00000.parquet"
        tables = (rejects_table(rejects[i : i + ROW_GROUP]) for i in range(0, len(rejects), ROW_GROUP))
        schema = shard_schema("rejects", site.timezone)
        written = write_shard(_made(dataset / path), tables, "rejects", schema)
        _share(dataset / path, written, of_base.get(path), base_folder)
        add(path, "rejects", "rejects", "", written)
    order = {config: number for number, config in enumerate(CONFIGS)}
    shards.sort(key=lambda s: (order[s.config], CONFIGS[s.config].index(s.split), s.path))
    return tuple(shards), {config: dict(counts) for config, counts in filled.items() if counts}, cached


def write_all_origins(
    opened: Source,
    plan: Sequence[PostShard],
    site: Site,
    dataset: Path,
    base: Manifest | None,
    base_folder: Path | None,
    *,
    again: bool,
) -> list[tuple[Shard, Mapping[str, int]]]:
    """Shards of config `origins`, and their filled cells by column; a version built again has those that it had."""
    old = shards_of(base, "origins") if base and base_folder else []
    of_base = {shard.path: shard for shard in old}
    made: list[tuple[Shard, Mapping[str, int]]] = []
    if again and base and base_folder:
        for shard in old:
            _link(base_folder / shard.path, dataset / shard.path)
            made.append((shard, {} if made else base.columns["origins"]))
        return made
    if opened.kind != "git" or opened.commit is None:
        return []
    before = read_origins([base_folder / shard.path for shard in old if base_folder])
    for post_shard in plan:
        path = post_shard.path.replace("posts/posts-", "origins/origins-")
        written = write_origins(_made(dataset / path), post_shard, opened.commit, before, site.timezone)
        _share(dataset / path, written, of_base.get(path), base_folder)
        made.append((_shard(path, "origins", post_shard.start, written), written.filled))
    return sorted(made, key=lambda one: one[0].path)


def write_all_revisions(
    opened: Source,
    own_ids: Mapping[str, str],
    redacted: Mapping[str, str],
    site: Site,
    dataset: Path,
    workspace: Workspace,
    base: Manifest | None,
    base_folder: Path | None,
    about: str,
    run: engine.Run,
) -> tuple[list[tuple[Shard, Mapping[str, int]]], dict[str, CachedShard]]:
    """Shards of config `revisions`, and their filled cells by column; and what to remember of them."""
    of_base = {shard.path: shard for shard in shards_of(base, "revisions")} if base else {}
    remembered, cached = read_cached_shards(workspace), {}
    plan = plan_revisions(opened, site, own_ids, redacted)
    keys = {shard.path: revisions_key(shard, f"{about} {describe_site(site)}") for shard in plan}
    tasks = []
    for shard in plan:
        old, hit = of_base.get(shard.path), remembered.get(shard.path)
        if base_folder and old and hit and hit.key == keys[shard.path] and hit.written.sha256 == old.sha256:
            file = base_folder / old.path
            if file.is_file() and hash_file(file) == (old.bytes, old.sha256):
                _link(file, dataset / shard.path)
                cached[shard.path] = hit
                continue
        tasks.append(RevisionTask(path=_made(dataset / shard.path), root=opened.root, site=site, rows=shard.rows))
    for task, written in zip(tasks, run(write_revisions, tasks), strict=True):
        path = task.path.relative_to(dataset).as_posix()
        cached[path] = CachedShard(key=keys[path], written=written)
        _share(task.path, written, of_base.get(path), base_folder)
    written_of = {shard.path: cached[shard.path].written for shard in plan}
    return [(_shard(s.path, "revisions", "", written_of[s.path]), written_of[s.path].filled) for s in plan], cached


def _shard(path: str, config: str, start: str, written: Written) -> Shard:
    return Shard(
        path=path, config=config, split=config, rows=written.rows, bytes=written.bytes,
        sha256=written.sha256, digest=written.digest, start=start,
    )  # fmt: skip


def _link(file: Path, target: Path) -> None:
    """Give a file a second name; copy it where the file system knows no hard links."""
    _made(target)
    try:
        os.link(file, target)
    except OSError:
        import shutil

        shutil.copyfile(file, target)


def _share(file: Path, written: Written, old: Shard | None, base_folder: Path | None) -> None:
    """Where the version before has the same bytes, undamaged, at this place: keep one copy on the disk."""
    if base_folder is None or old is None or old.sha256 != written.sha256:
        return
    there = base_folder / old.path
    if there.is_file() and not there.samefile(file) and hash_file(there) == (old.bytes, old.sha256):
        file.unlink()
        _link(there, file)


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_manifest_and_card(manifest: Manifest, dataset: Path, card: str) -> Manifest:
    """Write card, Croissant and manifest."""
    from .packaging.card import card_facts, render_card
    from .packaging.croissant import render_croissant
    from .packaging.sections import summarize

    title = card_facts(card).get("pretty_name") or "news archive"
    name = re.sub(r"[^a-z0-9]+", "-", str(title).lower()).strip("-") or "news-archive"
    readme = render_card(card, manifest, name=name)
    facts = card_facts(readme)
    croissant = render_croissant(
        manifest,
        name=name,
        description=summarize(manifest),
        license=facts["license_link"] or facts["license"],
        languages=facts["language"],
        keywords=facts["tags"],
        citation=facts["citation"],
    )
    for path, text in (("README.md", readme), ("croissant.json", croissant)):
        (dataset / path).write_text(text, encoding="utf-8", newline="\n")
    files = []
    for path_ in sorted(p for p in dataset.rglob("*") if p.is_file() and p.suffix != ".parquet"):
        size, sha256 = hash_file(path_)
        files.append(File(path=path_.relative_to(dataset).as_posix(), bytes=size, sha256=sha256))
    manifest = replace(manifest, files=tuple(files))
    write_manifest(manifest, dataset)
    return manifest


def publish_folder(staged: Path, target: Path) -> None:
    """Make the version visible, whole, in one step."""
    for folder, _, files in os.walk(staged):
        for name in files:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
    staged.rename(target)
