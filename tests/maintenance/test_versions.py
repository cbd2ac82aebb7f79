"""Versions after they were built: marked as bad, thinned out, an article taken out; a cache that is not trusted."""

from __future__ import annotations

import hashlib
import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import CallError, ManifestError, VersionError
from newsdata.storage.ledger import read_ledger, tombstones
from newsdata.storage.manifest import read_manifest

from ..building.test_history import Repository
from ..building.test_incremental import as_git, digests, inodes
from ..conftest import many_posts, post, run_newsdata, write_archive


def grow(tmp_path: Path, versions: int = 3, **options: Any) -> tuple[Path, Path]:
    """An archive and a folder of versions, each with ten days more."""
    archive, out = tmp_path / "in", tmp_path / "out"
    for number in range(versions):
        write_archive(archive, many_posts(10, start_day=1 + 10 * number))
        newsdata.build(archive, out, num_proc=1, **options)
    return archive, out


def ids(out: Path, revision: str | None = None) -> set[str]:
    return set(newsdata.load_pandas(out, revision=revision, columns=["article_id"]).article_id)


# ------------------------------------------------------------------------------------------------------------ yank


def test_a_yanked_version_is_passed_over(tmp_path: Path) -> None:
    archive, out = grow(tmp_path)
    before = digests(out / "1.2.0")
    assert newsdata.yank(out, revision="1.2.0", reason="half of\nMarch was missing") == out / "1.2.0"
    assert newsdata.info(out)["version"] == newsdata.info(out, revision="1.*")["version"] == "1.1.0"
    assert len(ids(out)) == 60
    for path, revision in ((out, "1.2.0"), (out / "1.2.0", None)):
        with pytest.warns(UserWarning, match=r"1\.2\.0 was yanked: half of March was missing"):
            newsdata.load_dataset(path, split="train", revision=revision)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        newsdata.load_dataset(out, split="train")
    assert newsdata.info(out / "1.2.0")["yanked"] == "half of March was missing"
    assert newsdata.info(out)["yanked"] is None
    assert newsdata.info(out)["yanked_versions"] == {"1.2.0": "half of March was missing"}
    assert "versions: 1.0.0, 1.1.0, 1.2.0 (yanked)\n" in run_newsdata("info", out).stdout
    assert newsdata.verify(out).faults == ()
    with pytest.raises(VersionError, match="yanked: half"):
        newsdata.publish(out, str(tmp_path / "public"), revision="1.2.0", full_text=True)
    assert not (tmp_path / "public").exists()
    assert digests(out / "1.2.0").items() - before.items() == {("yanked.json", digests(out / "1.2.0")["yanked.json"])}
    write_archive(archive, many_posts(1, start_day=31))
    made = newsdata.build(archive, out, num_proc=1)
    assert (made.version, made.manifest.follows) == ("1.3.0", "1.2.0")
    assert not (made.path / "yanked.json").exists() and newsdata.info(out)["version"] == "1.3.0"


def test_when_every_version_is_yanked(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    newsdata.yank(out / "1.0.0", reason="wrong zone")
    with pytest.raises(VersionError, match=r"1\.0\.0: wrong zone"):
        newsdata.load_dataset(out)
    (out / "1.0.0" / "yanked.json").write_text("{", "utf-8")  # damaged: the mark stands
    with pytest.raises(VersionError, match="every version was yanked"):
        newsdata.info(out)
    (out / "1.0.0" / "yanked.json").unlink()
    assert newsdata.info(out)["yanked"] is None


def test_yank_wants_a_version_and_a_reason(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    for revision in (None, "1.*"):
        with pytest.raises(CallError, match="which one"):
            newsdata.yank(out, reason="x", revision=revision)
    with pytest.raises(CallError, match="reason is empty"):
        newsdata.yank(out / "1.0.0", reason=" \n")
    with pytest.raises(VersionError, match="no version 7"):
        newsdata.yank(out, reason="x", revision="7.0.0")


# ----------------------------------------------------------------------------------------------------------- prune


def test_prune_frees_what_no_kept_version_uses(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 4)
    kept = {version: digests(out / version) for version in ("1.2.0", "1.3.0")}
    before = sum(f.stat().st_size / f.stat().st_nlink for f in out.rglob("*") if f.is_file())
    done = newsdata.prune(out, keep=2)
    after = sum(f.stat().st_size / f.stat().st_nlink for f in out.rglob("*") if f.is_file())
    assert (done.removed, done.kept) == (("1.0.0", "1.1.0"), ("1.2.0", "1.3.0"))
    assert done.freed == round(before - after) > 0
    assert {version: digests(out / version) for version in kept} == kept
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    assert not newsdata.build(archive, out, num_proc=1).created
    assert newsdata.prune(out, keep=2).removed == ()


def test_prune_keeps_good_versions_and_the_newest(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 4)
    newsdata.yank(out / "1.2.0", reason="bad")
    newsdata.yank(out / "1.3.0", reason="bad, too")
    assert newsdata.prune(out, keep=1).kept == ("1.1.0", "1.3.0")
    assert newsdata.info(out)["version"] == "1.1.0"
    with pytest.raises(CallError, match="at least 1"):
        newsdata.prune(out, keep=0)
    with pytest.raises(VersionError, match="no versions"):
        newsdata.prune(tmp_path / "nothing", keep=1)
    assert not (tmp_path / "nothing").exists()


def test_prune_drops_what_the_cache_has_of_other_posts(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 1)
    cache = out / ".newsdata" / "cache"
    keep = {p.name for p in cache.iterdir()}
    entry = next(p for p in cache.glob("*.json") if len(p.stem) == 40)
    for file in cache.glob(f"{entry.stem}.*"):
        shutil.copy(file, cache / f"{'0' * 40}{file.suffix}")
    data = json.loads(entry.read_text("utf-8").partition("\n")[2])
    data["posts"]["sha256"] = "0" * 64
    written = json.dumps(data)
    digest = hashlib.sha256(written.encode()).hexdigest()
    (cache / f"{'0' * 40}.json").write_text(f"{digest}\n{written}", "utf-8")
    assert newsdata.prune(out, keep=1).cache_entries >= 4
    assert {p.name for p in cache.iterdir()} == keep
    assert not newsdata.build(archive, out, num_proc=1).created


# ---------------------------------------------------------------------------------------------------------- redact

ONE = "202203059999999999"
WORDS = "独一无二的一句话"


def redactable(tmp_path: Path) -> tuple[Path, Path, dict[str, bytes]]:
    body = f"\n<p>{WORDS}，只在这里出现过。</p>\n"
    files = many_posts(10) | {
        f"_posts/2022-03-05-{ONE}.md": post(title="要撤下的一则", body=body),
        f"_posts/2022-03-05-NW{ONE}.md": post(title="要撤下的一则", body=body, category="chenbao"),
    }
    return write_archive(tmp_path / "in", files), tmp_path / "out", files


def holds(folder: Path, words: str = WORDS) -> bool:
    """Whether any file of a folder holds the words, in whatever form Arrow or Parquet keep them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for file in folder.rglob("*"):
        if not file.is_file():
            continue
        if words.encode() in file.read_bytes():
            return True
        text = ""
        if file.suffix in (".parquet", ".posts"):
            text = str(pq.read_table(file, partitioning=None).to_pylist())
        elif file.suffix in (".spool", ".keys"):
            with pa.OSFile(str(file)) as opened, pa.ipc.open_file(opened) as reader:
                text = str(reader.read_all().to_pylist())
        if words in text:
            return True
    return False


def test_redaction_takes_an_article_out(tmp_path: Path) -> None:
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


def test_no_rebuild_brings_it_back(tmp_path: Path) -> None:
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


def test_a_file_that_was_renamed_brings_nothing_back(tmp_path: Path) -> None:
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


def test_copies_of_what_is_redacted_are_named(tmp_path: Path) -> None:
    archive, out, files = redactable(tmp_path)
    own = files[f"_posts/2022-03-05-{ONE}.md"]
    other = "202203060000000078"
    write_archive(archive, {f"_posts/2022-03-06-{other}.md": own.replace("》".encode(), "》。".encode()) + b"\n"})
    newsdata.build(archive, out, num_proc=1)
    assert newsdata.redact(out, ONE, reason="a request").copies == (other,)
    told = run_newsdata("redact", out, ONE, "--reason", "again")
    assert other in told.stdout and told.returncode == 0


def test_a_version_that_holds_it_is_not_passed_on(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["ledger.arrow", "boilerplate.bin"])
def test_what_was_decided_is_not_taken_from_a_damaged_file(name: str, tmp_path: Path) -> None:
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    file = out / "1.0.0" / name
    whole = file.read_bytes()
    write_archive(archive, many_posts(1, start_day=11))
    for place in range(0, len(whole), max(1, len(whole) // 7)):
        damaged = bytearray(whole)
        damaged[place] ^= 8
        file.unlink()
        file.write_bytes(damaged)
        with pytest.raises(ManifestError, match=f"{name}: is missing or damaged"):
            newsdata.build(archive, out, num_proc=1)
        assert any(name in fault for fault in newsdata.verify(out).faults)
    file.write_bytes(whole)
    assert newsdata.build(archive, out, num_proc=1).version == "1.1.0"


def test_a_damaged_index_is_named(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 1)
    assert newsdata.verify(out).notes == ()
    for name in ("files.index", "shards.json"):
        file = out / ".newsdata" / "cache" / name
        whole = file.read_bytes()
        file.write_bytes(whole[:90] + bytes([whole[90] ^ 1]) + whole[91:])
        assert newsdata.verify(out).notes == (f"cache: {name} is damaged; the next build makes it anew",)
        assert not newsdata.build(archive, out, num_proc=1).created
        file.write_bytes(whole)


def test_damaged_shards_are_named(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    shard = next((out / "1.0.0" / "articles").glob("train-*"))
    whole = shard.read_bytes()
    for place in range(4, len(whole), len(whole) // 40):
        shard.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        faults = newsdata.verify(out).faults
        assert any("its bytes were changed" in fault and shard.name in fault for fault in faults)


def test_a_redaction_that_waits_holds_for_every_base(tmp_path: Path) -> None:
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


def test_a_redaction_of_what_the_base_never_had(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    one = "202203150000000000"
    assert newsdata.redact(out, one, reason="a request").held_by == ("1.1.0",)
    made = newsdata.build(archive, out, base=out / "1.0.0", version="2.0.0", num_proc=1)
    write_archive(archive, many_posts(1, start_day=21))
    after = newsdata.build(archive, out, num_proc=1)
    for build in (made, after):
        assert one not in ids(build.path) and tombstones(read_ledger(build.path, build.manifest)) == {one: "a request"}
    assert newsdata.verify(out).faults == ()


def test_redaction_reaches_the_history(tmp_path: Path) -> None:
    _, out, files = redactable(tmp_path)
    bare = as_git(tmp_path / "git", files)
    newsdata.build(f"{bare}@main", out, num_proc=1, history=True)
    assert holds(out / "1.0.0" / "revisions")
    newsdata.redact(out, ONE, reason="a request")
    made = newsdata.build(f"{bare}@main", out, num_proc=1)
    assert made.created and not holds(made.path)


def test_a_former_name_of_what_is_redacted_is_told(tmp_path: Path) -> None:
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


def test_redact_refuses_what_nobody_knows(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    with pytest.raises(CallError, match="no version has an article 7"):
        newsdata.redact(out, "7", reason="x")
    with pytest.raises(CallError, match="reason is empty"):
        newsdata.redact(out, "202203010000000000", reason="")
    with pytest.raises(VersionError, match="no versions"):
        newsdata.redact(tmp_path / "nothing", "7", reason="x")
    assert not (out / "redactions.json").exists()


# ------------------------------------------------------------------------------------------------- verify, cache


def test_verify_checks_every_version(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    assert newsdata.verify(out).faults == newsdata.verify(out).notes == ()
    old = out / "1.0.0" / "ledger.arrow"
    old.write_bytes(old.read_bytes()[:-1])
    assert any(fault.startswith("1.0.0/ledger.arrow: ") for fault in newsdata.verify(out).faults)
    assert newsdata.verify(out, revision="1.2.0").faults == newsdata.verify(out / "1.1.0").faults == ()


def test_verify_notes_lost_links(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    shared = (
        inodes(out / "1.0.0", read_manifest(out / "1.0.0")).items()
        & inodes(out / "1.1.0", read_manifest(out / "1.1.0")).items()
    )
    shutil.copytree(out, tmp_path / "copy")
    found = newsdata.verify(tmp_path / "copy")
    assert found.faults == ()
    assert (f"1.1.0: {len(shared)} files" in str(found.notes)) == bool(shared)


@pytest.mark.parametrize("damage", ["flip", *(pytest.param(d, marks=pytest.mark.slow) for d in ("cut", "empty"))])
def test_a_damaged_cache_is_rebuilt(damage: str, tmp_path: Path) -> None:
    files = {"_config.yml": b"timezone: Asia/Shanghai\n", **many_posts(5, per_day=2)}
    out = tmp_path / "out"
    first = newsdata.build(as_git(tmp_path / "git", files), out, num_proc=1)
    source = as_git(tmp_path / "git", files | many_posts(1, start_day=6))
    full = newsdata.build(source, tmp_path / "full", base=first.path, cache=False, num_proc=1)
    for number, file in enumerate(sorted((out / ".newsdata" / "cache").iterdir())):
        place = tmp_path / f"case-{number}"
        shutil.copytree(out, place)
        hurt = place / ".newsdata" / "cache" / file.name
        data = bytearray(hurt.read_bytes())
        hurt.unlink()
        if damage == "flip" and data:
            data[len(data) // 2] ^= 1
        hurt.write_bytes({"flip": bytes(data), "cut": bytes(data[: len(data) // 2]), "empty": b""}[damage])
        if file.suffix in (".posts", ".spool", ".keys", ".signatures") or len(file.stem) == 40:
            assert any("damaged" in note for note in newsdata.verify(place).notes), file.name
        made = newsdata.build(source, place, num_proc=1)
        assert digests(made.path) == digests(full.path), file.name


# ------------------------------------------------------------------------------------------------- command line


def test_commands(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    done = run_newsdata("redact", out, "202203010000000001", "--reason", "a request")
    assert done.returncode == 0 and "1.0.0 still holds it" in done.stdout, done.stderr
    done = run_newsdata("yank", out, "--revision", "1.2.0", "--reason", "bad")
    assert done.returncode == 0 and "yanked" in done.stdout, done.stderr
    done = run_newsdata("info", out / "1.2.0")
    assert "yanked: bad" in done.stdout
    done = run_newsdata("prune", out, "--keep", 1, "--json")
    assert json.loads(done.stdout)["removed"] == ["1.0.0"], done.stderr
    assert run_newsdata("yank", out, "--reason", "bad").returncode == 2
    assert run_newsdata("verify", out).returncode == 0


# ------------------------------------------------------------------------------------- damage among the versions


def test_a_version_without_its_manifest_is_named_not_passed_over(tmp_path: Path) -> None:
    archive, out = grow(tmp_path)
    (out / "1.2.0" / "manifest.json").unlink()
    assert newsdata.verify(out).faults == ("1.2.0/manifest.json: is missing",)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(ManifestError, match=r"1\.2\.0: this version has no manifest"):
        newsdata.build(archive, out, num_proc=1)


def test_one_unreadable_manifest_does_not_end_the_check(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    (out / "1.0.0" / "manifest.json").write_text("{", encoding="utf-8")
    (out / "1.1.0" / "README.md").write_text("x", encoding="utf-8")
    (out / "redactions.json").write_text('{"x": 5}', encoding="utf-8")
    places = [fault.partition(":")[0] for fault in newsdata.verify(out).faults]
    assert places == ["1.0.0/manifest.json", "redactions.json", "1.1.0/README.md"]
    done = run_newsdata("verify", out)
    assert done.returncode == 1 and "3 faults" in done.stdout, done.stderr


def test_a_damaged_newest_version_is_no_reason_to_say_that_nothing_changed(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    (next((out / "1.1.0" / "posts").iterdir())).unlink()
    for cache in (True, False):
        with pytest.raises(ManifestError, match=r"missing or damaged.*--version 1\.1\.1"):
            newsdata.build(archive, out, num_proc=1, cache=cache)
    assert newsdata.verify(newsdata.build(archive, out, num_proc=1, version="1.1.1").path).faults == ()


def test_a_version_that_does_not_follow_the_newest_is_a_major_one(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(VersionError, match=r"1\.2\.0 is too small .*does not follow 1\.1\.0.*use 2\.0\.0"):
        newsdata.build(archive, out, base=out / "1.0.0", version="1.2.0", num_proc=1)
    made = newsdata.build(archive, out, base=out / "1.0.0", num_proc=1)
    assert (made.version, made.manifest.follows) == ("2.0.0", "1.0.0")


def test_what_was_redacted_stays_so_whatever_a_build_follows(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    newsdata.redact(out, "202203010000000001", reason="a request")
    newsdata.build(archive, out, num_proc=1)
    (out / "redactions.json").unlink()
    made = newsdata.build(archive, out, base=out / "1.0.0", num_proc=1)
    assert newsdata.where(made.path, "202203010000000001").became == "redacted"


def test_a_build_says_what_to_look_at(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(1, per_day=1)), tmp_path / "out"
    first = newsdata.build(archive, out, num_proc=1)
    assert first.notes == ("too few days for a validation and a test split: later versions will have none either",)
    write_archive(archive, many_posts(10))
    assert newsdata.build(archive, out, num_proc=1).notes == ()
    for file in sorted((archive / "_posts").iterdir())[8:]:
        file.unlink()
    done = run_newsdata("build", archive, out, "--quiet", "--num-proc", 1)
    assert "posts are gone: is this the right archive?" in done.stderr and done.returncode == 0
    newsdata.yank(out, revision=newsdata.info(out)["version"], reason="half is missing")
    assert "was yanked (half is missing); --version" in run_newsdata("build", archive, out).stdout


def test_where_a_file_went_that_was_left_out_by_its_bytes(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 1)
    file = next(path for path in sorted((archive / "_posts").iterdir()) if "202203010000000001" in path.name)
    newsdata.redact(out, "202203010000000001", reason="a request")
    file.rename(file.with_name("2022-03-01-renamed.md"))
    made = newsdata.build(archive, out, num_proc=1)
    found = newsdata.where(made.path, "_posts/2022-03-01-renamed.md")
    assert found.became == "unknown" and "1 files were left out as redacted" in found.why
