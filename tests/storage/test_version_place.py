"""No version is written into the folder of another one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import VersionError
from newsdata.objects import Objects
from newsdata.publishing.publish import plan, publish
from newsdata.storage.version_place import check_holds_versions

from ..conftest import ROOT, run_newsdata
from ..objects_server import ObjectStoreServer, upload

ARCHIVE = ROOT / "examples" / "archive"
WHY = r"this is the folder of one version.*; give the folder that holds the versions: "


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def version(demo: Path, tmp_path: Path) -> Path:
    shutil.copytree(demo / "1.0.0", tmp_path / "o ut%" / "1.0.0")
    return tmp_path / "o ut%" / "1.0.0"


def test_nothing_is_written_into_a_version(version: Path, tmp_path: Path) -> None:
    before = entries(version)
    with pytest.raises(VersionError, match=WHY + str(version.parent)):
        newsdata.build(ARCHIVE, version, num_proc=1)
    with pytest.raises(VersionError, match=WHY + str(version.parent)):
        publish(version, str(version), full_text=True)
    with pytest.raises(VersionError, match=WHY + str(version.parent)):
        plan(version, str(version))
    free = newsdata.build(ARCHIVE, tmp_path / "free", text="none", num_proc=1)
    with pytest.raises(VersionError, match=WHY):
        newsdata.rehydrate(free.path, ARCHIVE, version, num_proc=1)
    moved = version.rename(tmp_path / "a version of another name")
    with pytest.raises(VersionError, match=WHY + str(tmp_path)):
        newsdata.build(ARCHIVE, moved, num_proc=1)
    assert entries(moved) == before


def test_regenerate_fetches_nothing_for_a_version(version: Path) -> None:
    before = entries(version)
    done = run_newsdata("regenerate", ARCHIVE, version, "--fetch", "touch fetched")
    assert done.returncode == 2 and "this is the folder of one version" in done.stderr
    assert entries(version) == before and not (ROOT / "fetched").exists()


@pytest.mark.parametrize("other", [b'{"name": "an app"}', b"no json", b"[1]", b"[" * 100_000, None])
def test_the_manifest_of_something_else_does_no_harm(other: bytes | None, tmp_path: Path) -> None:
    if other is None:
        (tmp_path / "manifest.json").mkdir()
    else:
        (tmp_path / "manifest.json").write_bytes(other)
    check_holds_versions(Objects(url=tmp_path.as_uri()), tmp_path)
    named = tmp_path.rename(tmp_path.with_name("2.0.0"))
    with pytest.raises(VersionError, match=WHY):
        check_holds_versions(Objects(url=named.as_uri()), named)
    named.rename(tmp_path)


@pytest.mark.slow
def test_a_version_in_a_bucket(server: ObjectStoreServer, version: Path) -> None:
    out = Objects(url=f"{server.bucket()}/out")
    upload(version, out.inside("1.0.0"))
    inside = f"{out.url}/1.0.0"
    before = dict(out.names())
    with pytest.raises(VersionError, match=WHY + out.url):
        newsdata.build(ARCHIVE, inside, num_proc=1)
    with pytest.raises(VersionError, match=WHY + out.url):
        publish(version, inside, full_text=True)
    done = run_newsdata("regenerate", ARCHIVE, inside)
    assert done.returncode == 2 and f"give the folder that holds the versions: {out.url}" in done.stderr
    assert dict(out.names()) == before
