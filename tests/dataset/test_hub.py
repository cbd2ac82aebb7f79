"""Revisions, files and the cache, with the real hub client against a hub on the loopback."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsdata.storage.manifest import hash_file

from ..hub_client import Client, Failed
from ..hub_server import STRANGER, Fault, Hub
from ..hub_state import Blob, Commit, small_blob
from ..versions import make_version

NAME = "lab/finews"
TEST = "articles/test-2022-01-00000.parquet"
VERSIONS = ("1.0.0", "1.9.0", "1.10.0", "2.0.0")
DOWNLOADS = r"^GET /datasets/.*/resolve/"


def put(hub: Hub, name: str, folder: Path, tag: str | None = None) -> Commit:
    """Let the hub hold a version, without a client."""
    repo = hub.repos.get(name) or hub.create(name)
    files = {".gitattributes": repo.head.files[".gitattributes"]}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        blob = small_blob(data)
        if path.suffix in (".parquet", ".arrow"):
            hub.object(blob.sha256).write_bytes(data)
            blob = Blob(blob.size, blob.sha256, None)
        files[path.relative_to(folder).as_posix()] = blob
    commit = repo.add_commit(f"Version {folder.name}", files)
    repo.tags[tag or f"v{folder.name}"] = commit.id
    return commit


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    for version in VERSIONS:
        make_version(out, version, note=version)
    return out


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, made: Path) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as hub:
        for version in VERSIONS:
            put(hub, NAME, made / version)
        yield hub


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    running.log.clear()
    yield running
    running.faults.clear()


@pytest.fixture(scope="module")
def client(running: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(running, tmp_path_factory.mktemp("home")) as started:
        yield started


@pytest.fixture
def name(request: pytest.FixtureRequest, hub: Hub, made: Path) -> str:
    """A repository of the test's own, of which nothing is in the cache, with 1.0.0 and 1.9.0."""
    name = "lab/" + re.sub(r"[^a-z0-9]+", "-", request.node.name).strip("-")
    for version in VERSIONS[:2]:
        put(hub, name, made / version)
    return name


def load(client: Client, name: str, revision: str | None, *patterns: str) -> Path:
    found = client("dataset.hub_revisions.resolve", name, revision)
    return Path(client("dataset.hub_files.fetch", found, patterns))


# ------------------------------------------------------------------------------------ what is meant


@pytest.mark.parametrize(
    ("revision", "version"),
    [
        ("1.0.0", "1.0.0"),
        ("v1.0.0", "1.0.0"),
        ("1.*", "1.10.0"),
        ("v1.9.*", "1.9.0"),
        ("*", "2.0.0"),
        (None, "2.0.0"),
        ("main", "2.0.0"),
    ],
)
def test_a_revision_is_one_commit(hub: Hub, client: Client, revision: str | None, version: str) -> None:
    found = client("dataset.hub_revisions.resolve", NAME, revision)
    commit = hub.repos[NAME].tags[f"v{version}"]
    assert found == {"repo_id": NAME, "commit": commit, "version": version, "offline": False}
    assert client("dataset.hub_revisions.resolve", NAME, commit) == found


@pytest.mark.parametrize("revision", ["1.0.1", "v3.0.0", "3.*", "1.1.*", "no-branch", "0" * 40])
def test_what_is_not_published(client: Client, revision: str) -> None:
    with pytest.raises(Failed, match=r"published: 1\.0\.0, 1\.9\.0, 1\.10\.0, 2\.0\.0") as caught:
        client("dataset.hub_revisions.resolve", NAME, revision)
    assert caught.value.kind == "VersionError"


def test_repositories_that_hold_no_version(hub: Hub, client: Client, made: Path) -> None:
    hub.create("lab/empty")
    with pytest.raises(Failed, match="no version is published"):
        client("dataset.hub_revisions.resolve", "lab/empty")
    with pytest.raises(Failed, match=r"no manifest\.json") as caught:
        client("dataset.hub_revisions.resolve", "lab/empty", "main")
    assert caught.value.kind == "ManifestError"
    put(hub, "lab/wrong", made / "1.9.0", tag="v1.0.0")
    with pytest.raises(Failed, match=r"the tag v1\.0\.0 holds version 1\.9\.0"):
        client("dataset.hub_revisions.resolve", "lab/wrong", "1.0.0")
    for name, token in (("lab/nothing", None), (NAME, STRANGER)):
        with pytest.raises(Failed, match="no such dataset repository, or this token may not see it") as caught:
            client("dataset.hub_revisions.resolve", name, "1.0.0", token=token)
        assert caught.value.kind == "HubError"


# ------------------------------------------------------------------------------------ files


def test_only_what_is_asked_for_is_fetched(hub: Hub, client: Client, made: Path, name: str) -> None:
    folder = load(client, name, "1.0.0", "articles/test-*", "README.md")
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    fetched = {line.path.split("/", 5)[5] for line in hub.requests(DOWNLOADS)}
    assert {path.split("/", 1)[1] for path in fetched} == {"manifest.json", "README.md", TEST}
    hub.log.clear()
    assert load(client, name, "1.0.0", TEST) == folder
    assert not hub.requests(DOWNLOADS)
    load(client, name, "1.9.0", TEST)
    assert not hub.requests(rf"{DOWNLOADS}.*parquet"), "the same bytes are in the cache"


def test_a_broken_download_goes_on(hub: Hub, client: Client, tmp_path: Path) -> None:
    big = make_version(tmp_path, "1.0.0", months={"train": ("2021-11",)}, rows=60_000)
    path = "articles/train-2021-11-00000.parquet"
    put(hub, "lab/big", big)
    hub.faults.append(Fault("drop", f"^GET .*{path}", after=100_000))
    found = client("dataset.hub_revisions.resolve", "lab/big", "1.0.0")
    folder = Path(client("dataset.hub_files.fetch", found, [path]))
    assert hash_file(folder / path) == hash_file(big / path)
    assert [line.sent for line in hub.requests(f"^GET .*{path}")] == [100_000, (big / path).stat().st_size]


@pytest.mark.parametrize(
    "match",
    [
        *("/refs", f"^GET .*{TEST}"),
        *(pytest.param(m, marks=pytest.mark.slow) for m in ("^HEAD .*manifest.json", "^GET .*manifest.json", "tree")),
    ],
)
def test_a_busy_hub_is_asked_again(hub: Hub, client: Client, made: Path, name: str, match: str) -> None:
    hub.faults.append(Fault("status", match))
    folder = load(client, name, "1.0.*", TEST)
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    assert hub.faults[0].times == 0


def test_wrong_bytes_from_the_hub(hub: Hub, client: Client, made: Path, name: str) -> None:
    hub.faults.append(Fault("corrupt", f"^GET .*{TEST}", times=2))
    with pytest.raises(Failed, match="do not match the manifest") as caught:
        load(client, name, "1.0.0", "articles/*")
    assert caught.value.kind == "VerifyError" and caught.value.faults == [TEST]
    folder = load(client, name, "1.0.0", "articles/*")
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()


def test_a_wrong_manifest_from_the_hub(hub: Hub, client: Client, name: str) -> None:
    hub.faults.append(Fault("corrupt", r"^GET .*manifest\.json", times=2))
    with pytest.raises(Failed, match=r"manifest\.json does not have the hash that the Hub gives for it"):
        load(client, name, "1.0.0")
    load(client, name, "1.0.0")


def spoil(path: Path) -> None:
    blob = path.resolve()
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")


@pytest.mark.parametrize("path", [TEST, "manifest.json"])
def test_a_damaged_cache_is_mended(client: Client, made: Path, name: str, path: str) -> None:
    folder = load(client, name, "1.0.0", TEST)
    spoil(folder / path)
    assert load(client, name, "1.0.0", TEST) == folder
    assert (folder / path).read_bytes() == (made / "1.0.0" / path).read_bytes()


# ------------------------------------------------------------------------------------ without the hub


@pytest.fixture(params=["stopped", "offline"])
def away(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Iterator[Client]:
    """A client with 1.0.0 (test only) and 2.0.0 in its cache, and no hub any more."""
    with Hub(tmp_path / "hub") as hub:
        for version in VERSIONS:
            put(hub, NAME, made / version)
        with Client(hub, tmp_path) as before:
            load(before, NAME, "2.0.0", "articles/*")
            load(before, NAME, "1.0.0", TEST)
            load(before, NAME, "main")
        if request.param == "stopped":
            hub.stop()
        with Client(hub, tmp_path, HF_HUB_OFFLINE=str(int(request.param == "offline"))) as client:
            client("dataset.hub_revisions.is_version", "1.0.0")  # started before the clock is looked at
            yield client


def test_a_cached_version_and_no_other(away: Client, made: Path) -> None:
    begun = time.monotonic()
    for revision in ("1.0.0", "v1.0.0"):
        found = away("dataset.hub_revisions.resolve", NAME, revision)
        assert found["version"] == "1.0.0" and found["offline"]
        folder = Path(away("dataset.hub_files.fetch", found, [TEST]))
        assert (folder / "manifest.json").read_bytes() == (made / "1.0.0/manifest.json").read_bytes()
    assert away("dataset.hub_revisions.resolve", NAME, found["commit"])["version"] == "1.0.0"
    for unknown in ("1.9.0", "1.*", "*", None, "main", "0" * 40):
        with pytest.raises(Failed, match=r"in the cache: 1\.0\.0, 2\.0\.0") as caught:
            away("dataset.hub_revisions.resolve", NAME, unknown)
        assert caught.value.kind == "HubError"
    with pytest.raises(Failed, match="does not hold articles/train-2021-11"):
        load(away, NAME, "1.0.0", "articles/*")
    with pytest.raises(Failed, match="no version of it is in the cache"):
        away("dataset.hub_revisions.resolve", "lab/other", "1.0.0")
    assert time.monotonic() - begun < 10, "nobody waits for a hub that is not there"
    # a damaged file is as good as none

    spoil(folder / TEST)
    with pytest.raises(Failed, match=f"does not hold {TEST}"):
        load(away, NAME, "1.0.0", TEST)
    spoil(folder / "manifest.json")
    with pytest.raises(Failed, match=r"in the cache: 2\.0\.0"):
        load(away, NAME, "1.0.0", TEST)


@pytest.mark.slow
def test_a_hub_that_answers_nothing_but_errors(hub: Hub, client: Client, name: str) -> None:
    load(client, name, "1.0.0", TEST)
    hub.faults.append(Fault("status", times=99))
    found: Any = client("dataset.hub_revisions.resolve", name, "1.0.0")
    assert found["offline"]
    with pytest.raises(Failed, match="it answers 503"):
        client("dataset.hub_revisions.resolve", name, "1.*")
