"""Files that somebody else may have put there: what is opened, and what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsdata.files import is_inside, is_regular, open_fresh, open_regular, read_regular, write_whole


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
