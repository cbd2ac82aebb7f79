"""Plans: what a worker reads is what the driver wrote, or an error of ours."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.errors import MachineError
from newsdata.graph import plan
from newsdata.graph.engine import Engine, Jobs
from newsdata.graph.plan import pack, read_plan, unpack, write_plans
from newsdata.graph.store import Store
from newsdata.graph.task import Artifact, Bench, StoredFile, Task

from ..building.executors import same


class Pair(NamedTuple):
    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """Every kind of value that the data of a task has."""

    file: StoredFile
    places: Mapping[int, tuple[np.ndarray, np.ndarray]]
    matrix: np.ndarray | None
    names: pa.StringArray
    some: pa.Array | None
    table: pa.Table
    texts: frozenset[str]
    pairs: tuple[Pair, ...]
    day: date | None
    values: Mapping[str, object]


def everything(root: Path) -> Everything:
    return Everything(
        file=StoredFile(path=root / "cache" / "a", checksum="0" * 32, bytes=2**40),
        places={3: (np.arange(4, dtype=np.int32), np.arange(8)[::2]), -1: (np.zeros(0, np.int64), np.zeros(0, bool))},
        matrix=np.arange(6, dtype="<f4").reshape(2, 3).T,
        names=pa.array(["新", None, "a\0b", ""]).slice(1),
        some=pa.array([], pa.list_(pa.int16())),
        table=pa.table({"a": pa.chunked_array([[1], [2, 3]]), "b": ["x", None, "y"]}),
        texts=frozenset({"a", "b"}),
        pairs=(Pair("x", 1), Pair("新", -1)),
        day=date(2022, 1, 31),
        values={"a": [True, None, {"b": "no"}], "c": ""},
    )


def test_a_value_comes_back(tmp_path: Path) -> None:
    given = everything(tmp_path)
    again = unpack(pack(given, tmp_path), Everything, tmp_path)
    assert same(again, given)
    assert not again.matrix.flags.writeable, "arguments are read-only, as they are with other engines"


def test_the_folder_has_another_path_on_another_host(tmp_path: Path) -> None:
    again = unpack(pack(everything(Path("out")), Path("out")), Everything, tmp_path)
    assert again.file.path == tmp_path / "cache" / "a"
    there = pack([Path("elsewhere/b"), Path("/c/d")], Path("out"))
    assert unpack(there, list[Path], tmp_path) == [Path("elsewhere/b").absolute(), Path("/c/d")]


@pytest.mark.parametrize("path", ["=../a", "=/etc/passwd", "=a/../../b", "a", "", "../a", 0, None])
def test_no_path_leads_out_of_the_folder(path: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"out of the folder|is no path"):
        unpack(msgspec.msgpack.encode(path), Path, tmp_path)


@pytest.mark.parametrize("value", [object(), {1, 2}.__iter__(), np.array([object()])])
def test_what_cannot_be_written_is_an_error(value: object, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError, msgspec.MsgspecError)):
        unpack(pack(value, tmp_path), type(value), tmp_path)


# -------------------------------------------------------------------------------------------------------- plans


def joined(data: Sequence[str], bench: Bench) -> dict[str, Any]:
    bench.file("text").write_text("".join(data))
    return {"seed": bench.seed and bench.seed.key}


FUNCTIONS = {"join/1": joined}


def task(*words: str) -> Task:
    return Task(stage="join/1", inputs=words, function=joined, data=lambda: words, rows=len(words), place=words[0])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "cache").mkdir()
    return Store(folder=tmp_path / "cache")


def jobs(store: Store, *tasks: Task, seed: str = "") -> Jobs:
    return Jobs(store=store, keys=[one.key for one in tasks], tasks=tasks, seeds=[seed] * len(tasks))


def written(store: Store, *tasks: Task) -> list[Artifact]:
    return [*write_plans(jobs(store, *tasks), store.folder.parent)]


class Planned:
    """An executor that runs every task from its row in a plan."""

    def run(self, function: Callable[[Any], Any], tasks: Jobs) -> Iterable[Artifact]:
        for part in write_plans(tasks, tasks.store.folder.parent):
            read = read_plan(part.key, tasks.store, tasks.store.folder.parent)
            yield from (function(read.job(row, FUNCTIONS, tasks.store)) for row in range(len(read)))


def test_tasks_run_from_a_plan(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for size in (2**20, 8):
        monkeypatch.setattr(plan, "_PART_BYTES", size)
        engine = Engine(store=store, executor=Planned())
        with engine.stage("join") as stage:
            made = stage.run([task("a", str(size)), task("b", "cd", "e"), task("x" * 99)])
        assert [one.files["text"].path.read_text() for one in made] == [f"a{size}", "bcde", "x" * 99]


def test_a_large_stage_has_several_plans(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(f"{number:04}") for number in range(10)]
    assert [part.facts["tasks"] for part in written(store, *tasks)] == [10]
    monkeypatch.setattr(plan, "_PART_BYTES", 20)
    parts = written(store, *tasks)
    assert sum(part.facts["tasks"] for part in parts) == 10 and len(parts) > 2
    read = [read_plan(part.key, store, store.folder) for part in parts]
    assert [one.key(row) for one in read for row in range(len(one))] == [one.key for one in tasks]
    assert len({part.key for part in [*parts, *written(store, *tasks)]}) == len(parts), (
        "the same plan has the same name"
    )


def test_a_seed_travels_by_its_key(store: Store) -> None:
    first = Engine(store=store, executor=Planned())
    with first.stage("join") as stage:
        old = stage.run_one(task("a", "b"))
    first.remember({})
    second = Engine(store=store, executor=Planned())
    with second.stage("join") as stage:
        assert stage.run_one(task("a", "c")).facts == {"seed": old.key}


DAMAGES: Mapping[str, Callable[[bytes], bytes]] = {
    "cut": lambda data: data[:-9],
    "empty": lambda data: b"",
    "longer": lambda data: data + b"\0",
    "flipped": lambda data: data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_plan_is_refused(damage: Callable[[bytes], bytes], store: Store) -> None:
    (part,) = written(store, task("a"))
    path = part.files["tasks"].path
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(MachineError, match="changed or removed"):
        read_plan(part.key, store, store.folder)


def test_a_swapped_plan_is_refused(store: Store) -> None:
    """Also where whoever did it wrote a good record."""
    (one,), (other,) = written(store, task("a")), written(store, task("b"))
    bench = store.begin()
    bench.file("tasks").write_bytes(other.files["tasks"].path.read_bytes())
    store.commit(one.key, bench, {"tasks": 1})
    with pytest.raises(MachineError, match="another plan"):
        read_plan(one.key, store, store.folder)
    with pytest.raises(MachineError, match="missing"):
        read_plan("plan1-0", store, store.folder)


def hostile(store: Store, data: bytes) -> str:
    """The key of a plan with these bytes and a good record."""
    bench = store.begin()
    bench.file("tasks").write_bytes(data)
    return store.commit(plan._key_of(data), bench, {}).key


def arrow(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def row(**changed: object) -> bytes:
    data = msgspec.msgpack.encode(["a"])
    columns = {"key": "join1-0", "stage": "join/1", "rows": 1, "seed": "", "data": data} | changed
    return arrow(pa.table({name: pa.array([columns[name]], plan._SCHEMA.field(name).type) for name in columns}))


@pytest.mark.parametrize(
    "data",
    [
        b"ARROW1\0\0" * 9,
        pickle.dumps(os.getcwd),
        arrow(pa.table({"key": ["join1-0"]})),
        arrow(plan._SCHEMA.empty_table().drop(["seed"])),
        row(key=None),
        row(data=None),
    ],
    ids=range(6),
)
def test_another_file_is_no_plan(data: bytes, store: Store) -> None:
    with pytest.raises(MachineError, match="cannot be used"):
        read_plan(hostile(store, data), store, store.folder)


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": "os.system"},
        {"stage": "join/2"},
        {"key": "parse1-0"},
        {"data": b""},
        {"data": b"\xc1"},
        {"data": pickle.dumps(["a"])},
        {"data": msgspec.msgpack.encode([1])},
        {"data": msgspec.msgpack.encode({"a": 1})},
        {"data": b"\x91" * 100_000},
    ],
    ids=range(9),
)
def test_a_hostile_row_is_an_error_of_ours(changed: dict[str, object], store: Store) -> None:
    read = read_plan(hostile(store, row(**changed)), store, store.folder)
    with pytest.raises(MachineError, match="cannot be used"):
        read.job(0, FUNCTIONS, store)
    assert read_plan(hostile(store, row()), store, store.folder).job(0, FUNCTIONS, store).data == ["a"]


def taken(data: Everything, bench: Bench) -> dict[str, Any]:
    return {}


@given(st.data())
def test_any_bytes_are_a_value_or_an_error_of_ours(data: st.DataObject) -> None:
    """Bytes of a good value, some of them changed."""
    good = bytearray(pack(everything(Path("/out")), Path("/out")))
    for at in data.draw(st.lists(st.integers(0, len(good) - 1), max_size=4)):
        good[at] = data.draw(st.integers(0, 255))
    is_a_value_or_an_error_of_ours(bytes(good))


@pytest.mark.parametrize("byte", [0, 1, ord(","), 0x7F, 0xFF])
def test_a_changed_byte_gives_a_value_or_an_error_of_ours(byte: int) -> None:
    good = pack(everything(Path("/out")), Path("/out"))
    for at in range(len(good)):
        is_a_value_or_an_error_of_ours(good[:at] + bytes([byte]) + good[at + 1 :])


def is_a_value_or_an_error_of_ours(data: bytes) -> None:
    table = pa.table({"key": ["take1-0"], "stage": ["take/1"], "rows": [1], "seed": [""], "data": [data]})
    read = plan.Plan(table=table, path=Path("plan"), root=Path("/out"))
    try:
        assert isinstance(read.job(0, {"take/1": taken}, Store(folder=Path("/out"))).data, Everything)
    except MachineError as error:
        assert "cannot be used" in str(error)
