"""Sources: every kind of source gives the same files, and a hostile one does no harm."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import importlib
import io
import lzma
import os
import pickle
import resource
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.errors import MachineError, SourceError
from newsdata.reading import archives
from newsdata.reading.sources import Listing, Source, list_files, open_source, read_file, read_files
from newsdata.schema import REJECT_RULES, Reject

SITE = {
    "_config.yml": b"timezone: Asia/Shanghai\n",
    "_posts/2022-03-01-202203010000000001.md": "---\ntitle: 早盘\n---\n<p>开局平稳。</p>\n".encode(),
    "_posts/2022-03-02-空.md": b"",
    "_posts/a\nb.md": b"a line feed in the name",
    "_posts/" + "长" * 84 + ".md": b"a name of 255 bytes",
    "old_post/x/2022-03-01-[1]*?.md": b"\x00\xff" * 700,
    "z.md": b"0" * 512,
}


def write(root: Path, files: dict[str, bytes]) -> Path:
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def tar_of(files: dict[str, bytes], top: str = "", format: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format) as tar:
        for path, data in files.items():
            member = tarfile.TarInfo(top + path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def tar_with(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for member, data in members:
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def zip_of(files: dict[str, bytes], top: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(top + path, data)
    return out.getvalue()


def git(folder: Path, *arguments: str, given: bytes = b"") -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-C", str(folder), *arguments],
        check=True,
        input=given,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.decode().strip()


def git_of(folder: Path, files: dict[str, bytes]) -> Path:
    write(folder, files)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "one")
    return folder


class Opened:
    """A source, its listing and all its bytes."""

    def __init__(self, spec: str | Path, scratch: Path, exclude: Path | None = None) -> None:
        self.source: Source = pickle.loads(pickle.dumps(open_source(spec, scratch=scratch, exclude=exclude)))
        self.listing: Listing = list_files(self.source)
        assert {reject.rule for reject in self.listing.rejects} <= set(REJECT_RULES)
        assert list(self.listing.files) == sorted(self.listing.files, key=lambda file: file.path)
        self.read = {file.path: data for file, data in read_files(self.source, self.listing.files)}
        self.rules = [(reject.path, reject.rule) for reject in self.listing.rejects]


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    def opened(data: bytes) -> Opened:
        (tmp_path / "archive").write_bytes(data)
        return Opened(tmp_path / "archive", tmp_path / "scratch")

    return opened


def refused(unpack: Callable[[bytes], Opened], data: bytes, match: str, tmp_path: Path) -> SourceError:
    scratch = tmp_path / "scratch"
    before = set(scratch.iterdir()) if scratch.exists() else set()
    with pytest.raises(SourceError, match=match) as caught:
        unpack(data)
    assert set(scratch.iterdir()) == before  # nothing is left behind
    return caught.value


# --------------------------------------------------------------------------------- one source, many shapes


def zstd(data: bytes) -> bytes:
    zstandard = pytest.importorskip("zstandard")
    packed: bytes = zstandard.compress(data)
    return packed


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
def test_an_archive_is_its_folder(
    shape: str, top: str, tmp_path: Path, unpack: Callable[[bytes], Opened]
) -> None:
    folder = Opened(write(tmp_path / "site", SITE), tmp_path / "scratch")
    assert folder.read == SITE and folder.rules == []
    archive = unpack(SHAPES[shape](SITE, top))
    assert archive.read == SITE and archive.rules == []
    assert archive.listing.notes == (
        (f"paths are given without the archive's top folder {top}",) if top else ()
    )
    assert (
        read_file(archive.source, "_config.yml")
        == read_file(folder.source, "_config.yml")
        == SITE["_config.yml"]
    )
    assert read_file(archive.source, "nothing") is read_file(folder.source, "nothing") is None


def test_git_is_its_folder(tmp_path: Path) -> None:
    work = git_of(tmp_path / "a@b", SITE)
    git(tmp_path, "clone", "-q", "--bare", str(work), "bare.git")
    commit = git(work, "rev-parse", "HEAD")
    for spec in (tmp_path / "bare.git", f"{tmp_path}/bare.git@main", f"{work}@HEAD", f"{work}@HEAD@{{0}}"):
        found = Opened(spec, tmp_path / "scratch")
        assert found.read == SITE and found.rules == []
        assert found.listing.commit == commit
        assert read_file(found.source, "_config.yml") == SITE["_config.yml"]
        assert read_file(found.source, "_posts") is read_file(found.source, "no") is None
    folder = Opened(work, tmp_path / "scratch")
    assert folder.read == SITE and folder.listing.commit is None


def test_git_sub_folder_and_older_revision(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"site/中/_posts/a.md": b"old", "other.md": b"no"})
    git(work, "tag", "v1")
    write(work, {"site/中/_posts/a.md": b"new"})
    git(work, "commit", "-q", "-am", "two")
    assert Opened(f"{work}@v1:site/中/", tmp_path).read == {"_posts/a.md": b"old"}
    assert Opened(f"{work}@main:site", tmp_path).read == {"中/_posts/a.md": b"new"}
    for bad in ("no", "v1:no", "v1:other.md", "", "-v", "--upload-pack=x", "v1:../x"):
        with pytest.raises(SourceError):
            open_source(f"{work}@{bad}", scratch=tmp_path)


def test_addresses_are_their_folder(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    for path, data in SITE.items():
        memory.pipe_file(f"/site/{path}", data)
    memory.pipe_file("/site.tar.gz", gzip.compress(tar_of(SITE, "top/")))
    write(tmp_path / "si te", SITE)
    (tmp_path / "site.zip").write_bytes(zip_of(SITE))
    for spec in (
        "memory://site",
        "memory://site.tar.gz",
        f"file://{tmp_path}/si te",
        (tmp_path / "si te").as_uri(),
        (tmp_path / "site.zip").as_uri(),
    ):
        found = Opened(spec, tmp_path / "scratch")
        assert found.read == SITE and found.rules == [], spec
    assert {file.suffix for file in (tmp_path / "scratch").iterdir()} == {".spool", ".index"}
    memory.store.clear()


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_http(tmp_path: Path) -> None:
    web = write(tmp_path / "web", {"a.tar.gz": gzip.compress(tar_of(SITE)), "page.html": b"<html>" * 200})
    with serve(web) as address:
        assert Opened(f"{address}/a.tar.gz", tmp_path / "scratch").read == SITE
        with pytest.raises(SourceError, match="nothing at this address") as caught:
            open_source(f"{address}/no.zip?token=SECRET", scratch=tmp_path / "scratch")
        assert "SECRET" not in str(caught.value)
        with pytest.raises(SourceError, match="neither a tar nor a zip") as caught:
            open_source(f"{address}/page.html", scratch=tmp_path / "scratch")
        assert "clone" in str(caught.value)
    with pytest.raises(SourceError, match="cannot be read") as caught:
        open_source(
            f"{address.replace('//', '//user:PASSWORD@')}/a.tar.gz?k=SECRET", scratch=tmp_path / "scratch"
        )
    assert "SECRET" not in str(caught.value) and "PASSWORD" not in str(caught.value)


def test_wrong_specs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "text").write_bytes(b"no archive")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"no archive" * 200))
    for spec, match in {
        "no/such": "no such source",
        "no@such": "no such source",
        "a\0b": "no such source",
        str(tmp_path / "pipe"): "neither a folder nor a file",
        str(tmp_path / "text"): "no tar or zip",
        str(tmp_path / "empty"): "no tar or zip",
        str(tmp_path / "text.gz"): "neither a tar nor a zip",
        "memory://nothing": "nothing at this address",
        "nosuch://x/y": "cannot be read: ValueError: Protocol not known",
        "http://[x/y": "no address",
    }.items():
        with pytest.raises(SourceError, match=match):
            open_source(spec, scratch=tmp_path / "scratch")


def test_a_missing_driver_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(importlib.import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(SourceError, match=r"pip install newsdata\[s3\]"):
        open_source("s3://bucket/a.tar", scratch=tmp_path)


# ----------------------------------------------------------------------------------------------- folders


def test_what_is_no_file_in_a_folder(tmp_path: Path) -> None:
    root = write(
        tmp_path / "site", {"_posts/a.md": b"a", ".git/config": b"no", "sub/.git": b"no", "b.md": b"b"}
    )
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
    with pytest.raises(SourceError, match="links are not followed"):
        read_file(found.source, "inside.md")
    # The root itself may be named by a link.
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


def test_stamps(tmp_path: Path) -> None:
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
def test_a_file_that_changes_after_listing(change: Callable[[Path], None], tmp_path: Path) -> None:
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


def test_a_file_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_short_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = write(tmp_path / "site", {"a.md": b"abcdefg"})
    real = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: real(handle, min(size, 2)))
    assert Opened(root, tmp_path).read == {"a.md": b"abcdefg"}


def test_unreadable_files_and_folders() -> None:
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
    assert found.rules == [("shut", "unreadable")]
    assert isinstance(found.read["a.md"], Reject) and found.read["b.md"] == b"b"


def test_a_deep_tree(tmp_path: Path) -> None:
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


def test_too_large_is_never_read(
    tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 9)
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
        assert [(r.path, r.rule, r.size) for r in found.listing.rejects] == [
            ("_posts/big.md", "too-large", 10)
        ]
    memory.store.clear()


# ----------------------------------------------------------------------------------------------- archives


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
    monkeypatch.setattr(archives, "MAX_FILE_BYTES", 10)
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
    st.dictionaries(
        st.lists(names, min_size=1, max_size=4).map("/".join), st.binary(max_size=1100), max_size=6
    ),
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


# ---------------------------------------------------------------------------------------------------- git


def test_links_and_submodules_in_git(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"_posts/a.md": b"a"})
    (work / "_posts/link.md").symlink_to("/etc/passwd")
    (work / "_config.yml").symlink_to("_posts/a.md")
    git(work, "add", "-A")
    commit = git(work, "rev-parse", "HEAD")
    git(work, "update-index", "--add", "--cacheinfo", f"160000,{commit},theme")
    git(work, "commit", "-q", "-m", "two")
    found = Opened(f"{work}@HEAD", tmp_path)
    assert found.read == {"_posts/a.md": b"a"}
    assert found.rules == [("_config.yml", "not-a-file"), ("_posts/link.md", "not-a-file")]
    assert found.listing.notes == ("submodules left out: 1",)
    with pytest.raises(SourceError, match="links are not followed"):
        read_file(found.source, "_config.yml")


def test_hostile_names_in_git(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    blob = git(work, "hash-object", "-w", "a.md")
    entry = bytes.fromhex(blob)
    raw = b"".join(
        b"100644 " + name + b"\0" + entry for name in (b"..", b".git", b"a.md", b"a.md", b"\xff.md")
    )
    tree = git(work, "hash-object", "-t", "tree", "-w", "--stdin", "--literally", given=raw)
    commit = git(work, "commit-tree", tree, "-m", "hostile")
    found = Opened(f"{work}@{commit}", tmp_path)
    assert found.read == {"a.md": b"a"}
    assert found.rules == [("..", "path-unsafe"), ("\\xff.md", "path-not-utf-8"), ("a.md", "path-taken")]


def test_git_runs_nothing_of_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = git_of(
        tmp_path / "repo", {"a.md": b"real\n", ".gitattributes": b"* filter=f diff=d text eol=crlf\n"}
    )
    write(work, {"evil.md": b"evil\n"})
    git(work, "replace", git(work, "rev-parse", "HEAD:a.md"), git(work, "hash-object", "-w", "evil.md"))
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor", "core.pager", "core.sshCommand", "filter.f.smudge", "filter.f.clean",
        "pager.ls-tree", "diff.d.textconv", "alias.ls-tree", "alias.cat-file", "core.alternateRefsCommand",
    ):  # fmt: skip
        git(work, "config", key, str(trap))
    git(work, "config", "core.hooksPath", str(tmp_path))
    (tmp_path / "post-checkout").symlink_to(trap)
    # The replaced object and settings of the caller's must not show either.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_PAGER", str(trap))
    found = Opened(f"{work}@main", tmp_path)
    assert found.read["a.md"] == b"real\n"
    assert not (tmp_path / "sprung").exists()


def test_a_partial_clone_asks_no_remote(tmp_path: Path) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a", "b.md": b"b"})
    git(work, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", work.as_uri(), "partial.git")
    trap = tmp_path / "trap"
    trap.write_text(f'#!/bin/sh\ntouch {tmp_path}/sprung\nexec git-upload-pack "$@"\n')
    trap.chmod(0o755)
    git(tmp_path / "partial.git", "config", "remote.origin.uploadpack", str(trap))
    git(tmp_path / "partial.git", "config", "protocol.file.allow", "always")
    with pytest.raises(SourceError, match="partial clone"):
        Opened(tmp_path / "partial.git", tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_a_damaged_object_costs_one_file(tmp_path: Path) -> None:
    files = {f"{number}.md": os.urandom(3000) for number in range(5)}
    work = git_of(tmp_path / "repo", files)
    source = open_source(f"{work}@HEAD", scratch=tmp_path)
    listing = list_files(source)
    blobs = {file.path: file.stamp.removeprefix("git:") for file in listing.files}
    for number, damage in ((1, "cut"), (3, "gone")):
        blob = blobs[f"{number}.md"]
        loose = work / ".git/objects" / blob[:2] / blob[2:]
        data = loose.read_bytes()
        loose.unlink()
        if damage == "cut":
            loose.write_bytes(data[: len(data) // 2])
    read = {file.path: data for file, data in read_files(source, listing.files)}
    assert {path for path, data in read.items() if isinstance(data, Reject)} == {"1.md", "3.md"}
    assert {path: data for path, data in read.items() if isinstance(data, bytes)} == {
        path: files[path] for path in ("0.md", "2.md", "4.md")
    }


def open_descriptors() -> int:
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_readers_close_what_they_open(tmp_path: Path) -> None:
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


def test_git_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="git is not installed"):
        open_source(f"{work}@HEAD", scratch=tmp_path)


def test_a_repository_of_another_owner(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    work = git_of(tmp_path / "repo", {"a.md": b"a"})
    for path in (work, *work.rglob("*")):
        os.chown(path, 12345, 12345)
    assert Opened(f"{work}@HEAD", tmp_path).read == {"a.md": b"a"}


def test_a_full_disk(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(tar_of({"a.md": bytes(2**20)}))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**19, before[1]))
    try:
        with pytest.raises(MachineError, match="cannot unpack"):
            open_source(tmp_path / "a.tar", scratch=tmp_path / "scratch")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list((tmp_path / "scratch").iterdir()) == []


def test_zstandard_is_missing(
    tmp_path: Path, unpack: Callable[[bytes], Opened], monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.version_info >= (3, 14):
        pytest.skip("zstd is in the standard library")
    packed = zstd(tar_of(SITE))
    monkeypatch.setitem(sys.modules, "zstandard", None)
    refused(unpack, packed, r"pip install newsdata\[archives\]", tmp_path)


def test_the_locale_does_not_matter(tmp_path: Path) -> None:
    work = git_of(tmp_path / "仓库", SITE)
    (tmp_path / "档.tar").write_bytes(tar_of(SITE))
    code = (
        "import sys, pathlib; from newsdata.reading.sources import *\n"
        "for spec in sys.argv[2:]:\n"
        "    source = open_source(spec, scratch=pathlib.Path(sys.argv[1]))\n"
        "    print(ascii([(f.path, d) for f, d in read_files(source, list_files(source).files)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "scratch", work, f"{work}@HEAD", tmp_path / "档.tar"],
        env={**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().splitlines() == [ascii(sorted(SITE.items()))] * 3


def test_a_spool_that_is_gone(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    found = unpack(tar_of(SITE))
    Path(found.source.root).write_bytes(b"")
    read = dict(read_files(found.source, found.listing.files))
    assert sum(isinstance(data, Reject) for data in read.values()) == sum(map(bool, SITE.values()))
    Path(found.source.root).unlink()
    with pytest.raises(SourceError, match="gone"):
        list(read_files(found.source, found.listing.files))


def test_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    try:
        host, port = server.get_host_and_port()
        for name, value in {
            "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        s3 = fsspec.filesystem("s3", skip_instance_cache=True)
        s3.mkdir("bucket")
        files = {
            path: data for path, data in SITE.items() if "\n" not in path
        }  # which the server cannot store
        s3.pipe({f"bucket/site/{path}": data for path, data in files.items()})
        s3.pipe_file("bucket/site/folder/", b"")
        s3.pipe_file("bucket/site.zip", zip_of(files))
        for spec in ("s3://bucket/site", "s3://bucket/site/", "s3://bucket/site.zip"):
            assert Opened(spec, tmp_path).read == files, spec
        with pytest.raises(SourceError, match="nothing at this address"):
            open_source("s3://bucket/no.zip", scratch=tmp_path)
    finally:
        server.stop()
