"""Renamed posts keep their splits where the article id is the path: no name brings an article into an earlier split."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.building import shard_plan
from newsdata.storage.ledger import LEDGER_NAME, read_ledger, write_ledger
from newsdata.storage.manifest import File, read_manifest, shards_of, write_manifest

from ..conftest import many_posts, write_archive

_DAY = datetime.date(2021, 3, 1)


def own_posts(days: int) -> dict[str, bytes]:
    """A post a day, whose name is its id and gives its day."""
    contents = [data.split(b"\n---\n", 1)[1].split(b"<http")[0] for data in many_posts(days, per_day=1).values()]
    names = [f"_posts/{_DAY + datetime.timedelta(days=day)}-storage-{day}.md" for day in range(days)]
    heads = [f"---\ntitle: storage report {day}\n---\n".encode() for day in range(days)]
    return {name: head + body for name, head, body in zip(names, heads, contents, strict=True)}


POSTS = own_posts(20)
TRAIN, TESTED, LAST = list(POSTS)[3], list(POSTS)[18], list(POSTS)[19]
EARLY = "_posts/2021-03-02-other-name.md"
BORDERS: dict[str, Any] = {"validation_from": "2021-03-13", "test_from": "2021-03-17"}
ANEW: dict[str, Any] = {"resplit": True, "validation_from": "2021-03-18", "test_from": "2021-03-20"}


def split_of(out: Path, path: str) -> str:
    """The split of the article of a post in the newest version, or why it is excluded."""
    found = newsdata.where(out, path)
    assert found.split is not None
    reason = found.why.removeprefix("excluded: ").partition(",")[0].partition(";")[0]
    return reason if found.split == "excluded" else found.split


def gone_from(out: Path) -> set[str]:
    """The articles of which the ledger of the newest version keeps the hashes of posts."""
    folder = out / newsdata.info(out)["version"]
    rows = read_ledger(folder, read_manifest(folder)).to_pylist()
    return {f"{row['article_id']}.md" for row in rows if row["gone_posts"]}


class Archive:
    """An archive that changes, and its versions."""

    def __init__(self, place: Path) -> None:
        self.root, self.out = write_archive(place / "in", POSTS), place / "out"

    def build(self, **options: Any) -> newsdata.Build:
        return newsdata.build(self.root, self.out, num_proc=1, **options)

    def rename(self, old: str, new: str) -> None:
        (self.root / new).parent.mkdir(exist_ok=True)
        (self.root / old).rename(self.root / new)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = Archive(tmp_path)
    made.build(**BORDERS)
    assert [split_of(made.out, one) for one in (TRAIN, TESTED)] == ["train", "test"]
    return made


def test_a_new_name_brings_no_article_into_an_earlier_split(archive: Archive) -> None:
    archive.rename(TESTED, EARLY)
    archive.build()
    assert split_of(archive.out, EARLY) == "moved"
    second = "_posts/2021-03-04-third-name.md"
    archive.rename(EARLY, second)
    archive.build()
    assert split_of(archive.out, second) == "moved", "the second new name, too"
    in_time = "_posts/2021-03-19-fourth-name.md"
    archive.rename(second, in_time)
    archive.build()
    assert split_of(archive.out, in_time) == "test", "its date asks for its first split again"
    archive.rename(in_time, EARLY)
    archive.build(**ANEW)
    assert split_of(archive.out, EARLY) == "old-test"
    assert newsdata.verify(archive.out).faults == ()


@pytest.mark.slow
def test_a_name_that_comes_later_is_found_too(archive: Archive) -> None:
    data = (archive.root / TESTED).read_bytes()
    (archive.root / TESTED).unlink()
    archive.build()
    assert gone_from(archive.out) == {TESTED}
    write_archive(archive.root, own_posts(22))
    (archive.root / TESTED).unlink()
    archive.build()
    write_archive(archive.root, {EARLY: data})
    archive.build()
    assert split_of(archive.out, EARLY) == "moved"
    (archive.root / EARLY).unlink()
    write_archive(archive.root, {TESTED: data})
    archive.build()
    assert split_of(archive.out, TESTED) == "test", "an id that comes back has its own decisions"
    assert gone_from(archive.out) == {EARLY}


@pytest.mark.slow
@pytest.mark.parametrize("text", ["full", "none"])
def test_no_model_is_trained_on_the_old_test_after_a_move_and_a_resplit(tmp_path: Path, text: str) -> None:
    archive = Archive(tmp_path)
    archive.build(text=text, **BORDERS)
    tested = [one for one in POSTS if split_of(archive.out, one) == "test"]
    for old in POSTS:
        archive.rename(old, old.replace("_posts/", "_posts/blog/"))
    archive.build(**ANEW)
    splits = {one: split_of(archive.out, one.replace("_posts/", "_posts/blog/")) for one in POSTS}
    assert {splits[one] for one in tested} == {"old-test", "test"}
    assert set(splits.values()) == {"train", "validation", "old-test", "test"} - (
        {"validation"} if set(list(POSTS)[17:19]) <= {*tested} else set()
    )


@pytest.mark.slow
def test_the_old_test_is_found_by_its_bytes_also_in_doubt(archive: Archive) -> None:
    both = (archive.root / TESTED).read_bytes()
    (archive.root / TRAIN).write_bytes(both)
    archive.build(version="3.0.0")
    for name in (TRAIN, TESTED):
        (archive.root / name).unlink()
    archive.build(**ANEW)
    write_archive(archive.root, {EARLY: both})
    archive.build()
    assert split_of(archive.out, EARLY) == "old-test"


def test_articles_that_are_gone_or_without_a_date_while_splits_are_cut_anew(archive: Archive) -> None:
    undated, untouched = "_posts/no-day-in-this-name.md", (archive.root / LAST).read_bytes()
    data = (archive.root / TRAIN).read_bytes()
    archive.rename(TESTED, undated)
    (archive.root / LAST).unlink()
    (archive.root / TRAIN).unlink()
    write_archive(archive.root, {"_posts/2021-03-20-a-new-test.md": own_posts(30)[list(own_posts(30))[29]]})
    archive.build(**ANEW)
    assert split_of(archive.out, undated) == "old-test"
    archive.rename(undated, EARLY)
    in_validation = "_posts/2021-03-18-a-third-name.md"
    write_archive(archive.root, {in_validation: untouched, "_posts/2021-03-18-b.md": data})
    archive.build()
    assert split_of(archive.out, EARLY) == "old-test"
    assert split_of(archive.out, in_validation) == "old-test"
    assert split_of(archive.out, "_posts/2021-03-18-b.md") == "validation", "the new scheme never placed it"


@pytest.mark.slow
def test_the_old_test_is_not_forgotten_while_a_post_has_no_date(tmp_path: Path) -> None:
    archive, name, copy = Archive(tmp_path), "_posts/no-day-in-this-name.md", "_posts/2021-03-03-nearly-the-same.md"
    undated = b"---\ntitle: one more report\n---\n" + b" ".join(f"crate{n * n}".encode() for n in range(60))
    write_archive(archive.root, {name: undated.replace(b"---\n", b"---\ndate: 2021-03-19\n", 1)})
    archive.build(**BORDERS)
    write_archive(archive.root, {name: undated})
    archive.build(**ANEW)
    assert split_of(archive.out, name) == "old-test"
    write_archive(archive.root, {copy: undated + b" and a crate more\n"})
    archive.build()
    assert [split_of(archive.out, one) for one in (name, copy)] == ["old-test", "old-test"], "in every later version"
    write_archive(archive.root, {name: undated.replace(b"---\n", b"---\ndate: 2021-03-02\n", 1)})
    archive.build()
    assert split_of(archive.out, name) == "old-test"
    write_archive(archive.root, {name: undated.replace(b"---\n", b"---\ndate: 2021-03-20\n", 1)})
    archive.build()
    assert split_of(archive.out, name) == "test"
    assert newsdata.verify(archive.out).faults == ()


def test_the_old_test_may_be_allowed(archive: Archive) -> None:
    archive.rename(TESTED, EARLY)
    archive.build(allow_old_test=True, **ANEW)
    assert split_of(archive.out, EARLY) == "train"


def damage_posts(folder: Path, number: int = 0) -> None:
    """Write a shard of posts of a version anew, with other bytes."""
    shard = folder / shards_of(read_manifest(folder), "posts")[number].path
    table = pq.read_table(shard, partitioning=None)
    shard.unlink()  # a version shares its shards with the cache
    pq.write_table(table, shard, compression="none")


def forget_gone_posts(folder: Path) -> None:
    """Make the ledger of a version one of an earlier newsdata, which kept no hashes of posts."""
    manifest = read_manifest(folder)
    ledger = read_ledger(folder, manifest)
    (folder / LEDGER_NAME).unlink()
    write_ledger(
        ledger.set_column(ledger.column_names.index("gone_posts"), "gone_posts", pa.nulls(len(ledger), pa.string())),
        folder,
    )
    data = (folder / LEDGER_NAME).read_bytes()
    listed = File(path=LEDGER_NAME, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    files = tuple(listed if file.path == LEDGER_NAME else file for file in manifest.files)
    write_manifest(replace(manifest, files=files), folder)


def test_a_damaged_base_can_be_built_upon_when_articles_went_away(archive: Archive) -> None:
    damage_posts(archive.out / "1.0.0")
    archive.rename(TESTED, EARLY)
    made = archive.build()
    assert [note for note in made.notes if "renamed files" in note] == [
        "1 of 1 shard of posts of 1.0.0 is damaged or missing: renamed files among what went away since count as new"
    ]
    assert split_of(archive.out, EARLY) == "train", "nobody knows its bytes"
    assert newsdata.verify(made.path).faults == ()
    archive.rename(EARLY, TESTED)
    assert not any("renamed files" in note for note in archive.build().notes)
    assert split_of(archive.out, TESTED) == "test"


def test_a_damaged_shard_hides_only_its_own_articles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", 4)
    archive = Archive(tmp_path)
    shards = shards_of(archive.build(**BORDERS).manifest, "posts")
    assert len(shards) == 5
    (archive.out / "1.0.0" / shards[2].path).unlink()
    archive.rename(TESTED, EARLY)
    made = archive.build()
    assert any(note.startswith("1 of 5 shards of posts of 1.0.0 is damaged or missing") for note in made.notes)
    assert split_of(archive.out, EARLY) == "moved"
    assert newsdata.verify(made.path).faults == ()


@pytest.mark.slow
def test_the_base_is_searched_only_once_for_what_an_old_ledger_does_not_know(archive: Archive) -> None:
    (archive.root / TESTED).unlink()
    archive.build()
    forget_gone_posts(archive.out / "2.0.0")
    archive.rename(LAST, EARLY)
    archive.build()
    assert split_of(archive.out, EARLY) == "moved"
    assert gone_from(archive.out) == {LAST}, "no version has the other one, and it is not searched again"
    damage_posts(archive.out / "3.0.0")
    write_archive(archive.root, own_posts(21))
    (archive.root / TESTED).unlink()
    (archive.root / LAST).unlink()
    assert not any("renamed files" in note for note in archive.build(version="4.0.0").notes)


def test_a_shard_of_posts_with_other_columns_is_left_out_too(archive: Archive) -> None:
    folder = archive.out / "1.0.0"
    manifest = read_manifest(folder)
    shard = shards_of(manifest, "posts")[0]
    path = folder / shard.path
    table = pq.read_table(path).drop_columns("sha256")
    path.unlink()
    pq.write_table(table, path)
    data = path.read_bytes()
    other = replace(shard, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    write_manifest(replace(manifest, shards=tuple(other if one == shard else one for one in manifest.shards)), folder)
    (archive.root / TESTED).unlink()
    assert any("renamed files" in note for note in archive.build().notes)


@pytest.mark.slow
def test_a_version_that_is_built_again_keeps_the_ledger_of_an_earlier_newsdata(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.build(text="none", **BORDERS)
    (archive.root / TESTED).unlink()
    made = archive.build()
    forget_gone_posts(made.path)
    full = newsdata.rehydrate(made.path, archive.root, tmp_path / "full", num_proc=1)
    assert (full.path / LEDGER_NAME).read_bytes() == (made.path / LEDGER_NAME).read_bytes()
