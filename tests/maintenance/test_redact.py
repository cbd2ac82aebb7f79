"""Articles that are kept out of later versions."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError, ManifestError, VersionError
from newsdata.storage.ledger import read_ledger, read_redactions, tombstones

from ..building.edited_archive import as_git, digests
from ..building.test_history import Repository
from ..conftest import many_posts, post, run_newsdata, write_archive
from .archives import ONE, grow, holds, ids, redactable


def test_a_redacted_article_is_in_no_later_version(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    write_archive(archive, many_posts(1, start_day=11))
    newsdata.build(archive, out, num_proc=1)
    done = newsdata.redact(out, ONE, reason="asked for by its author")
    assert done.held_by == ("1.0.0", "1.1.0")
    assert holds(out / ".newsdata") and holds(out / "1.1.0")
    made = newsdata.build(archive, out, num_proc=1)
    assert made.version == "2.0.0" and made.manifest.accounting["ignored_by_reason"]["redacted"] == 2
    assert not holds(made.path) and not holds(out / ".newsdata")
    assert ONE not in ids(out) and len(ids(out)) == 33
    assert ONE not in set(newsdata.load_pandas(out, "posts", split="posts").article_id)
    assert tombstones(read_ledger(made.path, made.manifest)) == {ONE: "asked for by its author"}
    assert newsdata.verify(out).faults == ()
    for name in (ONE, f"_posts/2022-03-05-NW{ONE}.md", f"old_post/2022-03-05-{ONE}.md"):
        found = newsdata.where(out, name)
        assert (found.became, found.article_id) == ("redacted", ONE) and "author" in found.why
    assert newsdata.redact(out, ONE, reason="again").held_by == ("1.0.0", "1.1.0")
    assert newsdata.redact(out, ONE, reason="again").reason == "asked for by its author"
    assert not newsdata.build(archive, out, num_proc=1).created


@pytest.mark.slow
def test_statistics_and_pictures_are_those_of_the_rows_that_stay(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    own = [path for path in archive.rglob("*.md") if ONE in path.name]
    for path in own:
        path.write_bytes(
            path.read_bytes().replace("东财滚动新闻".encode(), "孤山独报新闻".encode()).replace(b"emnews", b"gushan")
        )
    before = newsdata.build(archive, out, num_proc=1)
    assert "孤山独报" in str(before.manifest.statistics)
    newsdata.redact(out, ONE, reason="a request")
    after = newsdata.build(archive, out, num_proc=1)
    counts = [
        sum(sum(days.values()) for days in (made.manifest.statistics or {})["articles"].values())
        for made in (before, after)
    ]
    assert counts[0] - counts[1] == 1
    files = [path for path in after.path.rglob("*") if path.suffix in (".svg", ".json", ".md")]
    assert len(files) >= 6 and not any("孤山独报" in path.read_text("utf-8") for path in files)
    assert newsdata.verify(out).faults == ()


@pytest.mark.slow
def test_no_build_brings_a_redacted_article_back(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason="a request")
    first = newsdata.build(archive, out, num_proc=1)
    (out / "redactions.json").unlink()  # the ledger knows by now
    moved = archive / "old_post" / f"2022-03-06-NW{ONE}.md"
    moved.parent.mkdir()
    (archive / "_posts" / f"2022-03-05-{ONE}.md").rename(moved)
    write_archive(archive, many_posts(1, start_day=11))
    second = newsdata.build(archive, out, num_proc=1)
    assert second.created and second.manifest.accounting["ignored_by_reason"]["redacted"] == 2
    for number, folder in enumerate((first.path, second.path)):
        again = newsdata.build(archive, tmp_path / f"again-{number}", base=folder, cache=False, num_proc=1)
        assert ONE not in ids(again.path) and not holds(again.path)
        assert tombstones(read_ledger(again.path, again.manifest)) == {ONE: "a request"}


@pytest.mark.slow
def test_a_renamed_file_of_a_redacted_article_is_ignored(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    redacted = newsdata.redact(out, ONE, reason="a request")
    newsdata.build(archive, out, num_proc=1)
    own = archive / "_posts" / f"2022-03-05-{ONE}.md"
    for number, name in enumerate(("2022-03-06-202203060000000099.md", f"2022-03-05-{ONE} (1).md", "2022-03-05-x.md")):
        write_archive(archive, {f"_posts/{name}": own.read_bytes()} | many_posts(1, start_day=11 + number))
        made = newsdata.build(archive, out, num_proc=1)
        full = newsdata.build(archive, tmp_path / f"full-{number}", base=made.path, cache=False, num_proc=1)
        for version in (made.path, full.path):
            assert not holds(version) and newsdata.verify(version).faults == ()
        assert made.manifest.accounting["ignored_by_reason"]["redacted"] == 2 + number + 1
    assert not holds(out / ".newsdata")
    assert not newsdata.build(archive, out, num_proc=1).created
    own.unlink()
    free = newsdata.build(archive, tmp_path / "free", num_proc=1)
    assert holds(free.path), "elsewhere nobody asked for it"
    assert redacted.copies == ()


@pytest.mark.slow
def test_near_copies_of_a_redacted_article_are_named(tmp_path: Path) -> None:
    archive, out, files = redactable(tmp_path)
    own = files[f"_posts/2022-03-05-{ONE}.md"]
    other = "202203060000000078"
    write_archive(archive, {f"_posts/2022-03-06-{other}.md": own.replace("》".encode(), "》。".encode()) + b"\n"})
    newsdata.build(archive, out, num_proc=1)
    assert newsdata.redact(out, ONE, reason="a request").copies == (other,)
    told = run_newsdata("redact", out, ONE, "--reason", "again")
    assert other in told.stdout and told.returncode == 0


@pytest.mark.slow
def test_a_version_with_a_redacted_article_is_not_published_or_rehydrated(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1, text="none")
    newsdata.redact(out, ONE, reason="a request")
    with pytest.raises(CallError, match=f"holds what was redacted since: {ONE}"):
        newsdata.publish(out, str(tmp_path / "public"))
    with pytest.raises(CallError, match="redacted since"):
        newsdata.rehydrate(out, archive, tmp_path / "again", num_proc=1)
    newsdata.build(archive, out, num_proc=1)
    newsdata.publish(out, str(tmp_path / "public"))
    assert not holds(newsdata.rehydrate(out, archive, tmp_path / "again", num_proc=1).path)


@pytest.mark.slow
def test_a_redaction_applies_to_builds_with_any_base(tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    made = newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason="a request")
    full = newsdata.build(archive, tmp_path / "full", base=made.path, cache=False, num_proc=1)
    second = newsdata.build(archive, out, num_proc=1)
    assert digests(full.path) == digests(second.path)
    assert ONE not in ids(newsdata.build(archive, out, base=made.path, version="3.0.0", num_proc=1).path)
    (out / "redactions.json").write_text("[", "utf-8")
    with pytest.raises(ManifestError, match=r"redactions\.json"):
        newsdata.build(archive, out, num_proc=1)


@pytest.mark.slow
def test_an_article_that_the_base_does_not_have_can_be_redacted(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    one = "202203150000000000"
    assert newsdata.redact(out, one, reason="a request").held_by == ("1.1.0",)
    made = newsdata.build(archive, out, base=out / "1.0.0", version="2.0.0", num_proc=1)
    write_archive(archive, many_posts(1, start_day=21))
    after = newsdata.build(archive, out, num_proc=1)
    for build in (made, after):
        assert one not in ids(build.path) and tombstones(read_ledger(build.path, build.manifest)) == {one: "a request"}
    assert newsdata.verify(out).faults == ()


@pytest.mark.slow
def test_a_redacted_article_leaves_the_revisions(tmp_path: Path) -> None:
    _, out, files = redactable(tmp_path)
    bare = as_git(tmp_path / "git", files)
    newsdata.build(f"{bare}@main", out, num_proc=1, history=True)
    assert holds(out / "1.0.0" / "revisions")
    newsdata.redact(out, ONE, reason="a request")
    made = newsdata.build(f"{bare}@main", out, num_proc=1)
    assert made.created and not holds(made.path)


@pytest.mark.slow
def test_a_former_name_of_a_redacted_post_is_named(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "git")
    repository.commit({**many_posts(2), "_posts/2022-03-05-before.md": post(title="某事")})
    repository.commit({**many_posts(2), "_posts/2022-03-05-after.md": post(title="某事", body="更正。")})
    repository.build(tmp_path / "out", history=True)
    done = newsdata.redact(tmp_path / "out", "_posts/2022-03-05-after", reason="a request")
    assert done.copies == ("_posts/2022-03-05-before",)
    newsdata.redact(tmp_path / "out", "_posts/2022-03-05-before", reason="a request")
    made = repository.build(tmp_path / "out")
    past = newsdata.load_pandas(made.path, "revisions", split="revisions")
    assert "某事" not in set(past.title)


@pytest.mark.slow
def test_a_redacted_article_stays_out_when_a_build_follows_an_older_version(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    newsdata.redact(out, "202203010000000001", reason="a request")
    newsdata.build(archive, out, num_proc=1)
    (out / "redactions.json").unlink()
    made = newsdata.build(archive, out, base=out / "1.0.0", num_proc=1)
    assert newsdata.where(made.path, "202203010000000001").became == "redacted"


@pytest.mark.slow
def test_where_says_that_a_file_may_have_been_left_out_by_its_bytes(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 1)
    file = next(path for path in sorted((archive / "_posts").iterdir()) if "202203010000000001" in path.name)
    newsdata.redact(out, "202203010000000001", reason="a request")
    file.rename(file.with_name("2022-03-01-renamed.md"))
    made = newsdata.build(archive, out, num_proc=1)
    found = newsdata.where(made.path, "_posts/2022-03-01-renamed.md")
    assert found.became == "unknown" and "1 file left out as redacted" in found.why


def test_redact_refuses_an_unknown_article(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    with pytest.raises(CallError, match="no version has an article 7"):
        newsdata.redact(out, "7", reason="x")
    with pytest.raises(CallError, match="reason is empty"):
        newsdata.redact(out, "202203010000000000", reason="")
    with pytest.raises(VersionError, match="no versions"):
        newsdata.redact(tmp_path / "nothing", "7", reason="x")
    assert not (out / "redactions.json").exists()


@pytest.mark.slow
def test_the_command_lists_the_versions_that_hold_it(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    done = run_newsdata("redact", out, "202203010000000001", "--reason", "a request")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "202203010000000001 will be in no later version: a request",
        "  1.0.0 still holds it",
        "  1.1.0 still holds it",
    ]
    assert run_newsdata("redact", out, "7", "--reason", "x").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["articles", "manifest", "ledger"])
def test_a_damaged_file_does_not_block_a_redaction_elsewhere(tmp_path: Path, damage: str) -> None:
    archive = write_archive(tmp_path / "archive", many_posts(20))
    out = tmp_path / "out"
    newsdata.build(archive, out, num_proc=1)
    newsdata.build(archive, out, num_proc=1, version="1.0.1")
    names = {"articles": "articles/*.parquet", "manifest": "manifest.json", "ledger": "ledger.arrow"}
    file = next((out / "1.0.0").glob(names[damage]))
    file.unlink()
    file.write_bytes(b"garbage")
    done = newsdata.redact(out, "202203010000000001", reason="a request")
    assert "1.0.1" in done.held_by and len(done.unread) == 1 and done.unread[0].startswith("1.0.0/")
    assert "202203010000000001" in read_redactions(out)
