"""The address of a post by Jekyll's permalink rules (`Jekyll::URL` and `Drops::UrlDrop` of Jekyll 4.3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple
from unicodedata import category
from urllib.parse import quote

__all__ = ["NO_PERMALINK", "Addressed", "permalink_of", "post_template"]

NO_PERMALINK = ""
"""Stands for the template of a site whose addresses only its plug-ins know."""

_STYLES = {
    "none": "/:categories/:title:output_ext",
    "date": "/:categories/:year/:month/:day/:title:output_ext",
    "ordinal": "/:categories/:year/:y_day/:title:output_ext",
    "pretty": "/:categories/:year/:month/:day/:title/",
    "weekdate": "/:categories/:year/W:week/:short_day/:title:output_ext",
}
_LONGEST = 8192  # characters of an address: a template can name a long value many times
_PLACEHOLDER = re.compile(r":([a-z_]+)")
_PLAIN = re.compile(r"[A-Za-z0-9./-]*")
_UNESCAPED = "-._~!$&'()*+,;=:@/?"
_PRETTY = "._~!$&'()+,;="  # and `@`: what stays in `:title` beside letters, marks and digits
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MARKDOWN = frozenset({".md", ".markdown", ".mkdown", ".mkdn", ".mkd"})


def post_template(permalink: str | None) -> str:
    """The template of the addresses of posts.

    Args:
        permalink: what `_config.yml` says: a built-in style, a template, or None.

    >>> post_template("pretty"), post_template("/:slug")
    ('/:categories/:year/:month/:day/:title/', '/:slug')
    """
    return _STYLES.get(permalink or "date", permalink or "")


class Addressed(NamedTuple):
    """What the address of a post is made from.

    Attributes:
        path: the file, relative to the site's root and below `collections_dir`, with `/`.
        slug: by the front matter, else by the file name.
        categories: of the post, in order.
        date: in the site's time zone, None if the post has none.
    """

    path: str
    slug: str
    categories: Sequence[str]
    date: datetime | None


def permalink_of(post: Addressed, template: str, own: str | None) -> str | None:
    """The address of a post on its site.

    Args:
        post: the post.
        template: of the site, see `post_template`; `NO_PERMALINK` if a plug-in decides.
        own: `permalink` in the front matter or its defaults, None if there is none.

    Returns:
        A path that begins with `/`; None if it cannot be known: a plug-in decides, a placeholder is none of Jekyll's, or it needs
        a date that the post does not have, or it would be longer than
        any address.

    >>> post = Addressed("x/_posts/2020-02-01-A-b.md", "A-b", ["X y"], datetime(2020, 2, 1))
    >>> permalink_of(post, post_template("date"), None), permalink_of(post, "/:i_month-:i_day/:slug", None)
    ('/x%20y/2020/02/01/A-b.html', '/2-1/a-b')
    >>> permalink_of(post, NO_PERMALINK, None), permalink_of(post, "/:author/", None), permalink_of(post, "", "/about")
    (None, None, '/about')
    """
    chosen = template if own is None else own
    if (own is None and chosen == NO_PERMALINK) or len(chosen) > _LONGEST:
        return None
    parts: list[str] = []
    known: dict[str, str | None] = {}
    at = length = 0
    for match in _PLACEHOLDER.finditer(chosen):
        name = match[1].removesuffix("_")
        if name not in known:
            known[name] = _value(name, post, own)
        value = known[name]
        length += 0 if value is None else len(value)
        if value is None or length > _LONGEST:
            return None
        parts += (chosen[at : match.start()], _escaped(value), "_" if name != match[1] else "")
        at = match.end()
    parts.append(chosen[at:])
    path = ("/" + "".join(parts)).replace("..", "/").replace("./", "")
    return re.sub("//+", "/", path)


def _value(name: str, post: Addressed, own: str | None) -> str | None:
    """The value of a placeholder; None if Jekyll has no such placeholder, or the post no date."""
    if name in _OF_DATE:
        return None if post.date is None else _OF_DATE[name](post.date)
    of_post = _OF_POST.get(name)
    if of_post is not None:
        return of_post(post)
    return _output_extension(post, own) if name == "output_ext" else None


_OF_DATE: dict[str, Callable[[datetime], str]] = {
    "year": lambda date: f"{date.year:04d}",
    "short_year": lambda date: f"{date.year % 100:02d}",
    "month": lambda date: f"{date.month:02d}",
    "i_month": lambda date: str(date.month),
    "short_month": lambda date: _MONTHS[date.month - 1][:3],
    "long_month": lambda date: _MONTHS[date.month - 1],
    "day": lambda date: f"{date.day:02d}",
    "i_day": lambda date: str(date.day),
    "y_day": lambda date: f"{date.timetuple().tm_yday:03d}",
    "hour": lambda date: f"{date.hour:02d}",
    "minute": lambda date: f"{date.minute:02d}",
    "second": lambda date: f"{date.second:02d}",
    "w_year": lambda date: f"{date.isocalendar().year:04d}",
    "week": lambda date: f"{date.isocalendar().week:02d}",
    "w_day": lambda date: str(date.isoweekday()),
    "short_day": lambda date: _DAYS[date.weekday()][:3],
    "long_day": lambda date: _DAYS[date.weekday()],
}
_OF_POST: dict[str, Callable[[Addressed], str]] = {
    "title": lambda post: _slug(post.slug, _PRETTY + "@"),
    "slug": lambda post: _slug(post.slug).lower(),
    "name": lambda post: _slug(_stem(post.path)).lower(),
    "path": lambda post: _split(post.path)[0].replace("_posts", "", 1).rstrip("."),
    "collection": lambda _: "posts",
    "categories": lambda post: "/".join(dict.fromkeys(name.lower() for name in post.categories)),
    "slugified_categories": lambda post: "/".join(dict.fromkeys(_slug(name).lower() for name in post.categories)),
}


def _output_extension(post: Addressed, own: str | None) -> str:
    """The extension of the page that Jekyll writes."""
    if own and not own.endswith("/") and (extension := _split(own)[1]):
        return extension
    extension = _split(post.path)[1]
    return ".html" if extension.lower() in _MARKDOWN else extension


def _split(path: str) -> tuple[str, str]:
    """A path without its extension, and the extension with its dot, as Ruby's `File.extname` cuts it."""
    name = path.rpartition("/")[2]
    dot = name.rfind(".")
    if dot <= 0 or dot == len(name) - 1 or not name[:dot].strip("."):
        return path, ""
    return path[: len(path) - len(name) + dot], name[dot:]


def _stem(path: str) -> str:
    return _split(path.rpartition("/")[2])[0]


def _slug(text: str, kept: str = "") -> str:
    """A text whose runs of other characters than letters, marks, digits and `kept` are one hyphen each, with none at the ends."""
    pieces: list[str] = []
    for letter in text:
        if letter in kept or _stays(letter):
            pieces.append(letter)
        elif not pieces or pieces[-1] != "-":
            pieces.append("-")
    return "".join(pieces).removeprefix("-").removesuffix("-")


@cache
def _stays(letter: str) -> bool:
    """Whether a character is a letter, a mark or a decimal digit."""
    kind = category(letter)
    return kind[0] in "LM" or kind == "Nd"


def _escaped(value: str) -> str:
    """A value as a part of an address, in ASCII."""
    return value if _PLAIN.fullmatch(value) else quote(value, safe=_UNESCAPED, errors="replace")
