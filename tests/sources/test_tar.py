"""tar: read as `tarfile` reads it; hostile, damaged and truncated ones do no harm and are reported."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import subprocess
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.sources.tar import tar_members

from ..source_files import Opened, opened_archive, refused, tar_of, tar_with, zstd


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


def test_members_that_are_not_files_are_rejected(unpack: Callable[[bytes], Opened]) -> None:
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
    assert found.listing.folders == {"_posts/link"}


def test_names_that_are_not_utf_8_are_rejected(unpack: Callable[[bytes], Opened]) -> None:
    found = unpack(tar_of({"_posts/\udcff.md": b"x", "b.md": b"b"}, format=tarfile.GNU_FORMAT))
    assert found.read == {"b.md": b"b"} and found.rules == [("_posts/\\xff.md", "path-not-utf-8")]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress, zstd])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.8])
def test_a_truncated_tar_is_refused(
    pack: Callable[[bytes], bytes], part: float, tmp_path: Path, unpack: Callable[[bytes], Opened]
) -> None:
    tar = tar_of({f"_posts/{number}.md": os.urandom(2000) for number in range(20)})
    packed = pack(tar)
    refused(unpack, packed[: int(len(packed) * part)], "(truncated|damaged).* member", tmp_path)
    refused(unpack, pack(tar[: 2048 + 2048 + 512]), "truncated: it ends after 1 whole members", tmp_path)


def test_a_tar_without_end_or_with_data_after_its_end_is_refused(
    tmp_path: Path, unpack: Callable[[bytes], Opened]
) -> None:
    whole = tar_of({"a.md": b"a"})
    refused(unpack, whole[:1024], "truncated: it ends after 1 whole members and 1,024", tmp_path)
    refused(unpack, whole + tar_of({"b.md": b"b"}), "more data after the end", tmp_path)
    # A damaged header in the middle, where `tarfile` stops silently.
    damaged = bytearray(tar_of({"a.md": b"a", "b.md": b"b"}))
    damaged[1024] ^= 1
    with tarfile.open(fileobj=io.BytesIO(damaged)) as tar:
        assert tar.getnames() == ["a.md"]
    refused(unpack, bytes(damaged), "damaged after 1 members", tmp_path)


def test_sparse_members_are_rejected(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
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


NAMES = st.text(st.characters(exclude_characters="\0/"), min_size=1, max_size=130).filter(
    lambda name: (
        name not in (".", "..", ".git") and len(name.encode("utf-8", "surrogateescape")) < 256
        if not any("\ud800" <= letter <= "\udfff" for letter in name)
        else False
    )
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.lists(NAMES, min_size=1, max_size=4).map("/".join), st.binary(max_size=1100), max_size=6),
    st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]),
)
def test_a_tar_is_read_as_tarfile_reads_it(files: dict[str, bytes], format: int) -> None:
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
    found = dict(tar_members(io.BytesIO(data), len(data), "x"))
    assert found == expected == {path.encode(): content for path, content in files.items()}


def test_a_long_chain_of_headers_is_read(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
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
