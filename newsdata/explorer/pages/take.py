"""The exports: always all articles of the filter, never the page."""

from __future__ import annotations

from ..answers import Asked, Download
from ..exports import csv_of, file_name, ids_of, parquet_of
from ..parameters import Query
from .articles import select_for

__all__ = ["export_csv", "export_ids", "export_parquet"]


def export_csv(asked: Asked) -> Download:
    """The articles as CSV; `for=spreadsheet` for one that a spreadsheet opens safely."""
    purpose = asked.reader.choice("for", ("spreadsheet",), "")
    selection = select_for(asked)
    blocks = csv_of(asked.view.opened, asked.view.table, selection.mask, for_spreadsheet=purpose == "spreadsheet")
    return Download(name=_name(asked, selection.query, "csv"), media_type="text/csv; charset=utf-8", blocks=blocks)


def export_parquet(asked: Asked) -> Download:
    """The articles as Parquet."""
    selection = select_for(asked)
    blocks = parquet_of(asked.view.opened, selection.mask)
    name = _name(asked, selection.query, "parquet")
    return Download(name=name, media_type="application/vnd.apache.parquet", blocks=blocks)


def export_ids(asked: Asked) -> Download:
    """The ids of the articles, one a line."""
    selection = select_for(asked)
    blocks = ids_of(asked.view.table, selection.mask)
    return Download(name=_name(asked, selection.query, "txt"), media_type="text/plain; charset=utf-8", blocks=blocks)


def _name(asked: Asked, query: Query, ending: str) -> str:
    days = [str(day) for day in (query.first_day, query.last_day) if day]
    words = (query.q, *query.split, *query.publisher, *query.code, query.kind, *query.issue, *days)
    return file_name(asked.view.version, words, ending)
