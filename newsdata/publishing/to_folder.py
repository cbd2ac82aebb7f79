"""Publish a version to a folder or a bucket: the folder `X.Y.Z`, with `manifest.json` written last.

Hashes are read back before the manifest is written. A published version is never changed. Files that an earlier version
there has already are copied instead of sent. A second run finishes what an interrupted run began.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..card.versions_readme import update_versions_readme
from ..counts import file_size, plural
from ..dataset.hub_files import files_of
from ..errors import CallError, HubError, NewsdataError, VerifyError, VersionError
from ..sources.unpacked import driver_hint
from ..storage.manifest import MANIFEST_NAME, is_version, parse_version, read_manifest
from .checked_version import CheckedVersion
from .plan import Confirm, Plan, Published, Report, require_confirmation

__all__ = ["Store", "open_store", "plan_folder", "publish_folder"]

_PART = f"{MANIFEST_NAME}.part"  # the manifest, until everything else was checked
_BLOCK = 1 << 20  # bytes read at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A folder or bucket that holds versions.

    Attributes:
        system: its file system, of fsspec.
        root: the path in it.
        name: the place as people write it.
    """

    system: Any
    root: str
    name: str


def open_store(target: str) -> Store:
    """The store at a path, or at an address that fsspec knows.

    Raises:
        CallError: fsspec does not know the address, or a library for it is missing.
    """
    import fsspec

    protocol, path = fsspec.core.split_protocol(target)
    if protocol in (None, "file", "local"):
        here = str(Path(path).expanduser().absolute())
        name = target.rstrip("/") if protocol else here
        return Store(system=fsspec.filesystem("file", auto_mkdir=True), root=here.rstrip("/"), name=name)
    try:
        system, root = fsspec.core.url_to_fs(target)
    except (ImportError, ValueError) as error:
        raise CallError(f"this address cannot be used: {error}", path=target, hint=driver_hint(target, error)) from None
    return Store(system=system, root=root.rstrip("/"), name=target.rstrip("/"))


def plan_folder(version: CheckedVersion, store: Store) -> Plan:
    """What `publish_folder` would do. Nothing is changed.

    Raises:
        VersionError: the version's folder holds other content.
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
    place = f"{store.root}/{version.version}"
    sent = [path for path in (*plan.new, *plan.changed) if path != MANIFEST_NAME]
    report(f"{plan.target}: sending {plural(len(sent) + 1, 'file')}, {file_size(plan.bytes)}")
    with _errors_of(plan.target):
        for path, source in copies.items():
            store.system.cp_file(source, f"{place}/{path}")
        for path in sent:
            store.system.put_file(str(version.folder / path), f"{place}/{path}")
        store.system.put_file(str(version.folder / MANIFEST_NAME), f"{place}/{_PART}")
        wrong = _wrong_files(version, store, version.files)
        again = [path for path in wrong if path in copies]  # the earlier version is damaged there
        for path in again:
            store.system.put_file(str(version.folder / path), f"{place}/{path}")
        wrong = [path for path in wrong if path not in again] + _wrong_files(version, store, again)
        if wrong:
            reason = f"the folder does not hold what was sent ({wrong[0]}), so it was not published"
            raise VerifyError(reason, path=plan.target, faults=tuple(wrong))
        store.system.mv(f"{place}/{_PART}", f"{place}/{MANIFEST_NAME}")  # from now on the version is published
    report(f"{plan.target}: {plural(len(version.files), 'hash', 'hashes')} read back, all equal")
    _update_readme(store, report)
    sent = [*sent, *again, MANIFEST_NAME]
    size = sum(version.files[path].bytes for path in sent)
    return Published(target=plan.target, version=version.version, sent=tuple(sent), bytes=size)


def _update_readme(store: Store, report: Report) -> None:
    """In a folder of this machine, let `datasets.load_dataset` open the newest version. It cannot open a folder elsewhere."""
    if "file" in store.system.protocol and (note := update_versions_readme(Path(store.root))):
        report(note)


def _plan(version: CheckedVersion, store: Store) -> tuple[Plan, dict[str, str]]:
    """The plan, and the files that can be copied inside the store: path -> the place to copy from."""
    plan = Plan(target=f"{store.name}/{version.version}", version=version.version, full_text=version.full_text)
    with _errors_of(plan.target):
        store.system.invalidate_cache()
        sizes = _sizes_there(version, store)
        place = f"{store.root}/{version.version}"
        same = {
            path
            for path, file in version.files.items()
            if sizes.get(path) == file.bytes and _hash(store, f"{place}/{path}") == file.sha256
        }
        earlier = _places_in_earlier_version(version, store) if MANIFEST_NAME not in sizes else {}
    if MANIFEST_NAME in sizes and MANIFEST_NAME not in same:
        reason = f"{version.version} is published there with other content; a published version is never changed"
        raise VersionError(reason, path=plan.target, hint="build the change as a new version")
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


def _sizes_there(version: CheckedVersion, store: Store) -> dict[str, int]:
    """The size of each file in the version's folder, by path; without the part that an interrupted run left."""
    place = f"{store.root}/{version.version}"
    found = store.system.find(place, detail=True)
    sizes = {path[len(place) + 1 :]: int(entry["size"]) for path, entry in found.items()}
    sizes.pop(_PART, None)
    return sizes


def _places_in_earlier_version(version: CheckedVersion, store: Store) -> Mapping[str, str]:
    """Where the files of the newest version below this one are in the store, by hash."""
    system = store.system
    paths = system.ls(store.root, detail=False) if system.exists(store.root) else []
    names = (path.rstrip("/").rsplit("/", 1)[-1] for path in paths)
    below = [name for name in names if is_version(name) and parse_version(name) < parse_version(version.version)]
    for earlier in sorted(below, key=parse_version, reverse=True):
        folder = f"{store.root}/{earlier}"
        if system.exists(f"{folder}/{MANIFEST_NAME}"):
            with tempfile.TemporaryDirectory() as local:
                system.get_file(f"{folder}/{MANIFEST_NAME}", f"{local}/{MANIFEST_NAME}")
                manifest = read_manifest(local)
            return {file.sha256: f"{folder}/{file.path}" for file in files_of(manifest)}
    return {}


def _wrong_files(version: CheckedVersion, store: Store, paths: Iterable[str]) -> list[str]:
    """Those of some files just written that do not read back with their hash."""
    place = f"{store.root}/{version.version}"
    return [
        path
        for path in paths
        if _hash(store, f"{place}/{_PART if path == MANIFEST_NAME else path}") != version.files[path].sha256
    ]


def _hash(store: Store, path: str) -> str:
    digest = hashlib.sha256()
    with store.system.open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _errors_of(target: str) -> Iterator[None]:
    """Turn every exception into a HubError: each kind of file system raises its own."""
    try:
        yield
    except NewsdataError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise HubError(f"cannot be read or written: {said}", path=target) from error
