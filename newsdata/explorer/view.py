"""One version with everything that the pages need of it; what is worth keeping between two requests is kept here."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ..card.readme import card_facts
from ..storage.manifest import MANIFEST_NAME, hash_file
from .clusters import ClusterSummary, all_clusters
from .keyword_in_context import Concordance, words_in_context
from .opened import Damage, DamagedFile, Opened, check_bytes, groups_of, is_regular, open_for_page, read_table, stamp_of
from .parameters import FIELDS, BadParameter, Query
from .rows import Rows
from .search import Phrase, Searcher
from .selection import Selection, select
from .splits_compared import Comparison, compare_splits, typical_words
from .table import Pairs, Table, load_table
from .text_cache import ARTICLES_WITHOUT, TextCache

__all__ = ["Posts", "View"]

_KEPT_CONCORDANCES = 4
_CHECKED_FIRST = 2**30  # bytes of a version whose hashes are compared before it is shown; larger ones meanwhile
_MAX_CARD = 300_000  # bytes of a card that are read


class Posts(NamedTuple):
    """The config `posts`: its rows, and the issues of each."""

    rows: Rows
    number: int
    issues: Pairs


class View:
    """A version that is looked at.

    Attributes:
        opened, table, rows, searcher: of the version.
        shown_path: how the user named the folder or repository that holds the version.
        patience: seconds that a request waits for a search.
        check: a thread that compares all files with their hashes, once. A small version waits for it, and shards that were
            changed are left out.
    """

    def __init__(
        self, opened: Opened, *, shown_path: str, cache: TextCache | None = None, patience: float = 5.0
    ) -> None:
        self.opened = opened
        self._found: tuple[Damage, ...] = ()
        self.check = threading.Thread(target=self._check, daemon=True, name="check")
        self.check.start()
        self.table: Table = load_table(opened)
        if sum(shard.bytes for shard in opened.manifest.shards) <= _CHECKED_FIRST:
            self.check.join()
            if changed := self._changed_shards():
                self.opened = opened = open_for_page(opened.found, changed)
                self.table = load_table(opened)
        self.rows = Rows(opened, opened.groups)
        self.searcher = Searcher(opened, cache if opened.articles > ARTICLES_WITHOUT else None)
        self.shown_path = shown_path
        self.patience = patience
        self._lock = threading.Lock()
        self._concordances: OrderedDict[Query, Concordance] = OrderedDict()

    @property
    def version(self) -> str:
        """X.Y.Z."""
        return self.opened.manifest.dataset_version

    @property
    def damaged(self) -> list[Damage]:
        """Every file that was found to be damaged so far, each once."""
        every = (*self.opened.damaged, *self.table.damaged, *self.searcher.damaged, *self._found)
        return list({damage.path: damage for damage in reversed(every)}.values())[::-1]

    @property
    def has_changed(self) -> bool:
        """Whether the version on the disk is another one now."""
        return stamp_of(self.opened.folder) != self.opened.stamp

    @property
    def yanked(self) -> str | None:
        """Why the version was marked as bad."""
        return self.opened.found.yanked

    @cached_property
    def digest(self) -> str:
        """A hash of the manifest, which names every file by its hash."""
        try:
            return hash_file(self.opened.folder / MANIFEST_NAME)[1]
        except OSError:
            return ""

    @cached_property
    def clusters(self) -> list[ClusterSummary]:
        """The clusters of several articles."""
        return all_clusters(self.table)

    @cached_property
    def comparison(self) -> Comparison:
        """The splits side by side."""
        return compare_splits(self.table)

    @cached_property
    def typical_words(self) -> dict[str, list[tuple[str, int, float]]]:
        """The words that a split has more often than the others; {} in a version without text."""
        return typical_words(self.table, self.rows) if self.opened.has_text else {}

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the card says in its header, and the citation."""
        return card_facts(self.readme)

    @cached_property
    def readme(self) -> str:
        """The card, or "" if it cannot be read."""
        if not is_regular(self.opened, "README.md"):
            return ""
        with (self.opened.folder / "README.md").open("rb") as file:
            return file.read(_MAX_CARD).decode("utf-8", "replace")

    @cached_property
    def posts(self) -> Posts:
        """The posts and their issues."""
        groups = groups_of(self.opened, "posts")
        rows: list[NDArray[Any]] = [np.empty(0, np.int64)]
        issues: list[str] = []
        for group in groups:
            try:
                lists = read_table(self.opened, group.shard, ["issues"], group.number)["issues"].combine_chunks()
            except (DamagedFile, KeyError):
                continue
            rows.append(pc.list_parent_indices(lists).to_numpy() + group.start)
            issues += lists.flatten().to_pylist()
        encoded = pa.array(issues, pa.string()).dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
        pairs = Pairs(np.concatenate(rows).astype(np.int32), codes, tuple(encoded.dictionary.to_pylist()))
        return Posts(Rows(self.opened, groups), sum(group.rows for group in groups), pairs)

    def select(self, query: Query) -> Selection:
        """The articles that a query wants.

        Raises:
            BadParameter: words are to be found in a version without text.
            StillSearching: the search takes longer.
        """
        hits = None
        if query.q:
            if not self.opened.has_text:
                raise BadParameter("q", "this version holds no text, so there is nothing to search")
            hits = self.searcher.find(Phrase(query.q, FIELDS[query.where]), self.patience)
        return select(self.table, query, hits)

    def concordance(self, selection: Selection) -> Concordance:
        """The lines of a selection's words, the newest articles first.

        Raises:
            DamagedFile: a shard cannot be read.
        """
        query = selection.query
        asked = Query(
            q=query.q, where=query.where, first_day=query.first_day, last_day=query.last_day, split=query.split,
            publisher=query.publisher, code=query.code, kind=query.kind, issue=query.issue, cluster=query.cluster,
            sort="oldest" if query.sort == "oldest" else "",
        )  # fmt: skip
        with self._lock:  # one at a time: each reads many texts
            if asked not in self._concordances:
                wanted = select(self.table, asked, selection.parts.get("q")).rows().tolist()
                found = words_in_context(self.rows, wanted, query.q, FIELDS[query.where])
                self._concordances[asked] = found
            self._concordances.move_to_end(asked)
            while len(self._concordances) > _KEPT_CONCORDANCES:
                self._concordances.popitem(last=False)
            return self._concordances[asked]

    def _changed_shards(self) -> dict[str, str]:
        """The shards that the check found to be damaged, and why."""
        shards = {shard.path for shard in self.opened.manifest.shards}
        return {damage.path: damage.reason for damage in self._found if damage.path in shards}

    def _check(self) -> None:
        for damage in check_bytes(self.opened):
            self._found = (*self._found, damage)
