"""Versions that are proposed as pull requests, and tagged once they are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..hub_client import Client, Failed
from ..hub_server import READER, Fault, Hub
from .sending import WRITES, files_in, holds, refused, send


def merge(hub: Hub, name: str, number: int) -> str:
    """Merge a pull request as the Hub does: with a commit of its own."""
    repo = hub.repos[name]
    return repo.add_commit(f"Merge {number}", repo.commits[repo.pulls[number]].files).id


@pytest.mark.slow
def test_a_version_is_proposed_merged_and_tagged(
    hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path
) -> None:
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    before = repo.head.id
    with Client(hub, tmp_path, token=READER) as reader:  # who may not write
        done = send(reader, made / "1.1.0", name, create_pr=True)
    assert done["pull_request"] == f"{hub.url}/datasets/{name}/discussions/1"
    assert done["tag"] is None and done["commit"] == repo.pulls[1] and done["sent"]
    assert (repo.head.id, list(repo.tags)) == (before, ["v1.0.0"])
    assert holds(repo, repo.pulls[1]) == files_in(made / "1.1.0")
    with pytest.raises(Failed, match=r"the main branch holds 1\.0\.0, not 1\.1\.0"):
        owner("publishing.tag.tag_version", name, "1.1.0")
    merged = merge(hub, name, 1)
    with pytest.raises(Failed, match=f"without a tag; newsdata publish {name} --tag 1.1.0"):
        send(owner, made / "1.1.0", name, create_pr=True)
    found = owner("publishing.tag.tag_version", name, "1.1.0")
    assert repo.tags == {"v1.0.0": before, "v1.1.0": merged} and found["commit"] == merged and not found["already"]
    hub.log.clear()
    assert owner("publishing.tag.tag_version", name, "v1.1.0")["already"] and not hub.requests(WRITES)
    assert send(owner, made / "1.1.0", name, create_pr=True)["already"] and len(repo.pulls) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lose", "status"])
def test_a_busy_hub_gets_one_pull_request(hub: Hub, owner: Client, made: Path, name: str, kind: str) -> None:
    send(owner, made / "1.0.0", name)
    hub.faults.append(Fault(kind, "/commit/", status=429, headers={"Retry-After": "0"}))
    done = send(owner, made / "1.1.0", name, create_pr=True)
    repo = hub.repos[name]
    assert list(repo.pulls) == [1] and done["commit"] == repo.pulls[1]
    assert done["pull_request"] == f"{hub.url}/datasets/{name}/discussions/1"


@pytest.mark.slow
def test_nothing_to_propose_to(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
    error = refused(hub, owner, made / "1.0.0", name, create_pr=True)
    assert error.kind == "HubError" and "publish the first version without a pull request" in error.message
    with pytest.raises(Failed, match="only a repository on the Hub has pull requests"):
        send(owner, made / "1.0.0", str(tmp_path / "folder"), create_pr=True)
    send(owner, made / "1.0.0", name)
    hub.faults.append(Fault("race", "/commit/"))
    with pytest.raises(Failed, match="somebody else committed"):
        send(owner, made / "1.1.0", name, create_pr=True)
    assert not hub.repos[name].pulls


def test_a_pull_request_that_does_not_hold_what_was_sent(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.0.0", name)
    hub.faults.append(Fault("corrupt", f"{name}/tree/", times=9, skip=3))  # plan, and before the pull request
    with pytest.raises(Failed, match="pull request 1 does not hold what was sent") as caught:
        send(owner, made / "1.1.0", name, create_pr=True)
    assert caught.value.kind == "VerifyError"
