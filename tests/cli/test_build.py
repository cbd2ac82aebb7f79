"""The command `build`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsdata.building.build import STAGES

from ..conftest import many_posts, post, run_newsdata, write_archive


@pytest.mark.slow
def test_json_of_a_build(tmp_path: Path) -> None:
    built = run_newsdata("build", "examples/archive", tmp_path / "out", "--json")
    assert built.returncode == 0, built.stderr
    answer = json.loads(built.stdout)
    assert set(answer["stages"]) == set(STAGES)
    assert all(stage.keys() == {"seconds", "rows", "tasks", "ran", "found"} for stage in answer["stages"].values())
    again = run_newsdata("build", "examples/archive", tmp_path / "out")
    assert again.returncode == 0 and "Nothing changed" in again.stdout
    lower = run_newsdata("build", "examples/archive", tmp_path / "out", "--version", "0.9.0")
    assert lower.returncode == 2 and "not higher" in lower.stderr and "Traceback" not in lower.stderr


def test_the_summary_adds_up(tmp_path: Path) -> None:
    files = many_posts(10) | {f"_posts/2022-03-01-{n}.md": b"" for n in range(5)}
    archive = write_archive(tmp_path / "in", files)
    told = run_newsdata("build", archive, tmp_path / "out").stdout.splitlines()
    assert told[0].startswith(f"Built {tmp_path / 'out' / '1.0.0'} in ")
    assert told[1:3] == [
        "          36 files = 30 posts + 5 rejects + 1 ignored",
        "          30 posts = 30 articles + 0 merged into one of them",
    ]
    assert [line.split()[0] for line in told[3:6]] == ["train", "validation", "test"]
    assert "    rejected   5 files: empty" in told
    assert sum("_posts/2022-03-01-" in line for line in told) == 3 and any("and 2 more" in line for line in told)
    assert told[-1] == f"Look at it: newsdata explore {tmp_path / 'out'}"


@pytest.mark.slow
def test_quiet_is_one_line(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(10))
    told = run_newsdata("build", archive, tmp_path / "out", "--quiet")
    assert told.stdout.splitlines() == [
        f"built {tmp_path / 'out' / '1.0.0'}: 31 files, 30 posts, 30 articles, 0 rejects, 1 ignored, 0 excluded"
    ]
    assert told.stderr == ""
    again = run_newsdata("build", archive, tmp_path / "out", "--quiet").stdout
    assert again == told.stdout.replace("built ", "unchanged ")


@pytest.mark.slow
def test_one_of_a_kind_is_told_as_one(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {"_posts/2022-03-01-a.md": post(), "_posts/2022-03-02-b.md": b""}, None)
    told = run_newsdata("build", archive, tmp_path / "out").stdout
    assert "2 files = 1 post + 1 reject + 0 ignored" in told
    assert "1 post = 1 article + 0 merged" in told and "rejected   1 file: empty" in told
    assert "train   1 article, " in told
    write_archive(archive, {"_posts/2022-03-03-c.md": post(date="2022-03-03")}, None)
    told = run_newsdata("build", archive, tmp_path / "out").stdout
    assert "minor   since 1.0.0: 1 row added to train; 1 row of posts added" in told
    assert "; 1 row of posts added" in (tmp_path / "out" / "1.1.0" / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_a_card_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    card = tmp_path / "mine.md"
    for text, why in (("# My courier\n", "no YAML header"), ("---\nlicense: mit\n", "mine.md")):
        card.write_text(text, encoding="utf-8")
        done = run_newsdata("build", "examples/archive", tmp_path / "out", "--card", card)
        assert done.returncode == 2 and "mine.md" in done.stderr and why in done.stderr, done.stderr
        assert "dataset_card.md:" not in done.stderr
