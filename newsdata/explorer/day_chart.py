"""The chart of articles by day, stacked by split: its shapes, in numbers that a template writes into SVG."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .selection import DayCounts

__all__ = ["Chart", "DayChart", "Label", "draw_days", "month_counts"]

_HEIGHT, _TOP, _BOTTOM, _LEFT = 132, 14, 20, 4
_MOST_BARS = 420
_STEPS = (1, 7, 28, 91, 364, 3640)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LABEL_WIDTH = 46


class Label(NamedTuple):
    """Words at a place of the chart."""

    x: float
    text: str


class Chart(NamedTuple):
    """One drawing, in its own units.

    Attributes:
        width, height, left, right, top, bottom: of the drawing, and the box of its bars.
        paths: for each split its name and the bars as the data of an SVG path.
        ticks: where months begin.
        borders: where splits begin.
        selected: left end and width of the days that are selected; None if all are.
    """

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    paths: tuple[tuple[str, str], ...]
    ticks: tuple[Label, ...]
    borders: tuple[Label, ...]
    selected: tuple[float, float] | None


class DayChart(NamedTuple):
    """The chart for wide and for narrow pages, and what the script needs of it.

    Attributes:
        wide, narrow: the drawings.
        first: the first day; `step`: days of a bar; `totals`: articles of each bar; `of`: all articles of each bar.
        most: what the highest bar stands for, in words.
        total: articles in the chart.
    """

    wide: Chart
    narrow: Chart
    first: date
    step: int
    totals: tuple[int, ...]
    of: tuple[int, ...]
    most: str
    total: int


def draw_days(
    wanted: DayCounts, every: DayCounts, selected: tuple[date | None, date | None], *, share: bool
) -> DayChart:
    """Draw the days of a selection.

    Args:
        wanted: the articles of the selection, whatever their day.
        every: all articles of the version.
        selected: the first and last day that are filtered by.
        share: draw the share of all articles of the day.
    """
    days = len(every.counts)
    step = next((step for step in _STEPS if days / step <= _MOST_BARS), days)
    counts, of = _binned(wanted.counts, step), _binned(every.counts, step).sum(axis=1)
    heights = counts / np.maximum(of, 1)[:, None] if share else counts.astype(float)
    most = float(heights.sum(axis=1).max(initial=0))
    words = f"{100 * most:.3g} %" if share else f"{int(most):,}"
    begins = [(name, int(np.flatnonzero(every.counts[:, n])[0])) for n, name in enumerate(every.splits)]
    box = _Box(every.first, step, days, most, selected, tuple(begins))
    return DayChart(
        wide=_draw(box, heights, every.splits, 920, 1),
        narrow=_draw(box, heights, every.splits, 340, 2),
        first=every.first,
        step=step,
        totals=tuple(counts.sum(axis=1).tolist()),
        of=tuple(of.tolist()),
        most=words,
        total=int(counts.sum()),
    )


def month_counts(counts: DayCounts) -> list[tuple[date, date, int]]:
    """First and last day of each month that has articles, and their number; years, if there are more than 60 months."""
    totals = counts.counts.sum(axis=1)
    found: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(totals).tolist():
        day = counts.first + timedelta(days=at)
        found[day.year, day.month] = found.get((day.year, day.month), 0) + int(totals[at])
    if len(found) <= 60:
        return [(date(y, m, 1), _last_of_month(y, m), count) for (y, m), count in found.items()]
    years: dict[int, int] = {}
    for (year, _), count in found.items():
        years[year] = years.get(year, 0) + count
    return [(date(year, 1, 1), date(year, 12, 31), count) for year, count in years.items()]


class _Box(NamedTuple):
    first: date
    step: int
    days: int
    most: float
    selected: tuple[date | None, date | None]
    begins: tuple[tuple[str, int], ...]


def _draw(box: _Box, heights: NDArray[np.float64], splits: Sequence[str], width: int, every: int) -> Chart:
    left, right, bottom = _LEFT, width - _LEFT, _HEIGHT - _BOTTOM
    per_day = (right - left) / box.days
    bar = per_day * box.step
    gap = 1.0 if bar >= 3 else 0.0
    scale = (bottom - _TOP) / box.most if box.most else 0.0
    base = np.zeros(len(heights))
    paths = []
    for number, name in enumerate(splits):
        pieces = []
        for at in np.flatnonzero(heights[:, number]).tolist():
            x, tall = left + at * bar, heights[at, number] * scale
            y = bottom - (base[at] + heights[at, number]) * scale
            pieces.append(f"M{x:.2f} {y:.2f}h{max(bar - gap, 0.6):.2f}v{tall:.2f}h-{max(bar - gap, 0.6):.2f}z")
        base += heights[:, number]
        paths.append((name, "".join(pieces)))
    borders = [Label(left + at * per_day, name) for name, at in box.begins if at]
    return Chart(
        width=width, height=_HEIGHT, left=left, right=right, top=_TOP, bottom=bottom, paths=tuple(paths),
        ticks=tuple(_ticks(box, left, per_day, right, every)), borders=tuple(sorted(borders)),
        selected=_selected(box, left, per_day),
    )  # fmt: skip


def _selected(box: _Box, left: int, per_day: float) -> tuple[float, float] | None:
    first, last = box.selected
    if first is None and last is None:
        return None
    start = max((first - box.first).days, 0) if first else 0
    end = min((last - box.first).days + 1, box.days) if last else box.days
    start = min(start, box.days)
    return left + start * per_day, max(end - start, 0) * per_day


def _ticks(box: _Box, left: int, per_day: float, right: int, every: int) -> list[Label]:
    """Month names where months begin, as many as there is room for; January stands for its year."""
    last = box.first + timedelta(days=box.days - 1)
    months = (last.year - box.first.year) * 12 + last.month - box.first.month + 1
    least = _LABEL_WIDTH / max(per_day * 30.4, 1e-9)
    stride = next((n for n in (1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000) if n >= least), 12_000)
    labels = []
    for number in range(months + 1):
        year, month = divmod(box.first.year * 12 + box.first.month - 1 + number, 12)
        if year > 9999 or (year * 12 + month) % stride:
            continue
        x = left + (date(year, month + 1, 1) - box.first).days * per_day
        if left <= x <= right - _LABEL_WIDTH / 2:
            labels.append(Label(x, str(year) if month == 0 else _MONTHS[month]))
    return labels


def _binned(counts: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    starts = np.arange(0, len(counts), step)
    return np.asarray(np.add.reduceat(counts, starts, axis=0))


def _last_of_month(year: int, month: int) -> date:
    if (year, month) == (9999, 12):
        return date(9999, 12, 31)
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
