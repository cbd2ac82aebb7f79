"""Stage describe: accounting, difference, version number, ledger, card and manifest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ...arrow_files import join_tables
from ...card.baselines import describe_baselines
from ...card.cite import CITATION_NAME, render_cff
from ...card.contents import frozen_digest
from ...card.croissant import render_croissant
from ...card.pictures import draw_pictures
from ...card.readme import CARD_NAME, card_facts, citation_of, read_card, render_card
from ...curation.merge import FEEDS, NO_DATE
from ...curation.splits import Borders, Placement, local_days
from ...errors import CallError, VersionError
from ...schema import SCHEMA_VERSION, SPLITS
from ...storage.difference import Difference, compare, shards_of_one
from ...storage.ledger import LEDGER_SCHEMA, add_tombstones, write_ledger
from ...storage.manifest import BOILERPLATE_NAME, File, Manifest, hash_file, parse_version, write_manifest
from ...storage.statistics import choose_sample, sum_statistics
from ...storage.text_free import blank_manifest
from ...storage.version_rule import next_version
from ..base import Base
from ..gates import REDACTED, check_rows
from ..pieces import Piece, filled_cells
from ..request import Request, Settings
from .list import Listed, describe_card, describe_site
from .next_ledger import next_ledger
from .sign import Signed
from .write import Decided, WrittenShards

__all__ = [
    "account_for",
    "choose_version",
    "describe_build",
    "describe_text_free",
    "finish_version",
    "write_description",
    "write_files",
]


def describe_build(
    listed: Listed,
    decided: Decided,
    written: WrittenShards,
    leakage: Mapping[str, Any] | None,
    settings: Settings,
    base: Base,
) -> Manifest:
    """The manifest of a full version, still without its number, its release note and the files beside the shards.

    Raises:
        AssertionError: the rows that were written are not those that were counted.
    """
    draft = Manifest(
        dataset_version="0.0.0",
        follows=base.manifest.dataset_version if base.manifest else None,
        schema_version=SCHEMA_VERSION,
        configuration=_configuration(listed, decided.placed.borders, settings.split_scheme)
        | {"dedup_version": decided.grouped.report["dedup_version"]}
        | {"site": describe_site(listed.site), "card": describe_card(settings.card)}
        | ({"history": True} if settings.history else {}),
        source=listed.described,
        tools=settings.tools,
        accounting=account_for(listed, decided),
        columns=filled_cells(written.pieces),
        shards=tuple(piece.shard for piece in written.pieces),
        statistics=sum_statistics(
            written.counts, decided.grouped.has_copies, decided.placed.placement.split, named=True
        ),
        duplicates=decided.grouped.report,
        leakage=leakage,
    )
    check_rows(draft.shards, draft.accounting)
    return _with_baselines(draft, settings, base)


def _with_baselines(draft: Manifest, settings: Settings, base: Base) -> Manifest:
    """The manifest with the scores of baselines, if there are some. Those of the base are left out if rows changed.

    Raises:
        CallError: the scores that were asked for are of other rows.
    """
    scores = settings.baselines
    if scores is None:
        return draft
    if scores["content"] != frozen_digest(draft):
        if base.manifest and scores == base.manifest.baselines:
            return draft
        raise CallError(
            f"the scores were measured on version {scores['version']}, which has other rows of train, validation or test",
            field="baselines",
            hint="build without --baselines, measure the new version, then build once more with --baselines",
        )
    configuration = {**draft.configuration, "baselines": describe_baselines(scores)}
    return replace(draft, configuration=configuration, baselines=scores)


def describe_text_free(full: Manifest, pieces: Sequence[Piece]) -> Manifest:
    """The manifest of a text-free version, from that of the full one and the text-free shards."""
    return blank_manifest(full, [piece.shard for piece in pieces], filled_cells(pieces))


def _configuration(listed: Listed, borders: Borders, split_scheme: int) -> dict[str, Any]:
    """The settings that decide the rows, for the manifest."""

    def day(value: object) -> str | None:
        return None if value is None else str(value)

    assert listed.posts is not None
    site = listed.site
    said = {"site_title": site.title, "site_language": site.lang, "site_address": site.address}
    return {
        "timezone": site.timezone,
        "drafts": site.drafts,
        "validation_from": day(borders.validation_from),
        "test_from": day(borders.test_from),
        "test_until": day(borders.test_until),
        "gap_days": borders.gap_days,
        "split_scheme": split_scheme,
        "shard_rows": listed.posts.shard_rows,
        "text": "full",
    } | {name: value for name, value in said.items() if value}


def account_for(listed: Listed, decided: Decided) -> dict[str, Any]:
    """The accounting for the manifest: where every file and every article went.

    Raises:
        AssertionError: the sums are not equal, which is a fault of newsdata, never of the data.
    """
    parsed, articles, placement = decided.parsed, decided.merged.articles, decided.placed.placement
    assert listed.posts is not None
    ignored = Counter(listed.posts.ignored)
    if parsed.redacted:
        ignored[REDACTED] += parsed.redacted
    counts = np.bincount(placement.split, minlength=len(SPLITS) + 1).tolist()
    feeds = parsed.counts("feeds")
    accounting = {
        "files_seen": listed.files_seen,
        "posts": parsed.posts,
        "rejects": len(parsed.rejects),
        "ignored": ignored.total(),
        "articles": len(articles),
        "merged_posts": parsed.posts - len(articles),
        "excluded": counts[-1],
        "articles_by_split": dict(zip(SPLITS, counts, strict=False)),
        "dates_by_split": _dates_by_split(decided, listed.site.timezone),
        "straddles_by_split": _straddles(placement),
        "excluded_by_reason": dict(sorted(Counter(r for r in placement.reason.tolist() if r).items())),
        "posts_by_feed": {feed: feeds[feed] for feed in FEEDS if feeds[feed]},
        "rejects_by_rule": dict(sorted(Counter(reject.rule for reject in parsed.rejects).items())),
        "ignored_by_reason": dict(sorted(ignored.items())),
        "issues_by_code": dict(sorted(parsed.counts("issues").items())),
        "config_notes": list(listed.config_notes),
    }
    lost = listed.files_seen - parsed.posts - len(parsed.rejects) - ignored.total()
    unplaced = len(articles) - sum(counts)
    if lost or unplaced:
        raise AssertionError(f"accounting does not add up: {lost} files, {unplaced} articles")
    return accounting


def _straddles(placement: Placement) -> dict[str, int]:
    """For each split the number of articles that would be in it by date, but are excluded as copies."""
    counts = np.bincount(placement.by_date[placement.reason == "straddle"], minlength=len(SPLITS))
    return {split: count for split, count in zip(SPLITS, counts.tolist(), strict=True) if count}


def _dates_by_split(decided: Decided, timezone: str) -> dict[str, list[str]]:
    """The first and the last day of each split that has dated articles."""
    articles, placement = decided.merged.articles, decided.placed.placement
    dated = articles.published_at != NO_DATE
    dates = {}
    for number, split in enumerate(SPLITS):
        times = articles.published_at[(placement.split == number) & dated]
        if len(times):
            days = local_days(np.array([times.min(), times.max()]), timezone)
            dates[split] = [str(day) for day in days]
    return dates


# -------------------------------------------------------------------------------------------------------- version


def choose_version(
    draft: Manifest, dataset: Path, request: Request, base: Base
) -> tuple[str | None, Difference | None]:
    """Compare the new version with the base and choose its number.

    Args:
        draft: the manifest without a number.
        dataset: the folder with the new shards.
        request, base: of the build.

    Returns:
        The number, or None if the new version would equal the base; and the difference to the base, None without a base.

    Raises:
        VersionError: the version that was asked for is too small for what changed.
    """
    if base.manifest is None or base.folder is None:
        return request.version or "1.0.0", None
    if request.again:
        return base.manifest.dataset_version, None
    base.fetch(shards_of_one(base.manifest, draft))
    difference = compare(base.folder, base.manifest, dataset, draft, name_columns=False)
    if difference.bump is None:
        return request.version, difference
    # From the newest version to this one, rows of the splits change, so the new one is a MAJOR version above it.
    newest = base.newer.dataset_version if base.newer else None
    needed = next_version(newest, "major") if newest else next_version(base.manifest.dataset_version, difference.bump)
    wanted = request.version or needed
    if parse_version(wanted) < parse_version(needed):
        why = f"it does not follow {newest}" if newest else "; ".join(difference.reasons)
        raise VersionError(
            f"{wanted} is too small for what changed since {base.manifest.dataset_version} ({why})",
            hint=f"use {needed} or higher",
        )
    return wanted, difference


def finish_version(
    version: str, draft: Manifest, difference: Difference | None, decided: Decided, base: Base
) -> tuple[Manifest, Iterator[pa.Table]]:
    """The manifest with its number and release note, and the rows of its ledger."""
    if base.manifest and base.manifest.dataset_version == version:  # built again
        draft, changes = replace(draft, follows=base.manifest.follows), base.manifest.changes
    else:
        changes = (*(base.manifest.changes if base.manifest else ()), _release_note(version, difference))
    ledger = add_tombstones(next_ledger(decided, base, version), base.redacted, version)
    return replace(draft, dataset_version=version, changes=changes), ledger


def _release_note(version: str, difference: Difference | None) -> dict[str, Any]:
    """The entry of `Manifest.changes`: what is new in a version, in numbers. The card shows it."""
    if difference is None:
        return {"version": version, "bump": None, "reasons": ["first version"], "rows": {}}
    return {
        "version": version,
        "follows": difference.old,
        "bump": difference.bump,
        "reasons": list(difference.reasons) or ["nothing changed"],
        "rows": difference.counts(),
    }


# ---------------------------------------------------------------------------------------------------------- files


def write_description(
    manifest: Manifest, ledger: Iterable[pa.Table], signed: Signed, card: str, dataset: Path
) -> Manifest:
    """Write ledger, boilerplate, card, Croissant, citation and manifest into the folder of a version.

    Args:
        manifest: without the files beside the shards, and with statistics without a sample.
        ledger: its rows, in parts.
        signed: has the list of boilerplate.
        card: the curator's prose.
        dataset: the folder.

    Returns:
        The manifest with these files, and with the statistics of the rows.
    """
    write_ledger(join_tables(ledger, LEDGER_SCHEMA, dataset.parent), dataset)
    signed.boilerplate.save(dataset / BOILERPLATE_NAME)
    if manifest.statistics is not None:
        sample = choose_sample(dataset, manifest)
        manifest = replace(manifest, statistics={**manifest.statistics, "sample": sample})
    return write_files(manifest, card, dataset)


def write_files(
    manifest: Manifest, card: str, dataset: Path, *, notice: str = "", marked: Manifest | None = None
) -> Manifest:
    """Write card, pictures, Croissant and manifest into the folder of a version, where everything else is.

    Args:
        manifest: without the files beside the shards.
        card: the curator's prose.
        dataset: the folder.
        notice: a paragraph for the beginning of the card.
        marked: the manifest to write, if it is another one than the card tells of.

    Returns:
        The manifest that was written, with these files.
    """
    title = card_facts(card).get("pretty_name") or "news archive"
    name = re.sub(r"[^a-z0-9]+", "-", str(title).lower()).strip("-") or "news-archive"
    readme = render_card(card, manifest, name=name)
    if notice:
        readme = re.sub(
            r"\A(---\n.*?^---\n)", lambda header: f"{header[1]}\n{notice}\n", readme, flags=re.DOTALL | re.MULTILINE
        )
    croissant = render_croissant(manifest, readme, name=name)
    cff = render_cff(citation_of(readme, name), manifest, card_facts(readme)["tags"])
    own = [] if card == read_card() else [(CARD_NAME, card)]  # kept, because the next version uses it, too
    pictures = [(picture.path, picture.svg) for picture in draw_pictures(manifest)]
    if pictures:
        (dataset / "assets").mkdir(exist_ok=True)
    described = (("README.md", readme), ("croissant.json", croissant), (CITATION_NAME, cff))
    for path, text in (*described, *own, *pictures):
        (dataset / path).write_text(text, encoding="utf-8", newline="\n")
    files = []
    for file in sorted(p for p in dataset.rglob("*") if p.suffix != ".parquet" and p.is_file()):
        size, sha256 = hash_file(file)
        files.append(File(path=file.relative_to(dataset).as_posix(), bytes=size, sha256=sha256))
    manifest = replace(marked or manifest, files=tuple(files))
    write_manifest(manifest, dataset)
    return manifest
