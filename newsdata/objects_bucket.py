"""Objects in a bucket of an object store: Amazon S3 or what speaks like it, and Google Cloud Storage.

`newsdata.objects` calls this for `s3://` and `gs://`. The library obstore sends the requests.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .files import open_fresh
from .objects_client import may_pass, open_client, unless_missing
from .objects_errors import broken, failing, too_large
from .objects_names import checked_name

if TYPE_CHECKING:
    from obstore import GetResult, PutMode
    from obstore.store import ObjectStore

__all__ = ["Bucket"]

_T = TypeVar("_T")

_TRIES = 4  # of what the library does not repeat: a conditional put whose answer was lost
_PATIENCE = 45.0  # seconds after which it is not tried again


@dataclass(frozen=True, slots=True)
class Bucket:
    """A folder in a bucket. Each method does what that of `newsdata.objects.Objects` promises.

    The caller checks names, and turns the errors of the library into ours.

    Attributes:
        url: s3://bucket/prefix or gs://bucket/prefix.
    """

    url: str

    @property
    def bucket(self) -> str:
        """The address of the whole bucket."""
        return "/".join(self.url.split("/")[:3])

    @property
    def deletes_at_once(self) -> int:
        """How many objects `delete` may be given. Only S3 knows a request that removes many."""
        return 1 if self._is_google() else 1000

    def put(self, name: str, data: bytes | Path) -> None:
        """Write an object."""
        self._client().put(self._key(name), data)

    def create(self, name: str, data: bytes | Path) -> bool:
        """Write an object only if there is none of this name."""
        return self._put_if("create", name, data, lambda: self.size(name) is None)

    def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of an object."""
        found = self._get(name, limit)
        return None if found is None else bytes(found.bytes())

    def fetch(self, name: str, part: Path, limit: int | None) -> bool:
        """Write an object to a new local file; returns whether there is such an object."""
        found = self._get(name, limit)
        if found is None:
            return False
        with open_fresh(part) as file:
            for chunk in found.stream(min_chunk_size=1 << 20):
                file.write(chunk)
            written = file.tell()
        if written != found.meta["size"]:
            raise broken(self.url, f"sent {written:,} of {found.meta['size']:,} bytes of {name}")
        return True

    def size(self, name: str) -> int | None:
        """The size of an object in bytes."""
        found = unless_missing(lambda: self._client().head(self._key(name)))
        return None if found is None else int(found["size"])

    def sha256(self, name: str) -> str | None:
        """The SHA-256 of the bytes of an object, in hexadecimal digits."""
        found = self._get(name)
        if found is None:
            return None
        digest = hashlib.sha256()
        for chunk in found.stream(min_chunk_size=1 << 20):
            digest.update(chunk)
        return digest.hexdigest()

    def tagged(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object, and its tag: Google's generation, elsewhere the ETag."""
        found = self._get(name, limit)
        if found is None:
            return None
        tag = found.meta["version"] if self._is_google() else found.meta["e_tag"]
        return bytes(found.bytes()), tag or ""

    def swap(self, name: str, data: bytes, tag: str, limit: int) -> bool:
        """Replace an object of at most `limit` bytes, if it still has this tag."""

        def has_tag() -> bool:
            there = self.tagged(name, limit) if tag else None
            return there is not None and there[1] == tag

        condition: PutMode = {"version": tag} if self._is_google() else {"e_tag": tag}
        return self._put_if(condition, name, data, has_tag)

    def listed(self, prefix: str) -> Iterator[tuple[str, int, str]]:
        """The objects below a folder, as the store lists them: names inside that folder, sizes in bytes, ETags."""
        key = self._key(prefix) if prefix else self._prefix()
        for chunk in self._client().list(key or None, chunk_size=100):
            for found in chunk:
                yield found["path"][len(key) :].removeprefix("/"), found["size"], found["e_tag"] or ""

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object, and its ETag as in `listed`."""
        found = self._get(name, limit)
        return None if found is None else (bytes(found.bytes()), found.meta["e_tag"] or "")

    def read_ranges(self, name: str, starts: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
        """Parts of an object."""
        key = self._key(name)
        found = unless_missing(lambda: self._client().get_ranges(key, starts=[*starts], lengths=[*sizes]))
        return None if found is None else [bytes(part) for part in found]

    def folders(self) -> list[str]:
        """The names of the folders directly below this one, checked and sorted."""
        key = self._prefix()
        found = self._client().list_with_delimiter(key or None)["common_prefixes"]
        names = sorted({path[len(key) :].strip("/") for path in found} - {""})
        return [checked_name(name, self.url) for name in names]

    def copy(self, name: str, target: str, to: Bucket) -> None:
        """Copy an object to a folder in the same bucket."""
        self._client().copy(self._key(name), to._key(target))

    def delete(self, names: Sequence[str]) -> None:
        """Remove at most `deletes_at_once` objects."""
        keys = [self._key(name) for name in names]
        _repeated(lambda: unless_missing(lambda: self._client().delete(keys)))

    # --------------------------------------------------------------------------------------------------- requests

    def _put_if(self, condition: PutMode, name: str, data: bytes | Path, is_met: Callable[[], bool]) -> bool:
        """Write an object under a condition; returns whether that was met.

        A lost answer and a passing conflict are settled by looking at the object.

        Args:
            condition: as the library writes it.
            name: of the object.
            data: its bytes, or a file that holds them.
            is_met: whether what is there now meets the condition.
        """
        client = self._client()  # it says so if the library is not installed
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        def put() -> object:
            return client.put(self._key(name), data, mode=condition, use_multipart=False)

        def attempt() -> bool:
            try:
                return unless_missing(put) is not None  # if missing: a swap, and the object was removed
            except (AlreadyExistsError, PreconditionError):
                with failing(self.url, name):  # the library repeats these questions itself, so we do not
                    if self._holds(name, data):
                        return True
                    if not is_met():
                        return False
                raise  # somebody's put was under way, and came to nothing

        return _repeated(attempt)

    def _holds(self, name: str, data: bytes | Path) -> bool:
        """Whether an object has just these bytes."""
        wanted = data.stat().st_size if isinstance(data, Path) else len(data)
        if self.size(name) != wanted:
            return False
        return self.read(name, wanted) == (data.read_bytes() if isinstance(data, Path) else data)

    def _get(self, name: str, limit: int | None = None) -> GetResult | None:
        """The store's answer to a request for an object, whose bytes are still to be read; None if there is no such object."""
        found = unless_missing(lambda: self._client().get(self._key(name)))
        if found is not None and limit is not None and found.meta["size"] > limit:
            raise too_large(self.url, name, limit)
        return found

    def _client(self) -> ObjectStore:
        return open_client(self.bucket)

    def _is_google(self) -> bool:
        return self.url.startswith("gs:")

    def _prefix(self) -> str:
        return "/".join(self.url.split("/")[3:])

    def _key(self, name: str) -> str:
        return "/".join([*self.url.split("/")[3:], name])


def _repeated(attempt: Callable[[], _T]) -> _T:
    """What an attempt gives. It is repeated if the store fails, but not for ever."""
    end = time.monotonic() + _PATIENCE
    for number in range(_TRIES - 1):
        try:
            return attempt()
        except Exception as error:
            if not may_pass(error) or time.monotonic() > end:
                raise
            time.sleep(0.1 * 4**number)
    return attempt()
