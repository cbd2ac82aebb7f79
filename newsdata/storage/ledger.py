"""The ledger: one row for each article that was ever built, with its cluster, leak group, split and first version.

A build reads the ledger of the version that it follows and writes the next one. Ledger and manifest are all that a
build knows of earlier versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ..errors import ManifestError
from ..files import read_regular
from .manifest import LEDGER_NAME, Manifest, check_file

__all__ = [
    "LARGEST_REDACTIONS",
    "LEDGER_NAME",
    "LEDGER_SCHEMA",
    "REDACTIONS_NAME",
    "add_tombstones",
    "all_columns",
    "content_key",
    "empty_ledger",
    "read_ledger",
    "read_redactions",
    "redactions_of",
    "refused_contents",
    "tombstones",
    "write_ledger",
]

REDACTIONS_NAME = "redactions.json"
"""A file beside the versions that lists what must not be built again: article id, or `content_key` of a file -> reason.
The next version takes the list over into its ledger."""

LARGEST_REDACTIONS = 1 << 26
"""Bytes of that file."""

LEDGER_SCHEMA = pa.schema(
    [
        ("article_id", pa.string()),
        ("duplicate_cluster", pa.string()),
        ("leak_group", pa.string()),
        ("split", pa.string()),  # one of schema.SPLITS, or "excluded"
        ("excluded_reason", pa.string()),
        ("published_at", pa.int64()),  # ms since 1970 UTC, as dated in the first version that had it, or null
        ("first_version", pa.string()),
        ("redacted_reason", pa.string()),  # a tombstone: the article was redacted and must not come back
        # While it is gone from the archive: SHA-256 of its posts, sorted, blanks between; "" if no version has them.
        ("gone_posts", pa.string()),
    ]
)
"""Rows are sorted by first version, then by date, then by id. A ledger without gone articles has no `gone_posts`."""

_NOT_IN_ALL = "gone_posts"


def empty_ledger() -> pa.Table:
    """The ledger before the first version.

    >>> empty_ledger().num_rows
    0
    """
    return LEDGER_SCHEMA.empty_table()


def all_columns(ledger: pa.Table) -> pa.Table:
    """A ledger as it is stored, with all columns of `LEDGER_SCHEMA`, and no others.

    Raises:
        KeyError, pyarrow.ArrowException: a column is missing or has another type.

    >>> all_columns(empty_ledger().drop_columns("gone_posts")).schema == LEDGER_SCHEMA
    True
    """
    if _NOT_IN_ALL not in ledger.column_names:
        ledger = ledger.append_column(_NOT_IN_ALL, pa.nulls(ledger.num_rows, pa.string()))
    return ledger.select(LEDGER_SCHEMA.names).cast(LEDGER_SCHEMA)


def read_ledger(folder: Path, version: Manifest) -> pa.Table:
    """The ledger of the version in `folder`.

    Its hash is checked first: Arrow can crash on a damaged file.

    Raises:
        ManifestError: the ledger is missing or damaged.
    """
    check_file(folder, version, LEDGER_NAME)
    path = folder / LEDGER_NAME
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            table = reader.read_all()
        table.validate(full=True)
        ledger = all_columns(table)
        if nulls := [name for name in ("article_id", "first_version") if ledger[name].null_count]:
            raise pa.ArrowInvalid(f"a row has no {nulls[0]}")
        return ledger
    except (OSError, KeyError, OverflowError, pa.ArrowException) as error:
        raise ManifestError(
            f"the ledger cannot be read: {error}",
            path=path,
            hint="build upon another version (--base), or update newsdata if a newer one wrote it",
        ) from None


def read_redactions(out: Path) -> dict[str, str]:
    """What `newsdata.redact` wrote into the folder of versions: article id, or `content_key` of a file -> reason.

    Raises:
        ManifestError: the file is damaged. No build goes on without it: it could bring a redacted article back.
    """
    path = out / REDACTIONS_NAME
    try:
        data = json.loads(read_regular(path, LARGEST_REDACTIONS))
        if not isinstance(data, dict) or not all(isinstance(reason, str) for reason in data.values()):
            raise ValueError("it must map each article id to a reason")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"the redactions cannot be read: {error}", path=path, hint="repair the file: a JSON map of id to reason"
        ) from None
    return data


def tombstones(ledger: pa.Table) -> dict[str, str]:
    """The redacted articles of a ledger: article id -> reason.

    >>> parts = add_tombstones([empty_ledger()], {"7": "a request", content_key("ab"): "a request"}, "1.1.0")
    >>> tombstones(pa.concat_tables(parts))
    {'7': 'a request'}
    """
    return {key: reason for key, reason in redactions_of(ledger).items() if not key.startswith(_BY_CONTENT)}


def redactions_of(ledger: pa.Table) -> dict[str, str]:
    """Everything that a ledger says was redacted: article id, or `content_key` of a file -> reason."""
    rows = ledger.select(["article_id", "redacted_reason"]).filter(ledger["redacted_reason"].is_valid())
    return dict(zip(rows["article_id"].to_pylist(), rows["redacted_reason"].to_pylist(), strict=True))


_BY_CONTENT = "sha256:"


def content_key(sha256: str) -> str:
    """The key under which a file of these bytes is redacted, whatever its name.

    >>> content_key("ab")
    'sha256:ab'
    """
    return _BY_CONTENT + sha256


def refused_contents(redacted: Mapping[str, str]) -> frozenset[str]:
    """The SHA-256 of the files that no build may read, whatever their names.

    >>> refused_contents({"7": "a request", "sha256:ab": "a request"})
    frozenset({'ab'})
    """
    return frozenset(key.removeprefix(_BY_CONTENT) for key in redacted if key.startswith(_BY_CONTENT))


def add_tombstones(parts: Iterable[pa.Table], redacted: Mapping[str, str], version: str) -> Iterator[pa.Table]:
    """A ledger with a tombstone for each key of `redacted`; keys that it lacks are added at its end.

    Args:
        parts: the rows of the ledger, in order; schema `LEDGER_SCHEMA`.
        redacted: article id, or `content_key` of a file -> reason. A reason that the ledger has already is kept.
        version: the version that is being built; the first version of added rows.

    >>> parts = add_tombstones([empty_ledger()], {"7": "a request"}, "1.1.0")
    >>> pa.concat_tables(parts).select(["article_id", "redacted_reason"]).to_pylist()
    [{'article_id': '7', 'redacted_reason': 'a request'}]
    """
    if not redacted:
        yield from parts
        return
    keys = pa.array(redacted, pa.string())
    reasons = pa.array([redacted[key] for key in redacted], pa.string())
    missing = set(redacted)
    for part in parts:
        at = pc.index_in(part["article_id"], keys)
        missing -= set(keys.take(pc.unique(at.drop_null())).to_pylist())
        known = pc.coalesce(part["redacted_reason"], reasons.take(at))
        yield part.set_column(part.column_names.index("redacted_reason"), "redacted_reason", known)
    rows = [{"article_id": key, "first_version": version, "redacted_reason": redacted[key]} for key in sorted(missing)]
    yield pa.Table.from_pylist(rows, schema=LEDGER_SCHEMA)


def write_ledger(ledger: pa.Table, folder: Path) -> None:
    """Write the ledger into `folder`, compressed. Equal rows give equal bytes."""
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    columns = [column.chunk(0) if column.num_chunks == 1 else column.combine_chunks() for column in ledger.columns]
    table = pa.Table.from_arrays(columns, ledger.column_names).cast(LEDGER_SCHEMA)
    if table[_NOT_IN_ALL].null_count == table.num_rows:
        table = table.drop_columns(_NOT_IN_ALL)
    with (
        pa.OSFile(str(folder / LEDGER_NAME), "wb") as file,
        pa.ipc.new_file(file, table.schema, options=options) as writer,
    ):
        writer.write_table(table, max_chunksize=65_536)
