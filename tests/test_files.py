"""Files that somebody else may have put there: what is opened, and what is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli
from newsdata.files import expand_home, is_inside, is_regular, open_fresh, open_regular, read_regular, write_whole

from .conftest import many_posts, write_archive


def make(path: Path, kind: str) -> Path:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.with_name("target").write_bytes(b"secret")
        path.symlink_to("target")
    elif kind == "loop":
        path.symlink_to(path.name)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "loop", "device", "missing"])
def test_only_a_regular_file_is_opened(tmp_path: Path, kind: str) -> None:
    place = make(tmp_path / "place", kind)
    assert not is_regular(place)
    with pytest.raises(OSError, match=r"not a regular file|No such file"):
        open_regular(place)


@pytest.mark.parametrize("kind", ["pipe", "folder", "loop", "device"])
def test_a_link_is_followed_to_a_regular_file_only(tmp_path: Path, kind: str) -> None:
    place = make(tmp_path / "place", kind)
    with pytest.raises(OSError, match=r"not a regular file"):
        open_regular(place, follow=True)
    assert read_regular(make(tmp_path / "other", "link"), 100, follow=True) == b"secret"


def test_a_name_with_a_nul_is_an_os_error() -> None:
    with pytest.raises(OSError, match="null"):
        open_regular(Path("a\0b"))
    assert not is_regular(Path("a\0b"))
    assert not is_inside(Path(), Path("a\0b"))


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        read_regular(tmp_path / "a", 4)
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger than 9 bytes"):
        read_regular(tmp_path / "holes", 9)


@pytest.mark.parametrize("kind", ["file", "link", "loop", "pipe", "folder"])
def test_a_fresh_file_follows_and_opens_nothing(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"old") if kind == "file" else make(place, kind)
    with pytest.raises(FileExistsError):
        open_fresh(place)


@pytest.mark.parametrize("kind", ["file", "link", "loop", "pipe", "missing"])
def test_a_whole_file_takes_the_place_of_what_was_there(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "file":
        place.write_bytes(b"old")
    else:
        make(place, kind)
    write_whole(place, b"new")
    assert is_regular(place) and place.read_bytes() == b"new"
    assert not (tmp_path / "target").exists() or (tmp_path / "target").read_bytes() == b"secret"
    assert {p.name for p in tmp_path.iterdir()} <= {"place", "target"}


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    with pytest.raises(OSError):
        write_whole(tmp_path / "place", b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["place"]


def test_what_is_inside_a_folder(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner", tmp_path / "outer"
    inner.mkdir()
    outer.mkdir()
    (outer / "file").touch()
    (inner / "away").symlink_to(outer)
    (inner / "loop").symlink_to("loop")
    (inner / "name").touch()
    assert is_inside(inner, inner / "name")
    for name in ("../outer/file", "away/file", "loop", "away"):
        assert not is_inside(inner, inner / name)


def test_the_cache_of_the_hub_keeps_files_beside_the_snapshot(tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (tmp_path / "blobs" / "deep").mkdir(parents=True)
    for name in ("blobs/one", "blobs/deep/two", "three"):
        (tmp_path / name).touch()
    for name, target in {"one": "../../blobs/one", "two": "../../blobs/deep/two", "three": "../../three"}.items():
        (snapshot / name).symlink_to(target)
    assert [is_inside(snapshot, snapshot / name) for name in ("one", "two", "three")] == [True, False, False]


# ------------------------------------------------------------------------------------------------------- the home folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home folder with an archive, and another folder to work in, which must stay empty."""
    write_archive(tmp_path / "home" / "archive", many_posts(4, per_day=1))
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "home"
    assert not [*(tmp_path / "work").iterdir()]


def test_only_the_beginning_of_a_path_is_the_home_folder(home: Path) -> None:
    assert expand_home("~") == str(home) and expand_home(Path("~/a")) == home / "a"
    for other in ("", "a/~/b", "./~", "s3://~/a", "~nobody-is-called-so/a", Path("a"), None):
        assert expand_home(other) == other


def test_python_takes_paths_below_the_home_folder(home: Path) -> None:
    (home / "card.md").write_text("---\npretty_name: Own words\nlicense: unknown\n---\n# Own words\n")
    made = newsdata.build("~/archive", Path("~/out"), card="~/card.md", num_proc=1)
    assert made.path == home / "out" / "1.0.0" and "Own words" in (made.path / "README.md").read_text("utf-8")
    assert len(newsdata.load_pandas("~/out", split="train")) > 0
    assert newsdata.info("~/out")["version"] == "1.0.0"
    assert newsdata.verify("~/out", recompute=3, source="~/archive").faults == ()
    path = next((home / "archive" / "_posts").iterdir())
    found = newsdata.parse_post(f"~/archive/_posts/{path.name}")
    assert isinstance(found, newsdata.Post)
    assert newsdata.publish("~/out", "~/public", full_text=True).target == f"{home}/public/1.0.0"
    newsdata.redact("~/out", found.article_id, reason="asked for")
    newsdata.yank("~/out/1.0.0", reason="a mistake")
    assert newsdata.prune("~/out", keep=1).kept == ("1.0.0",)


@pytest.mark.slow
def test_versions_without_text_and_datasets_below_the_home_folder(home: Path) -> None:
    newsdata.build("~/archive", "~/free", text="none", num_proc=1)
    assert newsdata.rehydrate("~/free", "~/archive", "~/full", num_proc=1).path == home / "full" / "1.0.0"
    assert newsdata.build("~/archive", "~/next", base="~/full/1.0.0", num_proc=1).version == "1.0.0"
    assert len(newsdata.load_dataset("~/full", split="train")) > 0


def test_commands_take_paths_below_the_home_folder(home: Path) -> None:
    def run(*arguments: str) -> str:
        done = CliRunner().invoke(cli, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    run("build", "~/archive", "~/out", "--num-proc", "1", "--quiet")
    (home / "card.md").write_text("---\npretty_name: Own words\nlicense: unknown\n---\n# Own words\n")
    run("build", "~/archive", "~/out", "--num-proc", "1", "--card=~/card.md", "--base=~/out/1.0.0", "--quiet")
    run("mentions", "~/out", "--csv=~/mentions.csv")
    assert (home / "mentions.csv").read_text("utf-8").startswith("mention_id")
    assert "1.0.1" in run("info", "~/out") and "good" in run("verify", "~/out")
    path = next((home / "archive" / "_posts").iterdir())
    assert path.name[11:29] in run("parse", f"~/archive/_posts/{path.name}")
