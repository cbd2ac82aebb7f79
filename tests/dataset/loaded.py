"""Rows that a test loaded, beside what they must be: the rows of the Parquet files as pyarrow alone reads them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import newsdata

from .copies import LATER, REPRINT, TWIN

__all__ = ["ASKED", "Loaded", "as_text", "ids_of", "longer", "number_of", "some", "some_id", "table_of", "types_of"]

_TITLE = "2022-03-20库存第1报"

ASKED: dict[str, dict[str, Any]] = {
    "whole": {"split": "train"},
    "slice": {"split": "train[15%:85%]"},
    "deduplicated": {"split": "train+newer", "deduplicate": True},
    "slices": {"split": "train[-7:]+test[:2]+train[3:40]"},
    "filtered": {"split": "train", "filters": [("title", "!=", _TITLE)]},
    "columns": {"split": "train[5:]", "columns": ["title", "published_at", "mentions", "num_chars", "article_id"]},
}
"""Ways to load some rows of train: the arguments."""


class Loaded:
    """Loaded rows.

    Attributes:
        rows: the dataset or the stream.
        streaming: whether it is a stream.
        table: what it must hold.
        dicts: the rows of the table.
        ids: the article ids of the table.
    """

    def __init__(self, version: Path, asked: str, *, streaming: bool) -> None:
        self.rows: Any = newsdata.load_dataset(version, streaming=streaming, **ASKED[asked])
        self.streaming = streaming
        self.table = _EXPECTED[asked](_split(version, "train"), _split(version, "test"))
        self.dicts: list[dict[str, Any]] = self.table.to_pylist()
        self.ids = ids_of(self.dicts)
        self._pickled = pickle.dumps(self.rows)

    def column(self, name: str) -> list[Any]:
        found: list[Any] = self.table[name].to_pylist()
        return found

    @property
    def some(self) -> list[str]:
        """The ids of the rows that the function `some` holds for."""
        return [name for name in self.ids if some_id(name)]

    def fresh(self) -> Any:
        """The rows as a process would get them that has not read any."""
        return pickle.loads(self._pickled)


def ids_of(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [row["article_id"] for row in rows]


def table_of(tables: Iterable[pa.Table]) -> pa.Table:
    """Some tables as one, without metadata."""
    return pa.concat_tables(list(tables)).replace_schema_metadata(None)


def types_of(frame: Any) -> dict[str, str]:
    return {name: str(kind) for name, kind in frame.dtypes.items()}


def as_text(frame: Any) -> list[list[str]]:
    """The cells of a pandas frame: arrays in cells cannot be compared otherwise."""
    found: list[list[str]] = frame.astype(str).to_numpy().tolist()
    return found


def some(row: dict[str, Any]) -> Any:
    """Whether an article is of two of three days; of a batch, for each article."""
    name = row["article_id"]
    return [some_id(one) for one in name] if isinstance(name, list) else some_id(name)


def some_id(article_id: str) -> bool:
    return int(article_id[6:8]) % 3 > 0


def longer(row: dict[str, Any]) -> dict[str, Any]:
    """A new column: the number of characters and one more, of a row or of each row of a batch."""
    number = row["num_chars"]
    return {"longer": [one + 1 for one in number] if isinstance(number, list) else number + 1}


def number_of(row: dict[str, Any], number: int) -> dict[str, int]:
    return {"n": number}


def _split(version: Path, split: str) -> pa.Table:
    files = sorted((version / "1.0.0" / "articles").glob(f"{split}-*"))
    return pa.concat_tables([pq.ParquetFile(file).read() for file in files]).replace_schema_metadata(None)


def _percent(train: pa.Table, begin: int, end: int) -> pa.Table:
    first, last = round(begin * len(train) / 100), round(end * len(train) / 100)
    return train.slice(first, last - first)


_EXPECTED: dict[str, Callable[[pa.Table, pa.Table], pa.Table]] = {
    "whole": lambda train, test: train,
    "slice": lambda train, test: _percent(train, 15, 85),
    "deduplicated": lambda train, test: train.filter(
        pc.invert(pc.is_in(train["article_id"], pa.array([REPRINT, TWIN, LATER])))
    ),
    "slices": lambda train, test: pa.concat_tables([train.slice(len(train) - 7), test.slice(0, 2), train.slice(3, 37)]),
    "filtered": lambda train, test: train.filter(pc.not_equal(train["title"], _TITLE)),
    "columns": lambda train, test: train.slice(5).select(ASKED["columns"]["columns"]),
}
