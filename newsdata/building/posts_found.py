"""Which files of a listing are posts, which article ids they have, and in which shards of posts they go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import VerifyError
from ..parsing.post import article_id, clashing_ids
from ..parsing.site import POST_FOLDERS, classify, classify_all, classify_folder, holds_collections, split_paths
from ..schema import Reject, Site
from ..sources.source import Files, Listing
from ..storage.manifest import shards_of
from ..storage.reading import read_shard_of
from .base import Base, read_rejects
from .gates import REDACTED, check_site
from .request import Request
from .shard_plan import PostShard, choose_shard_rows, plan_posts

__all__ = ["OTHER_POSTS", "PostsFound", "count_unread", "find_posts"]

OTHER_POSTS = "not in the version that is built again"
"""The reason why a version that is built again (`Request.again`) ignores a post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsFound:
    """The posts of a listing.

    Attributes:
        files: every file that should be a post, in the order of the plan.
        plan: the shards of posts that these files go into.
        rejects: files that should be posts and cannot be listed; and folders whose files cannot be listed, where posts
            could be.
        shut: the paths of these folders.
        ignored: the number of other files, by reason.
        own_ids: path -> article id of files that would otherwise share an id with another post.
        shard_rows: the most rows of a shard, see `shard_plan.choose_shard_rows`.
    """

    files: Files
    plan: Sequence[PostShard]
    rejects: Sequence[Reject]
    shut: Sequence[str]
    ignored: Counter[str]
    own_ids: Mapping[str, str]
    shard_rows: int


@dataclass(frozen=True, slots=True)
class _Classified:
    """Files that should be posts, rejects among the files that cannot be listed, and the number of other files by reason."""

    files: Files
    rejects: Sequence[Reject]
    ignored: Counter[str]


def find_posts(listing: Listing, site: Site, base: Base, request: Request, scratch: Path | None = None) -> PostsFound:
    """Sort a listing into posts, rejects and ignored files, and plan the shards of posts.

    Args:
        listing, site, base, request: of the build.
        scratch: a folder for temporary files.

    Raises:
        SourceError: the listing is not that of a Jekyll site with posts.
    """
    found = _classify(listing, site, scratch)
    own_ids: Mapping[str, str] = _clashing_ids(found.files)
    found = _without_redacted(found, own_ids, base.redacted, scratch)
    if request.again and base.manifest and base.folder:
        own_ids = _ids_in(base)
        found = _only_named(found, own_ids, scratch)
    shard_rows = choose_shard_rows(len(found.files), base.manifest)
    files, plan = plan_posts(found.files, base.manifest, shard_rows, again=request.again, scratch=scratch)
    shut = [reject for reject in found.rejects if _is_folder(reject, listing)]
    if not request.again:
        listed = [reject.path for reject in found.rejects if not _is_folder(reject, listing)]
        missed = [] if len(files) else _missed(shut, site, base)
        ignored = found.ignored | Counter({"unreadable": len(shut) - len(missed)})
        check_site([*_one_a_folder(files), *listed], ignored, base.manifest, request.source, missed)
    return PostsFound(
        files=files,
        plan=plan,
        rejects=found.rejects,
        shut=[reject.path for reject in shut],
        ignored=found.ignored,
        own_ids=own_ids,
        shard_rows=shard_rows,
    )


def count_unread(found: PostsFound, hashes: pa.LargeStringArray, base: Base) -> int:
    """How many posts of the base lie in folders that are links now or cannot be read.

    A post counts unless a file has its path or its content. Shards of the base that are damaged are left out.

    Args:
        found: the posts of the archive.
        hashes: SHA-256 of each file of `found`, in order; null for one that cannot be read.
        base: of the build.
    """
    known = {reject.path for reject in read_rejects(base)} if found.shut else ()  # the base read nothing there
    count = 0
    for rows in _rows_below([path for path in found.shut if path not in known], base):
        there = pc.or_(
            pc.is_in(rows["path"].cast(pa.large_string()), found.files.path.cast(pa.large_string())),
            pc.is_in(rows["sha256"].cast(pa.large_string()), hashes.drop_null().cast(pa.large_string())),
        )
        count += len(rows) - (pc.sum(there).as_py() or 0)
    return count


def _rows_below(folders: Sequence[str], base: Base) -> Iterator[pa.Table]:
    """`path` and `sha256` of the posts of the base that lay in some folders. Damaged shards are left out."""
    if not folders or base.folder is None or base.manifest is None:
        return
    begins = tuple(f"{path}/" for path in folders)
    shards = shards_of(base.manifest, "posts")
    base.fetch(shards)
    for shard in shards:
        with suppress(VerifyError):
            for rows in read_shard_of(base.folder, shard, ["path", "sha256"]):
                yield rows.filter(pa.array([path.startswith(begins) for path in rows["path"].to_pylist()], pa.bool_()))


def _missed(shut: Sequence[Reject], site: Site, base: Base) -> list[Reject]:
    """Those folders that posts surely are in: by their names, by the site, or because the base had posts there."""
    return [
        reject
        for reject in shut
        if not POST_FOLDERS.isdisjoint(reject.path.split("/"))
        or holds_collections(reject.path, site)
        or any(len(rows) for rows in _rows_below([reject.path], base))
    ]


def _classify(listing: Listing, site: Site, scratch: Path | None) -> _Classified:
    """Sort a listing by the rules of the site."""
    ignored: Counter[str] = Counter()

    def posts() -> Iterator[Files]:
        for part in listing.files.parts():
            reasons = classify_all(part.path, site)
            counted = pc.value_counts(reasons.drop_null())
            names, counts = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
            ignored.update(dict(zip(names, counts, strict=True)))
            yield part.take(np.flatnonzero(reasons.is_null()))

    files = Files.on_disk(posts(), scratch)
    kept = []
    for reject in listing.rejects:
        leads_out = reject.path.startswith("/") or ".." in reject.path.split("/")  # always a reject, never ignored
        if not leads_out and (reason := _reason(reject, listing, site)):
            ignored[reason] += 1
        else:
            kept.append(reject)
    return _Classified(files, kept, ignored)


def _is_folder(reject: Reject, listing: Listing) -> bool:
    """Whether files may lie behind a reject: not behind an earlier file whose place a link took in an archive."""
    return reject.path in listing.folders and reject.rule != "path-taken"


def _reason(reject: Reject, listing: Listing, site: Site) -> str | None:
    """Why what cannot be listed is no post and holds none; None if it may."""
    if _is_folder(reject, listing):
        return classify_folder(reject.path, site, link=reject.rule == "not-a-file")
    return classify(reject.path, site)


def _one_a_folder(files: Files) -> list[str]:
    """A path in each folder that has posts."""
    folders = (pc.unique(split_paths(part.path)[0]).to_pylist() for part in files.parts())
    return [f"{folder}/" for folder in dict.fromkeys(folder for some in folders for folder in some)]


def _clashing_ids(files: Files) -> dict[str, str]:
    if all(pc.all(pc.ends_with(part.path, ".md")).as_py() for part in files.parts()):  # nearly always
        return {}
    return clashing_ids(files.path.to_pylist())


def _without_redacted(
    found: _Classified, own_ids: Mapping[str, str], redacted: Mapping[str, str], scratch: Path | None
) -> _Classified:
    """Leave out the files whose article id is redacted; they are not read."""
    if not redacted:
        return found

    def stays(path: str) -> bool:
        return own_ids.get(path, article_id(path)) not in redacted

    files = (
        part.take([n for n, path in enumerate(part.path.to_pylist()) if stays(path)]) for part in found.files.parts()
    )
    rejects = [reject for reject in found.rejects if stays(reject.path)]
    return _keep(found, Files.on_disk(files, scratch), rejects, REDACTED)


def _keep(found: _Classified, files: Files, rejects: list[Reject], reason: str) -> _Classified:
    """Keep some files and rejects, and count the others as ignored for `reason`."""
    kept = _Classified(files, rejects, Counter(found.ignored))
    gone = len(found.files) + len(found.rejects) - len(kept.files) - len(kept.rejects)
    if gone:
        kept.ignored[reason] = gone
    return kept


def _ids_in(base: Base) -> dict[str, str]:
    """Path -> article id of every post of the base, and path -> "" of each of its rejects."""
    folder, manifest = base.folder, base.manifest
    assert folder and manifest
    ids: dict[str, str] = {}
    for shard in shards_of(manifest, "posts"):
        for rows in read_shard_of(folder, shard, ["path", "article_id"]):
            ids |= zip(rows["path"].to_pylist(), rows["article_id"].to_pylist(), strict=True)
    for shard in shards_of(manifest, "rejects"):
        for rows in read_shard_of(folder, shard, ["path"]):
            ids |= dict.fromkeys(rows["path"].to_pylist(), "")
    return ids


def _only_named(found: _Classified, named: Mapping[str, str], scratch: Path | None) -> _Classified:
    """Leave out the files that the base neither read nor rejected."""
    paths = pa.array(list(named), pa.string())
    files = (part.take(np.flatnonzero(pc.is_in(part.path, paths))) for part in found.files.parts())
    rejects = [reject for reject in found.rejects if reject.path in named]
    return _keep(found, Files.on_disk(files, scratch), rejects, OTHER_POSTS)
