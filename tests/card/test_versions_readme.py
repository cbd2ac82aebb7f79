"""The README.md beside the versions: when it is written, and what `datasets` opens with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.card.versions_readme import update_versions_readme
from newsdata.cli.main import cli

from ..conftest import many_posts, write_archive
from ..maintenance.archives import grow
from ..versions import make_version


def rows(loaded: Any) -> dict[str, list[dict[str, Any]]]:
    return {split: part.to_list() for split, part in loaded.items()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def opens_the_same(out: Path, version: str) -> bool:
    """Whether `datasets` without newsdata opens the same rows as newsdata, and both open this version."""
    import datasets

    plain, ours = datasets.load_dataset(str(out)), newsdata.load_dataset(out)
    assert str(plain["train"].info.version) == str(ours["train"].info.version) == version
    assert plain["train"].features == ours["train"].features
    found = rows(ours)
    return rows(plain) == {split: part for split, part in found.items() if part}


@pytest.mark.slow
def test_it_opens_the_newest_good_version(tmp_path: Path) -> None:
    import datasets

    archive, out = grow(tmp_path, 1)
    for number, version in ((1, "1.0.0"), (2, "1.1.0"), (3, "1.2.0")):
        if number > 1:
            write_archive(archive, many_posts(10, start_day=10 * number - 9))
            newsdata.build(archive, out, num_proc=1)
        assert opens_the_same(out, version)
    newsdata.yank(out, revision="1.2.0", reason="half of | March <b>is</b> missing")
    assert opens_the_same(out, "1.1.0")
    assert "- 1.2.0: yanked (half of &#124; March" in (out / "README.md").read_text("utf-8")
    newsdata.yank(out, revision="1.2.0", undo=True)
    assert opens_the_same(out, "1.2.0")
    newsdata.yank(out, revision="1.2.0", reason="half of March is missing")
    newsdata.prune(out, keep=1)
    assert opens_the_same(out, "1.1.0") and "1.0.0" not in (out / "README.md").read_text("utf-8")
    posts = datasets.load_dataset(str(out), "posts", split="posts").to_list()
    assert posts == newsdata.load_dataset(out, "posts", split="posts").to_list()
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()


@pytest.mark.slow
def test_a_build_writes_it_anew_if_it_is_missing_or_stale(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    readme = out / "README.md"
    right = readme.read_bytes()
    (out / "1.1.0" / "yanked.json").write_text('{"reason": "x"}', "utf-8")  # by hand
    made = newsdata.build(archive, out, num_proc=1)
    assert not made.created and b"path: 1.0.0/articles" in readme.read_bytes()
    (out / "1.1.0" / "yanked.json").unlink()
    for damage in (readme.unlink, lambda: readme.write_bytes(right[:-50])):
        damage()
        newsdata.build(archive, out, num_proc=1)
        assert readme.read_bytes() == right
    before = readme.stat()
    newsdata.build(archive, out, num_proc=1)
    assert readme.stat().st_mtime_ns == before.st_mtime_ns and readme.stat().st_ino == before.st_ino


def test_nothing_opens_if_every_version_was_yanked(tmp_path: Path) -> None:
    import datasets

    _, out = grow(tmp_path, 1)
    newsdata.yank(out / "1.0.0", reason="bad")
    with pytest.raises(FileNotFoundError, match="every-version-was-yanked"):
        datasets.load_dataset(str(out))
    assert "Every version was yanked" in (out / "README.md").read_text("utf-8")


@pytest.mark.slow
def test_a_version_without_rows_opens_nothing_of_older_ones(tmp_path: Path) -> None:
    import datasets

    archive, out = write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    for path in (archive / "_posts").iterdir():
        newsdata.redact(out, path.stem[-18:], reason="a request")
    made = newsdata.build(archive, out, num_proc=1)
    assert made.created and not made.manifest.shards
    with pytest.raises(FileNotFoundError, match="no-rows"):
        datasets.load_dataset(str(out))


@pytest.mark.parametrize("kind", ["text", "link", "folder", "binary", "large"])
def test_a_readme_of_somebody_else_stays(kind: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_version(out)
    readme = out / "README.md"
    data = {"binary": b"\xff\xfe", "large": b"x" * (2**20 + 1)}.get(kind, b"# Mine\n")
    if kind == "folder":
        readme.mkdir()
    elif kind == "link":
        (tmp_path / "other").write_bytes(data)
        readme.symlink_to(tmp_path / "other")
    else:
        readme.write_bytes(data)
    note = update_versions_readme(out)
    assert note is not None and note.startswith(f"{readme} is not newsdata's and stays")
    assert readme.is_dir() if kind == "folder" else readme.read_bytes() == data
    assert readme.is_symlink() == (kind == "link") and names(out) == ["1.0.0", "README.md"]


def test_build_says_that_a_readme_is_not_its_own(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out"
    out.mkdir()
    (out / "README.md").write_text("# Mine\n", "utf-8")
    done = CliRunner().invoke(cli, ["build", str(archive), str(out), "--num-proc", "1"])
    assert done.exit_code == 0 and "README.md is not newsdata's" in done.output
    assert (out / "README.md").read_text("utf-8") == "# Mine\n"


def test_it_is_made_only_where_versions_are_built(tmp_path: Path) -> None:
    """A copy of a version may lie in any folder of the user."""
    make_version(tmp_path)
    newsdata.yank(tmp_path / "1.0.0", reason="bad")
    assert names(tmp_path) == ["1.0.0"]
    assert update_versions_readme(tmp_path / "1.0.0") is None and update_versions_readme(tmp_path / "none") is None


def test_what_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    folder = make_version(tmp_path)
    (folder / "manifest.json").write_text("{", "utf-8")
    note = update_versions_readme(tmp_path)
    assert note is not None and "is not up to date" in note and "cannot be read" in note
    assert names(tmp_path) == ["1.0.0"]
