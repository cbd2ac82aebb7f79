"""Publish a version to a folder or a bucket: the folder `X.Y.Z`, with `manifest.json` written last.

Hashes are read back before the manifest is written. A published version is never changed. Files that an earlier version
there has already are copied instead of sent. A second run finishes what an interrupted run began.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ..card.versions_readme import update_versions_readme
from ..counts import file_size, plural
from ..dataset.hub_files import files_of
from ..errors import CallError, HubError, MachineError, VerifyError, VersionError
from ..graph.lease import leased
from ..objects import Objects, is_object_url
from ..storage.manifest import LARGEST_MANIFEST, MANIFEST_NAME, YANKED_NAME, is_version, parse_version, read_manifest
from ..storage.version_place import check_holds_versions
from .checked_version import CheckedVersion
from .plan import Confirm, Plan, Published, Report, require_confirmation

__all__ = ["Store", "open_store", "plan_folder", "publish_folder"]

_PART = f"{MANIFEST_NAME}.part"  # what an earlier newsdata wrote the manifest to at first
_AT_ONCE = 8  # files
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder or bucket that holds versions.

    Attributes:
        objects: the folder.
        name: the place as people write it.
        folder: its path on this machine; None for a bucket.
    """

    objects: Objects
    name: str
    folder: Path | None = None


def open_store(target: str) -> Store:
    """The store at a path, or at an address: s3://, gs:// or file://.

    Raises:
        CallError: it is an address of another kind.
    """
    scheme, _, path = target.partition("://")
    if is_object_url(target):
        objects = Objects(url=target)
        return Store(objects=objects, name=objects.url)
    if path and scheme not in ("file", "local"):
        hint = "write s3://bucket/folder, gs://bucket/folder or the path of a folder, and copy it from there"
        raise CallError("this address cannot be used", path=target, hint=hint)
    folder = Path(path or target).expanduser().absolute()
    return Store(objects=Objects(url=folder.as_uri()), name=target.rstrip("/") if path else str(folder), folder=folder)


def plan_folder(version: CheckedVersion, store: Store) -> Plan:
    """What `publish_folder` would do. Nothing is changed.

    Raises:
        VersionError: the version's folder holds other content, or the store is itself the folder of a version.
        HubError: the store cannot be read.
    """
    return _plan(version, store)[0]


def publish_folder(version: CheckedVersion, store: Store, *, confirm: Confirm | None, report: Report) -> Published:
    """Send a version to its folder, read its hashes back, then write the manifest.

    Raises:
        CallError: `confirm` said no.
        VersionError: the version's folder holds other content.
        VerifyError: the folder does not hold what was sent; it gets no manifest.
        HubError: the store cannot be read or written.
    """
    plan, copies = _plan(version, store)
    if plan.published:
        report(f"{plan.target} is already published")
        return Published(target=plan.target, version=version.version, already=True)
    require_confirmation(plan, confirm)
    sent = [path for path in (*plan.new, *plan.changed) if path != MANIFEST_NAME]
    report(f"{plan.target}: sending {plural(len(sent) + 1, 'file')}, {file_size(plan.bytes)}")
    with _errors_of(plan.target), nullcontext() if store.folder else leased(store.objects, "publish"):
        again = _send_all(version, store, sent, copies)
    report(f"{plan.target}: {plural(len(version.files), 'hash', 'hashes')} read back, all equal")
    _update_readme(store, report)
    sent = [*sent, *again, MANIFEST_NAME]
    size = sum(version.files[path].bytes for path in sent)
    return Published(target=plan.target, version=version.version, sent=tuple(sent), bytes=size)


def _send_all(version: CheckedVersion, store: Store, sent: Iterable[str], copies: Mapping[str, str]) -> list[str]:
    """Write the files of a version, read their hashes back, then write the manifest.

    Returns:
        The files that were sent because copies of them were wrong.

    Raises:
        VerifyError: the folder does not hold what was sent.
        VersionError: somebody else published other content meanwhile.
    """
    place = store.objects.inside(version.version)

    def send(paths: Iterable[str]) -> None:
        _all(lambda path: place.put(path, version.folder / path), paths)

    _all(lambda path: store.objects.copy(copies[path], path, place), copies)
    send(sent)
    rest = [path for path in version.files if path != MANIFEST_NAME]
    wrong = _wrong_files(version, place, rest)
    again = [path for path in wrong if path in copies]  # the earlier version is damaged there
    send(again)
    wrong = [path for path in wrong if path not in again] + _wrong_files(version, place, again)
    if wrong:
        reason = f"the folder does not hold what was sent ({wrong[0]}), so it was not published"
        raise VerifyError(reason, path=f"{store.name}/{version.version}", faults=tuple(wrong))
    place.delete([_PART])
    if not place.create(MANIFEST_NAME, version.folder / MANIFEST_NAME):  # from now on the version is published
        raise _other_content(version, store)
    if _wrong_files(version, place, [MANIFEST_NAME]):
        place.delete([MANIFEST_NAME])
        reason = f"the folder does not hold what was sent ({MANIFEST_NAME}), so it was not published"
        raise VerifyError(reason, path=f"{store.name}/{version.version}", faults=(MANIFEST_NAME,))
    return again


def _other_content(version: CheckedVersion, store: Store) -> VersionError:
    reason = f"{version.version} is published there with other content; a published version is never changed"
    hint = "build the change as a new version"
    return VersionError(reason, path=f"{store.name}/{version.version}", hint=hint)


def _update_readme(store: Store, report: Report) -> None:
    """In a folder of this machine, let `datasets.load_dataset` open the newest version. It cannot open a folder elsewhere."""
    if store.folder and (note := update_versions_readme(store.folder)):
        report(note)


def _plan(version: CheckedVersion, store: Store) -> tuple[Plan, dict[str, str]]:
    """The plan, and the files that can be copied inside the store: path -> the place to copy from."""
    plan = Plan(target=f"{store.name}/{version.version}", version=version.version, full_text=version.full_text)
    with _errors_of(plan.target):
        check_holds_versions(store.objects, store.name)
        place = store.objects.inside(version.version)
        sizes = {path: size for path, size in place.names() if path not in (_PART, YANKED_NAME)}
        there = [path for path, file in version.files.items() if sizes.get(path) == file.bytes]
        same = {*there} - {*_wrong_files(version, place, there)}
        earlier = _places_in_earlier_version(version, store) if MANIFEST_NAME not in sizes else {}
    if MANIFEST_NAME in sizes and MANIFEST_NAME not in same:
        raise _other_content(version, store)
    foreign = sorted(path for path in sizes if path not in version.files)
    if foreign:
        reason = f"the folder holds something else: {foreign[0]}"
        raise VersionError(reason, path=plan.target, hint="remove it, or name another folder")
    copies = {
        path: earlier[file.sha256]
        for path, file in version.files.items()
        if file.sha256 in earlier and path not in same
    }
    to_send = [path for path in version.files if path not in same and path not in copies]
    plan = replace(
        plan,
        published=len(same) == len(version.files),
        new=tuple(path for path in to_send if path not in sizes),
        changed=tuple(path for path in to_send if path in sizes),
        unchanged=tuple(path for path in version.files if path in same or path in copies),
        bytes=sum(version.files[path].bytes for path in to_send),
    )
    return plan, copies


def _places_in_earlier_version(version: CheckedVersion, store: Store) -> Mapping[str, str]:
    """Where the files of the newest version below this one are in the store, by hash."""
    there = filter(is_version, store.objects.folders())
    below = [name for name in there if parse_version(name) < parse_version(version.version)]
    for earlier in sorted(below, key=parse_version, reverse=True):
        data = store.objects.read(f"{earlier}/{MANIFEST_NAME}", LARGEST_MANIFEST)
        if data is not None:
            with tempfile.TemporaryDirectory() as local:
                (Path(local) / MANIFEST_NAME).write_bytes(data)
                manifest = read_manifest(local)
            return {file.sha256: f"{earlier}/{file.path}" for file in files_of(manifest)}
    return {}


def _wrong_files(version: CheckedVersion, place: Objects, paths: Iterable[str]) -> list[str]:
    """Those of some files that do not read back with their hash."""
    listed = list(paths)
    hashes = _all(place.sha256, listed)
    return [path for path, found in zip(listed, hashes, strict=True) if found != version.files[path].sha256]


def _all(function: Callable[[str], _T], paths: Iterable[str]) -> list[_T]:
    """What a function gives for each of some files; several at once."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(function, paths))


@contextmanager
def _errors_of(target: str) -> Iterator[None]:
    """Tell errors of the folder or bucket as those of a place to publish to."""
    try:
        yield
    except MachineError as error:
        raise HubError(f"cannot be read or written: {error.reason}", path=target, hint=error.hint) from None
