"""Near-copies: the list of clusters, and one cluster with two of its members side by side."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from ...dataset.duplicates import similarity, words_of_rows
from ...errors import NewsdataError
from ...near_duplicates.boilerplate import Boilerplate
from ...storage.manifest import BOILERPLATE_NAME, check_file
from ..answers import PAGE_SIZE, Answer, Asked, Missing, name_in_address, pages_of
from ..clusters import CLUSTER_SORTS, ClusterSummary, members_of, sort_clusters
from ..opened import is_regular
from ..parameters import BadParameter, Query
from ..text_difference import compare_texts
from ..view import View
from .listed import Listed, as_data, listed

__all__ = ["cluster", "cluster_address", "clusters"]

_MEMBERS = 200
_REASONS = {
    "straddle": "a near-copy stands in an earlier split, so this one may not be in a later one",
    "moved": "its date was corrected, or its file renamed, so it would change its split",
    "no-date": "it has no date, so it has no split",
    "gap": "it is too close to a border",
    "old-test": "it, or a near-copy of it, was in the test split before the splits were cut anew",
}


def cluster_address(base: str, name: str, **parameters: Any) -> str:
    """The address of a cluster."""
    kept = {key: value for key, value in parameters.items() if value}
    return f"{base}/cluster/{name_in_address(name)}{'?' + urlencode(kept) if kept else ''}"


def clusters(asked: Asked) -> Answer:
    """All clusters of several articles."""
    sort = asked.reader.choice("sort", CLUSTER_SORTS, "size")
    page = asked.reader.page()
    asked.reader.end()
    view = asked.view
    every = sort_clusters(view.clusters, sort)
    pages = pages_of(len(every), page)
    here = every[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    firsts = listed(view, asked.base, [one.first for one in here], Query())
    rows = [
        (one, first, cluster_address(asked.base, one.name, sort=sort if sort != "size" else ""))
        for one, first in zip(here, firsts, strict=True)
    ]

    def address(number: int, order: str) -> str:
        kept = {"sort": order if order != "size" else "", "page": number if number > 1 else ""}
        encoded = urlencode({key: value for key, value in kept.items() if value})
        return f"{asked.base}/clusters{'?' + encoded if encoded else ''}"

    links = {
        "previous": page - 1 if page > 1 else 0,
        "next": page + 1 if page < pages else 0,
        "last": pages if page < pages else 0,
    }
    facts = {
        "rows": rows, "total": len(every), "page": page, "pages": pages, "sort": sort,
        "sorts": [(order, address(1, order)) for order in CLUSTER_SORTS],
        "articles": sum(one.size for one in every), "of": view.opened.rows,
        "crossing": sum(len(one.splits) > 1 for one in every),
        "page_links": {name: address(number, sort) for name, number in links.items() if number},
    }  # fmt: skip
    data = {
        "total": len(every),
        "facets": {},
        "page": page,
        "pages": pages,
        "rows": [_as_data(one, first) for one, first, _ in rows],
    }
    return Answer(template="clusters", title="Near-copies", facts=facts, data=data)


def cluster(asked: Asked) -> Answer:
    """One cluster: its members in time order, and two of them side by side."""
    left, right = asked.reader.text("left"), asked.reader.text("right")
    sort = asked.reader.choice("sort", CLUSTER_SORTS, "size")
    asked.reader.end()
    view, name = asked.view, asked.name
    rows = members_of(view.table, name)
    if not rows:
        raise Missing(f"there is no cluster {name!r}", ((f"{asked.base}/clusters", "all clusters"),))
    members = listed(view, asked.base, rows[:_MEMBERS], Query())
    ids = [member.article_id for member in members]
    for field, value in (("left", left), ("right", right)):
        if value and value not in ids:
            raise BadParameter(field, f"{value[:100]!r} is no member of this cluster")
    pair = (left or ids[0], right or next((other for other in ids if other != (left or ids[0])), ids[0]))
    texts = dict(zip(ids, view.rows.shown(rows[:_MEMBERS]), strict=True))
    alike = _similarities(view, [texts[identity] for identity in ids])
    facts = {
        "name": name, "members": list(zip(members, alike, _reasons(view, rows[:_MEMBERS]), strict=True)), "total": len(rows),
        "pair": [members[ids.index(identity)] for identity in pair], "summary": _summary_of(view, name),
        "difference": _difference(view, [texts[identity] for identity in pair]), "sort": sort,
        "beside": _beside(asked, name, sort), "meanings": _REASONS, "timeline": _timeline(members),
    }  # fmt: skip
    data = {
        "total": len(rows),
        "facets": {},
        "rows": [as_data(member) | {"similarity": value} for member, value in zip(members, alike, strict=True)],
    }
    return Answer(template="cluster", title=f"Near-copies {name}", facts=facts, data=data)


def _as_data(one: ClusterSummary, first: Listed) -> dict[str, Any]:
    return {
        "duplicate_cluster": one.name,
        "size": one.size,
        "publishers": one.publishers,
        "first_day": str(one.first_day) if one.first_day else None,
        "last_day": str(one.last_day) if one.last_day else None,
        "span_days": one.span,
        "splits": list(one.splits),
        "first": as_data(first),
    }


def _summary_of(view: View, name: str) -> ClusterSummary | None:
    return next((one for one in view.clusters if one.name == name), None)


def _similarities(view: View, rows: list[dict[str, Any]]) -> list[float | None]:
    """How alike each member is to the first one; None where nobody can tell."""
    if not view.opened.has_text or not is_regular(view.opened, BOILERPLATE_NAME):
        return [None] * len(rows)
    try:
        check_file(view.opened.folder, view.opened.manifest, BOILERPLATE_NAME)
        words = words_of_rows(rows, Boilerplate.load(view.opened.folder / BOILERPLATE_NAME))
    except (NewsdataError, OSError, ValueError):  # the list of boilerplate is damaged
        return [None] * len(rows)
    return [None, *(similarity(words[0], other) for other in words[1:])]


def _reasons(view: View, rows: list[int]) -> list[str | None]:
    """Why a member is excluded; None for members in a split."""
    aside = [row for row in rows if row >= view.table.articles]
    reasons = dict(zip(aside, view.rows.read(aside, ["excluded_reason"]), strict=True))
    return [reasons[row]["excluded_reason"] or "unknown" if row in reasons else None for row in rows]


def _difference(view: View, pair: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The two texts compared; None without text. Titles and digests are compared, too."""
    if not view.opened.has_text:
        return None
    parts = {}
    whole = True
    for name in ("title", "digest", "text"):
        rows, read = compare_texts(pair[0][name] or "", pair[1][name] or "")
        whole = whole and read
        if rows:
            parts[name] = rows
    changed = sum(row.characters for rows in parts.values() for row in rows if row.kind in ("changed", "left", "right"))
    return {"parts": parts, "whole": whole, "changed": changed}


def _beside(asked: Asked, name: str, sort: str) -> dict[str, str]:
    """The clusters before and after this one in the list."""
    every = sort_clusters(asked.view.clusters, sort)
    at = next((number for number, one in enumerate(every) if one.name == name), None)
    if at is None:
        return {}
    kept = sort if sort != "size" else ""
    links = {"previous": at - 1, "next": at + 1}
    return {
        key: cluster_address(asked.base, every[number].name, sort=kept)
        for key, number in links.items()
        if 0 <= number < len(every)
    }


def _timeline(members: list[Listed]) -> list[tuple[float, str, str]]:
    """The members with a date on a line from 0 to 100: place, split, and words."""
    dated = [member for member in members if member.time]
    if len(dated) < 2:
        return []
    times = [member.time.timestamp() for member in dated if member.time]
    length = max(times[-1] - times[0], 1.0)
    return [
        (
            100 * (time - times[0]) / length,
            member.split,
            f"{member.time:%Y-%m-%d %H:%M} {member.publisher or ''}".strip(),
        )
        for time, member in zip(times, dated, strict=True)
    ]
