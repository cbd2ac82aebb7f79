"""The chart has few bars and loses no article."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from newsdata.explorer.day_chart import draw_days, month_counts
from newsdata.explorer.selection import DayCounts


@pytest.mark.parametrize("days", [1, 40, 229, 500, 3000, 40_000, 1_000_000])
@pytest.mark.parametrize("share", [False, True])
def test_the_chart_has_few_bars_and_loses_none(days: int, share: bool) -> None:
    random = np.random.default_rng(days)
    counts = random.integers(0, 9, (days, 2))
    counts[random.random(days) > 5_000 / days] = 0
    counts[: days // 2, 1] = 0
    counts[0, 0] = counts[-1, 1] = 1
    every = DayCounts(date(100, 3, 7), ("train", "test"), counts, 0)
    half = DayCounts(every.first, every.splits, counts // 2, 3)
    chart = draw_days(half, every, (date(100, 3, 9), None), share=share)
    assert sum(chart.totals) == chart.total == int((counts // 2).sum())
    assert sum(chart.of) == counts.sum()
    assert len(chart.totals) <= 1000
    for drawing in (chart.wide, chart.narrow):
        assert len(drawing.ticks) <= drawing.width / 30
        for _, path in drawing.paths:
            for piece in path.split("M")[1:]:
                x, y = (float(number) for number in piece.split("h")[0].split())
                assert drawing.left - 1 <= x <= drawing.right
                assert drawing.top - 0.1 <= y <= drawing.bottom + 0.1
    assert sum(count for _, _, count in month_counts(half)) == int((counts // 2).sum())
