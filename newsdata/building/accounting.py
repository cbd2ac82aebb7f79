"""Sums that are equal in every version: no file and no article is lost or counted twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..schema import CONFIGS, SPLITS

__all__ = ["unequal_sums"]


def unequal_sums(accounting: Mapping[str, Any], rows: Mapping[tuple[str, str], int]) -> list[tuple[str, int, int]]:
    """The sums that should be equal and are not.

    Args:
        accounting: of a manifest, see `Manifest.accounting`.
        rows: the number of rows in the shards of each (config, split); one without rows may be missing.

    Returns:
        For each sum what it is about, the number in the accounting, and the number that was found. Empty if all is well.
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
