"""Sources of every kind: what can be opened, and what holds for all of them."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import fsspec
import pytest

from newsdata.errors import SourceError
from newsdata.sources import folder_walk
from newsdata.sources.source import list_files, open_source, read_files

from ..source_files import SITE, Opened, git_of, opened_archive, tar_of, zip_of


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


def test_a_wrong_spec_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_bytes(b"no archive")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"no archive" * 200))
    for spec, match in {
        "no/such": "no such source",
        "no@such": "no such source",
        f"{tmp_path}@HEAD": rf"{tmp_path} is no git repository; give {tmp_path} to read",
        "a\0b": "no such source",
        str(tmp_path / "pipe"): "neither a folder nor a file",
        str(tmp_path / "text"): "not a tar or zip",
        str(tmp_path / "empty"): "not a tar or zip",
        str(tmp_path / "text.gz"): "neither a tar nor a zip",
        "memory://nothing": "nothing at this address",
        "nosuch://x/y": "cannot be read: ValueError: Protocol not known",
        "http://[x/y": "not a valid address",
    }.items():
        with pytest.raises(SourceError, match=match):
            open_source(spec, scratch=tmp_path / "scratch")


def test_a_file_that_is_too_large_is_rejected_in_every_kind(
    tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_walk, "MAX_FILE_BYTES", 9)
    files = {"_posts/big.md": b"0123456789", "_posts/small.md": b"012345678"}
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for path, data in files.items():
        memory.pipe_file(f"/big/{path}", data)
    work = git_of(tmp_path / "repo", files)
    opened = [unpack(tar_of(files)), unpack(zip_of(files))]
    opened += [Opened(spec, tmp_path) for spec in (work, f"{work}@main", "memory://big")]
    for found in opened:
        assert found.read == {"_posts/small.md": b"012345678"}
        assert [(r.path, r.rule, r.size) for r in found.listing.rejects] == [("_posts/big.md", "too-large", 10)]
    memory.store.clear()


def open_descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_readers_close_their_descriptors(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {f"{number}/a.md": b"a" * 9000 for number in range(50)})
    (tmp_path / "a.zip").write_bytes(zip_of({"a": b"a", "b": b"b"}))
    for spec in (work, f"{work}@HEAD", tmp_path / "a.zip"):
        source = open_source(spec, scratch=tmp_path)
        files = list_files(source).files
        before = open_descriptors()
        for _ in range(3):
            reader = read_files(source, files)
            next(reader)
            reader.close()  # type: ignore[attr-defined]
        assert open_descriptors() == before


@pytest.mark.slow
def test_the_locale_has_no_effect(tmp_path: Path) -> None:
    work = git_of(tmp_path / "仓库", SITE)
    (tmp_path / "档.tar").write_bytes(tar_of(SITE))
    code = (
        "import sys, pathlib; from newsdata.sources.source import *\n"
        "for spec in sys.argv[2:]:\n"
        "    source = open_source(spec, scratch=pathlib.Path(sys.argv[1]))\n"
        "    print(ascii([(f.path, d) for f, d in read_files(source, list_files(source).files)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "scratch", work, f"{work}@HEAD", tmp_path / "档.tar"],
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().splitlines() == [ascii(sorted(SITE.items()))] * 3
