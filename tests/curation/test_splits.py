from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from newsdata.curation.merge import NO_DATE
from newsdata.curation.splits import Borders, choose_borders, local_days, place
from newsdata.errors import CallError

DAY = 86_400_000
HUNDRED = np.arange(100) * DAY


def new(times: np.ndarray) -> np.ndarray:
    return np.full(len(times), -1)


def test_chosen_borders_are_about_80_10_10() -> None:
    borders = choose_borders(HUNDRED, "UTC")
    placed = place(HUNDRED, np.arange(100), borders, "UTC", before=new(HUNDRED))
    assert np.bincount(placed.split).tolist() == [80, 10, 10]
    assert borders.test_until == date(1970, 4, 10)


@pytest.mark.parametrize(("days", "splits"), [(0, []), (1, [1]), (2, [2]), (3, [1, 1, 1]), (4, [2, 1, 1])])
def test_tiny_archives(days: int, splits: list[int]) -> None:
    times = np.arange(days) * DAY
    placed = place(times, np.arange(days), choose_borders(times, "UTC"), "UTC", before=new(times))
    assert np.bincount(placed.split).tolist() == splits


def test_one_crowded_day_still_leaves_three_splits() -> None:
    times = np.array([0] * 1000 + [DAY, 2 * DAY])
    placed = place(times, np.arange(1002), choose_borders(times, "UTC"), "UTC", before=new(times))
    assert np.bincount(placed.split).tolist() == [1000, 1, 1]
    times = np.array([0, DAY] + [2 * DAY] * 1000)
    placed = place(times, np.arange(1002), choose_borders(times, "UTC"), "UTC", before=new(times))
    assert np.bincount(placed.split).tolist() == [1, 1, 1000]


def test_given_borders() -> None:
    borders = choose_borders(HUNDRED, "UTC", validation_from=date(1970, 2, 1), test_from=date(1970, 3, 1))
    assert (borders.validation_from, borders.test_from) == (date(1970, 2, 1), date(1970, 3, 1))
    only_test = choose_borders(HUNDRED, "UTC", test_from=date(1970, 3, 1))
    assert only_test.validation_from is not None and only_test.validation_from < date(1970, 3, 1)
    only_validation = choose_borders(HUNDRED, "UTC", validation_from=date(1970, 2, 1))
    assert only_validation.test_from is not None and only_validation.test_from > date(1970, 2, 1)
    with pytest.raises(CallError, match="before"):
        choose_borders(HUNDRED, "UTC", validation_from=date(1970, 3, 1), test_from=date(1970, 3, 1))


def test_days_are_local() -> None:
    late = np.array([1653926429000])  # 2022-05-30T16:00:29Z
    assert str(local_days(late, "UTC")[0]) == "2022-05-30"
    assert str(local_days(late, "Asia/Shanghai")[0]) == "2022-05-31"


BORDERS = Borders(validation_from=date(1970, 1, 11), test_from=date(1970, 1, 21), test_until=date(1970, 1, 31))


def test_later_copies_of_a_group_are_set_aside() -> None:
    times = np.array([1, 12, 22, 32, 22]) * DAY
    placed = place(times, np.array([7, 7, 7, 7, 0]), BORDERS, "UTC", before=new(times))
    assert placed.split.tolist() == [0, 4, 4, 4, 2]
    assert placed.reason.tolist() == [None, "straddle", "straddle", "straddle", None]


def test_nothing_moves_between_splits() -> None:
    times = np.array([12, 1]) * DAY  # the first stood in train before, its date was corrected
    placed = place(times, np.array([0, 1]), BORDERS, "UTC", before=np.array([0, 0]))
    assert placed.split.tolist() == [4, 0] and placed.reason.tolist() == ["moved", None]


def test_undated_and_gap() -> None:
    times = np.array([NO_DATE, 9 * DAY, 10 * DAY, 11 * DAY])
    borders = Borders(**{f: getattr(BORDERS, f) for f in ("validation_from", "test_from", "test_until")}, gap_days=1)
    placed = place(times, np.arange(4), borders, "UTC", before=new(times))
    assert placed.reason.tolist() == ["no-date", "gap", "gap", None]
    assert placed.split.tolist() == [4, 4, 4, 1]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"])
def test_local_days_are_those_of_pandas(zone: str) -> None:
    import pandas as pd

    rng = np.random.default_rng(5)
    moments = ("1901-01-01", "1940-06-01", "1986-05-04", "2011-12-30", "2022-03-13", "2022-11-06", "2090-07-01")
    around = [pd.Timestamp(m).value // 10**6 + rng.integers(-2 * DAY, 2 * DAY, 300) for m in moments]
    times = np.concatenate([*around, np.arange(-40, 40) * DAY, [NO_DATE]])
    local = pd.DatetimeIndex(times.astype("datetime64[ms]")).tz_localize("UTC").tz_convert(zone).tz_localize(None)
    np.testing.assert_array_equal(local_days(times, zone), local.to_numpy().astype("datetime64[D]"))


def test_local_days_at_the_ends_of_the_calendar() -> None:
    ends = np.array(["0001-01-01T00:00", "9999-12-31T23:00"], "datetime64[ms]").astype(np.int64)
    assert local_days(ends, "Asia/Shanghai").astype(str).tolist() == ["0001-01-01", "10000-01-01"]
