"""Versions that were marked as bad."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import CallError, HubError, VersionError

from ..building.edited_archive import digests
from ..conftest import many_posts, run_newsdata, write_archive
from .archives import grow, ids


def test_a_yanked_version_is_skipped(tmp_path: Path) -> None:
    archive, out = grow(tmp_path)
    before = digests(out / "1.2.0")
    assert newsdata.yank(out, revision="1.2.0", reason="half of\nMarch was missing").path == out / "1.2.0"
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


def test_if_every_version_is_yanked_none_is_the_newest(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 1)
    newsdata.yank(out / "1.0.0", reason="wrong zone")
    with pytest.raises(VersionError, match=r"1\.0\.0: wrong zone"):
        newsdata.load_dataset(out)
    (out / "1.0.0" / "yanked.json").write_text("{", "utf-8")  # damaged: the mark stands
    with pytest.raises(VersionError, match="every version was yanked"):
        newsdata.info(out)
    assert newsdata.yank(out / "1.0.0", undo=True).reason is None
    assert newsdata.info(out)["yanked"] is None


@pytest.mark.slow
def test_yank_needs_a_version_and_a_reason(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    for revision in (None, "1.*"):
        with pytest.raises(CallError, match="which one"):
            newsdata.yank(out, reason="x", revision=revision)
    with pytest.raises(CallError, match="reason is empty"):
        newsdata.yank(out / "1.0.0", reason=" \n")
    with pytest.raises(VersionError, match="no version 7"):
        newsdata.yank(out, reason="x", revision="7.0.0")
    with pytest.raises(CallError, match="a reason is missing"):
        newsdata.yank(out / "1.0.0")
    with pytest.raises(CallError, match="undo needs no reason"):
        newsdata.yank(out / "1.0.0", reason="x", undo=True)
    with pytest.raises(HubError, match="write owner/name"):
        newsdata.yank(out / "1.0.0", reason="x", publish="finews")
    assert newsdata.info(out)["yanked_versions"] == {}, "nothing was marked"


@pytest.mark.slow
def test_the_command_marks_one_version(tmp_path: Path) -> None:
    _, out = grow(tmp_path, 2)
    done = run_newsdata("yank", out, "--revision", "1.1.0", "--reason", "bad")
    assert done.returncode == 0 and done.stdout == f"{out / '1.1.0'}: yanked\n", done.stderr
    assert "yanked: bad" in run_newsdata("info", out / "1.1.0").stdout
    assert "published copies are untouched" in done.stderr
    assert run_newsdata("yank", out, "--reason", "bad").returncode == 2
    assert run_newsdata("verify", out).returncode == 0
    undone = run_newsdata("yank", out / "1.1.0", "--undo")
    assert undone.returncode == 0 and undone.stdout == f"{out / '1.1.0'}: not yanked any more\n", undone.stderr
    assert newsdata.info(out)["yanked_versions"] == {}
