"""One article: its text with mentions, all of its fields, the files that it was read from, its copies and revisions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from ...dataset.where import where
from ...errors import NewsdataError
from ...schema import ISSUES, columns
from ...storage.manifest import LEDGER_NAME
from ..answers import Answer, Asked, Missing, article_address, local_time, name_in_address
from ..clusters import members_of
from ..find_in_shards import find_in_config
from ..opened import READ_ERRORS, is_regular
from ..parameters import FIELDS, Query, parse_query
from ..selection import Selection
from ..text_parts import annotate, mark
from .listed import listed, title_of

__all__ = ["article", "excluded_article"]

_COPIES, _FILES, _REVISIONS = 10, 20, 100
_MAX_VALUE, _MAX_RAW = 2_000, 4_000
_FILE = ("path", "sha256", "generation", "date_written", "issues", "feed", "commit", "front_matter", "body", "cut")
_KINDS = ("security", "board", "glossary")


class Neighbours(NamedTuple):
    """Where an article stands in the search that led to it: from 1, of how many, and the addresses beside it."""

    place: int
    total: int
    previous: str | None
    next: str | None
    back: str


def article(asked: Asked) -> Answer:
    """An article of a split.

    Raises:
        Missing: there is no such article.
    """
    query = parse_query(asked.reader, asked.view.table.issues.values)
    asked.reader.end()
    selection = asked.view.select(query)
    row = asked.view.table.row_of(asked.name) if asked.name else None
    if row is None or row >= asked.view.table.articles:
        raise _missing(asked, is_excluded=row is not None)
    return _answer(asked, row, query, _neighbours(asked, selection, row))


def excluded_article(asked: Asked) -> Answer:
    """An excluded article.

    Raises:
        Missing: there is no such article.
    """
    asked.reader.end()
    row = asked.view.table.row_of(asked.name)
    if row is None or row < asked.view.table.articles:
        raise Missing(f"no article {asked.name} is excluded", ((f"{asked.base}/excluded", "the excluded articles"),))
    return _answer(asked, row, Query(), None)


def _answer(asked: Asked, row: int, query: Query, neighbours: Neighbours | None) -> Answer:
    view, table = asked.view, asked.view.table
    values = view.rows.whole(row)
    fields = FIELDS[query.where]
    title = title_of(values | {"title": values.get("title")}, row)
    paragraphs, whole = annotate(values, query.q if "text" in fields else "")
    files = _files(asked, values)
    facts = {
        "query": query,
        "row": values,
        "is_excluded": row >= table.articles,
        "title": mark(title, query.q if "title" in fields else ""),
        "digest": mark(values.get("digest") or "", query.q if "digest" in fields else ""),
        "paragraphs": paragraphs,
        "whole": whole,
        "time": local_time(table, row, view.opened.zone),
        "publisher": table.publisher.at(row),
        "split": table.split.at(row),
        "codes": _codes(values),
        "text_codes": _text_codes(values),
        "kinds": [kind for kind in _KINDS if any(m["kind"] == kind for m in values.get("mentions") or ())],
        "fields": _fields(asked, values, "excluded" if row >= table.articles else "articles"),
        "issues": [(code, ISSUES.get(code, "")) for code in values.get("issues") or ()],
        "files": files,
        "copies": _copies(asked, row, query),
        "cluster": table.cluster.at(row) or "",
        "cluster_size": table.copies(row),
        "revisions": _revisions(asked, values),
        "neighbours": neighbours,
        "citation": _citation(asked, values),
        "load": _load(asked, values, table.split.at(row) or ""),
    }
    data = {
        "total": 1,
        "facets": {},
        "rows": [_plain(values) | {"split": facts["split"], "publisher": facts["publisher"]}],
        "files": _plain(files),
        "revisions": _plain(facts["revisions"]),
    }
    return Answer(template="article", title=title[:80], facts=facts, data=data)


def _missing(asked: Asked, *, is_excluded: bool) -> Missing:
    """Why there is no such article, in the words of `newsdata where`."""
    opened, found = asked.view.opened, None
    if asked.name and is_regular(opened, LEDGER_NAME):
        try:
            found = where(opened.folder, asked.name)
        except (NewsdataError, *READ_ERRORS):  # a damaged version: nobody can tell
            found = None
    reason = f"there is no article {asked.name!r}"
    hints: list[tuple[str, str]] = []
    if found is not None and found.became != "unknown":
        reason += f": {found.became}; {found.why}"
        if found.became == "article" and found.article_id:
            hints.append((article_address(asked.base, found.article_id), f"the article {found.article_id}"))
    if is_excluded:
        hints.append((f"{asked.base}/excluded/{name_in_address(asked.name)}", "look at it among the excluded articles"))
    elif found is not None and found.became == "excluded" and found.article_id:
        address = f"{asked.base}/excluded/{name_in_address(found.article_id)}"
        hints.append((address, "look at it among the excluded articles"))
    if found is not None and found.became == "reject":
        hints.append((f"{asked.base}/rejects", "all rejects"))
    return Missing(reason, (*hints, (f"{asked.base}/", "all articles")))


def _neighbours(asked: Asked, selection: Selection, row: int) -> Neighbours | None:
    """The articles before and after this one in the search; None if it is not in it."""
    rows = selection.rows()
    places = (rows == row).nonzero()[0].tolist()
    if not places:
        return None
    place, query = places[0], selection.query
    encoded, ids = query.encode(page=1), selection.table.ids

    def address(at: int) -> str | None:
        inside = 0 <= at < len(rows)
        return article_address(asked.base, ids[int(rows[at])].as_py(), encoded) if inside else None

    page = place // 50 + 1 if query.view != "context" else 1
    back = f"{asked.base}/{replace(query, page=page).encode()}"
    return Neighbours(place + 1, len(rows), address(place - 1), address(place + 1), back)


def _codes(values: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """The codes that are mentioned, with their words and how often."""
    mentions = [mention for mention in values.get("mentions") or () if mention and mention["code"]]
    counts = Counter(mention["code"] for mention in mentions)
    names = {mention["code"]: mention["text"] or "" for mention in reversed(mentions)}
    return [(code, names[code], count) for code, count in counts.most_common()]


def _text_codes(values: Mapping[str, Any]) -> list[tuple[str, str | None, int]]:
    """The codes that are written in the text, with their exchange and how often. In schema 1 they are plain texts."""
    found = (code if isinstance(code, Mapping) else {"code": code} for code in values.get("text_codes") or () if code)
    counts = Counter((code.get("code") or "", code.get("exchange")) for code in found)
    return [(code, exchange, count) for (code, exchange), count in counts.items()]


def _fields(asked: Asked, values: Mapping[str, Any], config: str) -> list[tuple[str, str, str]]:
    """Every column of the row: name, meaning, value."""
    meanings = columns(config, asked.view.opened.manifest.schema_version)
    return [(name, meanings.get(name, ""), _shown(value)) for name, value in values.items()]


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, datetime):
        return value.isoformat()
    text = value if isinstance(value, str) else json.dumps(_plain(value), ensure_ascii=False, indent=1)
    return text if len(text) <= _MAX_VALUE else f"{text[:_MAX_VALUE]}… ({len(text):,} characters in all)"


def _files(asked: Asked, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files that the article was read from: what `posts` says of them, else their hashes."""
    opened = asked.view.opened
    rows = find_in_config(opened, "posts", "article_id", values["article_id"], None, _FILES)
    feeds = {source["sha256"]: source["feed"] for source in values.get("sources") or () if source}
    files = []
    for row in sorted(rows, key=lambda row: str(row.get("path"))):
        origins = find_in_config(opened, "origins", "path", str(row.get("path")), None, 1)
        body, matter = row.get("body"), row.get("front_matter")
        files.append(
            {name: row.get(name) for name in ("path", "sha256", "generation", "date_written", "issues")}
            | {"feed": feeds.pop(row.get("sha256"), None), "commit": origins[0].get("commit") if origins else None}
            | {"front_matter": matter and matter[:_MAX_RAW], "body": body and body[:_MAX_RAW]}
            | {"cut": max(len(body or ""), len(matter or "")) > _MAX_RAW}
        )
    unlisted = ({**dict.fromkeys(_FILE), "sha256": sha256, "feed": feed} for sha256, feed in feeds.items())
    return [*files, *unlisted]


def _copies(asked: Asked, row: int, query: Query) -> list[Any]:
    """The first other members of its cluster."""
    if asked.view.table.copies(row) < 2:
        return []
    others = [other for other in members_of(asked.view.table, asked.view.table.cluster.at(row) or "") if other != row]
    return listed(asked.view, asked.base, others[:_COPIES], Query())


def _revisions(asked: Asked, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = find_in_config(asked.view.opened, "revisions", "article_id", values["article_id"], None, _REVISIONS)
    return sorted(found, key=lambda row: (str(row.get("revised_at")), str(row.get("path"))))


def _citation(asked: Asked, values: Mapping[str, Any]) -> str:
    text = str(asked.view.facts.get("citation") or "").strip()
    named = f"Article {values['article_id']} of version {asked.view.version}"
    return f"{text}\n\n% {named}" if text else named


def _load(asked: Asked, values: Mapping[str, Any], split: str) -> str:
    view, config = asked.view, f" {'excluded'!r}," if split == "excluded" else ""
    return (
        "import newsdata\n\n"
        f"rows = newsdata.load_dataset({view.shown_path!r},{config} split={split!r}, revision={view.version!r})\n"
        f'row = rows.filter(lambda row: row["article_id"] == {values["article_id"]!r})[0]'
    )


def _plain(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return str(value)
