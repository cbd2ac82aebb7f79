"""What only git knows: origins and revisions, and what was known at a time."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import CallError, SourceError
from newsdata.storage.manifest import shards_of

from ..conftest import many_posts, post, write_archive
from ..source_files import git
from .edited_archive import as_git

START = datetime(2022, 3, 1, tzinfo=UTC)
ONE = "_posts/2022-03-01-202203010000000001.md"
TWIN = "_posts/2022-03-01-NW202203010000000001.md"
OLD = "old_post/2022-03-01-202203010000000001.md"


def text(words: str) -> bytes:
    return post(title=f"{words}一则", body=f"\n{words}。\n\n<http://news.example/1.html>\n")


class Repository:
    """A repository to which states are committed, an hour apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        self.commits: list[str] = []

    def commit(self, files: dict[str, bytes], hour: int | None = None) -> str:
        for entry in self.folder.iterdir():
            if entry.name != ".git":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        write_archive(self.folder, files)
        git(self.folder, "add", "-A")
        when = at(len(self.commits) if hour is None else hour)
        tree = git(self.folder, "write-tree")
        self.commits.append(self.record(tree, self.commits[-1:], when))
        return self.commits[-1]

    def record(self, tree: str, parents: Sequence[str], when: datetime) -> str:
        """Make a commit of a tree the newest one: its author's time is long ago, its committer's is `when`."""
        lines = [
            f"tree {tree}",
            *(f"parent {parent}" for parent in parents),
            "author n <e@example.org> 0 +0000",
            f"committer n <e@example.org> {int(when.timestamp())} +0800",
        ]
        data = "\n".join([*lines, "", "x", ""]).encode()
        commit = git(self.folder, "hash-object", "-t", "commit", "-w", "--stdin", given=data)
        git(self.folder, "update-ref", "refs/heads/main", commit)
        return commit

    def build(self, out: Path, **options: Any) -> newsdata.Build:
        return newsdata.build(f"{self.folder}@main", out, num_proc=1, max_reject_share=1.0, max_leak=1.0, **options)


def at(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def known(out: Path, hour: float) -> dict[str, str]:
    """Article id -> text, as of an hour."""
    rows = newsdata.load_dataset(out, as_of=at(hour))
    found = {row["article_id"]: row["text"] for row in rows}
    assert len(found) == len(rows)
    return found


def rows_of(build: newsdata.Build, config: str) -> list[dict[str, Any]]:
    tables = [pq.read_table(build.path / s.path, partitioning=None) for s in shards_of(build.manifest, config)]
    return [row for table in tables for row in table.to_pylist()]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repo")


def test_no_row_shows_a_later_edit(repository: Repository, tmp_path: Path) -> None:
    """As of each commit, and a second before the next, there is what a build of that commit holds."""
    rest = many_posts(4, start_day=3)
    states: list[dict[str, bytes]] = [
        {ONE: text("甲"), **rest},
        {ONE: text("乙"), "_posts/2022-03-02-note.md": text("注"), **rest},
        {OLD: text("乙"), "_posts/2022-03-02-note.md": text("注"), **rest},  # moved
        {OLD: b"", **rest},  # broken, and the note taken away
        {OLD: text("甲"), **rest},  # as it was at first
        {OLD: text("甲"), "_posts/2022-03-02-note.md": text("又"), "assets/a.css": b"p {}", **rest},
    ]
    for files in states:
        repository.commit(files)
    made = repository.build(tmp_path / "out", history=True)
    assert newsdata.verify(made.path).faults == ()
    assert known(tmp_path / "out", -1) == {}
    for hour, commit in enumerate(repository.commits):
        built = newsdata.build(f"{repository.folder}@{commit}", tmp_path / f"then-{hour}", num_proc=1, max_leak=1.0)
        expected = {row["article_id"]: row["text"] for row in rows_of(built, "articles") + rows_of(built, "excluded")}
        assert known(tmp_path / "out", hour) == expected, hour
        assert known(tmp_path / "out", hour + 0.999) == expected, hour
    assert known(tmp_path / "out", 1)["_posts/2022-03-02-note"].startswith("注。")
    assert "_posts/2022-03-02-note" not in known(tmp_path / "out", 3)
    for row in rows_of(made, "revisions"):
        assert row["first_seen_at"] <= row["revised_at"]
        assert row["commit"] == repository.commits[round((row["revised_at"] - START).total_seconds() / 3600)]
        if row["text"] is not None:
            data = states[repository.commits.index(row["commit"])][row["path"]]
            assert row["sha256"] == hashlib.sha256(data).hexdigest()
    ours = [r for r in rows_of(made, "revisions") if r["article_id"] == "202203010000000001"]
    assert [(r["path"], r["text"], r["sha256"] is None) for r in ours] == [
        (ONE, "甲。", False),
        (ONE, "乙。", False),
        (ONE, None, True),
        (OLD, "乙。", False),
        (OLD, None, False),
        (OLD, "甲。", False),
    ]
    assert {r["first_seen_at"] for r in ours} == {START}


@pytest.mark.slow
def test_the_posts_of_an_article_are_merged(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(3, start_day=3)
    repository.commit({ONE: text("甲"), TWIN: text("乙"), **rest})
    repository.commit({ONE: b"", TWIN: text("丙"), **rest})
    repository.commit({ONE: text("甲"), **rest})
    repository.build(tmp_path / "out", history=True)
    said = [known(tmp_path / "out", hour)["202203010000000001"] for hour in range(3)]
    assert said == ["甲。", "丙。", "甲。"]
    rows = newsdata.load_dataset(tmp_path / "out", as_of=at(0), filters=[("article_id", "==", "202203010000000001")])
    assert [[one["feed"] for one in row["sources"]] for row in rows] == [["emnews", "market"]]


@pytest.mark.slow
def test_a_clock_that_goes_back_shows_nothing_early(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(3, start_day=3)
    repository.commit({ONE: text("甲"), **rest}, hour=10)
    repository.commit({ONE: text("乙"), **rest}, hour=2)
    repository.commit({ONE: text("丙"), **rest}, hour=11)
    repository.build(tmp_path / "out", history=True)
    assert known(tmp_path / "out", 9.9) == {}
    assert known(tmp_path / "out", 10)["202203010000000001"] == "乙。"
    assert known(tmp_path / "out", 11)["202203010000000001"] == "丙。"


@pytest.mark.slow
def test_a_merge_counts_at_its_own_time(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(3, start_day=3)
    main = repository.commit({ONE: text("甲"), **rest})
    side = repository.commit({ONE: text("乙"), **rest})
    tree = git(repository.folder, "rev-parse", f"{side}^{{tree}}")
    repository.record(tree, [main, side], at(8))
    repository.build(tmp_path / "out", history=True)
    assert known(tmp_path / "out", 7)["202203010000000001"] == "甲。"
    assert known(tmp_path / "out", 8)["202203010000000001"] == "乙。"


@pytest.mark.slow
def test_history_grows_and_old_shards_stay(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(6, start_day=3)
    repository.commit({ONE: text("甲"), **rest})
    first = repository.build(tmp_path / "out", history=True)
    again = repository.build(tmp_path / "out")  # as before
    assert not again.created and first.manifest.configuration["history"] is True
    repository.commit({ONE: text("乙"), **rest}, hour=24 * 40)
    repository.commit({ONE: text("甲"), **rest}, hour=24 * 40 + 1)  # undone: the articles are the same, the past is not
    second = repository.build(tmp_path / "out")
    assert second.created and second.version == "1.1.0"
    assert second.difference is not None and second.difference.reasons == ("2 rows added to revisions",)
    for shard in first.manifest.shards:
        assert (first.path / shard.path).samefile(second.path / shard.path), shard.path
    full = repository.build(tmp_path / "full", base=first.path, cache=False)
    files = [{p.relative_to(b.path): p.read_bytes() for p in b.path.rglob("*") if p.is_file()} for b in (second, full)]
    assert files[0] == files[1]
    third = repository.build(tmp_path / "out", history=False)
    assert third.created and not shards_of(third.manifest, "revisions")
    assert "history" not in third.manifest.configuration


@pytest.mark.slow
def test_a_redacted_article_is_in_no_revision(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(3, start_day=3)
    repository.commit({ONE: text("甲"), **rest})
    repository.commit({ONE: text("乙"), **rest})
    repository.build(tmp_path / "out", history=True)
    newsdata.redact(tmp_path / "out", "202203010000000001", reason="asked for")
    made = repository.build(tmp_path / "out")
    assert made.created
    for config in ("articles", "posts", "revisions"):
        assert "202203010000000001" not in {row["article_id"] for row in rows_of(made, config)}
    assert ONE not in {row["path"] for row in rows_of(made, "origins")}


@pytest.mark.slow
def test_an_article_of_the_past_can_be_redacted(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(3, start_day=3)
    repository.commit({ONE: text("甲"), **rest})
    repository.commit(rest)
    first = repository.build(tmp_path / "out", history=True)
    assert newsdata.redact(tmp_path / "out", "202203010000000001", reason="asked for").held_by == (first.version,)
    for number in range(2):
        repository.commit({**rest, f"_posts/2022-03-07-note-{number}.md": text("注")})
        made = repository.build(tmp_path / "out")
        assert made.created and "202203010000000001" not in {r["article_id"] for r in rows_of(made, "revisions")}
        assert newsdata.verify(made.path).faults == ()


@pytest.mark.slow
def test_a_folder_of_a_repository(repository: Repository, tmp_path: Path) -> None:
    rest = {f"站/{path}": data for path, data in many_posts(3, start_day=3).items()}
    rest |= {"站/_config.yml": b"timezone: Asia/Shanghai\n", ONE: text("外")}
    repository.commit({f"站/{ONE}": text("甲"), **rest})
    repository.commit({f"站/{ONE}": text("乙"), **rest})
    newsdata.build(f"{repository.folder}@main:站", tmp_path / "out", history=True, num_proc=1)
    assert known(tmp_path / "out", 0)["202203010000000001"] == "甲。"
    assert known(tmp_path / "out", 1)["202203010000000001"] == "乙。"


@pytest.mark.slow
def test_a_hostile_repository_is_only_read(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rest = many_posts(3, start_day=3)
    repository.commit({ONE: text("甲"), ".gitattributes": b"* diff=d\n", **rest})
    lost = git(repository.folder, "rev-parse", f"HEAD:{ONE}")
    (repository.folder / "_posts/2022-03-01-link.md").symlink_to("/etc/hostname")
    git(repository.folder, "add", "-A")
    head = git(repository.folder, "rev-parse", "HEAD")
    git(repository.folder, "update-index", "--add", "--cacheinfo", f"160000,{head},_posts/2022-03-01-module.md")
    when = datetime(9999, 12, 31, tzinfo=UTC)
    repository.commits.append(repository.record(git(repository.folder, "write-tree"), [head], when))
    repository.commit({ONE: text("乙"), **rest})
    object_ = repository.folder / ".git/objects" / lost[:2] / lost[2:]
    object_.chmod(0o644)
    object_.write_bytes(object_.read_bytes()[:-9] + bytes(9))
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n")
    trap.chmod(0o755)
    for key in (
        "diff.external",
        "diff.d.command",
        "diff.d.textconv",
        "alias.diff-tree",
        "alias.rev-list",
        "core.pager",
    ):
        git(repository.folder, "config", key, str(trap))
    git(repository.folder, "config", "diff.orderFile", "/etc/hostname")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    made = repository.build(tmp_path / "out", history=True)
    assert not (tmp_path / "sprung").exists()
    rows = rows_of(made, "revisions")
    assert {row["path"] for row in rows} == {ONE, *rest}
    assert [row["text"] for row in rows if row["path"] == ONE] == [None, "乙。"]
    assert max(row["revised_at"] for row in rows).year == 9999


@pytest.mark.slow
def test_origins_name_blob_and_commit(repository: Repository, tmp_path: Path) -> None:
    rest = many_posts(40)
    one = repository.commit({**rest, "_posts/2022-03-20-broken.md": b"", "a.css": b"p {}"})
    first = repository.build(tmp_path / "out")
    two = repository.commit({**rest, "_posts/2022-04-20-new.md": text("新"), "_posts/2022-03-20-broken.md": b""})
    second = repository.build(tmp_path / "out")
    rows = rows_of(second, "origins")
    files = {row["path"] for config in ("posts", "rejects") for row in rows_of(second, config)}
    assert {row["path"] for row in rows} == files and len(rows) == len(files)
    for row in rows:
        assert row["commit"] == (two if row["path"] == "_posts/2022-04-20-new.md" else one)
        assert row["blob"] == git(repository.folder, "rev-parse", f"{two}:{row['path']}")
    march = "origins/origins-2022-03-0000000.parquet"
    assert (first.path / march).samefile(second.path / march)
    # Every other shard is what a folder gives.
    folder = newsdata.build(repository.folder, tmp_path / "folder", base=first.path, num_proc=1, max_reject_share=1.0)
    shards = {s.path: s.sha256 for s in folder.manifest.shards}
    assert shards == {s.path: s.sha256 for s in second.manifest.shards if s.config != "origins"}


def test_another_commit_of_the_same_files_is_no_version(repository: Repository, tmp_path: Path) -> None:
    files = many_posts(3)
    repository.commit(files)
    first = repository.build(tmp_path / "out")
    repository.commit({**files, "README.md": b"of the repository, none of the dataset's"})
    assert not repository.build(tmp_path / "out", cache=False).created
    folder = newsdata.build(repository.folder, tmp_path / "out", cache=False, num_proc=1)
    assert not folder.created and folder.path == first.path


@pytest.mark.slow
def test_a_text_free_version_keeps_its_origins(repository: Repository, tmp_path: Path) -> None:
    repository.commit(many_posts(6))
    full = repository.build(tmp_path / "full")
    free = repository.build(tmp_path / "free", text="none")
    for number, copy in enumerate((str(repository.folder), f"{repository.folder}@main")):
        made = newsdata.rehydrate(free.path, copy, tmp_path / f"again-{number}", num_proc=1)
        assert made.same_bytes
        files = [
            {p.relative_to(f): p.read_bytes() for p in f.rglob("*") if p.is_file()} for f in (full.path, made.path)
        ]
        assert files[0] == files[1]


@pytest.mark.slow
def test_calls_that_cannot_be_met(repository: Repository, tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "folder", many_posts(3))
    with pytest.raises(CallError, match="git repository"):
        newsdata.build(archive, tmp_path / "out", history=True)
    repository.commit(many_posts(3))
    with pytest.raises(CallError, match="words"):
        repository.build(tmp_path / "out", history=True, text="none")
    repository.build(tmp_path / "out")
    with pytest.raises(CallError, match="--history"):
        newsdata.load_dataset(tmp_path / "out", as_of="2022-03-01T09:30+08:00")
    repository.build(tmp_path / "past", history=True)
    for wrong in ("2022-03-01T09:30", "yesterday", START.replace(tzinfo=None)):
        with pytest.raises(CallError, match=r"2022-03-01T09:30\+08:00"):
            newsdata.load_dataset(tmp_path / "past", as_of=wrong)
    asked: dict[str, Any]
    for asked in ({"split": "train"}, {"split": ["revisions"]}, {"streaming": True}, {"name": "revisions"}):
        with pytest.raises(CallError, match="as_of"):
            newsdata.load_dataset(tmp_path / "past", as_of=START, **asked)
    with pytest.raises(CallError, match="no duplicate clusters"):
        newsdata.load_dataset(tmp_path / "past", as_of=START, deduplicate=True)
    known = newsdata.load_pandas(tmp_path / "past", as_of=START)
    second = known[(known.published_at >= "2022-03-02") & (known.published_at < "2022-03-03")]
    asked = {"as_of": START, "since": "2022-03-02", "until": "2022-03-03"}
    found = newsdata.load_dataset(tmp_path / "past", columns=["article_id"], **asked)
    assert found["article_id"][:] == second.article_id.tolist() and len(found) == 3
    title = [("title", "==", second.title.iloc[0])]
    assert len(newsdata.load_pandas(tmp_path / "past", filters=title, **asked)) == 1
    titles = newsdata.load_dataset(tmp_path / "past", as_of="2022-03-01T09:30+08:00", columns=["title"])
    assert titles.column_names == ["title"] and len(titles) == 9


@pytest.mark.slow
def test_of_posts_of_one_commit_the_one_that_says_more_speaks(tmp_path: Path) -> None:
    one = "202203019999999999"
    twins = {
        f"_posts/-{one}.md": post(title="", date="").replace(b"date: \n", b"date:  +0800\n"),
        f"_posts/2022-03-01-NW{one}.md": post(title="有题的一则", category="chenbao"),
    }
    bare = as_git(tmp_path / "git", many_posts(3) | twins)
    newsdata.build(f"{bare}@main", tmp_path / "out", num_proc=1, history=True)
    rows = newsdata.load_dataset(tmp_path / "out", as_of="2030-01-01T00:00Z")
    assert {row["article_id"]: row["title"] for row in rows}[one] == "有题的一则"
    frame = newsdata.load_pandas(tmp_path / "out", as_of="2030-01-01T00:00Z")
    assert frame.article_id.tolist() == rows["article_id"][:] and "split" not in frame
    with pytest.raises(CallError, match="must be a day, or an instant with its zone"):
        newsdata.load_dataset(tmp_path / "out", as_of=5)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_flash_keeps_its_words(tmp_path: Path) -> None:
    one = "202203019999999999"
    flash = post(
        title="港口恢复装卸",
        category="chenbao",
        body="港口恢复装卸\n南岸码头今日恢复装卸。\n\n<http://news.example/a,1.html>\n",
    )
    bare = as_git(tmp_path / "git", many_posts(3) | {f"_posts/2022-03-01-NW{one}.md": flash})
    newsdata.build(f"{bare}@main", tmp_path / "out", num_proc=1, history=True)
    rows = {row["article_id"]: row for row in newsdata.load_dataset(tmp_path / "out", as_of="2030-01-01T00:00Z")}
    assert (rows[one]["title"], rows[one]["text"], rows[one]["digest"]) == (
        "港口恢复装卸",
        "",
        "南岸码头今日恢复装卸。",
    )


def test_a_history_that_lost_its_beginning_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit({ONE: text("甲")})
    repository.commit({ONE: text("乙")})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository.folder}", "shallow")
    with pytest.raises(SourceError, match=r"shallow clone.*--unshallow"):
        newsdata.build(f"{tmp_path / 'shallow'}@main", tmp_path / "out", history=True, num_proc=1)
    newsdata.build(f"{tmp_path / 'shallow'}@main", tmp_path / "out", num_proc=1)


@pytest.mark.slow
def test_a_past_that_was_rewritten_is_a_major_version(repository: Repository, tmp_path: Path) -> None:
    repository.commit({ONE: text("甲")})
    repository.commit({ONE: text("乙")})
    last = repository.commit({ONE: text("丙")})
    repository.build(tmp_path / "out", history=True)
    first = repository.record(git(repository.folder, "rev-parse", f"{last}~2^{{tree}}"), [], at(0))
    repository.record(
        git(repository.folder, "rev-parse", f"{last}^{{tree}}"), [first], at(2)
    )  # without the one between
    made = repository.build(tmp_path / "out")
    assert made.version == "2.0.0"
    assert made.difference is not None and made.difference.reasons == ("1 rows of revisions removed",)


@pytest.mark.parametrize("revision", ["nosuch", "HEAD"])
def test_a_revision_that_is_not_there(tmp_path: Path, revision: str) -> None:
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    with pytest.raises(SourceError, match=f"there is no revision '{revision}'"):
        newsdata.build(f"{tmp_path / 'empty'}@{revision}", tmp_path / "out", num_proc=1)
