"""Trading sessions, against instants that were picked by hand from the rules of the exchanges."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import newsdata
from newsdata.errors import CallError

pytest.importorskip("exchange_calendars")

OPEN, SHUT = True, False
FRIDAY = datetime(2022, 3, 4, tzinfo=UTC)

# The instant, its session, the minutes to its open, whether the exchange is open.
SHANGHAI = [
    ("2022-03-04T08:00+08:00", "2022-03-04", 90, SHUT),  # a Friday, before the open
    ("2022-03-04T09:25+08:00", "2022-03-04", 5, SHUT),  # the auction before the open
    ("2022-03-04T09:30+08:00", "2022-03-04", 0, OPEN),
    ("2022-03-04T11:29:30+08:00", "2022-03-04", 0, OPEN),
    ("2022-03-04T11:30+08:00", "2022-03-04", 90, SHUT),  # the lunch break
    ("2022-03-04T12:15+08:00", "2022-03-04", 45, SHUT),
    ("2022-03-04T13:00+08:00", "2022-03-04", 0, OPEN),
    ("2022-03-04T14:59+08:00", "2022-03-04", 0, OPEN),
    ("2022-03-04T15:00+08:00", "2022-03-07", 3990, SHUT),  # the close: the next one is Monday's
    ("2022-03-05T12:00+08:00", "2022-03-07", 2730, SHUT),  # Saturday
    ("2022-03-06T15:00+00:00", "2022-03-07", 630, SHUT),  # Sunday 23:00
    ("2021-10-02T10:00+08:00", "2021-10-08", 8610, SHUT),  # the Golden week
    ("2020-01-23T15:30+08:00", "2020-02-03", 15480, SHUT),  # the Spring Festival that was made longer
    ("2020-01-31T10:00+08:00", "2020-02-03", 4290, SHUT),  # a day that the calendar of 2019 had as a session
    ("2022-04-02T10:00+08:00", "2022-04-06", 5730, SHUT),  # a Saturday on which people worked, then Qingming
    ("2023-01-02T10:00+08:00", "2023-01-03", 1410, SHUT),  # New Year on a Sunday
    ("2022-03-04T01:29+00:00", "2022-03-04", 1, SHUT),  # 09:29 in Shanghai
    ("2022-03-03T20:45-05:00", "2022-03-04", 0, OPEN),  # 09:45 in Shanghai
]
HONG_KONG = [
    ("2022-03-04T11:45+08:00", "2022-03-04", 0, OPEN),  # Shanghai has lunch
    ("2022-03-04T12:30+08:00", "2022-03-04", 30, SHUT),
    ("2022-03-04T15:30+08:00", "2022-03-04", 0, OPEN),  # Shanghai is closed
    ("2022-03-04T16:00+08:00", "2022-03-07", 3930, SHUT),
    ("2021-12-24T11:59+08:00", "2021-12-24", 0, OPEN),  # a half day
    ("2021-12-24T12:00+08:00", "2021-12-28", 5610, SHUT),  # Monday is the day after Christmas
    ("2022-01-31T13:30+08:00", "2022-02-04", 5520, SHUT),  # the eve of the Lunar New Year
    ("2020-01-24T12:30+08:00", "2020-01-29", 7020, SHUT),  # the same, two years before
    ("2021-10-13T10:00+08:00", "2021-10-15", 2850, SHUT),  # a typhoon, then Chung Yeung
    ("2021-10-01T10:00+08:00", "2021-10-04", 4290, SHUT),  # the National Day is one day here
    ("2021-10-05T10:00+08:00", "2021-10-05", 0, OPEN),  # within Shanghai's Golden week
]
NEW_YORK = [
    ("2022-03-04T12:30-05:00", "2022-03-04", 0, OPEN),  # no lunch break
    ("2022-03-10T13:35+00:00", "2022-03-10", 55, SHUT),  # 08:35, in winter
    ("2022-03-11T15:59-05:00", "2022-03-11", 0, OPEN),
    ("2022-03-11T16:00-05:00", "2022-03-14", 3870, SHUT),  # clocks lose an hour on this weekend
    ("2022-03-14T13:29+00:00", "2022-03-14", 1, SHUT),  # 09:29, in summer
    ("2022-11-04T20:30+00:00", "2022-11-07", 3960, SHUT),  # clocks gain an hour on this weekend
    ("2022-11-07T14:15+00:00", "2022-11-07", 15, SHUT),  # 09:15, in winter again
    ("2021-11-25T10:00-05:00", "2021-11-26", 1410, SHUT),  # Thanksgiving
    ("2021-11-26T12:59-05:00", "2021-11-26", 0, OPEN),  # the half day after it
    ("2021-11-26T13:00-05:00", "2021-11-29", 4110, SHUT),
    ("2019-07-03T13:30-04:00", "2019-07-05", 2640, SHUT),  # the half day before Independence Day
    ("2021-07-05T10:00-04:00", "2021-07-06", 1410, SHUT),  # Independence Day on a Sunday
    ("2022-06-20T10:00-04:00", "2022-06-21", 1410, SHUT),  # the first Juneteenth
    ("2022-04-15T10:00-04:00", "2022-04-18", 4290, SHUT),  # Good Friday
    ("2018-12-05T10:00-05:00", "2018-12-06", 1410, SHUT),  # a day of mourning
    ("2022-03-15T21:31+08:00", "2022-03-15", 0, OPEN),  # 09:31
]
CASES = {"XSHG": SHANGHAI, "XSHE": SHANGHAI, "XHKG": HONG_KONG, "XNYS": NEW_YORK}


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [
        (
            None if pd.isna(row["session"]) else str(row["session"].date()),
            None if pd.isna(row["minutes_to_open"]) else row["minutes_to_open"],
            None if pd.isna(row["in_session"]) else row["in_session"],
        )
        for row in frame.to_dict("records")
    ]


@pytest.mark.parametrize("exchange", CASES)
def test_instants_picked_by_hand(exchange: str) -> None:
    assert len(SHANGHAI) + len(HONG_KONG) + len(NEW_YORK) > 40
    cases = CASES[exchange]
    times = [datetime.fromisoformat(case[0]) for case in cases]
    assert rows(newsdata.sessions(times, exchange)) == [case[1:] for case in cases]
    for time, case in zip(times[-2:], cases[-2:], strict=True):  # one by one, in another zone
        assert rows(newsdata.sessions([time.astimezone(UTC)], exchange)) == [case[1:]], case


@pytest.mark.slow
def test_one_exchange_for_each_time() -> None:
    cases = [(exchange, case) for exchange, cases in CASES.items() for case in cases]
    times = pd.Series(
        [pd.Timestamp(case[0]).tz_convert("Asia/Tokyo") for _, case in cases], index=range(9, 9 + len(cases))
    )
    exchanges = pd.Series([exchange for exchange, _ in cases])
    found = newsdata.sessions(times, exchanges)
    same_hours = newsdata.sessions(times, exchanges.replace({"XSHG": "BJSE", "XNYS": "XNAS"}))
    assert (
        rows(found) == rows(same_hours) == [case[1:] for _, case in cases]
        and found.index.tolist() == times.index.tolist()
    )
    exchanges[:] = None
    assert rows(newsdata.sessions(times, exchanges)) == [(None, None, None)] * len(cases)


def test_news_must_be_out_before_the_margin() -> None:
    times = [datetime.fromisoformat(f"2022-03-04T{clock}+08:00") for clock in ("14:44:59", "14:45", "14:50", "15:00")]
    found = rows(newsdata.sessions(times, "XSHG", "15min"))
    assert found[0] == ("2022-03-04", 0, True)
    assert found[1] == ("2022-03-07", 4005, True), "the exchange is open, but the news is too late for this session"
    assert [one[0] for one in found] == ["2022-03-04", "2022-03-07", "2022-03-07", "2022-03-07"]
    assert rows(newsdata.sessions(times, "XSHG", timedelta(days=1)))[0][0] == "2022-03-07"
    assert rows(newsdata.sessions(times, "XSHG", "60D"))[0][0] == "2022-05-05"


@pytest.mark.slow
def test_a_day_counts_when_it_is_over() -> None:
    days = [date(2022, 3, 3), date(2022, 3, 4), date(2022, 3, 5), None]
    assert rows(newsdata.sessions(days, "XSHG")) == [
        ("2022-03-04", None, None),
        ("2022-03-07", None, None),
        ("2022-03-07", None, None),
        (None, None, None),
    ]
    assert rows(newsdata.sessions(days[:1], "XNYS")) == [("2022-03-04", None, None)]
    times = pd.to_datetime(pd.Series(["2022-03-03 00:00", "2022-03-03 00:00", None])).dt.tz_localize("Asia/Shanghai")
    assert rows(newsdata.sessions(times, "XSHG", only_day=[True, False, True])) == [
        ("2022-03-04", None, None),
        ("2022-03-03", 570, False),
        (None, None, None),
    ]
    mixed = [
        datetime(2022, 3, 3, tzinfo=UTC),
        times[0],
        date(2022, 3, 3),
    ]  # the day of Shanghai ends earlier than that of UTC
    assert [one[0] for one in rows(newsdata.sessions(mixed, "XSHG", only_day=[True, True, True]))] == ["2022-03-04"] * 3
    assert rows(newsdata.sessions([times[0]], "XNYS", only_day=[True]))[0][0] == "2022-03-03"


@pytest.mark.parametrize(
    ("day", "zone", "session"),
    [
        ("2017-10-14", "America/Sao_Paulo", "2017-10-16"),  # no midnight: clocks go from 24:00 to 1:00
        ("2017-10-15", "America/Sao_Paulo", "2017-10-16"),
        ("2022-03-26", "Asia/Beirut", "2022-03-28"),
        ("2021-11-06", "America/Havana", "2021-11-08"),  # two midnights
    ],
)
def test_a_day_before_clocks_change_at_midnight(day: str, zone: str, session: str) -> None:
    noon = pd.to_datetime(pd.Series([f"{day}T12:00", None])).dt.tz_localize(zone)
    for times in (noon, [noon[0].to_pydatetime(), None], [noon[0], date(2022, 1, 1)]):
        found = newsdata.sessions(times, "XSHG", only_day=[True, True])
        assert rows(found)[0] == (session, None, None)


def test_prices_are_joined_without_look_ahead() -> None:
    """News before, on and after a holiday, with a small table of prices."""
    days = pd.to_datetime(["2022-03-31", "2022-04-01", "2022-04-06", "2022-04-07"])  # without Qingming
    prices = pd.DataFrame({"symbol": "600519.XSHG", "session": days, "close": [10.0, 11.0, 12.0, 13.0]})
    clocks = ["2022-03-31T09:00", "2022-04-01T10:00", "2022-04-01T14:50", "2022-04-05T12:00", "2022-04-06T16:00"]
    news = pd.DataFrame({"published_at": pd.to_datetime(clocks).tz_localize("Asia/Shanghai"), "symbol": "600519.XSHG"})
    news = news.join(newsdata.sessions(news["published_at"], "XSHG", "15min"))
    first = pd.merge_asof(news, prices, on="session", by="symbol", direction="forward")
    assert first["close"].tolist() == [10.0, 11.0, 12.0, 12.0, 13.0]
    prices["closed_at"] = (prices["session"] + pd.Timedelta(hours=15)).dt.tz_localize("Asia/Shanghai")
    last = pd.merge_asof(news, prices, left_on="published_at", right_on="closed_at", by="symbol")
    assert last["close"].fillna(0).tolist() == [0, 10.0, 10.0, 11.0, 12.0]


def test_its_types_do_not_depend_on_the_rows() -> None:
    price_days = pd.to_datetime(pd.Series(["2022-03-04"]))
    for times in ([], [datetime(2022, 3, 4, tzinfo=UTC)], [None], [date(2022, 3, 4)]):
        found = newsdata.sessions(times, "XSHG")
        assert found.dtypes.astype(str).tolist() == [str(price_days.dtype), "float64", "boolean"]
        assert len(found) == len(times)


def test_before_the_exchange_there_is_no_session() -> None:
    times = [datetime(1969, 5, 5, tzinfo=UTC), datetime(1985, 5, 6, 15, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)]
    assert rows(newsdata.sessions(times, "XSHG")) == [(None, None, None)] * 3
    assert [one[0] for one in rows(newsdata.sessions(times, "XNYS"))] == [None, "1985-05-06", None]
    assert rows(newsdata.sessions([date(1, 1, 1)], "XSHG")) == [(None, None, None)]
    december = [datetime(1990, 12, day, 2, tzinfo=UTC) for day in (4, 18, 19)]  # the exchange opened on the 19th
    assert [one[0] for one in rows(newsdata.sessions(december, "XSHG"))] == [None, None, "1990-12-19"]


@pytest.mark.parametrize(
    ("times", "exchange", "options", "said"),
    [
        ([datetime(2022, 3, 4)], "XSHG", {}, "times: must be instants with their zone, or days"),  # noqa: DTZ001
        (pd.Series(pd.to_datetime(["2022-03-04"])), "XSHG", {}, "times: must be instants.*tz_localize"),
        (["2022-03-04"], "XSHG", {}, "times: must be instants"),
        ([5], "XSHG", {}, "times: must be instants"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], "XLON", {}, "exchange: no calendar is known of 'XLON'; there are: XSHG"),
        ([], "", {}, "exchange: no calendar is known of ''"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], ["XSHG", "XHKG"], {}, "exchange: has 2 values for 1 times"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], "XSHG", {"only_day": []}, "only_day: has 0 values for 1 times"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], "XSHG", {"margin": "soon"}, "margin: must be a length of time"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], "XSHG", {"margin": "-1min"}, "margin: must be a length of time"),
        ([datetime(2022, 3, 4, tzinfo=UTC)], "XSHG", {"margin": 5}, "margin: must be a length of time"),
        (
            [datetime(2300, 3, 4, tzinfo=UTC)],
            "XNYS",
            {},
            "times: 2300-03-04T00:00:00 UTC is too late.*up to 2049-12-31",
        ),
        ([datetime(9999, 12, 31, tzinfo=UTC)], "XSHG", {}, "times: 9999.*is too late"),
        ([date(9999, 12, 31)], "XSHG", {}, "times: 9999.*is too late"),
        ([datetime(9999, 12, 31, tzinfo=UTC), date(2022, 1, 1)], "XSHG", {"only_day": [1, 1]}, "too late"),
        ([datetime(9999, 12, 31, tzinfo=ZoneInfo("Asia/Shanghai"))], "XSHG", {"only_day": [True]}, "too late"),
        ([datetime(9999, 12, 31, 23, tzinfo=ZoneInfo("America/New_York"))], "XSHG", {}, "too late"),
        ([FRIDAY], "XSHG", {"margin": "15"}, "margin: must be a length of time with its unit, got '15'"),
        ([FRIDAY], "XSHG", {"margin": np.int64(15)}, "margin: must be a length of time"),
        ([FRIDAY], "XSHG", {"margin": "4000D"}, "margin: must be 366 days at most"),
        ([datetime(2049, 6, 1, tzinfo=UTC)], "XNYS", {"margin": "300D"}, "UTC with a margin of 300 days.* is too late"),
        ([FRIDAY], "XSHG", {"only_day": True}, "only_day: must be True or False for each time, got True"),
        ([FRIDAY], "XSHG", {"only_day": [pd.NA]}, "only_day: must be True or False for each time, got <NA>"),
        ([FRIDAY], "XSHG", {"only_day": [None]}, "only_day: .* got None"),
        ([FRIDAY], "XSHG", {"only_day": [float("nan")]}, "only_day: .* got nan"),
        ([FRIDAY], "XSHG", {"only_day": ["no"]}, "only_day: .* got 'no'"),
        ([FRIDAY], None, {}, "exchange: must be a name, or one for each time, got None"),
        ([FRIDAY], 5, {}, "exchange: must be a name"),
        ([FRIDAY], [["XSHG"]], {}, "exchange: no calendar is known of"),
        (FRIDAY, "XSHG", {}, "times: must be a list or a series"),
        ([[FRIDAY]], "XSHG", {}, "times: must be instants with their zone"),
    ],
)
def test_calls_that_cannot_be_met(times: Any, exchange: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CallError, match=said):
        newsdata.sessions(times, exchange, **options)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars.exchange_calendar_xhkg", None)
    with pytest.raises(CallError, match=r"exchange_calendars, which is not installed.*newsdata\[finance\]"):
        newsdata.sessions([datetime(2022, 3, 4, tzinfo=UTC)], "XSHG")
