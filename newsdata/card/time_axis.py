"""The time axis of a picture: how wide a bar is, where bars stand, and what is written below them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

__all__ = ["TimeAxis", "make_axis"]

_MOST_BARS = 260
_LEFT_OUT = 200  # one article of so many may lie outside, on each side
_STEPS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 2400, 6000, 12000)  # months between two labels
_MOST_LABELS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """What is drawn of some articles.

    Attributes:
        unit: what a bar stands for: "day", "week", "month" or "year".
        first: the number of the first bar.
        bars: how many bars there are, empty ones included.
        counts: split -> number of the bar -> articles; the first bar has the number 0.
        labels: (place, words): a place is a number of bars from the left end, times 1,000.
        outside: articles with dates so far away that they are not drawn.
    """

    unit: str
    first: int
    bars: int
    counts: Mapping[str, Mapping[int, int]]
    labels: Sequence[tuple[int, str]]
    outside: int

    def place(self, day: date) -> int | None:
        """Where a day begins, as a place; None if that is not between two bars."""
        place = _place(day, self.unit) - 1000 * self.first
        return place if 0 < place < 1000 * self.bars else None


def make_axis(articles: Mapping[str, Mapping[str, int]], unit: str) -> TimeAxis | None:
    """The axis for some articles; None if there are none.

    A few articles whose dates lie far from all others are left out, because one wrong date would press the rest together.

    Args:
        articles: split -> day (YYYY-MM-DD), or month (YYYY-MM) -> articles.
        unit: "day" or "month", what they are counted by.
    """
    counts = {split: _by_date(days) for split, days in articles.items()}
    total: Counter[date] = Counter()
    for days in counts.values():
        total.update(days)
    if not total:
        return None
    first, last = _range(total)
    unit = next(
        name
        for name in ("day", "week", "month", "year")
        if (name in ("month", "year") or unit == "day")
        and (_number(last, name) - _number(first, name) < _MOST_BARS or name == "year")
    )
    begin, end = _number(first, unit), _number(last, unit)
    drawn: dict[str, Counter[int]] = {split: Counter() for split in counts}
    for split, days in counts.items():
        for day, count in days.items():
            if begin <= _number(day, unit) <= end:
                drawn[split][_number(day, unit) - begin] += count
    shown = sum(sum(found.values()) for found in drawn.values())
    return TimeAxis(
        unit=unit,
        first=begin,
        bars=end - begin + 1,
        counts=drawn,
        labels=_labels(first, last, unit),
        outside=total.total() - shown,
    )


def _by_date(days: Mapping[str, int]) -> dict[date, int]:
    return {
        date.fromisoformat(name if len(name) == 10 else f"{name}-01"): count for name, count in days.items() if count
    }


def _range(total: Counter[date]) -> tuple[date, date]:
    """The first and the last day that are drawn."""
    days = sorted(total)
    low, high, allowed = 0, len(days) - 1, total.total() // _LEFT_OUT
    left = allowed
    while low < high and total[days[low]] <= left:
        left -= total[days[low]]
        low += 1
    left = allowed
    while high > low and total[days[high]] <= left:
        left -= total[days[high]]
        high -= 1
    if 2 * (days[high] - days[low]).days < (days[-1] - days[0]).days:
        return days[low], days[high]
    return days[0], days[-1]


def _number(day: date, unit: str) -> int:
    """The number of the day, week, month or year that a day is in, from the year 1 on. A week begins on Monday."""
    return _place(day, unit) // 1000


def _place(day: date, unit: str) -> int:
    """Like `_number`, times 1,000, with the part of the unit that is over before the day."""
    days = day.toordinal() - 1
    if unit == "day":
        return 1000 * days
    if unit == "week":
        return 1000 * days // 7
    months = 1000 * (12 * day.year + day.month - 1) + 1000 * (day.day - 1) // 31
    return months if unit == "month" else months // 12


def _labels(first: date, last: date, unit: str) -> list[tuple[int, str]]:
    """Beginnings of months or years, at most `_MOST_LABELS`; the first and the last day if there is one month only."""
    begin = 1000 * _number(first, unit)
    months = range(12 * first.year + first.month - (first.day == 1), 12 * last.year + last.month)
    for step in _STEPS:
        named = [month for month in months if month % step == 0]
        if len(named) <= _MOST_LABELS:
            break
    if len(named) < 2:
        return [(_place(day, unit) - begin + 500, str(day)) for day in dict.fromkeys((first, last))]
    return [
        (_place(date(month // 12, month % 12 + 1, 1), unit) - begin, _month_name(month, by_year=step >= 12))
        for month in named
    ]


def _month_name(month: int, *, by_year: bool) -> str:
    year = f"{month // 12:04}"
    return year if by_year else f"{year}-{month % 12 + 1:02}"
