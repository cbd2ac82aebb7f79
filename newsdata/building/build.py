"""The whole line: an archive in, a version of the dataset out.

list → parse → merge → duplicates → split → write → card. Everything is written to a staging folder, which is renamed
when it is whole; killed at any moment, a build leaves the earlier versions as they were.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..card.readme import read_card
from ..curation.merge import merge_posts, take_keys
from ..curation.splits import place
from ..errors import CallError, MachineError, ManifestError, SourceError
from ..graph import engine
from ..parsing.post import PARSER_VERSION
from ..parsing.site import POST_FOLDERS, read_site
from ..schema import SCHEMA_VERSION, Reject
from ..sources.source import Files, Source, list_files, open_source, read_file, read_files
from ..storage import ledger as ledgers
from ..storage.difference import Difference, compare
from ..storage.manifest import (
    File,
    Manifest,
    Shard,
    read_manifest,
    read_yanked,
    versions_in,
    without_manifest,
)
from ..storage.rows import Spool
from ..storage.text_free import blank_version
from ..storage.version_rule import next_version
from .accounting import account_for, check_written, describe_configuration, describe_site, describe_source
from .choices import (
    Options,
    check_leakage,
    check_rejects,
    check_version,
    choose_card,
    choose_history,
    choose_text,
    choose_version,
    decide_borders,
    release_note,
    splits_before,
    update_ledger,
)
from .intake import REDACTED, Intake, check_intake, digest_listing, parse_all, read_keys, read_rejects, take_in
from .planning import Decided, PostShard
from .tasks import SPOOL_BATCH, Parsed
from .workspace import (
    CachedShard,
    Workspace,
    drop_unused,
    keep_known,
    known_hashes,
    open_workspace,
    read_cached_signatures,
    read_known,
    read_listed,
    write_cached_shards,
    write_known,
)
from .writing import (
    Target,
    publish_folder,
    write_all_origins,
    write_all_revisions,
    write_manifest_and_card,
    write_shards,
)

__all__ = ["Build", "build", "build_again"]

_TOOLS = ("newsdata", "pyarrow", "numpy", "turbohtml", "markdown-it-py", "python-frontmatter", "PyYAML", "tzdata")

_SMALL = 24 * 2**20
"""Bytes of posts below which starting processes takes about as long as reading them."""

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
        difference: to the version before; None for the first one. `newsdata.diff` names the columns of every row, too.
        notes: what whoever runs the build should look at, one sentence each.
    """

    path: Path
    version: str
    created: bool
    manifest: Manifest
    stages: Mapping[str, Mapping[str, float]]
    rejects: tuple[Reject, ...]
    difference: Difference | None = None
    notes: tuple[str, ...] = ()


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
    max_reject_share: float | None = None,
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
        source: the archive: a folder, see `newsdata.sources.source` for what else.
        out: the folder that holds the versions; `out/X.Y.Z` is written.
        version: "X.Y.Z", at least as high as the difference asks for; by default exactly that ("1.0.0" at first).
        validation_from, test_from: first day of the split, YYYY-MM-DD in the site's time zone. Only for the first
            version: later ones keep its borders.
        gap_days: days on each side of a border that are set aside.
        drafts: whether posts below `_drafts` are read; by default as in the version before, at first not.
        strict: any reject fails the build.
        max_reject_share: more rejects than this fraction of the posts fail the build; by default more than .01 and
            more than 10.
        max_leak: share of a split's rows that may have a copy (Jaccard of at least .5, among the pairs found) in an
            earlier split.
        num_proc: worker processes; by default as many as there are cores. Any number gives the same bytes.
        card: the curator's prose; by default as in the version before, at first the one that newsdata brings.
        text: "none" blanks every field that carries the publisher's words and stores the hashes of the full build, which
            `newsdata.rehydrate` makes from a copy of the archive; "full" keeps them. By default as in the version
            before, at first "full"; `out` holds versions of one kind.
        history: whether every earlier revision of the posts is read into the config `revisions`; only for a git
            repository at a revision, and not with text="none". By default as in the version before, at first not.
        base: folder of the version to follow; by default the newest one in `out`. A version that does not follow the
            newest one in `out` is a MAJOR above it.
        cache: whether what earlier builds read may be used. The bytes are the same either way.
        progress: called as the build goes on, with the stage, the rows that are done and the rows there are.

    Raises:
        SourceError: the source cannot be opened, or nothing in it looks like the site that the version before was built from.
        VersionError: the version cannot be used.
        ManifestError: a version in `out` is damaged where it matters: no manifest, or a file of the one to follow.
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
    _check_call(source, out, gap_days, max_reject_share, max_leak, num_proc)
    engine.check_memory()
    out = Path(out)
    clock = _Clock(progress)
    options = Options(
        version=version,
        validation_from=validation_from,
        test_from=test_from,
        gap_days=gap_days,
        drafts=drafts,
        strict=strict,
        max_reject_share=max_reject_share,
        max_leak=max_leak,
        workers=num_proc or engine.available_cores(),
        card=None if card is None else read_card(card),
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


_MOST_GAP_DAYS = 36_500


def _check_call(
    source: str | Path,
    out: str | Path,
    gap_days: int | None,
    max_reject_share: float | None,
    max_leak: float,
    num_proc: int | None,
) -> None:
    """Refuse what would be taken for something else, or end in an error far from here."""
    for field_name, place_name in (("source", source), ("out", out)):
        if not str(place_name).strip():
            raise CallError("the name is empty", field=field_name, hint="write . for the current folder")
    if num_proc is not None and (type(num_proc) is not int or num_proc < 1):
        raise CallError(f"{num_proc!r} is no number of workers", field="num_proc", hint="give 1 or more")
    if gap_days is not None and (type(gap_days) is not int or not 0 <= gap_days <= _MOST_GAP_DAYS):
        raise CallError(f"{gap_days!r} is no number of days", field="gap_days", hint=f"give 0 to {_MOST_GAP_DAYS:,}")
    for field_name, share in (("max_reject_share", max_reject_share), ("max_leak", max_leak)):
        if share is not None and not 0 <= share <= 1:  # not a number is neither
            raise CallError(f"{share!r} is no share", field=field_name, hint="give a number from 0 to 1")


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
    options = Options(
        version=None, validation_from=None, test_from=None, gap_days=None, drafts=None, strict=False,
        max_reject_share=1.0, max_leak=1.0, workers=num_proc or engine.available_cores(), card=None, text="full", again=True,
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
    options: Options,
    base_folder: Path | None,
) -> Build:
    there = versions_in(out)
    if lost := without_manifest(out):
        raise ManifestError(
            "this version has no manifest, so nothing can follow it",
            path=out / lost[-1],
            hint="take manifest.json from a good copy, or take the folder away",
        )
    newest = out / there[-1] if there else None
    base_folder = base_folder or newest
    passed_over = newest is not None and base_folder is not None and base_folder.resolve() != newest.resolve()
    base = read_manifest(base_folder) if base_folder else None
    ledger = ledgers.read_ledger(base_folder, base) if base and base_folder else ledgers.empty_ledger()
    redacted = ledgers.buried(ledger)
    if not options.again:
        for folder in dict.fromkeys([out, base_folder.absolute().parent] if base_folder else [out]):
            redacted = {**_redacted_in(folder, base_folder), **redacted}
    refused = ledgers.refused_contents(redacted)
    if options.version:
        check_version(options.version, there)
    card = choose_card(options, base, base_folder)
    text = choose_text(options, base, read_manifest(newest) if newest and passed_over else None)
    dataset = workspace.staging / "version"
    dataset.mkdir()

    tools = {name: installed(name) for name in _TOOLS}
    about = f"{sorted(tools.items())} schema {SCHEMA_VERSION} parser {PARSER_VERSION}"

    # ------------------------------------------------------------------------------------------- listing
    with clock.stage("listing", 0) as advance:
        opened = open_source(source, scratch=workspace.staging, exclude=out)
        if opened.exclude and not POST_FOLDERS.isdisjoint(Path(opened.exclude).parts):
            reason = "the output folder lies among the source's posts, which would be read from it"
            raise SourceError(reason, path=out, hint="give one outside of the posts")
        history = choose_history(options, base, opened, text)
        known = read_known(workspace)
        listing = list_files(opened)
        drafts = options.drafts if options.drafts is not None else bool(base and base.configuration["drafts"])
        config = read_file(opened, "_config.yml")
        site, config_notes = read_site(config, drafts=drafts)
        files_seen = len(listing.files) + len(listing.rejects)
        settings = {"site": describe_site(site), "card": hashlib.sha256(card.encode()).hexdigest()[:16]}
        listed = digest_listing(listing, site, config, redacted, about)
        may_stay = (
            base is not None
            and base_folder is not None
            and not options.version
            and base.tools == tools
            and base.schema_version == SCHEMA_VERSION
            and not history  # a commit may have changed the past, or been undone by a later one
            and not base.configuration.get("history")
            and all(base.configuration.get(name) == value for name, value in settings.items())
            and base_folder.parent.resolve() == out.resolve()
        )
        # Where the last build saw the same listing and made this version's source of it, no name has to be looked at.
        seen_before = base is not None and (listed, base.source.get("digest")) == read_listed(workspace)
        taken = run = None
        if not (may_stay and seen_before):
            large = pc.sum(listing.files.size, min_count=0).as_py() > _SMALL
            all_new = not known.num_rows  # then there is much to do, and they start while the files are looked at
            run = stack.enter_context(engine.workers(options.workers if large else 1, at_once=large and all_new))
            taken = take_in(listing, site, redacted, base, base_folder, again=options.again)
            if not options.again:
                check_intake(taken, base, source)
            planned = taken.planned()
            hashes = known_hashes(planned, known)
            as_before = hashes.is_valid()
            if may_stay and base and known.num_rows and len(planned) + len(taken.rejects) == base.source["files"]:
                hashes = _hash_rest(opened, planned, hashes)  # it may be what it was
            del planned
        del known
        listed_at = listing.listed_at
        del listing
    clock.stages["listing"]["rows"] = files_seen

    if may_stay and base and base_folder and (taken is None or _is_source_of(base, taken, hashes, config)):
        _check_present(base_folder, base)
        decide_borders(base, None, site, options)  # a wish for other borders is refused, not passed over
        kept_rejects = read_rejects(base_folder, base)
        check_rejects(kept_rejects, base.accounting["posts"], options)
        if taken:  # some files were touched, and are as they were
            with suppress(OSError):
                write_known(workspace, taken.planned(), hashes, as_before, listed_at, listed, base.source["digest"])
                keep_known(workspace)
        number = base.dataset_version
        nothing = Difference(old=number, new=number, bump=None, reasons=(), changes=(), configuration={})
        return Build(
            path=base_folder, version=number, created=False, manifest=base, stages=clock.stages,
            rejects=tuple(kept_rejects[:1000]), difference=nothing, notes=_notes(base, base_folder, nothing),
        )  # fmt: skip
    from .grouping import BOILERPLATE_NAME, find_groups, measure_leakage  # not needed where nothing changed

    assert taken and run
    early_rejects, ignored, own_ids, plan = taken

    # ------------------------------------------------------------------------------------------- parsing
    with clock.stage("parsing", len(hashes)) as advance:
        engine.release_memory()  # what listing took is in the way of the workers
        parsed, read = parse_all(plan, workspace, hashes, opened, site, own_ids, refused, about, run, advance)
        read_from = describe_source(plan, read, early_rejects, config)
        engine.release_memory()
        write_known(workspace, taken.planned(), read, as_before, listed_at, listed, read_from["digest"])
        # The files themselves are not needed any more.
        del taken, hashes, as_before, read
        if opened.kind != "git":
            plan = [replace(shard, files=Files.of(())) for shard in plan]
        engine.release_memory()
    if gone := sum(p.redacted for p in parsed):
        ignored[REDACTED] += gone
    rejects = sorted((*early_rejects, *(r for p in parsed for r in p.rejects)), key=lambda r: r.path)
    posts = sum(p.posts.rows for p in parsed if p.posts)
    check_rejects(rejects, posts, options)

    # ------------------------------------------------------------------------------------------- merging
    with clock.stage("merging", posts) as advance:
        keys, post_hashes = take_keys(read_keys(workspace.cache, p.name) for p in parsed)
        articles = merge_posts(keys)
        del keys
        engine.release_memory()
        advance(posts)

    # ---------------------------------------------------------------------------------------- duplicates
    rows_before = np.cumsum([0, *(p.posts.rows if p.posts else 0 for p in parsed)])
    spool = Spool(files=tuple(workspace.cache / f"{p.name}.spool" for p in parsed), batch=SPOOL_BATCH)
    with clock.stage("duplicates", len(articles)) as advance:
        signed_before = read_cached_signatures(workspace)
        earlier = {n: signed_before[shard.path] for n, shard in enumerate(plan) if shard.path in signed_before}
        found = find_groups(
            articles, post_hashes, rows_before, spool, site.timezone, ledger, base, base_folder, workspace.cache,
            f"{about} {describe_site(site)}", earlier, run, advance,
        )  # fmt: skip
        clusters, groups = found.clusters, found.groups
        engine.release_memory()

    # ----------------------------------------------------------------------------------------- splitting
    with clock.stage("splitting", len(articles)) as advance:
        borders = decide_borders(base, articles, site, options)
        before = splits_before(articles.article_id, ledger)
        group_numbers = groups.dictionary_encode().indices.to_numpy()
        placement = place(articles.published_at, group_numbers, borders, site.timezone, before=before)
        engine.release_memory()
        advance(len(articles))
    decided = Decided(
        articles=articles,
        posts=post_hashes,
        rows_before=rows_before,
        clusters=clusters,
        groups=groups,
        placement=placement,
    )

    # ------------------------------------------------------------------------------------------- writing
    with clock.stage("writing", len(articles)) as advance, ThreadPoolExecutor(1) as beside:
        measured = beside.submit(measure_leakage, found, articles, placement, site.timezone)
        target = Target(
            dataset=dataset, site=site, workspace=workspace, base=base, run=run,
            base_folder=None if options.again else base_folder, about=f"{about} {describe_site(site)}",
        )  # fmt: skip
        shards, filled, cached = write_shards(decided, parsed, plan, rejects, spool, target, advance)
        from_git = write_all_origins(opened, plan, target, rebuilt=base_folder if options.again else None)
        if history:
            past, known_past = write_all_revisions(opened, own_ids, redacted, target)
            from_git += past
            cached |= known_past
        for shard, columns in from_git:
            shards += (shard,)
            kept = Counter(filled.get(shard.config, {}))
            kept.update(columns)
            filled[shard.config] = dict(kept)
        leakage = measured.result()
        check_leakage(leakage, options.max_leak)

    if text != "none":
        stack.close()  # the workers are done, and what follows needs their memory

    # ---------------------------------------------------------------------------------------------- card
    with clock.stage("card", 1) as advance:
        draft = Manifest(
            dataset_version="0.0.0",
            follows=base.dataset_version if base else None,
            schema_version=SCHEMA_VERSION,
            configuration=describe_configuration(site, borders)
            | {"dedup_version": found.report["dedup_version"]}
            | settings
            | ({"history": True} if history else {}),
            source=read_from | {"bytes": sum(p.sizes for p in parsed)},
            tools=tools,
            accounting=account_for(
                files_seen, posts, rejects, ignored, articles, placement, parsed, site, config_notes
            ),
            columns=filled,
            shards=shards,
            duplicates=found.report,
            leakage=leakage,
        )
        check_written(draft.shards, draft.accounting)
        if text == "none":
            draft = blank_version(draft, dataset, base, base_folder, run)
            stack.close()
        difference = None
        if base and base_folder and not options.again:
            difference = compare(base_folder, base, dataset, draft, name_columns=False)
        version = choose_version(options.version, base, difference, there[-1] if passed_over else None)
        if version is None and base is not None and base_folder is not None:
            _check_present(base_folder, base)
            _remember(workspace, plan, parsed, cached, found.files)
            return Build(
                path=base_folder, version=base.dataset_version, created=False, manifest=base, stages=clock.stages,
                rejects=tuple(rejects[:1000]), difference=difference, notes=_notes(base, base_folder, difference),
            )  # fmt: skip
        assert version is not None
        next_ledger = update_ledger(ledger, decided, found.aliases, before, version)
        ledgers.write_ledger(ledgers.bury(next_ledger, redacted, version), dataset)
        found.boilerplate.save(dataset / BOILERPLATE_NAME)
        changes = (*(base.changes if base else ()), release_note(version, draft, difference))
        if options.again and base:
            draft, version, changes = replace(draft, follows=base.follows), base.dataset_version, base.changes
        manifest = write_manifest_and_card(replace(draft, dataset_version=version, changes=changes), dataset, card)
        advance(1)
    publish_folder(dataset, out / version)
    with suppress(OSError):  # the version stands; without the cache the next build is only slower
        _remember(workspace, plan, parsed, cached, found.files)
    return Build(
        path=out / version,
        version=version,
        created=True,
        manifest=manifest,
        stages=clock.stages,
        rejects=tuple(rejects[:1000]),
        difference=difference and replace(difference, new=version),
        notes=_notes(manifest, out / version, difference),
    )


def _notes(version: Manifest, folder: Path, difference: Difference | None) -> tuple[str, ...]:
    """What to look at in a version that was built, or stays."""
    notes = []
    if (reason := read_yanked(folder)) is not None:
        notes.append(f"{version.dataset_version} was yanked ({reason}); --version builds another one")
    posts = difference.counts().get("posts", {}) if difference else {}
    gone = posts.get("removed", 0)
    before = version.accounting["posts"] + gone - posts.get("added", 0)
    if not version.accounting["posts"] + version.accounting["rejects"]:
        notes.append("no file is a post: give the folder of the site itself, the one that holds _posts")
    if 2 * gone > before:
        notes.append(f"{gone:,} of {before:,} posts are gone: is this the right archive?")
    if difference is None and version.accounting["dates_by_split"] and not version.configuration["validation_from"]:
        notes.append("too few days for a validation and a test split: later versions will have none either")
    if difference is None and (newer := version.accounting["articles_by_split"].get("newer", 0)):
        notes.append(
            f"{newer:,} articles are dated years after all others and stand in `newer`: are their dates right?"
        )
    return tuple(notes)


def _redacted_in(out: Path, base_folder: Path | None) -> dict[str, str]:
    """What was redacted in a folder of versions, whichever of them a build follows; but for what the base itself says."""
    found = ledgers.read_redactions(out)
    for version in reversed(versions_in(out)):
        if base_folder and base_folder.resolve() == (out / version).resolve():
            break
        with suppress(ManifestError):  # damaged; the others have tombstones, too
            return ledgers.buried(ledgers.read_ledger(out / version, read_manifest(out / version))) | found
    return found


def _check_present(folder: Path, version: Manifest) -> None:
    """Raise a `ManifestError` where a file of a version is gone or cut: a new one is not written where nothing changed."""
    everything: list[Shard | File] = [*version.shards, *version.files]
    for file in everything:
        path = folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise ManifestError(
                "is missing or damaged, and nothing changed that would ask for a new version",
                path=path,
                hint=f"build one all the same, with --version {next_version(version.dataset_version, 'patch')}",
            )


def _hash_rest(source: Source, files: Files, hashes: pa.StringArray) -> pa.StringArray:
    """The hashes of all files: those that are new or were touched are read for it. Null for one that cannot be."""
    rest = [
        hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else None
        for _, data in read_files(source, files.take(np.flatnonzero(hashes.is_null())))
    ]
    return pc.replace_with_mask(hashes, hashes.is_null(), pa.array(rest, pa.string()))


def _is_source_of(base: Manifest, taken: Intake, hashes: pa.StringArray, config: bytes | None) -> bool:
    """Whether a version was made from just these files."""
    if hashes.null_count or len(hashes) + len(taken.rejects) != base.source["files"]:
        return False
    return describe_source(taken.plan, hashes, taken.rejects, config) | {"bytes": 0} == dict(base.source) | {"bytes": 0}


def _remember(
    workspace: Workspace,
    plan: Sequence[PostShard],
    parsed: Sequence[Parsed],
    cached: Mapping[str, CachedShard],
    signed: Mapping[int, Path],
) -> None:
    keep_known(workspace)
    tasks = {shard.path: p.name for shard, p in zip(plan, parsed, strict=True)}
    signatures = {plan[number].path: file.stem for number, file in signed.items()}
    write_cached_shards(workspace, cached, tasks, signatures)
    drop_unused(workspace, {*tasks.values(), *signatures.values()})
