"""A text-free version of which a copy of the archive gives only a part."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import newsdata
from newsdata.cli.main import cli
from newsdata.errors import RehydrateError, VersionError
from newsdata.storage.manifest import read_manifest

from ..conftest import ROOT

GONE = "old_post/2022-02-10-NW202202102275500014.md"
CHANGED = "_posts/2022-06-01-202206012398800034.md"
REJECT = "_posts/2022-03-24-draft-notes.md"


@pytest.fixture(scope="module")
def made(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, without text."""
    out = tmp_path_factory.mktemp("free")
    return newsdata.build(ROOT / "examples" / "archive", out, text="none", num_proc=1).path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """A copy of the example in which one post is gone and one was changed."""
    copy = shutil.copytree(ROOT / "examples" / "archive", tmp_path / "archive")
    (copy / GONE).unlink()
    (copy / CHANGED).write_bytes((copy / CHANGED).read_bytes() + b"\n")
    return copy


def rows(folder: Path, config: str) -> list[dict[str, Any]]:
    return [
        row
        for shard in read_manifest(folder).shards
        if shard.config == config
        for row in pq.read_table(folder / shard.path, partitioning=None).to_pylist()
    ]


@pytest.mark.slow
def test_all_other_rows_are_those_of_the_full_build(made: Path, archive: Path, demo: Path, tmp_path: Path) -> None:
    full = demo / "1.0.0"
    done = newsdata.rehydrate(made, archive, tmp_path / "out", partial=True, num_proc=1)
    assert done.path == tmp_path / "out" / "1.0.0-partial"
    assert [(one.path, one.reason) for one in done.missing] == [(CHANGED, "changed"), (GONE, "missing")]
    lost = {one.article_id for one in done.missing}
    assert (
        lost == {row["article_id"] for row in rows(full, "posts") if row["path"] in (GONE, CHANGED)} and len(lost) == 2
    )
    for config in ("articles", "excluded", "posts"):
        assert rows(done.path, config) == [row for row in rows(full, config) if row["article_id"] not in lost]
    assert rows(done.path, "rejects") == rows(full, "rejects")
    whole = {shard.path: shard.sha256 for shard in read_manifest(full).shards}
    same = [shard.path for shard in read_manifest(done.path).shards if whole[shard.path] == shard.sha256]
    assert (done.rows, done.of_rows, done.shards, done.of_shards) == (34, 36, len(same), len(whole))
    assert 0 < len(same) < len(whole) and not done.same_bytes and done.tools == {}


@pytest.mark.slow
def test_it_does_not_pass_as_the_release(made: Path, archive: Path, tmp_path: Path) -> None:
    import datasets

    done = newsdata.rehydrate(made, archive, tmp_path / "out", partial=True, num_proc=1)
    found = newsdata.verify(done.path)
    assert found.faults == () and found.notes == ("partial: 34 of 36 articles of 1.0.0",)
    manifest = read_manifest(done.path)
    assert manifest.configuration["text"] == "partial" and manifest.full == read_manifest(made).full
    assert "> **Not the release.** This copy of 1.0.0 has 34 of its 36 articles" in (done.path / "README.md").read_text(
        "utf-8"
    )
    assert len(newsdata.load_pandas(done.path)) + 1 == 34  # one is excluded
    plain = datasets.load_dataset(str(done.path))
    assert {split: len(part) for split, part in plain.items()} == {
        split: count for split, count in manifest.accounting["articles_by_split"].items() if count
    }
    with pytest.raises(VersionError, match=f"no dataset here; give {done.path}"):
        newsdata.load_dataset(tmp_path / "out")
    told = CliRunner().invoke(cli, ["info", str(done.path)]).output
    assert "\n  partial: 34 of 36 articles of 1.0.0, not the release itself\n" in told
    told = CliRunner().invoke(cli, ["info", str(made)]).output
    assert "\n  without text: every column with the publishers' words is null" in told
    with pytest.raises(VersionError, match="only a part of"):
        newsdata.publish(done.path, str(tmp_path / "public"), full_text=True)
    for base in (done.path, shutil.copytree(done.path, tmp_path / "renamed" / "1.0.0")):
        with pytest.raises(VersionError, match="cannot be followed"):
            newsdata.build(archive, base.parent, base=base, num_proc=1)
    with pytest.raises(VersionError, match=r"1\.0\.0-partial already"):
        newsdata.rehydrate(made, archive, tmp_path / "out", partial=True, num_proc=1)


@pytest.mark.slow
def test_if_nothing_is_missing_it_is_the_full_version(made: Path, tmp_path: Path) -> None:
    done = newsdata.rehydrate(made, ROOT / "examples" / "archive", tmp_path / "out", partial=True, num_proc=1)
    assert done.path == tmp_path / "out" / "1.0.0" and done.same_bytes and done.missing == ()
    assert (done.rows, done.of_rows, done.shards) == (36, 36, done.of_shards)


@pytest.mark.slow
def test_a_reject_may_be_missing_too(made: Path, demo: Path, tmp_path: Path) -> None:
    archive = shutil.copytree(ROOT / "examples" / "archive", tmp_path / "archive")
    (archive / REJECT).unlink()
    (archive / CHANGED).unlink()
    (archive / CHANGED).symlink_to(archive / GONE)  # a link is not followed
    done = newsdata.rehydrate(made, archive, tmp_path / "out", partial=True, num_proc=1)
    assert [(one.path, one.reason) for one in done.missing] == [(REJECT, "missing"), (CHANGED, "cannot be read")]
    assert done.missing[0].article_id is None and done.rows == 35
    assert rows(done.path, "rejects") == [row for row in rows(demo / "1.0.0", "rejects") if row["path"] != REJECT]
    assert newsdata.verify(done.path).faults == ()


@pytest.mark.slow
def test_what_gives_no_row_of_the_version_is_refused(made: Path, archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    config = archive / "_config.yml"
    before = config.read_text("utf-8")
    config.write_text("timezone: Europe/Paris\n", "utf-8")
    with pytest.raises(RehydrateError, match=r"_config\.yml: what it says"):
        newsdata.rehydrate(made, archive, out, partial=True, num_proc=1)
    config.write_text(before, "utf-8")
    free = shutil.copytree(made, tmp_path / "free")
    manifest = json.loads((free / "manifest.json").read_text("utf-8"))
    changed = next(shard for shard in manifest["full"] if shard["path"].startswith("articles/train-2021"))
    changed["digest"] = "0" * 64
    (free / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(RehydrateError, match="has all posts, and other rows"):
        newsdata.rehydrate(free, archive, out, partial=True, num_proc=1)
    for file in (*archive.glob("_posts/*"), *archive.glob("old_post/*")):
        file.unlink()
    with pytest.raises(RehydrateError, match="no article can be made"):
        newsdata.rehydrate(made, archive, out, partial=True, num_proc=1)
    assert not out.exists()


@pytest.mark.slow
def test_the_command_says_what_is_missing(made: Path, archive: Path, tmp_path: Path) -> None:
    arguments = ["rehydrate", str(made), str(archive), str(tmp_path / "out"), "--partial", "--num-proc", "2"]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    first, *lines = done.stdout.splitlines()
    assert first.startswith(f"Built {tmp_path / 'out' / '1.0.0-partial'}: 34 of 36 rows of 1.0.0; ")
    assert lines == [f"  changed: {CHANGED}", f"  missing: {GONE}"]
    shutil.rmtree(tmp_path / "out")
    answer = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout)
    assert answer["rows"] == 34 and [(one["path"], one["reason"]) for one in answer["missing"]] == [
        (CHANGED, "changed"), (GONE, "missing"),
    ]  # fmt: skip
