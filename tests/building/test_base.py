"""The version that a build follows: damaged, not the newest, or of another archive."""

from __future__ import annotations

from pathlib import Path

import pytest

import newsdata
from newsdata.errors import ManifestError, VersionError

from ..conftest import many_posts, run_newsdata, write_archive
from ..maintenance.archives import grow, redactable


def test_a_version_without_its_manifest_is_named(tmp_path: Path) -> None:
    archive, out = grow(tmp_path)
    (out / "1.2.0" / "manifest.json").unlink()
    assert newsdata.verify(out).faults == ("1.2.0/manifest.json: is missing",)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(ManifestError, match=r"1\.2\.0: this version has no manifest"):
        newsdata.build(archive, out, num_proc=1)


def test_a_build_refuses_to_follow_a_damaged_version(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    (next((out / "1.1.0" / "posts").iterdir())).unlink()
    for cache in (True, False):
        with pytest.raises(ManifestError, match=r"missing or damaged.*--version 1\.1\.1"):
            newsdata.build(archive, out, num_proc=1, cache=cache)
    assert newsdata.verify(newsdata.build(archive, out, num_proc=1, version="1.1.1").path).faults == ()


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


def test_a_version_that_does_not_follow_the_newest_is_a_major_one(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 2)
    write_archive(archive, many_posts(1, start_day=31))
    with pytest.raises(VersionError, match=r"1\.2\.0 is too small .*does not follow 1\.1\.0.*use 2\.0\.0"):
        newsdata.build(archive, out, base=out / "1.0.0", version="1.2.0", num_proc=1)
    made = newsdata.build(archive, out, base=out / "1.0.0", num_proc=1)
    assert (made.version, made.manifest.follows) == ("2.0.0", "1.0.0")


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
