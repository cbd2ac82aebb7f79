"""Classes in an order that follows from train alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest

import newsdata
from newsdata.errors import CallError


def test_classes_are_those_of_train_by_count_and_name(demo: Path) -> None:
    publishers = [one for one in newsdata.load_dataset(demo, split="train")["publisher"] if one is not None]
    counts = Counter(publishers)
    labels = newsdata.class_labels(demo, "publisher")
    assert isinstance(labels, datasets.ClassLabel)
    assert labels.names[-1] == "(other)" and set(labels.names[:-1]) == set(counts)
    order = [(-counts[name], name) for name in labels.names[:-1]]
    assert order == sorted(order) and len({count for count, _ in order}) > 1
    assert newsdata.class_labels(demo, "publisher", top=3, rest="else").names == [*labels.names[:3], "else"]


def test_names_can_be_merged_before_they_are_counted(demo: Path) -> None:
    plain, merged = (
        newsdata.class_labels(demo, "publisher", rename=rename).names for rename in (None, newsdata.publisher_name)
    )
    assert {"NuveTech", "Nuvetech"} <= set(plain) and set(plain) - set(merged) == {"Nuvetech"}


def test_a_value_of_a_list_counts_once_a_row(demo: Path) -> None:
    train = newsdata.load_dataset(demo, split="train")
    counts = Counter(tag for tags in train["tags"] for tag in set(tags or ()))
    labels = newsdata.class_labels(demo, "tags", top=4)
    assert labels.names == [*sorted(counts, key=lambda tag: (-counts[tag], tag))[:4], "(other)"]
    doubled = newsdata.class_labels(demo, "tags", rename=lambda tag: "one")
    assert doubled.names == ["one", "(other)"]


def test_a_column_is_cast(demo: Path) -> None:
    """As docs/research.md shows it; also values of a split that train does not have, and nulls."""
    labels = newsdata.class_labels(demo, "publisher", top=2)
    known = set(labels.names)

    def named(row: dict[str, Any]) -> dict[str, Any]:
        name = row["publisher"]
        return {"label": name if name is None or name in known else labels.names[-1]}

    for split in ("train", "test"):
        rows = newsdata.load_dataset(demo, split=split, columns=["publisher"]).map(named)
        cast = rows.cast_column("label", labels)
        assert cast.features["label"].names == labels.names
        for row in cast:
            expected = (
                None if row["publisher"] is None else row["publisher"] if row["publisher"] in known else "(other)"
            )
            assert (None if row["label"] is None else labels.int2str(row["label"])) == expected


def test_several_labels_a_row(demo: Path) -> None:
    labels = newsdata.class_labels(demo, "tags", top=3)
    for split in ("train", "validation"):
        tags = newsdata.load_dataset(demo, split=split)["tags"]
        matrix = newsdata.multi_hot(tags, labels)
        assert matrix.shape == (len(tags), 4) and matrix.dtype == np.uint8
        for row, own in zip(matrix, tags, strict=True):
            expected = {tag if tag in labels.names[:-1] else "(other)" for tag in own or ()}
            assert {labels.names[at] for at in np.flatnonzero(row)} == expected
    assert newsdata.multi_hot([], labels).shape == (0, 4)


def test_a_version_without_text_has_the_rest_only(tmp_path: Path) -> None:
    from ..conftest import many_posts, write_archive

    newsdata.build(write_archive(tmp_path / "archive", many_posts(4)), tmp_path / "out", num_proc=1, text="none")
    assert newsdata.class_labels(tmp_path / "out", "publisher").names == ["(other)"]


@pytest.mark.parametrize(
    ("column", "options", "message"),
    [
        ("nothing", {}, "column: there are no texts in a column 'nothing'; there are: article_id"),
        ("mentions", {}, "column: there are no texts in a column 'mentions'"),
        ("num_chars", {}, "column: there are no texts in a column 'num_chars'"),
        ("publisher", {"top": 0}, "top: must be a positive number, got 0"),
        ("publisher", {"top": True}, "top: must be a positive number, got True"),
    ],
)
def test_wrong_calls(demo: Path, column: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CallError, match=message):
        newsdata.class_labels(demo, column, **options)


def test_rows_of_pandas_have_several_labels() -> None:
    labels = datasets.ClassLabel(names=["a", "b", "(other)"])
    rows: list[Any] = [np.array(["a", "b"]), np.array([], object), float("nan"), None, pd.NA, ("b", "c"), {"a"}]
    expected = [[1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0], [0, 1, 1], [1, 0, 0]]
    assert newsdata.multi_hot(rows, labels).tolist() == expected
    assert newsdata.multi_hot(pd.Series(rows[:6]), labels).tolist() == expected[:6]


@pytest.mark.parametrize("row", ["abc", b"abc", 5, 1.5, [None], [1], {"a": 1}])
def test_a_row_that_is_no_list_of_texts_is_refused(row: Any) -> None:
    with pytest.raises(CallError, match=r"values: row 1 must be a list of texts, got .*; give a list of texts"):
        newsdata.multi_hot([["a"], row], datasets.ClassLabel(names=["a", "(other)"]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rename": lambda text: None}, "rename: must give a text for .*, gave None"),
        ({"rename": lambda text: 5}, "rename: must give a text for .*, gave 5"),
        ({"rename": 5}, "rename: must be a function, got 5"),
        ({"rest": None}, "rest: must be text, got None"),
        ({"top": np.float64(3)}, "top: must be a positive number"),
    ],
)
def test_wrong_arguments(demo: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(CallError, match=message):
        newsdata.class_labels(demo, "publisher", **options)


def test_a_number_of_numpy_is_a_number(demo: Path) -> None:
    names = newsdata.class_labels(demo, "publisher", top=np.int64(3)).names  # type: ignore[arg-type]
    assert names == newsdata.class_labels(demo, "publisher", top=3).names
