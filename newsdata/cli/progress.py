"""A progress bar on stderr."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(*, quiet: bool) -> Iterator[Callable[[str, int, int], None] | None]:
    """A function to pass as `progress`: it shows one bar a stage, with rows a second and the time left.

    Gives None when `quiet` is set. Without a terminal on stderr nothing is shown.
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

    def advance(self, stage: str, done: int, total: int) -> None:
        """Show that `done` of `total` rows of a stage are done."""
        if self._bar is None or stage != self._stage:
            from tqdm import tqdm

            self.close()
            self._stage = stage
            self._bar = tqdm(
                total=total, desc=f"{stage:10}", unit="post", file=sys.stderr, leave=False, dynamic_ncols=True,
                disable=None,  # shown on a terminal only
            )  # fmt: skip
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Remove the bar from the terminal."""
        if self._bar is not None:
            self._bar.close()
