"""What a query wants, found without any of the page's code: one row after the other, in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

__all__ = ["Naive"]

_FIELDS = {"title": ["title"], "lead": ["digest"], "text": ["text"], "all": ["title", "digest", "text"]}


class Naive:
    """All rows of a version as dictionaries."""

    def __init__(self, folder: Path) -> None:
        self.rows: list[dict[str, Any]] = []
        for path in sorted((folder / "articles").iterdir()):
            split = path.name.partition("-")[0]
            self.rows += [row | {"split": split} for row in pq.read_table(path, partitioning=None).to_pylist()]
        excluded = [
            row
            for path in (folder / "excluded").glob("*")
            for row in pq.read_table(path, partitioning=None).to_pylist()
        ]
        self.sizes = Counter(row["duplicate_cluster"] for row in [*self.rows, *excluded])

    def wanted(self, asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows that pass all filters; parameters are those of the address, lists for several values."""
        return [row for row in self.rows if all(self._passes(row, name, asked[name], asked) for name in asked)]

    def _passes(self, row: Mapping[str, Any], name: str, value: Any, asked: Mapping[str, Any]) -> bool:
        day = str(row["published_at"].date()) if row["published_at"] else None
        values: Sequence[str] = value if isinstance(value, list) else [value]
        match name:
            case "q":
                return any(value in (row[field] or "") for field in _FIELDS[asked.get("in", "all")])
            case "from":
                return day is not None and day >= value
            case "to":
                return day is not None and day <= value
            case "split":
                return row["split"] in values
            case "publisher":
                return (row["media"] or row["source"] or "(none)") in values
            case "code":
                return any(mention["code"] in values for mention in row["mentions"])
            case "kind":
                return bool(row["is_flash"] == (value == "flash"))
            case "issue":
                return any(issue in values for issue in row["issues"])
            case "cluster":
                return bool(value == "any" or (self.sizes[row["duplicate_cluster"]] > 1) == (value == "copies"))
        return True
