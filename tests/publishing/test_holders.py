"""Where an article is looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata

from ..dataset.published import put
from ..hub_client import Client
from ..hub_server import Hub
from ..hub_state import small_blob
from ..maintenance.archives import ONE, grow, redactable


@pytest.mark.slow
def test_commits_branches_and_pull_requests_are_looked_through(
    hub: Hub, owner: Client, name: str, tmp_path: Path
) -> None:
    archive, out, _ = redactable(tmp_path / "a")
    newsdata.build(archive, out, num_proc=1)
    _, other = grow(tmp_path / "b", 1)
    clean = put(hub, name, other / "1.0.0", tag="v0.1.0").id
    bad = put(hub, name, out / "1.0.0", tag="v1.0.0").id
    repo = hub.repos[name]
    after = put(hub, name, other / "1.0.0", tag="v1.1.0").id
    shards = {path: blob for path, blob in repo.commits[bad].files.items() if path.startswith("articles/")}
    repo.pulls[1] = part = repo.put_commit(None, "some shards", shards).id
    repo.branches["notes"] = notes = repo.put_commit(None, "notes", {"a.txt": small_blob(b"a")}).id
    found = owner("publishing.holders.find_holders", name, ONE, out)
    assert set(found["commits"]) == {bad, part}
    assert set(found["reached"]) == {bad, after, part}
    assert not {clean, notes} & set(found["reached"])
