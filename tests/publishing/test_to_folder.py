"""Publishing to folders and buckets."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdata.errors import CallError, HubError, VersionError
from newsdata.publishing.plan import Plan
from newsdata.publishing.publish import plan, publish
from newsdata.publishing.to_folder import open_store

from ..conftest import s3_server
from ..versions import make_version
from .sending import SMALL, files_in


@pytest.fixture(params=["path", "file://", "memory://", "s3://"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty folder or bucket prefix."""
    if request.param == "path":
        return str(tmp_path / "public")
    if request.param == "file://":
        return f"file://{tmp_path}/public"
    if request.param == "memory://":
        return f"memory://{tmp_path.name}/public"
    return f"s3://{request.getfixturevalue('bucket')}/{tmp_path.name}"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    with s3_server("datasets"):
        yield "datasets"


def read(place: str, path: str) -> bytes:
    import fsspec

    with fsspec.open(f"{place}/{path}", "rb") as file:
        data = file.read()
    assert isinstance(data, bytes)
    return data


def write(place: str, path: str, data: bytes) -> None:
    import fsspec

    system, root = fsspec.core.url_to_fs(place)
    if not place.startswith("s3://"):
        system.makedirs(f"{root}/{path}".rpartition("/")[0], exist_ok=True)
    system.pipe_file(f"{root}/{path}", data)


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


def test_addresses_that_cannot_be_used(made: Path, tmp_path: Path, bucket: str) -> None:
    with pytest.raises(CallError, match="cannot be used"):
        publish(made, "nonsense://place", full_text=True)
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


def test_a_missing_driver_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(importlib.import_module("fsspec.registry")._registry, "s3", raising=False)
    with pytest.raises(CallError, match=r"cannot be used: .*; pip install 'newsdata\[s3\]'"):
        open_store("s3://bucket/news")
