"""What a version holds, asked of its manifest: configs, splits, rows and days."""

from __future__ import annotations

import hashlib
import json

from ..counts import plural
from ..schema import CONFIGS
from ..storage.manifest import Manifest, holds_text, shards_of
from ..storage.version_rule import FROZEN_SPLITS
from .markdown import one_line
from .site_facts import facts_of_site

__all__ = ["configs_of", "content_digest", "count_rows", "days_of", "frozen_digest", "splits_of", "summarize"]


def configs_of(manifest: Manifest) -> list[str]:
    """The configs that have rows, in the schema's order."""
    return [config for config in CONFIGS if shards_of(manifest, config)]


def splits_of(manifest: Manifest, config: str) -> list[str]:
    """The splits of `config` that have rows, in the schema's order."""
    return [split for split in CONFIGS[config] if shards_of(manifest, config, split)]


def count_rows(manifest: Manifest, config: str, split: str | None = None) -> int:
    """The number of rows of a config, or of one of its splits."""
    return sum(shard.rows for shard in shards_of(manifest, config, split))


def days_of(manifest: Manifest, split: str) -> tuple[str, str] | None:
    """First and last day of the articles of a split (YYYY-MM-DD, site's time zone), None where nothing is dated."""
    days = manifest.accounting.get("dates_by_split", {}).get(split)
    return (str(days[0])[:10], str(days[1])[:10]) if days and all(days) else None


def content_digest(manifest: Manifest, config: str | None = None) -> str:
    """32 hex digits over the rows of a config, or of all; equal rows in equal files give equal digits."""
    shards = [(s.path, s.rows, s.digest) for s in manifest.shards if config in (None, s.config)]
    return hashlib.sha256(json.dumps(shards).encode()).hexdigest()[:32]


def frozen_digest(manifest: Manifest) -> str:
    """32 hex digits over the rows of train, validation and test; of a version without text over those of the full one.

    What comes later than the test, and rows that are excluded, do not change it.
    """
    frozen = tuple(f"articles/{split}-" for split in FROZEN_SPLITS)
    shards = manifest.full or manifest.shards
    digests = sorted((shard.path, shard.digest) for shard in shards if shard.path.startswith(frozen))
    return hashlib.sha256(json.dumps(digests).encode()).hexdigest()[:32]


def summarize(manifest: Manifest) -> str:
    """What the version holds, in two plain sentences."""
    articles = count_rows(manifest, "articles")
    spans = [days for split in splits_of(manifest, "articles") if (days := days_of(manifest, split))]
    dated = f", dated {min(s[0] for s in spans)} to {max(s[1] for s in spans)}" if spans else ""
    timezone = one_line(manifest.configuration.get("timezone", "UTC"))
    posts = count_rows(manifest, "posts")
    facts = facts_of_site(manifest)
    named = [
        f"the Jekyll site {facts.title}" if facts.title else "a Jekyll site",
        *([f"({facts.address})"] if facts.address else []),
    ]
    site = " ".join(named)
    return (
        f"Version {manifest.dataset_version} holds {plural(articles, 'article')}{dated} ({timezone}), "
        f"made from {plural(posts, 'post')} of {site}."
        + ("" if holds_text(manifest) else " It holds no text of the posts.")
    )
