"""Odd things in the place of cached files, of the lock or of the staging folder: the same bytes, or one clear error."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import MachineError

from ..conftest import many_posts, write_archive
from .edited_archive import digests

Put = Callable[[Path], object]


def put_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made, tempfile.TemporaryDirectory() as short:  # its path must be short
        made.bind(f"{short}/s")
        Path(f"{short}/s").rename(place)


def put_holes(place: Path) -> None:
    with place.open("wb") as file:
        file.truncate(1 << 40)


def put_full_folder(place: Path) -> None:
    (place / "inside").mkdir(parents=True)
    (place / "file").write_text("x")


ODD: dict[str, Put] = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "full folder": put_full_folder,
    "endless": lambda place: place.symlink_to("/dev/zero"),
    "link": lambda place: place.symlink_to("/etc/hosts"),
    "loop": lambda place: place.symlink_to(place.name),
    "nowhere": lambda place: place.symlink_to("nothing"),
    "empty": Path.touch,
    "zeros": lambda place: place.write_bytes(bytes(100)),
    "deep": lambda place: place.write_bytes(b"[" * 100_000),
    "holes": put_holes,
    "socket": put_socket,
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, str]]:
    """An archive that changed since its version was built, the folder of versions, and what the next one must be."""
    root = tmp_path_factory.mktemp("odd")
    posts = many_posts(30)
    archive = write_archive(root / "archive", posts)
    newsdata.build(archive, root / "out", num_proc=1)
    newest = max(posts)
    write_archive(archive, {newest: posts[newest] + "\n又添一句。\n".encode()})
    shutil.copytree(root / "out", root / "other")
    return archive, root / "out", digests(newsdata.build(archive, root / "other", num_proc=1, cache=False).path)


def kinds_of_entries(out: Path) -> list[str]:
    """One entry of the cache for each stage and kind of file, and the other places in the work folder."""
    kinds = {(e.name.partition("-")[0], e.name.partition(".")[2]): e.name for e in (out / ".newsdata/cache").iterdir()}
    return [*(f"cache/{name}" for name in kinds.values()), "cache/unknown", "staging"]


def check(built: tuple[Path, Path, dict[str, str]], tmp_path: Path, entry: str, odd: str) -> None:
    archive, before, expected = built
    out = tmp_path / "out"
    shutil.copytree(before, out)
    place = out / ".newsdata" / entry
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    ODD[odd](place)
    assert digests(newsdata.build(archive, out, num_proc=1).path) == expected
    shutil.rmtree(out)


@pytest.mark.parametrize("odd", ODD)
def test_a_cached_file_that_is_odd_is_made_anew(
    built: tuple[Path, Path, dict[str, str]], tmp_path: Path, odd: str
) -> None:
    entries = kinds_of_entries(built[1])
    check(built, tmp_path, entries[list(ODD).index(odd) * 5 % len(entries)], odd)


@pytest.mark.slow
@pytest.mark.parametrize("odd", ODD)
def test_every_kind_of_cached_file(built: tuple[Path, Path, dict[str, str]], tmp_path: Path, odd: str) -> None:
    for entry in kinds_of_entries(built[1]):
        check(built, tmp_path, entry, odd)


@pytest.mark.parametrize("odd", sorted(ODD.keys() - {"empty", "zeros", "deep", "holes"}))
@pytest.mark.parametrize("name", ["lock", ""])
def test_a_lock_or_work_folder_that_is_odd_is_an_error(
    built: tuple[Path, Path, dict[str, str]], tmp_path: Path, odd: str, name: str
) -> None:
    if not name and "folder" in odd:
        return  # a work folder may hold anything
    place = tmp_path / "out" / ".newsdata" / name
    place.parent.mkdir(parents=True)
    ODD[odd](place)
    with pytest.raises(MachineError, match=r"newsdata(/lock)?: is (a link|no regular file|no folder); remove it"):
        newsdata.build(built[0], tmp_path / "out", num_proc=1)
    shutil.rmtree(tmp_path / "out")
