"""What the Hub says about a repository: typed, bounded, and nothing twice."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from newsdata.dataset import hub_listings
from newsdata.dataset.hub_client import Place
from newsdata.dataset.hub_listings import (
    Facts,
    list_commits,
    list_large_files,
    list_references,
    list_remote_files,
    repository_facts,
)
from newsdata.errors import HubError

PLACE = Place("lab/finews")
COMMIT = "a" * 40
FILE = {"type": "file", "path": "x", "oid": COMMIT, "size": 1}


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the Hub answer with a value."""

    def answers(value: Any) -> None:
        def read(path: str, token: object, shape: Any) -> Any:
            return msgspec.convert(value, list[shape] if isinstance(value, list) else shape)

        monkeypatch.setattr(hub_listings, "read_json", read)
        monkeypatch.setattr(hub_listings, "read_pages", read)

    return answers


def test_files_of_a_commit(say: Any) -> None:
    large = FILE | {"path": "a/b", "lfs": {"oid": "b" * 64, "size": 1, "pointerSize": 100}, "more": None}
    say([FILE, large, {"type": "directory", "path": "a", "oid": COMMIT, "size": 0}])
    found = list_remote_files(PLACE, COMMIT)
    assert list(found) == ["x", "a/b"] and found["x"].lfs is None and found["a/b"].lfs is not None
    assert found["a/b"].lfs.sha256 == "b" * 64


@pytest.mark.parametrize("path", ["/x", "../x", "a/../x", "a//x", "./x"])
def test_a_path_outside(say: Any, path: str) -> None:
    say([FILE | {"path": path}])
    with pytest.raises(HubError, match="outside the repository"):
        list_remote_files(PLACE, COMMIT)


def test_a_file_or_a_reference_twice(say: Any) -> None:
    say([FILE, FILE])
    with pytest.raises(HubError, match="twice"):
        list_remote_files(PLACE, COMMIT)
    tag = {"name": "v1.0.0", "ref": "refs/tags/v1.0.0", "targetCommit": COMMIT}
    say({"branches": [], "tags": [tag, tag]})
    with pytest.raises(HubError, match="twice"):
        list_references(PLACE)


def test_references_facts_commits_and_large_files(say: Any) -> None:
    tag = {"name": "v1.0.0", "ref": "refs/tags/v1.0.0", "targetCommit": COMMIT}
    say({"branches": [], "tags": [tag], "pullRequests": None, "converts": []})
    branches, (one,), pulls = list_references(PLACE, pull_requests=True)
    assert (branches, pulls, one.target_commit) == ([], [], COMMIT)
    say({"sha": COMMIT, "private": True, "id": 5})
    assert repository_facts(PLACE) == Facts(sha=COMMIT, private=True)
    say([{"id": COMMIT, "title": "x"}])
    assert list_commits(PLACE, COMMIT) == [COMMIT]
    say([{"fileOid": "b" * 64, "filename": "../x"}])
    assert list_large_files(PLACE)[0].file_oid == "b" * 64
