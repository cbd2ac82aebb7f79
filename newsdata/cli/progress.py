"""A progress bar on stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress_bar"]

_SHARE = 0.1  # of a stage's rows that must be done before the time left is told
_SECONDS = 1.0  # that must have passed, too
_FOUND_SECONDS = 0.3  # results of earlier builds come at once; rows of this first moment say nothing about the speed
_FORMAT = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}{postfix}"
_FORMAT_WITHOUT_TOTAL = "{desc}: {n_fmt}"  # a stage that finds out how much there is


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A function to pass as `progress`: it shows one bar a stage, with rows a second and the time left.

    Both are the average of the stage so far, and are shown once a tenth of its rows is done.
    Gives None when `quiet` is set. Without a terminal on stderr, or on one without a cursor, nothing is shown.
    """
    if quiet:
        yield None
        return
    bar = _Bar()
    try:
        yield bar.advance
    finally:
        bar.close()


class _Bar:
    """The bar of the stage that is running."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""
        self._begun = self._since = 0.0  # when the bar was drawn first, and when the speed began to be measured
        self._before = 0  # rows that were done at that time

    def advance(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` rows of a stage are done."""
        now = time.monotonic()
        if self._bar is None or stage != self._stage:
            from tqdm import tqdm

            self.close()
            self._stage, self._begun = stage, now
            self._bar = tqdm(
                total=total, desc=f"{stage:10}", unit="post", file=sys.stderr, leave=False, dynamic_ncols=True, miniters=1,
                bar_format=_FORMAT if total else _FORMAT_WITHOUT_TOTAL,
                disable=True if os.environ.get("TERM") == "dumb" else None,  # None: shown on a terminal only
            )  # fmt: skip
        if now - self._begun <= _FOUND_SECONDS:
            self._since, self._before = now, done
        if estimate := _estimate(done - self._before, total - self._before, now - self._since):
            self._bar.set_postfix_str(estimate, refresh=False)
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self._bar is not None:
            self._bar.close()


def _estimate(done: int, total: int, seconds: float) -> str:
    """The speed and the time left; "" while too little is done to tell.

    >>> _estimate(99, 1000, 5.0), _estimate(200, 1000, 2.0), _estimate(1000, 9000, 100.0)
    ('', '100/s, about 8 s left', '10/s, about 13 min left')
    """
    if done < max(total * _SHARE, 1) or seconds < _SECONDS:
        return ""
    left = (total - done) * seconds / done
    told = f"{left:.0f} s" if left < 90 else f"{left / 60:.0f} min"
    return f"{done / seconds:,.0f}/s, about {told} left"
