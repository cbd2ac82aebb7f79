from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import pytest

from newsdata.curation.merge import NO_DATE
from newsdata.curation.splits import Borders, choose_borders, early_articles, local_days, parse_day, place
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


@pytest.mark.parametrize(("validation", "test"), [("1970-02-01", "1970-02-10"), ("1980-01-01", "1990-01-01")])
def test_given_borders_hold_whatever_the_archive_has(validation: str, test: str) -> None:
    days = date.fromisoformat(validation), date.fromisoformat(test)
    for times in (HUNDRED, HUNDRED[:1], HUNDRED[:0]):
        borders = choose_borders(times, "UTC", validation_from=days[0], test_from=days[1])
        assert (borders.validation_from, borders.test_from) == days
        assert borders.test_until is not None and borders.test_until >= days[1]


@pytest.mark.parametrize(
    ("days", "given", "message"),
    [
        (2, {"test_from": date(1970, 1, 2)}, "fewer than three days with articles"),
        (0, {"validation_from": date(1970, 1, 2)}, "give both --validation-from and --test-from, or neither"),
        (9, {"test_from": date(1970, 1, 2)}, "at least two days with articles before --test-from"),
        (9, {"validation_from": date(1970, 1, 9)}, "at least two days with articles from --validation-from on"),
        (9, {"validation_from": date(1980, 1, 1)}, "give an earlier day, or --test-from, too"),
        (9, {"validation_from": date(1970, 1, 5), "test_from": date(1970, 1, 5)}, r"\(1970-01-05\) must be before"),
        (9, {"gap_days": 2}, "--gap-days: a gap of 2 days leaves no article in validation and test"),
    ],
)
def test_borders_that_leave_a_split_without_days_are_refused(days: int, given: dict[str, date], message: str) -> None:
    with pytest.raises(CallError, match=message):
        choose_borders(HUNDRED[:days], "UTC", **given)  # type: ignore[arg-type]


def test_the_share_of_validation_follows_a_given_test() -> None:
    borders = choose_borders(HUNDRED, "UTC", test_from=date(1970, 3, 2))  # day 60
    assert borders.validation_from == date(1970, 2, 23)  # day 53: train to validation as 8 to 1


def test_the_share_of_test_follows_a_given_validation() -> None:
    near = choose_borders(HUNDRED, "UTC", validation_from=date(1970, 3, 22))  # day 80
    assert near.test_from == date(1970, 4, 1)  # day 90
    far = choose_borders(HUNDRED, "UTC", validation_from=date(1970, 2, 10))  # day 40
    assert far.test_from == date(1970, 3, 12)  # day 70: half of what train leaves


def test_few_articles_after_years_of_silence_do_not_move_the_borders() -> None:
    borders = choose_borders(np.r_[HUNDRED, 200 * 365 * DAY], "UTC")
    assert borders == choose_borders(HUNDRED, "UTC")
    many = np.r_[HUNDRED, np.full(2, 200 * 365 * DAY)]
    last = choose_borders(many, "UTC").test_until
    assert last is not None and last.year == 2169


@pytest.mark.parametrize(
    ("counts", "early"),
    [
        ({}, 0),
        ({"2022-01-01": 5}, 0),
        ({"2016-01-01": 1, "2022-01-01": 5, "2022-01-02": 5}, 1),
        ({"2018-01-01": 1, "2022-01-01": 5, "2022-01-02": 5}, 0),  # a few years of silence are no sign of a wrong date
        ({"0001-01-02": 1, "1970-01-01": 1, "2022-01-01": 5, "2022-01-02": 500}, 2),
        ({"0001-01-02": 2, "2022-01-01": 5, "2022-01-02": 5}, 0),  # two of twelve are no mistake
        ({"0001-01-02": 2, "2022-01-01": 5, "2022-01-02": 193}, 2),
    ],
)
def test_few_articles_before_years_of_silence_are_counted(counts: dict[str, int], early: int) -> None:
    assert early_articles({date.fromisoformat(day): count for day, count in counts.items()}) == early


def test_a_day_is_read_or_given_back() -> None:
    assert parse_day("2022-05-30", "x") == parse_day(date(2022, 5, 30), "x") == date(2022, 5, 30)
    assert parse_day(None, "x") is None
    for text in ("", "2022", "30.5.2022", "2022-02-30", "2022-05-30T00:00", "0000-01-01"):
        with pytest.raises(CallError, match=r"--test-from: must be a day, got .*; write it as YYYY-MM-DD"):
            parse_day(text, "--test-from")


def test_days_are_local() -> None:
    late = np.array([1653926429000])  # 2022-05-30T16:00:29Z
    assert str(local_days(late, "UTC")[0]) == "2022-05-30"
    assert str(local_days(late, "Asia/Shanghai")[0]) == "2022-05-31"


BORDERS = Borders(validation_from=date(1970, 1, 11), test_from=date(1970, 1, 21), test_until=date(1970, 1, 31))


def test_later_articles_of_a_leak_group_are_excluded() -> None:
    times = np.array([1, 12, 22, 32, 22]) * DAY
    placed = place(times, np.array([7, 7, 7, 7, 0]), BORDERS, "UTC", before=new(times))
    assert placed.split.tolist() == [0, 4, 4, 4, 2]
    assert placed.reason.tolist() == [None, "straddle", "straddle", "straddle", None]


def test_nothing_moves_between_splits() -> None:
    times = np.array([12, 1]) * DAY  # the first was in train before, its date was corrected
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


def test_an_excluded_article_does_not_decide_for_its_leak_group() -> None:
    borders = dataclasses.replace(BORDERS, gap_days=1)
    times = np.array([9, 12, NO_DATE, 12]) * np.array([DAY, DAY, 1, DAY])  # in the gap, validation, undated, moved
    placed = place(times, np.array([0, 0, 1, 1]), borders, "UTC", before=np.array([-1, -1, -1, 0]))
    assert placed.reason.tolist() == ["gap", None, "no-date", "moved"]
    assert placed.split.tolist() == [4, 1, 4, 4]


def test_an_article_that_was_excluded_may_come_back() -> None:
    times = np.array([12]) * DAY
    placed = place(times, np.array([0]), BORDERS, "UTC", before=np.array([4]))
    assert (placed.split.tolist(), placed.reason.tolist()) == ([1], [None])


def test_without_borders_every_dated_article_is_train() -> None:
    times = np.array([NO_DATE, 0, 10**12])
    placed = place(times, np.arange(3), Borders(gap_days=3), "UTC", before=new(times))
    assert (placed.split.tolist(), placed.reason.tolist()) == ([4, 0, 0], ["no-date", None, None])


def test_borders_are_midnights_of_the_site() -> None:
    midnight = 10 * DAY - 8 * 3_600_000  # 1970-01-11 00:00 in Shanghai
    times = np.array([midnight - 1, midnight])
    assert place(times, np.arange(2), BORDERS, "Asia/Shanghai", before=new(times)).split.tolist() == [0, 1]


def test_borders_keep_their_shares_when_copies_are_set_aside() -> None:
    """Half of the last thirty days repeats what stood in train."""
    times = np.concatenate([HUNDRED, HUNDRED[-30:], HUNDRED[-30:]])
    groups = np.concatenate([np.arange(100), np.arange(60) % 20])
    plain = choose_borders(times, "UTC")
    better = choose_borders(times, "UTC", groups=groups)
    sizes = []
    for borders in (plain, better):
        placed = place(times, groups, borders, "UTC", before=new(times))
        sizes.append(np.bincount(placed.split[placed.split < 3], minlength=3) / (placed.split < 3).sum())
    off = [float(np.abs(shares - [0.8, 0.1, 0.1]).sum()) for shares in sizes]
    assert off[1] < 0.05 < off[0]
    day, later = date(1970, 2, 1), date(1970, 3, 1)
    assert choose_borders(times, "UTC", groups=groups, validation_from=day, test_from=later).validation_from == day


def test_an_old_test_is_in_no_other_split_and_neither_are_its_copies() -> None:
    times = HUNDRED
    groups = np.arange(100)
    groups[3] = groups[50]  # a copy of an article of the old test, in the new train
    old_test = np.isin(np.arange(100), [50, 85, 95])
    borders = choose_borders(times, "UTC")
    placed = place(times, groups, borders, "UTC", before=new(times), old_test=old_test)
    assert np.flatnonzero(placed.reason == "old-test").tolist() == [3, 50, 85]
    assert placed.split[95] == 2 and placed.reason[95] is None
    assert placed.by_date[[3, 85]].tolist() == [0, 1] and placed.split[3] == 4


def test_an_old_test_without_a_date_is_still_one() -> None:
    times = HUNDRED.copy()
    times[[3, 50, 85]] = NO_DATE
    groups = np.arange(100)
    groups[[3, 4]] = groups[50]  # copies of an article of the old test, one without a date
    borders = choose_borders(HUNDRED, "UTC")
    placed = place(times, groups, borders, "UTC", before=new(times), old_test=np.arange(100) == 50)
    assert {at: placed.reason[at] for at in (3, 4, 50, 85)} == {
        3: "no-date", 4: "old-test", 50: "old-test", 85: "no-date",
    }  # fmt: skip
    assert placed.split[50] == 4
