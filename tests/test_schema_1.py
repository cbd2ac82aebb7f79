"""Versions of schema 1 can still be read, and are built on as one MAJOR version that says why."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import newsdata
from newsdata.errors import CallError, RehydrateError
from newsdata.explorer.app import make_app
from newsdata.explorer.serve import open_library
from newsdata.maintenance.recompute import recompute
from newsdata.schema import CONFIGS, columns, features, table_schema
from newsdata.storage.ledger import read_ledger
from newsdata.storage.manifest import read_manifest

FIRST, LATER = "202203010000000001", "202203010000000108"
NEW = ("notices", "categories", "authors", "lang", "publisher", "image", "chart_symbols")


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with `archive`, `full`, `free` and `history`; `full` also has what the archive gives now, 2.0.0."""
    folder = tmp_path_factory.mktemp("schema-1")
    with tarfile.open(Path(__file__).parent / "schema_1" / "versions.tar.gz") as tar:
        tar.extractall(folder, filter="data")
    newsdata.build(folder / "archive", folder / "full", num_proc=1)
    return folder


@pytest.mark.parametrize("name", ["full", "free", "history"])
def test_its_tables_are_those_of_then(versions: Path, name: str) -> None:
    folder = versions / name / "1.0.0"
    manifest = read_manifest(folder)
    assert manifest.schema_version == "1.1"
    for shard in manifest.shards:
        stored = pq.read_schema(folder / shard.path).remove_metadata()
        assert stored.equals(table_schema(shard.config, "Asia/Shanghai", "1.1")), shard.path
        assert list(manifest.columns[shard.config]) == stored.names == list(columns(shard.config, "1.1"))
    assert newsdata.verify(folder).faults == ()


def test_a_schema_that_is_not_known_yet_counts_as_the_newest() -> None:
    assert all(table_schema(config, version="7.0") == table_schema(config) for config in CONFIGS)
    assert features("articles", version="1.0") != features("articles")


def test_it_is_loaded_with_its_own_columns(versions: Path) -> None:
    splits = newsdata.load_dataset(versions / "full", revision="1.0.0")
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 7, "validation": 1, "test": 1, "newer": 0}
    assert splits["newer"].features == splits["train"].features == features("articles", "Asia/Shanghai", "1.1")
    row = newsdata.load_pandas(
        versions / "full", split="train", revision="1.0.0", filters=[("chart_symbol", "==", "116.09999")]
    ).iloc[0]
    assert row["article_id"] == FIRST and list(row["text_codes"]) == ["830799", "600519"]
    with pytest.raises(CallError, match="chart_symbols"):
        newsdata.load_dataset(versions / "full", split="train", filters=[("chart_symbol", "==", "116.09999")])
    known = newsdata.load_pandas(versions / "history", as_of="2022-03-02T12:00:00+00:00")
    assert "Draft of notes" in list(known["title"]) and "publisher" not in known.columns
    with pytest.raises(CallError, match=r"tags: the config revisions of 1\.0\.0 does not have it"):
        newsdata.load_dataset(versions / "history", as_of="2022-03-02T12:00:00+00:00", columns=["tags"])
    streamed = newsdata.load_dataset(versions / "full", split="train", revision="1.0.0", streaming=True)
    assert len(list(streamed)) == 7


def test_it_is_built_on_as_one_major_version(versions: Path) -> None:
    out = versions / "full"
    old, new = read_manifest(out / "1.0.0"), read_manifest(out / "2.0.0")
    assert (new.follows, new.configuration["shard_rows"]) == ("1.0.0", 2000)
    assert {shard.rows for shard in old.shards} == {shard.rows for shard in new.shards}
    before, after = read_ledger(out / "1.0.0", old), read_ledger(out / "2.0.0", new)
    assert before.equals(after)
    assert {shard.path.replace("-00000.", "-0000000.") for shard in old.shards} == {shard.path for shard in new.shards}
    again = newsdata.build(versions / "archive", out, num_proc=1)
    assert not again.created and again.version == "2.0.0"


def test_the_release_note_names_the_columns_and_the_reason(versions: Path) -> None:
    note = read_manifest(versions / "full" / "2.0.0").changes[-1]
    assert note["bump"] == "major" and note["reasons"][0].startswith("schema 2.0, was 1.1: ")
    assert {f"column articles.{name} added" for name in NEW} <= set(note["reasons"])
    assert {"column articles.chart_symbol removed", "column articles.text_codes has another type"} <= set(
        note["reasons"]
    )
    card = (versions / "full" / "2.0.0" / "README.md").read_text("utf-8")
    assert "every post was read anew" in card and "column articles.authors added" in card
    found = newsdata.diff(versions / "full" / "1.0.0", versions / "full" / "2.0.0")
    assert found.reasons == tuple(note["reasons"])
    changed = {change.key: change.columns for change in found.changes if change.config == "articles"}
    assert changed[FIRST] == ("mentions", "text_codes")  # the exchange of a code of Beijing


def test_what_cannot_be_made_anew_says_so(versions: Path, tmp_path: Path) -> None:
    with pytest.raises(RehydrateError, match=r"schema 1\.1, and this newsdata makes schema 2\.0"):
        newsdata.rehydrate(versions / "free", versions / "archive", tmp_path / "full", num_proc=1)
    folder = versions / "full" / "1.0.0"
    found = recompute(folder, read_manifest(folder), 3, versions / "archive")
    assert (found.rows, found.faults) == (0, ()) and "schema 1.1" in found.notes[0]


@pytest.mark.slow
def test_the_page_shows_both(versions: Path) -> None:
    testing = pytest.importorskip("starlette.testclient")
    page = testing.TestClient(make_app(open_library(str(versions / "full"))), base_url="http://127.0.0.1:8765")
    for version, shown in (("1.0.0", "chart_symbol"), ("2.0.0", "chart_symbols")):
        answer = page.get(f"/v/{version}/article/{FIRST}")
        assert answer.status_code == 200 and f"<code>{shown}</code>" in answer.text
        assert "Codes in the text" in answer.text and "600519" in answer.text
        for ending in ("csv", "parquet", "txt"):
            assert page.get(f"/v/{version}/export.{ending}").status_code == 200
    assert "by <bdi>Ada</bdi>" in page.get("/v/2.0.0/article/_posts%2F2022-02-03-notes").text


@pytest.mark.slow
def test_it_is_pruned_found_and_redacted(versions: Path, tmp_path: Path) -> None:
    out = shutil.copytree(versions / "full", tmp_path / "out")
    assert newsdata.where(out / "1.0.0", "_posts/2022-02-03-notes.md").article_id == "_posts/2022-02-03-notes"
    newsdata.redact(out, LATER, reason="asked")
    third = newsdata.build(versions / "archive", out, num_proc=1)
    assert third.version == "3.0.0" and newsdata.verify(third.path).faults == ()
    assert LATER not in {row["article_id"] for rows in newsdata.load_dataset(out).values() for row in rows}
