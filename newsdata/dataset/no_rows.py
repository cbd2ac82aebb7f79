"""A split without rows, as a dataset and as a stream: what `datasets` cannot do with none is done here.

`datasets` saves no file for such a split, so that it cannot be loaded from disk again; it makes no stream of it; and a
stream without rows becomes no table.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import datasets
from datasets.iterable_dataset import ExamplesIterable
from datasets.table import InMemoryTable

__all__ = ["DatasetWithoutRows", "StreamWithoutRows"]


class DatasetWithoutRows(datasets.Dataset):  # type: ignore[misc]
    """A dataset without rows that can be saved, and made a stream.

    >>> empty = DatasetWithoutRows(datasets.Features({"title": datasets.Value("string")}), split="newer")
    >>> len(empty), list(empty.to_iterable_dataset()), empty.to_iterable_dataset().column_names
    (0, [], ['title'])
    """

    def __init__(self, features: datasets.Features, split: str | datasets.NamedSplit | None = None) -> None:
        super().__init__(
            InMemoryTable(features.arrow_schema.empty_table()),
            info=datasets.DatasetInfo(features=features),
            split=None if split is None else datasets.NamedSplit(str(split)),
        )

    def to_iterable_dataset(self, num_shards: int | None = 1) -> StreamWithoutRows:
        """The split as a stream; it has one shard, whatever was asked for."""
        return StreamWithoutRows(self.features, self.split)

    def save_to_disk(self, dataset_path: Any, *args: Any, **options: Any) -> None:
        """Save one file without rows, so that `datasets.load_from_disk` finds the columns."""
        storage_options = options.get("storage_options")
        super().save_to_disk(dataset_path, num_shards=1, storage_options=storage_options)


class StreamWithoutRows(datasets.IterableDataset):  # type: ignore[misc]
    """A stream without rows that becomes a table with its columns.

    >>> StreamWithoutRows(datasets.Features({"title": datasets.Value("string")})).to_pandas().columns.tolist()
    ['title']
    """

    def __init__(self, features: datasets.Features, split: str | datasets.NamedSplit | None = None) -> None:
        super().__init__(
            ExamplesIterable(_none, {}),
            info=datasets.DatasetInfo(features=features),
            split=None if split is None else datasets.NamedSplit(str(split)),
        )

    def to_dict(self, *args: Any, **options: Any) -> Any:
        """As of `datasets.Dataset`, and so are all methods below."""
        return self._dataset().to_dict(*args, **options)

    def to_list(self) -> list[dict[str, Any]]:
        """An empty list."""
        return []

    def to_pandas(self, *args: Any, **options: Any) -> Any:
        """A frame with the columns."""
        return self._dataset().to_pandas(*args, **options)

    def to_polars(self, *args: Any, **options: Any) -> Any:
        """A frame with the columns."""
        return self._dataset().to_polars(*args, **options)

    def to_csv(self, *args: Any, **options: Any) -> Any:
        """Write a file without rows."""
        return self._dataset().to_csv(*args, **options)

    def to_json(self, *args: Any, **options: Any) -> Any:
        """Write a file without rows."""
        return self._dataset().to_json(*args, **options)

    def to_parquet(self, *args: Any, **options: Any) -> Any:
        """Write a file with the columns."""
        return self._dataset().to_parquet(*args, **options)

    def _dataset(self) -> DatasetWithoutRows:
        return DatasetWithoutRows(self.features)


def _none() -> Iterator[tuple[int, dict[str, Any]]]:
    yield from ()
