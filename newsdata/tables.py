"""The columns of every config, of each version of the schema: name, Arrow type, meaning.

`newsdata.schema` gives them out; nothing else imports this module. The tables of an earlier version stay as they were, because
versions that were built with it are still read.

The meanings are printed in the card of every version: another word there changes the bytes of the next version.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

__all__ = ["TABLES", "TIME", "Table"]

TIME = "time"
"""Stands for timestamp[ms, tz=site zone]."""

Table = tuple[tuple[str, pa.DataType | str, str], ...]
"""The columns of a config in their order: name, Arrow type or `TIME`, meaning."""

_SPAN = pa.struct([("start", pa.int32()), ("end", pa.int32())])
_MENTION = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("text", pa.string()),
        ("kind", pa.string()),
        ("market", pa.int32()),
        ("code", pa.string()),
        ("exchange", pa.string()),
        ("url", pa.string()),
    ]
)
_TEXT_CODE = pa.struct(
    [
        ("start", pa.int32()),
        ("end", pa.int32()),
        ("text", pa.string()),
        ("code", pa.string()),
        ("exchange", pa.string()),
    ]
)
_NOTICE = pa.struct([("kind", pa.string()), ("text", pa.string())])
_IMAGE = pa.struct([("url", pa.string()), ("caption", pa.string())])
_LINK = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("url", pa.string())])
_SOURCE = pa.struct([("sha256", pa.string()), ("feed", pa.string())])
_INVALID_BYTE = pa.struct([("offset", pa.int64()), ("byte", pa.int32())])
_STRINGS = pa.list_(pa.string())

# What a post says by itself: the columns that `articles` and `revisions` share.
_SAID: Table = (
    ("title", pa.string(), "headline; empty where the archive has an empty one"),
    ("digest", pa.string(), "the publisher's lead, without its credit; null where there is none"),
    (
        "digest_credit",
        pa.string(),
        "whom the digest credits at its end; in the first posts, which have no digest, whom the text credits",
    ),
    ("text", pa.string(), "clean text, paragraphs joined by a line feed; empty for a headline-only post"),
    (
        "notices",
        pa.list_(_NOTICE),
        "what publishers add at the edges of a text, moved out of it as it stood: kind (`disclaimer`, `editor`, `click`, `share`, `advert`, `related` or `source-line`) and words",
    ),
    ("published_at", TIME, "when the publisher dated it; null where neither front matter nor file name say"),
    ("feed", pa.string(), "`emnews` (annotated feed), `market` (publisher feed) or `site` (any other post)"),
    (
        "category",
        pa.string(),
        "slug of the category: the publisher in pinyin, or `emnews`; in other feeds the first category",
    ),
    ("categories", _STRINGS, "all categories, as Jekyll reads them; the first one is `category`"),
    ("tags", _STRINGS, "tags as written"),
    ("authors", _STRINGS, "authors by the front matter"),
    ("lang", pa.string(), "language tag, by the front matter, the path or `_config.yml`; null where none of them says"),
    ("publisher", pa.string(), "`media`, else `source`, as written"),
    ("media", pa.string(), "publisher by the market feed's tag; null where only `emnews` has the article"),
    ("source", pa.string(), "publisher by the source line of the body"),
    (
        "url",
        pa.string(),
        "where the article stood; of other sites by Jekyll's permalink rules; null where the archive lost it, or a plug-in "
        "decides",
    ),
    ("image", pa.string(), "address of the picture that the front matter names"),
    ("mentions", pa.list_(_MENTION), "spans that the publisher linked to securities, boards and glossary pages"),
    (
        "text_codes",
        pa.list_(_TEXT_CODE),
        "securities codes written in the text, each time that they stand there; of the archive's own feeds only",
    ),
    ("headings", pa.list_(_SPAN), "spans of `text` that are headings"),
    ("images", pa.list_(_IMAGE), "pictures with their captions"),
    ("links", pa.list_(_LINK), "plain links in the text"),
    ("chart_symbols", _STRINGS, "`market.code` of each price chart that the publisher put on top"),
    ("num_chars", pa.int32(), "length of `text` in Unicode code points"),
    ("is_flash", pa.bool_(), "one paragraph of at most 300 characters, or no body beside the digest"),
)

_ARTICLES: Table = (
    ("article_id", pa.string(), "stable id: the 18 digits of the archive's own feeds, else the path of the post"),
    *_SAID,
    ("duplicate_cluster", pa.string(), "frozen id of the near-copies that this article belongs to"),
    ("leak_group", pa.string(), "frozen id of the wider group that never stands on two sides of a split"),
    ("fold", pa.int32(), "stable hash of `leak_group`, 0 to 9, for grouped cross-validation"),
    ("issues", _STRINGS, "every leniency that was needed to read the article's posts, by code"),
    ("sources", pa.list_(_SOURCE), "the posts that were merged: the hash of each file and its feed"),
)

_POSTS: Table = (
    ("path", pa.string(), "the file, relative to the archive"),
    ("sha256", pa.string(), "hash of the file"),
    ("article_id", pa.string(), "the article that it was merged into"),
    ("title", pa.string(), "headline, as Jekyll reads it"),
    ("published_at", TIME, "date, as Jekyll reads it, with the leniencies"),
    ("categories", _STRINGS, "categories, as Jekyll reads them"),
    ("tags", _STRINGS, "tags, as Jekyll reads them"),
    ("published", pa.bool_(), "false where the front matter says `published: false`"),
    ("draft", pa.bool_(), "whether it is a draft"),
    ("front_matter", pa.string(), "the raw front matter as JSON"),
    ("body", pa.string(), "everything after the front matter, as it stands"),
    (
        "invalid_bytes",
        pa.list_(_INVALID_BYTE),
        "each byte that U+FFFD took the place of: its offset in the file, its value",
    ),
    ("generation", pa.string(), "which form of the archive's crawler wrote it, G0 to G5; null for other sites"),
    ("date_written", pa.string(), "the date as it is written"),
    ("issues", _STRINGS, "every leniency that was needed, by code"),
)

_REJECTS: Table = (
    ("path", pa.string(), "the file, relative to the archive"),
    ("sha256", pa.string(), "hash of the file; null where it could not be read"),
    ("size", pa.int64(), "size in bytes"),
    ("rule", pa.string(), "the rule that it broke"),
    ("reason", pa.string(), "what is wrong, in words"),
    ("line", pa.int32(), "the line, counted from 1, where one can be named"),
    ("excerpt", pa.string(), "up to 200 characters of the place"),
)

_EXCLUDED_REASON: Table = (
    ("excluded_reason", pa.string(), "`no-date`, `straddle` (a copy stands in an earlier split), `moved` or `gap`"),
)

_ORIGINS: Table = (
    ("path", pa.string(), "the file, relative to the archive"),
    ("blob", pa.string(), "git's id of its content"),
    ("commit", pa.string(), "the commit at which the dataset was built when this content first came in"),
)

_REVISION: Table = (
    ("article_id", pa.string(), "the article that the post belongs to"),
    ("path", pa.string(), "the file, relative to the archive"),
    ("commit", pa.string(), "the commit that brought this content, or took the file away"),
    ("first_seen_at", TIME, "when the article first came into the archive, by any of its posts"),
    ("revised_at", TIME, "when the commit was made, and never before the commit that it follows"),
    ("sha256", pa.string(), "hash of the content; null where the commit took the file away, or git cannot give it"),
)
_REVISIONS: Table = (
    *_REVISION,
    *_SAID,
    ("issues", _STRINGS, "every leniency that was needed to read this content, by code"),
)


# ---------------------------------------------------------------------------------------- schema 1, as it was

_ARTICLES_1: Table = (
    ("article_id", pa.string(), "stable id: the 18 digits of the archive's own feeds, else the path of the post"),
    ("title", pa.string(), "headline; empty where the archive has an empty one"),
    ("digest", pa.string(), "the publisher's lead, without its credit; null where there is none"),
    ("digest_credit", pa.string(), "whom the digest credits at its end"),
    ("text", pa.string(), "clean text, paragraphs joined by a line feed; empty for a headline-only post"),
    ("published_at", TIME, "when the publisher dated it; null where neither front matter nor file name say"),
    ("feed", pa.string(), "`emnews` (annotated feed), `market` (publisher feed) or `site` (any other post)"),
    (
        "category",
        pa.string(),
        "slug of the category: the publisher in pinyin, or `emnews`; in other feeds the first category",
    ),
    ("tags", _STRINGS, "tags as written"),
    ("media", pa.string(), "publisher by the market feed's tag; null where only `emnews` has the article"),
    ("source", pa.string(), "publisher by the source line of the body"),
    ("url", pa.string(), "where the article stood; null where the archive lost it"),
    ("mentions", pa.list_(_MENTION), "spans that the publisher linked to securities, boards and glossary pages"),
    ("text_codes", _STRINGS, "securities codes written in the text, as written; of the archive's own feeds only"),
    ("headings", pa.list_(_SPAN), "spans of `text` that are headings"),
    ("images", pa.list_(_IMAGE), "pictures with their captions"),
    ("links", pa.list_(_LINK), "plain links in the text"),
    ("chart_symbol", pa.string(), "`market.code` of the price chart that the publisher put on top"),
    ("num_chars", pa.int32(), "length of `text` in Unicode code points"),
    ("is_flash", pa.bool_(), "one paragraph of at most 300 characters, or no body beside the digest"),
    ("duplicate_cluster", pa.string(), "frozen id of the near-copies that this article belongs to"),
    ("leak_group", pa.string(), "frozen id of the wider group that never stands on two sides of a split"),
    ("fold", pa.int32(), "stable hash of `leak_group`, 0 to 9, for grouped cross-validation"),
    ("issues", _STRINGS, "every leniency that was needed to read the article's posts, by code"),
    ("sources", pa.list_(_SOURCE), "the posts that were merged: the hash of each file and its feed"),
)

_POSTS_1 = tuple(column for column in _POSTS if column[0] != "invalid_bytes")

_REVISIONS_1: Table = (
    *_REVISION,
    ("title", pa.string(), "headline; null where there is no file, or it cannot be read"),
    ("text", pa.string(), "clean text; null where there is no file, or it cannot be read"),
    (
        "digest",
        pa.string(),
        "the publisher's lead, without its credit; all there is of many flashes, whose text is empty",
    ),
    ("published_at", TIME, "when the publisher dated it, as this content says"),
)

TABLES: Mapping[str, Mapping[str, Table]] = {
    "1": {
        "articles": _ARTICLES_1,
        "posts": _POSTS_1,
        "rejects": _REJECTS,
        "excluded": (*_ARTICLES_1, *_EXCLUDED_REASON),
        "origins": _ORIGINS,
        "revisions": _REVISIONS_1,
    },
    "2": {
        "articles": _ARTICLES,
        "posts": _POSTS,
        "rejects": _REJECTS,
        "excluded": (*_ARTICLES, *_EXCLUDED_REASON),
        "origins": _ORIGINS,
        "revisions": _REVISIONS,
    },
}
"""Major number of the schema -> config -> its table. The last one is the schema of new versions."""
