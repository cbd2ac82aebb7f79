"""Another version of a library that shapes bytes: nothing that the old one made is used again."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.building import request

from ..conftest import many_posts
from .edited_archive import as_git


@pytest.mark.parametrize("text", ["full", "none"])
def test_every_shard_is_made_anew(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "_config.yml": b"timezone: Asia/Shanghai\n",
        **many_posts(6),
        "_posts/2022-03-02-bad.md": b"---\n- a\n---\nb",
    }
    source, out = f"{as_git(tmp_path, files)}@HEAD", tmp_path / "out"

    def build() -> newsdata.Build:
        return newsdata.build(source, out, num_proc=1, text=text, max_reject_share=1.0, version=next(versions))

    versions = iter(["1.0.0", "2.0.0", "3.0.0"])
    build()
    same = build()
    assert same.stages["write"]["ran"] == same.stages["history"]["ran"] == same.stages["parse"]["ran"] == 0
    tools = request.installed_tools()
    monkeypatch.setattr(request, "installed_tools", lambda: tools | {"pyarrow": "0.1"})
    other = build()
    for stage in ("parse", "sign", "write", "history"):
        assert other.stages[stage]["tasks"] > 0 and other.stages[stage]["found"] == 0, stage
