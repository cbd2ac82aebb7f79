"""Sources: every kind gives the same files; folders that change, links, odd names."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib
import lzma
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from newsdata.errors import MachineError, SourceError
from newsdata.schema import Reject
from newsdata.sources import folders
from newsdata.sources.source import list_files, open_source, read_file, read_files

from ..conftest import s3_server
from ..source_files import SITE, Opened, git, git_of, opened_archive, refused, tar_of, write, zip_of, zstd


@pytest.fixture
def unpack(tmp_path: Path) -> Callable[[bytes], Opened]:
    return partial(opened_archive, tmp_path)


# --------------------------------------------------------------------------------- one source, many shapes


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
def test_an_archive_is_its_folder(shape: str, top: str, tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    folder = Opened(write(tmp_path / "site", SITE), tmp_path / "scratch")
    assert folder.read == SITE and folder.rules == []
    archive = unpack(SHAPES[shape](SITE, top))
    assert archive.read == SITE and archive.rules == []
    assert archive.listing.notes == ((f"paths are given without the archive's top folder {top}",) if top else ())
    assert read_file(archive.source, "_config.yml") == read_file(folder.source, "_config.yml") == SITE["_config.yml"]
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
        open_source(f"{address.replace('//', '//user:PASSWORD@')}/a.tar.gz?k=SECRET", scratch=tmp_path / "scratch")
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
    monkeypatch.setattr(folders, "MAX_FILE_BYTES", 9)
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


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
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


def strange_folder(root: Path) -> None:
    write(
        root, {"_posts/a.md": b"a", "_posts/新闻.md": b"b", "_posts/n\nn.md": b"c", "out/x.md": b"d", ".git/HEAD": b"e"}
    )
    (root / os.fsdecode(b"\xff.md")).write_bytes(b"")
    (root / "link.md").symlink_to("_posts/a.md")
    os.mkfifo(root / "pipe.md")
    with (root / "large.md").open("wb") as file:
        file.truncate(folders.MAX_FILE_BYTES + 1)


@pytest.mark.parametrize("exclude", [None, "out"])
def test_a_folder_listed_ahead(exclude: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = os.path.realpath(tmp_path / "site")
    strange_folder(Path(root))
    here = folders.list_folder(root, exclude)
    assert here.files.split(b"\0")[::3][:2] == [b"_posts/a.md", b"_posts/n\nn.md"]
    assert {fault.rule for _, fault in here.faults} == {"path-not-utf-8", "not-a-file", "too-large"}
    (tmp_path / "json.py").write_text("raise SystemExit('a module of the working folder')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with folders.listing_ahead(root, exclude):
        with monkeypatch.context() as patch:
            patch.delattr(folders, "Folders")  # this process could not list it
            ahead = folders.list_folder(root, exclude)
        again = folders.list_folder(root, exclude)
    assert ahead[1:] == here[1:] == again[1:] and here.began < ahead.began < again.began


@pytest.mark.parametrize("program", ["/bin/false", "/nowhere", ""])
def test_a_listing_ahead_that_fails(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = os.path.realpath(write(tmp_path / "site", {"a.md": b"a"}))
    monkeypatch.setattr(sys, "executable", program)
    with folders.listing_ahead(root):
        assert folders.list_folder(root).files.split(b"\0")[:2] == [b"a.md", b"1"]


def test_a_listing_ahead_that_nobody_asks_for_is_ended(tmp_path: Path) -> None:
    root = os.path.realpath(write(tmp_path / "site", {"a.md": b"a"}))
    with folders.listing_ahead(root):
        ((_, process),) = folders._ahead.items()
    assert process.poll() is not None and not folders._ahead
    with pytest.raises(FileNotFoundError), folders.listing_ahead(f"{root}/nowhere"):
        folders.list_folder(f"{root}/nowhere")


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


def test_a_spool_that_is_gone(tmp_path: Path, unpack: Callable[[bytes], Opened]) -> None:
    found = unpack(tar_of(SITE))
    Path(found.source.root).write_bytes(b"")
    read = dict(read_files(found.source, found.listing.files))
    assert sum(isinstance(data, Reject) for data in read.values()) == sum(map(bool, SITE.values()))
    Path(found.source.root).unlink()
    with pytest.raises(SourceError, match="gone"):
        list(read_files(found.source, found.listing.files))


def test_s3(tmp_path: Path) -> None:
    with s3_server("bucket"):
        s3 = fsspec.filesystem("s3")
        files = {path: data for path, data in SITE.items() if "\n" not in path}  # which the server cannot store
        s3.pipe({f"bucket/site/{path}": data for path, data in files.items()})
        s3.pipe_file("bucket/site/folder/", b"")
        s3.pipe_file("bucket/site.zip", zip_of(files))
        for spec in ("s3://bucket/site", "s3://bucket/site/", "s3://bucket/site.zip"):
            assert Opened(spec, tmp_path).read == files, spec
        with pytest.raises(SourceError, match="nothing at this address"):
            open_source("s3://bucket/no.zip", scratch=tmp_path)
