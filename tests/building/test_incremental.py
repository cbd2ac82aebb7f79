"""Versions over random edit histories: an incremental build is the full one, byte for byte, and `diff` says it all."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import VerifyError
from newsdata.storage.difference import Difference
from newsdata.storage.manifest import Manifest, read_manifest

from ..conftest import many_posts, write_archive
from ..source_files import git_of
from .edited_archive import CONFIG, SOURCES, Archive, as_folder, as_git, as_tar, as_zip, digests, inodes

# ----------------------------------------------------------------------------------------------------- comparing


def rows(folder: Path, manifest: Manifest, configs: tuple[str, ...], key: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Every row: key -> (split, row)."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for shard in manifest.shards:
        if shard.config in configs:
            for row in pq.read_table(folder / shard.path, partitioning=None).to_pylist():
                assert row[key] not in found
                found[row[key]] = shard.split, row
    return found


def expect(old: Path, new: Path) -> tuple[set[tuple[Any, ...]], Counter[str]]:
    """All differing rows, found the plain way; and how many files of each content only moved."""
    changes: set[tuple[Any, ...]] = set()
    moved: Counter[str] = Counter()
    before, after = read_manifest(old), read_manifest(new)
    for configs, key in ((("articles", "excluded"), "article_id"), (("posts",), "path"), (("rejects",), "path")):
        a, b = rows(old, before, configs, key), rows(new, after, configs, key)
        for name in a.keys() & b.keys():
            (split, was), (now_split, now) = a[name], b[name]
            columns = {c for c in was.keys() | now.keys() if was.get(c) != now.get(c)}
            if split != now_split or columns:
                kind = "changed" if split == now_split else "moved"
                changes.add((configs[0], name, kind, split, now_split, tuple(sorted(columns))))
        gone, come = sorted(a.keys() - b.keys()), sorted(b.keys() - a.keys())
        if configs == ("posts",):
            by_content: dict[str, list[str]] = defaultdict(list)
            for name in gone:
                by_content[a[name][1]["sha256"]].append(name)
            for name in list(come):
                if by_content[b[name][1]["sha256"]]:
                    gone.remove(by_content[b[name][1]["sha256"]].pop())
                    come.remove(name)
                    moved[b[name][1]["sha256"]] += 1
        changes |= {(configs[0], name, "added", None, b[name][0], ()) for name in come if configs != ("posts",)}
        changes |= {(configs[0], name, "removed", a[name][0], None, ()) for name in gone if configs != ("posts",)}
        if configs == ("posts",):  # which of equal files moved and which came is a matter of taste: count them
            changes |= {("posts", "added", n) for n in Counter(b[name][1]["sha256"] for name in come).items()}
            changes |= {("posts", "removed", n) for n in Counter(a[name][1]["sha256"] for name in gone).items()}
    return changes, moved


def told(found: Difference, old: Path, new: Path) -> tuple[set[tuple[Any, ...]], Counter[str]]:
    """The same, from `diff`."""
    changes: set[tuple[Any, ...]] = set()
    moved: Counter[str] = Counter()
    a, b = (rows(f, read_manifest(f), ("posts",), "path") for f in (old, new))
    posts: dict[str, Counter[str]] = {"added": Counter(), "removed": Counter()}
    for change in found.changes:
        if change.config == "posts" and change.kind == "moved":
            assert change.old_path is not None
            assert a[change.old_path][1]["sha256"] == b[change.key][1]["sha256"]
            moved[b[change.key][1]["sha256"]] += 1
        elif change.config == "posts" and change.kind in posts:
            posts[change.kind][(b if change.kind == "added" else a)[change.key][1]["sha256"]] += 1
        else:
            changes.add((change.config, change.key, change.kind, change.old, change.new, tuple(sorted(change.columns))))
    changes |= {("posts", kind, n) for kind, counts in posts.items() for n in counts.items()}
    return changes, moved


def bump_of(changes: set[tuple[Any, ...]]) -> str:
    """The least bump that the rows ask for, by the rule as it stands in the README."""
    articles = [c for c in changes if c[0] == "articles"]
    if any(c[2] != "added" and c[3] in ("train", "validation", "test") for c in articles):
        return "major"
    return "minor" if changes else "patch"


# ------------------------------------------------------------------------------------------------------- histories


def play(seed: int, tmp_path: Path, steps: int = 4) -> None:
    rng = random.Random(seed)
    archive = Archive(rng)
    for _ in range(rng.choice((1, 3, 12))):
        archive.add()
    make = SOURCES[seed % len(SOURCES)]
    out = tmp_path / "out"
    asked: dict[str, Any] = {"num_proc": 1, "max_reject_share": 1.0, "max_leak": 1.0}
    base: Path | None = None
    for step in range(steps):
        if step:
            archive.step()
        if base is not None and rng.random() < 0.1:
            held = sorted(rows(base, read_manifest(base), ("articles", "excluded"), "article_id"))
            if held:
                newsdata.redact(out, rng.choice(held), reason="a request")
        made = newsdata.build(make(tmp_path / "in", archive.files), out, **asked)
        full = newsdata.build(
            make(tmp_path / "in", archive.files), tmp_path / f"full-{step}", base=base, cache=False, **asked
        )
        assert (made.version, made.created) == (full.version, full.created), (seed, step)
        assert digests(made.path) == digests(full.path), (seed, step)
        assert newsdata.verify(made.path).faults == (), (seed, step)
        if base is not None:
            found = newsdata.diff(base, made.path)
            assert told(found, base, made.path) == expect(base, made.path), (seed, step)
            if made.created:
                assert made.difference is not None
                without = {replace(change, columns=()) for change in found.changes}
                assert {replace(change, columns=()) for change in made.difference.changes} == without
                changes, _ = expect(base, made.path)
                least = bump_of(changes)
                rank = ("patch", "minor", "major").index
                assert found.bump is not None and rank(found.bump) >= rank(least), (seed, step)
                if not found.configuration and not any("dedup" in r for r in found.reasons):
                    assert found.bump == least, (seed, step, found.reasons)
                before, after = inodes(base, read_manifest(base)), inodes(made.path, made.manifest)
                kept = {path for path in before.keys() & after.keys() if before[path][0] == after[path][0]}
                assert {p for p in kept if before[p] != after[p]} == set(), (seed, step)
            else:
                assert found.bump is None and made.path == base
        again = newsdata.build(make(tmp_path / "in", archive.files), out, **asked)
        assert (again.created, again.path) == (False, made.path), (seed, step)
        base = made.path


@pytest.mark.parametrize("seed", range(len(SOURCES)))
def test_incremental_is_full(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(len(SOURCES), 24))
def test_incremental_is_full_at_length(seed: int, tmp_path: Path) -> None:
    play(seed, tmp_path, steps=8)


@pytest.mark.slow
def test_files_that_only_moved_are_a_patch(tmp_path: Path) -> None:
    files = {"_config.yml": CONFIG, **many_posts(6, per_day=2)}
    out = tmp_path / "out"
    newsdata.build(write_archive(tmp_path / "a", files, None), out, num_proc=1)
    moved = {path.replace("_posts/2022-03-02", "old_post/2022-03-02"): data for path, data in files.items()}
    made = newsdata.build(write_archive(tmp_path / "b", moved, None), out, num_proc=1)
    assert made.version == "1.0.1" and made.difference is not None
    assert {(c.config, c.kind) for c in made.difference.changes} == {("posts", "moved")}
    assert made.difference.reasons == ("2 files moved",)


@pytest.mark.slow
def test_a_date_that_changes_with_the_zone_is_told(tmp_path: Path) -> None:
    files = many_posts(3, per_day=1)
    out = tmp_path / "out"
    newsdata.build(write_archive(tmp_path / "a", files), out, num_proc=1)
    path = "_posts/2022-03-02-202203020000000000.md"
    files[path] = files[path].replace(b"00:30:00", b"05:30:00")
    made = newsdata.build(write_archive(tmp_path / "b", files, timezone="UTC"), out, num_proc=1)
    assert made.difference is not None and "articles.published_at" in made.difference.columns_changed
    articles = [c for c in made.difference.changes if c.config == "articles"]
    assert [c.key for c in articles if "published_at" in c.columns] == ["202203020000000000"]


@pytest.mark.slow
def test_every_kind_of_source_gives_the_same_bytes(tmp_path: Path) -> None:
    archive = Archive(random.Random(7))
    for _ in range(25):
        archive.add()
    for _ in range(4):
        archive.step()
    archive.spoil()
    kinds = {  # git last: what it is compared with holds less
        "folder": as_folder(tmp_path / "folder", archive.files),
        "tar.gz": as_tar(tmp_path / "tar", archive.files),
        "zip": as_zip(tmp_path / "zip", archive.files),
        "work tree": git_of(tmp_path / "tree", archive.files),
        "bare": as_git(tmp_path / "bare", archive.files),
    }
    made = {
        kind: newsdata.build(source, tmp_path / f"out of {kind}", num_proc=1, max_reject_share=1.0, max_leak=1.0)
        for kind, source in kinds.items()
    }
    plain = made["folder"]
    expected = digests(plain.path)
    for kind, build in made.items():
        found = digests(build.path)
        if kind in ("bare", "work tree"):  # only git knows blobs and commits: a config of its own, and what tells of it
            assert {p for p in found if p not in expected} == {
                s.path for s in build.manifest.shards if s.config == "origins"
            }
            for one in (found, expected):
                one |= dict.fromkeys(("README.md", "croissant.json", "CITATION.cff", "manifest.json", "assets"), "")
            found = {path: digest for path, digest in found.items() if not path.startswith("origins/")}
            without = [s for s in build.manifest.shards if s.config != "origins"]
            assert tuple(without) == plain.manifest.shards
            assert build.manifest.accounting == plain.manifest.accounting
            assert build.manifest.source == plain.manifest.source
        assert found == expected, kind


@pytest.mark.slow
def test_a_lost_cache_costs_no_disk(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(40, per_day=2))
    first = newsdata.build(archive, tmp_path / "out", num_proc=1)
    shutil.rmtree(tmp_path / "out" / ".newsdata" / "cache")
    write_archive(archive, many_posts(1, start_day=41))
    second = newsdata.build(archive, tmp_path / "out", num_proc=1)
    before, after = inodes(first.path, first.manifest), inodes(second.path, second.manifest)
    same = {path for path in before if path in after and before[path][0] == after[path][0]}
    assert "posts/posts-2022-03-0000000.parquet" in same
    assert {path for path in same if before[path][1] != after[path][1]} == set()


@pytest.mark.slow
def test_a_damaged_version_is_not_followed(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(40, per_day=2))
    first = newsdata.build(archive, tmp_path / "out", num_proc=1)
    for shard in first.manifest.shards:
        file = first.path / shard.path
        data = file.read_bytes()
        file.unlink()
        file.write_bytes(data[:-20] + bytes(20))
    shutil.rmtree(tmp_path / "out" / ".newsdata" / "cache")
    write_archive(archive, many_posts(1, start_day=41))
    with pytest.raises(VerifyError, match="is damaged"):
        newsdata.build(archive, tmp_path / "out", num_proc=1)


OPENED = """
import sys, newsdata
opened = []
sys.addaudithook(lambda event, given: opened.append(given[0]) if event == "open" else None)
newsdata.build(sys.argv[1], sys.argv[2], num_proc=1)
print(sorted({name.decode() for name in opened if isinstance(name, bytes) and name.endswith(b".md")}))
"""


@pytest.mark.slow
def test_only_files_that_changed_are_opened(tmp_path: Path) -> None:
    """One changed post among many of the same shard: rows of the others are taken over, in whatever place they stand."""
    files = many_posts(30, per_day=20) | {
        "_posts/2022-03-07-202203070000000099.md": b"",
        "_posts/2022-03-08-b.md": b"-",
    }
    archive = write_archive(tmp_path / "in", files)
    time.sleep(2.1)  # files that were written just before they are listed are read again next time
    out = tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, max_reject_share=1.0)
    names = sorted(path for path in files if path.startswith("_posts/"))
    (archive / names[0]).write_bytes(files[names[0]].replace("仓库".encode(), "船坞".encode()))
    (archive / names[1]).unlink()
    (archive / names[555]).write_bytes(files[names[554]])
    (archive / "_posts" / "2022-03-09-202203090000000099.md").write_bytes(b"---\ntitle: x\n---\nWords.\n")
    done = subprocess.run([sys.executable, "-c", OPENED, archive, out], capture_output=True, text=True, check=True)
    expected = [Path(names[0]).name, "2022-03-09-202203090000000099.md", Path(names[555]).name]
    assert done.stdout == f"{sorted(expected)}\n"
    made = out / newsdata.info(out)["version"]
    full = newsdata.build(archive, tmp_path / "full", base=out / "1.0.0", cache=False, num_proc=2)
    assert made.name == full.version and digests(made) == digests(full.path)


@pytest.mark.slow
def test_files_that_were_only_touched_are_no_change(tmp_path: Path) -> None:
    files = many_posts(6, per_day=3)
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    time.sleep(2.1)
    newsdata.build(archive, out, num_proc=1)
    touched = sorted(path for path in files if path.startswith("_posts/"))[:2]
    for path in touched:
        os.utime(archive / path, (1, 1))
    opened = []
    for wait in (0, 2.1, 0):
        time.sleep(wait)
        done = subprocess.run([sys.executable, "-c", OPENED, archive, out], capture_output=True, text=True, check=True)
        opened.append(done.stdout)
    read = f"{[Path(path).name for path in touched]}\n"
    assert opened[0] == read and opened[2] == "[]\n"
    assert opened[1] in (read, "[]\n")  # once more, unless the stamps had settled before the first of these builds
    assert [path.name for path in out.iterdir() if path.is_dir() and path.name[0].isdigit()] == ["1.0.0"]
