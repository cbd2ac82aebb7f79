"""Archives of every compression, and zip files: they give the same files as their folder, and damage is reported."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import stat
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.errors import SourceError
from newsdata.sources.source import read_file

from ..source_files import SITE, Opened, opened_archive, refused, tar_of, write, zip_of, zstd


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


SHAPES: dict[str, Callable[[dict[str, bytes], str], bytes]] = {
    "tar": tar_of,
    "tar-gnu": partial(tar_of, format=tarfile.GNU_FORMAT),
    "tar.gz": lambda files, top: gzip.compress(tar_of(files, top)),
    "tar.bz2": lambda files, top: bz2.compress(tar_of(files, top)),
    "tar.xz": lambda files, top: lzma.compress(tar_of(files, top)),
    "tar.zst": lambda files, top: zstd(tar_of(files, top)),
    "zip": zip_of,
}


@pytest.mark.parametrize("top", ["", "finews-main/"])
@pytest.mark.parametrize("shape", SHAPES)
def test_an_archive_gives_the_same_files_as_its_folder(
    shape: str, top: str, tmp_path: Path, unpack: Callable[[bytes], Opened]
) -> None:
    folder = Opened(write(tmp_path / "site", SITE), tmp_path / "scratch")
    assert folder.read == SITE and folder.rules == []
    archive = unpack(SHAPES[shape](SITE, top))
    assert archive.read == SITE and archive.rules == []
    assert archive.listing.notes == ((f"paths are given without the archive's top folder {top}",) if top else ())
    assert read_file(archive.source, "_config.yml") == read_file(folder.source, "_config.yml") == SITE["_config.yml"]
    assert read_file(archive.source, "nothing") is read_file(folder.source, "nothing") is None


def test_links_and_odd_names_in_a_zip_are_rejected(unpack: Callable[[bytes], Opened]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, mode in {
            "link": stat.S_IFLNK,
            "pipe": stat.S_IFIFO,
            "file": stat.S_IFREG,
            "folder": stat.S_IFDIR,
        }.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (mode | 0o644) << 16
            archive.writestr(info, b"/etc/passwd")
        archive.writestr("folder2/", b"")
        archive.writestr("latin.md", b"not UTF-8")
    found = unpack(out.getvalue().replace(b"latin.md", b"lat\xefn.md"))
    assert found.read == {"file": b"/etc/passwd"}
    assert found.rules == [("lat\\xefn.md", "path-not-utf-8"), ("link", "not-a-file"), ("pipe", "not-a-file")]
    assert found.listing.folders == {"link"}


def test_wrong_checksums_are_reported(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    packed = bytearray(gzip.compress(tar_of(SITE)))
    packed[-8] ^= 1
    refused(unpack, bytes(packed), "damaged after 7 members", tmp_path)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as stored:
        stored.writestr("a.md", b"good bytes")
        stored.writestr("b.md", b"more bytes")
    found = unpack(out.getvalue().replace(b"good bytes", b"evil bytes"))
    assert found.read == {"b.md": b"more bytes"} and found.rules == [("a.md", "unreadable")]
    refused(unpack, out.getvalue()[:-30], "zip file is damaged or truncated", tmp_path)
    encrypted = bytearray(out.getvalue())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        encrypted[encrypted.index(mark) + place] |= 1
    assert unpack(bytes(encrypted)).rules == [("a.md", "unreadable")]


def test_an_xz_file_that_asks_for_too_much_memory_is_refused(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    tar = tar_of({"a.md": b"a"})
    greedy = bytearray(lzma.compress(tar, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    # The dictionary size is in the block header, after size, flags, filter id and length.
    assert greedy[14:16] == b"\x21\x01"
    greedy[16] = 38  # 2 GiB
    size = (greedy[12] + 1) * 4
    greedy[12 + size - 4 : 12 + size] = zlib.crc32(greedy[12 : 12 + size - 4]).to_bytes(4, "little")
    refused(unpack, bytes(greedy), "[Mm]emory", tmp_path)
    two = lzma.compress(tar[:700]) + bytes(8) + lzma.compress(tar[700:])
    assert unpack(two).read == {"a.md": b"a"}


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_archive_raises_nothing_but_a_source_error(data: st.DataObject) -> None:
    make = data.draw(
        st.sampled_from(
            [
                tar_of,
                zip_of,
                lambda files: gzip.compress(tar_of(files)),
                lambda files: tar_of(files, "长" * 60),
            ]
        )
    )
    packed = bytearray(make({"_posts/" + "长" * 40: b"abc" * 300, "b": b"\0" * 600}))
    for place, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(packed) - 1), st.integers(0, 255)), min_size=1, max_size=6)
    ):
        packed[place] = value
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "archive").write_bytes(packed)
        with contextlib.suppress(SourceError):
            Opened(Path(name) / "archive", Path(name) / "scratch")


def test_a_missing_zstandard_is_reported(
    tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("zstd is in the standard library")
    packed = zstd(tar_of(SITE))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    refused(unpack, packed, r"pip install 'newsdata\[archives\]'", tmp_path)
