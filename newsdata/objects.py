"""Objects: named bytes in a folder of an object store (S3, Google Cloud Storage), or in a folder on a disk.

An object becomes visible whole or not at all. `create` and `swap` are what locks are made of: of many that create one name,
or swap one content, exactly one succeeds. Everything that a store answers is checked: names, sizes, order.

`Objects` checks names and lists, and turns errors into ours. A `Bucket` or a `Folder`, which have the same methods, does the
rest.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .errors import MachineError
from .objects_bucket import Bucket
from .objects_errors import ObjectTooLargeError, broken, failing
from .objects_folder import Folder
from .objects_names import checked_name, clean_url, folder_of_url, is_object_url

__all__ = ["ObjectTooLargeError", "Objects", "check_conditions", "folder_of_url", "is_object_url"]

_MOST_NAMES = 100_000_000
_LARGEST_SWAPPED = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Objects:
    """A folder in an object store, or a folder on a disk.

    It holds no connection and no credentials, so it can be pickled; each process opens its own. The credentials are those
    of the environment (`AWS_ACCESS_KEY_ID`, `GOOGLE_APPLICATION_CREDENTIALS`, …), of `~/.aws/credentials`, or of the
    machine. `AWS_ENDPOINT_URL` names another server that speaks S3. What fails for a moment is tried again.

    Names have the form "a/b.txt". No part of them is empty, "." or "..", and they hold no control characters.

    Attributes:
        url: s3://bucket/prefix, gs://bucket/prefix or file:///folder.

    Raises:
        CallError: the address is none of these, or holds credentials.
        MachineError: by each method: the store refuses or cannot be reached, or breaks the rules for names.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     objects = Objects(url=Path(folder).as_uri())
    ...     objects.create("a/b.txt", b"one"), objects.create("a/b.txt", b"two"), list(objects.names())
    (True, False, [('a/b.txt', 3)])
    """

    url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", clean_url(self.url))

    def inside(self, folder: str) -> Objects:
        """A folder below this one."""
        folder = self._checked(folder)
        if isinstance(self._store, Folder):
            folder = urllib.parse.quote(folder)
        return replace(self, url=f"{self.url.rstrip('/')}/{folder}")

    def put(self, name: str, data: bytes | Path) -> None:
        """Write an object; it becomes visible as a whole, and replaces one that is there.

        Args:
            name: of the object.
            data: its bytes, or a file that holds them.
        """
        with self._failing(name):
            self._store.put(self._checked(name), data)

    def create(self, name: str, data: bytes | Path) -> bool:
        """Write an object only if there is none of this name.

        Returns:
            False if somebody else's object is there. True if it was written; also if an object with just these bytes is
            there, because the answer to an earlier attempt may have been lost.
        """
        with self._failing(name):
            return self._store.create(self._checked(name), data)

    def read(self, name: str, limit: int) -> bytes | None:
        """The bytes of an object of at most `limit` bytes; None if there is no such object."""
        with self._failing(name):
            return self._store.read(self._checked(name), limit)

    def fetch(self, name: str, path: Path, limit: int | None = None) -> bool:
        """Copy an object to a local file, which appears as a whole.

        Args:
            name: of the object.
            path: of the file; one that is there is replaced.
            limit: the largest number of bytes that is written; None for any.

        Returns:
            False if there is no such object.
        """
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
        with self._failing(name):
            try:
                if not self._store.fetch(self._checked(name), part, limit):
                    return False
                part.replace(path)
                return True
            finally:
                with contextlib.suppress(OSError):
                    part.unlink()

    def size(self, name: str) -> int | None:
        """The size of an object in bytes; None if there is no such object."""
        with self._failing(name):
            return self._store.size(self._checked(name))

    def sha256(self, name: str) -> str | None:
        """The SHA-256 of the bytes of an object, in hexadecimal digits; None if there is no such object."""
        with self._failing(name):
            return self._store.sha256(self._checked(name))

    def tagged(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object of at most `limit` bytes, and its tag for `swap`; None if there is no such object."""
        with self._failing(name):
            return self._store.tagged(self._checked(name), limit)

    def swap(self, name: str, data: bytes, tag: str) -> bool:
        """Replace an object, if it still has this tag.

        Args:
            name: of the object.
            data: its new bytes.
            tag: from `tagged`.

        Returns:
            False if somebody else was faster, or removed the object.
        """
        with self._failing(name):
            return self._store.swap(self._checked(name), data, tag, _LARGEST_SWAPPED)

    def names(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """The names and sizes in bytes of all objects, in the order of the names, with those of the folders below.

        Some stores list an object only seconds after it was written. Read an object to know whether it is there.

        Args:
            prefix: list only this folder. The names still begin at this object's own folder.
        """
        return ((name, size) for name, size, _ in self.stamped(prefix))

    def stamped(self, prefix: str = "") -> Iterator[tuple[str, int, str]]:
        """Like `names`, with the stamp of each object: another one for other bytes; "" if the store tells none."""
        with self._failing(prefix or "."):
            below = f"{prefix}/" if checked_name(prefix, self.url, may_be_empty=True) else ""
            last, marker = "", None
            for number, (name, size, stamp) in enumerate(self._store.listed(prefix)):
                if marker and not name.startswith(f"{marker[0]}/"):  # else it marks a folder, as consoles make them
                    yield below + marker[0], 0, marker[1]
                marker = None
                if not name or (name <= last and not size):
                    continue
                if name <= last or number >= _MOST_NAMES:
                    raise broken(self.url, "lists names twice, without end or in no order")
                last = self._checked(name)
                if size:
                    yield below + name, size, stamp
                else:
                    marker = name, stamp
            if marker:
                yield below + marker[0], 0, marker[1]

    def read_stamped(self, name: str, limit: int) -> tuple[bytes, str] | None:
        """The bytes of an object of at most `limit` bytes, and its stamp as in `stamped`; None if there is no such object."""
        with self._failing(name):
            return self._store.read_stamped(self._checked(name), limit)

    def read_ranges(self, name: str, starts: Sequence[int], sizes: Sequence[int]) -> list[bytes] | None:
        """Parts of an object, in few requests where they lie close together; None if there is no such object.

        Args:
            name: of the object.
            starts, sizes: of the parts, in bytes. A part that the object does not have is an error, or shorter.
        """
        with self._failing(name):
            return self._store.read_ranges(self._checked(name), starts, sizes)

    def folders(self) -> list[str]:
        """The names of the folders directly below this one, sorted. Those without objects do not exist in an object store."""
        with self._failing("."):
            return self._store.folders()

    def copy(self, name: str, target: str, to: Objects | None = None) -> None:
        """Copy an object, inside the store if both lie in one bucket.

        Args:
            name: of the object.
            target: the name of the copy; an object that is there is replaced.
            to: the folder of the copy; None for this one.

        Raises:
            MachineError: there is no such object.
        """
        to = to or self
        with self._failing(name):
            here, there = self._store, to._store
            if isinstance(there, Folder):
                if not self.fetch(name, there.make_room(to._checked(target))):
                    raise FileNotFoundError(errno.ENOENT, "there is no such object", f"{self.url}/{name}")
            elif isinstance(here, Bucket) and here.bucket == there.bucket:
                here.copy(self._checked(name), to._checked(target), there)
            else:
                with tempfile.TemporaryDirectory() as scratch:
                    self.copy(name, "object", Objects(url=Path(scratch).as_uri()))
                    to.put(target, Path(scratch) / "object")

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects. Those that are not there are left out."""
        store, listed = self._store, list(names)
        for start in range(0, len(listed), store.deletes_at_once):
            some = listed[start : start + store.deletes_at_once]
            with self._failing(some[0]):
                store.delete([self._checked(name) for name in some])

    def __str__(self) -> str:
        return self.url

    @property
    def _store(self) -> Folder | Bucket:
        """What holds the objects. It gets checked names only."""
        path = folder_of_url(self.url)
        return Folder(path, self.url) if path else Bucket(self.url)

    def _checked(self, name: str) -> str:
        return checked_name(name, self.url)

    def _failing(self, name: str) -> contextlib.AbstractContextManager[None]:
        return failing(self.url, name)


def check_conditions(objects: Objects, folder: str = "") -> None:
    """Make sure that a store keeps its promises: nothing is created twice, and only what did not change is swapped.

    Some stores that speak S3 ignore such conditions. Two builds would then overwrite each other. Errors name `objects`.

    Raises:
        MachineError: it ignores them, or it refuses or cannot be reached.
    """
    name = f"{folder and folder + '/'}.conditions-{secrets.token_hex(8)}"
    try:
        try:
            made, again = objects.create(name, b"first"), objects.create(name, b"second")
            there = objects.tagged(name, 100)
            keeps = made and not again and there is not None and there[0] == b"first"
            if keeps and there:
                keeps = objects.swap(name, b"third", there[1]) and not objects.swap(name, b"fourth", there[1])
        finally:
            objects.delete([name])
    except MachineError as error:
        raise MachineError(error.reason, path=(error.path or "").partition(f"/{name}")[0], hint=error.hint) from None
    if not keeps:
        reason = "this object store ignores If-None-Match or If-Match, so two builds could overwrite each other"
        hint = "use a store that honours them (Amazon S3, Google Cloud Storage, MinIO, R2), or a folder"
        raise MachineError(reason, path=objects.url, hint=hint)
