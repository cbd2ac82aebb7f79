"""A built version to a hub, or to a folder or bucket.

On a hub a version is one commit and the tag `vX.Y.Z` on it; in a folder or bucket it is the folder `X.Y.Z`,
whose `manifest.json` is written last. Either way nothing is published before its hashes are read back,
nothing published is ever changed, and a second run finishes what a killed one began.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset.hub_cache import git_hash
from ..dataset.hub_client import attempt, check_repo_id, client
from ..dataset.hub_files import files_of
from ..dataset.hub_revisions import is_version, version_tags
from ..dataset.open_version import open_version
from ..errors import CallError, HubError, NewsdataError, VerifyError, VersionError
from ..maintenance.verify import check_redactions
from ..schema import CONFIGS
from ..storage.manifest import MANIFEST_NAME, File, Manifest, hash_file, parse_version, read_manifest, read_yanked

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = ["Plan", "Published", "plan", "publish"]

_Report = Callable[[str], None]

_FOLDERS = (*CONFIGS, "assets")
"""Folders of a repository that are the dataset's: what lies in them and not in the version is deleted."""

_PART = f"{MANIFEST_NAME}.part"
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What publishing would do.

    Attributes:
        target: repository ("owner/name"), or address of the folder that the version gets.
        version: "X.Y.Z".
        published: the target holds exactly this version already; there is nothing to do.
        new, changed, deleted, unchanged: paths. On a hub compared with its newest commit; in a folder or
            bucket with what stands there, where `unchanged` may mean copied over from an earlier version.
        bytes: to be sent.
        create: the repository does not exist yet.
        private: whether only its owners see the repository, as it is or would be made; None for a folder.
        full_text: the version holds the publishers' text.
        parent: the commit that it is built upon; None for a new or empty repository and for a folder.
    """

    target: str
    version: str
    published: bool = False
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    bytes: int = 0
    create: bool = False
    private: bool | None = None
    full_text: bool = True
    parent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing did. The hashes of every file were read back from the target and are the manifest's.

    Attributes:
        target, version: as in `Plan`.
        commit, tag: on a hub, what the version is there; else None.
        sent: paths that went over the wire.
        deleted: paths that the commit took away.
        bytes: sum of the sizes of `sent`.
        already: the version was there before; nothing was done.
        created: the repository is new.
    """

    target: str
    version: str
    commit: str | None = None
    tag: str | None = None
    sent: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    bytes: int = 0
    already: bool = False
    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    folder: Path
    version: str
    full_text: bool
    files: Mapping[str, File]


def plan(
    directory: str | Path,
    target: str,
    *,
    revision: str | None = None,
    private: bool = True,
    token: str | None = None,
) -> Plan:
    """What `publish` with the same arguments would do; nothing is sent or changed.

    It needs no `full_text`: `Plan.full_text` says whether publishing would.

    Raises:
        as `publish`.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("examples/archive", f"{folder}/out", num_proc=1)
    ...     found = plan(f"{folder}/out", f"{folder}/public")
    >>> found.version, found.published, "README.md" in found.new
    ('1.0.0', False, True)
    """
    ours = _open(directory, revision)
    if _is_repository(target):
        return _plan_commit(client(_token(token, target)), ours, target, private)
    return _plan_folder(ours, _store(target))[0]


def publish(
    directory: str | Path,
    target: str,
    *,
    revision: str | None = None,
    full_text: bool = False,
    private: bool = True,
    token: str | None = None,
    confirm: Callable[[Plan], bool] | None = None,
    report: _Report | None = None,
) -> Published:
    """Send a built version to a hub, a folder or a bucket, and check that what arrived is what was built.

    Args:
        directory: the folder of a version, or the folder that holds versions.
        target: a dataset repository "owner/name" (at HF_ENDPOINT; made if it is not there), an address that
            fsspec knows ("s3://bucket/prefix"), or a path of a folder, which starts with `/`, `.` or `~`.
        revision: which version in `directory`; None for the newest.
        full_text: send the publishers' text, too. Whether that may be done is the sender's decision, so a
            version with text is refused without it; a text-free version never needs it.
        private: whether a repository that has to be made is private; one that is there stays as it is.
        token: of the hub; None takes the one that `huggingface_hub` finds (HF_TOKEN, or its login).
        confirm: asked with the plan before anything is sent, unless there is nothing to do.
        report: told what is being done.

    Raises:
        CallError: the version holds text and `full_text` is not set, or `confirm` said no.
        VersionError: the tag or folder of this version is taken by other content, or a newer one is there.
        HubError: no token, no right, no such repository, somebody else committed meanwhile, or out of reach.
        VerifyError: a file is not what the manifest says, here (nothing is sent) or there (no tag is set).
        ManifestError: there is no usable manifest.

    >>> import tempfile
    >>> from newsdata import build
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = build("examples/archive", f"{folder}/out", num_proc=1)
    ...     first = publish(f"{folder}/out", f"{folder}/public", full_text=True)
    ...     again = publish(f"{folder}/out", f"{folder}/public", full_text=True)
    >>> first.already, again.already
    (False, True)
    """
    say = report or _say_nothing
    ours = _open(directory, revision)
    if ours.full_text and not full_text:
        raise CallError(
            "this version holds the full text of the articles",
            path=ours.folder,
            hint="if its publishers' rights allow that, say --full-text; else build one with --text none",
        )
    if _is_repository(target):
        return _publish_commit(client(_token(token, target)), ours, target, private, confirm, say)
    return _publish_folder(ours, _store(target), confirm, say)


def _say_nothing(_: str) -> None:
    return


def _agreed(found: Plan, confirm: Callable[[Plan], bool] | None) -> None:
    if confirm and not confirm(found):
        raise CallError("not confirmed; nothing was sent")


# -------------------------------------------------------------------------------- the version


def _open(directory: str | Path, revision: str | None) -> _Version:
    """The files of a version, each checked: a damaged folder is never published."""
    folder, manifest = open_version(directory, revision)
    folder = folder.resolve()
    check_redactions(folder, manifest)
    if (reason := read_yanked(folder)) is not None:
        raise VersionError(
            f"{manifest.dataset_version} was yanked: {reason}", path=folder, hint="publish another version"
        )
    has_text = manifest.configuration.get("text", "full") == "full"
    return _Version(
        folder=folder, version=manifest.dataset_version, full_text=has_text, files=_checked(folder, manifest)
    )


def _checked(folder: Path, manifest: Manifest) -> dict[str, File]:
    size, digest = hash_file(folder / MANIFEST_NAME)
    files = {MANIFEST_NAME: File(path=MANIFEST_NAME, bytes=size, sha256=digest)}
    faults = []
    for named in files_of(manifest):
        path = folder / named.path
        if path.is_symlink() or not path.resolve().is_relative_to(folder):
            faults.append(f"{named.path}: a link")
        elif not path.is_file():
            faults.append(f"{named.path}: missing")
        elif hash_file(path) != (named.bytes, named.sha256):
            faults.append(f"{named.path}: not the file that the manifest names")
        files[named.path] = File(path=named.path, bytes=named.bytes, sha256=named.sha256)
    if faults:
        reason = f"damaged, so nothing was sent: {faults[0]}" + (f" and {len(faults) - 1} more" if faults[1:] else "")
        raise VerifyError(reason, path=folder, faults=tuple(faults))
    return dict(sorted(files.items()))


def _is_repository(target: str) -> bool:
    """Whether a target is a repository; anything with `://`, or that starts like a path, is none.

    >>> [_is_repository(t) for t in ("lab/finews", "s3://bucket/finews", "./public", "/public", "~/public")]
    [True, False, False, False, False]
    """
    if target.startswith("hf://"):
        raise HubError(f"{target} is an address", hint="name the repository alone: owner/name")
    if "://" in target or target.startswith((".", "~")) or Path(target).is_absolute():
        return False
    check_repo_id(target)
    return True


# -------------------------------------------------------------------------------- a hub


def _token(token: str | None, repo_id: str) -> str:
    from huggingface_hub import get_token

    found = token or get_token()
    if not found:
        raise HubError("publishing needs a token", path=repo_id, hint="set HF_TOKEN or run `hf auth login`")
    return found


def _plan_commit(api: HfApi, ours: _Version, repo_id: str, private: bool) -> Plan:
    there = attempt(lambda: _look(api, repo_id), repo_id)
    sizes = {path: file.bytes for path, file in ours.files.items()}
    begun = Plan(target=repo_id, version=ours.version, full_text=ours.full_text)
    if there is None:
        return replace(begun, new=tuple(sizes), bytes=sum(sizes.values()), create=True, private=private)
    begun = replace(begun, private=bool(there.private), parent=there.sha)
    tags = version_tags(api, repo_id)
    if ours.version in tags:
        new, changed, deleted = _difference(ours, _tree(api, repo_id, tags[ours.version]))
        if new or changed or deleted:
            first = (*changed, *new, *deleted)[0]
            reason = f"the tag v{ours.version} is taken by other content ({first} differs), and no tag is moved"
            raise VersionError(reason, path=repo_id, hint="build the change as a version of its own")
        return replace(begun, published=True, parent=tags[ours.version], unchanged=tuple(sizes))
    newer = [tag for tag in tags if parse_version(tag) > parse_version(ours.version)]
    if newer:
        reason = f"{newer[-1]} is published, which is newer than {ours.version}"
        raise VersionError(reason, path=repo_id, hint="a repository goes forward only")
    tree = _tree(api, repo_id, there.sha)
    new, changed, deleted = _difference(ours, tree)
    foreign = [path for path in (*changed, *deleted) if path != "README.md"]
    if foreign and MANIFEST_NAME not in tree:
        reason = f"the repository holds something else: {foreign[0]} would be lost"
        raise HubError(reason, path=repo_id, hint="name another repository, or an empty one")
    unchanged = tuple(path for path in sizes if path not in {*new, *changed})
    return replace(
        begun,
        new=new,
        changed=changed,
        deleted=deleted,
        unchanged=unchanged,
        bytes=sum(sizes[path] for path in (*new, *changed)),
    )


def _look(api: HfApi, repo_id: str) -> Any:
    """What the hub says of a repository: `sha` of its newest commit, `private`; None where there is none."""
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return api.dataset_info(repo_id)
    except HfHubHTTPError as error:
        if error.response.status_code == 404:
            return None
        raise


def _tree(api: HfApi, repo_id: str, commit: str | None) -> dict[str, Any]:
    from huggingface_hub.hf_api import RepoFile

    if commit is None:
        return {}

    def listing() -> dict[str, Any]:
        entries = api.list_repo_tree(repo_id, repo_type="dataset", revision=commit, recursive=True)
        return {entry.path: entry for entry in entries if isinstance(entry, RepoFile)}

    return attempt(listing, repo_id)


def _difference(ours: _Version, tree: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Paths that are new, changed, and to be deleted, against the listing of a commit, by hash."""
    new = tuple(path for path in ours.files if path not in tree)
    changed = tuple(path for path, file in ours.files.items() if path in tree and not _same(ours, file, tree[path]))
    gone = [path for path in tree if path not in ours.files and path.split("/")[0] in _FOLDERS]
    return new, changed, tuple(sorted(gone))


def _same(ours: _Version, file: File, entry: Any) -> bool:
    if entry.lfs is not None:
        return bool(entry.lfs.sha256 == file.sha256)
    return bool(entry.size == file.bytes and entry.blob_id == git_hash(ours.folder / file.path))


def _publish_commit(
    api: HfApi,
    ours: _Version,
    repo_id: str,
    private: bool,
    confirm: Callable[[Plan], bool] | None,
    say: _Report,
) -> Published:
    found = _plan_commit(api, ours, repo_id, private)
    tag = f"v{ours.version}"
    if found.published:
        say(f"{repo_id}: {tag} is already published")
        return Published(target=repo_id, version=ours.version, commit=found.parent, tag=tag, already=True)
    _agreed(found, confirm)
    created = found.create
    if created:
        say(f"{repo_id}: making a {'private' if private else 'public'} repository")
        attempt(lambda: api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True), repo_id)
        found = _plan_commit(api, ours, repo_id, private)
    commit = found.parent
    if found.new or found.changed or found.deleted:
        commit = _commit(api, ours, repo_id, found, say)
    wrong = [path for paths in _difference(ours, _tree(api, repo_id, commit)) for path in paths]
    if wrong:
        reason = f"commit {commit} is not what was sent ({wrong[0]}), so it got no tag"
        raise VerifyError(reason, path=repo_id, faults=tuple(wrong))
    assert commit is not None
    _tag(api, repo_id, tag, commit, say)
    say(f"{repo_id}: {tag} is commit {commit}; {len(ours.files)} hashes read back, all equal")
    return Published(
        target=repo_id,
        version=ours.version,
        commit=commit,
        tag=tag,
        sent=(*found.new, *found.changed),
        deleted=found.deleted,
        bytes=found.bytes,
        created=created,
    )


def _commit(api: HfApi, ours: _Version, repo_id: str, found: Plan, say: _Report) -> str:
    """One commit on top of the one that the plan was made for."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete
    from huggingface_hub.errors import HfHubHTTPError

    operations: list[CommitOperationAdd | CommitOperationDelete] = [
        *(CommitOperationAdd(path, str(ours.folder / path)) for path in (*found.new, *found.changed)),
        *(CommitOperationDelete(path, is_folder=False) for path in found.deleted),
    ]
    say(f"{repo_id}: sending {len(found.new) + len(found.changed)} files, {found.bytes:,} bytes")

    def send() -> str:
        there = _look(api, repo_id)
        head = there and there.sha
        if head != found.parent:  # an earlier try may have landed, and only its answer was lost
            if any(_difference(ours, _tree(api, repo_id, head))):
                raise _stale(repo_id)
            return str(head)
        try:
            made = api.create_commit(
                repo_id,
                operations,
                commit_message=f"Version {ours.version}",
                repo_type="dataset",
                parent_commit=found.parent,
            )
        except HfHubHTTPError as error:
            if error.response.status_code == 412:
                raise _stale(repo_id) from error
            raise
        return str(made.oid)

    return attempt(send, repo_id, report=say)


def _stale(repo_id: str) -> HubError:
    reason = "somebody else committed to the repository meanwhile; nothing was changed"
    return HubError(reason, path=repo_id, hint="look at it, then publish again")


def _tag(api: HfApi, repo_id: str, tag: str, commit: str, say: _Report) -> None:
    from huggingface_hub.errors import HfHubHTTPError

    def send() -> None:
        try:
            api.create_tag(repo_id, tag=tag, revision=commit, repo_type="dataset")
        except HfHubHTTPError as error:
            if error.response.status_code != 409:  # 409: an earlier try may have landed
                raise

    attempt(send, repo_id, report=say)
    there = version_tags(api, repo_id).get(tag[1:])
    if there != commit:
        reason = f"the tag {tag} names {there}, not {commit}: somebody else set it meanwhile"
        raise HubError(reason, path=repo_id, hint="the commit is there; find out who tagged")


# -------------------------------------------------------------------------------- a folder or bucket


@dataclass(frozen=True, slots=True, kw_only=True)
class _Store:
    """A file system of fsspec, the path in it that holds the versions, and how people name that place."""

    system: Any
    root: str
    name: str


def _store(target: str) -> _Store:
    import fsspec

    protocol, path = fsspec.core.split_protocol(target)
    if protocol in (None, "file", "local"):
        here = str(Path(path).expanduser().absolute())
        name = target.rstrip("/") if protocol else here
        return _Store(system=fsspec.filesystem("file", auto_mkdir=True), root=here.rstrip("/"), name=name)
    try:
        system, root = fsspec.core.url_to_fs(target)
    except (ImportError, ValueError) as error:
        raise CallError(f"this address cannot be used: {error}", path=target) from None
    return _Store(system=system, root=root.rstrip("/"), name=target.rstrip("/"))


@contextmanager
def _speaking_of(target: str) -> Iterator[None]:
    """Each kind of store has exceptions of its own; people get one."""
    try:
        yield
    except NewsdataError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise HubError(f"cannot be read or written: {said}", path=target) from error


def _plan_folder(ours: _Version, store: _Store) -> tuple[Plan, dict[str, str]]:
    """The plan, and from where in the store a file can be copied instead of being sent."""
    place = f"{store.root}/{ours.version}"
    begun = Plan(target=f"{store.name}/{ours.version}", version=ours.version, full_text=ours.full_text)
    with _speaking_of(begun.target):
        store.system.invalidate_cache()
        found = store.system.find(place, detail=True)
        sizes = {path[len(place) + 1 :]: info["size"] for path, info in found.items()}
        sizes.pop(_PART, None)
        same = {
            path
            for path, file in ours.files.items()
            if sizes.get(path) == file.bytes and _hash(store, f"{place}/{path}") == file.sha256
        }
        earlier = _earlier(ours, store) if MANIFEST_NAME not in sizes else {}
    if MANIFEST_NAME in sizes and MANIFEST_NAME not in same:
        reason = f"{ours.version} is published there with other content; a published version is never changed"
        raise VersionError(reason, path=begun.target, hint="build the change as a version of its own")
    strange = sorted(path for path in sizes if path not in ours.files)
    if strange:
        reason = f"the folder holds something else: {strange[0]}"
        raise VersionError(reason, path=begun.target, hint="take it away, or name another folder")
    copies = {path: earlier[file.sha256] for path, file in ours.files.items() if file.sha256 in earlier}
    copies = {path: source for path, source in copies.items() if path not in same}
    new = tuple(path for path in ours.files if path not in sizes and path not in copies)
    changed = tuple(path for path in ours.files if path in sizes and path not in same and path not in copies)
    made = replace(
        begun,
        published=len(same) == len(ours.files),
        new=new,
        changed=changed,
        unchanged=tuple(path for path in ours.files if path in same or path in copies),
        bytes=sum(ours.files[path].bytes for path in (*new, *changed)),
    )
    return made, copies


def _earlier(ours: _Version, store: _Store) -> dict[str, str]:
    """By hash, where files of the newest version below ours stand in the store."""
    system = store.system
    there = system.ls(store.root, detail=False) if system.exists(store.root) else []
    below = [
        name
        for name in (path.rstrip("/").rsplit("/", 1)[-1] for path in there)
        if is_version(name) and parse_version(name) < parse_version(ours.version)
    ]
    for version in sorted(below, key=parse_version, reverse=True):
        folder = f"{store.root}/{version}"
        if system.exists(f"{folder}/{MANIFEST_NAME}"):
            with tempfile.TemporaryDirectory() as local:
                system.get_file(f"{folder}/{MANIFEST_NAME}", f"{local}/{MANIFEST_NAME}")
                manifest = read_manifest(local)
            return {file.sha256: f"{folder}/{file.path}" for file in files_of(manifest)}
    return {}


def _hash(store: _Store, path: str) -> str:
    digest = hashlib.sha256()
    with store.system.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _publish_folder(ours: _Version, store: _Store, confirm: Callable[[Plan], bool] | None, say: _Report) -> Published:
    found, copies = _plan_folder(ours, store)
    done = Published(target=found.target, version=ours.version, already=True)
    if found.published:
        say(f"{found.target} is already published")
        return done
    _agreed(found, confirm)
    place = f"{store.root}/{ours.version}"
    sent = [path for path in (*found.new, *found.changed) if path != MANIFEST_NAME]
    say(f"{found.target}: sending {len(sent) + 1} files, {found.bytes:,} bytes")
    with _speaking_of(found.target):
        for path, source in copies.items():
            store.system.cp_file(source, f"{place}/{path}")
        for path in sent:
            store.system.put_file(str(ours.folder / path), f"{place}/{path}")
        store.system.put_file(str(ours.folder / MANIFEST_NAME), f"{place}/{_PART}")
        wrong = _wrong(ours, store, place, ours.files)
        again = [path for path in wrong if path in copies]  # the earlier version there is damaged
        for path in again:
            store.system.put_file(str(ours.folder / path), f"{place}/{path}")
        wrong = [path for path in wrong if path not in again] + _wrong(ours, store, place, again)
        if wrong:
            reason = f"what arrived is not what was sent ({wrong[0]}), so it was not published"
            raise VerifyError(reason, path=found.target, faults=tuple(wrong))
        store.system.mv(f"{place}/{_PART}", f"{place}/{MANIFEST_NAME}")  # from here on it is published
    say(f"{found.target}: {len(ours.files)} hashes read back, all equal")
    sent = [*sent, *again, MANIFEST_NAME]
    return replace(done, sent=tuple(sent), bytes=sum(ours.files[path].bytes for path in sent), already=False)


def _wrong(ours: _Version, store: _Store, place: str, paths: Iterable[str]) -> list[str]:
    """Of the files just written, those that do not read back as they should."""
    return [
        path
        for path in paths
        if _hash(store, f"{place}/{_PART if path == MANIFEST_NAME else path}") != ours.files[path].sha256
    ]
