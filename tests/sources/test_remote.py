"""Addresses: HTTP, S3 and other fsspec file systems."""

from __future__ import annotations

import contextlib
import gzip
import importlib
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec
import pytest

from newsdata.errors import SourceError
from newsdata.sources.source import open_source

from ..conftest import s3_server
from ..source_files import SITE, Opened, tar_of, write, zip_of


def test_an_address_gives_the_same_files_as_its_folder(tmp_path: Path) -> None:
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
    assert {file.suffix for file in (tmp_path / "scratch").iterdir()} == {".unpacked", ".index"}
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


@pytest.mark.slow
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


def test_a_missing_driver_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.setitem(sys.modules, "obstore", None)
    monkeypatch.delitem(importlib.import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(SourceError, match=r"pip install 'newsdata\[s3\]'"):
        open_source("s3://bucket/a.tar", scratch=tmp_path)


@pytest.mark.slow
def test_s3(tmp_path: Path) -> None:
    with s3_server("bucket"):
        s3 = fsspec.filesystem("s3")
        files = {path: data for path, data in SITE.items() if "\n" not in path}  # the server cannot store it
        s3.pipe({f"bucket/site/{path}": data for path, data in files.items()})
        s3.pipe_file("bucket/site/folder/", b"")
        s3.pipe_file("bucket/site.zip", zip_of(files))
        for spec in ("s3://bucket/site", "s3://bucket/site/", "s3://bucket/site.zip"):
            assert Opened(spec, tmp_path).read == files, spec
        with pytest.raises(SourceError, match="nothing at this address"):
            open_source("s3://bucket/no.zip", scratch=tmp_path)
