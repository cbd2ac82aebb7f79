"""New articles that are articles of earlier versions under another name, found by the bytes of their posts.

Where the article id is the path, renaming a file makes a new article. What was decided about the old one must hold for
it, too: else a renamed file could come from `test` into `train`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..schema import SPLITS
from .merge import Articles, PostHashes, members_of

__all__ = ["Former", "find_former"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Former:
    """What the articles were before, one entry for each article.

    Attributes:
        row: the row of the ledger whose decisions hold for the article, because it is that one under another name; -1 for
            all others. int64.
        tested: whether a post has the bytes of a post of an article that was in an old test split; bool.
    """

    row: np.ndarray
    tested: np.ndarray


def find_former(
    articles: Articles,
    posts: PostHashes,
    new: np.ndarray,
    gone: pa.StringArray,
    split: np.ndarray,
    tested: np.ndarray,
) -> Former:
    """For each new article the article that it was before.

    All of its posts must have the bytes of posts of articles that are gone from the archive. If several are gone that had
    these bytes, they must have been in one split, else none of them counts. Those that never were in a split do not count.

    Args:
        articles, posts: of the archive.
        new: the positions of articles that are not in the ledger.
        gone: for each row of the ledger the SHA-256 of the posts that the article had, hexadecimal, with blanks between;
            null if the article is in the archive.
        split: for each row of the ledger the number of the article's first split; another number if it never was in one.
        tested: for each row of the ledger whether the article was in an old test split.
    """
    former = Former(row=np.full(len(articles), -1, np.int64), tested=np.zeros(len(articles), bool))
    decided = tested | ((split >= 0) & (split < len(SPLITS)))
    gone = pc.if_else(pa.array(decided), gone, None)
    if not len(new) or gone.null_count == len(gone):
        return former
    contents, rows = _contents(gone)
    known = contents.unique()
    content = pc.index_in(contents, known).to_numpy(zero_copy_only=False)
    members, starts = members_of(articles, new)
    at = pc.index_in(_hexadecimal(posts.sha256[members]), known).fill_null(-1).to_numpy(zero_copy_only=False)

    # For each content the decisions on the articles that had it: lowest and highest, one of the rows, any of an old test.
    decision = 2 * split.astype(np.int64) + tested
    lowest, highest, row = _extremes(content, decision[rows], rows, len(known))
    old = np.zeros(len(known) + 1, bool)  # the last entry is for contents that no gone article had
    old[content[tested[rows]]] = True

    # The same for each new article, over its posts.
    former.tested[new] = np.logical_or.reduceat(old[at], starts)
    agreed = np.minimum.reduceat(lowest[at], starts) == np.maximum.reduceat(highest[at], starts)
    found = agreed & np.logical_and.reduceat(at >= 0, starts)
    former.row[new[found]] = np.minimum.reduceat(row[at], starts)[found]
    return former


def _contents(gone: pa.StringArray) -> tuple[pa.LargeStringArray, np.ndarray]:
    """The hashes in all rows, one after the other, and the row of each."""
    lists = pc.split_pattern(gone, " ")
    rows = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    return pc.list_flatten(lists).cast(pa.large_string()), rows


def _hexadecimal(sha256: np.ndarray) -> pa.LargeStringArray:
    """Hashes as text, from bytes of shape (hashes, 32)."""
    text = pa.py_buffer(sha256.tobytes().hex().encode())
    offsets = pa.py_buffer(np.arange(len(sha256) + 1, dtype=np.int64) * 64)
    return pa.LargeStringArray.from_buffers(len(sha256), offsets, text)


def _extremes(
    content: np.ndarray, decision: np.ndarray, rows: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each content the lowest and the highest decision and the first row; one more entry at the end is for none."""
    lowest, highest = np.full(count + 1, np.iinfo(np.int64).max), np.full(count + 1, np.iinfo(np.int64).min)
    row = np.full(count + 1, np.iinfo(np.int64).max)
    np.minimum.at(lowest, content, decision)
    np.maximum.at(highest, content, decision)
    np.minimum.at(row, content, rows)
    return lowest, highest, row
