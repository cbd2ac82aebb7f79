"""What scripts/baselines.py measures: one function a task, from rows and cuts to the parts that a score is summed from.

Every model is the simplest of its kind: hashed character n-grams and a linear model. One thread, seeded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import SGDClassifier

__all__ = [
    "CHARS",
    "ENOUGH_TEST",
    "TASKS",
    "Cut",
    "LeftOut",
    "Task",
    "boards",
    "features",
    "fit_linear",
    "guesses",
    "publishers",
    "retrieval",
]

CHARS = 400  # of a text, from its beginning
TOP = 20  # publishers, boards or tags that are told apart: those with the most rows
ENOUGH = 30  # rows with a label, at least, in train and in test together
ENOUGH_TEST = 30  # of them in test, at least: an interval of fewer rows says nothing
QUERIES = 2000  # titles of a test set that are looked up, at most
_AT_ONCE = 256  # titles
_FEATURES = 2**18
_PASSES = 5

Positions = NDArray[np.int64]
Parts = NDArray[np.float64]
"""One row for each tested row; a score is a ratio of sums over its columns."""


class LeftOut(Exception):
    """A task has nothing to learn from: the sentence says what is missing."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Positions of rows to fit on and to test on."""

    train: Positions
    test: Positions


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task over some rows.

    Attributes:
        about: what is asked of the model, one sentence.
        rows: the rows that take part, with the columns `split`, `fold` and `group`. Rows of one group are drawn together
            when intervals are made.
        measures: name -> the score from summed parts.
        parts: for a cut and a seed the positions that were tested, and the parts of each.
        facts: what the labels are, and how many.
    """

    about: str
    rows: pd.DataFrame
    measures: Mapping[str, Callable[[Parts], float]]
    parts: Callable[[Cut, int], tuple[Positions, Parts]]
    facts: Mapping[str, Any]


def features(texts: Sequence[str]) -> sp.csr_matrix:
    """Hashed counts of two and three characters in a row, by their presence; each row has the length 1."""
    vectorizer = HashingVectorizer(
        analyzer="char", ngram_range=(2, 3), n_features=_FEATURES, alternate_sign=False, binary=True, dtype=np.float32
    )
    return vectorizer.transform(texts)


def fit_linear(matrix: sp.csr_matrix, labels: NDArray[Any], seed: int) -> SGDClassifier:
    """A linear classifier, fitted in a fixed number of passes over the rows."""
    model = SGDClassifier(loss="modified_huber", alpha=1e-6, max_iter=_PASSES, tol=None, random_state=seed)
    return model.fit(matrix, labels)


def guesses(matrix: sp.csr_matrix, labels: NDArray[Any], cut: Cut, seed: int, usual: Any) -> tuple[Positions, Parts]:
    """Guess the labels of tested rows: what `Task.parts` gives, of which the columns are right, tested, and labelled `usual`."""
    guessed = fit_linear(matrix[cut.train], labels[cut.train], seed).predict(matrix[cut.test])
    truth = labels[cut.test]
    return cut.test, np.stack([guessed == truth, np.ones(len(truth)), truth == usual], axis=1).astype(float)


def _words(rows: pd.DataFrame) -> list[str]:
    """The text of each row, or else its digest, or else its title."""
    empty = pd.Series("", rows.index)
    words = rows["text"].fillna("")
    for other in ("digest", "title"):
        words = words.where(words != "", rows[other].fillna("") if other in rows else empty)
    return [text[:CHARS] for text in words]


def _with_words(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that have a text, a digest or a title."""
    return rows[np.array([text != "" for text in _words(rows)], bool)]


def _share(parts: Parts) -> float:
    return float(parts[0] / parts[1])


# -------------------------------------------------------------------------------------------------- publisher


def publishers(rows: pd.DataFrame) -> Task:
    """Which publisher an article is from, by its text."""
    rows = _with_words(rows)
    names = rows["publisher"].fillna("")
    common = _most_common(names[(rows["split"] == "train") & (names != "")])
    rows = rows[names.isin(common)].reset_index(drop=True)
    _check(rows, "a text and a publisher")
    labels = rows["publisher"].map(common.index).to_numpy()
    matrix = features(_words(rows))

    def parts(cut: Cut, seed: int) -> tuple[Positions, Parts]:
        _two_classes(labels[cut.train])
        return guesses(matrix, labels, cut, seed, np.bincount(labels[cut.train]).argmax())

    return Task(
        about="the publisher of an article, from the beginning of its text",
        rows=rows,
        measures={"accuracy": _share, "accuracy of the most frequent one": lambda sums: float(sums[2] / sums[1])},
        parts=parts,
        facts={"classes": len(common)},
    )


def _most_common(names: pd.Series[Any]) -> list[str]:
    counts = Counter(names)
    return sorted(counts, key=lambda name: (-counts[name], name))[:TOP]


def _check(rows: pd.DataFrame, what: str) -> None:
    """Raise a `LeftOut` unless there are enough rows on both sides."""
    counts = rows["split"].value_counts()
    if len(rows) < ENOUGH or counts.get("train", 0) < 2 or counts.get("test", 0) < ENOUGH_TEST:
        raise LeftOut(
            f"too few rows have {what}: {counts.get('train', 0):,} of train, {counts.get('test', 0):,} of test"
        )


def _two_classes(labels: NDArray[Any]) -> None:
    if len(np.unique(labels)) < 2:
        raise LeftOut("all rows to learn from have the same label")


# -------------------------------------------------------------------------------------------------- retrieval


def retrieval(rows: pd.DataFrame) -> Task:
    """Which text of the tested ones belongs to a title."""
    title, text = rows["title"].fillna(""), rows["text"].fillna("")
    rows = rows[(title != "") & (text != "")].reset_index(drop=True)
    _check(rows, "a title and a text")
    # A text is harder to find among more: every cut is tested on as many.
    pool = min(int((rows["split"] == "test").sum()), int(rows["fold"].value_counts().min()))
    titles = features([title[:CHARS] for title in rows["title"]])
    texts = features(_words(rows))

    def parts(cut: Cut, seed: int) -> tuple[Positions, Parts]:
        weights = TfidfTransformer().fit(texts[cut.train])
        rng = np.random.default_rng(seed)
        tested = np.sort(rng.choice(cut.test, pool, replace=False)) if len(cut.test) > pool else cut.test
        asked = np.arange(len(tested))
        if len(asked) > QUERIES:
            asked = np.sort(rng.choice(asked, QUERIES, replace=False))
        found = weights.transform(texts[tested]).T.tocsr()
        wanted = weights.transform(titles[tested[asked]])
        ranks = [
            _ranks(wanted[b : b + _AT_ONCE] @ found, asked[b : b + _AT_ONCE]) for b in range(0, len(asked), _AT_ONCE)
        ]
        rank = np.concatenate(ranks)
        ones = np.ones(len(rank))
        return tested[asked], np.stack([1 / rank, ones, rank <= 1, rank <= 10], axis=1).astype(float)

    return Task(
        about=f"the text that belongs to a title, among {pool:,} tested texts in every cut; at most {QUERIES:,} titles",
        rows=rows,
        measures={
            "MRR": _share,
            "recall@1": lambda sums: float(sums[2] / sums[1]),
            "recall@10": lambda sums: float(sums[3] / sums[1]),
        },
        parts=parts,
        facts={},
    )


def _ranks(scores: sp.csr_matrix, own: Positions) -> NDArray[np.float64]:
    """The rank of each title's own text, from 1; texts that score the same share the mean of their ranks."""
    # Sums of float32 in another order differ in their last digits: equal texts must score the same.
    dense = np.round(scores.toarray(), 5)
    mine = dense[np.arange(len(own)), own][:, None]
    rank: NDArray[np.float64] = 1 + (dense > mine).sum(axis=1) + ((dense == mine).sum(axis=1) - 1) / 2
    return rank


# ----------------------------------------------------------------------------------------------------- boards


def boards(rows: pd.DataFrame) -> Task:
    """Which boards, or else tags or categories, an article has."""
    rows = _with_words(rows)
    for name, labels in (
        ("boards", rows["mentions"].map(_board_codes)),
        ("tags", rows["tags"].map(_strings)),
        ("categories", rows["categories"].map(_strings)),
    ):
        # An article without any mention was perhaps never annotated; one without tags was perhaps never tagged.
        known = rows["mentions"].map(_strings).map(bool) if name == "boards" else labels.map(bool)
        common = _most_common(labels[known & (rows["split"] == "train")].explode().dropna())
        if len(common) > 1:
            return _tagging(rows[known].reset_index(drop=True), labels[known].tolist(), common, name)
    raise LeftOut("no article of train has a mention of a board, and there are no tags or categories to tell apart")


def _tagging(rows: pd.DataFrame, labels: Sequence[Sequence[str]], common: Sequence[str], name: str) -> Task:
    _check(rows, f"a text and {name}")
    matrix = features(_words(rows))
    truth = np.array([[label in some for label in common] for some in map(set, labels)])

    def parts(cut: Cut, seed: int) -> tuple[Positions, Parts]:
        right, false, missed = (np.zeros(len(cut.test)) for _ in range(3))
        for column in truth.T:
            known, wanted = column[cut.train], column[cut.test]
            if known.any() and not known.all():
                model = fit_linear(matrix[cut.train], known, seed)
                guessed = model.predict(matrix[cut.test]).astype(bool)
            else:
                guessed = np.full(len(wanted), bool(known.all()))
            right += guessed & wanted
            false += guessed & ~wanted
            missed += ~guessed & wanted
        return cut.test, np.stack([right, false, missed], axis=1)

    return Task(
        about=f"the {name} of an article, from the beginning of its text; it can have several",
        rows=rows,
        measures={"micro-F1": lambda sums: float(2 * sums[0] / max(2 * sums[0] + sums[1] + sums[2], 1))},
        parts=parts,
        facts={"labels": name, "classes": len(common)},
    )


def _strings(value: Any) -> list[Any]:
    return [] if value is None or isinstance(value, float) else list(value)


def _board_codes(mentions: Any) -> list[str]:
    found = [mention for mention in _strings(mentions) if mention["kind"] == "board"]
    return sorted({str(mention["code"] or mention["text"]) for mention in found})


TASKS: Mapping[str, Callable[[pd.DataFrame], Task]] = {
    "publisher": publishers,
    "headline retrieval": retrieval,
    "board tagging": boards,
}
"""Name -> the task over the rows of train and test."""
