"""Seeds never matter: what the last build left saves work, and every byte of every task is as without it."""

from __future__ import annotations

import random
from collections import defaultdict
from pathlib import Path

import pyarrow as pa
import pytest

from newsdata.building import known_files, shard_plan
from newsdata.building.build import Build, make_version
from newsdata.building.request import Request
from newsdata.building.workspace import open_workspace, store_in
from newsdata.graph.engine import Engine
from newsdata.graph.executors.local import InProcess
from newsdata.graph.store import LastBuild, Store
from newsdata.graph.task import Artifact, Bench

from .edited_archive import SOURCES, Archive, digests

WAYS = ("with", "without", "of others")
"""Seeds as they are; none; and those of other places, as if files had been mixed up."""


@pytest.fixture
def seeds_used(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kind of each seed that a task was given."""
    used: list[str] = []
    begin = Store.begin

    def noting(self: Store, seed: Artifact | None = None) -> Bench:
        if seed is not None:
            used.append(seed.key.partition("-")[0].rstrip("0123456789"))
        return begin(self, seed)

    monkeypatch.setattr(Store, "begin", noting)
    return used


def mixed_up(last: LastBuild, rng: random.Random) -> LastBuild:
    """The places of each kind of task, with the artifacts of others."""
    by_kind: dict[str, list[str]] = defaultdict(list)
    for key in last.places.values():
        by_kind[key.partition("-")[0]].append(key)
    for keys in by_kind.values():
        rng.shuffle(keys)
    places = {place: by_kind[key.partition("-")[0]].pop() for place, key in last.places.items()}
    return LastBuild(places=places, keys=last.keys, facts=last.facts)


def build(way: str, source: Path, out: Path, rng: random.Random) -> Build:
    request = Request(source=source, out=out, max_reject_share=1.0, max_leak=1.0)
    with open_workspace(out, cache=True) as workspace:
        engine = Engine(store=workspace.store, executor=InProcess(), seeds=way != "without")
        if way == "of others":
            engine.last = mixed_up(engine.last, rng)
        return make_version(request, workspace, engine)


def store_of(out: Path) -> Store:
    store = store_in(out)
    assert store is not None
    return store


def content(path: Path) -> bytes | pa.Table:
    """An Arrow file or stream as a table, anything else as bytes."""
    with pa.OSFile(str(path)) as file:
        for opened in (pa.ipc.open_file, pa.ipc.open_stream):
            try:
                file.seek(0)
                with opened(file) as reader:
                    return reader.read_all()
            except pa.ArrowInvalid:
                continue
    return path.read_bytes()


def same_artifact(one: Artifact, other: Artifact) -> bool:
    if one.facts != other.facts or one.files.keys() != other.files.keys():
        return False
    for name, file in one.files.items():
        a, b = content(file.checked()), content(other.files[name].checked())
        if not (a.equals(b) if isinstance(a, pa.Table) and isinstance(b, pa.Table) else a == b):
            return False
    return True


def compare(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    rng = random.Random(seed)
    monkeypatch.setattr(known_files, "_RACY", 0)  # what is settled would depend on when it is listed
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", rng.choice((3, 7, 360, 2000)))
    archive = Archive(rng)
    for _ in range(rng.choice((6, 20))):
        archive.add()
    make = SOURCES[seed % len(SOURCES)]
    outs = {way: tmp_path / way for way in WAYS}
    for step in range(steps):
        if step:
            archive.step()
        source = make(tmp_path / "in", archive.files)
        made = {way: build(way, source, out, rng) for way, out in outs.items()}
        one = made["without"]
        stores = {way: store_of(out) for way, out in outs.items()}
        keys = stores["without"].keys()
        assert keys, (seed, step)
        for way in ("with", "of others"):
            other = made[way]
            assert (other.version, other.created) == (one.version, one.created), (seed, step, way)
            assert digests(other.path) == digests(one.path), (seed, step, way)
            assert stores[way].keys() == keys, (seed, step, way)
            for key in keys:
                artifacts = [stores[name].find(key) for name in ("without", way)]
                assert artifacts[0] and artifacts[1], (seed, step, way, key)
                assert same_artifact(artifacts[0], artifacts[1]), (seed, step, way, key)
            if way == "with":
                assert stores[way].last() == stores["without"].last(), (seed, step)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1))
def test_seeds_change_no_byte(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seeds_used: list[str]
) -> None:
    compare(seed, tmp_path, monkeypatch, steps=4)
    assert {"parse", "sign", "pairs"} <= set(seeds_used)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 17))
def test_seeds_change_no_byte_at_length(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compare(seed, tmp_path, monkeypatch, steps=8)
