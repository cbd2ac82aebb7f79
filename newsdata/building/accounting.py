"""What the manifest says of a build: its configuration, its source, and where every file went."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import FEEDS, NO_DATE, Articles
from ..curation.splits import Borders, Placement, local_days
from ..schema import CONFIGS, SPLITS, Reject, Site
from ..storage.manifest import Shard
from .planning import PostShard
from .tasks import Parsed

__all__ = [
    "account_for",
    "check_written",
    "describe_configuration",
    "describe_site",
    "describe_source",
    "unequal_sums",
]


_LINES = 10_000  # that are put together at once


def describe_configuration(site: Site, borders: Borders) -> dict[str, Any]:
    """The choices that shaped the rows, as the manifest holds them."""

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


def describe_site(site: Site) -> str:
    """A digest of what `_config.yml` says about reading posts."""
    return hashlib.sha256(repr(site).encode()).hexdigest()[:16]


def describe_source(
    plan: Sequence[PostShard], hashes: pa.StringArray, early: Sequence[Reject], config: bytes | None
) -> dict[str, Any]:
    """One digest over everything that was read, in the order of the paths.

    Args:
        hashes: of all planned files, in order; null where one could not be read.
    """
    paths = [*(shard.files.path for shard in plan), pa.array([reject.path for reject in early], pa.string())]
    read = [hashes.fill_null("None"), pa.array([reject.rule for reject in early], pa.string())]
    seen = pa.table({"path": pa.concat_arrays(paths), "read": pa.concat_arrays(read)})
    order = pc.sort_indices(seen, [("path", "ascending"), ("read", "ascending")])
    digest = hashlib.sha256()
    for begin in range(0, len(order), _LINES):
        some = seen.take(order[begin : begin + _LINES]).combine_chunks()
        lines = pc.binary_join_element_wise(some["path"], some["read"], "\0").combine_chunks()
        digest.update(b"\n" if begin else b"")
        digest.update(pc.binary_join(pa.ListArray.from_arrays([0, len(lines)], lines), "\n")[0].as_buffer())
    digest.update(hashlib.sha256(config or b"").digest())
    return {"files": len(seen), "digest": digest.hexdigest()}


def unequal_sums(accounting: Mapping[str, Any], rows: Mapping[tuple[str, str], int]) -> list[tuple[str, int, int]]:
    """The sums of an accounting that are not equal: what it is, what was counted, and what was found.

    Args:
        accounting: as `account_for` gives it.
        rows: of the shards, by (config, split); what has none may be missing.
    """
    written = {(config, split): rows.get((config, split), 0) for config in CONFIGS for split in CONFIGS[config]}
    excluded = written["excluded", "excluded"]
    every = sum(written["articles", split] for split in SPLITS) + excluded
    parts = accounting["posts"] + accounting["rejects"] + accounting["ignored"]
    sums = [
        ("files_seen = posts + rejects + ignored", accounting["files_seen"], parts),
        ("posts = articles + merged_posts", accounting["posts"], accounting["articles"] + accounting["merged_posts"]),
        ("rows of posts", accounting["posts"], written["posts", "posts"]),
        ("rows of rejects", accounting["rejects"], written["rejects", "rejects"]),
        ("rows of excluded", accounting["excluded"], excluded),
        ("rows of articles and excluded", accounting["articles"], every),
    ]
    for split in SPLITS:
        counted = accounting["articles_by_split"].get(split, 0)
        sums.append((f"rows of split {split}", counted, written["articles", split]))
    return [(what, counted, found) for what, counted, found in sums if counted != found]


def check_written(shards: Sequence[Shard], accounting: Mapping[str, Any]) -> None:
    """Hold the rows that were written against what was counted: a version is never made of other rows than it claims."""
    rows: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        rows[shard.config, shard.split] += shard.rows
    wrong = [f"{what}: {found} of {counted}" for what, counted, found in unequal_sums(accounting, rows)]
    if wrong:  # a fault of newsdata, never of the data
        raise AssertionError(f"rows were not written, or twice: {'; '.join(wrong)}")


def account_for(
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
