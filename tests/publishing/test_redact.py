"""What has to be so before an article is erased from a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata

from ..hub_client import Client, Failed
from ..hub_server import Hub
from ..maintenance.archives import ONE, grow, redactable
from .sending import WRITES


@pytest.mark.slow
def test_a_name_or_token_that_cannot_be_used_is_told_before_anything_is_noted(hub: Hub, tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    one = newsdata.load_dataset(out, split="train")[0]["article_id"]
    with Client(hub, tmp_path, token=None) as client:
        for repo_id, said in (("finews", "write owner/name"), ("lab/finews", "set HF_TOKEN")):
            with pytest.raises(Failed, match=said):
                client("publishing.redact.redact", out, one, reason="x", publish=repo_id)
    assert not (out / "redactions.json").exists()


@pytest.mark.slow
def test_text_is_not_sent_to_a_repository_without_text(hub: Hub, owner: Client, name: str, tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, tmp_path / "free", num_proc=1, text="none")
    owner("publishing.publish.publish", tmp_path / "free", name)
    newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason="a request")
    newsdata.build(archive, out, num_proc=1)
    hub.log.clear()
    with pytest.raises(Failed, match=r"no published version does; .*--full-text") as caught:
        owner("publishing.redact.redact", out, ONE, reason="a request", publish=name)
    assert caught.value.kind == "CallError" and not hub.requests(WRITES)
    done = owner("publishing.redact.redact", out, ONE, reason="a request", publish=name, full_text=True)
    assert done["erased"]["tags"] == ["v1.0.0"] and list(hub.repos[name].tags) == ["v2.0.0"]


@pytest.mark.slow
def test_a_repository_that_holds_nothing_of_it_is_left_alone(
    hub: Hub, owner: Client, name: str, tmp_path: Path
) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason="a request")
    newsdata.build(archive, out, num_proc=1)
    owner("publishing.publish.publish", out, name, full_text=True)
    hub.log.clear()
    done = owner("publishing.redact.redact", out, ONE, reason="a request", publish=name)
    assert done["erased"]["plan"] is None and done["erased"]["tags"] == [] and not hub.requests(WRITES)
