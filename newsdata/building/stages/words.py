"""The words by which articles are compared, read from the spool. See `storage.spool` for places and roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ...curation.merge import Articles
from ...graph.task import StoredFile
from ...storage.spool import SPOOL_BATCH, Spool

__all__ = ["COMPARED", "WORDS", "Places", "open_spool", "places_of", "spool_files_of", "spool_places", "texts_of"]

WORDS = ("text", "digest", "title")
"""The roles whose words are compared: the text of an article, or its digest, or its title."""
COMPARED = (*WORDS, "url", "labels")
"""The roles that a signature depends on."""


def spool_places(positions: np.ndarray, rows_before: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places of posts in the spool: for each post the number of the file and the row in it.

    Args:
        positions: of the posts among all posts.
        rows_before: see `Parsed.rows_before`.

    >>> file, row = spool_places(np.array([0, 4]), np.array([0, 3, 5]))
    >>> file.tolist(), row.tolist()
    ([0, 1], [0, 1])
    """
    file = np.searchsorted(rows_before, positions, side="right") - 1
    return file, positions - rows_before[file]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The places of the posts that give some articles their columns.

    Attributes:
        roles: role -> (file numbers, rows), with one entry for each article.
    """

    roles: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def __len__(self) -> int:
        """The number of articles."""
        return len(self.roles["text"][0])

    def some(self, positions: np.ndarray) -> Places:
        """The places of the articles at these positions."""
        return Places(roles={role: (file[positions], row[positions]) for role, (file, row) in self.roles.items()})


def places_of(articles: Articles, chosen: np.ndarray, rows_before: np.ndarray, roles: Sequence[str]) -> Places:
    """The places of the posts that give the chosen articles (by position) the columns of some roles."""
    return Places(roles={role: spool_places(getattr(articles, role)[chosen], rows_before) for role in roles})


def spool_files_of(
    spool: Sequence[StoredFile], places: Sequence[tuple[np.ndarray, np.ndarray]]
) -> dict[int, StoredFile]:
    """The spool files that hold some places, by number: the only ones that a task needs.

    Args:
        spool: all spool files.
        places: (file numbers, rows), as often as there are roles.
    """
    numbers = np.unique(np.concatenate([np.zeros(0, np.int64), *(file for file, _ in places)]))
    return {number: spool[number] for number in numbers.tolist()}


def open_spool(files: Mapping[int, StoredFile]) -> Spool:
    """Open spool files by number, after they were compared with their checksums.

    Raises:
        MachineError: a file is missing or changed.
    """
    return Spool(files={number: stored.checked() for number, stored in files.items()})


def texts_of(spool: Spool, places: Places) -> Iterator[list[str]]:
    """The words by which articles are compared, in batches: the text; if it is empty the digest, else the title."""
    for begin in range(0, len(places), SPOOL_BATCH):
        yield _texts(spool, places.some(np.arange(begin, min(begin + SPOOL_BATCH, len(places)))))


def _texts(spool: Spool, places: Places) -> list[str]:
    texts: list[str] = spool.take(*places.roles["text"], ["text"])["text"].to_pylist()
    empty = np.flatnonzero([not words for words in texts])
    if len(empty):
        rest = places.some(empty)
        digests = spool.take(*rest.roles["digest"], ["digest"])["digest"].to_pylist()
        titles = spool.take(*rest.roles["title"], ["title"])["title"].to_pylist()
        for at, lead, head in zip(empty.tolist(), digests, titles, strict=True):
            texts[at] = lead or head or ""
    return texts
