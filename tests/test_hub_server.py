"""The test hub itself: what other tests rely on, asked by the real client or by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import ROOT
from .hub_client import Client, Failed
from .hub_server import OWNER, READER, STRANGER, Fault, Hub
from .hub_state import small_blob
from .versions import make_version


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub"), page=2) as hub:
        yield hub


@pytest.fixture
def hub(running: Hub) -> Iterator[Hub]:
    running.repos.clear()
    running.log.clear()
    repo = running.create("lab/finews")
    files = {name: small_blob(name.encode()) for name in ("README.md", "a/x.txt", "a/b/y.txt", "z.txt")}
    repo.add_commit("files", repo.head.files | files)
    yield running
    running.faults.clear()


@pytest.fixture(scope="module")
def client(running: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Client(running, tmp_path_factory.mktemp("home")) as started:
        yield started


def ask(
    hub: Hub,
    path: str,
    *,
    token: str | None = OWNER,
    method: str = "GET",
    data: bytes | None = None,
    **headers: str,
) -> tuple[int, bytes, Any]:
    """One request by hand: status, body, headers."""
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{hub.url}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), error.headers


API = {"repo_type": "dataset"}


@pytest.mark.slow
def test_who_is_asking(client: Client, hub: Hub) -> None:
    assert client("api.whoami")["name"] == "alice"
    assert client("api.whoami", token=READER)["auth"]["accessToken"]["role"] == "read"
    with pytest.raises(Failed, match="Invalid user token"):
        client("api.whoami", token="hf_unknown")


def test_who_sees_and_writes_what(hub: Hub) -> None:
    """Nobody learns whether a private repository exists."""
    for path, token, status, code in (
        ("/api/datasets/lab/finews", OWNER, 200, None),
        ("/api/datasets/lab/finews", READER, 200, None),
        ("/api/datasets/lab/finews", STRANGER, 404, "RepoNotFound"),
        ("/api/datasets/lab/finews", None, 401, "RepoNotFound"),
        ("/api/datasets/lab/nothing", OWNER, 404, "RepoNotFound"),
        ("/api/datasets/lab/finews", "hf_unknown", 401, None),
        ("/api/datasets/lab/finews/revision/v9", OWNER, 404, "RevisionNotFound"),
        ("/datasets/lab/finews/resolve/main/none.txt", OWNER, 404, "EntryNotFound"),
    ):
        found, _, headers = ask(hub, path, token=token)
        assert (found, headers["X-Error-Code"]) == (status, code), (path, token)
    tag = "/api/datasets/lab/finews/tag/main"
    assert ask(hub, tag, token=READER, method="POST", data=b'{"tag": "v1"}')[0] == 403
    hub.repos["lab/finews"].private = False
    assert ask(hub, "/api/datasets/lab/finews", token=None)[0] == 200
    assert ask(hub, tag, token=STRANGER, method="POST", data=b'{"tag": "v1"}')[0] == 403
    assert ask(hub, tag, token=None, method="POST", data=b'{"tag": "v1"}')[0] == 401


@pytest.mark.slow
def test_repositories(client: Client, hub: Hub) -> None:
    client("api.create_repo", "lab/new", private=True, **API)
    assert hub.repos["lab/new"].private and list(hub.repos["lab/new"].head.files) == [".gitattributes"]
    with pytest.raises(Failed, match="already created"):
        client("api.create_repo", "lab/new", **API)
    client("api.create_repo", "lab/new", exist_ok=True, **API)
    with pytest.raises(Failed, match="don't have the rights"):
        client("api.create_repo", "elsewhere/new", **API)
    found = client("api.dataset_info", "lab/finews", files_metadata=True)
    assert found["sha"] == hub.repos["lab/finews"].head.id and found["private"] is True
    assert {s["rfilename"] for s in found["siblings"]} == {*hub.repos["lab/finews"].head.files}


@pytest.mark.slow
def test_references(client: Client, hub: Hub) -> None:
    repo = hub.repos["lab/finews"]
    first, second = repo.commits
    client("api.create_tag", "lab/finews", tag="v1", revision=first, **API)
    with pytest.raises(Failed, match="409"):
        client("api.create_tag", "lab/finews", tag="v1", revision=second, **API)
    with pytest.raises(Failed, match="Invalid rev id"):
        client("api.create_tag", "lab/finews", tag="v2", revision="0" * 40, **API)
    client("api.create_branch", "lab/finews", branch="draft", revision=first, **API)
    refs = client("api.list_repo_refs", "lab/finews", **API)
    assert [(t["name"], t["target_commit"]) for t in refs["tags"]] == [("v1", first)]
    assert {b["name"]: b["target_commit"] for b in refs["branches"]} == {"main": second, "draft": first}
    commits = client("api.list_repo_commits", "lab/finews", **API)
    assert [c["commit_id"] for c in commits] == [second, first] and commits[0]["title"] == "files"
    client("api.delete_tag", "lab/finews", tag="v1", **API)
    client("api.delete_branch", "lab/finews", branch="draft", **API)
    assert not repo.tags and list(repo.branches) == ["main"]


def test_listings(client: Client, hub: Hub) -> None:
    def paths(**options: Any) -> list[str]:
        return [entry["path"] for entry in client("api.list_repo_tree", "lab/finews", **options, **API)]

    assert paths() == [".gitattributes", "README.md", "a", "z.txt"]
    assert len(hub.requests("/tree/")) == 2, "two pages"
    assert paths(recursive=True) == [
        ".gitattributes",
        "README.md",
        "a",
        "a/b",
        "a/b/y.txt",
        "a/x.txt",
        "z.txt",
    ]
    assert paths(path_in_repo="a") == ["a/b", "a/x.txt"]
    with pytest.raises(Failed, match="Entry Not Found"):
        paths(path_in_repo="none")
    found = client("api.get_paths_info", "lab/finews", ["z.txt", "a", "none"], **API)
    assert [entry["path"] for entry in found] == ["z.txt", "a"]
    assert found[0]["blob_id"] == "7c89efee9f50c188dbd003f76442fdf2f98919ed"  # as `git hash-object` says


def commit(hub: Hub, *operations: dict[str, Any], parent: str | None = None) -> tuple[int, Any]:
    header = {"summary": "by hand"} | ({"parentCommit": parent} if parent else {})
    lines = [{"key": "header", "value": header}, *operations]
    data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    status, body, _ = ask(hub, "/api/datasets/lab/finews/commit/main", method="POST", data=data)
    return status, json.loads(body)


def test_commits(hub: Hub) -> None:
    repo = hub.repos["lab/finews"]
    first, second = repo.commits
    file = {"key": "file", "value": {"path": "n.txt", "content": "bg==", "encoding": "base64"}}
    assert commit(hub, file, parent=first)[0] == 412
    assert commit(hub, {"key": "deletedFile", "value": {"path": "none"}})[0] == 404
    assert commit(hub, {"key": "lfsFile", "value": {"path": "big", "oid": "0" * 64, "size": 1}})[0] == 400
    assert repo.head.id == second
    status, found = commit(hub, file, {"key": "deletedFolder", "value": {"path": "a"}}, parent=second)
    assert status == 200 and found["commitOid"] == repo.head.id
    assert set(repo.head.files) == {".gitattributes", "README.md", "z.txt", "n.txt"}
    assert hub.content(repo.head.files["n.txt"]) == b"n"


def test_large_files(hub: Hub) -> None:
    batch = "/datasets/lab/finews.git/info/lfs/objects/batch"
    asked = json.dumps({"objects": [{"oid": small_blob(b"large").sha256, "size": 5}]}).encode()

    def actions() -> Any:
        return json.loads(ask(hub, batch, method="POST", data=asked)[1])["objects"][0].get("actions")

    upload = actions()["upload"]["href"].removeprefix(hub.url)
    assert ask(hub, upload, token=None, method="PUT", data=b"wrong")[0] == 400
    assert actions(), "wrong bytes are not kept"
    assert ask(hub, upload, token=None, method="PUT", data=b"large")[0] == 200
    assert actions() is None, "it is there, and need not be sent"
    assert [p.name for p in (hub.root / "lfs").iterdir()] == [small_blob(b"large").sha256]


def test_files(hub: Hub) -> None:
    path = "/datasets/lab/finews/resolve/main/a/x.txt"
    head = hub.repos["lab/finews"].head
    status, body, headers = ask(hub, path)
    assert (status, body, headers["X-Repo-Commit"]) == (200, b"a/x.txt", head.id)
    assert headers["ETag"] == f'"{head.files["a/x.txt"].oid}"'
    assert ask(hub, path, method="HEAD")[2]["Content-Length"] == "7"
    for asked, part, content_range in (
        ("2-3", b"x.", "2-3/7"),
        ("4-", b"txt", "4-6/7"),
        ("-3", b"txt", "4-6/7"),
    ):
        status, body, headers = ask(hub, path, Range=f"bytes={asked}")
        assert (status, body, headers["Content-Range"]) == (206, part, f"bytes {content_range}")
    assert ask(hub, path, Range="bytes=7-")[0] == 416
    hub.faults.append(Fault("corrupt", "x.txt"))
    assert ask(hub, path)[1] == b"a/x.txu" and ask(hub, path)[1] == b"a/x.txt"
    hub.faults.append(Fault("slow", "x.txt", seconds=0.01))
    assert ask(hub, path)[1] == b"a/x.txt"
    line = hub.requests("HEAD .*x.txt")[0]
    assert (line.status, line.sent) == (200, 0) and hub.requests("GET .*x.txt")[0].sent == 7


def test_cards(client: Client, hub: Hub) -> None:
    def check(header: str) -> Any:
        text = json.dumps({"content": f"---\n{header}\n---\n", "repoType": "dataset"}).encode()
        status, body, _ = ask(hub, "/api/validate-yaml", method="POST", data=text)
        return status, json.loads(body)

    assert check("license: mit") == (200, {"errors": [], "warnings": []})
    assert check("license: totally-bogus")[0] == 400
    assert check("a: [")[0] == 400
    assert check("- a")[0] == 400
    assert check("")[1]["warnings"]


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.hub_server", "--port", "0", "--root", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().strip()

            def get(path: str, data: bytes | None = None) -> Any:
                with urllib.request.urlopen(f"{url}{path}", data, timeout=10) as answer:
                    return json.loads(answer.read())

            get("/_test/faults", json.dumps([{"kind": "status", "match": "whoami", "status": 500}]).encode())
            with pytest.raises(urllib.error.HTTPError, match="500") as caught:
                get("/api/whoami-v2")
            caught.value.close()
            assert [(line["path"], line["status"]) for line in get("/_test/log")] == [("/api/whoami-v2", 500)]
        finally:
            process.kill()


@pytest.mark.slow
def test_plain_datasets_reads_a_version(hub: Hub, client: Client, tmp_path: Path) -> None:
    client("publishing.publish.publish", make_version(tmp_path / "out"), "lab/news", full_text=True)
    code = """if True:
        import datasets
        rows = datasets.load_dataset("lab/news", revision="v1.0.0", split="test")
        stream = datasets.load_dataset("lab/news", revision="v1.0.0", split="train", streaming=True)
        print(len(rows), rows[0]["title"] == "第0则：2022-01的市场", len(list(stream)))
        import newsdata
        part = newsdata.load_dataset("lab/news", revision="1.0.0", split="train[10:50]", columns=["title"])
        same = newsdata.load_dataset(
            "lab/news", revision="1.0.0", split="train[10:50]", columns=["title"], streaming=True
        )
        print(len(part), part["title"][:] == [row["title"] for row in same])
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | hub.environment(tmp_path / "home") | {"HF_DATASETS_OFFLINE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["40", "True", "80", "40", "True"]
