"""Pairs of near-copies: what joins, what stays apart, and that the similarities are exact."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from newsdata.near_duplicates import candidates as candidates_module
from newsdata.near_duplicates import pairs as pairs_module
from newsdata.near_duplicates.candidates import Buckets
from newsdata.near_duplicates.clusters import assign
from newsdata.near_duplicates.pair_counts import Counted
from newsdata.near_duplicates.pairs import PAIR_SCHEMA, Pairs, count_common, decide, match, search
from newsdata.near_duplicates.shingles import shingle
from newsdata.near_duplicates.signatures import Words, sign, write_signatures

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


def test_short_texts_join_when_equal_and_on_one_day(tmp_path: Path) -> None:
    rows = [
        row("a", "今日休市", 100),
        row("b", "今日休市！", 100),
        row("c", "今日休市", 101),
        row("d", "今日开市", 100),
        row("e", "", 100),
        row("f", "——", 100),
        row("g", "", 100),
        row("h", "今日休市", None),
        row("i", "今日休市", None),
    ]
    assert joined(tmp_path, rows) == {("a", "b"), ("h", "i")}


def test_a_flash_is_copied_on_the_next_day_but_a_form_is_not(tmp_path: Path) -> None:
    flash, form = words(1, 60), words(2, 60)
    rows = [
        row("a", flash, 100),
        row("b", flash, 101),
        row("c", "本报讯，" + flash, 103),
        row("d", "快讯：" + flash, 110),
    ]
    rows += [row(f"f{day}{k}", form, day) for day in (100, 101, 102) for k in range(2)]
    assert joined(tmp_path, rows) == {("a", "b"), ("a", "c"), ("b", "c")} | {
        (f"f{d}0", f"f{d}1") for d in (100, 101, 102)
    }


def test_a_body_without_content_is_compared_by_title_and_digest(tmp_path: Path) -> None:
    rows = [row(name, "详见附件。") for name in "abcd"]
    heads = {
        "a": ("关于召开会议的通知", None),
        "b": ("关于人事任免的通知", None),
        "c": ("关于召开会议的通知", None),
        "d": ("", "摘要"),
    }
    assert joined(tmp_path, rows, heads=heads) == {("a", "c")}


def test_flashes_of_another_company_or_another_number_stay_apart(tmp_path: Path) -> None:
    frame = words(1, 36)
    rows = [
        row("a", f"青岚股份：{frame}"),
        row("b", f"松陵重工：{frame}"),
        row("c", f"财联社三月三日讯，青岚股份：{frame}"),
    ]
    rows += [row(f"n{k}", f"{words(2, 24)}涨{k}.5%，{words(3, 24)}跌2.1%，{words(4, 24)}报3.3元") for k in range(2)]
    assert joined(tmp_path, rows) == {("a", "c")}


def test_titles_that_contradict_each_other_keep_articles_apart(tmp_path: Path) -> None:
    text = words(1, 600)
    rows = [row("a", text + words(2, 96)), row("b", text + words(3, 96)), row("c", text + words(4, 96))]
    heads = {"a": ("河湾软件3.2.9发布", None), "b": ("河湾软件3.2.10发布", None), "c": ("一篇旧闻", None)}
    assert joined(tmp_path, rows, heads=heads) == {("a", "c"), ("b", "c")}
    heads = {"a": ("河湾软件3.2.9 rc发布", None), "b": ("河湾软件3.2.9发布", None), "c": ("河湾软件3.2.9发布", None)}
    assert joined(tmp_path, rows, heads=heads) == {("b", "c")}


def test_a_year_later_it_is_the_next_of_a_series(tmp_path: Path) -> None:
    text = words(1, 600)
    rows = [row("a", text, 100), row("b", text[:420] + words(2, 180), 110), row("c", text[:420] + words(3, 180), 465)]
    assert joined(tmp_path, rows) == {("a", "b")}


def test_translations_with_common_code_and_addresses_are_no_copies(tmp_path: Path) -> None:
    code = "\n".join(f"result {k} = compute ( item {k * 7} , row )" for k in range(30))
    address = "https://files.example.org/pub/9/archive.tar.gz"
    rows = [row("a", words(1, 60) + code), row("b", "выпуск новой версии " * 8 + code)]
    rows += [row("c", f"short note {address} one two"), row("d", f"short note {address}?other one two")]
    assert joined(tmp_path, rows) == {("c", "d")}


def test_articles_of_other_languages_join_only_where_nearly_all_words_are_the_same(tmp_path: Path) -> None:
    changes = " ".join(f"change{k} of module{k * 3} by author{k * 7}" for k in range(60))
    told = {"a": "harbour", "b": "havre", "c": "harbour"}
    rows = [row(name, " ".join(f"{word}{k}" for k in range(30)) + changes) for name, word in told.items()]
    rows += [row(name, "see attachment") for name in "de"]

    def copies(**langs: str) -> set[tuple[str, str]]:
        return copies_in(matched(tmp_path, rows, langs=langs)[0])

    translated, little = {("a", "b"), ("b", "c")}, {("d", "e")}
    every = translated | little | {("a", "c")}
    assert copies() == every
    assert copies(a="en", b="fr", c="de", d="en", e="fr") == every - translated - little
    assert copies(a="zh-CN", b="zh_TW", c="zh-CN", d="en_GB", e="en") == every - translated


def test_the_next_meeting_is_no_copy_of_the_last_one(tmp_path: Path) -> None:
    text = "the club meets in the boat house, everybody who likes to sail is welcome " + words(1, 240)
    rows = [
        row(f"{day}", f"Next meeting: {date} at 19:30. {text}", day)
        for day, date in ((100, "2031-05-03"), (128, "2031-06-07"))
    ]
    rows += [
        row("again", rows[0][1] + " Bring a friend.", 105),
        row("corrected", rows[0][1].replace("-05-03", "-05-04"), 101),
    ]
    heads = {name: ("The club meets again in May", None) for name, *_ in rows}
    found = joined(tmp_path, rows, heads=heads)
    assert found == {("100", "again"), ("100", "corrected")}, "a correction comes soon, the next meeting later"


def test_the_same_short_title_does_not_make_two_companies_one(tmp_path: Path) -> None:
    rows = [
        row(f"{k}", f"{name}更正公告：此前披露的航线数据有误，现予以更正")
        for k, name in enumerate(("青岚股份", "松陵重工"))
    ]
    assert joined(tmp_path, rows, heads={"0": ("更正公告", None), "1": ("更正公告", None)}) == set()


def test_days_later_more_must_be_the_same(tmp_path: Path) -> None:
    text = words(1, 600)
    rows = [row("a", text, 100), row("b", text[:380] + words(2, 220), 105), row("c", text[:380] + words(3, 220), 120)]
    assert copies_in(matched(tmp_path, rows)[0]) == {("a", "b")}


def copies_in(pairs: Pairs) -> set[tuple[str, str]]:
    """The pairs that share a duplicate cluster."""
    rows = pairs.table.to_pylist()
    return {(pair["left"], pair["right"]) for pair in rows if pair["rule"] in ("url", "text", "jaccard")}


def test_edited_and_very_short_texts_inside_others_are_only_measured(tmp_path: Path) -> None:
    flash, few = words(1, 36), "harbour bridge reopens tonight"
    plain = " ".join(f"plain{number}" for number in range(20))
    rows = [row("edited", words(2, 12) + flash), row("roundup", flash + words(3, 120))]
    rows += [row("few", few), row("letter", f"{plain} {few} {plain}")]
    table = matched(tmp_path, rows)[0].table.to_pylist()
    assert [(pair["left"], pair["right"], pair["rule"]) for pair in table] == [
        ("edited", "roundup", "partly"),
        ("few", "letter", "partly"),
    ]


def test_leaks_by_other_doors_are_found(tmp_path: Path) -> None:
    digest, flashes = words(1, 24), [words(10 + k, 36) for k in range(5)]
    rows = [row("a", words(2)), row("b", words(3)), row("c", digest)]
    rows += [row("roundup", "\n".join(flashes)), *(row(f"flash{k}", text) for k, text in enumerate(flashes))]
    rows += [row("t1", words(4, 96) + words(5)), row("t2", words(4, 96) + words(6))]
    heads = {"a": (None, digest), "b": (None, digest), "t1": ("河湾快讯", None), "t2": ("河湾快讯", None)}
    table = matched(tmp_path, rows, heads=heads)[0].table.to_pylist()
    found = {(pair["left"], pair["right"]): pair["rule"] for pair in table}
    assert found == {
        ("a", "b"): "digest",
        ("b", "c"): "digest",
        ("t1", "t2"): "head",
        **{(f"flash{k}", "roundup"): "contained" for k in range(5)},
    }


def test_a_digest_of_many_days_is_no_link(tmp_path: Path) -> None:
    heads = {f"{k}": (None, words(1, 24)) for k in range(3)}
    rows = [row(f"{k}", words(10 + k), 100 + k) for k in range(3)]
    assert matched(tmp_path, rows, heads=heads)[0].table.num_rows == 0


def test_one_address_is_one_cluster_but_a_home_page_is_no_address(tmp_path: Path) -> None:
    rows = [row("a", words(1), url="http://x.cn/1.html"), row("b", words(2), url="https://x.cn/1.html#top")]
    rows += [row(f"h{k:02d}", words(10 + k), url="http://x.cn/") for k in range(30)]
    pairs, _ = matched(tmp_path, rows)
    assert pairs.table.select(["left", "right", "rule"]).to_pylist() == [{"left": "a", "right": "b", "rule": "url"}]
    assert pairs.table["jaccard"].to_pylist() == [None]
    assert pairs.report["shared_urls"] == 1


def test_large_buckets_are_capped_reported_and_still_join(tmp_path: Path) -> None:
    text = words(1)
    size = 3 * candidates_module.BUCKET_CAP
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
    monkeypatch.setattr(candidates_module, "_PENDING", 10)
    monkeypatch.setattr(pairs_module, "_BLOCK", 1000)
    monkeypatch.setattr(pairs_module, "_COMPARED_AT_ONCE", 7)
    monkeypatch.setattr(pairs_module, "_DECIDED_AT_ONCE", 9)
    assert matched(tmp_path, rows)[0].table.equals(whole)


def test_no_articles(tmp_path: Path) -> None:
    pairs, files = matched(tmp_path, [])
    assert files == []
    write_signatures(sign([], Words.of([]), [], NONE), tmp_path / "empty.arrow")
    again = match([tmp_path / "empty.arrow"])
    assert again.table.equals(pairs.table)
    assert again.table.schema == PAIR_SCHEMA
    clusters = assign(again, pa.array([], pa.string()))
    assert clusters.duplicate_cluster.type == pa.string()


def test_candidates_are_found_and_counted_in_any_number_of_parts(tmp_path: Path) -> None:
    rows = [row(f"{k:03d}", words(k % 23) + words(100 + k, 36)) for k in range(60)]
    whole, files = matched(tmp_path, rows)
    assert whole.table.num_rows > 50
    for count in (1, 2, 7):
        found = [search(files, number, count) for number in range(count)]
        codes = [one.codes for one in found]
        parts = [count_common(files, codes, number=number, count=count) for number in range(count)]
        left, right, common, facts = (
            np.concatenate([getattr(part, name) for part in parts]) for name in ("left", "right", "common", "facts")
        )
        buckets = Buckets(
            large=sum(one.buckets.large for one in found), largest=max(one.buckets.largest for one in found)
        )
        again = decide(files, Counted(left=left, right=right, common=common, facts=facts), buckets)
        assert again.table.equals(whole.table) and again.report == whole.report


def test_reprints_of_later_years_give_each_other_away(tmp_path: Path) -> None:
    """They have another title and a few other words, and may be the next ones of a series: never near-copies."""
    rng = random.Random(5)
    story = [f"{rng.choice('bdklm')}{rng.randrange(9_000)}" for _ in range(240)]

    def changed(count: int) -> str:
        some = {*rng.sample(range(len(story)), count)}
        return " ".join(f"other{at}" if at in some else word for at, word in enumerate(story))

    rows = [row("first", " ".join(story), 19000), row("reprint", changed(5), 19500), row("retold", changed(20), 19900)]
    heads = {"first": ("The harbour opens", None), "reprint": ("Ten memories", None), "retold": ("A look back", None)}
    pairs, _ = matched(tmp_path, rows, heads=heads)
    found = {(pair["left"], pair["right"]): pair["rule"] for pair in pairs.table.to_pylist()}
    assert found == {
        ("first", "reprint"): "reworded",
        ("first", "retold"): "similar",
        ("reprint", "retold"): "similar",
    }
    ids = pa.array([name for name, *_ in rows])
    groups = assign(pairs, ids)
    assert groups.leak_group.to_pylist() == ["first", "first", "retold"]
    assert groups.duplicate_cluster.to_pylist() == ids.to_pylist()
    assert assign(pairs, ids, doors=()).leak_group.to_pylist() == ids.to_pylist()


def test_a_door_that_is_not_used_hides_no_other_one(tmp_path: Path) -> None:
    """A reprint of another year with the same title and beginning: `head` may be shut, `reworded` open."""
    lead = " ".join(f"harbour{at}" for at in range(40))
    story = [f"{'bdklm'[at % 5]}{at * at}" for at in range(200)]
    later = ["other" if at in (90, 120, 160) else word for at, word in enumerate(story)]
    rows = [row("a", f"{lead} {' '.join(story)}", 19000), row("b", f"{lead} {' '.join(later)}", 19500)]
    heads = dict.fromkeys("ab", ("The harbour opens its gates", None))
    pairs, _ = matched(tmp_path, rows, heads=heads)
    assert pairs.table["rule"].to_pylist() == ["head", "reworded"]
    ids = pa.array(["a", "b"])
    for doors, group in ((("reworded",), "a"), (("head",), "a"), (("digest",), "b")):
        assert assign(pairs, ids, doors=doors).leak_group.to_pylist() == ["a", group]
