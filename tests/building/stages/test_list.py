"""Stage list: what went into a build, and when a build knows that it is what went in before."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import newsdata
from newsdata.building import known_files
from newsdata.building.known_files import read_known_files
from newsdata.building.posts_found import PostsFound
from newsdata.building.request import AskedBorders, Settings
from newsdata.building.stages.list import digest_listing, digest_source
from newsdata.building.workspace import store_in
from newsdata.errors import VersionError
from newsdata.graph.store import Store
from newsdata.schema import Reject, Site
from newsdata.sources.source import Files, Listing, SourceFile

from ...conftest import many_posts, write_archive
from ...source_files import tar_of

CONFIG = b"timezone: Asia/Shanghai\n"


def store_of(out: Path) -> Store:
    store = store_in(out)
    assert store is not None
    return store


def listed_in(out: Path) -> dict[str, Any]:
    """What the last build noted of the listing, to see that nothing changed."""
    return dict(store_of(out).last().facts)


def known_in(out: Path) -> pa.Table:
    """The files that the last build noted, where that is undamaged."""
    store = store_of(out)
    found = store.find(store.last().places["list"])
    return read_known_files(found.files["files"].path if found else None)


def tar_in(place: Path, files: dict[str, bytes]) -> Path:
    place.write_bytes(tar_of({"_config.yml": CONFIG, **files}))
    return place


@pytest.mark.slow
def test_the_listing_of_the_last_build_is_known(tmp_path: Path) -> None:
    files = many_posts(6, per_day=2)
    made = newsdata.build(tar_in(tmp_path / "a.tar", files), tmp_path / "out", num_proc=1)
    facts = listed_in(tmp_path / "out")
    assert facts["listing"] and facts["source"] == made.manifest.source["digest"]
    again = newsdata.build(tmp_path / "a.tar", tmp_path / "out", num_proc=1)
    assert not again.created and again.difference is not None and again.difference.bump is None
    assert again.stages["list"]["rows"] == len(files) + 1 and again.manifest == made.manifest
    assert again.stages["list"]["found"] == 1 and not any(again.stages[name]["tasks"] for name in ("parse", "write"))

    more = newsdata.build(tar_in(tmp_path / "a.tar", files | {"about.md": b"no post"}), tmp_path / "out", num_proc=1)
    assert not more.created and more.stages["list"]["rows"] == len(files) + 2, "a file that is ignored makes no version"
    path, data = next(iter(files.items()))
    edited = tar_in(tmp_path / "a.tar", files | {path: data.replace("库存".encode(), "存货".encode())})
    assert newsdata.build(edited, tmp_path / "out", num_proc=1).created


@pytest.mark.slow
def test_other_settings_are_not_passed_over(tmp_path: Path) -> None:
    source = tar_in(tmp_path / "a.tar", many_posts(6))
    out = tmp_path / "out"
    newsdata.build(source, out, num_proc=1)
    with pytest.raises(VersionError, match="are fixed"):
        newsdata.build(source, out, test_from="2022-03-03", num_proc=1)
    assert newsdata.build(source, out, version="1.5.0", num_proc=1).created
    newsdata.redact(out, "202203010000000000", reason="a request")
    assert newsdata.build(source, out, num_proc=1).created, "the same files, but one of them may not be in it"
    assert not newsdata.build(source, out, num_proc=1).created


@pytest.mark.slow
def test_files_that_may_change_unseen_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_archive(tmp_path / "in", many_posts(4))
    newsdata.build(source, tmp_path / "out", num_proc=1)
    assert listed_in(tmp_path / "out") == {}, "so young that another edit could leave the stamp as it is"
    assert known_in(tmp_path / "out").num_rows == 0
    monkeypatch.setattr(known_files, "_RACY", 0)
    assert not newsdata.build(source, tmp_path / "out", num_proc=1).created
    assert all(listed_in(tmp_path / "out").values()) and known_in(tmp_path / "out").num_rows == 12
    post = sorted((source / "_posts").iterdir())[0]
    post.write_bytes(post.read_bytes().replace("库存".encode(), "存货".encode()))
    assert newsdata.build(source, tmp_path / "out", num_proc=1).created


@pytest.mark.slow
@pytest.mark.parametrize("year", [1900, 2400])
def test_a_file_dated_far_away(year: int, tmp_path: Path) -> None:
    source = write_archive(tmp_path / "in", many_posts(4))
    seconds = (year - 1970) * 365 * 86_400
    for path in (source / "_posts").iterdir():
        os.utime(path, (seconds, seconds))
    assert newsdata.build(source, tmp_path / "out", num_proc=1).created
    assert not newsdata.build(source, tmp_path / "out", num_proc=1).created


@pytest.mark.slow
@pytest.mark.parametrize("name", ["files", "json"])
@pytest.mark.parametrize("place", [0, 40, -9])
def test_a_damaged_note_of_the_files_is_not_believed(
    place: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_files, "_RACY", 0)
    source, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    newsdata.build(source, out, num_proc=1)
    key = store_of(out).last().places["list"]
    note = out / ".newsdata" / "cache" / f"{key}.{name}"
    whole = note.read_bytes()
    data = bytearray(whole)
    data[place] ^= 1
    for damaged in (bytes(data), whole[:place], whole + b"\0"):
        note.write_bytes(damaged)
        assert known_in(out).num_rows == 0
        assert newsdata.verify(out).notes == (f"cache: {key} is damaged; the next build makes it anew",)
        assert not newsdata.build(source, out, num_proc=1).created
        note.write_bytes(damaged)
        (out / ".newsdata" / "cache" / "last-build.json").unlink()
        again = newsdata.build(source, out, num_proc=1)
        assert not again.created and again.stages["list"]["ran"] == 1, "every file was read again"
        assert note.read_bytes() == whole
    note.write_bytes(bytes(data))
    assert newsdata.build(write_archive(source, many_posts(5)), out, num_proc=1).created
    assert known_in(out).num_rows == 15


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 40, -9])
def test_a_damaged_memory_of_the_last_build_is_not_believed(place: int, tmp_path: Path) -> None:
    source, out = tar_in(tmp_path / "a.tar", many_posts(4)), tmp_path / "out"
    newsdata.build(source, out, num_proc=1)
    last = out / ".newsdata" / "cache" / "last-build.json"
    whole = last.read_bytes()
    data = bytearray(whole)
    data[place] ^= 1
    for damaged in (bytes(data), whole[:place], whole + b"\0", b""):
        last.write_bytes(damaged)
        assert listed_in(out) == {}
        assert not newsdata.build(source, out, num_proc=1).created
        assert listed_in(out), "and it is noted again"
    last.write_bytes(bytes(data))
    made = newsdata.build(tar_in(tmp_path / "a.tar", many_posts(5)), out, num_proc=1)
    full = newsdata.build(source, tmp_path / "full", base=out / "1.0.0", cache=False, num_proc=1)
    assert made.manifest == full.manifest and made.created


SETTINGS = Settings(
    card="",
    text="full",
    history=False,
    drafts=False,
    borders=None,
    asked_borders=AskedBorders(None, None, None),
    baselines=None,
    resplit=False,
    allow_old_test=False,
    split_scheme=1,
    tools={"newsdata": "1"},
)


def test_the_digest_of_a_listing_holds_all_that_decides() -> None:
    def files(*paths: str, stamp: str = "git:1") -> Files:
        return Files.of(SourceFile(path=path, size=1, stamp=stamp) for path in paths)

    reject = Reject(path="_posts/a.md", sha256=None, size=None, rule="not-a-file", reason="a link")
    whole = Listing(files=files("a", "b"), rejects=(reject,))
    listings = [
        whole,
        Listing(files=files("a", "b"), rejects=()),
        Listing(files=files("a"), rejects=(reject,)),
        Listing(files=files("a", "c"), rejects=(reject,)),
        Listing(files=files("a", "b", stamp="git:2"), rejects=(reject,)),
        Listing(files=Files.joined([files("a"), files("b", stamp="git:2")]), rejects=(reject,)),
    ]
    digests = [digest_listing(listing, Site(), CONFIG, {}, SETTINGS) for listing in listings]
    digests += [
        digest_listing(whole, Site(drafts=True), CONFIG, {}, SETTINGS),
        digest_listing(whole, Site(), None, {}, SETTINGS),
        digest_listing(whole, Site(), CONFIG, {"1": "a request"}, SETTINGS),
        digest_listing(whole, Site(), CONFIG, {}, replace(SETTINGS, tools={"newsdata": "2"})),
    ]
    assert len(set(digests)) == len(digests)
    again = Listing(files=files("a", "b"), rejects=(reject,))
    assert digests[0] == digest_listing(again, Site(), CONFIG, {}, SETTINGS)


def found(paths: dict[str, str | None], rejects: tuple[Reject, ...] = ()) -> tuple[PostsFound, pa.StringArray]:
    files = Files.of(SourceFile(path=path, size=10, stamp="") for path in paths)
    posts = PostsFound(files=files, plan=(), rejects=rejects, shut=(), ignored={}, own_ids={}, shard_rows=2000)  # type: ignore[arg-type]
    return posts, pa.array(paths.values(), pa.string())


def test_the_digest_of_a_source_is_of_paths_and_contents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Computed the plain way: a line for each path, in order, and the hash of `_config.yml`."""
    reject = Reject(path="_posts/b.md", sha256=None, size=None, rule="not-a-file", reason="a link")
    paths: dict[str, str | None] = {"c": "3", "a": "1", "新": "4", "b": None}
    lines = ["_posts/b.md\0not-a-file", "a\x001", "b\0None", "c\x003", "新\x004"]
    expected = hashlib.sha256("\n".join(lines).encode() + hashlib.sha256(CONFIG).digest()).hexdigest()
    for at_once in (10_000, 2):
        monkeypatch.setattr("newsdata.building.stages.list._LINES", at_once)
        described = digest_source(*found(paths, (reject,)), CONFIG)
        assert described == {"files": 5, "digest": expected, "bytes": 30}
    others = [found(paths), found(paths | {"a": "2"}, (reject,)), found({"a": "1", "c": "3"}, (reject,))]
    digests = {digest_source(*other, CONFIG)["digest"] for other in others}
    digests.add(digest_source(*found(paths, (reject,)), b"timezone: UTC\n")["digest"])
    assert len(digests | {expected}) == 5
