"""Stage parse: files to rows, and what is taken from the last build instead of being read."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.building.workspace import store_in
from newsdata.errors import MachineError, SourceError
from newsdata.parsing.post import parse_bytes

from ...conftest import many_posts, post, write_archive
from ..edited_archive import digests
from ..executors import Before


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the posts that are parsed."""
    paths: list[str] = []

    def noting(path: str, *rest: object) -> object:
        paths.append(path)
        return parse_bytes(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("newsdata.building.stages.parse.parse_bytes", noting)
    return paths


def same_as_full(made: newsdata.Build, archive: Path, base: Path | None, tmp_path: Path) -> bool:
    full = newsdata.build(archive, tmp_path / "full", base=base, cache=False, num_proc=1, max_reject_share=1.0)
    same = digests(made.path) == digests(full.path)
    shutil.rmtree(tmp_path / "full")
    return same


@pytest.mark.slow
def test_a_file_that_changes_before_it_was_read_is_a_reject(tmp_path: Path) -> None:
    files = many_posts(4)
    source = write_archive(tmp_path / "in", files)
    gone, changed = sorted(source.glob("_posts/*.md"))[:2]

    def meddle() -> None:
        gone.unlink()
        changed.write_bytes(b"something else")

    executor = Before("hash", meddle)
    made = newsdata.build(source, tmp_path / "out", executor=executor)
    assert executor.done and {reject.path: reject.rule for reject in made.rejects} == {
        path.relative_to(source).as_posix(): "unreadable" for path in (gone, changed)
    }
    accounting = made.manifest.accounting
    assert (accounting["posts"], accounting["rejects"]) == (len(files) - 2, 2)
    assert newsdata.verify(made.path).faults == ()
    again = newsdata.build(source, tmp_path / "out", num_proc=1)
    assert again.created and again.manifest.accounting["posts"] == len(files) - 2
    assert {reject.path: reject.rule for reject in again.rejects} == {
        changed.relative_to(source).as_posix(): "front-matter-missing"
    }


@pytest.mark.slow
@pytest.mark.parametrize("change", [Path.unlink, lambda path: path.write_bytes(b"something else")])
def test_a_file_that_changes_after_it_was_hashed_fails_the_build(
    change: Callable[[Path], object], tmp_path: Path
) -> None:
    """Rows of other bytes than those that the hash and the key of the task are of: there is no version with them."""
    source, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    first = sorted(source.glob("_posts/*.md"))[0]
    executor = Before("parse", lambda: change(first))
    with pytest.raises(SourceError, match=r"changed while the build was reading the archive; run the same") as caught:
        newsdata.build(source, out, executor=executor)
    assert caught.value.path == first.relative_to(source).as_posix()
    assert [path.name for path in out.iterdir()] == [".newsdata"] and not (out / ".newsdata" / "staging").exists()
    made = newsdata.build(source, out, num_proc=1)
    assert made.manifest.accounting["files_seen"] == sum(1 for path in source.rglob("*") if path.is_file())
    assert newsdata.verify(made.path).faults == () and same_as_full(made, source, None, tmp_path)


@pytest.mark.slow
def test_only_what_changed_is_read(tmp_path: Path, read: list[str]) -> None:
    files = many_posts(20) | {
        "_posts/2022-03-07-202203070000000099.md": b"",
        "_posts/2022-03-08-b.md": b"---\n- a\n---\nb",
    }
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, max_reject_share=1.0)
    assert sorted(read) == sorted(files) and len(read) == 62
    names = sorted(many_posts(20))
    (archive / names[0]).write_bytes(files[names[0]].replace("仓库".encode(), "船坞".encode()))
    (archive / names[1]).unlink()
    (archive / names[2]).rename(archive / "_posts/2022-03-21-202203210000000001.md")
    read.clear()
    made = newsdata.build(archive, out, num_proc=1, max_reject_share=1.0)
    assert sorted(read) == [names[0], "_posts/2022-03-21-202203210000000001.md"], "rejects are not read again, either"
    assert len(made.rejects) == 2 and same_as_full(made, archive, out / "1.0.0", tmp_path)


@pytest.mark.slow
def test_a_post_that_takes_another_id_is_read_again(tmp_path: Path, read: list[str]) -> None:
    """Of posts that differ in the extension only, one takes the whole path as its id; which one may change."""
    files = many_posts(2) | {"_posts/2022-03-02-note.html": post(title="页")}
    archive, out = write_archive(tmp_path / "in", files), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    for added, again in ((True, True), (False, True)):
        read.clear()
        if added:
            write_archive(archive, {"_posts/2022-03-02-note.md": post(title="文")})
        else:
            (archive / "_posts/2022-03-02-note.md").unlink()
        base = newsdata.info(out)["version"]
        made = newsdata.build(archive, out, num_proc=1)
        assert ("_posts/2022-03-02-note.html" in read) == again
        assert same_as_full(made, archive, out / base, tmp_path)
        ids = pq.read_table(made.path / "posts", columns=["article_id"])["article_id"].to_pylist()
        assert ("_posts/2022-03-02-note.html" in ids) == added


@pytest.mark.slow
def test_another_site_reads_everything_again(tmp_path: Path, read: list[str]) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(5)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    read.clear()
    (archive / "_config.yml").write_text("timezone: UTC\n", "utf-8")
    made = newsdata.build(archive, out, num_proc=1)
    assert len(read) == 15 and same_as_full(made, archive, out / "1.0.0", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["posts-0", "spool", "keys"])
def test_a_damaged_seed_costs_time_only(name: str, tmp_path: Path, read: list[str]) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(5)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    store = store_in(out)
    assert store is not None
    (key,) = (key for key in store.keys() if key.startswith("parse"))  # noqa: SIM118 - a store is not a dict
    file = store.folder / f"{key}.{name}"
    whole = file.read_bytes()
    file.unlink()  # it may share its bytes with a shard of the version
    file.write_bytes(whole[:-1])
    write_archive(archive, many_posts(1, start_day=6))
    read.clear()
    made = newsdata.build(archive, out, num_proc=1)
    assert len(read) == 18 and same_as_full(made, archive, out / "1.0.0", tmp_path)


@pytest.mark.slow
def test_issues_and_feeds_are_counted_over_all_shards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsdata.building.shard_plan.SHARD_ROWS", 4)
    odd = {f"_posts/2022-03-0{day}-note-{day}.md": post(date="") for day in range(1, 5)}
    market = {
        f"_posts/2022-03-01-NW20220301000000009{n}.md": post(category="chenbao", tag="晨报新闻") for n in range(3)
    }
    made = newsdata.build(write_archive(tmp_path / "in", many_posts(4) | odd | market), tmp_path / "out", num_proc=1)
    rows = pq.read_table(made.path / "posts", columns=["issues"]).to_pylist()
    accounting = made.manifest.accounting
    assert accounting["issues_by_code"] == dict(sorted(Counter(c for row in rows for c in row["issues"]).items()))
    assert accounting["issues_by_code"]
    assert accounting["posts_by_feed"] == {"emnews": 12, "market": 3, "site": 4}


def test_memory_that_ran_out_is_no_fault_of_a_post(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def starved(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("newsdata.building.stages.parse.parse_bytes", starved)
    with pytest.raises(MachineError, match="ran out of memory while it read this file; try --num-proc 1"):
        newsdata.build(write_archive(tmp_path / "in", many_posts(1)), tmp_path / "out", num_proc=1)
