"""Rows of a version in a private repository, loaded by a client that has no token of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import newsdata

from ..hub_client import Client, Failed
from ..hub_server import OWNER, Hub
from .published import put

NEWS = "lab/news"


@pytest.fixture(scope="module")
def stranger(running: Hub, demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client without a token."""
    put(running, NEWS, demo / "1.0.0")
    with Client(running, tmp_path_factory.mktemp("no-token"), token=None) as client:
        yield client


def downloaded(hub: Hub) -> set[str]:
    """The shards that were asked for since the log was emptied."""
    return {line.path.rpartition("/")[2] for line in hub.requests(r"^GET /datasets/.*/resolve/.*\.parquet")}


def titles(demo: Path, **options: Any) -> list[str]:
    return newsdata.load_pandas(demo, split="train", **options).title.tolist()


def test_a_token_alone_opens_a_private_repository(hub: Hub, stranger: Client, demo: Path) -> None:
    ways: tuple[tuple[str, dict[str, Any]], ...] = (
        ("dataset.load.load_pandas", {}),
        ("dataset.load.load_dataset", {}),
        ("dataset.load.load_dataset", {"streaming": True}),
        ("dataset.load.load_dataset", {"streaming": True, "split": "train[1:3]"}),
        ("dataset.load.load_dataset", {"streaming": True, "deduplicate": True}),
    )
    for function, options in ways:
        asked = {"split": "train", "columns": ["title"], **options}
        with pytest.raises(Failed, match="no such dataset repository, or this token may not see it"):
            stranger(function, NEWS, **asked)
        found = stranger(function, f"hf://datasets/{NEWS}@v1.0.0", token=OWNER, **asked)
        wanted = newsdata.load_dataset(demo, **{**asked, "streaming": False})
        assert found == list(wanted), (function, options)


def test_only_shards_of_the_period_are_fetched(hub: Hub, stranger: Client, demo: Path, tmp_path: Path) -> None:
    month = {"since": "2022-03-01", "until": "2022-04-01"}
    asked: dict[str, Any] = {"token": OWNER, "cache_dir": tmp_path, "split": "train", **month}
    found = stranger("dataset.load.load_dataset", NEWS, **asked)
    assert [row["title"] for row in found] == titles(demo, **month) != []
    assert downloaded(hub) == {"train-2022-03-00000.parquet"}
    hub.log.clear()
    found = stranger("dataset.load.load_dataset", NEWS, streaming=True, **asked)
    assert [row["title"] for row in found] == titles(demo, **month)
    assert downloaded(hub) == {"train-2022-03-00000.parquet"}
    assert {path.name for path in tmp_path.rglob("*.parquet")} == {"train-2022-03-00000.parquet"}
