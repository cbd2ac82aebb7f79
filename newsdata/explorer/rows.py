"""Whole rows and parts of rows, by their numbers."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from .opened import DamagedFile, Opened, RowGroup, read_table

__all__ = ["Rows"]

_KEPT_CHARACTERS = 3_000_000
_SHOWN = ["article_id", "title", "digest", "text"]


class Rows:
    """Reads rows of some row groups of a version. What the lists show of rows is kept for a while.

    May be used from any thread.
    """

    def __init__(self, opened: Opened, groups: Sequence[RowGroup]) -> None:
        self._opened = opened
        self._groups = groups
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._characters = 0

    def whole(self, row: int) -> dict[str, Any]:
        """All columns of a row, those that this newsdata does not know, too.

        Raises:
            DamagedFile: its shard cannot be read.
        """
        return self.read([row], None)[0]

    def shown(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        """What lists show of rows: id, title, digest and text; None where the version has none.

        Raises:
            DamagedFile: a shard cannot be read.
        """
        with self._lock:
            kept = {row: self._kept[row] for row in rows if row in self._kept}
        missing = [row for row in rows if row not in kept]
        read = dict(zip(missing, self.read(missing, _SHOWN), strict=True))
        with self._lock:
            for row, values in read.items():
                size = len(values.get("text") or "") + len(values.get("digest") or "") + 200
                if row not in self._kept and size < _KEPT_CHARACTERS // 20:
                    self._kept[row] = values
                    self._characters += size
            while self._characters > _KEPT_CHARACTERS:
                _, values = self._kept.popitem(last=False)
                self._characters -= len(values.get("text") or "") + len(values.get("digest") or "") + 200
        return [kept.get(row) or read[row] for row in rows]

    def read(self, rows: Sequence[int], columns: list[str] | None) -> list[dict[str, Any]]:
        """Columns of rows, in the order of `rows`; columns that a shard lacks are None.

        Raises:
            DamagedFile: a shard cannot be read.
        """
        by_group: dict[RowGroup, list[int]] = defaultdict(list)
        for row in rows:
            by_group[self._groups[bisect_right(self._groups, row, key=lambda group: group.start) - 1]].append(row)
        found: dict[int, dict[str, Any]] = {}
        for group, wanted in sorted(by_group.items(), key=lambda item: item[0].start):
            table = read_table(self._opened, group.shard, columns, group.number)
            if table.num_rows != group.rows:
                raise DamagedFile(group.shard.path, "changed since the page was opened")
            try:
                values = table.take(pa.array([row - group.start for row in wanted])).to_pylist()
            except (ValueError, OverflowError) as error:  # times and text that Python cannot hold
                raise DamagedFile(group.shard.path, f"cannot be read: {error}") from None
            for row, value in zip(wanted, values, strict=True):
                found[row] = dict.fromkeys(columns or ()) | value
        return [found[row] for row in rows]
