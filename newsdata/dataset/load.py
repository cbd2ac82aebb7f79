"""Load rows of a version: as `datasets` objects, or as a pandas frame."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CallError
from ..schema import CONFIGS, features
from ..storage.manifest import Manifest
from .as_of import check_as_of, rows_known_at
from .open_version import find_version
from .read_slices import read_deduplicated, read_slice
from .slices import slices_of, split_text

if TYPE_CHECKING:
    import datasets
    import pandas as pd

__all__ = ["load_dataset", "load_pandas"]


def load_dataset(
    path: str | Path,
    name: str | None = None,
    *,
    split: str | None = None,
    revision: str | None = None,
    streaming: bool = False,
    columns: Iterable[str] | None = None,
    as_of: str | datetime | None = None,
    deduplicate: bool = False,
) -> datasets.DatasetDict | datasets.Dataset | datasets.IterableDatasetDict | datasets.IterableDataset:
    """Like `datasets.load_dataset`, for one exact version. Its files are checked against its manifest.

    Rows that are streamed from the Hub are not checked, because hashes are known of whole files only.

    Args:
        path: the folder of a version, the folder that holds versions, or a dataset repository on the Hub ("owner/name").
        name: the config: "articles" (default), "posts", "rejects", "excluded", "origins" or "revisions".
        split: one split or several ("train+test"), slices included ("train[:1000]", "test[10%:20%]"). None gives a
            dictionary of all splits. A split without rows is empty and has its columns.
        revision: "1.0.0", "v1.0.0" or a range such as "1.*"; None is the newest.
        streaming: read rows when they are asked for.
        columns: read only these columns.
        as_of: a time with its zone ("2022-03-01T09:30+08:00"). Gives what was known then: rows of the config
            `revisions`, one an article, from a version built with `history=True`. Each post counts as its last commit
            up to that time left it; it does not count if that commit removed it or it could not be read. Of an
            article's posts the one revised last is taken; among equals one with title and date, then the first by
            path. There are no splits: cut by `published_at`.
        deduplicate: keep one article of each duplicate cluster, over all that is loaded: the earliest (articles without
            a date come last), among equals the one with the longest text, then the first by article id.

    Raises:
        VersionError: there is no such version; the message lists those that are there.
        CallError: there is no such config, split or column; the config has no clusters, or the version no revisions;
            `as_of` has no zone.
        VerifyError: a file is not the one that the manifest names.
        HubError: the Hub refused, or cannot be reached and this exact version is not in the cache.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     titles = load_dataset(out, split="test", revision="1.0.0", columns=["title"])
    >>> titles.column_names
    ['title']
    """
    version = find_version(path, revision)
    manifest = version.manifest
    if (reason := version.yanked) is not None:
        warnings.warn(f"{manifest.dataset_version} was yanked: {reason}", UserWarning, stacklevel=2)
    config = name or ("articles" if as_of is None else "revisions")
    time = None
    if as_of is not None:
        time = check_as_of(as_of, manifest, config=config, split=split, streaming=streaming)
    _check_config(config, deduplicate=deduplicate, as_of=time)
    wanted = _wanted_features(manifest, config, columns)
    cache_name = _cache_name(manifest, config)
    if time is not None:
        (every_revision,) = slices_of(manifest, config)
        files = version.shard_files(every_revision.shards, streaming=False)
        rows = read_slice(every_revision, files, wanted, streaming=False, cache_name=cache_name)
        return _with_version(rows.select(rows_known_at(files, time)), manifest)
    parts = slices_of(manifest, config, None if split is None else split_text(split))
    places = [version.shard_files(part.shards, streaming=streaming) for part in parts]
    if deduplicate:
        loaded = read_deduplicated(parts, places, wanted, streaming=streaming, cache_name=cache_name)
    else:
        loaded = [
            read_slice(part, files, wanted, streaming=streaming, cache_name=cache_name)
            for part, files in zip(parts, places, strict=True)
        ]
    import datasets

    if split is None:
        kind = datasets.IterableDatasetDict if streaming else datasets.DatasetDict
        return kind({part.split: _with_version(rows, manifest) for part, rows in zip(parts, loaded, strict=True)})
    return _with_version(loaded[0] if len(loaded) == 1 else datasets.concatenate_datasets(loaded), manifest)


def load_pandas(
    path: str | Path,
    name: str | None = None,
    *,
    split: str | None = None,
    revision: str | None = None,
    columns: Iterable[str] | None = None,
    as_of: str | datetime | None = None,
    deduplicate: bool = False,
) -> pd.DataFrame:
    """One split of a version as a pandas frame; with `split=None` all splits and a column `split`.

    pandas turns whole numbers into floats where some are missing, also in the dictionaries of nested columns.

    Args:
        path, name, split, revision, columns, as_of, deduplicate: as for `load_dataset`; with `as_of` there is no column
            `split`.

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

    found: Any = load_dataset(
        path, name, split=split, revision=revision, columns=columns, as_of=as_of, deduplicate=deduplicate
    )
    if split is not None or as_of is not None:
        frame: pd.DataFrame = found.with_format("arrow")[:].to_pandas()
        return frame
    frames: list[pd.DataFrame] = [
        rows.with_format("arrow")[:].to_pandas().assign(split=one) for one, rows in found.items()
    ]
    return pd.concat([f for f in frames if len(f)] or frames[:1], ignore_index=True)


def _check_config(config: str, *, deduplicate: bool, as_of: datetime | None) -> None:
    if config not in CONFIGS:
        raise CallError(f"there is no config {config!r}", hint=f"there are: {', '.join(CONFIGS)}")
    if deduplicate and (config not in ("articles", "excluded") or as_of is not None):
        raise CallError(f"there are no duplicate clusters in the config {config!r}", field="deduplicate")


def _wanted_features(manifest: Manifest, config: str, columns: Iterable[str] | None) -> datasets.Features:
    """The features of the wanted columns of a config, in the order in which they were asked for."""
    import datasets

    every = features(config, str(manifest.configuration["timezone"]))
    if columns is None:
        return every
    names = [] if isinstance(columns, str) else list(columns)
    if not names:
        raise CallError(f"must be a list of columns, got {columns!r}", field="columns", hint='write columns=["title"]')
    unknown = [column for column in names if column not in every]
    if unknown:
        raise CallError(f"there is no column {', '.join(unknown)}", hint=f"there are: {', '.join(every)}")
    return datasets.Features({column: every[column] for column in names})


def _cache_name(manifest: Manifest, config: str) -> str:
    """Where `datasets` keeps the rows of a version: it knows a file by path and time only, so the contents are named."""
    content = hashlib.sha256("".join(shard.sha256 for shard in manifest.shards).encode()).hexdigest()
    return f"{config}-{manifest.dataset_version}-{content[:16]}"


def _with_version(rows: Any, manifest: Manifest) -> Any:
    """The rows, with the dataset's version in their `info`, where experiment logs look for it."""
    import datasets

    rows.info.version = datasets.Version(manifest.dataset_version)
    return rows
