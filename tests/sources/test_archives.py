"""Archives: hostile, damaged and truncated ones do no harm, and lose nothing without a word."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import io
import lzma
import os
import stat
import subprocess
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
from newsdata.sources import archives, folders

from ..source_files import SITE, Opened, opened_archive, refused, tar_of, tar_with, zip_of, zstd


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


HOSTILE_NAMES = {
    "../up.md": "path-unsafe",
    "_posts/../../up.md": "path-unsafe",
    "/etc/passwd.md": "path-unsafe",
    "_posts/" + "d/" * 3000 + "a.md": "path-unsafe",
}


def test_hostile_names(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    files = {**SITE, **dict.fromkeys(HOSTILE_NAMES, b"evil")}
    for data in (tar_of(files), tar_of(files, format=tarfile.GNU_FORMAT), zip_of(files)):
        found = unpack(data)
        assert found.read == SITE
        assert sorted(rule for _, rule in found.rules) == sorted(HOSTILE_NAMES.values())
        assert all(reject.size == 4 for reject in found.listing.rejects)
    assert not (tmp_path / "up.md").exists() and not (tmp_path.parent / "up.md").exists()


def test_members_that_are_no_files(unpack: Callable[[bytes], Opened]) -> None:
    members = [(tarfile.TarInfo("top/_posts/a.md"), b"a"), (tarfile.TarInfo("top/.git/config"), b"no")]
    for name, kind in {
        "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE, "char": tarfile.CHRTYPE,
        "block": tarfile.BLKTYPE, "odd": b"Z", "folder": tarfile.DIRTYPE,
    }.items():  # fmt: skip
        member = tarfile.TarInfo(f"top/_posts/{name}")
        member.type, member.linkname = kind, "../../../etc/passwd"
        members.append((member, b""))
    members.append((tarfile.TarInfo("top/_posts/z.md"), b"z"))
    found = unpack(tar_with(*members))
    assert found.read == {"_posts/a.md": b"a", "_posts/z.md": b"z"}
    names = sorted(("block", "char", "hard", "link", "odd", "pipe"))
    assert found.rules == [(f"_posts/{name}", "not-a-file") for name in names]


def test_links_and_odd_names_in_a_zip(unpack: Callable[[bytes], Opened]) -> None:
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


def test_names_that_are_not_utf_8_in_a_tar(unpack: Callable[[bytes], Opened]) -> None:
    found = unpack(tar_of({"_posts/\udcff.md": b"x", "b.md": b"b"}, format=tarfile.GNU_FORMAT))
    assert found.read == {"b.md": b"b"} and found.rules == [("_posts/\\xff.md", "path-not-utf-8")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_with_one_name(unpack: Callable[[bytes], Opened]) -> None:
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


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.8])
def test_truncated_tars(
    pack: Callable[[bytes], bytes], part: float, tmp_path: Path, unpack: Callable[[bytes], Opened]
) -> None:
    tar = tar_of({f"_posts/{number}.md": os.urandom(2000) for number in range(20)})
    packed = pack(tar)
    refused(unpack, packed[: int(len(packed) * part)], "(truncated|damaged).* member", tmp_path)
    refused(unpack, pack(tar[: 2048 + 2048 + 512]), "truncated: it ends after 1 whole members", tmp_path)


def test_a_tar_without_end_or_with_more_after_it(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    whole = tar_of({"a.md": b"a"})
    refused(unpack, whole[:1024], "truncated: it ends after 1 whole members and 1,024", tmp_path)
    refused(unpack, whole + tar_of({"b.md": b"b"}), "more data stands after the end", tmp_path)
    # A damaged header in the middle: `tarfile` would end here without a word.
    damaged = bytearray(tar_of({"a.md": b"a", "b.md": b"b"}))
    damaged[1024] ^= 1
    with tarfile.open(fileobj=io.BytesIO(damaged)) as tar:
        assert tar.getnames() == ["a.md"]
    refused(unpack, bytes(damaged), "damaged after 1 members", tmp_path)


def test_damaged_checksums(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
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


def test_bombs(tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"{number}.md": bytes(20_000) for number in range(10)}
    packed = [gzip.compress(tar_of(files)), lzma.compress(tar_of(files)), zip_of(files)]
    assert [len(unpack(data).read) for data in packed] == [10, 10, 10]
    for name, value, match in (
        ("MAX_MEMBERS", 9, "more than 9 members"),
        ("MAX_TOTAL_BYTES", 100_000, "more than 100,000 bytes"),
        ("RATIO_FREE_BYTES", 100_000, "more than 20 times its size"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(archives, name, value)
            patch.setattr(archives, "MAX_RATIO", 20)
            for data in packed:
                error = refused(unpack, data, match, tmp_path)
                assert error.hint == "unpack it yourself and give the folder"
    # Too large for a post, so it is only run over: the limits hold all the same.
    monkeypatch.setattr(folders, "MAX_FILE_BYTES", 10)
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 100_000)
    refused(unpack, gzip.compress(tar_of({"a.md": bytes(200_000)})), "more than 100,000 bytes", tmp_path)


def test_xz_that_asks_for_much_memory(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    tar = tar_of({"a.md": b"a"})
    greedy = bytearray(lzma.compress(tar, filters=[{"id": lzma.FILTER_LZMA2, "preset": 0}]))
    # The dictionary size stands in the block header, after size, flags, filter id and length.
    assert greedy[14:16] == b"\x21\x01"
    greedy[16] = 38  # 2 GiB
    size = (greedy[12] + 1) * 4
    greedy[12 + size - 4 : 12 + size] = zlib.crc32(greedy[12 : 12 + size - 4]).to_bytes(4, "little")
    refused(unpack, bytes(greedy), "[Mm]emory", tmp_path)
    two = lzma.compress(tar[:700]) + bytes(8) + lzma.compress(tar[700:])
    assert unpack(two).read == {"a.md": b"a"}


def test_sparse_members(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    root = tmp_path / "holes"
    root.mkdir()
    with (root / "holes.md").open("wb") as file:
        for number in range(30):
            file.seek(number * 100_000)
            file.write(b"x" * 4096)
    (root / "z.md").write_bytes(b"z")
    for form in ("gnu", "posix"):
        packed = tmp_path / f"{form}.tar"
        done = subprocess.run(
            ["tar", f"--format={form}", "--sparse", "-cf", packed, "-C", root, "holes.md", "z.md"],
            check=False,
        )
        if done.returncode:
            pytest.skip("no GNU tar here")
        found = unpack(packed.read_bytes())
        assert found.read["z.md"] == b"z"
        assert found.rules == [("holes.md", "unreadable")]


names = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=130).filter(
    lambda name: (
        name not in (".", "..", ".git") and len(name.encode("utf-8", "surrogateescape")) < 256
        if not any("\ud800" <= letter <= "\udfff" for letter in name)
        else False
    )
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.lists(names, min_size=1, max_size=4).map("/".join), st.binary(max_size=1100), max_size=6),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_tars_are_read_as_tarfile_reads_them(files: dict[str, bytes], format: int) -> None:
    try:
        data = tar_of(files, format=format)
    except ValueError:  # a name too long for ustar
        return
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8") as tar:
        expected = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content
            expected[member.name.encode("utf-8", "surrogateescape")] = content.read()
    found = dict(archives._tar_members(io.BytesIO(data), len(data), "x"))
    assert found == expected == {path.encode(): content for path, content in files.items()}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_archives_never_crash(data: st.DataObject) -> None:
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


def test_a_chain_of_headers_is_no_recursion(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 5
    chain = (header.tobuf(tarfile.GNU_FORMAT) + b"a.md\0".ljust(512, b"\0")) * 5000
    assert unpack(chain + tar_of({"short": b"x"})).read == {"a.md": b"x"}
    header.size = 2**21
    refused(unpack, header.tobuf(tarfile.GNU_FORMAT) + bytes(2**22), "damaged", tmp_path)


def test_pax_sizes(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    member = tarfile.TarInfo("a.md")
    member.pax_headers = {"size": "5", "comment": "x" * 600}
    member.size = 5
    data = member.tobuf(tarfile.PAX_FORMAT) + b"12345".ljust(512, b"\0") + bytes(1024)
    assert unpack(data).read == {"a.md": b"12345"}
    for bad in ("-5", "1_0", "x", "9" * 30):
        member.pax_headers = {"size": bad}
        refused(unpack, member.tobuf(tarfile.PAX_FORMAT) + bytes(2048), "damaged|truncated", tmp_path)
