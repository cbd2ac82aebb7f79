"""Which commit a revision means, with the real client against a hub on the loopback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ..hub_client import Client, Failed
from ..hub_server import Fault, Hub
from ..versions import make_version
from .published import NAME, TEST, fetch, put, spoil


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
    assert found == {"repo_id": NAME, "commit": commit, "version": version, "offline": False, "yanked": None}
    assert client("dataset.hub_revisions.resolve", NAME, commit) == found


@pytest.mark.parametrize("revision", ["1.0.1", "v3.0.0", "3.*", "1.1.*", "no-branch", "0" * 40])
def test_a_revision_that_is_not_published(client: Client, revision: str) -> None:
    with pytest.raises(Failed, match=r"published: 1\.0\.0, 1\.9\.0, 1\.10\.0, 2\.0\.0") as caught:
        client("dataset.hub_revisions.resolve", NAME, revision)
    assert caught.value.kind == "VersionError"


def test_repositories_without_a_version(hub: Hub, client: Client, made: Path) -> None:
    hub.create("lab/empty")
    with pytest.raises(Failed, match="no version is published"):
        client("dataset.hub_revisions.resolve", "lab/empty")
    with pytest.raises(Failed, match=r"no manifest\.json") as caught:
        client("dataset.hub_revisions.resolve", "lab/empty", "main")
    assert caught.value.kind == "ManifestError"


def test_a_tag_of_another_version(hub: Hub, client: Client, made: Path) -> None:
    put(hub, "lab/wrong", made / "1.9.0", tag="v1.0.0")
    with pytest.raises(Failed, match=r"the tag v1\.0\.0 holds version 1\.9\.0"):
        client("dataset.hub_revisions.resolve", "lab/wrong", "1.0.0")


def test_a_tag_that_was_moved_is_noticed(hub: Hub, client: Client, made: Path, name: str, tmp_path: Path) -> None:
    """A commit with other content, with no other content, and one of another version."""
    repo = hub.repos[name]
    old = client("dataset.hub_revisions.resolve", name, "1.0.0", cache_dir=tmp_path)["commit"]
    same = repo.add_commit("nothing new", repo.commits[old].files).id
    other = put(hub, name, make_version(tmp_path / "out", note="other"), tag="v1.0.0").id
    for new in (other, same, repo.tags["v1.9.0"]):
        repo.tags["v1.0.0"] = new
        for revision in ("1.0.0", "1.0.*"):
            with pytest.raises(
                Failed, match=rf"v1\.0\.0 was moved: it was commit {old}.* is {new}.*force_re"
            ) as caught:
                client("dataset.hub_revisions.resolve", name, revision, cache_dir=tmp_path)
            assert caught.value.kind == "VersionError"
    repo.tags["v1.0.0"] = other
    moved = {"cache_dir": tmp_path, "accept_moved": True}
    assert client("dataset.hub_revisions.resolve", name, "1.0.0", **moved)["commit"] == other
    assert client("dataset.hub_revisions.resolve", name, "1.0.0", cache_dir=tmp_path)["commit"] == other
    assert client("dataset.hub_revisions.resolve", name, "1.0.0")["commit"] == other, "this cache knows no other one"


def test_a_cache_in_another_folder(hub: Hub, client: Client, made: Path, name: str, tmp_path: Path) -> None:
    found = client("dataset.hub_revisions.resolve", name, "1.0.0", cache_dir=tmp_path)
    folder = Path(client("dataset.hub_files.fetch", found, [TEST], cache_dir=tmp_path))
    assert folder.is_relative_to(tmp_path)
    assert (folder / TEST).read_bytes() == (made / "1.0.0" / TEST).read_bytes()
    hub.faults.append(Fault("status", times=99, status=500))
    assert client("dataset.hub_revisions.resolve", name, found["commit"], cache_dir=tmp_path) == found


def test_a_manifest_that_arrives_damaged(hub: Hub, client: Client, name: str) -> None:
    hub.faults.append(Fault("corrupt", r"^GET .*manifest\.json", times=2))
    with pytest.raises(Failed, match=r"manifest\.json does not have the hash that the Hub gives for it"):
        fetch(client, name, "1.0.0")
    fetch(client, name, "1.0.0")


@pytest.mark.slow
def test_without_the_hub_only_cached_versions_are_found(away: Client, made: Path) -> None:
    begin = time.monotonic()
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
    with pytest.raises(Failed, match="no version of it is in the cache"):
        away("dataset.hub_revisions.resolve", "lab/other", "1.0.0")
    assert time.monotonic() - begin < 10, "no call waits for the hub"
    spoil(folder / "manifest.json")
    with pytest.raises(Failed, match=r"in the cache: 2\.0\.0"):
        fetch(away, NAME, "1.0.0", TEST)
