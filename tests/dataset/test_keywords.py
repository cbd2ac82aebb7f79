"""Arguments that people write who know `datasets`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import newsdata
from newsdata.dataset.keywords import check_keywords
from newsdata.errors import CallError


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ({"data_files": "*.parquet"}, "data_files: newsdata does not take this argument; give the folder of versions"),
        ({"data_dir": "articles"}, "data_dir: .*the split as split="),
        ({"trust_remote_code": True}, "trust_remote_code: .*no code is run"),
        ({"verification_mode": "no_checks"}, "verification_mode: .*every file is checked"),
        ({"features": {}}, "features: .*cast_column"),
        ({"save_infos": True}, "save_infos: .*newsdata.info"),
        ({"use_auth_token": "hf_x"}, "use_auth_token: .*use token="),
        ({"storage_options": {"anon": True}}, "storage_options: datasets are loaded from folders, buckets and the Hub"),
        ({"storage_options": {"token": "a"}, "token": "b"}, "storage_options: names another token than token="),
        ({"storage_options": {"token": 7}}, "storage_options: the token must be text"),
        ({"storage_options": "hf_x"}, "storage_options: must be a dictionary"),
        ({"splti": "train"}, r"splti: there is no such argument; did you mean split=\?"),
        ({"dedupliacte": True}, r"did you mean deduplicate=\?"),
        ({"xyzzy": 1}, "xyzzy: there is no such argument; there are: split, revision"),
    ],
)
def test_what_is_not_taken_is_refused(demo: Path, others: dict[str, Any], said: str) -> None:
    for load in (newsdata.load_dataset, newsdata.load_pandas):
        with pytest.raises(CallError, match=said):
            load(demo, **others)


def test_storage_options_may_hold_the_token(demo: Path) -> None:
    for options in ({}, {"token": "hf_x"}, None):
        assert len(newsdata.load_dataset(demo, split="train", storage_options=options)) == 29


def test_arguments_by_position(demo: Path) -> None:
    with pytest.raises(CallError, match=r"only path and name may stand without a name, got 'train', too; .*split"):
        newsdata.load_dataset(demo, "articles", "train")
    with pytest.raises(CallError, match="only path and name"):
        newsdata.load_pandas(demo, "articles", None, None)


def test_what_a_frame_needs_not(demo: Path) -> None:
    options: dict[str, Any]
    for options in ({"streaming": True}, {"num_proc": 2}, {"keep_in_memory": True}):
        with pytest.raises(CallError, match=f"{next(iter(options))}: newsdata does not take"):
            newsdata.load_pandas(demo, **options)


def test_every_argument_of_datasets_is_taken_or_has_a_hint() -> None:
    from inspect import signature

    import datasets

    ours = signature(newsdata.load_dataset).parameters
    for name in signature(datasets.load_dataset).parameters:
        if name not in (*ours, "config_kwargs"):
            with pytest.raises(CallError, match="newsdata does not take this argument; "):
                check_keywords(newsdata.load_dataset, [], {name: None})
