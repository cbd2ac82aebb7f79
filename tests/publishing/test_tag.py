"""Tags of versions that are on the main branch already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ..conftest import run_newsdata
from ..hub_client import Client, Failed
from ..hub_server import OWNER, Hub
from ..hub_state import small_blob
from .sending import send


@pytest.mark.slow
def test_what_is_not_tagged(hub: Hub, owner: Client, made: Path, name: str) -> None:
    hub.create(name)
    with pytest.raises(Failed, match=r"no manifest\.json"):
        owner("publishing.tag.tag_version", name, "1.0.0")
    send(owner, made / "1.0.0", name)
    send(owner, made / "1.1.0", name)
    repo = hub.repos[name]
    good, first = repo.head.files, repo.commits[repo.tags["v1.0.0"]].files
    repo.add_commit("back", first)
    del repo.tags["v1.0.0"]
    with pytest.raises(Failed, match=r"1\.1\.0 is published, which is newer"):
        owner("publishing.tag.tag_version", name, "1.0.0")
    repo.tags.clear()
    repo.add_commit("again", good | {"articles/more.parquet": small_blob(b"x")})
    with pytest.raises(Failed, match=r"\(articles/more\.parquet\), so it got no tag") as caught:
        owner("publishing.tag.tag_version", name, "1.1.0")
    assert caught.value.kind == "VerifyError"
    repo.add_commit("other", good | {"README.md": small_blob(b"other")})
    with pytest.raises(Failed, match="do not match the manifest"):
        owner("publishing.tag.tag_version", name, "1.1.0")
    repo.add_commit("lost", {path: blob for path, blob in good.items() if path != "ledger.arrow"})
    with pytest.raises(Failed, match=r"\(ledger\.arrow\), so it got no tag"):
        owner("publishing.tag.tag_version", name, "1.1.0")
    repo.add_commit("good", good)
    repo.tags["v1.1.0"] = repo.add_commit("first", first).id
    repo.add_commit("good again", good)
    with pytest.raises(Failed, match=r"v1\.1\.0 names other content"):
        owner("publishing.tag.tag_version", name, "1.1.0")


@pytest.mark.slow
def test_the_command(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
    environment: dict[str, Any] = hub.environment(tmp_path, OWNER)
    send(owner, made / "1.0.0", name)
    proposed = run_newsdata("publish", made / "1.1.0", name, "--create-pr", "--full-text", "--yes", **environment)
    assert proposed.returncode == 0, proposed.stderr
    assert f"Opened pull request 1 with 1.1.0: {hub.url}/datasets/{name}/discussions/1 (" in proposed.stdout
    assert f"once it is merged: newsdata publish {name} --tag 1.1.0\n" in proposed.stdout
    repo = hub.repos[name]
    merged = repo.add_commit("Merge", repo.commits[repo.pulls[1]].files).id
    for said in (f"tagged commit {merged} as v1.1.0; all hashes are equal", "the tag v1.1.0 is there already"):
        tagged = run_newsdata("publish", name, "--tag", "1.1.0", **environment)
        assert tagged.returncode == 0 and said in tagged.stdout, tagged.stderr
    wrong = run_newsdata("publish", made, name, "--tag", "1.1.0", **environment)
    assert wrong.returncode == 2 and "newsdata publish REPO --tag X.Y.Z" in wrong.stderr
    assert run_newsdata("publish", made, **environment).returncode == 2
