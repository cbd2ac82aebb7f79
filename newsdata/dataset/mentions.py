"""Mentions and text codes as one table: a row for each, with the symbol that prices are looked up by."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CallError
from ..parsing.text_codes import read_text_codes
from ..schema import features, table_schema
from .as_of import ask, check_as_of, known_rows
from .load import read_splits
from .open_version import FoundVersion, find_version, warn_if_yanked
from .read_slices import Reading
from .row_filters import Period, period_of, row_filter
from .slices import split_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load_mentions", "mention_table"]

_READ = ("article_id", "title", "published_at", "publisher", "media", "source", "mentions", "text_codes")
_STRINGS = ("mention_id", "article_id", "split", "publisher", "origin", "kind", "code", "exchange", "symbol", "text")
_COLUMNS = (
    "mention_id", "article_id", "published_at", "split", "publisher", "origin", "kind", "code", "exchange", "symbol",
    "start", "end", "text", "in_title", "first",
)  # fmt: skip


def load_mentions(
    path: str | Path,
    *,
    split: Any = None,
    revision: str | None = None,
    as_of: str | datetime | None = None,
    since: str | date | datetime | None = None,
    until: str | date | datetime | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> pd.DataFrame:
    """The mentions of a version as a pandas frame: one row for each mention and for each text code.

    Rows are in the order of the articles, and of `start` in each. The columns:

    - `mention_id`: unique, and the same in every version in which the text of the article is the same.
    - `article_id`, `published_at`, `split`, `publisher`: of the article; `split` is null with `as_of`.
    - `origin`: "link" (the column `mentions`: the publisher linked the words) or "text" (`text_codes`: the text writes a code).
    - `kind`: "security", "board" or "glossary"; a text code is of a security.
    - `code`, `exchange`: as in the dataset: strings, `exchange` by ISO 10383 ("XSHG"). Both are null for the glossary.
    - `symbol`: "600519.XSHG", `code` and `exchange`; codes of Hong Kong have five digits here ("02318.XHKG"). Null where the
      exchange is null.
    - `start`, `end`, `text`: `text` is the part of the article's text from `start` to `end`, in code points. They never
      count in the title.
    - `in_title`: whether the same words stand in the title, too.
    - `first`: whether it is the first row of its article with this symbol, or without a symbol with this code, or without a
      code with these words.

    Of a version without text, `text` and `in_title` are null, and `first` is where it depends on the words. Of schema 1, text
    codes have no `start` and `end`, stand behind the links, and their `exchange` is what this newsdata tells.

    Args:
        path, revision, since, until, token, cache_dir: as for `load_dataset`.
        split: as for `load_dataset`, but no list; None is all of them. An article in two slices is there once.
        as_of: as for `load_dataset`: the mentions that were known then.

    Raises:
        CallError: the revisions of schema 1 have no mentions, for `as_of`; else as for `load_dataset`.
        VersionError, VerifyError, HubError: as for `load_dataset`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     mentions = load_mentions(out, split="test")
    >>> mentions[["symbol", "text"]].iloc[0].tolist()
    ['605802.XSHG', '澜石科技']
    """
    version = find_version(path, revision, token=token, cache_dir=cache_dir)
    warn_if_yanked(version)
    manifest = version.manifest
    period = period_of(since, until, str(manifest.configuration["timezone"]), "articles")
    if as_of is None:
        tables = _of_splits(version, split, period, token, cache_dir)
    else:
        time = check_as_of(as_of, manifest, config=None, split=split, streaming=False)
        tables = _known(version, time, period)
    frame: pd.DataFrame = pa.concat_tables(tables).to_pandas()
    return frame if split is None else frame.drop_duplicates("mention_id", ignore_index=True)  # slices may overlap


def _of_splits(
    version: FoundVersion, split: Any, period: Period | None, token: str | None, cache_dir: str | Path | None
) -> list[pa.Table]:
    import datasets

    manifest = version.manifest
    timezone = str(manifest.configuration["timezone"])
    every = features("articles", timezone, manifest.schema_version)
    reading = Reading(
        features=datasets.Features({name: every[name] for name in _READ if name in every}),
        every=every,
        row_filter=row_filter(None, period, table_schema("articles", timezone, manifest.schema_version)),
        token=token,
        cache_dir=None if cache_dir is None else str(cache_dir),
        keep_in_memory=True,
    )
    if isinstance(split, list | tuple):
        raise CallError("a frame holds no list of splits", field="split", hint='write "train+test", or leave it out')
    wanted = None if split is None or str(split) == "all" else [one.strip() for one in split_text(split).split("+")]
    found = read_splits(wanted, version, "articles", reading, period)
    named = found.items() if wanted is None else zip(wanted, found, strict=True)
    return [mention_table(rows.with_format("arrow")[:], str(name).partition("[")[0], timezone) for name, rows in named]


def _known(version: FoundVersion, time: int, period: Period | None) -> list[pa.Table]:
    manifest = version.manifest
    timezone = str(manifest.configuration["timezone"])
    names = table_schema("revisions", timezone, manifest.schema_version).names
    if "mentions" not in names:
        reason = f"the revisions of {manifest.dataset_version} have no mentions: they are of schema {manifest.schema_version}"
        raise CallError(reason, field="as_of", hint="build a new version with this newsdata")
    asked = ask(manifest, [name for name in _READ if name in names], None, period)
    tables = known_rows(version, np.array([time], np.int64), asked).tables
    nothing = asked.features.arrow_schema.empty_table()
    return [mention_table(table, None, timezone) for table in tables or [nothing]]


def mention_table(articles: pa.Table, split: str | None, timezone: str) -> pa.Table:
    """The mentions of some articles, see `load_mentions`.

    Args:
        articles: their columns `_READ`, as far as the version has them.
        split: the split that they are in, if one is known.
        timezone: the site's, an IANA name.
    """
    schema = _schema(timezone)
    return pa.concat_tables(
        [
            schema.empty_table(),
            *(_of_batch(batch, split).cast(schema) for batch in articles.to_batches() if batch.num_rows),
        ]
    )


def _schema(timezone: str) -> pa.Schema:
    kinds: dict[str, pa.DataType] = dict.fromkeys(_STRINGS, pa.string())
    kinds |= {"published_at": pa.timestamp("ms", timezone), "start": pa.int32(), "end": pa.int32()}
    return pa.schema([(name, kinds.get(name, pa.bool_())) for name in _COLUMNS])


def _of_batch(batch: pa.RecordBatch, split: str | None) -> pa.Table:
    rows = _in_order(pa.concat_tables([_links(batch["mentions"]), _codes(batch["text_codes"])]))
    article = rows["article"]
    columns = {name: batch[name].take(article) for name in ("article_id", "published_at", "title")}
    if "publisher" in batch.schema.names:
        columns["publisher"] = batch["publisher"].take(article)
    else:
        columns["publisher"] = pc.coalesce(batch["media"], batch["source"]).take(article)
    number = rows["number"].cast(pa.string())
    columns["mention_id"] = pc.binary_join_element_wise(columns["article_id"], "#", rows["origin"], "-", number, "")
    columns["split"] = pa.array([split] * rows.num_rows, pa.string())
    columns |= {name: rows[name] for name in ("origin", "kind", "code", "exchange", "start", "end", "text")}
    columns["symbol"] = _symbols(rows["code"], rows["exchange"])
    pairs = zip(rows["text"].to_pylist(), columns["title"].to_pylist(), strict=True)
    columns["in_title"] = pa.array([None if a is None or b is None else a in b for a, b in pairs], pa.bool_())
    columns["first"] = _first(article.to_numpy(), _keys(columns))
    return pa.table({name: columns[name] for name in _COLUMNS})


def _links(lists: pa.ListArray) -> pa.Table:
    """One row for each link: its fields, and the number of its article in the batch."""
    rows = pc.list_flatten(lists)
    fields = {name: pc.struct_field(rows, name) for name in ("start", "end", "text", "kind", "code", "exchange")}
    return _numbered(lists, fields, "link")


def _codes(lists: pa.ListArray) -> pa.Table:
    """The same for text codes. Those of schema 1 are strings."""
    rows = pc.list_flatten(lists)
    if pa.types.is_struct(rows.type):
        fields = {name: pc.struct_field(rows, name) for name in ("start", "end", "text", "code", "exchange")}
    else:
        read = {text: _read_code(text) for text in pc.unique(rows).to_pylist()}
        code, exchange = zip(*(read[text] for text in rows.to_pylist()), strict=True) if len(rows) else ((), ())
        nothing = pa.nulls(len(rows), pa.int32())
        fields = {"start": nothing, "end": nothing, "text": rows}
        fields |= {"code": pa.array(code, pa.string()), "exchange": pa.array(exchange, pa.string())}
    fields["kind"] = pa.array(["security"] * len(rows), pa.string())
    return _numbered(lists, fields, "text")


def _read_code(text: str) -> tuple[str, str | None]:
    """The code that a text of schema 1 is, and its exchange."""
    found = read_text_codes(f"（{text}）")
    return (found[0].code, found[0].exchange) if len(found) == 1 else (text, None)


def _numbered(lists: pa.ListArray, fields: dict[str, pa.Array], origin: str) -> pa.Table:
    article = pc.list_parent_indices(lists).cast(pa.int64()).to_numpy()
    number = np.arange(len(article)) - np.searchsorted(article, article)
    about = {"article": pa.array(article), "number": pa.array(number)}
    about["origin"] = pa.array([origin] * len(article), pa.string())
    names = ("start", "end", "text", "kind", "code", "exchange")
    return pa.table(about | {name: fields[name] for name in names})


def _in_order(rows: pa.Table) -> pa.Table:
    """By article and `start`, links first; rows without a `start` last."""
    start = rows["start"].fill_null(np.iinfo(np.int32).max).to_numpy()
    is_text = np.asarray(pc.equal(rows["origin"], "text"))
    order = np.lexsort((rows["number"].to_numpy(), is_text, start, rows["article"].to_numpy()))
    return rows.take(pa.array(order)).combine_chunks()


def _symbols(code: pa.ChunkedArray, exchange: pa.ChunkedArray) -> pa.ChunkedArray:
    short = pc.and_(pc.equal(exchange, "XHKG"), pc.utf8_is_digit(code)).fill_null(False)
    return pc.binary_join_element_wise(pc.if_else(short, pc.utf8_lpad(code, 5, "0"), code), exchange, ".")


def _keys(columns: dict[str, Any]) -> pa.ChunkedArray:
    """What two rows of one article must share for the second not to be the first of its kind; null if it is not known."""
    code = pc.binary_join_element_wise(columns["kind"], columns["code"], " ")
    words = pc.binary_join_element_wise(columns["kind"], columns["text"], "\n")
    return pc.coalesce(columns["symbol"], code, words)


def _first(article: np.ndarray, keys: pa.ChunkedArray) -> pa.Array:
    codes = pc.fill_null(keys.combine_chunks().dictionary_encode().indices, -1).to_numpy().astype(np.int64)
    _, first = np.unique(article * (len(codes) + 1) + codes, return_index=True)
    found = np.zeros(len(codes), bool)
    found[first] = True
    return pa.array(found, mask=codes < 0)
