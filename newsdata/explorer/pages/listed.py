"""An article as lists show it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from ..answers import article_address, local_time
from ..keyword_in_context import snippet
from ..parameters import FIELDS, Query
from ..text_parts import Part, mark
from ..view import View

__all__ = ["Listed", "as_data", "listed", "title_of"]

_CODES = 6  # that a list shows of an article


class Listed(NamedTuple):
    """An article in a list; the words that were searched are marked in `title` and `snippet`."""

    row: int
    article_id: str
    address: str
    title: tuple[Part, ...]
    snippet: tuple[Part, ...]
    time: datetime | None
    publisher: str | None
    split: str
    kind: str
    characters: int
    codes: tuple[tuple[str, str], ...]
    more_codes: int
    cluster: str
    copies: int


def listed(view: View, base: str, rows: Sequence[int], query: Query, encoded: str = "") -> list[Listed]:
    """Articles for a list.

    Args:
        view: the version.
        base: what its addresses begin with.
        rows: numbers of rows.
        query: whose words are marked.
        encoded: the query string that the links to the articles get.

    Raises:
        DamagedFile: a shard cannot be read.
    """
    table, found = view.table, []
    for row, values in zip(rows, view.rows.shown(rows), strict=True):
        codes = table.codes.at(row)
        names = [(code, table.name_of(code)) for code in codes[:_CODES]]
        title, words = title_of(values, row), query.q
        in_title = "title" in FIELDS[query.where]
        found.append(
            Listed(
                row=row,
                article_id=values["article_id"] or "",
                address=article_address(base, values["article_id"] or "", encoded),
                title=tuple(mark(title, words if in_title else "")),
                snippet=tuple(mark(_snippet(values, query), words)),
                time=local_time(table, row, view.opened.zone),
                publisher=table.publisher.at(row),
                split=table.split.at(row) or "",
                kind="flash" if table.flash[row] else "article",
                characters=int(table.chars[row]),
                codes=tuple(names),
                more_codes=max(0, len(codes) - _CODES),
                cluster=table.cluster.at(row) or "",
                copies=table.copies(row),
            )
        )
    return found


def title_of(values: dict[str, Any], row: int) -> str:
    """The title, or what stands for an empty one."""
    if values["title"] is None:
        return f"Article {values['article_id'] or row}"
    return values["title"] or "(empty title)"


def as_data(one: Listed) -> dict[str, Any]:
    """The same for JSON."""
    return {
        "article_id": one.article_id,
        "title": "".join(part.text for part in one.title),
        "snippet": "".join(part.text for part in one.snippet),
        "published_at": one.time.isoformat() if one.time else None,
        "publisher": one.publisher,
        "split": one.split,
        "kind": one.kind,
        "num_chars": one.characters,
        "codes": [code for code, _ in one.codes],
        "duplicate_cluster": one.cluster,
        "copies": one.copies,
    }


def _snippet(values: dict[str, Any], query: Query) -> str:
    """The place of the first hit in text or digest, or the beginning of the digest, or of the text."""
    fields = [name for name in ("text", "digest") if name in FIELDS[query.where]]
    text = next((values[name] for name in fields if query.q and query.q in (values[name] or "")), None)
    return snippet(text or values["digest"] or values["text"] or "", query.q if text else "")
