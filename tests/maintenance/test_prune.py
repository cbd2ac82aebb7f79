"""Old versions that are removed, and what becomes free."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError, VersionError

from ..building.edited_archive import digests
from ..conftest import run_newsdata
from .archives import grow


def bytes_on_disk(out: Path) -> float:
    """The bytes of all files but README.md, which names the versions; a file with several names counts once."""
    files = (file for file in out.rglob("*") if file.is_file() and file != out / "README.md")
    return sum(file.stat().st_size / file.stat().st_nlink for file in files)


@pytest.mark.slow
def test_prune_frees_what_no_kept_version_uses(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 4)
    kept = {version: digests(out / version) for version in ("1.2.0", "1.3.0")}
    before = bytes_on_disk(out)
    done = newsdata.prune(out, keep=2)
    after = bytes_on_disk(out)
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


def test_prune_removes_what_the_last_build_did_not_use_of_the_cache(tmp_path: Path) -> None:
    archive, out = grow(tmp_path, 1)
    cache = out / ".newsdata" / "cache"
    used = {path.name for path in cache.iterdir()}
    record = next(cache.glob("parse*.json"))
    for file in cache.glob(f"{record.stem}.*"):
        shutil.copy(file, cache / f"parse0-{'0' * 40}{file.suffix}")
    done = newsdata.prune(out, keep=1)
    assert done.cache_entries == 4 and done.freed > 1000
    assert {path.name for path in cache.iterdir()} == used
    assert not newsdata.build(archive, out, num_proc=1).created


def test_a_cache_of_which_nothing_is_known_stays(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    cache = out / ".newsdata" / "cache"
    (cache / "last-build.json").unlink()
    before = {path.name for path in cache.iterdir()}
    assert newsdata.prune(out, keep=1).cache_entries == 0
    assert {path.name for path in cache.iterdir()} == before


@pytest.mark.slow
def test_the_command_says_what_was_removed(tmp_path: Path) -> None:
    _, out = grow(tmp_path)
    done = run_newsdata("prune", out, "--keep", 2)
    assert done.stdout.startswith("Removed 1.0.0; kept 1.1.0, 1.2.0\n"), done.stderr
    done = run_newsdata("prune", out, "--keep", 1, "--json")
    assert json.loads(done.stdout)["removed"] == ["1.1.0"], done.stderr
    assert run_newsdata("prune", out, "--keep", 0).returncode == 2
