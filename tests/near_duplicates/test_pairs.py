"""Near-duplicates: what joins, what stays apart, and that ids stay as they are."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.near_duplicates import clusters as duplicates_module
from newsdata.near_duplicates import leakage as leakage_module
from newsdata.near_duplicates import pairs as pairs_module
from newsdata.near_duplicates.clusters import (
    Boilerplate,
    Clusters,
    Pairs,
    assign,
    choose_sample,
    find_boilerplate,
    match,
    method,
    sign,
    write_signatures,
)
from newsdata.near_duplicates.leakage import gather, leaked, passage_coverage
from newsdata.near_duplicates.pairs import PAIR_SCHEMA
from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.signatures import SIGNATURE_SCHEMA

NONE = Boilerplate.of(np.zeros(0, np.uint32))
Row = tuple[str, str, int | None, str | None]


def words(seed: int, length: int = 300) -> str:
    """Chinese-looking text that shares nothing with that of another seed."""
    rng = random.Random(seed)
    return "".join("".join(chr(rng.randint(0x4E00, 0x9000)) for _ in range(12)) + "，" for _ in range(length // 12))


def row(article_id: str, text: str, day: int | None = 19000, url: str | None = None) -> Row:
    return article_id, text, day, url


def matched(
    folder: Path, rows: Sequence[Row], boilerplate: Boilerplate = NONE, per_file: int = 7
) -> tuple[Pairs, list[Path]]:
    files = []
    for begin in range(0, len(rows), per_file):
        some = rows[begin : begin + per_file]
        files.append(folder / f"{begin}.arrow")
        ids, texts, days, urls = (list(column) for column in zip(*some, strict=True))
        write_signatures(sign(ids, texts, days, urls, boilerplate), files[-1])
    return match(files), files


def clusters_of(clusters: Clusters, ids: Sequence[str]) -> dict[str, str]:
    return dict(zip(ids, clusters.duplicate_cluster.to_pylist(), strict=True))


def joined(folder: Path, rows: Sequence[Row], boilerplate: Boilerplate = NONE) -> set[tuple[str, str]]:
    table = matched(folder, rows, boilerplate)[0].table
    return set(zip(table["left"].to_pylist(), table["right"].to_pylist(), strict=True))


# --------------------------------------------------------------------------------------------- shingles


def test_variants_of_writing_come_out_the_same() -> None:
    plain = "国际货币基金组织预计2022年全球经济增长3.6%，中国发展1,234亿元"
    for variant in (
        "國際貨幣基金組織預計2022年全球經濟增長3.6%，中國發展1,234億元",
        "国际货币基金组织预计２０２２年全球经济增长３.６％,中国发展1234亿元",
        "国际货币基金组织预计 2022 年，全球经济增长 3.6%。\n中国发展 1234 亿元！",
    ):
        found = shingle([plain, variant])
        assert found.exact[0] == found.exact[1], variant
        ends = found.offsets
        assert np.array_equal(found.hashes[: ends[1]], found.hashes[ends[1] :])


def test_accents_composed_or_not_and_letters_outside_the_basic_plane() -> None:
    found = shingle(["café au lait noir", "cafe\u0301 au lait noir", "𝐜𝐚𝐟é au lait noir", "café 😀 au lait noir"])
    assert len(set(found.exact.tolist())) == 1
    rare = shingle(["𠀀𠀁𠀂𠀃𠀄", "𠀀𠀁𠀂𠀃𠀅"])
    assert rare.offsets.tolist() == [0, 1, 2]
    assert rare.hashes[0] != rare.hashes[1]


def test_numbers_are_facts_and_dates_are_none() -> None:
    for text, facts in (
        ("公司今天宣布投资3500万元", True),
        ("公司今天宣布在5月30日开会", False),
        ("公司今天宣布在2022年开会啊", False),
        ("公司今天宣布在12:30分开会", False),
    ):
        assert bool((shingle([text]).hashes & 1).any()) is facts, text


@given(st.lists(st.text(max_size=40), max_size=6))
def test_an_article_is_hashed_alike_in_any_company(texts: list[str]) -> None:
    together = shingle(texts)
    assert together.offsets[-1] == len(together.hashes)
    for i, text in enumerate(texts):
        alone = shingle([text])
        assert np.array_equal(alone.hashes, together.hashes[together.offsets[i] : together.offsets[i + 1]])
        assert alone.exact[0] == together.exact[i]


def test_long_texts_cross_chunks_without_a_trace() -> None:
    texts = [words(1, 100_000), words(2, 30), words(3, 100_000)]
    together = shingle(texts)
    for i, text in enumerate(texts):
        alone = shingle([text])
        assert np.array_equal(alone.hashes, together.hashes[together.offsets[i] : together.offsets[i + 1]])
        assert np.array_equal(
            alone.passages, together.passages[together.passage_offsets[i] : together.passage_offsets[i + 1]]
        )


# ------------------------------------------------------------------------------------------ boilerplate


def fund(number: int, rng: random.Random) -> str:
    value, total, gain = rng.uniform(1, 9), rng.uniform(1, 9), rng.uniform(1, 9)
    return (
        f"基金{words(1000 + number, 12)[:3]}最新单位净值为{value:.4f}元，累计净值为{total:.4f}元，"
        f"近一个月收益率为{gain:.2f}%，同类基金排名第{rng.randint(1, 999)}名，"
        f"该基金由{words(number, 12)[:3]}管理"
    )


def test_what_stands_on_twenty_days_is_boilerplate() -> None:
    line = "本网站所有内容仅供参考不构成投资建议"
    often = find_boilerplate((day, words(day) + "\n" + line) for day in range(20))
    assert often.holds(shingle([line]).hashes).all()
    seldom = find_boilerplate((day % 19, words(day) + "\n" + line) for day in range(40))
    assert not seldom.holds(shingle([line]).hashes).any()


def test_the_frame_of_a_form_is_boilerplate_on_a_single_day() -> None:
    rng = random.Random(1)
    found = find_boilerplate((19000, fund(k, rng)) for k in range(30))
    assert found.holds(shingle(["近一个月收益率为"]).hashes).all()


def test_a_much_reprinted_story_is_no_form() -> None:
    story = words(5, 600)
    copies = [f"{words(100 + k, 24)}{story}{words(200 + k, 24)}" for k in range(40)]
    found = find_boilerplate((19000, text) for text in copies)
    assert not found.holds(shingle([story]).hashes).any()


def test_boilerplate_is_frozen_and_blind_to_order(tmp_path: Path) -> None:
    rng = random.Random(2)
    sample = [(19000 + k % 3, fund(k, rng)) for k in range(40)]
    found = find_boilerplate(sample)
    assert len(found.hashes) > 5
    assert find_boilerplate(reversed(sample)).digest == found.digest
    found.save(tmp_path / "list")
    again = Boilerplate.load(tmp_path / "list")
    assert again.digest == found.digest
    assert np.array_equal(again.hashes, found.hashes)
    assert len(find_boilerplate([]).hashes) == 0


def test_the_sample_does_not_depend_on_order_and_has_its_size() -> None:
    ids = [f"{k:018d}" for k in range(500)]
    found = choose_sample(pa.array(ids), 50)
    backwards = choose_sample(pa.array(ids[::-1]), 50)
    assert {ids[at] for at in found} == {ids[::-1][at] for at in backwards}
    assert len(set(found.tolist())) == 50
    assert set(found.tolist()) <= set(choose_sample(pa.array(ids), 60).tolist())


# ------------------------------------------------------------------------------------------------ pairs


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


EDITS = st.lists(
    st.tuples(st.sampled_from(["add", "change", "remove"]), st.integers(0, 15), st.integers(0, 8)),
    min_size=1,
    max_size=12,
)


def text_of(story: int, edit: int) -> str:
    """One of a few stories, with more or less of another one in it."""
    return words(story % 3, 240)[: 26 * (9 - edit)] + words(100 + story, 26 * edit + 13)


@pytest.mark.slow
@settings(deadline=None, max_examples=25)
@given(st.lists(EDITS, min_size=2, max_size=4))
def test_pairs_by_memory_are_those_found_anew(histories: list[list[tuple[str, int, int]]]) -> None:
    held: dict[str, str] = {f"{k:02d}": text_of(k, k % 4) for k in range(8)}
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pairs_module, "BUCKET_CAP", 4)  # so that crowded buckets are met, too
        patch.setattr(pairs_module, "WINDOW", 2)
        memory = Path(name, "counts")
        for number, edits in enumerate(histories):
            for kind, at, edit in edits:
                if kind == "remove":
                    held.pop(f"{at:02d}", None)
                elif (kind == "add") == (f"{at:02d}" not in held):
                    held[f"{at:02d}"] = text_of(at, edit)
            folder = Path(name, str(number))
            folder.mkdir()
            _, files = matched(folder, [row(*item) for item in held.items()], per_file=5)
            anew, remembered = match(files), match(files, memory)
            assert remembered.table.equals(anew.table)
            assert remembered.report == anew.report


def test_only_pairs_with_something_new_are_counted_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(f"{k}-{c}", words(k, 240)[c * 26 :]) for k in range(10) for c in range(3)]
    _, files = matched(tmp_path, rows)
    memory = tmp_path / "counts"
    whole = match(files, memory)
    reads: list[int] = []
    shingles_of = pairs_module._shingles_of

    def counting(keys: Any, wanted: Any) -> Any:
        reads.append(len(np.unique(wanted)))
        return shingles_of(keys, wanted)

    monkeypatch.setattr(pairs_module, "_shingles_of", counting)
    assert match(files, memory).table.equals(whole.table)
    assert reads == []
    rows[0] = row("0-0", words(0, 240)[13:])
    changed = matched(tmp_path, rows)[0]
    reads.clear()
    assert match(files, memory).table.equals(changed.table)
    assert reads == [3]


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    rows = [row(f"{k}-{c}", words(k, 240)[c * 26 :]) for k in range(4) for c in range(3)]
    whole, files = matched(tmp_path, rows)
    memory = tmp_path / "counts"
    match(files, memory)
    good = memory.read_bytes()
    for damaged in (b"", good[:40], good[:-1], good[:200] + bytes([good[200] ^ 1]) + good[201:], good + b"x"):
        memory.write_bytes(damaged)
        assert match(files, memory).table.equals(whole.table)
        assert memory.read_bytes() == good


def test_no_articles(tmp_path: Path) -> None:
    pairs, files = matched(tmp_path, [])
    assert files == []
    write_signatures(sign([], [], [], [], NONE), tmp_path / "empty.arrow")
    again = match([tmp_path / "empty.arrow"])
    assert again.table.equals(pairs.table)
    assert again.table.schema == PAIR_SCHEMA
    clusters = assign(again, pa.array([], pa.string()))
    assert clusters.duplicate_cluster.type == pa.string()


# ---------------------------------------------------------------------------------------------- clusters


def chain(*names: str, jaccard: float = 0.6, rule: str = "jaccard") -> list[dict[str, object]]:
    return [
        {"left": min(pair), "right": max(pair), "rule": rule, "jaccard": jaccard, "containment": jaccard}
        for pair in pairwise(names)
    ]


def grouped(rows: list[dict[str, object]], ids: list[str], ledger: pa.Table | None = None) -> Clusters:
    return assign(Pairs(table=pa.Table.from_pylist(rows, PAIR_SCHEMA), report={}), pa.array(ids), ledger)


def ledger_of(ids: list[str], clusters: Clusters) -> pa.Table:
    return pa.table(
        {
            "article_id": ids,
            "duplicate_cluster": clusters.duplicate_cluster,
            "leak_group": clusters.leak_group,
        }
    )


def test_the_first_ingested_member_names_the_cluster() -> None:
    assert clusters_of(grouped(chain("b", "c"), ["c", "a", "b"]), ["c", "a", "b"]) == {
        "a": "a",
        "b": "c",
        "c": "c",
    }


def test_a_long_chain_does_not_make_one_cluster() -> None:
    names = [f"{k:02d}" for k in range(20)]
    found = clusters_of(grouped(chain(*names), names), names)
    assert max(list(found.values()).count(name) for name in found.values()) <= 3
    firm = clusters_of(grouped(chain(*names, jaccard=0.9), names), names)
    assert set(firm.values()) == {"00"}
    assert set(grouped(chain(*names), names).leak_group.to_pylist()) == {"00"}


def test_old_ids_stay_when_new_articles_join_and_merge() -> None:
    first_ids = ["m", "n", "x", "y", "z"]
    first = grouped(chain("m", "n") + chain("x", "y"), first_ids)
    ledger = ledger_of(first_ids, first)
    # "a" is older by name and time and joins m; "b" joins both m's and x's clusters firmly; "y" is gone
    ids = ["a", "b", "m", "n", "x", "z"]
    second = grouped(chain("a", "m") + chain("m", "b", "x", jaccard=0.9), ids, ledger)
    assert clusters_of(second, ids) == {"a": "m", "b": "m", "m": "m", "n": "m", "x": "m", "z": "z"}
    assert second.aliases == {"duplicate_cluster": {"x": "m"}, "leak_group": {"x": "m"}}


def test_what_was_joined_stays_joined_without_its_pairs() -> None:
    first = grouped(chain("a", "b"), ["a", "b", "c"])
    second = grouped([], ["a", "b", "c", "d"], ledger_of(["a", "b", "c"], first))
    assert second.duplicate_cluster.to_pylist() == ["a", "a", "c", "d"]
    assert second.aliases == {"duplicate_cluster": {}, "leak_group": {}}


def test_a_removed_article_still_names_its_cluster() -> None:
    first = grouped(chain("a", "b"), ["a", "b"])
    second = grouped(chain("b", "c"), ["b", "c"], ledger_of(["a", "b"], first))
    assert second.duplicate_cluster.to_pylist() == ["a", "a"]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20), st.integers(1, 12))
def test_two_versions_rename_nothing_but_by_alias(links: list[tuple[int, int]], cut: int) -> None:
    ids = [f"{k:02d}" for k in range(13)]
    rows = [one for a, b in links if a != b for one in chain(ids[a], ids[b], jaccard=0.9)]
    first = grouped([r for r in rows if str(r["right"]) < ids[cut]], ids[:cut])
    second = grouped(rows, ids, ledger_of(ids[:cut], first))
    for column in ("duplicate_cluster", "leak_group"):
        old, new = getattr(first, column).to_pylist(), getattr(second, column).to_pylist()
        aliases = second.aliases[column]
        assert [aliases.get(name, name) for name in old] == new[:cut]
        assert not set(aliases.values()) & set(aliases)
    assert second.duplicate_cluster.equals(grouped(rows, ids).duplicate_cluster)


# ------------------------------------------------------------------------------------------- determinism

SCRIPT = """
import hashlib, random, sys
from pathlib import Path
import pyarrow as pa
sys.path.insert(0, "tests/near_duplicates")
from test_pairs import fund, matched, row, words
from newsdata.near_duplicates.clusters import assign, find_boilerplate, method
rng = random.Random(7)
rows = [row(f"{k}-{c}", words(k, 240)[c * 26:], 19000 + k) for k in range(30) for c in range(3)]
rows += [row(f"f{k}", fund(k, rng)) for k in range(60)]
listed = find_boilerplate((r[2], r[1]) for r in rows)
random.Random(int(sys.argv[2])).shuffle(rows)
pairs, _ = matched(Path(sys.argv[1]), rows, listed, per_file=int(sys.argv[3]))
clusters = assign(pairs, pa.array(sorted(r[0] for r in rows)))
print(method(), listed.digest, pairs.table.to_pydict(), pairs.report)
print(clusters.duplicate_cluster.to_pylist(), clusters.leak_group.to_pylist(), clusters.aliases)
"""


def test_same_pairs_whatever_the_hash_seed_order_files_and_threads(tmp_path: Path) -> None:
    answers = set()
    for number, (seed, per_file, threads) in enumerate((("1", 7, "1"), ("2", 50, "4"))):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        command = [sys.executable, "-c", SCRIPT, str(folder), str(number), str(per_file)]
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parents[2],
        )
        answers.add(done.stdout)
    assert len(answers) == 1
    assert "jaccard" in answers.pop()


def test_signatures_are_as_they_were() -> None:
    """Frozen values: where this fails, `DEDUP_VERSION` must be raised."""
    table = sign(["1"], ["央行今日开展1500亿元逆回购操作，利率2.1%"], [19000], ["http://x.cn/1"], NONE)
    assert table.schema == SIGNATURE_SCHEMA
    assert table["exact"].to_pylist() == [EXACT]
    assert table["shingles"].to_pylist()[0][:3] == SHINGLES
    assert table["bands"].to_pylist()[0][:3] == BANDS
    assert method()["version"] == "1"


EXACT = 10420446082630539797
SHINGLES = [198218558, 472276575, 807674352]
BANDS = [4040484059, 2656226897, 712681764]


# ---------------------------------------------------------------------------------------------- leakage


def which(ids: Sequence[str], chosen: set[str]) -> np.ndarray:
    return np.array([name in chosen for name in ids])


def test_leaks_are_counted_once_an_article(tmp_path: Path) -> None:
    text = words(1, 360)
    rows = [
        row("train1", text),
        row("train2", text + words(2, 36)),
        row("test1", "记者报道" + text),
        row("test2", words(3, 360)),
        row("test3", text[: 13 * 22] + words(4, 96)),
    ]
    pairs, files = matched(tmp_path, rows)
    ids = [r[0] for r in rows]
    evidence = gather(pairs, files, pa.array(ids))
    seen = which(ids, {"train1", "train2"})
    none = {"leak_j50": 0, "leak_j80": 0, "leak_c80": 0, "leak_any": 0}
    assert leaked(evidence, seen, ~seen) == {"leak_j50": 2, "leak_j80": 1, "leak_c80": 1, "leak_any": 2}
    assert leaked(evidence, seen, which(ids, {"test2"})) == none
    assert passage_coverage(evidence, [(seen, which(ids, set()))]) == [None]


@pytest.mark.parametrize("together", [1 << 18, 64])
def test_coverage_by_passages(tmp_path: Path, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leakage_module, "_TOGETHER", together)
    long = words(1, 12_000)
    rows = [
        row("seen", long),
        row("same", long),
        row("half", long[:6500] + words(2, 6000)),
        row("other", words(3, 12_000)),
    ]
    pairs, files = matched(tmp_path, rows, per_file=2)
    ids = [r[0] for r in rows]
    evidence = gather(pairs, files, pa.array(ids))
    cuts = [(which(ids, {"seen"}), which(ids, {tested})) for tested in ("same", "other", "half")]
    same, other, half = passage_coverage(evidence, cuts)
    assert (same, other) == (1, 0)
    assert half is not None
    assert 0.35 < half < 0.65


# ---------------------------------------------------------------------------------------------- quality


@pytest.mark.parametrize("style", ["wire", "flashes", "frames", "three-days", "markdown"])
def test_planted_copies_are_found(style: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "scripts"))
    import quality

    figures = quality.measure(style, 1500)
    assert figures["precision"] >= 0.97, figures
    assert figures["recall"] >= 0.87, figures
    assert figures["excess"] <= 3, figures
    assert not figures["long_recall"] < 0.98, figures


# ------------------------------------------------------------------------------------------------ graphs


def reached(links: list[tuple[int, int]], size: int) -> list[int]:
    """The lowest node of each node's component, by walking."""
    lowest = list(range(size))
    for _ in range(size):
        for a, b in links:
            lowest[a] = lowest[b] = min(lowest[a], lowest[b])
    return lowest


LINKS = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)).filter(lambda pair: pair[0] < pair[1]), unique=True)


@given(LINKS)
def test_components_are_those_found_by_walking(links: list[tuple[int, int]]) -> None:
    left, right = (np.array([link[side] for link in links], np.int64) for side in (0, 1))
    assert duplicates_module._first_members([(left, right)], 20).tolist() == reached(links, 20)


@given(LINKS, st.integers(1, 50), st.data())
def test_a_bridge_is_a_doubtful_pair_without_a_common_neighbour(
    links: list[tuple[int, int]], together: int, data: st.DataObject
) -> None:
    left, right = (np.array([link[side] for link in links], np.int64) for side in (0, 1))
    jaccard = np.array([data.draw(st.sampled_from([0.4, 0.9])) for _ in links], np.float32)
    duplicate = np.array([data.draw(st.booleans()) for _ in links], np.bool_)
    near: dict[int, set[int]] = {node: set() for node in range(20)}
    for (a, b), counts in zip(links, duplicate, strict=True):
        if counts:
            near[a].add(b)
            near[b].add(a)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates_module, "_NEIGHBOURS", together)
        kept = duplicates_module._no_bridges(left, right, duplicate, jaccard, 20)
    for (a, b), counts, firm, stays in zip(links, duplicate, jaccard > 0.5, kept, strict=True):
        if counts:
            assert stays == (firm or len(near[a]) == 1 or len(near[b]) == 1 or bool(near[a] & near[b]))
