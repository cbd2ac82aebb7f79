"""Which split an article belongs to: fixed days by its own time, and no leak group on two sides.

Times go in as milliseconds since 1970 UTC; days are days of the site's time zone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ..errors import CallError
from ..schema import SPLITS
from .merge import NO_DATE

__all__ = ["REASONS", "Borders", "Placement", "choose_borders", "local_days", "parse_day", "place"]

REASONS = ("no-date", "moved", "straddle", "gap")
"""Why an article is set aside, in the order in which the rules are asked."""

_EXCLUDED = len(SPLITS)
_DAY = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = ((datetime(year, 6, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) for year in (1, 9999))


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """The fixed days between the splits, in the site's time zone; all None: everything dated is `train`.

    Attributes:
        validation_from, test_from: first day of the split.
        test_until: last day of `test`; later articles are `newer`.
        gap_days: articles at most this many days before a border day, or on the days from it on, are set aside:
            with 1, the day before the border and the border day itself.
    """

    validation_from: date | None = None
    test_from: date | None = None
    test_until: date | None = None
    gap_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """For each article the number of its split in `SPLITS` (or `len(SPLITS)`: excluded), and the reason or None."""

    split: np.ndarray
    reason: np.ndarray


def parse_day(text: str | date | None, option: str) -> date | None:
    """A day written as YYYY-MM-DD.

    Raises:
        CallError: it is written otherwise.

    >>> parse_day("2022-05-30", "--test-from")
    datetime.date(2022, 5, 30)
    """
    if text is None or isinstance(text, date):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise CallError(f"{text!r} is no day", field=option, hint="write it as YYYY-MM-DD") from None


def local_days(times: np.ndarray, timezone: str) -> np.ndarray:
    """The local day of each instant, as `datetime64[D]`; `NO_DATE` becomes NaT.

    >>> local_days(np.array([1653926429000]), "Asia/Shanghai")
    array(['2022-05-31'], dtype='datetime64[D]')
    """
    zone = ZoneInfo(timezone)

    def offset(time: int) -> int:
        time = min(max(time, _FIRST), _LAST)  # datetime knows years 1 to 9999 only
        local = (_EPOCH + timedelta(milliseconds=time)).astimezone(zone).utcoffset()
        assert local is not None
        return int(local.total_seconds() * 1000)

    # Asked once for each day; each instant is asked only on days on which the zone's clocks are changed.
    days, day_of = np.unique(times // _DAY, return_inverse=True)
    begin, end = (np.array([offset(int(d) * _DAY + more) for d in days], np.int64) for more in (0, _DAY - 1))
    offsets = begin[day_of]
    for at in np.flatnonzero((begin != end)[day_of]).tolist():
        offsets[at] = offset(int(times[at]))
    known = times != NO_DATE
    local_times = np.where(known, times + np.where(known, offsets, 0), NO_DATE)
    return local_times.astype("datetime64[ms]").astype("datetime64[D]")


def choose_borders(
    times: np.ndarray,
    timezone: str,
    *,
    validation_from: date | None = None,
    test_from: date | None = None,
    gap_days: int = 0,
) -> Borders:
    """Borders for a first build: as given, else on the days that come nearest to 80/10/10 articles.

    Each of train, validation and test gets at least one day. With fewer than three days, or where nothing has a date,
    and no border is given, everything is `train`.

    Args:
        times: milliseconds since 1970 UTC, `NO_DATE` where unknown.
        timezone: IANA name of the site's zone.

    Raises:
        CallError: the given days are not in order.
    """
    chosen = validation_from is None or test_from is None
    dated = times[times != NO_DATE]
    days, counts = _in_the_run(local_days(dated, timezone)) if len(dated) else (None, None)
    last = days[-1].astype(object) if days is not None else None
    if validation_from and test_from and validation_from >= test_from:
        raise CallError("--validation-from must be before --test-from")
    if validation_from or test_from or (days is not None and len(days) >= 3):
        if days is None or counts is None or len(days) < 3:
            if not (validation_from and test_from):
                raise CallError(
                    "the archive has fewer than three dated days",
                    hint="give both --validation-from and --test-from, or neither",
                )
        else:
            before = np.r_[0, np.cumsum(counts)[:-1]] / counts.sum()  # share of articles before each day
            objects = days.astype(object)
            if validation_from is None:
                end = len(days) - 1 if test_from is None else bisect_left(objects.tolist(), test_from)
                if end < 2:
                    raise CallError("no day is left for train or validation before --test-from")
                target = 0.8 if test_from is None else before[end] * 8 / 9 if end < len(days) else 0.8
                validation_from = objects[1 + int(np.argmin(np.abs(before[1:end] - target)))]
            if test_from is None:
                begin = bisect_left(objects.tolist(), validation_from) + 1
                if begin >= len(days):
                    raise CallError("no day is left for validation and test after --validation-from")
                middle = (before[begin - 1] + 1) / 2
                target = 0.9 if abs(before[begin - 1] - 0.8) < 0.05 else middle
                test_from = objects[begin + int(np.argmin(np.abs(before[begin:] - target)))]
        assert test_from is not None
        borders = Borders(
            validation_from=validation_from,
            test_from=test_from,
            test_until=max(last, test_from) if last else test_from,
            gap_days=gap_days,
        )
        if chosen and days is not None:
            _check_gaps(borders, days.astype(object).tolist())
        return borders
    return Borders(gap_days=gap_days)


_SILENCE = 5 * 365
"""Days without an article; what comes behind so many is no longer the run of the news, if it is little."""


def _in_the_run(of_articles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The days on which articles stand and how many, without the far end that a wrong year in a date makes.

    One article dated 2203 would keep the test window open for two centuries. What lies behind years of silence and is at
    most one article, or a hundredth of all, is `newer` instead; three days are kept in any case.
    """
    days, counts = np.unique(of_articles, return_counts=True)
    behind = len(of_articles) - np.cumsum(counts)  # articles after each day
    silent = np.flatnonzero(np.diff(days).astype(np.int64) > _SILENCE) if len(days) > 1 else np.zeros(0, np.int64)
    ends = [at + 1 for at in silent.tolist() if at >= 2 and behind[at] <= max(1, len(of_articles) // 100)]
    return (days[: ends[0]], counts[: ends[0]]) if ends else (days, counts)


def _check_gaps(borders: Borders, days: Sequence[date]) -> None:
    """Refuse chosen borders where a split has days and the gaps leave it none: it would stay so for ever."""
    starts, gaps = _starts(borders), _gaps(borders)
    left = [day for day in days if not any(low <= day < high for low, high in gaps)]
    empty = [
        name
        for name, begin, end in zip(SPLITS, [date.min, *starts], starts, strict=False)
        if any(begin <= day < end for day in days) and not any(begin <= day < end for day in left)
    ]
    if empty:
        raise CallError(
            f"a gap of {borders.gap_days} days leaves no article in {' and '.join(empty)} "
            f"(validation from {starts[0]}, test from {starts[1]}, to {borders.test_until})",
            field="--gap-days",
            hint="give a smaller one, or wider splits with --validation-from and --test-from",
        )


def place(
    times: np.ndarray,
    groups: np.ndarray,
    borders: Borders,
    timezone: str,
    *,
    before: np.ndarray,
) -> Placement:
    """Decide the split of every article.

    Rules, in this order: no date; a split other than the one an earlier version gave it (`moved`), so that nothing
    ever moves between splits; a leak group that stands in an earlier split (`straddle`); in a gap around a border.

    Args:
        times: milliseconds since 1970 UTC, `NO_DATE` where unknown.
        groups: a number for each article's leak group; equal numbers are one group.
        borders: the fixed days.
        timezone: IANA name of the site's zone.
        before: for each article the number of the split an earlier version put it in, `len(SPLITS)` where that
            version excluded it, -1 where it is new.
    """
    dated = times != NO_DATE
    split = np.full(len(times), 0, dtype=np.int8)
    reason = np.full(len(times), None, dtype=object)
    starts = [_midnight(day, timezone) for day in _starts(borders)]
    for start in starts:
        split[times >= start] += 1
    reason[~dated] = "no-date"

    moved = dated & (before >= 0) & (before < _EXCLUDED) & (before != split)
    reason[moved] = "moved"

    # A group belongs to the earliest split that any of its articles has a place in. Articles without a place of
    # their own do not claim one, except those that stood in a split before.
    claims = dated & ~moved
    in_gap = np.zeros(len(times), dtype=bool)
    for low, high in _gaps(borders):
        in_gap |= dated & (times >= _midnight(low, timezone)) & (times < _midnight(high, timezone))
    claims &= ~in_gap
    earliest = np.full(int(groups.max()) + 1 if len(groups) else 0, _EXCLUDED, dtype=np.int8)
    np.minimum.at(earliest, groups[claims], split[claims])
    straddles = claims & (split > earliest[groups])
    reason[straddles] = "straddle"
    reason[in_gap & ~moved] = "gap"
    split[reason != None] = _EXCLUDED  # noqa: E711
    return Placement(split=split, reason=reason)


def _starts(borders: Borders) -> list[date]:
    if borders.validation_from is None or borders.test_from is None or borders.test_until is None:
        return []
    return [borders.validation_from, borders.test_from, borders.test_until + timedelta(days=1)]


def _gaps(borders: Borders) -> list[tuple[date, date]]:
    """The first day of each gap, and the day after it; none where there is no gap."""
    gap = timedelta(days=borders.gap_days)
    return [(start - gap, start + gap) for start in _starts(borders)] if gap else []


def _midnight(day: date, timezone: str) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(timezone)).timestamp() * 1000)
