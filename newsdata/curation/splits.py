"""The split of each article: by its own date, between fixed border days, and never one leak group in two splits.

Times are milliseconds since 1970 UTC, `NO_DATE` where unknown. Days are days of the site's time zone.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from ..counts import plural
from ..errors import CallError
from ..schema import SPLITS
from .merge import NO_DATE

__all__ = ["REASONS", "Borders", "Placement", "choose_borders", "early_articles", "local_days", "parse_day", "place"]

REASONS = ("no-date", "moved", "straddle", "gap", "old-test")
"""Why an article goes to `excluded`; `place` has the rules."""

_EXCLUDED = len(SPLITS)
_DAY = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = ((datetime(year, 6, 1, tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) for year in (1, 9999))


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """The days at which splits begin, in the site's time zone. If all are None, every dated article is `train`.

    Attributes:
        validation_from, test_from: first day of the split.
        test_until: last day of `test`; later articles are `newer`.
        gap_days: number of days on each side of a border whose articles go to `excluded`. With 1, these are the day
            before the border day and the border day itself.
    """

    validation_from: date | None = None
    test_from: date | None = None
    test_until: date | None = None
    gap_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """The split of each article.

    Attributes:
        split: number of the split in `SPLITS`, or `len(SPLITS)` for `excluded`; int8.
        reason: one of `REASONS` for excluded articles, None for all others; object.
        by_date: number of the split that the date alone asks for; int8, and of no use for an article without a date.
    """

    split: np.ndarray
    reason: np.ndarray
    by_date: np.ndarray


def parse_day(text: str | date | None, option: str) -> date | None:
    """A day from its text, YYYY-MM-DD; a `date` or None is given back as it is.

    Args:
        text: the day.
        option: where the text comes from, for the error message.

    Raises:
        CallError: the text has another form.

    >>> parse_day("2022-05-30", "--test-from")
    datetime.date(2022, 5, 30)
    """
    if text is None or isinstance(text, date):
        return text
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007
    except ValueError:
        raise CallError(
            f"must be a day, got {text!r}", field=option, hint="write it as YYYY-MM-DD, for example 2022-05-30"
        ) from None


def local_days(times: np.ndarray, timezone: str) -> np.ndarray:
    """The local day of each instant, as `datetime64[D]`; `NO_DATE` becomes NaT.

    >>> local_days(np.array([1653926429000]), "Asia/Shanghai")
    array(['2022-05-31'], dtype='datetime64[D]')
    """
    zone = ZoneInfo(timezone)

    def offset(time: int) -> int:
        time = min(max(time, _FIRST), _LAST)  # `datetime` has the years 1 to 9999 only
        local = (_EPOCH + timedelta(milliseconds=time)).astimezone(zone).utcoffset()
        assert local is not None
        return int(local.total_seconds() * 1000)

    # The offset is computed at the ends of each UTC day, and for each instant only on days on which it changes.
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
    groups: np.ndarray | None = None,
) -> Borders:
    """Borders for a new split scheme: the given days, or those that come nearest to 80/10/10 % of the articles.

    Each of train, validation and test gets at least one day with articles. With fewer than three such days and no given
    border, everything is `train`. Articles that are excluded as copies (`straddle`) do not count, if `groups` is given: the
    borders are then chosen again a few times, each time without those that the last borders excluded.

    Args:
        times: of all articles, milliseconds since 1970 UTC, `NO_DATE` where unknown.
        timezone: IANA name of the site's zone.
        validation_from, test_from: first day of the split; None to choose it.
        gap_days: see `Borders`.
        groups: number of the leak group of each article.

    Raises:
        CallError: the given days are not in order or leave no day to a split, or a gap leaves a split empty.

    >>> one_article_a_day = np.arange(10) * 86_400_000
    >>> borders = choose_borders(one_article_a_day, "UTC")
    >>> print(borders.validation_from, borders.test_from, borders.test_until)
    1970-01-09 1970-01-10 1970-01-10
    """
    if validation_from and test_from and validation_from >= test_from:
        raise CallError(f"--validation-from ({validation_from}) must be before --test-from ({test_from})")
    days, counts = _days_with_articles(times, timezone)
    both_given = validation_from is not None and test_from is not None
    if len(days) < 3 and not both_given:
        if validation_from or test_from:
            raise CallError(
                "the archive has fewer than three days with articles, too few to choose the other border",
                hint="give both --validation-from and --test-from, or neither",
            )
        return Borders(gap_days=gap_days)

    def chosen(counts: np.ndarray) -> Borders:
        share_before = np.r_[0, np.cumsum(counts)[:-1]] / max(counts.sum(), 1)  # of articles, before each day
        first = validation_from or _choose_validation(days, share_before, test_from)
        second = test_from or _choose_test(days, share_before, first)
        until = max([*days[-1:], second])
        return Borders(validation_from=first, test_from=second, test_until=until, gap_days=gap_days)

    borders = chosen(counts)
    if both_given:
        return borders
    if groups is not None:
        borders = _settled(
            borders, times, groups, timezone, lambda kept: chosen(_count_days(times[kept], timezone, days))
        )
    _check_gaps(borders, days)
    return borders


_ROUNDS = 4  # of choosing borders anew after copies were excluded
_BETTER = 0.05  # by so much the shares must come nearer, in sum, for borders to move


def _settled(
    borders: Borders, times: np.ndarray, groups: np.ndarray, timezone: str, choose: Callable[[np.ndarray], Borders]
) -> Borders:
    """Of the borders that are found by choosing again without the copies, those whose shares come nearest to 80/10/10 %.

    Args:
        borders: to begin with.
        times, groups, timezone: as for `choose_borders`.
        choose: borders by the articles that a mask keeps.
    """
    new = np.full(len(times), -1, np.int8)
    best: tuple[float, Borders] = (np.inf, borders)
    for _ in range(_ROUNDS):
        placement = place(times, groups, borders, timezone, before=new)
        kept = (placement.reason != "straddle") & (times != NO_DATE)
        shares = np.bincount(placement.by_date[kept], minlength=3)[:3] / max(int(kept.sum()), 1)
        off = float(np.abs(shares - _SHARES).sum())
        if off < best[0] - _BETTER:
            best = off, borders
        again = choose(kept)
        if again == borders:
            break
        borders = again
    return best[1]


_SHARES = np.array([0.8, 0.1, 0.1])


def _count_days(times: np.ndarray, timezone: str, days: Sequence[date]) -> np.ndarray:
    """The number of articles on each of `days`."""
    at = np.searchsorted(np.array(days, "datetime64[D]"), local_days(times, timezone))
    return np.bincount(at, minlength=len(days) + 1)[: len(days)]


def _choose_validation(days: Sequence[date], share_before: np.ndarray, test_from: date | None) -> date:
    """The day that comes nearest to train : validation = 8 : 1; train keeps at least the first day."""
    if test_from is None:
        end, target = len(days) - 1, 0.8  # the last day is left for test
    else:
        end = bisect_left(days, test_from)
        target = share_before[end] * 8 / 9 if end < len(days) else 0.8
    if end < 2:
        raise CallError(
            "there must be at least two days with articles before --test-from, for train and validation",
            hint="give a later day, or --validation-from, too",
        )
    return days[1 + int(np.argmin(np.abs(share_before[1:end] - target)))]


def _choose_test(days: Sequence[date], share_before: np.ndarray, validation_from: date) -> date:
    """The day that leaves 10 % of the articles to test where train has about 80 %; else half of what train leaves."""
    begin = bisect_left(days, validation_from) + 1
    if begin >= len(days):
        raise CallError(
            "there must be at least two days with articles from --validation-from on, for validation and test",
            hint="give an earlier day, or --test-from, too",
        )
    train = share_before[begin - 1]
    target = 0.9 if abs(train - 0.8) < 0.05 else (train + 1) / 2
    return days[begin + int(np.argmin(np.abs(share_before[begin:] - target)))]


_SILENT_DAYS = 5 * 365
"""Days in a row without an article; what little is dated after them is taken for wrong dates."""


def _days_with_articles(times: np.ndarray, timezone: str) -> tuple[list[date], np.ndarray]:
    """The local days that have articles, and the number of articles of each; a far end of wrong dates is left out.

    One article dated 2203 would keep the test window open for two centuries. What comes after years without an article
    and is at most one article, or a hundredth of all, does not count: it will be `newer`. Three days are always kept.
    """
    days, counts = np.unique(local_days(times[times != NO_DATE], timezone), return_counts=True)
    after = counts.sum() - np.cumsum(counts)  # articles after each day
    silent = np.flatnonzero(np.diff(days).astype(np.int64) > _SILENT_DAYS)
    ends = [at + 1 for at in silent.tolist() if at >= 2 and after[at] <= max(1, counts.sum() // 100)]
    end = ends[0] if ends else len(days)
    return days[:end].astype(object).tolist(), counts[:end]


def early_articles(counts: Mapping[date, int]) -> int:
    """How many articles are dated years before all others: what comes before years without an article and is at most one
    article, or a hundredth of all. Their dates may be wrong.

    >>> early_articles({date(1, 1, 2): 1, date(2022, 3, 1): 10, date(2022, 3, 2): 9})
    1
    """
    days = sorted(counts)
    before = np.cumsum([counts[day] for day in days])
    few = [
        int(before[at])
        for at, (day, following) in enumerate(pairwise(days))
        if (following - day).days > _SILENT_DAYS and before[at] <= max(1, before[-1] // 100)
    ]
    return max(few, default=0)


def _check_gaps(borders: Borders, days: Sequence[date]) -> None:
    """Refuse chosen borders if the gaps take all days of a split: later versions keep the borders, so it stays empty."""
    starts, gaps = _starts(borders), _gaps(borders)
    left = [day for day in days if not any(low <= day < high for low, high in gaps)]
    empty = [
        name
        for name, begin, end in zip(SPLITS, [date.min, *starts], starts, strict=False)
        if any(begin <= day < end for day in days) and not any(begin <= day < end for day in left)
    ]
    if empty:
        raise CallError(
            f"a gap of {plural(borders.gap_days, 'day')} leaves no article in {' and '.join(empty)} "
            f"(validation from {starts[0]}, test from {starts[1]}, to {borders.test_until})",
            field="--gap-days",
            hint="give a smaller gap, or make the splits wider with --validation-from and --test-from",
        )


def place(
    times: np.ndarray,
    groups: np.ndarray,
    borders: Borders,
    timezone: str,
    *,
    before: np.ndarray,
    old_test: np.ndarray | None = None,
) -> Placement:
    """Decide the split of every article.

    An article belongs to the split of its date, unless one of these rules sends it to `excluded`:

    - `old-test`: it, or an article of its leak group, was in the test split of an earlier split scheme, and its date now asks
      for another split than `test`. Or it was there itself, and has no date now.
    - `no-date`: it has no date.
    - `moved`: an earlier version of this split scheme has it in another split. No article ever moves between splits.
    - `gap`: its date is in a gap around a border.
    - `straddle`: an article of its leak group is in an earlier split.

    Args:
        times: of each article, milliseconds since 1970 UTC, `NO_DATE` where unknown.
        groups: number of the leak group of each article.
        borders: the border days.
        timezone: IANA name of the site's zone.
        before: for each article the number of its split in the version that is followed; `len(SPLITS)` if it was
            excluded there, -1 if it is new, or if this is a new split scheme.
        old_test: for each article whether it was in the test split of an earlier split scheme; None if there was none.
    """
    dated = times != NO_DATE
    split = np.full(len(times), 0, dtype=np.int8)
    reason = np.full(len(times), None, dtype=object)
    starts = [_midnight(day, timezone) for day in _starts(borders)]
    for start in starts:
        split[times >= start] += 1
    by_date = split.copy()
    reason[~dated] = "no-date"

    tested = np.zeros(len(times), dtype=bool)
    if old_test is not None and old_test.any():
        tested = dated & np.isin(groups, groups[old_test]) & (split != SPLITS.index("test"))
        tested |= old_test & ~dated  # the ledger keeps the reason, so later versions know that it was there
    reason[tested] = "old-test"

    moved = dated & ~tested & (before >= 0) & (before < _EXCLUDED) & (before != split)
    reason[moved] = "moved"

    in_gap = np.zeros(len(times), dtype=bool)
    for low, high in _gaps(borders):
        in_gap |= dated & (times >= _midnight(low, timezone)) & (times < _midnight(high, timezone))
    reason[in_gap & ~moved & ~tested] = "gap"

    # A leak group belongs to the earliest split that one of its articles is in. Excluded articles do not count.
    placed = dated & ~moved & ~in_gap & ~tested
    earliest = np.full(int(groups.max()) + 1 if len(groups) else 0, _EXCLUDED, dtype=np.int8)
    np.minimum.at(earliest, groups[placed], split[placed])
    reason[placed & (split > earliest[groups])] = "straddle"
    split[reason != None] = _EXCLUDED  # noqa: E711
    return Placement(split=split, reason=reason, by_date=by_date)


def _starts(borders: Borders) -> list[date]:
    if borders.validation_from is None or borders.test_from is None or borders.test_until is None:
        return []
    return [borders.validation_from, borders.test_from, borders.test_until + timedelta(days=1)]


def _gaps(borders: Borders) -> list[tuple[date, date]]:
    """First day of each gap, and the day after its last; empty if `gap_days` is 0."""
    gap = timedelta(days=borders.gap_days)
    return [(start - gap, start + gap) for start in _starts(borders)] if gap else []


def _midnight(day: date, timezone: str) -> int:
    return int(datetime.combine(day, time(), ZoneInfo(timezone)).timestamp() * 1000)
