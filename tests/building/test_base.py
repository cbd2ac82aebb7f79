"""The version that a build follows: damaged, not the newest, or of another archive."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.building.base import follow, read_rejects
from newsdata.errors import ManifestError, VersionError

from ..conftest import many_posts, run_newsdata, write_archive
from ..maintenance.archives import ONE, grow, redactable


@pytest.mark.slow
def test_a_version_without_its_manifest_is_named(tmp_path: Path) -> None:
    archive, out = grow(tmp_path)
    (out / "1.2.0" / "manifest.json").unlink()
    assert newsdata.verify(out).faults == ("1.2.0/manifest.json: is missing",)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(ManifestError, match=r"1\.2\.0: this version has no manifest"):
        newsdata.build(archive, out, num_proc=1)


@pytest.mark.slow
def test_a_build_refuses_to_follow_a_damaged_version(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    (next((out / "1.1.0" / "posts").iterdir())).unlink()
    for cache in (True, False):
        with pytest.raises(ManifestError, match=r"missing or damaged.*--version 1\.1\.1"):
            newsdata.build(archive, out, num_proc=1, cache=cache)
    assert newsdata.verify(newsdata.build(archive, out, num_proc=1, version="1.1.1").path).faults == ()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ledger.arrow", "boilerplate.bin"])
def test_a_damaged_ledger_or_boilerplate_list_is_not_used(name: str, tmp_path: Path) -> None:
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


@pytest.mark.slow
def test_a_version_that_does_not_follow_the_newest_is_a_major_one(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(VersionError, match=r"1\.2\.0 is too small .*does not follow 1\.1\.0.*use 2\.0\.0"):
        newsdata.build(archive, out, base=out / "1.0.0", version="1.2.0", num_proc=1)
    made = newsdata.build(archive, out, base=out / "1.0.0", num_proc=1)
    assert (made.version, made.manifest.follows) == ("2.0.0", "1.0.0")


@pytest.mark.slow
def test_a_build_notes_what_somebody_should_look_at(tmp_path: Path) -> None:
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


def test_without_a_version_there_is_no_base(tmp_path: Path) -> None:
    for out in (tmp_path / "none", tmp_path):
        base = follow(out, None)
        assert (base.folder, base.manifest, base.newer, base.versions) == (None, None, None, ())
        assert base.posts == 0 and base.shards == {} and base.ledger.num_rows == 0 and base.refused == frozenset()
        assert read_rejects(base) == []


@pytest.mark.slow
def test_the_newest_version_is_followed(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    base = follow(out, None)
    assert base.folder == out / "1.1.0" and base.versions == ("1.0.0", "1.1.0") and base.newer is None
    assert base.posts == 60 and base.ledger.num_rows == 60
    older = follow(out, out / "1.0.0")
    assert older.posts == 30 and older.newer is not None and older.newer.dataset_version == "1.1.0"
    elsewhere = follow(tmp_path / "elsewhere", out / "1.0.0")
    assert elsewhere.posts == 30 and elsewhere.newer is None and elsewhere.versions == ()


def test_rejects_of_the_base_are_read(tmp_path: Path) -> None:
    bad = {"_posts/2022-03-01-a.md": b"", "_posts/2022-03-02-b.md": b"---\n- a\n---\nx"}
    made = newsdata.build(write_archive(tmp_path / "in", many_posts(3) | bad), tmp_path / "out", num_proc=1)
    found = read_rejects(follow(tmp_path / "out", None))
    assert tuple(found) == made.rejects and [reject.path for reject in found] == sorted(bad)


def test_a_shard_of_the_base_is_compared_before_it_is_taken_over(tmp_path: Path) -> None:
    newsdata.build(write_archive(tmp_path / "in", many_posts(3)), tmp_path / "out", num_proc=1)
    base = follow(tmp_path / "out", None)
    for path, shard in base.shards.items():
        file = tmp_path / "out" / "1.0.0" / path
        assert base.undamaged(shard) == file
        whole = file.read_bytes()
        file.unlink()
        assert base.undamaged(shard) is None
        file.write_bytes(whole[:-1] + b"x")
        assert base.undamaged(shard) is None
        file.write_bytes(whole)
        assert base.undamaged(shard) == file


@pytest.mark.slow
def test_what_was_redacted_anywhere_counts(tmp_path: Path) -> None:
    """In this folder and in that of the base, whichever version of it says so; not where the version itself is made again."""
    archive, out, _ = redactable(tmp_path)
    newsdata.build(archive, out, num_proc=1)
    newsdata.redact(out, ONE, reason="a request")
    assert follow(out, None).redacted[ONE] == "a request" and follow(out, None).refused
    assert ONE not in follow(out, None, again=True).redacted
    assert follow(tmp_path / "elsewhere", out / "1.0.0").redacted[ONE] == "a request"
    newsdata.build(archive, out, num_proc=1)
    assert follow(out, out / "1.0.0").redacted[ONE] == "a request", "a later version says so"
