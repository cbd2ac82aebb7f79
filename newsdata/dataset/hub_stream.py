"""Read parts of a large file on the Hub without a local copy."""

from __future__ import annotations

import io
import re
from typing import Any

from ..errors import HubError
from .hub_client import attempt
from .hub_download import address_of
from .hub_http import open_answer

__all__ = ["open_on_the_hub", "stream_address"]

_ADDRESS = re.compile(r"hf://datasets/([^/@]+/[^/@]+)@([0-9a-f]{40})/(.+)", re.ASCII)
_AHEAD = 1 << 20  # bytes that are read at least


def stream_address(repo_id: str, commit: str, path: str) -> str:
    """The address of a file for `open_on_the_hub`."""
    return f"hf://datasets/{repo_id}@{commit}/{path}"


def open_on_the_hub(address: str, size: int, token: str | bool | None) -> io.BufferedReader:
    """A file on the Hub, open for reading bytes; each part is fetched when it is read.

    Args:
        address: from `stream_address`.
        size: the bytes of the file, as its manifest says.
        token: of the Hub; None takes the one that `huggingface_hub` finds.

    Raises:
        HubError: it is no such address. Reading raises it, too: the Hub refused, cannot be reached, or sends something else
            than the part that it was asked for.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise HubError("this is no address of a file on the Hub", path=address)
    return io.BufferedReader(_Parts(match[1], match[2], match[3], size, token), _AHEAD)


class _Parts(io.RawIOBase):
    def __init__(self, repo_id: str, commit: str, path: str, size: int, token: str | bool | None) -> None:
        super().__init__()
        self._repo_id, self._commit, self._path = repo_id, commit, path
        self._size, self._token, self._at = size, token, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(base + offset, 0)
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), self._size - self._at)
        if wanted <= 0:
            return 0
        data = attempt(lambda: self._fetch(self._at, wanted), self._repo_id)
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _fetch(self, start: int, length: int) -> bytes:
        """Some bytes of the file.

        Raises:
            HubError: the answer is not this part of this file.
        """
        headers = {"range": f"bytes={start}-{start + length - 1}"}
        with open_answer(address_of(self._repo_id, self._commit, self._path), self._token, headers=headers) as answer:
            said = answer.headers.get("content-range", "")
            whole = answer.status == 200 and start == 0 and length == self._size
            if not whole and (answer.status != 206 or said != f"bytes {start}-{start + length - 1}/{self._size}"):
                reason = f"the Hub was asked for bytes {start:,} to {start + length:,} of {self._size:,} and answers"
                raise HubError(f"{reason} with {said[:100] or 'all'!r}", path=f"{self._repo_id}: {self._path}")
            data = b"".join(answer.body(length))
        if len(data) != length:
            raise HubError(f"the Hub sends {len(data):,} bytes of {length:,}", path=f"{self._repo_id}: {self._path}")
        return data
