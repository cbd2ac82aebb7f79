"""Publishing to a repository, with the real client against a hub on the loopback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsdata.storage.manifest import hash_file

from ..hub_client import Client, Failed
from ..hub_server import Fault, Hub, Repo
from ..versions import make_version
from .sending import SMALL, WRITES, files_in, holds, refused, send


def test_a_version_is_one_commit_with_the_tag_on_it(hub: Hub, owner: Client, made: Path, name: str) -> None:
    found = send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert repo.private and len(repo.commits) == 2
    assert repo.tags == {"v1.0.0": repo.head.id} and repo.head.id == found["commit"]
    assert holds(repo, repo.head.id) == files_in(made / "1.0.0")
    assert found["created"] and not found["already"] and set(found["sent"]) == set(files_in(made / "1.0.0"))
    assert {path: hub.content(blob) for path, blob in repo.head.files.items() if path != ".gitattributes"} == {
        path: (made / "1.0.0" / path).read_bytes() for path in files_in(made / "1.0.0")
    }


def test_a_plan_writes_nothing(hub: Hub, owner: Client, made: Path, name: str) -> None:
    first = owner("publishing.publish.plan", made / "1.0.0", name)
    assert first["create"] and first["private"] and set(first["new"]) == set(files_in(made / "1.0.0"))
    assert first["bytes"] == sum(p.stat().st_size for p in (made / "1.0.0").rglob("*") if p.is_file())
    assert not hub.requests(WRITES) and name not in hub.repos
    send(owner, made / "1.0.0", name, private=False)
    hub.log.clear()
    second = owner("publishing.publish.plan", made, name)
    assert second["version"] == "1.1.0" and second["private"] is False and second["parent"]
    assert second["new"] == ["articles/newer-2022-02-0000000.parquet"] and set(second["changed"]) == SMALL
    assert len(second["unchanged"]) == 4
    assert owner("publishing.publish.plan", made / "1.0.0", name)["published"]
    assert not hub.requests(WRITES)


def test_a_second_run_writes_nothing(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.0.0", name)
    hub.log.clear()
    again = send(owner, made / "1.0.0", name)
    assert again["already"] and again["sent"] == [] and again["commit"] == hub.repos[name].head.id
    assert not hub.requests(WRITES)


def test_a_new_month_sends_its_shard_and_the_small_files(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.0.0", name)
    hub.log.clear()
    found = send(owner, made / "1.1.0", name)
    assert set(found["sent"]) == {"articles/newer-2022-02-0000000.parquet"} | SMALL
    sent = {line.path.rsplit("/")[-1]: line.received for line in hub.requests("^PUT ")}
    wanted = ("articles/newer-2022-02-0000000.parquet", "ledger.arrow")
    assert sent == {hash_file(made / "1.1.0" / p)[1]: (made / "1.1.0" / p).stat().st_size for p in wanted}
    repo = hub.repos[name]
    assert list(repo.tags) == ["v1.0.0", "v1.1.0"] and len(repo.commits) == 3
    assert holds(repo, repo.tags["v1.0.0"]) == files_in(made / "1.0.0")
    assert holds(repo, repo.tags["v1.1.0"]) == files_in(made / "1.1.0")
    assert send(owner, made / "1.0.0", name)["already"]


def test_a_repository_without_a_commit(hub: Hub, owner: Client, made: Path, name: str) -> None:
    hub.repos[name] = Repo(name, private=True)
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert len(repo.commits) == 1 and holds(repo, repo.tags["v1.0.0"]) == files_in(made / "1.0.0")


def test_files_that_left_the_version_are_deleted_and_those_of_others_stay(
    hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path
) -> None:
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    licence = repo.head.files[".gitattributes"]
    repo.add_commit("a licence", repo.head.files | {"LICENSE": licence, "assets/old.svg": licence})
    smaller = make_version(tmp_path, "2.0.0", months={"train": ("2021-12",), "test": ("2022-01",)})
    found = send(owner, smaller, name)
    assert found["deleted"] == ["articles/train-2021-11-0000000.parquet", "assets/old.svg"]
    assert holds(repo, repo.head.id) == {**files_in(smaller), "LICENSE": licence.sha256}


def test_a_tag_is_never_moved(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
    send(owner, made / "1.0.0", name)
    error = refused(hub, owner, make_version(tmp_path, "1.0.0", note="other"), name)
    assert (
        error.kind == "VersionError" and "v1.0.0 names other content" in error.message and "README.md" in error.message
    )
    hub.repos[name].tags["v1.1.0"] = hub.repos[name].head.id
    assert "v1.1.0 names other content" in refused(hub, owner, made / "1.1.0", name).message


def test_an_older_version_is_refused(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.1.0", name)
    error = refused(hub, owner, made / "1.0.0", name)
    assert error.kind == "VersionError" and "1.1.0 is published" in error.message


def test_a_repository_of_something_else_is_not_overwritten(hub: Hub, owner: Client, made: Path, name: str) -> None:
    repo = hub.create(name)
    other = repo.head.files[".gitattributes"]
    repo.add_commit("model", repo.head.files | {"articles/mine.txt": other, "README.md": other})
    error = refused(hub, owner, made / "1.0.0", name)
    assert error.kind == "HubError" and "articles/mine.txt would be lost" in error.message


def test_a_commit_of_somebody_else_is_not_overwritten(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.0.0", name)
    hub.faults.append(Fault("race", f"POST .*{name}/commit"))
    with pytest.raises(Failed, match="somebody else committed") as caught:
        send(owner, made / "1.1.0", name)
    repo = hub.repos[name]
    assert caught.value.kind == "HubError" and list(repo.tags) == ["v1.0.0"]
    assert repo.head.title == "somebody else's" and len(repo.commits) == 3
    send(owner, made / "1.1.0", name)
    assert set(holds(repo, repo.tags["v1.1.0"])) == {*files_in(made / "1.1.0"), "notes.txt"}


def test_a_tag_that_somebody_else_sets_meanwhile(hub: Hub, owner: Client, made: Path, name: str) -> None:
    hub.faults.append(Fault("race", f"POST .*{name}/tag"))
    with pytest.raises(Failed, match="somebody else set it meanwhile"):
        send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert repo.tags == {"v1.0.0": next(iter(repo.commits))}


@pytest.mark.slow
def test_no_token(hub: Hub, made: Path, tmp_path: Path) -> None:
    with Client(hub, tmp_path, token=None) as client:
        error = refused(hub, client, made / "1.0.0", "lab/private")
    assert error.kind == "HubError" and "set HF_TOKEN" in error.message


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached(made: Path, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub")
    with Client(hub, tmp_path) as client, Client(hub, tmp_path, HF_HUB_OFFLINE="1") as offline:
        hub.stop()
        with pytest.raises(Failed, match=r"cannot be reached: .*refused") as caught:
            send(client, made, "lab/finews")
        assert caught.value.kind.endswith("Unreachable")
        with pytest.raises(Failed, match="offline mode is on"):
            send(offline, made, "lab/finews")


def test_the_hub_refuses_a_bad_card(hub: Hub, owner: Client, name: str, tmp_path: Path) -> None:
    folder = make_version(tmp_path)
    text = (folder / "README.md").read_text("utf-8").replace("license: other", "license: totally-bogus")
    (folder / "README.md").write_text(text, encoding="utf-8")
    data = json.loads((folder / "manifest.json").read_text("utf-8"))
    size, digest = hash_file(folder / "README.md")
    data["files"][0] |= {"bytes": size, "sha256": digest}
    (folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")
    with pytest.raises(Failed, match='"license" must be one of'):
        send(owner, folder, name)
    assert not hub.requests("PUT") and not hub.repos[name].tags


@pytest.mark.parametrize(
    "match",
    [
        *("GET .*/refs", "PUT", "/commit/", "/tag/"),
        *(pytest.param(m, marks=pytest.mark.slow) for m in ("tree", "create", "validate", "preupload", "batch")),
    ],
)
def test_a_busy_hub_is_asked_again(hub: Hub, owner: Client, made: Path, name: str, match: str) -> None:
    hub.faults.append(Fault("status", match))
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
    assert sum(line.status == 503 for line in hub.requests(match)) == 1


PLAIN = ("create", "validate", "/commit/", "/tag/", "/refs", "^GET /api/datasets/lab/[^/]*$")
"""Requests that the client sends once, whatever the answer."""


@pytest.mark.parametrize("status", [408, 429])
def test_too_many_requests(hub: Hub, owner: Client, made: Path, name: str, status: int) -> None:
    """Every request that the client does not repeat fails twice."""
    zero = {"Retry-After": "0"}
    hub.faults += [Fault("status", match, times=2, status=status, headers=zero) for match in PLAIN]
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
    assert not any(fault.times for fault in hub.faults)


@pytest.mark.slow
def test_one_busy_answer_at_any_request(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.0.0", f"{name}-first")
    for number in range(len(hub.log)):
        for path in (hub.root / "lfs").iterdir():
            path.unlink()
        fault = Fault("status", status=(429, 408)[number % 2], skip=number, headers={"Retry-After": "0"})
        hub.faults[:] = [fault]
        send(owner, made / "1.0.0", f"{name}-{number}")
        repo = hub.repos[f"{name}-{number}"]
        assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}, number
        assert fault.times == 0, number


@pytest.mark.slow
@pytest.mark.parametrize("match", ["repos/create", "/commit/", "/tag/"])
def test_a_lost_answer_makes_no_second_commit(hub: Hub, owner: Client, made: Path, name: str, match: str) -> None:
    hub.faults.append(Fault("lose", match))
    found = send(owner, made / "1.0.0", name, listen=True)
    repo = hub.repos[name]
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
    assert holds(repo, repo.head.id) == files_in(made / "1.0.0")
    if match != "repos/create":
        assert any("again in" in line for line in found["said"])


@pytest.mark.slow
def test_an_upload_goes_on_after_a_broken_connection(
    hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path
) -> None:
    folder = make_version(tmp_path, rows=30_000)
    hub.faults.append(Fault("drop", "^PUT ", after=10_000))
    send(owner, folder, name)
    assert holds(hub.repos[name], hub.repos[name].tags["v1.0.0"]) == files_in(folder)


def test_wrong_hashes_on_the_hub_get_no_tag(hub: Hub, owner: Client, made: Path, name: str) -> None:
    hub.faults.append(Fault("corrupt", f"{name}/tree/", times=9))
    with pytest.raises(Failed, match="so it got no tag") as caught:
        send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    assert caught.value.kind == "VerifyError" and len(caught.value.faults) == 4 and not repo.tags
    hub.faults.clear()
    send(owner, made / "1.0.0", name)
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}


@pytest.mark.slow
def test_killed_during_the_upload(hub: Hub, made: Path, name: str, tmp_path: Path) -> None:
    """The second run sends what is missing: one commit, one tag, equal hashes."""
    late = hash_file(made / "1.0.0/ledger.arrow")[1]
    hub.faults.append(Fault("hold", f"PUT /_lfs/{late}"))
    with Client(hub, tmp_path / "a") as first:
        first.start("publishing.publish.publish", made / "1.0.0", name, full_text=True)
        assert hub.held.wait(30)
        first.kill()
    hub.release.set()
    repo = hub.repos[name]
    assert len(repo.commits) == 1 and not repo.tags
    there = {line.path for line in hub.requests("^PUT ") if line.status == 200 and not line.path.endswith(late)}
    with Client(hub, tmp_path / "b") as second:
        send(second, made / "1.0.0", name)
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
    assert holds(repo, repo.head.id) == files_in(made / "1.0.0")
    for path in there:
        assert len(hub.requests(f"^PUT {path}")) == 1, "sent twice"


@pytest.mark.slow
def test_killed_between_commit_and_tag(hub: Hub, made: Path, name: str, tmp_path: Path) -> None:
    hub.faults.append(Fault("hold", "/tag/"))
    with Client(hub, tmp_path / "a") as first:
        first.start("publishing.publish.publish", made / "1.0.0", name, full_text=True)
        assert hub.held.wait(30)
        first.kill()
    repo = hub.repos[name]
    assert len(repo.commits) == 2 and not repo.tags
    with Client(hub, tmp_path / "b") as second:
        found = send(second, made / "1.0.0", name)
    hub.release.set()
    assert found["sent"] == [] and not found["already"] and found["commit"] == repo.head.id
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
