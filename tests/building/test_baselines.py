"""`build --baselines`: the scores get into card and manifest, no row changes, and they leave when the rows do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import CallError

from ..card.test_baselines import SCORES
from ..conftest import many_posts, run_newsdata, write_archive


def scores_of(out: Path, path: Path, **changes: Any) -> Path:
    facts = newsdata.info(out)
    own = {"version": facts["version"], "content": facts["frozen_digest"]}
    path.write_text(json.dumps({**SCORES, **own, **changes}), "utf-8")
    return path


def card(made: newsdata.Build) -> str:
    return (made.path / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_scores_stay_until_rows_change(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(12)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    assert "## Baselines" not in card(first) and first.manifest.baselines is None
    scores = scores_of(out, tmp_path / "scores.json")
    made = newsdata.build(archive, out, baselines=scores, num_proc=1)
    assert (made.version, made.manifest.shards) == ("1.0.1", first.manifest.shards)
    assert made.manifest.baselines == json.loads(scores.read_text("utf-8")) and "0.500 (0.250 to 0.750)" in card(made)
    assert newsdata.verify(out).faults == ()
    assert not newsdata.build(archive, out, baselines=scores, num_proc=1).created
    assert not newsdata.build(archive, out, num_proc=1).created

    write_archive(archive, many_posts(2, start_day=20))  # after the test: its rows are as before
    later = newsdata.build(archive, out, num_proc=1)
    assert later.version == "1.1.0" and later.manifest.baselines == made.manifest.baselines
    assert "on version 1.0.0" in card(later) and "the rows of this version" in card(later) and not later.notes

    files = many_posts(12)
    path = min(files)
    write_archive(archive, {path: files[path].replace("报".encode(), "表".encode(), 1)})
    changed = newsdata.build(archive, out, num_proc=1)
    assert changed.version == "2.0.0" and changed.manifest.baselines is None and "## Baselines" not in card(changed)
    assert any("of other rows" in note for note in changed.notes)
    with pytest.raises(CallError, match=r"measured on version 1\.0\.0, which has other rows"):
        newsdata.build(archive, out, baselines=scores, num_proc=1)


@pytest.mark.slow
def test_scores_of_the_full_rows_fit_a_version_without_text(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(6))
    newsdata.build(archive, tmp_path / "full", num_proc=1)
    scores = scores_of(tmp_path / "full", tmp_path / "scores.json")
    done = run_newsdata("build", archive, tmp_path / "out", "--text", "none", "--baselines", scores)
    assert done.returncode == 0, done.stderr
    assert "the rows of this version" in (tmp_path / "out" / "1.0.0" / "README.md").read_text("utf-8")
    scores.write_text("{}", "utf-8")
    failed = run_newsdata("build", archive, tmp_path / "out", "--baselines", scores)
    assert failed.returncode == 2 and "cannot be read" in failed.stderr and "Traceback" not in failed.stderr
