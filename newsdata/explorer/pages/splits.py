"""The splits side by side, and what is known about leaks between them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..answers import Answer, Asked
from ..splits_compared import Shares

__all__ = ["splits"]

_MEASURES = (
    ("leak_any", "articles that one of the other split gives away, in any of these ways"),
    ("leak_j50", "articles that share half of their words with a near-copy in the other split"),
    ("leak_j80", "… that share 80 % of their words"),
    ("leak_c80", "… of which 80 % stands inside one of the other split"),
    (
        "similar",
        "articles that share half of their words with one of the other split, which tells another story by its day, title, numbers or language",
    ),
    ("same_digest", "articles whose digest is that of an article of the other split, or its text"),
    ("contained", "articles that stand inside one of the other split, of whatever length"),
    ("contains", "articles inside which one of the other split stands"),
    ("coverage_50gram", "share of text that stands word for word, 50 characters or more, in the other split"),
    ("future_rows", "articles of the earlier split that are younger than the first one tested"),
)


def splits(asked: Asked) -> Answer:
    """Compare the splits."""
    asked.reader.end()
    view = asked.view
    found = view.comparison
    leakage = _leakage(view.opened.manifest.leakage)
    facts = {
        "splits": found.splits,
        "articles": found.articles,
        "tables": [_shares(table, found.articles) for table in found.tables],
        "words": view.typical_words,
        "leakage": leakage,
        "measures": _MEASURES,
        "dates": view.opened.manifest.accounting.get("dates_by_split", {}),
    }
    data = {
        "total": len(found.splits),
        "facets": {},
        "rows": [
            {
                "split": name,
                "articles": count,
                "words": [word for word, _, _ in view.typical_words.get(name, [])],
                **{table.title: {label: row[n] for label, row in zip(table.labels, table.counts, strict=True)} for table in found.tables},
            }
            for n, (name, count) in enumerate(zip(found.splits, found.articles, strict=True))
        ],
        "leakage": view.opened.manifest.leakage,
    }  # fmt: skip
    return Answer(template="splits", title="Compare splits", facts=facts, data=data)


def _shares(table: Shares, articles: tuple[int, ...]) -> dict[str, Any]:
    """A table with each number as a share of its split; `bar` is relative to the largest share in the table."""
    shares = [
        [100 * count / total if total else 0.0 for count, total in zip(row, articles, strict=True)]
        for row in table.counts
    ]
    most = max((share for row in shares for share in row), default=0.0) or 1.0
    rows = [
        (label, [(count, share, 100 * share / most) for count, share in zip(counts, row, strict=True)])
        for label, counts, row in zip(table.labels, table.counts, shares, strict=True)
    ]
    return {"title": table.title, "rows": rows}


def _leakage(leakage: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The measured pairs of splits, each with what a random split would have leaked."""
    if not isinstance(leakage, Mapping):
        return []
    listed = [pair for pair in leakage.get("pairs") or () if isinstance(pair, Mapping)]
    random = {(p.get("split"), p.get("against")): p for p in leakage.get("random") or () if isinstance(p, Mapping)}
    return [
        {
            "split": str(pair.get("split")),
            "against": str(pair.get("against")),
            "rows": [
                (meaning, _measure(name, pair.get(name)), _measure(name, random.get((pair.get("split"), pair.get("against")), {}).get(name)))
                for name, meaning in _MEASURES
            ],
        }
        for pair in listed
    ]  # fmt: skip


def _measure(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "not measured"
    return f"{value:,}" if name == "future_rows" else f"{100 * value:.2f} %"
