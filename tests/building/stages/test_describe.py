"""Stage describe: what a version says of itself is what is in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import VersionError
from newsdata.storage.ledger import read_ledger
from newsdata.storage.manifest import File, Manifest, Shard, hash_file, read_manifest

from ...conftest import many_posts, post, write_archive
from ..test_grouping import REPRINT, STORY, story


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three versions: new days, then an edit, a post that went, and a copy."""
    place = tmp_path_factory.mktemp("describe")
    odd = {"_posts/2022-03-02-202203020000000099.md": b"", "_posts/a.png": b"x", "index.html": b"x"}
    undated = {"_posts/x.md": post(date="").replace(b"date: \n", b"")}
    twin = {"_posts/2022-03-04-NW202203040000000001.md": post(category="chenbao", tag="晨报新闻")}
    archive = write_archive(place / "in", many_posts(20) | story("2022-03-02", 77) | odd | undated | twin)
    made = [newsdata.build(archive, place / "out", num_proc=1)]
    write_archive(archive, many_posts(3, start_day=21))
    made.append(newsdata.build(archive, place / "out", num_proc=1))
    path = "_posts/2022-03-05-202203050000000001.md"
    write_archive(archive, {path: many_posts(5)[path].replace("库存".encode(), "存货".encode())})
    (archive / "_posts/2022-03-06-202203060000000001.md").unlink()
    write_archive(archive, story("2022-03-19", 78, REPRINT) | story("2022-03-24", 79, STORY))
    made.append(newsdata.build(archive, place / "out", num_proc=1))
    assert [one.version for one in made] == ["1.0.0", "1.1.0", "2.0.0"]
    return [one.path for one in made]


def rows(folder: Path, config: str) -> list[dict[str, Any]]:
    manifest = read_manifest(folder)
    tables = [pq.read_table(folder / s.path, partitioning=None) for s in manifest.shards if s.config == config]
    return [row for table in tables for row in table.to_pylist()]


@pytest.mark.slow
def test_the_accounting_is_that_of_the_rows(versions: list[Path]) -> None:
    for folder in versions:
        accounting = read_manifest(folder).accounting
        posts, rejects = rows(folder, "posts"), rows(folder, "rejects")
        articles, excluded = rows(folder, "articles"), rows(folder, "excluded")
        assert accounting["posts"] == len(posts) and accounting["rejects"] == len(rejects) == 1
        assert accounting["articles"] == len(articles) + len(excluded) and accounting["excluded"] == len(excluded)
        assert accounting["merged_posts"] == len(posts) - len({row["article_id"] for row in posts}) == 1
        assert accounting["ignored_by_reason"] == {"configuration": 1, "not below _posts": 1, "not text": 1}
        assert accounting["rejects_by_rule"] == {"empty": 1}
        assert accounting["excluded_by_reason"] == Counter(row["excluded_reason"] for row in excluded)
        issues = Counter(code for row in posts for code in row["issues"])
        assert accounting["issues_by_code"] == dict(sorted(issues.items()))


@pytest.mark.slow
def test_dates_of_each_split(versions: list[Path]) -> None:
    for folder in versions:
        accounting = read_manifest(folder).accounting
        for split, count in accounting["articles_by_split"].items():
            frame = newsdata.load_pandas(folder, split=split)
            assert len(frame) == count
            days = sorted(str(time.date()) for time in frame.published_at)
            assert accounting["dates_by_split"].get(split) == ([days[0], days[-1]] if days else None)


@pytest.mark.slow
def test_filled_cells_are_counted(versions: list[Path]) -> None:
    for folder in versions:
        for config, counts in read_manifest(folder).columns.items():
            for column, count in counts.items():
                values = [row[column] for row in rows(folder, config)]
                assert count == sum(value is not None and value != [] for value in values), (config, column)


@pytest.mark.slow
def test_every_file_is_named_with_its_hash(versions: list[Path]) -> None:
    for folder in versions:
        manifest = read_manifest(folder)
        files: list[Shard | File] = [*manifest.shards, *manifest.files]
        named = {file.path: (file.bytes, file.sha256) for file in files}
        there = {p.relative_to(folder).as_posix(): hash_file(p) for p in folder.rglob("*") if p.is_file()}
        there.pop("manifest.json")
        assert named == there


def ledger(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = read_ledger(folder, read_manifest(folder)).to_pylist()
    return found


def test_the_ledger_grows_at_its_end(versions: list[Path]) -> None:
    first, second, third = map(ledger, versions)
    for before, after, version in ((first, second, "1.1.0"), (second, third, "2.0.0")):
        ids = [row["article_id"] for row in before]
        assert [row["article_id"] for row in after][: len(ids)] == ids, "known ones stay in their places"
        new = after[len(ids) :]
        assert new and {row["first_version"] for row in new} == {version}
        keys = [(row["published_at"] is None, row["published_at"], row["article_id"]) for row in new]
        assert keys == sorted(keys)
        for old, now in zip(before, after, strict=False):
            for name in ("published_at", "first_version", "redacted_reason"):
                assert old[name] == now[name], "what the first version of an article said"
    gone = next(row for row in third if row["article_id"] == "202203060000000001")
    assert gone["split"] == second[[row["article_id"] for row in second].index("202203060000000001")]["split"]
    by_id = {row["article_id"]: row for row in third}
    assert by_id["202203190000000078"]["leak_group"] == by_id["202203240000000079"]["leak_group"]
    assert by_id["202203240000000079"]["leak_group"] == "202203020000000077"


def test_a_version_says_what_it_brought(versions: list[Path]) -> None:
    notes = [read_manifest(folder).changes for folder in versions]
    assert notes[0] == ({"version": "1.0.0", "bump": None, "reasons": ["first version"], "rows": {}},)
    assert notes[2][:2] == notes[1] and notes[1][:1] == notes[0], "and what all before it brought"
    last = notes[2][2]
    assert (last["version"], last["follows"], last["bump"]) == ("2.0.0", "1.1.0", "major")
    assert last["rows"]["posts"] == {"added": 2, "changed": 1, "removed": 1}
    assert read_manifest(versions[2]).follows == "1.1.0" and read_manifest(versions[0]).follows is None


@pytest.mark.slow
def test_a_version_that_is_too_small_is_refused(versions: list[Path], tmp_path: Path) -> None:
    archive, out = versions[0].parent.parent / "in", versions[0].parent
    with pytest.raises(VersionError, match=r"1\.2\.0 is not higher than 2\.0\.0"):
        newsdata.build(archive, out, version="1.2.0", num_proc=1)
    other = write_archive(tmp_path / "in", many_posts(5))
    newsdata.build(other, tmp_path / "out", num_proc=1)
    write_archive(other, many_posts(1, start_day=6))
    with pytest.raises(
        VersionError, match=r"1\.0\.1 is too small for what changed since 1\.0\.0 .*use 1\.1\.0 or higher"
    ):
        newsdata.build(other, tmp_path / "out", version="1.0.1", num_proc=1)
    assert newsdata.build(other, tmp_path / "out", version="3.0.0", num_proc=1).version == "3.0.0"


@pytest.mark.slow
def test_the_same_rows_under_another_number(versions: list[Path], tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    first = newsdata.build(archive, tmp_path / "out", num_proc=1)
    second = newsdata.build(archive, tmp_path / "out", version="1.0.1", num_proc=1)
    manifests: list[Manifest] = [first.manifest, second.manifest]
    assert [s.sha256 for s in manifests[0].shards] == [s.sha256 for s in manifests[1].shards]
    assert manifests[1].changes[-1]["reasons"] == ["nothing changed"]
    assert ledger(first.path) == ledger(second.path)
