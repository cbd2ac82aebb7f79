"""Builds of hostile archives: the build ends, the version holds the good posts, and no other file is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.building.build import Build

from ..conftest import ROOT, many_posts, write_archive
from ..hostile_posts import HUGE_POSTS, POSTS

LIMIT = 60.0  # seconds, on a busy machine


def build_beside_good_posts(tmp_path: Path, hostile: dict[str, bytes], *, num_proc: int = 1) -> Build:
    """Build hostile posts beside good ones. The version must hold the good ones, and nothing else may have changed."""
    good = many_posts(4, 2)
    source = write_archive(tmp_path / "site", good | hostile)
    made = newsdata.build(source, tmp_path / "out", num_proc=num_proc, max_reject_share=1.0)
    finished(made, set(good), len(good) + len(hostile))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "site"]
    assert not list(ROOT.glob("pwned")) and not Path("pwned").exists()
    return made


def finished(made: Build, good: set[str], candidates: int) -> None:
    a = made.manifest.accounting
    assert a["posts"] + a["rejects"] == candidates
    paths = {
        path
        for shard in made.manifest.shards
        if shard.config == "posts"
        for path in pq.read_table(made.path / shard.path, columns=["path"])["path"].to_pylist()
    }
    assert good <= paths
    assert not newsdata.verify(made.path).faults


@pytest.mark.slow
def test_some_hostile_posts_are_built_beside_good_ones(tmp_path: Path) -> None:
    names = ("alias-bomb", "merge-bomb", "python-object", "open-brackets", "whole-random", "whole-utf-16", "whole-nothing", "script",
             "svg", "entities-beyond-unicode", "unclosed-everything", "surrogates", "carriage-returns")  # fmt: skip
    chosen = {path: data for path, data in POSTS.items() if path.rpartition("/")[2][11:-3] in names}
    assert len(chosen) >= 12
    made = build_beside_good_posts(tmp_path, chosen)
    assert made.manifest.accounting["rejects_by_rule"]["front-matter-hostile"] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("num_proc", [1, 2])
def test_all_hostile_posts_are_built_beside_good_ones(num_proc: int, tmp_path: Path) -> None:
    build_beside_good_posts(tmp_path, dict(POSTS), num_proc=num_proc)


@pytest.mark.slow
@pytest.mark.parametrize("name", HUGE_POSTS)
def test_posts_of_a_hundred_megabytes_are_rejected_without_being_read(name: str, tmp_path: Path) -> None:
    made = build_beside_good_posts(tmp_path, {"_posts/2022-03-02-x.md": HUGE_POSTS[name]})
    assert [reject.rule for reject in made.rejects] == ["too-large"]


@pytest.mark.slow
def test_what_is_not_a_file_is_rejected(tmp_path: Path) -> None:
    """Links out of the tree and in loops, pipes, devices, odd names, unreadable files, the output inside the input."""
    secret = tmp_path / "secret.md"
    secret.write_text("---\ntitle: SECRET\n---\nSECRET")
    good = many_posts(4, 2) | {
        "_posts/2022-03-02-a\nb.md": b"---\ntitle: n\n---\nx",
        "_posts/2022-03-02-" + "长" * 78 + "x.md": b"---\ntitle: l\n---\nx",
        "_posts/2022-03-02-case.md": b"---\ntitle: c\n---\nx",
        "_posts/2022-03-02-CASE.md": b"---\ntitle: C\n---\nx",
    }
    source = write_archive(tmp_path / "site", good)
    posts = source / "_posts"
    (posts / "2022-03-02-out.md").symlink_to(secret)
    (posts / "2022-03-02-loop.md").symlink_to("2022-03-02-loop.md")
    (posts / "2022-03-02-dangling.md").symlink_to("nowhere")
    (posts / "round").symlink_to(posts)
    (source / "elsewhere").symlink_to(tmp_path)
    os.mkfifo(posts / "2022-03-02-pipe.md")
    (posts / "2022-03-02-null.md").symlink_to("/dev/zero")
    with open(os.fsencode(posts) + b"/2022-03-02-\xff\xed\xa0\x80.md", "wb") as file:  # noqa: PTH123
        file.write(b"---\ntitle: x\n---\nx")
    found = subprocess.run(
        [sys.executable, "-m", "newsdata", "build", str(source), str(source / "out"), "--max-reject-share", "1"],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert found.returncode == 0 and "Traceback" not in found.stderr, found.stderr
    folder = source / "out" / "1.0.0"
    assert not newsdata.verify(folder).faults
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"SECRET" not in text and str(tmp_path).encode() not in text
    rejects = pq.read_table(folder / "rejects")["rule"].to_pylist()
    assert sorted(set(rejects)) == ["not-a-file", "path-not-utf-8"]
    paths = pq.read_table(folder / "posts")["path"].to_pylist()
    assert set(good) <= set(paths) and not any("out/" in path for path in paths)


@pytest.fixture
def out_with_files(tmp_path: Path) -> Iterator[Path]:
    """An output folder with files of somebody else, which must not change."""
    out = tmp_path / "out"
    there = {
        "notes.txt": b"mine",
        "data/x.parquet": b"mine, too",
        "2.0.0/thesis.tex": b"years of work",
        ".hidden": b"h",
    }
    write_archive(out, there, timezone=None)
    yield out
    assert {path: (out / path).read_bytes() for path in there} == there


def test_files_of_somebody_else_stay(out_with_files: Path, tmp_path: Path) -> None:
    source = write_archive(tmp_path / "site", many_posts(4))
    made = newsdata.build(source, out_with_files, num_proc=1)
    assert made.version == "1.0.0" and not newsdata.verify(made.path).faults


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_a_version_of_somebody_else_stays(kind: str, tmp_path: Path) -> None:
    out, source = tmp_path / "out", write_archive(tmp_path / "site", many_posts(4))
    out.mkdir()
    if kind == "folder":
        write_archive(out / "1.0.0", {"thesis.tex": b"years of work"}, timezone=None)
    elif kind == "file":
        (out / "1.0.0").write_bytes(b"years of work")
    else:
        (out / "1.0.0").symlink_to(write_archive(tmp_path / "work", {"thesis.tex": b"years of work"}, timezone=None))
    with pytest.raises(newsdata.NewsdataError, match=r"1\.0\.0: already exists where the new version belongs"):
        newsdata.build(source, out, num_proc=1)
    file = out / "1.0.0" if kind == "file" else out / "1.0.0" / "thesis.tex"
    assert file.read_bytes() == b"years of work"
    assert not (out / ".newsdata" / "staging").exists()


@pytest.mark.parametrize("name", [".newsdata", ".newsdata/cache", ".newsdata/lock"])
def test_a_link_in_the_output_is_refused(name: str, tmp_path: Path) -> None:
    elsewhere = write_archive(tmp_path / "elsewhere", {"thesis.tex": b"years of work"}, timezone=None)
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere / "thesis.tex" if name.endswith("lock") else elsewhere)
    source = write_archive(tmp_path / "site", many_posts(4))
    with pytest.raises(newsdata.NewsdataError, match="is a link"):
        newsdata.build(source, tmp_path / "out", num_proc=1)
    assert [path.name for path in elsewhere.iterdir()] == ["thesis.tex"]
    assert (elsewhere / "thesis.tex").read_bytes() == b"years of work"
