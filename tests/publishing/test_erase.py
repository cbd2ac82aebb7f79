"""An article that is erased from a repository, with the real client against a hub on the loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsdata

from ..conftest import many_posts, run_newsdata, write_archive
from ..hub_client import Client, Failed
from ..hub_server import OWNER, Fault, Hub, Repo
from ..hub_state import Commit, small_blob
from ..maintenance.archives import ONE, WORDS, holds, redactable
from .sending import send

REASON = "asked for by its author"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1.0.0 without the article, 1.1.0 and 1.2.0 with it, 2.0.0 and 2.1.0 without it after its redaction."""
    folder = tmp_path_factory.mktemp("redacted")
    archive, out, files = redactable(folder)
    mine = [archive / path for path in files if ONE in path]
    later = {path: path.read_bytes() for path in mine}
    for path in mine:
        path.unlink()
    newsdata.build(archive, out, num_proc=1)
    for path, data in later.items():
        path.write_bytes(data)
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, many_posts(1, start_day=11))
    newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason=REASON)
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, many_posts(1, start_day=12))
    assert newsdata.build(archive, out, num_proc=1).version == "2.1.0"
    for version in newsdata.info(out)["versions"]:  # as they were before: a redacted article is not published
        shutil.copytree(out / version, folder / "before" / version)
    return out


def send_before(client: Client, out: Path, name: str, *versions: str, **options: object) -> None:
    """Publish versions as somebody did who knew nothing of the redaction."""
    for version in versions:
        send(client, out.parent / "before" / version, name, **options)


def erase(client: Client, out: Path, name: str, **options: object) -> dict[str, Any]:
    found = client("publishing.redact.redact", out, ONE, reason=REASON, publish=name, **options)
    assert isinstance(found["erased"], dict)
    return found["erased"]


def reachable(repo: Repo, *, pull_requests: bool = True) -> Iterator[Commit]:
    """Every commit that a reference, or the history of one, leads to."""
    heads = [*repo.branches.values(), *repo.tags.values(), *(repo.pulls.values() if pull_requests else ())]
    for head in heads:
        yield from repo.history(repo.commits[head])


def has_words(hub: Hub, repo: Repo, tmp_path: Path, *, small: bool = True, **options: bool) -> bool:
    """Whether the article's words can be got from any reference; `small`: from small files, too, such as the card."""
    folder = tmp_path / f"all-{len(list(tmp_path.iterdir()))}"
    folder.mkdir()
    for commit in reachable(repo, **options):
        for blob in commit.files.values():
            if (small and blob.data is not None) or hub.object(blob.sha256).exists():
                (folder / blob.sha256).write_bytes(hub.content(blob))
    return holds(folder, WORDS)


@pytest.mark.slow
def test_no_reference_reaches_a_redacted_article(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    send_before(owner, out, name, "1.0.0", "1.1.0", "1.2.0", "2.0.0")
    repo = hub.repos[name]
    before, clean = repo.tags["v1.0.0"], dict(repo.commits[repo.tags["v2.0.0"]].files)
    repo.branches["draft"] = repo.branches["old"] = repo.tags["v1.1.0"]
    shard = next(path for path in repo.commits[repo.tags["v1.1.0"]].files if path.startswith("posts/"))
    part = {"a/copy.parquet": repo.commits[repo.tags["v1.1.0"]].files[shard]}
    repo.branches["copy"] = repo.put_commit(None, "a shard alone", part).id
    repo.branches["draft"] = repo.put_commit(repo.tags["v1.1.0"], "by hand", {"a": small_blob(b"a")}).id
    assert has_words(hub, repo, tmp_path)
    done = erase(owner, out, name)
    assert done["tags"] == ["v1.1.0", "v1.2.0"] and done["moved"] == ["v2.0.0"]
    assert done["branches"] == ["copy", "old"] and done["squashed"] == ["draft", "main"]
    assert done["notes"] == [] and done["large_files"] > 0
    assert list(repo.tags) == ["v1.0.0", "v2.0.0", "v2.1.0"] and repo.tags["v1.0.0"] == before
    assert set(repo.branches) == {"main", "draft"}
    assert not has_words(hub, repo, tmp_path)
    assert repo.commits[repo.tags["v2.0.0"]].files == clean
    assert repo.tags["v2.1.0"] == repo.head.id and repo.head.parent is None
    for version in ("1.0.0", "2.0.0", "2.1.0"):
        found = owner("dataset.hub_revisions.resolve", name, version, cache_dir=tmp_path / "cache")
        owner("dataset.hub_files.fetch", found, ["*"], cache_dir=tmp_path / "cache")
    state = dict(repo.tags), dict(repo.branches), len(repo.commits)
    assert erase(owner, out, name)["plan"] is None, "there is nothing left to do"
    assert (dict(repo.tags), dict(repo.branches), len(repo.commits)) == state
    later = owner("dataset.hub_revisions.resolve", name, cache_dir=tmp_path / "cache")
    assert later["version"] == "2.1.0"


@pytest.mark.parametrize(
    "match", ["DELETE .*/tag/v1.1.0", "super-squash/main", "super-squash/newsdata", "DELETE .*/tag/v2.0.0", "/branch/",
              "POST .*/tag/", "lfs-files"]
)  # fmt: skip
@pytest.mark.slow
def test_a_run_that_was_interrupted_is_finished(hub: Hub, out: Path, name: str, tmp_path: Path, match: str) -> None:
    with Client(hub, tmp_path / "a") as first:
        send_before(first, out, name, "1.1.0", "2.0.0")
        hub.faults.append(Fault("lose", match, skip=int(match == "lfs-files")))  # the first one is for the plan
        hub.faults.append(Fault("status", "", status=418, times=99))
        with pytest.raises(Failed):
            erase(first, out, name)
    hub.faults.clear()
    with Client(hub, tmp_path / "b") as second:
        erase(second, out, name)
    repo = hub.repos[name]
    assert list(repo.tags) == ["v2.0.0", "v2.1.0"] and list(repo.branches) == ["main"]
    assert not has_words(hub, repo, tmp_path)
    kept = {blob.sha256 for commit in reachable(repo) for blob in commit.files.values()}
    assert {path.name for path in (hub.root / "lfs").iterdir()} <= kept, "no large file is left that nothing names"


@pytest.mark.slow
def test_what_cannot_be_reached_is_told(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    send_before(owner, out, name, "1.0.0")
    send_before(owner, out, name, "1.1.0", create_pr=True)
    hub.faults.append(Fault("status", "lfs-files", status=403, message="not on this plan", times=9))
    send_before(owner, out, name, "1.2.0")
    notes = erase(owner, out, name)["notes"]
    repo = hub.repos[name]
    assert len(notes) == 2 and "not on this plan" in notes[0] and "refs/pr/1" in notes[1]
    assert not has_words(hub, repo, tmp_path, pull_requests=False) and has_words(hub, repo, tmp_path)
    hub.faults.clear()
    assert len(erase(owner, out, name)["notes"]) == 1
    assert not has_words(hub, repo, tmp_path, small=False), "its large files are gone"


@pytest.mark.slow
def test_the_newest_version_must_be_without_it(hub: Hub, owner: Client, name: str, tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    send(owner, out / "1.0.0", name)
    state = dict(hub.repos[name].tags)
    with pytest.raises(
        Failed, match=r"published versions that hold 202203059999999999: v1\.0\.0; run `newsdata build"
    ) as caught:
        erase(owner, out, name)
    assert caught.value.kind == "CallError" and hub.repos[name].tags == state
    assert ONE in json.loads((out / "redactions.json").read_text("utf-8"))
    newsdata.build(archive, out, num_proc=1)
    assert erase(owner, out, name)["tags"] == ["v1.0.0"]
    assert not has_words(hub, hub.repos[name], tmp_path)


@pytest.mark.slow
def test_versions_that_are_not_here_any_more(hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path) -> None:
    """Their ledgers are fetched, and the shards where a ledger knows the article."""
    send_before(owner, out, name, "1.0.0", "1.1.0", "2.0.0")
    here = tmp_path / "here"
    newsdata.publish(out, str(here), full_text=True)
    assert newsdata.info(here)["versions"] == ["2.1.0"]
    shutil.copytree(out / "1.1.0", here / "1.1.0")  # damaged here, not there
    for path in (here / "1.1.0/posts").iterdir():
        path.write_bytes(b"PAR1")
    hub.log.clear()
    done = erase(owner, here, name)
    assert done["tags"] == ["v1.1.0"] and done["moved"] == ["v2.0.0"]
    assert not has_words(hub, hub.repos[name], tmp_path)


@pytest.mark.slow
def test_the_command_says_what_it_will_do_and_asks(
    hub: Hub, owner: Client, out: Path, name: str, tmp_path: Path
) -> None:
    send_before(owner, out, name, "1.1.0", "2.0.0")
    environment: dict[str, Any] = hub.environment(tmp_path / "home", OWNER)
    command = ("redact", out, ONE, "--reason", REASON, "--publish", name)
    refused = run_newsdata(*command, **environment)
    assert refused.returncode == 2 and "not confirmed; nothing was changed on the Hub" in refused.stderr
    assert "tags of versions that hold the article, deleted: v1.1.0\n" in refused.stderr
    assert "tags set anew, on a commit without history: v2.0.0\n" in refused.stderr
    assert list(hub.repos[name].tags) == ["v1.1.0", "v2.0.0"]
    done = run_newsdata(*command, "--yes", **environment)
    assert done.returncode == 0 and f"{name}: holds 2.1.0, and no version, branch or tag" in done.stdout, done.stderr
    assert not has_words(hub, hub.repos[name], tmp_path)
