"""Arguments of `datasets.load_dataset` that `newsdata.load_dataset` does not take, and what to use instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from inspect import signature
from typing import TYPE_CHECKING

import numpy as np

from ..errors import CallError

if TYPE_CHECKING:
    import datasets

__all__ = ["check_keywords", "check_num_proc", "check_switches", "token_of", "wanted_features"]

_BUCKET = "for a private repository give token=; the keys of a bucket come from the environment (AWS_ACCESS_KEY_ID, …)"

_INSTEAD = {
    "data_dir": "give the folder as the path, the config as name=, the split as split=",
    "data_files": "give the folder of versions as the path, and choose rows by split=, since=, until= or filters=; "
    'single files are read by datasets.load_dataset("parquet", data_files=…)',
    "features": "the types are those of the version; choose columns by columns=, and change a type by "
    "cast_column() of what is loaded",
    "trust_remote_code": "leave it out: no code is run from a dataset",
    "verification_mode": "leave it out: every file is checked against the manifest; newsdata.verify() checks the rows, too",
    "ignore_verifications": "leave it out: every file is checked against the manifest",
    "save_infos": "leave it out; newsdata.info() gives the facts about a version",
    "download_config": "use token=, cache_dir= and download_mode=",
    "task": "leave it out; rename columns by rename_columns() of what is loaded",
    "use_auth_token": "use token=",
    "script_version": "use revision=",
    "version": "use revision=",
    "config_name": "use name=",
    "config": "use name=",
    "subset": "use name=",
    "splits": "use split=",
    "dedup": "use deduplicate=",
    "fragment_scan_options": "leave it out; row groups that are not needed are not read",
    "on_bad_files": "leave it out: a damaged file is an error; fetch or build it again",
    "batch_size": "give it to the DataLoader, or iterate over what is loaded by iter(batch_size=…)",
    "streaming": "use newsdata.load_dataset(…, streaming=True)",
    "keep_in_memory": "leave it out: a frame is in memory",
    "num_proc": "leave it out: a frame is read by threads",
    "shuffle": "use shuffle(seed=…) of what is loaded",
}
"""Arguments that people write who know `datasets` -> what to do."""


def check_keywords(
    function: Callable[..., object],
    positional: Sequence[object],
    others: Mapping[str, object],
    instead: Mapping[str, str] | None = None,
) -> None:
    """Refuse what was passed to a function that it does not take.

    Args:
        function: the function, which has two parameters that may be given by position, and others that can only be named.
        positional: what was passed to it by position, after these two.
        others: what was passed to it by a name that it does not have.
        instead: hints of this function alone, by the name that was passed.

    Raises:
        CallError: something was passed; the hint says what to use instead.

    >>> def load(path, name=None, *, split=None): ...
    >>> check_keywords(load, [], {"splt": "train"})
    Traceback (most recent call last):
    newsdata.errors.CallError: splt: there is no such argument; did you mean split=?
    """
    parameters = signature(function).parameters.values()
    known = [one.name for one in parameters if one.kind is one.KEYWORD_ONLY]
    first = [one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]
    hints = _INSTEAD | dict(instead or {})
    if positional:
        raise CallError(
            f"only {' and '.join(first)} may stand without a name, got {positional[0]!r}, too",
            hint=f"write the others as name=value; there are: {', '.join(known)}",
        )
    for name in others:
        if name in hints:
            raise CallError("newsdata does not take this argument", field=name, hint=hints[name])
        close = get_close_matches(name, [*first, *known], n=1)
        hint = f"did you mean {close[0]}=?" if close else f"there are: {', '.join(known)}"
        raise CallError("there is no such argument", field=name, hint=hint)


def token_of(token: str | None, storage_options: object) -> str | None:
    """The token of the Hub that a call names: by `token`, or as `datasets` takes it, in `storage_options`.

    Raises:
        CallError: `storage_options` is no dictionary, has another option than "token", or another token than `token`.

    >>> token_of(None, {"token": "hf_abc"})
    'hf_abc'
    """
    options = {} if storage_options is None else storage_options
    if not isinstance(options, Mapping):
        raise CallError(
            f"must be a dictionary, got {storage_options!r:.100}", field="storage_options", hint="use token="
        )
    unknown = [str(name) for name in options if name != "token"]
    if unknown:
        reason = f"datasets are loaded from folders, buckets and the Hub, which need no {', '.join(unknown)}"
        raise CallError(reason, field="storage_options", hint=_BUCKET)
    named = options.get("token")
    if named is not None and not isinstance(named, str):
        raise CallError("the token must be text", field="storage_options", hint="use token=")
    if named is not None and token not in (None, named):
        raise CallError("names another token than token=", field="storage_options", hint="leave one of them out")
    return named if token is None else token


def check_switches(**switches: object) -> None:
    """Check arguments that are True or False: a text such as "no" would count as True.

    Raises:
        CallError: one is something else.

    >>> check_switches(streaming=False, deduplicate="no")
    Traceback (most recent call last):
    newsdata.errors.CallError: deduplicate: must be True or False, got 'no'
    """
    for name, value in switches.items():
        if not isinstance(value, bool | np.bool_):
            raise CallError(f"must be True or False, got {value!r:.100}", field=name)


def check_num_proc(num_proc: object, *, streaming: bool) -> None:
    """Check the argument `num_proc` of `load_dataset`.

    Raises:
        CallError: it is no number of workers, or is given for a stream.

    >>> check_num_proc(4, streaming=False)
    """
    if num_proc is None:
        return
    if streaming:
        hint = "leave it out; a DataLoader with num_workers reads a stream in parallel"
        raise CallError("a stream is not prepared", field="num_proc", hint=hint)
    if not isinstance(num_proc, int) or num_proc < 1:
        raise CallError(f"must be at least 1, got {num_proc!r}", field="num_proc")


def wanted_features(every: datasets.Features, columns: Iterable[str] | None) -> datasets.Features:
    """The features of the wanted columns, in the order in which they were asked for.

    Args:
        every: all columns.
        columns: the argument `columns`; None is all.

    Raises:
        CallError: there is no such column, or it is no list.
    """
    import datasets

    if columns is None:
        return every
    names = [] if isinstance(columns, str) or not isinstance(columns, Iterable) else list(columns)
    if not names:
        raise CallError(f"must be a list of columns, got {columns!r}", field="columns", hint='write columns=["title"]')
    unknown = [column for column in names if column not in every]
    if unknown:
        raise CallError(
            f"there is no column {', '.join(map(str, unknown))}", field="columns", hint=f"there are: {', '.join(every)}"
        )
    return datasets.Features({column: every[column] for column in names})
