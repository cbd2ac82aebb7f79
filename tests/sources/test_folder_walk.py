"""Walking a folder: paths that cannot be used, what is listed, and that it needs nothing but the standard library."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.sources import folder_walk
from newsdata.sources.folder_walk import (
    Fault,
    Faults,
    FolderOpener,
    check_path,
    list_folder,
    path_inside,
    read_listed,
    write_listed,
)

from ..source_files import strange_folder, write


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a.md", "a.md"),
        (b"./a//b/./c.md/", "a/b/c.md"),
        ("新闻.md".encode(), "新闻.md"),
        (b"..a/b..", "..a/b.."),
        (b"/a.md", "path-unsafe"),
        (b"a/../b.md", "path-unsafe"),
        (b"a\0b", "path-unsafe"),
        (b"", "path-unsafe"),
        (b"./", "path-unsafe"),
        (b"a" * 4097, "path-unsafe"),
        (b"\xff.md", "path-not-utf-8"),
    ],
)
def test_a_path_is_cleaned_or_has_a_fault(raw: bytes, expected: str) -> None:
    found = check_path(raw)
    assert (found.rule if isinstance(found, Fault) else found) == expected


def test_files_are_sorted_by_path_and_the_rest_has_a_fault(tmp_path: Path) -> None:
    root = strange_folder(tmp_path / "site")
    write(root, {"a/b.md": b"1", "a.md": b"22", "a-b.md": b"333"})
    faults: Faults = []
    found = "\0".join(piece.decode() for piece in list_folder(str(root), "out", faults)).split("\0")
    paths = ["_posts/a.md", "_posts/n\nn.md", "_posts/新闻.md", "a-b.md", "a.md", "a/b.md"]
    assert found[::3] == paths
    assert found[1::3] == ["1", "1", "1", "3", "2", "1"]
    assert sorted((raw, fault.rule) for raw, fault in faults) == [
        (b"large.md", "too-large"),
        (b"link.md", "not-a-file"),
        (b"pipe.md", "not-a-file"),
        (b"\xff.md", "path-not-utf-8"),
    ]


def names_in(folder: int) -> list[str]:
    with os.scandir(folder) as entries:
        return sorted(entry.name for entry in entries)


def test_a_folder_is_opened_from_the_last_one_or_from_the_root(tmp_path: Path) -> None:
    write(tmp_path, {"a/b/c/1": b"", "a/d/2": b"", "ab/3": b""})
    (tmp_path / "link").symlink_to("a")
    with FolderOpener(str(tmp_path)) as opener:
        for path, names in {"a": "bd", "a/b/c": "1", "a/d": "2", "ab": "3", "a/b": "c"}.items():
            handle = opener.open(path.encode())
            assert names_in(handle) == list(names)
            assert opener.open(path.encode()) == handle
        assert names_in(opener.open(b"")) == ["a", "ab", "link"]
        for bad in (b"link", b"a/none", b"a/d/2"):
            with pytest.raises(OSError):
                opener.open(bad)
        assert names_in(opener.open(b"a")) == ["b", "d"]


def test_the_path_inside_a_root(tmp_path: Path) -> None:
    root = os.path.realpath(tmp_path)
    assert path_inside(root, f"{root}/a/../b") == "b"
    assert path_inside(root, root) == "."
    assert path_inside(root, f"{root}/..b") == "..b"
    assert path_inside(root, Path(root).parent) is None


@pytest.mark.slow
@given(
    st.integers(0, 2**63),
    st.lists(st.binary(min_size=1)),
    st.lists(st.tuples(st.binary(), st.builds(Fault, st.text(), st.text(), st.none() | st.integers()))),
)
def test_a_listing_is_read_as_it_was_written(began: int, pieces: list[bytes], faults: Faults) -> None:
    file = io.BytesIO()
    write_listed(file, began, faults, pieces)
    listed = read_listed(file)
    assert (listed.began, listed.faults, [*listed.files]) == (began, faults, pieces)
    for size in range(0, len(file.getvalue()), 7):
        with pytest.raises(ValueError):
            read_listed(io.BytesIO(file.getvalue()[:size]))


def test_the_order_is_that_of_the_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["a", "a.md", "a-b/x", "a/b", "a/b.md", "a0/é", "é/1", "é.md", "b!/c", "b", "b/c"]
    written = [name for name in names if name not in ("a", "b")]
    write(tmp_path, dict.fromkeys(written, b"1"))
    for size in (1, 2, 100):
        monkeypatch.setattr("newsdata.sources.folder_walk._AT_ONCE", size)
        pieces = [*list_folder(str(tmp_path), None, [])]
        assert len(pieces) == -(-len(written) // size)
        assert "\0".join(piece.decode() for piece in pieces).split("\0")[::3] == sorted(written)


def test_only_the_standard_library_is_imported() -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1])\n"
        "print(*(name for name in sys.modules if name.partition('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, folder_walk.__file__], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["__main__"]
