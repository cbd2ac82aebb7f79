"""Which posts made up each article at some steps of time, merged by the rules of the build.

A *state* of an article is a run of steps over which its posts stay the same. Every state is merged once, all of them together,
however many steps it lasts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import NO_DATE, Articles, members_of, merge_posts
from ..parsing.post import clashing_ids
from ..storage.gathered import ROLES, MergedFrom
from .revision_keys import RevisionKeys

__all__ = ["States", "known_states"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class States:
    """States of articles.

    Attributes:
        article_id: of each state.
        begin, end: the article was so at the steps `begin` up to, not including, `end`.
        first_seen_at: when the article first came into the archive; milliseconds since 1970.
        articles: from which posts the columns of each state come, see `curation.merge`; a post is named by its position in `rows`.
        rows: the row of `revisions` of each post.
        keys: of all revisions.
    """

    article_id: pa.Array
    begin: np.ndarray
    end: np.ndarray
    first_seen_at: np.ndarray
    articles: Articles
    rows: np.ndarray
    keys: RevisionKeys

    def at(self, step: int) -> np.ndarray:
        """The states at a step, one an article, in the order of `published_at` (without a date last) and `article_id`."""
        return np.flatnonzero((self.begin <= step) & (step < self.end))

    def merged_from(self, chosen: np.ndarray) -> MergedFrom:
        """From which rows of `revisions` the columns of some states come; a row's place has the file number 0."""
        members, starts = self._members(chosen)
        feed = self.keys.keys["feed"].to_numpy()
        return MergedFrom(
            places={role: _places(self.rows[getattr(self.articles, role)[chosen]]) for role in ROLES},
            member_places=_places(members),
            member_starts=starts,
            member_sha256=self.keys.sha256.take(pa.array(members)),
            member_feed=feed[members],
        )

    def revised_at(self, chosen: np.ndarray) -> np.ndarray:
        """When the last one of its posts got its content, for some states; milliseconds since 1970."""
        members, starts = self._members(chosen)
        latest: np.ndarray = np.maximum.reduceat(self.keys.revised_at[members], starts)
        return latest

    def _members(self, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The rows of all posts of some states, state after state, and the position of each one's first."""
        members, starts = members_of(self.articles, chosen)
        return self.rows[members], starts


def _places(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.zeros(len(rows), np.int64), rows


def known_states(keys: RevisionKeys, steps: np.ndarray) -> States:
    """Merge what was known at each step.

    A post is there at a step as its last revision up to that time left it, unless that one removed it or cannot be read.

    Args:
        keys: of all revisions.
        steps: instants in milliseconds since 1970, ascending.

    Returns:
        the states, in the order of `published_at` (without a date last) and `article_id`.
    """
    posts = _posts_at_steps(keys, steps)
    chosen = keys.keys.take(pa.array(posts.rows))
    group = pa.array(posts.group).cast(pa.string())
    at = chosen.schema.get_field_index("article_id")
    articles = merge_posts(chosen.set_column(at, "article_id", pa.chunked_array([group])))
    ids = posts.article_id.take(pa.array(articles.text))
    order = _order(articles.published_at, ids)
    articles = _take(articles, order)
    return States(
        article_id=ids.take(pa.array(order)),
        begin=posts.begin[articles.text],
        end=posts.end[articles.text],
        first_seen_at=keys.first_seen_at[posts.rows[articles.text]],
        articles=articles,
        rows=posts.rows,
        keys=keys,
    )


def _order(published_at: np.ndarray, ids: pa.Array) -> np.ndarray:
    by_id = np.empty(len(ids), np.int64)
    by_id[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
    order: np.ndarray = np.lexsort((by_id, published_at, published_at == NO_DATE))
    return order


def _take(articles: Articles, order: np.ndarray) -> Articles:
    """The articles in another order, and their members with them."""
    members, starts = members_of(articles, order)
    roles = {role: getattr(articles, role)[order] for role in ROLES}
    ids, dates = articles.article_id.take(pa.array(order)), articles.published_at[order]
    return Articles(article_id=ids, published_at=dates, members=members, starts=starts.astype(np.int32), **roles)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Posts:
    """The posts of all states, one entry for each post of each state.

    Attributes:
        rows: the row of `revisions`.
        group: a number for the state; entries with one number are merged.
        article_id: of the state.
        begin, end: its steps.
    """

    rows: np.ndarray
    group: np.ndarray
    article_id: pa.Array
    begin: np.ndarray
    end: np.ndarray


def _posts_at_steps(keys: RevisionKeys, steps: np.ndarray) -> _Posts:
    article, ids = _encoded(keys.keys["article_id"])
    path, paths = _encoded(keys.keys["path"])
    begin = np.searchsorted(steps, keys.revised_at)
    end = _ends(begin, path, len(steps))
    may_clash = _may_clash(article, path, ids)
    is_file = keys.sha256.is_valid().to_numpy(zero_copy_only=False)
    live = np.flatnonzero((begin < end) & (keys.is_post | (is_file & may_clash[article])))
    # A state ends where a post of its article begins or ends. Both are points (article, step), each one number.
    base = article[live] * (len(steps) + 1)
    points = np.unique(np.concatenate([base + begin[live], base + end[live]]))
    first, last = np.searchsorted(points, base + begin[live]), np.searchsorted(points, base + end[live])
    counts = last - first
    rows = np.repeat(live, counts)
    state = np.repeat(first, counts) + np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    group, article_id = state.copy(), ids.take(pa.array(article[rows]))
    clashing = np.flatnonzero(may_clash[article[rows]])
    if len(clashing):
        article_id = _set_apart(clashing, state, group, article_id, paths.take(pa.array(path[rows])))
    kept = np.flatnonzero(keys.is_post[rows])
    step_of = points % (len(steps) + 1)
    return _Posts(
        rows=rows[kept],
        group=group[kept],
        article_id=article_id.take(pa.array(kept)),
        begin=step_of[state[kept]],
        end=step_of[state[kept] + 1],
    )


def _encoded(column: pa.ChunkedArray) -> tuple[np.ndarray, pa.Array]:
    """A column of strings as numbers, and the string of each number."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary


def _ends(begin: np.ndarray, path: np.ndarray, steps: int) -> np.ndarray:
    """For each revision the first step at which it counts no more: where the next one of the same post begins."""
    order = np.argsort(path, kind="stable")
    same = path[order][1:] == path[order][:-1]
    end = np.full(len(begin), steps)
    end[order[:-1][same]] = begin[order[1:][same]]
    return end


def _may_clash(article: np.ndarray, path: np.ndarray, ids: pa.Array) -> np.ndarray:
    """For each article whether it has posts of a site whose paths differ only in the extension: these are not merged."""
    pairs = np.unique(np.stack([article, path]), axis=1)
    several = np.bincount(pairs[0], minlength=len(ids)) > 1
    for number in np.flatnonzero(several).tolist():
        several[number] = not ids[number].as_py().isdigit()
    return several


def _set_apart(
    clashing: np.ndarray, state: np.ndarray, group: np.ndarray, article_id: pa.Array, path: pa.Array
) -> pa.Array:
    """Make each of the clashing posts an article of its own, by the rule of the build; changes `group`.

    Args:
        clashing: positions of posts of articles that may clash, those that cannot be read included.
        state, group, article_id, path: of all posts.

    Returns:
        the ids of all posts.
    """
    ids = article_id.to_pylist()
    by_state: dict[int, dict[str, int]] = {}
    for position, own in zip(clashing.tolist(), path.take(pa.array(clashing)).to_pylist(), strict=True):
        by_state.setdefault(int(state[position]), {})[own] = position
    for there in by_state.values():
        for own in clashing_ids(there):
            ids[there[own]] = own
            group[there[own]] = -1 - there[own]
    return pa.array(ids, pa.string())
