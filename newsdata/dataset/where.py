"""What became of one file of the archive, or of one article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..counts import plural
from ..storage.manifest import Manifest, Shard, shards_of
from ..storage.reading import find_rows, read_rows
from .open_version import FoundVersion, find_version

__all__ = ["Where", "where"]

_LISTED = 5  # articles or paths that a sentence names


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """What became of one file or article.

    Attributes:
        became: "article", "excluded", "reject", "redacted", "ignored" or "unknown".
        why: the reason, in words.
        article_id: of the article, if there is one.
        split: the split of its row.
        shard: path of the Parquet file with the row, relative to the version's folder.
        posts: paths of the posts that the article was made from.
        reject: the row of `rejects`, if the file is a reject.
    """

    became: str
    why: str
    article_id: str | None = None
    split: str | None = None
    shard: str | None = None
    posts: tuple[str, ...] = ()
    reject: dict[str, Any] | None = None


def where(path: str | Path, name: str, *, revision: str | None = None, token: str | None = None) -> Where:
    """Which row, reject or exclusion a file of the archive became, and why.

    A version has the names of posts and rejects, and only counts other files by the reason why they were ignored.

    Args:
        path, revision, token: as for `load_dataset`. Of a version on the Hub, the shards that are searched are fetched.
        name: the path of a file in the archive, or an article id. The path may begin at any folder above the archive, and
            it may be the end of a path if only one path ends so.

    Raises:
        VersionError: there is no such version.
        ManifestError: its manifest cannot be read.
        VerifyError, HubError: as for `load_dataset`, of a version on the Hub.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     where(out, "_config.yml").why
    'files like this one are ignored: configuration'
    """
    version = _Version(find_version(path, revision, token=token))
    names = _names(name)
    listed = _listed_path(version, names)
    return (
        _find_article(version, listed or names[0])
        or (_find_reject(version, listed) if listed else None)
        or _find_redacted(version, names)
        or _find_ignored(version, names)
        or _unknown(version, names)
    )


def _names(name: str) -> list[str]:
    """What a name may mean in the archive: the path as given, then without its first folder, and so on.

    >>> _names("../archive/_posts/a.md")
    ['archive/_posts/a.md', '_posts/a.md', 'a.md']
    """
    parts = [part for part in normpath(name).split("/") if part not in ("", ".", "..")]
    return ["/".join(parts[at:]) for at in range(len(parts))] or [name]


@dataclass(frozen=True, slots=True)
class _Version:
    """A version, and a way to look up rows in it."""

    found: FoundVersion

    @property
    def manifest(self) -> Manifest:
        return self.found.manifest

    def shards(self, config: str) -> tuple[Path, list[Shard]]:
        """The shards of a config, and the folder that they are in."""
        shards = shards_of(self.manifest, config)
        return self.found.with_files(shard.path for shard in shards), shards

    def rows(
        self, config: str, column: str, value: str, columns: list[str] | None
    ) -> list[tuple[Shard, dict[str, Any]]]:
        """The rows of a config with `value` in `column`, each with its shard; `columns` None gives whole rows."""
        return list(find_rows(*self.shards(config), column, [value], columns))


def _listed_path(version: _Version, names: Sequence[str]) -> str | None:
    """The path of the post or reject that is meant: one of `names`, or the only one that ends with the first of them."""
    paths = _paths(version)
    same = paths.filter(pc.is_in(paths, pa.array(names))).to_pylist()
    if same:
        return str(max(same, key=len))
    ending = _paths_that_end(paths, names[0])
    return ending[0] if len(ending) == 1 else None


def _paths(version: _Version) -> pa.ChunkedArray:
    """The paths of all posts and rejects."""
    found = []
    for config in ("posts", "rejects"):
        folder, shards = version.shards(config)
        found += [read_rows(folder, shard, ["path"])["path"] for shard in shards]
    return pa.chunked_array([chunk for paths in found for chunk in paths.chunks], pa.string())


def _paths_that_end(paths: pa.ChunkedArray, name: str) -> list[str]:
    """The first few of some paths that end with a name."""
    return sorted(paths.filter(pc.ends_with(paths, f"/{name}")).to_pylist())[:_LISTED]


def _paths_with(paths: pa.ChunkedArray, part: str) -> list[str]:
    """The first few of some paths that hold a part of a name; none for a part of one or two letters."""
    if len(part) < 3:
        return []
    return sorted(paths.filter(pc.match_substring(paths, part)).to_pylist())[:_LISTED]


def _find_article(version: _Version, asked: str) -> Where | None:
    """An article, in a split or excluded, by its id or by the path of one of its posts."""
    posts = version.rows("posts", "path", asked, ["article_id"])
    article_id = posts[0][1]["article_id"] if posts else asked
    for config, columns in (("articles", []), ("excluded", ["excluded_reason", "leak_group"])):
        for shard, row in version.rows(config, "article_id", article_id, ["article_id", *columns]):
            paths = tuple(post["path"] for _, post in version.rows("posts", "article_id", article_id, ["path"]))
            why = f"merged from {plural(len(paths), 'post')}" if len(paths) > 1 else "read from one post"
            if config == "excluded":
                why = f"excluded: {_why_excluded(version, row)}; {why}"
            return Where(
                became="excluded" if config == "excluded" else "article",
                why=why,
                article_id=article_id,
                split=shard.split,
                shard=shard.path,
                posts=paths,
            )
    return None


def _why_excluded(version: _Version, row: dict[str, Any]) -> str:
    """The reason of an excluded row. If the article is a copy of others, they are named."""
    reason = str(row["excluded_reason"])
    if reason != "straddle":
        return reason
    others = version.rows("articles", "leak_group", row["leak_group"], ["article_id"])
    names = [f"{other['article_id']} of {shard.split}" for shard, other in others]
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{reason}, as a copy of {', '.join(names[:_LISTED])}{more}"


def _find_reject(version: _Version, asked: str) -> Where | None:
    """A file that could not be read, by its path."""
    for shard, row in version.rows("rejects", "path", asked, None):
        return Where(became="reject", why=f"{row['rule']}: {row['reason']}", shard=shard.path, reject=row)
    return None


def _find_redacted(version: _Version, names: Sequence[str]) -> Where | None:
    """An article that was redacted, by its id or by a path that gives this id."""
    from ..parsing.post import article_id
    from ..storage.ledger import LEDGER_NAME, read_ledger, tombstones

    stones = tombstones(read_ledger(version.found.with_files([LEDGER_NAME]), version.manifest))
    for identity in (*names, *map(article_id, names)):
        if identity in stones:
            return Where(became="redacted", why=f"redacted: {stones[identity]}", article_id=identity)
    return None


def _find_ignored(version: _Version, names: Sequence[str]) -> Where | None:
    """A file that is no post because of its path, if any file was ignored for this reason."""
    from ..parsing.site import ELSEWHERE

    reason = _ignored_as(version, names)
    counts = version.manifest.accounting.get("ignored_by_reason", {})
    # One word is an article id, or the end of a path that no post has.
    if not reason or not counts.get(reason) or (reason == ELSEWHERE and len(names) == 1):
        return None
    return Where(became="ignored", why=f"files like this one are ignored: {reason}")


def _ignored_as(version: _Version, names: Sequence[str]) -> str | None:
    """Why a file with this path would be ignored; None if it would be a post or a reject."""
    from ..parsing.site import ELSEWHERE, classify
    from ..schema import Site

    site = Site(drafts=bool(version.manifest.configuration["drafts"]))
    reasons = [classify(name, site) for name in names]
    if reasons[0] != ELSEWHERE or None in reasons:  # the path may begin above the archive
        return reasons[0] if reasons[0] != ELSEWHERE else None
    return next((reason for reason in reasons if reason != ELSEWHERE), ELSEWHERE)


def _unknown(version: _Version, names: Sequence[str]) -> Where:
    why = f"{version.manifest.dataset_version} has no post, no reject and no article with this name"
    counts = version.manifest.accounting.get("ignored_by_reason", {})
    paths = _paths(version)
    if similar := _paths_that_end(paths, names[0]) or _paths_with(paths, names[0]):
        why += f"; there is {', '.join(similar)}"
    elif redacted := counts.get("redacted", 0):
        why += f"; {plural(redacted, 'file')} left out as redacted, and not every one is known by its name"
    elif _ignored_as(version, names) and (others := sum(counts.values())):
        why += f"; the names of ignored files ({others:,}) are not kept"
    return Where(became="unknown", why=why)
