"""Renamed posts keep their splits where the article id is the path: no name brings an article into an earlier split."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import ManifestError
from newsdata.storage.ledger import read_ledger
from newsdata.storage.manifest import read_manifest, shards_of

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
    assert split_of(archive.out, undated) == "no-date"
    archive.rename(undated, EARLY)
    in_validation = "_posts/2021-03-18-a-third-name.md"
    write_archive(archive.root, {in_validation: untouched, "_posts/2021-03-18-b.md": data})
    archive.build()
    assert split_of(archive.out, EARLY) == "old-test"
    assert split_of(archive.out, in_validation) == "old-test"
    assert split_of(archive.out, "_posts/2021-03-18-b.md") == "validation", "the new scheme never placed it"


def test_the_old_test_is_not_forgotten_while_a_post_has_no_date(tmp_path: Path) -> None:
    archive, name = Archive(tmp_path), "_posts/no-day-in-this-name.md"
    undated = b"---\ntitle: one more report\n---\n" + b" ".join(f"crate{n * n}".encode() for n in range(60))
    write_archive(archive.root, {name: undated.replace(b"---\n", b"---\ndate: 2021-03-19\n", 1)})
    archive.build(**BORDERS)
    write_archive(archive.root, {name: undated})
    archive.build(**ANEW)
    assert split_of(archive.out, name) == "no-date"
    write_archive(archive.root, {name: undated.replace(b"---\n", b"---\ndate: 2021-03-02\n", 1)})
    archive.build()
    assert split_of(archive.out, name) == "moved"


def test_the_old_test_may_be_allowed(archive: Archive) -> None:
    archive.rename(TESTED, EARLY)
    archive.build(allow_old_test=True, **ANEW)
    assert split_of(archive.out, EARLY) == "train"


def test_posts_of_the_base_are_read_only_if_articles_went_away(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = read_manifest(archive.out / "1.0.0")
    shard = archive.out / "1.0.0" / shards_of(manifest, "posts")[0].path
    whole = shard.read_bytes()
    shard.unlink()  # a version shares its shards with the cache
    shard.write_bytes(whole[:-1] + b"x")
    write_archive(archive.root, own_posts(21))
    (archive.root / TESTED).unlink()
    with pytest.raises(ManifestError, match="which articles went away") as caught:
        archive.build()
    assert "--base" in str(caught.value)
