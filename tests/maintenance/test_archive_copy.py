"""Files of an archive that are there as a version was made from them, and those that are not."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.errors import RehydrateError, SourceError
from newsdata.graph.executors.local import InProcess
from newsdata.maintenance.archive_copy import ArchiveCopy, Missing, compare_archive, read_same
from newsdata.sources.folder_walk import MAX_FILE_BYTES
from newsdata.storage.manifest import read_manifest

from ..building.edited_archive import as_git
from ..conftest import many_posts, post, write_archive

ONE, TWIN = "_posts/2022-03-01-202203010000000000.md", "_posts/2022-03-01-NW202203010000000000.md"
LARGE, EMPTY = "_posts/2022-03-02-large.md", "_posts/2022-03-02-empty.md"


@pytest.fixture
def files() -> dict[str, bytes]:
    return many_posts(3) | {TWIN: post(category="chenbao"), LARGE: b"x" * (MAX_FILE_BYTES + 1), EMPTY: b""}


@pytest.fixture
def version(files: dict[str, bytes], tmp_path: Path) -> Path:
    archive = write_archive(tmp_path / "first", files)
    return newsdata.build(archive, tmp_path / "out", text="none", max_reject_share=1, num_proc=1).path


def compare(version: Path, archive: str | Path, scratch: Path) -> ArchiveCopy:
    return compare_archive(version, read_manifest(version), archive, scratch=scratch, executor=InProcess())


def test_a_whole_copy(version: Path, tmp_path: Path) -> None:
    found = compare(version, tmp_path / "first", tmp_path)
    assert found.missing == () and found.posts.num_rows == 10
    assert EMPTY in found.files.path.to_pylist() and LARGE in found.rejects


def test_all_posts_of_an_article_are_needed(version: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    del files[ONE]
    source = as_git(
        tmp_path / "git", {"_config.yml": b"timezone: Asia/Shanghai\n"} | files | {LARGE: b"short", EMPTY: b"\n"}
    )
    found = compare(version, source, tmp_path)
    assert found.missing == (
        Missing(path=ONE, reason="missing", article_id="202203010000000000"),
        Missing(path=EMPTY, reason="changed", article_id=None),
        Missing(path=LARGE, reason="changed", article_id=None),
    )
    assert TWIN not in found.posts["path"].to_pylist() and found.posts.num_rows == 8
    assert TWIN in found.files.path.to_pylist()


def test_another_configuration_may_change_any_row(version: Path, files: dict[str, bytes], tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "second", files, timezone="Europe/Paris")
    with pytest.raises(RehydrateError, match=r"_config\.yml"):
        compare(version, archive, tmp_path)


@pytest.mark.slow
def test_a_file_that_changes_after_it_was_compared(version: Path, tmp_path: Path) -> None:
    found = compare(version, tmp_path / "first", tmp_path)
    hashes = dict(zip(found.posts["path"].to_pylist(), found.posts["sha256"].to_pylist(), strict=True))
    some = found.files.take([found.files.path.to_pylist().index(ONE)])
    assert list(read_same(found.source, some, hashes)) == [ONE]
    (tmp_path / "first" / ONE).write_bytes(b"other")
    with pytest.raises(SourceError, match="changed while it was read"):
        read_same(found.source, some, hashes)
