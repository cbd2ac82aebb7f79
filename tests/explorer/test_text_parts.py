"""Texts in parts stay whole, whatever their spans."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsdata.explorer.keyword_in_context import find_all
from newsdata.explorer.text_parts import annotate, mark, visible

TEXTS = st.text(st.sampled_from("涨跌停。，\n a"), max_size=80)


@given(TEXTS, st.text("涨跌停a", min_size=1, max_size=2))
def test_marked_parts_are_the_text(text: str, words: str) -> None:
    parts = mark(text, words)
    assert "".join(part.text for part in parts) == text
    assert all(part.text == words for part in parts if part.hit)
    assert len([part for part in parts if part.hit]) == len(find_all(text, words)) == text.count(words)


@given(TEXTS, st.lists(st.tuples(st.integers(-3, 90), st.integers(-3, 90)), max_size=8), st.text("涨跌", max_size=2))
def test_annotated_paragraphs_are_the_text_whatever_the_spans(
    text: str, spans: list[tuple[int, int]], words: str
) -> None:
    mentions = [{"start": a, "end": b, "text": "x", "kind": "security", "code": "1"} for a, b in spans]
    links = [{"start": b, "end": a, "url": "http://a.example"} for a, b in spans]
    row: dict[str, Any] = {
        "text": text,
        "mentions": mentions,
        "links": [*links, None],
        "headings": [{"start": 0, "end": 2}],
    }
    paragraphs, whole = annotate(row, words)
    assert whole
    assert "\n".join("".join(part.text for part in paragraph.parts) for paragraph in paragraphs) == text
    for paragraph in paragraphs:
        assert all(part.text for part in paragraph.parts)


def test_a_mention_with_a_hit_inside_stays_a_mention() -> None:
    row = {
        "text": "望山青岚股份涨停",
        "mentions": [{"start": 2, "end": 6, "text": "青岚股份", "kind": "security", "code": "003701"}],
    }
    ((paragraph,), _) = annotate(row, "青岚")
    assert [(part.text, part.hit, bool(part.mention)) for part in paragraph.parts] == [
        ("望山", False, False), ("青岚", True, True), ("股份", False, True), ("涨停", False, False),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_text_with_many_spans_takes_no_time() -> None:
    text = "涨\n" * 30_000
    spans = [{"start": n, "end": n + 1, "text": "涨", "kind": "security", "code": "1"} for n in range(0, 60_000, 2)]
    begun = time.process_time()
    annotate({"text": text, "mentions": spans}, "涨")
    assert time.process_time() - begun < 10


def test_what_does_not_show_is_shown() -> None:
    assert visible("a\tb\nc 涨👍é") == "a\tb\nc 涨👍é"
    assert visible("\r\x7f\u2028\u3164") == "⟨U+000D⟩⟨U+007F⟩⟨U+2028⟩⟨U+3164⟩"
