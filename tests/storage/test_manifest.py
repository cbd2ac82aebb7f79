from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from newsdata.errors import ManifestError, VersionError
from newsdata.storage.manifest import (
    File,
    FullShard,
    Manifest,
    Shard,
    check_file,
    hash_file,
    parse_version,
    read_manifest,
    read_yanked,
    shards_of,
    versions_in,
    versions_without_manifest,
    write_manifest,
)

SHARD = Shard(
    path="articles/train-2022-03-00000.parquet", config="articles", split="train", rows=2, bytes=9, sha256="ab",
    digest="cd", start="0/1",
)  # fmt: skip
MANIFEST = Manifest(
    dataset_version="1.2.0",
    follows="1.1.0",
    schema_version="1.1",
    configuration={"timezone": "Asia/Shanghai", "gap_days": 0, "validation_from": None},
    source={"files": 3, "bytes": 12, "digest": "ef"},
    tools={"pyarrow": "26"},
    accounting={"files_seen": 3},
    columns={"articles": {"title": 2}},
    shards=(SHARD,),
    files=(File(path="README.md", bytes=1, sha256="ab"),),
    duplicates={"clusters": 1},
    leakage={"pairs": []},
    changes=({"version": "1.0.0", "reasons": ["新"]},),
    full=(FullShard(path=SHARD.path, bytes=7, sha256="01", digest="02"),),
)


def written(folder: Path, **changes: Any) -> Path:
    """`MANIFEST` in `folder`, with keys of the JSON replaced."""
    write_manifest(MANIFEST, folder)
    file = folder / "manifest.json"
    data = json.loads(file.read_text("utf-8")) | changes
    file.write_text(json.dumps({key: value for key, value in data.items() if value is not ...}), "utf-8")
    return folder


def test_it_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(MANIFEST, tmp_path)
    assert read_manifest(tmp_path) == MANIFEST
    first = (tmp_path / "manifest.json").read_bytes()
    write_manifest(read_manifest(tmp_path), tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == first
    assert first.endswith(b"}\n") and "新".encode() in first and b"\r" not in first


def test_every_field_of_the_records_is_written(tmp_path: Path) -> None:
    write_manifest(MANIFEST, tmp_path)
    data = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    assert list(data) == [field.name for field in dataclasses.fields(Manifest)]
    assert data["shards"] == [dataclasses.asdict(SHARD)]


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"has no manifest\.json; give the folder of a version"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\ufffe", "[]", "null", "7"])
def test_a_manifest_that_is_no_json_map(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_text(text, "utf-8")
    with pytest.raises(ManifestError, match=r"manifest\.json: .*; restore it"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "changes", [{"shards": ...}, {"shards": 7}, {"shards": [7]}, {"shards": [{}]}, {"files": None}, {"changes": 7}, {"tools": ...}]
)  # fmt: skip
def test_a_manifest_with_missing_or_wrong_keys(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="lacks a key, or has a wrong type"):
        read_manifest(written(tmp_path, **changes))


def test_an_unknown_major_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"has format 2\.0, but this newsdata reads format 1\.0; update newsdata"):
        read_manifest(written(tmp_path, manifest_version="2.0"))


@pytest.mark.parametrize("changes", [{"manifest_version": "1.7"}, {"later": 1}])
def test_an_unknown_minor_format_is_a_warning(tmp_path: Path, changes: dict[str, Any]) -> None:
    shard = dataclasses.asdict(SHARD) | {"codec": "zstd"}
    with pytest.warns(UserWarning, match="does not know yet"):
        found = read_manifest(written(tmp_path, shards=[shard], **changes))
    assert found.shards == (SHARD,)


@pytest.mark.parametrize("key", ["shards", "files", "full"])
@pytest.mark.parametrize("path", ["", "/etc/passwd", "../a", "a/../../b", "a\\b", "C:a", "a\0b", None, 7])
def test_a_path_that_leads_out_of_the_version(tmp_path: Path, key: str, path: object) -> None:
    entry = dataclasses.asdict(getattr(MANIFEST, key)[0])
    with pytest.raises(ManifestError, match="lists a file outside the version"):
        read_manifest(written(tmp_path, **{key: [entry | {"path": path}]}))


@pytest.mark.parametrize(
    "text", ["", "1", "1.0", "1.0.0.0", "v1.0.0", "1.0.0-rc", "01.0.0", "1.0.١", "1.0.0\n", "1.2.9999999999"]
)
def test_what_is_not_a_version(tmp_path: Path, text: str) -> None:
    with pytest.raises(VersionError, match=r"must have the form X\.Y\.Z, got .*; write it like 1\.0\.0"):
        parse_version(text)
    with pytest.raises(VersionError):
        read_manifest(written(tmp_path, dataset_version=text))


def test_versions_sort_by_number(tmp_path: Path) -> None:
    for name in ("1.10.0", "1.9.0", "2.0.0", "draft", "01.0.0", ".newsdata"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
    (tmp_path / "3.0.0").mkdir()
    assert versions_in(tmp_path) == ["1.9.0", "1.10.0", "2.0.0"]
    assert versions_in(tmp_path / "missing") == []


def test_versions_that_lost_their_manifest(tmp_path: Path) -> None:
    for name, files in {
        "1.10.0": ["ledger.arrow"],
        "1.9.0": ["ledger.arrow"],
        "2.0.0": ["ledger.arrow", "manifest.json"],
        "3.0.0": [],
    }.items():
        (tmp_path / name).mkdir()
        for file in files:
            (tmp_path / name / file).touch()
    assert versions_without_manifest(tmp_path) == ["1.9.0", "1.10.0"]
    assert versions_without_manifest(tmp_path / "missing") == []


def test_shards_of_a_config_and_of_a_split() -> None:
    test = dataclasses.replace(SHARD, path="articles/test-2022-03-00000.parquet", split="test")
    posts = dataclasses.replace(SHARD, path="posts/posts-2022-03-00000.parquet", config="posts", split="posts")
    manifest = dataclasses.replace(MANIFEST, shards=(SHARD, posts, test))
    assert shards_of(manifest, "articles") == [SHARD, test]
    assert shards_of(manifest, "articles", "test") == [test]
    assert shards_of(manifest, "rejects") == []


def test_a_listed_file_is_checked(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(b"abc")
    size, sha256 = hash_file(tmp_path / "README.md")
    assert (size, sha256[:8]) == (3, "ba7816bf")  # FIPS 180-2, appendix B.1
    good = dataclasses.replace(MANIFEST, files=(File(path="README.md", bytes=size, sha256=sha256),))
    check_file(tmp_path, good, "README.md")
    for manifest, name in ((MANIFEST, "README.md"), (good, "ledger.arrow")):
        with pytest.raises(
            ManifestError, match=rf"{name}: is missing or damaged; restore it from another copy of 1\.2\.0"
        ):
            check_file(tmp_path, manifest, name)
    (tmp_path / "README.md").unlink()
    with pytest.raises(ManifestError, match="is missing or damaged"):
        check_file(tmp_path, good, "README.md")


def test_the_mark_of_a_yanked_version(tmp_path: Path) -> None:
    assert read_yanked(tmp_path) is None
    mark = tmp_path / "yanked.json"
    mark.write_text('{"reason": "half of March is missing"}', "utf-8")
    assert read_yanked(tmp_path) == "half of March is missing"
    for damaged in ("", "{", "{}", "[]", "7", "[" * 100_000):
        mark.write_text(damaged, "utf-8")
        assert read_yanked(tmp_path) == "yanked.json cannot be read"
