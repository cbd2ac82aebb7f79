"""Numbers for the values of a column, in an order that follows from `train` alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from math import isnan
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import CallError
from ..schema import table_schema
from .open_version import find_version, warn_if_yanked
from .parquet_rows import read_rows, rows_of_slice
from .slices import slices_of

if TYPE_CHECKING:
    import datasets

__all__ = ["class_labels", "multi_hot"]


def class_labels(
    path: str | Path,
    column: str,
    *,
    top: int | None = None,
    rest: str = "(other)",
    rename: Callable[[str], str] | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> datasets.ClassLabel:
    """The values of a column as classes: the most frequent of `train` first, equal ones by name, and last all others.

    Other splits are not read, so nothing of the test is in the labels. `datasets` casts columns to them once every value
    has one of the names; see docs/research.md.

    Args:
        path, revision, token, cache_dir: as for `load_dataset`.
        column: of the config `articles`: a column of texts ("publisher"), or of lists of texts ("tags"), of which each
            value counts once a row.
        top: only so many names; None is all.
        rest: the name of the last class: all values that have none of their own.
        rename: what to count in place of a value, for example `newsdata.publisher_name`. It must give a text.

    Raises:
        VersionError, VerifyError, HubError: as for `load_dataset`.
        CallError: there is no such column, it has no texts, or an argument is wrong.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     labels = class_labels(out, "category", top=2)
    >>> labels.names, labels.str2int("emnews")
    (['emnews', 'canglangzhengquanbao', '(other)'], 0)
    """
    import datasets

    _check_labels(top, rest, rename)
    version = find_version(path, revision, token=token, cache_dir=cache_dir)
    warn_if_yanked(version)
    manifest = version.manifest
    schema = table_schema("articles", str(manifest.configuration["timezone"]), manifest.schema_version)
    with_texts = [one.name for one in schema if _holds_texts(one.type)]
    if column not in with_texts:
        raise CallError(
            f"there are no texts in a column {column!r:.100}",
            field="column",
            hint=f"there are: {', '.join(with_texts)}",
        )
    counts: Counter[str] = Counter()
    for part in slices_of(manifest, "articles", "train"):
        for table in read_rows(rows_of_slice(part, version.shard_files(part.shards, streaming=False)), [column]):
            counts.update(_counted(table[column], rename))
    counts.pop(rest, None)
    names = sorted(counts, key=lambda name: (-counts[name], name))
    return datasets.ClassLabel(names=[*names[: None if top is None else index(top)], rest])


def multi_hot(values: Iterable[Iterable[str] | float | None], labels: datasets.ClassLabel) -> np.ndarray:
    """Lists of texts, such as the column `tags`, as a matrix for learning with several labels a row.

    Args:
        values: for each row its texts, for example a column of `load_dataset` or of a pandas frame; null is the same as
            none.
        labels: the classes, from `class_labels`. The last one is set for a row that has any other text.

    Returns:
        one row for each, one column for each class (uint8): 1 where the row has the class.

    Raises:
        CallError: a row is no list of texts.

    >>> import datasets
    >>> multi_hot([["股市"], ["能源", "海运"], None], datasets.ClassLabel(names=["能源", "股市", "(other)"])).tolist()
    [[0, 1, 0], [1, 0, 1], [0, 0, 0]]
    """
    number_of = {name: number for number, name in enumerate(labels.names)}
    rest = len(number_of) - 1
    rows = [[number_of.get(text, rest) for text in _texts(number, one)] for number, one in enumerate(values)]
    matrix = np.zeros((len(rows), len(number_of)), np.uint8)
    for row, numbers in zip(matrix, rows, strict=True):
        row[numbers] = 1
    return matrix


def _texts(row: int, value: object) -> list[str]:
    """The texts of a row, as lists, Arrow and pandas have them."""
    import pandas as pd

    if value is None or value is pd.NA or (isinstance(value, float) and isnan(value)):
        return []
    texts: list[Any] = (
        list(value) if isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping) else [None]
    )
    if not all(isinstance(text, str) for text in texts):
        hint = 'give a list of texts for each row: [["股市"], [], None]'
        raise CallError(f"row {row} must be a list of texts, got {value!r:.100}", field="values", hint=hint)
    return texts


def _check_labels(top: object, rest: object, rename: object) -> None:
    try:
        number = 1 if top is None else 0 if isinstance(top, bool) else index(top)  # type: ignore[arg-type]
    except TypeError:
        number = 0
    if number < 1:
        raise CallError(f"must be a positive number, got {top!r:.100}", field="top", hint="leave it out for all names")
    if not isinstance(rest, str):
        raise CallError(f"must be text, got {rest!r:.100}", field="rest", hint='for example "(other)"')
    if rename is not None and not callable(rename):
        hint = "give a function from text to text, for example newsdata.publisher_name"
        raise CallError(f"must be a function, got {rename!r:.100}", field="rename", hint=hint)


def _renamed(text: str, rename: Callable[[str], str]) -> str:
    name = rename(text)
    if not isinstance(name, str):
        hint = "give the text itself where it has no other name"
        raise CallError(f"must give a text for {text!r:.100}, gave {name!r:.100}", field="rename", hint=hint)
    return name


def _holds_texts(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or (pa.types.is_list(kind) and pa.types.is_string(kind.value_type)))


def _counted(column: pa.ChunkedArray, rename: Callable[[str], str] | None) -> Counter[str]:
    """How many rows have each value."""
    if not pa.types.is_list(column.type) and rename is None:
        return Counter({one["values"]: one["counts"] for one in pc.value_counts(column.drop_null()).to_pylist()})
    found: Counter[str] = Counter()
    for value in column.to_pylist():
        texts = value if isinstance(value, list) else [value]
        found.update({text if rename is None else _renamed(text, rename) for text in texts if text is not None})
    return found
