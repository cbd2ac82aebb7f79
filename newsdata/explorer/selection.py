"""Which articles a query wants, and the counts beside them: facets, days, and what each filter takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .parameters import NO_PUBLISHER, Query
from .table import NO_DAY, Coded, Pairs, Table

__all__ = ["FACETS", "DayCounts", "FacetValue", "Selection", "count_days", "counts_of", "facet", "select"]

FACETS = ("split", "publisher", "code", "kind", "issue", "cluster")
"""The facets, by the names of their parameters."""

_EPOCH = date(1970, 1, 1).toordinal()
_Mask = NDArray[np.bool_]


class FacetValue(NamedTuple):
    """A value of a facet: as it stands in the address, for people, and how many articles have it."""

    value: str
    label: str
    articles: int


class DayCounts(NamedTuple):
    """Articles by day and split: `counts[day - first][split]`; `splits` in order. `undated` articles are not in it."""

    first: date
    splits: tuple[str, ...]
    counts: NDArray[np.int64]
    undated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The articles that a query wants.

    Attributes:
        table, query: what was asked.
        parts: for each filter in use, by the name of its parameter (`days` for from and to), the articles that it lets pass.
        mask: the articles that pass all of them.
        total: their number.
    """

    table: Table
    query: Query
    parts: Mapping[str, _Mask]
    mask: _Mask
    total: int

    def without(self, name: str) -> _Mask:
        """The articles that pass all filters but one."""
        return _all_of(self.table, [mask for part, mask in self.parts.items() if part != name])

    def rows(self) -> NDArray[np.int64]:
        """The row numbers of the articles, in the wanted order."""
        newest = self.table.newest
        rows = newest[self.mask[newest]]
        if self.query.sort == "oldest":
            dated = self.table.days[rows] != NO_DAY
            return np.concatenate([rows[dated][::-1], rows[~dated]])
        if self.query.sort in ("longest", "shortest"):
            lengths = self.table.chars[rows]
            return rows[np.argsort(-lengths if self.query.sort == "longest" else lengths, kind="stable")]
        return rows


def select(table: Table, query: Query, hits: _Mask | None) -> Selection:
    """The articles that a query wants.

    Args:
        table: of the version.
        query: what is wanted.
        hits: for each article whether it has the words of the query; None if it has no words.
    """
    size = table.articles
    parts: dict[str, _Mask] = {}
    if hits is not None:
        parts["q"] = hits
    if query.first_day or query.last_day:
        days = table.days[:size]
        first = query.first_day.toordinal() - _EPOCH if query.first_day else NO_DAY + 1
        last = query.last_day.toordinal() - _EPOCH if query.last_day else np.iinfo(np.int32).max
        parts["days"] = (days >= first) & (days <= last)
    if query.split:
        parts["split"] = _is_one_of(table.split, query.split, size)
    if query.publisher:
        parts["publisher"] = _is_one_of(table.publisher, query.publisher, size)
    if query.code:
        parts["code"] = table.codes.mask(query.code, len(table.known))[:size]
    if query.kind:
        parts["kind"] = table.flash[:size] == (query.kind == "flash")
    if query.issue:
        parts["issue"] = table.issues.mask(query.issue, len(table.known))[:size]
    if query.cluster != "any":
        copied = table.cluster_sizes[table.cluster.codes[:size]] > 1
        parts["cluster"] = copied == (query.cluster == "copies")
    mask = _all_of(table, list(parts.values()))
    return Selection(table=table, query=query, parts=parts, mask=mask, total=int(mask.sum()))


def facet(selection: Selection, name: str) -> list[FacetValue]:
    """The values of a facet under all other filters, the most frequent first; those of splits and kinds in their own order.

    A value that is filtered by is always there, even if no article has it.
    """
    table, mask = selection.table, selection.without(name)
    found: list[FacetValue]
    if name == "split":
        found = _coded(table.split, mask, in_order=True)
    elif name == "publisher":
        found = _coded(table.publisher, mask)
    elif name == "code":
        found = _pairs(table.codes, mask, dict(zip(table.codes.values, table.code_names, strict=True)))
    elif name == "issue":
        found = _pairs(table.issues, mask, {})
    elif name == "kind":
        flashes = int((mask & table.flash[: table.articles]).sum())
        found = [FacetValue("article", "articles", int(mask.sum()) - flashes), FacetValue("flash", "flashes", flashes)]
    else:
        copied = table.cluster_sizes[table.cluster.codes[: table.articles]] > 1
        copies = int((mask & copied).sum())
        found = [
            FacetValue("copies", "has near-copies", copies),
            FacetValue("single", "has none", int(mask.sum()) - copies),
        ]
    wanted = getattr(selection.query, name)
    listed = {one.value for one in found}
    missing = [value for value in wanted if value not in listed] if isinstance(wanted, tuple) else []
    return [*found, *(FacetValue(value, table.name_of(value) if name == "code" else value, 0) for value in missing)]


def counts_of(selection: Selection) -> dict[str, list[FacetValue]]:
    """All facets."""
    return {name: facet(selection, name) for name in FACETS}


def count_days(table: Table, mask: _Mask) -> DayCounts | None:
    """How many of some articles each day has, by split; None if no article of the version has a date.

    The days are those of the whole version, so charts of different queries compare.
    """
    size = table.articles
    days, splits = table.days[:size], table.split.codes[:size]
    dated = (days != NO_DAY) & table.known[:size]
    if not dated.any():
        return None
    first, last = int(days[dated].min()), int(days[dated].max())
    names = tuple(dict.fromkeys(table.split.values[code] for code in np.unique(splits[table.known[:size]])))
    wanted = mask & dated
    width = len(table.split.values)
    keys = (days[wanted].astype(np.int64) - first) * width + splits[wanted]
    counts = np.bincount(keys, minlength=(last - first + 1) * width).reshape(-1, width)
    kept = [table.split.values.index(name) for name in names]
    return DayCounts(date.fromordinal(first + _EPOCH), names, counts[:, kept], int((mask & (days == NO_DAY)).sum()))


def _all_of(table: Table, masks: list[_Mask]) -> _Mask:
    found = table.known[: table.articles].copy()
    for mask in masks:
        found &= mask
    return found


def _is_one_of(column: Coded, values: tuple[str, ...], size: int) -> _Mask:
    codes = [-1 if value == NO_PUBLISHER else column.code_of(value) for value in values]
    return np.isin(column.codes[:size], codes)


def _coded(column: Coded, mask: _Mask, *, in_order: bool = False) -> list[FacetValue]:
    counts = np.bincount(column.codes[: len(mask)][mask] + 1, minlength=len(column.values) + 1).tolist()
    found = [FacetValue(value, value, count) for value, count in zip(column.values, counts[1:], strict=True) if count]
    if not in_order:
        found.sort(key=lambda one: (-one.articles, one.value))
    return [*found, FacetValue(NO_PUBLISHER, "no publisher", counts[0])] if counts[0] else found


def _pairs(column: Pairs, mask: _Mask, names: Mapping[str, str]) -> list[FacetValue]:
    rows, codes = column.rows, column.codes
    inside = rows < len(mask)
    there = codes[inside][mask[rows[inside]]]
    counts = np.bincount(there, minlength=len(column.values)).tolist()
    found = [
        FacetValue(value, names.get(value, value), count)
        for value, count in zip(column.values, counts, strict=True)
        if count
    ]
    return sorted(found, key=lambda one: (-one.articles, one.value))
