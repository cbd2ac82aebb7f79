"""Lies of a hub, from outside: each call gives the true rows or one error of ours, soon; the token stays with the hub."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata import errors

from .conftest import ROOT
from .dataset.published import put
from .hub_client import Client, Failed
from .hub_server import OWNER
from .lying_hub import ERASING, READING, SILENT, WRITING, Lie, LyingHub
from .versions import make_version

SECONDS = 30
QUICK = {
    "dataset.hub_client._WAITS": [0.0],
    "dataset.hub_http._GRACE": 0.3,
    "dataset.hub_http._FOR_HEADERS": 1.0,
    "dataset.hub_http._MOST_PAGES": 20,
}
"""Shorter waits, so that the tests are fast."""

_ERRORS = (kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.NewsdataError))
OURS = {"Unreachable", *(kind.__name__ for kind in _ERRORS)}
FAST = {
    *("sha up", "sha long", "sha list", "X-Repo-Commit up", "X-Repo-Commit other", "ETag up", "ETag nul", "ETag none"),
    *(
        "X-Linked-Etag up",
        "X-Linked-Size 1",
        "X-Xet-Refresh-Route",
        "Content-Length too short",
        "Content-Length negative",
    ),
    *(
        "a longer file",
        "an endless file",
        "a dripping file",
        "dripping JSON",
        "dripping headers",
        "a gzip bomb for a file",
    ),
    *("a gzip bomb for JSON", "other bytes of a file", "a file elsewhere", "JSON elsewhere", "redirects without end"),
    *(
        "redirect to 'file:///etc/passwd'",
        "reference 7",
        "target '../../x'",
        "deep JSON for facts",
        "HTML for references",
    ),
    *("a list for facts", "404 at facts", "429 at files", "Retry-After 1000000000", "an error of deep JSON"),
    *(
        "an endless error",
        "pages without end",
        "the next page elsewhere",
        "tree with a path up",
        "tree with a path twice",
    ),
    *(
        "preupload with numbers",
        "upload elsewhere",
        "commit up",
        "commit other",
        "412 at commit",
        "a gzip bomb at commit",
    ),
}
"""Lies that are told in every test run; the others are slow together."""

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "load": ("dataset.load.load_dataset", {"split": "test", "columns": ["title"], "keep_in_memory": True}),
    "stream": ("dataset.load.load_dataset", {"split": "test", "columns": ["title"], "streaming": True}),
    "exact": ("dataset.load.load_pandas", {"split": "test", "columns": ["title"], "revision": "1.0.0"}),
    "info": ("dataset.describe.info", {}),
    "verify": ("maintenance.verify.verify", {}),
}
_names = itertools.count()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingHub]:
    hub = LyingHub(tmp_path_factory.mktemp("hub"))
    with hub:
        yield hub


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds the client's home, and nothing else."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def client(hub: LyingHub, place: Path) -> Iterator[Client]:
    with Client(hub, place / "a/b/home", NEWSDATA_TEST_SETTINGS=json.dumps(QUICK)) as client:
        client("dataset.hub_revisions.is_version", "1.0.0")
        yield client


def tell(hub: LyingHub, client: Client, lie: Lie, call: str, *args: object, **options: Any) -> Any:
    """Call while the hub lies. The answer, or None where it ended in an error of ours."""
    hub.lie = lie
    hub.heard.clear()
    try:
        client.start(call, *args, **options)
        return client.finish(SECONDS)
    except Failed as error:
        assert error.kind in OURS, (error.kind, error.message)
        assert error.message.isprintable() and len(error.message) < 3_000, error.message
        return None
    finally:
        hub.lie = None
        assert not [request for request in hub.heard if OWNER in request], "the token went to another host"


def check_place(place: Path) -> None:
    """Nothing was written outside the client's home, and its cache holds only files with their own hashes."""
    assert [path.name for path in place.iterdir()] in ([], ["a"])
    for path in place.glob("a/*"):
        assert path.name == "b" and [inside.name for inside in path.iterdir()] in ([], ["home"])
    for path in place.glob("a/b/home/hub/*/*"):
        assert path.name in ("blobs", "snapshots", "refs"), path
    for blob in place.glob("a/b/home/hub/*/blobs/*"):
        data = blob.read_bytes()
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        assert blob.name in (git, hashlib.sha256(data).hexdigest()), blob
    for commit in place.glob("a/b/home/hub/*/snapshots/*"):
        assert re.fullmatch("[0-9a-f]{40}", commit.name), commit


def read_all(hub: LyingHub, client: Client, demo: Path, place: Path, lie: Lie, calls: list[str]) -> None:
    """Make calls, each of a repository that the client does not know yet."""
    titles = newsdata.load_pandas(demo, split="test").title.tolist()
    for call in calls:
        name = f"lab/lies{next(_names)}"
        put(hub, name, demo / "1.0.0")
        function, options = CALLS[call]
        found = tell(hub, client, lie, function, name, **options)
        if found is not None and call in ("load", "stream", "exact"):
            assert [row["title"] for row in found] == titles
        elif found is not None:
            assert found["version"] == "1.0.0" and not found.get("faults")
    check_place(place)


def chosen(lies: list[Lie]) -> list[Any]:
    """The lies as parameters; most are slow."""
    return [pytest.param(lie, id=lie.name, marks=() if lie.name in FAST else pytest.mark.slow) for lie in lies]


@pytest.mark.parametrize("lie", chosen(READING))
def test_a_lie_to_a_reader(hub: LyingHub, client: Client, demo: Path, place: Path, lie: Lie) -> None:
    calls = [*CALLS]
    read_all(hub, client, demo, place, lie, [calls[len(lie.name) % len(calls)]])


@pytest.mark.slow
@pytest.mark.parametrize("lie", READING, ids=lambda lie: lie.name)
def test_a_lie_to_every_reader(hub: LyingHub, client: Client, demo: Path, place: Path, lie: Lie) -> None:
    read_all(hub, client, demo, place, lie, [*CALLS])


@pytest.mark.slow
@pytest.mark.parametrize(
    "lie",
    [*SILENT, *(one for one in READING if re.search("dripping|HTML|503|without end|endless", one.name))],
    ids=lambda lie: lie.name,
)
def test_a_lie_with_the_waits_of_a_user(hub: LyingHub, demo: Path, tmp_path: Path, lie: Lie) -> None:
    with Client(hub, tmp_path / "a/b/home") as client:
        client("dataset.hub_revisions.is_version", "1.0.0")
        read_all(hub, client, demo, tmp_path, lie, ["stream" if "file" in lie.name else "load"])


@pytest.mark.parametrize("lie", chosen(WRITING))
def test_a_lie_to_a_publisher(
    hub: LyingHub, client: Client, lie: Lie, place: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("out")
    first, second = make_version(out, "1.0.0", note=str(out)), make_version(out, "1.1.0", note=str(out))
    name = f"lab/lies{next(_names)}"
    put(hub, name, first)
    tell(hub, client, lie, "publishing.publish.publish", second, name, full_text=True)
    for commit in (commit for tag, commit in hub.repos[name].tags.items() if tag == "v1.1.0"):
        files = hub.repos[name].commits[commit].files
        for path in (path for path in second.rglob("*") if path.is_file()):
            assert files[path.relative_to(second).as_posix()].sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    tell(hub, client, lie, "publishing.yank.yank", first, reason="bad", publish=name)
    check_place(place)


@pytest.fixture(scope="module")
def redacted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with a version, the next one without one of its articles, and the id of that article."""
    out = tmp_path_factory.mktemp("redacted") / "out"
    newsdata.build(ROOT / "examples/archive", out, num_proc=1)
    article_id = newsdata.load_dataset(out, split="train")[0]["article_id"]
    newsdata.redact(out, article_id, reason="asked for")
    newsdata.build(ROOT / "examples/archive", out, num_proc=1)
    return out, article_id


@pytest.mark.slow
@pytest.mark.parametrize("lie", ERASING, ids=lambda lie: lie.name)
def test_a_lie_to_an_eraser(hub: LyingHub, client: Client, redacted: tuple[Path, str], place: Path, lie: Lie) -> None:
    out, article_id = redacted
    name = f"lab/lies{next(_names)}"
    put(hub, name, out / "1.0.0")
    call = "publishing.redact.redact"
    done = tell(hub, client, lie, call, out, article_id, reason="asked for", publish=name, full_text=True)
    assert done is None or set(hub.repos[name].tags) == {"v2.0.0"}
    check_place(place)


@pytest.mark.slow
def test_the_truth_is_heard(hub: LyingHub, client: Client, demo: Path, place: Path) -> None:
    """The calls of these tests succeed where nobody lies; and the other host gives files to those who ask."""
    honest = Lie("nothing", "^nothing$", lambda told: None)
    for call, (function, options) in CALLS.items():
        put(hub, f"lab/true-{call}", demo / "1.0.0")
        assert tell(hub, client, honest, function, f"lab/true-{call}", **options) is not None, call
    elsewhere = next(lie for lie in READING if lie.name == "a file elsewhere")
    put(hub, "lab/elsewhere", demo / "1.0.0")
    hub.lie = Lie("shards elsewhere", r"^GET .*\.parquet", elsewhere.tell)
    function, options = CALLS["load"]
    assert client(function, "lab/elsewhere", **options) and hub.heard
    hub.lie = None
    assert not [request for request in hub.heard if OWNER in request]
    check_place(place)
