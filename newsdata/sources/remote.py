"""fsspec addresses (`s3://`, `hf://`, `https://` …) of an archive or a folder, fetched into a spool file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import SourceError
from .archives import Member, check_limits, unpack_file, unpacking, write_spool
from .folders import Fault, size_fault

__all__ = ["unpack_url"]

_BATCH_FILES, _BATCH_BYTES = 64, 64 * 2**20  # of a folder, fetched at once


def unpack_url(url: str, spool: Path) -> None:
    """Fetch an fsspec address, of an archive or a folder, into `spool` and the index beside it.

    Raises:
        SourceError: the driver is missing, nothing is there, it cannot be reached, or see `unpack_file`.
        MachineError: the disk is full.
    """
    name, secrets = _shown(url)
    download = spool.with_suffix(".download")
    with unpacking(spool, name, secrets=secrets):
        try:
            fs, root = _connect(url)
            if fs.info(root)["type"] == "directory":
                write_spool(_remote_members(fs, root, name), spool)
            else:
                _download(fs, root, download, name)
                unpack_file(download, spool, name=name)
        finally:
            download.unlink(missing_ok=True)


def _connect(url: str) -> tuple[Any, str]:
    import fsspec

    options: dict[str, Any] = {}
    if url.startswith(("http://", "https://")):
        import aiohttp

        # The default ends every download after five minutes and looks at no proxy.
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


def _remote_members(fs: Any, root: str, name: str) -> Iterator[Member]:
    """The files below a remote folder, fetched some at a time."""
    found = sorted(fs.find(root, detail=True).items())
    check_limits(sum(info.get("size") or 0 for _, info in found), sys.maxsize, len(found), name)
    prefix = root.rstrip("/") + "/"
    batch: list[tuple[str, int]] = []
    waiting = 0
    for path, info in found:
        if path.endswith("/"):
            continue  # object stores keep folders as empty objects
        if not path.startswith(prefix):
            raise SourceError(f"the driver lists {path!r}, which is not below the folder", path=name)
        size = info.get("size") or 0
        raw = path.removeprefix(prefix).encode("utf-8", "surrogateescape")
        if info.get("islink") or info["type"] != "file":
            yield raw, Fault("not-a-file", "a link or no regular file; links are not followed")
        elif fault := size_fault(size):
            yield raw, fault
        else:
            if batch and (len(batch) == _BATCH_FILES or waiting + size > _BATCH_BYTES):
                yield from _fetch(fs, batch, prefix)
                batch, waiting = [], 0
            batch.append((path, size))
            waiting += size
    if batch:
        yield from _fetch(fs, batch, prefix)


def _fetch(fs: Any, batch: list[tuple[str, int]], prefix: str) -> Iterator[Member]:
    paths = [path for path, _ in batch]
    # Not `cat`: that one would take `[` and `*` in a name as a pattern.
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


def _shown(url: str) -> tuple[str, tuple[str, ...]]:
    """An address without what may be secret in it, and what was left out: user and password, query."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceError(f"no address: {error}") from error
    user, _, host = parts.netloc.rpartition("@")
    shown = parts._replace(netloc=host, query="", fragment="").geturl()
    return shown, tuple(secret for secret in (user, parts.query) if secret)
