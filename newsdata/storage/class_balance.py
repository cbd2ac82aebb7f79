"""`classes` in `Manifest.statistics`: how many articles of each split a publisher or a category has.

A manifest stays small whatever an archive says: it names the largest classes, and the largest of those that `test` has and
`train` has not. All others are added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["CLASS_NOUNS", "ClassCounts", "balance_faults", "class_balance"]

CLASS_NOUNS: Mapping[str, str] = {"publisher": "publishers", "category": "categories"}
"""What classes are counted of, and several of them."""

ClassCounts = Sequence[tuple[str | None, int]]
"""Classes and their articles; None stands for articles without one."""

_NAMED = 10  # of the largest classes, and of those that train has not


def class_balance(by_split: Mapping[str, ClassCounts]) -> dict[str, Any] | None:
    """The articles of each class by split; None if no article has a class.

    Args:
        by_split: split -> its classes, each once; in the order of the splits.

    Returns:
        `names`, the number of classes; `top`, the classes with the most articles in train and test, each with its `name` and
        its `articles` by split; `others` and `none`, by split, the articles of all other classes and of no class; `unseen`,
        the classes of test that train has not: their number (`names`), their `articles` in test, and the `top` ones.

    >>> found = class_balance({"train": [("a", 2), (None, 1)], "test": [("a", 1), ("b", 4)]})
    >>> found["top"]
    [{'name': 'b', 'articles': {'train': 0, 'test': 4}}, {'name': 'a', 'articles': {'train': 2, 'test': 1}}]
    >>> found["none"], found["unseen"]
    ({'train': 1, 'test': 0}, {'names': 1, 'articles': 4, 'top': [{'name': 'b', 'articles': 4}]})
    """
    counts = {split: dict(some) for split, some in by_split.items()}
    weight: Counter[str] = Counter()
    for split, some in counts.items():
        for name, count in some.items():
            if name is not None:
                weight[name] += count if split in ("train", "test") else 0
    if not weight:
        return None
    top = sorted(weight, key=lambda name: (-weight[name], name))[:_NAMED]
    unseen = _unseen(counts)
    return {
        "names": len(weight),
        "top": [{"name": name, "articles": _articles(counts, name)} for name in top],
        "others": {split: _others(some, top) for split, some in counts.items()},
        "none": _articles(counts, None),
        "unseen": {
            "names": len(unseen),
            "articles": sum(unseen.values()),
            "top": [
                {"name": name, "articles": count}
                for name, count in sorted(unseen.items(), key=lambda pair: (-pair[1], pair[0]))[:_NAMED]
            ],
        },
    }


def balance_faults(said: Mapping[str, Any], by_split: Mapping[str, ClassCounts]) -> Iterator[str]:
    """Which parts of `said`, as `class_balance` gives it, are not what the rows give; with its own names and splits.

    >>> rows = {"train": [("a", 2)], "test": [("b", 1)]}
    >>> [*balance_faults(class_balance(rows), rows)], [*balance_faults(class_balance(rows), {"train": [("a", 2)]})]
    ([], ['names', 'top', 'unseen'])
    """
    counts = {split: dict(some) for split, some in by_split.items()}
    top = [entry["name"] for entry in said["top"]]
    unseen = _unseen(counts)
    named = {entry["name"]: entry["articles"] for entry in said["unseen"]["top"]}
    found = {
        "names": said["names"] == len({name for some in counts.values() for name in some if name is not None}),
        "top": all(_same(entry["articles"], _articles(counts, entry["name"])) for entry in said["top"]),
        "others": _same(said["others"], {split: _others(some, top) for split, some in counts.items()}),
        "none": _same(said["none"], _articles(counts, None)),
        "unseen": (said["unseen"]["names"], said["unseen"]["articles"]) == (len(unseen), sum(unseen.values()))
        and all(unseen.get(name) == count for name, count in named.items()),
    }
    return (part for part, right in found.items() if not right)


def _articles(counts: Mapping[str, Mapping[str | None, int]], name: str | None) -> dict[str, int]:
    return {split: some.get(name, 0) for split, some in counts.items()}


def _others(some: Mapping[str | None, int], top: Sequence[str]) -> int:
    return sum(some.values()) - some.get(None, 0) - sum(some.get(name, 0) for name in {*top})


def _unseen(counts: Mapping[str, Mapping[str | None, int]]) -> dict[str, int]:
    """The classes of test that train has not, and their articles in test."""
    known = counts.get("train", {})
    return {name: count for name, count in counts.get("test", {}).items() if name is not None and name not in known}


def _same(said: Mapping[str, int], found: Mapping[str, int]) -> bool:
    return all(said.get(split, 0) == found.get(split, 0) for split in said.keys() | found.keys())
