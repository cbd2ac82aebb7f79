"""Publishing to folders and buckets."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from newsdata.errors import CallError, HubError, VerifyError, VersionError
from newsdata.graph.lease import leased
from newsdata.objects import Objects
from newsdata.publishing.plan import Plan
from newsdata.publishing.publish import plan, publish
from newsdata.publishing.to_folder import open_store

from ..objects_server import Faults, ObjectStoreServer
from ..versions import make_version
from .sending import SMALL, files_in


@pytest.fixture(params=["path", "file://", "gs://", "s3://"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty folder or bucket prefix."""
    if request.param == "path":
        return str(tmp_path / "public")
    if request.param == "file://":
        return f"file://{tmp_path}/public"
    server: ObjectStoreServer = request.getfixturevalue("server")
    return f"{server.bucket(request.param.removesuffix('://'))}/{tmp_path.name}"


def read(place: str, path: str) -> bytes:
    data = open_store(place).objects.read(path, 1 << 30)
    assert data is not None
    return data


def write(place: str, path: str, data: bytes) -> None:
    open_store(place).objects.put(path, data)


def test_datasets_opens_the_newest_version_of_a_folder(made: Path, tmp_path: Path) -> None:
    import datasets

    for version in ("1.0.0", "1.1.0"):
        publish(made / version, str(tmp_path / "public"), full_text=True)
        header = (tmp_path / "public" / "README.md").read_text("utf-8")
        assert header.count(f"path: {version}/articles/") == header.count("path: ") > 0
    found = datasets.load_dataset_builder(str(tmp_path / "public"))
    assert str(found.config.version) == "1.1.0"


def test_versions_are_folders_side_by_side(made: Path, place: str) -> None:
    first = publish(made / "1.0.0", place, full_text=True)
    assert first.target == f"{place}/1.0.0" and set(first.sent) == set(files_in(made / "1.0.0"))
    assert first.sent[-1] == "manifest.json" and first.commit is None
    seen: list[Plan] = []

    def agree(found: Plan) -> bool:
        seen.append(found)
        return True

    second = publish(made / "1.1.0", place, full_text=True, confirm=agree)
    assert set(second.sent) == {"articles/newer-2022-02-0000000.parquet"} | SMALL, "the rest is copied over there"
    assert len(seen[0].unchanged) == 4 and seen[0].bytes == second.bytes
    for version in ("1.0.0", "1.1.0"):
        for path in files_in(made / version):
            assert read(place, f"{version}/{path}") == (made / version / path).read_bytes()
        again = publish(made / version, place, full_text=True, confirm=lambda _: False)
        assert again.already and again.sent == ()


def test_a_published_folder_is_never_changed(made: Path, place: str, tmp_path: Path) -> None:
    publish(made / "1.0.0", place, full_text=True)
    other = make_version(tmp_path / "other", note="other")
    with pytest.raises(VersionError, match="published there with other content"):
        publish(other, place, full_text=True)
    assert read(place, "1.0.0/README.md") == (made / "1.0.0/README.md").read_bytes()


def test_an_unfinished_folder_is_finished(made: Path, place: str) -> None:
    """What a killed run leaves: some files, one of them half, and no manifest."""
    write(place, "1.0.0/README.md", (made / "1.0.0/README.md").read_bytes())
    write(place, "1.0.0/ledger.arrow", b"AR")
    write(place, "1.0.0/manifest.json.part", b"{")
    found = plan(made / "1.0.0", place)
    assert found.changed == ("ledger.arrow",) and found.unchanged == ("README.md",) and not found.published
    done = publish(made / "1.0.0", place, full_text=True)
    assert "README.md" not in done.sent and "ledger.arrow" in done.sent
    assert publish(made / "1.0.0", place, full_text=True).already


@pytest.mark.slow
def test_a_damaged_published_file_is_replaced(made: Path, place: str) -> None:
    publish(made / "1.0.0", place, full_text=True)
    write(place, "1.0.0/ledger.arrow", b"x" * len(read(place, "1.0.0/ledger.arrow")))
    assert publish(made / "1.0.0", place, full_text=True).sent == ("ledger.arrow", "manifest.json")
    assert publish(made / "1.0.0", place, full_text=True).already


def test_a_damaged_earlier_version_is_not_copied(made: Path, tmp_path: Path) -> None:
    publish(made / "1.0.0", str(tmp_path), full_text=True)
    (tmp_path / "1.0.0/articles/test-2022-01-0000000.parquet").write_bytes(b"damaged")
    done = publish(made / "1.1.0", str(tmp_path), full_text=True)
    assert "articles/test-2022-01-0000000.parquet" in done.sent
    assert files_in(tmp_path / "1.1.0") == files_in(made / "1.1.0")


def test_a_folder_with_something_else_in_it(made: Path, tmp_path: Path) -> None:
    (tmp_path / "1.0.0").mkdir()
    (tmp_path / "1.0.0/thesis.tex").write_text("mine")
    with pytest.raises(VersionError, match=r"something else: thesis\.tex"):
        publish(made / "1.0.0", str(tmp_path), full_text=True)
    assert [p.name for p in (tmp_path / "1.0.0").iterdir()] == ["thesis.tex"]


def test_nothing_is_sent_without_confirmation(made: Path, tmp_path: Path) -> None:
    with pytest.raises(CallError, match="not confirmed"):
        publish(made / "1.0.0", str(tmp_path / "public"), full_text=True, confirm=lambda _: False)
    assert not (tmp_path / "public").exists()


def test_addresses_that_cannot_be_used(made: Path, tmp_path: Path, server: ObjectStoreServer) -> None:
    for address in ("nonsense://place", "ftp://host/folder", "s3://"):
        with pytest.raises(CallError, match=r"cannot be used; write s3://bucket/folder|this is not the address"):
            publish(made, address, full_text=True)
    with pytest.raises(HubError, match="cannot be read or written"):
        publish(made, "s3://no-such-bucket/finews", full_text=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(HubError, match="cannot be read or written"):
        publish(made, str(tmp_path / "file"), full_text=True)


def test_publishing_onto_itself_changes_nothing(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "out")
    before = files_in(tmp_path / "out")
    assert publish(tmp_path / "out", str(tmp_path / "out"), full_text=True).already
    assert files_in(tmp_path / "out") == before


@pytest.mark.slow
def test_a_store_that_fails(made: Path, server: ObjectStoreServer) -> None:
    place = f"{server.bucket()}/finews"
    server.faults = Faults(fail_every=20, lose_every=5)
    for version in ("1.0.0", "1.1.0"):
        publish(made / version, place, full_text=True)
    for version in ("1.0.0", "1.1.0"):
        there = {path: read(place, f"{version}/{path}") for path in files_in(made / version)}
        assert there == {path: (made / version / path).read_bytes() for path in files_in(made / version)}


def test_what_was_sent_is_read_back(made: Path, server: ObjectStoreServer) -> None:
    objects = Objects(url=f"{server.bucket()}/finews")

    def damage(method: str, path: str) -> None:
        if method == "GET" and path.endswith("ledger.arrow"):
            server.faults = Faults()
            objects.put("1.0.0/ledger.arrow", b"other")

    server.faults = Faults(meanwhile=damage)
    with pytest.raises(VerifyError, match=r"does not hold what was sent \(ledger.arrow\), so it was not published"):
        publish(made / "1.0.0", objects.url, full_text=True)
    assert objects.size("1.0.0/manifest.json") is None


@pytest.mark.slow
def test_two_who_publish_at_once(made: Path, tmp_path: Path, server: ObjectStoreServer) -> None:
    objects = Objects(url=f"{server.bucket()}/finews")
    with leased(objects, "build"), pytest.raises(HubError, match="another build is at work here"):
        publish(made / "1.0.0", objects.url, full_text=True)

    def publish_other(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("manifest.json"):
            server.faults = Faults()
            objects.put("1.0.0/manifest.json", b"{}")

    server.faults = Faults(meanwhile=publish_other)
    with pytest.raises(VersionError, match="published there with other content"):
        publish(made / "1.0.0", objects.url, full_text=True)
    assert objects.read("1.0.0/manifest.json", 10) == b"{}"


@pytest.mark.slow
def test_a_library_that_is_missing_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch, made: Path) -> None:
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(HubError, match=r'not installed; pip install "newsdata\[cluster\]"'):
        publish(made / "1.0.0", "s3://another-bucket/news", full_text=True)
