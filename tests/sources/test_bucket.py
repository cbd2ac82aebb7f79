"""A folder in an object store as a source: read in place, by stamps, with whatever the store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import MachineError, SourceError
from newsdata.objects import Objects
from newsdata.schema import Reject
from newsdata.sources.source import list_files, open_in_place, open_source, read_file, read_files

from ..building.edited_archive import digests
from ..conftest import many_posts, write_archive
from ..objects_server import Faults, ObjectStoreServer
from ..source_files import tar_of

FILES = {
    "_config.yml": b"timezone: Asia/Shanghai\n",
    "_posts/b.md": b"b" * 99,
    "_posts/新.md": "新".encode(),
    "a.md": b"",
}


@pytest.fixture(params=["s3", "gs"])
def site(request: pytest.FixtureRequest, server: ObjectStoreServer) -> Objects:
    return filled(Objects(url=f"{server.bucket(request.param)}/the site"), FILES)


def filled(folder: Objects, files: dict[str, bytes]) -> Objects:
    for path, data in files.items():
        folder.put(path, data)
    return folder


def content(source: Any) -> dict[str, bytes | Reject]:
    return {file.path: data for file, data in read_files(source, list_files(source).files)}


@pytest.mark.slow
def test_it_is_read_in_place(site: Objects, tmp_path: Path) -> None:
    for url in (site.url, f"{site.url}/"):
        source = open_source(url, scratch=tmp_path / "scratch")
        assert source == open_in_place(url) and (source.kind, source.root) == ("bucket", site.url)
        assert content(source) == FILES
    assert not (tmp_path / "scratch").exists()
    assert list_files(source).files.path.to_pylist() == sorted(FILES)
    assert read_file(source, "_config.yml") == FILES["_config.yml"] and read_file(source, "none.yml") is None
    listed = {file.path: file.stamp for file in list_files(source).files}
    assert all(stamp.startswith("etag:") for stamp in listed.values())
    site.put("_posts/b.md", b"c" * 99)
    assert {p for p, stamp in listed.items() if stamp not in list_files(source).files.stamp.to_pylist()} == {
        "_posts/b.md"
    }


def test_what_changes_while_it_is_read_is_a_reject(site: Objects) -> None:
    source = open_in_place(site.url)
    assert source
    files = list_files(source).files
    site.put("_posts/b.md", b"c" * 99)
    site.put("_posts/新.md", b"longer than it was")
    site.delete(["a.md"])
    found = {file.path: data for file, data in read_files(source, files)}
    assert {path: data.reason for path, data in found.items() if isinstance(data, Reject)} == {
        "_posts/b.md": "the file changed while it was read",
        "_posts/新.md": "the file changed while it was read",
        "a.md": "the file vanished while it was read",
    }


@pytest.mark.slow
def test_what_is_no_file_of_the_site(server: ObjectStoreServer, monkeypatch: pytest.MonkeyPatch) -> None:
    site = filled(Objects(url=f"{server.bucket()}/site"), {**FILES, ".git/HEAD": b"x", "out/1.0.0/README.md": b"x"})
    bucket = site.url.split("/")[2]
    assert server.ask("PUT", f"/{bucket}/site/folder/")[0] == 200  # as consoles make them
    source = open_in_place(site.url, exclude=f"{site.url}/out/")
    assert source and source.exclude == "out" and list_files(source).files.path.to_pylist() == sorted(FILES)
    monkeypatch.setattr("newsdata.sources.folder_walk.MAX_FILE_BYTES", 50)
    assert [reject.rule for reject in list_files(source).rejects] == ["too-large"]
    with pytest.raises(SourceError, match="the output folder is the source itself"):
        open_in_place(site.url, exclude=site.url)
    assert server.ask("PUT", f"/{bucket}/site/_posts/%07.md", b"x")[0] == 200
    with pytest.raises(MachineError, match="lists a name that no object may have"):
        list_files(source)


@pytest.mark.slow
def test_what_is_not_there(server: ObjectStoreServer, tmp_path: Path) -> None:
    bucket = server.bucket()
    with pytest.raises(SourceError, match="there is nothing at this address"):
        open_source(f"{bucket}/nothing", scratch=tmp_path)
    with pytest.raises(MachineError, match="there is no such bucket"):
        open_source("s3://no-such-bucket-of-ours/x", scratch=tmp_path)


@pytest.mark.slow
def test_an_archive_in_a_bucket_is_unpacked(server: ObjectStoreServer, tmp_path: Path) -> None:
    bucket = Objects(url=server.bucket())
    bucket.put("site.tar", tar_of(FILES))
    assert open_in_place(f"{bucket.url}/site.tar") is None
    assert content(open_source(f"{bucket.url}/site.tar", scratch=tmp_path)) == FILES


@pytest.mark.slow
def test_a_build_from_a_bucket_is_the_build_from_a_folder(server: ObjectStoreServer, tmp_path: Path) -> None:
    files = many_posts(12)
    site = Objects(url=f"{server.bucket()}/site")
    for number, some in enumerate((dict(list(files.items())[:30]), files)):
        archive = write_archive(tmp_path / "site", some)
        filled(site, {path.relative_to(archive).as_posix(): path.read_bytes() for path in archive.rglob("*.*")})
        server.requests.clear()
        here = newsdata.build(archive, tmp_path / "folder", num_proc=1)
        there = newsdata.build(site.url, tmp_path / "bucket", num_proc=1)
        assert there.created and digests(here.path) == digests(there.path)
        read = {found.path for found in server.requests if found.method == "GET" and found.path.endswith(".md")}
        assert len(read) == (30, 6)[number], "only what is new is read"
    server.requests.clear()
    server.faults = Faults(lose_every=0, fail_every=4)
    again = newsdata.build(site.url, tmp_path / "bucket", num_proc=1)
    server.faults = Faults()
    assert not again.created and not [
        found for found in server.requests if found.path.endswith(".md") and found.method == "GET"
    ]
    both = newsdata.build(site.url, f"{site.url}/out", num_proc=1)
    assert both.manifest.source == again.manifest.source
    assert not newsdata.build(site.url, f"{site.url}/out", num_proc=1).created
    with pytest.raises(SourceError, match="lies among the source's posts"):
        newsdata.build(site.url, f"{site.url}/_posts/out", num_proc=1)


@pytest.mark.slow
def test_the_folder_above_a_site_is_named(server: ObjectStoreServer, tmp_path: Path) -> None:
    above = Objects(url=server.bucket())
    files = many_posts(2)
    filled(above.inside("site"), files)
    with pytest.raises(SourceError) as error:
        newsdata.build(above.url, tmp_path / "out", num_proc=1)
    assert f"give {above.url}/site" in str(error.value)
