"""A build's files: shards, links to the ones that stay the same, card, manifest, and the step that makes it visible."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import MachineError
from ..graph import engine
from ..schema import CONFIGS, Reject, Site
from ..sources.source import Source
from ..storage.ledger import refused_contents
from ..storage.manifest import (
    File,
    Manifest,
    Shard,
    hash_file,
    shards_of,
    write_manifest,
)
from ..storage.rows import Spool, rejects_table
from ..storage.shards import ROW_GROUP, Written, shard_schema, write_shard
from .history import RevisionTask, plan_revisions, read_origins, revisions_key, write_origins, write_revisions
from .planning import Decided, Lazily, PostShard, plan_articles, rows_of, shard_keys
from .tasks import Parsed, WriteTask, write_articles
from .workspace import (
    CachedShard,
    Workspace,
    read_cached_shards,
)

__all__ = [
    "Target",
    "publish_folder",
    "write_all_origins",
    "write_all_revisions",
    "write_manifest_and_card",
    "write_shards",
]


_SYNCED_AT_ONCE = 8
"""Files that are on their way to the disk at a time: it can do more at once than one file is worth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where shards are written, and what they may be linked from.

    Attributes:
        dataset: the staged folder of the version.
        base: the version before; its borders hold.
        base_folder: where that lies; None where it is built again, and its files are not used.
        about: versions of tools and whatever else the bytes of every shard depend on.
        run: runs the tasks that write.
    """

    dataset: Path
    site: Site
    workspace: Workspace
    base: Manifest | None
    base_folder: Path | None
    about: str
    run: engine.Run


def write_shards(
    decided: Decided,
    parsed: Sequence[Parsed],
    plan: Sequence[PostShard],
    rejects: Sequence[Reject],
    spool: Spool,
    target: Target,
    advance: Callable[[int], None],
) -> tuple[tuple[Shard, ...], dict[str, dict[str, int]], dict[str, CachedShard]]:
    """Write all shards: links where the bytes are known to be the same, new files where not."""
    shards: list[Shard] = []
    filled: dict[str, Counter[str]] = {config: Counter() for config in CONFIGS}
    timezone, dataset, of_base = target.site.timezone, target.dataset, _by_path(target)

    def add(path: str, config: str, split: str, start: str, written: Written) -> None:
        shards.append(_shard(path, config, split, start, written))
        filled[config].update(written.filled)

    for done, post_shard in zip(parsed, plan, strict=True):
        if done.posts:
            _link(target.workspace.cache / f"{done.name}.posts", dataset / post_shard.path)
            _share(dataset / post_shard.path, done.posts, of_base.get(post_shard.path), target.base_folder)
            add(post_shard.path, "posts", "posts", post_shard.start, done.posts)

    article_shards = plan_articles(decided, timezone, target.base, again=target.base_folder is None)
    keys = shard_keys(article_shards, decided, target.about)
    cached = _link_unchanged(target, keys)
    to_write = []
    for shard in article_shards:
        if shard.path in cached:
            advance(len(shard.articles))
        else:
            to_write.append(shard)

    def task_of(number: int) -> WriteTask:
        shard = to_write[number]
        return WriteTask(
            path=_made(dataset / shard.path),
            config=shard.config,
            timezone=timezone,
            spool=spool,
            rows=rows_of(shard, decided),
        )

    tasks = Lazily(len(to_write), task_of)
    for written, shard in zip(target.run(write_articles, tasks), to_write, strict=True):
        cached[shard.path] = CachedShard(key=keys[shard.path], written=written)
        _share(dataset / shard.path, written, of_base.get(shard.path), target.base_folder)
        advance(written.rows)
    for shard in article_shards:
        add(shard.path, shard.config, shard.split, shard.start, cached[shard.path].written)

    if rejects:
        path = "rejects/rejects-undated-00000.parquet"
        tables = (rejects_table(rejects[i : i + ROW_GROUP]) for i in range(0, len(rejects), ROW_GROUP))
        schema = shard_schema("rejects", timezone)
        written = write_shard(_made(dataset / path), tables, "rejects", schema)
        _share(dataset / path, written, of_base.get(path), target.base_folder)
        add(path, "rejects", "rejects", "", written)
    order = {config: number for number, config in enumerate(CONFIGS)}
    shards.sort(key=lambda s: (order[s.config], CONFIGS[s.config].index(s.split), s.path))
    return tuple(shards), {config: dict(counts) for config, counts in filled.items() if counts}, cached


def write_all_origins(
    opened: Source, plan: Sequence[PostShard], target: Target, *, rebuilt: Path | None
) -> list[tuple[Shard, Mapping[str, int]]]:
    """Shards of config `origins`, and their filled cells by column.

    Args:
        rebuilt: folder of the base where that is built again: it has the origins that it had.
    """
    old = shards_of(target.base, "origins") if target.base else []
    made: list[tuple[Shard, Mapping[str, int]]] = []
    if rebuilt and target.base:
        for shard in old:
            _link(rebuilt / shard.path, target.dataset / shard.path)
            made.append((shard, {} if made else target.base.columns["origins"]))
        return made
    if opened.kind != "git" or opened.commit is None:
        return []
    of_base = _by_path(target)
    before = read_origins([target.base_folder / shard.path for shard in old if target.base_folder])
    for post_shard in plan:
        path = post_shard.path.replace("posts/posts-", "origins/origins-")
        file = _made(target.dataset / path)
        written = write_origins(file, post_shard, opened.commit, before, target.site.timezone)
        _share(file, written, of_base.get(path), target.base_folder)
        made.append((_shard(path, "origins", "origins", post_shard.start, written), written.filled))
    return sorted(made, key=lambda one: one[0].path)


def write_all_revisions(
    opened: Source, own_ids: Mapping[str, str], redacted: Mapping[str, str], target: Target
) -> tuple[list[tuple[Shard, Mapping[str, int]]], dict[str, CachedShard]]:
    """Shards of config `revisions`, and their filled cells by column; and what to remember of them."""
    of_base = _by_path(target)
    plan = plan_revisions(opened, target.site, own_ids, redacted)
    refused = refused_contents(redacted)
    about = f"{target.about} {sorted(refused)}" if refused else target.about
    keys = {shard.path: revisions_key(shard, about) for shard in plan}
    cached = _link_unchanged(target, keys)
    tasks = [
        RevisionTask(
            path=_made(target.dataset / shard.path),
            root=opened.root,
            site=target.site,
            refused=refused,
            rows=shard.rows,
        )
        for shard in plan
        if shard.path not in cached
    ]
    for task, written in zip(tasks, target.run(write_revisions, tasks), strict=True):
        path = task.path.relative_to(target.dataset).as_posix()
        cached[path] = CachedShard(key=keys[path], written=written)
        _share(task.path, written, of_base.get(path), target.base_folder)
    made = [(shard.path, cached[shard.path].written) for shard in plan]
    return [(_shard(path, "revisions", "revisions", "", done), done.filled) for path, done in made], cached


def _link_unchanged(target: Target, keys: Mapping[str, str]) -> dict[str, CachedShard]:
    """Link the shards whose rows are those of the version before, as `keys` (path -> key) tells; what is known of them."""
    remembered, of_base = read_cached_shards(target.workspace), _by_path(target)
    linked = {}
    for path, key in keys.items():
        old, hit = of_base.get(path), remembered.get(path)
        if old and hit and hit.key == key and hit.written.sha256 == old.sha256:
            file = _undamaged(old, target.base_folder)
            if file:
                _link(file, target.dataset / path)
                linked[path] = hit
    return linked


def _by_path(target: Target) -> dict[str, Shard]:
    return {shard.path: shard for shard in target.base.shards} if target.base else {}


def _shard(path: str, config: str, split: str, start: str, written: Written) -> Shard:
    return Shard(
        path=path, config=config, split=split, rows=written.rows, bytes=written.bytes,
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
    if old is None or base_folder is None or old.sha256 != written.sha256:
        return
    there = base_folder / old.path
    if there.is_file() and there.samefile(file):
        return
    if _undamaged(old, base_folder):
        file.unlink()
        _link(there, file)


def _undamaged(old: Shard, base_folder: Path | None) -> Path | None:
    """The file of a shard of the version before, if its bytes are what the manifest says."""
    file = base_folder / old.path if base_folder else None
    return file if file and file.is_file() and hash_file(file) == (old.bytes, old.sha256) else None


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_manifest_and_card(manifest: Manifest, dataset: Path, card: str) -> Manifest:
    """Write card, Croissant and manifest."""
    from ..card.croissant import render_croissant
    from ..card.readme import CARD_NAME, card_facts, read_card, render_card
    from ..card.sections import summarize

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
    own = [] if card == read_card() else [(CARD_NAME, card)]  # the next version is to have it, too
    for path, text in (("README.md", readme), ("croissant.json", croissant), *own):
        (dataset / path).write_text(text, encoding="utf-8", newline="\n")
    files = []
    for path_ in sorted(p for p in dataset.rglob("*") if p.is_file() and p.suffix != ".parquet"):
        size, sha256 = hash_file(path_)
        files.append(File(path=path_.relative_to(dataset).as_posix(), bytes=size, sha256=sha256))
    manifest = replace(manifest, files=tuple(files))
    write_manifest(manifest, dataset)
    return manifest


def publish_folder(staged: Path, target: Path) -> None:
    """Make the version visible, whole, in one step.

    Raises:
        MachineError: something is in its place.
    """
    if os.path.lexists(target):
        raise MachineError(
            "stands where the new version is to stand", path=target, hint="take it away, or use another OUT"
        )
    files = [Path(folder) / name for folder, _, names in os.walk(staged) for name in names]
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, files))
    staged.rename(target)


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
