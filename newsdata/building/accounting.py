"""Where every file and every article of a build went, and whether the sums are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..schema import CONFIGS, SPLITS

__all__ = ["unequal_sums"]


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
