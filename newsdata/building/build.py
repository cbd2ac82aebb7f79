"""A build: from an archive to a version of the dataset, stage by stage.

`make_version` is the main line. Everything is written to a staging folder, which is renamed when it is complete: a build that
is killed leaves the earlier versions as they were, and the next build continues with the tasks that were not done.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ..card.baselines import read_baselines
from ..card.readme import read_own_card
from ..errors import MachineError
from ..files import expand_home
from ..graph.engine import Engine, Executor, Progress, StageCounts
from ..graph.process import check_memory
from ..objects import Objects, is_object_url
from ..schema import Reject
from ..sources.listing_ahead import ListingAhead
from ..sources.source import Source, open_source
from ..storage.difference import Difference, shards_of_one
from ..storage.manifest import Manifest
from ..storage.statistics import sampled_shards
from .base import Base, follow, read_rejects
from .engines import TAKEOVER, Place, check_engine, open_executor, shared_source
from .gates import check_history, check_leakage, check_out, check_places, check_present, check_rejects
from .mirror import fetch_version
from .notes import notes_on
from .pieces import Piece, put_into
from .request import Request, Settings, check_call, settle
from .stages.describe import (
    choose_version,
    describe_build,
    describe_text_free,
    finish_version,
    write_description,
)
from .stages.group import group_articles
from .stages.history import write_history
from .stages.list import is_unchanged, list_source
from .stages.measure import measure_leakage
from .stages.merge import merge
from .stages.parse import parse_posts
from .stages.sign import sign_articles
from .stages.split import split_articles
from .stages.write import Decided, blank_all, write_shards
from .workspace import Workspace, open_workspace

__all__ = ["STAGES", "Build", "build", "build_again", "make_version"]

STAGES = ("list", "parse", "merge", "sign", "group", "split", "write", "history", "measure", "describe")
"""The names of the stages, in their order."""

_SYNCED_AT_ONCE = 8  # files that are flushed to the disk at the same time
_SHOWN_REJECTS = 1000  # rejects that `Build` holds, at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What `build` did.

    Attributes:
        path: the folder of the version, if it lies in a folder of this machine.
        address: where the version lies: the path of its folder, or its address in a bucket.
        version: "X.Y.Z".
        created: whether the version was written; False if nothing changed and it existed before.
        manifest: of the version.
        stages: for each of `STAGES` what it did: the fields of `graph.engine.StageCounts`.
        rejects: the first 1,000 rejects at most.
        difference: to the version before; None for the first version. `newsdata.diff` also names the columns that differ.
        notes: what somebody should look at, one sentence each.
    """

    path: Path
    address: str
    version: str
    created: bool
    manifest: Manifest
    stages: Mapping[str, Mapping[str, float]]
    rejects: tuple[Reject, ...]
    difference: Difference | None = None
    notes: tuple[str, ...] = ()


def build(
    source: str | Path,
    out: str | Path,
    *,
    version: str | None = None,
    validation_from: str | None = None,
    test_from: str | None = None,
    gap_days: int | None = None,
    resplit: bool = False,
    allow_old_test: bool = False,
    drafts: bool | None = None,
    strict: bool = False,
    max_reject_share: float | None = None,
    max_leak: float = 0.0,
    num_proc: int | None = None,
    partitions: int | None = None,
    card: str | Path | None = None,
    baselines: str | Path | None = None,
    text: str | None = None,
    history: bool | None = None,
    base: str | Path | None = None,
    cache: bool = True,
    progress: Progress | None = None,
    executor: Executor | None = None,
    engine: str = "local",
    place: Place | None = None,
    takeover: float = TAKEOVER,
    ahead: ListingAhead | None = None,
) -> Build:
    """Build a version of the dataset from an archive.

    If there are earlier versions in `out`, only what changed is read and written, shards that stay the same are hard-linked,
    and the version number follows from the difference. If nothing changed, no version is written.

    `out/README.md` then names the files of the newest good version, so that `datasets.load_dataset(out)` opens that one. A
    README.md of somebody else stays as it is, with a note.

    Args:
        source: the archive: a folder, or anything else that `newsdata.sources.source` can open.
        out: the folder that holds the versions; `out/X.Y.Z` is written. It may lie in a bucket (`s3://…`, `gs://…`): then
            the cache lies there, too, shards are copied inside the bucket, and `NEWSDATA_SCRATCH` names a folder for
            copies on this machine.
        version: "X.Y.Z", at least as high as the difference demands; by default exactly that ("1.0.0" for the first one).
        validation_from, test_from: the first day of the split, YYYY-MM-DD in the site's time zone. Only for the first
            version, or with resplit: others keep the borders.
        gap_days: articles within so many days of a border are excluded. Only for the first version, or with resplit.
        resplit: whether the splits are cut anew, as a MAJOR version with another split scheme. The ids of clusters and
            groups stay. Articles of the old test split, and their copies, are excluded unless they are in test again.
        allow_old_test: with resplit, whether articles of the old test split may be in any split.
        drafts: whether posts below `_drafts` are read; by default as in the version before, at first not.
        strict: whether any reject ends the build.
        max_reject_share: more rejects than this fraction of the posts end the build; by default more than .01, if these
            are more than 10.
        max_leak: the share of a split's rows, from 0 to 1, that may have a near-copy in an earlier split (a Jaccard
            similarity of at least .5, among the pairs that were found).
        num_proc: worker processes; by default as many as there are cores. Any number gives the same bytes.
        partitions: into how many parts the steps over all posts are divided; by default one for each 500,000. More take less
            memory and more processor time. Any number gives the same bytes.
        card: the path of the curator's prose; by default as in the version before, at first the one of newsdata.
        baselines: the path of scores that `scripts/baselines.py --json` printed, for the card. They must be of the rows of
            the version that is built. Later versions keep them until rows of train, validation or test change.
        text: "none" blanks every column that carries the publisher's words, and stores the hashes of the full build, which
            `newsdata.rehydrate` makes from a copy of the archive; "full" keeps the words. By default as in the version
            before, at first "full". `out` holds versions of one kind.
        history: whether every earlier revision of the posts is read into the config `revisions`. Only for a git
            repository at a revision, and not with text="none". By default as in the version before, at first not.
        base: the folder of the version to follow, or its address in a bucket; by default the newest one in `out`. A version
            that does not follow the newest one in `out` is a MAJOR version above it.
        cache: whether results of earlier builds may be used. The bytes are the same either way.
        progress: called during the build with the name of the stage, the number of rows that are done, and of all rows.
        executor: runs the tasks, instead of threads and processes of this machine: any object with a method
            `run(function, tasks)` that returns the results in the order of the tasks. Any executor gives the same bytes. Its
            attribute `elsewhere` is True if its workers may be on other hosts.
        engine: "local": threads and processes of this machine; "ray": tasks of Ray, on the cluster that `RAY_ADDRESS` names,
            else on one that is started on this machine. Its hosts know `source` and `out` under the same paths.
        place: rank 0 and the number of ranks, if several processes do the tasks together; the others call
            `newsdata.building.ranks.work_as_rank`.
        takeover: seconds without a sign of life after which the tasks of a rank, or of a worker of Ray that gives no result for
            ten times as long, are given to another one.
        ahead: a listing of the folder that another process is making, from `newsdata.sources.listing_ahead.list_ahead`.

    Raises:
        CallError: an argument is out of range, or arguments do not go together.
        SourceError: the source cannot be opened, a file of it changes while it is read, or it is not a Jekyll site with
            posts.
        VersionError: `version` is too low, the options differ from what earlier versions fixed, or `out` is itself a version.
        ManifestError: a version in `out` has no manifest, or a file of the version to follow is damaged.
        RejectsError: too many posts were rejected; no version is written.
        LeakError: too many articles have a near-copy in an earlier split; no version is written.
        MachineError: no space, no permission, or another build is running in `out`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     again = build("examples/archive", out, num_proc=1)
    >>> made.version, made.created, again.version, again.created
    ('1.0.0', True, '1.0.0', False)
    """
    source, out, base = expand_home(source), expand_home(out), expand_home(base)
    request = Request(
        source=source, out=out, version=version, validation_from=validation_from, test_from=test_from,
        gap_days=gap_days, resplit=resplit, allow_old_test=allow_old_test, drafts=drafts, strict=strict,
        max_reject_share=max_reject_share, max_leak=max_leak,
        card=None if card is None else read_own_card(expand_home(card)),
        baselines=None if baselines is None else read_baselines(expand_home(baselines)), text=text, history=history, base=base,
    )  # fmt: skip
    check_call(request, num_proc, partitions)
    check_engine(engine, place, takeover)
    check_places(request)
    check_memory()
    with (
        open_workspace(out, cache=cache) as workspace,
        open_executor(executor or engine, place, workspace, num_proc, takeover) as running,
    ):
        tasks = Engine(store=workspace.store, executor=running, progress=progress, partitions=partitions)
        made = make_version(replace(request, out=workspace.out), workspace, tasks, ahead)
        note = workspace.update_readme()
        return replace(made, notes=(*made.notes, note)) if note else made


def build_again(base: Path, source: str | Path, workspace: Workspace, engine: Engine) -> Build:
    """Build a text-free version once more, with text, into the staging folder of `workspace`; for `newsdata.rehydrate`.

    Configuration, ledger and borders of shards are those of the version. Only files that it names are read; other posts of
    the source are counted as ignored.

    Args:
        base: the folder of the text-free version.
        source: a copy of the archive.
        workspace: of the folder that the full version goes to.
        engine: runs the tasks.
    """
    out = workspace.staging / "again"
    out.mkdir()
    request = Request(source=source, out=out, base=base, text="full", max_reject_share=1.0, max_leak=1.0, again=True)
    return make_version(request, workspace, engine)


def make_version(request: Request, workspace: Workspace, engine: Engine, ahead: ListingAhead | None = None) -> Build:
    """Build a version: the main line, in the order of docs/architecture.md ("The flow").

    It ends early in two places: if nothing changed since the last build, and if the new version would equal the base.
    """
    out = Path(request.out)
    base = _open_base(request, workspace)
    settings = settle(request, base)
    source = _open_source(request, settings, workspace, engine)

    listed = list_source(source, request, settings, base, engine, ahead)
    if listed.posts is None or is_unchanged(listed, request, settings, base):
        check_rejects(read_rejects(base), base.posts, request)
        workspace.check()
        engine.remember_more(listed.facts)
        return _not_created(base, workspace, engine, None)

    parsed = parse_posts(listed, settings, base, engine)
    check_rejects(parsed.rejects, parsed.posts, request, parsed.unread)
    listed = listed.without_files()
    merged = merge(parsed, engine)
    signed = sign_articles(merged, parsed, listed.site, settings, base, engine)
    grouped = group_articles(merged, signed, listed.site, settings, base, engine)
    placed = split_articles(merged, grouped, listed.site, settings, base, engine)
    decided = Decided(parsed=parsed, merged=merged, grouped=grouped, placed=placed)
    written = write_shards(decided, listed, settings, base, request, engine)
    written = written.with_more(write_history(listed, settings, base, request, engine))
    leakage = measure_leakage(merged, signed, grouped, placed, listed.site, engine)
    check_leakage(leakage, request.max_leak)

    draft = describe_build(listed, decided, written, leakage, settings, base)
    pieces = written.pieces
    if settings.text == "none":
        pieces = blank_all(pieces, settings, listed.site.timezone, engine)
        draft = describe_text_free(draft, pieces)
    dataset = workspace.staging / "version"
    with engine.stage("describe", len(pieces)) as stage:
        _place_shards(dataset, pieces, draft, workspace, None if request.again else base)
        version, difference = choose_version(draft, dataset, request, base)
        if version is not None:
            draft, ledger = finish_version(version, draft, difference, decided, base)
            manifest = write_description(draft, ledger, signed, settings.card, dataset)
        stage.count_task()
    if version is None:
        workspace.check()
        engine.remember(listed.facts)
        return _not_created(base, workspace, engine, difference)
    if workspace.bucket and not request.again:
        workspace.bucket.publish(dataset, pieces, version)
    else:
        _make_visible(dataset, out / version)
    with suppress(OSError, MachineError):  # the version is complete; if this fails, the next build only takes longer
        workspace.check()
        engine.remember(listed.facts)
    return _created(out / version, manifest, workspace, engine, decided, difference)


def _open_source(request: Request, settings: Settings, workspace: Workspace, engine: Engine) -> Source:
    """The archive, as every worker can read it."""
    exclude = workspace.excluded_from(request.source, Path(request.out))
    source = open_source(request.source, scratch=workspace.staging, exclude=exclude)
    check_out(source, request)
    check_history(source, settings)
    return shared_source(source, engine)


def _open_base(request: Request, workspace: Workspace) -> Base:
    """The version that the build follows; the small files of one in a bucket are fetched."""
    wanted = Path(request.base) if request.base else None
    mirrors = {workspace.out: workspace.bucket.out} if workspace.bucket else {}
    if wanted and is_object_url(wanted):
        version = Objects(url=str(request.base))
        out = Objects(url=version.url.rpartition("/")[0])
        mirror = next((folder for folder, mirrored in mirrors.items() if mirrored == out), workspace.staging / "base")
        mirrors[mirror] = out
        wanted = fetch_version(version, mirror)
    base = follow(Path(request.out), wanted, again=request.again)
    remote = mirrors.get(base.folder.parent) if base.folder else None
    return replace(base, remote=remote.inside(base.folder.name)) if remote and base.folder else base


def _place_shards(
    dataset: Path, pieces: Sequence[Piece], draft: Manifest, workspace: Workspace, base: Base | None
) -> None:
    """Put the shards into the folder of the version. If that goes to a bucket, only those that this build reads again."""
    if workspace.bucket:
        read = {shard.path for shard in sampled_shards(draft)}
        read |= {shard.path for shard in shards_of_one(draft, base.manifest)} if base and base.manifest else set()
        pieces, base = [piece for piece in pieces if piece.path in read], None
    put_into(dataset, pieces, base)


def _not_created(base: Base, workspace: Workspace, engine: Engine, difference: Difference | None) -> Build:
    """The answer if no version is written: the base, after its files were checked."""
    check_present(base)
    assert base.manifest and base.folder
    number = base.manifest.dataset_version
    nothing = Difference(old=number, new=number, bump=None, reasons=(), changes=(), configuration={})
    return Build(
        path=base.folder,
        address=workspace.address(base.folder),
        version=number,
        created=False,
        manifest=base.manifest,
        stages=_counts(engine),
        rejects=tuple(read_rejects(base)[:_SHOWN_REJECTS]),
        difference=difference or nothing,
        notes=notes_on(base.manifest, base.folder, difference or nothing),
    )


def _created(
    path: Path,
    manifest: Manifest,
    workspace: Workspace,
    engine: Engine,
    decided: Decided,
    difference: Difference | None,
) -> Build:
    """The answer if a version was written."""
    version = manifest.dataset_version
    return Build(
        path=path,
        address=workspace.address(path),
        version=version,
        created=True,
        manifest=manifest,
        stages=_counts(engine),
        rejects=tuple(decided.parsed.rejects[:_SHOWN_REJECTS]),
        difference=difference and replace(difference, new=version),
        notes=(*notes_on(manifest, path, difference, decided.parsed.unread), *decided.placed.notes),
    )


def _counts(engine: Engine) -> dict[str, dict[str, float]]:
    """What each stage did; zeros for a stage that was not reached."""
    return {name: asdict(engine.counts.get(name, StageCounts())) for name in STAGES}


def _make_visible(staged: Path, target: Path) -> None:
    """Make a version visible in one step: flush its files to the disk, then rename its folder.

    Args:
        staged: the folder of the complete version.
        target: the folder that it becomes, on the same file system.

    Raises:
        MachineError: `target` exists already.
    """
    if os.path.lexists(target):
        raise MachineError(
            "already exists where the new version belongs", path=target, hint="remove it, or use another OUT"
        )
    files = [Path(folder) / name for folder, _, names in os.walk(staged) for name in names]
    with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, (files[n::_SYNCED_AT_ONCE] for n in range(_SYNCED_AT_ONCE))))
    staged.rename(target)


def _sync(files: Sequence[Path]) -> None:
    """Flush files to the disk."""
    for file in files:
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
