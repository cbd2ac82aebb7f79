"""Local copies of files of a version in an object store, each checked against the manifest.

The bytes of a file are kept once, under their SHA-256, whichever versions have it. The folder of a version has hard links to
them, and its name is the SHA-256 of its manifest. So nothing that changes in a bucket is ever taken for what it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import VerifyError, VersionError
from ..files import write_whole
from ..objects import Objects, ObjectTooLargeError
from ..storage.manifest import LARGEST_MANIFEST, MANIFEST_NAME, File, Shard, fault_of

__all__ = ["AT_ONCE", "cache_folder", "fetch_each", "fetch_files", "keep_manifest"]

AT_ONCE = 8  # objects that are fetched or looked for at once


def cache_folder(cache_dir: str | Path | None = None) -> Path:
    """Where files of buckets are kept: in `cache_dir`, or beside the cache of `huggingface_hub`."""
    from huggingface_hub.constants import HF_HOME

    return Path(cache_dir or HF_HOME).expanduser() / "newsdata"


def keep_manifest(data: bytes, cache: Path) -> Path:
    """The folder for the files of the version with this manifest; the manifest is written into it."""
    folder = cache / "versions" / hashlib.sha256(data).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / MANIFEST_NAME).is_file() or (folder / MANIFEST_NAME).read_bytes() != data:
        write_whole(folder / MANIFEST_NAME, data)
    return folder


def fetch_files(objects: Objects, wanted: Iterable[File | Shard], folder: Path, cache: Path) -> None:
    """Fetch files of a version that its local folder lacks, or has damaged.

    Args:
        objects: the version's folder in the store.
        wanted: the files, from its manifest.
        folder: its local folder, from `keep_manifest`.
        cache: from `cache_folder`.

    Raises:
        VersionError: the version was removed or replaced meanwhile.
        VerifyError: the store has other bytes than the manifest names, or lacks a file; `faults` lists them.
        MachineError: the store refuses or cannot be reached.
    """
    missing = [file for file in wanted if fault_of(folder, file)]
    if not missing:
        return
    found = zip(missing, fetch_each(objects, missing, folder, cache), strict=True)
    if faults := [f"{file.path}: {fault}" for file, fault in found if fault]:
        _tell(objects, folder, faults)


def fetch_each(objects: Objects, files: Sequence[File | Shard], folder: Path, cache: Path) -> list[str | None]:
    """Fetch files of a version, or take them from the cache.

    Args:
        objects, folder, cache: as for `fetch_files`.
        files: from the manifest of the version.

    Returns:
        for each file what is wrong with the one in the store; None for a good one, which `folder` now has.
    """
    (cache / "blobs").mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda file: _fetch(objects, file, folder, cache), files))


def _fetch(objects: Objects, file: File | Shard, folder: Path, cache: Path) -> str | None:
    """Fetch one file; returns what is wrong with the one in the store, or None."""
    blob = cache / "blobs" / file.sha256
    fault = _fault(blob, file)
    for _ in range(2 if fault else 0):  # perhaps damaged on its way: once more
        part = blob.with_name(f".{secrets.token_hex(16)}.part")
        try:
            if not objects.fetch(file.path, part, file.bytes):
                return "is missing"
            fault = _fault(part, file)
            if not fault:
                part.replace(blob)
                break
        except ObjectTooLargeError:
            fault = f"has more than {file.bytes:,} bytes"
        finally:
            with contextlib.suppress(OSError):
                part.unlink()
    if fault:
        return fault
    _link_file(blob, folder / file.path)
    return None


def _fault(blob: Path, file: File | Shard) -> str | None:
    """What is wrong with a local copy of a file, whatever its name."""
    return fault_of(blob.parent, File(path=blob.name, bytes=file.bytes, sha256=file.sha256))


def _link_file(file: Path, target: Path) -> None:
    """Give a file one more name, in place of what is there; on a file system without hard links, make a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(16)}.part")
    try:
        try:
            os.link(file, part)
        except OSError:
            shutil.copyfile(file, part)
        part.replace(target)
    finally:
        with contextlib.suppress(OSError):  # it stays if both names were of one file before
            part.unlink()


def _tell(objects: Objects, folder: Path, faults: Sequence[str]) -> None:
    """Say why files could not be fetched: the version is gone, is another one now, or is damaged."""
    now = objects.read(MANIFEST_NAME, LARGEST_MANIFEST)
    if now != (folder / MANIFEST_NAME).read_bytes():
        what = "removed" if now is None else "replaced"
        raise VersionError(f"this version was {what} while it was read", path=objects, hint="run this again")
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    raise VerifyError(
        f"the store does not hold what the manifest names: {faults[0]}{more}",
        path=objects,
        faults=tuple(faults),
        hint="`newsdata verify` lists everything that is wrong",
    )
