"""Pairs of near-copies: what joins, what stays apart, and that the similarities are exact."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from newsdata.near_duplicates import pairs as pairs_module
from newsdata.near_duplicates.clusters import assign
from newsdata.near_duplicates.pairs import PAIR_SCHEMA, Pairs, match
from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.signatures import sign, write_signatures

from .made_articles import NONE, fund, joined, matched, row, words


def test_copies_join_and_others_do_not(tmp_path: Path) -> None:
    paragraphs = [words(k, 120) for k in range(10)]
    rows = [
        row("original", "\n".join(paragraphs)),
        row("credited", "本报记者报道，" + "\n".join(paragraphs) + "\n（文章来源：某报）"),
        row("moved", "\n".join(reversed(paragraphs))),
        row("cut", "\n".join(paragraphs[:7])),
        row("replaced", "\n".join([*paragraphs[:7], words(50, 120), words(51, 120), words(52, 120)])),
        row("other", "\n".join(words(k, 120) for k in range(60, 70))),
        row("half", "\n".join([*paragraphs[:2], *(words(k, 120) for k in range(70, 78))])),
    ]
    found = joined(tmp_path, rows)
    copies = ["credited", "cut", "moved", "original", "replaced"]
    assert found >= {(one, "original") for one in copies if one < "original"} | {("original", "replaced")}
    assert not {name for pair in found for name in pair} - set(copies)


def test_jaccard_and_containment_are_exact(tmp_path: Path) -> None:
    texts = {"a": words(1, 240), "b": words(1, 240)[: -13 * 4]}
    sets = {name: set(shingle([text]).hashes.tolist()) for name, text in texts.items()}
    pair = matched(tmp_path, [row(*item) for item in texts.items()])[0].table.to_pylist()[0]
    common = len(sets["a"] & sets["b"])
    assert pair["jaccard"] == pytest.approx(common / len(sets["a"] | sets["b"]))
    assert pair["containment"] == pytest.approx(common / len(sets["b"]))
    assert pair["rule"] == "jaccard"


def test_an_excerpt_is_a_leak_and_no_duplicate(tmp_path: Path) -> None:
    text = words(1, 1200)
    pairs, _ = matched(tmp_path, [row("long", text), row("part", text[:416] + words(2, 48))])
    assert pairs.table["rule"].to_pylist() in (
        ["containment"],
        [],
    )  # 85 bands find one in two at this Jaccard
    table = pa.Table.from_pylist(
        [{"left": "a", "right": "b", "rule": "containment", "jaccard": 0.3, "containment": 0.9}], PAIR_SCHEMA
    )
    clusters = assign(Pairs(table=table, report={}), pa.array(["a", "b"]))
    assert clusters.duplicate_cluster.to_pylist() == ["a", "b"]
    assert clusters.leak_group.to_pylist() == ["a", "a"]


def test_forms_with_other_numbers_stay_apart_without_any_list(tmp_path: Path) -> None:
    rng = random.Random(3)
    texts = [fund(k, rng) for k in range(6)]
    copies = [f"财经网5月30日电，{text}（文章来源：某报）" for text in texts]
    rows = [row(f"{k}-first", text) for k, text in enumerate(texts)]
    rows += [row(f"{k}-second", text) for k, text in enumerate(copies)]
    assert joined(tmp_path, rows) == {(f"{k}-first", f"{k}-second") for k in range(6)}


def test_short_texts_join_when_equal_and_near_in_time(tmp_path: Path) -> None:
    rows = [
        row("a", "今日休市", 100),
        row("b", "今日休市！", 103),
        row("c", "今日休市", 107),
        row("d", "今日开市", 100),
        row("e", "", 100),
        row("f", "——", 100),
        row("g", "", 100),
        row("h", "今日休市", None),
        row("i", "今日休市", None),
    ]
    assert joined(tmp_path, rows) == {("a", "b"), ("h", "i")}


def test_one_address_is_one_cluster_but_a_home_page_is_no_address(tmp_path: Path) -> None:
    rows = [row("a", words(1), url="http://x.cn/1.html"), row("b", words(2), url="https://x.cn/1.html#top")]
    rows += [row(f"h{k:02d}", words(10 + k), url="http://x.cn/") for k in range(30)]
    pairs, _ = matched(tmp_path, rows)
    assert pairs.table.select(["left", "right", "rule"]).to_pylist() == [{"left": "a", "right": "b", "rule": "url"}]
    assert pairs.table["jaccard"].to_pylist() == [None]
    assert pairs.report["shared_urls"] == 1


def test_large_buckets_are_capped_reported_and_still_join(tmp_path: Path) -> None:
    text = words(1)
    size = 3 * pairs_module.BUCKET_CAP
    rows = [row(f"{k:04d}", text) for k in range(size)]
    pairs, _ = matched(tmp_path, rows, per_file=100)
    assert pairs.report["large_buckets"] > 0
    assert pairs.report["largest_bucket"] == size
    assert pairs.table.num_rows < size * size / 4
    ids = sorted(r[0] for r in rows)
    assert set(assign(pairs, pa.array(ids)).duplicate_cluster.to_pylist()) == {"0000"}


def test_batches_and_blocks_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(f"{k}-{c}", words(k, 240)[c * 26 :]) for k in range(10) for c in range(4)]
    whole = matched(tmp_path, rows)[0].table
    assert whole.num_rows == 10 * 6
    monkeypatch.setattr(pairs_module, "_PENDING", 10)
    monkeypatch.setattr(pairs_module, "_BLOCK", 1000)
    assert matched(tmp_path, rows)[0].table.equals(whole)


def test_no_articles(tmp_path: Path) -> None:
    pairs, files = matched(tmp_path, [])
    assert files == []
    write_signatures(sign([], [], [], [], NONE), tmp_path / "empty.arrow")
    again = match([tmp_path / "empty.arrow"])
    assert again.table.equals(pairs.table)
    assert again.table.schema == PAIR_SCHEMA
    clusters = assign(again, pa.array([], pa.string()))
    assert clusters.duplicate_cluster.type == pa.string()
