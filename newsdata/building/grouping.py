"""The search for near-copies over all articles of a build: what is signed again, and what the splits leak.

Signatures are made in worker processes from the spool, file by file, and kept in the cache; only keys come here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..curation.merge import NO_DATE, Articles, PostHashes
from ..curation.splits import Placement, local_days
from ..graph.engine import Run, release_memory
from ..near_duplicates.clusters import (
    DEDUP_VERSION,
    Boilerplate,
    Pairs,
    assign,
    choose_sample,
    list_boilerplate,
    match,
    method,
)
from ..near_duplicates.leakage import Evidence, gather, leaked, passage_coverage
from ..near_duplicates.signatures import SIGNATURE_SCHEMA
from ..schema import SPLITS
from ..storage.manifest import BOILERPLATE_NAME, Manifest, check_file
from ..storage.rows import Spool
from .planning import Lazily, spool_places
from .tasks import SampleTask, SignTask, find_signed, sample_articles, sign_articles

__all__ = ["BOILERPLATE_NAME", "COUNTS_NAME", "Groups", "find_groups", "leaking_pairs", "measure_leakage"]

COUNTS_NAME = "counts.bin"
"""In the cache: what the candidate pairs of the last build have in common."""

_SAMPLE_ROWS = 1250  # articles of the boilerplate sample in a task

_NO_DAY = -(10**6)  # undated articles of the boilerplate sample share a day of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Near-copies of a build.

    Attributes:
        clusters, groups: ids of duplicate cluster and leak group, aligned with the articles.
        aliases: ids that were given up when groups met: name of the column -> old id -> the id that stays.
        pairs: every verified pair.
        files: the signature files, by the number of the spool file that the articles' texts lie in.
        boilerplate: the list that was used.
        report: for the manifest.
    """

    clusters: pa.Array
    groups: pa.Array
    aliases: Mapping[str, Mapping[str, str]]
    pairs: Pairs
    files: Mapping[int, Path]
    boilerplate: Boilerplate
    report: Mapping[str, Any]


def find_groups(
    articles: Articles,
    posts: PostHashes,
    rows_before: np.ndarray,
    spool: Spool,
    timezone: str,
    ledger: pa.Table,
    base: Manifest | None,
    base_folder: Path | None,
    cache: Path,
    about: str,
    earlier: Mapping[int, Path],
    run: Run,
    advance: Callable[[int], None],
) -> Groups:
    """Group the articles of a build; what the ledger joined stays joined and keeps its name.

    Args:
        articles, posts, rows_before, spool: the merged articles, their posts and where they lie.
        timezone: of the site; a text without words of its own counts as a copy within days only.
        ledger: of the version before.
        base, base_folder: that version, whose boilerplate list is used.
        cache: folder for signatures.
        about: whatever else decides how a post is read: versions of tools, the site's configuration.
        earlier: signature files of the build before, by the number of the spool file, as `Groups.files`.
        run: where tasks run.
        advance: told of articles that are done.
    """
    dated = articles.published_at != NO_DATE
    days = np.where(dated, local_days(articles.published_at, timezone).astype(np.int64), _NO_DAY).astype(np.int32)
    how = method()
    same_method = base is not None and base.duplicates.get("method") == how
    boilerplate = None
    if base is not None and same_method and base_folder is not None:
        check_file(base_folder, base, BOILERPLATE_NAME)
        boilerplate = Boilerplate.load(base_folder / BOILERPLATE_NAME)
    if boilerplate is None:
        boilerplate = _find_boilerplate(articles, rows_before, days, spool, cache, run)
    list_file = cache / f"{boilerplate.digest}.boilerplate"
    boilerplate.save(list_file)

    file_of = spool_places(articles.text, rows_before)[0]
    by_file = np.argsort(file_of, kind="stable").astype(np.int32)
    runs = np.split(by_file, np.flatnonzero(np.diff(file_of[by_file])) + 1) if len(by_file) else []
    numbers = [int(file_of[chosen[0]]) for chosen in runs]
    made_by = f"{about} {boilerplate.digest} {sorted(how.items())} {SIGNATURE_SCHEMA}".encode()
    files = [
        cache
        / f"{hashlib.sha256(_signed_from(articles, posts, chosen, days, made_by).tobytes()).hexdigest()[:40]}.signatures"
        for chosen in runs
    ]
    del file_of
    missing = []
    for number, (path, chosen) in enumerate(zip(files, runs, strict=True)):
        if find_signed(path):
            advance(len(chosen))
        else:
            missing.append(number)

    def task_of(number: int) -> SignTask:
        chosen = runs[missing[number]]
        return SignTask(
            path=files[missing[number]],
            spool=spool,
            article_id=articles.article_id.take(pa.array(chosen)),
            days=pa.array(days[chosen], mask=days[chosen] == _NO_DAY),
            keys=_signed_from(articles, posts, chosen, days, made_by),
            boilerplate=list_file,
            earlier=earlier.get(numbers[missing[number]]),
            **_places(articles, chosen, rows_before, _COMPARED),
        )

    for done in run(sign_articles, Lazily(len(missing), task_of)):
        advance(done)
    pairs = match(files, cache / COUNTS_NAME)
    release_memory()

    # Ids go to the first-ingested member: what the ledger knows, then by date, undated articles last.
    order = np.lexsort((articles.published_at, ~dated))
    found = assign(pairs, articles.article_id.take(pa.array(order)), ledger if same_method or base is None else None)
    back = np.empty(len(order), dtype=np.int32)
    back[order] = np.arange(len(order))
    clusters, groups = found.duplicate_cluster.take(pa.array(back)), found.leak_group.take(pa.array(back))
    sizes = pc.value_counts(clusters).field("counts").to_numpy() if len(clusters) else np.zeros(0, np.int64)
    old_aliases: Mapping[str, Mapping[str, str]] = base.duplicates.get("aliases", {}) if base and same_method else {}
    aliases = {
        name: dict(sorted({**old_aliases.get(name, {}), **found.aliases.get(name, {})}.items()))
        for name in ("duplicate_cluster", "leak_group")
    }
    report = {
        "dedup_version": DEDUP_VERSION,
        "method": how,
        "boilerplate": {"shingles": len(boilerplate.hashes), "digest": boilerplate.digest},
        **pairs.report,
        "clusters": len(sizes),
        "clusters_of_several": int((sizes > 1).sum()),
        "articles_with_copies": int(sizes[sizes > 1].sum()),
        "largest_cluster": int(sizes.max()) if len(sizes) else 0,
        "aliases": aliases,
    }
    return Groups(
        clusters=clusters,
        groups=groups,
        aliases=found.aliases,
        pairs=pairs,
        files=dict(zip(numbers, files, strict=True)),
        boilerplate=boilerplate,
        report=report,
    )


_WORDS = ("text", "digest", "title")
_COMPARED = (*_WORDS, "url")


def _places(
    articles: Articles, chosen: np.ndarray, rows_before: np.ndarray, roles: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Where the posts lie that speak for the chosen articles."""
    return {role: spool_places(getattr(articles, role)[chosen], rows_before) for role in roles}


def _find_boilerplate(
    articles: Articles, rows_before: np.ndarray, days: np.ndarray, spool: Spool, cache: Path, run: Run
) -> Boilerplate:
    """The list, from a sample of the articles, read in the order of the spool."""
    chosen = choose_sample(articles.article_id)
    chosen = chosen[np.argsort(articles.text[chosen], kind="stable")]
    tasks = [
        SampleTask(
            path=cache / f"sample-{begin}.unfinished",
            spool=spool,
            **_places(articles, chosen[begin : begin + _SAMPLE_ROWS], rows_before, _WORDS),
        )
        for begin in range(0, len(chosen), _SAMPLE_ROWS)
    ]
    found = list_boilerplate(list(run(sample_articles, tasks)), days[chosen], run)
    for task in tasks:
        task.path.unlink()
    return found


def _signed_from(
    articles: Articles, posts: PostHashes, chosen: np.ndarray, days: np.ndarray, made_by: bytes
) -> np.ndarray:
    """For each of the chosen articles a row of bytes: all that its signature depends on."""
    head = np.frombuffer(hashlib.sha256(made_by).digest(), np.uint8)
    parts = [np.tile(head, (len(chosen), 1)), days[chosen].astype("<i4").view(np.uint8).reshape(-1, 4)]
    for role in _COMPARED:  # the name of a post says which article it belongs to, too
        speaking = getattr(articles, role)[chosen]
        parts += [posts.sha256[speaking], posts.name[speaking].astype("<u8").view(np.uint8).reshape(-1, 8)]
    return np.ascontiguousarray(np.concatenate(parts, axis=1))


# ----------------------------------------------------------------------------------------------------- leakage


def measure_leakage(found: Groups, articles: Articles, placement: Placement, timezone: str) -> dict[str, Any] | None:
    """What each split shares with the earlier ones, beside a random split of the same sizes.

    Shares are of the rows of the later split. Only pairs that were found are counted: no leak here is not no leak.

    Args:
        found: the groups.
        placement: where each article stands.
        timezone: for the days.

    Returns:
        None where there is one split only.
    """
    ids = articles.article_id
    counts = np.bincount(placement.split, minlength=len(SPLITS) + 1)[: len(SPLITS)]
    present = [number for number in range(len(SPLITS)) if counts[number]]
    if len(present) < 2:
        return None
    random = _random_split(ids, placement.split, counts)
    tables = {"pairs": placement.split, "random": random}
    evidence = gather(found.pairs, list(found.files.values()), ids)
    sides = [(later, earlier) for later in present[1:] for earlier in present[: present.index(later)]]
    cuts = [(split == earlier, split == later) for split in tables.values() for later, earlier in sides]
    coverage = iter(passage_coverage(evidence, cuts))
    report: dict[str, Any] = {
        name: [
            _against(evidence, articles, split, later, earlier, timezone, next(coverage)) for later, earlier in sides
        ]
        for name, split in tables.items()
    }
    report["leaking"] = [
        pair
        for later, earlier in sides
        for pair in leaking_pairs(evidence, ids, placement.split == earlier, placement.split == later)
    ]
    report["examples"] = _examples(found, articles, placement)
    report["largest_group"] = int(pc.max(pc.value_counts(found.groups).field("counts")).as_py())
    return report


def _against(
    evidence: Evidence,
    articles: Articles,
    split: np.ndarray,
    later: int,
    earlier: int,
    timezone: str,
    coverage: float | None,
) -> dict[str, Any]:
    seen, tested = split == earlier, split == later
    counted = leaked(evidence, seen, tested)
    rows = int(tested.sum())
    times = articles.published_at
    last_seen, first_tested = times[seen].max(), times[tested].min()
    ends = local_days(np.array([last_seen, first_tested]), timezone)
    return {
        "split": SPLITS[later],
        "against": SPLITS[earlier],
        "rows": rows,
        **{name: round(count / rows, 6) for name, count in counted.items()},
        "coverage_50gram": None if coverage is None else round(coverage, 6),
        "latest_seen": str(ends[0]),
        "earliest_tested": str(ends[1]),
        "future_rows": int((times[seen] >= first_tested).sum()),
    }


def leaking_pairs(evidence: Evidence, ids: pa.Array, seen: np.ndarray, tested: np.ndarray) -> list[dict[str, Any]]:
    """At most ten pairs with a Jaccard of at least .5 that stand on two sides: ids and similarity, closest first.

    Args:
        evidence: of all articles.
        ids: of the articles, in the order of the evidence.
        seen, tested: for each article whether it stands in the earlier split, and in the later one.
    """
    left, right = evidence.left, evidence.right
    across = (seen[left] & tested[right]) | (tested[left] & seen[right])
    rows = np.flatnonzero(across & (evidence.jaccard >= 0.5))
    rows = rows[np.argsort(-evidence.jaccard[rows], kind="stable")][:10]
    return [
        {"left": ids[left[r]].as_py(), "right": ids[right[r]].as_py(), "jaccard": round(float(evidence.jaccard[r]), 3)}
        for r in rows.tolist()
    ]


def _random_split(ids: pa.Array, split: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The same articles dealt by a hash of their ids into splits of the same sizes."""
    inside = np.flatnonzero(split < len(SPLITS))
    keys = np.zeros(len(inside), dtype=np.uint64)
    for begin in range(0, len(inside), 4096):
        names = ids.take(pa.array(inside[begin : begin + 4096])).to_pylist()
        states = (hashlib.sha256(name.encode()).digest() for name in names)
        keys[begin : begin + len(names)] = [int.from_bytes(state[:8], "big") for state in states]
    dealt = np.full(len(split), len(SPLITS), dtype=np.int8)
    dealt[inside[np.argsort(keys, kind="stable")]] = np.repeat(np.arange(len(SPLITS), dtype=np.int8), counts)
    return dealt


def _examples(found: Groups, articles: Articles, placement: Placement) -> list[dict[str, Any]]:
    """The closest pairs that the time cut alone would have leaked, to look at: ids, splits and similarity."""
    rows = found.pairs.table
    aside = articles.article_id.filter(pa.array(placement.reason == "straddle"))
    touched = rows.filter(pc.or_(pc.is_in(rows["left"], aside), pc.is_in(rows["right"], aside)))
    best = touched.sort_by([("jaccard", "descending"), ("left", "ascending"), ("right", "ascending")]).slice(0, 5)
    return [
        {"left": r["left"], "right": r["right"], "rule": r["rule"], "jaccard": r["jaccard"] and round(r["jaccard"], 3)}
        for r in best.to_pylist()
    ]
