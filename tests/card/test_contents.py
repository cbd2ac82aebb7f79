from __future__ import annotations

import dataclasses

import pytest

from newsdata.card.contents import configs_of, content_digest, count_rows, days_of, splits_of
from newsdata.storage.manifest import Manifest, holds_text

from .small_version import build_version


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return build_version(tmp_path_factory.mktemp("version"))


def test_configs_and_splits_with_rows_in_the_order_of_the_schema(manifest: Manifest) -> None:
    shuffled = dataclasses.replace(manifest, shards=manifest.shards[::-1])
    assert configs_of(shuffled) == ["articles", "posts", "rejects"]
    assert splits_of(shuffled, "articles") == ["train", "test"]
    assert splits_of(shuffled, "excluded") == []


def test_rows(manifest: Manifest) -> None:
    counts = [count_rows(manifest, "articles", split) for split in ("train", "validation", "test")]
    assert counts == [8, 0, 3] and count_rows(manifest, "articles") == 11


def test_days(manifest: Manifest) -> None:
    assert days_of(manifest, "train") == ("2021-12-05", "2022-01-02")
    assert days_of(manifest, "validation") is None
    undated = dataclasses.replace(manifest, accounting={"dates_by_split": {"train": [None, None]}})
    assert days_of(undated, "train") is None


def test_text(manifest: Manifest) -> None:
    assert holds_text(manifest)
    assert not holds_text(dataclasses.replace(manifest, configuration={"text": "none"}))


def test_the_digest_follows_the_rows_and_their_shards(manifest: Manifest) -> None:
    first = manifest.shards[0]
    other = dataclasses.replace(manifest, shards=(dataclasses.replace(first, digest="0"), *manifest.shards[1:]))
    rewritten = dataclasses.replace(manifest, shards=(dataclasses.replace(first, sha256="0"), *manifest.shards[1:]))
    assert content_digest(rewritten) == content_digest(manifest) != content_digest(other)
    assert content_digest(other, "posts") == content_digest(manifest, "posts") != content_digest(manifest, "articles")
    assert len(content_digest(manifest)) == 32
