"""The parameters of every address of the page: parsed, checked and written in this one place.

A parameter with a bad value, an unknown name, or a second value where one is possible is a `BadParameter` that names it. An
empty value is the same as none, because an HTML form sends its empty fields.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..schema import ISSUES, SPLITS

__all__ = [
    "FIELDS",
    "KWIC_SORTS",
    "NO_PUBLISHER",
    "SORTS",
    "VIEWS",
    "BadParameter",
    "Query",
    "Reader",
    "parse_query",
]

NO_PUBLISHER = "(none)"
"""The value of `publisher` that stands for articles without one."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "title": ("title",),
    "lead": ("digest",),
    "text": ("text",),
    "all": ("title", "digest", "text"),
}
"""Values of `in` -> the columns that are searched."""

SORTS = ("newest", "oldest", "longest", "shortest")
KWIC_SORTS = ("1L", "2L", "3L", "1R", "2R", "3R")
"""Orders of lines in context: by one to three characters to the left or to the right."""
VIEWS = ("list", "context", "table")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MAX_WORD, _MAX_VALUE, _MAX_FIELDS, _MAX_PAGE = 1_000, 1_000, 200, 10_000_000
_WINDOW = (10, 60)


class BadParameter(Exception):
    """A parameter that cannot be used: its name (`field`), and what is wrong with it (`reason`)."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What articles are wanted, and how they are shown. The names of the parameters stand in `_NAMES`.

    Attributes:
        q: the words to find, exactly as written; "" for no search.
        where: a key of `FIELDS`.
        first_day, last_day: local days, both included; articles without a date are left out when one is given.
        split, publisher, code, issue: one of these values each; none for any.
        kind: "article", "flash" or "".
        cluster: "any", "copies" (has a near-copy) or "single".
        sort: one of `SORTS` or `KWIC_SORTS`, "" for the newest first.
        view: one of `VIEWS`.
        page: from 1.
        window: characters on each side of a hit in context.
        share: whether the chart shows the share of all articles of the day.
    """

    q: str = ""
    where: str = "all"
    first_day: date | None = None
    last_day: date | None = None
    split: tuple[str, ...] = ()
    publisher: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    kind: str = ""
    issue: tuple[str, ...] = ()
    cluster: str = "any"
    sort: str = ""
    view: str = "list"
    page: int = 1
    window: int = 30
    share: bool = False

    def encode(self, **changes: Any) -> str:
        """The query string of this query with some attributes changed, "" or beginning with `?`.

        A change of what is wanted goes back to the first page. Values that are usual are left out, and the order is fixed,
        so equal queries have equal addresses.

        >>> Query(q="涨", page=3).encode(split=("train",))
        '?q=%E6%B6%A8&split=train'
        """
        if changes and "page" not in changes:
            changes["page"] = 1
        wanted = replace(self, **changes)
        pairs: list[tuple[str, str]] = []
        for name, attribute in _NAMES.items():
            value = getattr(wanted, attribute)
            if isinstance(value, tuple):
                pairs += [(name, item) for item in value]
            elif value != _DEFAULTS[attribute]:
                pairs.append((name, "1" if value is True else str(value)))
        return f"?{urlencode(pairs)}" if pairs else ""

    def filters(self) -> list[tuple[str, str, str, str]]:
        """The filters in use: name of the parameter, its attribute, its value, and the query string without it."""
        found = []
        for name in ("q", "from", "to", "split", "publisher", "code", "kind", "issue", "cluster"):
            attribute = _NAMES[name]
            value = getattr(self, attribute)
            if isinstance(value, tuple):
                for item in value:
                    rest = tuple(other for other in value if other != item)
                    found.append((name, attribute, item, self.encode(**{attribute: rest})))
            elif value != _DEFAULTS[attribute]:
                found.append((name, attribute, str(value), self.encode(**{attribute: _DEFAULTS[attribute]})))
        return found

    def without(self, attribute: str, value: str) -> Query:
        """This query without one filter."""
        held = getattr(self, attribute)
        rest: Any = tuple(item for item in held if item != value) if isinstance(held, tuple) else _DEFAULTS[attribute]
        return replace(self, **{attribute: rest})


_NAMES = {
    "q": "q", "in": "where", "from": "first_day", "to": "last_day", "split": "split", "publisher": "publisher", "code": "code",
    "kind": "kind", "issue": "issue", "cluster": "cluster", "sort": "sort", "view": "view", "page": "page",
    "window": "window", "share": "share",
}  # fmt: skip
"""Name of a parameter -> attribute of `Query`."""

_DEFAULTS = {field.name: field.default for field in fields(Query)}


class Reader:
    """The parameters of one request, taken one after the other; `end` then refuses what is left.

    >>> reader = Reader(b"page=2&rule=empty")
    >>> reader.page(), reader.text("rule"), reader.end()
    (2, 'empty', None)
    """

    def __init__(self, query_string: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                query_string.decode("ascii"),
                keep_blank_values=True,
                encoding="utf-8",
                errors="strict",
                max_num_fields=_MAX_FIELDS,
            )
        except UnicodeError:
            raise BadParameter("query", "it is not UTF-8, percent-encoded") from None
        except ValueError:
            raise BadParameter("query", f"more than {_MAX_FIELDS} parameters") from None
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str, limit: int = _MAX_VALUE) -> str:
        """One text, "" if there is none."""
        values = self._values.pop(name, [])
        if len(values) > 1:
            raise BadParameter(name, "it stands more than once")
        value = values[0] if values else ""
        if len(value) > limit:
            raise BadParameter(name, f"it is longer than {limit:,} characters")
        return value

    def texts(self, name: str, known: Sequence[str] | None = None) -> tuple[str, ...]:
        """Some texts, each of them one of `known` if that is given, without repetitions."""
        values = [value for value in self._values.pop(name, []) if value]
        for value in values:
            if len(value) > _MAX_VALUE:
                raise BadParameter(name, f"it is longer than {_MAX_VALUE:,} characters")
            if known is not None and value not in known:
                raise BadParameter(name, _not_among(value, known))
        return tuple(dict.fromkeys(values))

    def choice(self, name: str, known: Sequence[str], default: str) -> str:
        """One of `known`."""
        value = self.text(name) or default
        if value != default and value not in known:
            raise BadParameter(name, _not_among(value, known))
        return value

    def day(self, name: str) -> date | None:
        """A day."""
        value = self.text(name)
        if not value:
            return None
        try:
            if not _DAY.fullmatch(value):
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise BadParameter(name, "it must be a day like 2022-03-01") from None

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number."""
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and len(value) < 10 and least <= int(value) <= most):
            raise BadParameter(name, f"it must be a whole number from {least:,} to {most:,}")
        return int(value)

    def page(self) -> int:
        """The number of the page, from 1."""
        return self.number("page", 1, 1, _MAX_PAGE)

    def end(self) -> None:
        """Refuse parameters that nobody asked for."""
        for name in self._values:
            raise BadParameter(name[:100] or "query", "there is no such parameter here")


def _not_among(value: str, known: Sequence[str]) -> str:
    return f"{value[:100]!r} is not one of {', '.join(known)}"


def parse_query(reader: Reader, known_issues: Sequence[str] = ()) -> Query:
    """The query in the parameters of a request; other parameters stay in `reader`.

    Raises:
        BadParameter: a parameter cannot be used.

    >>> parse_query(Reader(b"q=%E6%B6%A8&from=2022-03-01&view=table")).first_day
    datetime.date(2022, 3, 1)
    """
    take: Mapping[str, Callable[[], Any]] = {
        "q": lambda: reader.text("q", _MAX_WORD),
        "where": lambda: reader.choice("in", tuple(FIELDS), "all"),
        "first_day": lambda: reader.day("from"),
        "last_day": lambda: reader.day("to"),
        "split": lambda: reader.texts("split", SPLITS),
        "publisher": lambda: reader.texts("publisher"),
        "code": lambda: reader.texts("code"),
        "kind": lambda: reader.choice("kind", ("article", "flash"), ""),
        "issue": lambda: reader.texts("issue", (*ISSUES, *known_issues)),
        "cluster": lambda: reader.choice("cluster", ("any", "copies", "single"), "any"),
        "view": lambda: reader.choice("view", VIEWS, "list"),
        "page": reader.page,
        "window": lambda: reader.number("window", 30, *_WINDOW),
        "share": lambda: reader.choice("share", ("0", "1"), "0") == "1",
        "sort": lambda: reader.choice("sort", (*SORTS, *KWIC_SORTS), ""),
    }
    query = Query(**{attribute: read() for attribute, read in take.items()})
    if query.first_day and query.last_day and query.last_day < query.first_day:
        raise BadParameter("to", f"it is before {query.first_day}, the first day")
    if query.sort in KWIC_SORTS and query.view != "context":
        query = replace(query, sort="")
    return replace(query, sort="") if query.sort == SORTS[0] else query
