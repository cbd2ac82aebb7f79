"""Bars, borders and labels of the time axis, for spans from a day to thousands of years."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from newsdata.card.time_axis import make_axis

FIRST = date(2021, 12, 1)


def days(count: int, step: int = 1, first: date = FIRST, each: int = 1) -> dict[str, int]:
    return {str(first + timedelta(days=step * number)): each for number in range(count)}


@pytest.mark.parametrize(
    ("span", "unit", "bars"),
    [(1, "day", 1), (229, "day", 229), (260, "day", 260), (261, "week", 38), (1800, "week", 258), (1830, "month", 61)],
)
def test_a_bar_stands_for_as_much_as_it_must(span: int, unit: str, bars: int) -> None:
    axis = make_axis({"train": days(span)}, "day")
    assert axis and (axis.unit, axis.bars) == (unit, bars)
    assert sum(axis.counts["train"].values()) == span and axis.outside == 0
    assert min(axis.counts["train"]) == 0 and max(axis.counts["train"]) == bars - 1


def test_months_are_bars_of_months_or_years() -> None:
    axis = make_axis({"train": {"2001-01": 5, "2003-12": 2}}, "month")
    assert axis and (axis.unit, axis.bars, axis.counts["train"]) == ("month", 36, {0: 5, 35: 2})
    axis = make_axis({"train": {"0001-01": 5, "9999-12": 5}}, "month")
    assert axis and (axis.unit, axis.bars) == ("year", 9999)


def test_without_articles_there_is_no_axis() -> None:
    assert make_axis({}, "day") is None
    assert make_axis({"train": {"2022-01-01": 0}}, "day") is None


def test_a_few_far_dates_are_left_out() -> None:
    usual = days(200, each=5)
    axis = make_axis({"train": {"1970-01-01": 5, **usual}, "newer": {"2035-05-05": 1}}, "day")
    assert axis and (axis.unit, axis.bars, axis.outside) == ("day", 200, 6)
    many = make_axis({"train": {"1970-01-01": 6, **usual}}, "day")
    assert many and many.outside == 0


def test_a_place_between_two_bars() -> None:
    axis = make_axis({"train": days(100)}, "day")
    assert axis
    assert axis.place(FIRST + timedelta(days=30)) == 30_000
    assert axis.place(FIRST) is None and axis.place(FIRST + timedelta(days=100)) is None


@pytest.mark.parametrize("span", [1, 2, 20, 40, 229, 400, 3000, 20_000, 400_000])
def test_few_labels_that_fit(span: int) -> None:
    axis = make_axis({"train": {str(FIRST): 1, str(FIRST + timedelta(days=span)): 1}}, "day")
    assert axis and 2 <= len(axis.labels) <= 5
    places = [place for place, _ in axis.labels]
    assert places == sorted(places) and places[0] >= 0 and places[-1] <= 1000 * axis.bars
    assert all(date.fromisoformat(f"{words}-01-01"[:10]) for _, words in axis.labels)


def test_one_day_has_one_label() -> None:
    axis = make_axis({"train": days(1)}, "day")
    assert axis and axis.labels == [(500, "2021-12-01")]
