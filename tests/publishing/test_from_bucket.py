"""Publishing versions that lie in a bucket."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from newsdata.errors import CallError, VerifyError, VersionError
from newsdata.objects import Objects
from newsdata.publishing.publish import plan, publish
from newsdata.publishing.yank import yank

from ..objects_server import ObjectStoreServer, upload
from .sending import files_in


@pytest.fixture(autouse=True)
def linked(cache: Path, tmp_path: Path) -> None:
    """The path of what is kept of buckets has a link in it."""
    (tmp_path / "real").mkdir()
    (tmp_path / "home").symlink_to(tmp_path / "real")


@pytest.fixture
def out(server: ObjectStoreServer, made: Path, tmp_path: Path) -> Objects:
    """Two versions in a new bucket."""
    objects = Objects(url=f"{server.bucket()}/{tmp_path.name}")
    upload(made, objects)
    return objects


@pytest.mark.slow
def test_what_arrives_is_what_the_bucket_holds(made: Path, out: Objects, cache: Path, tmp_path: Path) -> None:
    """The newest version, one by its number, and one by its address, in a folder and in a bucket."""
    folder, bucket = tmp_path / "public", f"{out.url}-public"
    assert plan(out.url, str(folder)).version == "1.1.0"
    for source, revision, version in (
        (out.url, None, "1.1.0"),
        (out.url, "1.0.0", "1.0.0"),
        (f"{out.url}/1.0.0", None, "1.0.0"),
    ):
        shutil.rmtree(folder, ignore_errors=True)
        Objects(url=bucket).delete([name for name, _ in Objects(url=bucket).names()])
        for target in (str(folder), bucket):
            assert publish(source, target, revision=revision, full_text=True).version == version
        wanted = {path: (made / version / path).read_bytes() for path in files_in(made / version)}
        assert {path: (folder / version / path).read_bytes() for path in files_in(folder / version)} == wanted
        sent = Objects(url=bucket).inside(version)
        assert {name: sent.read(name, 1 << 30) for name, _ in sent.names()} == wanted
    assert publish(f"{out.url}/1.0.0", str(folder), full_text=True).already
    assert not any((cache / "copies").iterdir()), "the copy is removed"


def test_errors_name_the_bucket(out: Objects, tmp_path: Path) -> None:
    public = str(tmp_path / "public")
    name = next(name for name, _ in out.names("1.0.0/articles"))
    out.put(name, (out.read(name, 1 << 30) or b"")[:-1] + b"?")
    with pytest.raises(VerifyError, match=f"^{out.url}/1.0.0: damaged, so nothing was sent: articles/"):
        publish(out.url, public, revision="1.0.0", full_text=True)
    with pytest.raises(CallError, match=f"^{out.url}/1.1.0: this version holds the full text"):
        publish(out.url, public)
    with pytest.raises(VersionError, match=r"there is no version 2\.0\.0"):
        publish(out.url, public, revision="2.0.0", full_text=True)
    yank(f"{out.url}/1.1.0", reason="wrong")
    with pytest.raises(VersionError, match=f"^{out.url}/1.1.0: 1.1.0 was yanked"):
        publish(f"{out.url}/1.1.0", public, full_text=True)
    assert not (tmp_path / "public").exists()


@pytest.mark.slow
def test_what_is_refused_is_not_fetched_first(out: Objects, tmp_path: Path) -> None:
    public = str(tmp_path / "public")
    kept = ("manifest.json", "yanked.json")
    out.delete([name for name, _ in out.names() if not name.endswith(kept)])
    with pytest.raises(CallError, match=f"^{out.url}/1.1.0: this version holds the full text"):
        publish(out.url, public)
    with pytest.raises(CallError, match="only a repository on the Hub has pull requests"):
        publish(out.url, public, full_text=True, create_pr=True)
    yank(f"{out.url}/1.1.0", reason="wrong")
    with pytest.raises(VersionError, match=f"^{out.url}/1.1.0: 1.1.0 was yanked: wrong"):
        publish(f"{out.url}/1.1.0", public, full_text=True)
