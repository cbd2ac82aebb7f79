"""What a build tells to look at."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli

from ..conftest import many_posts, write_archive


@pytest.mark.parametrize(
    ("gone", "note"),
    [
        (9, None),
        (10, "10 of 60 posts are gone: is the archive complete?"),
        (30, "30 of 60 posts are gone: is the archive complete?"),
        (31, "31 of 60 posts are gone: is this the right archive?"),
    ],
)
def test_posts_that_are_gone_are_told(gone: int, note: str | None, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    for path in sorted((archive / "_posts").iterdir())[:gone]:
        path.unlink()
    write_archive(archive, many_posts(5, start_day=21))
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert [one for one in made.notes if "gone" in one] == ([note] if note else [])


def test_a_few_of_many_posts_and_moved_files_are_no_note(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(37))  # 111 posts
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    there = sorted((archive / "_posts").iterdir())
    for path in there[:11]:
        path.unlink()
    (archive / "_posts" / "new").mkdir()
    for path in there[11:40]:
        path.rename(archive / "_posts" / "new" / path.name)
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).notes == ()


def test_an_empty_train_is_told(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(20)), tmp_path / "out"
    borders = ("--validation-from", "2021-01-01", "--test-from", "2022-03-10")
    told = " ".join(
        CliRunner().invoke(cli, ["build", str(archive), str(out), "--num-proc", "1", *borders]).output.split()
    )
    assert "train no article: none has a date in it, or all of them were excluded" in told
    assert "note train has no article: each one is dated 2021-01-01 or later, or was excluded; --resplit cuts" in told
    write_archive(archive, many_posts(1, start_day=25))
    assert newsdata.build(archive, out, num_proc=1).notes == (), "it was told"
    again = newsdata.build(archive, out, num_proc=1, resplit=True)
    assert not [note for note in again.notes if "train" in note]


def test_articles_without_dates_are_no_train(tmp_path: Path) -> None:
    archive = write_archive(
        tmp_path / "in", {f"_posts/{n}.md": f"---\ntitle: {n}\n---\nText.\n".encode() for n in range(3)}
    )
    notes = newsdata.build(archive, tmp_path / "out", num_proc=1).notes
    assert notes == ("train has no article: each one was excluded; --resplit cuts the splits anew",)
