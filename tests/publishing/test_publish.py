"""Where a target leads, and what publishing needs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import newsdata
from newsdata.card.readme import read_card

from ..conftest import ROOT
from ..hub_client import Client, Failed
from ..hub_server import OWNER, READER, STRANGER, Hub
from ..versions import make_version
from .sending import refused, send


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize("named", [True, False])
def test_the_quick_start_of_a_published_card_runs(
    named: bool, hub: Hub, owner: Client, name: str, tmp_path: Path
) -> None:
    card = tmp_path / "card.md"
    header = f"repository: {name}\n" if named else ""
    card.write_text(read_card().replace("pretty_name:", f"{header}pretty_name:"), "utf-8")
    made = newsdata.build(ROOT / "examples/archive", tmp_path / "out", card=card, num_proc=1)
    send(owner, made.path, name)
    environment = os.environ | hub.environment(tmp_path / "home", OWNER) | {"HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    fetch = f"from huggingface_hub import snapshot_download as get; print(get({name!r}, repo_type='dataset'))"
    here = {"env": environment, "capture_output": True, "text": True, "check": False}
    fetched = subprocess.run([sys.executable, "-c", fetch], **here)  # type: ignore[call-overload]
    folder = Path(fetched.stdout.strip())
    section = (folder / "README.md").read_text("utf-8").partition("## Quick start")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3 and (name in section) is named
    script = "\n".join([*blocks, "print(len(train), len(posts), sum(len(r['mentions']) for r in train) > 0)"])
    cwd = tmp_path if named else folder
    done = subprocess.run([sys.executable, "-c", script], cwd=cwd, **here)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("29 44 True\n")
