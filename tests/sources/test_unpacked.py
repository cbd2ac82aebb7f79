"""The unpacked file: hostile names, limits, names that are taken, a full disk."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import resource
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from newsdata.errors import MachineError, SourceError
from newsdata.objects import Objects
from newsdata.schema import Reject
from newsdata.sources import folder_walk, unpacked
from newsdata.sources.source import list_files, open_source, read_files

from ..source_files import SITE, Opened, opened_archive, refused, tar_of, tar_with, zip_of


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


HOSTILE_NAMES = {
    "../up.md": "path-unsafe",
    "_posts/../../up.md": "path-unsafe",
    "/etc/passwd.md": "path-unsafe",
    "_posts/" + "d/" * 3000 + "a.md": "path-unsafe",
}


def test_hostile_names_are_rejected(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    files = {**SITE, **dict.fromkeys(HOSTILE_NAMES, b"evil")}
    for data in (tar_of(files), tar_of(files, format=tarfile.GNU_FORMAT), zip_of(files)):
        found = unpack(data)
        assert found.read == SITE
        assert sorted(rule for _, rule in found.rules) == sorted(HOSTILE_NAMES.values())
        assert all(reject.size == 4 for reject in found.listing.rejects)
    assert not (tmp_path / "up.md").exists() and not (tmp_path.parent / "up.md").exists()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_later_counts(unpack: Callable[[bytes], Opened]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.md", b"first")
        archive.writestr("./a.md", b"second")
        archive.writestr("a.md", b"third")
    tar = tar_with(*((tarfile.TarInfo(name), data) for name, data in
                     [("a.md", b"first"), ("./a.md", b"second"), ("a.md", b"third")]))  # fmt: skip
    for data in (out.getvalue(), tar):
        found = unpack(data)
        assert found.read == {"a.md": b"third"}
        assert found.rules == [("a.md", "path-taken")] * 2
        assert {reject.sha256 for reject in found.listing.rejects} == {
            hashlib.sha256(b"first").hexdigest(), hashlib.sha256(b"second").hexdigest()
        }  # fmt: skip


def test_an_archive_above_a_limit_is_refused(
    tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"{number}.md": bytes(20_000) for number in range(10)}
    packed = [gzip.compress(tar_of(files)), lzma.compress(tar_of(files)), zip_of(files)]
    assert [len(unpack(data).read) for data in packed] == [10, 10, 10]
    for name, value, match in (
        ("MAX_MEMBERS", 9, "more than 9 members"),
        ("MAX_TOTAL_BYTES", 100_000, "more than 100,000 bytes"),
        ("RATIO_FREE_BYTES", 100_000, "more than 20 times its size"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(unpacked, name, value)
            patch.setattr(unpacked, "MAX_RATIO", 20)
            for data in packed:
                error = refused(unpack, data, match, tmp_path)
                assert error.hint == "unpack it yourself and give the folder"
    # A file that is too large for a post is skipped, but its bytes count towards the limits.
    monkeypatch.setattr(folder_walk, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(unpacked, "MAX_TOTAL_BYTES", 100_000)
    refused(unpack, gzip.compress(tar_of({"a.md": bytes(200_000)})), "more than 100,000 bytes", tmp_path)


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of({"a.md": bytes(2**20)}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(MachineError, match="cannot unpack"):
            open_source(tmp_path / "a.tar", scratch=tmp_path / "scratch")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_an_unpacked_file_that_is_gone_is_reported(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    found = unpack(tar_of(SITE))
    Path(found.source.root).write_bytes(b"")
    read = dict(read_files(found.source, found.listing.files))
    assert sum(isinstance(data, Reject) for data in read.values()) == sum(map(bool, SITE.values()))
    Path(found.source.root).unlink()
    with pytest.raises(SourceError, match="gone"):
        list(read_files(found.source, found.listing.files))


def test_another_host_reads_the_object_in_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.tar").write_bytes(tar_of({**SITE, "empty.md": b""}))
    here = open_source(tmp_path / "site.tar", scratch=tmp_path / "scratch")
    files = list_files(here).files
    wanted = dict(read_files(here, files))
    bucket = Objects(url=(tmp_path / "bucket").as_uri())
    bucket.put("a.unpacked", Path(here.root))
    there = replace(here, root=str(tmp_path / "nowhere"), remote=f"{bucket.url}/a.unpacked")
    assert dict(read_files(there, files)) == wanted
    monkeypatch.setattr(unpacked, "_BATCH_BYTES", 1)
    assert dict(read_files(there, files.take([*range(len(files))][::-1]))) == wanted
    data = Path(here.root).read_bytes()
    for bad in (data[:-1], data.swapcase()):
        bucket.put("a.unpacked", bad)
        with pytest.raises(SourceError, match="the unpacked archive was changed while the build was at work"):
            list(read_files(there, files))
    bucket.delete(["a.unpacked"])
    with pytest.raises(SourceError, match="the unpacked archive is gone"):
        list(read_files(there, files))
