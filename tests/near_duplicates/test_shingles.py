"""Text to shingles: what is written differently and says the same comes out the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.near_duplicates.shingles import shingle

from .made_articles import words


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


@pytest.mark.slow
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
