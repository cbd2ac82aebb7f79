"""What several modules of this room share. A module may have its own of the same name instead."""

from __future__ import annotations

import pytest

from newsdata.building import shard_plan

from .test_executors import two_versions
from .test_killed import Undisturbed, undisturbed

SHARD_ROWS = 8


@pytest.fixture
def several_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Months of these tests have several shards."""
    monkeypatch.setattr(shard_plan, "SHARD_ROWS", SHARD_ROWS)


@pytest.fixture(scope="session")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The bytes of `two_versions` with several shards, as two workers on this machine make them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shard_plan, "SHARD_ROWS", SHARD_ROWS)
        return two_versions(tmp_path_factory.mktemp("expected"), num_proc=2)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """An archive of 3,000 posts, and its version as this machine makes it."""
    return undisturbed(tmp_path_factory.mktemp("small"), posts=3000, days=300)
