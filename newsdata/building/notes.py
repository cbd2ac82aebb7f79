"""Notes on a build: what somebody should look at, though it ends no build."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

from ..counts import noun, plural
from ..curation.splits import early_articles
from ..storage.difference import Difference
from ..storage.manifest import Manifest, read_yanked

__all__ = ["notes_on"]

_MUCH_LEAK = 0.05
_GONE_SHARE, _FEW_GONE = 0.1, 10  # so many posts of the version before must be gone for a note, as a share and a number


def notes_on(version: Manifest, folder: Path, difference: Difference | None, unread: int = 0) -> tuple[str, ...]:
    """What somebody should look at, in a version that was written or that stays: one sentence each.

    Args:
        version: its manifest.
        folder: its folder, which may hold the mark of a yanked version.
        difference: to the version before; None for the first version.
        unread: the number of posts of the version before in folders that are links now or cannot be read.
    """
    notes = []
    if (reason := read_yanked(folder)) is not None:
        notes.append(f"{version.dataset_version} was yanked ({reason}); --version builds another one")
    if unread:
        lie = noun(unread, "lies", "lie")
        notes.append(
            f"{plural(unread, 'post')} of the version before {lie} in folders that are links or cannot be read; see the rejects"
        )
    posts = difference.counts().get("posts", {}) if difference else {}
    gone = posts.get("removed", 0)
    before = version.accounting["posts"] + gone - posts.get("added", 0)
    if 2 * gone > before:
        notes.append(f"{gone:,} of {plural(before, 'post')} {noun(gone, 'is', 'are')} gone: is this the right archive?")
    elif gone >= max(_FEW_GONE, _GONE_SHARE * before):
        notes.append(f"{gone:,} of {plural(before, 'post')} are gone: is the archive complete?")
    if difference is None and version.accounting["dates_by_split"] and not version.configuration["validation_from"]:
        notes.append("too few days for a validation and a test split: later versions will have none either")
    if difference is None or "split_scheme" in difference.configuration:
        notes += [*_no_train(version), *_emptied(version), *_leaking(version)]
    if difference and difference.configuration.get("baselines", ("", ""))[1] is None:
        notes.append("the scores of baselines are of other rows, so the card has none: measure this version")
    if difference is None and (early := _early(version)):
        notes.append(f"dated years before all others: {plural(early, 'article')}; is the date right?")
    if difference is None and (newer := version.accounting["articles_by_split"].get("newer", 0)):
        notes.append(f"dated years after all others: {plural(newer, 'article')}, now in `newer`; is the date right?")
    return tuple(notes)


def _no_train(version: Manifest) -> list[str]:
    """A note if no article is in train."""
    accounting, begin = version.accounting, version.configuration["validation_from"]
    if accounting["articles_by_split"].get("train", 0) or not accounting["articles"]:
        return []
    why = f"is dated {begin} or later, or was excluded" if begin else "was excluded"
    return [f"train has no article: each one {why}; --resplit cuts the splits anew"]


def _early(version: Manifest) -> int:
    """How many articles are dated years before all others."""
    statistics = version.statistics or {}
    counts: Counter[date] = Counter()
    for by_day in statistics.get("articles", {}).values():
        for day, count in by_day.items():
            counts[date.fromisoformat(day if statistics["unit"] == "day" else f"{day}-01")] += count
    return early_articles(counts)


def _leaking(version: Manifest) -> list[str]:
    """A note for each split of which articles of train give more than a twentieth away."""
    compared = version.leakage["pairs"] if version.leakage else ()
    return [
        f"{row['leak_any']:.1%} of {row['split']} may be known from train: similar texts, digests or passages; see the card"
        for row in compared
        if row["against"] == "train" and row["split"] != "newer" and row["leak_any"] > _MUCH_LEAK
    ]


def _emptied(version: Manifest) -> list[str]:
    """A note for each split of which more than a tenth was excluded as copies."""
    rows, aside = (version.accounting.get(name, {}) for name in ("articles_by_split", "straddles_by_split"))
    return [
        f"{count:,} of {plural(count + rows.get(split, 0), 'article')} of {split} were excluded as copies of earlier ones"
        for split, count in aside.items()
        if split != "newer" and 10 * count > count + rows.get(split, 0)
    ]
