"""A dataset on a hub, for reading: which commit a revision means, and local copies of that commit's files.

Every answer is about exactly one commit. Where the hub is out of reach, an exact version is taken from the
cache of `huggingface_hub` when it is there; nothing else ever stands in for it.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..errors import HubError, MachineError, ManifestError, NewsdataError, VerifyError, VersionError
from ..storage.manifest import MANIFEST_NAME, File, Manifest, Shard, hash_file, parse_version, read_manifest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = [
    "Resolved",
    "attempt",
    "cached_versions",
    "check_repo_id",
    "client",
    "fetch",
    "files_of",
    "git_hash",
    "is_version",
    "resolve",
    "version_tags",
]

_T = TypeVar("_T")

_COMMIT = re.compile(r"[0-9a-f]{40}", re.ASCII)
_EXACT = re.compile(r"v?(\d+\.\d+\.\d+)", re.ASCII)
_RANGE = re.compile(r"v?((?:\d+\.){0,2})\*", re.ASCII)
_WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between tries of one call
_TIMEOUT = 20.0  # seconds for the question what a revision is; then the cache is asked


class _OutOfReach(HubError):
    """No answer, or none but 5xx; the one error that the cache may help with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What a revision means.

    Attributes:
        repo_id: "owner/name".
        commit: 40 hex digits.
        version: of the dataset in that commit, "X.Y.Z".
        offline: the hub is out of reach; this answer is the cache's, and so must the files be.
    """

    repo_id: str
    commit: str
    version: str
    offline: bool = False


def resolve(repo_id: str, revision: str | None = None, *, token: str | None = None) -> Resolved:
    """The commit of a dataset repository that a revision means.

    Args:
        repo_id: "owner/name".
        revision: a version ("1.2.0" or "v1.2.0"), a range of them ("1.*", "1.2.*": the newest
            that is tagged), None for the newest version, or a commit or a branch.
        token: of the hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).

    Raises:
        VersionError: no such version is published; the message lists those that are.
        HubError: no such repository, no right to see it, or the hub is out of reach and this very version is
            not in the cache (the message lists those that are). A range, a branch and None need the hub.
        ManifestError: the revision holds no dataset of this kind.
        VerifyError: the hub's `manifest.json` is damaged.

    >>> resolve("finews")
    Traceback (most recent call last):
    newsdata.errors.HubError: 'finews' is no name of a repository; write it as owner/name, a folder with a slash: ./name
    """
    check_repo_id(repo_id)
    exact = _EXACT.fullmatch(revision or "")
    if exact:
        return _resolve_version(repo_id, exact[1], token)
    spread = _RANGE.fullmatch(revision or "*")
    if revision and _COMMIT.fullmatch(revision) and _in_cache(repo_id, revision):
        return _read(repo_id, revision, None, token)
    try:
        if not spread:
            return _read(repo_id, _ask(repo_id, str(revision), token), None, token)
        tags = version_tags(client(token), repo_id)
    except _OutOfReach as error:
        what = "the newest version" if revision is None else repr(revision)
        reason = f"{error.reason}; only the hub can say what {what} is"
        raise HubError(reason, path=repo_id, hint=_cached_hint(repo_id)) from error
    found = [version for version in tags if version.startswith(spread[1])]
    if not found:
        what = "no version" if revision is None else f"no version {revision}"
        raise VersionError(f"{what} is published", path=repo_id, hint=_published_hint(tags))
    return _read(repo_id, tags[found[-1]], found[-1], token)


def _resolve_version(repo_id: str, version: str, token: str | None) -> Resolved:
    try:
        return _read(repo_id, _ask(repo_id, f"v{version}", token), version, token)
    except _OutOfReach as error:
        commit = cached_versions(repo_id).get(version)
        if commit is None:
            reason = f"{error.reason}; version {version} is not in the cache"
            raise HubError(reason, path=repo_id, hint=_cached_hint(repo_id)) from error
        return Resolved(repo_id=repo_id, commit=commit, version=version, offline=True)


def _ask(repo_id: str, revision: str, token: str | None) -> str:
    """The commit of a tag, branch or commit, by the hub."""
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    def ask() -> str | None:
        try:
            return client(token).dataset_info(repo_id, revision=revision, timeout=_TIMEOUT).sha
        except HfHubHTTPError as error:
            if error.response.status_code != 404 or isinstance(error, RepositoryNotFoundError):
                raise
            return None

    commit = attempt(ask, repo_id)
    if commit is None:
        published = version_tags(client(token), repo_id)
        raise VersionError(f"{revision} is not published", path=repo_id, hint=_published_hint(published))
    return commit


def _read(repo_id: str, commit: str, version: str | None, token: str | None) -> Resolved:
    """Fetch and check the manifest of a commit; note in the cache which commit the version's tag means."""
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        manifest = _download(repo_id, commit, MANIFEST_NAME, token)
        if not _intact(manifest):
            manifest = _download(repo_id, commit, MANIFEST_NAME, token, force=True)
    except HubError as error:
        missing = isinstance(error.__cause__, EntryNotFoundError)
        if not missing or isinstance(error.__cause__, LocalEntryNotFoundError):
            raise
        raise ManifestError("this revision has no manifest.json: no dataset of newsdata", path=repo_id) from None
    if not _intact(manifest):
        raise VerifyError("the hub's manifest.json is not what the hub says it is", path=repo_id)
    found = read_manifest(manifest.parent).dataset_version
    if version and version != found:
        raise VersionError(f"the tag v{version} holds version {found}", path=repo_id, hint="ask its publisher")
    if version:
        _remember(manifest.parent.parent.parent, f"v{version}", commit)
    return Resolved(repo_id=repo_id, commit=commit, version=found)


def _remember(repository: Path, tag: str, commit: str) -> None:
    """Write what a tag means where `huggingface_hub` keeps it, for a later day without the hub."""
    ref = repository / "refs" / tag
    try:
        if not ref.is_file() or ref.read_text(encoding="ascii") != commit:
            ref.parent.mkdir(parents=True, exist_ok=True)
            part = ref.with_name(f".{tag}.{commit}")
            part.write_text(commit, encoding="ascii")
            part.replace(ref)
    except OSError:  # a cache that cannot be written still serves this call
        return


def version_tags(api: HfApi, repo_id: str) -> dict[str, str]:
    """The published versions of a repository and their commits, oldest first.

    Raises:
        HubError: no such repository, no right to see it, or the hub is out of reach.
    """
    refs = attempt(lambda: api.list_repo_refs(repo_id, repo_type="dataset"), repo_id)
    tags = {tag.name.removeprefix("v"): tag.target_commit for tag in refs.tags if tag.name.startswith("v")}
    return {version: tags[version] for version in sorted(filter(is_version, tags), key=parse_version)}


def is_version(text: str) -> bool:
    """Whether a text is of the form X.Y.Z.

    >>> is_version("1.2.0"), is_version("1.2"), is_version("01.2.0")
    (True, False, False)
    """
    try:
        parse_version(text)
    except VersionError:
        return False
    return True


def _published_hint(tags: dict[str, str]) -> str | None:
    return f"published: {', '.join(tags)}" if tags else None


def cached_versions(repo_id: str) -> dict[str, str]:
    """The versions of a repository that the cache knows and their commits, oldest first; no network.

    A version counts when its tag was resolved once, and its manifest is there and says the same version. The
    layout of the cache is the documented one: `refs/<tag>` holds a commit, `snapshots/<commit>/` its files.

    >>> cached_versions("nobody/nothing")
    {}
    """
    from huggingface_hub.constants import HF_HUB_CACHE

    repository = Path(HF_HUB_CACHE) / f"datasets--{repo_id.replace('/', '--')}"
    found = {}
    for ref in repository.glob("refs/v*"):
        version = ref.name.removeprefix("v")
        try:
            commit = ref.read_text(encoding="ascii")
            folder = repository / "snapshots" / commit
            known = is_version(version) and _COMMIT.fullmatch(commit) and _intact(folder / MANIFEST_NAME)
            if known and read_manifest(folder).dataset_version == version:
                found[version] = commit
        except (OSError, ValueError, ManifestError, VersionError):
            continue  # half-written or damaged: as good as not there
    return dict(sorted(found.items(), key=lambda item: parse_version(item[0])))


def _cached_hint(repo_id: str) -> str:
    there = cached_versions(repo_id)
    return f"in the cache: {', '.join(there)}" if there else "no version of it is in the cache"


def _in_cache(repo_id: str, commit: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo_id, MANIFEST_NAME, revision=commit, repo_type="dataset"), str)


# ------------------------------------------------------------------------------------------------ files


def fetch(resolved: Resolved, patterns: Iterable[str], *, token: str | None = None) -> Path:
    """A local folder with at least the files of a commit that were asked for, each checked by the manifest.

    Args:
        resolved: from `resolve`.
        patterns: paths in the dataset, or shell patterns ("articles/test-*"). Nothing else is fetched.
        token: as for `resolve`.

    Returns:
        the folder, in the cache of `huggingface_hub`; it may hold other files of the same commit, too.

    Raises:
        HubError: the hub is out of reach, and a file is not in the cache, or is damaged there.
        VerifyError: the hub's bytes are not what the manifest says; `faults` lists the files.
    """
    from huggingface_hub import snapshot_download

    repo_id, commit = resolved.repo_id, resolved.commit
    folder = _download(repo_id, commit, MANIFEST_NAME, token).parent
    wanted = _matching(read_manifest(folder), list(patterns))
    missing = [file.path for file in wanted if not (folder / file.path).is_file()]
    if missing and not resolved.offline:
        attempt(
            lambda: snapshot_download(
                repo_id, repo_type="dataset", revision=commit, allow_patterns=missing, token=token
            ),
            repo_id,
        )
    damaged = [file for file in wanted if not _is(folder / file.path, file)]
    if damaged and resolved.offline:
        names = _few([file.path for file in damaged])
        reason = f"the hub is out of reach; of version {resolved.version} the cache does not hold {names}"
        raise HubError(reason, path=repo_id, hint="load it once with the hub in reach")
    for file in damaged:  # the cache may be at fault: once more, from the hub
        _download(repo_id, commit, file.path, token, force=True)
    faults = tuple(file.path for file in damaged if not _is(folder / file.path, file))
    if faults:
        raise VerifyError(
            f"the hub's bytes are not what the manifest says: {_few(faults)}", path=repo_id, faults=faults
        )
    return folder


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")


def _matching(manifest: Manifest, patterns: list[str]) -> list[File | Shard]:
    exact, shapes = set(patterns), [p for p in patterns if any(c in p for c in "*?[")]
    named = files_of(manifest)
    return [f for f in named if f.path in exact or any(fnmatchcase(f.path, shape) for shape in shapes)]


def files_of(manifest: Manifest) -> list[File | Shard]:
    """Every file of a version but the manifest itself."""
    return [*manifest.shards, *manifest.files]


def _is(path: Path, file: File | Shard) -> bool:
    return path.is_file() and hash_file(path) == (file.bytes, file.sha256)


def _intact(path: Path) -> bool:
    """Whether a cached file is what the hub calls it: the cache names a file by its hash.

    Where the cache holds no links (some Windows machines) there is no name to compare with; then it counts as
    good.
    """
    name = path.resolve(strict=True).name
    if _COMMIT.fullmatch(name):
        return git_hash(path) == name
    return hash_file(path)[1] == name if len(name) == 64 else True


def git_hash(path: Path) -> str:
    """The name that git, and so a hub, gives to a small file: SHA-1 of its length and its bytes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a").write_bytes(b"hello")
    ...     git_hash(Path(folder) / "a")
    'b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0'
    """
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def _download(repo_id: str, commit: str, path: str, token: str | None, *, force: bool = False) -> Path:
    from huggingface_hub import hf_hub_download

    def get() -> str:
        return hf_hub_download(repo_id, path, repo_type="dataset", revision=commit, token=token, force_download=force)

    return Path(attempt(get, repo_id))


# ------------------------------------------------------------------------------------------------ calls


def client(token: str | None = None) -> HfApi:
    """The hub's client, as HF_ENDPOINT and the other variables of `huggingface_hub` set it up."""
    from huggingface_hub import HfApi

    return HfApi(token=token, library_name="newsdata")


def check_repo_id(repo_id: str) -> None:
    """Raise HubError unless `repo_id` is of the form owner/name and within the hub's rules.

    >>> check_repo_id("lab/finews")
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(repo_id)
    except HFValidationError as error:
        raise HubError(f"{repo_id!r} is no name of a repository", hint=str(error)) from None
    if "/" not in repo_id:
        raise HubError(
            f"{repo_id!r} is no name of a repository", hint="write it as owner/name, a folder with a slash: ./name"
        )


def attempt(call: Callable[[], _T], repo_id: str, *, report: Callable[[str], None] | None = None) -> _T:
    """Call the hub's client; try again after 5xx answers and broken connections; say what went wrong.

    The client repeats some of its calls itself and leaves others alone (commits, tags, references).

    Args:
        call: does one thing that may be repeated.
        repo_id: for the message.
        report: told about each new try.

    Raises:
        HubError: from the client's error, which is its `__cause__`.
        MachineError: the disk or a permission.
    """
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    for wait in (*_WAITS, None):
        try:
            return call()
        except NewsdataError:
            raise
        except (HTTPError, OSError, ValueError, RuntimeError) as error:
            cause = _cause(error)
            if wait is None or not _passing(cause):
                raise _explained(cause, repo_id) from cause
            if report:
                report(f"{repo_id}: {_line(cause)}; again in {wait:g} s")
        time.sleep(wait)
    raise AssertionError("unreachable")


def _cause(error: BaseException) -> BaseException:
    """The client wraps errors in others that say less; the innermost one knows best."""
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    while error.__cause__ is not None and (
        isinstance(error, LocalEntryNotFoundError | RuntimeError | ValueError) and not isinstance(error, HfHubHTTPError)
    ):
        error = error.__cause__
    return error


def _passing(error: BaseException) -> bool:
    """Whether the same call may well succeed in a moment."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # type: ignore[attr-defined]

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    if isinstance(error, HTTPError):
        return type(error).__name__ != "ConnectError"  # nobody there at all: no use in waiting
    short = isinstance(error, OSError) and "Consistency check failed" in str(error)  # fewer bytes than promised
    return short or isinstance(error, json.JSONDecodeError)  # an error page where JSON was due


def _explained(error: BaseException, repo_id: str) -> NewsdataError:
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return _OutOfReach("the hub is out of reach: offline mode is on", path=repo_id, hint="unset HF_HUB_OFFLINE")
    if isinstance(error, errors.GatedRepoError):
        return HubError("this repository is gated", path=repo_id, hint="ask for access on its page")
    if isinstance(error, errors.RepositoryNotFoundError):
        reason = "there is no such dataset repository, or this token may not see it"
        return HubError(reason, path=repo_id, hint="check the name, and HF_TOKEN or `hf auth login`")
    if isinstance(error, errors.HfHubHTTPError):
        status, said = (
            error.response.status_code,
            error.server_message or f"status {error.response.status_code}",
        )
        if status == 401:
            return HubError(f"the hub does not know this token: {said}", path=repo_id, hint="check HF_TOKEN")
        if status == 403:
            hint = "take a token with write access to it"
            return HubError(f"this token has no right to do that: {said}", path=repo_id, hint=hint)
        if status >= 500:
            return _OutOfReach(f"the hub is out of reach: it answers {status}", path=repo_id, hint="try again later")
        return HubError(f"the hub refused: {said}", path=repo_id)
    if isinstance(error, errors.HTTPError):  # type: ignore[attr-defined]
        return _OutOfReach(f"the hub is out of reach: {_line(error)}", path=repo_id, hint="check the network")
    if isinstance(error, OSError) and error.errno is not None:
        return MachineError(f"the system said: {error.strerror}", path=error.filename)
    return HubError(_line(error), path=repo_id)


def _line(error: BaseException) -> str:
    text = str(error).strip()
    return " ".join(text.split()) if text else type(error).__name__
