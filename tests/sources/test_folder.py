"""Folders: links, odd names, files that change or cannot be read."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from newsdata.errors import MachineError, SourceError
from newsdata.schema import Reject
from newsdata.sources.source import list_files, open_source, read_file, read_files

from ..source_files import Opened, write


def test_what_is_not_a_file_is_rejected(tmp_path: Path) -> None:
    root = write(tmp_path / "site", {"_posts/a.md": b"a", ".git/config": b"no", "sub/.git": b"no", "b.md": b"b"})
    outside = write(tmp_path / "outside", {"secret.md": b"secret"})
    (root / "_posts/link.md").symlink_to(outside / "secret.md")
    (root / "_posts/loop.md").symlink_to("loop.md")
    (root / "inside.md").symlink_to("b.md")
    (root / "linked").symlink_to(outside)
    os.mkfifo(root / "_posts/pipe.md")
    (root / "empty").mkdir()
    write(root, {os.fsdecode(b"_posts/\xff.md"): b"x", os.fsdecode(b"\xfe/c.md"): b"x"})
    found = Opened(root, tmp_path)
    assert found.read == {"_posts/a.md": b"a", "b.md": b"b"}
    assert found.rules == [
        ("\\xfe/c.md", "path-not-utf-8"),
        ("_posts/\\xff.md", "path-not-utf-8"),
        ("_posts/link.md", "not-a-file"),
        ("_posts/loop.md", "not-a-file"),
        ("_posts/pipe.md", "not-a-file"),
        ("inside.md", "not-a-file"),
        ("linked", "not-a-file"),
    ]
    assert found.listing.folders == {"_posts/link.md", "_posts/loop.md", "inside.md", "linked"}
    with pytest.raises(SourceError, match="links are not followed"):
        read_file(found.source, "inside.md")
    # The path of the root may be a link.
    (tmp_path / "way").symlink_to(root)
    assert Opened(tmp_path / "way", tmp_path).read == found.read


def test_the_output_folder_is_skipped(tmp_path: Path) -> None:
    root = write(tmp_path / "site", {"a.md": b"a", "out/b.md": b"b", "out2/c.md": b"c", "x/out/d.md": b"d"})
    assert set(Opened(root, tmp_path, root / "out").read) == {"a.md", "out2/c.md", "x/out/d.md"}
    assert set(Opened(root, tmp_path, root / "x/../x/out").read) == {"a.md", "out/b.md", "out2/c.md"}
    assert len(Opened(root, tmp_path, tmp_path / "elsewhere").read) == 4
    assert len(Opened(root, tmp_path, tmp_path).read) == 4
    with pytest.raises(SourceError, match="the source itself"):
        open_source(root, scratch=tmp_path, exclude=root)


def test_a_stamp_tells_that_a_file_was_replaced(tmp_path: Path) -> None:
    root = write(tmp_path / "site", {"a.md": b"a", "b.md": b"b"})
    before = {file.path: file.stamp for file in list_files(open_source(root, scratch=tmp_path)).files}
    status = (root / "a.md").stat()
    assert before["a.md"] == f"{status.st_mtime_ns}:{status.st_ctime_ns}:{status.st_ino}:1"
    (root / "new").write_bytes(b"c")
    os.utime(root / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (root / "new").replace(root / "a.md")  # same size and time
    after = {file.path: file.stamp for file in list_files(open_source(root, scratch=tmp_path)).files}
    assert after["a.md"] != before["a.md"] and after["b.md"] == before["b.md"]


def change_size(path: Path) -> None:
    path.write_bytes(b"longer")


def change_time(path: Path) -> None:
    os.utime(path, ns=(1, 1))


def become_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def become_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lose_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def link_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))
    path.parent.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        change_size,
        change_time,
        Path.unlink,
        become_pipe,
        become_link,
        become_folder,
        lose_folder,
        link_folder,
    ],
)
def test_a_file_that_changes_after_listing_is_rejected(change: Callable[[Path], None], tmp_path: Path) -> None:
    root = write(tmp_path / "site", {"_posts/a.md": b"a", "b.md": b"b", "z/c.md": b"c"})
    source = open_source(root, scratch=tmp_path)
    listing = list_files(source)
    change(root / "_posts/a.md")
    read = {file.path: data for file, data in read_files(source, listing.files)}
    reject = read.pop("_posts/a.md")
    assert isinstance(reject, Reject) and (reject.rule, reject.path, reject.size) == (
        "unreadable",
        "_posts/a.md",
        1,
    )
    assert read == {"b.md": b"b", "z/c.md": b"c"}


def test_a_file_that_changes_while_it_is_read_is_rejected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "site", {"a.md": b"half"})
    source = open_source(root, scratch=tmp_path)
    listing = list_files(source)
    real = os.read

    def read(handle: int, size: int) -> bytes:
        data = real(handle, size)
        (root / "a.md").write_bytes(b"HALF")
        os.utime(root / "a.md", ns=(1, 1))
        return data

    monkeypatch.setattr(os, "read", read)
    ((_, data),) = read_files(source, listing.files)
    assert isinstance(data, Reject) and data.reason == "changed while it was read"


def test_a_file_is_read_whole_from_short_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "site", {"a.md": b"abcdefg"})
    real = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: real(handle, min(size, 2)))
    assert Opened(root, tmp_path).read == {"a.md": b"abcdefg"}


def test_unreadable_files_and_folders_are_reported() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = write(Path(name), {"a.md": b"a", "b.md": b"b", "shut/c.md": b"c"})
        root.chmod(0o755)
        (root / "a.md").chmod(0)
        (root / "shut").chmod(0)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)  # root may read everything
        try:
            found = Opened(root, root / "scratch")
            with pytest.raises(SourceError, match="Permission denied"):
                open_source(root / "shut/x", scratch=root / "scratch")
            with pytest.raises(SourceError, match="Permission denied"):
                list_files(open_source(root / "shut", scratch=root / "scratch"))
            with pytest.raises(SourceError, match="Permission denied"):
                read_file(found.source, "a.md")
            with pytest.raises(MachineError, match="cannot write here"):
                open_source("memory://x", scratch=root / "shut/scratch")
        finally:
            os.seteuid(user)
            (root / "shut").chmod(0o700)
    assert found.rules == [("shut", "unreadable")] and found.listing.folders == {"shut"}
    assert isinstance(found.read["a.md"], Reject) and found.read["b.md"] == b"b"


def test_a_deep_tree_is_read(tmp_path: Path) -> None:
    root = tmp_path / "site"
    root.mkdir()
    here = os.open(root, os.O_RDONLY)
    for level in range(540):
        if level == 500:
            os.close(os.open("deep.md", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        name = "d" if level < 500 else "d" * 100
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("deeper.md", os.O_CREAT | os.O_WRONLY, dir_fd=here))
    os.close(here)
    try:
        found = Opened(root, tmp_path)
    finally:
        subprocess.run(["rm", "-rf", root], check=True)
    assert found.read == {"d/" * 500 + "deep.md": b""}
    assert [rule for _, rule in found.rules] == ["path-unsafe"]  # below 4,096 bytes of path
    assert found.listing.folders == {path for path, _ in found.rules}


def test_a_folder_that_is_gone_is_reported(tmp_path: Path) -> None:
    root = write(tmp_path / "site", {"a.md": b"a"})
    source = open_source(root, scratch=tmp_path)
    files = list_files(source).files
    root.rename(tmp_path / "elsewhere")
    for read in (
        lambda: list_files(source),
        lambda: read_file(source, "a.md"),
        lambda: list(read_files(source, files)),
    ):
        with pytest.raises(SourceError, match="cannot be opened"):
            read()
