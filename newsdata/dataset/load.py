"""Load rows of a version: as `datasets` objects, or as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import CallError
from ..schema import CONFIGS, SPLITS, features, table_schema
from ..storage.manifest import Manifest
from .as_of import Asked, as_dataset, ask, check_as_of, known_rows
from .keywords import check_keywords, check_num_proc, check_switches, token_of, wanted_features
from .open_version import FoundVersion, find_version, warn_if_yanked
from .parquet_rows import ShardRows, rows_of_slice
from .read_slices import Reading, chosen_rows, read_chosen
from .row_filters import Period, period_of, row_filter, within
from .slices import Slice, slices_of, split_text

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import pyarrow.compute as pc

__all__ = ["load_dataset", "load_pandas", "read_splits", "with_version"]

_DOWNLOAD_MODES = ("reuse_dataset_if_exists", "reuse_cache_if_exists", "force_redownload")


def load_dataset(
    path: str | Path,
    name: str | None = None,
    *positional: object,
    split: str | datasets.Split | datasets.ReadInstruction | Sequence[Any] | None = None,
    revision: str | None = None,
    streaming: bool = False,
    columns: Iterable[str] | None = None,
    since: str | date | datetime | None = None,
    until: str | date | datetime | None = None,
    filters: Sequence[Any] | pc.Expression | None = None,
    as_of: str | date | datetime | None = None,
    deduplicate: bool = False,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    keep_in_memory: bool = False,
    num_proc: int | None = None,
    storage_options: dict[str, Any] | None = None,
    download_mode: str | datasets.DownloadMode | None = None,
    **others: object,
) -> datasets.DatasetDict | datasets.Dataset | datasets.IterableDatasetDict | datasets.IterableDataset:
    """Like `datasets.load_dataset`, for one exact version. Its files are checked against its manifest.

    Rows that are streamed from the Hub are not checked, because hashes are known of whole files only.

    Args:
        path: the folder of a version, the folder that holds versions, both also in an object store ("s3://bucket/finews",
            "gs://bucket/finews/1.0.0"), or a dataset repository on the Hub: "owner/name", "owner/name@1.0.0" or
            "hf://datasets/owner/name@1.0.0".
        name: the config: "articles" (default), "posts", "rejects", "excluded", "origins" or "revisions".
        split: one split or several ("train+test", "all"), slices included ("train[:1000]", "test[10%:20%]"), also as
            `datasets.ReadInstruction`. A list gives a list. None gives a dictionary of all splits. A split without rows
            is empty and has its columns.
        revision: "1.0.0", "v1.0.0" or a range such as "1.*"; None is the newest.
        streaming: read rows when they are asked for. Shards in an object store are fetched whole first.
        columns: read only these columns.
        since, until: only rows published from `since` on, and before `until`: a day ("2022-03-01"), which begins at
            midnight in the site's zone, or an instant with its zone ("2022-03-01T09:30+08:00"); also `datetime.date`,
            `datetime.datetime`, `pandas.Timestamp`. Rows without a date are left out. Only the shards and row groups
            that may hold such rows are read.
        filters: only these rows: tuples (column, operator, value) that all hold, a list of such lists of which one holds,
            or a `pyarrow.compute.Expression`. Operators: ==, !=, <, <=, >, >=, in, not in. No null fulfils a
            comparison. Times are written as for `since`. `split` counts all rows, and then rows are filtered.
        as_of: a day or an instant, written as for `since`. Gives the articles as they were known then, from a version built
            with `history=True`: those that a build of the archive of that time has, with the columns of `articles`, and
            `first_seen_at` and `revised_at`: when the archive first had a post of the article, and when it got the last one
            of its contents. `duplicate_cluster`, `leak_group`, `fold` and the splits follow from the whole archive, so they
            are not in it. Rows are in the order of `published_at` and in memory.
        deduplicate: keep one article of each duplicate cluster, over all rows that were asked for: the earliest (articles
            without a date come last), among equals the one with the longest text, then the first by article id.
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        cache_dir: where fetched files and prepared rows are kept; None is the cache of `huggingface_hub` and `datasets`.
        keep_in_memory: hold the rows in memory, not in files that are mapped into it. Streams do not use it.
        num_proc: prepare the rows in so many workers. Streams are read in parallel by their reader's workers.
        storage_options: {"token": …}, the same as `token`; other options are refused. The keys of an object
            store come from the environment.
        download_mode: "force_redownload" prepares the rows anew, and takes a tag's new commit if the tag was moved.
        positional, others: refused; the error says what to use instead.

    Raises:
        VersionError: there is no such version; the message lists those that are there.
        CallError: there is no such argument, config, split or column; the config has no clusters or dates, or the version
            no revisions; a filter cannot be computed; a time has no zone.
        VerifyError: a file is not the one that the manifest names.
        HubError: the Hub refused, or cannot be reached and this exact version is not in the cache.
        MachineError: the object store refuses or cannot be reached.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     titles = load_dataset(out, split="test", since="2022-06-02", revision="1.0.0", columns=["title"])
    >>> titles.column_names, len(titles)
    (['title'], 1)
    """
    check_keywords(load_dataset, positional, others)
    check_switches(streaming=streaming, deduplicate=deduplicate, keep_in_memory=keep_in_memory)
    token = token_of(token, storage_options)
    check_num_proc(num_proc, streaming=streaming)
    again = str(getattr(download_mode, "value", download_mode or ""))
    if again not in ("", *_DOWNLOAD_MODES):
        raise CallError(f"got {again!r}", field="download_mode", hint=f"there are: {', '.join(_DOWNLOAD_MODES)}")
    version = find_version(path, revision, token=token, cache_dir=cache_dir, accept_moved=again == "force_redownload")
    warn_if_yanked(version)
    manifest, timezone = version.manifest, str(version.manifest.configuration["timezone"])
    config = name or "articles"
    _check_config(config, deduplicate=deduplicate)
    period = period_of(since, until, timezone, config)
    if as_of is not None:
        time = check_as_of(as_of, manifest, config=config, split=split, streaming=streaming)
        if deduplicate:
            reason = "there are no duplicate clusters in what was known at a time: they follow from the whole archive"
            raise CallError(reason, field="deduplicate")
        return _known_at(time, version, ask(manifest, columns, filters, period))
    every = features(config, timezone, manifest.schema_version)
    reading = Reading(
        features=wanted_features(every, columns),
        every=every,
        streaming=streaming,
        deduplicate=deduplicate,
        row_filter=row_filter(filters, period, table_schema(config, timezone, manifest.schema_version)),
        token=token,
        cache_dir=None if cache_dir is None else str(cache_dir),
        keep_in_memory=keep_in_memory,
        num_proc=num_proc,
        again=again == "force_redownload",
    )
    return read_splits(split, version, config, reading, period)


def load_pandas(
    path: str | Path,
    name: str | None = None,
    *positional: object,
    split: str | datasets.Split | datasets.ReadInstruction | None = None,
    revision: str | None = None,
    columns: Iterable[str] | None = None,
    since: str | date | datetime | None = None,
    until: str | date | datetime | None = None,
    filters: Sequence[Any] | pc.Expression | None = None,
    as_of: str | date | datetime | None = None,
    deduplicate: bool = False,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    storage_options: dict[str, Any] | None = None,
    download_mode: str | datasets.DownloadMode | None = None,
    **others: object,
) -> pd.DataFrame:
    """One split of a version as a pandas frame; with `split=None` all splits and a column `split`.

    pandas turns whole numbers into floats where some are missing, also in the dictionaries of nested columns.

    Args:
        path, name, revision, columns, since, until, filters, as_of, deduplicate, token, cache_dir, storage_options,
            download_mode, positional, others: as for `load_dataset`; with `as_of` there is no column `split`.
        split: as for `load_dataset`, but no list.

    Raises:
        VersionError, CallError, VerifyError, HubError: as for `load_dataset`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     frame = load_pandas(out, columns=["title"])
    >>> list(frame.columns), len(frame) == made.manifest.accounting["articles"] - made.manifest.accounting["excluded"]
    (['title', 'split'], True)
    """
    import pandas as pd

    check_keywords(load_pandas, positional, others)
    if isinstance(split, list | tuple):
        raise CallError("a frame holds no list of splits", field="split", hint='write "train+test", or leave it out')
    found: Any = load_dataset(
        path,
        name,
        split=split,
        revision=revision,
        columns=columns,
        since=since,
        until=until,
        filters=filters,
        as_of=as_of,
        deduplicate=deduplicate,
        token=token,
        cache_dir=cache_dir,
        storage_options=storage_options,
        download_mode=download_mode,
        keep_in_memory=True,
    )
    if split is not None or as_of is not None:
        frame: pd.DataFrame = found.with_format("arrow")[:].to_pandas()
        return frame
    frames: list[pd.DataFrame] = [
        rows.with_format("arrow")[:].to_pandas().assign(split=one) for one, rows in found.items()
    ]
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def read_splits(split: Any, version: FoundVersion, config: str, reading: Reading, period: Period | None) -> Any:
    """The rows of the splits that a call names: one table, a list, or a dictionary.

    Args:
        split: as for `load_dataset`.
        version: the version.
        config: the config.
        reading: how to read, the filter for the period included.
        period: of the rows, if there is one: shards without such rows are not read.

    Raises:
        CallError, VerifyError, HubError: as for `load_dataset`.
    """
    import datasets

    is_list = isinstance(split, list | tuple)
    if is_list and not split:
        raise CallError("the list of splits is empty", field="split", hint='write split="train"')
    manifest, timezone = version.manifest, str(version.manifest.configuration["timezone"])
    named = [None if one is None else split_text(one) for one in (split if is_list else [split])]
    groups = [[within(part, period, timezone) for part in slices_of(manifest, config, one)] for one in named]
    if split is None:
        groups = [[part] for part in groups[0]]
    labels = [group[0].split if len(group) == 1 else None for group in groups]
    rows = [[row for part in group for row in _rows_of(part, version, reading)] for group in groups]
    tables = [
        with_version(read_chosen(some, reading, label), manifest)
        for label, some in zip(labels, chosen_rows(rows, reading), strict=True)
    ]
    if split is None:
        kind = datasets.IterableDatasetDict if reading.streaming else datasets.DatasetDict
        return kind(zip(labels, tables, strict=True))
    return tables if is_list else tables[0]


def _rows_of(part: Slice, version: FoundVersion, reading: Reading) -> list[ShardRows]:
    return rows_of_slice(part, version.shard_files(part.shards, streaming=reading.streaming))


def _known_at(time: int, version: FoundVersion, asked: Asked) -> Any:
    """What was known at a time."""
    return with_version(as_dataset(known_rows(version, np.array([time], np.int64), asked)), version.manifest)


def _check_config(config: str, *, deduplicate: bool) -> None:
    if config not in CONFIGS:
        hint = f"there are: {', '.join(CONFIGS)}"
        if str(config).partition("[")[0] in SPLITS:
            hint = f"it is a split: write split={config!r}"
        raise CallError(f"there is no config {config!r}", field="name", hint=hint)
    if deduplicate and config not in ("articles", "excluded"):
        raise CallError(f"there are no duplicate clusters in the config {config!r}", field="deduplicate")


def with_version(rows: Any, manifest: Manifest) -> Any:
    """The rows, with the dataset's version in their `info`, where experiment logs look for it."""
    import datasets

    rows.info.version = datasets.Version(manifest.dataset_version)
    return rows
