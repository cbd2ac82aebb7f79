"""The store: what is put is found whole or not at all, whatever became of the folder meanwhile."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import xxhash

from newsdata.graph.store import LastBuild, Store
from newsdata.graph.task import Artifact

KEY = "parse-0123456789"
FILES = {"posts": b"rows of posts" * 99, "keys": b"k", "spool": bytes(range(256))}
FACTS = {"rows": 3, "texts": ["新", "\udcff"], "none": None}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "cache").mkdir()
    return Store(folder=tmp_path / "cache")


def put(store: Store, key: str = KEY, seed: Artifact | None = None) -> Artifact:
    bench = store.begin(seed)
    for name, data in FILES.items():
        bench.file(name).write_bytes(data)
    return store.commit(key, bench, FACTS)


def record(data: object) -> bytes:
    """A record with a good checksum, whatever it says."""
    text = json.dumps(data).encode()
    return xxhash.xxh3_128_hexdigest(text).encode() + b"\n" + text


def content(store: Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(store.folder.iterdir())}


def test_what_was_put_is_found(store: Store) -> None:
    made = put(store)
    assert store.find(KEY) == store.record(KEY) == made
    assert made.facts == FACTS
    assert {name: file.path.read_bytes() for name, file in made.files.items()} == FILES
    assert sorted(content(store)) == [f"{KEY}.json", f"{KEY}.keys", f"{KEY}.posts", f"{KEY}.spool"]
    assert store.keys() == [KEY] and store.find("parse-0") is None
    assert pickle.loads(pickle.dumps(store)) == store


def test_what_is_not_committed_is_not_there(store: Store) -> None:
    bench = store.begin()
    bench.file("posts").write_bytes(b"half")
    bench.file("never written")
    assert store.find(KEY) is None and store.keys() == []
    store.discard(bench)
    assert content(store) == {}


def test_the_record_comes_last(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between any two renames, an artifact is not there, and is put all the same afterwards."""
    replace = Path.replace
    for allowed in range(len(FILES) + 1):
        done = 0

        def some(self: Path, target: Path, allowed: int = allowed) -> Path:
            nonlocal done
            if done == allowed:
                raise InterruptedError
            done += 1
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", some)
        with pytest.raises(InterruptedError):
            put(store)
        assert store.find(KEY) is None and store.keys() == []
    monkeypatch.setattr(Path, "replace", replace)
    made = put(store)
    assert store.find(KEY) == made
    store.sweep({KEY})
    assert len(content(store)) == 4, "parts that were left are swept"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def missing(path: Path) -> None:
    path.unlink()


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_bytes(b"x")


def link(path: Path) -> None:
    """A link to the same bytes: it leads out of the folder."""
    shutil.move(path, path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


def dangling(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent.parent / "nowhere")


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = (cut, longer, flipped, missing, folder, link, dangling, fifo)


@pytest.mark.parametrize("name", [*FILES, "json"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_a_damaged_entry_is_missing_and_is_put_anew(damage: Callable[[Path], None], name: str, store: Store) -> None:
    put(store)
    good = content(store)
    file = store.folder / f"{KEY}.{name}"
    damage(file)
    assert store.find(KEY) is None
    elsewhere = store.folder.parent / "elsewhere"
    kept = elsewhere.read_bytes() if elsewhere.exists() else None
    assert store.find(KEY) is None
    made = put(store)
    assert content(store) == good and store.find(KEY) == made
    assert not file.is_symlink()
    assert not elsewhere.exists() or elsewhere.read_bytes() == kept, "a link is not followed"
    assert not (store.folder.parent / "nowhere").exists()


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"\n",
        b"no checksum\n{}",
        b"\xff\xfe",
        record(None),
        record([]),
        record({}),
        record({"key": KEY}),
        record({"key": KEY, "files": None, "facts": {}}),
        record({"key": KEY, "files": [1], "facts": {}}),
        record({"key": KEY, "files": {"posts": "0" * 32}, "facts": {}}),
        record({"key": KEY, "files": {"posts": 5}, "facts": {}}),
        record({"key": "parse-another", "files": {}, "facts": {}}),
        record({"key": KEY, "files": {}, "facts": None}),
        record({"key": KEY, "files": {}, "facts": [1]}),
        record({"key": KEY, "files": {"../posts": "0" * 32}, "facts": {}}),
        record({"key": KEY, "files": {"a/b": "0" * 32}, "facts": {}}),
        xxhash.xxh3_128_hexdigest(deep := b"[" * 200_000 + b"]" * 200_000).encode() + b"\n" + deep,
    ],
    ids=range(18),
)
def test_a_record_that_says_something_else_is_none(written: bytes, store: Store) -> None:
    made = put(store)
    (store.folder / f"{KEY}.json").write_bytes(written)
    assert store.find(KEY) is None
    assert put(store) == made == store.find(KEY)


def test_a_record_under_another_key_is_none(store: Store) -> None:
    put(store)
    for path in list(store.folder.iterdir()):
        shutil.copy(path, path.with_name(path.name.replace(KEY, "parse-copied")))
    assert store.find("parse-copied") is None
    assert store.keys() == [KEY, "parse-copied"], "both have a record"


def test_no_name_leads_out_of_the_folder(store: Store) -> None:
    for name in ("../posts", "a/b", "nul\0"):
        with pytest.raises((ValueError, OSError)):
            bench = store.begin()
            bench.names.append(name)
            store.commit(KEY, bench, {})
    assert list(store.folder.parent.iterdir()) == [store.folder]


def test_two_at_once_put_the_same(store: Store) -> None:
    """Both succeed, and at no moment is the artifact damaged once it is there."""
    first = put(store)
    stop = threading.Event()
    seen: list[Artifact | None] = []

    def look() -> None:
        while not stop.is_set():
            seen.append(store.find(KEY))

    watcher = threading.Thread(target=look)
    watcher.start()
    writers = [threading.Thread(target=lambda: [put(store) for _ in range(20)]) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop.set()
    watcher.join()
    assert store.find(KEY) == first and len(content(store)) == 4
    assert seen and all(found == first for found in seen)


# ------------------------------------------------------------------------------------------------- the last build

LAST = LastBuild(places={"list": KEY, "pairs": "pairs-1"}, keys=(KEY, "pairs-1"), facts={"listing": "ab"})


def test_what_the_last_build_used_is_remembered(store: Store) -> None:
    assert store.last() == LastBuild()
    store.remember(LAST)
    assert store.last() == LAST
    assert sorted(content(store)) == ["last-build.json"] and store.keys() == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: str(damage.__name__))
def test_a_damaged_memory_of_the_last_build_is_none(damage: Callable[[Path], None], store: Store) -> None:
    store.remember(LAST)
    damage(store.folder / "last-build.json")
    assert store.last() == LastBuild()
    store.remember(LAST)
    assert store.last() == LAST and not (store.folder / "last-build.json").is_symlink()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"places": {}, "keys": []},
        {"places": [1], "keys": [], "facts": {}},
        {"places": [], "keys": [], "facts": {}},
        {"places": {}, "keys": 7, "facts": {}},
        {"places": {}, "keys": [], "facts": "no"},
    ],
)
def test_another_memory_is_none(data: object, store: Store) -> None:
    (store.folder / "last-build.json").write_bytes(record(data))
    assert store.last() == LastBuild()


# --------------------------------------------------------------------------------------------------------- sweeping


def test_a_sweep_keeps_what_is_in_use_and_nothing_else(store: Store) -> None:
    for key in ("parse-1", "parse-2", "sign-1"):
        put(store, key)
    store.remember(LAST)
    kept = {name: data for name, data in content(store).items() if not name.startswith("parse-2")}
    foreign = store.folder / ("0" * 40 + ".posts")
    foreign.write_bytes(b"x" * 1000)
    (store.folder / "files.index").write_bytes(b"y" * 10)
    store.begin().file("spool").write_bytes(b"z")
    (store.folder / "folder.d").mkdir()
    (store.folder / "folder.d" / "inside").write_bytes(b"x")
    os.mkfifo(store.folder / "pipe")
    target = store.folder.parent / "mine"
    target.mkdir()
    (target / "thesis.tex").write_bytes(b"years of work")
    (store.folder / "link").symlink_to(target)
    os.link(store.folder / "parse-2.posts", store.folder.parent / "version.parquet")
    freed = {path.name: size for path, size in store.sweep({"parse-1", "sign-1"})}
    assert content(store) == kept
    assert freed[foreign.name] == 1000 and freed["files.index"] == 10
    assert freed["parse-2.posts"] == 0, "it has another name in a version"
    assert freed["parse-2.spool"] == len(FILES["spool"])
    assert {"link", "pipe", "folder.d"} <= freed.keys()
    assert (target / "thesis.tex").read_bytes() == b"years of work"
    assert store.sweep({"parse-1", "sign-1"}) == []


def test_what_is_damaged_is_named(store: Store) -> None:
    assert store.damaged() == []
    store.remember(LastBuild(keys=("a",)))
    assert store.damaged() == []
    (store.folder / "last-build.json").write_bytes(b"{}")
    assert store.damaged() == ["last-build"] and store.last() == LastBuild()
