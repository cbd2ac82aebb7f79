"""What makes a build fail: rejects, leaks, a wrong site, rows that do not add up."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.building.base import follow
from newsdata.building.gates import (
    check_history,
    check_leakage,
    check_out,
    check_present,
    check_rejects,
    check_rows,
    check_site,
)
from newsdata.building.request import Request, settle
from newsdata.errors import CallError, LeakError, ManifestError, RejectsError, SourceError, VersionError
from newsdata.schema import Reject
from newsdata.sources.source import open_source
from newsdata.storage.manifest import read_manifest

from ..conftest import many_posts, post, run_newsdata, write_archive
from ..source_files import git_of
from .edited_archive import as_git


def asked(**options: Any) -> Request:
    return Request(**{"source": "in", "out": "out", **options})


# -------------------------------------------------------------------------------------------------------- rejects


def rejects(count: int) -> list[Reject]:
    return [
        Reject(path=f"_posts/{n}\x1b.md", sha256="0", size=1, rule="empty" if n % 2 else "data-file", reason="x", line=n or None)
        for n in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "posts", "options", "fails"),
    [
        (0, 0, {"strict": True}, False),
        (1, 99, {"strict": True}, True),
        (10, 0, {}, False),  # few are no share
        (11, 0, {}, True),
        (11, 1100, {}, False),  # less than a hundredth
        (12, 1100, {}, True),
        (1, 999, {"max_reject_share": 0.0}, True),
        (1, 1, {"max_reject_share": 0.5}, False),
        (2, 1, {"max_reject_share": 0.5}, True),
        (9, 0, {"max_reject_share": 1.0}, False),
    ],
)
def test_too_many_rejects(count: int, posts: int, options: dict[str, Any], fails: bool) -> None:
    if not fails:
        check_rejects(rejects(count), posts, asked(**options))
        return
    with pytest.raises(
        RejectsError, match=f"^{count} of {posts + count:,} files? that should be (a post|posts) (was|were) rejected"
    ) as caught:
        check_rejects(rejects(count), posts, asked(**options))
    assert caught.value.rejects == tuple(rejects(count)) and "\x1b" not in str(caught.value)


def test_rejects_are_listed_and_counted() -> None:
    with pytest.raises(RejectsError) as caught:
        check_rejects(rejects(25), 0, asked())
    lines = str(caught.value).splitlines()
    assert lines[0] == "25 of 25 files that should be posts were rejected (data-file: 13, empty: 12):"
    assert lines[1] == r"  _posts/0\x1b.md: data-file: x" and lines[2] == r"  _posts/1\x1b.md, line 1: empty: x"
    assert len(lines) == 23 and lines[21] == "  …" and lines[22].startswith("no version was written")
    assert "--max-reject-share" in lines[22]
    with pytest.raises(RejectsError, match="leave out --strict"):
        check_rejects(rejects(1), 999, asked(strict=True))


def test_posts_that_are_not_read_count_as_rejects() -> None:
    check_rejects(rejects(1), 100, asked(), unread=9)
    with pytest.raises(
        RejectsError, match=r"^11 of 111 files .*\(data-file: 1; 10 posts of the version before in folders"
    ):
        check_rejects(rejects(1), 100, asked(), unread=10)
    with pytest.raises(RejectsError, match=r"; 1 post of"):
        check_rejects(rejects(1), 1000, asked(max_reject_share=0.001), unread=1)


def test_a_site_in_another_encoding_is_told_to_convert() -> None:
    latin = [replace(one, rule="encoding", reason="3 places are not UTF-8") for one in rejects(12)]
    with pytest.raises(
        RejectsError, match=r"repair the files \(convert those of rule encoding to UTF-8, see docs/text\.md\)"
    ):
        check_rejects(latin, 0, asked())


@pytest.mark.slow
def test_rejects_fail_the_build_beyond_the_share(tmp_path: Path) -> None:
    files = many_posts(10) | {f"_posts/2022-03-01-20220301999999{i:04d}.md": b"" for i in range(11)}
    archive = write_archive(tmp_path / "in", files)
    with pytest.raises(RejectsError, match="empty: 11"):
        newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert [p.name for p in (tmp_path / "out").iterdir()] == [".newsdata"]
    made = newsdata.build(archive, tmp_path / "out", num_proc=1, max_reject_share=0.5)
    assert made.manifest.accounting["rejects_by_rule"] == {"empty": 11}
    with pytest.raises(RejectsError, match=r"--max-reject-share"):
        newsdata.build(archive, tmp_path / "out3", num_proc=1, max_reject_share=0.2)
    one = write_archive(tmp_path / "in1", many_posts(2) | {"_posts/2022-03-01-a.md": b""})
    assert newsdata.build(one, tmp_path / "out4", num_proc=1).created, "one of a few, and nothing was asked for"
    with pytest.raises(RejectsError):
        newsdata.build(one, tmp_path / "out5", num_proc=1, max_reject_share=0.0)
    with pytest.raises(RejectsError):
        newsdata.build(write_archive(tmp_path / "in2", {"_posts/2022-03-01-a.md": b""}), tmp_path / "out2", strict=True)


# ----------------------------------------------------------------------------------------------------------- site


@pytest.mark.slow
def test_a_wrong_folder_does_not_replace_a_good_version(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(4))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    (tmp_path / "empty").mkdir()
    for wrong, why in (
        (tmp_path / "empty", "it is empty), and 1.0.0 has 12"),
        (archive / "_posts", "12 files in no folder `_posts`), and 1.0.0 has 12"),
        (tmp_path, "is no site, but holds"),
    ):
        done = run_newsdata("build", wrong, tmp_path / "out")
        assert done.returncode == 2 and why in done.stderr, done.stderr
    assert newsdata.info(tmp_path / "out")["version"] == "1.0.0"
    for path in (archive / "_posts").iterdir():
        newsdata.redact(tmp_path / "out", path.stem[-18:], reason="a request")
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).manifest.accounting["posts"] == 0, "as was asked for"


@pytest.mark.slow
def test_a_first_version_of_no_site_is_refused(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(2))
    done = run_newsdata("build", archive / "_posts", tmp_path / "out")
    assert (
        done.returncode == 2
        and "no file in it is a post (6 files in no folder `_posts`); give the folder" in done.stderr
    )
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).version == "1.0.0"


def test_a_site_is_told_by_its_files(tmp_path: Path) -> None:
    newsdata.build(write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out", num_proc=1)
    base = read_manifest(tmp_path / "out" / "1.0.0")
    check_site(["_posts/"], {}, base, "in")
    check_site(["sport/_posts/"], {"configuration": 1}, base, "in")  # a category of a site
    check_site(["sport/_posts/", "old_post/"], {}, None, "in")
    check_site([], {"redacted": 5}, base, "in")
    none = replace(base, accounting={**base.accounting, "posts": 0})
    for posts, ignored, manifest, why in (
        ([], {}, base, r"it is empty\), and 1\.0\.0 has 3; give"),
        ([], {"not below _posts": 1234}, base, r"1,234 files in no folder `_posts`\), and 1\.0\.0 has 3"),
        ([], {"not below _posts": 2}, None, r"2 files in no folder `_posts`\);"),
        ([], {}, None, r"it is empty\);"),
        ([], {"configuration": 1}, none, r"1 configuration\);"),
        ([], {"draft": 2}, None, r"2 draft\); .*--drafts reads the drafts"),
        (["a/b/_posts/x/"], {}, None, r"holds 1 folder with `_posts`: a/b; pack only the folder a/b"),
        (
            [f"{n}/_posts/" for n in range(9)],
            {},
            base,
            r"holds 9 folders with `_posts`: 0, 1, 2, …; pack only the folder 0",
        ),
    ):
        with pytest.raises(SourceError, match=why) as caught:
            check_site(posts, ignored, manifest, "in")
        assert caught.value.path == "in"


@pytest.mark.slow
def test_the_folder_above_a_site_is_told_from_it(tmp_path: Path) -> None:
    """Its posts would get other paths, ids and categories."""
    write_archive(tmp_path / "in" / "site", many_posts(2))
    git = as_git(tmp_path / "up", {"blog/site/_posts/2022-03-01-a.md": post()})
    for source, right in ((tmp_path / "in", tmp_path / "in" / "site"), (f"{git}@HEAD:blog", f"{git}@HEAD:blog/site")):
        with pytest.raises(SourceError, match=f"; give {re.escape(str(right))}; if this is the site") as caught:
            newsdata.build(source, tmp_path / "out", num_proc=1)
        assert not (tmp_path / "out").exists()
        assert newsdata.build(right, tmp_path / f"good-{len(str(right))}", num_proc=1).created
        assert caught.value.path == str(source)


@pytest.mark.parametrize("wrong", ["nowhere", "in@no-revision", "empty", "in/_posts", "in/file.tar", "."])
def test_a_refused_call_leaves_nothing_behind(wrong: str, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(1) | {"file.tar": b"no archive"})
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CallError):
        newsdata.build(tmp_path / wrong, tmp_path / "new" / "out", num_proc=1)
    for out in (archive, archive / "_posts" / "out"):
        with pytest.raises(SourceError):
            newsdata.build(archive, out, num_proc=1)
    with pytest.raises(CallError):
        newsdata.build(archive, tmp_path / "empty", num_proc=1, validation_from="yesterday")
    assert sorted(tmp_path.rglob("*")) == before


def test_no_version_goes_among_the_posts(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(1))
    with pytest.raises(SourceError, match="lies among the source's posts"):
        newsdata.build(archive, archive / "_posts" / "out", num_proc=1)


@pytest.mark.parametrize("place", ["_posts/out", "a/_posts/out", "old_post/x/out", "_drafts/out"])
def test_out_among_the_posts_is_refused(place: str, tmp_path: Path) -> None:
    source = open_source(tmp_path, scratch=tmp_path, exclude=tmp_path / place)
    with pytest.raises(SourceError, match="lies among the source's posts"):
        check_out(source, asked(out=tmp_path / place))


@pytest.mark.parametrize("place", ["out", "a/out", "_site/posts"])
def test_out_beside_the_posts(place: str, tmp_path: Path) -> None:
    check_out(open_source(tmp_path, scratch=tmp_path, exclude=tmp_path / place), asked(out=tmp_path / place))
    check_out(open_source(tmp_path, scratch=tmp_path), asked())


def test_only_git_has_a_history(tmp_path: Path) -> None:
    repository = git_of(tmp_path / "repo", many_posts(1))
    settings = settle(asked(history=True), follow(tmp_path / "out", None))
    check_history(open_source(f"{repository}@main", scratch=tmp_path), settings)
    with pytest.raises(CallError, match="repo@REVISION"):
        check_history(open_source(repository, scratch=tmp_path), settings)
    with pytest.raises(CallError, match="words"):
        check_history(open_source(f"{repository}@main", scratch=tmp_path), replace(settings, text="none"))
    check_history(open_source(repository, scratch=tmp_path), replace(settings, history=False))


# -------------------------------------------------------------------------------------------------- leaks and rows


def test_leaking_pairs_are_named() -> None:
    found = [{"left": "a", "right": "b", "jaccard": 0.9}, {"left": "c", "right": "d", "jaccard": 0.6}]
    leakage = {"pairs": [{"split": "test", "against": "train", "leak_j50": 0.01}], "leaking": found}
    check_leakage(leakage, allowed=0.01)
    check_leakage(None, allowed=0.0)
    with pytest.raises(LeakError, match=r"1.00% of test.*\n  a and b: Jaccard 0.9\n  c and d"):
        check_leakage(leakage, allowed=0.0)


def test_rows_that_were_not_written_are_no_version(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out", num_proc=1)
    check_rows(made.manifest.shards, made.manifest.accounting)
    with pytest.raises(AssertionError, match="test: 0 of "):
        check_rows([s for s in made.manifest.shards if s.split != "test"], made.manifest.accounting)


def test_files_of_the_base_are_there(tmp_path: Path) -> None:
    newsdata.build(write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out", num_proc=1)
    base = follow(tmp_path / "out", None)
    check_present(base)
    assert base.folder is not None
    for name in ("README.md", "ledger.arrow", "posts/posts-2022-03-0000000.parquet"):
        file = base.folder / name
        whole = file.read_bytes()
        for damage in (whole[:-1], whole + b"x", None):
            file.unlink()
            if damage is not None:
                file.write_bytes(damage)
            with pytest.raises(ManifestError, match=r"missing or damaged.*--version 1\.0\.1"):
                check_present(base)
        file.write_bytes(whole)
    check_present(base)


def test_no_version_is_built_beside_a_part_of_a_release(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out"
    (out / "1.0.0-partial").mkdir(parents=True)
    (out / "notes-partial").mkdir()
    for folder in ("notes-partial", "1.0.0-partial"):
        (out / folder / "manifest.json").write_text("{}", "utf-8")
    with pytest.raises(VersionError, match=r"holds 1\.0\.0-partial, a part of a release.*another folder.*--base"):
        newsdata.build(archive, out, num_proc=1)
    assert {path.name for path in out.iterdir()} == {"1.0.0-partial", "notes-partial"}
    (out / "1.0.0-partial" / "manifest.json").unlink()
    assert newsdata.build(archive, out, num_proc=1).version == "1.0.0"
    (out / "1.0.0-partial" / "manifest.json").write_text("{}", "utf-8")
    assert not newsdata.build(archive, out, num_proc=1).created, "it follows the whole version"
