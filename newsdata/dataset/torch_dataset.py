"""Rows for a training loop in PyTorch: shuffled, shared out over ranks and workers, and resumed without loss."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ..errors import CallError, MachineError, VerifyError, first_line
from ..schema import features, table_schema
from .keywords import check_keywords, check_switches, wanted_features
from .open_version import find_version, warn_if_yanked
from .parquet_rows import RowGroup, read_row_group, row_groups_of, rows_of_slice
from .read_slices import Reading, chosen_rows
from .row_filters import period_of, row_filter, within
from .shuffled_order import ORDER_VERSION, Window, permutation, windows_of
from .slices import slices_of, split_text

if TYPE_CHECKING:
    import datasets
    import pyarrow.compute as pc

__all__ = ["TorchDataset", "torch_dataset"]

_AT_ONCE = 256  # rows that are made into dictionaries together
_PIECE = 1024  # rows that are taken from a window together
_LARGEST = 1 << 62
_ORDER = (
    "give the DataLoader no shuffle=, sampler= or in_order=False: rows are shuffled and shared out by torch_dataset; with"
    " Lightning set use_distributed_sampler=False"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Source:
    """The rows that are shuffled, and how.

    Attributes:
        groups: row groups with wanted rows.
        features: the columns.
        identity: what a state must agree in, by the name of the argument.
    """

    groups: Sequence[RowGroup]
    features: datasets.Features
    identity: Mapping[str, int | str]

    @property
    def rows(self) -> list[int]:
        """How many rows of each row group are wanted."""
        return [len(group.part.rows) for group in self.groups]

    def windows(self, epoch: int) -> list[Window]:
        seed, window = int(self.identity["seed"]), int(self.identity["window"])
        return windows_of(self.rows, [one.bytes for one in self.groups], window=window, seed=seed, epoch=epoch)

    def read(self, window: Window, epoch: int) -> _Held:
        schema = self.features.arrow_schema
        tables = [read_row_group(self.groups[group], schema) for group in window.groups]
        order = permutation(window.rows, int(self.identity["seed"]), epoch, window.number)
        return _Held(epoch=epoch, window=window, table=pa.concat_tables(tables).combine_chunks(), order=order)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Held:
    """A window in memory.

    Attributes:
        epoch, window: which one.
        table: its row groups.
        order: for each position in the window the number of its row in the table.
    """

    epoch: int
    window: Window
    table: pa.Table
    order: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Piece:
    """Rows of one rank that follow each other.

    Attributes:
        place: the epoch, and the position at which all ranks began.
        first: the number of the first row, counted from there, of this rank.
        table: the rows.
    """

    place: tuple[int, int]
    first: int
    table: pa.Table


class TorchDataset:
    """The rows of one rank in the order of an epoch, from the place on where it was resumed; see `torch_dataset`.

    Give it to a `torch.utils.data.DataLoader` without `shuffle` and `sampler`, with any `batch_size` and `num_workers`:
    the loader asks for the rows 0, 1, 2, …, and gets them in this order; a batch that leaves rows out is an error, with
    any batch size. Single rows (`dataset[7]`, as with `batch_size=None` or a wrapper) are not checked. `len()` is the
    number of rows left for this rank. It is iterable, too. One window of rows is in memory at a time, in each worker.

    Attributes:
        features: the columns and their types.
        rank, world_size: as for `torch_dataset`.
    """

    def __init__(self, source: _Source, place: Any, rank: int, world_size: int) -> None:
        self._source = source
        self._place = place  # epoch, and how many rows of it all ranks have seen: shared with workers that live on
        self._total = sum(source.rows)
        self._windows: tuple[int, list[Window]] = (-1, [])
        self._held: _Held | None = None
        self._piece: _Piece | None = None
        self._reached = 0  # where the next batch of this process begins at the latest
        self.features = source.features
        self.rank = rank
        self.world_size = world_size

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_held": None, "_piece": None}

    def __len__(self) -> int:
        left = self._total - int(self._place[1]) - self.rank
        return max(0, -(-left // self.world_size))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for begin in range(0, (end := len(self)), _AT_ONCE):
            yield from self._rows(begin, min(begin + _AT_ONCE, end))

    def __getitem__(self, number: int) -> dict[str, Any]:
        return self._rows(number, number + 1)[0]

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Some rows of this rank, as a `DataLoader` asks for a batch.

        Raises:
            IndexError: there are fewer rows.
            CallError: they do not follow each other and the batch before, so nobody could say after which row training
                stopped.
        """
        if not indices:
            return []
        if any(second != first + 1 for first, second in pairwise(indices)):
            raise CallError("the rows of a batch must follow each other", hint=_ORDER)
        self._check_begin(indices[0], len(indices))
        return self._rows(indices[0], indices[-1] + 1)

    def _check_begin(self, begin: int, count: int) -> None:
        """Refuse a batch before which rows are missing. Of W workers, worker w gets the batches w, w + W, w + 2W, …"""
        from torch.utils.data import get_worker_info

        worker = get_worker_info()
        if worker is None:
            latest, step = self._reached, count
        else:
            latest, step = max(self._reached, worker.id * count), count * worker.num_workers
        is_last_of_all = worker is not None and self._reached == 0 and begin + count == len(self)  # may be shorter
        if begin > latest and not is_last_of_all:
            raise CallError(f"a batch begins with row {begin}, but row {latest} is next", hint=_ORDER)
        self._reached = max(self._reached, begin + step)

    def _rows(self, first: int, end: int) -> list[dict[str, Any]]:
        if not 0 <= first < end <= len(self):
            raise IndexError(f"there are {len(self)} rows, not {end}")
        rows: list[dict[str, Any]] = []
        while (at := first + len(rows)) < end:
            piece = self._piece_with(at)
            rows += _as_rows(piece.table.slice(at - piece.first, end - at))
        return rows

    def _piece_with(self, number: int) -> _Piece:
        """Some rows of a window from a row of this rank on; the last ones that were made, if it is one of them."""
        epoch, begin = self._place.tolist()
        made = self._piece
        if made and made.place == (epoch, begin) and made.first <= number < made.first + len(made.table):
            return made
        position = begin + self.rank + number * self.world_size
        held = self._window_at(position, epoch)
        inside = np.arange(position - held.window.begin, held.window.rows, self.world_size)[:_PIECE]
        self._piece = _Piece(place=(epoch, begin), first=number, table=held.table.take(pa.array(held.order[inside])))
        return self._piece

    def _window_at(self, position: int, epoch: int) -> _Held:
        if self._windows[0] != epoch:
            self._windows = epoch, self._source.windows(epoch)
        windows = self._windows[1]
        window = windows[bisect_right(windows, position, key=_begin) - 1]
        if self._held is None or (self._held.epoch, self._held.window) != (epoch, window):
            self._held = None  # the memory of the last window is free before the next one is read
            self._held = self._source.read(window, epoch)
        return self._held

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch: every row once more, in an order of its own. Call it before the loop over the loader."""
        epoch = _checked("epoch", epoch, 0, _LARGEST)
        self._place[0], self._place[1] = epoch, 0
        self._reached = 0

    def state_dict(self, consumed: int) -> dict[str, Any]:
        """Where training stopped, as plain data for a checkpoint. It holds for all ranks.

        Args:
            consumed: how many rows the loop of each rank has seen of this dataset since it was made, `set_epoch` or
                `load_state_dict`. Rows that workers have read ahead do not count. If the ranks have unequal numbers of
                rows, rank 0 has the most: save its state.

        Raises:
            CallError: there are not so many rows.
        """
        consumed = _checked("consumed", consumed, 0, len(self))
        epoch, begin = self._place.tolist()
        position = min(begin + consumed * self.world_size, self._total)
        return {**self._source.identity, "epoch": epoch, "position": position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where training stopped. The numbers of ranks and workers and the batch size may be others.

        Args:
            state: what `state_dict` gave.

        Raises:
            CallError: it is no such state, or one of other rows, another seed or another window.
        """
        known = {*self._source.identity, "epoch", "position"}
        if not isinstance(state, Mapping) or set(state) != known:
            raise CallError(f"must have the keys {', '.join(sorted(known))}", field="state")
        for name, own in self._source.identity.items():
            if state[name] != own:
                what = "selection of rows" if name == "rows" else name
                raise CallError(
                    f"the state is of another {what}: {state[name]!r:.100}, not {own!r}",
                    field="state",
                    hint="name the same revision, split, filters, seed and window as when training began",
                )
        _checked("epoch", state["epoch"], 0, _LARGEST)
        _checked("position", state["position"], 0, self._total)
        self._place[0], self._place[1] = state["epoch"], state["position"]
        self._reached = 0


def torch_dataset(
    path: str | Path,
    split: str | datasets.Split | datasets.ReadInstruction,
    *positional: object,
    columns: Iterable[str] | None = None,
    seed: int = 0,
    epoch: int = 0,
    rank: int = 0,
    world_size: int = 1,
    window: int = 20_000,
    revision: str | None = None,
    since: str | date | datetime | None = None,
    until: str | date | datetime | None = None,
    filters: Sequence[Any] | pc.Expression | None = None,
    deduplicate: bool = False,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    **others: object,
) -> TorchDataset:
    """Articles of a version for a PyTorch `DataLoader`, shuffled, for one of several ranks, without loss when resumed.

    All rows have one order, which depends on nothing but the rows, `seed`, `epoch` and `window`: the row groups (up to
    2,000 neighbouring rows of a shard) in random order, and all rows of a window of these in random order. So a row can
    come at any time of an epoch, but rows of one row group are at most `window` rows apart. Rank r of R takes the rows
    r, r + R, r + 2R, … of this order.

    Args:
        path, revision, since, until, filters, deduplicate, token, cache_dir: as for `load_dataset`.
        split: as for `load_dataset`, but no list, and not None.
        columns: as for `load_dataset`. A row is a dictionary of them.
        seed, epoch: any other numbers give another order.
        rank, world_size: which process of how many of the training this is.
        window: the most rows of a window. Each worker holds one of them in memory, twice while it is read.
        positional, others: refused; the error says what to use instead.

    Raises:
        VersionError, CallError, VerifyError, HubError: as for `load_dataset`.
        MachineError: PyTorch is not installed.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     train = torch_dataset(out, "train", columns=["article_id"], seed=1)
    ...     rows = list(train)
    ...     train.load_state_dict(train.state_dict(consumed=20))
    ...     list(train) == rows[20:]
    True
    """
    try:
        import torch
    except ImportError:
        raise MachineError("this needs PyTorch", hint="install the extra: pip install 'newsdata[torch]'") from None
    _check_arguments(split, deduplicate, positional, others)
    world_size = _checked("world_size", world_size, 1, 1 << 20)
    rank = _checked("rank", rank, 0, world_size - 1)
    window = _checked("window", window, 1, _LARGEST)
    seed = _checked("seed", seed, -_LARGEST, _LARGEST)
    epoch = _checked("epoch", epoch, 0, _LARGEST)
    version = find_version(path, revision, token=token, cache_dir=cache_dir)
    warn_if_yanked(version)
    manifest, timezone = version.manifest, str(version.manifest.configuration["timezone"])
    period = period_of(since, until, timezone, "articles")
    every = features("articles", timezone, manifest.schema_version)
    reading = Reading(
        features=wanted_features(every, columns),
        every=every,
        deduplicate=deduplicate,
        row_filter=row_filter(filters, period, table_schema("articles", timezone, manifest.schema_version)),
        token=token,
    )
    parts = [within(part, period, timezone) for part in slices_of(manifest, "articles", split_text(split))]
    rows = [one for part in parts for one in rows_of_slice(part, version.shard_files(part.shards, streaming=False))]
    (chosen,) = chosen_rows([rows], reading)
    groups = [group for one in chosen if len(one.rows) for group in row_groups_of(one)]
    identity: dict[str, int | str] = {
        "order_version": ORDER_VERSION,
        "rows": _digest(groups),
        "seed": seed,
        "window": window,
    }
    source = _Source(groups=groups, features=reading.features, identity=identity)
    place = torch.tensor([epoch, 0], dtype=torch.int64).share_memory_()
    return TorchDataset(source, place, rank, world_size)


def _check_arguments(
    split: object, deduplicate: object, positional: Sequence[object], others: Mapping[str, object]
) -> None:
    instead = {
        "shuffle": "leave it out: rows are always shuffled, by seed= and epoch=",
        "batch_size": "give it to the DataLoader",
    }
    check_keywords(torch_dataset, positional, others, instead)
    check_switches(deduplicate=deduplicate)
    if split is None or isinstance(split, list | tuple):
        hint = 'write "train", or several as "train+test"'
        raise CallError(f"must be the name of a split, got {split!r:.100}", field="split", hint=hint)


def _digest(groups: Sequence[RowGroup]) -> str:
    """The same for the same rows in the same row groups."""
    digest = hashlib.sha256()
    for group in groups:
        digest.update(f"{group.part.shard.sha256} {group.number} {len(group.part.rows)} ".encode())
        digest.update(np.asarray(group.part.rows, "<i8").tobytes())
    return digest.hexdigest()[:32]


def _begin(window: Window) -> int:
    return window.begin


def _as_rows(table: pa.Table) -> list[dict[str, Any]]:
    """The rows of a table as dictionaries, in less time than its own `to_pylist` takes.

    Raises:
        VerifyError: a text is not UTF-8.
    """
    try:
        columns = [column.to_pylist() for column in table.columns]
    except UnicodeDecodeError as error:
        raise VerifyError(f"a text is not UTF-8: {first_line(error)}", hint="see `newsdata verify`") from None
    names = table.column_names
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _checked(name: str, value: object, least: int, most: int) -> int:
    """The number, also one of NumPy."""
    try:
        number = least - 1 if isinstance(value, bool | np.bool_) else index(value)  # type: ignore[arg-type]
    except TypeError:
        number = least - 1
    if not least <= number <= most:
        raise CallError(f"must be a whole number from {least} to {most}, got {value!r:.100}", field=name)
    return number
