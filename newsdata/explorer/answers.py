"""What a page is asked, and what it answers: the same facts as HTML and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from .parameters import Reader
from .table import Table
from .view import View

__all__ = [
    "PAGE_SIZE",
    "Answer",
    "Asked",
    "Download",
    "Missing",
    "article_address",
    "local_time",
    "name_in_address",
    "pages_of",
]

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request.

    Attributes:
        view: the version that is asked for.
        base: what the addresses of this version begin with: "" or "/v/1.0.0".
        reader: its parameters.
        name: the part of the path that names an article, a cluster, and so on; "".
    """

    view: View
    base: str
    reader: Reader
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A page.

    Attributes:
        template: name of the file without `.html`.
        title: of the page.
        facts: what the template shows.
        data: the JSON twin.
        status: of the response.
    """

    template: str
    title: str
    facts: Mapping[str, Any]
    data: Mapping[str, Any]
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that is made while it is sent."""

    name: str
    media_type: str
    blocks: Iterator[bytes] = field(repr=False)


class Missing(Exception):
    """There is nothing of this name, or no such page; `hints` has links with their words."""

    def __init__(self, reason: str, hints: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hints = hints


def pages_of(total: int, page: int, size: int = PAGE_SIZE) -> int:
    """The number of pages.

    Raises:
        Missing: the page lies behind the last one.
    """
    last = max(1, -(-total // size))
    if page > last:
        raise Missing(f"there is no page {page:,}; the last one is {last:,}")
    return last


def article_address(base: str, article_id: str, query: str = "") -> str:
    """The address of an article's page.

    >>> article_address("", "_posts/2022-06-02-a b", "?q=x")
    '/article/_posts/2022-06-02-a%20b?q=x'
    """
    is_plain = {"", ".", ".."}.isdisjoint(article_id.split("/"))  # browsers resolve dots between slashes
    return f"{base}/article/{name_in_address(article_id, safe='/' if is_plain else '')}{query}"


def name_in_address(name: str, safe: str = "") -> str:
    """A name as the end of an address. One slash behind it belongs to the address and is dropped when it is read.

    The slash keeps `..` from being resolved by browsers, and a name that ends in `.json` from meaning the JSON twin.

    >>> name_in_address("a b"), name_in_address(".."), name_in_address("_posts/2022-06-02-data.json", safe="/")
    ('a%20b', '..%2F', '_posts/2022-06-02-data.json%2F')
    """
    slash = "%2F" if name in (".", "..") or name.endswith((".json", "/")) else ""
    return quote(name, safe=safe) + slash


def local_time(table: Table, row: int, zone: Any) -> datetime | None:
    """When an article was published, in the zone of the site."""
    if table.hours[row] < 0:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(table.times[row]))).astimezone(zone)
