"""The whole line: an archive in, a version of the dataset out.

list → parse → merge → duplicates → split → write → card. Everything is written to a staging folder, which is renamed
when it is whole; killed at any moment, a build leaves the earlier versions as they were.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import engine
from .curation import ledger as ledgers
from .curation.merge import FEEDS, KEYS, NO_DATE, Articles, merge_posts
from .curation.splits import Borders, Placement, choose_borders, local_days, parse_day, place
from .errors import CallError, LeakError, MachineError, RejectsError, VersionError, shown
from .grouping import BOILERPLATE_NAME, find_groups, measure_leakage
from .history import RevisionTask, plan_revisions, read_origins, revisions_key, write_origins, write_revisions
from .packaging.difference import Difference, compare, next_version
from .packaging.manifest import (
    File,
    Manifest,
    Shard,
    parse_version,
    read_manifest,
    shards_of,
    versions_in,
    write_manifest,
)
from .packaging.rows import Spool, rejects_table
from .packaging.shards import ROW_GROUP, Written, hash_file, read_shard, shard_schema, write_shard
from .packaging.textfree import blank_version
from .planning import Decided, PostShard, plan_articles, plan_posts, rows_of, shard_key
from .reading.parse import PARSER_VERSION, article_id
from .reading.site import classify, read_site
from .reading.sources import Source, SourceFile, list_files, open_source, read_file
from .schema import CONFIGS, SCHEMA_VERSION, SPLITS, Reject, Site
from .tasks import SPOOL_BATCH, Parsed, ParseTask, WriteTask, find_parsed, parse_posts, task_id, write_articles
from .workspace import (
    CachedShard,
    Workspace,
    drop_unused,
    now,
    open_workspace,
    read_cached_shards,
    read_known,
    write_cached_shards,
    write_known,
)

__all__ = ["OTHER_POSTS", "Build", "build", "build_again"]

_TOOLS = ("newsdata", "pyarrow", "numpy", "turbohtml", "markdown-it-py", "python-frontmatter", "PyYAML", "tzdata")

_SMALL = 4 * 2**20
"""Bytes of posts below which starting processes takes longer than reading them."""

OTHER_POSTS = "not in the version that is built again"
"""Why `build_again` ignores a post."""

REDACTED = "redacted"
"""Why a file of an article that `newsdata.redact` took out is ignored."""

Progress = Callable[[str, int, int], None]
"""Called with the stage's name, how many rows are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What `build` did.

    Attributes:
        path: the version's folder.
        version: "X.Y.Z".
        created: False when nothing had changed and the version was there before.
        manifest: what is in it.
        stages: for each step its `seconds` and `rows`.
        rejects: at most the first 1,000 rejects.
        difference: to the version before; None for the first one.
    """

    path: Path
    version: str
    created: bool
    manifest: Manifest
    stages: Mapping[str, Mapping[str, float]]
    rejects: tuple[Reject, ...]
    difference: Difference | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What the caller of `build` asked for; see there. `again` is for `build_again`."""

    version: str | None
    validation_from: str | None
    test_from: str | None
    gap_days: int | None
    drafts: bool | None
    strict: bool
    max_reject_share: float
    max_leak: float
    workers: int
    card: str
    text: str | None
    history: bool | None = None
    again: bool = False


@dataclass(slots=True)
class _Clock:
    """Seconds and rows by stage: for the build's answer, never for a file."""

    progress: Progress | None
    stages: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        begin = time.perf_counter()
        done = 0

        def advance(rows: int) -> None:
            nonlocal done
            done += rows
            if self.progress:
                self.progress(name, done, total)

        advance(0)
        yield advance
        self.stages[name] = {"seconds": round(time.perf_counter() - begin, 4), "rows": total}


def build(
    source: str | Path,
    out: str | Path,
    *,
    version: str | None = None,
    validation_from: str | None = None,
    test_from: str | None = None,
    gap_days: int | None = None,
    drafts: bool | None = None,
    strict: bool = False,
    max_reject_share: float = 0.01,
    max_leak: float = 0.0,
    num_proc: int | None = None,
    card: str | Path | None = None,
    text: str | None = None,
    history: bool | None = None,
    base: str | Path | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Build:
    """Build a version of the dataset from an archive.

    With earlier versions in `out`, only what changed is read and written, shards that stay the same are hard-linked,
    and the version follows from the difference; where nothing changed, nothing is written.

    Args:
        source: the archive: a folder, see `newsdata.reading.sources` for what else.
        out: the folder that holds the versions; `out/X.Y.Z` is written.
        version: "X.Y.Z", at least as high as the difference asks for; by default exactly that ("1.0.0" at first).
        validation_from, test_from: first day of the split, YYYY-MM-DD in the site's time zone. Only for the first
            version: later ones keep its borders.
        gap_days: days on each side of a border that are set aside.
        drafts: whether posts below `_drafts` are read; by default as in the version before, at first not.
        strict: any reject fails the build.
        max_reject_share: more rejects than this fraction of the posts, and more than 10, fail the build.
        max_leak: share of a split's rows that may have a copy (Jaccard of at least .5, among the pairs found) in an
            earlier split.
        num_proc: worker processes; by default as many as there are cores. Any number gives the same bytes.
        card: the curator's prose; by default the one that newsdata brings.
        text: "none" blanks every field that carries the publisher's words and stores the hashes of the full build, which
            `newsdata.rehydrate` makes from a copy of the archive; "full" keeps them. By default as in the version
            before, at first "full"; `out` holds versions of one kind.
        history: whether every earlier revision of the posts is read into the config `revisions`; only for a git
            repository at a revision, and not with text="none". By default as in the version before, at first not.
        base: folder of the version to follow; by default the newest one in `out`.
        cache: whether what earlier builds read may be used. The bytes are the same either way.
        progress: called as the build goes on, with the stage, the rows that are done and the rows there are.

    Raises:
        SourceError: the source cannot be opened.
        VersionError: the version cannot be used.
        RejectsError: too many posts were rejected; no version is written.
        LeakError: near-copies stand on two sides of a split.
        MachineError: no space, no permission, or another build is at work in `out`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     again = build("examples/archive", out, num_proc=1)
    >>> made.version, made.created, again.version, again.created
    ('1.0.0', True, '1.0.0', False)
    """
    from .packaging.card import read_card

    engine.check_memory()
    out = Path(out)
    clock = _Clock(progress)
    options = _Options(
        version=version,
        validation_from=validation_from,
        test_from=test_from,
        gap_days=gap_days,
        drafts=drafts,
        strict=strict,
        max_reject_share=max_reject_share,
        max_leak=max_leak,
        workers=num_proc or engine.available_cores(),
        card=read_card(card),
        text=text,
        history=history,
    )
    try:
        with open_workspace(out, cache=cache) as workspace, ExitStack() as stack:
            return _build(source, out, workspace, stack, clock, options, Path(base) if base else None)
    except OSError as error:
        raise MachineError(
            f"the system said: {error.strerror or error}",
            path=error.filename or out,
            hint="earlier versions are untouched; make room or check the rights, then run the same command again",
        ) from error
    except pa.ArrowException as error:
        raise MachineError(
            f"Arrow said: {str(error).splitlines()[0][:300]}",
            path=out,
            hint="earlier versions are untouched; the machine may be out of memory, or one month hold more than 2 GB of text",
        ) from error


def build_again(
    base_folder: Path,
    source: str | Path,
    workspace: Workspace,
    *,
    num_proc: int | None = None,
    progress: Progress | None = None,
) -> Build:
    """Build a text-free version once more, in full, into the staging folder of `workspace`.

    The version gives configuration, ledger and shard borders, and only files that it names are read; other posts of
    the source are counted as ignored. `newsdata.rehydrate` compares the outcome with the hashes that are stored.
    """
    from .packaging.card import read_card

    options = _Options(
        version=None, validation_from=None, test_from=None, gap_days=None, drafts=None, strict=False,
        max_reject_share=1.0, max_leak=1.0, workers=num_proc or engine.available_cores(), card=read_card(None), text="full", again=True,
    )  # fmt: skip
    out = workspace.staging / "again"
    out.mkdir()
    with ExitStack() as stack:
        return _build(source, out, workspace, stack, _Clock(progress), options, base_folder)


def _build(
    source: str | Path,
    out: Path,
    workspace: Workspace,
    stack: ExitStack,
    clock: _Clock,
    options: _Options,
    base_folder: Path | None,
) -> Build:
    there = versions_in(out)
    if base_folder is None and there:
        base_folder = out / there[-1]
    base = read_manifest(base_folder) if base_folder else None
    ledger = ledgers.read_ledger(base_folder) if base_folder else ledgers.empty_ledger()
    redacted = ledgers.tombstones(ledger)
    if not options.again:
        redacted = {**ledgers.read_redactions(out), **redacted}
        if base_folder:
            redacted = {**ledgers.read_redactions(base_folder.absolute().parent), **redacted}
    if options.version:
        _check_version(options.version, there)
    text = _choose_text(options, base, read_manifest(out / there[-1]) if there else None)
    dataset = workspace.staging / "version"
    dataset.mkdir()

    # ------------------------------------------------------------------------------------------- listing
    with clock.stage("listing", 0) as advance:
        listed_at = now()
        opened = open_source(source, scratch=workspace.staging, exclude=out)
        history = _choose_history(options, base, opened, text)
        listing = list_files(opened)
        drafts = options.drafts if options.drafts is not None else bool(base and base.configuration["drafts"])
        config = read_file(opened, "_config.yml")
        site, config_notes = read_site(config, drafts=drafts)
        files, early_rejects, ignored = _sort_out(listing.files, listing.rejects, site)
        files_seen = len(listing.files) + len(listing.rejects)
        own_ids = _clashing_ids(files)
        files, early_rejects = _leave_out(files, early_rejects, own_ids, redacted, ignored)
        if options.again and base and base_folder:
            own_ids = _read_ids(base_folder, base)
            files, early_rejects = _only_named(own_ids, files, early_rejects, ignored)
        plan = plan_posts(files, base, again=options.again)
        known = read_known(workspace)
    clock.stages["listing"]["rows"] = files_seen

    tools = {name: installed(name) for name in _TOOLS}
    about = f"{sorted(tools.items())} schema {SCHEMA_VERSION} parser {PARSER_VERSION}"
    settings = {"site": _describe_site(site), "card": hashlib.sha256(options.card.encode()).hexdigest()[:16]}
    if base is not None and base_folder is not None and not options.version:
        hashes = [known.sha256(f) for shard in plan for f in shard.files]
        same = (
            all(hashes)
            and _describe_source(plan, hashes, early_rejects, config) | {"bytes": 0}
            == dict(base.source) | {"bytes": 0}
            and base.tools == tools
            and base.schema_version == SCHEMA_VERSION
            and not history  # a commit may have changed the past, or been undone by a later one
            and not base.configuration.get("history")
            and all(base.configuration.get(name) == value for name, value in settings.items())
            and base_folder.parent.resolve() == out.resolve()
        )
        if same:
            _borders(base, None, site, options)  # a wish for other borders is refused, not passed over
            kept_rejects = _read_rejects(base_folder, base)
            _check_rejects(kept_rejects, base.accounting["posts"], options)
            return Build(
                path=base_folder, version=base.dataset_version, created=False, manifest=base, stages=clock.stages,
                rejects=tuple(kept_rejects[:1000]), difference=compare(base_folder, base, base_folder, base),
            )  # fmt: skip

    # ------------------------------------------------------------------------------------------- parsing
    small = sum(file.size for file in files) < _SMALL
    run = stack.enter_context(engine.workers(1 if small else options.workers))
    with clock.stage("parsing", len(files)) as advance:
        parsed = _parse(plan, workspace, known, opened, site, own_ids, about, run, advance)
    rejects = sorted((*early_rejects, *(r for p in parsed for r in p.rejects)), key=lambda r: r.path)
    posts = sum(p.posts.rows for p in parsed if p.posts)
    _check_rejects(rejects, posts, options)

    # ------------------------------------------------------------------------------------------- merging
    with clock.stage("merging", posts) as advance:
        keys = pa.concat_tables([KEYS.empty_table(), *(_read_keys(workspace.cache, p.name) for p in parsed)])
        articles = merge_posts(keys)
        advance(posts)

    # ---------------------------------------------------------------------------------------- duplicates
    rows_before = np.cumsum([0, *(p.posts.rows if p.posts else 0 for p in parsed)])
    spool = Spool(files=tuple(workspace.cache / f"{p.name}.spool" for p in parsed), batch=SPOOL_BATCH)
    with clock.stage("duplicates", len(articles)) as advance:
        found = find_groups(
            articles, keys, rows_before, spool, site.timezone, ledger, base, base_folder, workspace.cache, run, advance
        )
        clusters, groups = found.clusters, found.groups

    # ----------------------------------------------------------------------------------------- splitting
    with clock.stage("splitting", len(articles)) as advance:
        borders = _borders(base, articles, site, options)
        before = _splits_before(articles.article_id, ledger)
        group_numbers = groups.dictionary_encode().indices.to_numpy()
        placement = place(articles.published_at, group_numbers, borders, site.timezone, before=before)
        leakage = measure_leakage(found, articles, placement, site.timezone)
        _check_leakage(leakage, options.max_leak)
        advance(len(articles))
    decided = Decided(
        articles=articles,
        keys=keys,
        rows_before=rows_before,
        clusters=clusters,
        groups=groups,
        placement=placement,
    )

    # ------------------------------------------------------------------------------------------- writing
    with clock.stage("writing", len(articles)) as advance:
        shards, filled, cached = _write(
            decided, parsed, plan, rejects, spool, site, dataset, workspace, base,
            None if options.again else base_folder, about, run, advance,
        )  # fmt: skip
        from_git = _write_origins(opened, plan, site, dataset, base, base_folder, again=options.again)
        if history:
            past, known_past = _write_history(
                opened, own_ids, redacted, site, dataset, workspace, base, base_folder, about, run
            )
            from_git += past
            cached |= known_past
        for shard, columns in from_git:
            shards += (shard,)
            kept = Counter(filled.get(shard.config, {}))
            kept.update(columns)
            filled[shard.config] = dict(kept)

    # ---------------------------------------------------------------------------------------------- card
    with clock.stage("card", 1) as advance:
        draft = Manifest(
            dataset_version="0.0.0",
            follows=base.dataset_version if base else None,
            schema_version=SCHEMA_VERSION,
            configuration=_configuration(site, borders) | {"dedup_version": found.report["dedup_version"]} | settings
            | ({"history": True} if history else {}),
            source=_describe_source(plan, [h for p in parsed for h in p.sha256], early_rejects, config)
            | {"bytes": sum(p.sizes for p in parsed)},
            tools=tools,
            accounting=_account(files_seen, posts, rejects, ignored, articles, placement, parsed, site, config_notes),
            columns=filled,
            shards=shards,
            duplicates=found.report,
            leakage=leakage,
        )
        if text == "none":
            draft = blank_version(draft, dataset, base, base_folder, run)
        difference = compare(base_folder, base, dataset, draft) if base and base_folder and not options.again else None
        version = _choose_version(options.version, base, difference, there)
        if version is None and base is not None and base_folder is not None:
            _remember(workspace, plan, parsed, cached, found.files, listed_at)
            return Build(
                path=base_folder, version=base.dataset_version, created=False, manifest=base, stages=clock.stages,
                rejects=tuple(rejects[:1000]), difference=difference,
            )  # fmt: skip
        assert version is not None
        next_ledger = _next_ledger(ledger, decided, found.aliases, before, version)
        ledgers.write_ledger(ledgers.bury(next_ledger, redacted, version), dataset)
        found.boilerplate.save(dataset / BOILERPLATE_NAME)
        changes = (*(base.changes if base else ()), _release_note(version, draft, difference))
        if options.again and base:
            draft, version, changes = replace(draft, follows=base.follows), base.dataset_version, base.changes
        manifest = _finish(replace(draft, dataset_version=version, changes=changes), dataset, options.card)
        advance(1)
    _publish_folder(dataset, out / version)
    with suppress(OSError):  # the version stands; without the cache the next build is only slower
        _remember(workspace, plan, parsed, cached, found.files, listed_at)
    return Build(
        path=out / version,
        version=version,
        created=True,
        manifest=manifest,
        stages=clock.stages,
        rejects=tuple(rejects[:1000]),
        difference=difference and replace(difference, new=version),
    )


# ------------------------------------------------------------------------------------------- what files there are


def _sort_out(
    files: Sequence[SourceFile], rejects: Sequence[Reject], site: Site
) -> tuple[list[SourceFile], list[Reject], Counter[str]]:
    """Candidates, rejects among what could not even be listed, and the ignored ones counted by reason."""
    ignored: Counter[str] = Counter()
    candidates = []
    for file in files:
        reason = classify(file.path, site)
        if reason is None:
            candidates.append(file)
        else:
            ignored[reason] += 1
    kept = []
    for reject in rejects:
        reason = classify(reject.path, site)
        if reason is None:
            kept.append(reject)
        else:
            ignored[reason] += 1
    return candidates, kept, ignored


def _read_ids(folder: Path, version: Manifest) -> dict[str, str]:
    """The article id of every post of a version by its path, and "" for each of its rejects."""
    ids: dict[str, str] = {}
    for shard in shards_of(version, "posts"):
        for rows in read_shard(folder / shard.path, ["path", "article_id"]):
            ids |= zip(rows["path"].to_pylist(), rows["article_id"].to_pylist(), strict=True)
    for shard in shards_of(version, "rejects"):
        for rows in read_shard(folder / shard.path, ["path"]):
            ids |= dict.fromkeys(rows["path"].to_pylist(), "")
    return ids


def _only_named(
    named: Mapping[str, str], files: Sequence[SourceFile], rejects: Sequence[Reject], ignored: Counter[str]
) -> tuple[list[SourceFile], list[Reject]]:
    """Those that the version read or rejected; the others are counted as ignored."""
    kept = [file for file in files if file.path in named], [reject for reject in rejects if reject.path in named]
    other = len(files) + len(rejects) - len(kept[0]) - len(kept[1])
    if other:
        ignored[OTHER_POSTS] = other
    return kept


def _clashing_ids(files: Sequence[SourceFile]) -> dict[str, str]:
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


def _leave_out(
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


def _parse(
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


def _read_keys(folder: Path, name: str) -> pa.Table:
    with pa.OSFile(str(folder / f"{name}.keys")) as file, pa.ipc.open_file(file) as reader:
        return reader.read_all()


def _read_rejects(folder: Path, version: Manifest) -> list[Reject]:
    """The rejects of a version."""
    return [
        Reject(**row)
        for shard in shards_of(version, "rejects")
        for rows in read_shard(folder / shard.path)
        for row in rows.to_pylist()
    ]


def _check_rejects(rejects: Sequence[Reject], posts: int, options: _Options) -> None:
    count = len(rejects)
    too_many = count > 10 and count > options.max_reject_share * (posts + count)
    if not count or not (options.strict or too_many):
        return
    by_rule = Counter(r.rule for r in rejects)
    listed = "".join(
        f"\n  {shown(r.path)}{f', line {r.line}' if r.line else ''}: {r.rule}: {shown(r.reason)}" for r in rejects[:20]
    )
    raise RejectsError(
        f"{count} of {posts + count} posts were rejected ("
        + ", ".join(f"{rule}: {n}" for rule, n in by_rule.most_common())
        + f"):{listed}"
        + ("\n  …" if count > 20 else ""),
        rejects=tuple(rejects),
        hint="no version was written; mend the files"
        + (" or raise --max-reject-share" if too_many else " or leave out --strict"),
    )


# ------------------------------------------------------------------------------------------------- splits, ledger


def _borders(base: Manifest | None, articles: Articles | None, site: Site, options: _Options) -> Borders:
    validation = parse_day(options.validation_from, "--validation-from")
    test = parse_day(options.test_from, "--test-from")
    if base is None:
        assert articles is not None
        return choose_borders(
            articles.published_at,
            site.timezone,
            validation_from=validation,
            test_from=test,
            gap_days=options.gap_days or 0,
        )
    kept = {
        name: parse_day(base.configuration[name], name) for name in ("validation_from", "test_from", "test_until")
    }
    gap_days = int(base.configuration["gap_days"])
    if (
        validation not in (None, kept["validation_from"])
        or test not in (None, kept["test_from"])
        or options.gap_days not in (None, gap_days)
    ):
        raise VersionError(
            f"the splits of {base.dataset_version} are fixed: validation from {kept['validation_from']}, "
            f"test from {kept['test_from']}, gap of {gap_days} days",
            hint="leave the options out, or build another dataset into another folder",
        )
    return Borders(**kept, gap_days=gap_days)


def _splits_before(ids: pa.Array, ledger: pa.Table) -> np.ndarray:
    """For each article the number of the split that the ledger has for it, -1 where it is new."""
    numbers = {name: number for number, name in enumerate((*SPLITS, "excluded"))}
    at = pc.index_in(ids, ledger["article_id"].combine_chunks())
    split = ledger["split"].to_pylist()
    return np.array([-1 if i is None else numbers[split[i]] for i in at.to_pylist()], dtype=np.int64)


def _next_ledger(
    ledger: pa.Table,
    decided: Decided,
    aliases: Mapping[str, Mapping[str, str]],
    before: np.ndarray,
    version: str,
) -> pa.Table:
    """The ledger after this version: known rows in their order, new ones after them by date and id.

    An article keeps the first split that it was given, even while it is set aside.
    """
    articles, placement = decided.articles, decided.placement
    splits = np.where((before >= 0) & (before < len(SPLITS)), before, placement.split)
    times = articles.published_at
    now_known = pa.table(
        {
            "article_id": articles.article_id,
            "duplicate_cluster": decided.clusters,
            "leak_group": decided.groups,
            "split": pa.array([*SPLITS, "excluded"], pa.string()).take(pa.array(splits)),
            "excluded_reason": pa.array(placement.reason, pa.string()),
            "published_at": pa.array(times, mask=times == NO_DATE),
            "first_version": pa.array([version] * len(articles), pa.string()),
            "redacted_reason": pa.nulls(len(articles), pa.string()),
        },
        schema=ledgers.LEDGER_SCHEMA,
    )
    new = now_known.take(pa.array(np.flatnonzero(before < 0)))
    new = new.sort_by([("published_at", "ascending"), ("article_id", "ascending")])
    at = pc.index_in(ledger["article_id"].combine_chunks(), articles.article_id)
    current = now_known.take(at)
    gone = dict(zip(ledger.column_names, ledger.columns, strict=True))
    for name, renamed in aliases.items():  # of articles that are not in the source now
        gone[name] = pa.array([renamed.get(old, old) for old in ledger[name].to_pylist()], pa.string())
    known = {
        name: pc.if_else(at.is_valid(), current[name].combine_chunks(), _one_chunk(gone[name]))
        if name in ("duplicate_cluster", "leak_group", "split", "excluded_reason")
        else ledger[name]
        for name in ledgers.LEDGER_SCHEMA.names
    }
    return pa.concat_tables([pa.table(known, schema=ledgers.LEDGER_SCHEMA), new])


def _one_chunk(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _check_leakage(leakage: Mapping[str, Any] | None, allowed: float) -> None:
    for row in (leakage or {}).get("pairs", ()):
        if row["leak_j50"] > allowed:
            raise LeakError(
                f"{row['leak_j50']:.2%} of {row['split']} have a copy in {row['against']} (Jaccard of at least .5)",
                hint="--max-leak allows more",
            )


# ------------------------------------------------------------------------------------------------------- writing


def _write(
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
        key = shard_key(shard, decided, f"{about} {_describe_site(site)}")
        old, hit = of_base.get(shard.path), remembered.get(shard.path)
        if base_folder and old and hit and hit.key == key and hit.written.sha256 == old.sha256:
            file = base_folder / old.path
            if file.is_file() and hash_file(file) == (old.bytes, old.sha256):
                _link(file, dataset / shard.path)
                cached[shard.path] = hit
                advance(len(shard.articles))
                continue
        to_write.append((shard, key))
    tasks = [
        WriteTask(
            path=_made(dataset / shard.path),
            config=shard.config,
            timezone=site.timezone,
            spool=spool,
            rows=rows_of(shard, decided),
        )
        for shard, _ in to_write
    ]
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


def _write_origins(
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


def _write_history(
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
    keys = {shard.path: revisions_key(shard, f"{about} {_describe_site(site)}") for shard in plan}
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


def _remember(
    workspace: Workspace,
    plan: Sequence[PostShard],
    parsed: Sequence[Parsed],
    cached: Mapping[str, CachedShard],
    signed: Sequence[Path],
    listed_at: int,
) -> None:
    files = [file for shard in plan for file in shard.files]
    write_known(workspace, files, [h for p in parsed for h in p.sha256], listed_at)
    write_cached_shards(workspace, cached)
    drop_unused(workspace, {p.name for p in parsed} | {p.stem for p in signed})


# ------------------------------------------------------------------------------------------------------ versions


def _check_version(wanted: str, there: Sequence[str]) -> None:
    parse_version(wanted)
    if there and parse_version(wanted) <= parse_version(there[-1]):
        raise VersionError(f"{wanted} is not higher than {there[-1]}", hint="versions only go up")


def _choose_version(
    wanted: str | None, base: Manifest | None, difference: Difference | None, there: Sequence[str]
) -> str | None:
    """The version to write; None where nothing differs and none was asked for."""
    if base is None or difference is None:
        return wanted or "1.0.0"
    if difference.bump is None:
        return wanted
    needed = next_version(base.dataset_version, difference.bump)
    if wanted is None:
        wanted = needed
        _check_version(wanted, there)
    elif parse_version(wanted) < parse_version(needed):
        raise VersionError(
            f"{wanted} is too small for what changed since {base.dataset_version} ({'; '.join(difference.reasons)})",
            hint=f"use {needed} or higher",
        )
    return wanted


def _choose_text(options: _Options, base: Manifest | None, newest: Manifest | None) -> str:
    """Whether the version holds the publisher's words: "full" or "none"."""
    if options.text not in (None, "full", "none"):
        raise CallError(f"{options.text!r} is neither full nor none", field="text")
    before = [] if options.again else [m for m in (base, newest) if m]
    kinds = [str(m.configuration.get("text", "full")) for m in before]
    wanted = options.text or next(iter(kinds), "full")
    for manifest, kind in zip(before, kinds, strict=True):
        if kind != wanted:
            raise VersionError(
                f"{manifest.dataset_version} was built with --text {kind}, this one is to have --text {wanted}",
                hint="a folder holds versions of one kind; build into another folder",
            )
    return wanted


def _choose_history(options: _Options, base: Manifest | None, opened: Source, text: str) -> bool:
    """Whether earlier revisions are read."""
    wanted = bool(base and base.configuration.get("history")) if options.history is None else options.history
    if options.again or not wanted:
        return False
    if opened.kind != "git":
        raise CallError(
            "only a git repository at a revision has a history",
            field="history",
            hint="give repo@REVISION, or --no-history",
        )
    if text == "none":
        raise CallError(
            "a history holds the publisher's words", field="history", hint="leave out --history, or --text none"
        )
    return True


def _release_note(version: str, draft: Manifest, difference: Difference | None) -> dict[str, Any]:
    """What a version brought, in numbers; the card's changelog shows it."""
    if difference is None:
        return {"version": version, "bump": None, "reasons": ["first version"], "rows": {}}
    return {
        "version": version,
        "follows": difference.old,
        "bump": difference.bump,
        "reasons": list(difference.reasons) or ["nothing changed"],
        "rows": difference.counts(),
    }


# ------------------------------------------------------------------------------------------------------ manifest


def _configuration(site: Site, borders: Borders) -> dict[str, Any]:
    def day(value: object) -> str | None:
        return None if value is None else str(value)

    return {
        "timezone": site.timezone,
        "drafts": site.drafts,
        "validation_from": day(borders.validation_from),
        "test_from": day(borders.test_from),
        "test_until": day(borders.test_until),
        "gap_days": borders.gap_days,
        "split_scheme": 1,
        "text": "full",
    }


def _describe_site(site: Site) -> str:
    """A digest of what `_config.yml` says about reading posts."""
    return hashlib.sha256(repr(site).encode()).hexdigest()[:16]


def _describe_source(
    plan: Sequence[PostShard], hashes: Sequence[str | None], early: Sequence[Reject], config: bytes | None
) -> dict[str, Any]:
    """One digest over everything that was read, in the order of the paths."""
    files = [file for shard in plan for file in shard.files]
    lines = sorted(
        [f"{f.path}\0{sha}" for f, sha in zip(files, hashes, strict=True)] + [f"{r.path}\0{r.rule}" for r in early]
    )
    digest = hashlib.sha256("\n".join(lines).encode())
    digest.update(hashlib.sha256(config or b"").digest())
    return {"files": len(lines), "digest": digest.hexdigest()}


def _account(
    files_seen: int,
    posts: int,
    rejects: Sequence[Reject],
    ignored: Counter[str],
    articles: Articles,
    placement: Placement,
    parsed: Sequence[Parsed],
    site: Site,
    notes: Sequence[str],
) -> dict[str, Any]:
    """Where every file and every article went; the sums are checked here, in the build itself."""
    counts = np.bincount(placement.split, minlength=len(SPLITS) + 1).tolist()
    dated = articles.published_at != NO_DATE
    dates = {}
    for number, split in enumerate(SPLITS):
        times = articles.published_at[(placement.split == number) & dated]
        if len(times):
            days = local_days(np.array([times.min(), times.max()]), site.timezone)
            dates[split] = [str(day) for day in days]
    issues: Counter[str] = Counter()
    feeds: Counter[str] = Counter()
    for part in parsed:
        issues.update(part.issues)
        feeds.update(part.feeds)
    accounting = {
        "files_seen": files_seen,
        "posts": posts,
        "rejects": len(rejects),
        "ignored": ignored.total(),
        "articles": len(articles),
        "merged_posts": posts - len(articles),
        "excluded": counts[-1],
        "articles_by_split": dict(zip(SPLITS, counts, strict=False)),
        "dates_by_split": dates,
        "excluded_by_reason": dict(sorted(Counter(r for r in placement.reason.tolist() if r).items())),
        "posts_by_feed": {feed: feeds[feed] for feed in FEEDS if feeds[feed]},
        "rejects_by_rule": dict(sorted(Counter(r.rule for r in rejects).items())),
        "ignored_by_reason": dict(sorted(ignored.items())),
        "issues_by_code": dict(sorted(issues.items())),
        "config_notes": list(notes),
    }
    lost = files_seen - posts - len(rejects) - ignored.total()
    unplaced = len(articles) - sum(counts)
    if lost or unplaced:  # a fault of newsdata, never of the data
        raise AssertionError(f"accounting does not add up: {lost} files, {unplaced} articles")
    return accounting


def _finish(manifest: Manifest, dataset: Path, card: str) -> Manifest:
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


def _publish_folder(staged: Path, target: Path) -> None:
    """Make the version visible, whole, in one step."""
    for folder, _, files in os.walk(staged):
        for name in files:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
    staged.rename(target)
