"""Checks that end a build: too many rejects, a leak, a wrong folder, rows that do not add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..counts import plural
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
"""By default a build fails if more than this fraction of the posts and more than `_FEW_REJECTS` are rejected."""
_FEW_REJECTS = 10
"""So many rejects never end a build by default: in a small archive, one of them is already more than 1 %."""


def check_out(source: Source, request: Request) -> None:
    """Check that OUT does not lie in a folder of posts, where the next build would read what this one writes.

    Raises:
        SourceError: it does.
    """
    if source.exclude and not POST_FOLDERS.isdisjoint(source.exclude.split("/")):
        reason = "the output folder lies among the source's posts, so a build would read what it wrote"
        raise SourceError(reason, path=request.out, hint="use an output folder outside of the folders of posts")


def check_history(source: Source, settings: Settings) -> None:
    """Check that earlier revisions can be read, if they are wanted.

    Raises:
        CallError: the source is not a git repository, or the version is built without text.
    """
    if not settings.history:
        return
    if source.kind != "git":
        raise CallError(
            "only a git repository at a revision has a history",
            field="history",
            hint="give repo@REVISION as the source, or --no-history",
        )
    if settings.text == "none":
        raise CallError(
            "a history holds the publisher's words, so a version without text cannot have one",
            field="history",
            hint="leave out --history or --text none",
        )


def check_site(any_post: bool, elsewhere: int, base: Manifest | None, source: object) -> None:
    """Check that the source looks like a Jekyll site, so that a wrong folder does not remove every post of the base.

    A site without posts passes if it has a `_config.yml`, or another file that is not ignored for its place alone. An empty
    folder passes if there is no base with posts: it is an empty archive.

    Args:
        any_post: whether any file is a post or a reject, or is ignored for another reason than its place.
        elsewhere: the number of files that are ignored for their place: not below `_posts`.
        base: the manifest of the version that the build follows, or None.
        source: as the caller named it.

    Raises:
        SourceError: no file of the source belongs to a site.
    """
    posts = base.accounting["posts"] if base else 0
    if any_post or not (posts or (base is None and elsewhere)):
        return
    raise SourceError(
        f"no file in it is a post ({f'{elsewhere:,} {ELSEWHERE}' if elsewhere else 'it is empty'})"
        + (f", and {base.dataset_version} has {posts:,}" if base else ""),
        path=source,
        hint="give the folder of the site itself, the one that holds `_posts`; for an empty dataset, use another OUT",
    )


def check_rejects(rejects: Sequence[Reject], posts: int, request: Request) -> None:
    """Check that there are not more rejects than the build allows.

    Args:
        rejects: all rejects.
        posts: the number of posts that could be read.
        request: has the limits: `strict`, `max_reject_share`.

    Raises:
        RejectsError: there are too many.
    """
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
        f"{count} of {plural(posts + count, 'post')} {'was' if count == 1 else 'were'} rejected ("
        + ", ".join(f"{rule}: {n}" for rule, n in by_rule.most_common())
        + f"):{listed}"
        + ("\n  …" if count > 20 else ""),
        rejects=tuple(rejects),
        hint="no version was written; repair the files"
        + (" or raise --max-reject-share" if too_many else " or leave out --strict"),
    )


def check_leakage(leakage: Mapping[str, Any] | None, allowed: float) -> None:
    """Check that not too many articles of a split have a near-copy in an earlier split.

    Args:
        leakage: the report of stage measure; None if there is only one split.
        allowed: the largest share of a split, from 0 to 1.

    Raises:
        LeakError: a split has a larger share.
    """
    for row in (leakage or {}).get("pairs", ()):
        if row["leak_j50"] > allowed:
            pairs = "".join(
                f"\n  {pair['left']} and {pair['right']}: Jaccard {pair['jaccard']}"
                for pair in (leakage or {}).get("leaking", ())
            )
            raise LeakError(
                f"{row['leak_j50']:.2%} of {row['split']} have a near-copy in {row['against']} "
                f"(Jaccard similarity of at least .5):{pairs}",
                hint="no version was written; --max-leak F allows a share of F",
            )


def check_rows(shards: Sequence[Shard], accounting: Mapping[str, Any]) -> None:
    """Compare the rows that were written with those that were counted.

    Raises:
        AssertionError: they differ, which is a fault of newsdata, never of the data.
    """
    rows: Counter[tuple[str, str]] = Counter()
    for shard in shards:
        rows[shard.config, shard.split] += shard.rows
    wrong = [f"{what}: {found} of {counted}" for what, counted, found in unequal_sums(accounting, rows)]
    if wrong:
        raise AssertionError(f"rows are missing or were written twice: {'; '.join(wrong)}")


def check_present(base: Base) -> None:
    """Check that the files of the base exist and have the right size, before a build ends without writing a version.

    Raises:
        ManifestError: a file is missing or has another size.
    """
    assert base.folder and base.manifest
    everything: list[Shard | File] = [*base.manifest.shards, *base.manifest.files]
    for file in everything:
        path = base.folder / file.path
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise ManifestError(
                "is missing or damaged, and no new version is built because nothing changed",
                path=path,
                hint="to write all files again as a new version, "
                f"give --version {next_version(base.manifest.dataset_version, 'patch')}",
            )
