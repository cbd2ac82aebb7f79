"""What is in no split and why: excluded articles, files that could not be read, and what had to be forgiven in the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np

from ...schema import ISSUES, REJECT_RULES, columns
from ..answers import Answer, Asked, Download, article_address, name_in_address, pages_of
from ..exports import csv_of_rows
from ..opened import DamagedFile, read_table
from ..parameters import Query
from .clusters import cluster_address
from .listed import as_data, listed

__all__ = ["excluded", "excluded_csv", "issues", "issues_csv", "rejects", "rejects_csv"]

_PAGE, _RAW = 20, 1_500
_REASONS = {
    "straddle": "a near-copy stands in an earlier split",
    "moved": "its date was corrected, or its file renamed, so it would change its split",
    "no-date": "neither front matter nor file name give a date",
    "gap": "it is too close to a border of the splits",
    "old-test": "it, or a near-copy of it, was in the test split before the splits were cut anew",
}


class Choice(NamedTuple):
    """A value to filter by, with its meaning, its number and its address."""

    value: str
    meaning: str
    number: int
    is_on: bool
    address: str


def excluded(asked: Asked) -> Answer:
    """Articles that a rule excludes."""
    view, table = asked.view, asked.view.table
    reason, page = asked.reader.text("reason"), asked.reader.page()
    asked.reader.end()
    rows, reasons = _excluded_rows(asked)
    counts = Counter(reasons)
    wanted = [row for row, why in zip(rows, reasons, strict=True) if reason in ("", why)]
    pages = pages_of(len(wanted), page, _PAGE)
    here = wanted[(page - 1) * _PAGE : page * _PAGE]
    why_of = dict(zip(rows, reasons, strict=True))
    items = [
        (one, f"{asked.base}/excluded/{name_in_address(one.article_id)}", why_of[one.row],
         cluster_address(asked.base, one.cluster) if table.copies(one.row) > 1 else None)
        for one in listed(view, asked.base, here, Query())
    ]  # fmt: skip
    facts = _facts(asked, "excluded", {"reason": reason}, len(wanted), page, pages) | {
        "items": items,
        "choices": _choices(asked, ("excluded", "reason"), {"reason": reason}, counts, _REASONS),
        "all": len(rows),
    }
    data = {
        "total": len(wanted),
        "facets": {"reason": dict(counts.most_common())},
        "page": page,
        "pages": pages,
        "rows": [as_data(one) | {"excluded_reason": why} for one, _, why, _ in items],
    }
    return Answer(template="excluded", title="Excluded articles", facts=facts, data=data)


def rejects(asked: Asked) -> Answer:
    """Files that should be posts and could not be read."""
    rule, folder, page = asked.reader.text("rule"), asked.reader.text("folder"), asked.reader.page()
    asked.reader.end()
    every = _rejects(asked)
    rules = Counter(row["rule"] for row in every if folder in ("", _folder(row["path"])))
    folders = Counter(_folder(row["path"]) for row in every if rule in ("", row["rule"]))
    wanted = [row for row in every if rule in ("", row["rule"]) and folder in ("", _folder(row["path"]))]
    pages = pages_of(len(wanted), page, _PAGE)
    here = wanted[(page - 1) * _PAGE : page * _PAGE]
    kept = {"rule": rule, "folder": folder}
    facts = _facts(asked, "rejects", kept, len(wanted), page, pages) | {
        "items": here,
        "choices": _choices(asked, ("rejects", "rule"), kept, rules, REJECT_RULES),
        "folders": _choices(asked, ("rejects", "folder"), kept, folders, {})[:30],
        "all": len(every),
        "meanings": REJECT_RULES,
    }
    data = {
        "total": len(wanted),
        "facets": {"rule": dict(rules.most_common()), "folder": dict(folders.most_common())},
        "page": page,
        "pages": pages,
        "rows": here,
    }
    return Answer(template="rejects", title="Rejects", facts=facts, data=data)


def issues(asked: Asked) -> Answer:
    """Posts that could be read only with leniency: the raw file beside what was read."""
    code, page = asked.reader.text("issue"), asked.reader.page()
    asked.reader.end()
    pairs, number = asked.view.posts.issues, asked.view.posts.number
    counts = Counter({value: int((pairs.codes == n).sum()) for n, value in enumerate(pairs.values)})
    wanted = np.unique(pairs.rows) if not code else np.flatnonzero(pairs.mask([code], number))
    pages = pages_of(len(wanted), page, _PAGE)
    here = wanted[(page - 1) * _PAGE : page * _PAGE].tolist()
    facts = _facts(asked, "issues", {"issue": code}, len(wanted), page, pages) | {
        "items": _beside(asked, here),
        "choices": _choices(asked, ("issues", "issue"), {"issue": code}, counts, ISSUES),
        "all": number,
        "meanings": ISSUES,
    }
    data = {
        "total": len(wanted),
        "facets": {"issue": dict(counts.most_common())},
        "page": page,
        "pages": pages,
        "rows": [
            {name: post[name] for name in ("path", "sha256", "article_id", "issues")} for post, _, _ in facts["items"]
        ],
    }
    return Answer(template="issues", title="Issues", facts=facts, data=data)


def rejects_csv(asked: Asked) -> Download:
    """The rejects as CSV, for a bug report."""
    rule, folder = asked.reader.text("rule"), asked.reader.text("folder")
    asked.reader.end()
    rows = [row for row in _rejects(asked) if rule in ("", row["rule"]) and folder in ("", _folder(row["path"]))]
    return _csv(asked, "rejects", list(columns("rejects")), [rows])


def excluded_csv(asked: Asked) -> Download:
    """The excluded articles as CSV."""
    reason = asked.reader.text("reason")
    asked.reader.end()
    rows, reasons = _excluded_rows(asked)
    wanted = [row for row, why in zip(rows, reasons, strict=True) if reason in ("", why)]
    names = [
        "article_id",
        "excluded_reason",
        "title",
        "published_at",
        "media",
        "source",
        "duplicate_cluster",
        "leak_group",
    ]
    return _csv(asked, "excluded", names, [asked.view.rows.read(wanted, names)])


def issues_csv(asked: Asked) -> Download:
    """The posts that have issues as CSV, for a bug report."""
    code = asked.reader.text("issue")
    asked.reader.end()
    posts = asked.view.posts
    wanted = np.unique(posts.issues.rows) if not code else np.flatnonzero(posts.issues.mask([code], posts.number))
    names = ["path", "issues", "article_id", "title", "date_written", "generation", "sha256"]
    blocks = (posts.rows.read(wanted[at : at + 1000].tolist(), names) for at in range(0, len(wanted), 1000))
    return _csv(asked, "issues", names, blocks)


def _excluded_rows(asked: Asked) -> tuple[list[int], list[str]]:
    """The excluded rows that can be read, and why each is excluded."""
    table = asked.view.table
    rows = [row for row in range(table.articles, len(table.known)) if table.known[row]]
    read = asked.view.rows.read(rows, ["excluded_reason"])
    return rows, [str(values["excluded_reason"]) for values in read]


def _rejects(asked: Asked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for shard in asked.view.opened.shards("rejects"):
        names = list(columns("rejects"))
        try:
            rows = read_table(asked.view.opened, shard, names).to_pylist()
        except (DamagedFile, ValueError):
            continue
        found += [dict.fromkeys(names) | {name: _text(value) for name, value in row.items()} for row in rows]
    return sorted(found, key=lambda row: str(row["path"]))


def _text(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else str(value)


def _folder(path: str | None) -> str:
    return (path or "").rpartition("/")[0] or "."


def _beside(asked: Asked, rows: Sequence[int]) -> list[tuple[dict[str, Any], dict[str, Any] | None, str]]:
    """Posts, the article that each became, and its address."""
    view = asked.view
    names = ["path", "sha256", "article_id", "issues", "front_matter", "body", "title", "date_written", "published_at"]
    found = []
    for post in view.posts.rows.read(rows, names):
        for name in ("front_matter", "body"):
            raw = post[name] or ""
            post[name] = raw[:_RAW] + (f"… ({len(raw):,} characters in all)" if len(raw) > _RAW else "")
        row = view.table.row_of(post["article_id"] or "")
        read = None if row is None else view.rows.shown([row])[0]
        address = "" if row is None else article_address(asked.base, post["article_id"] or "")
        if row is not None and row >= view.table.articles:
            address = f"{asked.base}/excluded/{name_in_address(post['article_id'] or '')}"
        found.append((post, read and read | {"text": (read["text"] or "")[:_RAW]}, address))
    return found


def _address(asked: Asked, where: str, **parameters: Any) -> str:
    encoded = urlencode({name: value for name, value in parameters.items() if value})
    return f"{asked.base}/{where}{'?' + encoded if encoded else ''}"


def _choices(
    asked: Asked, place: tuple[str, str], kept: Mapping[str, str], counts: Counter[str], meanings: Mapping[str, str]
) -> list[Choice]:
    """The values of a filter as links; the one in use leads back. `place`: the page, and the name of the filter."""
    page, name = place
    held, found = kept[name], []
    for value, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        address = _address(asked, page, **{**kept, name: "" if value == held else value})
        found.append(Choice(value, meanings.get(value, ""), count, value == held, address))
    return found


def _facts(asked: Asked, page: str, kept: dict[str, str], total: int, number: int, pages: int) -> dict[str, Any]:
    links = {
        "previous": number - 1,
        "next": number + 1 if number < pages else 0,
        "last": pages if number < pages else 0,
    }
    return {
        "total": total,
        "page": number,
        "pages": pages,
        "first": (number - 1) * _PAGE + 1,
        "filters": {name: value for name, value in kept.items() if value},
        "clear": f"{asked.base}/{page}",
        "page_links": {
            name: _address(asked, page, **kept, page=at if at > 1 else "") for name, at in links.items() if at
        },
        "csv": _address(asked, f"{page}.csv", **kept),
    }


def _csv(asked: Asked, name: str, header: list[str], blocks: Any) -> Download:
    rows: Iterator[list[dict[str, Any]]] = iter(blocks)
    return Download(
        name=f"newsdata-{asked.view.version}-{name}.csv",
        media_type="text/csv; charset=utf-8",
        blocks=csv_of_rows(header, rows),
    )
