"""The parts of the card to look at first: one article, and the pictures with their tables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..counts import noun, plural
from ..schema import SPLITS
from ..storage.class_balance import CLASS_NOUNS
from ..storage.manifest import Manifest, holds_text
from .citation import Citation
from .contents import days_of
from .markdown import code_span, escape, join_blocks, one_line, percent, render_table
from .pictures import bin_names, draw_picture

__all__ = ["show_charts", "show_picture", "show_sample"]

_PROSE = frozenset({"title", "digest", "digest_credit", "text", "media", "source"})
_MARKUP = re.compile(r"[^\w\s.,:;%/()'+-]|_", re.ASCII)  # of ASCII; the others are no markup


def show_sample(manifest: Manifest, citation: Citation) -> str:
    """One article, column by column; empty if the manifest has none."""
    sample: Mapping[str, str] = (manifest.statistics or {}).get("sample", {})
    if not sample:
        return ""
    without = "" if holds_text(manifest) else ", and this version holds no text"
    return join_blocks(
        [
            f"This is one row of `articles`. Long values are cut; columns without a value are left out{without}.",
            render_table(("Column", "Value"), [(f"`{name}`", _value(name, value)) for name, value in sample.items()]),
        ]
    )


def _value(column: str, value: str) -> str:
    return escape(value) if column in _PROSE else code_span(value, 100)


def show_charts(manifest: Manifest, citation: Citation) -> str:
    """Articles over time, lengths and publishers: a picture and a table each; and classes by split.

    Empty if the manifest has no statistics.
    """
    statistics = manifest.statistics
    if statistics is None:
        return ""
    splits = [split for split in SPLITS if statistics["articles"].get(split)]
    return join_blocks(
        [
            "These are the articles of all splits. Each picture has its numbers in the table below it.",
            "### Over time",
            "Each bar counts the articles of one period. Its colours are the splits, and a dashed line is the first day"
            " of the next split."
            if len(splits) > 1
            else "Each bar counts the articles of one period.",
            show_picture(manifest, "articles-over-time"),
            _by_split(manifest, splits),
            "### Length",
            "How long the texts are, in characters.",
            show_picture(manifest, "lengths"),
            _lengths(statistics, splits),
            *_publishers(manifest),
            *_classes(statistics, splits),
        ]
    )


def show_picture(manifest: Manifest, name: str) -> str:
    """A picture of the version, with what it shows in words; empty if it is not drawn."""
    found = draw_picture(manifest, name)
    return f"![{_in_alt(found.alt)}]({found.path})" if found else ""


def _in_alt(words: str) -> str:
    """Words for the description of a picture; `escape` would replace most punctuation, too."""
    return _MARKUP.sub(lambda match: match[0] if match[0] > "\x7f" else f"&#{ord(match[0])};", one_line(words, 1000))


def _by_split(manifest: Manifest, splits: Sequence[str]) -> str:
    statistics: Mapping[str, Any] = manifest.statistics or {}
    unit, rows = statistics["unit"], []
    for split in splits:
        counts = statistics["articles"][split]
        total, copies = sum(counts.values()), statistics["near_copies"].get(split, 0)
        most = max(counts, key=lambda name: (counts[name], name))
        days = days_of(manifest, split) or ("–", "–")
        busiest = f"{most} ({counts[most]:,})"
        rows.append((f"`{split}`", f"{total:,}", *map(escape, days), busiest, percent(copies, total)))
    head = ("Split", "Articles", "From", "To", f"Most in a {unit}", "Near-copies")
    meaning = (
        "Near-copies is the share of the articles that have nearly the same text as another article of this version."
    )
    return join_blocks([render_table(head, rows, right=(1, 5)), meaning])


def _lengths(statistics: Mapping[str, Any], splits: Sequence[str]) -> str:
    found = {split: statistics["lengths"]["articles"].get(split, ()) for split in splits}
    rows = [
        (
            name,
            *(f"{counts[number]:,} ({percent(counts[number], sum(counts))})" if counts else "–" for counts in found.values()),
        )
        for number, name in enumerate(bin_names(statistics["lengths"]["from"]))
    ]  # fmt: skip
    return render_table(("Characters", *(f"`{split}`" for split in splits)), rows, right=range(1, len(splits) + 1))


def _publishers(manifest: Manifest) -> list[str]:
    statistics: Mapping[str, Any] = manifest.statistics or {}
    found = statistics.get("publishers")
    if not found or not found["top"]:
        return []
    named, others = found["top"], max(found["names"] - len(found["top"]), 0)
    total = sum(entry["articles"] for entry in named) + found["others"] + found["none"]
    rows = [(escape(entry["name"]), f"{entry['articles']:,}", percent(entry["articles"], total)) for entry in named]
    rows += [(plural(others, "other name"), f"{found['others']:,}", percent(found["others"], total))] if others else []
    rows += [("none named", f"{found['none']:,}", percent(found["none"], total))] if found["none"] else []
    count = found["names"]
    return [
        "### Publishers",
        f"The articles name {plural(count, 'publisher')}, in `media` or else in `source`. {noun(count, 'It is', 'They are')}"
        " counted as written, so one publisher can have several names.",
        show_picture(manifest, "publishers"),
        render_table(("Publisher", "Articles", "Share"), rows, right=(1, 2)),
    ]


def _classes(statistics: Mapping[str, Any], splits: Sequence[str]) -> list[str]:
    """For each column with classes a table of the largest ones, by split."""
    found = {name: statistics.get("classes", {}).get(name) for name in CLASS_NOUNS}
    tables = {name: _balance(name, balance, splits) for name, balance in found.items() if balance and balance["top"]}
    if not tables:
        return []
    return [
        "### Classes by split",
        "How many articles of each split a class has, those with the most articles in `train` and `test` first.",
        *(block for blocks in tables.values() for block in blocks),
    ]


def _balance(name: str, balance: Mapping[str, Any], splits: Sequence[str]) -> list[str]:
    others, unseen = max(balance["names"] - len(balance["top"]), 0), balance["unseen"]
    counted = [(escape(entry["name"]), entry["articles"]) for entry in balance["top"]]
    counted += [(f"{others:,} other {noun(others, name, CLASS_NOUNS[name])}", balance["others"])] if others else []
    counted += [("none", balance["none"])] if any(balance["none"].values()) else []
    rows = [(label, *(f"{articles.get(split, 0):,}" for split in splits)) for label, articles in counted]
    head = (name.capitalize(), *(f"`{split}`" for split in splits))
    warning = ""
    if unseen["articles"]:
        listed = ", ".join(f"{escape(entry['name'])} ({entry['articles']:,})" for entry in unseen["top"])
        more = ", …" if unseen["names"] > len(unseen["top"]) else ""
        warning = (
            f"{plural(unseen['articles'], 'article')} of `test` {noun(unseen['articles'], 'has', 'have')} one of"
            f" {plural(unseen['names'], name, CLASS_NOUNS[name])} that no article of `train` has: {listed}{more}"
        )
    return [render_table(head, rows, right=range(1, len(head))), warning]
