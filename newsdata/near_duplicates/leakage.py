"""How much of one set of articles is also in another: counted by verified pairs, and by passages of 50 units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from .digests import near_digests
from .pairs import CONTAINED, OTHER_STORIES, Pairs
from .signatures import SIGNATURE_SCHEMA, open_signatures

__all__ = ["Evidence", "gather", "leaked", "passage_coverage"]

_SORTED_AT_ONCE = 1 << 20  # passages: 30 MB

_Mask = NDArray[np.bool_]  # one entry for each article


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What leaks are counted from. Articles are given by their position.

    Attributes:
        left, right: the two articles of each pair.
        jaccard, containment: similarities of each pair, from 0 to 1; 1 for articles with the same address, 0 where the
            texts were not compared, and where they are similar but tell two stories.
        similar: for each pair whether its texts are similar but tell two stories.
        sizes: for each article the number of its rare shingles.
        digests, texts: for each article the hash of its digest and of its text; 0 if it is short or missing.
        near: the two articles of each pair whose digests are nearly the same; see `near_digests`.
        files: the signature files, which hold the passages. A passage is 50 units in a row. One in 64, chosen by its hash,
            is kept: about 200 bytes for an article of 1,500 characters.
        owners: for each file the article of each of its rows.
    """

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    jaccard: NDArray[np.float32]
    containment: NDArray[np.float32]
    similar: NDArray[np.bool_]
    sizes: NDArray[np.int32]
    digests: NDArray[np.uint64]
    texts: NDArray[np.uint64]
    near: tuple[NDArray[np.int64], NDArray[np.int64]]
    files: Sequence[Path]
    owners: Sequence[NDArray[np.int32]]


def gather(pairs: Pairs, files: Sequence[Path], article_ids: pa.Array) -> Evidence:
    """Look up the articles of pairs and signature files, once for any number of splits.

    Args:
        pairs: from `match`.
        files: the signature files of these articles.
        article_ids: every article, each once; positions are counted in this order.
    """
    names = [*pairs.table["left"].chunks, *pairs.table["right"].chunks]
    ends = [2 * pairs.table.num_rows]
    columns: dict[str, list[NDArray[Any]]] = {"rare": [], "digest": [], "exact": []}
    for path in files:
        rows = open_signatures(path, ["article_id", *columns])
        names.append(rows["article_id"].chunk(0).take(pa.array(np.arange(rows.num_rows))))  # copied
        ends.append(ends[-1] + len(names[-1]))
        for name, parts in columns.items():
            parts.append(rows[name].to_numpy().copy())  # so that the file does not stay mapped
    at = pc.index_in(pa.chunked_array(names, pa.string()), value_set=article_ids).to_numpy().astype(np.int32)
    both, *owners = np.split(at, ends)[:-1]
    left, right = np.split(both.astype(np.int64), 2)
    unknown = np.where(pc.equal(pairs.table["rule"], "url").to_numpy(), np.float32(1), np.float32(0))
    similar = pc.is_in(pairs.table["rule"], pa.array(OTHER_STORIES)).to_numpy()

    def known(name: str) -> NDArray[np.float32]:
        values: NDArray[np.float32] = pairs.table[name].to_numpy()
        return np.where(np.isnan(values) | similar, unknown, values)

    def of_article(name: str) -> NDArray[Any]:
        values = np.zeros(len(article_ids), SIGNATURE_SCHEMA.field(name).type.to_pandas_dtype())
        for owner, part in zip(owners, columns[name], strict=True):
            values[owner] = part
        return values

    return Evidence(
        left=left,
        right=right,
        jaccard=known("jaccard"),
        containment=known("containment"),
        similar=similar,
        sizes=of_article("rare"),
        digests=of_article("digest"),
        texts=of_article("exact"),
        near=near_digests(files, owners),
        files=files,
        owners=owners,
    )


def leaked(evidence: Evidence, seen: _Mask, tested: _Mask) -> dict[str, int]:
    """How many of the `tested` articles have a copy among the `seen` ones, by the pairs that were found.

    Args:
        evidence: from `gather`.
        seen: for each article whether it is in the earlier split (train).
        tested: for each article whether it is in the later split (test); no article is in both.

    Returns:
        The number of tested articles that a seen one gives away in any way (`leak_any`): by any pair, or a digest. And of
        those with a copy whose Jaccard similarity is at least .5 (`leak_j50`) or .8 (`leak_j80`), or whose containment is at
        least .8 (`leak_c80`); whose text is similar to a seen one that tells another story (`similar`); whose digest is also
        the digest or the text of a seen one, or whose text is the digest of one (`same_digest`); that stand inside a seen one
        of whatever length (`contained`), and inside which a seen one stands (`contains`).

    >>> from .pairs import PAIR_SCHEMA
    >>> row = {"left": "a", "right": "b", "rule": "jaccard", "jaccard": 0.6, "containment": 0.9}
    >>> pairs = Pairs(table=pa.Table.from_pylist([row], PAIR_SCHEMA), report={})
    >>> found = leaked(gather(pairs, [], pa.array(["a", "b"])), np.array([False, True]), np.array([True, False]))
    >>> found["leak_any"], found["leak_j50"], found["leak_j80"], found["leak_c80"], found["similar"]
    (1, 1, 0, 1, 0)
    """
    ways = {
        "leak_any": np.ones(len(evidence.left), np.bool_),
        "leak_j50": evidence.jaccard >= 0.5,
        "leak_j80": evidence.jaccard >= 0.8,
        "leak_c80": evidence.containment >= 0.8,
        "similar": evidence.similar,
    }
    left, right = evidence.left, evidence.right
    found = {name: _reached((left[mask], right[mask]), seen, tested) for name, mask in ways.items()}
    found["same_digest"] = _same_digest(evidence, seen, tested)
    swap = evidence.sizes[left] > evidence.sizes[right]
    inner, outer = np.where(swap, right, left), np.where(swap, left, right)
    inside = evidence.containment >= CONTAINED
    found["contained"] = _those(inner[inside & tested[inner] & seen[outer]], len(seen))
    found["contains"] = _those(outer[inside & tested[outer] & seen[inner]], len(seen))
    found["leak_any"] |= found["same_digest"] | _reached(evidence.near, seen, tested)
    return {name: int(articles.sum()) for name, articles in found.items()}


def _reached(pairs: tuple[NDArray[np.int64], NDArray[np.int64]], seen: _Mask, tested: _Mask) -> _Mask:
    """For each article whether it is tested and one of these pairs leads to a seen one."""
    left, right = pairs
    ends = [other[seen[one] & tested[other]] for one, other in ((left, right), (right, left))]
    return _those(np.concatenate(ends), len(seen))


def _those(articles: NDArray[np.int64], size: int) -> _Mask:
    mask = np.zeros(size, np.bool_)
    mask[articles] = True
    return mask


def _same_digest(evidence: Evidence, seen: _Mask, tested: _Mask) -> _Mask:
    """For each article whether it is tested and shares a digest with a seen one."""

    def among(values: NDArray[np.uint64], others: NDArray[np.uint64]) -> _Mask:
        found: _Mask = np.isin(values, others[seen & (others != 0)])
        return found

    digests, texts = evidence.digests, evidence.texts
    shared: _Mask = (digests != 0) & (among(digests, digests) | among(digests, texts)) | (texts != 0) & among(
        texts, digests
    )
    shared &= tested
    return shared


def passage_coverage(evidence: Evidence, cuts: Sequence[tuple[_Mask, _Mask]]) -> list[float | None]:
    """The share of the passages of the `tested` articles that are also in the `seen` ones, word for word.

    Passages are read from the files once for each range of their hashes, so that few of them are in memory at a time.

    Args:
        evidence: from `gather`; its signature files must still exist.
        cuts: pairs of `seen` and `tested`, as for `leaked`.

    Returns:
        For each cut a share from 0 to 1, or None if no tested article has a passage.
    """
    asked, found = [0] * len(cuts), [0] * len(cuts)
    total = 0
    for path, owner in zip(evidence.files, evidence.owners, strict=True):
        lengths = open_signatures(path, ["passages"])["passages"].chunk(0).value_lengths().to_numpy()
        total += int(lengths.sum())
        for cut, (_, tested) in enumerate(cuts):
            asked[cut] += int(lengths[tested[owner]].sum())
    bits = (total // _SORTED_AT_ONCE).bit_length()
    for number in range(1 << bits):
        owner, hashes = _repeated(evidence, bits, number)
        for cut, (seen, tested) in enumerate(cuts):
            wanted, known = hashes[tested[owner]], hashes[seen[owner]]
            if len(known):
                at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
                found[cut] += int(np.count_nonzero(known[at] == wanted))
    return [some / all_ if all_ else None for some, all_ in zip(found, asked, strict=True)]


def _repeated(evidence: Evidence, bits: int, number: int) -> tuple[NDArray[np.int32], NDArray[np.uint64]]:
    """The passages whose hashes begin with the `bits` bits of `number`, except those that occur only once.

    Returns:
        The article of each passage, and its hash; sorted by hash.
    """
    owners, passages = [np.zeros(0, np.int32)], [np.zeros(0, np.uint64)]
    for path, owner in zip(evidence.files, evidence.owners, strict=True):
        column = open_signatures(path, ["passages"])["passages"].chunk(0)
        hashes = column.flatten().to_numpy()
        chosen = np.flatnonzero(hashes >> np.uint64(64 - bits) == number) if bits else np.arange(len(hashes))
        owners.append(np.repeat(owner, column.value_lengths().to_numpy())[chosen])
        passages.append(hashes[chosen])
    every = np.concatenate(passages)
    order = np.argsort(every)  # the order of equal ones does not matter: they are only counted
    same = every[order[1:]] == every[order[:-1]]
    order = order[np.concatenate([[False], same]) | np.concatenate([same, [False]])] if len(order) else order
    return np.concatenate(owners)[order], every[order]
