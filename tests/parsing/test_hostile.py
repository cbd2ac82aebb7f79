"""Hostile input: whatever lies in an archive, the build ends, the good posts are in it, and nothing else is touched."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

import newsdata
from newsdata.building.build import Build
from newsdata.parsing.post import parse_bytes
from newsdata.parsing.site import classify, default_values, read_site
from newsdata.schema import ISSUES, REJECT_RULES, Post, Reject, Site
from newsdata.storage.rows import rows_of_posts

from ..conftest import ROOT, many_posts, write_archive
from ..hostile_posts import CONFIGS, POSTS, QUICKLY_SLOW
from ..strategies import PATHS, files

SHANGHAI = Site(timezone="Asia/Shanghai")
LIMIT = 60.0  # seconds for one post of any kind, on a machine that is busy with other things
CORPUS = sorted((ROOT / "tests" / "corpus").iterdir())
QUICK = [path for path in POSTS if "/2022-03-02-2022" not in path and "NW" not in path]


def check(found: Post | Reject) -> None:
    """What holds of everything that is read."""
    if isinstance(found, Reject):
        assert found.rule in REJECT_RULES and found.reason and len(found.excerpt or "") <= 200
        assert (found.excerpt or "").isprintable()
        return
    assert set(found.issues) <= ISSUES.keys()
    for mention in found.mentions:
        assert found.text[mention.start : mention.end] == mention.text and mention.text
    for start, end in [(s.start, s.end) for s in found.headings] + [(s.start, s.end) for s in found.links]:
        assert 0 <= start < end <= len(found.text)
    assert "INJECTED" not in found.text
    assert not any("INJECTED" in link.url for link in found.links)
    assert [table.num_rows for table in rows_of_posts([found], "Asia/Shanghai")] == [1, 1, 1]


def read(path: str, data: bytes) -> Post | Reject:
    return parse_bytes(path, data, SHANGHAI, hashlib.sha256(data).hexdigest())


@pytest.mark.slow
@pytest.mark.parametrize("path", POSTS)
def test_a_hostile_post(path: str) -> None:
    begin = time.monotonic()
    check(read(path, POSTS[path]))
    assert time.monotonic() - begin < LIMIT


@pytest.mark.parametrize("name", CONFIGS)
def test_a_hostile_configuration(name: str) -> None:
    site, notes = read_site(CONFIGS[name])
    assert all(len(note) < 300 for note in notes)
    for path in ("_posts/2022-03-01-a.md", f"{'a' * 200}/_posts/{'a' * 200}.md", "a/" * 1_000 + "_posts/b.md"):
        classify(path, site)
        default_values(path, site)


def test_globs_take_no_exponential_time() -> None:
    values = {"tags": "x"}
    site = Site(defaults=(("*a" * 30 + "b", "", values), ("**/a/" * 30 + "b", "", values), ("a/**/*.md", "", values)))
    assert default_values("a" * 200 + "/_posts/b.md", site) == {}
    assert default_values("a/" * 1_000 + "_posts/c", site) == {}
    assert default_values("a/_posts/2022-03-01-c.md", site) == {"tags": "x"}


@settings(max_examples=250, deadline=None)
@given(PATHS, files())
def test_any_post(path: str, data: bytes) -> None:
    check(read(path, data))


@pytest.mark.slow
@settings(max_examples=20_000, deadline=None)
@given(PATHS, files())
def test_very_many_posts(path: str, data: bytes) -> None:
    check(read(path, data))


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: file.name)
def test_past_failures(file: Path) -> None:
    for path in ("_posts/2022-03-01-202203010000000001.md", "_posts/2022-03-01-a.md", "_posts/2022-03-01-a.html"):
        check(read(path, file.read_bytes()))


# ------------------------------------------------------------------------------------------- whole builds


def build_beside_good_posts(tmp_path: Path, hostile: dict[str, bytes], *, num_proc: int = 1) -> Build:
    """Build them beside good posts; the good ones have to be there, and nothing else may have changed."""
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


def test_hostile_posts_beside_good_ones(tmp_path: Path) -> None:
    names = ("alias-bomb", "merge-bomb", "python-object", "open-brackets", "whole-random", "whole-utf-16", "whole-nothing", "script",
             "svg", "entities-beyond-unicode", "unclosed-everything", "surrogates", "carriage-returns")  # fmt: skip
    chosen = {path: data for path, data in POSTS.items() if path.rpartition("/")[2][11:-3] in names}
    assert len(chosen) >= 12
    made = build_beside_good_posts(tmp_path, chosen)
    assert made.manifest.accounting["rejects_by_rule"]["front-matter-hostile"] >= 3


@pytest.mark.slow
@pytest.mark.parametrize("num_proc", [1, 2])
def test_all_hostile_posts(num_proc: int, tmp_path: Path) -> None:
    build_beside_good_posts(tmp_path, dict(POSTS), num_proc=num_proc)


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICKLY_SLOW)
def test_posts_of_a_hundred_megabytes_are_rejected_unread(name: str, tmp_path: Path) -> None:
    made = build_beside_good_posts(tmp_path, {"_posts/2022-03-02-x.md": QUICKLY_SLOW[name]})
    assert [reject.rule for reject in made.rejects] == ["too-large"]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in QUICKLY_SLOW if name != "one-front-line"])
def test_posts_as_large_as_can_be(name: str) -> None:
    begin = time.monotonic()
    check(read("_posts/2022-03-02-x.md", QUICKLY_SLOW[name][: 8 * 2**20 - 3]))
    assert time.monotonic() - begin < LIMIT


def test_what_is_no_file(tmp_path: Path) -> None:
    """Links out of the tree and in loops, pipes, devices, odd names, what cannot be read, the output inside the input."""
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
    """An output folder with someone else's files; they are there afterwards, as they were."""
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


def test_someone_elses_files(out_with_files: Path, tmp_path: Path) -> None:
    source = write_archive(tmp_path / "site", many_posts(4))
    made = newsdata.build(source, out_with_files, num_proc=1)
    assert made.version == "1.0.0" and not newsdata.verify(made.path).faults


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_someone_elses_version(kind: str, tmp_path: Path) -> None:
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
def test_a_link_in_the_output(name: str, tmp_path: Path) -> None:
    elsewhere = write_archive(tmp_path / "elsewhere", {"thesis.tex": b"years of work"}, timezone=None)
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere / "thesis.tex" if name.endswith("lock") else elsewhere)
    source = write_archive(tmp_path / "site", many_posts(4))
    with pytest.raises(newsdata.NewsdataError, match="is a link"):
        newsdata.build(source, tmp_path / "out", num_proc=1)
    assert [path.name for path in elsewhere.iterdir()] == ["thesis.tex"]
    assert (elsewhere / "thesis.tex").read_bytes() == b"years of work"
