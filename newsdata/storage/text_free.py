"""Versions without the publisher's words: which columns stay, and which are blanked.

The columns that stay are listed here; every other column is blanked, so a new column is blank until somebody decides that it
may stay. A blank cell is null in all columns: an empty title would be a statement about the archive, null says that the title
is left out.

Ids, paths, dates, hashes, numbers, offsets and fixed codes stay as they are. Strings that a post could fill with words stay
only if they have the form that they should have: a slug without blanks, a code, a date, an address in ASCII without escaped
letters. Tags, publisher and source are blanked, too: they are names of publishers, and a name of 8 or more characters may be
part of a body. Paths and ids stay, so titles show there if a site names its files after them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..schema import REJECT_RULES
from .manifest import FullShard, Manifest, Shard
from .shards import Written, read_shard, shard_schema, write_shard

__all__ = ["blank_manifest", "blank_shard", "blank_table"]

_Rule = bool | str | Mapping[str, Any]
"""True: the value stays. A regular expression: it stays if it matches. A map: the fields of a struct that stay, each with its
rule. In a list, the rule holds for each element."""

_SLUG = r"\A[A-Za-z0-9][A-Za-z0-9_-]{0,39}\z"
_CODE = r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,23}\z"
_DATE = r"\A[0-9][0-9T :.,/+-]{0,39}[A-Za-z]{0,5}\z"  # the name of a zone may follow
# An address with %E7…, &#32654; or \u7f8e does not match: those are words, escaped.
_URL = r"\A(?:[!-$'-\[\]-~]|&(?:[!-\"$-\[\]-~]|\z)|%[0-7])*\z"

_SPAN: _Rule = {"start": True, "end": True}

_ARTICLES: Mapping[str, _Rule] = {
    "article_id": True,
    "published_at": True,
    "feed": True,
    "category": _SLUG,
    "categories": _SLUG,
    "lang": _SLUG,
    "url": _URL,
    "mentions": {
        "start": True, "end": True, "kind": True, "market": True, "code": _CODE, "exchange": True,
        "url": _URL,
    },
    "text_codes": {"start": True, "end": True, "code": _CODE, "exchange": True},
    "headings": _SPAN,
    "images": {"url": _URL},
    "links": {"start": True, "end": True, "url": _URL},
    "chart_symbols": _CODE,
    "num_chars": True,
    "is_flash": True,
    "duplicate_cluster": True,
    "leak_group": True,
    "fold": True,
    "issues": True,
    "sources": {"sha256": True, "feed": True},
}  # fmt: skip

_KEPT: Mapping[str, Mapping[str, _Rule]] = {
    "articles": _ARTICLES,
    "excluded": {**_ARTICLES, "excluded_reason": True},
    "posts": {
        "path": True,
        "sha256": True,
        "article_id": True,
        "published_at": True,
        "categories": _SLUG,
        "invalid_bytes": {"offset": True, "byte": True},
        "published": True,
        "draft": True,
        "generation": True,
        "date_written": _DATE,
        "issues": True,
    },
    "rejects": {"path": True, "sha256": True, "size": True, "rule": True, "line": True},
    "origins": {"path": True, "blob": True, "commit": True},
    "revisions": {
        "article_id": True,
        "path": True,
        "commit": True,
        "first_seen_at": True,
        "revised_at": True,
        "sha256": True,
        "published_at": True,
    },
}


def blank_table(table: pa.Table, config: str, schema: pa.Schema) -> pa.Table:
    """The rows of `table` without the publisher's words.

    The reason of a reject may quote the post; it is replaced by the meaning of the rule.

    Args:
        table: rows of `config`; columns that do not stay may be missing.
        config: the config whose rules to use.
        schema: of the result.

    >>> rows = pa.table({"path": ["a.md"], "rule": ["empty"], "reason": ["it says: “…”"], "excerpt": ["“…”"]})
    >>> from newsdata.schema import table_schema
    >>> blank_table(rows, "rejects", table_schema("rejects")).to_pylist()[0]["reason"]
    'the file has no bytes, or only blank ones'
    """
    kept = _KEPT[config]
    columns = [
        _blank(table[field.name].combine_chunks(), kept[field.name])
        if field.name in kept and field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    blanked = pa.Table.from_arrays(columns, schema=schema)
    if config == "rejects":
        reasons = pa.array([REJECT_RULES.get(rule) for rule in table["rule"].to_pylist()], pa.string())
        blanked = blanked.set_column(schema.get_field_index("reason"), schema.field("reason"), reasons)
    return blanked


def _blank(array: pa.Array, rule: _Rule) -> pa.Array:
    """The column with null for every value that the rule does not let stay."""
    kind = array.type
    if rule is True:
        return array
    if pa.types.is_list(kind):
        lengths = array.value_lengths().fill_null(0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
        values = _blank(array.flatten(), rule)
        return pa.ListArray.from_arrays(offsets, values, type=kind, mask=array.is_null())
    if isinstance(rule, Mapping):
        children = [
            _blank(child, rule[field.name]) if field.name in rule else pa.nulls(len(array), field.type)
            for field, child in zip(kind, array.flatten(), strict=True)
        ]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    return pc.if_else(pc.match_substring_regex(array, rule), array, pa.scalar(None, kind))


def blank_shard(full: Path, path: Path, config: str, timezone: str) -> Written:
    """Write a full shard without the publisher's words.

    Args:
        full: the file of the full shard.
        path: the file to write.
        config: of the shard.
        timezone: the site's, an IANA name.
    """
    schema = shard_schema(config, timezone)
    tables = read_shard(full, list(_KEPT[config]))  # the words are not even read
    return write_shard(path, (blank_table(table, config, schema) for table in tables), config, schema)


def blank_manifest(full: Manifest, shards: Sequence[Shard], columns: Mapping[str, Mapping[str, int]]) -> Manifest:
    """The manifest of a text-free version.

    Args:
        full: the manifest of the full version; its shards become `Manifest.full`.
        shards: the text-free shards.
        columns: config -> column -> number of rows of these shards that have a value.
    """
    return replace(
        full,
        configuration={**full.configuration, "text": "none"},
        shards=tuple(shards),
        columns=columns,
        statistics=full.statistics
        and {key: value for key, value in full.statistics.items() if key not in ("publishers", "classes")},
        leakage=full.leakage and {key: value for key, value in full.leakage.items() if key != "examples"},
        full=tuple(FullShard(path=s.path, bytes=s.bytes, sha256=s.sha256, digest=s.digest) for s in full.shards),
    )
