"""Tasks and what they leave: a key tells everything that decides a result, and a file is compared before it is used."""

from __future__ import annotations

import pickle
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.errors import MachineError
from newsdata.graph.task import Bench, StoredFile, Task, checksum


def key(stage: str, *inputs: str) -> str:
    return Task(stage=stage, inputs=inputs, function=print, data=lambda: None).key  # type: ignore[arg-type]


def test_a_key_is_stage_and_inputs_and_nothing_else() -> None:
    asked: list[int] = []

    def data() -> None:
        asked.append(1)

    one = Task(stage="parse/1", inputs=("a", "b"), function=print, data=data)  # type: ignore[arg-type]
    other = Task(stage="parse/1", inputs=("a", "b"), function=repr, data=list, place="x", rows=9)  # type: ignore[arg-type]
    assert one.key == other.key == key("parse/1", "a", "b")
    assert asked == [], "a key is known without the data"
    different = [
        key("parse/1", "a", "b"),
        key("parse/2", "a", "b"),
        key("sign/1", "a", "b"),
        key("parse/1", "b", "a"),
        key("parse/1", "ab"),
        key("parse/1", "a", "b", ""),
        key("parse/1", "", "a", "b"),
        key("parse/1", "1:a", "b"),
        key("parse/1", "a1:b"),
        key("parse/1", "a\x00b"),
        key("parse/1", "\udcff"),
        key("parse/11:a"),
        key("parse/1"),
    ]
    assert len(set(different)) == len(different)


INPUTS = st.lists(st.text(max_size=3), max_size=4).map(tuple)


@given(st.lists(INPUTS, unique=True, max_size=5))
def test_other_inputs_are_another_key(many: list[tuple[str, ...]]) -> None:
    for one, other in combinations(many, 2):
        assert key("s/1", *one) != key("s/1", *other)


def test_a_key_is_a_name_for_a_file() -> None:
    found = key("parse/1", "../..", "a/b", "\0")
    kind, _, digits = found.partition("-")
    assert kind == "parse1" and len(digits) == 40 and set(digits) <= set("0123456789abcdef")
    assert key("parse/1", "a", "b") == "parse1-dbef542fb0e7a8f98e2929f93b2a171ef7c9bec6", "keys stay as they are"


@pytest.mark.parametrize("damage", ["cut", "longer", "changed", "missing", "folder"])
def test_a_file_is_compared_before_it_is_used(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"some bytes")
    stored = StoredFile.of(path)
    assert stored.checked() == path
    if damage == "cut":
        path.write_bytes(b"some byte")
    elif damage == "longer":
        path.write_bytes(b"some bytes\0")
    elif damage == "changed":
        path.write_bytes(b"some bytez")
    else:
        path.unlink()
        if damage == "folder":
            path.mkdir()
    with pytest.raises(MachineError, match=r"changed or removed while the build was at work.*same command again") as at:
        stored.checked()
    assert at.value.path == str(path)


def test_a_checksum_is_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "b").write_bytes(bytes(1 << 20))
    assert checksum(tmp_path / "a") == "99aa06d3014798d86001c324468d497f"
    assert len(checksum(tmp_path / "b")) == 32 and checksum(tmp_path / "b") != checksum(tmp_path / "a")


def test_a_bench_names_its_outputs_once(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path, prefix="part-1")
    assert bench.file("keys") == bench.file("keys") == tmp_path / "part-1.keys"
    bench.file("spool").write_bytes(b"")
    assert bench.names == ["keys", "spool"]
    assert pickle.loads(pickle.dumps(bench)) == bench
