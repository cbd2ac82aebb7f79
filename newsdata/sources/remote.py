"""Fetch an fsspec address (`s3://`, `hf://`, `https://` …) of an archive or a folder, and unpack it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import SourceError
from .archive import unpack_file
from .folder_walk import Fault, size_fault
from .unpacked import Member, check_limits, unpacking, write_unpacked

__all__ = ["unpack_url"]

_BATCH_FILES, _BATCH_BYTES = 64, 64 * 2**20  # files of a remote folder that are fetched together


def unpack_url(url: str, unpacked: Path) -> None:
    """Fetch an address of an archive or a folder, and unpack it.

    Args:
        url: an fsspec address.
        unpacked: the file to write; the index beside it gets the suffix `.index`.

    Raises:
        SourceError: the driver is missing, the address has nothing or cannot be reached; see also `unpack_file`.
        MachineError: the disk is full.
    """
    name, secrets = _without_secrets(url)
    download = unpacked.with_suffix(".download")
    with unpacking(unpacked, name, secrets=secrets):
        try:
            fs, root = _connect(url)
            if fs.info(root)["type"] == "directory":
                write_unpacked(_folder_members(fs, root, name), unpacked)
            else:
                _download(fs, root, download, name)
                unpack_file(download, unpacked, name=name)
        finally:
            download.unlink(missing_ok=True)


def _connect(url: str) -> tuple[Any, str]:
    """The fsspec file system of an address, and its path there."""
    import fsspec

    options: dict[str, Any] = {}
    if url.startswith(("http://", "https://")):
        import aiohttp

        # By default, every download ends after five minutes and no proxy is used.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)
        options["client_kwargs"] = {"timeout": timeout, "trust_env": True}
    fs, root = fsspec.core.url_to_fs(url, **options)
    fs.invalidate_cache()
    return fs, root


def _download(fs: Any, root: str, target: Path, name: str) -> None:
    from fsspec.callbacks import Callback

    class Limit(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            super().relative_update(inc)
            check_limits(self.value, sys.maxsize, 0, name)

    fs.get_file(root, str(target), callback=Limit())


def _folder_members(fs: Any, root: str, name: str) -> Iterator[Member]:
    """The files below a remote folder, fetched in batches."""
    found = sorted(fs.find(root, detail=True).items())
    check_limits(sum(info.get("size") or 0 for _, info in found), sys.maxsize, len(found), name)
    prefix = root.rstrip("/") + "/"
    batch: list[tuple[str, int]] = []
    batch_bytes = 0
    for path, info in found:
        if path.endswith("/"):
            continue  # object stores keep folders as empty objects
        if not path.startswith(prefix):
            raise SourceError(f"the driver lists {path!r}, which is not below the folder", path=name)
        size = info.get("size") or 0
        raw = path.removeprefix(prefix).encode("utf-8", "surrogateescape")
        if info.get("islink") or info["type"] != "file":
            yield raw, Fault("not-a-file", "this is a link or no regular file, and links are not followed", folder=True)
        elif fault := size_fault(size):
            yield raw, fault
        else:
            if batch and (len(batch) == _BATCH_FILES or batch_bytes + size > _BATCH_BYTES):
                yield from _fetch(fs, batch, prefix)
                batch, batch_bytes = [], 0
            batch.append((path, size))
            batch_bytes += size
    if batch:
        yield from _fetch(fs, batch, prefix)


def _fetch(fs: Any, batch: list[tuple[str, int]], prefix: str) -> Iterator[Member]:
    paths = [path for path, _ in batch]
    # Not `fs.cat`, which would expand `[` and `*` in a name as a pattern.
    for (path, size), data in zip(batch, fs.cat_ranges(paths, None, None, on_error="return"), strict=True):
        raw = path.removeprefix(prefix).encode("utf-8", "surrogateescape")
        if isinstance(data, FileNotFoundError):
            yield raw, Fault("unreadable", "the file vanished while it was read", size)
        elif isinstance(data, BaseException):
            raise data
        elif len(data) != size:
            yield raw, Fault("unreadable", "the file changed while it was read", size)
        else:
            yield raw, bytes(data)


def _without_secrets(url: str) -> tuple[str, tuple[str, ...]]:
    """An address without user, password and query, which may be secret; and these parts."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceError(f"not a valid address: {error}") from error
    user, _, host = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=host, query="", fragment="").geturl()
    return shown, tuple(secret for secret in (user, parts.query) if secret)
