"""Facts about a version, and differences between two."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.errors import VerifyError, VersionError

from ..conftest import many_posts, run_newsdata, write_archive


@pytest.mark.slow
def test_info_is_plain_data(demo: Path) -> None:
    facts = newsdata.info(demo)
    assert json.loads(json.dumps(facts)) == json.loads(run_newsdata("info", demo, "--json").stdout)
    assert (facts["version"], facts["versions"], facts["commit"]) == ("1.0.0", ["1.0.0"], None)
    assert (facts["yanked"], facts["yanked_versions"]) == (None, {})
    assert facts["path"] == str(demo / "1.0.0") and "@" in facts["citation"]


@pytest.mark.slow
def test_sizes_are_those_of_the_files(demo: Path) -> None:
    articles = newsdata.info(demo)["configs"]["articles"]
    assert list(articles) == ["train", "validation", "test", "newer"]
    for split, size in articles.items():
        files = list((demo / "1.0.0" / "articles").glob(f"{split}-*"))
        assert (size["shards"], size["bytes"]) == (len(files), sum(f.stat().st_size for f in files))
        assert size["rows"] == len(newsdata.load_pandas(demo, split=split))


def test_a_version_without_a_card(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    (tmp_path / "1.0.0" / "README.md").unlink()
    facts = newsdata.info(tmp_path)
    assert facts["citation"] is None and facts["license"] is None


@pytest.mark.slow
def test_diff_counts_rows_and_asks_for_a_bump(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", many_posts(5))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    write_archive(archive, many_posts(1, start_day=6))
    newsdata.build(archive, tmp_path / "out", num_proc=1)
    found = newsdata.diff(tmp_path / "out" / "1.0.0", tmp_path / "out")
    assert (found.old, found.new, found.bump) == ("1.0.0", "1.1.0", "minor")
    assert found.counts()["articles"] == {"added": 3}
    back = newsdata.diff(tmp_path / "out", tmp_path / "out" / "1.0.0")
    assert back.counts()["articles"] == {"removed": 3}
    with pytest.raises(VersionError, match="no dataset here"):
        newsdata.diff(tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize("damage", ["garbage", "missing"])
def test_diff_of_a_shard_that_both_list_and_one_has_not(demo: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(demo / "1.0.0", tmp_path / "1.0.0")
    shard = next((tmp_path / "1.0.0" / "articles").glob("train-*"))
    shard.unlink()
    if damage == "garbage":
        shard.write_bytes(b"garbage")
    for pair in ((demo, tmp_path), (tmp_path, demo)):
        with pytest.raises(VerifyError, match="so the versions cannot be compared"):
            newsdata.diff(*pair)
