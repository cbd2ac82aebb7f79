"""Another version of a library that shapes bytes: nothing that the old one made is used again."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.building import request
from newsdata.building.tools import digest_code, installed_tools, shaping_tools

from ..conftest import many_posts, write_archive
from .edited_archive import as_git


@pytest.mark.slow
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
    tools = installed_tools()
    monkeypatch.setattr(request, "installed_tools", lambda: tools | {"pyarrow": "0.1"})
    other = build()
    for stage in ("parse", "sign", "write", "history"):
        assert other.stages[stage]["tasks"] > 0 and other.stages[stage]["found"] == 0, stage


def test_other_code_has_another_digest(tmp_path: Path) -> None:
    """Names and contents count, and nothing but Python files. No other kind of build shows the digest."""
    seen = set()
    write_archive(tmp_path / "a", {"a.py": b"1", "b/c.py": b"2"})
    seen.add(digest_code(tmp_path / "a"))
    write_archive(tmp_path / "b", {"a.py": b"1", "b/c.py": b"2", "b/__pycache__/c.pyc": b"3", "d.txt": b"4"})
    seen.add(digest_code(tmp_path / "b"))
    assert len(seen) == 1
    for number, files in enumerate(({"a.py": b"1"}, {"a.py": b"1", "b/c.py": b"3"}, {"a.py": b"1", "b/d.py": b"2"})):
        write_archive(tmp_path / f"{number}", files)
        seen.add(digest_code(tmp_path / f"{number}"))
    assert len(seen) == 4
    assert shaping_tools()["code of newsdata"] == digest_code(Path(newsdata.__file__).parent)
    assert "code of newsdata" not in installed_tools()
