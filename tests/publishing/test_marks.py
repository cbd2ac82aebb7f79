"""Marks of bad versions in a repository, with the real client against a hub on the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..hub_client import Client, Failed
from ..hub_server import Fault, Hub
from ..hub_state import small_blob
from ..versions import make_version
from .sending import LATER, files_in, holds, refused, send

MARKS = ".yanked.json"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Three versions; 1.2.0 has a root file and a picture that the others lack."""
    folder = tmp_path / "versions"
    make_version(folder, "1.0.0")
    make_version(folder, "1.1.0", months=LATER)
    make_version(folder, "1.2.0", months={**LATER, "newer": ("2022-02", "2022-03")})
    return folder


def yank(
    client: Client, folder: Path, name: str, reason: str | None = "bad zone", **options: object
) -> dict[str, object]:
    found = client("publishing.yank.yank", folder, reason=reason, publish=name, **options)
    assert isinstance(found, dict) and isinstance(found["published"], dict)
    return found["published"]


def marks(hub: Hub, name: str) -> dict[str, str] | None:
    blob = hub.repos[name].head.files.get(MARKS)
    return json.loads(hub.content(blob)) if blob else None


def newest(client: Client, name: str, cache: Path, revision: str | None = None) -> dict[str, object]:
    """What a machine finds that has only what is in this cache."""
    found = client("dataset.hub_revisions.resolve", name, revision, cache_dir=cache)
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
def test_the_main_branch_moves_to_the_newest_good_version(
    hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path
) -> None:
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        send(owner, out / version, name)
    repo = hub.repos[name]
    tags = dict(repo.tags)
    hub.log.clear()
    done = yank(owner, out / "1.2.0", name)
    assert done == {"repo_id": name, "main": "1.1.0", "commit": repo.head.id, "already": False}
    assert marks(hub, name) == {"1.2.0": "bad zone"} and repo.tags == tags
    on_main = holds(repo, repo.head.id)
    assert on_main.pop(MARKS) and on_main == files_in(out / "1.1.0")
    assert not hub.requests("^PUT "), "large files are there already"
    for revision in (None, "1.*"):
        found = newest(owner, name, tmp_path / f"home-{revision}", revision)
        assert (found["version"], found["yanked"]) == ("1.1.0", None)
    exact = newest(owner, name, tmp_path / "home-exact", "1.2.0")
    assert (exact["version"], exact["yanked"]) == ("1.2.0", "bad zone")
    commits = len(repo.commits)
    assert yank(owner, out / "1.2.0", name)["already"] and len(repo.commits) == commits


@pytest.mark.slow
def test_a_mark_of_an_older_version_leaves_the_main_branch(hub: Hub, owner: Client, out: Path, name: str) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    repo = hub.repos[name]
    repo.add_commit("a licence", repo.head.files | {"LICENSE": small_blob(b"by hand")})
    before = dict(repo.head.files)
    assert yank(owner, out / "1.0.0", name)["main"] == "1.1.0"
    assert {path: blob for path, blob in repo.head.files.items() if path != MARKS} == before
    assert marks(hub, name) == {"1.0.0": "bad zone"}


@pytest.mark.slow
def test_later_versions_keep_the_marks(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    yank(owner, out / "1.1.0", name)
    send(owner, out / "1.2.0", name)
    repo = hub.repos[name]
    assert marks(hub, name) == {"1.1.0": "bad zone"}
    assert holds(repo, repo.tags["v1.2.0"]).keys() - {MARKS} == files_in(out / "1.2.0").keys()
    assert newest(owner, name, tmp_path / "home")["version"] == "1.2.0"
    yank(owner, out / "1.2.0", name, "bad dates")
    assert marks(hub, name) == {"1.1.0": "bad zone", "1.2.0": "bad dates"}
    assert newest(owner, name, tmp_path / "home")["version"] == "1.0.0", "the same machine, later"


@pytest.mark.slow
def test_undo_moves_the_main_branch_back(hub: Hub, owner: Client, out: Path, name: str) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    repo = hub.repos[name]
    before = dict(repo.head.files)
    yank(owner, out / "1.1.0", name)
    assert yank(owner, out / "1.1.0", name, None, undo=True)["main"] == "1.1.0"
    assert repo.head.files == before and not (out / "1.1.0/yanked.json").exists()
    assert yank(owner, out / "1.1.0", name, None, undo=True)["already"]


LOAD = """if True:
    import sys, datasets
    for streaming in (False, True):
        try:
            rows = datasets.load_dataset(sys.argv[1], streaming=streaming)
            print(sorted(rows), [len(list(rows[split])) for split in sorted(rows)])
        except Exception as error:
            print(type(error).__name__)
"""


def load_plainly(hub: Hub, name: str, home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LOAD, name],
        env=os.environ | hub.environment(home) | {"HF_DATASETS_OFFLINE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.slow
def test_plain_datasets_gets_no_bad_version(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    yank(owner, out / "1.1.0", name)
    assert load_plainly(hub, name, tmp_path / "a") == ["['test', 'train'] [40, 80]"] * 2
    assert yank(owner, out / "1.0.0", name, "no dates")["main"] is None
    repo = hub.repos[name]
    assert set(holds(repo, repo.head.id)) == {MARKS, "README.md"}
    readme = hub.content(repo.head.files["README.md"]).decode()
    assert "- 1.0.0: no dates\n- 1.1.0: bad zone\n" in readme
    assert load_plainly(hub, name, tmp_path / "b") == ["EmptyDatasetError"] * 2
    with pytest.raises(Failed, match=r"every version was yanked \(1\.0\.0: no dates; 1\.1\.0: bad zone\)"):
        newest(owner, name, tmp_path / "c")
    send(owner, out / "1.2.0", name)
    on_main = holds(repo, repo.head.id)
    assert on_main.pop(MARKS) and on_main == files_in(out / "1.2.0")


def test_a_version_that_was_yanked_there_is_not_published(hub: Hub, owner: Client, out: Path, name: str) -> None:
    send(owner, out / "1.2.0", name)
    yank(owner, out / "1.2.0", name)
    (out / "1.2.0/yanked.json").unlink()
    assert "1.2.0 was yanked there: bad zone" in refused(hub, owner, out / "1.2.0", name).message
    send(owner, out / "1.1.0", name)  # older, but every newer one is bad
    assert hub.repos[name].tags.keys() == {"v1.2.0", "v1.1.0"}
    assert "1.1.0 is published" in refused(hub, owner, out / "1.0.0", name).message


def test_a_version_that_is_not_published_there(hub: Hub, owner: Client, out: Path, name: str) -> None:
    send(owner, out / "1.0.0", name)
    with pytest.raises(Failed, match=r"1\.1\.0 is not published there; published: 1\.0\.0") as caught:
        yank(owner, out / "1.1.0", name)
    assert caught.value.kind == "VersionError" and (out / "1.1.0/yanked.json").exists()


def test_a_version_without_tag_stays_on_the_main_branch(hub: Hub, owner: Client, out: Path, name: str) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    del hub.repos[name].tags["v1.1.0"]
    assert yank(owner, out / "1.0.0", name)["main"] == "1.1.0"


def test_damaged_marks(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    send(owner, out / "1.0.0", name)
    repo = hub.repos[name]
    repo.add_commit("by hand", repo.head.files | {MARKS: small_blob(b"{")})
    with pytest.raises(Failed, match="nobody knows which versions are bad") as caught:
        newest(owner, name, tmp_path / "home")
    assert caught.value.kind == "ManifestError"
    assert "nobody knows" in str(newest(owner, name, tmp_path / "home", "1.0.0")["yanked"])
    with pytest.raises(Failed, match="nobody knows"):
        yank(owner, out / "1.0.0", name)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "status"), [("lose", 0), ("status", 429)])
def test_a_busy_hub_gets_one_commit(hub: Hub, owner: Client, out: Path, name: str, kind: str, status: int) -> None:
    for version in ("1.0.0", "1.1.0"):
        send(owner, out / version, name)
    commits = len(hub.repos[name].commits)
    hub.faults.append(Fault(kind, "/commit/", status=status, headers={"Retry-After": "0"}))
    assert yank(owner, out / "1.1.0", name)["main"] == "1.0.0"
    assert len(hub.repos[name].commits) == commits + 1


def test_somebody_else_is_faster(hub: Hub, owner: Client, out: Path, name: str) -> None:
    send(owner, out / "1.0.0", name)
    hub.faults.append(Fault("race", "/commit/"))
    with pytest.raises(Failed, match="somebody else committed"):
        yank(owner, out / "1.0.0", name)
    assert marks(hub, name) is None
    assert yank(owner, out / "1.0.0", name)["main"] is None
    assert "notes.txt" in hub.repos[name].head.files
