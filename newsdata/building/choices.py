"""What a build decides from its options and the version before: borders, splits, ledger, version number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..card.readme import CARD_NAME, read_card
from ..curation.merge import NO_DATE, Articles
from ..curation.splits import Borders, choose_borders, parse_day
from ..errors import CallError, LeakError, RejectsError, VersionError, shown
from ..schema import SPLITS, Reject, Site
from ..sources.source import Source
from ..storage import ledger as ledgers
from ..storage.difference import Difference
from ..storage.manifest import (
    Manifest,
    check_file,
    parse_version,
)
from ..storage.version_rule import next_version
from .planning import Decided

__all__ = [
    "Options",
    "check_leakage",
    "check_rejects",
    "check_version",
    "choose_card",
    "choose_history",
    "choose_text",
    "choose_version",
    "decide_borders",
    "release_note",
    "splits_before",
    "update_ledger",
]


_REJECT_SHARE = 0.01
"""More rejects than this fraction of the posts fail a build for which nothing else was asked,"""
_FEW_REJECTS = 10
"""and more than so many: in a small archive one bad post is more than a hundredth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the caller of `build` asked for; see there. `again` is for `build_again`."""

    version: str | None
    validation_from: str | None
    test_from: str | None
    gap_days: int | None
    drafts: bool | None
    strict: bool
    max_reject_share: float | None
    max_leak: float
    workers: int
    card: str | None
    text: str | None
    history: bool | None = None
    again: bool = False


def decide_borders(base: Manifest | None, articles: Articles | None, site: Site, options: Options) -> Borders:
    """The days between the splits: those of the version before, else as given or chosen from the articles."""
    validation = parse_day(options.validation_from, "--validation-from")
    test = parse_day(options.test_from, "--test-from")
    if base is None or (articles is not None and not base.accounting.get("dates_by_split")):  # no row has a split yet
        assert articles is not None
        return choose_borders(
            articles.published_at,
            site.timezone,
            validation_from=validation,
            test_from=test,
            gap_days=options.gap_days or 0,
        )
    kept = {name: parse_day(base.configuration[name], name) for name in ("validation_from", "test_from", "test_until")}
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


def splits_before(ids: pa.Array, ledger: pa.Table) -> np.ndarray:
    """For each article the number of the split that the ledger has for it, -1 where it is new."""
    numbers = {name: number for number, name in enumerate((*SPLITS, "excluded"))}
    at = pc.index_in(ids, ledger["article_id"].combine_chunks())
    split = ledger["split"].to_pylist()
    return np.array([-1 if i is None else numbers[split[i]] for i in at.to_pylist()], dtype=np.int64)


def update_ledger(
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
        if renamed:
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


def check_rejects(rejects: Sequence[Reject], posts: int, options: Options) -> None:
    """Raise a `RejectsError` where there are more rejects than the build allows."""
    count, share = len(rejects), options.max_reject_share
    too_many = count > (_REJECT_SHARE if share is None else share) * (posts + count) and (
        share is not None or count > _FEW_REJECTS
    )
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


def check_leakage(leakage: Mapping[str, Any] | None, allowed: float) -> None:
    """Raise a `LeakError` where more of a split than `allowed` has a copy in an earlier one."""
    for row in (leakage or {}).get("pairs", ()):
        if row["leak_j50"] > allowed:
            pairs = "".join(
                f"\n  {pair['left']} and {pair['right']}: Jaccard {pair['jaccard']}"
                for pair in (leakage or {}).get("leaking", ())
            )
            raise LeakError(
                f"{row['leak_j50']:.2%} of {row['split']} have a copy in {row['against']} (Jaccard of at least .5):{pairs}",
                hint="--max-leak allows more",
            )


def check_version(wanted: str, there: Sequence[str]) -> None:
    """Raise a `VersionError` unless `wanted` is a version above those that are there."""
    parse_version(wanted)
    if there and parse_version(wanted) <= parse_version(there[-1]):
        raise VersionError(f"{wanted} is not higher than {there[-1]}", hint="versions only go up")


def choose_version(
    wanted: str | None, base: Manifest | None, difference: Difference | None, newest: str | None
) -> str | None:
    """The version to write; None where nothing differs and none was asked for.

    Args:
        wanted: what the caller asked for, above all versions that are there.
        base, difference: the version before, and what changed since.
        newest: the newest version that is there, where that is not the one before: whoever goes from it to the new one finds
            other rows in its splits.
    """
    if base is None or difference is None:
        return wanted or "1.0.0"
    if difference.bump is None:
        return wanted
    needed = next_version(newest, "major") if newest else next_version(base.dataset_version, difference.bump)
    if wanted is None:
        return needed
    if parse_version(wanted) < parse_version(needed):
        why = f"it does not follow {newest}" if newest else "; ".join(difference.reasons)
        raise VersionError(
            f"{wanted} is too small for what changed since {base.dataset_version} ({why})",
            hint=f"use {needed} or higher",
        )
    return wanted


def choose_text(options: Options, base: Manifest | None, newest: Manifest | None) -> str:
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


def choose_card(options: Options, base: Manifest | None, base_folder: Path | None) -> str:
    """The curator's prose: as given, else as in the version before, else the one that newsdata brings."""
    if options.card is not None:
        return options.card
    if base and base_folder and any(file.path == CARD_NAME for file in base.files):
        check_file(base_folder, base, CARD_NAME)
        return read_card(base_folder / CARD_NAME)
    return read_card()


def choose_history(options: Options, base: Manifest | None, opened: Source, text: str) -> bool:
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


def release_note(version: str, draft: Manifest, difference: Difference | None) -> dict[str, Any]:
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
