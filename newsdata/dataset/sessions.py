"""In which session of an exchange a piece of news can first be traded."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CallError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["sessions"]

_CALENDARS: Mapping[str, str] = {
    "XSHG": "XSHG", "XSHE": "XSHG", "BJSE": "XSHG", "XHKG": "XHKG", "XNYS": "XNYS", "XNAS": "XNYS", "XASE": "XNYS",
}  # fmt: skip
"""Exchange -> the exchange that has the same days and hours, and whose calendar is known."""

_FIRST, _LAST = np.datetime64("1970-01-01"), np.datetime64("2049-12-31")  # days that are asked for, at most
_FIRST_DAYS = {"XSHG": np.datetime64("1990-12-19")}  # where the calendar begins before the exchange does
_LAST_DATE = date(9999, 12, 29)  # so that its end has a date in every zone
_LONGEST_PAUSE = np.timedelta64(40, "D")  # no exchange was closed longer
_NOTHING = np.datetime64("NaT", "us")
_LONGEST_MARGIN = timedelta(days=366)
_MINUTE = np.timedelta64(60_000_000, "us")


def sessions(
    times: Iterable[Any] | pd.Series[Any] | pd.DatetimeIndex,
    exchange: str | Iterable[str | None] | pd.Series[Any],
    margin: str | timedelta = "0min",
    *,
    only_day: Iterable[bool] | pd.Series[Any] | None = None,
) -> pd.DataFrame:
    """In which session of an exchange news can first be traded, and how long it takes until then.

    News can be traded in a session if it is out earlier than `margin` before the session's close. Sessions are those of the
    opening hours: auctions before the open and after the close do not count. Shenzhen and Beijing have the days and hours of
    Shanghai, NASDAQ and NYSE American those of New York. Half days and closed days are those of exchange_calendars, which
    lacks some in Hong Kong: days that weather cut short, 2023-09-01 and 2023-09-08, on which it was closed, and the lunch
    breaks before 2012-03-05. Before 1985-09-30 New York opened at 10:00, not at 9:30.

    Where only the day is known, the news may have come out at any time of it, so it counts as known when the day is over.

    Args:
        times: instants with their zone, any zone (`published_at`, or a list of `datetime.datetime`), or days
            (`datetime.date`), of which only the day is known: days of the exchange's zone. Nulls are admitted.
        exchange: "XSHG", "XSHE", "BJSE", "XHKG", "XNYS", "XNAS" or "XASE", or one for each time; null gives nulls.
        margin: how long before the close news must be out at least: "15min", or a `datetime.timedelta`. At most 366 days.
        only_day: for each time, whether only its day is known: the day that the time shows in its zone. No nulls.

    Returns:
        a frame with the index of `times` if that is a Series, else 0, 1, …:

        - `session`: the date of the session, a pandas time without a zone, as `pandas.to_datetime` reads dates. Null
          before 1970 and before the exchange's first day.
        - `minutes_to_open`: minutes until trading in that session can begin: 0 while it is open, in a lunch break until the
          afternoon, otherwise until its open. Null where only the day is known.
        - `in_session`: whether the exchange is open at this instant, whatever the margin; null where only the day is known.

    Raises:
        CallError: a time has no zone, or is later than the calendar is known; there is no such exchange; `margin` is no length
            of time, or has no unit; an argument is no list; the extra `newsdata[finance]` is not installed.

    >>> from datetime import datetime, timezone
    >>> evening = datetime(2022, 3, 4, 12, 0, tzinfo=timezone.utc)  # Friday, 20:00 in Shanghai
    >>> found = sessions([evening], "XSHG")
    >>> str(found["session"][0].date()), float(found["minutes_to_open"][0]), bool(found["in_session"][0])
    ('2022-03-07', 3690.0, False)
    """
    import pandas as pd

    asked = _read_times(times, only_day)
    wait = _read_margin(margin)
    calendars = _read_exchanges(exchange, len(asked.instants))
    session = np.full(len(asked.instants), np.datetime64("NaT", "D"))
    minutes = np.full(len(asked.instants), np.nan)
    is_open = np.zeros(len(asked.instants), bool)
    for name in sorted(set(calendars) - {""}):
        rows = np.flatnonzero((calendars == name) & ~np.isnat(asked.instants))
        if len(rows):
            session[rows], minutes[rows], is_open[rows] = _in_calendar(name, asked, rows, wait)
    unknown = asked.only_day | np.isnat(session)
    frame = pd.DataFrame({"session": pd.Series(session.astype("datetime64[s]"), index=asked.index)})
    frame["session"] = frame["session"].dt.as_unit(pd.to_datetime(["2022-01-01"]).unit)
    frame["minutes_to_open"] = np.where(unknown, np.nan, minutes)
    frame["in_session"] = pd.array(is_open, dtype="boolean")
    frame.loc[unknown, "in_session"] = pd.NA
    return frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Times:
    """The times of a call.

    Attributes:
        instants: when the news is known, in microseconds of UTC; of a day without a zone, its end as clocks show it.
        only_day: whether only the day is known.
        bare: whether it is a day without a zone.
        index: of the result.
    """

    instants: np.ndarray
    only_day: np.ndarray
    bare: np.ndarray
    index: pd.Index[Any]


def _read_times(times: Any, only_day: Any) -> _Times:
    import pandas as pd

    try:
        given = times if isinstance(times, pd.Series) else pd.Series(times if hasattr(times, "dtype") else list(times))
    except (TypeError, ValueError):
        raise CallError(f"must be a list or a series, got {times!r:.100}", field="times", hint="write [time]") from None
    flags = np.zeros(len(given), bool) if only_day is None else _read_flags(only_day, len(given))
    if isinstance(given.dtype, pd.DatetimeTZDtype):
        try:
            shown = given.dt.tz_localize(None)
            ends = _localized(shown.dt.normalize() + pd.Timedelta(days=1), given.dt.tz) if flags.any() else given
            instants = given.where(~flags, ends).dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("us").to_numpy()
        except (NotImplementedError, OverflowError):  # pandas has no zones in the year 10000
            raise CallError("a time is too late", field="times", hint="leave out the year 9999") from None
        return _Times(instants=instants, only_day=flags, bare=np.zeros(len(given), bool), index=given.index)
    instants, bare = np.full(len(given), _NOTHING), np.zeros(len(given), bool)
    for row, value in enumerate(given):
        if pd.api.types.is_scalar(value) and pd.isna(value):
            continue
        if isinstance(value, datetime) and value.tzinfo is not None:
            instants[row] = _instant(value, whole_day=bool(flags[row]))
        elif isinstance(value, date) and not isinstance(value, datetime):
            instants[row], bare[row] = np.datetime64(min(value, _LAST_DATE), "D") + np.timedelta64(1, "D"), True
        else:
            raise CallError(
                f"must be instants with their zone, or days, got {value!r}",
                field="times",
                hint='write times.dt.tz_localize("Asia/Shanghai"), or give datetime.date where only the day is known',
            )
    return _Times(instants=instants, only_day=flags | bare, bare=bare, index=given.index)


def _read_flags(only_day: Any, rows: int) -> np.ndarray:
    flags = list(only_day) if isinstance(only_day, Iterable) and not isinstance(only_day, str) else None
    if flags is None or not all(isinstance(one, bool | np.bool_ | int) and one in (0, 1) for one in flags):
        shown = only_day if flags is None else next(one for one in flags if one is not True and one is not False)
        raise CallError(f"must be True or False for each time, got {shown!r:.100}", field="only_day", hint="fill nulls")
    if len(flags) != rows:
        raise CallError(f"has {len(flags)} values for {rows} times", field="only_day")
    return np.array(flags, dtype=bool)


def _instant(value: datetime, *, whole_day: bool) -> np.datetime64:
    """A time in microseconds of UTC; with `whole_day` the end of the day that it shows."""
    try:
        if whole_day:
            value = datetime.combine(value.date() + timedelta(days=1), time(), value.tzinfo)
        return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")
    except (OverflowError, NotImplementedError):  # in the year 1 or 9999, where no exchange is open
        return np.datetime64(value.replace(tzinfo=None), "us")


def _read_margin(margin: Any) -> np.timedelta64:
    import pandas as pd

    try:
        if not isinstance(margin, str | timedelta):
            raise TypeError
        found = pd.Timedelta(margin)
        is_number = isinstance(margin, str) and not any(one.isalpha() or one == ":" for one in margin)
        if is_number or pd.isna(found) or found < pd.Timedelta(0):  # pandas takes a number for nanoseconds
            raise ValueError
    except (ValueError, TypeError):
        reason = f"must be a length of time with its unit, got {margin!r:.100}"
        raise CallError(reason, field="margin", hint='write "15min"') from None
    if found > _LONGEST_MARGIN:
        raise CallError(f"must be {_LONGEST_MARGIN.days} days at most, got {margin!r:.100}", field="margin")
    return found.as_unit("us").to_timedelta64()


def _read_exchanges(exchange: Any, rows: int) -> np.ndarray:
    """The calendar of each time; "" where the exchange is null."""
    import pandas as pd

    if not isinstance(exchange, Iterable):
        raise CallError(
            f"must be a name, or one for each time, got {exchange!r}", field="exchange", hint='write "XSHG"'
        )
    given = [exchange] * rows if isinstance(exchange, str) else list(exchange)
    names = ["" if pd.api.types.is_scalar(one) and pd.isna(one) else str(one) for one in given]
    if len(names) != rows:
        raise CallError(f"has {len(names)} values for {rows} times", field="exchange")
    of_one = {exchange} if isinstance(exchange, str) else set()
    if unknown := sorted((set(names) - {""} | of_one) - {*_CALENDARS}):
        hint = f"there are: {', '.join(_CALENDARS)}"
        raise CallError(f"no calendar is known of {', '.join(map(repr, unknown))}", field="exchange", hint=hint)
    return np.array([_CALENDARS.get(name, "") for name in names], dtype=object)


def _in_calendar(name: str, asked: _Times, rows: np.ndarray, wait: np.timedelta64) -> tuple[np.ndarray, ...]:
    """Session, minutes to its open, and whether the exchange is open, for some of the times."""
    calendar = _calendar(name)
    first, last = _bounds(name, calendar)
    known, bare = asked.instants[rows], asked.bare[rows]
    if bare.any():
        known[bare] = _as_utc(known[bare], calendar.tz)
    begin = min(max(known.min().astype("datetime64[D]") - 1, first), last - _LONGEST_PAUSE)
    end = min(max(known.max().astype("datetime64[D]"), begin) + _LONGEST_PAUSE + wait.astype("timedelta64[D]"), last)
    day, opens, closes, breaks, ends = _schedule(calendar, begin, end)
    at = np.searchsorted(closes - wait, known, side="right")
    if len(day) <= at.max():
        raise CallError(
            f"{known.max().astype('datetime64[s]')} UTC{_with(wait)} is too late: sessions of {name} are known up to {last}",
            field="times",
            hint="update exchange_calendars, or leave out later times",
        )
    pause = (breaks[at] <= known) & (known < ends[at])
    starts = np.where(pause, ends[at], np.maximum(opens[at], known))
    now = np.minimum(np.searchsorted(closes, known, side="right"), len(day) - 1)
    is_open = (opens[now] <= known) & (known < closes[now]) & ~((breaks[now] <= known) & (known < ends[now]))
    return np.where(known < first, np.datetime64("NaT", "D"), day[at]), (starts - known) / _MINUTE, is_open


def _calendar(name: str) -> Any:
    """The class of a calendar."""
    try:
        from exchange_calendars.exchange_calendar_xhkg import XHKGExchangeCalendar
        from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar
        from exchange_calendars.exchange_calendar_xshg import XSHGExchangeCalendar
    except ImportError:
        hint = "pip install 'newsdata[finance]'"
        raise CallError("sessions need exchange_calendars, which is not installed", hint=hint) from None
    return {"XSHG": XSHGExchangeCalendar, "XHKG": XHKGExchangeCalendar, "XNYS": XNYSExchangeCalendar}[name]


def _with(wait: np.timedelta64) -> str:
    return f" with a margin of {wait.astype(timedelta)}" if wait else ""


def _bounds(name: str, calendar: Any) -> tuple[np.datetime64, np.datetime64]:
    """The first and the last day that a calendar may be asked for."""
    least, most = calendar.bound_min(), calendar.bound_max()
    begin = _FIRST_DAYS.get(name, _FIRST)
    first = begin if least is None else max(begin, least.to_datetime64().astype("datetime64[D]"))
    last = _LAST if most is None else min(_LAST, most.to_datetime64().astype("datetime64[D]"))
    return first, last


def _schedule(calendar: Any, begin: np.datetime64, end: np.datetime64) -> tuple[np.ndarray, ...]:
    """Dates, opens, closes, and begins and ends of the lunch breaks of all sessions of a period, in microseconds of UTC."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of pandas about the calendar's own code
        warnings.simplefilter("ignore", FutureWarning)
        table = calendar(start=str(begin), end=str(end)).schedule
    columns = (table[name].dt.tz_localize(None).to_numpy() for name in ("open", "close", "break_start", "break_end"))
    opens, closes, breaks, ends = (column.astype("datetime64[us]") for column in columns)
    return table.index.to_numpy().astype("datetime64[D]"), opens, closes, breaks, ends


def _as_utc(local: np.ndarray, zone: Any) -> np.ndarray:
    import pandas as pd

    moments = _localized(pd.Series(local), zone).dt.tz_convert("UTC").dt.tz_localize(None)
    found: np.ndarray = moments.dt.as_unit("us").to_numpy()
    return found


def _localized(clock: pd.Series[Any], zone: Any) -> pd.Series[Any]:
    """Times on the clocks of a zone: the first of two, and where clocks skip it the time at which they do."""
    found: pd.Series[Any] = clock.dt.tz_localize(zone, ambiguous=np.ones(len(clock), bool), nonexistent="shift_forward")
    return found
