"""Builds as their users run them: what a version holds, what is refused, and what is kept from the version before."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.errors import VersionError

from ..conftest import ROOT, SHARED, many_posts, post, run_newsdata, write_archive
from .edited_archive import digests

UNDATED = {"_posts/-202203011234567890.md": post(date="").replace(b"date: \n", b"date:  +0800\n")}

# -------------------------------------------------------------------------------------------------------- building


@pytest.mark.slow
def test_demo_adds_up(demo: Path) -> None:
    accounting = newsdata.info(demo)["accounting"]
    assert accounting["files_seen"] == accounting["posts"] + accounting["rejects"] + accounting["ignored"]
    assert accounting["posts"] == accounting["articles"] + accounting["merged_posts"]
    on_disk = sum(1 for p in (ROOT / "examples" / "archive").rglob("*") if p.is_file())
    assert accounting["files_seen"] == on_disk
    assert accounting["rejects"] >= 1 and accounting["ignored"] >= 2 and accounting["merged_posts"] >= 2
    assert all(accounting["articles_by_split"][split] for split in ("train", "validation", "test"))


def test_same_bytes_whatever_the_circumstances(tmp_path: Path) -> None:
    files = many_posts(40, per_day=5)
    one = write_archive(tmp_path / "one", files)
    two = write_archive(tmp_path / "two", dict(reversed(files.items())))
    for path in (two / "_posts").iterdir():
        os.utime(path, (1, 1))
    first = run_newsdata("build", one, tmp_path / "a", "--num-proc", 1, TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C")
    second = run_newsdata("build", two, tmp_path / "b", "--num-proc", 2, TZ="America/New_York", PYTHONHASHSEED="2")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    a, b = digests(tmp_path / "a" / "1.0.0"), digests(tmp_path / "b" / "1.0.0")
    a.pop("README.md"), b.pop("README.md"), a.pop("croissant.json"), b.pop("croissant.json")
    differing = {name for name in a.keys() | b.keys() if a.get(name) != b.get(name)}
    assert differing <= {"manifest.json"}  # the name of OUT stands in the card, and the card's hash in the manifest
    shutil.move(tmp_path / "b", tmp_path / "other")
    (tmp_path / "other" / "a").mkdir()
    third = run_newsdata("build", two, tmp_path / "other" / "a", "--num-proc", 5, cwd=tmp_path)
    assert third.returncode == 0, third.stderr
    assert digests(tmp_path / "a" / "1.0.0") == digests(tmp_path / "other" / "a" / "1.0.0")


def test_nothing_of_the_machine_in_the_version(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "secret-place", many_posts(3))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    for file in (tmp_path / "out" / "1.0.0").rglob("*"):
        if file.is_file():
            assert b"secret-place" not in file.read_bytes(), file


@pytest.mark.slow
def test_a_second_version_keeps_what_was_decided(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    write_archive(archive, many_posts(5, start_day=21))
    second = newsdata.build(archive, tmp_path / "out", version="1.1.0", num_proc=1)
    before, after = (
        newsdata.load_pandas(tmp_path / "out", revision=v).set_index("article_id") for v in ("1.0.0", "1.1.0")
    )
    assert (after.loc[before.index, "split"] == before["split"]).all()
    assert set(after.drop(before.index)["split"]) == {"newer"}
    assert second.manifest.configuration == newsdata.info(tmp_path / "out", revision="1.0.0")["configuration"]
    with pytest.raises(VersionError, match=r"not higher"):
        newsdata.build(archive, tmp_path / "out", version="1.1.0")
    again = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert (again.version, again.created) == ("1.1.0", False)
    with pytest.raises(VersionError, match="fixed"):
        newsdata.build(archive, tmp_path / "out", version="1.2.0", test_from="2022-03-03")


@pytest.mark.slow
def test_a_corrected_date_moves_nothing(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(20))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    moved = archive / "_posts" / "2022-03-01-202203010000000000.md"
    moved.write_bytes(moved.read_bytes().replace(b"date: 2022-03-01", b"date: 2022-03-20"))
    for version, more in (("2.0.0", 0), ("2.1.0", 2)):
        write_archive(archive, many_posts(more, start_day=21))
        assert newsdata.build(archive, tmp_path / "out", num_proc=1).version == version
        excluded = newsdata.load_pandas(tmp_path / "out", "excluded", split="excluded")
        assert list(zip(excluded.article_id, excluded.excluded_reason, strict=True)) == [
            ("202203010000000000", "moved")
        ]
        assert newsdata.verify(tmp_path / "out").faults == ()


def test_an_archive_whose_articles_are_all_excluded(tmp_path: Path) -> None:
    made = newsdata.build(write_archive(tmp_path / "in", UNDATED), tmp_path / "out", num_proc=1)
    assert made.manifest.accounting["articles"] == made.manifest.accounting["excluded"] == 1
    assert newsdata.load_dataset(tmp_path / "out", split="train").num_rows == 0
    assert newsdata.verify(tmp_path / "out").faults == ()


@pytest.mark.slow
def test_an_archive_without_posts_is_refused(tmp_path: Path) -> None:
    done = run_newsdata("build", write_archive(tmp_path / "in", {"index.html": b"x"}), tmp_path / "out")
    assert (
        done.returncode == 2
        and "no file in it is a post (1 configuration, 1 file in no folder `_posts`)" in done.stderr
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_splits_wait_for_the_first_dated_article(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", UNDATED)
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).version == "1.0.0"
    write_archive(archive, many_posts(20))
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    alone = newsdata.build(archive, tmp_path / "alone", num_proc=1)
    assert made.manifest.accounting["articles_by_split"] == alone.manifest.accounting["articles_by_split"]
    assert alone.manifest.accounting["articles_by_split"]["test"]
    assert newsdata.build(archive, tmp_path / "out", num_proc=1).created is False


@pytest.mark.slow
def test_a_split_without_rows_is_told(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    done = run_newsdata(
        "build", archive, tmp_path / "out", "--validation-from", "2022-03-04", "--test-from", "2022-03-30"
    )
    assert done.returncode == 0 and "test   no article" in done.stdout, done.stdout + done.stderr


@pytest.mark.slow
def test_undated_articles_are_excluded(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5) | UNDATED)
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    excluded = newsdata.load_dataset(tmp_path / "out", "excluded", split="excluded")
    assert excluded["excluded_reason"][:] == ["no-date"] and excluded["published_at"][:] == [None]
    assert (tmp_path / "out" / "1.0.0" / "excluded" / "excluded-undated-0000000.parquet").is_file()
    found = newsdata.where(tmp_path / "out", "_posts/-202203011234567890.md")
    assert (found.became, found.why) == ("excluded", "excluded: no-date; read from one post")


@pytest.mark.slow
def test_a_build_says_what_changed(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    assert "since" not in run_newsdata("build", archive, tmp_path / "out").stdout
    write_archive(archive, many_posts(2, start_day=6))
    told = run_newsdata("build", archive, tmp_path / "out").stdout
    assert "minor   since 1.0.0: 6 rows added to newer; 6 rows of posts added" in told and "gone" not in told
    other = write_archive(tmp_path / "other", many_posts(1, start_day=20))
    told = run_newsdata("build", other, tmp_path / "out").stdout
    assert "major   since 1.1.0: " in told and "21 of 21 posts are gone: is this the right archive?" in told


@pytest.mark.slow
def test_gaps_that_leave_nothing_are_refused(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(30))
    done = run_newsdata("build", archive, tmp_path / "out", "--gap-days", "3")
    assert done.returncode == 2 and "leaves no article in validation and test" in done.stderr
    assert newsdata.build(archive, tmp_path / "out", gap_days=1, num_proc=1).created
    later = newsdata.build(archive, tmp_path / "later", test_from="2022-06-01", num_proc=1)
    assert later.manifest.configuration["test_from"] == "2022-06-01", "its days are still to come"
    early = newsdata.build(archive, tmp_path / "early", validation_from="2022-03-01", gap_days=1, num_proc=1)
    assert early.manifest.accounting["articles_by_split"]["train"] == 0, "no gap took those away"
    asked: dict[str, Any] = {"gap_days": 3, "validation_from": "2022-03-14", "test_from": "2022-03-21"}
    assert newsdata.build(archive, tmp_path / "other", num_proc=1, **asked).manifest.accounting["excluded"]


@pytest.mark.slow
def test_regenerate_script(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = [sys.executable, "scripts/regenerate.py", "examples/archive", str(tmp_path / "out"), *arguments]
        return subprocess.run(script, cwd=ROOT, capture_output=True, text=True)

    first = run()
    noted = "regenerate: note: 1 of 4 articles of validation were excluded as copies of earlier ones\n"
    assert (first.returncode, first.stderr) == (0, noted) and "1.0.0 built" in first.stdout
    assert len(first.stdout.splitlines()) == 1
    assert "unchanged" in run().stdout
    assert run("--version", "1.0.0").returncode == 2


# ------------------------------------------------------------------------------------------------- many years


def over_years(months: int, first: int = 2001) -> dict[str, bytes]:
    """A flash a month, and one that has no date."""
    dates = [f"{first + number // 12}-{number % 12 + 1:02d}-15" for number in range(months)]
    files = {
        f"_posts/{day}-story.md": post(
            title=f"{day}一则", date=f"{day} 09:30:00 +0800", body=f"\n{day}的事，{'甲乙丙丁'[n % 4] * 9}。\n"
        )
        for n, day in enumerate(dates)
    }
    return files | {"_posts/undated.md": b"---\ntitle: x\n---\nNobody knows when.\n"}


@pytest.mark.parametrize("months", [42, *(pytest.param(n, marks=pytest.mark.slow) for n in (31, 64, 128, 300))])
def test_an_archive_of_many_months_loses_no_row(tmp_path: Path, months: int) -> None:
    archive, out = write_archive(tmp_path / "in", over_years(months)), tmp_path / "out"
    made = newsdata.build(archive, out, num_proc=1)
    write_archive(archive, over_years(months + 2))
    newsdata.build(archive, out, num_proc=1)
    assert newsdata.verify(out).faults == ()
    accounting = made.manifest.accounting
    assert accounting["articles"] == months + 1 and accounting["excluded_by_reason"]["no-date"] == 1
    for split, rows in accounting["articles_by_split"].items():
        assert len(newsdata.load_pandas(made.path, split=split)) == rows, split
    assert len(newsdata.load_pandas(out, split="newer")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("site", ["jekyll-fixtures", "mzlogin", "opensuse-news", "twbs"])
def test_real_sites_are_good(site: str, tmp_path: Path) -> None:
    if not (SHARED / "jekyll" / site).is_dir():
        pytest.skip("the shared posts of other sites are not here")
    newsdata.build(SHARED / "jekyll" / site, tmp_path / "out", max_reject_share=1.0, num_proc=1)
    assert newsdata.verify(tmp_path / "out").faults == ()


def test_a_wrong_year_does_not_keep_the_test_window_open(tmp_path: Path) -> None:
    wrong = {"_posts/2203-03-05-wrong.md": post(title="某年", date="2203-03-05 09:30:00 +0800")}
    archive = write_archive(tmp_path / "in", {**many_posts(20), **wrong})
    made = newsdata.build(archive, tmp_path / "out", num_proc=1)
    assert made.manifest.configuration["test_until"] == "2022-03-20"
    assert made.manifest.accounting["articles_by_split"]["newer"] == 1
    assert made.notes == ("dated years after all others: 1 article, now in `newer`; is the date right?",)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_dates_at_both_ends_of_time_spoil_no_version(tmp_path: Path, zone: str) -> None:
    times = ("0001-01-01 00:00:00", "0001-01-03 00:00:00 +0000", "9999-12-29 23:59:59 +0000", "9999-12-31 23:59:59")
    odd = {f"_posts/2022-03-05-odd{n}.md": post(title=f"第{n}", date=time) for n, time in enumerate(times)}
    archive = write_archive(tmp_path / "in", {**many_posts(20), **odd}, timezone=zone)
    out = tmp_path / "out"
    made = newsdata.build(archive, out, num_proc=1)
    assert made.manifest.accounting["issues_by_code"]["date-unreadable"] == 2
    assert made.notes == (
        "dated years before all others: 1 article; is the date right?",
        "dated years after all others: 1 article, now in `newer`; is the date right?",
    )
    assert newsdata.verify(out, source=archive, recompute=100).faults == ()
    years = [row["published_at"].year for row in newsdata.load_dataset(out, split="train")]
    assert min(years) == 1 and len(newsdata.load_pandas(out, split="newer")) == 1
    assert "第1" in str(newsdata.show(out, grep="第1"))
    assert not newsdata.build(archive, out, num_proc=1).created
