"""What became of one file of the archive, or of one article."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..storage.manifest import Manifest, Shard, shards_of
from .open_version import open_version

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


def where(path: str | Path, name: str, *, revision: str | None = None) -> Where:
    """Which row, reject or exclusion a file of the archive became, and why. Reads versions in folders only.

    Args:
        path: the folder of a version, or the folder that holds versions.
        name: the path of a file in the archive, or an article id.
        revision: as for `load_dataset`.

    Raises:
        VersionError: there is no such version.
        ManifestError: its manifest cannot be read.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as out:
    ...     made = build("examples/archive", out, num_proc=1)
    ...     where(out, "_config.yml").why
    'files like this one are ignored: configuration'
    """
    folder, manifest = open_version(path, revision)
    version = _Version(folder, manifest)
    asked = name.removeprefix("./")
    return (
        _find_article(version, asked)
        or _find_reject(version, asked)
        or _find_redacted(version, asked)
        or _find_ignored(version, asked)
        or _unknown(version, asked)
    )


@dataclass(frozen=True, slots=True)
class _Version:
    """A version in a folder, and a way to look up rows in it."""

    folder: Path
    manifest: Manifest

    def rows(
        self, config: str, column: str, value: str, columns: list[str] | None
    ) -> list[tuple[Shard, dict[str, Any]]]:
        """The rows of a config with `value` in `column`, each with its shard; `columns` None gives whole rows."""
        from ..storage.shards import find_rows

        return list(find_rows(self.folder, shards_of(self.manifest, config), column, [value], columns))


def _find_article(version: _Version, asked: str) -> Where | None:
    """An article, in a split or excluded, by its id or by the path of one of its posts."""
    posts = version.rows("posts", "path", asked, ["article_id"])
    article_id = posts[0][1]["article_id"] if posts else asked
    for config, columns in (("articles", []), ("excluded", ["excluded_reason", "leak_group"])):
        for shard, row in version.rows(config, "article_id", article_id, ["article_id", *columns]):
            paths = tuple(post["path"] for _, post in version.rows("posts", "article_id", article_id, ["path"]))
            why = f"merged from {len(paths)} posts" if len(paths) > 1 else "read from one post"
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


def _find_redacted(version: _Version, asked: str) -> Where | None:
    """An article that was redacted, by its id or by a path that gives this id."""
    from ..parsing.post import article_id
    from ..storage.ledger import read_ledger, tombstones

    stones = tombstones(read_ledger(version.folder, version.manifest))
    for identity in (asked, article_id(asked)):
        if identity in stones:
            return Where(became="redacted", why=f"redacted: {stones[identity]}", article_id=identity)
    return None


def _find_ignored(version: _Version, asked: str) -> Where | None:
    """A file that is no post because of its path, unless a post's path ends with the path that was asked for."""
    from ..parsing.site import ELSEWHERE, classify
    from ..schema import Site

    reason = classify(asked, Site(drafts=bool(version.manifest.configuration["drafts"])))
    is_path = "." in asked or "/" in asked  # otherwise it is an article id
    if not reason or not is_path or (reason == ELSEWHERE and _paths_that_end(version, f"/{asked}")):
        return None
    return Where(became="ignored", why=f"files like this one are ignored: {reason}")


def _unknown(version: _Version, asked: str) -> Where:
    why = f"{version.manifest.dataset_version} has no file and no article with this name"
    if similar := _paths_that_end(version, f"/{asked}"):
        why += f"; there is {', '.join(similar)}"
    elif redacted := version.manifest.accounting.get("ignored_by_reason", {}).get("redacted", 0):
        why += f"; {redacted:,} files were left out as redacted, and not every one of them is known by its name"
    return Where(became="unknown", why=why)


def _paths_that_end(version: _Version, ending: str) -> list[str]:
    """The first few paths of posts and rejects that end with `ending`."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: list[str] = []
    for shard in (*shards_of(version.manifest, "posts"), *shards_of(version.manifest, "rejects")):
        paths = pq.read_table(version.folder / shard.path, columns=["path"])["path"]
        found += paths.filter(pc.ends_with(paths, ending)).to_pylist()
    return sorted(found)[:_LISTED]
