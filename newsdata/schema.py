"""The records and the tables, defined once: Arrow schemas, `datasets` features, and what each column means.

Offsets (`start`, `end`) count Unicode code points of `text`, as Python indexing does; `end` is exclusive. Times are
instants in milliseconds, shown in the site's time zone. `newsdata.tables` lists the columns, also those of earlier versions.

The meanings of issues and reject rules are printed in the card of every version: another word there changes
the bytes of the next version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from .tables import TABLES, TIME, Table

if TYPE_CHECKING:
    import datasets

__all__ = [
    "CONFIGS",
    "FEED_NAME",
    "ISSUES",
    "KNOWN_SCHEMAS",
    "MICS",
    "REJECT_RULES",
    "SCHEMA_VERSION",
    "SPLITS",
    "Image",
    "InvalidByte",
    "Link",
    "Mention",
    "Notice",
    "Post",
    "RawPost",
    "Reject",
    "Site",
    "Span",
    "TextCode",
    "columns",
    "features",
    "features_json",
    "table_schema",
]

SCHEMA_VERSION = "2.0"
"""Version of the tables. A new column raises the minor number, a changed one the major number."""

KNOWN_SCHEMAS = tuple(TABLES)
"""The major numbers of the schemas whose versions can be read, oldest first."""

CONFIGS: Mapping[str, tuple[str, ...]] = {
    "articles": ("train", "validation", "test", "newer"),
    "posts": ("posts",),
    "rejects": ("rejects",),
    "excluded": ("excluded",),
    "origins": ("origins",),
    "revisions": ("revisions",),
}
"""Each config of a dataset and its splits. The first config is the default one."""

SPLITS = CONFIGS["articles"]
"""The splits of the default config, in order of time; elsewhere a split is often named by its position here."""

MICS: Mapping[int, str] = {0: "XSHE", 1: "XSHG", 105: "XNAS", 106: "XNYS", 116: "XHKG"}
"""The archive's market numbers whose exchange is known -> its code (ISO 10383, "market identifier code"). Market 0 has others, too."""

FEED_NAME = re.compile(r"(?P<market>NW)?(?P<id>\d{18})")
"""How the name of a file from the archive's own feeds ends, without its extension."""


# ---------------------------------------------------------------------------------------------- records


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPost:
    """One file of the source, not parsed yet.

    Attributes:
        path: relative to the source, with `/`.
        data: its bytes.
    """

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The settings of `_config.yml` that decide how posts are read.

    Attributes:
        timezone: IANA name of the zone of times without one; "UTC" if the site names none.
        defaults: front matter defaults: `(scope path, scope type or "", values)`, in the order of `_config.yml`. A value
            in a post's own front matter wins.
        drafts: whether files below `_drafts` are posts, too.
        collections_dir: the folder that contains `_posts`, "" for the root of the site.
        exclude: names and patterns of files and folders that are left out.
        title, lang: of the site, None if it names none.
        address: of the site, without a slash at its end; "" if it names none.
        permalink: the template of the addresses of posts; "" if a plug-in decides.
        excerpt_separator: what ends the lead in a body; None if none is set.
    """

    timezone: str = "UTC"
    defaults: tuple[tuple[str, str, Mapping[str, object]], ...] = ()
    drafts: bool = False
    collections_dir: str = ""
    exclude: tuple[str, ...] = ()
    title: str | None = field(default=None, repr=False)  # it decides no row, so it is in no key
    lang: str | None = None
    address: str = ""
    permalink: str = "/:categories/:year/:month/:day/:title:output_ext"
    excerpt_separator: str | None = None


class Span(NamedTuple):
    """A part of `text`: `text[start:end]`, in code points."""

    start: int
    end: int


class Mention(NamedTuple):
    """A span of `text` that the publisher linked to a security, board or glossary page.

    Attributes:
        start, end: code points of the article's text; `article_text[start:end] == mention.text` always holds.
        text: the linked words.
        kind: "security", "board" or "glossary".
        market: the publisher's number of the market, None for a glossary entry.
        code: the code in that market, as written ("000333"), None for a glossary entry.
        exchange: ISO 10383 code of the exchange if it is known, else None.
        url: target of the link, None if the markup has none.
    """

    start: int
    end: int
    text: str
    kind: str
    market: int | None
    code: str | None
    exchange: str | None
    url: str | None


class TextCode(NamedTuple):
    """A code of a security that is written in the text.

    Attributes:
        start, end: code points of the article's text; `article_text[start:end] == text_code.text` always holds.
        text: the code as written, with its exchange if one is written ("601633.SH", "NYSE: BABA").
        code: the code alone ("601633", "BABA").
        exchange: ISO 10383 code of the exchange, None if neither the text nor the code's range tells it.
    """

    start: int
    end: int
    text: str
    code: str
    exchange: str | None


class Notice(NamedTuple):
    """A part of the post that is no part of its text, such as a disclaimer: what `kind` it is, and its words."""

    kind: str
    text: str


class InvalidByte(NamedTuple):
    """A byte that cannot be decoded and became U+FFFD: its `offset` in the file, counted from 0, and its value."""

    offset: int
    byte: int


class Image(NamedTuple):
    """A picture in the body: its address, and its caption or None."""

    url: str
    caption: str | None


class Link(NamedTuple):
    """A link in the text, apart from mentions: `text[start:end]` leads to `url`."""

    start: int
    end: int
    url: str


class Post(NamedTuple):
    """One parsed file of the source. `columns("articles")` and `columns("posts")` say what the fields mean.

    `category`, `media`, `digest` and others are those of this file; merging decides which post gives a column of the
    article. Posts and their parts are named tuples, because these are made three times as fast as data classes.
    """

    path: str
    sha256: str
    article_id: str
    feed: str
    title: str
    published_at: datetime | None
    date_written: str | None
    categories: tuple[str, ...]
    tags: tuple[str, ...]
    authors: tuple[str, ...]
    lang: str | None
    image: str | None
    published: bool
    draft: bool
    front_matter: str
    body: str
    invalid_bytes: tuple[InvalidByte, ...]
    generation: str | None
    category: str | None
    media: str | None
    digest: str | None
    digest_credit: str | None
    text: str
    notices: tuple[Notice, ...]
    source: str | None
    url: str | None
    mentions: tuple[Mention, ...]
    text_codes: tuple[TextCode, ...]
    headings: tuple[Span, ...]
    images: tuple[Image, ...]
    links: tuple[Link, ...]
    chart_symbols: tuple[str, ...]
    is_flash: bool
    issues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A file that should be a post and could not be read.

    Attributes:
        path: the file, relative to the source, with `/`.
        sha256: of its bytes, None if they could not be read.
        size: in bytes, None if unknown.
        rule: a key of `REJECT_RULES`.
        reason: what is wrong, in words.
        line: the line of the file, counted from 1, or None.
        excerpt: up to 200 characters around the fault, or None. A line end or tab is shown as a blank, a character that
            does not print as U+FFFD.
    """

    path: str
    sha256: str | None
    size: int | None
    rule: str
    reason: str
    line: int | None = None
    excerpt: str | None = None


ISSUES: Mapping[str, str] = {
    # front matter
    "front-matter-lenient": "the front matter is not YAML; its lines were read one by one",
    "front-matter-leading-blank": "blank lines stood before the front matter",
    "front-matter-missing": "the file has no front matter; title and date come from its name",
    "bom": "the file starts with a byte order mark",
    "encoding-utf-16": "the file is UTF-16",
    "encoding-invalid": "bytes that are not UTF-8 were replaced by U+FFFD",
    "encoding-guessed": "the file is not UTF-8; its encoding was told by how likely its text is",
    "windows-1252": "control characters were read as the quotes and dashes of Windows-1252",
    "line-ends": "the lines end in CR alone",
    "control-characters": "control characters were removed",
    "duplicate-key": "a key stands twice in the front matter; the last one counts",
    "value-not-text": "a number, boolean, date, list or map stands where text belongs; it was taken as written",
    "title-empty": "the title is empty",
    "title-from-slug": "there is no title; it was made from the file name",
    "title-multiline": "the title runs over more than one line; they were joined by a blank",
    "date-without-zone": "the date has no zone; the site's was taken",
    "date-ambiguous-zone": "the zone's name means more than one zone; it was read as Jekyll does",
    "date-from-name": "there is no date; the day of the file name was taken",
    "date-unreadable": "the date cannot be read; the day of the file name was taken, if it has one",
    "date-missing": "neither front matter nor file name give a date",
    # body
    "url-empty": "the address at the end is empty",
    "digest-empty": "the digest is empty",
    "markup-broken": "the body's markup is broken; what could be read was kept",
    "torn": "the site's navigation stands in the middle: the file was written twice at once, and may hold parts of two posts",
    "liquid": "Liquid tags were left as they stand",
    "kramdown": "kramdown attributes were dropped",
    # state
    "unpublished": "the front matter says `published: false`",
    "draft": "the post is a draft",
}
"""Every code that the column `issues` may hold -> what it means."""

REJECT_RULES: Mapping[str, str] = {
    "empty": "the file has no bytes, or only blank ones",
    "unreadable": "the file cannot be opened or read, or changed while it was read",
    "not-a-file": "it is a device, a pipe or a link. No link of a folder is followed, and of an archive only those to its own files",
    "path-not-utf-8": "the name of the file is not UTF-8",
    "path-unsafe": "the path is absolute, leads out of the source, is empty or too long, or has a NUL character",
    "path-taken": "another file of the archive has the same path; the last one counts",
    "too-large": "the file is larger than a post can be",
    "encoding": "the file is no text in an encoding that can be told",
    "data-file": "the file is YAML with the name of a post, and Jekyll does not read it as one",
    "front-matter-missing": "the file has no front matter, and its name is not that of a post",
    "front-matter-unclosed": "the front matter has no closing line",
    "front-matter-not-a-map": "the front matter is a list or a single value instead of `key: value` lines",
    "front-matter-unreadable": "the front matter is not YAML, and its lines could not be read one by one",
    "front-matter-hostile": "the front matter is nested or repeated far more than a post needs, or asks to run code",
    "body-hostile": "the body is nested or repeated far more than a post needs",
}
"""Every rule that a reject may have broken -> what it means."""


# ----------------------------------------------------------------------------------------------- tables


def columns(config: str, version: str = SCHEMA_VERSION) -> dict[str, str]:
    """The columns of a config in their order: name -> meaning.

    Args:
        config: a key of `CONFIGS`.
        version: of the schema, as `Manifest.schema_version` has it. One that is not known counts as the newest.

    >>> columns("rejects")["rule"]
    'the rule that it broke'
    >>> "chart_symbol" in columns("articles", "1.1"), "chart_symbol" in columns("articles")
    (True, False)
    """
    return {name: meaning for name, _, meaning in _table(config, version)}


def table_schema(config: str, timezone: str = "UTC", version: str = SCHEMA_VERSION) -> pa.Schema:
    """The Arrow schema of a config.

    Every field is nullable, because `datasets` drops non-null flags.

    Args:
        config: a key of `CONFIGS`.
        timezone: IANA name of the zone of the times.
        version: as for `columns`.

    >>> table_schema("articles", "Asia/Shanghai").field("published_at").type
    TimestampType(timestamp[ms, tz=Asia/Shanghai])
    """
    time = pa.timestamp("ms", tz=timezone)
    return pa.schema([(name, time if kind is TIME else kind) for name, kind, _ in _table(config, version)])


def _table(config: str, version: str) -> Table:
    """The columns of a config in a version of the schema."""
    return TABLES.get(version.partition(".")[0], TABLES[KNOWN_SCHEMAS[-1]])[config]


def features(config: str, timezone: str = "UTC", version: str = SCHEMA_VERSION) -> datasets.Features:
    """The `datasets` features of a config, made from its Arrow schema. The arguments are those of `table_schema`.

    >>> features("rejects")["line"]
    Value('int32')
    """
    import datasets

    return datasets.Features.from_arrow_schema(table_schema(config, timezone, version))


def features_json(config: str, timezone: str = "UTC", version: str = SCHEMA_VERSION) -> dict[str, Any]:
    """The same as `features(…).to_dict()`, without importing `datasets`, which takes a second.

    >>> features_json("rejects")["line"]
    {'dtype': 'int32', '_type': 'Value'}
    """
    return {field.name: _feature(field.type) for field in table_schema(config, timezone, version)}


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    return {"dtype": str(kind), "_type": "Value"}
