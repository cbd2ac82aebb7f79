"""What makes a build fail: rejects, leaks, a wrong site, rows that do not add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import CallError, LeakError, ManifestError, RejectsError, SourceError, shown
from ..parsing.site import ELSEWHERE, POST_FOLDERS
from ..schema import Reject
from ..sources.source import Source
from ..storage.manifest import File, Manifest, Shard
from ..storage.version_rule import next_version
from .accounting import unequal_sums
from .base import Base
from .request import Request, Settings

__all__ = [
    "check_history",
    "check_leakage",
    "check_out",
    "check_present",
    "check_rejects",
    "check_rows",
    "check_site",
]

_REJECT_SHARE = 0.01
"""By default a build fails with rejects of more than this fraction of the posts,"""
_FEW_REJECTS = 10
"""and more than so many: in a small archive one bad post is more than a hundredth."""


def check_out(source: Source, request: Request) -> None:
    """Raise a `SourceError` where OUT lies among the posts: the next build would read what this one writes."""
    if source.exclude and not POST_FOLDERS.isdisjoint(source.exclude.split("/")):
        reason = "the output folder lies among the source's posts, which would be read from it"
        raise SourceError(reason, path=request.out, hint="give one outside of the posts")


def check_history(source: Source, settings: Settings) -> None:
    """Raise a `CallError` where earlier revisions are wanted and cannot be had."""
    if not settings.history:
        return
    if source.kind != "git":
        raise CallError(
            "only a git repository at a revision has a history",
            field="history",
            hint="give repo@REVISION, or --no-history",
        )
    if settings.text == "none":
        raise CallError(
            "a history holds the publisher's words", field="history", hint="leave out --history, or --text none"
        )


def check_site(any_post: bool, elsewhere: int, base: Manifest | None, source: object) -> None:
    """Raise a `SourceError` for a folder that is not the site: it must not replace what the right one gave.

    A site whose posts are gone still has its `_config.yml`, or files that are ignored for another reason. Without a base, an empty
    folder is an empty archive.

    Args:
        any_post: whether any file is a post, a reject, or is ignored for another reason than its place.
        elsewhere: how many files lie where no posts are.
        base: the version that the build follows.
        source: as the caller named it.
    """
    posts = base.accounting["posts"] if base else 0
    if any_post or not (posts or (base is None and elsewhere)):
        return
    raise SourceError(
        f"no file in it is a post ({f'{elsewhere:,} {ELSEWHERE}' if elsewhere else 'it is empty'})"
        + (f", and {base.dataset_version} has {posts:,}" if base else ""),
        path=source,
        hint="give the folder of the site itself, the one that holds `_posts`; an empty dataset goes to another OUT",
    )


def check_rejects(rejects: Sequence[Reject], posts: int, request: Request) -> None:
    """Raise a `RejectsError` where there are more rejects than the build allows."""
    count, share = len(rejects), request.max_reject_share
    too_many = count > (_REJECT_SHARE if share is None else share) * (posts + count) and (
        share is not None or count > _FEW_REJECTS
    )
    if not count or not (request.strict or too_many):
        return
    by_rule = Counter(r.rule for r in rejects)
    listed = "".join(
        f"\n  {shown(r.path)}{f', line {r.line}' if r.line else ''}: {r.rule}: {shown(r.reason)}" for r in rejects[:20]
    )
    raise RejectsError(
        f"{count} of {posts + count} posts were rejected ("
        + ", ".join(f"{rule}: {n}" for rule, n in by_rule.most_common())
        + f"):{listed}"
        + ("\n  …" if count > 20 else ""),
        rejects=tuple(rejects),
        hint="no version was written; mend the files"
        + (" or raise --max-reject-share" if too_many else " or leave out --strict"),
    )


def check_leakage(leakage: Mapping[str, Any] | None, allowed: float) -> None:
    """Raise a `LeakError` where more of a split than `allowed` has a copy in an earlier one."""
    for row in (leakage or {}).get("pairs", ()):
        if row["leak_j50"] > allowed:
            pairs = "".join(
                f"\n  {pair['left']} and {pair['right']}: Jaccard {pair['jaccard']}"
                for pair in (leakage or {}).get("leaking", ())
            )
            raise LeakError(
                f"{row['leak_j50']:.2%} of {row['split']} have a copy in {row['against']} (Jaccard of at least .5):{pairs}",
                hint="--max-leak allows more",
            )


def check_rows(shards: Sequence[Shard], accounting: Mapping[str, Any]) -> None:
    """Compare the rows that were written with those that were counted. A difference is a fault of newsdata, never of the data."""
    rows: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        rows[shard.config, shard.split] += shard.rows
    wrong = [f"{what}: {found} of {counted}" for what, counted, found in unequal_sums(accounting, rows)]
    if wrong:
        raise AssertionError(f"rows were not written, or twice: {'; '.join(wrong)}")


def check_present(base: Base) -> None:
    """Raise a `ManifestError` where a file of the base is gone or cut and no new version would be written."""
    assert base.folder and base.manifest
    everything: list[Shard | File] = [*base.manifest.shards, *base.manifest.files]
    for file in everything:
        path = base.folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise ManifestError(
                "is missing or damaged, and nothing changed that would ask for a new version",
                path=path,
                hint=f"build one all the same, with --version {next_version(base.manifest.dataset_version, 'patch')}",
            )
