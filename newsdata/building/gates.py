"""Checks that end a build: too many rejects, a leak, a wrong folder, rows that do not add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..counts import noun, plural
from ..errors import CallError, LeakError, ManifestError, RejectsError, SourceError, VersionError, shown
from ..objects import is_object_url
from ..parsing.site import CONFIGURATION, DRAFT, ELSEWHERE, POST_FOLDERS, site_of
from ..schema import Reject
from ..sources.git import git_folder, split_revision
from ..sources.source import Source, open_in_place
from ..storage.manifest import MANIFEST_NAME, Manifest, Shard, is_version, versions_in
from ..storage.version_rule import next_version
from .accounting import unequal_sums
from .base import Base
from .request import Request, Settings

__all__ = [
    "REDACTED",
    "check_history",
    "check_leakage",
    "check_out",
    "check_places",
    "check_present",
    "check_rejects",
    "check_rows",
    "check_site",
]

REDACTED = "redacted"
"""The reason why a file of a redacted article is ignored."""

_OF_A_PART = "-partial"  # the end of the names of folders that `rehydrate --partial` writes
_SHOWN_SITES = 3  # folders that a message names
_SHOWN_REJECTS = 20  # rejects that a message names
_REJECT_SHARE = 0.01
"""By default a build fails if more than this fraction of the posts and more than `_FEW_REJECTS` are rejected."""
_FEW_REJECTS = 10
"""So many rejects never end a build by default: in a small archive, one of them is already more than 1 %."""


def check_places(request: Request) -> None:
    """Check the source and the place of OUT, before anything is written.

    Raises:
        SourceError: there is no such source, or OUT lies where it would be read.
        VersionError: OUT holds a partial version and no whole one.
    """
    source = open_in_place(request.source, exclude=request.out)
    if source is not None:
        check_out(source, request)
    if not is_object_url(request.out):
        _check_no_part(Path(request.out))


def _check_no_part(out: Path) -> None:
    """Check that OUT does not hold a part of a release alone: a build there would make splits of its own."""
    if versions_in(out):
        return  # the build follows one of these
    for manifest in sorted(out.glob(f"*{_OF_A_PART}/{MANIFEST_NAME}")):
        name = manifest.parent.name
        if is_version(name.removesuffix(_OF_A_PART)):
            raise VersionError(
                f"holds {name}, a part of a release; it cannot be followed",
                path=out,
                hint="build into another folder; to keep the splits and ids, follow the whole release (--base)",
            )


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


def check_site(
    posts: Sequence[str],
    ignored: Mapping[str, int],
    base: Manifest | None,
    source: object,
    shut: Sequence[Reject] = (),
) -> None:
    """Check that the source is a Jekyll site with posts: not an empty one, not another folder, not the folder above sites.

    A wrong folder would remove every post of the base. A site whose posts were all redacted passes.

    Args:
        posts: the path of a post or reject of each folder that has one.
        ignored: the number of other files, by reason.
        base: the manifest of the version that the build follows, or None.
        source: as the caller named it.
        shut: the folders of posts whose files cannot be listed.

    Raises:
        SourceError: it is not.
    """
    if not posts and not ignored.get(REDACTED):
        if shut:
            first = shut[0]
            raise SourceError(
                f"no file in it can be read as a post; {shown(first.path)}: {first.reason}",
                path=source,
                hint="put the files themselves in its place, or give the site that the link leads to"
                if first.rule == "not-a-file"
                else "give your user the right to read the folder",
            )
        files = ", ".join(_ignored(reason, count) for reason, count in sorted(ignored.items()) if count)
        before = base.accounting["posts"] if base else 0
        raise SourceError(
            f"no file in it is a post ({files or 'it is empty'})"
            + (f", and {base.dataset_version} has {before:,}" if base and before else ""),
            path=source,
            hint="give the folder of the site itself, the one that holds `_posts`"
            + ("; --drafts reads the drafts" if ignored.get(DRAFT) else ""),
        )
    sites = list(dict.fromkeys(map(site_of, posts)))
    if sites and "" not in sites and not ignored.get(CONFIGURATION):
        more = ", …" if len(sites) > _SHOWN_SITES else ""
        raise SourceError(
            "is no site, but holds "
            + plural(len(sites), "folder")
            + f" with `_posts`: {shown(', '.join(sites[:_SHOWN_SITES]))}{more}",
            path=source,
            hint=f"{shown(_only(str(source), sites[0]))}; if this is the site, put a `_config.yml` into it",
        )


def _ignored(reason: str, count: int) -> str:
    """How many files were ignored, and why."""
    return f"{plural(count, 'file')} in no folder `_posts`" if reason == ELSEWHERE else f"{count:,} {reason}"


def _only(source: str, folder: str) -> str:
    """How to build from a folder of a source."""
    if found := split_revision(source):
        return f"give {source}/{folder}" if found[2] else f"give {source}:{folder}"
    if git_folder(source):
        return f"give {source}@HEAD:{folder}"
    named = is_object_url(source) or Path(source).is_dir()
    return f"give {source.rstrip('/')}/{folder}" if named else f"pack only the folder {folder}"


def check_rejects(rejects: Sequence[Reject], posts: int, request: Request, unread: int = 0) -> None:
    """Check that there are not more rejects than the build allows.

    Args:
        rejects: all rejects.
        posts: the number of posts that could be read.
        request: has the limits: `strict`, `max_reject_share`.
        unread: the number of posts of the version before in folders that are links now or cannot be read. They count, too.

    Raises:
        RejectsError: there are too many.
    """
    count, share = len(rejects) + unread, request.max_reject_share
    total = posts + count
    allowed = max(_REJECT_SHARE * total, _FEW_REJECTS) if share is None else share * total
    too_many = count > allowed
    if not count or not (request.strict or too_many):
        return
    by_rule = ", ".join(f"{rule}: {n}" for rule, n in Counter(reject.rule for reject in rejects).most_common())
    if unread:
        by_rule += f"; {plural(unread, 'post')} of the version before in folders that are links or cannot be read"
    listed = [
        f"\n  {shown(r.path)}{f', line {r.line}' if r.line else ''}: {r.rule}: {shown(r.reason)}"
        for r in rejects[:_SHOWN_REJECTS]
    ]
    more = "\n  …" if len(rejects) > _SHOWN_REJECTS else ""
    raise RejectsError(
        f"{count} of {plural(total, 'file')} that should be {noun(total, 'a post', 'posts')} "
        f"{noun(count, 'was', 'were')} rejected ({by_rule}):"
        f"{''.join(listed)}{more}",
        rejects=tuple(rejects),
        hint="no version was written; repair the files"
        + (" (convert those of rule encoding to UTF-8, see docs/text.md)" if "encoding" in by_rule else "")
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
    if leakage is None:
        return
    for row in leakage["pairs"]:
        if row["leak_j50"] > allowed:
            pairs = "".join(
                f"\n  {pair['left']} and {pair['right']}: Jaccard {pair['jaccard']}" for pair in leakage["leaking"]
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
    if absent := base.absent():
        raise ManifestError(
            "is missing or damaged, and no new version is built because nothing changed",
            path=base.folder / absent,
            hint="to write all files again as a new version, "
            f"give --version {next_version(base.manifest.dataset_version, 'patch')}",
        )
