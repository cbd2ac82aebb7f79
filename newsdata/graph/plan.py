"""Plans: the tasks of a stage as rows of Arrow files, so that a worker on any host can read what it has to do.

A plan has one row for each task: its key, its stage, its number of rows, the key of its seed, and its data. Plans lie in the
store under a digest of their bytes. The data is MessagePack, read with the type that the task's function names for its first
argument. It is never a pickle, because anybody who may write to the store could put code into one.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, get_type_hints

import msgspec
import numpy as np
import pyarrow as pa

from ..errors import MachineError, first_line
from .engine import Job, Jobs
from .store import Store
from .task import Artifact, TaskFunction

__all__ = ["Functions", "Plan", "pack", "read_plan", "unpack", "write_plans"]

Functions = Mapping[str, TaskFunction]
"""Stage ("parse/1") -> the function of its tasks."""

_SCHEMA = pa.schema(
    [("key", pa.string()), ("stage", pa.string()), ("rows", pa.int64()), ("seed", pa.string()), ("data", pa.binary())]
)
_STAGE = "plan1"  # the first part of the key of a plan
_FILE = "tasks"
_PART_BYTES = 16 * 2**20  # of data in a plan, after which another one begins
_LARGEST_PLAN = 2**31 - 1  # bytes
_NUMBERS = re.compile(r"[<>|][biuf][0-9]{1,2}")  # NumPy would take any other text for a list of fields
_INSIDE = "="  # begins a path inside of the build's folder

_DAMAGE = (
    msgspec.MsgspecError,
    pa.ArrowException,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    OverflowError,
    RecursionError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan that was read.

    Attributes:
        table: its rows.
        path: where its file lies, for messages.
        root: the folder of the build, as this host calls it; see `pack`.
    """

    table: pa.Table
    path: Path
    root: Path

    def __len__(self) -> int:
        """The number of tasks."""
        return int(self.table.num_rows)

    def key(self, row: int) -> str:
        """The key of a task."""
        return str(self.table["key"][row])

    def job(self, row: int, functions: Functions, store: Store) -> Job:
        """The task in a row.

        Args:
            row: its number.
            functions: the functions that may be called.
            store: where the result goes.

        Raises:
            MachineError: the row names a stage that is not in `functions`, or its data has another form than the function wants.
        """
        key, stage, _, seed, data = (column[row].as_py() for column in self.table.columns)
        function = functions.get(stage)
        if function is None or key.partition("-")[0] != stage.replace("/", ""):
            raise _damaged(self.path, f"there is no stage {stage!r}")
        try:
            value = unpack(data, _kind(function), self.root)
        except _DAMAGE as error:
            raise _damaged(self.path, f"task {key}: {first_line(error)}") from error
        return Job(store=store, key=key, function=function, data=value, seed=seed)


def write_plans(jobs: Jobs, root: Path) -> Iterator[Artifact]:
    """Write the plans of a stage into its store. Each comes as soon as it is written; only one is in memory at a time.

    Args:
        jobs: the tasks, in order.
        root: the folder of the build; see `pack`.
    """
    rows: list[tuple[str, str, int, str, bytes]] = []
    size = 0
    for task, key, seed in zip(jobs.tasks, jobs.keys, jobs.seeds, strict=True):
        data = pack(task.data(), root)
        rows.append((key, task.stage, task.rows, seed, data))
        size += len(data)
        if size >= _PART_BYTES:
            yield _write_plan(rows, jobs.store)
            rows, size = [], 0
    if rows:
        yield _write_plan(rows, jobs.store)


def _write_plan(rows: list[tuple[str, str, int, str, bytes]], store: Store) -> Artifact:
    columns = [pa.array(column, field.type) for column, field in zip(zip(*rows, strict=True), _SCHEMA, strict=True)]
    buffer = io.BytesIO()
    with pa.ipc.new_file(buffer, _SCHEMA) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))
    bench = store.begin()
    bench.file(_FILE).write_bytes(buffer.getbuffer())
    return store.commit(_key_of(buffer.getbuffer()), bench, {"tasks": len(rows)})


def _key_of(data: bytes | memoryview) -> str:
    return f"{_STAGE}-{hashlib.sha256(data).hexdigest()}"


def read_plan(key: str, store: Store, root: Path) -> Plan:
    """Read a plan.

    Args:
        key: of the artifact that `write_plans` made.
        store: where it lies.
        root: the folder of the build, as this host calls it.

    Raises:
        MachineError: the plan is missing, cut or changed, or it is another one.
    """
    found = store.record(key)
    file = found.files.get(_FILE) if found else None
    if file is None:
        raise MachineError("this plan is missing", path=store.folder / key, hint="run the same command again")
    if file.bytes > _LARGEST_PLAN:
        raise _damaged(file.path, f"it has {file.bytes:,} bytes")
    data = file.checked().read_bytes()
    if _key_of(data) != key:
        raise _damaged(file.path, "it is another plan")
    try:
        with pa.ipc.open_file(pa.py_buffer(data)) as reader:
            table = reader.read_all().combine_chunks()
        table.validate(full=True)
        if table.schema != _SCHEMA or any(column.null_count for column in table.columns):
            raise ValueError("it has other columns")
    except _DAMAGE as error:
        raise _damaged(file.path, first_line(error)) from error
    return Plan(table=table, path=file.path, root=root)


def _damaged(path: Path, why: str) -> MachineError:
    return MachineError(f"this plan cannot be used: {why}", path=path, hint="run the same command again")


def _kind(function: TaskFunction) -> Any:
    """The type of a function's first argument."""
    return next(iter(get_type_hints(function).values()))


# ------------------------------------------------------------------------------------------------------ values


def pack(value: object, root: Path) -> bytes:
    """The data of a task as MessagePack: records, containers, numbers and texts; arrays and tables of Arrow; arrays of NumPy.

    Args:
        value: the data.
        root: a folder that other hosts may know under another path: paths inside are written relative to it.

    >>> unpack(pack([Path("out/a"), Path("/b")], Path("out")), list[Path], Path("/mnt/out"))
    [PosixPath('/mnt/out/a'), PosixPath('/b')]
    """

    def plain(one: Any) -> Any:
        if isinstance(one, Path):
            return f"{_INSIDE}{one.relative_to(root)}" if one.is_relative_to(root) else str(one.absolute())
        if isinstance(one, np.ndarray):
            return [one.dtype.str, list(one.shape), np.ascontiguousarray(one).data.cast("B") if one.size else b""]
        if isinstance(one, np.generic):
            return one.item()
        if isinstance(one, pa.Array | pa.ChunkedArray):
            one = pa.table([one], [""])
        if isinstance(one, pa.Table):
            buffer = io.BytesIO()
            with pa.ipc.new_stream(buffer, one.schema) as writer:
                writer.write_table(one)
            return buffer.getbuffer()
        if isinstance(one, Mapping):
            return dict(one)
        raise TypeError(f"a plan cannot hold {type(one).__name__}")

    return msgspec.msgpack.encode(value, enc_hook=plain)


def unpack(data: bytes, kind: Any, root: Path) -> Any:
    """What `pack` was given.

    Args:
        data: the result of `pack`, or anything else.
        kind: the type of the value.
        root: the folder, as this host calls it.

    Raises:
        Exception: one of several, if the data is not of this type.
    """

    def made(kind: type, one: Any) -> Any:
        if kind is object:
            return one
        if kind is Path:
            return _path(one, root)
        if kind is np.ndarray:
            return _numbers(*one)
        if issubclass(kind, pa.Array | pa.Table):
            return _arrow(one, kind)
        raise TypeError(f"a plan cannot hold {kind.__name__}")

    return msgspec.msgpack.decode(data, type=kind, dec_hook=made)


def _path(text: object, root: Path) -> Path:
    if not isinstance(text, str) or not text.startswith((_INSIDE, "/")):
        raise ValueError(f"{text!r:.100} is no path")
    if text.startswith("/"):
        return Path(text)
    inside = PurePosixPath(text.removeprefix(_INSIDE))
    if inside.is_absolute() or ".." in inside.parts:
        raise ValueError(f"{text!r:.100} leads out of the folder")
    return root / inside


def _numbers(kind: str, shape: list[int], data: bytes) -> np.ndarray:
    if not _NUMBERS.fullmatch(kind):
        raise ValueError(f"an array of {kind!r:.20}")
    return np.frombuffer(data, np.dtype(kind)).reshape([int(size) for size in shape])


def _arrow(data: bytes, kind: type) -> Any:
    with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
        table = reader.read_all()
    table.validate(full=True)
    found = table
    if issubclass(kind, pa.Array):
        (column,) = table.columns
        found = column.combine_chunks()
    if not isinstance(found, kind):
        raise TypeError(f"{type(found).__name__} instead of {kind.__name__}")
    return found
