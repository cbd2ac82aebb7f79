"""Objects in S3 (moto), in Google's store (translated), and in a folder: conditions, faults, hostile answers."""

from __future__ import annotations

import hashlib
import os
import pickle
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsdata import objects as objects_module
from newsdata import objects_bucket
from newsdata.errors import CallError, MachineError
from newsdata.objects import Objects, ObjectTooLargeError, check_conditions, is_object_url

from .objects_server import Faults, ObjectStoreServer


@pytest.fixture
def s3(server: ObjectStoreServer) -> Objects:
    return Objects(url=f"{server.bucket()}/archive of news")


@pytest.fixture(params=["s3", "gs", "file"])
def objects(request: pytest.FixtureRequest, server: ObjectStoreServer, tmp_path: Path) -> Objects:
    """The same folder in each kind of store."""
    if request.param == "file":
        return Objects(url=(tmp_path / "a store").as_uri())
    return Objects(url=f"{server.bucket(request.param)}/news/a store")


# ---------------------------------------------------------------------------------------------------- every store


def test_objects_are_written_read_and_listed(objects: Objects, tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(6 << 20))  # more than one part
    objects.put("b/ü %41 ?#&+.txt", b"one")
    objects.put("b/ü %41 ?#&+.txt", b"two")
    objects.put("b-c/big", big)
    objects.put("b/a/empty", b"")
    assert objects.read("b/ü %41 ?#&+.txt", 3) == b"two"
    assert objects.read("b/none", 3) is None and objects.read("none/none", 3) is None
    assert objects.read("b/a/empty", 0) == b""
    assert list(objects.names()) == [("b-c/big", 6 << 20), ("b/a/empty", 0), ("b/ü %41 ?#&+.txt", 3)]
    assert list(objects.names("b")) == [("b/a/empty", 0), ("b/ü %41 ?#&+.txt", 3)]
    assert list(objects.inside("b").names()) == [("a/empty", 0), ("ü %41 ?#&+.txt", 3)]
    objects.inside("c%20c").put("d", b"")
    assert list(objects.names("c%20c")) == [("c%20c/d", 0)]
    assert list(objects.names("nothing")) == []
    assert objects.read_ranges("b-c/big", [5, 0, 5 << 20], [3, 1, 7]) == [
        big.read_bytes()[start : start + size] for start, size in ((5, 3), (0, 1), (5 << 20, 7))
    ]
    assert objects.read_ranges("none", [0], [1]) is None
    stamps = {name: stamp for name, _, stamp in objects.stamped()}
    assert [objects.read_stamped(name, 6 << 20) for name in ("b/a/empty", "none")] == [(b"", stamps["b/a/empty"]), None]
    with pytest.raises(MachineError, match="is larger than"):
        objects.read_stamped("b-c/big", 5)
    assert (objects.folders(), objects.inside("b").folders(), objects.inside("none").folders()) == (
        ["b", "b-c", "c%20c"], ["a"], [],
    )  # fmt: skip
    assert (
        objects.sha256("b-c/big") == hashlib.sha256(big.read_bytes()).hexdigest() and objects.sha256("b/none") is None
    )
    assert (objects.size("b-c/big"), objects.size("b/none")) == (6 << 20, None)
    assert objects.fetch("b-c/big", tmp_path / "copy") and (tmp_path / "copy").read_bytes() == big.read_bytes()
    assert not objects.fetch("b-c/none", tmp_path / "none") and not (tmp_path / "none").exists()
    objects.delete(["b-c/big", "c%20c/d", "none", "b/none", "b/a/empty"])
    assert [name for name, _ in objects.names()] == ["b/ü %41 ?#&+.txt"]


def test_create_and_swap(objects: Objects, tmp_path: Path) -> None:
    (tmp_path / "two").write_bytes(b"two")
    assert objects.create("lock", b"one")
    assert not objects.create("lock", b"two") and not objects.create("lock", tmp_path / "two")
    assert objects.create("lock", b"one"), "our own bytes: an earlier answer may have been lost"
    found = objects.tagged("lock", 10)
    assert found and found[0] == b"one"
    assert objects.swap("lock", b"three", found[1])
    assert not objects.swap("lock", b"four", found[1])
    assert objects.read("lock", 10) == b"three"
    assert not objects.swap("none", b"four", found[1]) and objects.read("none", 10) is None
    assert objects.tagged("none", 10) is None
    check_conditions(objects)
    assert [name for name, _ in objects.names()] == ["lock"]


@pytest.mark.slow
def test_of_twenty_that_race_one_wins(objects: Objects) -> None:
    start = threading.Barrier(20)

    def create(number: int) -> bool:
        start.wait()
        return objects.create("lease", b"%d" % number)

    def swap(number: int) -> bool:
        found = objects.tagged("lease", 100)
        start.wait()
        return found is not None and objects.swap("lease", b"next %d" % number, found[1])

    with ThreadPoolExecutor(20) as pool:
        for race, prefix in ((create, b""), (swap, b"next ")):
            won = [number for number, first in enumerate(pool.map(race, range(20))) if first]
            assert len(won) == 1 and objects.read("lease", 100) == prefix + b"%d" % won[0]


def test_copies(objects: Objects, server: ObjectStoreServer, tmp_path: Path) -> None:
    objects.put("a/one", b"one")
    server.requests.clear()
    objects.copy("a/one", "b/two")
    objects.copy("a/one", "three", objects.inside("c"))
    assert not [request for request in server.requests if request.method == "GET"], "the store copies"
    elsewhere = Objects(url=(tmp_path / "elsewhere").as_uri())
    objects.copy("a/one", "four", elsewhere)
    elsewhere.copy("four", "five", objects)
    assert [objects.read(name, 9) for name in ("b/two", "c/three", "five")] == [b"one"] * 3
    with pytest.raises(MachineError, match="/none: "):
        objects.copy("none", "five")
    assert objects.read("five", 9) == b"one"


def test_sizes_are_limited(objects: Objects, tmp_path: Path) -> None:
    objects.put("large", b"x" * 11)
    for ask in (
        lambda: objects.read("large", 10),
        lambda: objects.tagged("large", 10),
        lambda: objects.read_stamped("large", 10),
        lambda: objects.fetch("large", tmp_path / "large", 10),
    ):
        with pytest.raises(ObjectTooLargeError, match=r"/large: is larger than 10 bytes; another program wrote it"):
            ask()
    assert list(tmp_path.glob("*large*")) == []
    assert objects.fetch("large", tmp_path / "large", 11)


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../up", "a/../b", "a//b", "a/", ".", "a\nb", "a\x00b", "\udc80", "x" * 1025]
)
def test_names_that_no_object_may_have(objects: Objects, name: str, tmp_path: Path) -> None:
    for ask in (
        lambda: objects.put(name, b""),
        lambda: objects.create(name, b""),
        lambda: objects.read(name, 1),
        lambda: objects.delete([name]),
        lambda: objects.fetch(name, tmp_path / "x"),
        lambda: objects.inside(name),
    ):
        with pytest.raises(MachineError, match="no object may have the name"):
            ask()


def test_they_go_to_other_processes(objects: Objects) -> None:
    objects.put("a", b"1")
    again = pickle.loads(pickle.dumps(objects))
    assert again == objects and again.read("a", 1) == b"1"
    assert str(objects) == objects.url


def test_addresses() -> None:
    assert Objects(url="S3:/bucket/a/b/").url == "s3://bucket/a/b"
    assert Objects(url="gs://bucket").url == "gs://bucket"
    assert Objects(url="file:///a%20b/").url == "file:///a%20b"
    for bad in ("", "bucket", "http://host/x", "s3://", "file://host/x", "s3://user:word@bucket/x", "s3://b?x=secret"):
        with pytest.raises(CallError, match="not the address of a folder") as caught:
            Objects(url=bad)
        assert "word" not in str(caught.value) and "secret" not in str(caught.value)
    assert [is_object_url(text) for text in ("s3://b", "gs://b/x", Path("s3://b"), "file:///x", "s3", "./s3:/b")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip


# -------------------------------------------------------------------------------------------------- stores that fail


@pytest.mark.slow
def test_one_failure_in_twenty_does_not_matter(s3: Objects, server: ObjectStoreServer, tmp_path: Path) -> None:
    server.faults = Faults(fail_every=20)
    for number in range(15):
        assert s3.create(f"{number:02d}", b"%d" % number)
        assert s3.fetch(f"{number:02d}", tmp_path / "x") and s3.read(f"{number:02d}", 9) == b"%d" % number
    assert len(list(s3.names())) == 15
    s3.copy("00", "copy")
    s3.delete([f"{number:02d}" for number in range(15)])
    assert [name for name, _ in s3.names()] == ["copy"]


@pytest.mark.slow
def test_lost_answers(s3: Objects, server: ObjectStoreServer) -> None:
    server.faults = Faults(lose_every=2)
    for number in range(3):
        assert s3.create(f"{number}", b"%d" % number)
        s3.put(f"{number}", b"other")
        found = s3.tagged(f"{number}", 9)
        assert found and s3.swap(f"{number}", b"new", found[1])
        assert not s3.create(f"{number}", b"not ours") and not s3.swap(f"{number}", b"not ours", found[1])
        assert s3.read(f"{number}", 9) == b"new"
    s3.delete([f"{number}" for number in range(3)])
    assert list(s3.names()) == []


@pytest.mark.slow
def test_a_late_list_hides_nothing_from_other_calls(s3: Objects, server: ObjectStoreServer) -> None:
    server.faults = Faults(hide_new=1.0)
    s3.put("new", b"1")
    assert list(s3.names()) == []
    assert s3.read("new", 1) == b"1" and s3.size("new") == 1 and not s3.create("new", b"2")
    time.sleep(1.1)
    assert list(s3.names()) == [("new", 1)]


@pytest.mark.parametrize("scheme", ["s3", "gs"])
def test_a_store_that_ignores_conditions_is_refused(server: ObjectStoreServer, scheme: str) -> None:
    objects = Objects(url=f"{server.bucket(scheme)}/x")
    server.faults = Faults(ignore_conditions=True)
    with pytest.raises(MachineError, match=r"ignores If-None-Match.*use a store that honours them"):
        check_conditions(objects)
    server.faults = Faults()
    assert list(objects.names()) == []


def test_a_store_that_refuses_conditions_is_named(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects(url=f"{server.bucket()}/x")

    def refuse(self: Objects, name: str, data: bytes) -> bool:
        raise MachineError("the object store refuses", path=f"{self.url}/{name}", hint="check the credentials")

    monkeypatch.setattr(Objects, "create", refuse)
    with pytest.raises(MachineError) as found:
        check_conditions(objects, ".newsdata")
    assert str(found.value) == f"{objects.url}: the object store refuses; check the credentials"


@pytest.mark.slow
def test_half_an_object_is_never_kept(s3: Objects, server: ObjectStoreServer, tmp_path: Path) -> None:
    s3.put("half", b"x" * 100_000)
    server.faults = Faults(cut="half")
    with pytest.raises(MachineError, match=r"breaks off|sent"):
        s3.fetch("half", tmp_path / "half")
    with pytest.raises(MachineError, match=r"breaks off|sent"):
        s3.read("half", 100_000)
    assert list(tmp_path.glob("*half*")) == []


def _page(keys: list[str], more: bool = False) -> str:
    contents = "".join(
        f'<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"x"</ETag>'
        f"<Size>{size}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key, size in ((key.rstrip("!"), 0 if key.endswith("!") else 1) for key in keys)
    )
    token = "<NextContinuationToken>t</NextContinuationToken>" if more else ""
    return (
        '<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name>'
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
    )


@pytest.mark.parametrize(
    "page",
    [
        lambda _: _page(["x/../../etc/passwd"]),
        lambda _: _page(["x//etc/passwd"]),
        lambda _: _page(["x/a&#10;b"]),
        lambda _: _page(["x/a\x85b"]),
        lambda _: _page(["x/" + "y" * 1100]),
        lambda _: _page(["x/b", "x/a"]),
        lambda _: _page(["x/b", "x/b"]),
        lambda _: _page([f"x/{n:03d}" for n in range(100)], more=True),  # the same page for ever
        lambda _: _page([], more=True).replace("<Name>", "<"),
    ],
    ids=["up", "absolute", "line end", "control", "long", "no order", "twice", "endless", "no XML"],
)
def test_hostile_lists_are_refused(server: ObjectStoreServer, page: Callable[[str], str]) -> None:
    objects = Objects(url=f"{server.bucket()}/x")
    server.faults = Faults(listing=page)
    with pytest.raises(MachineError, match=f"{objects.url}") as caught:
        list(objects.names())
    assert "passwd" not in str(caught.value)


def test_a_list_without_end_is_refused(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects(url=f"{server.bucket()}/x")
    monkeypatch.setattr(objects_module, "_MOST_NAMES", 300)
    server.faults = Faults(
        listing=lambda _: _page([f"x/{time.monotonic_ns():020d}{n:03d}" for n in range(100)], more=True)
    )
    with pytest.raises(MachineError, match="lists names twice, without end or in no order"):
        list(objects.names())


def test_objects_that_mark_folders_are_left_out(server: ObjectStoreServer) -> None:
    objects = Objects(url=f"{server.bucket()}/x")
    server.faults = Faults(listing=lambda _: _page(["x/!", "x/a!", "x/a-b", "x/c/!", "x/c/d", "x/e!"]))
    assert list(objects.names()) == [("a", 0), ("a-b", 1), ("c/d", 1), ("e", 0)]


# ------------------------------------------------------------------------------------------------------------ errors


def test_errors_say_what_to_do(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    objects, nowhere = Objects(url=server.bucket()), Objects(url="s3://no-such-bucket/x")
    for ask in (lambda: nowhere.put("a", b""), lambda: nowhere.read("a", 1), lambda: list(nowhere.names())):
        with pytest.raises(MachineError, match="s3://no-such-bucket: there is no such bucket; check its name"):
            ask()
    objects.put("a", b"")
    with pytest.raises(MachineError, match="No such file or directory"):
        objects.fetch("a", tmp_path / "none" / "a")
    monkeypatch.setitem(__import__("sys").modules, "obstore.store", None)
    monkeypatch.setenv("AWS_REGION", "us-west-1")  # other settings: another client
    with pytest.raises(MachineError, match=r'not installed; pip install "newsdata\[cluster\]"'):
        objects.read("a", 1)
    monkeypatch.setitem(__import__("sys").modules, "obstore.exceptions", None)
    for conditional in (lambda: check_conditions(objects), lambda: objects.create("b", b"")):
        with pytest.raises(MachineError, match=r'not installed; pip install "newsdata\[cluster\]"'):
            conditional()


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT", "GOOGLE_BASE_URL"])
@pytest.mark.parametrize(
    "value",
    [
        "127.0.0.1:5021",
        "localhost",
        "http://",
        "http://[::1",
        "ftp://x",
        "http://a b",
        "http://a:99999",
        "http://a/<",
        " ",
    ],
)
def test_an_endpoint_of_another_form(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(MachineError, match=f"{name}: is not the address of an object store; write it like http://"):
        Objects(url=f"{'gs' if name.startswith('G') else 's3'}://bucket/x").size("a")


@pytest.mark.slow
def test_credentials_are_never_shown(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = Objects(url=f"{server.bucket()}/x")
    for name, value in {
        "AWS_ACCESS_KEY_ID": "KEYKEY",
        "AWS_SECRET_ACCESS_KEY": "WORDWORD",
        "AWS_SESSION_TOKEN": "TOKENTOKEN",
    }.items():
        monkeypatch.setenv(name, value)
    said = []

    def told(*_: object) -> None:
        raise ConnectionError

    server.faults = Faults(meanwhile=told)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.address.replace("http://", "http://KEYKEY:WORDWORD@"))
    monkeypatch.setattr(objects_bucket, "_TRIES", 1)
    for ask in (lambda: objects.read("a", 1), lambda: list(objects.names())):
        with pytest.raises(MachineError, match="cannot be reached") as caught:
            ask()
        said.append("".join(traceback.format_exception(caught.value)) + repr(objects))
    assert not [text for text in said if "KEYKEY" in text or "WORDWORD" in text or "TOKENTOKEN" in text]


def test_keys_of_a_profile(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    objects = Objects(url=server.bucket())
    (tmp_path / "keys").write_text(
        "[default]\naws_access_key_id = a\n[lab]\naws_access_key_id = k\naws_secret_access_key = s\n"
    )
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_PROFILE", "lab")
    objects.put("a", b"1")
    assert objects.read("a", 1) == b"1"


def test_without_credentials(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    objects = Objects(url=server.bucket())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"{server.address}/latest")
    with pytest.raises(MachineError):
        objects.put("a", b"1")


# ------------------------------------------------------------------------------------------------------- a folder


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "link").symlink_to(tmp_path / "secret")
    (tmp_path / "store" / "folder").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "store" / "pipe")
    objects = Objects(url=(tmp_path / "store").as_uri())
    assert list(objects.names()) == []
    for name in ("link", "pipe"):
        with pytest.raises(MachineError, match="not a regular file"):
            objects.read(name, 100)
        with pytest.raises(MachineError, match="not a regular file"):
            objects.fetch(name, tmp_path / "copy")
    objects.put("link", b"ours")
    assert (tmp_path / "secret").read_text() == "secret" and objects.read("link", 4) == b"ours"


@pytest.mark.slow
def test_nothing_unfinished_is_listed_or_left(tmp_path: Path) -> None:
    objects = Objects(url=tmp_path.as_uri())
    (tmp_path / ".a.0123.part").write_text("half")
    objects.create("a", b"1")
    objects.create("a", b"2")
    objects.swap("a", b"3", "no tag")
    with pytest.raises(MachineError):
        objects.put("b", tmp_path / "none")
    assert list(objects.names()) == [("a", 1)]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.0123.part", ".swap.lock", "a"]
