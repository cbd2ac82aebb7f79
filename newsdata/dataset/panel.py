"""What was known at each step of a period, without look-ahead: the revisions are read once for all steps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CallError
from ..storage.manifest import Manifest
from .as_of import KnownRows, as_dataset, ask, check_has_revisions, known_rows
from .load import with_version
from .no_rows import DatasetWithoutRows
from .open_version import find_version, warn_if_yanked
from .row_filters import as_instant, period_of

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import pyarrow.compute as pc

__all__ = ["load_panel"]

_MOST_STEPS = 1_000_000


def load_panel(
    path: str | Path,
    begin: str | date | datetime,
    end: str | date | datetime,
    every: str | timedelta = "1D",
    *,
    revision: str | None = None,
    columns: Iterable[str] | None = None,
    since: str | date | datetime | None = None,
    until: str | date | datetime | None = None,
    filters: Sequence[Any] | pc.Expression | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
) -> Iterator[tuple[pd.Timestamp, datasets.Dataset]]:
    """What was known at each step of a period: the rows of `load_dataset(path, as_of=step)`, step after step.

    No step shows what came later: no later edit, no later article, and what was taken away since. The revisions are read
    once for all steps, and an article is merged once for each state that it had at a step. The columns of all these states
    are in memory, so ask only for those that you need. The rows of a step are views of them, not copies.

    Args:
        path, revision, token, cache_dir: as for `load_dataset`; the version must be built with `history=True`.
        begin, end: no step is before `begin` or after `end`; a day ("2022-03-01") means its midnight in the site's zone. The
            first step is at `begin`, but with steps tied to the calendar at the first such day: "1W" at a Sunday, "1MS" at
            the first of a month. A period without one has no steps.
        every: from one step to the next, as pandas writes it: "1D" (the same time of the next day in the site's zone), "6h",
            "30min", "1W-FRI"; or a `datetime.timedelta`.
        columns, since, until, filters: as for `load_dataset`, with the columns that it has for `as_of`. `since` and `until`
            are about `published_at`, and the same for all steps.

    Returns:
        an iterator over (step, rows): a `pandas.Timestamp` in the site's zone, and a `datasets.Dataset` in the order of
        `published_at`; `rows.to_pandas()` makes a frame of it.

    Raises:
        CallError: the version has no revisions; a time has no zone; `end` is before `begin`; `every` is no length of time, or
            gives more than a million steps; else as for `load_dataset`.
        VersionError, VerifyError, HubError: as for `load_dataset`.

    >>> import subprocess, tempfile
    >>> from pathlib import Path
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     git = ["git", "-C", "examples/archive", f"--git-dir={folder}/git", "--work-tree=."]
    ...     for words in (["init", "-q"], ["add", "."], ["-c", "user.name=n", "-c", "user.email=n", "commit", "-qm", "x"]):
    ...         done = subprocess.run([*git, *words], check=True)
    ...     made = build(f"{folder}/git@HEAD", f"{folder}/out", history=True, num_proc=1)
    ...     panel = load_panel(f"{folder}/out", "2021-01-01", "2021-01-03", columns=["title"])
    ...     [(step.isoformat(), len(rows)) for step, rows in panel]
    [('2021-01-01T00:00:00+08:00', 0), ('2021-01-02T00:00:00+08:00', 0), ('2021-01-03T00:00:00+08:00', 0)]
    """
    version = find_version(path, revision, token=token, cache_dir=cache_dir)
    warn_if_yanked(version)
    manifest, timezone = version.manifest, str(version.manifest.configuration["timezone"])
    check_has_revisions(manifest, "path")
    steps = _steps(begin, end, every, timezone)
    period = period_of(since, until, timezone, "articles")
    asked = ask(manifest, columns, filters, period)
    instants = steps.as_unit("ms").asi8
    return _panel(steps, known_rows(version, instants, asked), manifest)


def _panel(steps: pd.DatetimeIndex, known: KnownRows, manifest: Manifest) -> Iterator[tuple[pd.Timestamp, Any]]:
    every = with_version(as_dataset(known), manifest)
    for number, step in enumerate(steps):
        there = np.flatnonzero((known.begin <= number) & (number < known.end))
        if len(there):
            yield step, every.select(there)
        else:
            yield step, with_version(DatasetWithoutRows(known.features), manifest)


def _steps(begin: Any, end: Any, every: Any, timezone: str) -> pd.DatetimeIndex:
    """The steps, in the site's zone.

    Days and longer spans are counted on the site's calendar and clock, hours and shorter ones as they pass.
    """
    import pandas as pd

    first, last = (as_instant(time, timezone, name) for time, name in ((begin, "begin"), (end, "end")))
    if first > last:
        raise CallError(f"{end} is before {begin}", field="end", hint="give begin first")
    try:
        offset = pd.tseries.frequencies.to_offset(every)
    except (ValueError, TypeError):
        offset = None
    bounds = pd.to_datetime([first, last], unit="ms", utc=True).tz_convert(timezone)
    is_clock = offset is not None and isinstance(offset, pd.offsets.Tick) and not isinstance(offset, pd.offsets.Day)
    if not is_clock:
        bounds = bounds.tz_localize(None)
    try:
        if offset is None or bounds[0] + offset <= bounds[0]:
            raise ValueError
        if (bounds[1] - bounds[0]) / ((bounds[0] + offset) - bounds[0]) > _MOST_STEPS:
            reason = f"gives more than {_MOST_STEPS:,} steps"
            raise CallError(reason, field="every", hint="take longer steps or a shorter period")
    except (ValueError, OverflowError):
        hint = 'write "1D", "6h" or "30min"'
        raise CallError(f"must be a length of time, got {every!r}", field="every", hint=hint) from None
    steps = pd.date_range(bounds[0], bounds[1], freq=offset)
    if is_clock:
        return steps
    return steps.tz_localize(timezone, ambiguous=np.ones(len(steps), bool), nonexistent="shift_forward")
