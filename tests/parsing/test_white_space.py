"""White space: lines are cleaned, and positions in them are kept."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsdata.parsing.white_space import clean, clean_line, has_control, is_clean, trimmed, verbatim, without_controls

LINES = st.text(
    st.sampled_from("ab甲乙“” \t\n\r\x0b\x00\x1c\x85\u00a0\u00ad\u200b\u200d\u2028\u202e\u3000\ufeff👩"), max_size=20
)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("  a \t\u00a0\u3000 b  ", "a b"),
        ("甲\n乙", "甲乙"),
        ("甲 \n\t 乙", "甲乙"),
        ("甲 乙", "甲 乙"),
        ("甲\n“乙", "甲“乙"),
        ("甲\na", "甲 a"),
        ("a\nb", "a b"),
        ("a\u2028b", "a b"),
        ("a\x00\u200b\u202e\u00adb", "ab"),
        ("a\u200db 👩\u200d👩", "ab 👩\u200d👩"),
    ],
)
def test_a_line_is_cleaned(raw: str, line: str) -> None:
    assert clean(raw)[0] == clean_line(raw) == line


@settings(max_examples=500)
@given(LINES)
def test_a_clean_line_stays_as_it_is(raw: str) -> None:
    line = clean_line(raw)
    assert clean_line(line) == line and line == line.strip()
    assert not is_clean(raw) or line == raw


@pytest.mark.slow
@settings(max_examples=500)
@given(LINES)
def test_a_position_maps_to_the_same_character(raw: str) -> None:
    for cleaned in (clean, verbatim):
        line, moves = cleaned(raw)
        places = [moves.new(place) for place in range(len(raw) + 1)]
        assert places == sorted(places) and places[-1] == len(line)
        kept = [(raw[place], line[new : new + 1]) for place, new in enumerate(places[:-1]) if not raw[place].isspace()]
        assert all(letter == there for letter, there in kept if letter in "ab甲乙“”👩")


def test_code_keeps_its_indentation() -> None:
    assert verbatim("  a  b\t ")[0] == "  a  b"


def test_control_characters_are_found_and_removed() -> None:
    assert has_control("a\u202eb") and not has_control("a\u200bb")
    assert without_controls("a\u202e\x00b\t") == "ab\t"


def test_a_span_is_trimmed() -> None:
    assert trimmed(" a ", 0, 3) == (1, 2)
    assert trimmed("   ", 0, 3) == (3, 3)
