"""Every kind of task can be read from a plan: its data comes back as it was, whatever the source and the options."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.building.stages import versions
from newsdata.building.stages.functions import FUNCTIONS

from ...conftest import many_posts, post, write_archive
from ...source_files import git
from ..edited_archive import digests
from ..executors import Planned

CONFIG = """
timezone: Asia/Shanghai
exclude: [drafts, "*.bak"]
defaults:
  - scope: {path: "", type: posts}
    values: {categories: [a, "no", no], lang: zh, date: 2022-01-01, author: {name: ~}}
"""


def test_a_stage_has_a_function() -> None:
    """`list` writes down what it found itself; it is no task that a worker runs."""
    assert set(FUNCTIONS) == {versions.stage_of(kind) for kind in versions._VERSIONS if kind != "list"}


def repository(place: Path) -> Path:
    """A repository whose history has an edit; with a reject, ids of its own and defaults."""
    files = many_posts(14, per_day=2)
    files["_posts/2022-03-02-202203020000000099.md"] = b""
    files["_posts/2022-03-03-note.md"] = files["_posts/2022-03-03-note.html"] = post(title="\u6ce8")
    archive = write_archive(place, files | {"_config.yml": CONFIG.encode()}, timezone=None)
    git(archive, "init", "-q", "-b", "main")
    for word in ("\u5382", "\u6e2f"):
        (archive / "_posts/2022-03-04-note.md").write_bytes(post(title=word))
        git(archive, "add", "-A")
        git(archive, "-c", "user.name=n", "-c", "user.email=n@example.org", "commit", "-qm", word)
    return archive


@pytest.mark.slow
def test_the_data_of_every_kind_of_task_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 8)
    archive = repository(tmp_path / "in")
    planned = Planned()
    full = newsdata.build(f"{archive}@HEAD", tmp_path / "full", history=True, executor=planned)
    plain = newsdata.build(f"{archive}@HEAD", tmp_path / "plain", history=True, num_proc=1)
    assert digests(full.path) == digests(plain.path)
    newsdata.redact(tmp_path / "full", "202203050000000001", reason="asked")
    newsdata.build(f"{archive}@HEAD~1", tmp_path / "full", executor=planned)
    newsdata.build(archive, tmp_path / "none", text="none", partitions=2, executor=planned)
    assert {f"{kind}/{versions._VERSIONS[kind]}" for kind in planned.kinds} == set(FUNCTIONS)
