"""Text and coordinates of a picture."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from newsdata.card.svg import WIDTH, bars, fit, frame, scale, text


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>",
        "a & b \" '",
        "]]>",
        "\x00\x08\x1b[31m",
        "\u202e\u2066abc\u2069",
        "\ud800 \ufffe",
        "&#0;",
    ],
)
def test_any_text_is_text(words: str) -> None:
    root = ElementTree.fromstring(frame(1000, words, words, [text(0, 0, words)]))
    assert [element.tag.rpartition("}")[2] for element in root.iter()] == ["svg", "rect", "text", "text"]
    shown = root[1].text or ""
    assert shown.isprintable() and shown == root.get("aria-label") == (root[2].text or "")


def test_what_is_too_long_is_cut() -> None:
    assert fit("望山财经", 640) == "望山财经" and fit("望山财经日", 640) == "望山财…"
    assert fit("W" * 5000, 1750) == "W" * 9 + "…" and fit("i" * 17, 1750) == "i" * 17 and fit("", 100) == ""


def test_the_card_is_opaque_and_has_a_size() -> None:
    root = ElementTree.fromstring(frame(2600, "a", "b", []))
    assert root.get("viewBox") == f"0 0 {WIDTH // 10} 260" and (root.get("width"), root.get("height")) == ("640", "320")
    assert root[0].get("fill") == "#ffffff"


def test_bars_of_no_size_are_not_drawn() -> None:
    assert bars([], "#000") == bars([(0, 0, 0, 9)], "#000") == ""
    assert bars([(5, 10, 15, 20)], "#000") == '<path d="M0.5 1h1.5v2h-1.5z" fill="#000"/>'


def test_a_small_value_can_be_seen() -> None:
    assert scale(1, 10**9, 1600) == 5 and scale(10**9, 10**9, 1600) == 1600 and scale(-3, 5, 100) == 0
