"""The parts of the card about how it was made: where every file went, near-copies, leakage, and the figures of the build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..counts import plural
from ..schema import ISSUES, REJECT_RULES
from ..storage.manifest import Manifest, holds_text
from .citation import Citation
from .glance import show_picture
from .markdown import (
    code_span,
    counts_table,
    escape,
    flatten,
    join_blocks,
    label_of,
    percent,
    render_table,
    show_value,
)

__all__ = ["show_accounting", "show_details", "show_duplicates", "show_leakage", "show_provenance"]

_FEEDS = {
    "emnews": "the archive's annotated feed",
    "market": "the archive's feed by publisher",
    "site": "any other post",
}
_IGNORED = {
    "not below _posts": "in no folder that holds posts",
    "not below collections_dir": "not in the folder that `_config.yml` names for posts",
    "configuration": "`_config.yml`, the settings of the site",
    "draft": "in `_drafts`; drafts were not read",
    "hidden name": "the name marks it as hidden",
    "backup name": "the name marks it as a backup",
    "vendored": "in a folder of installed packages",
    "excluded by _config.yml": "`_config.yml` leaves it out",
    "not text": "a picture or another file that is no text",
    "not a post's name": "the name is not that of a post",
    "redacted": "of an article that was removed on purpose",
}
_ACCOUNTING = {
    "files_seen": ("files seen", "every file of the archive"),
    "posts": ("posts", "files that were read"),
    "rejects": ("rejects", "files that should be posts and could not be read (config `rejects`)"),
    "ignored": ("ignored", "files that are no posts, or were redacted"),
    "articles": ("articles", "posts with one article id are one article"),
    "merged_posts": ("merged posts", "posts beyond the first of their article"),
    "excluded": ("excluded", "articles that are in no split (config `excluded`)"),
}
_LEAKAGE = {
    "split": ("Split", ""),
    "against": ("Against", ""),
    "rows": ("Rows", ""),
    "leak_any": (
        "Leak",
        "an article there gives it away: as a near-copy, by title and beginning, by the digest, because one stands inside"
        " the other, edited copies included, or because the texts are similar",
    ),
    "leak_j50": ("Jaccard ≥ 0.5", "a near-copy that has at least half of the word sequences in common"),
    "leak_j80": ("Jaccard ≥ 0.8", "a near-copy that has at least four fifths in common"),
    "leak_c80": (
        "Containment ≥ 0.8",
        "one text has at least four fifths of the word sequences of the other; similar texts of two stories are counted"
        " apart",
    ),
    "similar": (
        "Similar text",
        "an article there has at least half of its word sequences, but days, titles, numbers or languages say that it is"
        " another story: the next one of a series, a filled form, or a reprint that was not recognized",
    ),
    "same_digest": ("Same digest", "the digest is also the digest or the text of an article there"),
    "contained": ("Inside another", "the text stands inside one there, however long that is"),
    "contains": ("Around another", "a text from there stands inside it"),
    "coverage_50gram": ("Covered by 50-grams", "share of all passages of 50 words or characters that are in both splits"),
    "latest_seen": ("Last day there", "of the split in the column Against"),
    "earliest_tested": ("First day here", "of the split in the column Split"),
    "future_rows": ("Later rows there", "rows of Against from the first day of Split on"),
}  # fmt: skip
_DUPLICATES = {
    "dedup version": "version of the method; with another one, the splits are a new major version",
    "boilerplate shingles": "word sequences that many articles share; comparisons leave them out",
    "boilerplate digest": "hash of these word sequences",
    "articles": "articles that were compared",
    "short": "articles with so few words that only equal texts count",
    "candidates": "pairs that were compared exactly",
    "pairs jaccard": "pairs with enough word sequences in common",
    "pairs containment": "pairs of which one text holds most of the other",
    "pairs digest": "pairs with one digest, or of which one's text is the other's digest",
    "pairs head": "pairs with the same title, and the same beginning or close days",
    "pairs contained": "pairs of which one stands inside the other, at twice its length or more",
    "pairs reworded": "pairs with four fifths of their word sequences in common that tell two stories",
    "pairs partly": "pairs of which half of one stands inside the other; they are measured only",
    "pairs similar": "pairs with half of their word sequences in common that tell two stories; measured only",
    "doors digest": "whether such pairs share a leak group",
    "doors head": "whether such pairs share a leak group",
    "doors contained": "whether such pairs share a leak group",
    "doors reworded": "whether such pairs share a leak group",
    "pairs text": "pairs of short articles with equal texts",
    "pairs url": "pairs with one address",
    "large buckets": "groups of candidates that were too large to compare every pair",
    "largest bucket": "articles in the largest of them",
    "shared urls": "addresses that too many articles have; they make no pair",
    "clusters": "values of `duplicate_cluster`; most have one article",
    "clusters of several": "those with two articles or more",
    "articles with copies": "articles in those",
    "largest cluster": "articles in the largest of them",
}
_DOORS = {
    "digest": "they share a digest, or one's text is the other's digest",
    "head": "they share a title and its beginning",
    "contained": "one stands inside the other, however long that is",
    "reworded": "four fifths of their word sequences are the same",
}
_PROVENANCE = {
    "version": "of this dataset",
    "built upon": "the version before",
    "source files": "posts and rejects that were read",
    "source bytes": "their size",
    "source digest": "hash of their paths and contents; the same files give the same digest",
    "schema": "version of the columns",
    "manifest": "version of the format of manifest.json",
    "timezone": "of the site; its days decide the split",
    "drafts": "whether drafts are articles",
    "validation from": "first day of `validation`",
    "test from": "first day of `test`",
    "test until": "last day of `test`",
    "gap days": "days on each side of a border that are left out",
    "split scheme": "version of the rules for splits",
    "shard rows": "the most rows of a file when it is begun",
    "site title": "of the site, by its `_config.yml`",
    "site language": "the same",
    "site address": "the same",
    "text": "`full`: with text; `none`: without",
    "dedup version": "version of the search for near-copies",
    "site": "hash of the settings of the site that decide the rows",
    "card": "hash of the prose of this card",
    "history": "whether earlier revisions were read",
}


def show_accounting(manifest: Manifest, citation: Citation) -> str:
    """Where every file went, with the picture."""
    counts = manifest.accounting
    rows = [
        (label, f"{counts[key]:,}", meaning)
        for key, (label, meaning) in _ACCOUNTING.items()
        if isinstance(counts.get(key), int)
    ]
    return join_blocks(
        [
            "Every file of the archive is counted once: it became a post, a reject, or it was ignored." if rows else "",
            show_picture(manifest, "files"),
            render_table(("What", "Number", "Meaning"), rows, right=(1,)),
            counts_table("Rejected by rule", counts.get("rejects_by_rule", {}), REJECT_RULES, "Files"),
            "\n".join(f"- {escape(note)}" for note in counts.get("config_notes", ())),
        ]
    )


def show_duplicates(manifest: Manifest, citation: Citation) -> str:
    """What near-copies are, and how many there are."""
    found = manifest.duplicates
    if not found:
        return ""
    copies, articles = found.get("articles_with_copies"), found.get("articles")
    numbers = ""
    if isinstance(copies, int) and isinstance(articles, int):
        groups, largest = found.get("clusters_of_several", 0), found.get("largest_cluster", 0)
        numbers = (
            f"{copies:,} of {plural(articles, 'article')} ({percent(copies, articles)}) have a near-copy: another article"
            f" with nearly the same text. They form {plural(groups, 'cluster')}; the largest has"
            f" {plural(largest, 'article')}."
        )
    return join_blocks(
        [
            numbers,
            "Near-copies are kept and marked. Articles with the same `duplicate_cluster` are near-copies of one another."
            f" A `leak_group` is wider: it also joins two articles if {', or if '.join(_reasons(found))}. A translation is"
            " not a near-copy. Later versions keep both ids.",
        ]
    )


def _reasons(duplicates: Mapping[str, Any]) -> Iterator[str]:
    """Why two articles that are no near-copies share a leak group, in this version."""
    yield "one text holds most of the other"
    doors = duplicates.get("doors")
    for door, reason in _DOORS.items():
        if isinstance(doors, Mapping) and doors.get(door):
            yield reason


def show_leakage(manifest: Manifest, citation: Citation) -> str:
    """How much of each split is also in an earlier one."""
    if not manifest.leakage:
        return ""
    measured = [("this version", pair) for pair in manifest.leakage.get("pairs") or ()]
    measured += [("a random split", pair) for pair in manifest.leakage.get("random") or ()]
    keys = list(dict.fromkeys(key for _, pair in measured for key in pair))
    if not keys:
        return ""
    keys.sort(key=lambda key: list(_LEAKAGE).index(key) if key in _LEAKAGE else len(_LEAKAGE))
    names = {key: _LEAKAGE[key][0] if key in _LEAKAGE else label_of(key) for key in keys}
    rows = [(how, *(_measure(pair.get(key)) for key in keys)) for how, pair in measured]
    numbers = [1 + n for n, key in enumerate(keys) if not any(isinstance(p.get(key), str) for _, p in measured)]
    meanings = [f"- {names[key]}: {_LEAKAGE[key][1]}" for key in keys if _LEAKAGE.get(key, ("", ""))[1]]
    examples = list(manifest.leakage.get("examples") or ()) if holds_text(manifest) else []
    return join_blocks(
        [
            "A score on `test` is too good if `train` holds nearly the same texts. The column Leak is the share of the rows of"
            " a split that an article of an earlier split gives away; the columns after it say how. The lines"
            " `a random split` give the same for splits of the same sizes that were cut at random.",
            render_table(("How", *names.values()), rows, right=numbers),
            "\n".join(meanings),
            "0% means that no pair was found. Other pairs may be there: a copy with most words replaced, a translation.",
            "The closest pairs that excluding one article kept apart:" if examples else "",
            "\n".join(f"- {_example(example)}" for example in examples),
        ]
    )


def show_details(manifest: Manifest, citation: Citation) -> str:
    """Counts that only somebody who checks the build needs."""
    counts = manifest.accounting
    shown = [
        (label_of(key), show_value(value), _DUPLICATES.get(key.replace("_", " "), ""))
        for key, value in flatten({k: v for k, v in manifest.duplicates.items() if k not in ("method", "aliases")})
        if value is not None
    ]
    return join_blocks(
        [
            *_headed("Posts by feed:", counts_table("Feed", counts.get("posts_by_feed", {}), _FEEDS, "Posts")),
            *_headed(
                "Files that are no posts, by reason:",
                counts_table("Ignored because", counts.get("ignored_by_reason", {}), _IGNORED, "Files"),
            ),
            *_headed(
                "Mistakes in posts that were read all the same, by their code in the column `issues`:",
                counts_table("Code", counts.get("issues_by_code", {}), ISSUES, "Posts"),
            ),
            *_headed("The search for near-copies:", render_table(("What", "Value", "Meaning"), shown)),
        ]
    )


def show_provenance(manifest: Manifest, citation: Citation) -> str:
    """From what, and with which settings and tools the version was made."""
    facts: dict[str, object] = {"version": manifest.dataset_version, "built upon": manifest.follows}
    facts |= {f"source {key}": value for key, value in flatten(manifest.source)}
    facts |= {"schema": manifest.schema_version, "manifest": manifest.manifest_version}
    settings = [*facts.items(), *flatten(manifest.configuration)]
    rows = [
        (label_of(key), show_value(value), _PROVENANCE.get(key.replace("_", " "), ""))
        for key, value in settings
        if value is not None
    ]
    rows += [(escape(tool), show_value(version), "version of this package") for tool, version in manifest.tools.items()]
    return render_table(("What", "Value", "Meaning"), rows)


def _headed(words: str, table: str) -> tuple[str, ...]:
    """A table below its sentence; nothing if the table is empty."""
    return (words, table) if table else ()


def _measure(value: object) -> str:
    return percent(value, 1) if isinstance(value, float) and 0 <= value <= 1 else show_value(value)


def _example(example: Any) -> str:
    if not isinstance(example, Mapping):
        return escape(example)
    texts = [
        f"{label_of(key)} {code_span(value, 120) if isinstance(value, str) else show_value(value)}"
        for key, value in flatten(example)
        if value not in (None, "")
    ]
    return "; ".join(texts)
