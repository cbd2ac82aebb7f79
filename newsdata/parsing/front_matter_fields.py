"""What only the posts of other sites say in their front matter: authors, language, picture, lead, and where the post stands."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from ..schema import Site
from .front_matter_values import as_written, is_null, merged, target_of
from .permalinks import Addressed, permalink_of
from .site_settings import language
from .white_space import clean_line
from .yaml_text import Mapping as YamlMap
from .yaml_text import Scalar

__all__ = ["FIELD_KEYS", "NO_FIELDS", "SiteFields", "Written", "read_fields"]

FIELD_KEYS = frozenset(
    {
        "author", "authors", "lang", "language", "locale", "image", "description", "excerpt", "excerpt_separator", "permalink",
        "slug",
    }
)  # fmt: skip
"""The keys of the front matter, and of the defaults in `_config.yml`, that are read here."""

_MOST = 100  # authors
_LANGUAGES = frozenset(
    [
        "af",
        "am",
        "ar",
        "az",
        "be",
        "bg",
        "bn",
        "bs",
        "ca",
        "cs",
        "cy",
        "da",
        "de",
        "el",
        "en",
        "eo",
        "es",
        "et",
        "eu",
        "fa",
        "fi",
        "fr",
        "ga",
        "gl",
        "gu",
        "he",
        "hi",
        "hr",
        "hu",
        "hy",
        "id",
        "is",
        "it",
        "ja",
        "ka",
        "kk",
        "km",
        "kn",
        "ko",
        "ku",
        "ky",
        "la",
        "lo",
        "lt",
        "lv",
        "mk",
        "ml",
        "mn",
        "mr",
        "ms",
        "my",
        "nb",
        "ne",
        "nl",
        "nn",
        "no",
        "pa",
        "pl",
        "ps",
        "pt",
        "ro",
        "ru",
        "si",
        "sk",
        "sl",
        "sq",
        "sr",
        "sv",
        "sw",
        "ta",
        "te",
        "tg",
        "th",
        "tr",
        "tt",
        "ug",
        "uk",
        "ur",
        "uz",
        "vi",
        "zh",
    ]
)
_FOLDER = re.compile(r"([a-z]{2})(?:[-_][A-Za-z]{2,4})?", re.ASCII)
_TIME_WITHOUT_ZONE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt]| +)\d{1,2}:\d\d:\d\d(?:\.\d*)?\s*", re.ASCII)


class SiteFields(NamedTuple):
    """What the front matter of a post of another site says.

    Attributes:
        authors, lang, image, digest, url: see `newsdata.schema.columns("articles")`.
        excerpt_separator: what ends the lead in the body, if the front matter gives no lead and a separator is set.
    """

    authors: tuple[str, ...] = ()
    lang: str | None = None
    image: str | None = None
    digest: str | None = None
    url: str | None = None
    excerpt_separator: str | None = None


NO_FIELDS = SiteFields()
"""Of a post of the archive's own feeds."""


class Written(NamedTuple):
    """What is known of a post already.

    Attributes:
        path: the file, relative to the site's root, with `/`.
        slug: by the file name; None if Jekyll would not read the file as a post, because its name has no date.
        categories, date: of the post.
        is_draft: whether it is in `_drafts`.
    """

    path: str
    slug: str | None
    categories: Sequence[str]
    date: datetime | None
    is_draft: bool


def read_fields(values: Mapping[str, object], post: Written, site: Site) -> SiteFields:
    """Read the fields.

    Args:
        values: of the front matter and its defaults.
        post: what is known already.
        site: what `_config.yml` says.

    >>> read_fields({"author": "A", "image": {"path": "/a.png"}}, Written("en/_posts/a.md", None, (), None, False), Site())[:3]
    (('A',), 'en', '/a.png')
    """
    permalink = _permalink(values.get("permalink"))
    digest = _line(values.get("description")) or _line(values.get("excerpt"))
    separator = values.get("excerpt_separator")
    separator = str(separator) if isinstance(separator, str) and not is_null(separator) else site.excerpt_separator
    return SiteFields(
        authors=_authors(values),
        lang=_language(values, post.path, permalink) or site.lang,
        image=_image(values.get("image")),
        digest=digest,
        url=_url(values, post, site, permalink),
        excerpt_separator=None if digest else separator or None,
    )


def _authors(values: Mapping[str, object]) -> tuple[str, ...]:
    """The names in `authors` and `author`: texts, maps with a name, or lists of them."""
    found: dict[str, None] = {}
    for value in (values.get("authors"), values.get("author")):
        value = target_of(value)
        for one in value[:_MOST] if isinstance(value, list) else [value]:
            one = target_of(one)
            if isinstance(one, YamlMap):
                one = merged(one).get("name")
            elif isinstance(one, dict):  # of the defaults in _config.yml
                one = one.get("name")
            if name := _line(one):
                found[name] = None
    return tuple(found)[:_MOST]


def _language(values: Mapping[str, object], path: str, permalink: str | None) -> str | None:
    """The language by the front matter, else by the first folder of the path or the address, else by that below `_posts`."""
    for key in ("lang", "language", "locale"):
        if found := language(target_of(values.get(key))):
            return found
    folders = path.split("/")[:-1]
    below = [folders[at + 1] for at, folder in enumerate(folders[:-1]) if folder == "_posts"]
    for folder in (*folders[:1], *below[:1], *(permalink or "").split("/")[1:2]):
        match = _FOLDER.fullmatch(folder)
        if match and match[1] in _LANGUAGES:
            return folder
    return None


def _image(value: object) -> str | None:
    """The address of the picture: a text, or the `path` of a map."""
    value = target_of(value)
    if isinstance(value, dict):
        value = target_of(value.get("path"))
    return _line(value)


def _permalink(value: object) -> str | None:
    """`permalink` in the front matter; None where Jekyll takes the template of the site."""
    value = target_of(value)
    is_text = isinstance(value, str) and not is_null(value)
    return None if not is_text or (isinstance(value, Scalar) and value.plain and value == "false") else str(value)


def _url(values: Mapping[str, object], post: Written, site: Site, permalink: str | None) -> str | None:
    """Where the post stands on its site; None if Jekyll makes no page of it, or it cannot be known."""
    folders = post.path.split("/")
    if "old_post" in folders or (post.slug is None and not post.is_draft):
        return None
    slug = target_of(values.get("slug"))
    own_slug = str(slug) if isinstance(slug, str) and not is_null(slug) else post.slug
    path = post.path.removeprefix(f"{site.collections_dir}/") if site.collections_dir else post.path
    date = _date_of_jekyll(values.get("date"), post.date)
    found = permalink_of(Addressed(path, own_slug or "", post.categories, date), site.permalink, permalink)
    return None if found is None else site.address + found


def _date_of_jekyll(written: object, date: datetime | None) -> datetime | None:
    """The date in the address. Jekyll takes a time without a zone for one in UTC, which may be another day."""
    if (
        date is None
        or not isinstance(written, Scalar)
        or not written.plain
        or not _TIME_WITHOUT_ZONE.fullmatch(written)
    ):
        return date
    try:
        return date.replace(tzinfo=UTC).astimezone(date.tzinfo)
    except OverflowError:
        return date


def _line(value: object) -> str | None:
    """A value as one line of text; None if there is none, or if it is a list or a map."""
    value = target_of(value)
    if is_null(value) or not isinstance(value, str):
        return None
    return clean_line(as_written(value, None)) or None
