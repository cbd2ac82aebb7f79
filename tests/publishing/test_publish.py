"""Publishing, with the real hub client against a hub on the loopback, and to folders and a bucket."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import CallError, HubError, VerifyError, VersionError
from newsdata.publishing.plan import Plan
from newsdata.publishing.publish import plan, publish
from newsdata.storage.manifest import hash_file

from ..conftest import s3_server
from ..hub_client import Client, Failed
from ..hub_server import OWNER, READER, STRANGER, Fault, Hub, Repo
from ..versions import MONTHS, make_version

LATER = {**MONTHS, "newer": ("2022-02",)}
SMALL = {"README.md", "ledger.arrow", "manifest.json"}
WRITES = r"^(POST|PUT|DELETE) "


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub"), page=5) as running:
        yield running


@pytest.fixture(autouse=True)
def fresh(hub: Hub) -> Iterator[None]:
    """No faults, an empty log, and no large file that another test has sent."""
    hub.log.clear()
    hub.release.clear()
    hub.held.clear()
    for path in (hub.root / "lfs").iterdir():
        path.unlink()
    yield
    hub.faults.clear()


@pytest.fixture(scope="module")
def owner(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(hub, tmp_path_factory.mktemp("home")) as client:
        yield client


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with versions 1.0.0 and 1.1.0, of one more month."""
    out = tmp_path_factory.mktemp("out")
    make_version(out, "1.0.0")
    make_version(out, "1.1.0", months=LATER)
    return out


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A repository of the test's own."""
    return "lab/" + re.sub(r"[^a-z0-9]+", "-", request.node.name).strip("-")


def files_in(folder: Path) -> dict[str, str]:
    return {p.relative_to(folder).as_posix(): hash_file(p)[1] for p in folder.rglob("*") if p.is_file()}


def holds(repo: Repo, commit: str) -> dict[str, str]:
    """Hashes of a commit's files, but the one that every repository has."""
    files = repo.commits[commit].files
    return {path: blob.sha256 for path, blob in files.items() if path != ".gitattributes"}


def send(client: Client, folder: Path, name: str, **options: Any) -> dict[str, Any]:
    found = client("publishing.publish.publish", folder, name, full_text=True, **options)
    assert isinstance(found, dict)
    return found


# ------------------------------------------------------------------------------------ what it does


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


def test_the_plan_is_made_without_a_write(hub: Hub, owner: Client, made: Path, name: str) -> None:
    first = owner("publishing.publish.plan", made / "1.0.0", name)
    assert first["create"] and first["private"] and set(first["new"]) == set(files_in(made / "1.0.0"))
    assert first["bytes"] == sum(p.stat().st_size for p in (made / "1.0.0").rglob("*") if p.is_file())
    assert not hub.requests(WRITES) and name not in hub.repos
    send(owner, made / "1.0.0", name, private=False)
    hub.log.clear()
    second = owner("publishing.publish.plan", made, name)
    assert second["version"] == "1.1.0" and second["private"] is False and second["parent"]
    assert second["new"] == ["articles/newer-2022-02-00000.parquet"] and set(second["changed"]) == SMALL
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
    assert set(found["sent"]) == {"articles/newer-2022-02-00000.parquet"} | SMALL
    sent = {line.path.rsplit("/")[-1]: line.received for line in hub.requests("^PUT ")}
    wanted = ("articles/newer-2022-02-00000.parquet", "ledger.arrow")
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


def test_what_left_the_version_is_deleted_and_what_others_added_stays(
    hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path
) -> None:
    send(owner, made / "1.0.0", name)
    repo = hub.repos[name]
    licence = repo.head.files[".gitattributes"]
    repo.add_commit("a licence", repo.head.files | {"LICENSE": licence, "assets/old.svg": licence})
    smaller = make_version(tmp_path, "2.0.0", months={"train": ("2021-12",), "test": ("2022-01",)})
    found = send(owner, smaller, name)
    assert found["deleted"] == ["articles/train-2021-11-00000.parquet", "assets/old.svg"]
    assert holds(repo, repo.head.id) == {**files_in(smaller), "LICENSE": licence.sha256}


# ------------------------------------------------------------------------------------ what it refuses


def refused(hub: Hub, client: Client, folder: Path, name: str, **options: Any) -> Failed:
    """Publishing fails, and the repository is as it was."""

    def state() -> Any:
        repo = hub.repos.get(name)
        return repo and (dict(repo.tags), dict(repo.branches), len(repo.commits), repo.private)

    before = state()
    with pytest.raises(Failed) as caught:
        send(client, folder, name, **options)
    assert state() == before
    return caught.value


def test_a_taken_tag_is_not_moved(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
    send(owner, made / "1.0.0", name)
    error = refused(hub, owner, make_version(tmp_path, "1.0.0", note="other"), name)
    assert error.kind == "VersionError" and "v1.0.0 names other content" in error.message and "README.md" in error.message
    hub.repos[name].tags["v1.1.0"] = hub.repos[name].head.id
    assert "v1.1.0 names other content" in refused(hub, owner, made / "1.1.0", name).message


def test_an_older_version_does_not_go_on_top(hub: Hub, owner: Client, made: Path, name: str) -> None:
    send(owner, made / "1.1.0", name)
    error = refused(hub, owner, made / "1.0.0", name)
    assert error.kind == "VersionError" and "1.1.0 is published" in error.message


def test_a_repository_of_something_else_is_not_overwritten(hub: Hub, owner: Client, made: Path, name: str) -> None:
    repo = hub.create(name)
    other = repo.head.files[".gitattributes"]
    repo.add_commit("model", repo.head.files | {"articles/mine.txt": other, "README.md": other})
    error = refused(hub, owner, made / "1.0.0", name)
    assert error.kind == "HubError" and "articles/mine.txt would be lost" in error.message


def test_a_stale_parent_is_refused(hub: Hub, owner: Client, made: Path, name: str) -> None:
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


def test_full_text_is_sent_only_when_told(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
    with pytest.raises(Failed, match="--full-text") as caught:
        owner("publishing.publish.publish", made / "1.0.0", name)
    assert caught.value.kind == "CallError" and not hub.log
    assert owner("publishing.publish.plan", made / "1.0.0", name)["full_text"]
    free = make_version(tmp_path, text="none")
    assert owner("publishing.publish.publish", free, name)["tag"] == "v1.0.0"


@pytest.mark.parametrize(
    ("token", "target", "said"),
    [
        ("hf_unknown", "lab/private", "does not know this token"),
        (READER, "lab/private", "may not do that"),
        (READER, "lab/new", "may not do that"),
        (STRANGER, "lab/private", "may not do that"),
        (OWNER, "elsewhere/private", "may not do that"),
        (OWNER, "finews", "write owner/name"),
        (OWNER, "lab/fi news", "not the name of a repository"),
        (OWNER, "hf://datasets/lab/private", "name the repository alone"),
    ],
)
def test_errors_say_what_to_do(hub: Hub, owner: Client, made: Path, token: str, target: str, said: str) -> None:
    hub.create("lab/private")
    error = refused(hub, owner, made / "1.0.0", target, token=token)
    assert error.kind == "HubError" and said in error.message
    assert not hub.requests("(PUT|/commit/|/tag/)") and "lab/new" not in hub.repos


def test_no_token(hub: Hub, made: Path, tmp_path: Path) -> None:
    with Client(hub, tmp_path, token=None) as client:
        error = refused(hub, client, made / "1.0.0", "lab/private")
    assert error.kind == "HubError" and "set HF_TOKEN" in error.message


def test_a_hub_that_is_away(made: Path, tmp_path: Path) -> None:
    hub = Hub(tmp_path / "hub")
    with Client(hub, tmp_path) as client, Client(hub, tmp_path, HF_HUB_OFFLINE="1") as offline:
        hub.stop()
        with pytest.raises(Failed, match=r"cannot be reached: .*refused") as caught:
            send(client, made, "lab/finews")
        assert caught.value.kind.endswith("Unreachable")
        with pytest.raises(Failed, match="offline mode is on"):
            send(offline, made, "lab/finews")


def damage_byte(folder: Path) -> None:
    path = folder / "articles/train-2021-12-00000.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"?")


def damage_missing(folder: Path) -> None:
    (folder / "ledger.arrow").unlink()


def damage_link(folder: Path) -> None:
    (folder / "README.md").rename(folder.parent / "elsewhere.md")
    (folder / "README.md").symlink_to(folder.parent / "elsewhere.md")


def damage_folder_link(folder: Path) -> None:
    (folder / "articles").rename(folder.parent / "elsewhere")
    (folder / "articles").symlink_to(folder.parent / "elsewhere")


def damage_path(folder: Path) -> None:
    data = json.loads((folder / "manifest.json").read_text("utf-8"))
    data["files"][0]["path"] = "../../elsewhere.md"
    (folder / "manifest.json").write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.parametrize("damage", [damage_byte, damage_missing, damage_link, damage_folder_link, damage_path])
def test_a_damaged_folder_is_not_sent(tmp_path: Path, damage: Any) -> None:
    folder = make_version(tmp_path / "out")
    damage(folder)
    with pytest.raises((VerifyError, CallError)) as caught:
        publish(folder, str(tmp_path / "public"), full_text=True)
    assert type(caught.value).__name__ == ("ManifestError" if damage is damage_path else "VerifyError")
    assert not (tmp_path / "public").exists()


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


# ------------------------------------------------------------------------------------ what goes wrong


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


@pytest.mark.parametrize("match", ["repos/create", "/commit/", "/tag/"])
def test_a_lost_answer_is_not_a_second_commit(hub: Hub, owner: Client, made: Path, name: str, match: str) -> None:
    hub.faults.append(Fault("lose", match))
    found = send(owner, made / "1.0.0", name, listen=True)
    repo = hub.repos[name]
    assert len(repo.commits) == 2 and repo.tags == {"v1.0.0": repo.head.id}
    assert holds(repo, repo.head.id) == files_in(made / "1.0.0")
    if match != "repos/create":
        assert any("again in" in line for line in found["said"])


def test_a_connection_that_breaks_in_an_upload(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
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


# ------------------------------------------------------------------------------------ folders and buckets


@pytest.fixture(params=["path", "file://", "memory://", "s3://"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty folder or bucket prefix."""
    if request.param == "path":
        return str(tmp_path / "public")
    if request.param == "file://":
        return f"file://{tmp_path}/public"
    if request.param == "memory://":
        return f"memory://{tmp_path.name}/public"
    return f"s3://{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_server("datasets"):
        yield "datasets"


def read(place: str, path: str) -> bytes:
    import fsspec

    with fsspec.open(f"{place}/{path}", "rb") as file:
        data = file.read()
    assert isinstance(data, bytes)
    return data


def write(place: str, path: str, data: bytes) -> None:
    import fsspec

    system, root = fsspec.core.url_to_fs(place)
    if not place.startswith("s3://"):
        system.makedirs(f"{root}/{path}".rpartition("/")[0], exist_ok=True)
    system.pipe_file(f"{root}/{path}", data)


def test_versions_stand_side_by_side(made: Path, place: str) -> None:
    first = publish(made / "1.0.0", place, full_text=True)
    assert first.target == f"{place}/1.0.0" and set(first.sent) == set(files_in(made / "1.0.0"))
    assert first.sent[-1] == "manifest.json" and first.commit is None
    seen: list[Plan] = []

    def agree(found: Plan) -> bool:
        seen.append(found)
        return True

    second = publish(made / "1.1.0", place, full_text=True, confirm=agree)
    assert set(second.sent) == {"articles/newer-2022-02-00000.parquet"} | SMALL, "the rest is copied over there"
    assert len(seen[0].unchanged) == 4 and seen[0].bytes == second.bytes
    for version in ("1.0.0", "1.1.0"):
        for path in files_in(made / version):
            assert read(place, f"{version}/{path}") == (made / version / path).read_bytes()
        again = publish(made / version, place, full_text=True, confirm=lambda _: False)
        assert again.already and again.sent == ()


def test_a_published_folder_is_never_changed(made: Path, place: str, tmp_path: Path) -> None:
    publish(made / "1.0.0", place, full_text=True)
    other = make_version(tmp_path / "other", note="other")
    with pytest.raises(VersionError, match="published there with other content"):
        publish(other, place, full_text=True)
    assert read(place, "1.0.0/README.md") == (made / "1.0.0/README.md").read_bytes()


def test_an_unfinished_folder_is_finished(made: Path, place: str) -> None:
    """What a killed run leaves: some files, one of them half, and no manifest."""
    write(place, "1.0.0/README.md", (made / "1.0.0/README.md").read_bytes())
    write(place, "1.0.0/ledger.arrow", b"AR")
    write(place, "1.0.0/manifest.json.part", b"{")
    found = plan(made / "1.0.0", place)
    assert found.changed == ("ledger.arrow",) and found.unchanged == ("README.md",) and not found.published
    done = publish(made / "1.0.0", place, full_text=True)
    assert "README.md" not in done.sent and "ledger.arrow" in done.sent
    assert publish(made / "1.0.0", place, full_text=True).already


def test_a_damaged_copy_is_made_good(made: Path, place: str) -> None:
    publish(made / "1.0.0", place, full_text=True)
    write(place, "1.0.0/ledger.arrow", b"x" * len(read(place, "1.0.0/ledger.arrow")))
    assert publish(made / "1.0.0", place, full_text=True).sent == ("ledger.arrow", "manifest.json")
    assert publish(made / "1.0.0", place, full_text=True).already


def test_a_damaged_earlier_version_is_not_copied(made: Path, tmp_path: Path) -> None:
    publish(made / "1.0.0", str(tmp_path), full_text=True)
    (tmp_path / "1.0.0/articles/test-2022-01-00000.parquet").write_bytes(b"damaged")
    done = publish(made / "1.1.0", str(tmp_path), full_text=True)
    assert "articles/test-2022-01-00000.parquet" in done.sent
    assert files_in(tmp_path / "1.1.0") == files_in(made / "1.1.0")


def test_a_folder_with_something_else_in_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "1.0.0").mkdir()
    (tmp_path / "1.0.0/thesis.tex").write_text("mine")
    with pytest.raises(VersionError, match=r"something else: thesis\.tex"):
        publish(made / "1.0.0", str(tmp_path), full_text=True)
    assert [p.name for p in (tmp_path / "1.0.0").iterdir()] == ["thesis.tex"]


def test_a_no_sends_nothing(made: Path, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="not confirmed"):
        publish(made / "1.0.0", str(tmp_path / "public"), full_text=True, confirm=lambda _: False)
    assert not (tmp_path / "public").exists()


def test_addresses_that_cannot_be_used(made: Path, tmp_path: Path, bucket: str) -> None:
    with pytest.raises(CallError, match="cannot be used"):
        publish(made, "nonsense://place", full_text=True)
    with pytest.raises(HubError, match="cannot be read or written"):
        publish(made, "s3://no-such-bucket/finews", full_text=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="cannot be read or written"):
        publish(made, str(tmp_path / "file"), full_text=True)


def test_publishing_onto_itself_changes_nothing(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "out")
    before = files_in(tmp_path / "out")
    assert publish(tmp_path / "out", str(tmp_path / "out"), full_text=True).already
    assert files_in(tmp_path / "out") == before
