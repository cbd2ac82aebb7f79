"""Which commit of a dataset repository a revision means.

Every answer names exactly one commit. When the Hub cannot be reached, an exact version is taken from the local cache of
`huggingface_hub` if it is there; a range, a branch or "the newest version" needs the Hub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from ..errors import HubError, ManifestError, VerifyError, VersionError
from ..storage.manifest import MANIFEST_NAME, every_yanked, is_version, parse_version, read_manifest
from .hub_cache import cached_versions, is_cached, is_commit, is_undamaged, remember_tag, remembered_commit
from .hub_client import Place, Unreachable, attempt, check_repo_id
from .hub_download import download
from .hub_listings import list_references, repository_facts
from .hub_marks import published_marks

__all__ = ["HubRevision", "References", "references", "resolve", "version_tags"]

_EXACT = re.compile(r"v?(\d+\.\d+\.\d+)", re.ASCII)
_RANGE = re.compile(r"v?((?:\d+\.){0,2})\*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRevision:
    """One commit of a dataset repository.

    Attributes:
        repo_id: "owner/name".
        commit: 40 hex digits.
        version: the version of the dataset in that commit, "X.Y.Z".
        offline: the Hub cannot be reached; the commit came from the local cache, and so must the files.
        yanked: why the version was marked as bad; None when it was not.
    """

    repo_id: str
    commit: str
    version: str
    offline: bool = False
    yanked: str | None = None


class References(NamedTuple):
    """What the names in a repository mean.

    Attributes:
        versions: the commit of each published version, oldest first.
        main: the newest commit; None where there is none yet.
    """

    versions: dict[str, str]
    main: str | None


def resolve(
    repo_id: str,
    revision: str | None = None,
    *,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    accept_moved: bool = False,
) -> HubRevision:
    """The commit of a dataset repository that a revision means.

    Args:
        repo_id: "owner/name".
        revision: a version ("1.2.0" or "v1.2.0"), a range ("1.*" or "1.2.*": its newest tagged version), a commit, a
            branch, or None for the newest version. A yanked version is only taken when exactly it is named.
        token: of the Hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        cache_dir: the folder where `huggingface_hub` keeps what it downloads; None is its own (HF_HUB_CACHE).
        accept_moved: take a tag's new commit where the cache knows another one, and forget the old one.

    Raises:
        VersionError: no such version is published (the message lists those that are), all of a range were yanked, or its
            tag was moved.
        HubError: there is no such repository, the token may not see it, or the Hub cannot be reached and this exact
            version is not cached (the message lists those that are).
        ManifestError: the commit holds no dataset of newsdata.
        VerifyError: the Hub's `manifest.json` is damaged.

    >>> resolve("finews")
    Traceback (most recent call last):
    newsdata.errors.HubError: 'finews' is not the name of a repository; write owner/name, or ./name for a folder
    """
    check_repo_id(repo_id)
    place = Place(repo_id, token, cache_dir)
    exact = _EXACT.fullmatch(revision or "")
    if exact:
        return _with_mark(place, _resolve_version(place, exact[1], accept_moved))
    wanted = _RANGE.fullmatch(revision or "*")
    if revision and is_commit(revision) and is_cached(repo_id, revision, cache_dir):
        return _with_mark(place, _check_commit(place, revision), offline=True)
    try:
        if not wanted:
            return _with_mark(place, _check_commit(place, _ask_for_commit(place, str(revision))))
        tags = version_tags(place)
    except Unreachable as error:
        what = "the newest version" if revision is None else repr(revision)
        reason = f"{error.reason}; only the Hub knows what {what} is"
        raise HubError(reason, path=repo_id, hint=_cached_hint(place)) from error
    version = _newest(place, tags, wanted[1])
    return _check_tag(place, version, tags[version], accept_moved)


def _newest(place: Place, tags: dict[str, str], prefix: str) -> str:
    """The newest version that begins with a prefix and was not yanked."""
    versions = [version for version in tags if version.startswith(prefix)]
    if not versions:
        what = f"no version {prefix}*" if prefix else "no version"
        raise VersionError(f"{what} is published", path=place.repo_id, hint=_published_hint(tags))
    marks = published_marks(place)
    good = [version for version in versions if version not in marks]
    if not good:
        which = f"every version {prefix}*" if prefix else "every version"
        raise every_yanked(place.repo_id, {version: marks[version] for version in versions}, which)
    return good[-1]


def _with_mark(place: Place, found: HubRevision, *, offline: bool = False) -> HubRevision:
    """A revision, with the reason why its version was yanked; offline, what the cache knows."""
    try:
        return replace(found, yanked=published_marks(place, offline=offline or found.offline).get(found.version))
    except ManifestError as error:
        return replace(found, yanked=error.reason)  # perhaps: the caller is warned


def _resolve_version(place: Place, version: str, accept_moved: bool) -> HubRevision:
    """The commit of one exact version, from the Hub or else from the cache."""
    try:
        return _check_tag(place, version, _ask_for_commit(place, f"v{version}"), accept_moved)
    except Unreachable as error:
        commit = cached_versions(place.repo_id, place.cache_dir).get(version)
        if commit is None:
            reason = f"{error.reason}; version {version} is not in the cache"
            raise HubError(reason, path=place.repo_id, hint=_cached_hint(place)) from error
        return HubRevision(repo_id=place.repo_id, commit=commit, version=version, offline=True)


def _ask_for_commit(place: Place, revision: str) -> str:
    """Ask the Hub for the commit of a tag, branch or commit."""
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    def ask() -> str | None:
        try:
            return repository_facts(place, revision).sha
        except HfHubHTTPError as error:
            if error.response.status_code != 404 or isinstance(error, RepositoryNotFoundError):
                raise
            return None

    commit = attempt(ask, place.repo_id)
    if commit is None:
        raise VersionError(
            f"{revision} is not published", path=place.repo_id, hint=_published_hint(version_tags(place))
        )
    return commit


def _check_tag(place: Place, version: str, commit: str, accept_moved: bool) -> HubRevision:
    """Check the commit of a version's tag, and remember it in the cache.

    Raises:
        VersionError: the cache knows another commit for the tag, or the commit holds another version.
    """
    known = remembered_commit(place.repo_id, f"v{version}", place.cache_dir)
    if known not in (None, commit) and not accept_moved:
        raise VersionError(
            f"the tag v{version} was moved: it was commit {known}, as the cache knows, and now is {commit}",
            path=place.repo_id,
            hint='ask its publisher why; load_dataset(..., download_mode="force_redownload") takes the new commit',
        )
    return _check_commit(place, commit, version)


def _check_commit(place: Place, commit: str, version: str | None = None) -> HubRevision:
    """Fetch and check the manifest of a commit. If the commit is that of a version's tag, remember the tag in the cache."""
    repo_id, manifest = place.repo_id, _manifest_of(place, commit)
    found = read_manifest(manifest.parent).dataset_version
    if version and version != found:
        raise VersionError(f"the tag v{version} holds version {found}", path=repo_id, hint="ask its publisher")
    if version:
        remember_tag(manifest, f"v{version}", commit)
    return HubRevision(repo_id=repo_id, commit=commit, version=found)


def _manifest_of(place: Place, commit: str) -> Path:
    """The manifest of a commit in the cache. If it is damaged there or on its way, it is fetched once more."""
    from huggingface_hub.errors import EntryNotFoundError

    try:
        try:
            manifest = download(place, commit, MANIFEST_NAME)
            if is_undamaged(manifest):
                return manifest
        except VerifyError:
            pass
        return download(place, commit, MANIFEST_NAME, force=True)
    except HubError as error:
        if not isinstance(error.__cause__, EntryNotFoundError):
            raise
        raise ManifestError(
            "this revision has no manifest.json: it is not a dataset of newsdata", path=place.repo_id
        ) from None


def version_tags(place: Place) -> dict[str, str]:
    """The published versions of a repository, oldest first, and the commit of each.

    Raises:
        HubError: as for `references`.
    """
    return references(place).versions


def references(place: Place) -> References:
    """The published versions of a repository, and its newest commit.

    Raises:
        HubError: there is no such repository, the token may not see it, or the Hub cannot be reached.
    """
    branches, tags, _ = list_references(place)
    versions = {tag.name.removeprefix("v"): tag.target_commit for tag in tags if tag.name.startswith("v")}
    main = next((branch.target_commit for branch in branches if branch.name == "main"), None)
    ordered = sorted(filter(is_version, versions), key=parse_version)
    return References({version: versions[version] for version in ordered}, main)


def _published_hint(tags: dict[str, str]) -> str | None:
    return f"published: {', '.join(tags)}" if tags else None


def _cached_hint(place: Place) -> str:
    cached = cached_versions(place.repo_id, place.cache_dir)
    return f"in the cache: {', '.join(cached)}" if cached else "no version of it is in the cache"
