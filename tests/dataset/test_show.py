"""Rows to look at."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import newsdata
from newsdata.dataset.show import SEARCHED, Shown, show
from newsdata.errors import CallError

from ..conftest import many_posts, write_archive


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version of 120 articles in several shards of each of three splits."""
    root = tmp_path_factory.mktemp("months")
    newsdata.build(write_archive(root / "in", many_posts(40)), root / "out", num_proc=1)
    return root / "out"


def ids(found: Shown) -> list[str]:
    return [row.row["article_id"] for row in found.rows]


def everything(out: Path) -> list[dict[str, object]]:
    return list(newsdata.load_dataset(out, split="all"))


@pytest.mark.slow
def test_rows_are_spaced_evenly_and_always_the_same(months: Path) -> None:
    whole = [row["article_id"] for row in everything(months)]
    for n in (1, 2, 5, 7, 119):
        found = show(months, n=n)
        assert ids(found) == [whole[(2 * number + 1) * len(whole) // (2 * n)] for number in range(n)]
        assert found.of == len(whole) and found.matching is None
        assert found == show(months, n=n)
    assert ids(show(months, n=1000)) == whole
    assert {row.split for row in show(months, n=40).rows} == {"train", "validation", "test"}


@pytest.mark.slow
def test_rows_are_those_that_load_dataset_gives(months: Path) -> None:
    by_id = {row["article_id"]: row for row in everything(months)}
    for row in show(months, n=9).rows:
        loaded = by_id[row.row["article_id"]]
        assert row.row.keys() == loaded.keys()
        assert all(row.row[name] == loaded[name] for name in loaded), "the same values, times included"


@pytest.mark.parametrize("words", ["冷", "冷柜", "，", "a", "%", "3%", "的", "青岚股份", "[", "."])
def test_words_are_found_as_a_naive_scan_finds_them(words: str, demo: Path) -> None:
    naive = [row for row in everything(demo) if any(words in str(row[name] or "") for name in SEARCHED)]
    found = show(demo, grep=words, n=3)
    assert (found.matching, ids(found)) == (len(naive), [row["article_id"] for row in naive[:3]])


def test_words_only_in_a_digest_and_nowhere(demo: Path) -> None:
    digests = [row for row in everything(demo) if row["digest"] and str(row["digest"])[:9] not in str(row["text"])]
    assert digests, "the example has such an article"
    words = str(digests[0]["digest"])[:9]
    assert digests[0]["article_id"] in ids(show(demo, grep=words, n=1000))
    nothing = show(demo, grep="no such words")
    assert (nothing.matching, nothing.rows) == (0, ())


def test_only_one_split(months: Path, demo: Path) -> None:
    test = show(months, split="test", n=1000)
    assert {row.split for row in test.rows} == {"test"} and test.of == len(test.rows) > 0
    assert show(months, split="newer").rows == ()
    (excluded,) = show(demo, split="excluded").rows
    assert (excluded.config, excluded.row["excluded_reason"]) == ("excluded", "straddle")


@pytest.mark.slow
def test_one_article_by_id_or_path_wherever_it_is(demo: Path) -> None:
    for row in [*show(demo, n=4).rows, *show(demo, split="excluded").rows]:
        assert show(demo, row.row["article_id"]).rows == (row,)
    path = "examples/archive/old_post/2022-02-10-202202102275500014.md"
    assert ids(show(demo, path)) == ["202202102275500014"]
    assert show(demo, path, grep="青岚").matching == 1 and show(demo, path, grep="青岛").matching == 0


def test_what_is_no_article_is_told_as_where_tells_it(demo: Path) -> None:
    with pytest.raises(
        CallError,
        match=r"no article has the id '20220210227550001'; 1\.0\.0 has no post.*; to search for a word: --grep$",
    ):
        show(demo, "20220210227550001")
    with pytest.raises(CallError, match=r"'draft-notes.md'; 1\.0\.0 has no post.*there is .*2022-03-24-draft-notes.md"):
        show(demo, "draft-notes.md")
    with pytest.raises(CallError, match="reject: front-matter-not-a-map: the front matter is a list"):
        show(demo, "_posts/2022-03-24-draft-notes.md")


@pytest.mark.slow
def test_a_redacted_article(months: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(months, out)
    (row,) = show(out, n=1).rows
    newsdata.redact(out, row.row["article_id"], reason="asked")
    newsdata.build(months.parent / "in", out, num_proc=1)
    with pytest.raises(CallError) as refused:
        show(out, row.row["article_id"])
    assert refused.value.reason.endswith("; redacted: asked") and refused.value.hint is None


@pytest.mark.parametrize(
    ("options", "field"),
    [({"n": 0}, "n"), ({"n": 1001}, "n"), ({"split": "dev"}, "split"), ({"grep": ""}, "grep"), ({"grep": "\ud800"}, "grep")],
)  # fmt: skip
def test_values_out_of_range_are_refused(options: dict[str, object], field: str, demo: Path) -> None:
    with pytest.raises(CallError) as refused:
        show(demo, **options)  # type: ignore[arg-type]
    assert refused.value.field == field and refused.value.hint


def test_a_version_without_text_shows_what_it_has(tmp_path: Path) -> None:
    archive, out = write_archive(tmp_path / "in", many_posts(4)), tmp_path / "out"
    newsdata.build(archive, out, num_proc=1, text="none")
    found = show(out)
    assert len(found.rows) == 5 and {row.row["title"] for row in found.rows} == {None}
    with pytest.raises(CallError, match=r"has no text that could be searched; .*rehydrate"):
        show(out, grep="库存")


def test_a_version_without_an_article(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "in", {"_posts/2022-03-01-a.md": b"", "_posts/2022-03-02-b.md": b""})
    newsdata.build(archive, tmp_path / "out", num_proc=1, max_reject_share=1)
    assert (show(tmp_path / "out").of, show(tmp_path / "out").rows) == (0, ())
    assert show(tmp_path / "out", grep="x").matching == 0


def test_memory_holds_one_row_group(months: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search reads three columns; whole rows are read for those that are shown only."""
    import pyarrow.parquet as pq

    read: list[object] = []
    genuine = pq.ParquetFile.read_row_group

    def counting(self: pq.ParquetFile, group: int, columns: list[str] | None = None) -> object:
        read.append(columns)
        return genuine(self, group, columns=columns)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counting)
    assert show(months, grep="no such words").matching == 0
    assert read and all(columns == list(SEARCHED) for columns in read)
    read.clear()
    show(months, n=2)
    assert read == [None], "both rows are in one row group"
