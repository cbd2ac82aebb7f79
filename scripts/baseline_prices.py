"""The direction of the next session, for scripts/baselines.py: labels from a price file that the user brings."""

from __future__ import annotations

import csv
import math
from bisect import bisect_right
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from baseline_tasks import CHARS, ENOUGH_TEST, Cut, LeftOut, Parts, Positions, Task, features, guesses

__all__ = ["PriceError", "direction", "read_prices"]

_MOST_LINES = 20_000_000
_STALE = 10  # days between an article and the close before it, at most

Prices = dict[str, tuple[list[date], list[float]]]
"""Code or symbol -> its days, ascending, and the closing price of each."""


class PriceError(Exception):
    """The price file cannot be used; the sentence names the line."""


def read_prices(path: Path) -> Prices:
    """Read a CSV file with a header: `date` (YYYY-MM-DD), `close`, and `symbol` (`600519.XSHG`) or `code` (`600519`).

    Raises:
        PriceError: a column is missing, or a line has no such values.
    """
    found: dict[str, dict[date, float]] = {}
    for line, name, day, close in _lines(path):
        days = found.setdefault(name, {})
        if day in days:
            raise PriceError(f"{path}, line {line}: {name} has two lines for {day}")
        days[day] = close
    if not found:
        raise PriceError(f"{path}: has no line below its header")
    return {name: (sorted(days), [days[day] for day in sorted(days)]) for name, days in found.items()}


def _lines(path: Path) -> Iterator[tuple[int, str, date, float]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            columns = rows.fieldnames or ()
            key = next((name for name in ("symbol", "code") if name in columns), None)
            if key is None or not {"date", "close"} <= {*columns}:
                raise PriceError(f"{path}, line 1: the columns must be `symbol` or `code`, `date` and `close`")
            for row in rows:
                if rows.line_num > _MOST_LINES:
                    raise PriceError(f"{path}: more than {_MOST_LINES:,} lines")
                try:
                    close, day = float(row["close"]), date.fromisoformat(row["date"])
                    if not (row[key] and 0 < close < math.inf):
                        raise ValueError
                except (TypeError, ValueError):
                    raise PriceError(
                        f"{path}, line {rows.line_num}: needs a {key}, a date as YYYY-MM-DD and a close above 0"
                    ) from None
                yield rows.line_num, row[key], day, close
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PriceError(f"{path}: cannot be read: {error}") from None


def direction(rows: pd.DataFrame, prices: Prices) -> Task:
    """Whether a security that an article links to closes higher on the session after the article's day.

    The label is the sign of the close of the next session against the last close up to the article's day. Days of which a
    security did not change are left out.
    """
    labelled = pd.DataFrame(_labels(rows, prices), columns=["at", "up", "session"])
    if len(labelled) < 2:
        raise LeftOut("no article links to a security that has prices on its day and on a later one")
    chosen = rows.iloc[labelled["at"]].reset_index(drop=True)
    chosen["group"] = labelled["session"]  # articles about one session are not independent
    learned, tested = (int((chosen["split"] == split).sum()) for split in ("train", "test"))
    if learned < 2 or tested < ENOUGH_TEST:
        raise LeftOut(f"too few articles have prices: {learned:,} of train, {tested:,} of test")
    words = chosen["title"].fillna("") + "\n" + chosen["text"].fillna("")
    matrix, up = features([text[:CHARS] for text in words]), labelled["up"].to_numpy()

    def parts(cut: Cut, seed: int) -> tuple[Positions, Parts]:
        if len(np.unique(up[cut.train])) < 2:
            raise LeftOut("all prices to learn from move in one direction")
        return guesses(matrix, up, cut, seed, up[cut.train].mean() >= 0.5)

    return Task(
        about="whether the next session of a linked security closes higher; a score near .5 is what chance gives, and"
        " nothing is claimed beyond the interval",
        rows=chosen,
        measures={
            "accuracy": lambda sums: float(sums[0] / sums[1]),
            "accuracy of the usual direction": lambda sums: float(sums[2] / sums[1]),
        },
        parts=parts,
        facts={"labels": "up or down", "classes": 2},
    )


def _symbol(code: str, exchange: str | None) -> str:
    """The symbol of a code, as in `newsdata.load_mentions`: codes of Hong Kong have five digits."""
    return f"{code.zfill(5) if exchange == 'XHKG' and code.isdigit() else code}.{exchange}"


def _labels(rows: pd.DataFrame, prices: Prices) -> Iterator[tuple[int, bool, str]]:
    """For each article and security: the article's position, whether the price went up, and the day of the session."""
    for at, (mentions, time) in enumerate(zip(rows["mentions"], rows["published_at"], strict=True)):
        if mentions is None or isinstance(mentions, float) or pd.isna(time):
            continue
        names: set[str] = set()
        for mention in mentions:
            if mention["kind"] == "security" and mention["code"]:
                symbol = _symbol(mention["code"], mention["exchange"])
                names.add(symbol if symbol in prices else mention["code"])
        for name in sorted(names & prices.keys()):
            days, closes = prices[name]
            after = bisect_right(days, time.date())
            known = 0 < after < len(days) and (time.date() - days[after - 1]).days <= _STALE
            if known and closes[after] != closes[after - 1]:
                yield at, closes[after] > closes[after - 1], str(days[after])
