"""The first page: articles found, with facets and days, as list, table, or words in context."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ..answers import PAGE_SIZE, Answer, Asked, Missing, article_address, local_time, pages_of
from ..day_chart import draw_days, month_counts
from ..keyword_in_context import MAX_LINES, Line, neighbours, sort_lines
from ..parameters import KWIC_SORTS, BadParameter, Query, parse_query
from ..selection import FACETS, FacetValue, Selection, count_days, counts_of, facet
from ..snippets import datasets_snippet, duckdb_snippet, polars_snippet
from ..view import View
from .listed import as_data, listed

__all__ = ["BROAD", "articles", "describe_filters", "facet_page", "select_for"]

BROAD = 100_000
"""More hits than that are called broad: words in context are then only those of the newest articles."""

_SHOWN, _FACET_PAGE, _MOST_IN_JSON = 12, 200, 1_000
_FACET_TITLES = {
    "split": "Split", "publisher": "Publisher", "code": "Code", "kind": "Kind", "issue": "Issue", "cluster": "Near-copies",
}  # fmt: skip
_LABELS = {
    "q": "words", "from": "from", "to": "to", "split": "split", "publisher": "publisher", "code": "code", "kind": "kind",
    "issue": "issue", "cluster": "near-copies",
}  # fmt: skip


class Choice(NamedTuple):
    """A value of a facet as a link."""

    value: FacetValue
    is_on: bool
    address: str


class Filter(NamedTuple):
    """A filter in use: its name, its value in words, the address without it, and how many articles there are without it."""

    name: str
    label: str
    address: str
    articles: int


def select_for(asked: Asked) -> Selection:
    """The selection that a request asks for.

    Raises:
        BadParameter: a parameter cannot be used.
        StillSearching: the search takes longer.
    """
    query = parse_query(asked.reader, asked.view.table.issues.values)
    asked.reader.end()
    return asked.view.select(query)


def articles(asked: Asked) -> Answer:
    """The articles that the query wants."""
    selection = select_for(asked)
    query, view = selection.query, asked.view
    if query.view == "context" and not query.q:
        raise BadParameter("view", "words in context need words: fill in the search field")
    facets = counts_of(selection)
    rows = selection.rows()
    shown, data = _context(asked, selection) if query.view == "context" else _page(asked, selection, rows.tolist())
    version = view.version
    facts = {
        "query": query,
        "selection": selection,
        "of": int(view.table.known[: view.table.articles].sum()),
        "filters": describe_filters(asked.base, selection),
        "facets": [(name, _FACET_TITLES[name], *_choices(asked.base, query, name, facets[name])) for name in FACETS],
        "chart": _chart(asked, selection),
        "is_broad": selection.total > BROAD,
        "take": _take(asked, selection),
        "permalink": f"/v/{version}/{query.encode()}",
        **shown,
    }
    data = {
        "version": version,
        "total": selection.total,
        "of": facts["of"],
        "page": query.page,
        "pages": shown["pages"],
        "facets": {name: {one.value: one.articles for one in facets[name][:_MOST_IN_JSON]} for name in FACETS},
        "days": _days(selection),
        **data,
    }
    return Answer(template="articles", title=query.q or "Articles", facts=facts, data=data)


def facet_page(asked: Asked) -> Answer:
    """All values of a facet under the current filter."""
    if asked.name not in ("publisher", "code", "issue"):
        raise Missing("there is no such list", ((f"{asked.base}/", "all articles"),))
    selection = select_for(asked)
    query, values = selection.query, facet(selection, asked.name)
    pages = pages_of(len(values), query.page, _FACET_PAGE)
    first = (query.page - 1) * _FACET_PAGE
    choices, _ = _choices(asked.base, query, asked.name, values[first : first + _FACET_PAGE], most=_FACET_PAGE)
    facts = {
        "query": query, "name": asked.name, "heading": _FACET_TITLES[asked.name], "choices": choices, "total": len(values),
        "pages": pages, "page": query.page, "back": f"{asked.base}/{query.encode(page=1)}",
        "page_links": _page_links(f"{asked.base}/facet/{asked.name}", query, pages),
    }  # fmt: skip
    rows = [
        {"value": one.value, "label": one.label, "count": one.articles} for one in values[first : first + _FACET_PAGE]
    ]
    data = {"total": len(values), "facets": {}, "rows": rows, "page": query.page, "pages": pages}
    return Answer(template="facet", title=f"{_FACET_TITLES[asked.name]}s", facts=facts, data=data)


def describe_filters(base: str, selection: Selection) -> list[Filter]:
    """The filters in use, each with the number of articles without it."""
    query, table = selection.query, selection.table
    found = []
    for name, attribute, value, rest in query.filters():
        label = f"{value} {table.name_of(value)}".strip() if name == "code" else value
        if name == "q" and query.where != "all":
            label = f"{value} (in {query.where})"
        part = "days" if name in ("from", "to") else name
        held = getattr(query, attribute)
        if part == "days" or (isinstance(held, tuple) and len(held) > 1):
            other = replace(query, **{attribute: getattr(query.without(attribute, value), attribute)})
            count = _count_with(selection, other, part)
        else:
            count = int(selection.without(part).sum())
        found.append(Filter(_LABELS[name], label, f"{base}/{rest}", count))
    return found


def _count_with(selection: Selection, other: Query, part: str) -> int:
    from ..selection import select

    alone = Query(
        first_day=other.first_day, last_day=other.last_day, split=other.split, publisher=other.publisher,
        code=other.code, issue=other.issue,
    )  # fmt: skip
    kept = select(selection.table, alone, None).parts.get(part)
    rest = selection.without(part)
    return int((rest if kept is None else rest & kept).sum())


def _choices(
    base: str, query: Query, name: str, values: list[FacetValue], most: int = _SHOWN
) -> tuple[list[Choice], int]:
    """The values of a facet as links, and how many more there are. Those in use are always among them."""
    held = getattr(query, name)
    in_use = set(held) if isinstance(held, tuple) else {held}
    kept = [one for number, one in enumerate(values) if number < most or one.value in in_use]
    found = []
    for one in kept:
        is_on = one.value in in_use
        if isinstance(held, tuple):
            change: Any = tuple(v for v in held if v != one.value) if is_on else (*held, one.value)
        else:
            change = {"kind": "", "cluster": "any"}[name] if is_on else one.value
        found.append(Choice(one, is_on, f"{base}/{query.encode(**{name: change})}"))
    return found, len(values) - len(kept)


def _page(asked: Asked, selection: Selection, rows: list[int]) -> tuple[dict[str, Any], dict[str, Any]]:
    query = selection.query
    pages = pages_of(len(rows), query.page)
    first = (query.page - 1) * PAGE_SIZE
    items = listed(asked.view, asked.base, rows[first : first + PAGE_SIZE], query, query.encode(page=1))
    shown = {
        "items": items, "pages": pages, "first": first + 1, "last": first + len(items),
        "page_links": _page_links(f"{asked.base}/", query, pages),
    }  # fmt: skip
    return shown, {"rows": [as_data(item) for item in items]}


def _context(asked: Asked, selection: Selection) -> tuple[dict[str, Any], dict[str, Any]]:
    query, view = selection.query, asked.view
    found = view.concordance(selection)
    lines = sort_lines(found.lines, query.sort)
    pages = pages_of(len(lines), query.page)
    first = (query.page - 1) * PAGE_SIZE
    count = int(query.sort[0]) if query.sort in KWIC_SORTS else 2
    before, after = neighbours(found.lines, count)
    items = [_line(view, asked.base, line, query) for line in lines[first : first + PAGE_SIZE]]
    shown = {
        "items": items, "pages": pages, "first": first + 1, "last": first + len(items), "lines": len(lines),
        "cut": found.cut, "most_lines": MAX_LINES, "from_articles": found.articles, "before": before, "after": after,
        "neighbour_size": count, "page_links": _page_links(f"{asked.base}/", query, pages),
        "kwic_sorts": KWIC_SORTS,
    }  # fmt: skip
    data = {
        "lines": len(lines),
        "lines_cut": found.cut,
        "neighbours": {"left": dict(before), "right": dict(after)},
        "rows": [
            {key: item[key] for key in ("article_id", "field", "start", "left", "node", "right", "split", "publisher")}
            | {"published_at": item["time"].isoformat() if item["time"] else None}
            for item in items
        ],
    }
    return shown, data


def _line(view: View, base: str, line: Line, query: Query) -> dict[str, Any]:
    table, window = view.table, query.window
    article_id = table.ids[line.row].as_py()
    return {
        "article_id": article_id,
        "address": article_address(base, article_id, query.encode(view="list", sort="", page=1)),
        "field": line.column,
        "start": line.start,
        "left": line.left[-window:],
        "node": line.node,
        "right": line.right[:window],
        "split": table.split.at(line.row),
        "publisher": table.publisher.at(line.row),
        "time": local_time(table, line.row, view.opened.zone),
    }


def _page_links(path: str, query: Query, pages: int) -> dict[str, str]:
    links = {}
    if query.page > 1:
        links["previous"] = f"{path}{query.encode(page=query.page - 1)}"
    if query.page < pages:
        links["next"] = f"{path}{query.encode(page=query.page + 1)}"
        links["last"] = f"{path}{query.encode(page=pages)}"
    return links


def _chart(asked: Asked, selection: Selection) -> dict[str, Any] | None:
    table, query = selection.table, selection.query
    every = count_days(table, np.ones(table.articles, bool))
    wanted = count_days(table, selection.without("days"))
    if every is None or wanted is None:
        return None
    chart = draw_days(wanted, every, (query.first_day, query.last_day), share=query.share)
    months = [
        (first, last, count, f"{asked.base}/{query.encode(first_day=first, last_day=last)}")
        for first, last, count in month_counts(wanted)
    ]
    return {"chart": chart, "months": months, "splits": every.splits, "undated": wanted.undated}


def _days(selection: Selection) -> dict[str, dict[str, int]]:
    """Articles by day and split, for JSON; days without articles are left out."""
    from datetime import timedelta

    counts = count_days(selection.table, selection.mask)
    if counts is None:
        return {}
    found = {}
    for at in np.flatnonzero(counts.counts.sum(axis=1)).tolist():
        by_split = zip(counts.splits, counts.counts[at].tolist(), strict=True)
        found[str(counts.first + timedelta(days=at))] = {name: count for name, count in by_split if count}
    return found


def _take(asked: Asked, selection: Selection) -> dict[str, Any]:
    """Exports and snippets for the filter."""
    query, view, opened = selection.query, asked.view, asked.view.opened
    zone, folder = opened.zone_name, str(opened.folder)
    configs = [config for config in ("articles", "excluded") if opened.shards(config)]
    encoded = query.encode(page=1, view="list", sort="", share=False, window=30)
    return {
        "csv": f"{asked.base}/export.csv{encoded}",
        "spreadsheet": f"{asked.base}/export.csv{encoded}{'&' if encoded else '?'}for=spreadsheet",
        "parquet": f"{asked.base}/export.parquet{encoded}",
        "ids": f"{asked.base}/export.txt{encoded}",
        "json": f"{asked.base}/articles.json{query.encode()}",
        "datasets": datasets_snippet(view.shown_path, view.version, query, zone),
        "polars": polars_snippet(folder, query, zone, configs),
        "duckdb": duckdb_snippet(folder, query, zone, configs),
    }
