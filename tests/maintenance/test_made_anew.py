"""Articles that are made anew from their posts equal the rows of the version."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import CallError
from newsdata.maintenance.made_anew import make_articles
from newsdata.parsing.post import parse_bytes
from newsdata.parsing.site import read_site
from newsdata.schema import Post, table_schema
from newsdata.storage.manifest import read_manifest, shards_of
from newsdata.storage.rows import rows_of_posts

from ..conftest import ROOT

ARCHIVE = ROOT / "examples" / "archive"


@pytest.mark.parametrize("config", ["articles", "excluded"])
def test_rows_are_those_of_the_version_in_the_given_order(config: str, demo: Path) -> None:
    folder = demo / "1.0.0"
    manifest = read_manifest(folder)
    site, _ = read_site((ARCHIVE / "_config.yml").read_bytes())
    stored = pa.concat_tables([pq.read_table(folder / s.path, partitioning=None) for s in shards_of(manifest, config)])
    stored = stored.take(pa.array(range(stored.num_rows - 1, -1, -1)))
    ids = set(stored["article_id"].to_pylist())
    posts = []
    for shard in shards_of(manifest, "posts"):
        for row in pq.read_table(folder / shard.path, partitioning=None).to_pylist():
            if row["article_id"] in ids:
                found = parse_bytes(
                    row["path"], (ARCHIVE / row["path"]).read_bytes(), site, row["sha256"], row["article_id"]
                )
                assert isinstance(found, Post)
                posts.append(found)
    schema = table_schema(config, site.timezone)
    made = make_articles(rows_of_posts(posts, site.timezone), stored.to_pylist(), schema)
    assert made.num_rows and made.to_pylist() == stored.to_pylist() and made.schema.equals(schema)


def test_every_row_of_the_example_can_be_recomputed(demo: Path) -> None:
    found = newsdata.verify(demo, recompute=1000, source=ARCHIVE)
    assert (found.recomputed, found.faults, found.notes) == (36, (), ())


def test_rows_that_are_only_signed_anew_are_no_rows_of_the_archive(demo: Path, tmp_path: Path) -> None:
    signed = "of 4 rows, only the signatures were made anew; they are those of the store"
    found = newsdata.verify(demo, recompute=4, source=tmp_path)
    assert (found.recomputed, found.to_recompute, found.faults) == (0, 4, ())
    assert found.notes[1:] == (signed,) and "give the one that holds `_posts`" in found.notes[0]
    assert [check.left_out for check in found.checks if "made anew" in check.what] == [True]


def test_rows_are_made_anew_from_an_archive_only(tmp_path: Path) -> None:
    for given, field in (({"recompute": 4}, "recompute"), ({"source": tmp_path}, "source")):
        with pytest.raises(CallError) as caught:
            newsdata.verify(tmp_path / "never read", **given)
        assert caught.value.field == field


def test_rows_whose_files_changed_are_counted(demo: Path, tmp_path: Path) -> None:
    shutil.copytree(ARCHIVE, source := tmp_path / "in")
    row = newsdata.load_pandas(demo).iloc[0]
    for name in newsdata.where(demo, row.article_id).posts:
        (source / name).unlink()
    found = newsdata.verify(demo, recompute=1000, source=source)
    assert (found.recomputed, found.to_recompute, found.faults) == (35, 36, ())
    assert [check.left_out for check in found.checks if "made anew" in check.what] == [False]
    assert "1 row, whose files have changed in the source, or are gone" in found.notes[0]
    assert found.notes[0].endswith("give the archive as it was when the version was built")
    for path in (one for one in source.rglob("*") if one.is_file() and one.name != "_config.yml"):
        path.unlink()
    found = newsdata.verify(demo, recompute=5, source=source)
    assert (found.recomputed, found.to_recompute, found.faults) == (0, 5, ())
