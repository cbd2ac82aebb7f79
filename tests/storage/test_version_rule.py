from __future__ import annotations

from typing import Any

import pytest

from newsdata.errors import VersionError
from newsdata.storage.row_changes import Change
from newsdata.storage.version_rule import bump, highest, next_version


def change(config: str, kind: str, old: str | None, new: str | None) -> Change:
    return Change(config=config, key="1", kind=kind, old=old, new=new)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize(("kind", "new"), [("changed", None), ("removed", None), ("moved", "excluded")])
def test_what_happens_to_rows_of_a_frozen_split_is_major(split: str, kind: str, new: str | None) -> None:
    level, reasons = bump([change("articles", kind, split, new)], [], [], [], {})
    words = f"rows moved from {split} to excluded" if kind == "moved" else f"rows of {split} {kind}"
    assert (level, reasons) == ("major", (f"1 {words}",))


@pytest.mark.parametrize("split", ["newer", "excluded"])
@pytest.mark.parametrize("kind", ["changed", "removed"])
def test_rows_of_other_splits_are_minor(split: str, kind: str) -> None:
    assert bump([change("articles", kind, split, None)], [], [], [], {}) == ("minor", (f"1 rows of {split} {kind}",))


@pytest.mark.parametrize("split", ["train", "validation", "test", "newer", "excluded"])
def test_added_rows_are_minor_in_every_split(split: str) -> None:
    assert bump([change("articles", "added", None, split)], [], [], [], {}) == ("minor", (f"1 rows added to {split}",))


@pytest.mark.parametrize("config", ["posts", "rejects"])
@pytest.mark.parametrize("kind", ["added", "changed", "removed"])
def test_posts_and_rejects_are_minor(config: str, kind: str) -> None:
    assert bump([change(config, kind, config, config)], [], [], [], {}) == ("minor", (f"1 rows of {config} {kind}",))


def test_moved_files_are_a_patch() -> None:
    assert bump([change("posts", "moved", "posts", "posts")] * 2, [], [], [], {}) == ("patch", ("2 files moved",))


def test_columns() -> None:
    assert bump([], ["articles.a"], [], [], {}) == ("minor", ("column articles.a added",))
    assert bump([], [], ["articles.a"], [], {}) == ("major", ("column articles.a removed",))
    assert bump([], [], [], ["articles.a"], {}) == ("major", ("column articles.a has another type",))


@pytest.mark.parametrize(
    ("setting", "level"),
    [("test_from", "major"), ("gap_days", "major"), ("dedup_version", "major"), ("timezone", "major"), ("card", None)],
)
def test_settings(setting: str, level: str | None) -> None:
    settings: dict[str, tuple[Any, Any]] = {setting: ("a", "b")}
    asked, reasons = bump([], [], [], [], settings)
    assert asked == level
    assert [reason.rsplit(": ", 1)[-1] for reason in reasons] == ([f"{setting} is b, was a"] if level else [])


def test_the_highest_level_counts_and_its_reasons_come_first() -> None:
    changes = [
        change("posts", "moved", "posts", "posts"),
        change("posts", "added", None, "posts"),
        change("articles", "added", None, "newer"),
        change("articles", "added", None, "newer"),
        change("articles", "removed", "test", None),
    ]
    assert bump(changes, ["articles.a"], [], [], {}) == (
        "major",
        (
            "1 rows of test removed",
            "2 rows added to newer",
            "1 rows of posts added",
            "column articles.a added",
            "1 files moved",
        ),
    )


def test_nothing_asks_for_nothing() -> None:
    assert bump([], [], [], [], {}) == (None, ())
    assert highest() is None and highest(None, None) is None
    assert highest("minor", "major", None) == "major"


def test_next_version() -> None:
    assert [next_version("1.9.3", level) for level in ("major", "minor", "patch")] == ["2.0.0", "1.10.0", "1.9.4"]
    with pytest.raises(VersionError):
        next_version("1.9", "patch")
