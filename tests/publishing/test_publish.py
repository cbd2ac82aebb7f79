"""Where a target leads, and what publishing needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..hub_client import Client, Failed
from ..hub_server import OWNER, READER, STRANGER, Hub
from ..versions import make_version
from .sending import refused


def test_full_text_is_sent_only_with_full_text(hub: Hub, owner: Client, made: Path, name: str, tmp_path: Path) -> None:
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
