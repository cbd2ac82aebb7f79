"""What goes into a build, and when a build knows that it is what went in before."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pytest

import newsdata
from newsdata.building import workspace
from newsdata.building.intake import clashing_ids, digest_listing, take_in
from newsdata.building.workspace import Workspace, read_known, read_listed
from newsdata.errors import VersionError
from newsdata.parsing.site import read_site
from newsdata.schema import Reject, Site
from newsdata.sources.source import Files, Listing, SourceFile, list_files, open_source

from ..conftest import many_posts, write_archive
from ..source_files import tar_of

CONFIG = b"timezone: Asia/Shanghai\n"


def known_in(out: Path) -> pa.Table:
    return read_known(Workspace(staging=out, cache=out / ".newsdata" / "cache"))


def listed_in(out: Path) -> tuple[str, str]:
    return read_listed(Workspace(staging=out, cache=out / ".newsdata" / "cache"))


def tar_in(place: Path, files: dict[str, bytes]) -> Path:
    place.write_bytes(tar_of({"_config.yml": CONFIG, **files}))
    return place


def test_the_listing_of_the_last_build_is_known(tmp_path: Path) -> None:
    files = many_posts(6, per_day=2)
    made = newsdata.build(tar_in(tmp_path / "a.tar", files), tmp_path / "out", num_proc=1)
    listing, source = listed_in(tmp_path / "out")
    assert listing and source == made.manifest.source["digest"]
    again = newsdata.build(tmp_path / "a.tar", tmp_path / "out", num_proc=1)
    assert not again.created and again.difference is not None and again.difference.bump is None
    assert again.stages["listing"]["rows"] == len(files) + 1 and again.manifest == made.manifest

    more = newsdata.build(tar_in(tmp_path / "a.tar", files | {"about.md": b"no post"}), tmp_path / "out", num_proc=1)
    assert not more.created and more.stages["listing"]["rows"] == len(files) + 2, (
        "a file that is ignored makes no version"
    )
    path, data = next(iter(files.items()))
    edited = tar_in(tmp_path / "a.tar", files | {path: data.replace("库存".encode(), "存货".encode())})
    assert newsdata.build(edited, tmp_path / "out", num_proc=1).created


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


def test_files_that_may_change_unseen_are_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write_archive(tmp_path / "in", many_posts(4))
    newsdata.build(source, tmp_path / "out", num_proc=1)
    assert listed_in(tmp_path / "out") == ("", ""), "so young that another edit could leave the stamp as it is"
    monkeypatch.setattr(workspace, "_RACY", 0)
    assert not newsdata.build(source, tmp_path / "out", num_proc=1).created
    assert all(listed_in(tmp_path / "out"))
    post = sorted((source / "_posts").iterdir())[0]
    post.write_bytes(post.read_bytes().replace("库存".encode(), "存货".encode()))
    assert newsdata.build(source, tmp_path / "out", num_proc=1).created


@pytest.mark.parametrize("year", [1900, 2400])
def test_a_file_dated_far_away(year: int, tmp_path: Path) -> None:
    source = write_archive(tmp_path / "in", many_posts(4))
    seconds = (year - 1970) * 365 * 86_400
    for path in (source / "_posts").iterdir():
        os.utime(path, (seconds, seconds))
    assert newsdata.build(source, tmp_path / "out", num_proc=1).created
    assert not newsdata.build(source, tmp_path / "out", num_proc=1).created


@pytest.mark.parametrize("place", [0, 40, -9])
def test_a_damaged_index_is_not_believed(place: int, tmp_path: Path) -> None:
    source = tar_in(tmp_path / "a.tar", many_posts(4))
    newsdata.build(source, tmp_path / "out", num_proc=1)
    index = tmp_path / "out" / ".newsdata" / "cache" / "files.index"
    whole, listed = index.read_bytes(), listed_in(tmp_path / "out")
    data = bytearray(whole)
    data[place] ^= 1
    for damaged in (bytes(data), whole[:place], whole + b"\0"):
        index.write_bytes(damaged)
        assert known_in(tmp_path / "out").num_rows == 0
        assert listed_in(tmp_path / "out") in (("", ""), listed), "its own checksum stands beside it"
        assert newsdata.verify(tmp_path / "out").notes == (
            "cache: files.index is damaged; the next build makes it anew",
        )
        assert not newsdata.build(source, tmp_path / "out", num_proc=1).created
    assert newsdata.build(tar_in(tmp_path / "a.tar", many_posts(5)), tmp_path / "out", num_proc=1).created
    assert known_in(tmp_path / "out").num_rows == 15


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
    digests = [digest_listing(listing, Site(), CONFIG, {}, "tools") for listing in listings]
    digests += [
        digest_listing(whole, Site(drafts=True), CONFIG, {}, "tools"),
        digest_listing(whole, Site(), None, {}, "tools"),
        digest_listing(whole, Site(), CONFIG, {"1": "a request"}, "tools"),
        digest_listing(whole, Site(), CONFIG, {}, "newer tools"),
    ]
    assert len(set(digests)) == len(digests)
    assert digests[0] == digest_listing(Listing(files=files("a", "b"), rejects=(reject,)), Site(), CONFIG, {}, "tools")


def test_every_file_has_its_place(tmp_path: Path) -> None:
    names = [
        "_posts/2022-03-01-a.md",
        "_posts/2022-03-01-a.html",
        "_posts/2022-02-01-b.md",
        "_posts/c.md",
        "_posts/d.png",
        "e.md",
    ]
    write_archive(tmp_path / "in", dict.fromkeys(names, b"x"))
    (tmp_path / "in" / "_posts" / "link.md").symlink_to("c.md")
    listing = list_files(open_source(tmp_path / "in", scratch=tmp_path))
    taken = take_in(listing, read_site(CONFIG)[0], {}, None, None, again=False)
    assert [(shard.path, [file.path for file in shard.files]) for shard in taken.plan] == [
        ("posts/posts-undated-00000.parquet", ["_posts/c.md"]),
        ("posts/posts-2022-02-00000.parquet", ["_posts/2022-02-01-b.md"]),
        ("posts/posts-2022-03-00000.parquet", ["_posts/2022-03-01-a.html", "_posts/2022-03-01-a.md"]),
    ]
    assert taken.own_ids == {"_posts/2022-03-01-a.html": "_posts/2022-03-01-a.html"}
    assert [reject.path for reject in taken.rejects] == ["_posts/link.md"]
    assert taken.ignored == {"not text": 1, "not below _posts": 1, "configuration": 1}
    fewer = take_in(listing, read_site(CONFIG)[0], {"_posts/c": "a request"}, None, None, again=False)
    assert fewer.ignored["redacted"] == 1 and len(fewer.planned()) == 3


@pytest.mark.parametrize(
    ("paths", "kept"),
    [
        (["_posts/a.html", "_posts/a.md", "_posts/b.md"], ["_posts/a.html"]),
        (["_posts/x.d/a", "_posts/x.d/a.txt"], ["_posts/x.d/a.txt"]),
        (["_posts/x.d/a", "_posts/x.e/a", "_posts/x/a.d"], []),
        (["_posts/2022-03-01-202203010000000001.html", "_posts/2022-03-01-202203010000000001.md"], []),
    ],
)
def test_ids_of_paths_that_differ_in_the_extension(paths: list[str], kept: list[str]) -> None:
    files = Files.of(SourceFile(path, 1, "") for path in paths)
    assert clashing_ids(files) == {path: path for path in kept}


def test_a_name_that_leads_out_is_a_reject_wherever_it_would_lead(tmp_path: Path) -> None:
    outside = ("../a.txt", "../_posts/b.md", "_posts/../../c.md", "/etc/passwd")
    (tmp_path / "a.tar").write_bytes(tar_of({**many_posts(3), **dict.fromkeys(outside, b"x")}))
    made = newsdata.build(tmp_path / "a.tar", tmp_path / "out", num_proc=1)
    assert [(reject.path, reject.rule) for reject in made.rejects] == [(n, "path-unsafe") for n in sorted(outside)]
