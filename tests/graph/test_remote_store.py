"""A store in a bucket: what one machine puts there, another one finds, fetches and checks."""

from __future__ import annotations

import json
import pickle
import stat
from pathlib import Path

import pytest
import xxhash

from newsdata.errors import MachineError
from newsdata.graph.store import LastBuild, Store
from newsdata.graph.task import Artifact
from newsdata.objects import Objects

KEY = "parse-0123456789"
FILES = {"posts": b"rows of posts" * 99, "keys": b"k"}


@pytest.fixture
def bucket(tmp_path: Path) -> Path:
    return tmp_path / "bucket"


@pytest.fixture
def store(tmp_path: Path, bucket: Path) -> Store:
    return Store(folder=tmp_path / "one" / "scratch", remote=Objects(url=bucket.as_uri()))


@pytest.fixture
def other(tmp_path: Path, store: Store) -> Store:
    """The same store, seen from another machine."""
    return Store(folder=tmp_path / "two" / "scratch", remote=store.remote)


def put(store: Store, key: str = KEY) -> Artifact:
    bench = store.begin()
    for name, data in FILES.items():
        bench.file(name).write_bytes(data)
    return store.commit(key, bench, {"rows": 3})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_what_one_puts_another_finds(store: Store, other: Store, bucket: Path) -> None:
    made = put(store)
    assert names(bucket) == [f"{KEY}.json", f"{KEY}.keys", f"{KEY}.posts"]
    found = other.find(KEY)
    assert found and found.facts == made.facts and not other.folder.exists()
    assert {name: found.files[name].checked().read_bytes() for name in FILES} == FILES
    assert found.files["posts"].path.parent == other.folder
    assert store.find(KEY) == made and pickle.loads(pickle.dumps(made)) == made
    assert stat.S_IMODE(other.folder.stat().st_mode) == 0o700
    assert other.keys() == [KEY] and other.damaged() == []


def test_a_copy_is_fetched_once_and_again_if_it_is_damaged(store: Store, other: Store, bucket: Path) -> None:
    put(store)
    found = other.find(KEY)
    assert found
    path = found.files["posts"].checked()
    (bucket / f"{KEY}.posts").rename(bucket / "away")
    assert found.files["posts"].checked() == path
    (bucket / "away").rename(bucket / f"{KEY}.posts")
    path.write_bytes(b"changed")
    assert found.files["posts"].checked().read_bytes() == FILES["posts"]


def test_what_was_not_committed_is_not_there(store: Store, other: Store, bucket: Path) -> None:
    bench = store.begin()
    bench.file("posts").write_bytes(b"half")
    store.discard(bench)
    assert other.find(KEY) is None and names(bucket) == [] and names(store.folder) == []
    put(store)
    (bucket / f"{KEY}.json").unlink()  # killed before the record was put
    assert other.find(KEY) is None and other.find_all([KEY, "parse-0"]) == {}


def test_a_cut_object_counts_as_missing(store: Store, other: Store, bucket: Path) -> None:
    put(store)
    put(store, "parse-1")
    (bucket / f"{KEY}.posts").write_bytes(FILES["posts"][:50])
    assert other.find(KEY) is None and other.damaged() == [KEY]
    assert [*other.find_all([KEY, "parse-1", "parse-2"])] == ["parse-1"]


def test_a_changed_object_is_an_error_and_is_made_anew_by_the_next_build(
    store: Store, other: Store, bucket: Path
) -> None:
    put(store)
    (bucket / f"{KEY}.posts").write_bytes(FILES["posts"].swapcase())
    found = other.find(KEY)
    assert found
    with pytest.raises(MachineError, match="changed or removed while the build was at work") as error:
        found.files["posts"].checked()
    assert f"{bucket.as_uri()}/{KEY}.posts" in str(error.value)
    assert other.find(KEY) is None
    put(store)
    again = other.find(KEY)
    assert again and again.files["posts"].checked().read_bytes() == FILES["posts"]


def test_a_file_of_somebody_else_is_never_removed(store: Store, other: Store, bucket: Path) -> None:
    from dataclasses import replace

    file = replace(put(store).files["posts"], remade=False, path=other.folder / f"{KEY}.posts")
    (bucket / f"{KEY}.posts").write_bytes(FILES["posts"].swapcase())
    with pytest.raises(MachineError):
        file.checked()
    assert f"{KEY}.posts" in names(bucket)


def test_a_record_is_hostile_until_it_is_read(store: Store, bucket: Path) -> None:
    bucket.mkdir()
    bad: list[object] = [{"../x": ["0" * 32, 1]}, {"a": "b"}, {"a": [1]}, [], {"a/b": ["0" * 32, 1]}]
    for files in bad:
        text = json.dumps({"key": KEY, "files": files, "facts": {}}).encode()
        (bucket / f"{KEY}.json").write_bytes(xxhash.xxh3_128_hexdigest(text).encode() + b"\n" + text)
        assert store.find(KEY) is None
    (bucket / f"{KEY}.json").write_bytes(b"0" * 32 + b"\n{}")
    assert store.find(KEY) is None


def test_what_the_last_build_used_is_kept_and_all_else_is_swept(store: Store, other: Store, bucket: Path) -> None:
    put(store)
    put(store, "parse-1")
    (bucket / "part-host-1-2.posts").write_bytes(b"half an object of a killed build")
    store.remember(LastBuild(places={"parse a": KEY}, keys=(KEY,), facts={"listing": "1"}))
    assert other.last() == LastBuild(places={"parse a": KEY}, keys=(KEY,), facts={"listing": "1"})
    swept = other.sweep([KEY])
    assert sorted(path.name for path, _ in swept) == [
        "parse-1.json", "parse-1.keys", "parse-1.posts", "part-host-1-2.posts",
    ]  # fmt: skip
    assert sum(size for _, size in swept) > len(FILES["posts"])
    assert names(bucket) == ["last-build.json", f"{KEY}.json", f"{KEY}.keys", f"{KEY}.posts"]
    (bucket / "last-build.json").write_bytes(b"?")
    assert other.last() == LastBuild() and other.damaged() == ["last-build"]
