"""What the local cache holds: versions whose tag is known and whose manifest is undamaged."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsdata.dataset.hub_cache import cached_versions, git_hash, is_undamaged, remember_tag

from ..versions import make_version


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The cache of lab/finews, as `huggingface_hub` lays it out."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    yield tmp_path / "datasets--lab--finews"


def put(repository: Path, version: str, commit: str) -> Path:
    """Let the cache hold the manifest of a version; its path."""
    folder = make_version(repository.parent / f"out-{commit[0]}", version)
    manifest = repository / "snapshots" / commit / "manifest.json"
    blob = repository / "blobs" / git_hash(folder / "manifest.json")
    for path in (manifest, blob):
        path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(folder / "manifest.json", blob)
    manifest.symlink_to(blob)
    return manifest


def test_versions_by_number_with_their_commits(repository: Path) -> None:
    for version, commit in (("1.10.0", "a" * 40), ("1.9.0", "b" * 40)):
        remember_tag(put(repository, version, commit), f"v{version}", commit)
    assert list(cached_versions("lab/finews").items()) == [("1.9.0", "b" * 40), ("1.10.0", "a" * 40)]


def test_a_tag_that_was_moved_is_remembered_anew(repository: Path) -> None:
    for commit in ("a" * 40, "b" * 40):
        remember_tag(put(repository, "1.0.0", commit), "v1.0.0", commit)
    assert cached_versions("lab/finews") == {"1.0.0": "b" * 40}


def test_entries_that_do_not_count(repository: Path) -> None:
    manifest = put(repository, "1.0.0", "a" * 40)
    refs = repository / "refs"
    refs.mkdir()
    for tag, commit in {
        "v2.0.0": "a" * 40,  # holds another version
        "v3.0.0": "b" * 40,  # nothing of this commit is there
        "v4.0.0": "../../x",  # no commit
        "v5.0": "a" * 40,  # not a version
        "v1.0.0": "a" * 40,
    }.items():
        (refs / tag).write_text(commit, encoding="ascii")
    (refs / "v6.0.0").write_bytes(b"\xff")
    assert cached_versions("lab/finews") == {"1.0.0": "a" * 40}
    manifest.resolve().write_bytes(manifest.read_bytes() + b" ")
    assert cached_versions("lab/finews") == {}


def test_a_cache_that_cannot_be_written_is_no_error(repository: Path) -> None:
    manifest = put(repository, "1.0.0", "a" * 40)
    (repository / "refs").write_text("a file where a folder should be")
    remember_tag(manifest, "v1.0.0", "a" * 40)
    assert cached_versions("lab/finews") == {}


@pytest.mark.parametrize(
    ("name", "undamaged"),
    [
        ("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", True),  # SHA-256
        ("b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", True),  # git's
        ("0" * 64, False),
        ("0" * 40, False),
        ("manifest.json", True),  # a machine without links: there is no hash to compare
    ],
)
def test_a_file_is_compared_with_the_hash_in_its_name(tmp_path: Path, name: str, undamaged: bool) -> None:
    (tmp_path / name).write_bytes(b"hello")
    assert is_undamaged(tmp_path / name) is undamaged
