from __future__ import annotations

import dataclasses
import json
import os
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
    path="articles/train-2022-03-0000000.parquet", config="articles", split="train", rows=2, bytes=9, sha256="ab" * 32,
    digest="cd" * 32, start="0/1",
)  # fmt: skip
MANIFEST = Manifest(
    dataset_version="1.2.0",
    follows="1.1.0",
    schema_version="2.0",
    configuration={
        "timezone": "Asia/Shanghai",
        "drafts": False,
        "gap_days": 0,
        "validation_from": None,
        "test_from": None,
        "test_until": None,
    },
    source={"files": 3, "bytes": 12, "digest": "ef"},
    tools={"pyarrow": "26"},
    accounting=dict.fromkeys(("files_seen", "posts", "rejects", "ignored", "articles", "excluded"), 3),
    columns={"articles": {"title": 2}},
    shards=(SHARD,),
    files=(File(path="README.md", bytes=1, sha256="ab" * 32),),
    duplicates={"clusters": 1},
    leakage={"pairs": []},
    statistics={
        "unit": "day",
        "articles": {"train": {"2022-03-01": 2}},
        "lengths": {"from": [0, 50], "articles": {"train": [1, 1]}},
        "publishers": {"names": 1, "top": [{"name": "甲", "articles": 1}], "others": 0, "none": 1},
        "near_copies": {"train": 0},
        "sample": {"title": "新"},
    },
    changes=({"version": "1.0.0", "reasons": ["新"]},),
    full=(FullShard(path=SHARD.path, bytes=7, sha256="01" * 32, digest="02" * 32),),
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


def test_a_version_without_statistics(tmp_path: Path) -> None:
    assert read_manifest(written(tmp_path, statistics=...)).statistics is None


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


def forged(keys: str, value: object) -> dict[str, Any]:
    """`MANIFEST` as JSON, with the value at `keys` ("shards.0.rows") replaced."""
    data = json.loads(json.dumps(dataclasses.asdict(MANIFEST)))
    *way, last = [int(key) if key.isdigit() else key for key in keys.split(".")]
    place = data
    for key in way:
        place = place[key]
    place[last] = value
    return dict(data)


@pytest.mark.parametrize("value", [-1, 2**60, 1.5, True, "9", [], {}, None, float("nan")], ids=str)
@pytest.mark.parametrize(
    "keys",
    ["shards.0.rows", "shards.0.bytes", "files.0.bytes", "accounting.posts", "source.files", "configuration.gap_days"],
)
def test_a_number_that_no_version_has(tmp_path: Path, keys: str, value: object) -> None:
    with pytest.raises(ManifestError, match=r"lacks a key, or has a wrong type|cannot be read"):
        read_manifest(written(tmp_path, **forged(keys, value)))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        ("shards.0.config", "../../etc"), ("shards.0.split", "train\x1b[31m"), ("shards.0.split", "a" * 50), ("shards.0.sha256", "ab"),
        ("shards.0.sha256", "AB" * 32), ("shards.0.digest", "ab" * 32 + "\n"), ("shards.0.start", "x" * 20_000), ("shards.0.start", ""), ("shards.0.start", "soon/a"), ("follows", 7),
        ("configuration.timezone", "Mars/Base"), ("configuration.timezone", "/etc/localtime"), ("configuration.timezone", "../UTC"),
        ("configuration.timezone", ""), ("configuration.timezone", None), ("configuration.validation_from", "2022-13-45"),
        ("configuration.validation_from", "soon"), ("configuration.drafts", "yes"), ("configuration.text", "most"), ("accounting", {}),
        ("accounting.dates_by_split", {"train": ["2022-02-30", "2022-03-01"]}), ("accounting.dates_by_split", {"train": ["2022-02-03"]}),
        ("columns", {"articles": {"title": "many"}}), ("columns", {"articles": 7}), ("leakage", {"pairs": [{"leak_any": 7}]}),
        ("leakage", {"pairs": {}}), ("duplicates", {"aliases": {"leak_group": [1]}}), ("changes", [{"reasons": "new"}]), ("tools", {"a": 1}),
        ("statistics", {}), ("statistics.unit", "week"), ("statistics.unit", "month"), ("statistics.articles.train", {"2022-02-30": 1}),
        ("statistics.articles.train", {"2022-03-01": -1}), ("statistics.articles", {"../train": {}}), ("statistics.lengths.from", [0, 0]),
        ("statistics.lengths.from", []), ("statistics.lengths.from", [1, 50]), ("statistics.lengths.articles.train", [1]),
        ("statistics.publishers.top", [{"name": "甲" * 101, "articles": 1}]), ("statistics.publishers.top", [{"name": "甲", "articles": 1}] * 101),
        ("statistics.publishers.none", "all"), ("statistics.near_copies.train", 2.5), ("statistics.sample.title", "x" * 2000), ("statistics.sample.title", ["x"]),
    ],
)  # fmt: skip
def test_a_value_that_no_version_has(tmp_path: Path, keys: str, value: object) -> None:
    with pytest.raises(ManifestError):
        read_manifest(written(tmp_path, **forged(keys, value)))


def test_a_file_that_is_listed_twice(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="lists a file twice"):
        read_manifest(written(tmp_path, shards=[dataclasses.asdict(SHARD)] * 2))


@pytest.mark.parametrize("kind", ["pipe", "link", "folder", "chain"])
def test_a_manifest_that_is_no_regular_file_of_the_version(tmp_path: Path, kind: str) -> None:
    write_manifest(MANIFEST, tmp_path)
    folder = tmp_path / "1.2.0"
    folder.mkdir()
    place = folder / "manifest.json"
    if kind == "pipe":
        os.mkfifo(place)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to("manifest.json" if kind == "chain" else tmp_path / "manifest.json")
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(folder)


def test_a_snapshot_of_links_in_the_cache_of_the_hub(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / ("0" * 40)
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    write_manifest(MANIFEST, blobs)
    (snapshot / "manifest.json").symlink_to("../../blobs/manifest.json")
    assert read_manifest(snapshot) == MANIFEST


def test_six_thousand_shards_are_read(tmp_path: Path) -> None:
    shards = [dataclasses.asdict(SHARD) | {"path": f"articles/train-{n:04d}-03-0000000.parquet"} for n in range(6000)]
    assert len(read_manifest(written(tmp_path, shards=shards)).shards) == 6000


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
@pytest.mark.parametrize(
    "path", ["", "/etc/passwd", "../a", "a/../../b", "a\\b", "C:a", "a\0b", "a\u202eb", "a\nb", "a" * 300, None, 7]
)
def test_a_path_that_leads_out_of_the_version(tmp_path: Path, key: str, path: object) -> None:
    entry = dataclasses.asdict(getattr(MANIFEST, key)[0])
    with pytest.raises(ManifestError, match=r"lists a file outside the version|\.path`"):
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
    test = dataclasses.replace(SHARD, path="articles/test-2022-03-0000000.parquet", split="test")
    posts = dataclasses.replace(SHARD, path="posts/posts-2022-03-0000000.parquet", config="posts", split="posts")
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
            ManifestError, match=rf"{name}: is missing or damaged.*; restore it from another copy of 1\.2\.0"
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
